"""
``gateway.toml`` → frozen objects, or every mistake at once with file and line.

The historian's config is in ``agent/historian/config.py``.
"""

import contextlib
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from pydantic import Field, ValidationError, field_validator

from agent.evidence.settings import EvidenceConfig
from agent.exchangers.settings import ExchangersConfig
from agent.forward.settings import ForwardConfig, forward_problems
from agent.mistakes import each, explain, in_order, read_toml
from agent.mqtt import BROKER_FILES, BrokerConfig, MqttConfig, unreadable
from agent.pots.settings import PotsConfig
from agent.stacks.settings import StackConfig
from agent.stacks.table_checks import stack_problems
from agent.toml_lines import Place, line_numbers, line_of
from drivers.audit_config import AuditConfig
from drivers.classes import ClassRules, ClassTables, Wish, permit
from drivers.config import NAME, DeviceConfig, Strict, driver_names
from drivers.language import language, say
from drivers.model import ConfigError, Group, Point
from drivers.points import check_plant, group_points, load_points

__all__ = ["GatewayConfig", "LineConfig", "explain", "load_gateway", "read_toml"]


class LogConfig(Strict):
    """``[log]``: how often a batch is closed and how long batches are kept here."""

    batch_interval_s: float = Field(default=1.0, ge=0.05, le=60)
    raw_days: float = Field(default=90, gt=0, le=36500)
    record_days: float = Field(default=1825, gt=0, le=36500)
    max_bytes: int | None = Field(default=None, ge=16 << 20)  # per stream; None = the disk
    waiting_bytes: int = Field(default=64 << 20, ge=64 << 10)  # in memory, while a log is full


class HealthConfig(Strict):
    """``[health]``: where /metrics and /healthz are served; empty = nowhere."""

    listen: str = "127.0.0.1:9464"

    @field_validator("listen")
    @classmethod
    def _local(cls, listen: str) -> str:
        host, _, port = listen.rpartition(":")
        if listen and (not host or not port.isdigit() or int(port) > 65535):
            raise ValueError(
                say(
                    '请写 listen = "127.0.0.1:9464"；不需要时写 ""',
                    'write listen = "127.0.0.1:9464", or "" for none',
                )
            )
        return listen


class GatewayFile(ClassTables):
    """What ``gateway.toml`` may say; lists of devices are checked one by one."""

    plant: str = Field(pattern=NAME)
    gateway: str = Field(pattern=NAME)
    data_dir: Path
    mqtt: MqttConfig
    log: LogConfig = LogConfig()
    health: HealthConfig = HealthConfig()
    pots: PotsConfig = PotsConfig()
    exchangers: ExchangersConfig = ExchangersConfig()
    stacks: tuple[StackConfig, ...] = ()
    evidence: EvidenceConfig = EvidenceConfig()
    forward: tuple[ForwardConfig, ...] = ()
    audit: AuditConfig = AuditConfig()
    device: tuple[DeviceConfig, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True, eq=False)
class LineConfig:
    """Devices that share one connection or bus, and what is read from them."""

    devices: tuple[DeviceConfig, ...]
    groups: tuple[Group, ...]

    @property
    def key(self) -> str:
        """Equal for lines that would be polled in exactly the same way, by the same files."""
        groups = [(g.device, g.interval_s, g.points) for g in self.groups]
        return repr((self.devices, groups, [_files_digest(device) for device in self.devices]))


@dataclass(frozen=True, slots=True, eq=False)
class GatewayConfig:
    """A gateway that can be run: everything was checked."""

    path: Path
    plant: str
    gateway: str
    data_dir: Path
    mqtt: MqttConfig
    log: LogConfig
    health: HealthConfig
    lines: tuple[LineConfig, ...]
    pots: PotsConfig
    exchangers: ExchangersConfig
    stacks: tuple[StackConfig, ...]
    evidence: EvidenceConfig
    forward: tuple[ForwardConfig, ...]
    audit: AuditConfig
    digest: str  # first 16 hex digits of the SHA-256 over the file and its tables
    broker_key: str = ""  # another one when [mqtt] or a file that it names has changed

    @property
    def devices(self) -> tuple[DeviceConfig, ...]:
        return tuple(device for line in self.lines for device in line.devices)

    @property
    def points(self) -> tuple[Point, ...]:
        return tuple(p for line in self.lines for group in line.groups for p in group.points)


