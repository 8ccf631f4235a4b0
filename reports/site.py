"""
``site.toml``: what a plant is, for reports – names, potlines, meters by role, where the data are.

Site facts only. Legal values live in rule packs, where an operator cannot edit them.
"""

import tomllib
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from drivers.audit_config import AuditConfig
from drivers.classes import ClassTables
from drivers.config import NAME, Strict
from drivers.https import HttpsConfig
from drivers.language import say, why
from drivers.model import ConfigError
from drivers.tomlfile import parsed
from reports.site_console import SiteConsole
from reports.site_energy import LineEnergy, SiteEnergy
from reports.site_grade import SiteGrade
from reports.site_meters import EnergyMeter, HeatMeter, Meter
from reports.site_stacks import SiteStacks

__all__ = ["PLANT", "Meter", "Names", "Pause", "Potline", "Site", "load_site", "mistake"]

PLANT = "plant"  # stands in the place of a potline for figures of the whole plant


class Names(Strict):
    """A name in both languages."""

    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)

    def of(self, language: str) -> str:
        return self.zh if language == "zh" else self.en


Cell = Literal["cwpb", "swpb", "vss", "hss", "pfpb_l", "pfpb_m", "pfpb_mw"]


class OwnFactor(Strict):
    """
    An anode-effect coefficient measured at the potline itself (tier 3), and where it is written.

    ``value`` is kg CF4 per t of aluminium per minute and cell-day (slope), or per mV (overvoltage,
    with the current efficiency in percent).
    """

    value: Decimal = Field(gt=0)
    c2f6_fraction: Decimal = Field(ge=0, le=1)  # kg C2F6 per kg CF4
    measured: date
    source: str = Field(min_length=1)  # number of the test report
    uncertainty_percent: Decimal | None = Field(default=None, ge=0)


class Product(Strict):
    """A good that is sold into the European Union."""

    cn: str = Field(pattern=r"^7601\d{4}$")  # unwrought aluminium, eight digits
    name: Names
    alloy_percent: Decimal = Field(default=Decimal(0), ge=0, le=100)  # elements other than Al


class Abroad(Strict):
    """What rules of other countries ask for beyond the Chinese ones."""

    bakes_anodes: bool | None = None  # None = not declared
    country: str = Field(default="china", pattern=r"^[a-z_]+$")  # of origin, of default values
    products: tuple[Product, ...] = ()
    precursors: tuple[str, ...] | None = None  # bought metal; () = none, None = not declared


class Pause(Strict):
    """A time in which a potline stood still: from ``stopped`` to the day before ``restarted``."""

    stopped: date
    restarted: date | None = None  # None while it still stands

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.restarted is not None and self.restarted <= self.stopped:
            raise ValueError(
                say(
                    f"重启日期 restarted {self.restarted} 须晚于停运日期 stopped {self.stopped}",
                    f"restarted {self.restarted} must be later than stopped {self.stopped}",
                )
            )
        return self

    def covers(self, day: date) -> bool:
        return self.stopped <= day and (self.restarted is None or day < self.restarted)


