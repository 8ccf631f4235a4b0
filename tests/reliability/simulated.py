"""Simulation and model: A19 (seeds) and A20 (the batch log against a list)."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import seed as seeded
from hypothesis.stateful import invariant, run_state_machine_as_test

from agent.batches import files as logfiles
from tests.agent.test_batchlog_model import SEGMENT, LogMachine
from tests.reliability.cases import Outcome, Setting, case

_ROOT = Path(__file__).parents[2]
_LENGTH = 40  # steps of one example, at most


@case(
    "A19",
    fault="crashes and power cuts in mid-write, torn and lost writes, EIO, full and slow disks, "
    "partitions, resets, a broker that forgets, doubles and reorders, clock steps",
    procedure="deterministic simulation: the real gateway and historian on a simulated disk, "
    "network and clock; faults for 30 to 90 s, then none; seeds from 1 on",
    mark="no promise broken; the same seed gives the same trace",
)
def seeds(setting: Setting) -> Outcome:
    count = setting.size(cut=150, full=10_000)
    played = _simulate("--seeds", str(count), "--json")
    said = json.loads(played.stdout.splitlines()[-1])
    same = _simulate("--seed", "32").stdout == _simulate("--seed", "32", hash_seed="7").stdout
    counts = said["counts"]
    kills = counts.get("gw kills", 0) + counts.get("store kills", 0)
    figure = (
        f"{said['seeds']} seeds, {said['virtual_hours']} h of plant time, {kills} crashes, "
        f"{counts['store batches']} batches stored: {len(said['broken'])} seeds with a broken "
        f"promise {said['broken'][:5] or ''}; traces {'equal' if same else 'differ'}"
    )
    return Outcome(not said["broken"] and said["seeds"] == count and same, figure)


def _simulate(*options: str, hash_seed: str = "0") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.simulation", *options],
        cwd=_ROOT,
        env={"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(_ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


@case(
    "A20",
    fault="torn tails, flipped bits, reopening, receipts, pruning, in any order",
    procedure="hypothesis state machine: the batch log against a list, checked after each step",
    mark="20,000 steps, 0 counter-examples",
)
def model(setting: Setting) -> Outcome:
    wanted = setting.size(cut=1_000, full=20_000)
    steps = 0

    class Counted(LogMachine):
        @invariant()
        def counted(self) -> None:
            nonlocal steps
            steps += 1

    rounds = 0
    with pytest.MonkeyPatch.context() as patch:
        for name, size in (("SEGMENT_BYTES", SEGMENT), ("SEGMENT_BYTES_MIN", SEGMENT)):
            patch.setattr(logfiles, name, size)
        patch.setattr(logfiles, "RESERVE_BYTES", 4096)
        while steps < wanted:
            run_state_machine_as_test(
                seeded(setting.seed + rounds)(Counted),
                settings=settings(
                    max_examples=100,
                    stateful_step_count=_LENGTH,
                    deadline=None,
                    database=None,
                    suppress_health_check=list(HealthCheck),
                ),
            )
            rounds += 1
    return Outcome(passed=True, figure=f"{steps} steps in {rounds} rounds, 0 counter-examples")
