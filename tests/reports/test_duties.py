"""Duties by day: due, done, late; each boundary day; what others do; certificates; the command."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from reports.duties.duties import Duty, Office, State, duties
from reports.lodgings import Lodging, lodge, read_lodgings
from reports.plan.file import load_plan
from reports.rules.packs import packs
from tests.reports.conftest import Smelter
from tests.reports.planned import EXAMPLE, KINDS
from tests.reports.quota import ONE_LINE, Quota, months, office

METAL = {9: ("20000", "9400"), 10: ("20000", "9400")}


@pytest.fixture
def desk(tmp_path: Path) -> Quota:
    """An office whose first month is September 2026."""
    return office(tmp_path).enter(*months(2026, "line1", METAL))


def of(desk: Quota) -> Office:
    site = desk.site
    plan = None if site.plan is None else load_plan(site.plan, site)
    return Office(site, desk.ledger, read_lodgings(site.entries), packs(), plan)


def on(desk: Quota, day: str) -> dict[tuple[str, str], Duty]:
    return {(duty.id, duty.period): duty for duty in duties(of(desk), date.fromisoformat(day))}


def handed_in(desk: Quota, report: str, period: str, day: str) -> None:
    time = datetime(2027, 6, 23, tzinfo=UTC)
    digest = f"{report}{period}".encode().hex()[:64]
    file = f"{report}-{period}-v1.json"
    made = Lodging(0, report, period, 1, digest, file, "R-1", date.fromisoformat(day), "王敏", time)
    lodge(desk.site.entries, made, b"{}")


@pytest.mark.parametrize(
    ("day", "state", "left"),
    [("2026-11-08", "open", 1), ("2026-11-09", "open", 0), ("2026-11-10", "overdue", -1)],
)
def test_forty_days_after_the_month(desk: Quota, day: str, state: str, left: int) -> None:
    """30 September and 40 days is 9 November."""
    duty = on(desk, day)["lodge", "2026-09"]
    assert str(duty.due) == "2026-11-09"
    assert (duty.state.value, duty.left(date.fromisoformat(day))) == (state, left)
    assert duty.confirmed == "official"


def test_what_was_lodged_is_done_and_lateness_is_said(desk: Quota) -> None:
    handed_in(desk, "carbon-monthly", "2026-09", "2026-11-09")
    handed_in(desk, "carbon-monthly", "2026-10", "2026-12-11")
    found = on(desk, "2026-12-31")
    assert found["lodge", "2026-09"].state is State.DONE
    late = found["lodge", "2026-10"]
    assert late.state is State.DONE
    assert late.note is not None
    assert "逾期" in late.note.zh
    assert on(desk, "2026-12-10")["lodge", "2026-10"].state is State.OPEN  # before it was handed in


def test_nothing_before_the_first_month_entered_nor_after_the_running_one(desk: Quota) -> None:
    lodged = [period for kind, period in on(desk, "2026-11-23") if kind == "lodge"]
    assert sorted(lodged) == ["2026-09", "2026-10", "2026-11"]


def test_a_month_without_a_running_line_needs_no_lodging(tmp_path: Path) -> None:
    stopped = ONE_LINE.replace("ac_meters", "stopped = 2026-10-01\nac_meters")
    desk = office(tmp_path, stopped).enter(*months(2026, "line1", {9: METAL[9]}))
    assert [period for kind, period in on(desk, "2026-11-23") if kind == "lodge"] == ["2026-09"]


def test_the_first_months_had_a_day_of_their_own(tmp_path: Path) -> None:
    """January to June 2025 by 31 October 2025; July by 31 July + 40 days, 9 September."""
    desk = office(tmp_path).enter(*months(2025, "line1", {6: METAL[9], 7: METAL[9]}))
    found = on(desk, "2025-09-10")
    assert str(found["lodge", "2025-06"].due) == "2025-10-31"
    assert found["lodge", "2025-06"].state is State.OPEN
    assert str(found["lodge", "2025-07"].due) == "2025-09-09"
    assert found["lodge", "2025-07"].state is State.OVERDUE


@pytest.mark.parametrize(("day", "state"), [("2026-12-31", "open"), ("2027-01-01", "overdue")])
def test_quality_plan_and_surrender_by_the_last_of_december(
    desk: Quota, day: str, state: str
) -> None:
    found = on(desk, day)
    assert found["plan_due", "2025"].state.value == state
    assert "2027" in found["plan_due", "2025"].text.en  # the plan of the year after next
    assert found["surrender_due", "2025"].state.value == state
    handed_in(desk, "quality-plan", "2027", "2026-12-30")
    assert on(desk, day)["plan_due", "2025"].state is State.DONE


def test_surrender_is_done_when_all_of_it_is_surrendered(desk: Quota) -> None:
    desk.verified(2025, "152000", "100000")
    desk.enter("allowance_surrendered,plant,2025,151999,t,2025,")
    duty = on(desk, "2026-12-31")["surrender_due", "2025"]
    assert duty.state is State.OPEN
    assert duty.note is not None
    assert "151999" in duty.note.en
    desk.enter("allowance_surrendered,plant,2025,1,t,2026,")
    assert on(desk, "2027-01-01")["surrender_due", "2025"].state is State.DONE


def test_the_annual_report_is_done_by_its_lodging(tmp_path: Path) -> None:
    desk = office(tmp_path).enter(*months(2026, "line1", {1: METAL[9]}))
    assert on(desk, "2026-03-31")["report_due", "2025"].state is State.OPEN
    assert on(desk, "2026-04-01")["report_due", "2025"].state is State.OVERDUE
    handed_in(desk, "carbon-annual", "2025", "2026-03-31")
    assert on(desk, "2026-04-01")["report_due", "2025"].state is State.DONE


def test_what_others_do_is_never_overdue(desk: Quota) -> None:
    issue = on(desk, "2026-10-01")["issue_due", "2025"]
    assert issue.state is State.EVENT
    assert issue.note is not None
    assert "allowance_allocated" in issue.note.en
    desk.enter("allowance_allocated,line1,2025,152000,t,,")
    assert on(desk, "2026-10-01")["issue_due", "2025"].state is State.DONE


def test_a_day_not_published_yet_has_no_date(desk: Quota) -> None:
    duty = on(desk, "2026-11-23")["report_due", "2026"]
    assert (duty.due, duty.state) == (None, State.UNDATED)
    assert duty.note is not None
    assert "cn_calendar.report_due" in duty.note.en
    assert duty.left(date(2026, 11, 23)) is None


def test_overdue_comes_first_then_by_day(desk: Quota) -> None:
    found = duties(of(desk), date(2026, 12, 20))
    states = [duty.state for duty in found]
    assert states[0] is State.OVERDUE
    assert State.OVERDUE not in states[states.count(State.OVERDUE) :]
    dated = [d.due for d in found if d.due and d.state in {State.OPEN, State.EVENT}]
    assert dated == sorted(dated)


# --- certificates


def planned(root: Path, *rows: str) -> Quota:
    """An office with the example plan and certificates as given."""
    desk = office(root, ONE_LINE.replace('entries = "', 'plan = "plan.toml"\nentries = "', 1))
    (root / "plan.toml").write_text(EXAMPLE, "utf-8")
    for kind in KINDS:
        (root / f"{kind}.pdf").write_bytes(kind.encode())
    desk.enter(*months(2026, "line1", METAL))
    head = "kind,line,period,value,unit,valid_until,body,certificate,result\n"
    path = root / "certificates.csv"
    path.write_text(head + "\n".join(rows) + "\n", "utf-8")
    return desk


CERTIFICATE = "instrument_certificate,{},2026-01-10,0.1,%,{},计量院,J-1,{}"


@pytest.mark.parametrize(
    ("until", "day", "state"),
    [
        ("2027-01-09", "2026-10-10", None),  # 91 days left: not yet
        ("2027-01-09", "2026-10-11", "open"),  # 90 days
        ("2027-01-09", "2027-01-09", "open"),
        ("2027-01-09", "2027-01-10", "overdue"),
    ],
)
def test_a_certificate_that_runs_out(
    tmp_path: Path, smelter: Smelter, until: str, day: str, state: str | None
) -> None:
    desk = planned(tmp_path, CERTIFICATE.format("truck1", until, "合格"))
    bring(desk, smelter)
    duty = on(desk, day).get(("certificate", "truck1"))
    assert (None if duty is None else duty.state.value) == state


def test_a_failed_certificate_and_none_at_all_are_overdue(tmp_path: Path, smelter: Smelter) -> None:
    desk = planned(tmp_path, CERTIFICATE.format("truck1", "2027-01-09", "不合格"))
    bring(desk, smelter)
    found = on(desk, "2026-06-01")
    assert found["certificate", "truck1"].state is State.OVERDUE
    none = found["certificate", "ladle1"]
    assert (none.state, none.due) == (State.OVERDUE, None)
    assert none.note is not None
    assert "没有" in none.note.zh


def bring(desk: Quota, smelter: Smelter) -> None:
    code, text = smelter(
        *("entries", "import", str(desk.root / "certificates.csv")),
        *("--site", str(desk.root / "site.toml"), "--author", "李强", "--reason", "检定", "--yes"),
    )
    assert code == 0, text


# --- the command


def test_the_command(desk: Quota, smelter: Smelter) -> None:
    run = ("duties", "--site", str(desk.root / "site.toml"))
    code, text = smelter(*run, "--on", "2026-11-09")
    assert code == 0
    assert "lodge 2026-09" in text
    assert "official text" in text
    code, text = smelter(*run, "--on", "2026-11-10", "--lang", "zh")
    assert code == 1
    assert "2026-09 月度存证" in text
    assert "逾期 1 项" in text
    code, text = smelter(*run, "--on", "2026-11-10", "--json")
    table = json.loads(text)
    assert code == 1
    assert table["duties"][0]["id"] == "lodge"
    assert table["duties"][0]["days_left"] == -1
    assert table["from"] == "2026-09"


def test_done_duties_of_long_ago_only_on_demand(desk: Quota, smelter: Smelter) -> None:
    handed_in(desk, "carbon-monthly", "2026-09", "2026-11-01")
    run = ("duties", "--site", str(desk.root / "site.toml"), "--on", "2026-11-23")
    assert "lodge 2026-09" not in smelter(*run)[1]
    assert "lodge 2026-09" in smelter(*run, "--all")[1]


def test_a_day_that_is_none_is_refused(desk: Quota, smelter: Smelter) -> None:
    code, text = smelter("duties", "--site", str(desk.root / "site.toml"), "--on", "2026-13-01")
    assert (code, "2026-11-23" in text) == (2, True)


def test_the_source_is_the_rule_of_its_day(desk: Quota) -> None:
    """Without the calendar pack's days there are no duties of the year, and nothing is guessed."""
    bare = replace(
        of(desk), packs={**packs(), "cn_calendar": replace(packs()["cn_calendar"], parameters={})}
    )
    found = duties(bare, date(2026, 11, 23))
    assert {duty.id for duty in found} == {"lodge"}
