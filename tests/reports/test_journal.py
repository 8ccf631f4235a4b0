"""The journal from outside: what is refused, what is kept, what the trace says (D6)."""

import csv
import hashlib
import json
from math import isnan
from pathlib import Path

import pytest

from drivers.model import ConfigError
from reports.journal.journal import read_journal
from reports.journal.judge import judge_mark
from reports.journal.record import Mark
from reports.journal.trace import draw, usual_points
from reports.series.store import open_series
from reports.site import Meter, load_site
from tests.reports import noted
from tests.reports.conftest import NOW, Smelter
from tests.reports.emitted import SITE, STACK, STACK1, Smoke, at
from tests.reports.noted import Folder

MARK = ("--what", "calibration", "--stack", "DA001")
CALIBRATED = (*MARK, "--start", "2026-10-05 08:00", "--end", "2026-10-05 08:40")
FORGED = (
    *("--what", "maintenance", "--stack", "DA001"),
    *("--start", "2026-10-05 10:00", "--end", "2026-10-05 11:30"),
)
SIGNED = ("--author", "王敏", "--reason", "周校准")


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return noted.build(tmp_path_factory.mktemp("noted"))


@pytest.fixture
def office(lake: Path, tmp_path: Path) -> Folder:
    return noted.folder(lake, tmp_path)


def added(smelter: Smelter, office: Folder, *arguments: str) -> tuple[int, str]:
    return smelter("journal", "add", "mark", "--site", office.site, *arguments)


def documents(office: Folder) -> list[Path]:
    return sorted((office.root / "documents").glob("*"))


def test_a_mark_that_the_trace_supports_keeps_it(smelter: Smelter, office: Folder) -> None:
    code, said = added(smelter, office, *CALIBRATED, *SIGNED, "--json")
    assert code == 0, said
    [record] = json.loads(said)["records"]
    assert record["facts"]["judgement"] == "supported"
    assert (
        "40 minutes marked: state or flags say calibration in 40"
        in (record["facts"]["judgement_en"])
    )
    [trace] = record["evidence"]
    assert (trace["start"], trace["end"]) == ("2026-10-05T07:00+08:00", "2026-10-05T09:40+08:00")
    [kept] = documents(office)
    content = kept.read_bytes()
    assert hashlib.sha256(content).hexdigest() == trace["sha256"]
    rows = list(csv.DictReader(content.decode("utf-8-sig").splitlines()))
    assert len(rows) == 160 * 5  # state, SO2, velocity, current, scrubber: 07:00 to 09:40
    points = {f"{row['equipment']} {row['quantity']}" for row in rows}
    assert points == set(trace["points"])
    assert "gtc1/scrubber1 scrubber.running" in points
    [so2] = [r for r in rows if r["time"] == "2026-10-05 08:10:00" and r["quantity"] == "stack.so2"]
    assert (so2["mean"], so2["quality"], so2["gateway"]) == ("", "calibration", "gw1")
    assert int(so2["seq"]) > 0  # leads to its batch


def test_d6_without_reason_evidence_or_second_person(
    smelter: Smelter, lake: Path, tmp_path: Path
) -> None:
    """Refused without any of them; with all of them: who, when and why, and it is in the chain."""
    office = noted.folder(lake, tmp_path, "two_persons = true\n")
    order = ("--evidence", office.file("order.pdf"))
    second = ("--confirmed-by", "赵工")
    dark = (*MARK, "--start", "2026-09-01 08:00", "--end", "2026-09-01 09:00")  # nothing recorded
    for arguments, missing in (
        ((*CALIBRATED, "--author", "王敏", *second, *order), "the reason is missing"),
        ((*CALIBRATED, "--reason", "周校准", *second, *order), "the author is missing"),
        ((*CALIBRATED, *SIGNED, *order), "a second person"),
        ((*CALIBRATED, *SIGNED, *order, "--confirmed-by", "王敏"), "somebody else"),
        ((*dark, *SIGNED, *second), "a mark without evidence"),
        ((*FORGED, *SIGNED, *second), "a mark without evidence"),
        ((*CALIBRATED, *SIGNED, *second, "--evidence", "nowhere.pdf"), "is not there"),
        ((*CALIBRATED, *SIGNED, *second, "--evidence", office.file("0.pdf", "")), "is empty"),
    ):
        code, said = added(smelter, office, *arguments)
        assert (code, missing in said) == (2, True), said
    assert not (tmp_path / "journal.jsonl").exists()
    assert not documents(office)
    before = so2(office)
    code, said = added(smelter, office, *CALIBRATED, *SIGNED, *second, *order)
    assert code == 0, said
    [record] = read_journal(tmp_path / "journal.jsonl").records
    assert (record.author, record.confirmed_by, record.reason) == ("王敏", "赵工", "周校准")
    assert record.at == NOW  # stamped by the program's clock, not by an argument
    assert [each.kind for each in record.evidence] == ["document", "trace"]
    assert so2(office) == before  # the original stays as it was
    assert (tmp_path / "journal.jsonl.head").read_text().split() == ["1", record.hash]