def load_gateway(path: Path) -> GatewayConfig:
    """
    Read and check a gateway config with all its point tables.

    Raises ConfigError with one line per mistake: ``gateway.toml:14: device 1, interval_s: …``.
    """
    parsed, text = read_toml(path)
    lines = line_numbers(text)
    problems = _unknown_drivers(path, parsed, lines)
    file: GatewayFile | None = None
    try:
        file = GatewayFile.model_validate(parsed)
    except ValidationError as error:
        problems += explain(path, error, lines, GatewayFile)
    devices, points, table_problems = _tables(path, parsed, lines, file)
    problems += table_problems
    problems += _between_devices(path, parsed, lines)
    problems += _strange_exchangers(path, lines, file, points) if not table_problems else []
    if file is not None and not table_problems:
        problems += stack_problems(path, lines, file.stacks, points)
        stacks = {each.equipment for each in file.stacks}
        problems += forward_problems(path, lines, file.forward, points, stacks)
        problems += _unapproved(path, lines, file, points)
    problems += broker_problems(path, parsed, lines)
    if problems or file is None:
        raise ConfigError(in_order(problems))
    mqtt = _mqtt(file, path.parent)
    return GatewayConfig(
        path=path,
        plant=file.plant,
        gateway=file.gateway,
        data_dir=path.parent / file.data_dir,
        mqtt=mqtt,
        log=file.log,
        health=file.health,
        lines=_lines(file.device, points, path.parent, path.parent / file.data_dir),
        pots=file.pots,
        exchangers=file.exchangers,
        stacks=file.stacks,
        evidence=file.evidence,
        forward=tuple(each.below(path.parent) for each in file.forward),
        audit=file.audit,
        digest=_digest(path, devices),
        broker_key=f"{mqtt!r} {mqtt.files_digest}",
    )


def _unknown_drivers(path: Path, parsed: dict[str, Any], lines: dict[Place, int]) -> list[str]:
    known = driver_names()
    problems = []
    for i, table in enumerate(_device_tables(parsed)):
        driver = table.get("driver")
        if isinstance(driver, str) and driver not in known:
            line = line_of(lines, ("device", i, "driver"))
            hint = "没有此驱动；已安装" if language() == "zh" else "no such driver; installed"
            problems.append(
                f"{path.name}:{line}: device {i + 1} driver: {driver!r}: {hint}: {', '.join(known)}"
            )
    return problems


def _device_tables(parsed: dict[str, Any]) -> list[dict[str, Any]]:
    tables = parsed.get("device", [])
    return [t for t in tables if isinstance(t, dict)] if isinstance(tables, list) else []


def _tables(
    path: Path, parsed: dict[str, Any], lines: dict[Place, int], file: GatewayFile | None
) -> tuple[list[DeviceConfig], list[Point], list[str]]:
    """Points of every device that is itself well written, and all mistakes of their tables."""
    devices: list[DeviceConfig] = list(file.device) if file else []
    points: list[Point] = []
    problems: list[str] = []
    for i, found in () if file else _well_written(parsed):
        if isinstance(found, str):
            line = line_of(lines, ("device", i))
            problems.append(f"{path.name}:{line}: device {i + 1}: {found}")
        else:
            devices.append(found)
    for device in devices:
        try:
            points += load_points(device, path.parent)
        except ConfigError as error:
            problems += (_placed(path, problem, parsed, lines) for problem in error.problems)
    return devices, points, problems + check_plant(points)


