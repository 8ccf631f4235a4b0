"""What is planted in a simulated year of stacks: exceedances, calibrations, outages, stops."""

import re
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import numpy as np
import numpy.typing as npt

from drivers.language import say
from simulators.months import LOCAL

POLLUTANTS = ("pm", "so2", "nox", "fluoride")
RUNNING, CALIBRATION, MAINTENANCE, FAULT, OFF = 0.0, 1.0, 2.0, 3.0, 4.0  # instrument_state
CHECK_AT, CHECK_MINUTES = timedelta(hours=2), 15  # zero and span check of every day

# kind -> unit of its size ("" none), and whether it names a pollutant
KINDS: dict[str, tuple[str, bool]] = {
    "level": ("mg/m3", True),  # the stack really emits so much, exactly, in every minute
    "desulphurisation_trip": ("mg/m3", False),  # so2 about so high, desulphurisation.running 0
    "scrubber_trip": ("mg/m3", False),  # pm about so high and fluoride a fifth, running 0
    "air": ("%", False),  # false air: oxygen of the dry gas
    "shut_down": ("1", False),  # the source goes down; pollutants times size
    "stop": ("", False),  # the source stands
    "start_up": ("1", False),  # the source comes up; pollutants times size
    "calibration": ("", False),  # instrument_state 1: calibration gas is seen
    "maintenance": ("", False),  # 2: nothing is seen
    "fault": ("", False),  # 3: what is seen stands still
    "power_off": ("", False),  # 4 as long as the device answers: no values
    "communication": ("", False),  # the gateway gets nothing; there are no rows
    "drift": ("1", True),  # reading = truth times (1 + size)
}
_TEXT = re.compile(
    r"(?P<kind>\w+):(?P<stack>\w+)(?:/(?P<pollutant>\w+))?"
    r"@(?P<begin>\d{4}-\d\d-\d\dT\d\d:\d\d)\+(?P<minutes>\d+)(?:=(?P<size>[-\d.]+))?"
)


