"""
Official tables a plant typed itself: laid over the shipped ones, confirmed by two persons.

One file per table, TOML or the filled-in workbook (``sheet.py``). It names the document it was
typed from (a file beside it, by SHA-256), who typed and who checked it, and says of each family and
level whether *all* its conditions are typed: only then the absent row of the shipped table goes.
"""

import hashlib
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from drivers.config import NAME, Strict
from drivers.language import say, why
from drivers.model import ConfigError
from reports.grade.evidence import Evidence
from reports.grade.table import (
    ANY,
    FAMILIES,
    INDUSTRIES,
    PREFIX,
    Family,
    Indicator,
    IndicatorTable,
    tables,
)
from reports.periods import plant_now
from reports.rules.mistakes import Loc, Mistake, of_shape, sentences
from reports.rules.overlay import document_faults, same_person
from reports.rules.packfile import Source
from reports.rules.packs import Checked
from reports.values import Text


class OwnRow(Strict):
    """A condition as the plant read it in the official table."""

    name: str = Field(pattern=NAME)
    family: Family
    levels: tuple[str, ...] = Field(min_length=1)
    zh: str = Field(min_length=1)
    en: str = ""  # "" = the Chinese words
    locator: str = Field(min_length=1)
    evidence: tuple[Evidence, ...] = Field(min_length=1)


class Covered(Strict):
    """Whether all conditions of a family at a level are typed, some, or the table has none."""

    family: Family
    level: str
    state: Literal["complete", "partial", "none"]


