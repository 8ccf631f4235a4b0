"""Sheets of hours, for workbook and JSON: what was measured, what it became, state and mark."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from reports.chapters import SHEET, Cell, Column, Table
from reports.emissions.figures import column, label_of, maybe
from reports.emissions.made import StackYear
from reports.emissions.states import AUTOMATIC, HOUR_NS, PollutantHours, State
from reports.periods import clock_text
from reports.values import Text

LONGEST_DAYS: Final = 92  # every hour of a quarter; of more only those that are not valid
LETTERS: Final = {
    State.VALID: "N",
    State.INVALID: "I",
    State.MISSING: "B",
    State.EXCLUDED: "M",
    State.OUT_OF_CONTROL: "K",
    State.STOPPED: "F",
    State.OUTSIDE: "-",
}
NOT_CONVERTIBLE: Final = "O"
EXEMPT: Final = "E"
_NOTE: Final = Text(
    zh="状态：N 有效，I 有效分钟不足，B 无数据，M 标记剔除，K 失控，F 停运，"
    "O 含氧量接近环境空气无法折算，E 有效但属启停不判定，- 不在用。"
    "标记：环保记录编号，A 为仪器自动。"
    "“实测”“折算”为有效分钟均值；“全部读数”为全部有读数分钟的折算均值，不论标记。",
    en="State: N valid, I too few minutes, B no data, M taken out by a mark, K out of control, "
    "F source stopped, O too much air to convert, E valid but start or stop, - not in use. "
    "Mark: number in the journal, A of the instrument. Measured and converted are means over "
    "valid minutes; all readings: converted, over all minutes with a reading, whatever marks say.",
)


def hours_sheet(made: StackYear) -> Table | None:
    """Every hour, or of a long period those that are not valid; None where there are none."""
    if len(made.hours.days) <= LONGEST_DAYS:
        return _every(made)
    rows = [row for name in made.stack.pollutants for row in _not_valid(made, name)]
    if not rows:
        return None
    stack = made.stack.id
    return Table(
        id=f"{SHEET}not-valid-{stack}",
        title=Text(zh=f"{stack} 非有效小时", en=f"{stack}: hours not valid"),
        columns=(
            column("污染物", "pollutant", width=14),
            column("开始", "from", width=16),
            column("小时数", "hours", "h", 0, 8),
            column("状态", "state", width=7),
            column("标记", "mark", width=8),
            column("全部读数", "all readings", "mg/m3", 3, 12),
        ),
        rows=tuple(rows),
        note=Text(
            zh=f"{_NOTE.zh}没有读数的相连小时合为一行；停运和不在用的小时未列。",
            en=f"{_NOTE.en} Hours in a row without readings are one line; hours in which the "
            "source stood or the stack was not in use are left out.",
        ),
    )


def letter(each: PollutantHours, n: int) -> str:
    """The state of an hour in one letter."""
    if each.not_convertible[n]:
        return NOT_CONVERTIBLE
    return EXEMPT if each.exempt[n] else LETTERS[State(int(each.state[n]))]


def _mark(number: int) -> str:
    return "" if number == 0 else "A" if number == AUTOMATIC else f"#{number}"


def _every(made: StackYear) -> Table:
    hours, names = made.hours, made.stack.pollutants
    of = {
        name: ([letter(hours.pollutants[name], n) for n in range(len(hours.start_ns))])
        for name in names
    }
    rows: list[tuple[Cell, ...]] = []
    for n, start_ns in enumerate(hours.start_ns.tolist()):
        cells: list[Cell] = [clock_text(start_ns)[:16]]
        for name in names:
            each = hours.pollutants[name]
            values = (each.measured[n], each.dry[n], each.converted[n], each.shown[n])
            cells += [maybe(value, 3) for value in values]
            cells += [of[name][n], _mark(int(each.mark[n]))]
        gas = (hours.flow[n], hours.o2[n], hours.temperature[n], hours.humidity[n])
        rows.append((*cells, *(maybe(value, 2) for value in gas)))
    return Table(
        id=f"{SHEET}hours-{made.stack.id}",
        title=Text(zh=f"{made.stack.id} 小时清单", en=f"{made.stack.id}: every hour"),
        columns=(
            column("开始", "from", width=16),
            *(c for name in names for c in _columns(name)),
            column("标干流量", "dry flow", "Nm3/h", 2, 12),
            column("含氧量", "O2, dry", "%", 2, 8),
            column("烟温", "temperature", "degC", 2, 8),
            column("含湿量", "moisture", "%", 2, 8),
        ),
        rows=tuple(rows),
        note=_NOTE,
    )


def _columns(name: str) -> Iterator[Column]:
    label = label_of(name)
    for zh, en in (
        ("实测", "measured"),
        ("标干", "dry"),
        ("折算", "converted"),
        ("全部读数", "all readings"),
    ):
        yield column(f"{label.zh} {zh}", f"{label.en}, {en}", "mg/m3", 3, 11)
    yield column(f"{label.zh} 状态", f"{label.en}, state", width=7)
    yield column(f"{label.zh} 标记", f"{label.en}, mark", width=8)


def _not_valid(made: StackYear, name: str) -> Iterator[tuple[Cell, ...]]:
    hours, each = made.hours, made.hours.pollutants[name]
    left = ~each.having(State.VALID, State.STOPPED, State.OUTSIDE)
    left |= each.not_convertible | each.exempt
    at = np.flatnonzero(left).tolist()
    label, place = label_of(name), 0
    while place < len(at):
        first = n = at[place]
        sign = (letter(each, n), int(each.mark[n]))
        place += 1
        while not np.isfinite(each.shown[first]) and place < len(at):
            following = at[place]
            same = (letter(each, following), int(each.mark[following])) == sign
            if following != n + 1 or not same or np.isfinite(each.shown[following]):
                break
            n, place = following, place + 1
        value = each.dry[first] if sign[0] == NOT_CONVERTIBLE else each.shown[first]
        start_ns = int(hours.start_ns[first])
        count = maybe((int(hours.start_ns[n]) - start_ns) // HOUR_NS + 1)
        yield label, clock_text(start_ns)[:16], count, sign[0], _mark(sign[1]), maybe(value, 3)
