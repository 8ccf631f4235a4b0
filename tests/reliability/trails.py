"""E8: the audit trail filled, deleted, rewritten; what six months take. D6: marks with a reason."""

import json
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from drivers.audit import QUOTA_BYTES, Act, AuditError, AuditTrail
from tests import servers
from tests.oracle.device import FakePlc
from tests.oracle.plant import Plant, wait
from tests.reliability.cases import Outcome, Setting, case
from tests.reliability.evidence import corrected_by_hand
from tests.reliability.restores import smelter
from tests.reports import noted

SIX_MONTHS = 183 * 86400  # at one act a second


@contextmanager
def audited(folder: Path, office: Path) -> Iterator[Plant]:
    """Gateway, broker, historian; the historian follows the office's trail."""
    broker = servers.mosquitto(folder).start()
    try:
        with FakePlc(50) as plc, Plant(folder, plc.port, broker.port, points=50) as plant:
            with plant.historian_toml.open("a") as file:
                file.write(f'[audit]\nfollow = ["{office}"]\n')
            plant.agent.start()
            plant.historian.start()
            yield plant
    finally:
        broker.end()


def checked(plant: Plant, place: Path, *more: str) -> tuple[int, dict[str, object]]:
    """What ``smelter audit check`` says of a trail, against the historian: compared, differing."""
    arguments = ["audit", "check", str(place), "--historian", str(plant.historian_toml)]
    try:
        told = smelter([*arguments, *more, "--json"])
    except AssertionError:
        told = smelter([*arguments, *more, "--json"], code=1)
    found: dict[str, object] = json.loads(told)
    return int(str(found["compared"])), found


def compared(plant: Plant, place: Path, least: int, *more: str) -> bool:
    try:
        return checked(plant, place, *more)[0] >= least
    except AssertionError:  # not known there yet
        return False


def act(number: int, at_ns: int) -> Act:
    """As long as acts of the office are."""
    return Act(
        at_ns,
        "王敏",
        "entry.revised",
        f"entries.jsonl #{number} monthly.xlsx",
        f"化验单更正，第 {number % 97} 号",
        source="wangmin@office1",
        details={"head": f"{number * 0x9E3779B97F4A7C15 % (1 << 256):064x}"},
    )


@case(
    "E8",
    fault="audit trail full, deleted, rewritten, unwritable",
    procedure="acts at one a second for six months are written and measured (cut: 100,000); a "
    "quota is filled; a gateway's and the office's trail are rewritten with all hashes made anew, "
    "and held against the historian's log; the folder of a running gateway's trail is taken away",
    mark="warning at 80 %; every rewriting found with its place; six months fit in the quota of "
    "2 GiB; acquisition goes on, acts are recorded when the trail can be written again",
)
def audit_trail(setting: Setting) -> Outcome:
    per_act, spent_s = six_months(setting)
    warned = filled(setting.folder / "full")
    office = setting.folder / "office" / "audit"
    trail = AuditTrail(office)
    trail.add_all([act(n, time.time_ns()) for n in range(40)])
    with audited(setting.folder, office) as plant:
        agent = plant.gateway_toml
        wait(lambda: compared(plant, office, 40), "the office's acts at the historian", 90)
        wait(lambda: compared(plant, agent, 2, "--trail", "demo/gw1"), "the agent's", 90)
        told = rewritten(plant, office)
        went_on = unwritable(plant)
        assert plant.agent.end(signal.SIGTERM) == 0, plant.agent.tail()
        assert plant.historian.end(signal.SIGTERM) == 0, plant.historian.tail()
        logs = json.loads(
            smelter(["historian", "checkpoints", str(plant.historian_toml), "--json"])
        )
        own = [row for row in logs["logs"] if "/historian/record/" in row["log"]]
        assert own, "the historian's own log has no checkpoint"
        assert all(row["size"] for row in own), own
    months = per_act * SIX_MONTHS
    figure = (
        f"{per_act:.0f} bytes an act, so {months / 1e9:.2f} GB in six months at 1/s "
        f"({months / QUOTA_BYTES:.0%} of the quota; {spent_s * 1e6:.0f} µs an act); warned at "
        f"{warned:.1%}; {told}; {went_on}; {len(own)} own logs under checkpoints"
    )
    return Outcome(months < QUOTA_BYTES * 0.8 and 0.8 <= warned < 0.85, figure)


def six_months(setting: Setting) -> tuple[float, float]:
    """Bytes an act on disk and seconds to write it, over that share of six months."""
    count = setting.size(cut=100_000, full=SIX_MONTHS)
    trail = AuditTrail(setting.folder / "months")
    began_ns = time.time_ns() - SIX_MONTHS * 10**9
    began_s = time.monotonic()
    for start in range(0, count, 10_000):
        last = min(start + 10_000, count)
        trail.add_all([act(n, began_ns + n * 10**9) for n in range(start, last)])
    spent_s = (time.monotonic() - began_s) / count
    assert trail.check() is None
    closed = list(trail.folder.glob("*.gz"))
    assert closed, "no segment was closed"
    acts = sum(1 for _ in trail.read())
    assert acts == count, f"{acts} of {count} acts are there"
    packed = sum(path.stat().st_size for path in closed)
    [still_open] = trail.folder.glob("*.jsonl")
    last = int(still_open.name.partition("-")[0]) - 1
    return packed / last, spent_s


def filled(folder: Path) -> float:
    """The share at which the warning came; then acts are refused and the chain still holds."""
    trail = AuditTrail(folder, quota_bytes=1 << 17)
    number, refused = 0, ""
    while not refused:
        number += 1
        try:
            trail.add(act(number, time.time_ns()))
        except AuditError as error:
            refused = str(error)
    assert "quota_mb" in refused, refused
    assert trail.check() is None
    [warning] = [each.act for each in trail.read() if each.act.what == "audit.quota"]
    return float(warning.details["share"])


