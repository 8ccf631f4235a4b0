"""How many hours of a pollutant were held against a limit, and what kept the others from it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reports.emissions.states import StackHours, State
from reports.periods import Period
from reports.values import Text


@dataclass(frozen=True, slots=True)
class Judging:
    """
    Hours of one pollutant in a part of a period.

    ``due`` are those in use in which the source did not stand and no start or stop excuses it;
    ``judged`` of them had a mean and a limit in force. The others: ``without_limit`` had a mean and
    no limit, ``not_convertible`` too much air; the rest had no valid mean.
    """

    due: int
    judged: int
    without_limit: int
    not_convertible: int

    @property
    def unknown(self) -> bool:
        """True when hours were due and not one of them was judged."""
        return self.due > 0 and self.judged == 0

    def why(self, stack: str, label: Text) -> Text:
        """Why nobody can say how many hours were above the limit."""
        if self.without_limit:
            return Text(
                zh=f"{stack} {label.zh}：未判定：无有效限值"
                f"（{self.without_limit} 个有效小时所在日期没有生效的许可限值）",
                en=f"{stack} {label.en}: not judged: no limit in force ({self.without_limit} valid "
                "hours lie on days for which the permit states none)",
            )
        if self.not_convertible:
            return Text(
                zh=f"{stack} {label.zh}：未判定：{self.not_convertible} 个有效小时含氧量接近"
                "环境空气，无法折算",
                en=f"{stack} {label.en}: not judged: {self.not_convertible} valid hours cannot be "
                "converted, their O2 is too near that of air",
            )
        return Text(
            zh=f"{stack} {label.zh}：未判定：没有一个有效小时",
            en=f"{stack} {label.en}: not judged: there is not one valid hour",
        )


def judging(hours: StackHours, pollutant: str, at: slice) -> Judging:
    """Of the hours ``at``."""
    each = hours.pollutants[pollutant]
    due = ~each.having(State.OUTSIDE, State.STOPPED) & ~each.exempt
    without = hours.without_limit(pollutant)
    return Judging(
        due=int(due[at].sum()),
        judged=int((each.judged & ~without)[at].sum()),
        without_limit=int(without[at].sum()),
        not_convertible=int((each.not_convertible & ~each.exempt)[at].sum()),
    )


def silent(hours: StackHours, at: slice) -> bool:
    """True when hours were due and nothing whatever is known of them: no reading, no mark."""
    if np.isfinite(hours.running[at]).any() or np.isfinite(hours.flow[at]).any():
        return False
    states = [each.state[at] for each in hours.pollutants.values()]
    readings = [each.shown[at] for each in hours.pollutants.values()]
    if any(np.isfinite(values).any() for values in readings) or not states:
        return False
    lacking = [np.isin(state, (State.MISSING, State.OUTSIDE)).all() for state in states]
    return all(lacking) and bool((states[0] == State.MISSING).any())


def silences(
    hours: StackHours, whole: Period, months: Sequence[Period]
) -> dict[Period, tuple[Period, Period]]:
    """The silent ones of a whole and its months, with first and last month of the stretch."""
    if silent(hours, hours.slice_of(whole)):
        return dict.fromkeys((whole, *months), (whole, whole))
    found: dict[Period, tuple[Period, Period]] = {}
    run: list[Period] = []
    for month in (*months, None):
        if month is not None and silent(hours, hours.slice_of(month)):
            run.append(month)
            continue
        found |= dict.fromkeys(run, (run[0], run[-1])) if run else {}
        run = []
    return found


def silence_text(stack: str, of: tuple[Period, Period]) -> Text:
    """One sentence for all figures of a stretch without data."""
    first, last = of
    zh, en = (f"{first}",) * 2 if first == last else (f"{first} 至 {last}", f"{first} to {last}")
    return Text(
        zh=f"{stack} {zh} 没有任何数据，各项结果未知",
        en=f"{stack}: no data at all in {en}, its figures are unknown",
    )
