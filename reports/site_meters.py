"""Meters of ``site.toml``: a counter of the plant by name, checked against the dictionary."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from pydantic import BeforeValidator

from drivers.model import Equipment, Kind, Unit
from drivers.quantities import quantities


@dataclass(frozen=True, slots=True, order=True)
class Meter:
    """A counter of the plant, ``area/unit`` and the quantity read from it."""

    equipment: str
    quantity: str

    @property
    def unit(self) -> Unit:
        return quantities()[self.quantity].unit

    def __str__(self) -> str:
        return f"{self.equipment} {self.quantity}"


def _meter(quantity: str, unit: Unit) -> Callable[[object], object]:
    """Reads ``area/unit`` (with the usual quantity) or ``area/unit quantity``."""

    def read(text: object) -> object:
        if not isinstance(text, str):
            return text
        name, _, other = text.strip().partition(" ")
        meter = Meter(str(Equipment.parse(name)), other.strip() or quantity)
        known = quantities().get(meter.quantity)
        if known is None or known.kind is not Kind.COUNTER or known.unit is not unit:
            raise ValueError(f"{meter.quantity} is no counter in {unit}; usual is {quantity}")
        return meter

    return read


EnergyMeter = Annotated[Meter, BeforeValidator(_meter("meter.energy_import", Unit.KILOWATT_HOUR))]
HeatMeter = Annotated[Meter, BeforeValidator(_meter("heat.energy", Unit.GIGAJOULE))]
SolarMeter = Annotated[Meter, BeforeValidator(_meter("pv.energy", Unit.KILOWATT_HOUR))]
GreenMeter = Annotated[Meter, BeforeValidator(_meter("green_power.energy", Unit.KILOWATT_HOUR))]
WaterMeter = Annotated[Meter, BeforeValidator(_meter("water.volume", Unit.CUBIC_METRE))]
RecoveredMeter = Annotated[
    Meter, BeforeValidator(_meter("heat_recovery.heat_energy", Unit.GIGAJOULE))
]
