"""
Indicator tables (绩效分级指标表): what each grade of an industry asks for, as dated data.

One file per industry and generation (``tables/*.toml``). A row says the condition, where it stands,
how well that was confirmed, and which evidence it needs. What nobody could read is ``absent`` by
family and level: it names the text to open, and no level with such a row can be proven.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Final, Literal

from pydantic import Field

from drivers.config import NAME, Strict
from reports.grade.evidence import Evidence, NoneKnown
from reports.rules.packfile import Source
from reports.rules.packs import Checked
from reports.values import Text

Family = Literal[
    "conditions",
    "energy",
    "equipment",
    "technique",
    "limits",
    "fugitive",
    "monitoring",
    "management",
    "transport",
    "transport_control",
]
How = Literal["official", "secondary", "unverified", "absent", "site"]
FAMILIES: Final[Mapping[str, Text]] = {
    "conditions": Text(zh="申报条件", en="conditions of application"),
    "energy": Text(zh="能源类型", en="energy type"),
    "equipment": Text(zh="装备水平", en="equipment level"),
    "technique": Text(zh="污染治理技术", en="pollution-control technique"),
    "limits": Text(zh="排放限值", en="emission limits"),
    "fugitive": Text(zh="无组织排放", en="fugitive emission"),
    "monitoring": Text(zh="监测监控水平", en="monitoring level"),
    "management": Text(zh="环境管理水平", en="environmental management"),
    "transport": Text(zh="运输方式", en="transport mode"),
    "transport_control": Text(zh="运输监管", en="transport control"),
}
INDUSTRIES: Final[Mapping[str, Text]] = {
    "electrolytic_aluminium": Text(zh="电解铝", en="electrolytic aluminium"),
    "alumina": Text(zh="氧化铝", en="alumina"),
    "carbon": Text(zh="炭素", en="carbon"),
    "recycled_metals": Text(zh="再生铜铝铅锌", en="recycled Cu, Al, Pb, Zn"),
    "copper": Text(zh="铜冶炼", en="copper smelting"),
    "lead_zinc": Text(zh="铅锌冶炼", en="lead and zinc smelting"),
    "molybdenum": Text(zh="钼冶炼", en="molybdenum smelting"),
    "rolling": Text(zh="有色金属压延", en="rolling of non-ferrous metals"),
}
ANY: Final = "any"  # a general table: joined to each industry of its generation
LEVELS: Final[Mapping[str, Text]] = {
    "leading": Text(zh="引领性企业", en="leading"),
    "exempt": Text(zh="错峰生产豁免", en="exemption from staggered production"),
}
GENERATIONS: Final[Mapping[str, Text]] = {"EXEMPT": Text(zh="错峰生产", en="staggered production")}
PREFIX: Final = "grade."
NOT_KNOWN: Final = NoneKnown(kind="none_known")
CONFIRMED: Final = {"official", "site"}  # only these can prove anything


class Row(Strict):
    """A condition, for one level or several."""

    name: str = Field(pattern=NAME)
    family: Family
    levels: tuple[str, ...] = Field(min_length=1)
    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)
    source: str
    locator: str = Field(min_length=1)
    confirmed: Literal["official", "secondary", "unverified"]
    seen: str = Field(min_length=1)
    seen_zh: str = Field(min_length=1)
    evidence: tuple[Evidence, ...] = Field(min_length=1)  # all of them are needed


class AbsentRows(Strict):
    """Families of these levels that nobody could read, and the text they stand in."""

    families: tuple[Family, ...] = Field(min_length=1)
    levels: tuple[str, ...] = Field(min_length=1)
    source: str
    locator: str = Field(min_length=1)


class TableFile(Strict):
    """The whole file; ``levels`` best first, ``builds_on`` a level that takes in another one."""

    title: str = Field(min_length=1)
    industry: str = Field(pattern=NAME)
    generation: str = Field(min_length=1)
    province: str = ""  # "" = everywhere
    asked_only: bool = False  # graded only where site.toml names the generation
    levels: tuple[str, ...] = Field(min_length=1)
    builds_on: dict[str, str] = Field(default_factory=dict)
    applies_from: date
    ended: date | None = None
    sources: dict[str, Source] = Field(min_length=1)
    absent: tuple[AbsentRows, ...] = ()
    indicators: tuple[Row, ...] = ()


@dataclass(frozen=True, slots=True)
class Indicator:
    """One condition of one level; ``overlay`` says who of the plant typed and checked it."""

    table: str
    level: str
    name: str
    family: str
    text: Text
    source: Source
    locator: str
    confirmed: How
    seen: Text
    evidence: tuple[Evidence, ...]
    applies_from: date
    overlay: Checked | None = None

    @property
    def id(self) -> str:
        return f"{self.table}.{self.level}.{self.name}"

    @property
    def absent(self) -> bool:
        return self.confirmed == "absent"


@dataclass(frozen=True, slots=True)
class IndicatorTable:
    """One loaded table; ``digest`` is the SHA-256 of its file, of overlays too."""

    name: str
    file: TableFile
    digest: str
    indicators: tuple[Indicator, ...]
    laid: tuple[str, ...] = field(default=())  # overlay files upon it

    @property
    def id(self) -> str:
        return f"{PREFIX}{self.name}"

    @property
    def base(self) -> str:
        """The shipped table's name: a general one typed for an industry is ``base-industry``."""
        return self.name.partition("-")[0]

    def of_level(self, level: str) -> tuple[Indicator, ...]:
        return tuple(each for each in self.indicators if each.level == level)


