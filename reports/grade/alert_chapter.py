"""Alerts of the year in the report: what was due, what was done, hour by hour."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

import numpy as np

from reports.chapters import Block, Cell, Chapter, Column, Paragraph, Table
from reports.emissions.states import HOUR_NS
from reports.grade.alert_plan import LEVELS, UNITS, AlertPlan
from reports.grade.alerts import KEPT_TEXT, Alert, Curve, Done, alerts, with_line
from reports.grade.bench import Bench
from reports.metered import amount
from reports.periods import PLANT_TIME, clock_text
from reports.pictures import Axis, Chart, Curves, Event, Series, Threshold
from reports.values import Text

UNIT_TEXT: Final = {
    "pots": UNITS["pots"],
    "lines": UNITS["lines"],
    "flame_systems": UNITS["flame_systems"],
    "trips": Text(zh="车次", en="trips"),
}


def alert_chapter(bench: Bench, plan: AlertPlan | None) -> Chapter | None:
    """None where the year had no alert and the plant names no plan."""
    found = alerts(bench, plan)
    if not found and plan is None:
        return None
    blocks: list[Block] = [_list(found)] if found else [_NONE]
    for alert in found:
        blocks += list(_of_alert(bench, alert))
    return Chapter(
        title=Text(zh="重污染天气预警", en="Heavy-pollution alerts"), blocks=tuple(blocks)
    )


_NONE: Final = Paragraph(
    text=Text(zh="环保记录中没有本期的预警。", en="No alert of this year in the journal.")
)


def _column(zh: str, en: str, width: int, decimals: int | None = None) -> Column:
    return Column(label=Text(zh=zh, en=en), width=width, decimals=decimals)


def _list(found: Sequence[Alert]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for each in found:
        facts = each.record.facts
        kept = [sum(done.kept == kind for done in each.done) for kind in KEPT_TEXT]
        told = Text(
            zh=f"应落实 {len(each.done)}，已落实 {kept[0]}，未落实 {kept[1]}，未知 {kept[2]}",
            en=f"due {len(each.done)}, kept {kept[0]}, not kept {kept[1]}, unknown {kept[2]}",
        )
        none = Text(zh="当日无生效方案", en="no plan in force that day")
        rows.append(
            (
                str(each.record.number),
                LEVELS[each.level],
                clock_text(each.start_ns),
                clock_text(each.end_ns),
                " ".join(part for part in (facts.get("order"), facts.get("issuer")) if part),
                none if each.plan is None else told,
            )
        )
    return Table(
        id="grade_alerts",
        title=Text(zh="预警与措施", en="Alerts and measures"),
        columns=(
            _column("环保记录", "Record", 8),
            _column("级别", "Level", 8),
            _column("开始", "From", 19),
            _column("解除", "To", 19),
            _column("文号、机关", "Order, issuer", 28),
            _column("落实情况", "What was done", 36),
        ),
        rows=tuple(rows),
    )


def _of_alert(bench: Bench, alert: Alert) -> Iterator[Block]:
    if alert.plan is None or not alert.done:
        return
    made = [with_line(bench, alert, each) for each in alert.done]
    number, plan = alert.record.number, alert.plan
    level = LEVELS[alert.level]
    title = Text(
        zh=f"预警 {number}（{level.zh}）：{plan.name}",
        en=f"Alert {number} ({level.en}): {plan.name}",
    )
    note = Text(
        zh=f"依据 {plan.document}（sha256 {plan.sha256[:16]}…）；"
        "参照期为预警前的小时，其他预警除外。",
        en=f"From {plan.document} (sha256 {plan.sha256[:16]}…); the reference are the hours before "
        "the alert, without other alerts.",
    )
    yield Table(
        id=f"grade_alert_{number}",
        title=title,
        columns=(
            _column("措施", "Measure", 34),
            _column("单位", "Unit", 10),
            _column("基准", "Baseline", 11, 1),
            _column("应不高于", "At most", 11, 1),
            _column("实际", "Actual", 11, 1),
            _column("落实", "Kept", 9),
            _column("说明", "Why", 40),
        ),
        rows=tuple(_row(each) for each in made),
        note=note,
    )
    for done in made:
        if done.curve is not None:
            yield _picture(alert, done, done.curve)


def _row(done: Done) -> tuple[Cell, ...]:
    unit = UNIT_TEXT.get(done.unit, Text(zh=done.unit, en=done.unit))
    name = Text(zh=done.measure.zh, en=done.measure.en)
    kept = KEPT_TEXT[done.kept]
    return name, unit, done.baseline, done.due, done.actual, kept, done.text


def _picture(alert: Alert, done: Done, curve: Curve) -> Chart:
    """The hours before and during the alert, and the level that was due."""
    unit = UNIT_TEXT.get(curve.unit, Text(zh=curve.unit, en=curve.unit))
    name = Text(zh=done.measure.zh, en=done.measure.en)
    end_ns = curve.start_ns + len(curve.values) * HOUR_NS
    limit = Text(zh="应不高于", en="at most")
    return Chart(
        id=f"grade_alert_{alert.record.number}_{done.measure.id}",
        title=name,
        picture=Curves(
            scale="time",
            across=Axis(label=Text(zh="时间", en="time")),
            x=tuple(_at(curve.start_ns + n * HOUR_NS) for n in range(len(curve.values))),
            panels=(Axis(label=unit),),
            series=(
                Series(
                    name=Text(zh="小时值", en="by the hour"),
                    values=tuple(None if np.isnan(v) else amount(float(v)) for v in curve.values),
                    look="step",
                ),
            ),
            thresholds=()
            if done.due is None
            else (Threshold(label=limit, value=done.due, tone="limit"),),
            events=(
                Event(
                    label=Text(zh="预警", en="alert"),
                    start=_at(alert.start_ns),
                    end=_at(min(alert.end_ns, end_ns)),
                ),
            ),
        ),
    )


def _at(time_ns: int) -> str:
    moment = datetime.fromtimestamp(time_ns // 10**9, UTC).astimezone(PLANT_TIME)
    return moment.replace(tzinfo=None).isoformat(timespec="minutes")
