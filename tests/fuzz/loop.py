"""The loop around a fuzz target: inputs from a seed, the slowest, the memory, what came of them."""

import gc
import importlib
import random
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

TARGETS = (  # modules of this package
    *("hj212", "modbus", "opcua", "lines", "messages", "records", "tables", "package"),
    *("outgoing", "answers", "configs"),
)  # modules of this package
SLOW_MS = 100.0  # processor time of one input; more is a hang
GROWTH_MB = 64.0  # of resident memory over a run, after the first tenth

Trial = Callable[[random.Random], str]


class BrokenError(AssertionError):
    """A promise that an input broke, and how to make that input again."""


@dataclass
class Report:
    """What a run found."""

    name: str
    inputs: int
    seed: int
    seconds: float = 0.0
    slowest_ms: float = 0.0
    growth_mb: float = 0.0
    outcomes: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        rate = self.inputs / self.seconds if self.seconds else 0.0
        outcomes = ", ".join(f"{count:,} {name}" for name, count in self.outcomes.most_common())
        return (
            f"{self.name}: {self.inputs:,} inputs, seed {self.seed}, {self.seconds:.0f} s "
            f"({rate:,.0f}/s); slowest {self.slowest_ms:.1f} ms of processor time; "
            f"memory grew by {self.growth_mb:.1f} MB\n  {outcomes}"
        )


def run(name: str, *, inputs: int, seed: int) -> Report:
    """Each input has its own generator, ``Random(f"{seed}/{number}")``. Raises BrokenError."""
    trial: Trial = importlib.import_module(f"tests.fuzz.{name}").make()
    report = Report(name, inputs, seed)
    warm = max(inputs // 10, 1)
    start, before = time.monotonic(), 0.0
    for number in range(inputs):
        if number == warm:
            before = _resident_mb()
        report.slowest_ms = max(report.slowest_ms, one(trial, name, seed, number, report))
        if sys.stderr.isatty() and number % 10_000 == 0:
            sys.stderr.write(f"\r{name} {number:,} ")
    report.seconds = time.monotonic() - start
    report.growth_mb = max(_resident_mb() - (before or _resident_mb()), 0.0)
    if report.growth_mb > GROWTH_MB:
        raise BrokenError(f"{report}\nmore than {GROWTH_MB:.0f} MB")
    return report


def one(trial: Trial, name: str, seed: int, number: int, report: Report) -> float:
    """One input; ms of processor time. Raises BrokenError."""
    chance = random.Random(f"{seed}/{number}")
    begun = time.process_time()
    try:
        outcome = trial(chance)
    except Exception as error:
        told = f"{type(error).__name__}: {error}"
        raise BrokenError(f"{name}, seed {seed}, input {number}: {told}") from error
    took = 1000 * (time.process_time() - begun)
    if took > SLOW_MS:
        gc.collect()  # a collection of others' garbage is not the input's fault: once more
        begun = time.process_time()
        trial(random.Random(f"{seed}/{number}"))
        took = 1000 * (time.process_time() - begun)
        if took > SLOW_MS:
            raise BrokenError(f"{name}, seed {seed}, input {number}: {took:.0f} ms")
    report.outcomes[outcome] += 1
    return took


def _resident_mb() -> float:
    """Peak resident memory so far, MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20) if sys.platform == "darwin" else peak / 1024
