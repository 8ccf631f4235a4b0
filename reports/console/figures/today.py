"""What Today says of drafts, duties, open events and what waits for the officer."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any, Final

from drivers.language import language, say
from drivers.model import ConfigError
from reports.console.figures import drafts, year_band
from reports.console.figures.stack_lists import exceeded
from reports.console.office import Office
from reports.duties.commands import CONFIRMED, STATES
from reports.duties.duties import Duty, State, duties
from reports.duties.duties import Office as DutyOffice
from reports.entries.ledger import read_ledger
from reports.lodgings import read_lodgings
from reports.periods import Period, plant_now
from reports.plan.file import load_plan
from reports.rules.overlay import load_packs
from reports.rules.packs import RuleError
from reports.series.lake import LakeSeries
from reports.series.store import SeriesError, open_series

EVENT_DAYS: Final = 31
MOST_EVENTS: Final = 200
# Kinds of events that last; the others have no end that could be waited for.
LASTING: Final = (
    *("gap", "device_lost", "overload", "clock_unsynced", "device_clock", "log_full"),
    *("log_filling", "anode_effect", "anode_effect_warning", "unstable", "fouling"),
    *("pressure_drop", "heat_balance", "acid_dew", "cems_gap", "exceedance_warning", "exceedance"),
)
_OPEN: Final = """
select id, kind, coalesce(equipment, '') as equipment, epoch_ms(ts) as start_ms, text, amount
from (select *, row_number() over (partition by id order by seq desc, "end" is null) as nth
      from events)
where nth = 1 and "end" is null and kind in ({kinds})
order by ts desc limit {most}
"""

CARBON: Final = ("aluminium", "emission", "intensity", "enterprise_emission", "electricity_ac")
ALLOWANCE: Final = ("emission", "allowance", "position", "intensity")


def running(_office: Office) -> dict[str, str]:
    """The periods that Today speaks of, by the plant's clock."""
    today = plant_now().date()
    last = today.replace(day=1) - timedelta(days=1)
    return {
        "today": str(today),
        "yesterday": str(today - timedelta(days=1)),
        "month": f"{today:%Y-%m}",
        "last_month": f"{last:%Y-%m}",
        "year": f"{today:%Y}",
    }


# figures of drafts


def energy(office: Office, day: str, month: str) -> dict[str, Any]:
    """Per tonne of aluminium and heat recovered, of a day and of a month."""
    spans = {"day": day, "month": month}
    found = {name: _lines(office, "energy", period) for name, period in spans.items()}
    lines = [("plant", say("全厂", "plant"))]
    now = plant_now().date()
    lines += [
        (line.id, line.name.of(language()))
        for line in office.site.potline
        if line.runs_in(now - timedelta(days=32), now + timedelta(days=1))
    ]
    scopes = [
        {
            "id": scope,
            "name": name,
            **{span: _figure(found[span], f"{scope}.liquid_ac", spans[span]) for span in spans},
        }
        for scope, name in (lines if len(lines) > 2 else lines[1:])
    ]
    heat = [
        {
            "id": each.equipment,
            "name": each.name.of(language()) if each.name else each.equipment,
            **{
                span: _figure(found[span], f"plant.heat_recovered.{each.equipment}", spans[span])
                for span in spans
            },
        }
        for each in office.site.exchangers
        if each.stopped is None or each.stopped > now
    ]
    total = {span: _figure(found[span], "plant.heat_recovered", spans[span]) for span in spans}
    return {"scopes": scopes, "heat": heat, "heat_total": total, "spans": spans}


def carbon(office: Office, month: str, year: str) -> dict[str, Any]:
    """The month to date, and the year with its forecast, allowance and what is left, as a band."""
    monthly = _lines(office, "carbon-monthly", month)
    yearly = _lines(office, "allowance", year)
    content = drafts.content(office, "allowance", year)
    bands = {}
    for name in ALLOWANCE:
        bands[name] = {
            end or "value": _figure(yearly, f"plant.{name}{end and '_' + end}", year)
            for end in ("", "low", "high")
        }
    return {
        "month": {name: _figure(monthly, f"plant.{name}", month) for name in CARBON},
        "year": bands,
        "measured": year_band.months(yearly),
        "picture": year_band.picture(content),
        "says": _first_words(content),
    }


def _first_words(content: dict[str, Any] | None) -> list[str]:
    """The answer that the report begins with."""
    if content is None:
        return []
    for chapter in content["chapters"]:
        for block in chapter["blocks"]:
            text = block.get("text")
            if isinstance(text, dict) and {"zh", "en"} <= set(text):
                return [text[language()]]
    return []


def _lines(office: Office, report: str, period: str) -> dict[str, dict[str, Any]]:
    content = drafts.content(office, report, period)
    return {} if content is None else {line["id"]: line for line in content["lines"]}


