"""
What the office of a simulated plant writes into its journal in a year of stacks.

Marks, daily checks, verifications, what was done about exceedances, an alert and the papers that
a grade asks for: a table as ``smelter journal import`` reads it, with the documents beside it. One
mark is forged: maintenance, over hours in which the instrument ran and saw the limit exceeded.
"""

import csv
import zlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from simulators.months import LOCAL
from simulators.smoke import FULL_SCALE, SPAN, StackMinutes
from simulators.smoke_alert import LEVEL, alert_of
from simulators.smoke_files import SmokeYear
from simulators.smoke_papers import papers
from simulators.smoke_plan import (
    CALIBRATION,
    CHECK_AT,
    CHECK_MINUTES,
    StackDesign,
)
from simulators.smoke_truth import PollutantTruth, StackTruth

Row = dict[str, str]
COLUMNS = (
    *("kind", "what", "equipment", "pollutants", "start", "end"),
    *("gas", "gas_bottle", "gas_expiry", "full_scale", "zero_reference", "zero_before"),
    *("zero_after", "span_reference", "span_before", "span_after"),
    *("result", "limit_source", "pairs", "method", "laboratory", "report_number"),
    *("cause", "measures", "reported_to", "reported_at"),
    *("order", "issuer", "title", "serves", "person", "valid_until"),
    *("reason", "evidence", "confirmed_by"),
)
CONFIRMED = "赵工（仿真）"
REASONS = {
    "maintenance": "每月例行维护：清洗探头、更换滤芯",
    "fault": "烟气预处理单元故障，等待备件",
    "stop": "系列计划停槽检修",
    "start_up": "系列检修后启动",
    "shut_down": "系列检修前停机",
}
WHAT = {"stop": "stopped"} | {name: name for name in REASONS if name != "stop"}
VERIFIED = ((1, 6), (4, 8), (7, 7), (10, 9))  # month and day of a year's verifications
HANDLED_NOT = "12-31T23:00"  # of the year's last hour nobody has written anything


def write_journal_table(folder: Path, made: SmokeYear) -> Path:
    """``journal-<year>.csv`` and its documents below ``folder``; returns the table."""
    folder.mkdir(parents=True, exist_ok=True)
    rows: list[Row] = []
    for truth in made.truths:
        rows += [*_marks(made, truth), *_checks(truth), *_verifications(truth)]
        rows += _exceedances(truth)
    rows += _forged(made)
    rows += _plant(made.plan.begin.year)
    for row in rows:
        for name in filter(None, row.get("evidence", "").split("; ")):
            _document(folder / name, row)
    path = folder / f"journal-{made.plan.begin.year}.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(sorted(rows, key=lambda row: row["start"]))
    return path


def _document(path: Path, row: Row) -> None:
    """A paper that says nothing but what it is for; simulated."""
    if not path.exists():
        told = " ".join(row.get(name, "") for name in ("what", "start", "end", "title", "reason"))
        path.write_text(f"仿真文件，并非真实材料。Simulated. {told}\n", "utf-8")


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def _row(
    kind: str, what: str, stack: StackDesign | None, start: datetime, end: datetime | None
) -> Row:
    row = {"kind": kind, "what": what, "start": _at(start)}
    if stack is not None:
        row["equipment"] = stack.equipment
    if end is not None:
        row["end"] = _at(end)
    return row


def _marks(made: SmokeYear, truth: StackTruth) -> Iterator[Row]:
    """What was so, with a work order; the trace is drawn when the table is imported."""
    stack = truth.made.design
    for one in made.plan.of(stack.id):
        if one.kind in REASONS:
            row = _row("mark", WHAT[one.kind], stack, one.begin, one.end)
            row["reason"] = REASONS[one.kind]
            row["evidence"] = f"order-{stack.id}-{one.begin:%m%d}-{one.kind}.txt"
            row["confirmed_by"] = CONFIRMED
            yield row


def _forged(made: SmokeYear) -> Iterator[Row]:
    """A mark whose only paper was written afterwards."""
    stacks = {stack.id: stack for stack in made.plan.stacks}
    for one in made.plan.forged:
        stack = stacks[one.stack]
        row = _row("mark", one.kind, stack, one.begin, one.end)
        row |= {"pollutants": "so2", "reason": "二氧化硫分析仪临时维护"}
        yield row | {"evidence": f"order-{stack.id}-forged.txt", "confirmed_by": CONFIRMED}


def _checks(truth: StackTruth) -> Iterator[Row]:
    """The check of every day on which the instrument could make one, and those by hand."""
    made, stack = truth.made, truth.made.design
    minute = {float(second): k for k, second in enumerate(made.time_s)}
    begin_s = float(made.time_s[0])
    days = len(made.time_s) // 1440
    for day in range(-1, days):  # that of the day before carries the first hours
        second = begin_s + 86_400 * day + CHECK_AT.seconds
        at = minute.get(second)
        if at is None or (made.state[at] == CALIBRATION and made.there[at]):
            yield from _check(made, second, CHECK_MINUTES, "calibration_auto", at)
    for one in made.planted:
        if one.kind == "calibration" and one.minutes > CHECK_MINUTES:
            at = minute[one.begin.timestamp()]
            yield from _check(made, one.begin.timestamp(), one.minutes, "calibration", at)
    yield from _full_path(stack, begin_s)


