"""A glance at every fuzz target: hostile bytes never crash, hang or fill the memory."""

import json
from pathlib import Path

import pytest

from reports.package.archive import write_package
from reports.package.ring import open_ring
from reports.package.verify import verify
from tests.fuzz.loop import TARGETS, run


@pytest.mark.parametrize("name", TARGETS)
def test_some_hundred_inputs(name: str) -> None:
    report = run(name, inputs=300, seed=20261123)
    print(report)
    assert sum(report.outcomes.values()) == 300
    assert len(report.outcomes) > 1, "inputs of one kind only test nothing"


def test_json_of_ten_thousand_brackets_cannot_be_judged(tmp_path: Path) -> None:
    ring = open_ring(tmp_path / "entries.jsonl", "demo")
    said = {"plant": "demo", "report": "x-v1"}
    deep = b"[" * 10_000 + b"]" * 10_000
    ring_file = json.dumps(list(ring.notes)).encode()
    write_package(
        tmp_path / "x.zip", {"report.json": deep, "keys/report.json": ring_file}, said, ring
    )
    verdict = verify(str(tmp_path / "x.zip"), [ring.vkey], [])
    assert verdict.code == 2
    assert any("too deep" in found["en"] for found in verdict.unknown)