@dataclass(frozen=True, slots=True)
class Happening:
    """Something planted on a stack: from ``begin`` (plant time) for so many minutes."""

    kind: str
    stack: str
    begin: datetime
    minutes: int
    size: float = 0.0
    pollutant: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            known = " ".join(KINDS)
            raise ValueError(say(f"{self.kind}：可用 {known}", f"{self.kind}: known are {known}"))
        unit, named = KINDS[self.kind]
        if named != bool(self.pollutant) or (named and self.pollutant not in POLLUTANTS):
            raise ValueError(
                say(
                    f"{self.kind}：{'须写明' if named else '不带'}污染物（{' '.join(POLLUTANTS)}）",
                    f"{self.kind}: {'name a' if named else 'takes no'} pollutant "
                    f"({' '.join(POLLUTANTS)})",
                )
            )
        if bool(unit) != bool(self.size):
            raise ValueError(
                say(
                    f"{self.kind}：{f'须给出 ={unit} 数值' if unit else '不带 =…'}",
                    f"{self.kind}: {f'give =SIZE in {unit}' if unit else 'takes no =SIZE'}",
                )
            )
        if self.minutes < 1:
            raise ValueError(say(f"{self.kind}：至少一分钟", f"{self.kind}: at least a minute"))

    @classmethod
    def parse(cls, text: str) -> "Happening":
        """``KIND:STACK[/POLLUTANT]@2025-04-17T13:00+MINUTES[=SIZE]``; ValueError says what not."""
        found = _TEXT.fullmatch(text)
        if not found:
            form = "KIND:STACK[/POLLUTANT]@2025-04-17T13:00+MINUTES[=SIZE]"
            raise ValueError(say(f"{text!r}：应写作 {form}", f"{text!r}: write {form}"))
        return cls(
            found["kind"],
            found["stack"],
            datetime.fromisoformat(found["begin"]).replace(tzinfo=LOCAL),
            int(found["minutes"]),
            float(found["size"] or 0),
            found["pollutant"] or "",
        )

    @property
    def end(self) -> datetime:
        return self.begin + timedelta(minutes=self.minutes)

    def inside(self, time_s: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
        """Which minutes, given by their starts, it covers."""
        covered: npt.NDArray[np.bool_] = (time_s >= self.begin.timestamp()) & (
            time_s < self.end.timestamp()
        )
        return covered

    def truth(self) -> dict[str, object]:
        """For the file of what really happened."""
        return {
            "kind": self.kind,
            "stack": self.stack,
            "begin": self.begin.isoformat(),
            "end": self.end.isoformat(),
            "size": self.size,
            "pollutant": self.pollutant,
        }


@dataclass(frozen=True, slots=True)
class StackDesign:
    """
    One emission point: what the permit says and what the gas is like.

    ``usual`` are mg/m3 dry at standard state, converted where there is a reference oxygen.
    """

    id: str  # permit number
    equipment: str
    zh: str
    en: str
    industry: str
    usual: dict[str, float]
    limits: dict[str, float]
    gas_nm3_h: float  # dry, standard state
    area_m2: float
    warm_c: float
    moisture: float  # volume fraction
    o2: float  # % of the dry gas
    potline: str = ""
    wet: bool = False  # concentrations and oxygen are measured wet
    flags: bool = False  # values carry the logger's flags; there is no point instrument_state
    reference_o2: float | None = None
    velocity_coefficient: float = 1.0
    ambient_pa: float = 100_100.0
    started: date = date(2020, 1, 1)
    controls: tuple[tuple[str, str], ...] = ()  # equipment, quantity

    @property
    def area(self) -> str:
        return self.equipment.partition("/")[0]


POT_GAS = StackDesign(
    id="DA001",
    equipment="gtc1/stack1",
    zh="一系列电解烟气排放口",
    en="pot gas of potline 1",
    industry="electrolytic_aluminium",
    usual={"pm": 3.6, "so2": 19.0, "fluoride": 0.55},
    limits={"pm": 10.0, "so2": 35.0, "fluoride": 2.0},
    gas_nm3_h=90_000.0,
    area_m2=2.4,
    warm_c=52.0,
    moisture=0.115,
    o2=20.55,
    potline="line1",
    controls=(
        ("gtc1/scrubber1", "scrubber.running"),
        ("gtc1/fgd1", "desulphurisation.running"),
    ),
)
BAKING = StackDesign(
    id="DA002",
    equipment="bake1/stack1",
    zh="阳极焙烧炉排放口",
    en="anode baking furnace",
    industry="carbon",
    usual={"so2": 17.0, "nox": 52.0},
    limits={"so2": 35.0, "nox": 100.0},
    gas_nm3_h=60_000.0,
    area_m2=1.9,
    warm_c=86.0,
    moisture=0.09,
    o2=17.1,
    wet=True,
    flags=True,
    reference_o2=15.0,
    velocity_coefficient=1.05,
)


@dataclass(frozen=True, slots=True)
class SmokePlan:
    """Stacks of a period and everything planted in them; the same seed gives the same year."""

    begin: datetime
    end: datetime
    seed: int = 7
    stacks: tuple[StackDesign, ...] = (POT_GAS,)
    happenings: tuple[Happening, ...] = field(default=())
    forged: tuple[Happening, ...] = ()  # marks that somebody lays over what was seen well

    def __post_init__(self) -> None:
        known = {stack.id: stack for stack in self.stacks}
        for one in self.happenings:
            if one.stack not in known:
                raise ValueError(
                    say(
                        f"{one.stack}：没有此排放口（{' '.join(known)}）",
                        f"{one.stack}: no such stack ({' '.join(known)})",
                    )
                )
            if one.pollutant and one.pollutant not in known[one.stack].usual:
                raise ValueError(
                    say(
                        f"{one.stack} 不测 {one.pollutant}",
                        f"{one.stack} has no {one.pollutant}",
                    )
                )

    def of(self, stack: str) -> tuple[Happening, ...]:
        return tuple(one for one in self.happenings if one.stack == stack)


# Maintenance, says somebody; the instrument ran and saw it all.
FORGED = "maintenance:DA001@{y}-12-09T14:00+180"


def plan_of_year(year: int, seed: int = 7) -> SmokePlan:
    """One of everything that can happen to a stack, and the decoys beside it."""
    texts = [text.format(y=year, n=year + 1) for text in _PLANTED]
    texts += [f"maintenance:DA001@{year}-{month:02d}-10T10:00+120" for month in range(1, 13)]
    return SmokePlan(
        datetime(year, 1, 1, tzinfo=LOCAL),
        datetime(year + 1, 1, 1, tzinfo=LOCAL),
        seed,
        (POT_GAS,),
        tuple(Happening.parse(text) for text in texts),
        (Happening.parse(FORGED.format(y=year)),),
    )


# The longest and strangest things last in the year, so that a report of one month has some.
_PLANTED = (
    # 16 minutes of calibration leave 44 valid ones, the daily 15 leave exactly 45
    "calibration:DA001@{y}-01-08T02:15+1",
    "communication:DA001@{y}-01-09T10:00+15",  # 45 left: valid
    "communication:DA001@{y}-01-09T14:00+16",  # 44 left: not
    "level:DA001/so2@{y}-01-15T08:00+60=35.0",  # the limit itself is kept
    "level:DA001/so2@{y}-01-15T11:00+60=35.1",  # just above it
    "level:DA001/so2@{y}-01-20T17:05+10=85",  # ten minutes that an hour swallows: a decoy
    "level:DA001/so2@{y}-02-04T16:00+20=210",  # twenty that lift the hour above the limit
    "desulphurisation_trip:DA001@{y}-02-17T13:00+180=78",
    "drift:DA001/so2@{y}-03-04T15:00+2570=-0.14",  # until 03-06 09:50, found at the check
    "calibration:DA001@{y}-03-06T09:50+45",
    "power_off:DA001@{y}-05-11T08:00+1140",  # 19 hours: a short gap
    "calibration:DA001@{y}-05-12T03:00+30",  # after every failure, before its data count again
    "power_off:DA001@{y}-06-04T21:00+2520",  # 42 hours: a long one
    "calibration:DA001@{y}-06-06T15:00+30",
    "scrubber_trip:DA001@{y}-06-21T22:20+90=46",
    "communication:DA001@{y}-07-19T14:10+205",
    "level:DA001/pm@{y}-08-02T05:00+60=12.5",
    "level:DA001/so2@{y}-08-12T09:00+25=300",  # above, but the rest of the hour is lost: no hour
    "power_off:DA001@{y}-08-12T09:25+35",
    "level:DA001/so2@{y}-09-30T23:00+120=52",  # over the edge of a quarter
    "shut_down:DA001@{y}-10-19T20:00+240=1.1",
    "stop:DA001@{y}-10-20T00:00+6120",  # 102 hours
    "start_up:DA001@{y}-10-24T06:00+360=2.4",  # above the limits, and marked as what it was
    "fault:DA001@{y}-11-03T06:00+17280",  # 12 days: less than 90 % of the quarter
    "calibration:DA001@{y}-11-15T06:00+30",
    "desulphurisation_trip:DA001@{y}-12-09T14:00+180=57",  # the hours of the forged mark
    "level:DA001/fluoride@{y}-12-16T04:00+120=2.6",
    "level:DA001/so2@{y}-12-31T23:00+60=41",  # the last hour of the year
)
