"""The grade from the outside: proven where everything is, lost by each kind of evidence."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from reports.assembly import Assembly
from reports.chapters import Table
from reports.grade.bench import Bench
from reports.grade.evidence import (
    WORDS,
    Declaration,
    Document,
    Interlock,
    LedgerKept,
    LimitsMet,
    NoExceedance,
    NoPenalty,
    Retention,
    Share,
    Uptime,
)
from reports.grade.exceeded import no_exceedance
from reports.grade.expiry import all_expiring
from reports.grade.findings import Case, Expiry, Finding, Status, worst
from reports.grade.judge import expiring, judge
from reports.grade.kept import retention
from reports.grade.levels import best, count, lowest
from reports.grade.measured import capture_of, cems_uptime, limits_met
from reports.grade.papers import declaration, document, ledger_kept, no_penalty, share
from reports.grade.report import year_to
from reports.grade.running import dcs_uptime, interlock
from reports.grade.table import tables
from reports.journal.journal import read_journal
from reports.journal.record import Evidence
from reports.model import Content
from reports.periods import Period, clock_text
from reports.values import Text
from tests.reports.emitted import SITE, STACK, STACK1, Smoke, Values
from tests.reports.graded import OCTOBER, YEAR, GradeOffice

GRADE = "plant.electrolytic_aluminium.CN-2020.grade"
OPEN = "plant.electrolytic_aluminium.CN-2020.A.open"
INDUSTRY = "electrolytic_aluminium"


@pytest.fixture
def office(graded_lake: Path, tmp_path: Path) -> GradeOffice:
    return GradeOffice(tmp_path, graded_lake)


@pytest.fixture
def checked(office: GradeOffice) -> GradeOffice:
    """The same, its stacks verified every second month."""
    return office.checked()


def look(office: GradeOffice, what: Callable[[Bench], Finding]) -> Finding:
    for bench in office.bench():
        return what(bench)
    raise AssertionError


def at(office: GradeOffice, number: int) -> None:
    """The stack stands at another gas cleaning, with other data."""
    office.write_site("gtc1/stack1", f"gtc{number}/stack1")


def verdict(content: Content) -> tuple[Decimal | None, str]:
    line = content.line(GRADE)
    return line.value, line.missing[0].en if line.missing else ""


def test_the_year_of_a_month_ends_with_it() -> None:
    assert year_to(Period.month(2026, 10)) == YEAR
    assert str(year_to(Period.month(2026, 12))) == "2026"
    assert year_to(Period.month(2024, 2)).days[0] == date(2023, 3, 1)
    assert year_to(Period.year(2026)) == Period.year(2026)
    day = year_to(Period.parse("2026-11-20"))
    assert (day.days[0], day.days[-1]) == (date(2025, 11, 21), date(2026, 11, 20))
    assert year_to(Period.parse("2024-02-28")).days[0] == date(2023, 2, 28)  # 29 Feb has no year


def test_a_is_proven_where_every_indicator_is(office: GradeOffice) -> None:
    content = office.proven().content()
    assert content.complete
    assert verdict(content) == (Decimal(1), "")
    assert "A" in content.line(GRADE).label.en
    assert content.line(OPEN).value == 0
    assert content.headline == (GRADE,)
    own = [legal for legal in content.legals if legal.confirmed == "site"]
    assert own
    assert all(legal.overlay and legal.overlay.checked_by == "李四" for legal in own)


def test_one_paper_that_is_not_there_takes_a_away(office: GradeOffice) -> None:
    office.proven()
    (office.root / "documents").rename(office.root / "elsewhere")
    value, why = verdict(office.content())
    assert value is None
    assert why == "A not provable: 1 unknown, 3 failed"  # a declaration never found, three files


def test_without_any_table_there_is_no_letter(graded_lake: Path, tmp_path: Path) -> None:
    """Nothing typed: 9 families of the industry table, the general ones, all unknown."""
    office = GradeOffice(tmp_path, graded_lake).proven()
    office.write_site('tables = ["own.toml", "general.toml"]', "tables = []")
    content = office.content()
    value, why = verdict(content)
    assert value is None
    assert not content.complete
    assert why == "A not provable: 13 unknown, 0 failed"
    opened = {absent.source.title for absent in content.absent}
    assert any("340号" in title for title in opened)
    assert any("实施细则" in title for title in opened)


def test_a_limit_nobody_confirmed_proves_nothing(office: GradeOffice) -> None:
    """The carbon limits were read in an article: they are tried, and told, and prove nothing."""
    office.write_site('industries = ["electrolytic_aluminium"]', 'industries = ["carbon"]')
    content = office.content()
    line = content.line("plant.carbon.CN-2020.grade")
    assert line.value is None
    table = next(
        block
        for chapter in content.chapters
        for block in chapter.blocks
        if isinstance(block, Table) and block.id == "grade_carbon.CN-2020_A"
    )
    rows = [row for row in table.rows if "二氧化硫" in str(row[1])]
    assert rows
    assert all(row[4] == Text(zh="未知", en="unknown") for row in rows)
    assert all("条件未经核实，不作证明" in str(row[5]) for row in rows)


# --- limits, exceedances, uptime


def test_limits_met_and_lost_by_two_hours(checked: GradeOffice) -> None:
    asked = LimitsMet(kind="limits_met", pollutant="so2", limit=Decimal(12))
    assert look(checked, lambda b: limits_met(b, INDUSTRY, asked)).proven  # 12 is at most 12
    tight = asked.model_copy(update={"limit": Decimal("11.99")})
    assert look(checked, lambda b: limits_met(b, INDUSTRY, tight)).status is Status.FAILED
    at(checked, 2)
    found = look(checked, lambda b: limits_met(b, INDUSTRY, asked))
    assert (found.status, found.figure) == (Status.FAILED, Decimal(40))
    assert found.effort == "wait"  # 2 of 8760 hours
    (case,) = found.cases
    assert clock_text(case.start_ns) == "2026-03-05 08:00:00"
    assert clock_text(case.end_ns) == "2026-03-05 10:00:00"


def test_a_mark_takes_hours_out_unless_the_trace_contradicts_it(office: GradeOffice) -> None:
    at(office, 2)
    asked = LimitsMet(kind="limits_met", pollutant="so2", limit=Decimal(12))
    trace = Evidence(kind="document", sha256="0" * 64, name="trace.csv")

    def marked(facts: dict[str, str]) -> Finding:
        for path in office.root.glob("journal*"):
            path.unlink()
        office.checked()
        office.record(
            "mark", "maintenance", "2026-03-05T08:00", facts, trace,
            end="2026-03-05T10:00", equipment="gtc2/stack1",
        )  # fmt: skip
        return look(office, lambda b: limits_met(b, INDUSTRY, asked))

    found = marked({"judgement": "supported"})
    assert found.proven
    assert "left out by marks 2 (maintenance 2)" in found.text.en
    assert "2 more hours lie above and were not judged" in found.text.en
    (case,) = found.cases
    assert clock_text(case.start_ns) == "2026-03-05 08:00:00"
    assert case.text.en == "SO2 up to 40.00 mg/m3, not judged: mark 29 (maintenance)"
    found = marked({"judgement": "contradicted"})
    assert found.status is Status.FAILED
    assert "1 marks contradicted" in found.text.en


def test_a_limit_at_another_reference_oxygen_is_not_proven(office: GradeOffice) -> None:
    asked = LimitsMet(
        kind="limits_met", pollutant="so2", limit=Decimal(30), reference_o2=Decimal(15)
    )
    found = look(office, lambda b: limits_met(b, INDUSTRY, asked))
    assert found.status is Status.UNKNOWN
    assert "15 %" in found.text.en


@pytest.mark.parametrize("what", ["nox", "DA009"])
def test_a_stack_or_pollutant_that_is_not_there_is_unknown(office: GradeOffice, what: str) -> None:
    asked = LimitsMet(kind="limits_met", pollutant="so2", limit=Decimal(30))
    change: dict[str, object] = {"pollutant": what} if what == "nox" else {"stacks": (what,)}
    other = asked.model_copy(update=change)
    assert look(office, lambda b: limits_met(b, INDUSTRY, other)).status is Status.UNKNOWN


def test_too_few_hours_prove_no_limit(checked: GradeOffice) -> None:
    """Every tenth hour missing: 7,884 of 8,760 hours, 90.00 %; the bound is 90."""
    at(checked, 4)
    asked = LimitsMet(kind="limits_met", pollutant="so2", limit=Decimal(30))
    found = look(checked, lambda b: limits_met(b, INDUSTRY, asked))
    assert found.proven
    assert "90.00 %" in found.text.en
    wanted = Uptime(kind="uptime", of="cems", percent=Decimal(90))
    assert look(checked, lambda b: cems_uptime(b, INDUSTRY, wanted)).proven
    more = wanted.model_copy(update={"percent": Decimal("90.01")})
    assert look(checked, lambda b: cems_uptime(b, INDUSTRY, more)).status is Status.FAILED


def test_an_exceedance_counts_unless_equipment_and_reported_in_time(office: GradeOffice) -> None:
    at(office, 2)
    asked = NoExceedance(kind="no_exceedance")
    found = look(office, lambda b: no_exceedance(b, INDUSTRY, asked))
    assert (found.status, found.figure) == (Status.FAILED, Decimal(2))
    facts = {"cause": "fan", "measures": "mended", "reported_to": "bureau"}

    def say(reported: str) -> Finding:
        for path in office.root.glob("journal*"):
            path.unlink()
        office.checked()
        office.record(
            "exceedance", "control", "2026-03-05T08:00",
            facts | {"reported_at": f"{reported}+08:00"},
            end="2026-03-05T10:00", equipment="gtc2/stack1",
        )  # fmt: skip
        return look(office, lambda b: no_exceedance(b, INDUSTRY, asked))

    assert say("2026-03-05T09:00").proven
    assert say("2026-03-06T08:00").proven  # 24 hours after it began
    assert say("2026-03-06T08:01").status is Status.FAILED


def test_a_stack_that_nobody_checked_proves_no_limit(office: GradeOffice) -> None:
    met = LimitsMet(kind="limits_met", pollutant="so2", limit=Decimal(12))
    kept = NoExceedance(kind="no_exceedance")
    for found in (
        look(office, lambda b: limits_met(b, INDUSTRY, met)),
        look(office, lambda b: no_exceedance(b, INDUSTRY, kept)),
    ):
        assert found.status is Status.UNKNOWN
        assert "not one calibration or verification" in found.text.en
        assert "没有校准或校验记录" in found.text.zh
    office.checked()
    assert look(office, lambda b: no_exceedance(b, INDUSTRY, kept)).proven


def test_days_without_a_limit_in_force_prove_no_permit_kept(checked: GradeOffice) -> None:
    """The limit holds from 1 March: November to February are 120 days, 2,880 hours."""
    checked.write_site("from = 2021-01-01", "from = 2026-03-01")
    found = look(checked, lambda b: no_exceedance(b, INDUSTRY, NoExceedance(kind="no_exceedance")))
    assert found.status is Status.UNKNOWN
    assert "2880 hours lie on days without a limit in force" in found.text.en


def test_hours_with_too_much_air_prove_nothing_and_are_not_captured(tmp_path: Path) -> None:
    """A day: 18 hours at 15 % O2 as referred to, 6 hours at 20.9 % that cannot be converted."""
    stack = STACK.replace("wet = true", "wet = false\nreference_o2 = 15")
    smoke = Smoke(tmp_path, site=SITE + stack)
    for start, minutes, o2 in (("00", 1080, 15.0), ("18", 360, 20.9)):
        gas: Values = {"stack.so2": 5.0, "stack.velocity": 11.0, "stack.o2": o2}
        gas = {**gas, "stack.temperature": 80.0, "stack.pressure": -200.0, "stack.humidity": 5.0}
        smoke.minutes(STACK1, f"2026-10-05T{start}:00", minutes, gas)
    smoke.build()
    smoke.mark(
        "calibration", "2026-10-05T00:00", "2026-10-05T00:01", kind="check",
        facts={"result": "pass"},
    )  # fmt: skip
    met = LimitsMet(kind="limits_met", pollutant="so2", limit=Decimal(35))
    for basis in smoke.basis("2026-10-05"):
        bench = Bench(basis, Assembly(basis.period, basis.packs), read_journal(basis.site.journal))
        assert capture_of(bench.hours(basis.site.stacks[0]).pollutants["so2"]) == Decimal("0.75")
        for found in (
            limits_met(bench, INDUSTRY, met),
            no_exceedance(bench, INDUSTRY, NoExceedance(kind="no_exceedance")),
        ):
            assert found.status is Status.UNKNOWN
            assert "6 valid hours cannot be converted" in found.text.en


# --- control system


def test_dcs_uptime_is_that_of_the_worst_point(office: GradeOffice) -> None:
    """gtc3's scrubber is known until 1 August: 273 of 365 days = 74.79 %."""
    office.write_site("gtc1/scrubber1", "gtc3/scrubber1")
    found = look(
        office,
        lambda b: dcs_uptime(b, INDUSTRY, Uptime(kind="uptime", of="dcs", percent=Decimal(75))),
    )
    assert found.status is Status.FAILED
    assert found.figure is not None
    assert round(found.figure, 2) == Decimal("74.79")


