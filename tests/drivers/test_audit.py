"""The audit trail from outside: chained, durable, repaired, checked, bounded, pruned."""

import gzip
import json
import os
import time
from multiprocessing import Process
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers import audit_files
from drivers.audit import (
    Act,
    AuditError,
    AuditTrail,
    current_person,
    note_act,
)
from drivers.audit_words import DEEDS
from drivers.model import ConfigError

AT_NS = 1_795_000_000_000_000_000  # 2026-11-18
MONTH_NS = 31 * 86_400_000_000_000


def act(number: int, at_ns: int = AT_NS) -> Act:
    return Act(at_ns + number, "王敏", "entry.added", f"entries.jsonl #{number}", "月末盘点")


def filled(folder: Path, count: int = 20) -> AuditTrail:
    trail = AuditTrail(folder)
    trail.add_all([act(n) for n in range(1, count + 1)])
    return trail


def lines(folder: Path) -> list[str]:
    [path] = folder.glob("*.jsonl")
    return path.read_text("utf-8").splitlines(keepends=True)


def rewrite(folder: Path, found: list[str]) -> None:
    [path] = folder.glob("*.jsonl")
    path.write_text("".join(found), "utf-8")


def test_acts_are_chained_private_and_read_back(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    trail = AuditTrail(tmp_path / "audit")
    made = [trail.add(act(n)) for n in (1, 2, 3)]
    assert [each.n for each in made] == [1, 2, 3]
    assert made[1].prev == made[0].hash
    assert list(trail.read()) == made
    assert list(trail.read(after=2)) == made[2:]
    assert trail.check() is None
    table = json.loads(lines(tmp_path / "audit")[0])
    assert table["who"] == "王敏"
    assert table["why"] == "月末盘点"
    for path in (tmp_path / "audit").iterdir():
        assert path.stat().st_mode & 0o777 == 0o600, path
    assert (tmp_path / "audit").stat().st_mode & 0o777 == 0o700


def test_the_group_reads_what_it_may_read_above_and_nobody_else_does(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)
    old = os.umask(0)
    try:
        filled(tmp_path / "audit", 1)
    finally:
        os.umask(old)
    for path in (tmp_path / "audit").iterdir():
        assert path.stat().st_mode & 0o777 == 0o640, path


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 19), st.sampled_from(["change", "delete", "insert", "swap", "cut"]))
def test_every_rewriting_is_found_at_its_place(
    tmp_path_factory: pytest.TempPathFactory, at: int, how: str
) -> None:
    folder = tmp_path_factory.mktemp("trail")
    trail = filled(folder)
    found = lines(folder)
    if how == "change":
        found[at] = found[at].replace("王敏", "李强")
    elif how == "delete":
        del found[at]
    elif how == "insert":
        found.insert(at, found[at])
    elif how == "swap":
        other = (at + 1) % 20
        found[at], found[other] = found[other], found[at]
    else:
        del found[at:]
    rewrite(folder, found)
    broken = trail.check()
    assert broken is not None
    if how in {"change", "delete", "cut"}:
        assert broken.n == at + 1, broken
    trail.add(act(99))  # goes on, and does not heal what was done
    assert trail.check() is not None


def test_a_rehashed_chain_fails_at_the_head_that_was_noted(tmp_path: Path) -> None:
    trail = filled(tmp_path, 5)
    head = (tmp_path / "head").read_text("ascii")
    [path] = tmp_path.glob("*.jsonl")
    path.unlink()
    (tmp_path / "head").unlink()
    AuditTrail(tmp_path).add_all([act(n + 100) for n in range(5)])
    (tmp_path / "head").write_text(head, "ascii")
    broken = trail.check()
    assert broken is not None
    assert broken.n == 5


def test_a_torn_last_line_is_cut_told_and_the_chain_goes_on(tmp_path: Path) -> None:
    trail = filled(tmp_path, 3)
    [path] = tmp_path.glob("*.jsonl")
    with path.open("ab") as file:
        file.write(b'{"at_ns":17950000')
    assert trail.check() is None  # as while it is being written
    trail.add(act(4))
    assert trail.check() is None
    assert [each.act.what for each in trail.read()][-2:] == ["audit.repaired", "entry.added"]
    assert list(trail.read())[-2].act.details["cut"] == '{"at_ns":17950000'


def test_a_torn_line_that_was_acknowledged_is_a_loss(tmp_path: Path) -> None:
    trail = filled(tmp_path, 3)
    [path] = tmp_path.glob("*.jsonl")
    os.truncate(path, path.stat().st_size - 5)
    broken = trail.check()
    assert broken is not None
    assert broken.n == 3
    trail.add(act(4))
    assert trail.check() is not None


