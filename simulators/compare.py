"""A report against the truth of the plant it was made from."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drivers.language import say

ALLOWED = 0.001  # the share a figure may be off


@dataclass(frozen=True, slots=True)
class Deviation:
    """One figure of a report beside what really happened; ``true`` NaN = there must be none."""

    line: str
    label: str
    unit: str
    reported: float | None
    true: float

    @property
    def share(self) -> float | None:
        """Relative deviation, or None where the report has no figure although there is one."""
        if math.isnan(self.true):
            return 0.0 if self.reported is None else math.inf
        if self.reported is None:
            return None
        return (self.reported - self.true) / self.true if self.true else float(self.reported != 0)

    @property
    def good(self) -> bool:
        return self.share is not None and abs(self.share) <= ALLOWED


def deviations(report: dict[str, Any], truth: dict[str, Any]) -> list[Deviation]:
    """Figures of ``carbon-monthly``, per potline and in total, and their truth."""
    values = {line["id"]: line["value"] for line in report["content"]["lines"]}
    found = _figures("plant", truth["total"], truth["total"]["aluminium_tapped_t"], values)
    for name, line in truth["lines"].items():
        flat = line | {"anode_gross_t": line["anode"]["gross_t"]}
        found += _figures(name, flat, line["metal"]["tapped_t"], values)
    return found


def _figures(
    scope: str, truth: dict[str, Any], aluminium_t: float, values: dict[str, float | None]
) -> list[Deviation]:
    carbon, electricity = truth["carbon"], truth["electricity_kwh"]
    table = (
        ("aluminium", say("铝液产量", "liquid aluminium"), "t", aluminium_t),
        ("anode_consumed", say("阳极消耗量", "anode consumed"), "t", truth["anode_gross_t"]),
        ("anode_co2", say("阳极消耗排放", "CO2 of anodes"), "tCO2", carbon["anode_co2_t"]),
        ("pfc", say("阳极效应排放", "PFC of anode effects"), "tCO2e", carbon["pfc_t_co2e"]),
        (
            "emission",
            say("电解工序排放", "process emission"),
            "tCO2e",
            carbon["process_t_co2e"],
        ),
        ("intensity", say("排放强度", "intensity"), "tCO2e/t", carbon["intensity_t_per_t"]),
        ("electricity_ac", say("交流电量", "AC electricity"), "MWh", electricity["ac"] / 1000),
        ("electricity_aux", say("动力电量", "auxiliary power"), "MWh", electricity["aux"] / 1000),
    )
    return [
        Deviation(f"{scope}.{name}", label, unit, values.get(f"{scope}.{name}"), true)
        for name, label, unit, true in table
    ]


def read_json(path: Path) -> dict[str, Any]:
    """The object in the file."""
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found