def so2(office: Folder) -> list[float]:
    site = load_site(Path(office.site))
    with open_series(site) as series:
        found = series.windows(
            Meter(STACK1, "stack.so2"), at("2026-10-05T07:00"), at("2026-10-05T09:00")
        )
    return [float(value) for value in found.mean if not isnan(value)]


def test_a_forged_mark_is_kept_as_contradicted(smelter: Smelter, office: Folder) -> None:
    order = ("--evidence", office.file("order.pdf"))
    code, said = added(smelter, office, *FORGED, *SIGNED, *order)
    assert code == 0
    assert "CONTRADICTED by the trace" in said
    assert "ran as usual in 90 (at most 90 unbroken)" in said
    [record] = read_journal(office.root / "journal.jsonl").records
    assert record.judgement == "contradicted"
    code, said = smelter("journal", "list", "--site", office.site, "--lang", "zh")
    assert "与数据曲线矛盾，不作为豁免" in said
    assert "仪器和设备运行正常 90 分钟" in said


SAYS = (
    ("stopped", "13:00", "16:00", "supported"),
    ("stopped", "09:00", "11:00", "contradicted"),
    ("shut_down", "12:00", "13:00", "supported"),
    ("start_up", "16:00", "17:00", "supported"),
    ("start_up", "12:00", "13:00", "contradicted"),  # it went the other way
    ("start_up", "16:00", "20:00", "contradicted"),  # three hours of full production in it
    ("start_up", "09:00", "10:00", "contradicted"),  # nothing started
    ("calibration", "08:00", "08:40", "supported"),
    ("calibration", "07:30", "08:40", "not_told"),  # 30 of 70 minutes ran, 40 calibrated
    ("calibration", "07:00", "08:40", "contradicted"),  # an unbroken hour ran
    ("calibration", "07:15", "08:40", "contradicted"),  # 45 of 85 minutes ran: more than half
    ("fault", "08:00", "08:40", "not_told"),  # neither a fault nor running
    ("force_majeure", "08:00", "08:40", "supported"),  # there is no valid SO2
    ("force_majeure", "10:00", "10:30", "contradicted"),
)


def test_what_the_trace_says(office: Folder) -> None:
    site = load_site(Path(office.site))
    [stack] = site.stacks
    found = []
    with open_series(site) as series:
        for what, start, end, _ in SAYS:
            times = (at(f"2026-10-05T{start}"), at(f"2026-10-05T{end}"))
            trace = draw(series, usual_points(stack, ()), *times)
            verdict = judge_mark(Mark(what), trace, *times)
            found.append((what, start, end, verdict.judgement.value))
    assert found == list(SAYS)


