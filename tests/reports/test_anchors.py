"""The office's acts under the historian's own tree hold the heads of its chains: end to end."""

import asyncio
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from agent.audit import audit_line
from agent.historian.config import load_historian
from agent.historian.process import Historian
from drivers.audit import Act, AuditTrail
from drivers.audit_act import Recorded
from reports.acts import anchors_of, record_act
from reports.package.ring import open_ring
from reports.package.verify import anchors, text, verify
from tests.reports import plant
from tests.reports.conftest import Built, Office, Smelter
from tests.reports.proven import prove
from tests.reports.test_verify_kept import rewritten

PORT_OF_NOBODY = 9  # no broker is needed: the batches came before
REPORT = "carbon-monthly-2026-10-v1"


class Site:
    """An office by its commands only, and the historian that follows its trail."""

    def __init__(self, root: Path, built: Built, smelter: Smelter) -> None:
        self.smelter, self.historian = smelter, root / "historian"
        self.folder = root / "office"
        self.folder.mkdir()
        text = plant.SITE.replace('lake = "lake"', f'lake = "{built.root}/lake"')
        text = text.replace('originals = "originals"', 'originals = "../historian/originals"')
        (self.folder / "site.toml").write_text(text, "utf-8")
        (self.folder / "weighing.txt").write_text("磅单汇总\n", "utf-8")
        (self.folder / "entries.csv").write_text(plant.ENTRIES, "utf-8")
        self.proven = prove(root / "proven", built.root / "originals")
        self.historian.mkdir()
        shutil.copytree(root / "proven" / "witness-keys", self.historian / "keys")
        (self.historian / "historian.toml").write_text(
            f'data_dir = "."\n[mqtt]\nurl = "mqtt://127.0.0.1:{PORT_OF_NOBODY}"\n'
            f'[audit]\nfollow = ["../office/audit"]\n[health]\nlisten = "127.0.0.1:0"\n',
            "utf-8",
        )

    @property
    def office(self) -> Office:
        return Office(self.folder)

    def says(self, *arguments: str, code: int = 0) -> str:
        done, said = self.smelter(*arguments)
        assert done == code, said
        return said

    def enters(self) -> None:
        site, table = str(self.folder / "site.toml"), str(self.folder / "entries.csv")
        signed = "--author", "王敏", "--reason", "十月台账", "--yes"
        self.says("entries", "import", table, "--site", site, *signed)

    def reports(self, out: str) -> Path:
        site = str(self.folder / "site.toml")
        where = "--out", str(self.folder / out), "--format", "json"
        self.smelter("report", "carbon-monthly", "--site", site, "--month", "2026-10", *where)
        return self.folder / out / f"{REPORT}.json"

    def packs(self, report: Path, name: str) -> Path:
        target = self.folder / name
        self.says("package", str(report), "--out", str(target))
        return target

    async def is_followed(self, logs: int) -> None:
        """The historian runs until all acts are in its log, and stops as by SIGTERM."""
        own = Historian(load_historian(self.historian / "historian.toml"))
        stop = asyncio.Event()
        running = asyncio.create_task(own.run(stop, lambda: None))
        acts = sum(1 for _ in AuditTrail(self.folder / "audit").read())

        def done() -> bool:
            if own.own is None or not own.own.signed:
                return False
            return [each.n for each in own.own.auditor._followed][1:] == [acts]

        await until(done, running)
        stop.set()
        await running
        heads = self.historian.glob("checkpoints/*/historian/record/*/checkpoint")
        assert len(list(heads)) == logs


async def until(done: Callable[[], bool], running: "asyncio.Task[None]") -> None:
    for _ in range(1200):
        if done() or running.done():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("not in a minute")


