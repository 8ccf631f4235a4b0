"""The report as ready-made texts for one language: what the PDF prints, nothing computed here."""

from decimal import Decimal
from typing import Any, Final

from reports.entry_kinds import KINDS
from reports.model import (
    Change,
    EntryUse,
    How,
    LegalUse,
    Line,
    MeterUse,
    PotlineUse,
    Report,
    Section,
    Text,
)
from reports.render.labels import (
    CONFIRMED,
    EVENTS,
    HOW,
    REASONS,
    VALUES,
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
INPUTS_SHOWN: Final = 8
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
        "entries": [_entries(run, lang) for run in runs(content.entries)],
        "meters": [_meter(meter, lang) for meter in content.meters],
        "changes": [
            {
                "ref": _changed(change, labels, lang),
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


def _changed(change: Change, labels: dict[str, str], lang: str) -> str:
    if change.what != "entry":
        return labels.get(change.ref, change.ref)
    line, kind, period = change.ref.split(" ")
    return f"{'录入' if lang == 'zh' else 'entry'} {line} {_kind(kind, lang)} {period}"


def _kind(kind: str, lang: str) -> str:
    return KINDS[kind].zh if lang == "zh" else KINDS[kind].en


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
        "label": line.label.of(lang),
        "unit": line.unit,
        "rounded": rounded_text(line),
        "exact": exact_text(line.value),
        "how": HOW[line.how].of(lang),
        "is_missing": line.how is How.MISSING,
        "equation": line.equation,
        "inputs": _inputs(line, labels, lang),
        "coverage": coverage_text(line.coverage, lang),
        "missing": [text.of(lang) for text in line.missing],
        "notes": [text.of(lang) for text in line.notes],
    }


def _inputs(line: Line, labels: dict[str, str], lang: str) -> list[str]:
    """Each input; a month of daily entries as one."""
    if len(line.inputs) <= INPUTS_SHOWN or line.formula:
        return [input_text(line, given, lang, labels) for given in line.inputs]
    first, last = line.inputs[0], line.inputs[-1]
    count = len(line.inputs)
    return [
        f"Σ {count} 项：{labels[first.ref]} 至 {labels[last.ref]}"
        if lang == "zh"
        else f"Σ of {count}: {labels[first.ref]} to {labels[last.ref]}"
    ]


def _legal(legal: LegalUse, lang: str) -> View:
    if isinstance(legal.value, str):
        value = label(VALUES, legal.value, lang)
    else:
        value = f"{short_text(legal.value)} {unit_text(legal.unit, lang)}".strip()
    return {
        "label": legal.label.of(lang),
        "value": value,
        "source": legal.source.title,
        "locator": legal.locator,
        "from": str(legal.applies_from),
        "confirmed": CONFIRMED[legal.confirmed].of(lang),
        "official": legal.confirmed == "official",
        "seen": legal.seen,
    }


def runs(entries: tuple[EntryUse, ...]) -> list[list[EntryUse]]:
    """Entries as rows of the printed table: days of one table that follow one another are a run."""
    found: list[list[EntryUse]] = []
    for entry in entries:
        last = found[-1][-1] if found else None
        if last is not None and _same_table(last, entry):
            found[-1].append(entry)
        else:
            found.append([entry])
    return found


def _same_table(one: EntryUse, other: EntryUse) -> bool:
    same = ("kind", "line", "unit", "author", "reason", "time", "source", "document", "revises")
    return one.number + 1 == other.number and all(
        getattr(one, name) == getattr(other, name) for name in same
    )


def _span(first: str, last: str) -> str:
    return first if first == last else f"{first} – {last}"


def _entries(run: list[EntryUse], lang: str) -> View:
    first, last = run[0], run[-1]
    documents = [
        f"{document.name} {document.sha256[:16]}"
        for document in (first.document, first.source)
        if document is not None
    ]
    total = sum((entry.value for entry in run), Decimal(0))
    return {
        "number": _span(str(first.number), str(last.number)),
        "label": first.label.of(lang),
        "line": first.line,
        "period": _span(first.period, last.period),
        "value": f"{'Σ ' if len(run) > 1 else ''}{exact_text(total)} {first.unit}",
        "author": first.author,
        "time": first.time[:16].replace("T", " "),
        "reason": first.reason,
        "voucher": _span(first.voucher, last.voucher),
        "documents": documents,
        "row": _span(str(first.row), str(last.row)) if first.row else "",
        "revises": str(first.revises or ""),
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