def writer(folder: Path, count: int) -> None:
    trail = AuditTrail(folder)
    for number in range(count):
        trail.add(act(number))


def test_processes_write_side_by_side(tmp_path: Path) -> None:
    several = [Process(target=writer, args=(tmp_path, 25)) for _ in range(4)]
    for each in several:
        each.start()
    for each in several:
        each.join()
    trail = AuditTrail(tmp_path)
    assert trail.check() is None
    assert [each.n for each in trail.read()] == list(range(1, 101))


def test_a_new_month_and_a_full_segment_begin_another_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_files, "SEGMENT_BYTES", 2000)
    trail = AuditTrail(tmp_path)
    trail.add_all([act(n) for n in range(30)])
    trail.add(act(0, AT_NS + MONTH_NS))
    found = audit_files.segments(tmp_path)
    assert len(found) > 3
    assert {path.name.partition("-")[2][:7] for path in found} == {"2026-11", "2026-12"}
    assert all(path.suffix == ".gz" for path in found[:-1])
    assert trail.check() is None
    assert [each.n for each in trail.read(after=29)] == [30, 31]
    raw = gzip.decompress(found[1].read_bytes())
    found[1].write_bytes(gzip.compress(raw.replace("王敏".encode(), "李强".encode(), 1)))
    broken = trail.check()
    assert broken is not None
    assert broken.file == found[1].name
    found[1].unlink()
    broken = trail.check()
    assert broken is not None
    assert broken.n == audit_files.first_of(found[1])


def test_only_what_is_older_than_asked_goes_and_leaves_a_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = AT_NS + 10 * MONTH_NS
    monkeypatch.setattr(time, "time_ns", lambda: now)
    trail = AuditTrail(tmp_path, keep_days=183)
    for month in range(11):
        trail.add_all([act(n, AT_NS + month * MONTH_NS) for n in range(3)])
    for _ in range(6):
        trail.add(act(0, now))
    kept = list(trail.read())
    pruned = [each.act for each in kept if each.act.what == "retention.deleted"]
    assert pruned
    assert int(pruned[-1].details["upto"]) == kept[0].n - 1
    assert pruned[-1].details["hash"] == kept[0].prev
    assert trail.check() is None
    oldest = min(each.act.at_ns for each in kept)
    assert oldest <= now - 183 * 86_400_000_000_000  # nothing younger is gone
    assert oldest > AT_NS + 2 * MONTH_NS
    [first, *_] = audit_files.segments(tmp_path)
    first.unlink()  # by somebody else
    broken = trail.check()
    assert broken is not None


def test_a_clock_that_jumps_ahead_deletes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trail = AuditTrail(tmp_path, keep_days=183)
    for month in range(4):
        trail.add(act(month, AT_NS + month * MONTH_NS))
    late = AT_NS + 900 * MONTH_NS
    monkeypatch.setattr(time, "time_ns", lambda: late)
    for n in range(5):
        trail.add(act(n, late))
    assert next(iter(trail.read())).n == 1


def test_warning_at_eighty_percent_and_an_end_at_the_quota(tmp_path: Path) -> None:
    trail = AuditTrail(tmp_path, quota_bytes=1 << 16)
    while not trail.usage().warns:
        trail.add(act(1, time.time_ns()))
    warned = [each.act for each in trail.read() if each.act.what == "audit.quota"]
    assert len(warned) == 1
    assert 0.8 <= float(warned[0].details["share"]) < 0.82
    while trail.usage().share < 1:
        trail.add(act(2, time.time_ns()))
    with pytest.raises(AuditError, match="quota_mb"):
        trail.add(act(3))
    assert trail.check() is None
    assert AuditTrail(tmp_path).add(act(5)).n  # a larger quota goes on at once


@pytest.mark.parametrize("days", [0, 30, 182.9, float("nan")])
def test_less_than_six_months_is_refused(tmp_path: Path, days: float) -> None:
    with pytest.raises(ConfigError, match="183"):
        AuditTrail(tmp_path, keep_days=days)


def test_what_cannot_be_written_is_told_and_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "audit").write_text("no folder")
    assert not note_act(tmp_path / "audit", "report.made", "x")
    assert "audit trail" in capsys.readouterr().err
    with pytest.raises(AuditError):
        AuditTrail(tmp_path / "audit").add(act(1))


def test_who_calls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SMELTER_PERSON", " 王敏 ")
    assert current_person() == "王敏"
    monkeypatch.delenv("SMELTER_PERSON")
    assert current_person()
    assert note_act(tmp_path, "report.made", "x", who="李强", reason="复核")
    [made] = AuditTrail(tmp_path).read()
    assert (made.act.who, made.act.why) == ("李强", "复核")
    assert "@" in made.act.source


