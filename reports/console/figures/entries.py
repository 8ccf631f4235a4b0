"""Entered figures: what a month asks for, what a table would change, the change, corrections."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from drivers.audit import current_person
from drivers.language import language, say
from drivers.model import ConfigError
from reports.console.figures import staged
from reports.console.figures.wording import retold, told
from reports.console.office import Office
from reports.entries.asked import PURPOSES, SHEETS, Asked, asked
from reports.entries.importing import Preview, Proposal, Refused, Status, look_at
from reports.entries.kinds import EntryKind
from reports.entries.ledger import Entry, Figure, Ledger, read_ledger
from reports.entries.options import signed
from reports.entries.table import COLUMNS
from reports.entries.taking import Correction, Wish, correct, fingerprint, obstacles, take
from reports.entries.template import csv_template, xlsx_template
from reports.lodgings import Lodgings, read_lodgings
from reports.periods import Period, plant_now
from reports.site import PLANT, Site

Node = dict[str, Any]
PAGE: Final = 200
_MOST: Final = 1000


def asked_rows(office: Office, period: str, purpose: str = "") -> Node:
    """The sheets of the template with every row: what it asks for, and what is known already."""
    site, ledger = office.site, read_ledger(office.site.entries)
    sheets = asked(site, ledger, Period.parse(period), _purpose(purpose), plant_now())
    told_sheets = [
        {
            "group": sheet.group.value,
            "name": _side(SHEETS[sheet.group]),
            "rows": [_asked(row, site) for row in sheet.rows],
            "kinds": [_kind(kind) for kind in sheet.kinds],
        }
        for sheet in sheets
    ]
    rows = [row for sheet in sheets for row in sheet.rows]
    return {
        "period": period,
        "sheets": told_sheets,
        "asked": len(rows),
        "empty": sum(not row.before for row in rows),
    }


def _purpose(text: str) -> str:
    if text and text not in PURPOSES:
        raise ConfigError([f"{text}: {', '.join(PURPOSES)}"])
    return text


def _side(text: str) -> str:
    """``月度数据 Monthly`` in the language of the visitor."""
    zh, _, en = text.partition(" ")
    return say(zh, en)


def _asked(row: Asked, site: Site) -> Node:
    potline = site.line(row.line.partition(" ")[0])
    item = row.item.rpartition("[")[2].rstrip("]")
    named = row.kind.item_name(item) if item else None
    place = say("全厂", "plant") if row.line == PLANT else row.line
    return {
        "place": place if potline is None else potline.name.of(language()),
        "item_name": "" if named is None else say(named.zh, named.en),
        "kind": row.kind.id,
        "label": say(row.kind.zh, row.kind.en),
        "line": row.line,
        "item": row.item,
        "period": row.period,
        "units": list(row.kind.units),
        "unit": "%" if "%" in row.kind.units else row.kind.unit,
        "before": row.before,
        "hint": "" if row.kind.hint is None else say(row.kind.hint.zh, row.kind.hint.en),
        "document": row.kind.document,
        "facts": [
            {
                "id": fact.id,
                "label": say(fact.zh, fact.en),
                "date": fact.is_date,
                "required": fact.required,
                "choices": list(fact.choices),
            }
            for fact in row.kind.facts
        ],
    }


def _kind(kind: EntryKind) -> Node:
    return {"id": kind.id, "label": say(kind.zh, kind.en), "units": list(kind.units)}


def template(office: Office, period: str, form: str = "xlsx", purpose: str = "") -> Node:
    """The table to fill in, as base64, and what to call it."""
    site, ledger = office.site, read_ledger(office.site.entries)
    sheets = asked(site, ledger, Period.parse(period), _purpose(purpose), plant_now())
    content = csv_template(sheets) if form == "csv" else xlsx_template(sheets, site)
    name = f"{site.plant}-{purpose or 'entries'}-{period}.{form}"
    return {"name": name, "content": base64.b64encode(content).decode()}


@dataclass(frozen=True, slots=True)
class _Table:
    """A staged table as it is read now."""

    staged: staged.Staged
    path: Path
    ledger: Ledger
    lodgings: Lodgings
    preview: Preview
    refused: tuple[Refused, ...]
    now: datetime


def _table(office: Office, identity: str) -> _Table:
    """Raises ConfigError for what is no such table, or was imported before."""
    found = staged.find(office, identity)
    site, path, now = office.site, found.table(office), plant_now()
    ledger = read_ledger(site.entries)
    try:
        preview, refused = look_at(path, site, ledger, now)
    except ConfigError as error:
        raise retold(error, path.parent) from None
    return _Table(found, path, ledger, read_lodgings(site.entries), preview, refused, now)


def preview(office: Office, identity: str) -> Node:
    """
    Every row and what would become of it; ``seen`` is the word by which it is confirmed.

    ``problems``: why the file as a whole cannot be read; then there are no rows.
    """
    found = staged.find(office, identity)
    about: Node = {
        "id": found.id,
        "month": found.month,
        "name": found.name,
        "person": found.person,
        "made": found.made,
        "typed": found.typed,
        "documents": _documents(found, office),
    }
    try:
        table = _table(office, identity)
    except ConfigError as error:
        return about | _NOTHING | {"problems": list(error.problems)}
    shown = table.preview
    rows = [_proposal(each, table.lodgings) for each in shown.proposals]
    sealing = list(obstacles(shown, office.site, revising=True, reissue=False))
    return about | {
        "problems": [],
        "rows": rows,
        "refused": [_refused(each) for each in table.refused],
        "unfilled": len(shown.unfilled),
        "ignored": list(shown.ignored),
        "counts": {status.value: len(shown.of(status)) for status in Status},
        "sealed": told(sealing),
        "seen": f"{len(table.ledger.entries)}:{fingerprint(shown)}",
        "can": bool(shown.changing) and not table.refused,
    }


_NOTHING: Final[Node] = {  # of a file that cannot be read as a whole
    "rows": [],
    "refused": [],
    "unfilled": 0,
    "ignored": [],
    "counts": {},
    "sealed": [],
    "seen": "",
    "can": False,
}


def _documents(found: staged.Staged, office: Office) -> list[Node]:
    folder = found.folder(office)
    return [
        {
            "name": path.name,
            "bytes": path.stat().st_size,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        for path in sorted(folder.iterdir())
    ]


def _proposal(each: Proposal, lodgings: Lodgings) -> Node:
    figure, entry = each.figure, each.entry
    lodging = None if each.status is Status.SAME else lodgings.seal(figure.kind, figure.period)
    return _figure(figure) | {
        "status": each.status.value,
        "row": figure.row,
        "sheet": _side(figure.sheet) if figure.sheet else "",
        "old": None if entry is None else _figure(entry.figure) | {"number": entry.number},
        "sealed": None
        if lodging is None
        else {"report": lodging.report, "version": lodging.version, "on": lodging.on}
        | {"author": lodging.author, "receipt": lodging.receipt, "period": lodging.period},
    }


def _figure(figure: Figure) -> Node:
    item = figure.kind.item_name(figure.item) if figure.item else None
    facts = {fact.id: say(fact.zh, fact.en) for fact in figure.kind.facts}
    return {
        "kind": figure.kind.id,
        "label": say(figure.kind.zh, figure.kind.en),
        "line": figure.line,
        "item": figure.item,
        "item_name": "" if item is None else say(item.zh, item.en),
        "period": str(figure.period),
        "value": None if figure.value is None else f"{figure.value:f}",
        "unit": figure.unit,
        "voucher": figure.voucher,
        "note": figure.note,
        "document": None if figure.document is None else figure.document.name,
        "document_sha256": None if figure.document is None else figure.document.sha256,
        "facts": [{"label": facts.get(name, name), "text": text} for name, text in figure.more],
    }


def _refused(each: Refused) -> Node:
    columns = {column.id: column for column in COLUMNS}
    parts = each.error.parts or (("", str(each.error)),)
    return {
        "row": each.row.row,
        "sheet": _side(each.row.sheet) if each.row.sheet else "",
        "what": " ".join(each.row.cells.get(x, "") for x in ("kind", "line", "item")).strip(),
        "mistakes": [
            {
                "column": say(columns[at].zh, columns[at].en) if at in columns else "",
                "text": told([text])[0],
            }
            for at, text in parts
        ],
    }


def confirm(
    office: Office,
    identity: str,
    seen: str,
    reason: str,
    *,
    revise: bool = False,
    reissue: bool = False,
) -> Node:
    """
    What was seen goes into the ledger, wholly or not at all; the table is then no longer staged.

    Raises ConfigError with every refusal, in the words of the console.
    """
    author = current_person()
    table = _table(office, identity)
    try:
        signed(author, reason)
        _refuse_bad(table)
        _refuse_changed(table, seen)
        wish = Wish(author, reason.strip(), revise, reissue)
        ledger = take(table.path, office.site, table.preview, wish, table.now)
    except ConfigError as error:
        raise retold(error, table.path.parent) from None
    staged.drop(office, identity)
    count = len(table.preview.changing)
    return {
        "entries": count,
        "first": ledger.entries[-count].number,
        "last": ledger.entries[-1].number,
        "head": ledger.head,
        "month": table.staged.month,
    }


def _refuse_bad(table: _Table) -> None:
    """Raises ConfigError for rows that cannot be taken, or when there is nothing to take."""
    if table.refused:
        raise ConfigError([each.text for each in table.refused])
    if not table.preview.changing:
        raise ConfigError([say("没有需要导入的数据", "nothing to import")])


def _refuse_changed(table: _Table, seen: str) -> None:
    """Raises ConfigError, telling who changed what since the preview was looked at."""
    count, _, print_ = seen.partition(":")
    if print_ == fingerprint(table.preview):
        return
    known = int(count) if count.isdecimal() and len(count) < 12 else None
    since = () if known is None else table.ledger.entries[known:]
    here = {each.figure.key for each in table.preview.proposals}
    changes = [_change(entry) for entry in since if entry.figure.key in here]
    raise ConfigError(
        [
            say(
                "预览之后台账或表格已有变化，没有导入任何数据；请重新核对预览",
                "ledger or table changed since you looked: nothing was imported; look again",
            ),
            *changes[:20],
        ]
    )


def _change(entry: Entry) -> str:
    figure = entry.figure
    value = say("撤回", "withdrawn") if figure.value is None else f"{figure.value:f} {figure.unit}"
    what = say(figure.kind.zh, figure.kind.en)
    return say(
        f"{entry.author} {entry.time:%H:%M} 录入第 {entry.number} 条："
        f"{figure.line} {what} {figure.period} {value}（{entry.reason}）",
        f"{entry.author} at {entry.time:%H:%M}, entry {entry.number}: "
        f"{figure.line} {what} {figure.period} {value} ({entry.reason})",
    )


def entries(
    office: Office,
    period: str = "",
    *,
    history: bool = False,
    after: int = 0,
    limit: int = PAGE,
    groups: Sequence[str] = (),
) -> Node:
    """Entries that begin in the period, in the order of the ledger; revised ones with history."""
    ledger = read_ledger(office.site.entries)
    lodgings = read_lodgings(office.site.entries)
    counting = {entry.number for entry in ledger.current().values()}
    within = Period.parse(period) if period else None
    found = [
        entry
        for entry in ledger.entries
        if entry.number > after
        and (history or entry.number in counting)
        and (within is None or within.first <= entry.figure.period.first < within.after)
        and (not groups or entry.figure.kind.group.value in groups)
    ]
    shown = found[: max(1, min(limit, _MOST))]
    return {
        "head": ledger.head,
        "count": len(ledger.entries),
        "entries": [_entry(each, lodgings, counts=each.number in counting) for each in shown],
        "next": shown[-1].number if len(found) > len(shown) else None,
    }


def _entry(entry: Entry, lodgings: Lodgings, *, counts: bool) -> Node:
    figure = entry.figure
    return _figure(figure) | {
        "number": entry.number,
        "group": figure.kind.group.value,
        "author": entry.author,
        "reason": entry.reason,
        "time": entry.time.isoformat(timespec="seconds"),
        "source": None if figure.source is None else figure.source.name,
        "row": figure.row or None,
        "revises": entry.revises,
        "counts": counts,
        "sealed": lodgings.seal(figure.kind, figure.period) is not None,
        "hash": entry.hash,
    }


def correct_entry(  # noqa: PLR0913 - each is a field of the form
    office: Office,
    number: int,
    reason: str,
    value: str = "",
    *,
    withdraw: bool = False,
    voucher: str = "",
    document: str = "",
    reissue: bool = False,
) -> Node:
    """A new value for an entry, or its withdrawal. Raises ConfigError."""
    author = current_person()
    proof = Path(document) if document else None
    try:
        signed(author, reason)
        wanted = Correction(number, value.strip(), withdraw, voucher, {}, proof)
        wish = Wish(author, reason.strip(), reissue=reissue)
        _, made = correct(office.site, wanted, wish, plant_now())
    except ConfigError as error:
        raise retold(error, *(() if proof is None else (proof.parent,))) from None
    lodgings = read_lodgings(office.site.entries)
    return _entry(made, lodgings, counts=made.figure.value is not None)


def waiting(office: Office, month: str) -> list[Node]:
    """Tables of a month that nobody confirmed yet."""
    return [
        {"id": x.id, "name": x.name, "person": x.person, "made": x.made, "typed": x.typed}
        for x in staged.waiting(office, month)
    ]