def _check(
    made: StackMinutes, second: float, minutes: int, what: str, at: int | None
) -> Iterator[Row]:
    """Of every gas: zero and span as they were read, and as they were after adjusting."""
    stack = made.design
    start = datetime.fromtimestamp(second, LOCAL)
    for name in stack.usual:
        draw = np.random.default_rng([round(second), zlib.crc32(name.encode())])
        zero, off = draw.normal(0, 0.002, 2)
        gain = 1.0 if at is None else made.gain[name][at]
        span, scale = SPAN[name], FULL_SCALE[name]
        row = _row("check", what, stack, start, start + timedelta(minutes=minutes))
        row |= {"pollutants": name, "gas": f"{name} 标准气体", "full_scale": f"{scale:g}"}
        row |= {"gas_bottle": f"SIM-{name}-01", "gas_expiry": f"{start.year + 1}-12-31"}
        row |= {"zero_reference": "0", "zero_before": f"{zero * scale:.3f}"}
        row |= {"span_reference": f"{span:g}", "span_before": f"{span * (gain + off):.3f}"}
        if what != "calibration_auto":
            row |= {"zero_after": "0", "span_after": f"{span:g}"}
        row["reason"] = "每日自动校准" if what == "calibration_auto" else "故障排除后手工校准"
        yield row


def _full_path(stack: StackDesign, begin_s: float) -> Iterator[Row]:
    """Every quarter, the one before the year among them."""
    year = datetime.fromtimestamp(begin_s, LOCAL).year
    for first in (datetime(year - 1, 10, 9, 9, tzinfo=LOCAL), *_verified(year)):
        row = _row("check", "full_path", stack, first, first + timedelta(minutes=30))
        row |= {"result": "pass", "limit_source": "HJ 75-2017", "reason": "季度全系统校准"}
        yield row


def _verified(year: int) -> list[datetime]:
    return [datetime(year, month, day, 9, tzinfo=LOCAL) for month, day in VERIFIED]


def _verifications(truth: StackTruth) -> Iterator[Row]:
    """Nine pairs a quarter with a reference method, as the laboratory reports them."""
    stack = truth.made.design
    year = datetime.fromtimestamp(float(truth.made.time_s[0]), LOCAL).year
    for first in (datetime(year - 1, 10, 9, 9, tzinfo=LOCAL), *_verified(year)):
        for name, usual in stack.usual.items():
            draw = np.random.default_rng([first.year, first.month, zlib.crc32(name.encode())])
            reference = usual * (1 + draw.normal(0, 0.03, 9))
            seen = reference * (1 + draw.normal(0.01, 0.01, 9))
            pairs = zip(reference, seen, strict=True)
            report = f"SIM-{stack.id}-{first:%Y%m}-{name}"
            row = _row("verification", "verification", stack, first, first + timedelta(hours=6))
            row |= {"pollutants": name, "method": "HJ 57 / HJ 836（仿真）", "report_number": report}
            row |= {"laboratory": "示例检测中心（仿真）", "evidence": f"{report}.txt"}
            row["pairs"] = "; ".join(f"{one:.3f}/{other:.3f}" for one, other in pairs)
            row |= {"result": "pass", "limit_source": "HJ 75-2017", "reason": "季度比对监测"}
            yield row


def _exceedances(truth: StackTruth) -> Iterator[Row]:
    """What was done about each stretch above a limit; the year's last is not yet written up."""
    stack = truth.made.design
    for name, one in truth.pollutants.items():
        for first, after in stretches(one):
            start = datetime.fromtimestamp(float(truth.hour_s[first]), LOCAL)
            end = start + timedelta(hours=int(after - first))
            if f"{start:%m-%dT%H:%M}" == HANDLED_NOT:
                continue
            row = _row("exceedance", "control", stack, start, end)
            row |= {"pollutants": name, "cause": "治理设施跳停，旁路未开", "reason": "超标处置记录"}
            row |= {"measures": "立即降负荷并恢复设施", "reported_to": "示例市生态环境局（仿真）"}
            row["reported_at"] = _at(start + timedelta(minutes=50))
            yield row


def stretches(one: PollutantTruth) -> list[tuple[int, int]]:
    """Hours above the limit one after the other, as [first, after)."""
    edges = np.flatnonzero(np.diff(np.r_[False, one.exceeds, False]))
    return [(int(first), int(after)) for first, after in edges.reshape(-1, 2)]


def _plant(year: int) -> Iterator[Row]:
    """An alert, and papers that a grade asks for."""
    alert = alert_of(year)
    row = _row("alert", LEVEL, None, alert.begin, alert.end)
    row |= {"order": f"示例市预警〔{year}〕9 号（仿真）", "issuer": "示例市指挥部（仿真）"}
    yield row | {"reason": "重污染天气橙色预警", "evidence": f"alert-{year}-9.txt"}
    for paper in papers(year):
        row = _row("document", paper.what, None, paper.start, None)
        row |= {"title": paper.title, "serves": paper.serves, "person": "张三（仿真）"}
        row |= {"valid_until": paper.valid_until, "reason": "绩效分级申报材料"}
        yield row | {"evidence": paper.file}