def test_odd_texts_are_kept_as_they_can_be(tmp_path: Path) -> None:
    trail = AuditTrail(tmp_path)
    odd = Act(AT_NS, "\udcff\n\x00", "entry.added", "x" * 5000, details={"k" * 99: "v" * 999})
    trail.add(odd)
    assert trail.check() is None
    [back] = trail.read()
    assert len(back.act.target) == 1000
    with pytest.raises(ValueError, match="topic"):
        Act(AT_NS, "a", "Nonsense", "x")


def test_every_deed_has_a_chinese_and_an_english_name() -> None:
    for name, (zh, en) in DEEDS.items():
        assert any("\u4e00" <= letter <= "\u9fff" for letter in zh), name
        assert en.isascii(), name


def old_segments(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A trail of four years, its clock today: the first ten months are older than three years."""
    now = AT_NS + 48 * MONTH_NS
    monkeypatch.setattr(time, "time_ns", lambda: now)
    trail = AuditTrail(folder, keep_days=2000)
    for month in range(48):
        trail.add_all([act(n, AT_NS + month * MONTH_NS) for n in range(2)])
    return [path.name.removesuffix(".gz") for path in audit_files.segments(folder)]


def test_a_command_never_prunes_and_keeps_to_the_configured_quota(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = old_segments(tmp_path / "a", monkeypatch)
    for _ in range(3):
        assert note_act(tmp_path / "a", "report.made", "x")  # knows no config: 1096 days would do
        assert note_act(AuditTrail(tmp_path / "a", keep_days=183), "report.made", "x")
    after = [path.name.removesuffix(".gz") for path in audit_files.segments(tmp_path / "a")]
    assert after[: len(before)] == before
    small = AuditTrail(tmp_path / "b", quota_bytes=1 << 16)
    while small.usage().share < 1:
        small.add(act(1))
    assert not note_act(small, "report.made", "x")
    assert "quota_mb" in capsys.readouterr().err
    gone = AuditTrail(tmp_path / "a", keep_days=1096).prune()
    assert len(gone) > 5
    assert AuditTrail(tmp_path / "a").check() is None
    assert AuditTrail(tmp_path / "a", keep_days=1096).prune() == []


@pytest.mark.parametrize("how", ["taken", "emptied", "nonsense"])
def test_a_trail_cut_short_with_its_head_stays_broken(tmp_path: Path, how: str) -> None:
    trail = filled(tmp_path)
    rewrite(tmp_path, lines(tmp_path)[:12])
    head = tmp_path / "head"
    head.unlink() if how == "taken" else head.write_text("" if how == "emptied" else "twelve")
    broken = trail.check()
    assert broken is not None
    assert broken.n == 12
    trail.add(act(99))  # a program that writes on makes a head anew
    broken = trail.check()
    assert broken is not None
    assert broken.n == 13
    told = next(each.act for each in trail.read(after=12))
    assert (told.what, told.result, dict(told.details)) == (
        *("audit.repaired", "failed"),
        {"lost": "head"},
    )


def test_a_crash_before_the_first_head_is_no_break(tmp_path: Path) -> None:
    trail = filled(tmp_path, 2)
    audit_files.write_head(tmp_path, 0, "0" * 64)  # as it is before the first line
    assert trail.check() is None
    trail.add(act(3))
    assert trail.check() is None


def test_only_the_trail_itself_says_that_it_was_pruned(tmp_path: Path) -> None:
    trail = filled(tmp_path, 3)
    forged = Act(AT_NS, "李强", "retention.deleted", "audit", details={"upto": "2"})
    with pytest.raises(AuditError, match="not yours"):
        trail.add(forged)
    assert not note_act(trail, "retention.deleted", "audit")


def test_a_young_segment_is_never_rightly_pruned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody writes the record of a pruning by hand, hashes and head included."""
    trail = AuditTrail(tmp_path)
    trail.add_all([act(n) for n in range(5)])
    trail.add_all([act(n, AT_NS + MONTH_NS) for n in range(5)])
    first = audit_files.segments(tmp_path)[0]
    last = list(trail.read())[4]
    stated = {"upto": "5", "hash": last.hash, "file": first.name}
    deleted = Act(AT_NS + MONTH_NS, "root", "retention.deleted", "audit", details=stated)
    audit_files.Tail(tmp_path).write([deleted])
    first.unlink()
    broken = trail.check()
    assert broken is not None
    assert broken.n == 5
