"""Acts of the processes: into the trail and the log, also when a disk refuses or somebody edits."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agent.audit import WAITING_MAX, Auditor, HistorianAuditConfig, audit_line
from agent.audit_commands import audit_app
from agent.audit_evidence import Witnessed, compare, witnessed
from agent.commands import agent_app
from agent.historian.originals import Originals
from agent.views import Source, StoredBatch
from agent.wire.parse import Parser
from drivers import audit_files
from drivers.audit import Act, AuditTrail, note_act
from drivers.audit_config import AuditConfig
from drivers.model import ConfigError
from tests.agent.ends import until
from tests.agent.small_plant import device, lines, running, server, write_config, write_table

AT_NS = 1_795_000_000_000_000_000
MONTH_NS = 31 * 86_400_000_000_000


class Log:
    """What reaches the record stream."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.told: list[str] = []

    async def keep(self, lines_: list[bytes]) -> None:
        self.lines += lines_

    def auditor(self, folder: Path, *follow: Path) -> Auditor:
        trail = AuditConfig().trail(folder / "audit")
        state = folder / "audit.json"
        made = Auditor("demo", "gw1", trail, state, self.told.append, follow=follow)
        made.open("d1", "gateway.toml")
        return made


async def test_acts_reach_trail_and_log_once_over_a_restart(tmp_path: Path) -> None:
    log = Log()
    mine = log.auditor(tmp_path)
    mine.note("key.rotated", "demo/gw1", why="yearly")
    await mine.write()
    await mine.put(log.keep)
    assert [x.act.what for x in mine.trail.read()] == [
        *("process.started", "config.loaded", "key.rotated")
    ]
    assert len(log.lines) == 3
    note_act(tmp_path / "audit", "certificate.made", "mqtt")  # a command beside it
    again = log.auditor(tmp_path)
    again._config = "d1"
    await again.write()
    await again.put(log.keep)
    whats = [line.split(b"what=")[1].split(b" ")[0] for line in log.lines]
    assert whats[3:] == [b"certificate.made", b"process.started"]
    assert not log.told


async def test_a_new_config_is_told_with_both_digests(tmp_path: Path) -> None:
    log = Log()
    first = log.auditor(tmp_path)
    await first.write()
    await first.put(log.keep)
    second = Auditor("demo", "gw1", first.trail, first.state, log.told.append)
    second.open("d2", "gateway.toml")
    await second.write()
    [changed] = [x.act for x in first.trail.read() if x.act.what == "config.changed"]
    assert changed.details == {"old": "d1", "new": "d2"}


async def test_who_and_why_of_a_change_stand_in_the_trail_or_that_nobody_knows(
    tmp_path: Path,
) -> None:
    """From outside: `agent check --accept`, then a gateway that takes the file at SIGHUP."""
    write_table(tmp_path)
    trail = AuditTrail(tmp_path / "data" / "audit")
    async with server() as plc:
        path = write_config(tmp_path, device("plc", plc.port))
        async with running(path) as gateway:
            for number, words in enumerate(
                (("--accept", "--author", "李强", "--why", "新增电能表"), ())
            ):
                text = path.read_text().replace("[log]", f"# {number}\n[log]", 1)
                path.write_text(text)
                done = CliRunner().invoke(agent_app, ["check", str(path), *words])
                assert done.exit_code == 0, done.output
                gateway.reload()
                await until(
                    lambda count=number: (
                        sum(  # type: ignore[misc]
                            each.act.what == "config.changed" for each in trail.read()
                        )
                        > count
                    ),
                    "the change in the trail",
                    30,
                )
    known, unknown = [x.act for x in trail.read() if x.act.what == "config.changed"]
    assert (known.who, known.why) == ("李强", "新增电能表")
    assert known.details["new"] == unknown.details["old"]
    assert (unknown.who, unknown.why) == ("unknown", "")
    assert unknown.details["file_owner"] == path.owner()
    assert unknown.details["file_changed"].startswith("20")
    accepted = next(x.act for x in trail.read() if x.act.what == "config.accepted")
    assert accepted.details == {"new": known.details["new"]}
    assert "@" in accepted.source  # the login, whatever name was given


def test_nobody_accepts_without_a_name_and_a_reason(tmp_path: Path) -> None:
    write_table(tmp_path)
    path = write_config(tmp_path, device("plc", 5020))
    for words in (("--author", "李强"), ("--why", "x")):
        done = CliRunner().invoke(agent_app, ["check", str(path), "--accept", *words])
        assert isinstance(done.exception, ConfigError)
    assert not (tmp_path / "data" / "audit").exists()


