"""The data catalogue of a historian, from its config and its disk."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from agent.historian.config import HistorianConfig, load_historian
from agent.influx.config import InfluxConfig
from agent.keeping.logs import first_times
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
    file_times,
    joined,
    modes,
    secured,
    since,
)
from drivers.model import DataClass
from drivers.quantities import quantities
from drivers.tomlfile import read_tables

BY_HISTORIAN = Text(
    "MQTT 仅用户 historian 可写 receipt", "over MQTT only historian writes receipts"
)
FILES = Text("不经网络，按文件读取", "read as files, not over the network")


def holdings(config: Path) -> Iterable[Holding]:
    """Raises ConfigError for a config that cannot be read."""
    tables = read_tables(config)
    rules = rules_in(tables, config)
    historian = load_historian(config)
    way = secured(tables)
    times = first_times(historian.originals)
    for of, names in by_class(rules, quantities()).items():
        yield from _kept(historian, of, names, way, since(times))
        for influx in historian.influxdb:
            yield _influx(influx, of, names)
    yield from _others(config, historian, rules, way)


def _kept(
    historian: HistorianConfig, of: DataClass, names: tuple[str, ...], way: Text, begun: Text
) -> Iterator[Holding]:
    kept = historian.retention.of(of)
    told = FOREVER if kept is None else Text(f"{kept:g} 天", f"{kept:g} days")
    longest = historian.retention.longest
    batches = FOREVER if longest is None else Text(f"{longest:g} 天", f"{longest:g} days")
    originals, lake = historian.originals, historian.lake_path
    yield Holding(
        "raw",
        Text("原始批次：每次采样", "original batches: every sample"),
        of,
        (str(originals / "*/*/raw"),),
        joined(modes([originals]), BY_HISTORIAN),
        batches,
        PLAIN,
        way,
        begun,
        names,
    )
    yield Holding(
        "record",
        Text("原始批次：分钟窗口与事件", "original batches: minute windows, events"),
        of,
        (str(originals / "*/*/record"),),
        joined(modes([originals]), BY_HISTORIAN),
        FOREVER,
        PLAIN,
        way,
        begun,
        names,
    )
    yield Holding(
        "lake",
        Text("数据湖：采样 raw", "lake: samples (raw)"),
        of,
        (str(lake / "raw"),),
        modes([lake]),
        told,
        PLAIN,
        FILES,
        begun,
        names,
    )
    yield Holding(
        "lake",
        Text("数据湖：windows、events", "lake: windows, events"),
        of,
        (str(lake / "windows"), str(lake / "events")),
        modes([lake]),
        FOREVER,
        PLAIN,
        FILES,
        begun,
        names,
    )


def _influx(influx: InfluxConfig, of: DataClass, names: tuple[str, ...]) -> Holding:
    policy = influx.retention_policy or influx.bucket
    who = influx.username or (f"{influx.token_file}" if influx.token_file else "")
    return Holding(
        "influxdb",
        Text(f"InfluxDB {influx.name}", f"InfluxDB {influx.name}"),
        of,
        (f"{influx.url} {influx.database or influx.bucket}",),
        Text(
            f"持有口令或令牌者：{who or '未设置登录'}",
            f"by login or token: {who or 'no login set'}",
        ),
        Text(
            f"由 InfluxDB 的保留策略决定（{policy or '默认'}）",
            f"InfluxDB's own retention decides ({policy or 'default'})",
        ),
        Text("由 InfluxDB 主机的磁盘决定", "as the disk of InfluxDB's machine is"),
        Text("HTTPS", "HTTPS")
        if influx.url.startswith("https")
        else Text("HTTP，未加密", "HTTP, not encrypted"),
        Text("见原始批次", "as the originals"),
        names,
    )


def _others(
    config: Path, historian: HistorianConfig, rules: ClassRules, way: Text
) -> Iterator[Holding]:
    heads = historian.data_dir / "checkpoints"
    yield Holding(
        "evidence",
        Text("会签的检查点、公钥、时间戳", "cosigned checkpoints, public keys, time stamps"),
        rules.of("evidence"),
        (str(heads), str(historian.originals / "*/*/*/*/tree")),
        modes([heads]),
        FOREVER,
        PLAIN,
        way,
        since(file_times([heads / "witness.json"])),
    )
    keys = historian.data_dir / "keys"
    secret = sorted({str(path) for _, path, hidden in named(config) if hidden})
    yield Holding(
        "keys",
        Text("会签与证书私钥、口令、令牌", "private keys, passwords, tokens"),
        rules.of("keys"),
        (str(keys), *secret),
        modes([keys]),
        FOREVER,
        PRIVATE,
        STAYS,
        since(file_times(keys.glob("*.pub") if keys.exists() else [])),
    )
    yield Holding(
        "configs",
        Text("历史库配置", "the historian's configuration"),
        rules.of("configs"),
        (str(config),),
        modes([config]),
        FOREVER,
        PLAIN,
        STAYS,
        since(file_times([config])),
    )
    audit = historian.data_dir / "audit"
    yield Holding(
        "audit",
        Text("审计日志", "audit trail"),
        rules.of("audit"),
        (str(audit),),
        modes([audit]),
        Text("至少六个月（[audit] keep_days）", "six months at least ([audit] keep_days)"),
        PLAIN,
        STAYS,
        since(file_times(audit.glob("*.jsonl*") if audit.exists() else [])),
    )
