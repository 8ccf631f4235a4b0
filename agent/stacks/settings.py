"""``[[stacks]]`` of gateway.toml: what must be known of an emission point to judge its minutes."""

from datetime import date, datetime, timedelta, timezone
from typing import Final, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from drivers.config import Strict
from drivers.language import say
from drivers.model import Equipment
from drivers.signals.stack import POLLUTANTS, StackGas
from drivers.signals.stack_hour import HourRules
from drivers.signals.stack_slips import SLIPS, refuse_slip

MEASUREMENT: Final = "stack"
STATE: Final = "instrument_state"
PLANT_TIME: Final = timezone(timedelta(hours=8))


def plant_time(at_ns: int) -> datetime:
    """A time of the plant, to the second."""
    return datetime.fromtimestamp(at_ns // 1_000_000_000, PLANT_TIME)


class LimitConfig(Strict):
    """``[[stacks.limits]]``: what the permit allows, from one day to another, both included."""

    pollutant: str
    hour_mg_m3: float = Field(gt=0)  # dry, at the reference oxygen where the permit sets one
    day_mg_m3: float | None = Field(default=None, gt=0)  # for the reports
    first: date = Field(alias="from")
    until: date | None = None
    source: str = Field(min_length=1)  # document and place in it

    @field_validator("pollutant")
    @classmethod
    def _known(cls, pollutant: str) -> str:
        if pollutant not in POLLUTANTS:
            names = ", ".join(POLLUTANTS)
            raise ValueError(
                say(f"没有污染物 {pollutant}；可写 {names}", f"unknown {pollutant}; write {names}")
            )
        return pollutant

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.until is not None and self.until < self.first:
            raise ValueError(say("until 早于 from", "until is before from"))
        return self

    def holds_on(self, day: date) -> bool:
        return self.first <= day and (self.until is None or day <= self.until)


class StackConfig(Strict):
    """
    One emission point. ``wet`` and ``actual`` say how the instruments give their values: true or
    false for all, or the names for which it holds (``wet = ["pm", "o2"]``).
    """

    equipment: str
    area_m2: float = Field(gt=0, le=1000)
    velocity_coefficient: float = Field(default=1.0, gt=0, le=2)
    ambient_pa: float = Field(default=101_325.0, ge=50_000, le=110_000)
    static_pa: float | None = Field(default=None, ge=-20_000, le=20_000)
    moisture_percent: float | None = Field(default=None, ge=0, lt=60)
    wet: bool | tuple[str, ...]
    actual: bool | tuple[str, ...] = True  # at temperature and pressure of the gas
    reference_o2: float | None = Field(default=None, ge=0, lt=21)  # left out: nothing is converted
    initial_o2: float = Field(default=21.0, gt=0, le=100)
    near_o2: float = Field(default=0.5, gt=0, le=5)  # nearer to initial_o2 nothing is converted
    nox_from: Literal["nox", "no", "no+no2"] = "nox"
    reading_spacing_s: float = Field(default=5.0, gt=0, le=60)
    minute_readings: int = Field(default=12, ge=1, le=60)
    minute_share: float = Field(default=0.75, gt=0, le=1)
    hour_minutes: int = Field(default=45, ge=1, le=60)
    recent_min: int = Field(default=10, ge=1, le=30)
    warning_min: int = Field(default=3, ge=1, le=30)
    release: float = Field(default=0.97, gt=0, le=1)  # of the limit
    limits: tuple[LimitConfig, ...] = ()

    @field_validator(*SLIPS, mode="before")
    @classmethod
    def _meant(cls, value: object, info: ValidationInfo) -> object:
        refuse_slip(info.field_name or "", value)
        return value

    @field_validator("equipment")
    @classmethod
    def _equipment(cls, text: str) -> str:
        return str(Equipment.parse(text))

    @model_validator(mode="after")
    def _agree(self) -> Self:
        wrong = [*self._names("wet", (*POLLUTANTS, "o2")), *self._names("actual", POLLUTANTS)]
        if self.reference_o2 is not None and self.reference_o2 >= self.initial_o2:
            wrong.append(
                say(
                    f"基准含氧量 {self.reference_o2:g} 须低于初始含氧量 {self.initial_o2:g}",
                    f"reference_o2 {self.reference_o2:g} must be below initial_o2 "
                    f"{self.initial_o2:g}",
                )
            )
        wrong += self._overlaps()
        if wrong:
            raise ValueError("\n".join(wrong))
        return self

    def _names(self, key: str, known: tuple[str, ...]) -> list[str]:
        value = getattr(self, key)
        names = () if isinstance(value, bool) else value
        told = ", ".join(known)
        return [
            say(
                f"{key}：没有 {name!r}；可写 true、false 或 {told}",
                f"{key}: unknown {name!r}; write true, false or {told}",
            )
            for name in names
            if name not in known
        ]

    def _overlaps(self) -> list[str]:
        return [
            say(
                f"{one.pollutant} 自 {other.first} 与自 {one.first} 的限值时段重叠；"
                "请给前一条写 until",
                f"limits of {one.pollutant} from {other.first} and from {one.first} overlap; give "
                "the earlier one `until`",
            )
            for i, one in enumerate(self.limits)
            for other in self.limits[:i]
            if one.pollutant == other.pollutant
            and (one.holds_on(other.first) or other.holds_on(one.first))
        ]

    def names(self, key: Literal["wet", "actual"]) -> frozenset[str]:
        """For which values ``wet`` or ``actual`` holds."""
        value = self.wet if key == "wet" else self.actual
        if isinstance(value, bool):
            return frozenset((*POLLUTANTS, "o2") if value else ())
        return frozenset(value)

    def gas(self) -> StackGas:
        nan = float("nan")
        return StackGas(
            area_m2=self.area_m2,
            velocity_coefficient=self.velocity_coefficient,
            ambient_pa=self.ambient_pa,
            static_pa=nan if self.static_pa is None else self.static_pa,
            moisture=nan if self.moisture_percent is None else self.moisture_percent / 100,
            wet=self.names("wet"),
            actual=self.names("actual"),
            reference_o2=self.reference_o2,
            initial_o2=self.initial_o2,
            near=self.near_o2,
            nox_from=self.nox_from,
        )

    def hour_rules(self) -> HourRules:
        return HourRules(least=self.hour_minutes, recent=self.recent_min)

    def limit(self, pollutant: str, at_ns: int) -> float | None:
        """The limit of an hourly mean, mg/m3, at a time; None: the permit sets none."""
        day = plant_time(at_ns).date()
        held = (x for x in self.limits if x.pollutant == pollutant and x.holds_on(day))
        return next((limit.hour_mg_m3 for limit in held), None)