async def test_a_trail_that_cannot_be_written_is_told_once_and_caught_up(tmp_path: Path) -> None:
    log = Log()
    mine = log.auditor(tmp_path)
    (tmp_path / "audit").write_text("in the way")
    await mine.write()
    await mine.write()
    assert len(log.told) == 1
    assert "not recorded" in log.told[0]
    for _ in range(WAITING_MAX + 5):
        mine.note("peer.refused", "10.0.0.1", result="refused")
    assert mine.missed == 7  # two acts of the start wait as well
    (tmp_path / "audit").unlink()
    await mine.write()
    assert not mine.trouble
    acts = [x.act for x in mine.trail.read()]
    assert acts[-1].what == "audit.missed"
    assert acts[-1].details == {"count": "7"}
    assert mine.missed == 0


@pytest.mark.parametrize("how", ["rewrite", "shorten", "cut"])
async def test_a_followed_trail_that_was_rewritten_is_told(tmp_path: Path, how: str) -> None:
    office = AuditTrail(tmp_path / "office")
    office.add_all([Act(AT_NS + n, "王敏", "entry.added", f"#{n}") for n in range(10)])
    log = Log()
    mine = log.auditor(tmp_path, office.folder)
    await mine.put(log.keep)
    assert len(log.lines) == 10
    if how == "cut":
        (office.folder / "head").unlink()
        [segment] = office.folder.glob("*.jsonl")
        kept = segment.read_text("utf-8").splitlines(keepends=True)[:4]
        segment.write_text("".join(kept), "utf-8")
    else:
        for path in office.folder.iterdir():
            path.unlink()
        count = 11 if how == "rewrite" else 4
        office.add_all([Act(AT_NS + n, "李强", "entry.added", f"#{n}") for n in range(count)])
    await mine.put(log.keep)
    [told] = log.told
    assert "audit trail changed" in told
    office.add(Act(AT_NS, "李强", "entry.added", "next"))
    await mine.put(log.keep)
    assert b"next" in log.lines[-1]  # goes on behind it


async def test_the_historian_contradicts_a_rewritten_trail(tmp_path: Path) -> None:
    office = AuditTrail(tmp_path / "office")
    office.add_all([Act(AT_NS + n, "王 敏\n", "entry.added", f'"#{n}"') for n in range(5)])
    log = Log()
    mine = log.auditor(tmp_path, office.folder)
    await mine.put(log.keep)
    async with Originals(tmp_path / "originals", "0" * 16) as originals:
        await originals.keep_own("demo", log.lines)
        [(source, kept)] = originals.logs.items()
        batch = await kept.read(1)
        assert batch is not None
        columns = Parser().parse([StoredBatch(Source(*str(source).split("/")), batch)])
    assert not columns.rejects
    assert {event.kind for event in columns.events} == {"audit"}
    assert len({event.id for event in columns.events}) == 5
    known = list(witnessed(tmp_path / "originals"))
    assert [each.trail for each in known] == [str(office.folder.resolve())] * 5
    assert compare(office.read(), known).differing == ""
    acts = [each.act for each in office.read()]
    for path in office.folder.iterdir():
        path.unlink()
    office.add_all([*acts[:2], Act(AT_NS, "李强", "entry.added", "x"), *acts[3:]])
    assert office.check() is None
    assert compare(office.read(), known).differing.startswith("act 3 ")
    historian = tmp_path / "historian.toml"
    historian.write_text('data_dir = "."\n')
    done = CliRunner().invoke(
        audit_app, ["check", str(office.folder), "--historian", str(historian), "--json"]
    )
    assert done.exit_code == 1, done.output
    assert json.loads(done.output)["differing"].startswith("act 3 ")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_list_check_export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str) -> None:
    monkeypatch.setenv("SMELTER_LANG", language)
    (tmp_path / "site.toml").write_text('entries = "ledger/entries.jsonl"\n')
    trail = AuditTrail(tmp_path / "ledger" / "audit")
    trail.add(Act(AT_NS, "王敏", "entry.revised", "entries.jsonl #1", "化验单更正"))
    trail.add(Act(AT_NS, "=cmd", "report.made", "carbon-monthly 2026-10 v1", result="failed"))
    site, run = str(tmp_path / "site.toml"), CliRunner().invoke
    done = run(audit_app, ["list", site, "--who", "王", "--what", "entry"])
    assert done.exit_code == 0, done.output
    assert ("修订录入数据" if language == "zh" else "entry revised") in done.output
    assert "carbon" not in done.output
    assert run(audit_app, ["list", site, "--from", "2027-01-01"]).exit_code == 1
    assert run(audit_app, ["check", site]).exit_code == 0
    out = tmp_path / "acts.csv"
    done = run(audit_app, ["export", site, "--out", str(out)])
    assert done.exit_code == 0, done.output
    rows = out.read_text("utf-8-sig").splitlines()
    assert len(rows) == 3
    assert "'=cmd" in rows[2]
    assert [x.act.what for x in trail.read()][-1] == "export.made"
    [path] = trail.folder.glob("*.jsonl")
    path.write_text(path.read_text("utf-8").replace("化验单", "发票"), "utf-8")
    done = run(audit_app, ["check", site])
    assert done.exit_code == 1
    assert ("被改动" if language == "zh" else "changed") in done.output


