"""What to look at before a month is reported: against last month, second sources, doubts."""

import json
from decimal import Decimal
from functools import partial
from typing import Any, Final

from drivers.language import language, say
from reports.basis import Basis
from reports.console import archive_names as names
from reports.console.figures import drafts
from reports.console.figures.month import REPORT
from reports.console.office import Office
from reports.entries.ledger import read_ledger
from reports.lodgings import read_lodgings
from reports.model import Content, Line
from reports.periods import Period
from reports.plan.file import load_plan
from reports.render.marks import marks
from reports.rules.overlay import load_packs
from reports.series.store import open_series
from reports.site import Site
from reports.verification.checks import Check, checks, percent_of

Node = dict[str, Any]
MOVED: Final = Decimal(10)  # % since last month; our own mark, to look at, not law
_COMPARED: Final = (
    *("aluminium", "anode_consumed", "anode_net", "anode_co2", "pfc", "emission", "intensity"),
    *("electricity_ac", "specific_energy", "electricity_aux", "electricity_purchased"),
    *("heat_purchased", "fuel_co2", "carbonate_co2", "enterprise_emission"),
)


def differences(office: Office, month: str) -> Node:
    """
    The month's draft beside the month before and its second sources. Needs the draft.

    ``rows``: figures with last month's; ``checks``: second sources; ``doubts``, ``missing``: as
    the report would say them.
    """
    table = drafts.content(office, REPORT, month)
    if table is None:
        return {"there": False}
    content = Content.model_validate(table)
    period, lang = Period.parse(month), language()
    before = _before(office, period.previous)
    labels = {line.id: line.label.of(lang) for line in content.lines}
    places = {line.id: line.name.of(lang) for line in content.potlines}
    return {
        "there": True,
        "complete": content.complete,
        "previous": str(period.previous),
        "previous_known": before is not None,
        "rows": [
            _row(line, before, places)
            for line in content.lines
            if line.id.partition(".")[2] in _COMPARED and line.value is not None
        ],
        "checks": [_check(each, places) for each in _second(office, content, period)],
        "doubts": [
            {
                "id": x.line,
                "line": _named(x.line, labels, places),
                "text": x.text.of(lang),
            }
            for x in content.warnings
        ],
        "missing": [
            {"why": text.of(lang), "lines": [_named(x, labels, places) for x in stopped]}
            for text, stopped in content.reasons().items()
        ],
        "signs": sorted(set("".join(marks(content).values()))),
    }


def _named(identity: str, labels: dict[str, str], places: dict[str, str]) -> str:
    scope = identity.partition(".")[0]
    return " ".join(x for x in (places.get(scope, ""), labels.get(identity, identity)) if x)


def _before(office: Office, period: Period) -> dict[str, Line] | None:
    """Lines of the newest report of the month before; None when there is none."""
    path = names.newest(office.reports, REPORT, str(period))
    if path is None:
        return None
    content = Content.model_validate(json.loads(path.read_bytes())["content"])
    return {line.id: line for line in content.lines}


def _row(line: Line, before: dict[str, Line] | None, places: dict[str, str]) -> Node:
    old = None if before is None else before.get(line.id)
    moved = None
    if old is not None and old.value is not None and line.value is not None:
        moved = percent_of(line.value - old.value, old.value)
    return {
        "id": line.id,
        "place": places.get(line.scope, say("全厂", "plant")),
        "label": line.label.of(language()),
        "value": line.rounded,
        "decimals": line.decimals,
        "unit": line.unit,
        "before": None if old is None else old.rounded,
        "moved": None if moved is None else round(moved, 2),
        "far": moved is not None and abs(moved) > MOVED,
    }


def _second(office: Office, content: Content, period: Period) -> tuple[Check, ...]:
    site = office.site
    with open_series(site) as series:
        basis = Basis(
            site,
            period,
            read_ledger(site.entries),
            series,
            load_packs(site),
            read_lodgings(site.entries),
            archive=office.reports,
        )
        lines = {f"{line.id}@{period}": _of_month(line, period) for line in content.lines}
        return checks(basis, lines, _plan(site))


def _plan(site: Site) -> Any:
    return None if site.plan is None else load_plan(site.plan, site)


def _of_month(line: Line, period: Period) -> Line:
    """As a line of a year's report: its id, and the lines it is made from, name the month."""
    at = partial("{}@{}".format)
    inputs = tuple(
        given.model_copy(update={"ref": at(given.ref, period)}) if given.kind == "line" else given
        for given in line.inputs
    )
    return line.model_copy(update={"id": at(line.id, period), "inputs": inputs})


def _check(each: Check, places: dict[str, str]) -> Node:
    scope = each.figure.partition(".")[0]
    return {
        "id": each.figure,
        "place": places.get(scope, say("全厂", "plant")),
        "label": each.label.of(language()),
        "value": each.value,
        "unit": each.unit,
        "source": each.source.label.of(language()),
        "amount": each.source.amount,
        "percent": None if each.percent is None else round(each.percent, 3),
        "threshold": each.threshold,
        "above": each.above,
        "explanation": each.explanation,
        "entries": [entry.number for entry in each.source.entries],
    }
