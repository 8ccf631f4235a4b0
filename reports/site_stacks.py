"""``[[stacks]]`` of ``site.toml``: emission points as the plant's own permit states them."""

from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Final, Literal, Self

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from drivers.config import NAME, Strict
from drivers.language import say
from drivers.model import Equipment
from drivers.quantities import quantities
from drivers.signals.stack import NEAR_INITIAL, POLLUTANTS
from drivers.signals.stack_slips import SLIPS, refuse_slip
from reports.site_meters import Meter
from reports.values import Text

SOURCES_NOX: Final = {"nox": ("nox",), "no": ("no",), "no+no2": ("no", "no2")}


def _equipment(text: object) -> object:
    return str(Equipment.parse(text)) if isinstance(text, str) else text


def _point(text: object) -> object:
    """``area/unit quantity`` of any kind."""
    if not isinstance(text, str):
        return text
    name, _, quantity = text.strip().partition(" ")
    point = Meter(str(Equipment.parse(name)), quantity.strip())
    if point.quantity not in quantities():
        raise ValueError(
            say(
                f"{text!r}：写成 区域/设备 量名，例如 gtc1/scrubber1 scrubber.running",
                f"{text!r}: write area/unit and a quantity, e.g. gtc1/scrubber1 scrubber.running",
            )
        )
    return point


Place = Annotated[str, BeforeValidator(_equipment)]
Point = Annotated[Meter, BeforeValidator(_point)]


class Limit(Strict):
    """
    What the permit allows of one pollutant from ``from`` to ``until``, both days included.

    mg/m3 at 273 K, 101,325 Pa, dry; at the reference O2 where the stack has one.
    """

    pollutant: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    hour_mg_m3: Decimal = Field(gt=0)
    day_mg_m3: Decimal | None = Field(default=None, gt=0)
    first: date = Field(alias="from")
    until: date | None = None
    source: str = Field(min_length=1)  # permit or standard, with page or table

    @model_validator(mode="after")
    def _known(self) -> Self:
        problems = []
        if self.pollutant not in POLLUTANTS:
            names = ", ".join(POLLUTANTS)
            problems.append(
                say(
                    f"没有污染物 {self.pollutant!r}；可写 {names}",
                    f"there is no pollutant {self.pollutant!r}; write {names}",
                )
            )
        if self.until is not None and self.until < self.first:
            problems.append(
                say(
                    f"until {self.until} 早于 from {self.first}",
                    f"until {self.until} is before from {self.first}",
                )
            )
        if problems:
            raise ValueError(say("；", "; ").join(problems))
        return self

    def holds_on(self, day: date) -> bool:
        return self.first <= day and (self.until is None or day <= self.until)


class Permit(Strict):
    """The discharge permit that names this emission point."""

    number: str = Field(min_length=1)
    document: str = ""  # name of the file or its page that says so
    valid_until: date | None = None  # the last day