class OwnTable(Strict):
    """The whole file."""

    table: str
    industry: str = ""  # of a general table: for this industry only
    title: str = Field(min_length=1)
    issuer: str = Field(min_length=1)
    published: date | None = None
    where: str = Field(min_length=1)
    seen: str = Field(min_length=1)
    document: str = Field(min_length=1)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    entered_by: str = Field(min_length=1)
    checked_by: str = Field(min_length=1)
    checked_on: date
    coverage: tuple[Covered, ...] = Field(min_length=1)
    indicators: tuple[OwnRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Overlay:
    """One file that was read: the table it holds, or else its mistakes."""

    path: Path
    digest: str
    own: OwnTable | None
    problems: tuple[str, ...]

    @property
    def checked(self) -> Checked | None:
        own = self.own
        if own is None:
            return None
        return Checked(
            own.entered_by, own.checked_by, own.checked_on, self.path.name, own.document, own.sha256
        )


def is_own_table(path: Path) -> bool:
    """True when the file holds an indicator table, not values of rule packs."""
    if path.suffix.lower() == ".xlsx":
        return True
    try:
        return "table" in tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return False


def read_own_tables(paths: Sequence[Path]) -> list[Overlay]:
    """The files, fit to be laid. Raises ConfigError with every mistake in any of them."""
    found = [read_own_table(path) for path in paths]
    problems = [problem for overlay in found for problem in overlay.problems]
    problems += _twice(found)
    if problems:
        raise ConfigError(problems)
    return found


def read_own_table(path: Path, today: date | None = None) -> Overlay:
    """The file, with every mistake in it; ``today`` bounds the day of the check."""
    from reports.grade.sheet import read_sheet

    day = today or plant_now().date()
    try:
        content = path.read_bytes()
        if path.suffix.lower() == ".xlsx":
            given, place = read_sheet(path)
            own, mistakes = _own(given, path, day)
            problems = tuple(f"{path}: {place(loc)}: {what}" for loc, what in mistakes)
        else:
            text = content.decode("utf-8")
            own, mistakes = _own(tomllib.loads(text, parse_float=Decimal), path, day)
            problems = tuple(sentences(str(path), text, mistakes))
    except OSError as error:
        return Overlay(path, "", None, (f"{path}: {why(error)}",))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        return Overlay(path, "", None, (f"{path}: {error}",))
    except ConfigError as error:
        return Overlay(path, "", None, tuple(error.problems))
    digest = hashlib.sha256(content).hexdigest()
    return Overlay(path, digest, None if problems else own, problems)


def _own(given: dict[str, Any], path: Path, today: date) -> tuple[OwnTable | None, list[Mistake]]:
    filled = {key: value for key, value in given.items() if value != ""}
    mistakes: list[Mistake] = [((key,), what) for key, what in document_faults(filled, path.parent)]
    try:
        own = OwnTable.model_validate(filled)
    except ValidationError as error:
        known = {loc for loc, _ in mistakes}
        shaped = [(_key(loc), what) for loc, what in of_shape(error)]
        return None, [*mistakes, *(each for each in shaped if each[0] not in known)]
    mistakes += list(_wrong(own, today))
    return own, mistakes


def _key(loc: Loc) -> Loc:
    """Without the kind of evidence, which pydantic names as if it were a key."""
    return (*loc[:4], *loc[5:]) if loc[2:3] == ("evidence",) else loc


def _wrong(own: OwnTable, today: date) -> Iterator[Mistake]:
    """What is wrong with a file whose shape is right."""
    if same_person(own.entered_by, own.checked_by):
        yield (
            ("checked_by",),
            say("核对人须与录入人不同", "must be another person than entered_by"),
        )
    if own.checked_on > today:
        yield ("checked_on",), say(f"{own.checked_on} 在将来", f"{own.checked_on} is to come")
    if own.published is not None and own.checked_on < own.published:
        yield (
            ("checked_on",),
            say(f"早于发布日期 {own.published}", f"is before the publication, {own.published}"),
        )
    table = tables().get(own.table.removeprefix(PREFIX))
    if table is None:
        near = get_close_matches(own.table, tables(), n=3, cutoff=0.3) or list(tables())
        shown = ", ".join(near)
        yield (
            ("table",),
            say(f"没有指标表 {own.table!r}；有 {shown}", f"no table {own.table!r}; e.g. {shown}"),
        )
        return
    general = table.file.industry == ANY
    if own.industry and (not general or own.industry not in INDUSTRIES):
        yield (
            ("industry",),
            say(
                f"只有通用表才写行业，且应为 {', '.join(INDUSTRIES)}",
                f"for a general table only, one of {', '.join(INDUSTRIES)}",
            ),
        )
    if not own.indicators:
        yield (
            ("indicators",),
            say(
                "一条指标也没有；空表不能证明任何等级，请录入官方指标表",
                "not one indicator: an empty table proves no level; type the official table",
            ),
        )
    yield from _coverage(own, table)
    yield from _rows(own, table)


def _coverage(own: OwnTable, table: IndicatorTable) -> Iterator[Mistake]:
    seen: set[tuple[str, str]] = set()
    typed = {(row.family, level) for row in own.indicators for level in row.levels}
    for number, each in enumerate(own.coverage):
        key = (each.family, each.level)
        under = ("coverage", number)
        if each.level not in table.file.levels:
            known = ", ".join(table.file.levels)
            yield (
                (*under, "level"),
                say(
                    f"{each.level!r} 不是本表的等级（{known}）", f"no level of this table: {known}"
                ),
            )
        if key in seen:
            yield under, say("该类别和等级重复", "this family and level is there already")
        seen.add(key)
        if (each.state == "none") == (key in typed):
            yield (
                (*under, "state"),
                say(
                    "写 none 则不应有该类别该等级的指标；写 complete 或 partial 则须有",
                    '"none" goes with no indicator of that family and level, "complete" and '
                    '"partial" with at least one',
                ),
            )


def _rows(own: OwnTable, table: IndicatorTable) -> Iterator[Mistake]:
    told = {(each.family, each.level) for each in own.coverage}
    official = {(x.level, x.name) for x in table.indicators if x.confirmed == "official"}
    seen: set[tuple[str, str]] = set()
    for number, row in enumerate(own.indicators):
        for level in row.levels:
            if (row.family, level) not in told:
                yield (
                    ("indicators", number, "levels"),
                    say(
                        f"coverage 未交代 {FAMILIES[row.family].zh}（{row.family}）{level} 级",
                        f"coverage says nothing of {row.family} at level {level}",
                    ),
                )
            if (level, row.name) in seen:
                yield ("indicators", number, "name"), say("重名", "is there already at this level")
            if (level, row.name) in official:
                yield (
                    ("indicators", number, "name"),
                    say(
                        "与已有官方指标重名，请换名",
                        "is the name of an official one; choose another",
                    ),
                )
            seen.add((level, row.name))
        if any(each.kind == "none_known" for each in row.evidence):
            yield (
                ("indicators", number, "evidence"),
                say("请写出需要的证据", "say which evidence it needs"),
            )


def _twice(overlays: Sequence[Overlay]) -> Iterator[str]:
    """The same family and level of a table typed in two files."""
    first: dict[tuple[str, str, str, str], Path] = {}
    for overlay in overlays:
        for each in overlay.own.coverage if overlay.own is not None else ():
            own = overlay.own
            assert own is not None  # noqa: S101 - by the loop
            key = (own.table.removeprefix(PREFIX), own.industry, each.family, each.level)
            if key in first:
                yield say(
                    f"{overlay.path}：{each.family} {each.level} 已在 {first[key]} 中录入",
                    f"{overlay.path}: {each.family} {each.level} is typed in {first[key]} already",
                )
            first.setdefault(key, overlay.path)


def lay(
    known: Mapping[str, IndicatorTable], overlays: Sequence[Overlay], industry: str
) -> dict[str, IndicatorTable]:
    """The tables with these laid over them, as they are for one industry."""
    result = dict(known)
    for overlay in overlays:
        own = overlay.own
        if own is None or own.industry not in {"", industry}:
            continue
        base = result[own.table.removeprefix(PREFIX)]
        whole = {(each.family, each.level) for each in own.coverage if each.state != "partial"}
        kept = [
            each
            for each in base.indicators
            if (each.family, each.level) not in whole or each.confirmed in {"official", "site"}
        ]
        digest = hashlib.sha256(f"{base.digest}\n{overlay.digest}\n".encode()).hexdigest()
        name = f"{base.base}-{own.industry}" if own.industry else base.name
        own_rows = [replace(x, table=name) for x in (*kept, *_indicators(base, overlay))]
        result[base.base] = replace(
            base,
            name=name,
            digest=digest,
            indicators=_in_order(base, own_rows),
            laid=(*base.laid, overlay.path.name),
        )
    return result


def _in_order(base: IndicatorTable, rows: list[Indicator]) -> tuple[Indicator, ...]:
    order = {family: n for n, family in enumerate(FAMILIES)}
    levels = {level: n for n, level in enumerate(base.file.levels)}
    return tuple(sorted(rows, key=lambda each: (levels[each.level], order[each.family])))


def _indicators(base: IndicatorTable, overlay: Overlay) -> Iterator[Indicator]:
    own = overlay.own
    for row in own.indicators if own is not None else ():
        assert own is not None  # noqa: S101 - by the loop
        for level in row.levels:
            yield Indicator(
                table=base.name,
                level=level,
                name=row.name,
                family=row.family,
                text=Text(zh=row.zh, en=row.en or row.zh),
                source=Source(
                    title=own.title, issuer=own.issuer, published=own.published, where=own.where
                ),
                locator=row.locator,
                confirmed="site",
                seen=Text(zh=own.seen, en=own.seen),
                evidence=row.evidence,
                applies_from=own.published or base.file.applies_from,
                overlay=overlay.checked,
            )
