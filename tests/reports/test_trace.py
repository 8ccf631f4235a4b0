"""Every figure leads back: to people, to the law, to registers, with digests that hold."""

import hashlib
import json
import shutil
import struct
import time
import zlib
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from reports.periods import PLANT_TIME
from reports.trace.originals import OriginalsError, find_line, log_folder, read_batch
from reports.trace.text import trace_text
from reports.trace.tracer import Node, Tracer, verified
from tests.originals_reader import read_stream
from tests.reports import plant
from tests.reports.conftest import Built, Office, Smelter
from tests.reports.energy import office as energy_office

LOG = plant.GATEWAY.log


def walk(node: Node) -> list[Node]:
    found = [node]
    for given in node.get("inputs", ()):
        found += walk(given)
    return found


def test_every_line_can_be_traced_and_recomputed(kept: Office) -> None:
    content = kept.content()
    tracer = Tracer(content, kept.site.originals)
    for line in content.lines:
        node = tracer.line(line.id)
        assert verified(node), line.id
        for part in walk(node):
            assert part.get("recomputed") in {True, None}


def test_lines_made_with_words_are_traced_though_not_recomputed(tmp_path: Path) -> None:
    """An indicator or a day of the law is no figure of a line: the formula cannot run without."""
    plant = energy_office(tmp_path)
    plant.store()
    content = plant.report()
    tracer = Tracer(content, None)
    nodes = [tracer.line(line.id) for line in content.lines]
    assert {node["formula"]["name"] for node in nodes if node.get("formula")} >= {"standard_coal"}
    for node in nodes:
        assert node.get("recomputed") in {True, None}, node["line"]


def test_a_total_leads_to_entries_laws_and_formulas(kept: Office) -> None:
    nodes = walk(Tracer(kept.content(), None).line("plant.intensity"))
    entries = {node["entry"]["number"]: node["entry"] for node in nodes if "entry" in node}
    assert entries.keys() == {1, 2, 3, 4, 5, 6}
    assert entries[1]["document"]["name"] == "weighing.txt"
    assert (entries[1]["author"], entries[1]["row"]) == ("王敏", 2)
    laws = {node["legal"]["id"].partition("@")[0] for node in nodes if "legal" in node}
    assert "cn_ets_aluminium_2024.anode_loss_rate" in laws
    assert len(laws) == 7


def test_a_metered_figure_leads_to_registers_and_digests(kept: Office) -> None:
    node = Tracer(kept.content(), kept.site.originals).line("line1.electricity_ac")
    meter = node["inputs"][0]["meter"]
    begin, end = meter["begin"], meter["end"]
    assert begin["verified"] is True
    assert begin["chained"] is True
    raw = begin["raw"]
    assert raw == f"{round(begin['last'] * 10):08x}"
    assert begin["registers"] == [int(raw[:4], 16), int(raw[4:], 16)]
    assert f" {begin['window_ns']}" in begin["line_protocol"]
    assert end["chained"] is None or end["chained"] is True
    assert meter["difference_agrees"] is False  # it rolled over, and the event says so
    assert meter["events"][0]["kind"] == "rollover"
    second = node["inputs"][1]["meter"]
    assert second["difference_agrees"] is True
    assert second["gaps"][0]["amount"] == pytest.approx(121 * 3933.375)


def test_our_reader_agrees_with_an_independent_one(built: Built) -> None:
    folder = log_folder(built.root / "originals", "demo", "gw1", LOG)
    judged = read_stream(folder.parent)[LOG]
    for kept_batch in (judged[0], judged[199], judged[200], judged[-1]):
        ours = read_batch(folder, kept_batch.seq)
        assert ours.payload == kept_batch.payload
    assert read_batch(folder, 2).prev == read_batch(folder, 1).digest
    with pytest.raises(OriginalsError, match="batch 99999 is not there"):
        read_batch(folder, 99999)
    with pytest.raises(OriginalsError, match="no such log"):
        read_batch(folder.with_name("0000"), 1)


