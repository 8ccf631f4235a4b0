"""A rule pack as its file says it: sources, parameters, entries; nothing half written loads."""

import tomllib
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Any

from pydantic import Field, ValidationError

from drivers.config import Strict
from drivers.language import say
from drivers.model import ConfigError
from reports.rules.mistakes import Loc, Mistake, of_shape, sentences
from reports.rules.plausible import misrange, outside
from reports.rules.units import RuleUnit, misfit


class Confirmed(StrEnum):
    """How well a value was confirmed against the legal text."""

    OFFICIAL = "official"  # the words of the official text were read
    SECONDARY = "secondary"  # read in somebody's restatement
    UNVERIFIED = "unverified"  # recalled, derived, or taken from a sister rule
    SITE = "site"  # entered by one person of the plant from a document and checked by another


class Source(Strict):
    """A legal text. ``where`` tells a person how to find it."""

    title: str = Field(min_length=1)
    issuer: str = Field(min_length=1)
    published: date | None = None  # None: not published yet, or no publication at all
    where: str = Field(min_length=1)
    sha256: str = Field(default="", pattern=r"^([0-9a-f]{64})?$")  # of our archived copy


class Entry(Strict):
    """One value and the citation it stands on; ``seen`` says where it was actually read."""

    applies_from: date
    data_year: int | None = None  # year the value was found for, where it comes out later
    value: Decimal | date | str
    source: str
    locator: str = Field(min_length=1)
    confirmed: Confirmed
    seen: str = Field(min_length=1)
    seen_zh: str = Field(min_length=1)


class Absent(Strict):
    """Where a value stands that nobody could read: a person opens the text and enters it."""

    source: str
    locator: str = Field(min_length=1)


class Parameter(Strict):
    """
    A legal quantity through time. ``unused`` gives the reason when no report uses it.

    A value that could not be found has no entries but ``absent``: it is never guessed. ``yearly``
    values are fixed anew for each year; what a site enters stands for that year only. ``low`` and
    ``high`` say what can be at all, far beyond what any rule says: outside of it a value was
    written in another unit. ``or_zero``: the rule may also be nil.
    """

    what: str = Field(min_length=1)
    zh: str = Field(min_length=1)
    unit: RuleUnit
    low: Decimal | None = None
    high: Decimal | None = None
    or_zero: bool = False
    ended: date | None = None
    yearly: bool = False
    unused: str = ""
    unused_zh: str = ""
    absent: Absent | None = None
    entries: tuple[Entry, ...] = ()


class PackFile(Strict):
    """The whole file."""

    title: str = Field(min_length=1)
    sources: dict[str, Source]
    parameters: dict[str, Parameter] = Field(min_length=1)


def read_pack_file(name: str, content: bytes) -> PackFile:
    """The pack in the bytes of its file. Raises ConfigError with every mistake in it."""
    try:
        text = content.decode("utf-8")
        tables = tomllib.loads(text, parse_float=Decimal)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError([f"{name}.toml: {error}"]) from None
    mistakes = list(_senseless(tables))
    try:
        found = PackFile.model_validate(tables)
    except ValidationError as error:
        mistakes += of_shape(error)
    if mistakes:
        raise ConfigError(sentences(f"{name}.toml", text, mistakes))
    return found


def _senseless(tables: dict[str, Any]) -> Iterator[Mistake]:
    """
    What has the right shape and cannot be: read from the bare tables, so that a mistake of shape
    elsewhere in the file hides none of these.
    """
    sources, parameters = tables.get("sources"), tables.get("parameters")
    if not isinstance(parameters, dict):
        return
    known = set(sources) if isinstance(sources, dict) else set()
    labels: dict[object, str] = {}
    for name, parameter in parameters.items():
        if not isinstance(parameter, dict):
            continue
        for key in ("what", "zh"):
            other = labels.setdefault(parameter.get(key, (name, key)), name)
            if other != name:
                both = say(f"与 {other} 同名", f"{other} is called the same")
                yield ("parameters", name, key), both
        for loc, what in _parameter(parameter, known):
            yield ("parameters", name, *loc), what


def _parameter(parameter: dict[str, Any], sources: set[str]) -> Iterator[Mistake]:
    entries = parameter.get("entries", [])
    entries = entries if isinstance(entries, list) else []
    entries = [entry for entry in entries if isinstance(entry, dict)]
    absent = parameter.get("absent")
    if not entries and absent is None:
        yield (
            (),
            say(
                "请给出 entries，或以 absent 说明取值在何处",
                "give entries, or say where the value stands with absent",
            ),
        )
    if bool(parameter.get("unused")) != bool(parameter.get("unused_zh")):
        yield ("unused",), say("须中英文各写一句", "give the reason in both languages")
    cited: list[tuple[Loc, object]] = [
        (("entries", n, "source"), entry.get("source")) for n, entry in enumerate(entries)
    ]
    if isinstance(absent, dict):
        cited.append((("absent", "source"), absent.get("source")))
    for loc, source in cited:
        if isinstance(source, str) and source not in sources:
            yield loc, say(f"没有来源 {source!r}", f"unknown source {source!r}")
    if what := misrange(_number(parameter.get("low")), _number(parameter.get("high"))):
        yield ("low",), what
    yield from _order(parameter.get("ended"), entries)
    for number, entry in enumerate(entries):
        if entry.get("confirmed") == Confirmed.SITE:
            yield (
                ("entries", number, "confirmed"),
                say('"site" 只用于补充规则', '"site" is for overlays only'),
            )
        yield from _value(number, entry.get("value"), parameter)


def _order(ended: object, entries: list[dict[str, Any]]) -> Iterator[Mistake]:
    starts = [(n, entry.get("applies_from")) for n, entry in enumerate(entries)]
    days = [(n, day) for n, day in starts if isinstance(day, date)]
    for (_, earlier), (number, later) in pairwise(days):
        if later <= earlier:
            yield (
                ("entries", number, "applies_from"),
                say(f"{later} 须晚于 {earlier}", f"{later} must be later than {earlier}"),
            )
    if isinstance(ended, date) and days and ended <= days[-1][1]:
        yield (
            ("ended",),
            say(
                f"ended {ended} 须晚于最后的 applies_from",
                f"ended {ended} must be later than the last applies_from",
            ),
        )


def _value(number: int, value: object, parameter: dict[str, Any]) -> Iterator[Mistake]:
    given, unit = _number(value), parameter.get("unit")
    if isinstance(given, bool):
        given = str(given).lower() + "!"
    if not isinstance(given, Decimal | date | str) or unit not in set(RuleUnit):
        return
    what = misfit(RuleUnit(str(unit)), given)
    low, high = _number(parameter.get("low")), _number(parameter.get("high"))
    if not what and isinstance(low, Decimal) and isinstance(high, Decimal):
        what = outside(given, str(unit), low, high, or_zero=bool(parameter.get("or_zero")))
    if what:
        yield ("entries", number, "value"), what


def _number(value: object) -> object:
    return Decimal(value) if type(value) is int else value
