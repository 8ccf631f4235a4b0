"""
What of the table is still to be run in full, and in which order: shortest first.

A row lacks when none of its kept results is a full pass of today's code. Today's code is the code
of the rooms that the row's letter stands for: a later commit that touched none of them does not
make a result old.
"""

import json
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ROOMS = {
    "A": ("agent", "drivers"),
    "B": ("agent", "drivers", "reports/series"),
    "C": ("agent", "drivers", "reports/series", "reports/clocks.py"),
    "D": ("agent/evidence", "agent/historian", "reports"),
    "E": ("agent", "drivers", "reports", "simulators", "config", "systemd"),
}
# minutes that a full run takes where none was kept; guesses from the cuts
MINUTES = {
    "A1": 40.0, "A3": 8.0, "A6": 12.0, "A7": 8.0, "A8": 12.0, "A9": 20.0, "A10": 32.0, "A11": 4.0,
    "A12": 20.0, "A13": 4.0, "A14": 6.0, "A15": 4.0, "A16": 3.0, "A17": 6.0, "A18": 1445.0,
    "A19": 600.0, "B3": 270.0, "B6": 5.0, "B7": 3.0, "B9": 3.0, "B10": 6.0,
}  # fmt: skip
UNKNOWN_MIN = 5.0


@dataclass(frozen=True, slots=True)
class Lacking:
    """One row that has no full pass of today's code."""

    id: str
    minutes: float  # that it may take in full
    never: bool  # no full pass of any code


def lacking(rows: Iterable[dict[str, Any]], names: Iterable[str]) -> list[Lacking]:
    """``rows``: kept results; those that never passed in full first, of each the shortest first."""
    kept = list(rows)
    found = []
    for name in names:
        own = [row for row in kept if row["id"] == name]
        passed = [row for row in own if row["full"] and row["verdict"] == "pass"]
        passed = [row for row in passed if float(row.get("share", 1.0)) >= 1]
        if not any(of_today(row["commit"], name) for row in passed):
            found.append(Lacking(name, _minutes(name, own), not passed))
    return sorted(found, key=lambda each: (not each.never, each.minutes))


def _minutes(name: str, rows: list[dict[str, Any]]) -> float:
    known = [
        float(row["seconds"]) / 60 / float(row.get("share", 1.0))
        for row in rows
        if row["full"] and row["verdict"] != "not run"
    ]
    return max(known) if known else MINUTES.get(name, UNKNOWN_MIN)


@cache
def of_today(commit: str, name: str) -> bool:
    """Whether the rooms of this row are as they were at ``commit`` ("… +changes" never is)."""
    if " " in commit or commit == "none":
        return False
    rooms = ROOMS.get(name[:1], (".",))
    done = subprocess.run(
        ["git", "diff", "--quiet", commit, "--", *rooms],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        check=False,
    )
    return done.returncode == 0


def read_rows(pages: Iterable[Path]) -> list[dict[str, Any]]:
    """The results kept beside these pages."""
    found: list[dict[str, Any]] = []
    for page in pages:
        path = page.with_suffix(".jsonl")
        if path.exists():
            found += map(json.loads, path.read_text("utf-8").splitlines())
    return found
