"""
Overlays: values that a plant read itself, laid over the packs – never silently.

A file of ``[[values]]`` named under ``overlays`` in site.toml. Each names the document it was read
in (by SHA-256), who entered it and who checked it: two persons. It fills what is absent, or stands
in for a value of lower confirmation; an official one only with a reason.
"""

import hashlib
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from drivers.config import Strict
from drivers.language import say, why
from drivers.model import ConfigError
from drivers.tomlfile import parsed
from reports.periods import plant_now
from reports.rules.gwp_sets import mixed
from reports.rules.mistakes import Mistake, of_shape, sentences
from reports.rules.packfile import Confirmed, Parameter, Source
from reports.rules.packs import Checked, Legal, RuleError, RulePack, Stretch, packs
from reports.rules.plausible import outside
from reports.rules.units import RuleUnit, misfit
from reports.site import Site


class Value(Strict):
    """One block of an overlay file."""

    parameter: str
    applies_from: date
    until: date | None = None  # first day on which it no longer applies
    value: Decimal | date | str
    unit: RuleUnit
    title: str = Field(min_length=1)
    issuer: str = Field(min_length=1)
    published: date | None = None
    where: str = Field(min_length=1)
    locator: str = Field(min_length=1)
    seen: str = Field(min_length=1)
    document: str = Field(min_length=1)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    entered_by: str = Field(min_length=1)
    checked_by: str = Field(min_length=1)
    checked_on: date
    replaces_official: str = ""


@dataclass(frozen=True, slots=True)
class Overlay:
    """One file that was read: what it lays over the packs, or else its mistakes."""

    path: Path
    digest: str
    stretches: tuple[Stretch, ...]
    problems: tuple[str, ...]


def load_packs(site: Site) -> Mapping[str, RulePack]:
    """The program's packs with the site's overlays. Raises ConfigError with every mistake."""
    return lay(read_overlays(site.overlays))


def read_overlays(paths: Sequence[Path]) -> list[Overlay]:
    """The files, fit to be laid together. Raises ConfigError with every mistake in any of them."""
    found = [read_overlay(path) for path in paths]
    problems = [problem for overlay in found for problem in overlay.problems]
    problems += _twice(found)
    problems = problems or list(mixed(lay(found)))
    if problems:
        raise ConfigError(problems)
    return found


def lay(overlays: Sequence[Overlay]) -> Mapping[str, RulePack]:
    """The packs with these laid over them; the digest of a pack covers what was laid on it."""
    result = dict(packs())
    for overlay in overlays:
        for pack in sorted({stretch.legal.pack for stretch in overlay.stretches}):
            base = result[pack]
            laid = {name: list(stretches) for name, stretches in base.overlays.items()}
            for stretch in overlay.stretches:
                if stretch.legal.pack == pack:
                    laid.setdefault(stretch.legal.name, []).append(stretch)
            digest = hashlib.sha256(f"{base.digest}\n{overlay.digest}\n".encode()).hexdigest()
            result[pack] = replace(
                base, digest=digest, overlays={name: tuple(each) for name, each in laid.items()}
            )
    return result


def read_overlay(path: Path, today: date | None = None) -> Overlay:
    """The file, with every mistake in it; ``today`` bounds the day of a check."""
    try:
        content = path.read_bytes()
        text = content.decode("utf-8")
        tables = parsed(text, Decimal)
    except OSError as error:
        return Overlay(path, "", (), (f"{path}: {why(error)}",))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        return Overlay(path, "", (), (f"{path}: {error}",))
    found, mistakes = _blocks(tables, path, today or plant_now().date())
    problems = tuple(sentences(str(path), text, mistakes))
    digest = hashlib.sha256(content).hexdigest()
    return Overlay(path, digest, () if problems else tuple(found), problems)


