"""
A day of a stack for the console, 5 October 2025: an hour above its limit while the scrubber stands.

00:00–24:00 of SO2 as the gateway computes it (20 mg/m3 dry, limit 35); 02:00–02:40 calibrates; from
21:00 to 22:00 50 mg/m3 with the scrubber at rest; production runs all day.
"""

from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.console.served import Served, people, serve
from tests.reports.emitted import SITE, STACK1, Smoke, Values
from tests.reports.noted import CURRENT, SCRUBBER, WORKS

DAY = "2025-10-05"
RUNS: Values = {
    "stack.so2": 20.0,
    "stack.so2_dry": 20.0,
    "stack.so2_converted": 20.0,
    "stack.flow_standard": 100_000.0,
    "stack.velocity": 11.2,
    "stack.instrument_state": 0.0,
}
ABOVE: Values = {**RUNS, "stack.so2": 50.0, "stack.so2_dry": 50.0, "stack.so2_converted": 50.0}
_NOTHING = (None, 0.0, "calibration")
CALIBRATES: Values = {
    **RUNS,
    "stack.so2": _NOTHING,
    "stack.so2_dry": _NOTHING,
    "stack.so2_converted": _NOTHING,
    "stack.instrument_state": 1.0,
}


def build(root: Path) -> Path:
    """Lake and originals, once."""
    smoke = Smoke(root, site=SITE + WORKS)
    for start, count, values in (
        ("00:00", 120, RUNS),
        ("02:00", 40, CALIBRATES),
        ("02:40", 1100, RUNS),
        ("21:00", 60, ABOVE),
        ("22:00", 120, RUNS),
    ):
        smoke.minutes(STACK1, f"{DAY}T{start}", count, values)
    smoke.minutes(CURRENT, f"{DAY}T00:00", 1440, {"potline.current": 400.0})
    for start, count, running in (("00:00", 1260, 1.0), ("21:00", 60, 0.0), ("22:00", 120, 1.0)):
        smoke.minutes(SCRUBBER, f"{DAY}T{start}", count, {"scrubber.running": running})
    smoke.build()
    return root


@dataclass
class Room:
    """A served console over an own folder beside the shared lake; ``client`` by role, kept."""

    served: Served
    root: Path
    _clients: dict[tuple[str, str], httpx.Client] = field(default_factory=dict)

    def client(self, role: str = "officer", lang: str = "zh") -> httpx.Client:
        key = (role, lang)
        if key not in self._clients:
            self._clients[key] = self.served.client(role, lang)
        return self._clients[key]

    def two_persons(self, *, demanded: bool) -> None:
        """As site.toml says it; every request reads that file anew."""
        path = self.root / "site.toml"
        text = path.read_text("utf-8").replace("two_persons = true\n", "")
        path.write_text(("two_persons = true\n" if demanded else "") + text, "utf-8")


def room(lake: Path, root: Path) -> Room:
    """Serve a fresh folder."""
    text = (SITE + WORKS).replace('lake = "lake"', f'lake = "{lake}/lake"')
    text = text.replace('originals = "originals"', f'originals = "{lake}/originals"')
    site_file = root / "site.toml"
    site_file.write_text(text, "utf-8")
    people(site_file)
    return Room(serve(site_file), root)
