"""``historian.toml`` → a frozen object, or every mistake at once with file and line."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field, ValidationError, field_validator

from agent.audit import HistorianAuditConfig
from agent.edge.config import HealthConfig, broker_problems, explain, read_toml
from agent.evidence.settings import SigningConfig
from agent.historian.retention import RetentionConfig
from agent.historian.stamps import TimestampConfig
from agent.influx.config import InfluxConfig
from agent.mistakes import in_order
from agent.mqtt import BrokerConfig
from agent.toml_lines import line_numbers
from drivers.classes import ClassRules, ClassTables
from drivers.config import NAME, Strict
from drivers.language import language, say
from drivers.model import ConfigError
from drivers.secret import secret_trouble

LAKE = "lake"


class LakeConfig(Strict):
    """``[lake]``: the Parquet files that reports read."""

    path: Path | None = None  # default: <data_dir>/lake
    flush_s: float = Field(default=10.0, ge=0.1, le=3600)
    flush_bytes: int = Field(default=8 << 20, ge=1 << 16, le=256 << 20)  # of plain payload


class HistorianFile(ClassTables):
    """What ``historian.toml`` may say."""

    data_dir: Path
    plants: tuple[str, ...] = ()  # taken by this historian; none named = all
    mqtt: BrokerConfig
    lake: LakeConfig = LakeConfig()
    influxdb: tuple[InfluxConfig, ...] = ()
    retention: RetentionConfig = RetentionConfig()
    evidence: SigningConfig = SigningConfig()
    timestamp: TimestampConfig | None = None
    audit: HistorianAuditConfig = HistorianAuditConfig()
    health: HealthConfig = HealthConfig(listen="127.0.0.1:9465")

    @field_validator("plants")
    @classmethod
    def _names(cls, plants: tuple[str, ...]) -> tuple[str, ...]:
        for plant in plants:
            if not re.fullmatch(NAME, plant):
                raise ValueError(
                    say(
                        f"{plant!r}：只能用字母、数字、'-' 和 '_'，以字母开头",
                        f"{plant!r}: use letters, digits, '-' and '_', a letter first",
                    )
                )
        return plants


@dataclass(frozen=True, slots=True)
class HistorianConfig:
    """A historian that can be run: everything was checked, every path is complete."""

    path: Path
    data_dir: Path
    plants: tuple[str, ...]
    mqtt: BrokerConfig
    lake: LakeConfig
    lake_path: Path
    influxdb: tuple[InfluxConfig, ...]
    retention: RetentionConfig
    rules: ClassRules
    evidence: SigningConfig
    timestamp: TimestampConfig | None
    audit: HistorianAuditConfig
    health: HealthConfig
    digest: str  # first 16 hex digits of the file's SHA-256

    @property
    def originals(self) -> Path:
        return self.data_dir / "originals"

    @property
    def view_names(self) -> tuple[str, ...]:
        return (LAKE, *(influx.name for influx in self.influxdb))

    def view_folder(self, name: str) -> Path:
        return self.data_dir / "views" / name


def load_historian(path: Path) -> HistorianConfig:
    """Raises ConfigError with one line per mistake."""
    parsed, text = read_toml(path)
    try:
        file = HistorianFile.model_validate(parsed)
    except ValidationError as error:
        lines = line_numbers(text)
        problems = explain(path, error, lines, HistorianFile)
        problems += broker_problems(path, parsed, lines)
        raise ConfigError(in_order(problems)) from None
    folder = path.parent
    mqtt = file.mqtt.below(folder)
    influxdb = tuple(_below(influx, folder) for influx in file.influxdb)
    timestamp = file.timestamp
    if timestamp is not None:
        timestamp = timestamp.model_copy(update={"ca": folder / timestamp.ca})
    problems = mqtt.problems() + _views(influxdb) + (timestamp.problems() if timestamp else [])
    if problems:
        raise ConfigError([f"{path.name}: {problem}" for problem in problems])
    data_dir = folder / file.data_dir
    return HistorianConfig(
        path=path,
        data_dir=data_dir,
        plants=file.plants,
        mqtt=mqtt,
        lake=file.lake,
        lake_path=folder / file.lake.path if file.lake.path else data_dir / LAKE,
        influxdb=influxdb,
        retention=file.retention,
        rules=ClassRules(file.classes, file.export),
        evidence=file.evidence,
        timestamp=timestamp,
        audit=file.audit.below(folder),
        health=file.health,
        digest=hashlib.sha256(path.read_bytes()).hexdigest()[:16],
    )


def _below(influx: InfluxConfig, folder: Path) -> InfluxConfig:
    names = ("ca", "cert", "key", "crl", "password_file", "token_file")
    found = {n: folder / getattr(influx, n) for n in names if getattr(influx, n) is not None}
    return influx.model_copy(update=found)


def _views(influxdb: tuple[InfluxConfig, ...]) -> list[str]:
    zh = language() == "zh"
    problems = []
    seen = {LAKE}
    for influx in influxdb:
        if influx.name in seen:
            what = "名称已被使用，请另起 name" if zh else "the name is taken, give it another"
            problems.append(f"influxdb {influx.name}: {what}")
        seen.add(influx.name)
        for name in ("password_file", "token_file"):
            file: Path | None = getattr(influx, name)
            told = secret_trouble(file) if file is not None else ""
            problems += [f"influxdb {influx.name}: {name}: {told}"] if told else []
        if influx.https:
            problems += [f"influxdb {influx.name}: {x}" for x in influx.tls_files.problems()]
    return problems