def test_a_line_is_found_without_its_number(built: Built) -> None:
    folder = log_folder(built.root / "originals", "demo", "gw1", LOG)
    start = "meter_1m,plant=demo,line=line1,unit=ac2 "
    found = find_line(folder, start, f" {plant.GAP_TO_NS}", plant.GAP_TO_NS)
    assert found is not None
    assert find_line(folder, start, f" {plant.GAP_FROM_NS}", plant.GAP_FROM_NS) is None


@pytest.mark.parametrize("where", [0.001, 0.3, 0.9])
def test_one_flipped_bit_in_the_originals_is_found(
    kept: Office, built: Built, tmp_path: Path, where: float
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(built.root / "originals", copy)
    tracer = Tracer(kept.content(), copy)
    assert verified(tracer.line("line1.electricity_ac"))
    segment = min((copy / "demo" / "gw1" / "record" / LOG).glob("*.seg"))
    data = bytearray(segment.read_bytes())
    first_length = int.from_bytes(data[4:8], "little") + 68
    data[int(first_length * where)] ^= 0x10
    segment.write_bytes(data)
    node = tracer.line("line1.electricity_ac")
    assert not verified(node)
    problem = node["inputs"][0]["meter"]["begin"]["problem"]
    assert "damaged" in problem or "does not hold" in problem or "is not there" in problem


@pytest.fixture
def written(kept: Office, smelter: Smelter) -> Path:
    out = kept.root / "reports"
    code, said = smelter(
        *("report", "carbon-monthly", "--site", str(kept.site_file), "--month", "2026-10"),
        *("--out", str(out), "--format", "json"),
    )
    assert code == 0, said
    return out / "carbon-monthly-2026-10-v1.json"


def test_command_answers_within_three_seconds(
    written: Path, smelter: Smelter, kept: Office
) -> None:
    begun = time.monotonic()
    code, said = smelter("trace", str(written), "line1.electricity_ac", "--json")
    assert time.monotonic() - begun < 3
    node: dict[str, Any] = json.loads(said)
    assert code == 0
    assert node["proved"] is True
    assert node["value"] == pytest.approx(282721.86)
    code, said = smelter("trace", str(written), "plant.emission")
    assert code == 0
    assert "recomputed" in said
    assert "王敏" in said


def test_one_minute_can_be_asked_for(written: Path, smelter: Smelter) -> None:
    arguments = ("trace", str(written), "line1.electricity_ac", "--json", "--at")
    code, said = smelter(*arguments, "2026-10-10T12:00")
    window = json.loads(said)["inputs"][1]["meter"]["window"]
    assert code == 0
    assert window["chained"] is True
    assert f"energy_import_inc={3933.375 * 121}" in window["line_protocol"]
    code, said = smelter(*arguments, "2026-10-10T11:00")  # nobody read ac2 then
    meters = [given["meter"] for given in json.loads(said)["inputs"]]
    assert code == 1
    assert meters[0]["window"]["raw"]
    assert "no batch holds" in meters[1]["window"]["problem"]
    assert smelter(*arguments, "noon")[0] == 2


def test_command_says_no_when_it_cannot_be_proved(
    written: Path, smelter: Smelter, kept: Office
) -> None:
    text = kept.site_file.read_text("utf-8")
    kept.site_file.write_text(text.replace("originals =", "# originals ="), "utf-8")
    code, said = smelter("trace", str(written), "line1.electricity_ac")
    assert code == 1
    assert "names no originals" in said
    code, said = smelter("trace", str(written), "line1.nonsense")
    assert code == 2
    assert "no line 'line1.nonsense'; near: line1." in said


def test_a_wrong_id_names_the_nearest_and_how_to_list_all(
    written: Path, smelter: Smelter, kept: Office
) -> None:
    identities = [line.id for line in kept.content().lines]
    code, said = smelter("trace", str(written), "line1.emision")
    assert code == 2
    near = said.partition("near: ")[2].partition(" (")[0].split(", ")
    assert near[0] == "line1.emission"
    assert len(near) <= 5 < len(identities)
    assert f"({len(identities)} in all; smelter trace {written} --list shows them)" in said
    code, said = smelter("trace", str(written), "line1.emision", "--lang", "zh")
    assert "相近：line1.emission" in said
    for more in ([], ["--list"]):
        code, said = smelter("trace", str(written), *more)
        assert code == 0
        assert [row.partition("  ")[0] for row in said.splitlines()] == identities
    code, said = smelter("trace", str(written), "--list", "--json", "--lang", "zh")
    assert list(json.loads(said)) == identities
    assert json.loads(said)["line1.aluminium"] == "铝液产量"


def test_a_report_that_is_not_there_is_told_with_its_folder(smelter: Smelter) -> None:
    code, said = smelter("trace", "carbon-annual-2025", "line1.emission")
    assert code == 2
    assert "no such file; write it with its folder, e.g. smelter trace " in said
    assert str(Path("reports") / "carbon-annual-2025") + " line1.emission" in said
    assert "reports/carbon-annual-2026" in " ".join(smelter("trace", "--help")[1].split())


def hourly(root: Path, closed_ns: int) -> None:
    """An import of one hour of ac1 in the originals, closed at ``closed_ns``."""
    folder = log_folder(root, "demo", "import", "00000000000000aa")
    folder.mkdir(parents=True)
    row = f"meter_1h,plant=demo,line=line1,unit=ac1 energy_import_last=1.0 {HOUR_NS}\n"
    payload = f'batch prev="{"0" * 64}"\n{row}'.encode()
    digest = hashlib.sha256(payload).digest()
    head = struct.pack("<4sIQqIBBH32s", b"SMB1", len(payload), 1, closed_ns, 1, 0, 1, 0, digest)
    crc = zlib.crc32(payload, zlib.crc32(head))
    (folder / "00000000000000000001.seg").write_bytes(head + struct.pack("<I", crc) + payload)


HOUR_NS = int(datetime(2026, 6, 5, 8, tzinfo=PLANT_TIME).timestamp()) * 10**9
MONTHS_LATER_NS = HOUR_NS + 90 * 86_400 * 10**9


def test_a_minute_of_hourly_imported_data_shows_its_hour(
    kept: Office, built: Built, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(built.root / "originals", copy)
    hourly(copy, MONTHS_LATER_NS)
    for minute in (0, 1, 59):
        at_ns = HOUR_NS + minute * 60 * 10**9
        node = Tracer(kept.content(), copy, at_ns).line("line1.electricity_ac")
        window = node["inputs"][0]["meter"]["window"]
        assert (window["time"], window["window_s"]) == ("2026-06-05 08:00:00", 3600)
        assert window["line_protocol"].endswith(f" {HOUR_NS}")
        assert window["gateway"] == "import"
        assert "kept by the hour; the hour asked for" in trace_text(node)
    for minute in (-1, 60):
        at_ns = HOUR_NS + minute * 60 * 10**9
        node = Tracer(kept.content(), copy, at_ns).line("line1.electricity_ac")
        assert "no batch holds" in node["inputs"][0]["meter"]["window"]["problem"]


def test_a_second_of_a_minute_shows_that_minute(kept: Office, built: Built) -> None:
    at_ns = plant.GAP_TO_NS + 42 * 10**9
    node = Tracer(kept.content(), built.root / "originals", at_ns).line("line1.electricity_ac")
    window = node["inputs"][1]["meter"]["window"]
    assert window["window_s"] == 60
    assert window["line_protocol"].endswith(f" {plant.GAP_TO_NS}")


def test_a_report_from_influx_is_traced_by_searching(kept: Office, built: Built) -> None:
    """InfluxDB does not say which batch a window came in; the originals are searched."""
    content = kept.content()
    meters = tuple(
        meter.model_copy(
            update={
                "begin": meter.begin
                and meter.begin.model_copy(update={"gateway": "", "log": "", "seq": 0})
            }
        )
        for meter in content.meters
    )
    tracer = Tracer(content.model_copy(update={"meters": meters}), kept.site.originals)
    begin = tracer.line("line1.electricity_ac")["inputs"][0]["meter"]["begin"]
    assert begin["verified"] is True
    assert begin["seq"] == 1
