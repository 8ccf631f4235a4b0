"""The carbon year: months as cards, what the year adds up to, the reports of the year."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from drivers.language import language, say
from reports.chapters import days_left
from reports.console import archive_names as names
from reports.console.figures import archive, drafts, year_band
from reports.console.figures.lodging import node
from reports.console.figures.month import Books
from reports.console.office import Office
from reports.duties.duties import Duty, State, duties
from reports.duties.duties import Office as DutyOffice
from reports.lodgings import read_lodgings
from reports.make import REPORTS
from reports.periods import Period, plant_now
from reports.plan.file import load_plan

Node = dict[str, Any]
ANNUAL: Final = (
    *("carbon-annual", "verification", "allowance", "quality-plan", "international", "cbam"),
)
TOTALS: Final = ("aluminium", "emission", "intensity", "enterprise_emission")


def years(office: Office) -> Node:
    """Years that have something to show: since the first entry or potline, to the next one."""
    today = plant_now().date()
    books = Books.of(office)
    first = min([x.figure.period.first.year for x in books.current], default=today.year)
    return {"years": list(range(max(first, today.year - 15), today.year + 1)), "now": today.year}


def year(office: Office, year: str) -> Node:
    """The twelve cards; sums of what was reported so far; the reports of the year."""
    books, period = Books.of(office), Period.parse(year)
    cards = [books.month(month).card() for month in period.months]
    reported = [card for card in cards if card["report"] is not None]
    return {
        "year": year,
        "cards": cards,
        "lodged": sum(card["state"] == "lodged" for card in cards),
        "wanted": sum(_is_wanted(card) for card in cards),
        "overdue": [card["month"] for card in cards if card["overdue"]],
        "reported": len(reported),
        "sums": _sums(reported),
        "next": _next(cards),
        "today": books.today,
    }


def _sums(reported: list[Node]) -> list[Node]:
    """Of the months that have a report, whole or not; a month without the figure is counted."""
    found: dict[str, Node] = {}
    for card in reported:
        for line in card["report"]["headline"]:
            if line["id"].endswith("intensity"):
                continue
            kept = found.setdefault(line["id"], line | {"value": 0, "months": 0})
            if line["value"] is not None:
                kept["value"] = round(kept["value"] + line["value"], line["decimals"])
                kept["months"] += 1
    return [x for x in found.values() if x["months"]]


def _is_wanted(card: Node) -> bool:
    """Whether a lodging is asked of the month by now."""
    return bool(card["runs"]) and card["phase"] == "over" and card["state"] != "before"


def _next(cards: list[Node]) -> str | None:
    """The month to go on with: the oldest that is over and not lodged."""
    open_ = [x for x in cards if _is_wanted(x) and x["state"] != "lodged"]
    return open_[0]["month"] if open_ else None


def totals(office: Office, year: str) -> Node:
    """
    The year by its newest report or draft, beside the year before; forecast and allowances.

    Each figure says in which file or draft it is a line; what was never computed is absent.
    """
    before = str(int(year) - 1)
    now_annual = _found(office, "carbon-annual", year)
    old_annual = _found(office, "carbon-annual", before)
    allowance = _found(office, "allowance", year)
    owed = _allowances(allowance)
    return {
        "year": year,
        "before": before,
        "rows": [_row(f"plant.{name}", now_annual, old_annual) for name in TOTALS],
        "annual": _source(now_annual),
        "annual_before": _source(old_annual),
        "allowance": _source(allowance),
        "allowances": owed,
        "picture": year_band.picture(allowance["content"] if allowance else None),
        "whys": list(dict.fromkeys(why for x in owed for why in x["whys"])),
        "doubts": [] if allowance is None else _doubts(allowance),
    }


def _found(office: Office, report: str, period: str) -> Node | None:
    """The newest version in the archive, else the draft."""
    import json

    path = names.newest(office.reports, report, period)
    if path is not None:
        content = json.loads(path.read_bytes())["content"]
        return {"content": content, "ask": {"file": path.name}, "draft": False}
    content = drafts.content(office, report, period)
    if content is None:
        return None
    return {"content": content, "ask": {"report": report, "period": period}, "draft": True}


def _source(found: Node | None) -> Node | None:
    if found is None:
        return None
    content = found["content"]
    return {"draft": found["draft"], "complete": content["complete"], **found["ask"]}


def _line(found: Node | None, identity: str) -> Node | None:
    lines = () if found is None else found["content"]["lines"]
    line = next((x for x in lines if x["id"] == identity), None)
    if line is None or found is None:
        return None
    return {
        "id": identity,
        "label": line["label"][language()],
        "value": line["rounded"],
        "decimals": line["decimals"],
        "unit": line["unit"],
        "whys": [text[language()] for text in line["missing"]],
        "ask": found["ask"],
    }


def _row(identity: str, now: Node | None, before: Node | None) -> Node:
    new, old = _line(now, identity), _line(before, identity)
    moved = None
    if new and old and new["value"] is not None and old["value"]:
        moved = round((new["value"] - old["value"]) / old["value"] * 100, 2)
    sample = new or old
    return {
        "id": identity,
        "label": identity if sample is None else sample["label"],
        "unit": "" if sample is None else sample["unit"],
        "now": new,
        "before": old,
        "moved": moved,
    }


_OWED: Final = (
    *("emission", "emission_low", "emission_high"),
    *("allowance", "allowance_low", "allowance_high", "pre_allocation"),
    *("position", "position_low", "position_high", "held", "saleable", "shortfall"),
)


def _allowances(found: Node | None) -> list[Node]:
    """What the allowance report says of the plant, band or point."""
    if found is None:
        return []
    lines = [x["id"] for x in found["content"]["lines"] if x["scope"] == "plant"]
    wanted = [x for x in lines if x.partition(".")[2] in _OWED]
    told = [_line(found, each) for each in wanted]
    return [x for x in told if x is not None and (x["value"] is not None or x["whys"])]


def _doubts(found: Node) -> list[str]:
    return [x["text"][language()] for x in found["content"]["warnings"]]


def annual(office: Office, year: str) -> list[Node]:
    """The reports of the year: which version, lodged, due; what can be made now."""
    lodgings, now = read_lodgings(office.site.entries), plant_now()
    known = _duties(office)
    found = []
    for name in ANNUAL:
        kind = REPORTS[name]
        path = names.newest(office.reports, name, year)
        lodged = lodgings.latest(name, year)
        duty = known.get((_DUTIES.get(name, ""), year))
        over = Period.parse(year).end <= now
        found.append(
            {
                "name": name,
                "title": say(kind.zh, kind.en),
                "newest": None if path is None else archive.brief(path, lodgings),
                "lodged": None if lodged is None else node(lodged),
                "duty": None if duty is None else _duty(duty, now.date()),
                "trial": not over and not kind.ahead,
            }
        )
    return found


_DUTIES: Final = {  # which duty of the year a report serves
    "carbon-annual": "report_due",
    "verification": "verification_due",
    "allowance": "surrender_due",
}


def _duties(office: Office) -> Mapping[tuple[str, str], Duty]:
    books, site = Books.of(office), office.site
    plan = None if site.plan is None else load_plan(site.plan, site)
    found = duties(DutyOffice(site, books.ledger, books.lodgings, books.packs, plan), books.today)
    return {(x.id, x.period): x for x in found}


def _duty(duty: Duty, today: date) -> Node:
    return {
        "text": duty.text.of(language()),
        "due": duty.due,
        "state": duty.state.value,
        "left": None
        if duty.due is None or duty.state is State.DONE
        else days_left(duty.due, today),
    }
