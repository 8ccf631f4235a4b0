"""
Rule packs: the law as dated data (``reports/rules/*.toml``), one file per legal text or factor set.

Value, start date, source and locator stand in one block, the unit on the parameter. ``at`` answers
with the value *and* its citation, or raises: there is no default and no zero. What a plant entered
itself (``overlay.py``) lies over a pack and says who checked it.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files

from drivers.language import say
from reports.rules.block import Wanted, block
from reports.rules.packfile import Confirmed, Parameter, Source, read_pack_file
from reports.rules.units import RuleUnit

__all__ = [
    "Checked",
    "Confirmed",
    "Legal",
    "RuleAbsentError",
    "RuleError",
    "RulePack",
    "RuleUnit",
    "Stretch",
    "Wanted",
    "load",
    "packs",
]


class RuleError(LookupError):
    """There is no such rule on that day; a report must not go on with a guess."""


class RuleAbsentError(RuleError):
    """The value is in a text that nobody could read yet; ``wanted`` says in which."""

    def __init__(self, wanted: Wanted, day: date) -> None:
        source, open_at = wanted.source, wanted.locator
        super().__init__(
            say(
                f"{wanted.id}：{day} 的取值无人核实过。请打开 {source.title}（{open_at}；"
                f"{source.where}），将以下条目写入补充规则文件（overlays/….toml），填好并由另一人核对，"
                "再在 site.toml 的 overlays 中列出该文件：",
                f"{wanted.id}: nobody could confirm its value on {day}. Open {source.title} "
                f"({open_at}; {source.where}), write this block into an overlay file "
                "(overlays/….toml), fill it in, let another person check it, and name the file "
                "under overlays in site.toml:",
            )
            + f"\n\n{block(wanted, day)}"
        )
        self.wanted = wanted


@dataclass(frozen=True, slots=True)
class Checked:
    """Who of the plant entered a value, who checked it, when, and against which file."""

    entered_by: str
    checked_by: str
    checked_on: date
    file: str  # of the overlay
    document: str
    sha256: str  # of the document
    replaces_official: str = ""  # why


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
    seen_zh: str
    overlay: Checked | None = None
    data_year: int | None = None

    @property
    def id(self) -> str:
        return f"{self.pack}.{self.name}@{self.applies_from}"

    @property
    def number(self) -> Decimal:
        """The value as it is written. Raises RuleError when it is a name or a date."""
        if not isinstance(self.value, Decimal):
            raise RuleError(f"{self.id}: {self.value!r} is a {self.unit}, not a number")
        return self.value

    @property
    def day(self) -> date:
        """The value as a day. Raises RuleError when it is none."""
        if not isinstance(self.value, date):
            raise RuleError(f"{self.id}: {self.value!r} is no date")
        return self.value

    @property
    def fraction(self) -> Decimal:
        """A percent value as a fraction. Raises RuleError for any other unit."""
        if self.unit is not RuleUnit.PERCENT:
            raise RuleError(f"{self.id}: unit {self.unit} is no percentage")
        return self.number / 100


@dataclass(frozen=True, slots=True)
class Stretch:
    """A value and the days on which it stands: ``until`` is the first one after, None = open."""

    legal: Legal
    until: date | None

    def covers(self, day: date) -> bool:
        return self.legal.applies_from <= day and (self.until is None or day < self.until)


@dataclass(frozen=True, slots=True)
class RulePack:
    """
    One loaded pack; ``digest`` is the SHA-256 of the file it came from, overlays included.

    ``overlays`` holds what the site entered, by parameter, in order of its start.
    """

    name: str
    title: str
    digest: str
    parameters: dict[str, Parameter]
    sources: dict[str, Source]
    overlays: Mapping[str, tuple[Stretch, ...]] = field(default_factory=dict)

    def at(self, name: str, day: date) -> Legal:
        """The rule on ``day`` (latest start not after it). Raises RuleError."""
        parameter = self.parameters.get(name)
        if parameter is None:
            raise RuleError(
                say(f"{self.name} 没有参数 {name!r}", f"{self.name}: no parameter {name!r}")
            )
        stretches = self.stretches(name)
        found = [stretch for stretch in stretches if stretch.covers(day)]
        if found:
            return found[-1].legal
        wanted = self.wanted(name)
        if parameter.absent is not None:
            raise RuleAbsentError(wanted, day)
        first = stretches[0].legal.applies_from
        raise RuleError(
            say(
                f"{self.name}.{name}：{day} 没有取值；自 {first} 起适用，"
                f"至 {parameter.ended or '现在'}",
                f"{self.name}.{name}: no value on {day}; it applies from {first} "
                f"to {parameter.ended or 'now'}",
            )
        )

    def stretches(self, name: str) -> tuple[Stretch, ...]:
        """Every value, by start; of two that cover a day the later one in this list counts."""
        parameter = self.parameters[name]
        own = [
            Stretch(
                Legal(
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
                    seen_zh=entry.seen_zh,
                    data_year=entry.data_year,
                ),
                parameter.ended,
            )
            for entry in parameter.entries
        ]
        laid = self.overlays.get(name, ())
        return tuple(sorted([*own, *laid], key=lambda each: each.legal.applies_from))

    def wanted(self, name: str) -> Wanted:
        """The parameter as a person would enter it: from its absent text, or its latest one."""
        parameter = self.parameters[name]
        absent = parameter.absent
        latest = parameter.entries[-1] if parameter.entries else None
        source = absent.source if absent else latest.source if latest else ""
        locator = absent.locator if absent else latest.locator if latest else ""
        return Wanted(
            pack=self.name,
            name=name,
            what=parameter.what,
            zh=parameter.zh,
            unit=parameter.unit,
            source=self.sources[source],
            locator=locator,
            yearly=parameter.yearly,
        )


def load(name: str, content: bytes) -> RulePack:
    """A pack from the bytes of its file. Raises ConfigError with every mistake in it."""
    found = read_pack_file(name, content)
    digest = hashlib.sha256(content).hexdigest()
    return RulePack(name, found.title, digest, found.parameters, found.sources)


@cache
def packs() -> dict[str, RulePack]:
    """All packs that ship with the program, by name, without any overlay."""
    folder = files("reports").joinpath("rules")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".toml"))
    return {
        name.removesuffix(".toml"): load(
            name.removesuffix(".toml"), folder.joinpath(name).read_bytes()
        )
        for name in names
    }