def test_interlock_names_the_minutes_in_which_control_stood(office: GradeOffice) -> None:
    """An hour with the scrubber on for 0.75 of it: 15 minutes off while the line ran."""
    office.write_site("gtc1/scrubber1", "gtc2/scrubber1")
    asked = Interlock(kind="interlock")
    found = look(office, lambda b: interlock(b, INDUSTRY, asked))
    assert (found.status, found.figure) == (Status.FAILED, Decimal(15))
    (case,) = found.cases
    assert clock_text(case.start_ns) == "2026-06-10 12:00:00"
    patient = asked.model_copy(update={"minutes": Decimal(15)})
    assert look(office, lambda b: interlock(b, INDUSTRY, patient)).proven


def test_interlock_that_nobody_recorded_is_unknown(office: GradeOffice) -> None:
    office.write_site("gtc1/scrubber1", "gtc3/scrubber1")
    found = look(office, lambda b: interlock(b, INDUSTRY, Interlock(kind="interlock")))
    assert found.status is Status.UNKNOWN
    office.write_site('controls = ["gtc1/scrubber1 scrubber.running"]', "controls = []")
    found = look(office, lambda b: interlock(b, INDUSTRY, Interlock(kind="interlock")))
    assert (found.status, found.effort) == (Status.UNKNOWN, "set_up")


