"""The data catalogue of a gateway, from its config and its disk."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from agent.edge.config import GatewayConfig, load_gateway
from agent.keeping.gateway import data_dir_of
from agent.keeping.logs import first_times
from agent.mqtt import topic
from drivers.classes import ClassRules, rules_in
from drivers.doctor import Text
from drivers.keeping import Holding
from drivers.keeping_files import named
from drivers.keeping_words import (
    FOREVER,
    PLAIN,
    PRIVATE,
    STAYS,
    by_class,
    days,
    file_times,
    joined,
    modes,
    secured,
    since,
)
from drivers.tomlfile import read_tables

STREAMS = {
    "raw": Text("每次采样的原始值", "every sample"),
    "record": Text("分钟窗口、计数与事件", "minute windows, counters, events"),
}


def holdings(config: Path) -> Iterable[Holding]:
    """Raises ConfigError for a config that cannot be read."""
    tables = read_tables(config)
    rules = rules_in(tables, config)
    gateway = load_gateway(config)
    data = data_dir_of(config)
    way = secured(tables)
    names = [point.quantity.name for point in gateway.points]
    for of, quantities in by_class(rules, names).items():
        for stream, what in STREAMS.items():
            leaf = topic(gateway.plant, gateway.gateway, stream)
            yield Holding(
                stream,
                what,
                of,
                (str(data / stream), leaf),
                joined(modes([data / stream]), _acl(gateway)),
                days(getattr(gateway.log, f"{stream}_days")),
                PLAIN,
                way,
                since(first_times(data / stream)),
                quantities,
            )
    yield from _others(config, data, rules, way)
    yield from _forwards(gateway, rules)


def _acl(gateway: GatewayConfig) -> Text:
    name = f"{gateway.plant}-{gateway.gateway}"
    return Text(
        f"MQTT 用户 historian 与 reader 可读，仅 {name} 可写（config/mosquitto/acl）",
        f"MQTT users historian and reader may read, only {name} writes (config/mosquitto/acl)",
    )


def _others(config: Path, data: Path, rules: ClassRules, way: Text) -> Iterator[Holding]:
    trees = sorted(data.glob("*/*/tree*"))
    yield Holding(
        "evidence",
        Text("Merkle 树、检查点与会签", "Merkle trees, checkpoints, cosignatures"),
        rules.of("evidence"),
        tuple(str(each) for each in trees) or (str(data),),
        modes(trees[:1]),
        FOREVER,
        PLAIN,
        way,
        since(file_times(trees)),
    )
    keys = data / "keys"
    yield Holding(
        "keys",
        Text("签名与证书私钥", "private keys for signing and TLS"),
        rules.of("keys"),
        (str(keys), str(data / "certificates"), *_secrets(config)),
        modes([keys]),
        FOREVER,
        PRIVATE,
        STAYS,
        since(file_times(keys.glob("*.pub") if keys.exists() else [])),
    )
    yield Holding(
        "configs",
        Text("配置与点表", "configuration and point tables"),
        rules.of("configs"),
        (str(config), *sorted({str(p) for _, p, secret in named(config) if not secret})),
        modes([config]),
        FOREVER,
        PLAIN,
        STAYS,
        since(file_times([config])),
    )
    audit = data / "audit"
    yield Holding(
        "audit",
        Text("审计日志", "audit trail"),
        rules.of("audit"),
        (str(audit),),
        modes([audit]),
        Text("至少六个月（[audit] keep_days）", "six months at least ([audit] keep_days)"),
        PLAIN,
        way,
        since(file_times(audit.glob("*.jsonl*") if audit.exists() else [])),
    )


def _secrets(config: Path) -> list[str]:
    return sorted({str(path) for _, path, secret in named(config) if secret})


def _forwards(gateway: GatewayConfig, rules: ClassRules) -> Iterator[Holding]:
    """What is sent to a platform, and how."""
    for each in gateway.forward:
        names = {
            point.quantity.name
            for point in gateway.points
            if point.quantity.measurement in {"stack", "cems"}
        }
        sealed = each.key_file is not None
        yield Holding(
            "forward",
            Text(f"上报平台 {each.name}", f"sent to platform {each.name}"),
            rules.highest(names),
            (each.address, str(gateway.data_dir / "forward" / each.name)),
            Text("平台主管部门", "the authority that runs the platform"),
            WAITING,
            PLAIN,
            Text("HJ 212，SM4 加密", "HJ 212, SM4")
            if sealed
            else Text("HJ 212，明文", "HJ 212, not encrypted"),
            Text("见审计日志", "see the audit trail"),
            tuple(sorted(names)),
        )


WAITING = Text("平台应答后删除", "until the platform answered")