def _blocks(tables: dict[str, Any], path: Path, today: date) -> tuple[list[Stretch], list[Mistake]]:
    unknown = say("未知的键；只写 [[values]]", "unknown key; write [[values]] only")
    mistakes: list[Mistake] = [((key,), unknown) for key in tables if key != "values"]
    blocks = tables.get("values")
    if not isinstance(blocks, list) or not blocks:
        return [], [*mistakes, ((), say("至少写一个 [[values]]", "write at least one [[values]]"))]
    found: list[Stretch] = []
    for number, given in enumerate(blocks):
        under = ("values", number)
        if not isinstance(given, dict):
            mistakes.append((under, say("应为 [[values]] 表", "write a table [[values]]")))
            continue
        filled = {key: value for key, value in given.items() if value != ""}
        mistakes += [((*under, key), what) for key, what in document_faults(filled, path.parent)]
        try:
            value = Value.model_validate(filled)
        except ValidationError as error:
            known = {loc for loc, _ in mistakes}
            mistakes += [each for each in of_shape(error, under) if each[0] not in known]
            continue
        wrong = list(_wrong(value, today))
        mistakes += [((*under, key), what) for key, what in wrong]
        if not wrong:
            found.append(_stretch(value, path))
    return found, mistakes


def value_faults(
    given: Mapping[str, Any], folder: Path, today: date | None = None
) -> list[tuple[str, str]]:
    """What is wrong with one block, by key, as its file in ``folder`` would be told."""
    table = {"values": [dict(given)]}
    _, mistakes = _blocks(table, folder / "values.toml", today or plant_now().date())
    return [(str(loc[-1]), what) for loc, what in mistakes]


def document_faults(given: dict[str, Any], folder: Path) -> Iterator[tuple[str, str]]:
    """The document must lie beside the overlay, and be the one that was checked."""
    name, stated = given.get("document"), given.get("sha256")
    if not isinstance(name, str):
        return
    if Path(name).name != name:
        yield (
            "document",
            say("只写文件名，文件放在本文件旁", "write the name of a file beside this"),
        )
        return
    try:
        digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    except OSError as error:
        yield "document", f"{name}: {why(error)}"
        return
    if stated is None:
        yield "sha256", say(f'请写 sha256 = "{digest}"', f'write sha256 = "{digest}"')
    elif stated != digest:
        yield (
            "sha256",
            say(
                f"与文件不符：{name} 的 SHA-256 是 {digest}；文件变了就须重新核对",
                f"is not that of the file: {name} has {digest}; a changed file is checked anew",
            ),
        )


def _wrong(value: Value, today: date) -> Iterator[tuple[str, str]]:
    """What is wrong with a block whose shape is right."""
    if same_person(value.entered_by, value.checked_by):
        yield (
            "checked_by",
            say("核对人须与录入人不同", "must be another person than entered_by"),
        )
    if value.checked_on > today:
        yield "checked_on", say(f"{value.checked_on} 在将来", f"{value.checked_on} is to come")
    if value.published is not None and value.checked_on < value.published:
        yield (
            "checked_on",
            say(f"早于发布日期 {value.published}", f"is before the publication, {value.published}"),
        )
    pack, parameter, mistake = _find(value.parameter)
    if pack is None or parameter is None:
        yield "parameter", mistake
        return
    if value.unit is not parameter.unit:
        unit = parameter.unit
        yield "unit", say(f'该参数的单位是 "{unit}"', f'the parameter is in "{unit}"')
    elif what := misfit(value.unit, value.value) or _outside(value, parameter):
        yield "value", what
    yield from _span(value, parameter)
    yield from _official(value, pack)


def _outside(value: Value, parameter: Parameter) -> str:
    if parameter.low is None or parameter.high is None:
        return ""
    low, high, unit = parameter.low, parameter.high, parameter.unit
    return outside(value.value, unit, low, high, or_zero=parameter.or_zero)


def same_person(one: str, other: str) -> bool:
    """
    True when two names do not tell two persons apart.

    Capitals, spaces, stops, what stands in brackets (a department) and the order of Latin words
    make no other person; a name of a single letter is no name.
    """
    names = _letters(one), _letters(other)
    return names[0] == names[1] or min(map(len, names)) < 2


