"""Evidence: edits of packages, traces of every cell, recalculation, entries (D1, D3, D4, D6)."""

import itertools
import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from drivers.model import ConfigError
from reports.entries.ledger import read_ledger
from reports.package.verify import verify
from reports.trace.certified import Certified
from reports.trace.reverse import Reading, uses
from reports.trace.tracer import Tracer, verified
from reports.versions import read_report
from tests.reliability.cases import Outcome, Setting, case
from tests.reports import plant
from tests.reports.conftest import Office
from tests.reports.forging import EDITS, Original, edited
from tests.reports.sealing import seal, written

_SMELTER = (sys.executable, "-c", "from drivers.cli import main; main()")
_ROOT = Path(__file__).parents[2]


def _sealed(setting: Setting) -> Original:
    plant.build(setting.folder / "plant")
    return seal(setting.folder / "sealed", setting.folder / "plant")


@case(
    "D1",
    fault="a package is edited: bytes, files, batches, entries, figures, the tree, the signature",
    procedure="random edits of twelve kinds; forgers with the office's own key, or fresh keys of "
    "every end; judged with the trusted keys of office and historian",
    mark="all found, the place named",
)
def package_edited(setting: Setting) -> Outcome:
    original = _sealed(setting)
    chance = setting.chance
    count = setting.size(cut=4 * len(EDITS), full=1000)
    missed, unnamed = [], []
    kinds: Counter[str] = Counter()
    for number in range(count):
        edit = edited(original, chance, number)
        found = verify(str(edit.path), original.trusted, [])
        kinds[edit.kind.partition(": ")[2]] += 1
        said = [f"{each['where']} {each['en']}" for each in found.changed]
        if found.code != 1:
            missed.append(edit.kind)
        elif edit.places and not any(p in text for p in edit.places for text in said):
            unnamed.append(edit.kind)
    true = verify(str(original.path), original.trusted, [])
    figure = (
        f"{count} edits of {len(kinds)} kinds: {len(missed)} missed, {len(unnamed)} without "
        f"place{'' if not missed else ' ' + missed[0]}; the true package is {true.word}"
    )
    return Outcome(not missed and not unnamed and true.code == 0, figure)


@case(
    "D3",
    fault="somebody asks where a figure is from, and where a reading went",
    procedure="every line of a month's report traced to registers, proofs, certificates and rule "
    "versions; every meter reading traced to the reports that used it",
    mark="100 % of the lines, each within 3 s, both ways",
)
def every_cell_traced(setting: Setting) -> Outcome:
    office = Office(_sealed(setting).folder.parent / "office")
    report = read_report(office.root / "reports" / "carbon-monthly-2026-10-v1.json")
    proved, longest = 0, 0.0
    certified = Certified.of_site(office.site)
    for line in report.content.lines:
        begun = time.monotonic()
        node = Tracer(report.content, office.site.originals, 0, certified).line(line.id)
        proved += verified(node)
        longest = max(longest, time.monotonic() - begun)
    back, slowest = 0, 0.0
    middle_ns = (plant.OCTOBER.start_ns + plant.OCTOBER.end_ns) // 2
    for meter in report.content.meters:
        begun = time.monotonic()
        reading = Reading(meter.equipment, meter.quantity, middle_ns)
        back += any(use.lines for use in uses(office.root / "reports", reading))
        slowest = max(slowest, time.monotonic() - begun)
    lines, meters = len(report.content.lines), len(report.content.meters)
    figure = (
        f"{proved} of {lines} lines proved, slowest {longest:.2f} s; {back} of {meters} readings "
        f"led to their reports, slowest {slowest:.2f} s"
    )
    return Outcome(proved == lines and back == meters and max(longest, slowest) < 3, figure)


