"""What a simulated plant writes down for its grade: trucks, treatment units, reagents, waste."""

import calendar
from collections.abc import Iterator
from datetime import date

import numpy as np

from simulators.officer import Row
from simulators.smoke_alert import KEPT_OUT, Alert, alert_of
from simulators.year import MonthOfYear, Year

TRIPS_A_DAY = {"electric": 21, "national_vi": 26, "national_v": 5, "unknown": 1}
TONNES_PER_T = {"rail": 2.1, "road_electric": 0.6, "road_national_vi": 0.7, "road_national_v": 0.1}
ALERT_LEFT = 0.33  # of the trucks that may come on days of an alert, so many do
LIME_KG_PER_T = 3.2
CARBON_DUST_KG_PER_T = 4.5


def gate_entries(year: Year, month: MonthOfYear) -> list[Row]:
    """One month; the days of the alert's month one by one, so that the cut can be seen."""
    number = int(month.month[5:])
    draw = np.random.default_rng([year.plant.scenario.seed, year.year, number, 11])
    return [
        *_trips(year.year, number, draw),
        *_moved(month, draw),
        *_counted(month.month),
        *_treatment(month, number, draw),
    ]


def _trips(year: int, number: int, draw: np.random.Generator) -> Iterator[Row]:
    days = calendar.monthrange(year, number)[1]
    voucher = f"GATE-{year}-{number:02d}"
    alert = alert_of(year)
    by_day = {
        day: {
            name: int(draw.poisson(usual * _let_in(name, alert, (number, day))))
            for name, usual in TRIPS_A_DAY.items()
        }
        for day in range(1, days + 1)
    }
    for name in TRIPS_A_DAY:
        if number == alert.begin.month:
            for day, counted in by_day.items():
                period = date(year, number, day).isoformat()
                trips = float(counted[name])
                yield Row("gate_trips", "plant", period, trips, "车次", voucher, item=name)
        else:
            total = float(sum(counted[name] for counted in by_day.values()))
            period = f"{year}-{number:02d}"
            yield Row("gate_trips", "plant", period, total, "车次", voucher, item=name)


def _let_in(name: str, alert: Alert, day: tuple[int, int]) -> float:
    """Share of the usual trucks of a class that pass the gate on a month's day."""
    if day not in {(alert.begin.month, each) for each in alert.days}:
        return 1.0
    return 0.0 if name in KEPT_OUT else ALERT_LEFT


def _moved(month: MonthOfYear, draw: np.random.Generator) -> Iterator[Row]:
    metal_t = sum(sums.tapped_kg for sums in month.lines.values()) / 1000
    for mode, share in TONNES_PER_T.items():
        tonnes = round(metal_t * share * (1 + draw.normal(0, 0.02)), 2)
        voucher = f"SCALE-{month.month}"
        yield Row("transport_tonnage", "plant", month.month, tonnes, "t", voucher, item=mode)


def _counted(month: str) -> Iterator[Row]:
    voucher = f"FLEET-{month}"
    for kind, unit, counted in (
        ("plant_vehicles", "辆", {"electric": 14, "national_vi": 9}),
        ("nonroad_machines", "台", {"electric": 6, "stage_iv": 8, "stage_iii": 1}),
        ("video_retention", "d", {"1号门禁": 186, "2号门禁": 186}),
    ):
        for item, number in counted.items():
            yield Row(kind, "plant", month, float(number), unit, voucher, item=item)


def _treatment(month: MonthOfYear, number: int, draw: np.random.Generator) -> Iterator[Row]:
    voucher = f"GTC-{month.month}"
    for line, sums in sorted(month.lines.items()):
        area = f"gtc{line.removeprefix('line')}"
        hours = round(sums.seconds / 3600, 1)
        for unit in ("scrubber1", "fgd1"):
            item = f"{area}/{unit}"
            yield Row("control_hours", "plant", month.month, hours, "h", voucher, item=item)
        if number % 3 == 0:
            item = f"{area}/scrubber1"
            yield Row("bags_changed", "plant", month.month, 48.0, "条", voucher, item=item)
    metal_t = sum(sums.tapped_kg for sums in month.lines.values()) / 1000
    used = round(metal_t * LIME_KG_PER_T / 1000 * (1 + draw.normal(0, 0.03)), 3)
    waste = round(metal_t * CARBON_DUST_KG_PER_T / 1000, 3)
    for kind, value, item in (
        ("consumable_used", used, "lime"),
        ("consumable_purchased", used, "lime"),
        ("consumable_stock_end", 6.0, "lime"),
        ("hazardous_generated", waste, "炭渣 321-025-48"),
        ("hazardous_transferred", waste, "炭渣 321-025-48"),
        ("hazardous_stock_end", 0.0, "炭渣 321-025-48"),
    ):
        yield Row(kind, "plant", month.month, value, "t", f"WASTE-{month.month}", item=item)
