"""What the pots of a line have in common: current, efficiency, price, and the series' voltage."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from drivers.model import Floats
from reports.assembly import Assembly
from reports.basis import Basis
from reports.energy.bench import active
from reports.energy.pot_parameters import PotParameters
from reports.periods import Period
from reports.site import PLANT, Meter, Potline
from reports.values import Text

DAY_NS: Final = 86_400 * 10**9
LEAST_HOURS: Final = 20  # of a day, for its mean voltage to stand beside the sum of the pots


@dataclass(frozen=True, slots=True)
class LineFacts:
    """Line current (kA), current efficiency (fraction), price (CNY/kWh; None = not known)."""

    current_ka: float
    efficiency: float
    price_cny_per_kwh: float | None
    text: Text


def line_facts(
    basis: Basis, assembly: Assembly, line: Potline, by: PotParameters
) -> tuple[LineFacts, Floats | None]:
    """The facts of a line in the period, and the series' voltage by day (V), if it is recorded."""
    current, volts = _series(basis, line)
    design = float(line.design_current_ka)
    measured = np.isfinite(current)
    efficiency = _value(assembly, f"{line.id}.current_efficiency_tapping")
    price = _value(assembly, f"{PLANT}.electricity_price")
    if price is None and basis.site.tariff.price_cny_per_kwh is not None:
        price = float(basis.site.tariff.price_cny_per_kwh)
    amps = current if measured else design
    used = by.current_efficiency if efficiency is None else efficiency
    text = Text(
        zh=f"折算取值：电流 {amps:.1f} kA（{'实测' if measured else '设计值'}），电流效率 "
        f"{used * 100:.2f} %（{'工程取值' if efficiency is None else '系列出铝法'}），电价 "
        + ("未给出" if price is None else f"{price:.4f} 元/kWh"),
        en=f"taken: {amps:.1f} kA ({'measured' if measured else 'design'}), current efficiency "
        f"{used * 100:.2f} % ({'engineering value' if efficiency is None else 'by tapping'}), "
        + ("no price given" if price is None else f"{price:.4f} CNY/kWh"),
    )
    return LineFacts(amps, used, price, text), volts


def _value(assembly: Assembly, identity: str) -> float | None:
    line = assembly.lines.get(identity)
    return None if line is None or line.value is None else float(line.value)


def _series(basis: Basis, line: Potline) -> tuple[float, Floats | None]:
    """Mean current, and mean voltage of each day; NaN and None where not recorded."""
    period: Period = basis.period
    place = line.series or f"{line.id}/series"
    points = [Meter(place, f"potline.{name}") for name in ("current", "voltage")]
    table = basis.series.hourly(points, active(line, period))
    quantity = np.array(table["quantity"].to_pylist(), dtype=object)
    mean = np.asarray(table["mean"].to_numpy(), dtype=np.float64)
    hour = np.asarray(table["hour_ns"].to_numpy(), dtype=np.int64)
    amps = mean[(quantity == "potline.current") & np.isfinite(mean)]
    current = float(amps.mean()) if len(amps) else float("nan")
    at = (quantity == "potline.voltage") & np.isfinite(mean)
    if not at.any():
        return current, None
    day = (hour[at] - period.start_ns) // DAY_NS
    count = np.bincount(day, minlength=len(period.days)).astype(np.float64)
    total = np.bincount(day, weights=mean[at], minlength=len(period.days))
    whole = count >= LEAST_HOURS
    volts = np.divide(total, count, out=np.full(len(count), np.nan), where=whole)
    return current, volts
