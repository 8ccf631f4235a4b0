"""
Rule packs: the law as dated data (``reports/rules/*.toml``), one file per legal text or factor set.

Value, start date, source and locator stand in one block, the unit on the parameter. A pack with
an unknown key, unit or source, or with dates out of order, does not load. ``at`` answers with the
value *and* its citation, or raises: there is no default and no zero.
"""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Final, Self

from pydantic import Field, ValidationError, model_validator

from drivers.config import Strict
from drivers.language import say
from drivers.model import ConfigError


class RuleUnit(StrEnum):
    """The closed list of units a legal value may have."""

    ONE = "1"
    PERCENT = "%"
    KG_PER_T = "kg_per_t"
    T_PER_T = "t_per_t"
    T_CO2_PER_T = "t_co2_per_t"
    T_CO2E_PER_T = "t_co2e_per_t"
    T_CO2E = "t_co2e"
    T_CO2_PER_GJ = "t_co2_per_gj"
    KG_CO2_PER_KWH = "kg_co2_per_kwh"
    GJ_PER_T = "gj_per_t"
    GJ_PER_10K_NM3 = "gj_per_10k_nm3"
    TC_PER_GJ = "tc_per_gj"
    KG_PER_T_PER_MIN = "kg_per_t_per_min"  # kg CF4 per t Al, per anode-effect minute per cell-day
    KG_PER_T_PER_MV = "kg_per_t_per_mv"  # kg CF4 per t Al, per mV over CE in percent
    MIN_PER_CELL_DAY = "min_per_cell_day"
    MV = "mv"
    CNY = "cny"
    CNY_PER_T = "cny_per_t"
    DECIMALS = "decimals"
    DAYS = "days"
    MONTHS = "months"
    YEARS = "years"
    YEAR = "year"  # a calendar year, e.g. of a vintage
    DATE = "date"
    NAME = "name"


_KINDS: Final[Mapping[RuleUnit, type]] = {RuleUnit.NAME: str, RuleUnit.DATE: date}


class Confirmed(StrEnum):
    """How well a value was confirmed against the legal text."""

    OFFICIAL = "official"  # the words of the official text were read
    SECONDARY = "secondary"  # read in somebody's restatement
    UNVERIFIED = "unverified"  # recalled, derived, or taken from a sister rule


class Source(Strict):
    """A legal text. ``where`` tells a person how to find it."""

    title: str
    issuer: str
    published: date | None = None  # None: not published yet, or not a publication
    where: str
    sha256: str = Field(default="", pattern=r"^([0-9a-f]{64})?$")  # of our archived copy


class Entry(Strict):
    """One value and the citation it stands on; ``seen`` says where it was actually read."""

    applies_from: date
    value: Decimal | date | str
    source: str
    locator: str = Field(min_length=1)
    confirmed: Confirmed
    seen: str = Field(min_length=1)


class Absent(Strict):
    """Where a value stands that nobody could read: a person opens the text and enters it."""

    source: str
    locator: str = Field(min_length=1)


class Parameter(Strict):
    """
    A legal quantity through time. ``unused`` gives the reason when no report uses it.

    A value that could not be found has no entries but ``absent``: it is never guessed.
    """

    what: str
    zh: str
    unit: RuleUnit
    ended: date | None = None
    unused: str = ""
    absent: Absent | None = None
    entries: tuple[Entry, ...] = ()

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.entries and self.absent is None:
            raise ValueError("give entries, or say where the value stands with absent")
        for earlier, later in pairwise(self.entries):
            if later.applies_from <= earlier.applies_from:
                raise ValueError(
                    f"applies_from {later.applies_from} must be later than {earlier.applies_from}"
                )
        if self.entries and self.ended is not None and self.ended <= self.entries[-1].applies_from:
            raise ValueError(f"ended {self.ended} must be later than the last applies_from")
        for entry in self.entries:
            if not isinstance(entry.value, _KINDS.get(self.unit, Decimal)):
                raise ValueError(f'value {entry.value!r} does not fit unit "{self.unit}"')
        return self


class _File(Strict):
    title: str
    sources: dict[str, Source]
    parameters: dict[str, Parameter]

    @model_validator(mode="after")
    def _cited(self) -> Self:
        for name, parameter in self.parameters.items():
            for entry in parameter.entries:
                if entry.source not in self.sources:
                    raise ValueError(f"{name}: unknown source {entry.source!r}")
            if parameter.absent is not None and parameter.absent.source not in self.sources:
                raise ValueError(f"{name}: unknown source {parameter.absent.source!r}")
        return self


