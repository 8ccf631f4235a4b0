"""The parts of the printed report as ready-made texts: lines, rules, entries, meters."""

from decimal import Decimal
from typing import Any, Final

from reports.citations import EntryUse, LegalUse, MeterUse
from reports.model import How, Line, PotlineUse
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
    rounded_text,
    unit_text,
)
from reports.words import short_text

View = dict[str, Any]
INPUTS_SHOWN: Final = 8


def potline_view(line: PotlineUse, lang: str) -> View:
    """Master data of a process."""
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


def line_views(lines: list[Line], labels: dict[str, str], lang: str) -> list[View]:
    """One after the other; inputs that the line before had too are not printed again."""
    shown = []
    for number, line in enumerate(lines):
        item = line_view(line, labels, lang)
        if number and line.inputs and line.inputs == lines[number - 1].inputs:
            item["inputs"] = ["公式与输入同上" if lang == "zh" else "formula and inputs as above"]
            item["equation"] = ""
        shown.append(item)
    return shown


def line_view(line: Line, labels: dict[str, str], lang: str) -> View:
    """One figure with formula, inputs and coverage."""
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


def legal_view(legal: LegalUse, lang: str) -> View:
    """One rule and its citation."""
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


def run_view(run: list[EntryUse], lang: str) -> View:
    """One entry, or the days of one table as one row."""
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


def meter_view(meter: MeterUse, lang: str) -> View:
    """One meter: registers, coverage, gaps, events, batches."""
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