def rewritten(plant: Plant, office: Path) -> str:
    """By somebody who makes every hash anew, head included: only the historian's log knows."""
    whole = AuditTrail(office)
    acts = [each.act for each in whole.read()]
    for path in office.glob("*"):
        path.unlink()
    acts[17] = Act(acts[17].at_ns, "李强", "entry.revised", acts[17].target, "没有改过")
    whole.add_all(acts)
    assert whole.check() is None, "its chain is whole"
    _, found = checked(plant, office)
    said = str(found["differing"])
    assert "act 18 " in said, said
    assert "李强" in said, said
    for path in office.glob("*.jsonl"):
        kept = path.read_text("utf-8").splitlines(keepends=True)
        path.write_text("".join(kept[:30]), "utf-8")
    broken = whole.check()
    assert broken is not None, "a cut tail was not found"
    assert broken.n == 31, broken
    _, found = checked(plant, office)
    assert found["differing"], "the historian's log contradicts"
    return "rewriting with new hashes found at act 18, a cut at act 31"


def unwritable(plant: Plant) -> str:
    """The trail's folder is a file for a while: the gateway polls on, tells it and recovers."""
    folder = plant.spool / "audit"
    aside = plant.spool / "audit.aside"
    folder.rename(aside)
    folder.write_text("in the way")
    text = plant.gateway_toml.read_text()
    plant.gateway_toml.write_text(text.replace("timeout_s = 0.5", "timeout_s = 0.6"))
    assert plant.agent.process is not None
    plant.agent.process.send_signal(signal.SIGHUP)
    wait(lambda: plant.metrics().get("smelter_audit_up") == 0.0, "told in the metrics", 60)
    before = plant.metrics()
    name = next(key for key in before if key.startswith('smelter_batch_newest{stream="raw"'))
    wait(lambda: plant.metrics()[name] > before[name] + 20, "acquisition going on", 60)
    folder.unlink()
    aside.rename(folder)
    wait(lambda: plant.metrics().get("smelter_audit_up") == 1.0, "recorded again", 60)
    changed = [x.act for x in AuditTrail(folder).read() if x.act.what == "config.changed"]
    assert changed, "the change made meanwhile is not in the trail"
    assert AuditTrail(folder).check() is None
    return "unwritable: told, acquisition went on, acts recorded afterwards"


@case(
    "D6",
    fault="a figure is corrected or a mark made by hand",
    procedure="revisions without author, without reason, with both; a line of the ledger edited, "
    "taken out, put in behind the program's back; a mark and its withdrawal with and without "
    "author, reason, second person; the historian follows the office's trail",
    mark="refused without; with: original visible, who, when, why kept and under the next "
    "checkpoint of the historian's log; each edit found with its line",
)
def manual_marks(setting: Setting) -> Outcome:
    by_hand = corrected_by_hand(setting)
    folder = setting.folder / "marks"
    folder.mkdir()
    lake = noted.build(folder)
    (setting.folder / "marked").mkdir()
    office = noted.folder(lake, setting.folder / "marked", "two_persons = true\n")
    mark = ("journal", "add", "mark", "--site", office.site, "--what", "calibration")
    where = ("--stack", "DA001", "--start", "2026-10-05 08:00", "--end", "2026-10-05 08:40")
    proof = ("--evidence", office.file("order.pdf"))
    why, second = ("--reason", "周校准"), ("--confirmed-by", "赵工")
    author = ("--author", "王敏")
    without = (
        (*author, *second, *proof),
        (*why, *second, *proof),
        (*author, *why, *proof),
    )
    for each in without:
        smelter([*mark, *where, *each], code=2)
    trail = AuditTrail(office.root / "audit")
    refused = [(x.act.what, x.act.result) for x in trail.read()]
    assert refused == [("mark.added", "refused")] * len(without), refused
    smelter([*mark, *where, *author, *why, *second, *proof])
    withdraw = ("journal", "withdraw", "1", "--site", office.site, *author, *second)
    smelter(list(withdraw), code=2)
    smelter([*withdraw, "--reason", "日期填错"])
    listed = smelter(["journal", "list", "--site", office.site, "--all"])
    assert "周校准" in listed, "the original is not visible"
    assert "日期填错" in listed, listed
    tried = [x.act for x in trail.read()]
    acts = [(each.what, each.who, each.why) for each in tried if each.result == "ok"]
    assert acts == [
        ("mark.added", "王敏", "周校准"),
        ("mark.withdrawn", "王敏", "日期填错"),
    ], acts
    (setting.folder / "ends").mkdir()
    with audited(setting.folder / "ends", trail.folder) as plant:
        wait(lambda: compared(plant, trail.folder, len(tried)), "the acts at the historian", 90)
        assert plant.historian.end(signal.SIGTERM) == 0, plant.historian.tail()
        told = json.loads(
            smelter(["historian", "checkpoints", str(plant.historian_toml), "--json"])
        )
        rows = [row for row in told["logs"] if "/historian/record/" in row["log"]]
        own = max(rows, key=lambda row: row["size"])
        log = own["log"].removeprefix("smelter/")
        proof_text = smelter(
            ["historian", "proof", str(plant.historian_toml), log, str(own["size"])]
        )
        assert proof_text.startswith("c2sp.org/tlog-proof"), proof_text[:80]
    figure = (
        f"{by_hand.figure}; {len(tried) - len(acts)} tries refused and recorded; "
        "mark and withdrawal with who, "
        f"when and why; both under the historian's checkpoint at {own['size']}, proof made"
    )
    return Outcome(by_hand.passed, figure)