# --- retention


def test_retention_finds_the_hole(office: GradeOffice) -> None:
    asked = Retention(kind="retention", of="cems", days=365)
    assert look(office, lambda b: retention(b, INDUSTRY, asked)).proven
    at(office, 3)
    found = look(office, lambda b: retention(b, INDUSTRY, asked))
    assert (found.status, found.figure) == (Status.FAILED, Decimal(362))
    (case,) = found.cases
    assert clock_text(case.start_ns) == "2026-02-03 00:00:00"
    assert clock_text(case.end_ns) == "2026-02-06 00:00:00"


def test_retention_is_of_days_that_are_there(office: GradeOffice) -> None:
    """The archive begins on 1 November 2025: 365 days are there, 366 are not."""
    asked = Retention(kind="retention", of="dcs", days=366)
    found = look(office, lambda b: retention(b, INDUSTRY, asked))
    assert (found.status, found.figure) == (Status.FAILED, Decimal(365))


# --- papers


def test_retention_counts_the_days_in_which_a_stack_worked(office: GradeOffice) -> None:
    """The hole of 3 to 5 February lies before the stack began on 1 March: 245 of 245 days."""
    at(office, 3)
    text = office.site_file.read_text("utf-8")
    office.site_file.write_text(
        text.replace("area_m2 = 12.5", "area_m2 = 12.5\nstarted = 2026-03-01"),
        "utf-8",
    )
    found = look(
        office, lambda b: retention(b, INDUSTRY, Retention(kind="retention", of="cems", days=365))
    )
    assert (found.status, found.figure) == (Status.PROVEN, Decimal(245))
    assert "least 245 of 245 days" in found.text.en
    assert "only while their stack or line worked (less than 365 days)" in found.text.en
    assert "按其排放口或系列的投用期计" in found.text.zh
    assert "查询历史数据存档" in found.text.zh
    assert "lake" not in found.text.zh


