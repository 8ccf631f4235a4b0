"""
Versions of a report on disk: the same inputs give the same file, other inputs a new version.

Nothing is ever overwritten. ``<report>-<period>-v<n>.json`` is the report; XLSX, PDF and HTML
beside it are made from that file, in the language in their names.
"""

import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from drivers.language import say, why
from drivers.model import ConfigError
from reports.citations import LodgedUse, MeterUse
from reports.entries.ledger import Ledger
from reports.lodgings import Lodging, Lodgings
from reports.model import SCHEMA, Change, Content, Line, Report, digest_of
from reports.periods import plant_now
from reports.reasons import entry_ref, with_reasons
from reports.table_changes import table_changes
from reports.words import number_text

FORMATS = ("json", "xlsx", "pdf", "html")


@dataclass(frozen=True, slots=True)
class Written:
    """What a run left on disk; ``fresh`` is False when the same report was there already."""

    report: Report
    path: Path
    files: tuple[Path, ...]
    fresh: bool


def read_report(path: Path) -> Report:
    """
    A report file, checked against its own digest. Raises ConfigError.

    What is hashed is what the file says: a later program may know more fields, with defaults.
    """
    try:
        written = path.read_bytes()
        report = Report.model_validate_json(written)
    except OSError as error:
        raise ConfigError([f"{path}: {why(error)}"]) from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise ConfigError([f"{path}: no report: {where}: {first['msg']}"]) from None
    if digest_of(json.loads(written)["content"]) != report.content_sha256:
        sentence = say(
            "内容与摘要不符：写出后被改动", "its content was changed after it was written"
        )
        raise ConfigError([f"{path}: {sentence}"])
    return report


def write_report(
    content: Content,
    out: Path,
    site: Path,
    lodgings: Lodgings,
    formats: Sequence[str],
    lang: str,
    ledger: Ledger,
) -> Written:
    """
    Write ``content`` as a new version when it differs from the newest one in ``out``.

    ``ledger`` tells who changed what stands behind a difference, and why.
    """
    out.mkdir(parents=True, exist_ok=True)
    content = Content.model_validate_json(content.model_dump_json())  # figures as the file has them
    name = f"{content.report}-{content.period.name}"
    newest = newest_of(out, name)
    before = None if newest is None else read_report(newest)
    digest = content.digest()
    fresh = before is None or not _says_the_same(before.content, content)
    if before is not None and newest is not None and not fresh:
        report, path = before, newest
    else:
        lodged = lodgings.latest(content.report, content.period.name)
        report = Report(
            schema=SCHEMA,
            version=1 if before is None else before.version + 1,
            previous_sha256="" if before is None else before.content_sha256,
            changes=() if before is None else changes(before.content, content, ledger),
            written=plant_now().date(),
            lodged=None if lodged is None else _lodged(lodgings, lodged),
            since_lodged=() if lodged is None else _since(lodgings, lodged, content, ledger),
            site=_relative(site, out),
            content_sha256=digest,
            content=content,
        )
        path = out / f"{name}-v{report.version}.json"
        _create(path, report.text().encode())
    files = [path, *(render_report(report, path, kind, lang) for kind in formats if kind != "json")]
    return Written(report, path, tuple(files), fresh)


def _lodged(lodgings: Lodgings, lodging: Lodging) -> LodgedUse:
    same = (lodging.report, lodging.period)
    return LodgedUse(
        version=lodging.version,
        content_sha256=lodging.content_sha256,
        receipt=lodging.receipt,
        on=lodging.on,
        author=lodging.author,
        first_on=next(x.on for x in lodgings.lodgings if (x.report, x.period) == same),
    )


def _since(
    lodgings: Lodgings, lodging: Lodging, content: Content, ledger: Ledger
) -> tuple[Change, ...]:
    """How ``content`` differs from the copy of what was lodged."""
    copy = read_report(lodgings.copy(lodging)).content
    return () if _says_the_same(copy, content) else changes(copy, content, ledger)


def _says_the_same(before: Content, after: Content) -> bool:
    """Entries of other months make ledger and journal longer; that is no new version of this."""
    same = {"ledger": before.ledger, "journal": before.journal}
    return before == after.model_copy(update=same)


