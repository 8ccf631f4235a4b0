"""
What is planted in a simulated plant: bad pots, false sensors, pots out of operation, another load.

A planted pot is known by number and days, so that a ranking can be compared with what was done.
Nothing here draws a random number: a plant without planted pots has the same values as ever.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import numpy.typing as npt

from drivers.language import say
from simulators.months import LOCAL
from simulators.wander import Floats

if TYPE_CHECKING:
    from simulators.pots import Pots

Ill = Literal["set_voltage", "resistance", "drift", "noise", "effects", "feeder"]
Blind = Literal["offset", "frozen", "link"]  # what the sensors show is not so
Out = Literal["stopped", "cut_out", "starting"]
Kind = Ill | Blind | Out
USUAL: Final[dict[str, float]] = {
    "set_voltage": 0.15,  # V above what the pot would have
    "resistance": 0.12,  # V that the controller does not see: a bad joint or cathode
    "drift": 0.10,  # V a month, growing from 0
    "noise": 55.0,  # mV, a metal pad that never rests
    "effects": 0.5,  # feeder blockages a day that end in an anode effect
    "feeder": 0.78,  # share of each shot that arrives
    "offset": 0.15,  # V that only the sensor shows
    "frozen": 0.0,
    "link": 0.0,  # nothing but zeros come
    "stopped": 0.0,
    "cut_out": 0.25,  # V that stay over the short-circuit blocks
    "starting": 0.8,  # V more on the first day, decaying in ten days
}
MOST: Final[dict[str, tuple[float, str]]] = {  # largest size and unit; the others have no size
    "set_voltage": (0.5, "V"),
    "resistance": (0.5, "V"),
    "drift": (0.5, "V/30d"),
    "noise": (300.0, "mV"),
    "effects": (12.0, "d⁻¹"),
    "feeder": (1.0, ""),  # share
    "offset": (0.5, "V"),
    "cut_out": (0.5, "V"),
    "starting": (3.0, "V"),
}
OFF: Final = ("stopped", "cut_out")
RUNNING, STOPPED, STARTING, CUT_OUT = 1.0, 0.0, 2.0, 3.0
START_DECAY_S: Final = 10 * 86_400.0
_HELD: Final = ("alumina", "metal_kg", "burnt_kg", "fed_kg", "acd_cm", "temperature_c", "beam_cm")


@dataclass(frozen=True, slots=True)
class Planted:
    """One pot (from 1) of a line (from 1), and what ails it from ``first`` to before ``after``."""

    kind: Kind
    pot: int
    line: int = 1
    size: float | None = None  # of that kind; None is the usual
    first: date | None = None
    after: date | None = None

    @classmethod
    def parse(cls, text: str) -> "Planted":
        """``set_voltage:3`` or ``offset:2/14=0.1``: kind, pot (or line/pot), size. ValueError."""
        found = re.fullmatch(r"(\w+):(?:(\d+)/)?(\d+)(?:=(\d+(?:\.\d+)?))?", text)
        if not found or found[1] not in USUAL or int(found[3]) < 1:
            known = ", ".join(USUAL)
            raise ValueError(
                say(
                    f"--planted {text}：请写 名称:槽号 或 名称:系列/槽号=数值；名称：{known}",
                    f"--planted {text}: write NAME:POT or NAME:LINE/POT=SIZE; names: {known}",
                )
            )
        kind: Kind = found[1]  # type: ignore[assignment]
        size = None if found[4] is None else _size(text, kind, float(found[4]))
        return cls(kind, int(found[3]), int(found[2] or 1), size)

    @property
    def amount(self) -> float:
        return USUAL[self.kind] if self.size is None else self.size

    def active(self, time_s: Floats) -> npt.NDArray[np.bool_]:
        """At which of the instants (ends of steps) it ails."""
        begin = -np.inf if self.first is None else _midnight(self.first)
        end = np.inf if self.after is None else _midnight(self.after)
        inside: npt.NDArray[np.bool_] = (time_s > begin) & (time_s <= end)
        return inside

    def since(self, time_s: Floats, begin_s: float) -> Floats:
        """Seconds since it began; since ``begin_s`` where it has no first day."""
        begin = begin_s if self.first is None else _midnight(self.first)
        past: Floats = np.maximum(time_s - begin, 0.0)
        return past

    def truth(self) -> dict[str, Any]:
        """For the file of what really happened."""
        return {
            "kind": self.kind,
            "line": f"line{self.line}",
            "pot": self.pot,
            "size": self.amount,
            "first": None if self.first is None else str(self.first),
            "after": None if self.after is None else str(self.after),
        }


def _size(text: str, kind: str, size: float) -> float:
    """A size within the bounds of its kind; ValueError."""
    if kind not in MOST:
        raise ValueError(
            say(
                f"--planted {text}：{kind} 没有数值，请去掉 =…",
                f"--planted {text}: {kind} has no size; leave out =…",
            )
        )
    most, unit = MOST[kind]
    bound = f"{most:g} {unit}".rstrip()
    if not 0 < size <= most:
        raise ValueError(
            say(
                f"--planted {text}：{kind} 的数值须大于 0、不超过 {bound}",
                f"--planted {text}: the size of {kind} is above 0 and at most {bound}",
            )
        )
    return size


@dataclass(frozen=True, slots=True)
class Load:
    """From a day on a line (from 1; 0 = all) is run at this share of its design current."""

    first: date
    share: float
    line: int = 0


def load_share(loads: Sequence[Load], time_s: Floats) -> Floats:
    """Share of the design current at each instant; the latest that has begun counts."""
    share = np.ones_like(time_s)
    for load in sorted(loads, key=lambda x: x.first):
        share = np.where(time_s > _midnight(load.first), load.share, share)
    return share


class Ailments:
    """The planted pots of one line, applied around each step of its pots."""

    def __init__(self, planted: Sequence[Planted], begin_s: float) -> None:
        self.planted = tuple(planted)
        self.begin_s = begin_s
        self._held: dict[str, Floats] = {}
        self._raised: set[int] = set()  # planted pots whose set voltage has been raised

    def before(self, pots: "Pots", dt_s: float, end_s: float) -> None:
        """Sets what the pots feel in the step that ends then."""
        at = np.array([end_s])
        pots.extra_v[:], pots.feed_arrives[:] = 0.0, 1.0
        pots.mode[:], pots.link[:] = RUNNING, 0.0
        for number, one in enumerate(self.planted):
            k, active = one.pot - 1, bool(one.active(at)[0])
            if one.kind == "set_voltage" and active != (number in self._raised):
                pots.set_v[k] += one.amount if active else -one.amount
                self._raised ^= {number}
            if active:
                self._feel(pots, one, float(one.since(at, self.begin_s)[0]), dt_s)
        self._held = {name: getattr(pots, name).copy() for name in _HELD}

    def _feel(self, pots: "Pots", one: Planted, past_s: float, dt_s: float) -> None:
        k = one.pot - 1
        if one.kind == "resistance":
            pots.extra_v[k] += one.amount
        elif one.kind == "drift":
            pots.extra_v[k] += one.amount * past_s / (30 * 86_400)
        elif one.kind == "noise":
            pots.lf_mv[k] = one.amount
        elif one.kind == "effects" and past_s % (86_400 / one.amount) < dt_s:
            pots.blocked_s[k] = 7_200
        elif one.kind == "feeder":
            pots.feed_arrives[k] = one.amount
        elif one.kind == "link":
            pots.link[k] = 1.0
        elif one.kind == "starting":
            pots.mode[k] = STARTING
            pots.extra_v[k] += one.amount * np.exp(-past_s / START_DECAY_S)
        elif one.kind in OFF:
            pots.mode[k] = STOPPED if one.kind == "stopped" else CUT_OUT

    def after(self, pots: "Pots", end_s: float) -> None:
        """A pot out of operation makes nothing, burns nothing, and has hardly a voltage."""
        at = np.array([end_s])
        for one in self.planted:
            if one.kind in OFF and one.active(at)[0]:
                k = one.pot - 1
                for name, values in self._held.items():
                    getattr(pots, name)[k] = values[k]
                for name in ("produced_kg", "tapped_kg", "carbon_kg", "anodes_kg"):
                    getattr(pots, name)[k] = 0.0
                pots.effect_share[k] = pots.effect_left_s[k] = pots.lf_mv[k] = 0.0
                pots.voltage[k] = one.amount

    def shown(self, voltage: Floats, time_s: Floats) -> Floats:
        """Voltages as the sensors show them; rows are instants, columns pots."""
        out = voltage
        for one in self.planted:
            if one.kind in {"offset", "frozen", "link"}:
                out = voltage.copy() if out is voltage else out
                out[:, one.pot - 1] = _seen(one, out[:, one.pot - 1], one.active(time_s))
        return out


def _seen(one: Planted, volts: Floats, active: npt.NDArray[np.bool_]) -> Floats:
    if one.kind == "frozen":
        at = int(np.argmax(active))
        stands = 3.95 if at == 0 else float(volts[at - 1])
        return np.where(active, stands, volts)
    return np.where(active, 0.0 if one.kind == "link" else volts + one.amount, volts)


def _midnight(day: date) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=LOCAL).timestamp()