def test_what_is_due_by_rule_is_named_before_it_expires(checked: GradeOffice) -> None:
    """Verified last on 20 October 2026; each quarter is audited in its first working days."""
    for bench in checked.bench():
        names = [each.what.en for each in all_expiring(bench, [])]
        chinese = [each.what.zh for each in all_expiring(bench, [])]
    assert any("verify by the reference method, due by 2027-01-20" in name for name in names)
    assert any("参比方法校验，最迟 2027-01-20" in name for name in chinese)
    assert any("audit the data of 2026Q3, overdue since" in name for name in names)


def test_the_words_of_documents_are_named_in_both_languages(office: GradeOffice) -> None:
    asked = Document(kind="document", what="gate_acceptance")
    found = look(office, lambda b: document(b, "x", asked))
    assert found.text.zh == "环保记录中没有用于门禁验收文件（gate_acceptance）的文件"
    assert "acceptance of the gate system (gate_acceptance)" in found.text.en
    asked_of = {
        each.what
        for table in tables().values()
        for indicator in table.indicators
        for each in indicator.evidence
        if isinstance(each, Document | Declaration)
    }
    assert asked_of <= set(WORDS)


def test_henan_ledgers_are_not_proven_by_consumables_alone(office: GradeOffice) -> None:
    """Consumables of each month are one of three things that the condition names."""
    for month in YEAR.months:
        office.enter(("consumable_used", str(month), "lime", 1))
    rows = tables()["ha_2024"].indicators
    ledgers = next(each for each in rows if each.name == "ledgers")
    for bench in office.bench():
        judged = judge(bench, INDUSTRY, ledgers)
    assert judged.trial is Status.UNKNOWN
    assert "治理设施运行时间 0/12" in judged.text.zh
    assert "设备维护检修台账" in judged.text.zh


