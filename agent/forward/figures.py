"""Windows of the record stream → figures of a factor: value, range, converted, amount, flag."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypedDict

from drivers.model import Quality

NORMAL = "N"
ENOUGH = 0.75  # of the lower level must be normal (HJ 212-2017, notes to tables C.16 to C.18)
FLAGS = {
    Quality.STOPPED.wire: "F",
    Quality.MAINTENANCE.wire: "M",
    Quality.SET_BY_HAND.wire: "S",
    Quality.CALIBRATION.wire: "C",
    Quality.OUT_OF_RANGE.wire: "T",
    Quality.NO_DATA.wire: "B",
}  # whatever else is wrong with a value is a fault, D
POLLUTANTS = {
    "pm": "a34013",
    "so2": "a21026",
    "nox": "a21002",
    "fluoride": "a21018",
    "nh3": "a21001",
    "hcl": "a21024",
    "co": "a21005",
    "asphalt_fume": "a34038",
}
# field -> code and how many of our unit are one of the standard's (kPa, m3/s)
GAS = {
    "flow": ("a00000", 3600.0),
    "o2": ("a19001", 1.0),
    "velocity": ("a01011", 1.0),
    "temperature": ("a01012", 1.0),
    "pressure": ("a01013", 1000.0),
    "humidity": ("a01014", 1.0),
}
FLOW = "a00000"
Fields = Mapping[str, str]


class FigureState(TypedDict):
    """A figure as JSON."""

    mean: float | None
    low: float | None
    high: float | None
    converted: list[float | None]
    amount: float | None
    flag: str


@dataclass(slots=True)
class Figure:
    """One factor over one period, in the units of the standard; None is not there."""

    mean: float | None = None
    low: float | None = None
    high: float | None = None
    converted: tuple[float | None, float | None, float | None] = (None, None, None)  # low mean high
    amount: float | None = None  # kg, of the flow m3
    flag: str = NORMAL

    def state(self) -> FigureState:
        return {
            "mean": self.mean,
            "low": self.low,
            "high": self.high,
            "converted": list(self.converted),
            "amount": self.amount,
            "flag": self.flag,
        }

    @classmethod
    def of(cls, state: FigureState) -> "Figure":
        low, mean, high = state["converted"]
        figures = (state["mean"], state["low"], state["high"])
        return cls(*figures, (low, mean, high), state["amount"], state["flag"])


Figures = dict[str, Figure]  # by factor code


def of_logger(fields: Fields) -> Figures:
    """From a ``cems_…`` line: what the logger said, as it said it."""
    found: Figures = {}
    for name, code in POLLUTANTS.items():
        if f"{name}_n" in fields or f"{name}_converted_n" in fields:
            figure = _figure(fields, name)
            figure.converted = _range(fields, f"{name}_converted")
            figure.amount = _number(fields, f"{name}_mass_inc")
            found[code] = figure
    for name, (code, scale) in GAS.items():
        if f"{name}_n" in fields:
            found[code] = _scaled(_figure(fields, name), scale)
    if "flow_total_n" in fields:
        flow = found.setdefault(FLOW, Figure(flag=_flag(fields, "flow_total")))
        flow.amount = _number(fields, "flow_total_inc")
    return found


def of_stack(fields: Fields) -> Figures:
    """From the ``stack_1m`` lines of one minute: what the gateway computed itself."""
    found: Figures = {}
    flow = _number(fields, "flow_standard")  # Nm3/h
    for name, code in POLLUTANTS.items():
        if f"{name}_dry_n" in fields:
            figure = _figure(fields, f"{name}_dry")
            figure.converted = _range(fields, f"{name}_converted")
            if figure.mean is not None and flow is not None:
                figure.amount = figure.mean * flow / 60 / 1e6
            found[code] = figure
    for name, (code, scale) in GAS.items():
        said = {"o2": "o2_dry", "flow": "flow_standard"}.get(name, name)
        if f"{said}_n" in fields:
            found[code] = _scaled(_figure(fields, said), scale)
    if FLOW in found and flow is not None:
        found[FLOW].amount = flow / 60
    return found


def _number(fields: Fields, name: str) -> float | None:
    return float(fields[name]) if name in fields else None


def _range(fields: Fields, name: str) -> tuple[float | None, float | None, float | None]:
    mean = _number(fields, name)
    low, high = _number(fields, f"{name}_min"), _number(fields, f"{name}_max")
    return (mean if low is None else low), mean, (mean if high is None else high)


def _figure(fields: Fields, name: str) -> Figure:
    low, mean, high = _range(fields, name)
    return Figure(mean, low, high, flag=_flag(fields, name))


def _flag(fields: Fields, name: str) -> str:
    """By the main reason; a minute that was good for three quarters of its time is normal."""
    good = float(fields.get(f"{name}_good", "1"))
    reason = fields.get(f"{name}_q", "").strip('"')
    if not reason or (good >= ENOUGH and fields.get(f"{name}_n") != "0i"):
        return NORMAL
    return FLAGS.get(reason, "D")


def _scaled(figure: Figure, scale: float) -> Figure:
    low, mean, high = (
        None if value is None else value / scale for value in (figure.low, figure.mean, figure.high)
    )
    return Figure(mean, low, high, flag=figure.flag)


@dataclass(slots=True)
class Together:
    """The figures of a longer period, from those of ``expected`` shorter ones."""

    start_s: int
    expected: int
    parts: list[Figures] = field(default_factory=list)

    def result(self) -> Figures:
        codes = dict.fromkeys(code for part in self.parts for code in part)
        return {code: self._of([p[code] for p in self.parts if code in p]) for code in codes}

    def _of(self, figures: list[Figure]) -> Figure:
        normal = [figure for figure in figures if figure.flag == NORMAL]
        used = normal or figures
        lows, highs = _there(f.low for f in used), _there(f.high for f in used)
        amounts = _there(figure.amount for figure in used)
        return Figure(
            mean=_mean(figure.mean for figure in used),
            low=min(lows, default=None),
            high=max(highs, default=None),
            converted=(
                min(_there(f.converted[0] for f in used), default=None),
                _mean(f.converted[1] for f in used),
                max(_there(f.converted[2] for f in used), default=None),
            ),
            amount=sum(amounts) if amounts else None,
            flag=self._flag(figures, len(normal)),
        )

    def _flag(self, figures: list[Figure], normal: int) -> str:
        """N from three quarters on; one reason throughout is that reason, else D."""
        if normal >= ENOUGH * self.expected:
            return NORMAL
        reasons = {figure.flag for figure in figures}
        return reasons.pop() if len(reasons) == 1 and not normal else "D"


def _there(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _mean(values: Iterable[float | None]) -> float | None:
    found = _there(values)
    return sum(found) / len(found) if found else None


def texts(figures: Figures) -> list[tuple[str, str]]:
    """``(a21026-Avg, 27.1)`` … in the order of the standard's tables, flag last of each factor."""
    found: list[tuple[str, str]] = []
    for code, figure in figures.items():
        low, mean, high = figure.converted
        fields = {
            "Cou": figure.amount,
            "Min": figure.low,
            "Avg": figure.mean,
            "Max": figure.high,
            "ZsMin": low,
            "ZsAvg": mean,
            "ZsMax": high,
        }
        found += [(f"{code}-{name}", decimal(v)) for name, v in fields.items() if v is not None]
        found.append((f"{code}-Flag", figure.flag))
    return found


def decimal(value: float) -> str:
    """At most five decimals and no exponent; a whole number has no point."""
    text = f"{value:.5f}".rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text