@pytest.mark.parametrize(("flagged", "judged"), [(True, "contradicted"), (False, "not_told")])
def test_without_a_state_only_flags_say_as_usual(
    tmp_path: Path, flagged: bool, judged: str
) -> None:
    """A value without flag means something where flags of that instrument are seen at all."""
    smoke = Smoke(tmp_path, site=SITE + STACK)
    if flagged:
        smoke.minutes(STACK1, "2026-10-04T02:00", 15, {"stack.so2": (None, 0.0, "calibration")})
    smoke.minutes(STACK1, "2026-10-05T09:00", 240, {"stack.so2": 40.0})
    smoke.build()
    site = load_site(tmp_path / "site.toml")
    times = (at("2026-10-05T10:00"), at("2026-10-05T11:30"))
    with open_series(site) as series:
        trace = draw(series, usual_points(site.stacks[0], ("so2",)), *times)
    assert judge_mark(Mark.MAINTENANCE, trace, *times).judgement == judged
    assert len(trace.curves[1].windows) == 210  # 09:00 to 12:30: what is kept is not the days


def test_a_fault_of_the_treatment_unit_shows_in_its_own_point(tmp_path: Path) -> None:
    smoke = Smoke(tmp_path, site=SITE + noted.WORKS)
    smoke.minutes(STACK1, "2026-10-05T09:00", 180, noted.RUNS)
    smoke.minutes(noted.SCRUBBER, "2026-10-05T09:00", 60, {"scrubber.running": 1.0})
    smoke.minutes(noted.SCRUBBER, "2026-10-05T10:00", 30, {"scrubber.running": 0.0})
    smoke.minutes(noted.SCRUBBER, "2026-10-05T10:30", 90, {"scrubber.running": 1.0})
    smoke.build()
    site = load_site(tmp_path / "site.toml")
    with open_series(site) as series:
        for end, judged in (("10:30", "supported"), ("11:30", "contradicted")):
            times = (at("2026-10-05T10:00"), at(f"2026-10-05T{end}"))
            trace = draw(series, usual_points(site.stacks[0], ()), *times)
            assert judge_mark(Mark.FAULT, trace, *times).judgement == judged


def test_a_withdrawn_mark_stays_visible(smelter: Smelter, office: Folder) -> None:
    assert added(smelter, office, *CALIBRATED, *SIGNED)[0] == 0
    withdraw = ("journal", "withdraw", "1", "--site", office.site)
    assert smelter(*withdraw)[0] == 2
    code, said = smelter(*withdraw, "--author", "李华", "--reason", "时间填错")
    assert (code, "withdrawn by 2" in said) == (0, True)
    journal = read_journal(office.root / "journal.jsonl")
    assert journal.records == ()
    assert [(x.number, x.author, x.withdraws) for x in journal.all] == [
        (1, "王敏", None),
        (2, "李华", 1),
    ]
    assert smelter("journal", "list", "--site", office.site)[1] == ""
    assert "时间填错" in smelter("journal", "list", "--site", office.site, "--all")[1]
    code, said = smelter(*withdraw, "--author", "李华", "--reason", "再次")
    assert (code, "withdrawn already" in said) == (2, True)
    assert added(smelter, office, *CALIBRATED, *SIGNED)[0] == 0  # it may be stated anew
    assert added(smelter, office, *CALIBRATED, *SIGNED)[0] == 2  # but not twice


def test_automatic_checks_that_passed_are_counted_and_not_listed(
    smelter: Smelter, office: Folder
) -> None:
    zero = ("--fact", "zero_reference=0", "--fact", "zero_before=0.1", "--fact", "full_scale=100")
    for what in ("calibration_auto", "calibration"):
        arguments = ("--what", what, "--stack", "DA001", "--pollutant", "so2", *zero)
        when = ("--start", "2026-10-05 08:00", "--end", "2026-10-05 08:10")
        code, said = smelter(
            "journal", "add", "check", "--site", office.site, *arguments, *when,
            "--author", "王敏", "--reason", "日校准",
        )  # fmt: skip
        assert code == 0, said
    listed = ("journal", "list", "--site", office.site)
    said = smelter(*listed)[1]
    assert "calibration_auto" not in said
    assert "1 automatic calibrations that passed are not listed" in said
    assert "另有 1 条合格的自动校准未列出" in smelter(*listed, "--lang", "zh")[1]
    assert "calibration_auto" in smelter(*listed, "--all")[1]
    assert len(json.loads(smelter(*listed, "--json")[1])["records"]) == 2