def test_settings_below_six_months_are_refused() -> None:
    with pytest.raises(ValueError, match="183"):
        HistorianAuditConfig.model_validate({"keep_days": 182})


async def test_a_gateway_records_its_start_and_its_stop(tmp_path: Path) -> None:
    write_table(tmp_path)
    async with server() as plc:
        config = write_config(tmp_path, device("plc", plc.port))
        async with running(config):
            pass
    record = await lines(tmp_path, "record")
    acts = [line for line in record if line.startswith("audit,")]
    assert any("what=process.started" in line for line in acts)
    assert any("what=process.stopped" in line for line in acts)


def test_an_empty_trail_does_not_read_as_good(tmp_path: Path) -> None:
    (tmp_path / "audit").mkdir()
    done = CliRunner().invoke(audit_app, ["check", str(tmp_path / "audit")])
    assert done.exit_code == 1
    assert "empty" in done.output


def test_what_a_peer_chose_cannot_imitate_another_act(tmp_path: Path) -> None:
    forged = "10.0.0.1\n     2  2026-11-18 08:00:00  王敏\x1b[2J\u202e　全角"
    trail = AuditTrail(tmp_path / "audit")
    act = Act(AT_NS, "gw", "peer.refused", forged, forged, details={"shown": forged})
    trail.add(act)
    done = CliRunner().invoke(audit_app, ["list", str(trail.folder)])
    assert len(done.output.splitlines()) == 4
    assert not any(bad in done.output for bad in "\x1b\u202e")
    assert "全角" in done.output


def held(n: int, recorded_hash: str, at_ns: int, trail: str = "/office") -> Witnessed:
    return Witnessed(trail, n, recorded_hash, "somebody", "demo/historian/record/0", 1, at_ns)


def test_acts_that_are_gone_and_too_young_to_be_pruned_are_told(tmp_path: Path) -> None:
    """A forged record of pruning names an old month: the chain holds, the historian does not."""
    trail = AuditTrail(tmp_path)
    trail.add_all([Act(AT_NS + n, "王敏", "entry.added", f"#{n}") for n in range(5)])
    trail.add_all([Act(AT_NS + MONTH_NS + n, "王敏", "entry.added", f"#{n}") for n in range(5)])
    known = [held(each.n, each.hash, each.act.at_ns) for each in trail.read()]
    first = audit_files.segments(tmp_path)[0]
    stated = {"upto": "5", "hash": known[4].hash, "file": "000000000001-2020-01.jsonl.gz"}
    gone = Act(AT_NS + MONTH_NS, "root", "retention.deleted", "audit", details=stated)
    audit_files.Tail(tmp_path).write([gone])
    first.unlink()
    assert trail.check() is None
    now_ns = AT_NS + 2 * MONTH_NS
    assert compare(trail.read(), known, now_ns=now_ns).differing.startswith("act 1 ")
    years = AT_NS + 40 * MONTH_NS  # rightly gone after three years
    assert compare(trail.read(), known, now_ns=years).differing == ""


async def test_a_gateway_speaks_for_no_trail_but_its_own(tmp_path: Path) -> None:
    recorded = AuditTrail(tmp_path / "x").add(Act(AT_NS, "王敏", "entry.added", "#1"))
    async with Originals(tmp_path / "originals", "0" * 16) as originals:
        await originals.keep_own("demo", [audit_line("demo", "historian", "/office", recorded)])
    [own] = (tmp_path / "originals" / "demo" / "historian" / "record").iterdir()
    assert [each.trail for each in witnessed(tmp_path / "originals")] == ["/office"]
    for trail in ("/office", "gw1", "demo/gw1", "gw2"):
        async with Originals(tmp_path / trail.strip("/") / "originals", "0" * 16) as originals:
            await originals.keep_own("demo", [audit_line("demo", "gw2", trail, recorded)])
        kept = tmp_path / trail.strip("/") / "originals"
        (kept / "demo" / "historian").rename(kept / "demo" / "gw2")  # as if gw2 had sent it
        found = [each.trail for each in witnessed(kept)]
        assert found == (["demo/gw2"] if trail == "gw2" else [])
    assert own.is_dir()