def _figure(lines: dict[str, dict[str, Any]], name: str, period: str) -> dict[str, Any] | None:
    """A line as a card shows it; None where the draft has no such line."""
    line = lines.get(name)
    if line is None:
        return None
    return {
        "id": name,
        "label": line["label"][language()],
        "value": line["rounded"],
        "unit": line["unit"],
        "decimals": line["decimals"],
        "period": period,
        "missing": [text[language()] for text in line["missing"]],
        "coverage": line["coverage"]["text"][language()] if line.get("coverage") else "",
    }


# duties


def duties_left(office: Office) -> dict[str, Any]:
    """What must be done, the overdue first; what is done is only counted."""
    on, site = plant_now().date(), office.site
    try:
        packs = load_packs(site)
        plan = None if site.plan is None else load_plan(site.plan, site)
        asked = DutyOffice(
            site, read_ledger(site.entries), read_lodgings(site.entries), packs, plan
        )
        found = duties(asked, on)
    except RuleError as error:
        raise ConfigError([str(error)]) from None
    stacks = {stack.id for stack in site.stacks}
    rows = [_duty(duty, on, stacks) for duty in found if duty.state is not State.DONE]
    counts = {state.value: sum(duty.state is state for duty in found) for state in State}
    return {"on": on, "rows": rows, "counts": counts}


def _duty(duty: Duty, on: date, stacks: set[str]) -> dict[str, Any]:
    words = CONFIRMED.get(duty.confirmed)
    return {
        "id": duty.id,
        "period": duty.period,
        "text": duty.text.of(language()),
        "due": duty.due,
        "left": duty.left(on),
        "state": duty.state.value,
        "word": say(*STATES[duty.state]),
        "source": " ".join(part for part in (duty.source, duty.locator) if part),
        "confirmed": say(*words) if words else "",
        "note": "" if duty.note is None else duty.note.of(language()),
        "mend": _mend(duty, stacks),
    }


def _mend(duty: Duty, stacks: set[str]) -> str:
    """The page on which it is done."""
    if duty.id == "lodge":
        return f"/carbon/{duty.period}"
    if duty.period in stacks:
        return "/stacks"
    return "/settings/meters" if duty.id == "certificate" else "/carbon"


# events


def open_events(office: Office) -> list[dict[str, Any]]:
    """Events of the last month that have no end in the lake, the newest first."""
    if office.site.lake is not None and not office.site.lake.is_dir():
        return []  # nothing was received yet; the card of completeness says so
    today = plant_now().date()
    period = Period.between(today - timedelta(days=EVENT_DAYS), today)
    try:
        with open_series(office.site) as series:
            if not isinstance(series, LakeSeries):
                return []
            duck = series.reading("events", period.start_ns, period.end_ns)
            if duck is None:
                return []
            kinds = ", ".join(f"'{kind}'" for kind in LASTING)
            rows = duck.sql(_OPEN.format(kinds=kinds, most=MOST_EVENTS)).fetchall()
    except SeriesError as error:
        raise ConfigError([str(error)]) from None
    names = ("id", "kind", "equipment", "start_ms", "text", "amount")
    return [dict(zip(names, row, strict=True)) | {"end_ms": None} for row in rows]


# what waits for the officer


def waiting(office: Office, last_month: str, month: str) -> dict[str, Any]:
    """What is missing for the month to be lodged, and so far for the one that runs."""
    lodged = read_lodgings(office.site.entries).latest("carbon-monthly", last_month)
    content = drafts.content(office, "carbon-monthly", last_month)
    running_month = drafts.content(office, "carbon-monthly", month)
    return {
        "month": last_month,
        "lodged": None if lodged is None else {"on": lodged.on, "receipt": lodged.receipt},
        "known": content is not None,
        "missing": _reasons(content),
        "missing_now": _reasons(running_month),
    }


def unexplained(office: Office, months: list[str]) -> dict[str, Any]:
    """Exceedances that count and of which nobody has said what was done, the newest first."""
    found = [
        row
        for month in months
        for row in (exceeded(office, month)["rows"] if office.site.stacks else [])
        if row["judged"] and not row["done"]
    ]
    found.sort(key=lambda row: int(row["start_ns"]), reverse=True)
    return {"rows": found[:20], "count": len(found)}


def _reasons(content: dict[str, Any] | None) -> list[dict[str, Any]]:
    """Each reason once, with the lines it stops; reasons that only follow are left out."""
    if content is None:
        return []
    lines = {line["id"]: line for line in content["lines"]}
    found: dict[str, list[str]] = {}
    for name in content["missing"]:
        for text in lines[name]["missing"]:
            found.setdefault(text[language()], []).append(name)
    missing = set(content["missing"])
    return [
        {"text": text, "lines": names}
        for text, names in found.items()
        if not _follows(text, missing)
    ]


def _follows(text: str, missing: Iterable[str]) -> bool:
    return any(f"({name}) is missing" in text or f"（{name}）" in text for name in missing)