class Potline(LineEnergy):
    """One electrolysis process (铝电解工序) and its meters by role."""

    id: str = Field(pattern=NAME)
    name: Names
    process: str = Field(min_length=1)  # number of the process in the plant's own permit
    capacity_t_per_year: Decimal = Field(gt=0)
    design_current_ka: Decimal = Field(gt=0, le=1000)
    design_voltage_v: Decimal = Field(gt=0, le=6)
    pots: int = Field(gt=0, le=2000)
    rectifiers: int = Field(gt=0, le=50)
    started: date
    stopped: date | None = None  # from this day on it does not run
    pauses: tuple[Pause, ...] = ()  # stood still in between
    acquired: date | None = None  # from this day on its figures are ours
    sold: date | None = None  # from this day on they belong to another reporting entity
    cell: Cell | None = None  # technology, in the words of IPCC 2019 and EU 2025/2547
    paste: Literal["dry", "wet"] | None = None  # of Söderberg cells
    own_slope: OwnFactor | None = None
    own_overvoltage: OwnFactor | None = None
    ac_meters: tuple[EnergyMeter, ...] = ()
    aux_meters: tuple[EnergyMeter, ...] = ()
    heat_meters: tuple[HeatMeter, ...] = ()

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.stopped is not None and self.stopped <= self.started:
            raise ValueError(
                say(
                    f"停运日期 stopped {self.stopped} 须晚于投运日期 started {self.started}",
                    f"stopped {self.stopped} must be later than started {self.started}",
                )
            )
        if self.ends is not None and self.ends <= self.begins:
            raise ValueError(
                say(
                    f"出让日期 sold {self.sold} 须晚于投运和购入日期 {self.begins}",
                    f"sold {self.sold} must be later than started and acquired, {self.begins}",
                )
            )
        return self

    @property
    def begins(self) -> date:
        """The first day that counts here: it ran, and it was ours."""
        return self.started if self.acquired is None else max(self.started, self.acquired)

    @property
    def ends(self) -> date | None:
        """The first day that counts no longer; None while it runs and is ours."""
        days = [day for day in (self.stopped, self.sold) if day is not None]
        return min(days) if days else None

    def runs_in(self, first: date, after: date) -> bool:
        """True when the line runs, and is ours, on any day of [first, after)."""
        first = max(first, self.begins)
        after = after if self.ends is None else min(after, self.ends)
        days = (first + timedelta(days=n) for n in range((after - first).days))
        return any(not any(pause.covers(day) for pause in self.pauses) for day in days)


class Influx(HttpsConfig):
    """InfluxDB as the source instead of the lake; read by InfluxQL only."""

    database: str = Field(min_length=1)
    retention_policy: str = ""
    username: str = ""
    password_file: Path | None = None
    token_file: Path | None = None
    timeout_s: float = Field(default=60.0, gt=0)

    @model_validator(mode="after")
    def _sealed(self) -> Self:
        self.sealed(secret=bool(self.username or self.token_file))
        return self


class Enterprise(Strict):
    """What the yearly report and the disclosure sheet print about the firm; all may be empty."""

    address: Names | None = None
    production_site: Names | None = None
    industry_code: str = "3216"  # GB/T 4754: aluminium smelting
    discharge_permit: str = ""
    legal_representative: str = ""
    contact: str = ""
    telephone: str = ""
    report_writer: Names | None = None  # the firm that wrote the report, when not the plant itself
    report_writer_code: str = ""