def test_a_document_is_unchanged_valid_and_somebody_s(office: GradeOffice) -> None:
    asked = Document(kind="document", what="fuel")

    def found() -> Finding:
        return look(office, lambda b: document(b, "t.A.fuel", asked))

    assert found().status is Status.UNKNOWN
    kept = office.paper("fuel", until="2026-10-31")  # its last day is that of the year
    assert found().proven
    kept.write_text("changed\n", "utf-8")
    assert found().status is Status.FAILED
    kept.unlink()
    assert found().status is Status.FAILED


def test_a_document_that_ended_the_day_before_proves_nothing(office: GradeOffice) -> None:
    office.paper("fuel", until="2026-10-30")
    asked = Document(kind="document", what="fuel")
    found = look(office, lambda b: document(b, "t.A.fuel", asked))
    assert found.status is Status.UNKNOWN
    assert "2026-10-30" in found.text.en


def test_a_document_may_serve_the_indicator_by_its_id(office: GradeOffice) -> None:
    office.paper("t.A.fuel")
    asked = Document(kind="document", what="fuel")
    assert look(office, lambda b: document(b, "t.A.fuel", asked)).proven
    two = asked.model_copy(update={"count": 2})
    assert look(office, lambda b: document(b, "t.A.fuel", two)).status is Status.UNKNOWN