def newest_of(out: Path, name: str) -> Path | None:
    """The newest version in a folder of the report of that name, e.g. ``carbon-annual-2025``."""
    if not out.is_dir():
        return None
    pattern = re.compile(rf"{re.escape(name)}-v(\d+)\.json")
    found = {int(m[1]): path for path in out.iterdir() if (m := pattern.fullmatch(path.name))}
    return found[max(found)] if found else None


def _relative(site: Path, out: Path) -> str:
    return Path(os.path.relpath(site.resolve(), out.resolve())).as_posix()


def render_report(report: Report, path: Path, kind: str, lang: str) -> Path:
    """A paper made from a report file, beside it; the one that is there already is kept."""
    target = path.with_name(f"{path.stem}.{lang}.{kind}")
    if target.exists():
        return target
    if kind == "xlsx":
        from reports.render.xlsx import render_xlsx

        _create(target, render_xlsx(report, lang))
    elif kind == "html":
        from reports.render.html import render_html

        _create(target, render_html(report, lang))
    else:
        from reports.render.pdf import render_pdf

        _create(target, render_pdf(report, lang))
    return target


def _create(path: Path, content: bytes) -> None:
    """A whole new file or none. Raises ConfigError when another run was quicker."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with beside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(beside, path)
    except FileExistsError:
        raise ConfigError(
            [f"{path}: " + say("已存在，不覆盖", "exists, not overwritten")]
        ) from None
    finally:
        beside.unlink()


def changes(before: Content, after: Content, ledger: Ledger) -> tuple[Change, ...]:
    """What differs, line by line, entry by entry, rule by rule, and in the rows of tables; why."""
    old, new = _facts(before), _facts(after)
    lines = [{line.id: line for line in content.lines} for content in (before, after)]
    found = [
        line_change(ref, lines[0].get(ref), lines[1].get(ref))
        if what == "line"
        else Change(what=what, ref=ref, before=old.get((what, ref)), after=new.get((what, ref)))
        for what, ref in dict.fromkeys([*old, *new])
        if old.get((what, ref)) != new.get((what, ref))
    ]
    found += table_changes(before, after)
    if not found:
        found.append(
            Change(
                what="other",
                ref="content",
                before=before.digest()[:16],
                after=after.digest()[:16],
            )
        )
    return with_reasons(found, before, after, ledger)


def line_change(ref: str, before: Line | None, after: Line | None) -> Change:
    """Both as they are reported, beside them the exact values; exact in words if that is all."""
    both = (before, after)
    told = [None if x is None else f"{number_text(x.rounded, x.decimals)} {x.unit}" for x in both]
    if told[0] == told[1]:
        told = [None if x is None else f"{exact(x.value)} {x.unit}" for x in both]
    values = [None if x is None else x.value for x in both]
    return Change(
        what="line",
        ref=ref,
        before=told[0],
        after=told[1],
        exact_before=values[0],
        exact_after=values[1],
    )


def exact(value: Decimal | None) -> str:
    """With every decimal that it has."""
    return "—" if value is None else f"{value:,}"


_What = Literal["line", "legal", "entry", "meter", "table", "other"]


def _facts(content: Content) -> dict[tuple[_What, str], str]:
    facts: dict[tuple[_What, str], str] = {}
    for line in content.lines:
        shown = "—" if line.value is None else f"{line.value} {line.unit}"
        facts["line", line.id] = shown
    for entry in content.entries:
        facts["entry", entry_ref(entry)] = f"{entry.value} {entry.unit} (#{entry.number})"
    for legal in content.legals:
        facts["legal", legal.id] = f"{legal.value} {legal.unit} ({legal.confirmed})"
    for meter in content.meters:
        facts["meter", meter.id] = _meter(meter)
    return facts


def _meter(meter: MeterUse) -> str:
    known = meter.measured_s + meter.bridged_s
    share = known / meter.period_s * 100
    return f"{'—' if meter.total is None else meter.total} {meter.unit}, {share:.4f} %"