class Stack(Strict):
    """One emission point (排放口) with continuous monitoring."""

    id: str = Field(pattern=NAME)  # number in the permit: DA001
    name: Text
    equipment: Place
    industry: str = Field(pattern=r"^[a-z][a-z_]*$")
    area_m2: Decimal = Field(gt=0, le=1000)
    velocity_coefficient: Decimal = Field(default=Decimal(1), gt=0, le=2)
    ambient_pa: Decimal = Field(default=Decimal(101325), ge=50000, le=110000)
    static_pa: Decimal | None = Field(default=None, ge=-20000, le=20000)  # where none is measured
    moisture_percent: Decimal | None = Field(default=None, ge=0, lt=60)  # the same
    wet: bool | tuple[str, ...]  # measured in wet gas: all, none, or those named (``o2`` too)
    actual: bool | tuple[str, ...] = True  # measured at temperature and pressure of the gas
    reference_o2: Decimal | None = Field(default=None, ge=0, lt=21)  # None: nothing is converted
    initial_o2: Decimal = Field(default=Decimal(21), gt=0, le=100)
    near_o2: Decimal = Field(default=Decimal(str(NEAR_INITIAL)), gt=0, le=5)
    nox_from: Literal["nox", "no", "no+no2"] = "nox"
    limits: tuple[Limit, ...] = ()
    potlines: tuple[str, ...] = ()  # whose gas it discharges
    controls: tuple[Point, ...] = ()  # points that say the treatment runs
    production: Point | None = None  # says that the source runs
    production_above: Decimal = Decimal("0.5")  # it runs while the point is above this
    permit: Permit | None = None
    started: date | None = None  # before it there is nothing to report
    stopped: date | None = None  # from this day on there is nothing to report
    cems_points: tuple[Point, ...] = ()  # () = what the instruments of the equipment measure

    @field_validator(*SLIPS, mode="before")
    @classmethod
    def _meant(cls, value: object, info: ValidationInfo) -> object:
        refuse_slip(info.field_name or "", value)
        return value

    @model_validator(mode="after")
    def _whole(self) -> Self:
        problems = []
        if self.started and self.stopped and self.stopped <= self.started:
            problems.append(
                say(
                    f"停用日期 stopped {self.stopped} 须晚于投用日期 started {self.started}",
                    f"stopped {self.stopped} must be later than started {self.started}",
                )
            )
        if self.reference_o2 is not None and self.reference_o2 >= self.initial_o2:
            problems.append(
                say(
                    f"基准含氧量 {self.reference_o2} 须低于初始含氧量 {self.initial_o2}",
                    f"reference_o2 {self.reference_o2} must be below initial_o2 {self.initial_o2}",
                )
            )
        problems += self._names("wet", (*POLLUTANTS, "o2")) + self._names("actual", POLLUTANTS)
        ordered = sorted(self.limits, key=lambda limit: (limit.pollutant, limit.first))
        for one, other in pairwise(ordered):
            if one.pollutant == other.pollutant and one.holds_on(other.first):
                problems.append(
                    say(
                        f"{one.pollutant} 自 {one.first} 和自 {other.first} 的限值时间重叠",
                        f"limits of {one.pollutant} from {one.first} and from {other.first} "
                        "overlap: give the earlier one `until`",
                    )
                )
        if problems:
            raise ValueError(say("；", "; ").join(problems))
        return self

    def _names(self, key: Literal["wet", "actual"], known: tuple[str, ...]) -> list[str]:
        given = getattr(self, key)
        return [
            say(
                f"{key}：没有 {name!r}；可写 true、false 或 {', '.join(known)}",
                f"{key}: unknown {name!r}; write true, false or {', '.join(known)}",
            )
            for name in (() if isinstance(given, bool) else given)
            if name not in known
        ]

    def measured_so(self, key: Literal["wet", "actual"]) -> frozenset[str]:
        """For which values ``wet`` or ``actual`` holds."""
        given = self.wet if key == "wet" else self.actual
        if isinstance(given, bool):
            return frozenset((*POLLUTANTS, "o2") if given else ())
        return frozenset(given)

    @property
    def pollutants(self) -> tuple[str, ...]:
        """Those with a limit, in the usual order."""
        named = {limit.pollutant: None for limit in self.limits}
        usual = [name for name in POLLUTANTS if name in named]
        return (*usual, *(name for name in named if name not in usual))

    def limit(self, pollutant: str, day: date) -> Limit | None:
        """The limit that holds on a day; None when the permit states none."""
        return next((x for x in self.limits if x.pollutant == pollutant and x.holds_on(day)), None)

    def works_on(self, day: date) -> bool:
        begun = self.started is None or self.started <= day
        return begun and (self.stopped is None or day < self.stopped)

    def works_in(self, first: date, after: date) -> bool:
        """True when it works on any day of [first, after)."""
        begun = self.started is None or self.started < after
        return begun and (self.stopped is None or self.stopped > first) and after > first

    def within(self, first: date, after: date) -> tuple[date, date]:
        """The part of [first, after) in which it works."""
        last = after if self.stopped is None else min(after, self.stopped)
        return max(first, self.started or first), last

    @property
    def measured(self) -> tuple[str, ...]:
        """Quantities its instruments measure: the pollutants as they are, and the gas."""
        gas = ("o2", "velocity", "temperature", "pressure", "humidity", "flow")
        parts: list[str] = []
        for name in self.pollutants:
            parts += SOURCES_NOX[self.nox_from] if name == "nox" else (name,)
        return tuple(f"stack.{name}" for name in dict.fromkeys((*parts, *gas)))


class SiteStacks(Strict):
    """What ``site.toml`` says for emissions and the grade."""

    stacks: tuple[Stack, ...] = ()

    def stack(self, identity: str) -> Stack | None:
        """By permit number or by equipment."""
        return next((x for x in self.stacks if identity in {x.id, x.equipment}), None)