def test_overdue_checks_of_a_stack_are_one_duty(smelter: Smelter, office: Folder) -> None:
    assert added(smelter, office, *CALIBRATED, *SIGNED)[0] == 0
    _, said = smelter(
        "duties", "--site", office.site, "--on", "2026-11-20", "--lang", "en", "--json"
    )
    rows = [x for x in json.loads(said)["duties"] if x["id"] == "stack_checks"]
    assert len(rows) == 1, said
    said = smelter("journal", "due", "--site", office.site, "--on", "2026-11-20")[1]
    count = int(said.strip().splitlines()[-1].split()[0])
    assert count > 1
    assert f"{count} checks overdue" in json.dumps(rows[0])


def test_check_names_what_was_changed(smelter: Smelter, office: Folder) -> None:
    order = ("--evidence", office.file("order.pdf"))
    assert added(smelter, office, *CALIBRATED, *SIGNED, *order)[0] == 0
    check = ("journal", "check", "--site", office.site)
    assert smelter(*check)[0] == 0
    for kept in documents(office):
        whole = kept.read_bytes()
        kept.write_bytes(whole + b" ")
        code, said = smelter(*check)
        assert (code, f"{kept} was changed" in said) == (1, True)
        kept.unlink()
        assert (smelter(*check)[0], "is not there" in smelter(*check)[1]) == (1, True)
        kept.write_bytes(whole)
    file = office.root / "journal.jsonl"
    file.write_text(file.read_text("utf-8").replace("周校准", "月校准"), "utf-8")
    code, said = smelter(*check, "--json")
    assert (code, "journal.jsonl:1" in json.loads(said)["faults"][0]) == (1, True)
    with pytest.raises(ConfigError, match="chain is broken"):
        read_journal(file)


def test_points_of_ones_own_come_besides_the_usual(smelter: Smelter, office: Folder) -> None:
    own = (
        *("--trace", "gtc1/scrubber1 scrubber.running"),
        *("--trace", "line1/all potline.voltage", "--json"),
    )
    code, said = added(smelter, office, *CALIBRATED, *SIGNED, *own)
    assert code == 0, said
    [evidence] = json.loads(said)["records"][0]["evidence"]
    assert len(evidence["points"]) == 5  # nobody recorded that voltage; none came twice
    assert evidence["points"][0] == "gtc1/stack1 stack.instrument_state"
    code, said = added(smelter, office, *FORGED, *SIGNED, "--trace", "nonsense")
    assert (code, "--trace nonsense: write area/unit and a quantity" in said) == (2, True)


def test_no_trace_holds_only_where_the_store_cannot_be_read(
    smelter: Smelter, office: Folder
) -> None:
    """Else a forged mark could do without its verdict."""
    order = ("--evidence", office.file("order.pdf"), "--no-trace", "数据库检修", "--json")
    code, said = added(smelter, office, *FORGED, *SIGNED, *order)
    assert code == 0, said
    assert json.loads(said)["records"][0]["facts"]["judgement"] == "contradicted"
    site = Path(office.site)
    [lake] = [line for line in site.read_text("utf-8").splitlines() if line.startswith("lake")]
    text = site.read_text("utf-8").replace(lake, "")
    influx = '\n[influxdb]\nurl = "http://127.0.0.1:9"\ndatabase = "none"\ntimeout_s = 1\n'
    site.write_text(text + influx, "utf-8")
    code, said = added(smelter, office, *CALIBRATED, *SIGNED, *order[:2])
    assert (code, '--no-trace "REASON"' in said) == (2, True), said
    code, said = added(smelter, office, *CALIBRATED, *SIGNED, *order[2:])
    assert (code, "a mark without evidence" in said) == (2, True), said
    code, said = added(smelter, office, *CALIBRATED, *SIGNED, *order)
    assert code == 0, said
    facts = json.loads(said)["records"][0]["facts"]
    assert facts == {"judgement": "not_told", "no_trace": "数据库检修"}