def test_a_document_is_no_declaration_and_needs_a_person(office: GradeOffice) -> None:
    office.paper("cells")
    asked = Declaration(kind="declaration", what="cells")
    assert look(office, lambda b: declaration(b, "x", asked)).status is Status.UNKNOWN
    office.paper("cells", "declaration", person="")
    assert look(office, lambda b: declaration(b, "x", asked)).status is Status.UNKNOWN


def test_no_penalty_is_declared_at_the_end_of_the_year(office: GradeOffice) -> None:
    def found() -> Finding:
        return look(office, lambda b: no_penalty(b, "x", NoPenalty(kind="no_penalty")))

    assert found().status is Status.UNKNOWN
    office.paper("no_penalty", "declaration", start="2026-09-29")
    assert found().status is Status.UNKNOWN  # October is not covered
    office.paper("no_penalty", "declaration", start="2026-11-02")
    assert found().proven
    office.paper("penalty", start="2025-10-31")
    assert found().proven  # a year and a day ago
    office.paper("penalty", start="2025-11-01")
    assert found().status is Status.FAILED


def test_share_of_clean_trips(office: GradeOffice) -> None:
    asked = Share(
        kind="share", of="gate_trips", classes=("electric", "national_vi"), percent=Decimal(90)
    )

    def found() -> Finding:
        return look(office, lambda b: share(b, asked))

    assert found().status is Status.UNKNOWN
    for month in YEAR.months[:-1]:
        office.enter(("gate_trips", str(month), "electric", 90))
        office.enter(("gate_trips", str(month), "lower", 10))
    # October is not entered yet
    assert (found().status, found().figure) == (Status.UNKNOWN, Decimal(90))
    office.enter(
        ("gate_trips", "2026-10", "electric", 90), ("gate_trips", "2026-10", "unknown", 10)
    )
    assert found().proven
    office.enter(("gate_trips", "2026-10", "unknown", 11))
    assert found().status is Status.FAILED


def test_a_ledger_lacks_no_month(office: GradeOffice) -> None:
    asked = LedgerKept(kind="ledger", entries=("consumable_used",))
    for month in YEAR.months[1:]:
        office.enter(("consumable_used", str(month), "lime", 1))
    found = look(office, lambda b: ledger_kept(b, asked))
    assert (found.status, found.figure) == (Status.UNKNOWN, Decimal(1))
    assert "2025-11" in found.text.en
    office.enter(("consumable_used", "2025-11", "lime", 1))
    assert look(office, lambda b: ledger_kept(b, asked)).proven


# --- levels, expiry


def test_what_ends_in_90_days_is_named_and_in_91_is_not() -> None:
    day = date(2026, 10, 31)
    made = {n: Expiry(Text(zh=f"{n}", en=f"{n}"), day + timedelta(days=n)) for n in (-1, 0, 90, 91)}
    assert expiring(tuple(made.values()), day) == [made[0], made[90]]


def test_a_document_near_its_end_is_in_the_report(office: GradeOffice) -> None:
    """31 October + 90 days = 29 January."""
    office.paper("near", until="2027-01-29")
    office.paper("far", until="2027-01-30")
    text = office.content().model_dump_json()
    table = text.partition('"grade_expires"')[2].partition('"grade_')[0]
    assert "near" in table
    assert "far" not in table


def test_the_worst_evidence_and_the_lowest_industry_decide() -> None:
    assert worst([]) is Status.UNKNOWN
    assert worst([Status.PROVEN, Status.UNKNOWN]) is Status.UNKNOWN
    assert worst([Status.PROVEN, Status.FAILED, Status.UNKNOWN]) is Status.FAILED
    assert lowest(("A", "B", "C"), ["A", "C", "B"]) == "C"
    assert lowest(("A", "B", "C"), ["A", ""]) == ""
    assert best([count("A", {}, [])]) == ""  # a level without conditions is not proven
    assert Case("x", 0, 1, Text(zh="", en="")) == Case("x", 0, 1, Text(zh="", en=""))
    assert OCTOBER.after == YEAR.after
