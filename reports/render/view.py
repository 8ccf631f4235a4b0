"""The report as ready-made texts for one language: what the PDF prints, nothing computed here."""

from typing import Final

from reports.entries.kinds import KINDS
from reports.model import Change, How, Line, Report, Section
from reports.render.items import (
    View,
    legal_view,
    line_view,
    line_views,
    meter_view,
    potline_view,
    run_view,
    runs,
)
from reports.render.labels import (
    CONFIRMED,
    HOW,
    reference_labels,
    rounded_text,
)
from reports.site import PLANT
from reports.values import Text

SUMMARY: Final = (
    "aluminium",
    "anode_consumed",
    "anode_net",
    "anode_co2",
    "pfc",
    "emission",
    "intensity",
)
SHORT: Final = {
    "anode_co2": Text(zh="炭阳极排放", en="CO2 from anodes"),
    "pfc": Text(zh="阳极效应排放", en="Anode-effect PFC"),
    "emission": Text(zh="工序排放量", en="Process emission"),
    "intensity": Text(zh="排放强度", en="Intensity"),
    "indirect_co2": Text(zh="电力间接排放（参考）", en="Indirect CO2 (information)"),
    "electricity_ac": Text(zh="工序交流电量", en="AC electricity"),
    "electricity_aux": Text(zh="工序动力电量", en="Auxiliary electricity"),
    "specific_energy": Text(zh="铝液交流电耗", en="AC electricity per t"),
}
AUXILIARY: Final = (
    "electricity_ac",
    "specific_energy",
    "electricity_aux",
    "heat_process",
    "indirect_co2",
)


def view(report: Report, lang: str) -> View:
    """Everything the template needs, as strings, lists and flags."""
    labels = reference_labels(report, lang)
    return _head(report, lang) | _front(report, lang, labels) | _details(report, lang, labels)


def _head(report: Report, lang: str) -> View:
    content = report.content
    return {
        "lang": lang,
        "title": content.title.of(lang),
        "month": _month(content.period.name, lang),
        "plant": content.plant.name.of(lang),
        "operator": (content.plant.operator or content.plant.name).of(lang),
        "credit_code": content.plant.credit_code,
        "start": content.period.start[:10],
        "last": content.period.end[:10],
        "lodge_by": str(content.duties[0].due),
        "version": report.version,
        "previous": report.previous_sha256,
        "digest": report.content_sha256,
        "packs": sorted(content.packs.items()),
        "ledger": {"entries": content.ledger.entries, "head": content.ledger.head},
        "series": content.series,
    }


def _front(report: Report, lang: str, labels: dict[str, str]) -> View:
    """What the first page shows: alarms and the two summary tables."""
    content = report.content
    lines = {line.id: line for line in content.lines}
    scopes = _scopes(report, lang)
    bought = (lines.get(f"{PLANT}.{name}") for name in ("electricity_purchased", "heat_purchased"))
    return {
        "complete": content.complete,
        "missing": [
            {"why": text.of(lang), "lines": [labels[key] for key in stopped]}
            for text, stopped in content.reasons().items()
        ],
        "stamps": [
            {
                "title": stamp.source.title,
                "where": stamp.source.where,
                "confirmed": CONFIRMED[stamp.confirmed].of(lang),
                "parameters": [text.of(lang) for text in stamp.parameters],
            }
            for stamp in content.stamps
        ],
        "warnings": [
            {"line": labels.get(d.line, d.line), "text": d.text.of(lang)} for d in content.warnings
        ],
        "summary": _grid(lines, scopes, SUMMARY, lang),
        "rounded_sums": _rounded_sums(lines),
        "auxiliary": _grid(lines, scopes, AUXILIARY, lang),
        "purchased": [line_view(line, labels, lang) for line in bought if line is not None],
    }


def _details(report: Report, lang: str, labels: dict[str, str]) -> View:
    content = report.content
    return {
        "potlines": [potline_view(line, lang) for line in content.potlines],
        "sections": [
            {"name": name, "lines": line_views(_of(content.lines, key), labels, lang)}
            for key, name in _scopes(report, lang)
        ],
        "legals": [legal_view(legal, lang) for legal in content.legals],
        "entries": [run_view(run, lang) for run in runs(content.entries)],
        "meters": [meter_view(meter, lang) for meter in content.meters],
        "changes": [
            {
                "ref": _changed(change, labels, lang),
                "before": "—" if change.before is None else str(change.before),
                "after": "—" if change.after is None else str(change.after),
            }
            for change in report.changes
        ],
    }


def _scopes(report: Report, lang: str) -> list[tuple[str, str]]:
    lines = [(line.id, line.name.of(lang)) for line in report.content.potlines]
    return [*lines, (PLANT, "全厂合计" if lang == "zh" else "Plant total")]


def _changed(change: Change, labels: dict[str, str], lang: str) -> str:
    if change.what != "entry":
        return labels.get(change.ref, change.ref)
    line, kind, period = change.ref.split(" ")
    return f"{'录入' if lang == 'zh' else 'entry'} {line} {_kind(kind, lang)} {period}"


def _kind(kind: str, lang: str) -> str:
    return KINDS[kind].zh if lang == "zh" else KINDS[kind].en


def _month(month: str, lang: str) -> str:
    year, _, number = month.partition("-")
    return f"{year} 年 {int(number)} 月" if lang == "zh" else month


def _of(lines: tuple[Line, ...], scope: str) -> list[Line]:
    order = {Section.PROCESS: 0, Section.AUXILIARY: 1, Section.INFORMATION: 2}
    return sorted((line for line in lines if line.scope == scope), key=lambda x: order[x.section])


def _grid(
    lines: dict[str, Line], scopes: list[tuple[str, str]], names: tuple[str, ...], lang: str
) -> View:
    """Scopes down, quantities across; a column that nobody states is left out."""
    shown = [
        name for name in names if any(_stated(lines.get(f"{scope}.{name}")) for scope, _ in scopes)
    ]
    heads = []
    for name in shown:
        sample = next(lines[f"{key}.{name}"] for key, _ in scopes if f"{key}.{name}" in lines)
        label_ = SHORT.get(name, sample.label).of(lang)
        heads.append({"label": label_, "unit": sample.unit})
    rows = [
        {"name": label_, "cells": [_cell(lines.get(f"{key}.{name}"), lang) for name in shown]}
        for key, label_ in scopes
    ]
    return {"heads": heads, "rows": rows}


def _stated(line: Line | None) -> bool:
    return line is not None and (line.value is not None or line.how is How.MISSING)


def _cell(line: Line | None, lang: str) -> View:
    if line is None:
        return {"text": "—", "missing": False}
    missing = line.how is How.MISSING
    return {"text": HOW[line.how].of(lang) if missing else rounded_text(line), "missing": missing}


def _rounded_sums(lines: dict[str, Line]) -> list[str]:
    found = []
    for name in SUMMARY:
        line = lines.get(f"{PLANT}.{name}")
        value = None if line is None else line.sum_of_rounded
        found.append("" if line is None or value is None else f"{value:,.{line.decimals}f}")
    return found
