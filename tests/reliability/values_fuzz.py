"""B3: hostile bytes into everything that reads foreign bytes."""

from tests.fuzz.loop import SLOW_MS, TARGETS, BrokenError, run
from tests.reliability.cases import Outcome, Setting, case

# share of the inputs in the cut: they write files or are long
SLOW = {
    "hj212": 0.2,
    "tables": 0.2,
    "package": 0.1,
}


@case(
    "B3",
    fault="fuzzed decoders",
    procedure="seeded random and mutated bytes into HJ 212, Modbus replies and registers, OPC UA "
    "answers, line protocol, batches and receipts and states, segment files, tables (CSV, "
    "XLSX), evidence packages",
    mark="10^6 inputs each: 0 crashes, 0 inputs above 100 ms of processor time, memory grows by "
    "at most 64 MB",
    weaker="10^7 inputs or 30 minutes are asked, and protocols that the product does not speak",
)
def fuzzed(setting: Setting) -> Outcome:
    told = []
    for name in TARGETS:
        inputs = setting.size(cut=round(5_000 * SLOW.get(name, 1.0)), full=1_000_000)
        try:
            report = run(name, inputs=inputs, seed=setting.seed)
        except BrokenError as broken:
            return Outcome(passed=False, figure=str(broken))
        told.append(f"{name} {report.slowest_ms:.0f} ms, +{report.growth_mb:.0f} MB")
    figure = f"{inputs:,} inputs" if setting.full else "some thousand inputs"
    return Outcome(
        True,
        f"{figure} each, 0 crashes, slowest and memory (limit {SLOW_MS:.0f} ms): "
        + "; ".join(told),
    )
