"""
The hours once more, from raw readings, in plain Python that shares no code with the program.

Readings every five seconds go through the gateway's own windows, the wire and the lake; beside them
stands what HJ 212-2017 annex D.2 says, written down straight: minute means of good readings (n at
least 9 of 12: 75 %), then the equations, then hours of at least 45 minutes.
"""

import math
from pathlib import Path
from random import Random
from statistics import fmean

import numpy as np
import pytest

from agent.minutes.windows import Minutes
from agent.wire.encode import WindowEncoder
from drivers.model import Quality
from reports.emissions.hours import State
from tests.agent.points import frame, group, point
from tests.reports.emitted import SITE, STACK, STACK1, Smoke, at

NAMES = ("so2", "o2", "velocity", "temperature", "pressure", "humidity")
USUAL = {
    "so2": (24.0, 6.0),
    "o2": (15.5, 0.4),
    "velocity": (11.0, 0.6),
    "temperature": (118.0, 3.0),
    "pressure": (-450.0, 40.0),
    "humidity": (8.0, 0.5),
}
STEP_S, HOURS = 5, 8
BAD, CALIBRATION = int(Quality.NO_DATA), int(Quality.CALIBRATION)
Reading = tuple[float, int]
Raw = list[dict[str, Reading]]
AREA, KV, AIR, REFERENCE = 12.5, 1.05, 100_000.0, 15.0


def raw(seed: int) -> Raw:
    """Eight hours: noise, lost readings, a calibration, a broken link, a bad thermometer."""
    random, found = Random(seed), Raw()
    for n in range(HOURS * 3600 // STEP_S):
        minute = n * STEP_S // 60
        row: dict[str, Reading] = {}
        for name in NAMES:
            usual, spread = USUAL[name]
            value = usual + spread * math.sin(n / 300) + spread * random.gauss(0, 0.3)
            row[name] = value, 0
        if random.random() < 0.12:
            row["so2"] = math.nan, BAD
        if 130 <= minute < 150:
            row["so2"] = math.nan, CALIBRATION
        if 240 <= minute < 256:  # sixteen minutes: 44 are left
            row = dict.fromkeys(NAMES, (math.nan, BAD))
        if 300 <= minute < 315:  # fifteen minutes: 45 are left, but for lost readings
            row["temperature"] = math.nan, BAD
        found.append(row)
    return found


def recorded(smoke: Smoke, readings: Raw) -> None:
    """As the gateway makes windows of them."""
    points = [point(f"stack.{name}", STACK1) for name in NAMES]
    of = group(*points, interval_s=STEP_S)
    minutes, encoder = Minutes(of), WindowEncoder("demo", points)
    start_ns = at("2026-10-05T00:00")
    closed = []
    for n, row in enumerate(readings):
        values, codes = [row[x][0] for x in NAMES], [row[x][1] for x in NAMES]
        closed += minutes.add(frame(of, start_ns + n * STEP_S * 10**9, values, codes))
    closed.append(minutes.close())
    for window in closed:
        for line in encoder.encode(window).decode().split("\n"):
            smoke.lines.append((window.start_ns, line))


def by_the_book(readings: Raw) -> list[tuple[float, float, float, float, int]]:
    """Per hour: dry, converted mg/m3, Nm3/h, kg/h, valid minutes; NaN where there are too few."""
    minutes = []
    for first in range(0, len(readings), 12):
        means = {}
        for name in NAMES:
            good = [r[name][0] for r in readings[first : first + 12] if r[name][1] == 0]
            means[name] = fmean(good) if len(good) >= 9 else None
        minutes.append(equations(means))
    hours = []
    for first in range(0, len(minutes), 60):
        dry = [m[0] for m in minutes[first : first + 60] if m[0] is not None]
        converted = [m[1] for m in minutes[first : first + 60] if m[1] is not None]
        flow = [m[2] for m in minutes[first : first + 60] if m[2] is not None]
        if len(dry) < 45:
            hours.append((math.nan, math.nan, math.nan, math.nan, len(dry)))
            continue
        kg = fmean(dry) * fmean(flow) / 1e6
        hours.append((fmean(dry), fmean(converted), fmean(flow), kg, len(dry)))
    return hours


def equations(m: dict[str, float | None]) -> tuple[float | None, float | None, float | None]:
    """(18), (19), (28), (29) to (31)."""
    t, p, x = m["temperature"], m["pressure"], m["humidity"]
    if t is None or p is None or x is None:
        return None, None, None
    dry = converted = flow = None
    if m["so2"] is not None:
        dry = m["so2"] * (273 + t) / 273 * 101325 / (AIR + p) / (1 - x / 100)
        if m["o2"] is not None:
            converted = dry * (21 - REFERENCE) / (21 - m["o2"] / (1 - x / 100))
    if m["velocity"] is not None:
        wet = 3600 * AREA * KV * m["velocity"]
        flow = wet * 273 / (273 + t) * (AIR + p) / 101325 * (1 - x / 100)
    return dry, converted, flow


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_hours_are_those_of_a_second_calculation(tmp_path: Path, seed: int) -> None:
    smoke = Smoke(tmp_path, SITE + STACK.replace("wet = true", "wet = true\nreference_o2 = 15"))
    readings = raw(seed)
    recorded(smoke, readings)
    smoke.build()
    hours = smoke.of("2026-10-05")
    so2, expected = hours.pollutants["so2"], by_the_book(readings)
    for n, (dry, converted, flow, kg, count) in enumerate(expected):
        assert so2.minutes[n] == count
        assert (so2.state[n] == State.VALID) == (count >= 45)
        if count >= 45:
            found = (so2.dry[n], so2.converted[n], hours.flow[n], so2.amount_kg[n])
            assert found == pytest.approx((dry, converted, flow, kg), rel=1e-9)
        else:
            assert np.isnan(so2.amount_kg[n])
    assert so2.state[4] != State.VALID  # the broken link
    assert {int(s) for s in so2.state[HOURS:]} == {State.MISSING}
