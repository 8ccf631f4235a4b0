"""The report as ready-made texts for one language: what the PDF prints, nothing computed here."""

from typing import Any, Final

from reports.model import EntryUse, How, LegalUse, Line, MeterUse, PotlineUse, Report, Section, Text
from reports.render.labels import (
    CONFIRMED,
    EVENTS,
    HOW,
    REASONS,
    VALUES,
    chemical,
    coverage_text,
    exact_text,
    input_text,
    label,
    reference_labels,
    rounded_text,
    unit_text,
)
from reports.site import PLANT
from reports.words import short_text

View = dict[str, Any]
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
    content = report.content
    lines = {line.id: line for line in content.lines}
    labels = reference_labels(report, lang)
    scopes = [*((line.id, line.name.of(lang)) for line in content.potlines), (PLANT, _all(lang))]
    return {
        "lang": lang,
        "title": content.title.of(lang),
        "month": _month(content.period.month, lang),
        "plant": content.plant.name.of(lang),
        "operator": (content.plant.operator or content.plant.name).of(lang),
        "credit_code": content.plant.credit_code,
        "start": content.period.start[:10],
        "last": content.period.end[:10],
        "lodge_by": str(content.period.lodge_by),
        "version": report.version,
        "digest": report.content_sha256,
        "complete": content.complete,
        "missing": [
            {"line": labels[key], "why": [text.of(lang) for text in lines[key].missing]}
            for key in content.missing
        ],
        "stamps": [
            {
                "title": stamp.source.title,
                "where": stamp.source.where,
                "confirmed": CONFIRMED[stamp.confirmed].of(lang),
                "parameters": [chemical(text.of(lang)) for text in stamp.parameters],
            }
            for stamp in content.stamps
        ],
        "warnings": [
            {"line": labels.get(d.line, d.line), "text": d.text.of(lang)} for d in content.warnings
        ],
        "summary": _grid(lines, scopes, SUMMARY, lang),
        "rounded_sums": _rounded_sums(lines),
        "auxiliary": _grid(lines, scopes, AUXILIARY, lang),
        "potlines": [_potline(line, lang) for line in content.potlines],
        "purchased": [
            _line(lines[key], labels, lang)
            for key in ("plant.electricity_purchased", "plant.heat_purchased")
            if key in lines
        ],
        "sections": [
            {"name": name, "lines": _lines(_of(content.lines, key), labels, lang)}
            for key, name in scopes
        ],
        "legals": [_legal(legal, lang) for legal in content.legals],
        "entries": [_entry(entry, lang) for entry in content.entries],
        "meters": [_meter(meter, lang) for meter in content.meters],
        "changes": [
            {
                "ref": labels.get(change.ref, change.ref),
                "before": "—" if change.before is None else str(change.before),
                "after": "—" if change.after is None else str(change.after),
            }
            for change in report.changes
        ],
        "previous": report.previous_sha256,
        "packs": sorted(content.packs.items()),
        "ledger": {"entries": content.ledger.entries, "head": content.ledger.head},
        "series": content.series,
    }


def _all(lang: str) -> str:
    return "全厂合计" if lang == "zh" else "Plant total"


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
        heads.append({"label": chemical(label_), "unit": chemical(sample.unit)})
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


def _potline(line: PotlineUse, lang: str) -> View:
    return {
        "name": line.name.of(lang),
        "process": line.process,
        "capacity": exact_text(line.capacity_t_per_year),
        "current": short_text(line.design_current_ka),
        "voltage": short_text(line.design_voltage_v),
        "pots": str(line.pots),
        "rectifiers": str(line.rectifiers),
        "days": str(line.days),
    }


def _lines(lines: list[Line], labels: dict[str, str], lang: str) -> list[View]:
    """One after the other; inputs that the line before had too are not printed again."""
    shown = []
    for number, line in enumerate(lines):
        item = _line(line, labels, lang)
        if number and line.inputs and line.inputs == lines[number - 1].inputs:
            item["inputs"] = ["公式与输入同上" if lang == "zh" else "formula and inputs as above"]
            item["equation"] = ""
        shown.append(item)
    return shown


def _line(line: Line, labels: dict[str, str], lang: str) -> View:
    return {
        "id": line.id,
        "label": chemical(line.label.of(lang)),
        "unit": chemical(line.unit),
        "rounded": rounded_text(line),
        "exact": exact_text(line.value),
        "how": HOW[line.how].of(lang),
        "is_missing": line.how is How.MISSING,
        "equation": chemical(line.equation),
        "inputs": [input_text(line, given, lang, labels) for given in line.inputs],
        "coverage": coverage_text(line.coverage, lang),
        "missing": [text.of(lang) for text in line.missing],
        "notes": [text.of(lang) for text in line.notes],
    }


def _legal(legal: LegalUse, lang: str) -> View:
    if isinstance(legal.value, str):
        value = label(VALUES, legal.value, lang)
    else:
        value = f"{short_text(legal.value)} {unit_text(legal.unit, lang)}".strip()
    return {
        "label": chemical(legal.label.of(lang)),
        "value": chemical(value),
        "source": legal.source.title,
        "locator": legal.locator,
        "from": str(legal.applies_from),
        "confirmed": CONFIRMED[legal.confirmed].of(lang),
        "official": legal.confirmed == "official",
        "seen": legal.seen,
    }


def _entry(entry: EntryUse, lang: str) -> View:
    documents = [
        f"{document.name} {document.sha256[:16]}"
        for document in (entry.document, entry.source)
        if document is not None
    ]
    return {
        "number": str(entry.number),
        "label": entry.label.of(lang),
        "line": entry.line,
        "period": entry.period,
        "value": f"{exact_text(entry.value)} {entry.unit}",
        "author": entry.author,
        "time": entry.time[:16].replace("T", " "),
        "reason": entry.reason,
        "voucher": entry.voucher,
        "documents": documents,
        "row": str(entry.row) if entry.row else "",
        "revises": str(entry.revises or ""),
    }


def _meter(meter: MeterUse, lang: str) -> View:
    share = (meter.measured_s + meter.bridged_s) / meter.period_s * 100
    return {
        "id": meter.id,
        "unit": meter.unit,
        "total": exact_text(meter.total),
        "share": f"{share:.4f} %",
        "begin": "—" if meter.begin is None else exact_text(meter.begin.last),
        "begin_time": "" if meter.begin is None else meter.begin.time,
        "end": "—" if meter.end is None else exact_text(meter.end.last),
        "end_time": "" if meter.end is None else meter.end.time,
        "windows": f"{meter.windows:,}",
        "batches": [f"{b.gateway} {b.log} {b.first_seq}–{b.last_seq}" for b in meter.batches],
        "gaps": [
            {
                "start": gap.start,
                "end": gap.end,
                "reason": label(REASONS, gap.reason, lang),
                "amount": "—" if gap.amount is None else exact_text(gap.amount),
            }
            for gap in meter.gaps
        ],
        "more_gaps": meter.more_gaps,
        "events": [
            f"{event.start} {label(EVENTS, event.kind, lang)}：{event.text}"
            for event in meter.events
        ],
    }
