"""Σ of the pots against the line: the same voltage measured twice."""

from decimal import Decimal
from typing import Final

import numpy as np

from reports.energy.bench import Bench, active, head
from reports.metered import amount
from reports.model import Doubt, How
from reports.site import Meter, Potline
from reports.values import Text

L_POTS: Final = Text(zh="各槽平均电压之和", en="Sum of the pots' mean voltages")
L_SERIES: Final = Text(zh="系列平均电压", en="Mean voltage of the line")
L_RESIDUAL: Final = Text(
    zh="系列电压与各槽之和的差（含母线压降）", en="Line less its pots, bus bars included"
)
VOLTAGE: Final = "pot.voltage"
LEAST: Final = Decimal("0.9")  # share of the pot-days that must be known


def add_voltage_check(bench: Bench) -> list[Doubt]:
    """Both voltages and what is left between them, per potline; doubts where it is too much."""
    rows = bench.basis.series.time_on(VOLTAGE, bench.period)  # integrals over the known time
    found = []
    for line in bench.potlines:
        volts: dict[str, tuple[float, float]] = {}
        for row in rows:
            if row.equipment.startswith(f"{line.id}/"):
                sum_v, sum_s = volts.get(row.equipment, (0.0, 0.0))
                volts[row.equipment] = (sum_v + row.on_s, sum_s + row.good_s)
        series = _series(bench, line)
        known = sum(seconds for _, seconds in volts.values())
        wanted = active(line, bench.period).hours * 3600 * line.pots
        if series is None or known < wanted * float(LEAST):
            continue
        pots = amount(sum(v / s for v, s in volts.values() if s))
        found += _state(bench, line, pots, series)
    return found


def _series(bench: Bench, line: Potline) -> Decimal | None:
    """Mean over the time, as the pots' means are."""
    place = Meter(line.series or f"{line.id}/series", "potline.voltage")
    table = bench.basis.series.hourly([place], active(line, bench.period))
    mean = np.asarray(table["mean"].to_numpy(), dtype=np.float64)
    share = np.asarray(table["share"].to_numpy(), dtype=np.float64)
    good = np.isfinite(mean) & (share > 0)
    if not good.any():
        return None
    return amount(float((mean[good] * share[good]).sum() / share[good].sum()))


def _state(bench: Bench, line: Potline, pots: Decimal, series: Decimal) -> list[Doubt]:
    assembly, scope = bench.assembly, line.id
    assembly.state(head(scope, "pots_voltage_sum", L_POTS, "V"), pots, How.METERED, [])
    assembly.state(head(scope, "series_voltage", L_SERIES, "V"), series, How.METERED, [])
    if not series:
        return []
    inputs = [
        assembly.from_line(name, f"{scope}.{name}")
        for name in ("series_voltage", "pots_voltage_sum")
    ]
    left = (series - pots) / series * 100
    residual = assembly.state(
        head(scope, "voltage_residual", L_RESIDUAL, "%"), left, How.COMPUTED, inputs
    )
    assembly.put(residual, equation="r = (V_s − ΣV_i) / V_s × 100")
    bound = bench.basis.site.energy.voltage_check_percent
    if abs(left) <= bound:
        return []
    text = Text(
        zh=f"系列电压与各槽电压之和相差 {left:.2f} %（允许 {bound} %）：请核对槽压测点、停槽与母线",
        en=f"line voltage and sum of the pots are {left:.2f} % apart ({bound} % allowed): check "
        "pot voltages, stopped pots and bus bars",
    )
    return [Doubt(line=residual.id, text=text)]
