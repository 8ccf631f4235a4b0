"""Kinds of figures a person may enter (``kinds.toml``): names, units, to what they belong."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from reports.values import Text


class Span(StrEnum):
    """For which time one entry stands."""

    DAY = "day"
    MONTH = "month"
    DAY_OR_MONTH = "day or month"
    YEAR = "year"


class Place(StrEnum):
    """To what one entry belongs."""

    LINE = "line"  # a potline of the site
    PLANT = "plant"  # the whole plant
    INSTRUMENT = "instrument"  # an instrument of the data quality control plan


class Group(StrEnum):
    """The sheet of the template on which a kind stands."""

    MONTHLY = "monthly"
    LABORATORY = "laboratory"
    INSTRUMENTS = "instruments"
    CROSSCHECK = "crosscheck"
    ABROAD = "abroad"
    ENERGY = "energy"
    TRANSPORT = "transport"
    TREATMENT = "treatment"
    CBAM = "cbam"
    YEARLY = "yearly"
    PLAN = "plan"


@dataclass(frozen=True, slots=True)
class Items:
    """What a kind is entered for, one by one: a closed list of ``names``, or whatever fits."""

    id: str
    what: Text
    names: dict[str, Text] = field(default_factory=dict)
    pattern: str = ""  # free text of this form; "" = the list is closed

    def find(self, text: str) -> str | None:
        """The item by id, name in either language, or the label of the template."""
        wanted = " ".join(text.split())
        if self.pattern:
            return wanted if re.fullmatch(self.pattern, wanted) else None
        for item, name in self.names.items():
            if wanted.lower() in {item, name.zh, name.en.lower(), item_label(item, name).lower()}:
                return item
        return None


def item_label(item: str, name: Text) -> str:
    """What the template's list shows."""
    return f"{name.zh} [{item}]"


@dataclass(frozen=True, slots=True)
class Fact:
    """A further fact that goes with a figure, in a column of its own."""

    id: str
    zh: str
    en: str
    is_date: bool
    required: bool
    choices: tuple[str, ...] = ()  # nothing else may be written


@dataclass(frozen=True, slots=True)
class EntryKind:
    """``units`` maps each unit that may be written to its factor into ``unit``."""

    id: str
    zh: str
    en: str
    group: Group
    unit: str
    units: dict[str, Decimal]
    span: Span = Span.MONTH
    place: Place = Place.LINE
    items: Items | None = None
    facts: tuple[Fact, ...] = ()
    low: Decimal = Decimal(0)  # in `unit`; less than that cannot be
    high: Decimal | None = None  # in `unit`; more than that cannot be
    per_capacity: Decimal | None = None  # in `unit` per tonne of capacity, pro rata of the period
    early: bool = False  # may be entered before the period is over
    ahead: bool = False  # … and before it has begun
    document: bool = False  # only with the document that proves it
    hint: Text | None = None  # how to write it in the right unit

    @property
    def label(self) -> str:
        """What the template's list shows: both names, and the id in brackets."""
        return f"{self.zh} {self.en} [{self.id}]"

    @property
    def name(self) -> Text:
        return Text(zh=self.zh, en=self.en)

    def item_name(self, item: str) -> Text:
        """The name of an item in both languages; a free item is its own name."""
        known = {} if self.items is None else self.items.names
        return known.get(item, Text(zh=item, en=item))


def _load() -> Iterator[EntryKind]:
    file = Path(__file__).with_name("kinds.toml")
    table = tomllib.loads(file.read_text("utf-8"), parse_float=Decimal)
    items = {name: _items(name, dict(given)) for name, given in table["items"].items()}
    facts = {name: tuple(_facts(given)) for name, given in table["facts"].items()}
    for group, kinds in table["kind"].items():
        for name, given in kinds.items():
            more = dict(given)
            units = {u: Decimal(f) for u, f in table["units"][more.pop("unit")].items()}
            for key in ("low", "high", "per_capacity"):
                if key in more:
                    more[key] = Decimal(more[key])
            hint = more.pop("hint", None)
            yield EntryKind(
                id=name,
                group=Group(group),
                unit=next(iter(units)),
                units=units,
                span=Span(more.pop("span", Span.MONTH)),
                place=Place(more.pop("place", Place.LINE)),
                items=items[more.pop("items")] if "items" in more else None,
                facts=facts[more.pop("facts")] if "facts" in more else (),
                hint=None if hint is None else Text(zh=hint[0], en=hint[1]),
                **more,
            )


def _items(name: str, given: dict[str, Any]) -> Items:
    what = Text(zh=given.pop("zh"), en=given.pop("en"))
    pattern = given.pop("pattern", "")
    return Items(name, what, {key: Text(zh=zh, en=en) for key, (zh, en) in given.items()}, pattern)


def _facts(given: dict[str, list[str]]) -> Iterator[Fact]:
    for name, (zh, en, what) in given.items():
        written = what.removesuffix("?")
        choices = tuple(written.split("|")) if "|" in written else ()
        yield Fact(name, zh, en, written == "date", written == what, choices)


KINDS: Final[dict[str, EntryKind]] = {kind.id: kind for kind in _load()}
FACTS: Final[dict[str, Fact]] = {fact.id: fact for kind in KINDS.values() for fact in kind.facts}


def find_kind(text: str) -> EntryKind | None:
    """A kind by id, Chinese name, English name, or the label of the template."""
    wanted = " ".join(text.split())
    for kind in KINDS.values():
        if wanted.lower() in {kind.id, kind.zh.lower(), kind.en.lower(), kind.label.lower()}:
            return kind
    return None
