"""Promises hold in the simulation, one seed is one history, and broken products show."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SEEDS = 150  # `make simulate` plays ten thousand


def simulate(*options: str, hash_seed: str = "0") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.simulation", *options],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )


def test_every_promise_holds() -> None:
    played = simulate("--seeds", str(SEEDS))
    assert played.returncode == 0, played.stdout + played.stderr
    assert f"{SEEDS} seeds" in played.stdout
    counts = {
        name: int(number) for name, number in re.findall(r"'([a-z ]+)': (\d+)", played.stdout)
    }
    happened = ("gw kills", "store kills", "receipts", "gw segments pruned", "slots")
    for name in (*happened, "batches ahead", "live batches judged"):
        assert counts[name] > 50, f"nothing happened: {counts}"


def test_the_same_seed_gives_the_same_trace_whatever_the_order_of_hashes() -> None:
    first, again = (simulate("--seed", "32", "--trace", hash_seed=each) for each in ("1", "77"))
    assert first.stdout.count("\n") > 500
    assert first.stdout == again.stdout
    other = simulate("--seed", "33")
    assert "trace " in other.stdout
    assert other.stdout.splitlines()[-2] != first.stdout.splitlines()[-2]


def test_a_seed_does_not_hang_on_those_played_before_it() -> None:
    alone = simulate("--seed", "12").stdout
    traces = simulate("--from", "11", "--seeds", "2", "--traces").stdout
    found = re.search(r"trace ([0-9a-f]{32})", alone)
    assert found is not None
    assert f"12 {found[1]}" in traces


def test_every_broken_product_is_found() -> None:
    hunted = simulate("--mutations")
    assert hunted.returncode == 0, hunted.stdout + hunted.stderr
    assert hunted.stdout.count(": seed ") >= 18
