"""The parts that every report shows in the same way: rules, entries, meters, changes, duties."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final

from reports.chapters import days_left
from reports.citations import EntryUse, LegalUse, MeterUse
from reports.model import Change, DutyUse
from reports.render.blocks import Pages, notes_below, nothing
from reports.render.items import changed, legal_value, runs, shown, span
from reports.render.labels import (
    CONFIRMED,
    EVENTS,
    REASONS,
    exact_text,
    item_text,
    label,
    more_text,
    unit_text,
)
from reports.render.marks import sign_of
from reports.render.printed import Cell, Head, View, said, table
from reports.rules.places import place_text
from reports.words import short_text


def standard(pages: Pages, part: str) -> list[View]:
    """The shapes of one part; empty when it is optional and there is nothing to say."""
    return PARTS[part](pages)


def _potlines(pages: Pages) -> list[View]:
    say = pages.say
    heads = [
        Head(say("工序", "Process")),
        Head(say("编号", "No."), right=True),
        Head(say("产能", "Capacity"), "t/a", right=True),
        Head(say("设计电流", "Current"), "kA", right=True),
        Head(say("设计槽电压", "Per pot"), "V", right=True),
        Head(say("槽数", "Pots"), right=True),
        Head(say("整流机组", "Rectifiers"), right=True),
        Head(say("运行天数", "Days"), right=True),
    ]
    rows: list[list[Cell]] = [
        [
            [said(text)]
            for text in (
                pages.of(line.name),
                line.process,
                exact_text(line.capacity_t_per_year),
                short_text(line.design_current_ka),
                short_text(line.design_voltage_v),
                str(line.pots),
                str(line.rectifiers),
                str(line.days),
            )
        ]
        for line in pages.report.content.potlines
    ]
    shares = (1.2, 0.6, 1.0, 1.0, 1.1, 0.7, 0.9, 0.9)
    return [table(heads, rows, relative=shares)] if rows else []


def _legals(pages: Pages) -> list[View]:
    say = pages.say
    heads = [
        Head(say("参数", "Parameter")),
        Head(say("取值", "Value")),
        Head(say("依据文件与位置", "Text and place")),
        Head(say("核实", "Confirmed")),
    ]
    rows = [_legal(pages, legal) for legal in pages.report.content.legals]
    if not rows:
        return [nothing(pages)]
    return [table(heads, rows, relative=(1.35, 0.9, 2.2, 0.62))]


def _legal(pages: Pages, legal: LegalUse) -> list[Cell]:
    style = {"official": "plain", "site": "amber"}.get(legal.confirmed, "red")
    since = pages.say(
        f"{legal.locator}；自 {legal.applies_from}",
        f"{place_text(legal.locator, 'en')}; from {legal.applies_from}",
    )
    return [
        [said(pages.of(legal.label), mark=sign_of(legal))],
        [said(legal_value(legal, pages.lang))],
        [
            said(legal.source.title, "small-ink"),
            said(since, "small"),
            *([] if legal.overlay is None else [said(pages.of(legal.overlay.text), "small")]),
        ],
        [said(CONFIRMED[legal.confirmed].of(pages.lang), style)],
    ]


def _absent(pages: Pages) -> list[View]:
    say = pages.say
    heads = [
        Head(say("参数", "Parameter")),
        Head(say("单位", "Unit")),
        Head(say("应打开的文件与位置", "Text to open, and place")),
        Head(say("补充规则中的名称", "Key in the overlay")),
    ]
    rows: list[list[Cell]] = [
        [
            [said(pages.of(absent.label), "amber")],
            [said(unit_text(absent.unit, pages.lang))],
            [
                said(absent.source.title, "small-ink"),
                said(
                    say("；", "; ").join(
                        place_text(each, pages.lang)
                        for each in (absent.source.where, absent.locator)
                    ),
                    "small",
                ),
            ],
            [said(absent.id, "small")],
        ]
        for absent in pages.report.content.absent
    ]
    return [table(heads, rows, relative=(1.35, 0.7, 2.2, 1.2))] if rows else []


def _entries(pages: Pages) -> list[View]:
    say = pages.say
    heads = [
        Head("#"),
        Head(say("项目", "Figure")),
        Head(say("工序 / 期间", "Line / period")),
        Head(say("数值", "Value"), right=True),
        Head(say("填报人、时间、理由", "Author, time, reason")),
        Head(say("凭证与 SHA-256（前 16 位）", "Documents, SHA-256 (first 16)")),
    ]
    rows = [entry_cells(pages, run) for run in runs(pages.report.content.entries)]
    if not rows:
        return notes_below([say("本期无录入数据。", "No entries.")])
    return [table(heads, rows, relative=(0.4, 1.1, 1.0, 0.95, 1.25, 1.7))]


def entry_cells(pages: Pages, run: Sequence[EntryUse]) -> list[Cell]:
    """One entry, or the days of one table as one row."""
    first, last = run[0], run[-1]
    total = sum((entry.value for entry in run), Decimal(0))
    number = [said(span(str(first.number), str(last.number)))]
    if first.revises is not None:
        number.append(said(pages.say(f"修订 {first.revises}", f"revises {first.revises}"), "small"))
    name = [said(pages.of(first.label))]
    if first.item:
        name.append(said(item_text(first.kind, first.item, pages.lang), "small"))
    if first.more:
        name.append(said(more_text(first.more, pages.lang), "small"))
    sign = "Σ " if len(run) > 1 else ""
    return [
        number,
        name,
        [said(first.line), said(span(first.period, last.period), "small")],
        [said(f"{sign}{exact_text(total)} {unit_text(first.unit, pages.lang)}")],
        [
            said(f"{first.author} {first.time[:16].replace('T', ' ')}", "small"),
            said(first.reason, "small"),
        ],
        _documents(pages, first, last),
    ]


def _documents(pages: Pages, first: EntryUse, last: EntryUse) -> Cell:
    found = [said(span(first.voucher, last.voucher), "small")] if first.voucher else []
    found += [
        said(f"{document.name} {document.sha256[:16]}", "small")
        for document in (first.document, first.source)
        if document is not None
    ]
    if first.row and found:
        rows = span(str(first.row), str(last.row))
        found[-1]["t"] += pages.say(f"，第 {rows} 行", f", row {rows}")
    return found


def _meters(pages: Pages) -> list[View]:
    meters = pages.report.content.meters
    if not meters:
        return notes_below([pages.say("本期无计量数据。", "No metered data.")])
    counters = [meter for meter in meters if not meter.is_gauge]
    gauges = [meter for meter in meters if meter.is_gauge]
    return [
        *(view for meter in counters for view in _meter(pages, meter)),
        *([_gauges(pages, gauges)] if gauges else []),
    ]


def _batches(meter: MeterUse) -> str:
    return "; ".join(f"{b.gateway} {b.log} {b.first_seq}–{b.last_seq}" for b in meter.batches)


def _gauges(pages: Pages, gauges: Sequence[MeterUse]) -> View:
    """Points without a register: how much of the period they cover."""
    say = pages.say
    heads = [
        Head(say("测点", "Point")),
        Head(say("单位", "Unit")),
        Head(say("覆盖率", "Coverage"), right=True),
        Head(say("窗口数", "Windows"), right=True),
        Head(say("批次", "Batches")),
    ]
    rows = [
        [
            [said(meter.id)],
            [said(unit_text(meter.unit, pages.lang), "small")],
            [said(f"{meter.measured_s / meter.period_s * 100:.2f} %")],
            [said(f"{meter.windows:,}")],
            [said(_batches(meter), "small")],
        ]
        for meter in gauges
    ]
    return table(heads, rows, relative=(3, 1, 1, 1, 3))


def _meter(pages: Pages, meter: MeterUse) -> list[View]:
    """Registers and coverage as a table, gaps, events and batches below it."""
    say = pages.say
    share = (meter.measured_s + meter.bridged_s) / meter.period_s * 100
    heads = [
        Head(say("期初表底", "Register at begin"), right=True),
        Head(say("期末表底", "Register at end"), right=True),
        Head(say("本期累计", "Counted"), right=True),
        Head(say("覆盖率", "Coverage"), right=True),
        Head(say("窗口数", "Windows"), right=True),
    ]
    registers = [
        [said("—")] if r is None else [said(exact_text(r.last)), said(r.time, "small")]
        for r in (meter.begin, meter.end)
    ]
    row = [
        *registers,
        [said(f"{exact_text(meter.total)} {meter.unit}", "strong")],
        [said(f"{share:.4f} %")],
        [said(f"{meter.windows:,}")],
    ]
    return [
        table(heads, [row], title=meter.id, notes=_meter_notes(pages, meter), relative=(1,) * 5)
    ]


def _meter_notes(pages: Pages, meter: MeterUse) -> list[str]:
    say, lang = pages.say, pages.lang
    notes = []
    for gap in meter.gaps:
        filled = (
            say("无法推算", "unknown")
            if gap.amount is None
            else say("由表底补齐 ", "bridged by register ")
            + f"{exact_text(gap.amount)} {meter.unit}"
        )
        why = label(REASONS, gap.reason, lang)
        notes.append(
            say(
                f"缺口 {gap.start} – {gap.end}（{why}）：{filled}",
                f"gap {gap.start} – {gap.end} ({why}): {filled}",
            )
        )
    if meter.more_gaps:
        more = meter.more_gaps
        notes.append(say(f"另有 {more} 个缺口，见 JSON。", f"{more} more gaps, see the JSON."))
    colon = say("：", ": ")
    notes += [f"{e.start} {label(EVENTS, e.kind, lang)}{colon}{e.text}" for e in meter.events]
    batches = say("；", "; ").join(
        f"{b.gateway} {b.log} {b.first_seq}–{b.last_seq}" for b in meter.batches
    )
    if batches:
        notes.append(say("批次：", "batches: ") + batches)
    return notes


def _changes(pages: Pages) -> list[View]:
    """Against the version before, and against what was lodged."""
    report = pages.report
    found = []
    if report.changes:
        title = pages.say("与上一版的差异", "Against the version before")
        found.append(changes_table(pages, report.changes, title))
    if report.since_lodged and report.lodged is not None:
        title = pages.say(
            f"与已上报的第 {report.lodged.version} 版的差异",
            f"Against version {report.lodged.version}, which was lodged",
        )
        found.append(changes_table(pages, report.since_lodged, title))
    return found


def changes_table(pages: Pages, changes: Sequence[Change], title: str) -> View:
    """What was, what is, and why."""
    say = pages.say
    why = any(change.why is not None for change in changes)
    heads = [
        Head(say("项目", "Figure")),
        Head(say("原值", "Before")),
        Head(say("现值", "Now")),
        *([Head(say("原因", "Why"))] if why else []),
    ]
    rows: list[list[Cell]] = [
        [
            [said(changed(change, pages.labels, pages.lang))],
            [said(shown(change.before, pages.lang))],
            [said(shown(change.after, pages.lang))],
            *([[said(pages.of(change.why), "small")]] if why else []),
        ]
        for change in changes
    ]
    relative = (1.6, 1.2, 1.2, 1.8) if why else (1.6, 1.2, 1.2)
    return table(heads, rows, title=title, relative=relative)


def _duties(pages: Pages) -> list[View]:
    say = pages.say
    written = pages.report.written
    legals = {legal.id: legal for legal in pages.report.content.legals}
    heads = [
        Head(say("事项", "Duty")),
        Head(say("截止日期", "By")),
        Head(say(f"剩余（自 {written} 起）", f"Left (from {written})")),
        Head(say("依据", "By which rule")),
    ]
    rows: list[list[Cell]] = []
    for duty in sorted(pages.report.content.duties, key=lambda duty: duty.due):
        legal = legals.get(duty.legal)
        met = met_text(pages, duty)
        left = days_left(duty.due, written)
        mark = sign_of(legal)
        rows.append(
            [
                [said(pages.of(duty.text), mark=mark)],
                [said(str(duty.due))],
                [
                    said(met)
                    if met
                    else said(left_text(left, pages.lang), "red" if left < 0 else "plain")
                ],
                [said(duty.legal if legal is None else legal.source.title, "small")],
            ]
        )
    return [table(heads, rows, relative=(1.6, 0.8, 1.0, 2.2))] if rows else []


def met_text(pages: Pages, duty: DutyUse) -> str:
    """When a duty was met by lodging an earlier version, in time or late; "" when it was not."""
    day = pages.report.met(duty)
    if day is None:
        return ""
    late = (day - duty.due).days
    if late > 0:
        return pages.say(f"{day} 首次存证，逾期 {late} 天", f"lodged on {day}, {late} days late")
    return pages.say(f"{day} 首次存证，按时", f"lodged on {day}, in time")


def left_text(days: int, lang: str) -> str:
    """Days to a deadline in words."""
    if days == 0:
        return "今日截止" if lang == "zh" else "today"
    if days < 0:
        return f"已过期 {-days} 天" if lang == "zh" else f"{-days} days late"
    return f"还剩 {days} 天" if lang == "zh" else f"{days} days left"


def _signatures(pages: Pages) -> list[View]:
    say = pages.say
    who = [
        say("填报人", "Prepared by"),
        say("审核人", "Checked by"),
        say("单位负责人（盖章）", "Approved by (seal)"),
    ]
    return [{"kind": "signatures", "who": who}]


PARTS: Final[dict[str, Callable[[Pages], list[View]]]] = {
    "potlines": _potlines,
    "legals": _legals,
    "absent": _absent,
    "entries": _entries,
    "meters": _meters,
    "changes": _changes,
    "duties": _duties,
    "signatures": _signatures,
}
