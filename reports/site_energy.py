"""What ``site.toml`` says for the energy report: meters, heat exchangers, tariff, bounds."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from drivers.config import Strict
from drivers.model import Equipment
from reports.site_meters import (
    EnergyMeter,
    GreenMeter,
    Meter,
    RecoveredMeter,
    SolarMeter,
    WaterMeter,
)
from reports.values import Text


def _equipment(text: object) -> object:
    return str(Equipment.parse(text)) if isinstance(text, str) else text


class LineEnergy(Strict):
    """Further meters of a potline by role, beside those of the carbon reports."""

    series: Annotated[str, BeforeValidator(_equipment)] = ""  # of potline.*; "" = <id>/series
    dc_meters: tuple[EnergyMeter, ...] = ()  # DC side of the rectifiers
    fgd_meters: tuple[EnergyMeter, ...] = ()  # desulphurisation; not counted in aux_meters
    start_meters: tuple[EnergyMeter, ...] = ()  # baking and starting pots; inside ac_meters
    short_meters: tuple[EnergyMeter, ...] = ()  # short-circuited pots; inside ac_meters
    cast_meters: tuple[EnergyMeter, ...] = ()  # cast house, where each line has its own

    def energy_meters(self) -> Iterator[Meter]:
        """All of them."""
        yield from self.dc_meters
        yield from self.fgd_meters
        yield from self.start_meters
        yield from self.short_meters
        yield from self.cast_meters


class WaterMeters(Strict):
    """Fresh water taken in, and water used again."""

    fresh: tuple[WaterMeter, ...] = ()
    reused: tuple[WaterMeter, ...] = ()


class Exchanger(Strict):
    """
    A heat exchanger and what is known of it when clean.

    ``clean_ua_kw_per_k`` holds at ``clean_flow_nm3_per_h``; without them the report takes the days
    after a cleaning as clean. ``fan_extra_kw`` stands in for ``heat_recovery.fan_power``.
    """

    equipment: Annotated[str, BeforeValidator(_equipment)]
    name: Text | None = None
    use: Literal["heating", "orc", "process"] = "process"
    heat: tuple[RecoveredMeter, ...] = ()  # () = heat_recovery.heat_energy of the equipment
    clean_ua_kw_per_k: Decimal | None = Field(default=None, gt=0)
    clean_flow_nm3_per_h: Decimal | None = Field(default=None, gt=0)
    cleaned: tuple[date, ...] = ()  # first day after each cleaning
    started: date | None = None  # before it and from ``stopped`` on nothing is asked of it
    stopped: date | None = None

    def works_in(self, first: date, after: date) -> bool:
        """True when it works on any day of [first, after)."""
        begun = self.started is None or self.started < after
        return begun and (self.stopped is None or self.stopped > first)

    @property
    def label(self) -> Text:
        return self.name or Text(zh=self.equipment, en=self.equipment)

    @property
    def counters(self) -> tuple[Meter, ...]:
        """The counters of the heat it recovers, GJ."""
        return self.heat or (Meter(self.equipment, "heat_recovery.heat_energy"),)


class Tariff(Strict):
    """What electricity costs, where no entry says so month by month."""

    price_cny_per_kwh: Decimal | None = Field(default=None, gt=0, le=5)


class EnergyBounds(Strict):
    """Engineering values of the plant; none of them is a rule."""

    gas_cp_kj_per_nm3_k: Decimal = Field(default=Decimal("1.31"), gt=1, lt=2)
    flow_exponent: Decimal = Field(default=Decimal("0.6"), ge=0, le=1)  # UA grows with flow^n
    fouling_alarm: Decimal = Field(default=Decimal("0.8"), gt=0, lt=1)  # share of the clean UA
    voltage_check_percent: Decimal = Field(default=Decimal(1), gt=0)  # Σ pots against the series
    metal_uncertainty_percent: Decimal = Field(default=Decimal("0.3"), ge=0)  # of tapped metal
    inventory_uncertainty_percent: Decimal = Field(default=Decimal(5), ge=0)  # of metal in pots
    current_uncertainty_percent: Decimal = Field(default=Decimal("0.2"), ge=0)  # of line current


class SiteEnergy(Strict):
    """Meters and apparatus of the whole plant."""

    cast_meters: tuple[EnergyMeter, ...] = ()
    aux_meters: tuple[EnergyMeter, ...] = ()  # auxiliaries that belong to no single line
    pv_meters: tuple[SolarMeter, ...] = ()
    green_meters: tuple[GreenMeter, ...] = ()
    water_meters: WaterMeters = WaterMeters()
    exchangers: tuple[Exchanger, ...] = ()
    tariff: Tariff = Tariff()
    energy: EnergyBounds = EnergyBounds()

    def plant_meters(self) -> Iterator[Meter]:
        """Meters that belong to no potline."""
        yield from self.cast_meters
        yield from self.aux_meters
        yield from self.pv_meters
        yield from self.green_meters
        yield from self.water_meters.fresh
        yield from self.water_meters.reused
        for exchanger in self.exchangers:
            yield from exchanger.heat