def _letters(name: str) -> str:
    words = re.findall(r"[^\W_]+", re.sub(r"[(（\[【].*?[)）\]】]", "", name).casefold())
    return "".join(sorted(words) if all(word.isascii() for word in words) else words)


def _find(identity: str) -> tuple[RulePack | None, Parameter | None, str]:
    name, _, parameter = identity.partition(".")
    pack = packs().get(name)
    found = pack.parameters.get(parameter) if pack is not None else None
    if found is not None:
        return pack, found, ""
    known = [f"{each.name}.{key}" for each in packs().values() for key in each.parameters]
    near = get_close_matches(identity, known, n=3, cutoff=0.6)
    return (
        None,
        None,
        say(
            f"没有参数 {identity!r}；相近的有 {'、'.join(near) or '无'}",
            f"no parameter {identity!r}; near: {', '.join(near) or 'none'}",
        ),
    )


def _span(value: Value, parameter: Parameter) -> Iterator[tuple[str, str]]:
    if value.until is not None and value.until <= value.applies_from:
        yield "until", say("须晚于 applies_from", "must be later than applies_from")
    if not parameter.yearly:
        return
    first = value.applies_from
    if (first.month, first.day) != (1, 1):
        yield (
            "applies_from",
            say("按年取值的参数写该年 1 月 1 日", "a yearly value: write 1 January of its year"),
        )
    if value.until is not None and value.until != date(first.year + 1, 1, 1):
        yield (
            "until",
            say(
                "按年取值的参数只适用于该年，请删去", "a yearly value ends with its year; leave out"
            ),
        )


def _official(value: Value, pack: RulePack) -> Iterator[tuple[str, str]]:
    name = value.parameter.partition(".")[2]
    try:
        replaced = pack.at(name, value.applies_from)
    except RuleError:
        replaced = None
    official = replaced is not None and replaced.confirmed is Confirmed.OFFICIAL
    if official and replaced is not None and not value.replaces_official:
        yield (
            "parameter",
            say(
                f"不得取代官方值 {replaced.value}（{replaced.source.title}）；"
                '确有理由时写 replaces_official = "理由"',
                f"may not replace the official value {replaced.value} ({replaced.source.title}); "
                'where there is a reason, write replaces_official = "reason"',
            ),
        )
    if value.replaces_official and not official:
        yield (
            "replaces_official",
            say("没有官方值可取代，请删去", "there is no official value to replace; leave it out"),
        )


def _stretch(value: Value, path: Path) -> Stretch:
    pack, _, name = value.parameter.partition(".")
    parameter = packs()[pack].parameters[name]
    legal = Legal(
        pack=pack,
        name=name,
        what=parameter.what,
        zh=parameter.zh,
        value=value.value,
        unit=value.unit,
        applies_from=value.applies_from,
        source=Source(
            title=value.title, issuer=value.issuer, published=value.published, where=value.where
        ),
        locator=value.locator,
        confirmed=Confirmed.SITE,
        seen=value.seen,
        seen_zh=value.seen,
        overlay=Checked(
            entered_by=value.entered_by,
            checked_by=value.checked_by,
            checked_on=value.checked_on,
            file=path.name,
            document=value.document,
            sha256=value.sha256,
            replaces_official=value.replaces_official,
        ),
    )
    end = date(value.applies_from.year + 1, 1, 1) if parameter.yearly else value.until
    return Stretch(legal, end)


def _twice(overlays: Sequence[Overlay]) -> list[str]:
    """The same parameter from the same day on, entered twice."""
    first: dict[str, Path] = {}
    problems = []
    for overlay in overlays:
        for stretch in overlay.stretches:
            identity = stretch.legal.id
            if identity in first:
                problems.append(
                    say(
                        f"{overlay.path}：{identity} 已在 {first[identity]} 中录入",
                        f"{overlay.path}: {identity} is entered in {first[identity]} already",
                    )
                )
            first.setdefault(identity, overlay.path)
    return problems