class Site(SiteEnergy, SiteStacks, SiteGrade, SiteConsole, ClassTables):
    """The whole file; paths are absolute after loading."""

    plant: str = Field(pattern=NAME)
    name: Names
    operator: Names | None = None  # the legal person that reports, when it is not the plant
    province: str = Field(pattern=r"^[a-z_]+$")
    credit_code: str = ""  # 统一社会信用代码
    enterprise: Enterprise = Enterprise()
    abroad: Abroad = Abroad()
    fuels: tuple[str, ...] | None = None  # burned here; () = none at all, None = not declared
    carbonates: tuple[str, ...] | None = None  # used here; the same
    movement_percent: Decimal = Field(default=Decimal(5), gt=0)  # explained beyond that
    lake: Path | None = None
    influxdb: Influx | None = None
    originals: Path | None = None
    entries: Path
    overlays: tuple[Path, ...] = ()  # values the plant read itself, laid over the rule packs
    plan: Path | None = None  # data quality control plan, plan.toml
    alert_plan: Path | None = None  # what the plant promises to do on heavy-pollution days
    audit: AuditConfig = AuditConfig()  # the trail beside the entries
    two_persons: bool = False  # a mark in the journal needs a second person
    potline: tuple[Potline, ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> Self:
        problems = [] if self.credit_code == "" else _credit_code(self.credit_code)
        if (self.lake is None) == (self.influxdb is None):
            problems.append(
                say(
                    '须给出且只给出一个数据来源：lake = "路径" 或 [influxdb] 表',
                    'give one source: either lake = "path" or a table [influxdb]',
                )
            )
        if not self.potline:
            problems.append(say("至少描述一个 [[potline]]", "describe at least one [[potline]]"))
        lines = self.potline
        problems += _twice(say("系列 id", "potline id"), [line.id for line in lines])
        problems += _twice(say("工序编号", "process number"), [line.process for line in lines])
        meters = [*(m for x in lines for m in _meters(x)), *self.plant_meters()]
        problems += _twice(say("计量表", "meter"), [str(meter) for meter in meters])
        problems += _stack_mistakes(self)
        if any(line.id == PLANT for line in lines):
            problems.append(
                say(
                    f'系列 id "{PLANT}" 专指全厂，请换一个',
                    f'potline id "{PLANT}" is the word for the whole plant; choose another',
                )
            )
        if problems:
            raise ValueError(say("；", "; ").join(problems))
        return self

    def line(self, identity: str) -> Potline | None:
        return next((line for line in self.potline if line.id == identity), None)

    @property
    def journal(self) -> Path:
        """Marks, checks and what was said of exceedances, beside the entries."""
        return self.entries.with_name("journal.jsonl")


def _stack_mistakes(site: Site) -> list[str]:
    """Emission points whose names clash, or that belong to a potline that is not there."""
    lines = [line.id for line in site.potline]
    named = [PLANT, *lines, *(stack.id for stack in site.stacks)]
    problems = _twice(say("排放口 id", "stack id"), named)
    problems += _twice(
        say("排放口设备", "equipment of a stack"), [stack.equipment for stack in site.stacks]
    )
    return problems + [
        say(
            f"排放口 {stack.id}：没有系列 {name!r}（potlines）",
            f"stack {stack.id}: there is no potline {name!r} (potlines)",
        )
        for stack in site.stacks
        for name in stack.potlines
        if name not in lines
    ]


def _meters(line: Potline) -> Iterator[Meter]:
    yield from line.ac_meters
    yield from line.aux_meters
    yield from line.heat_meters
    yield from line.energy_meters()


def _twice(what: str, names: list[str]) -> list[str]:
    found = sorted({name for name in names if names.count(name) > 1})
    return [say(f"{what} {name!r} 重复", f"{what} {name!r} is given twice") for name in found]


def _credit_code(code: str) -> list[str]:
    """GB 32100-2015: 18 characters, the last a check character modulo 31."""
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    if len(code) == 18 and all(letter in alphabet for letter in code):
        total = sum(alphabet.index(letter) * 3**i for i, letter in enumerate(code[:17]))
        if alphabet[-total % 31] == code[17]:
            return []
    return [
        say(
            f"credit_code {code!r} 不是统一社会信用代码（18 位，GB 32100）",
            f"credit_code {code!r} is no unified social credit code (18 characters, GB 32100)",
        )
    ]


def load_site(path: Path) -> Site:
    """The site of ``path``. Raises ConfigError with every mistake at once."""
    try:
        tables = parsed(path.read_text("utf-8"), Decimal)
    except OSError as error:
        raise ConfigError([f"{path}: {why(error)}"]) from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError([f"{path}: {error}"]) from None
    _absolute(tables, path.resolve().parent)
    _signed(tables)
    try:
        return Site.model_validate(tables)
    except ValidationError as error:
        raise ConfigError([mistake(path, problem) for problem in error.errors()]) from None


SIGNED = "signed-rules"  # beside the entries: overlays that two persons signed in the console


def _signed(tables: dict[str, Any]) -> None:
    """What two persons signed counts without being named: site.toml may be read-only."""
    entries, named = tables.get("entries"), tables.get("overlays", [])
    if isinstance(entries, Path) and isinstance(named, list):
        found = sorted(entries.with_name(SIGNED).glob("*.toml"))
        tables["overlays"] = [*named, *(path for path in found if path not in named)]


INFLUX_FILES = ("password_file", "token_file", "ca", "cert", "key", "crl")
NOTICE_FILES = ("ca", "cert", "key", "crl", "key_file", "password_file")
CONSOLE_FILES = ("cert", "key", "reports", "data_dir")


def _absolute(tables: dict[str, Any], folder: Path) -> None:
    influx, console = tables.get("influxdb"), tables.get("console")
    oidc = console.get("oidc") if isinstance(console, dict) else None
    for table, keys in (
        (tables, ("lake", "originals", "entries", "plan", "alert_plan")),
        (influx if isinstance(influx, dict) else {}, INFLUX_FILES),
        (console if isinstance(console, dict) else {}, CONSOLE_FILES),
        (oidc if isinstance(oidc, dict) else {}, ("ca", "password_file")),
    ):
        for key in keys:
            if isinstance(table.get(key), str):
                table[key] = folder / table[key]
    for notice in _tables(console, "notices"):
        for key in NOTICE_FILES:
            if isinstance(notice.get(key), str):
                notice[key] = folder / notice[key]
    grade = tables.get("grade")
    for table, key in ((tables, "overlays"), (grade if isinstance(grade, dict) else {}, "tables")):
        if isinstance(table.get(key), list):
            table[key] = [folder / x if isinstance(x, str) else x for x in table[key]]


def _tables(table: object, key: str) -> list[dict[str, Any]]:
    """The tables ``[[…key]]`` that are there, whatever else is wrong with the file."""
    found = table.get(key) if isinstance(table, dict) else None
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def mistake(path: Path, problem: Any) -> str:
    """One line for a mistake that pydantic found: file, place, what to write."""
    where = ".".join(
        f"{part + 1}" if isinstance(part, int) else str(part) for part in problem["loc"]
    )
    given = problem.get("input")
    shown = (
        say(f"（现为 {given!r}）", f" (found {given!r})")
        if isinstance(given, str | int | float | Decimal)
        else ""
    )
    return f"{path}: {where + ': ' if where else ''}{_message(problem)}{shown}"


_MESSAGES = {
    "missing": ("缺少此项", "is missing"),
    "extra_forbidden": ("未知的键", "unknown key"),
    "greater_than": ("必须大于 {gt}", "must be above {gt}"),
    "greater_than_equal": ("不能小于 {ge}", "must not be below {ge}"),
    "less_than_equal": ("不能大于 {le}", "must not be above {le}"),
    "int_type": ("应为整数", "write a whole number"),
    "int_parsing": ("应为整数", "write a whole number"),
    "decimal_type": ("应为数字", "write a number"),
    "decimal_parsing": ("应为数字", "write a number"),
    "string_type": ("应为加引号的文本", "write a text in quotes"),
    "string_too_short": ("不能为空", "must not be empty"),
    "string_pattern_mismatch": ("写法不对，须符合 {pattern}", "must look like {pattern}"),
    "too_short": ("不能为空", "must not be empty"),
    "enum": ("只能是 {expected}", "must be {expected}"),
    "literal_error": ("只能是 {expected}", "must be {expected}"),
    "model_type": ("应为表", "write a table"),
    "tuple_type": ("应为列表 […]", "write a list […]"),
    "int_from_float": ("应为整数", "write a whole number"),
    "date_type": ("应为日期，例如 2015-06-01", "write a date, e.g. 2015-06-01"),
    "date_from_datetime_parsing": ("应为日期，例如 2015-06-01", "write a date, e.g. 2015-06-01"),
}


def _message(problem: Any) -> str:
    zh, en = _MESSAGES.get(problem["type"], ("", ""))
    known = say(zh, en).format(**problem.get("ctx", {}))
    return known or str(problem["msg"]).removeprefix("Value error, ")
