"""A chained file shows every changed byte, also at its end, and survives a crash of its writer."""

import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivers.model import ConfigError
from reports.chain import NO_HASH, line_hash, write_whole
from reports.entries.kinds import KINDS
from reports.entries.ledger import Figure, Ledger, change_ledger, read_ledger
from reports.lodgings import Lodging, lodge, read_lodgings
from reports.periods import Period

TIME = datetime(2026, 11, 5, 1, 2, 3, tzinfo=UTC)


def ledger_at(folder: Path, values: list[int]) -> Path:
    path = folder / "entries.jsonl"
    figures = [
        Figure(KINDS["aluminium_tapped"], "line1", Period.parse(f"2026-{n:02d}"), value, "t")
        for n, value in enumerate(map(Decimal, values), 1)
    ]
    change_ledger(
        path, lambda ledger: ledger.added(figures, author="王敏", reason="台账", time=TIME)
    )
    return path


def lodgings_at(folder: Path, count: int) -> Path:
    ledger = folder / "entries.jsonl"
    for version in range(1, count + 1):
        made = Lodging(
            number=0,
            report="carbon-monthly",
            period="2026-10",
            version=version,
            content_sha256=f"{version:064x}",
            file=f"carbon-monthly-2026-10-v{version}.json",
            receipt=f"R-{version}",
            on=date(2026, 11, version),
            author="王敏",
            time=TIME,
        )
        lodge(ledger, made, b"{}")
    return folder / "lodgings.jsonl"


def reads(folder: Path, file: Path) -> None:
    if file.name == "entries.jsonl":
        read_ledger(file)
    else:
        read_lodgings(folder / "entries.jsonl")


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), chain=st.sampled_from(["entries", "lodgings"]))
def test_any_changed_byte_is_found(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, chain: str
) -> None:
    folder = tmp_path_factory.mktemp("chain")
    values = data.draw(st.lists(st.integers(0, 10**6), min_size=1, max_size=4))
    file = ledger_at(folder, values) if chain == "entries" else lodgings_at(folder, len(values))
    whole = file.read_bytes()
    reads(folder, file)
    at = data.draw(st.integers(0, len(whole) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda byte: byte != whole[at]))
    file.write_bytes(whole[:at] + bytes([byte]) + whole[at + 1 :])
    with pytest.raises(ConfigError, match="chain is broken"):
        reads(folder, file)


@given(values=st.lists(st.integers(0, 9), min_size=2, max_size=5), data=st.data())
@settings(max_examples=40, deadline=None)
def test_any_lost_or_doubled_line_is_found(
    tmp_path_factory: pytest.TempPathFactory, values: list[int], data: st.DataObject
) -> None:
    file = ledger_at(tmp_path_factory.mktemp("chain"), values)
    lines = file.read_bytes().splitlines(keepends=True)
    at = data.draw(st.integers(0, len(lines) - 1))
    for broken in (lines[:at] + lines[at + 1 :], lines[: at + 1] + lines[at:], lines[:at]):
        file.write_bytes(b"".join(broken))
        with pytest.raises(ConfigError, match="chain is broken"):
            read_ledger(file)


def test_the_chain_is_what_the_page_says(tmp_path: Path) -> None:
    file = ledger_at(tmp_path, [1, 2])
    first, second = file.read_text("utf-8").splitlines()
    assert json.loads(first)["prev"] == NO_HASH
    assert json.loads(second)["prev"] == line_hash(first)
    assert file.with_name("entries.jsonl.head").read_text() == f"2 {line_hash(second)}\n"


def test_a_ledger_from_before_there_were_heads_is_read(tmp_path: Path) -> None:
    file = ledger_at(tmp_path, [1, 2])
    file.with_name("entries.jsonl.head").unlink()
    assert len(read_ledger(file).entries) == 2


def test_a_head_that_is_one_step_behind_is_a_crash_and_no_fraud(tmp_path: Path) -> None:
    file = ledger_at(tmp_path, [1])
    head = file.with_name("entries.jsonl.head")
    old = head.read_bytes()
    ledger_of_two = ledger_at(tmp_path, [1, 2])  # one more: the first is revised, then a new one
    head.write_bytes(old)
    assert len(read_ledger(ledger_of_two).entries) == 3


CRASH = """
import os, sys
from pathlib import Path
import reports.chain
from tests.reports.test_chain import ledger_at

real = {"fsync": os.fsync, "replace": Path.replace}
seen = 0
def count(name):
    def call(*given):
        global seen
        seen += 1
        if seen == int(sys.argv[2]):
            os._exit(9)
        return real[name](*given)
    return call
os.fsync = count("fsync")
Path.replace = count("replace")
ledger_at(Path(sys.argv[1]), [5])
os._exit(0)
"""


def test_a_crash_while_the_file_is_replaced_leaves_the_old_or_the_new_one(tmp_path: Path) -> None:
    """The writer dies at each of its steps in turn: sync, rename, sync of the folder, head …"""
    root = Path(__file__).resolve().parents[2]
    found = set()
    for step in range(1, 20):
        folder = tmp_path / str(step)
        folder.mkdir()
        ledger_at(folder, [3, 4])
        done = subprocess.run(
            [sys.executable, "-c", CRASH, str(folder), str(step)],
            check=False,
            env=os.environ | {"PYTHONPATH": str(root)},
        )
        ledger = read_ledger(folder / "entries.jsonl")
        found.add(len(ledger.entries))
        assert len(ledger.entries) in {2, 3}
        ledger_at(folder, [7])  # the next writer is not in the way of what was left
        assert read_ledger(folder / "entries.jsonl").entries[-1].figure.amount == 7
        if done.returncode == 0:
            break
    assert found == {2, 3}
    assert step > 4


def test_a_full_disk_is_said_and_nothing_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "x"
    write_whole(file, b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(ConfigError, match="the disk is full"):
            write_whole(file, b"new")
    assert file.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_a_ledger_only_grows(tmp_path: Path) -> None:
    file = ledger_at(tmp_path, [1])
    with pytest.raises(ValueError, match="only grows"):
        change_ledger(file, lambda _: Ledger())
