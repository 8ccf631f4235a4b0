"""From a figure to checkpoint, certificate and rule version; from a reading to the reports."""

import json
import shutil
import time
from pathlib import Path

from reports.trace.reverse import Reading, uses
from reports.trace.tracer import Tracer, verified
from tests.reports import plant
from tests.reports.conftest import Office, Smelter
from tests.reports.forging import Original

LOG = f"demo/gw1/record/{plant.GATEWAY.log}"
AC1 = "line1/ac1 meter.energy_import"
CERTIFICATE = """kind,line,period,value,unit,instrument,certificate,body,valid_until
"""


def office_of(sealed: Original) -> Office:
    return Office(sealed.folder.parent / "office")


def test_a_figure_leads_to_a_cosigned_checkpoint(sealed: Original, smelter: Smelter) -> None:
    report = office_of(sealed).root / "reports" / "carbon-monthly-2026-10-v1.json"
    begun = time.monotonic()
    code, said = smelter("trace", str(report), "line1.electricity_ac", "--json")
    assert time.monotonic() - begun < 3
    assert code == 0
    meters = [given["meter"] for given in json.loads(said)["inputs"]]
    for register in (meter[end] for meter in meters for end in ("begin", "end")):
        assert register["inclusion"]["holds"] is True
        assert register["inclusion"]["signed"] is True
        assert register["inclusion"]["cosigned"].startswith("2026-")
    assert meters[0]["certificates"] == []
    code, said = smelter("trace", str(report), "line1.electricity_ac", "--lang", "zh")
    assert "历史库" in said or "会签" in said
    assert "台账中没有覆盖该期间的检定/校准证书" in said
    code, said = smelter("trace", str(report), "line1.pfc")
    assert "sha256" in said
    assert " on  sha256 " in said  # version of the rule pack


def test_another_tree_beside_the_originals_is_found(sealed: Original, tmp_path: Path) -> None:
    """One leaf changed in the tiles: the batches no longer lead to the signed root."""
    shutil.copytree(sealed.ends.root / "originals", tmp_path / "originals")
    shutil.copytree(sealed.ends.root / "checkpoints", tmp_path / "checkpoints")
    tile = next((tmp_path / "originals" / LOG / "tree" / "tile" / "0").rglob("000"))
    data = bytearray(tile.read_bytes())
    data[40] ^= 1  # the leaf of batch 2; the path of batch 1 goes over it
    tile.write_bytes(bytes(data))
    content = office_of(sealed).content()
    node = Tracer(content, tmp_path / "originals").line("line1.electricity_ac")
    assert not verified(node)
    begin = node["inputs"][0]["meter"]["begin"]["inclusion"]
    assert begin["holds"] is False


def test_keys_of_nobody_are_not_believed(sealed: Original, tmp_path: Path) -> None:
    shutil.copytree(sealed.ends.root / "originals", tmp_path / "originals")
    shutil.copytree(sealed.ends.root / "checkpoints", tmp_path / "checkpoints")
    (tmp_path / "checkpoints" / "witness.json").write_text("[]", "utf-8")
    content = office_of(sealed).content()
    node = Tracer(content, tmp_path / "originals").line("line1.electricity_ac")
    assert not verified(node)


def test_a_reading_leads_to_the_reports_that_used_it(sealed: Original, smelter: Smelter) -> None:
    folder = office_of(sealed).root / "reports"
    begun = time.monotonic()
    code, said = smelter(
        "trace", str(folder), "--reading", AC1, "--at", "2026-10-05T08:01", "--json"
    )
    assert time.monotonic() - begun < 3
    told = json.loads(said)
    assert code == 0
    assert told["window"]["verified"] is True
    assert told["window"]["inclusion"]["holds"] is True
    assert told["window"]["registers"]
    (use,) = told["reports"]
    assert (use["name"], use["version"]) == ("carbon-monthly-2026-10", 1)
    assert use["direct"] == ["line1.electricity_ac"]
    assert {"line1.electricity_ac", "plant.electricity_ac"} <= use["lines"].keys()
    code, said = smelter(
        "trace", str(folder), "--reading", AC1, "--at", "2026-10-05T08:01", "--lang", "zh"
    )
    assert "= line1.electricity_ac" in said


def test_both_ways_agree(sealed: Original) -> None:
    """A line is named for a meter exactly when the trace of that line comes to that meter."""
    content = office_of(sealed).content()
    folder = office_of(sealed).root / "reports"
    at_ns = plant.OCTOBER.start_ns + 5 * 86_400 * 10**9
    tracer = Tracer(content, None)
    for meter in content.meters:
        (use,) = uses(folder, Reading(meter.equipment, meter.quantity, at_ns))
        reached = {
            line.id
            for line in content.lines
            if f'"id": "{meter.id}"' in json.dumps(tracer.line(line.id))
        }
        assert set(use.lines) == reached


def test_the_first_register_is_used_and_the_month_after_is_not(sealed: Original) -> None:
    folder = office_of(sealed).root / "reports"
    start, end = plant.OCTOBER.start_ns, plant.OCTOBER.end_ns
    minute = 60 * 10**9

    def count(at_ns: int) -> int:
        return len(list(uses(folder, Reading("line1/ac1", "meter.energy_import", at_ns))))

    assert [count(at) for at in (start - minute, start, end - 1, end, start - 2 * minute)] == [
        1, 1, 1, 0, 0,
    ]  # fmt: skip


def test_what_nobody_used(sealed: Original, smelter: Smelter, tmp_path: Path) -> None:
    folder = office_of(sealed).root / "reports"
    code, said = smelter("trace", str(folder), "--reading", AC1, "--at", "2025-10-05T08:01")
    assert code == 1
    assert "no report used this reading" in said
    assert (
        smelter("trace", str(folder), "--reading", "line1/ac1", "--at", "2026-10-05T08:01")[0] == 2
    )
    assert smelter("trace", str(folder), "--reading", AC1)[0] == 2
    assert smelter("trace", str(tmp_path / "x"), "--reading", AC1, "--at", "2026-10-05")[0] == 2


def test_a_report_that_was_changed_is_told_as_such(sealed: Original, tmp_path: Path) -> None:
    text = (office_of(sealed).root / "reports" / "carbon-monthly-2026-10-v1.json").read_text(
        "utf-8"
    )
    (tmp_path / "carbon-monthly-2026-10-v1.json").write_text(
        text.replace('"report": "carbon-monthly"', '"report": "carbon-other"'), "utf-8"
    )
    (tmp_path / "notes-v1.json").write_text("[]", "utf-8")
    at_ns = plant.OCTOBER.start_ns
    (use,) = uses(tmp_path, Reading("line1/ac1", "meter.energy_import", at_ns))
    assert not use.whole
