"""What a CEMS logger computes: readings each 5 s -> minutes, hours, days with flags, as texts."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from simulators.line import LineState
from simulators.stack import CALIBRATION, MAINTENANCE, Stack
from simulators.wander import Floats

STEP_S = 5  # between two readings
MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400
LOCAL_S = 28_800
ENOUGH = 0.75  # of the lower level must be normal, else the value is flagged D
NOT_CONVERTED = "9999.99"  # of 2025: the largest value where O2 allows no conversion
CARBON_KG_S_PER_POT = 0.0154
POLLUTANTS = {"pm": "a34013", "so2": "a21026", "nox": "a21002", "fluoride": "a21018"}
GAS = {
    "o2": ("a19001", 1.0, 3),
    "velocity": ("a01011", 1.0, 3),
    "temperature": ("a01012", 1.0, 2),
    "pressure": ("a01013", 0.001, 5),  # kPa
    "humidity": ("a01014", 1.0, 3),
}
FLOW = "a00000"  # dry standard m3/s


@dataclass(frozen=True, slots=True)
class Marked:
    """From ``start_s`` to before ``end_s`` the analyser says this flag (N F M S D C T B)."""

    start_s: float
    end_s: float
    flag: str


@dataclass(frozen=True, slots=True)
class Value:
    """One factor over one period: mean, lowest, highest, their converted values, amount, flag."""

    avg: float
    low: float
    high: float
    flag: str
    amount: float | None = None  # kg; of the flow m3
    converted: tuple[float, float, float] | None = None  # None: O2 allows none


Record = dict[str, Value]  # by factor code


@dataclass
class Analyser:
    """
    The instruments of one stack, a pure function of time: any minute can be asked again.

    ``reference_o2`` converts (None: the permit sets none, Zs equals the measured value).
    """

    stack: Stack = field(default_factory=lambda: Stack("gtc1", 12, 7))
    marks: list[Marked] = field(default_factory=list)
    reference_o2: float | None = None

    def __post_init__(self) -> None:
        self.minute = lru_cache(maxsize=4096)(self._minute)
        self.hour = lru_cache(maxsize=512)(self._hour)

    def now(self, time_s: float) -> Record:
        """What the instruments show at an instant."""
        return self._records(np.array([time_s]), 1)[0]

    def period(self, start_s: float, period_s: int) -> Record:
        """The record of the period that starts there: minutes, an hour or a day."""
        if period_s == DAY_S:
            return _over([self.hour(start_s + k * HOUR_S) for k in range(24)])
        if period_s == HOUR_S:
            return self.hour(start_s)
        if period_s == MINUTE_S:
            return self.minute(start_s)
        return _over([self.minute(start_s + k) for k in range(0, period_s, MINUTE_S)])

    def _minute(self, start_s: float) -> Record:
        return self._records(_times(start_s, MINUTE_S), MINUTE_S // STEP_S)[0]

    def _hour(self, start_s: float) -> Record:
        return _over(self._records(_times(start_s, HOUR_S), MINUTE_S // STEP_S))

    def _records(self, time_s: Floats, size: int) -> list[Record]:
        """One record per ``size`` readings."""
        state = LineState(
            time_s=time_s,
            current_ka=np.full(len(time_s), 420.0),
            pots_v=np.full(len(time_s), 4.0 * self.stack.pots),
            carbon_kg_s=np.full(len(time_s), CARBON_KG_S_PER_POT * self.stack.pots),
            effects=np.zeros(len(time_s)),
        )
        gauges = {
            name.partition(".")[2]: values.reshape(-1, size)
            for name, values in self.stack.readings(state).gauges.items()
            if ".instrument_state" in name or name.startswith(f"{self.stack.area}/stack1 ")
        }
        swollen = _swollen(gauges)
        flow = gauges["flow"] / 3600 / swollen
        for name in POLLUTANTS:  # what is reported is dry, at 0 degC and 101.325 kPa
            gauges[name] = gauges[name] * swollen
        rows = len(flow)
        times = time_s.reshape(-1, size)
        return [self._record(gauges, flow, row, float(times[row, 0])) for row in range(rows)]

    def _record(self, gauges: dict[str, Floats], flow: Floats, row: int, start_s: float) -> Record:
        size = flow.shape[1]
        seconds = size * STEP_S if size > 1 else 0
        flag = self._flag(gauges["instrument_state"][row], start_s, max(seconds, 1))
        volume = float(flow[row].mean()) * seconds
        found = {FLOW: _value(flow[row], 4, "N", volume)}
        for name, (code, scale, digits) in GAS.items():
            found[code] = _value(gauges[name][row] * scale, digits, "N")
        o2 = float(gauges["o2"][row].mean())
        for name, code in POLLUTANTS.items():
            value = _value(
                gauges[name][row], 3, flag, float(gauges[name][row].mean()) * volume / 1e6
            )
            found[code] = self._converted(value, o2)
        return found

    def _converted(self, value: Value, o2: float) -> Value:
        factor: float | None = 1.0
        if self.reference_o2 is not None:
            factor = (21 - self.reference_o2) / (21 - o2) if o2 < 21 else None
        if factor is None:
            return value
        low, avg, high = (round(x * factor, 3) for x in (value.low, value.avg, value.high))
        return Value(value.avg, value.low, value.high, value.flag, value.amount, (low, avg, high))

    def _flag(self, states: Floats, start_s: float, seconds: float) -> str:
        for mark in self.marks:
            if mark.start_s < start_s + seconds and mark.end_s > start_s:
                return mark.flag
        for state, flag in ((CALIBRATION, "C"), (MAINTENANCE, "M")):
            if (states == state).mean() > 1 - ENOUGH:
                return flag
        return "N"


def _times(start_s: float, period_s: int) -> Floats:
    times: Floats = start_s + np.arange(0, period_s, STEP_S, dtype=np.float64)
    return times


def _swollen(gauges: dict[str, Floats]) -> Floats:
    """What a dry standard cubic metre has become in the duct, warm and wet."""
    warm = (273.15 + gauges["temperature"]) / 273.15
    pressed = 101_325 / (101_325 + gauges["pressure"])
    factor: Floats = warm * pressed / (1 - gauges["humidity"] / 100)
    return factor


def _value(values: Floats, digits: int, flag: str, amount: float | None = None) -> Value:
    low, avg, high = (round(float(x), digits) for x in (values.min(), values.mean(), values.max()))
    return Value(avg, low, high, flag, None if amount is None else round(amount, 4))


def _over(records: Iterable[Record]) -> Record:
    """Mean of what is normal; below 75 % normal the value is flagged, by the commonest reason."""
    rows = list(records)
    return {code: _together([row[code] for row in rows]) for code in rows[0]}


def _together(values: list[Value]) -> Value:
    normal = [value for value in values if value.flag == "N"]
    flag = "N"
    if len(normal) < ENOUGH * len(values):
        reasons = [value.flag for value in values if value.flag != "N"]
        flag = max(set(reasons), key=reasons.count)
        flag = flag if reasons.count(flag) == len(reasons) else "D"
    used = normal or values
    amounts = [value.amount for value in used if value.amount is not None]
    converted = [value.converted for value in used if value.converted is not None]
    both = None
    if converted and len(converted) == len(used):
        low, avg, high = zip(*converted, strict=True)
        both = (min(low), round(float(np.mean(avg)), 3), max(high))
    return Value(
        avg=round(float(np.mean([value.avg for value in used])), 5),
        low=min(value.low for value in used),
        high=max(value.high for value in used),
        flag=flag,
        amount=round(sum(amounts), 4) if amounts else None,
        converted=both,
    )


def _text(value: float) -> str:
    """At most five decimals and never an exponent."""
    return f"{value:.5f}".rstrip("0").rstrip(".")


def moment(record: Record) -> dict[str, dict[str, str]]:
    """The fields of real-time data (2011)."""
    found = {}
    for code, value in record.items():
        fields = {"Rtd": _text(value.avg)}
        if code in POLLUTANTS.values():
            fields["ZsRtd"] = (
                NOT_CONVERTED if value.converted is None else _text(value.converted[1])
            )
        found[code] = fields | {"Flag": value.flag}
    return found


def summed(record: Record) -> dict[str, dict[str, str]]:
    """The fields of minute, hour and day data (2051, 2061, 2031)."""
    found = {}
    for code, value in record.items():
        fields = {"Cou": _text(value.amount)} if value.amount is not None else {}
        fields |= {"Min": _text(value.low), "Avg": _text(value.avg), "Max": _text(value.high)}
        if code in POLLUTANTS.values():
            names = ("ZsMin", "ZsAvg", "ZsMax")
            texts = (
                [NOT_CONVERTED] * 3
                if value.converted is None
                else [_text(x) for x in value.converted]
            )
            fields |= dict(zip(names, texts, strict=True))
        found[code] = fields | {"Flag": value.flag}
    return found