def _placed(path: Path, problem: str, parsed: dict[str, Any], lines: dict[Place, int]) -> str:
    """``device meters: …`` with file and line of the device's table in front."""
    for i, table in enumerate(_device_tables(parsed)):
        if problem.startswith(f"device {table.get('name')}: "):
            key = "points" if "points" in table else "profile"
            return f"{path.name}:{line_of(lines, ('device', i, key))}: {problem}"
    return problem


_TABLE_KEYS = ("name", "driver", "address", "interval_s", "points", "profile", "equipment")
_STAND_INS: dict[str, Any] = {
    "name": "unnamed",
    "driver": "modbus-tcp",
    "address": "?",
    "hj212": {"mn": "0" * 24},
}


def _well_written(parsed: dict[str, Any]) -> Iterable[tuple[int, DeviceConfig | str]]:
    """
    Devices without the keys that are wrong, so that the rest of them can be checked all the same.

    What is wrong between their keys comes as text.
    """
    for i, table in enumerate(_device_tables(parsed)):
        try:
            yield i, DeviceConfig.model_validate(table)
        except ValidationError as error:
            wrong = {str(mistake["loc"][0]) for mistake in error.errors() if mistake["loc"]}
            rest = {key: value for key, value in table.items() if key not in wrong}
            rest |= {key: value for key, value in _STAND_INS.items() if key in wrong}
            yield from ((i, found) for found in _again(rest, told=not wrong))


def _again(rest: dict[str, Any], *, told: bool) -> Iterable[DeviceConfig | str]:
    """Without the wrong keys; and if that cannot be, with no more than names its table."""
    try:
        yield DeviceConfig.model_validate(rest)
    except ValidationError as error:
        if not told:
            yield from (text for m in error.errors() for text in each(m["msg"]))
        with contextlib.suppress(ValidationError):
            table = {k: v for k, v in rest.items() if k in _TABLE_KEYS}
            plain = {"security": "none"} if rest.get("driver") == "opcua" else {}
            yield DeviceConfig.model_validate(table | plain)


def _between_devices(path: Path, parsed: dict[str, Any], lines: dict[Place, int]) -> list[str]:
    """Two devices of one name, or of one address asked in two ways, whatever else is wrong."""
    zh = language() == "zh"
    problems: list[str] = []
    first: dict[str, int] = {}
    kinds: dict[str, str] = {}
    for i, table in enumerate(_device_tables(parsed)):
        name, driver, address = (table.get(key) for key in ("name", "driver", "address"))
        where = f"{path.name}:{line_of(lines, ('device', i, 'name'))}: device {name}"
        if isinstance(name, str) and first.setdefault(name, i) != i:
            problems.append(f"{where}: {'名称重复' if zh else 'the name is used twice'}")
        if not isinstance(address, str) or not isinstance(driver, str):
            continue
        if kinds.setdefault(address, driver) != driver:
            what = "同一地址用了两种驱动" if zh else "two drivers on the same address"
            problems.append(f"{where}: {what}: {kinds[address]}, {driver}")
    return problems


def _strange_exchangers(
    path: Path, lines: dict[Place, int], file: GatewayFile | None, points: Iterable[Point]
) -> list[str]:
    """Names under ``[exchangers.each]`` that are misspelt, or not read here."""
    return [
        f"{path.name}:{line_of(lines, ('exchangers', 'each', name))}: "
        + say(
            f"exchangers.each 中的 {name}：没有读取该设备 heat_recovery 量的测点",
            f"exchangers.each {name}: no point reads heat_recovery of this equipment",
        )
        for name in (file.exchangers.strangers(points) if file else [])
    ]


