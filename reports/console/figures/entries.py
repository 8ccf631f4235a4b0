"""Entered figures: what a month asks for, what was entered, corrections."""

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from drivers.audit import current_person
from drivers.language import language, say
from drivers.model import ConfigError
from reports.console.figures import staged
from reports.console.figures.wording import retold
from reports.console.office import Office
from reports.entries.asked import PURPOSES, SHEETS, Asked, asked
from reports.entries.kinds import EntryKind
from reports.entries.ledger import Entry, Figure, read_ledger
from reports.entries.options import signed
from reports.entries.taking import Correction, Wish, correct
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
            "name": side(SHEETS[sheet.group]),
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


def side(text: str) -> str:
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


def figure_told(figure: Figure) -> Node:
    """A figure of the ledger or of a table, in the language of the visitor."""
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
    return figure_told(figure) | {
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
