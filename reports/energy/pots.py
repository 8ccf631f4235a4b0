"""
The pots of a line over a period: days known, voltages, noise, anode effects, temperature, feeding.

Arrays are days by pots, NaN where nothing is known. A day of a pot counts when enough of it was
seen with the pot in operation, its controller heard and its voltage alive; the rest is named.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt

from drivers.model import Floats
from reports.basis import Basis
from reports.energy.pot_parameters import PotParameters
from reports.periods import Period
from reports.series.pot_days import COLUMNS, DAY_S, REASONS
from reports.series.store import EventRecord, Table
from reports.values import Text

Flags = npt.NDArray[np.bool_]
EPOCH: Final = date(1970, 1, 1)
DAY: Final = timedelta(days=1)
LOCAL_NS: Final = 8 * 3_600 * 10**9
LOST: Final = {
    "link": Text(zh="槽控机通信中断", en="link lost"),
    "stopped": Text(zh="停槽", en="stopped"),
    "starting": Text(zh="启动期", en="starting"),
    "cut_out": Text(zh="短路切除", en="cut out"),
    "implausible": Text(zh="电压超出合理范围", en="implausible voltage"),
    "frozen": Text(zh="电压信号冻结", en="voltage frozen"),
    "young": Text(zh="启动后未满期", en="too soon after start-up"),
    "unknown": Text(zh="无数据", en="no data"),
}


@dataclass(frozen=True, slots=True, eq=False)
class PotDays:
    """
    Days of the pots of one line.

    ``values`` has the columns of ``series.pot_days``; ``effects`` counts anode effects begun;
    ``counts`` says which days count; ``lost`` holds the days of each pot lost, by reason.
    """

    line: str
    period: Period
    pots: tuple[str, ...]
    values: Mapping[str, Floats]
    effects: Floats
    counts: Flags
    lost: Mapping[str, Floats]
    days_run: int  # of the line

    def mean(self, name: str) -> Floats:
        """Mean of each pot over its days that count; NaN without any."""
        return mean_of(np.where(self.counts, self.values[name], np.nan))

    @property
    def days(self) -> Floats:
        """How many days of each pot count."""
        found: Floats = self.counts.sum(axis=0).astype(np.float64)
        return found

    @property
    def coverage(self) -> Floats:
        """Share of the days on which the line ran in which each pot was seen in operation."""
        seen = np.nansum(self.values["counted_s"], axis=0)
        share: Floats = seen / (DAY_S * max(self.days_run, 1))
        return share


def mean_of(values: Floats, axis: int = 0) -> Floats:
    """Mean of what is known; NaN where nothing is."""
    known = np.isfinite(values)
    count = known.sum(axis=axis)
    total = np.where(known, values, 0.0).sum(axis=axis)
    mean: Floats = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    return mean


def median_of(values: Floats) -> float:
    """Median of what is known; NaN where nothing is."""
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else float("nan")


def read_pots(
    basis: Basis, lines: Sequence[str], parameters: PotParameters | None = None
) -> dict[str, PotDays]:
    """The pots of each line that has any; the store is asked once for all."""
    table = basis.series.pot_days(basis.period)
    happened = basis.series.happened("anode_effect", basis.period)
    made = {}
    for name in lines:
        line = basis.site.line(name)
        days = basis.period.days
        ran = [line is not None and line.runs_in(day, day + DAY) for day in days]
        made[name] = pot_days_of(
            table, happened, name, basis.period, parameters, np.array(ran, dtype=bool)
        )
    return {line: days for line, days in made.items() if days.pots}


def pot_days_of(
    table: Table,
    events: Sequence[EventRecord],
    line: str,
    period: Period,
    parameters: PotParameters | None = None,
    ran: Flags | None = None,
) -> PotDays:
    """Days by pots from the rows of the store; ``ran`` says on which days the line did."""
    names = np.array(table["equipment"].to_pylist(), dtype=object)
    mine = np.array([str(name).startswith(f"{line}/") for name in names], dtype=bool)
    pots = tuple(sorted(set(names[mine])))
    place = {pot: k for k, pot in enumerate(pots)}
    across = np.array([place[name] for name in names[mine]], dtype=np.int64)
    first = (period.first - EPOCH).days
    down = np.asarray(table["day"].to_numpy(), dtype=np.int64)[mine] - first
    shape = (len(period.days), len(pots))
    values: dict[str, Floats] = {}
    for name in COLUMNS[2:]:
        values[name] = np.full(shape, np.nan)
        values[name][down, across] = np.asarray(table[name].to_numpy(), dtype=np.float64)[mine]
    days_run = np.ones(shape[0], dtype=bool) if ran is None else ran
    counts, lost = _judged(values, parameters or PotParameters(), days_run)
    effects = _effects(values, [e for e in events if e.equipment in place], place, period)
    return PotDays(line, period, pots, values, effects, counts, lost, int(days_run.sum()))


def _judged(
    values: Mapping[str, Floats], by: PotParameters, ran: Flags
) -> tuple[Flags, dict[str, Floats]]:
    seen = np.nan_to_num(values["counted_s"])
    lost = {reason: np.nan_to_num(values[f"{reason}_s"]).sum(axis=0) / DAY_S for reason in REASONS}
    starting = np.nan_to_num(values["starting_s"]) > 0
    young = np.zeros_like(starting)
    age = np.full(starting.shape[1], by.young_days + 1)
    for day in range(len(starting)):
        age = np.where(starting[day], 0, age + 1)
        young[day] = age <= by.young_days
    moved = values["high_v"] - values["low_v"]
    frozen = (seen > 0) & (moved < by.frozen_mv / 1000)
    lost["frozen"] = frozen.sum(axis=0).astype(np.float64)
    lost["young"] = (young & ~starting & (seen > 0)).sum(axis=0).astype(np.float64)
    unheard = (1 - np.nan_to_num(values["heard_s"]) / DAY_S).clip(0)
    lost["unknown"] = unheard[ran].sum(axis=0)
    known = np.isfinite(values["voltage"]) & np.isfinite(values["working"])
    return (seen >= by.day_share * DAY_S) & ~young & ~frozen & known, lost


def _effects(
    values: Mapping[str, Floats],
    events: Sequence[EventRecord],
    place: Mapping[str, int],
    period: Period,
) -> Floats:
    """Anode effects begun, by day and pot: events when there are any, else counter, else flags."""
    shape = values["voltage"].shape
    if events:
        found = np.zeros(shape)
        for event in events:
            day = EPOCH + timedelta(days=(event.start_ns + LOCAL_NS) // (DAY_S * 10**9))
            found[(day - period.first).days, place[event.equipment]] += 1
        return found
    begun = np.nan_to_num(values["ae_starts"])
    goes_on = np.zeros(shape, dtype=bool)
    goes_on[1:] = (values["ae_last"][:-1] > 0) & (values["ae_first"][1:] > 0)
    counted = values["ae_count"]
    counter = np.isfinite(counted) & (np.nan_to_num(counted) >= 0)
    number: Floats = np.where(counter, np.nan_to_num(counted), begun - goes_on)
    return number


def noise_mv(days: PotDays) -> Floats:
    """Low-frequency noise of each pot, mV: as computed by us, else as its controller says."""
    own, given = days.mean("swing"), days.mean("noise_lf")
    return np.where(np.isfinite(own), own, given)


def lost_text(days: PotDays, pot: int) -> Text | None:
    """Why days of a pot do not count; None when all do."""
    found = [
        (LOST[reason], float(lost[pot])) for reason, lost in days.lost.items() if lost[pot] >= 0.05
    ]
    if not found:
        return None
    return Text(
        zh="，".join(f"{text.zh} {amount:.1f} 天" for text, amount in found),
        en=", ".join(f"{text.en} {amount:.1f} d" for text, amount in found),
    )