def _unapproved(
    path: Path, lines: dict[Place, int], file: GatewayFile, points: Iterable[Point]
) -> list[str]:
    """Platforms that data of their class may not go to without a standing approval."""
    rules = ClassRules(file.classes, file.export)
    problems: list[str] = []
    for at, sent in enumerate(file.forward):
        names = {p.quantity.name for p in points if str(p.equipment) == sent.equipment}
        try:
            today = datetime.now(UTC).date()
            permit(rules, rules.highest(names), Wish("forward", sent.name), today)
        except ConfigError as error:
            where = f"{path.name}:{line_of(lines, ('forward', at, 'name'))}: forward {sent.name}: "
            problems += (where + problem for problem in error.problems)
    return problems


class _Reached(Strict):
    """``[mqtt]`` without what does not matter for reaching the broker."""

    mqtt: BrokerConfig


def broker_problems(path: Path, parsed: dict[str, Any], lines: dict[Place, int]) -> list[str]:
    """Keys of ``[mqtt]`` that do not go together, unusable files: whatever else is wrong."""
    table = parsed.get("mqtt")
    if not isinstance(table, dict):
        return []
    names = ("url", *BROKER_FILES, "tls_min", "username", "allow_plain_password")
    known = {name: table[name] for name in names if name in table}
    try:
        broker = _Reached.model_validate({"mqtt": known}).mqtt
    except ValidationError as error:
        texts = {name: value for name, value in known.items() if isinstance(value, str)}
        files = {n: path.parent / texts[n] for n in BROKER_FILES if n in texts}
        unread = [f"{path.name}: {problem}" for problem in unreadable(files)]
        return explain(path, error, lines, _Reached) + unread
    return [f"{path.name}: {problem}" for problem in broker.below(path.parent).problems()]


def _mqtt(file: GatewayFile, folder: Path) -> MqttConfig:
    return cast("MqttConfig", file.mqtt.below(folder))


def _lines(
    devices: tuple[DeviceConfig, ...], points: list[Point], folder: Path, data_dir: Path
) -> tuple[LineConfig, ...]:
    shared: dict[tuple[str, str], list[DeviceConfig]] = {}
    for device in devices:
        shared.setdefault((device.driver, device.address), []).append(
            _below(device, folder, data_dir)
        )
    groups = group_points(points)
    return tuple(
        LineConfig(
            tuple(members),
            tuple(g for g in groups if g.device in {device.name for device in members}),
        )
        for members in shared.values()
    )


def _below(device: DeviceConfig, folder: Path, data_dir: Path) -> DeviceConfig:
    """Files a driver will open, relative to the config's folder; what it remembers, to the data."""
    names = ("server_certificate", "trust", "certificate", "key", "password_file")
    found = {n: folder / getattr(device, n) for n in names if getattr(device, n) is not None}
    if device.tls is not None:
        files = {n: getattr(device.tls, n) for n in ("ca", "cert", "key", "crl")}
        below = {n: folder / file for n, file in files.items() if file is not None}
        found["tls"] = device.tls.model_copy(update=below)
    if device.hj212 is not None:
        key, pw = device.hj212.key_file, device.hj212.pw_file
        files = {
            "memory": data_dir / f"hj212-{device.name}.json",
            "key_file": None if key is None else folder / key,
            "pw_file": None if pw is None else folder / pw,
        }
        found["hj212"] = device.hj212.model_copy(update=files)
    return device.model_copy(update=found)


def _files_digest(device: DeviceConfig) -> str:
    """Of the certificates and keys a driver opens; "" for a device that has none."""
    tls = device.tls
    own = [device.certificate, device.key, device.server_certificate]
    more = [tls.ca, tls.cert, tls.key, tls.crl] if tls is not None else []
    files = [path for path in (*own, *more) if path is not None]
    digest = hashlib.sha256()
    for path in files:
        with contextlib.suppress(OSError):
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest() if files else ""


def _digest(path: Path, devices: Iterable[DeviceConfig]) -> str:
    digest = hashlib.sha256(path.read_bytes())
    for table in sorted({str(device.points or device.profile) for device in devices}):
        digest.update(b"\0" + table.encode() + b"\0" + (path.parent / table).read_bytes())
    return digest.hexdigest()[:16]
