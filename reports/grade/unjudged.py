"""What keeps the hours of a stack from proving anything, and the hours above that a mark hides."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np

from reports.emissions.states import (
    AUTOMATIC,
    HOUR_NS,
    Exceedance,
    PollutantHours,
    StackHours,
    State,
)
from reports.grade.bench import Bench
from reports.grade.evidence import POLLUTANTS
from reports.grade.findings import Case
from reports.journal.control import tests_of
from reports.journal.forms import FORMS, word_name
from reports.site_stacks import SOURCES_NOX
from reports.values import Text

WHY: Final = {
    "invalid": Text(zh="有效分钟不足", en="too few valid minutes"),
    "missing": Text(zh="没有有效分钟", en="no valid minute"),
    "mark": Text(zh="仪器状态", en="the state of the instrument"),
    "out_of_control": Text(zh="失控时段", en="out of control"),
    "stopped": Text(zh="停运", en="the source stood"),
    "outside": Text(zh="未投用", en="not in use"),
    "exempt": Text(zh="启停", en="start or stop"),
    "not_convertible": Text(zh="含氧量接近空气，无法折算", en="too much air to convert"),
}
STATES: Final = {
    State.INVALID: "invalid",
    State.MISSING: "missing",
    State.EXCLUDED: "mark",
    State.OUT_OF_CONTROL: "out_of_control",
    State.STOPPED: "stopped",
    State.OUTSIDE: "outside",
}


def lacks(bench: Bench, hours: StackHours, pollutant: str) -> tuple[Text, ...]:
    """Why hours of a pollutant prove nothing: some cannot be converted, or nobody checked it."""
    found, place, name = [], hours.stack.id, _name(pollutant)
    air = int(hours.pollutants[pollutant].not_convertible.sum())
    if air:
        found.append(
            Text(
                zh=f"{place} {name.zh}：{air} 个有效小时含氧量接近空气，无法折算，不能判定",
                en=f"{place} {name.en}: {air} valid hours cannot be converted (O2 near that of "
                "air), nobody can judge them",
            )
        )
    if not _checked(bench, hours, pollutant):
        found.append(
            Text(
                zh=f"{place} {name.zh}：全年没有校准或校验记录",
                en=f"{place} {name.en}: not one calibration or verification of the year is on "
                "record",
            )
        )
    return tuple(found)


def without_limit(hours: StackHours, pollutant: str) -> tuple[Text, ...]:
    """Hours on days for which the permit states no limit."""
    count, name = int(hours.without_limit(pollutant).sum()), _name(pollutant)
    if not count:
        return ()
    return (
        Text(
            zh=f"{hours.stack.id} {name.zh}：{count} 个小时所在日期没有生效的许可限值，不能判定",
            en=f"{hours.stack.id} {name.en}: {count} hours lie on days without a limit in force",
        ),
    )


def _checked(bench: Bench, hours: StackHours, pollutant: str) -> bool:
    """A test with a result touches the year; of NOx one of its parts is enough."""
    parts = SOURCES_NOX[hours.stack.nox_from] if pollutant == "nox" else ()
    period = bench.period
    return any(
        test.record.start_ns < period.end_ns and test.end_ns >= period.start_ns
        for name in (pollutant, *parts)
        for test in tests_of(bench.journal, hours.stack, name)
    )


def hidden_permit(each: Exceedance, hours: StackHours) -> tuple[Case, ...]:
    """An exceedance of the permit that was not judged; none where the source stood."""
    if each.judged or each.why in {"stopped", "outside"}:
        return ()
    return (
        _hidden(
            (each.stack, each.pollutant),
            (each.start_ns, each.end_ns),
            each.highest,
            _why(hours, each.hidden_by, each.why),
        ),
    )


def hidden_above(hours: StackHours, mine: PollutantHours, limit: float) -> tuple[Case, ...]:
    """Hours above a limit of the table that were not judged, those of one cause joined."""
    with np.errstate(invalid="ignore"):
        over = (mine.shown > limit) & ~mine.judged
    over &= ~mine.having(State.STOPPED, State.OUTSIDE)
    keys = np.where(over, 1 + mine.state * 2 + mine.exempt, 0).astype(np.int64)
    changes = np.flatnonzero((np.diff(keys) != 0) | (np.diff(mine.mark) != 0)) + 1
    found = []
    for first, after in pairwise([0, *changes.tolist(), len(keys)]):
        if not keys[first]:
            continue
        state = State(int(mine.state[first]))
        why = "exempt" if mine.exempt[first] else STATES.get(state, "not_convertible")
        start_ns = int(hours.start_ns[first])
        found.append(
            _hidden(
                (hours.stack.id, mine.pollutant),
                (start_ns, start_ns + (after - first) * HOUR_NS),
                float(mine.shown[first:after].max()),
                _why(hours, int(mine.mark[first]), why),
            )
        )
    return tuple(found)


def told(hidden: Sequence[Case]) -> tuple[Text, ...]:
    """How many hours above the limit nobody judged; they stand among the stretches."""
    count = sum((case.end_ns - case.start_ns) // HOUR_NS for case in hidden)
    if not count:
        return ()
    return (
        Text(
            zh=f"另有 {count} 小时数值超出但未参与判定（标记、启停、失控或有效分钟不足），见时段表",
            en=f"{count} more hours lie above and were not judged (marks, start and stop, out of "
            "control, too few minutes): see the stretches",
        ),
    )


def _hidden(of: tuple[str, str], at: tuple[int, int], top: float, why: Text) -> Case:
    place, name = of[0], _name(of[1])
    return Case(
        place,
        at[0],
        at[1],
        Text(
            zh=f"{name.zh}最高 {top:.2f} mg/m3，未判定：{why.zh}",
            en=f"{name.en} up to {top:.2f} mg/m3, not judged: {why.en}",
        ),
    )


def _why(hours: StackHours, number: int, why: str) -> Text:
    """The record and kind of a mark of a person, else the state of the hours."""
    kind = next((x.kind for x in hours.marks if x.number == number), "")
    if number in {0, AUTOMATIC} or kind not in FORMS["mark"].words:
        return WHY[why]
    name = word_name("mark", kind)
    return Text(zh=f"第 {number} 条标记（{name.zh}）", en=f"mark {number} ({name.en})")


def _name(pollutant: str) -> Text:
    return POLLUTANTS.get(pollutant, Text(zh=pollutant, en=pollutant))
