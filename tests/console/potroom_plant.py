"""
A potline of four pots for the console: hours of 1 to 9 October 2025 and all meters of the month.

Pot 1 has 4.0 V, pot 2 4.1 V, pot 3 3.9 V at a set voltage of 3.95 V; of pot 4 nothing is known. Pot
3 stands on 7 October. On the 5th at 10:00 pot 2 has an anode effect of 150 s with a peak of 34.5 V.
The meters: 3250 kWh AC, 3200 kWh DC, 100 kWh auxiliary and 25 kWh desulphurisation an hour, for
185 t in 744 h.
"""

from collections.abc import Iterator
from pathlib import Path

from reports.periods import Period
from tests.reports.energy import SITE, USUAL, EnergyOffice, Value
from tests.reports.plant import HOUR_NS

MONTH = Period.month(2025, 10)
DAY = Period.parse("2025-10-05")
STANDS = Period.parse("2025-10-07")
VOLTS = {"pot001": 4.0, "pot002": 4.1, "pot003": 3.9}
NOISE_MV = {"pot001": 10.0, "pot002": 20.0, "pot003": 30.0}
LAST_H = 9 * 24
ROWS = "aluminium_tapped,line1,2025-10,,185,t,\n"


def pot_points() -> dict[str, Value]:
    """Hours of the pots."""
    first = (STANDS.start_ns - MONTH.start_ns) // HOUR_NS
    found: dict[str, Value] = {}
    for pot, volts in VOLTS.items():
        stands = range(first, first + 24) if pot == "pot003" else range(0)
        found[f"line1/{pot} pot.voltage"] = _while(volts, stands)
        found[f"line1/{pot} pot.set_voltage"] = _while(3.95, range(0))
        found[f"line1/{pot} pot.noise_lf"] = _while(NOISE_MV[pot], range(0))
        found[f"line1/{pot} pot.mode"] = _mode(stands)
    return found


def _while(value: float, stands: range) -> Value:
    return lambda hour: value if hour < LAST_H and hour not in stands else None


def _mode(stands: range) -> Value:
    return lambda hour: None if hour >= LAST_H else 0.0 if hour in stands else 1.0


def effect() -> Iterator[tuple[int, str]]:
    """Of pot 2."""
    at_ns = DAY.start_ns + 10 * HOUR_NS
    tags = "plant=demo,gateway=gw1,kind=anode_effect,line=line1,unit=pot002"
    end_ns = at_ns + 150 * 1_000_000_000
    measured = "amount=150,peak_v=34.5,mean_v=28.25,overvoltage_vs=3630,gap_s=0"
    yield at_ns, f'event,{tags} id="effect-1",text="=over",end={end_ns}i,{measured} {at_ns}'


def build(root: Path) -> EnergyOffice:
    """Site, entries and lake below ``root``."""
    root.mkdir(parents=True, exist_ok=True)
    made = EnergyOffice(root, site_text=SITE.replace("pots = 2", "pots = 4"))
    made.enter(ROWS)
    made.store({**USUAL, **pot_points()}, MONTH, tuple(effect()))
    return made