def load_table(name: str, content: bytes) -> IndicatorTable:
    """A table from the bytes of its file. Raises ConfigError with every mistake in it."""
    from reports.grade.tablefile import read_table_file

    found = read_table_file(name, content)
    rows = (*_rows(name, found), *_absent(name, found))
    order = {family: n for n, family in enumerate(FAMILIES)}
    levels = {level: n for n, level in enumerate(found.levels)}
    rows = tuple(sorted(rows, key=lambda each: (levels[each.level], order[each.family])))
    return IndicatorTable(name, found, hashlib.sha256(content).hexdigest(), rows)


def _rows(name: str, found: TableFile) -> Iterator[Indicator]:
    for row in found.indicators:
        for level in row.levels:
            yield Indicator(
                table=name,
                level=level,
                name=row.name,
                family=row.family,
                text=Text(zh=row.zh, en=row.en),
                source=found.sources[row.source],
                locator=row.locator,
                confirmed=row.confirmed,
                seen=Text(zh=row.seen_zh, en=row.seen),
                evidence=row.evidence,
                applies_from=found.applies_from,
            )


def _absent(name: str, found: TableFile) -> Iterator[Indicator]:
    for block in found.absent:
        source = found.sources[block.source]
        for level in block.levels:
            for family in block.families:
                kind = FAMILIES[family]
                yield Indicator(
                    table=name,
                    level=level,
                    name=f"absent_{family}",
                    family=family,
                    text=Text(
                        zh=f"{level_name(level).zh}的{kind.zh}未能看到",
                        en=f"{kind.en}: what {level_name(level).en} asks for could not be read",
                    ),
                    source=source,
                    locator=block.locator,
                    confirmed="absent",
                    seen=Text(zh="未见原文", en="not seen"),
                    evidence=(NOT_KNOWN,),
                    applies_from=found.applies_from,
                )


def level_name(level: str) -> Text:
    """A level as people say it."""
    return LEVELS.get(level, Text(zh=f"{level} 级", en=level))


@cache
def tables() -> dict[str, IndicatorTable]:
    """All tables that ship with the program, by name, without any overlay."""
    folder = files("reports").joinpath("grade").joinpath("tables")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".toml"))
    return {
        stem: load_table(stem, folder.joinpath(name).read_bytes())
        for name in names
        if (stem := name.removesuffix(".toml"))
    }


def plain(value: Decimal) -> str:
    """A number of a table as people write it."""
    return f"{value.normalize():f}"