def test_a_ledger_rewritten_as_a_whole_is_contradicted_by_the_acts(
    built: Built, tmp_path: Path, smelter: Smelter
) -> None:
    site = Site(tmp_path, built, smelter)
    site.enters()
    asyncio.run(site.is_followed(1))  # no plant is known yet: the acts lie under ``_``
    assert (site.historian / "originals" / "_" / "historian").is_dir()
    for part in ("originals", "checkpoints"):
        shutil.copytree(tmp_path / "proven" / part, site.historian / part, dirs_exist_ok=True)
    report = site.reports("reports")
    lodged = "--receipt", "R-7", "--on", "2026-11-23", "--author", "王敏", "--incomplete"
    site.says("lodge", str(report), *lodged)
    asyncio.run(site.is_followed(2))
    trusted = [site.proven.trusted, open_ring(site.office.site.entries, "demo").vkey]
    true = verify(str(site.packs(report, "true.zip")), trusted, [])
    assert true.code == 0, (true.changed, true.unknown)
    # entry.added (ledger), report.made (ledger), lodge.added (ledger, lodgings)
    assert true.anchored == 4
    assert any("fit 4 anchors" in each["en"] for each in true.proved)
    assert "rewrote ledger" not in text(true, "en")

    ledger = site.office.site.entries
    ledger.write_bytes(rewritten(ledger.read_bytes(), 0))
    lines = ledger.read_bytes().splitlines()
    head = f"{len(lines)} {sha256(lines[-1]).hexdigest()}\n"
    ledger.with_name("entries.jsonl.head").write_text(head, "utf-8")
    for name in ("lodgings.jsonl", "lodgings.jsonl.head"):
        ledger.with_name(name).unlink()
    lie = verify(str(site.packs(site.reports("again"), "lie.zip")), trusted, [])
    assert lie.code == 1
    said = [each["en"] for each in lie.changed if each["where"].startswith("entries/entries.jsonl")]
    for act in ("entry.added #1 ", "report.made #2 ", "lodge.added #3 "):
        assert any(act in each for each in said), said
    assert any("_/historian/record" in each for each in said)
    assert any("demo/historian/record" in each for each in said)
    assert any("lodgings.jsonl" in each["where"] for each in lie.changed)
    assert "lodge.added #3" in text(lie, "zh")


def lines_of(*acts: Act) -> bytes:
    """As the historian writes them."""
    rows = [audit_line("_", "historian", "t", Recorded(n, "0" * 64, a)) for n, a in enumerate(acts)]
    return b"batch,plant=_\n" + b"\n".join(rows) + b"\n"


def test_anchors_stand_in_the_details_of_an_act_and_name_their_plant(kept: Office) -> None:
    details = anchors_of(kept.site)
    assert details["plant"] == "demo"
    count, head = details["entries.jsonl"].split()
    odd = 'a "quoted" \\ 原因, x=1 2'
    good = Act(10**18, "王敏", "report.made", odd, why=odd, details={**details, "more": odd})
    [found] = anchors(lines_of(good), "demo")
    assert found == ("entries.jsonl", int(count), head, "report.made #0 2001-09-09 09:46:40 +08:00")
    assert anchors(lines_of(good), "other") == []
    lie = f'entries.jsonl 3 {"ab" * 32} details="{{}}"'
    bare = {key: details[key] for key in details if key != "plant"}
    for act in (
        Act(1, "x", "report.made", lie, why=lie, source=lie),  # words of a person are no anchor
        Act(1, "x", "report.made", "x", details=bare),
        Act(1, "x", "report.made", "x", details={"plant": "demo", "entries.jsonl": "3 ab"}),
    ):
        assert anchors(lines_of(act), "demo") == []
    for payload in (b"\naudit,plant=_ x=1 1\n", b"\nevent,plant=_ details=1i 1\n", b"\xff\naudit,"):
        assert anchors(payload, "demo") == []
    torn = lines_of(good).replace(b"{", b"[" * 3000)
    assert anchors(torn, "demo") == []


@pytest.mark.parametrize("broken", ["no number", "1 2 3 4"])
def test_an_act_is_recorded_though_a_head_cannot_be_read(kept: Office, broken: str) -> None:
    kept.site.entries.with_name("entries.jsonl.head").write_text(broken, "utf-8")
    record_act(kept.site, "report.made", "x")
    [made] = AuditTrail(kept.root / "audit").read()
    assert made.act.what == "report.made"
