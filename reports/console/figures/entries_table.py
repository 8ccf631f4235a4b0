"""A staged table of entered figures: what it would change, and the change."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from drivers.audit import current_person
from drivers.language import say
from drivers.model import ConfigError
from reports.console.figures import staged
from reports.console.figures.entries import Node, figure_told, side
from reports.console.figures.wording import retold, told
from reports.console.office import Office
from reports.entries.importing import Preview, Proposal, Refused, Status, look_at
from reports.entries.ledger import Entry, Ledger, read_ledger
from reports.entries.options import signed
from reports.entries.table import COLUMNS
from reports.entries.taking import Wish, fingerprint, obstacles, take
from reports.lodgings import Lodgings, read_lodgings
from reports.periods import plant_now


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
    return figure_told(figure) | {
        "status": each.status.value,
        "row": figure.row,
        "sheet": side(figure.sheet) if figure.sheet else "",
        "old": None if entry is None else figure_told(entry.figure) | {"number": entry.number},
        "sealed": None
        if lodging is None
        else {"report": lodging.report, "version": lodging.version, "on": lodging.on}
        | {"author": lodging.author, "receipt": lodging.receipt, "period": lodging.period},
    }


def _refused(each: Refused) -> Node:
    columns = {column.id: column for column in COLUMNS}
    parts = each.error.parts or (("", str(each.error)),)
    return {
        "row": each.row.row,
        "sheet": side(each.row.sheet) if each.row.sheet else "",
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