class RuleError(LookupError):
    """There is no such rule on that day; a report must not go on with a guess."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A parameter without a value: what it is, and the text in which a person finds it."""

    pack: str
    name: str
    what: str
    zh: str
    unit: RuleUnit
    source: Source
    locator: str

    @property
    def id(self) -> str:
        return f"{self.pack}.{self.name}"


class RuleAbsentError(RuleError):
    """The value is in a text that nobody could read yet; ``wanted`` says in which."""

    def __init__(self, wanted: Wanted, day: date) -> None:
        super().__init__(
            say(
                f"{wanted.id}：{day} 的取值无人核实过；请打开 {wanted.source.title}"
                f"（{wanted.locator}），以补充规则（overlay）录入",
                f"{wanted.id}: nobody could confirm its value on {day}; open "
                f"{wanted.source.title} ({wanted.locator}) and enter it as an overlay",
            )
        )
        self.wanted = wanted


@dataclass(frozen=True, slots=True)
class Legal:
    """A rule parameter resolved for a day: value, unit, citation, and how well confirmed."""

    pack: str
    name: str
    what: str
    zh: str
    value: Decimal | date | str
    unit: RuleUnit
    applies_from: date
    source: Source
    locator: str
    confirmed: Confirmed
    seen: str

    @property
    def id(self) -> str:
        return f"{self.pack}.{self.name}@{self.applies_from}"

    @property
    def number(self) -> Decimal:
        """The value as it is written. Raises RuleError when it is a name or a date."""
        if not isinstance(self.value, Decimal):
            raise RuleError(f"{self.id}: {self.value} is a {self.unit}, not a number")
        return self.value

    @property
    def day(self) -> date:
        """The value as a day. Raises RuleError when it is none."""
        if not isinstance(self.value, date):
            raise RuleError(f"{self.id}: {self.value} is no date")
        return self.value

    @property
    def fraction(self) -> Decimal:
        """A percent value as a fraction. Raises RuleError for any other unit."""
        if self.unit is not RuleUnit.PERCENT:
            raise RuleError(f"{self.id}: unit {self.unit} is no percentage")
        return self.number / 100


@dataclass(frozen=True, slots=True)
class RulePack:
    """One loaded pack; ``digest`` is the SHA-256 of the file it came from."""

    name: str
    title: str
    digest: str
    parameters: dict[str, Parameter]
    sources: dict[str, Source]

    def at(self, name: str, day: date) -> Legal:
        """The rule on ``day`` (latest start not after it). Raises RuleError."""
        parameter = self.parameters.get(name)
        if parameter is None:
            raise RuleError(f"{self.name}: no parameter {name!r}")
        entry = next((e for e in reversed(parameter.entries) if e.applies_from <= day), None)
        if parameter.ended is not None and day >= parameter.ended:
            entry = None
        if entry is None and parameter.absent is not None:
            raise RuleAbsentError(self._wanted(name, parameter, parameter.absent), day)
        if entry is None:
            raise RuleError(
                f"{self.name}.{name}: no value on {day}; it applies from "
                f"{parameter.entries[0].applies_from} to {parameter.ended or 'now'}"
            )
        return Legal(
            pack=self.name,
            name=name,
            what=parameter.what,
            zh=parameter.zh,
            value=entry.value,
            unit=parameter.unit,
            applies_from=entry.applies_from,
            source=self.sources[entry.source],
            locator=entry.locator,
            confirmed=entry.confirmed,
            seen=entry.seen,
        )

    def _wanted(self, name: str, parameter: Parameter, absent: Absent) -> Wanted:
        return Wanted(
            pack=self.name,
            name=name,
            what=parameter.what,
            zh=parameter.zh,
            unit=parameter.unit,
            source=self.sources[absent.source],
            locator=absent.locator,
        )


def load(name: str, content: bytes) -> RulePack:
    """A pack from the bytes of its file. Raises ConfigError with every mistake in it."""
    try:
        tables = tomllib.loads(content.decode("utf-8"), parse_float=Decimal)
        found = _File.model_validate(tables)
    except ValidationError as error:
        raise ConfigError(
            [
                f"{name}.toml: {'.'.join(map(str, problem['loc']))}: {problem['msg']}"
                for problem in error.errors()
            ]
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError([f"{name}.toml: {error}"]) from None
    digest = hashlib.sha256(content).hexdigest()
    return RulePack(name, found.title, digest, found.parameters, found.sources)


@cache
def packs() -> dict[str, RulePack]:
    """All packs that ship with the program, by name."""
    folder = files("reports").joinpath("rules")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".toml"))
    return {
        name.removesuffix(".toml"): load(
            name.removesuffix(".toml"), folder.joinpath(name).read_bytes()
        )
        for name in names
    }