@case(
    "D4",
    fault="an entry is changed after the report was made; the report is made again elsewhere",
    procedure="lake rebuilt from a copy of the originals in another folder, time zone and "
    "language; then one entry revised",
    mark="the same content_sha256; a revision gives version 2 that says who and why; 1 stays",
)
def recalculated(setting: Setting) -> Outcome:
    original = _sealed(setting)
    office = Office(original.folder.parent / "office")
    away = setting.folder / "away"
    shutil.copytree(office.root, away / "office")
    shutil.copytree(original.ends.root / "originals", away / "originals")
    name = "reports/carbon-monthly-2026-10-v1.json"
    same, runs = 0, setting.size(cut=1, full=5)
    zones = itertools.cycle(["America/New_York", "Asia/Shanghai", "UTC", "Pacific/Apia"])
    for _ in range(runs):
        done = subprocess.run(
            [*_SMELTER, "recompute", name, "--originals", str(away / "originals"), "--json"],
            cwd=away / "office",
            env=os.environ | {"TZ": next(zones), "LC_ALL": "C", "PYTHONPATH": str(_ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        same += done.returncode == 0 and json.loads(done.stdout)["same"]
    before = (office.root / name).read_bytes()
    revise = ("entries", "revise", "1", "21000", "--author", "李强", "--reason", "磅单更正")
    done = subprocess.run(
        [*_SMELTER, *revise, "--site", str(office.site_file)],
        env=os.environ | {"PYTHONPATH": str(_ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    second = read_report(written(office))
    why = " ".join(each.why.zh for each in second.changes if each.why is not None)
    explained = second.version == 2 and "李强" in why and "磅单更正" in why
    kept = (office.root / name).read_bytes() == before and read_report(office.root / name)
    figure = (
        f"{same} of {runs} recalculations with the same digest; version {second.version} with "
        f"{len(second.changes)} differences, who and why {'named' if explained else 'NOT named'}; "
        f"version 1 {'unchanged' if kept else 'CHANGED'}"
    )
    return Outcome(same == runs and explained and bool(kept), figure)


def corrected_by_hand(setting: Setting) -> Outcome:
    """The half of D6 about entries; marks and their checkpoint: trails.py."""
    office = Office(_sealed(setting).folder.parent / "office")
    ledger = office.site.entries
    told = [
        _revise(office, *words)
        for words in (
            ("--author", "李强"),
            ("--reason", "x"),
            ("--author", "李强", "--reason", "x"),
        )
    ]
    rows = ledger.read_text("utf-8").splitlines()
    last = json.loads(rows[-1])
    kept = (
        last["revises"] == 1 and (last["author"], last["reason"]) == ("李强", "x") and last["time"]
    )
    found, edits = 0, 0
    for number in range(len(rows)):
        for edit in (_other_value, _without, _twice):
            ledger.write_text("\n".join(edit(rows, number)) + "\n", "utf-8")
            edits += 1
            found += _broken_at(office, number + 1)
    ledger.write_text("\n".join(rows) + "\n", "utf-8")
    figure = (
        f"exit codes {told[0]}, {told[1]} without, {told[2]} with both; original "
        f"{'kept' if kept else 'LOST'}; {found} of {edits} edits found at their line"
    )
    return Outcome(told == [2, 2, 0] and bool(kept) and found == edits, figure)


def _revise(office: Office, *words: str) -> int:
    call = [*_SMELTER, "entries", "revise", "1", "21000", *words, "--site", str(office.site_file)]
    surroundings = os.environ | {"PYTHONPATH": str(_ROOT)}
    return subprocess.run(call, env=surroundings, capture_output=True, check=False).returncode


def _other_value(rows: list[str], number: int) -> list[str]:
    return [*rows[:number], rows[number].replace('"value":"', '"value":"1'), *rows[number + 1 :]]


def _without(rows: list[str], number: int) -> list[str]:
    return [*rows[:number], *rows[number + 1 :]]


def _twice(rows: list[str], number: int) -> list[str]:
    return [*rows[: number + 1], *rows[number:]]


def _broken_at(office: Office, number: int) -> bool:
    """Refused, and the line named is the one that was edited or one of its neighbours."""
    try:
        read_ledger(office.site.entries)
    except ConfigError as error:
        near = (f"jsonl:{n}:" for n in (number, number + 1))
        return any(place in str(error) for place in near)
    return False
