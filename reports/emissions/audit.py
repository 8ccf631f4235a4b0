"""The quarterly audit sheet: what became of the hours, capture, stand-ins, checks, who signs."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

import numpy as np

from reports.basis import Basis
from reports.chapters import Block, Cell, Facts, Table
from reports.emissions.amounts import NO_VALUE
from reports.emissions.figures import column, label_of, maybe
from reports.emissions.made import StackYear
from reports.emissions.marks import journal_of
from reports.emissions.states import State
from reports.emissions.words import ANALOGY, both, by_analogy, method_text
from reports.journal.control import tests_of
from reports.journal.drift import channel, rule
from reports.journal.forms import word_name
from reports.journal.record import Record
from reports.model import DutyUse
from reports.periods import Period, clock_text
from reports.rules.packs import Legal
from reports.values import Text

WEEKEND: Final = 5  # Saturday
ROWS: Final = (
    ("小时数", "hours", None),
    ("停运小时", "hours stopped", State.STOPPED),
    ("有效小时", "valid hours", State.VALID),
    ("无效：有效分钟不足", "invalid: too few minutes", State.INVALID),
    ("缺失", "missing", State.MISSING),
    ("无效：标记（校准、维护、故障等）", "invalid: marks", State.EXCLUDED),
    ("失控", "out of control", State.OUT_OF_CONTROL),
)


def audited(period: Period) -> list[Period]:
    """Whole quarters that end in the period."""
    found = [Period(day, day).whole_quarter for day in period.days if day.day == 1]
    return [q for q in dict.fromkeys(found) if q.first >= period.first and q.after <= period.after]


def due_day(quarter: Period, working_days: int) -> date:
    """Monday to Friday; public holidays are not known here and only move it later."""
    day, left = quarter.after, working_days
    while True:
        if day.weekday() < WEEKEND:
            left -= 1
            if left == 0:
                return day
        day += timedelta(days=1)


def audit_duties(quarter_list: Sequence[Period], legal: Legal) -> tuple[DutyUse, ...]:
    """By when the data of each quarter are to be audited."""
    return tuple(
        DutyUse(
            id=f"audit-{quarter}",
            text=Text(
                zh=f"{quarter} 自动监测数据审核（按周一至周五计，法定节假日顺延）",
                en=f"audit of the monitoring data of {quarter} (Monday to Friday counted; public "
                "holidays move it later)",
            ),
            due=due_day(quarter, int(legal.number)),
            legal=legal.id,
        )
        for quarter in quarter_list
    )


def audit_sheet(basis: Basis, stacks: Sequence[StackYear], quarter: Period) -> Iterator[Block]:
    """Per stack a table, and who signs."""
    for made in stacks:
        if made.stack.pollutants and made.stack.works_in(quarter.first, quarter.after):
            yield _table(basis, made, quarter)
    for_whom = Text(zh="签字、日期：", en="signature, date:")
    yield Facts(
        facts=(
            (Text(zh="审核期间", en="Quarter"), str(quarter)),
            (Text(zh="运维人员", en="Operator of the CEMS"), for_whom),
            (Text(zh="环保负责人审核", en="Environment officer"), for_whom),
            (Text(zh="企业负责人", en="For the plant"), for_whom),
        )
    )


def _table(basis: Basis, made: StackYear, quarter: Period) -> Table:
    names, at = made.stack.pollutants, made.at(quarter)
    rows: list[tuple[Cell, ...]] = []
    for zh, en, state in ROWS:
        counts = [_count(made, name, at, state) for name in names]
        rows.append((Text(zh=zh, en=en), *counts))
    got = {name: made.amounts[name].captures[quarter] for name in names}
    rates = (
        ("有效数据捕集率 %", "capture rate, %", [got[n].rate for n in names]),
        ("含流量的捕集率 %", "capture rate with flow, %", [got[n].amount_rate for n in names]),
    )
    for zh, en, values in rates:
        cells = [None if v is None else round(v * 100, 2) for v in values]
        rows.append((Text(zh=zh, en=en), *cells))
    rows += _replaced(made, quarter)
    rows.append((Text(zh="标记段数（人工）", en="marks by persons"), *_marks(made, quarter)))
    due = [maybe(_due(basis, name, quarter)) for name in names]
    rows.append((Text(zh="按周期应校准次数", en="calibrations due by the interval"), *due))
    checks = [_checks(basis, made, name, quarter) for name in names]
    for n, (zh, en) in enumerate(
        (
            ("校准、校验完成次数", "checks and verifications done"),
            ("其中不合格", "failed"),
            ("失控时段数", "times out of control"),
        )
    ):
        rows.append((Text(zh=zh, en=en), *(maybe(check[n]) for check in checks)))
    return Table(
        id=f"audit-{made.stack.id}-{quarter}",
        title=Text(
            zh=f"{made.stack.id} {quarter} 数据审核表", en=f"{made.stack.id}: audit of {quarter}"
        ),
        columns=(
            column("项目", "item", width=34),
            *(column(label_of(name).zh, label_of(name).en, width=13) for name in names),
        ),
        rows=tuple(rows),
        note=ANALOGY if any(map(by_analogy, names)) else None,
    )


def _count(made: StackYear, name: str, at: slice, state: State | None) -> Decimal | None:
    each = made.wide.pollutants[name].state[at]
    return maybe(int((each != State.OUTSIDE if state is None else each == state).sum()))


def _replaced(made: StackYear, quarter: Period) -> Iterator[tuple[Cell, ...]]:
    """Hours and mass that stand in, by method; hours without any."""
    names, at = made.stack.pollutants, made.at(quarter)
    codes = dict.fromkeys(
        gap.code for n in names for gap in sorted(made.gaps(n, quarter), key=lambda gap: gap.code)
    )
    for code in codes:
        hours, mass = [], []
        for name in names:
            gaps = [gap for gap in made.gaps(name, quarter) if gap.code == code]
            inside = [
                min(gap.first + gap.hours, at.stop) - max(gap.first, at.start) for gap in gaps
            ]
            hours.append(maybe(sum(inside)))
            kg = sum((gap.kg or 0.0) * n for gap, n in zip(gaps, inside, strict=True))
            mass.append(None if code == NO_VALUE else maybe(kg / 1000, 4))
        what = method_text(code)
        yield Text(zh=f"替代小时 {what.zh}", en=f"hours replaced, {what.en}"), *hours
        if code != NO_VALUE:
            yield Text(zh=f"替代排放量 t（{code}）", en=f"mass that stands in, t ({code})"), *mass
    total = [float(np.nansum(made.kg(name, quarter))) / 1000 for name in names]
    whole = [bool(np.isfinite(made.kg(name, quarter)).all()) for name in names]
    cells = [maybe(t, 4) if w else None for t, w in zip(total, whole, strict=True)]
    yield Text(zh="季度排放量 t（含替代）", en="mass emitted, t, with stand-ins"), *cells


def _marks(made: StackYear, quarter: Period) -> list[Decimal | None]:
    marks = [
        mark
        for mark in made.wide.marks
        if mark.number > 0 and mark.start_ns < quarter.end_ns and mark.end_ns > quarter.start_ns
    ]
    return [maybe(sum(m.concerns(name) for m in marks)) for name in made.stack.pollutants]


def _checks(basis: Basis, made: StackYear, name: str, quarter: Period) -> tuple[int, int, int]:
    tests = [
        test
        for test in tests_of(journal_of(basis), made.stack, name)
        if quarter.start_ns <= test.record.start_ns < quarter.end_ns
    ]
    spans = [
        x
        for x in made.wide.out_of_control
        if x.concerns(name) and x.start_ns < quarter.end_ns and x.end_ns > quarter.start_ns
    ]
    return len(tests), sum(not test.good for test in tests), len(spans)


def _due(basis: Basis, name: str, quarter: Period) -> int | None:
    """Manual calibrations that the interval of the packs asks for; None where none does."""
    legal = rule(basis.packs, f"calibration_{channel(name)}_days", quarter.first)
    return None if legal is None else len(quarter.days) // int(legal.number)


def checks_table(basis: Basis, made: StackYear) -> Table | None:
    """
    Checks and verifications that touch the period, with drift and result.

    Of a period longer than a month the automatic checks that were good are counted, not listed.
    """
    period, journal = basis.period, journal_of(basis)
    of = (made.stack.equipment, period.start_ns, period.end_ns)
    found = sorted(
        (*journal.checks(*of), *journal.verifications(*of)), key=lambda x: (x.start_ns, x.number)
    )
    if not found:
        return None
    usual = [x for x in found if x.what == "calibration_auto" and x.facts.get("result") == "pass"]
    left = {x.number for x in usual} if len(period.days) > A_MONTH else set[int]()
    rows = [_check_row(record) for record in found if record.number not in left]
    note = Text(
        zh=f"另有合格的自动校准 {len(left)} 次，未逐条列出；见环保记录或各月报告。",
        en=f"{len(left)} automatic calibrations that passed are not listed; see the journal or "
        "the reports of the months.",
    )
    return Table(
        id=f"checks-{made.stack.id}",
        note=note if left else None,
        title=Text(zh=f"{made.stack.id} 校准与校验", en=f"{made.stack.id}: checks"),
        columns=(
            column("编号", "number", width=7),
            column("项目", "what", width=14),
            column("时间", "when", width=16),
            column("对象", "of", width=14),
            column("零点漂移", "zero drift", "%FS", 2, 9),
            column("跨度漂移", "span drift", "%FS", 2, 9),
            column("结论", "result", width=9),
            column("失控", "out of control", width=8),
            column("人员", "person", width=9),
        ),
        rows=tuple(rows),
    )


A_MONTH: Final = 31  # days
_RESULT: Final = {
    "pass": Text(zh="合格", en="pass"),
    "fail": Text(zh="不合格", en="fail"),
    "yes": Text(zh="是", en="yes"),
    "no": Text(zh="否", en="no"),
}


def _check_row(record: Record) -> tuple[Cell, ...]:
    facts = record.facts
    drifts = [facts.get(f"{end}_drift") for end in ("zero", "span")]
    of = [label_of(name) for name in record.pollutants]
    return (
        f"#{record.number}",
        word_name(record.kind, record.what),
        clock_text(record.start_ns)[:16],
        both(of) if of else Text(zh="全部", en="all"),
        *(None if drift is None else Decimal(drift) for drift in drifts),
        _RESULT.get(facts.get("result", ""), "—"),
        _RESULT.get(facts.get("out_of_control", ""), "—"),
        record.author,
    )
