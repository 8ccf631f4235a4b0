"""A day of a stack for the journal: runs, calibrates, stands still, starts again; built once."""

from dataclasses import dataclass
from pathlib import Path

from tests.reports.emitted import SITE, STACK, STACK1, Smoke, Values

CURRENT = "line1/all"  # production of the potline
SCRUBBER = "gtc1/scrubber1"
WORKS = STACK.replace(
    "started = 2020-01-01",
    'started = 2020-01-01\nproduction = "line1/all potline.current"\nproduction_above = 5\n'
    'controls = ["gtc1/scrubber1 scrubber.running"]',
)
RUNS: Values = {"stack.so2": 20.0, "stack.velocity": 11.2, "stack.instrument_state": 0.0}
CALIBRATES: Values = {
    **RUNS,
    "stack.so2": (None, 0.0, "calibration"),
    "stack.instrument_state": 1.0,
}
STANDS: Values = {"stack.so2": 0.4, "stack.velocity": 0.2, "stack.instrument_state": 0.0}


def day(smoke: Smoke) -> None:
    """5 October: calibration 08:00-08:40; down 12:00-13:00, still to 16:00, up to 17:00."""
    for start, count, values in (
        ("06:00", 120, RUNS),
        ("08:00", 40, CALIBRATES),
        ("08:40", 260, RUNS),
        ("13:00", 180, STANDS),
        ("16:00", 300, RUNS),
    ):
        smoke.minutes(STACK1, f"2026-10-05T{start}", count, values)
    smoke.minutes(SCRUBBER, "2026-10-05T06:00", 900, {"scrubber.running": 1.0})
    produced = [*[400.0] * 360, *ramp(400, 0), *[0.0] * 180, *ramp(0, 400), *[400.0] * 240]
    for n, current in enumerate(produced):
        moment = f"2026-10-05T{6 + n // 60:02}:{n % 60:02}"
        smoke.minutes(CURRENT, moment, 1, {"potline.current": current})


def ramp(first: float, last: float) -> list[float]:
    """An hour from one load to the other."""
    return [first + (last - first) * n / 60 for n in range(60)]


@dataclass(frozen=True)
class Folder:
    """An officer's folder beside a lake that all tests share."""

    root: Path

    @property
    def site(self) -> str:
        return str(self.root / "site.toml")

    def file(self, name: str, text: str = "检修单\n") -> str:
        (self.root / name).write_text(text, "utf-8")
        return str(self.root / name)


def build(root: Path) -> Path:
    """The lake, once."""
    smoke = Smoke(root, site=SITE + WORKS)
    day(smoke)
    smoke.build()
    return root


def folder(lake: Path, root: Path, more: str = "") -> Folder:
    text = (more + SITE + WORKS).replace('lake = "lake"', f'lake = "{lake}/lake"')
    (root / "site.toml").write_text(text, "utf-8")
    return Folder(root)
