"""Checks and verifications: worked by hand; due dates and times out of control at every edge."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from reports.journal.control import Interval, months_later, out_of_control
from reports.journal.drift import judge_check
from reports.journal.due import Due, checks_due, working_day
from reports.journal.journal import Journal
from reports.journal.record import Evidence, Kind, Record
from reports.journal.verify import judge_verification
from reports.periods import Period
from reports.rules.packs import packs
from reports.site_stacks import Stack
from tests.reports.emitted import STACK1, at

DAY = date(2026, 10, 5)
SCALE = {"full_scale": "100"}
STACK = Stack.model_validate(
    {
        "id": "DA001",
        "name": {"zh": "一系列", "en": "line 1"},
        "equipment": STACK1,
        "industry": "electrolytic_aluminium",
        "area_m2": "12.5",
        "wet": True,
        "limits": [
            {"pollutant": "so2", "hour_mg_m3": "35", "from": "2020-01-01", "source": "permit"}
        ],
    },
    strict=False,
)


def test_drift_by_hand() -> None:
    """(0.6 - 0)/100 = 0.6 %; (83 - 80)/100 = 3 %: above 2.5, not above the control limit of 10."""
    facts = SCALE | {"zero_before": "0.6", "span_before": "83", "span_reference": "80"}
    facts |= {"span_after": "80.1", "zero_after": "0"}
    shown = judge_check(facts, ("so2",), packs(), DAY)
    assert not shown.problems
    assert shown.facts["zero_drift"] == "0.60"
    assert shown.facts["span_drift"] == "3.00"
    assert (shown.facts["result"], shown.facts["out_of_control"]) == ("fail", "no")
    assert shown.facts["after"] == "pass"
    assert "cn_hj75.span_drift_gas@2018-03-01 (unverified)" in shown.facts["limit_source"]


@pytest.mark.parametrize(
    ("zero", "result", "control"),
    [("2.5", "pass", "no"), ("-2.51", "fail", "no"), ("5", "fail", "no"), ("5.01", "fail", "yes")],
)
def test_drift_at_its_limits(zero: str, result: str, control: str) -> None:
    shown = judge_check(SCALE | {"zero_before": zero}, ("so2",), packs(), DAY)
    assert (shown.facts["result"], shown.facts["out_of_control"]) == (result, control)


def test_what_a_check_lacks() -> None:
    readings = {"zero_before": "1", "span_before": "81"}
    problems = judge_check(readings, (), packs(), DAY).problems
    assert len(problems) == 3  # of what, full scale, span reference
    [problem] = judge_check(SCALE | {"zero_before": "1"}, ("humidity",), packs(), DAY).problems
    assert "no drift limit" in problem or "没有该参数的漂移限值" in problem
    typed = SCALE | {"zero_before": "1", "zero_limit": "0.5"}
    [problem] = judge_check(typed, ("humidity",), packs(), DAY).problems
    assert "source" in problem or "出处" in problem
    typed |= {"limit_source": "说明书第 12 页"}
    assert judge_check(typed, ("humidity",), packs(), DAY).facts["result"] == "fail"
    assert judge_check({"result": "pass"}, (), packs(), DAY).problems
    beyond = SCALE | {"span_before": "81", "span_reference": "180"}
    assert judge_check(beyond, ("so2",), packs(), DAY).problems  # a reference beyond full scale


PAIRS = "100/98; 102/101; 98/99; 101/99; 99/98; 100/99"


def test_relative_accuracy_by_hand() -> None:
    """
    d = 2, 1, -1, 2, 1, 1: mean 1, sum of squares about it 6, Sd = sqrt(6/5) = 1.0954,
    CC = 2.571·1.0954/sqrt(6) = 1.1498, RA = (1 + 1.1498)/100 = 2.1498 %; RE = -1 %. 100 mg/m3 SO2
    is 34.97 ppm (2.8598 mg/m3 each), between 20 and 50: the relative error counts, at most 30 %.
    """
    shown = judge_verification({"pairs": PAIRS}, ("so2",), packs(), DAY)
    assert not shown.problems
    assert shown.facts["mean_reference"] == "100"
    assert shown.facts["mean_cems"] == "99"
    assert shown.facts["relative_accuracy"] == "2.1498"
    assert (shown.facts["measure"], shown.facts["limit"]) == ("re", "30")
    assert shown.facts["result"] == "pass"


@pytest.mark.parametrize(
    ("pollutant", "value", "measure", "limit"),
    [
        ("so2", "715", "ra", "15"),  # 250.01 ppm
        ("so2", "714", "error", "57.1964"),  # 20 ppm · 2.85982
        ("so2", "143", "error", "57.1964"),  # 50.003 ppm
        ("so2", "142", "re", "30"),
        ("so2", "57", "error", "17.1589"),  # 19.93 ppm: 6 ppm
        ("pm", "200", "re", "20"),
        ("pm", "201", "re", "15"),
        ("pm", "20", "error", "6"),
        ("pm", "10", "error", "5"),
        ("o2", "5", "error", "1"),
        ("o2", "5.1", "ra", "15"),
        ("velocity", "10", "re", "12"),
        ("humidity", "5.1", "re", "25"),
        ("temperature", "120", "error", "3"),
    ],
)
def test_the_class_of_accuracy(pollutant: str, value: str, measure: str, limit: str) -> None:
    shown = judge_verification(
        {"pairs": "; ".join([f"{value}/{value}"] * 6)}, (pollutant,), packs(), DAY
    )
    assert not shown.problems
    assert shown.facts["measure"] == measure
    assert Decimal(shown.facts["limit"]).quantize(Decimal("0.0001")) == Decimal(limit).quantize(
        Decimal("0.0001")
    )
    assert shown.facts["result"] == "pass"


def test_a_verification_that_cannot_be_judged() -> None:
    five = {"pairs": "; ".join(["10/10"] * 5)}
    assert judge_verification(five, ("so2",), packs(), DAY).problems  # six are asked
    six = {"pairs": "; ".join(["1/1.1"] * 6)}
    assert judge_verification(six, ("fluoride",), packs(), DAY).problems  # no class without ppm
    assert judge_verification(six | {"limit": "15"}, ("fluoride",), packs(), DAY).problems
    told = {"limit": "15", "limit_source": "HJ 1321 表 3"}
    shown = judge_verification(six | told, ("fluoride",), packs(), DAY)
    assert (shown.facts["result"], shown.facts["relative_accuracy"]) == ("pass", "10")


def record(what: str, start: str, *, kind: Kind = "check", **facts: str) -> Record:
    return Record(
        kind=kind,
        what=what,
        equipment=STACK1,
        start_ns=at(start),
        end_ns=at(start) + 40 * 60 * 10**9,
        pollutants=("so2",),
        facts=facts,
        reason="例行",
        author="王敏",
        at=datetime(2026, 11, 20, tzinfo=UTC),
        evidence=(Evidence(kind="document", sha256="0" * 64, name="a.pdf"),),
    )


def good(start: str, what: str = "calibration") -> Record:
    return record(what, start, result="pass", out_of_control="no")


def lost(start: str, after: str = "") -> Record:
    """It read well afterwards, or not, or nobody looked ("")."""
    return record("calibration", start, result="fail", out_of_control="yes", after=after)


def out(records: Sequence[Record], period: str = "2026-10") -> list[tuple[int, int]]:
    found: list[Interval] = out_of_control(
        Journal().added(records), STACK, packs(), Period.parse(period)
    )
    assert all(each.pollutants == ("so2",) for each in found)
    assert all(each.why.zh and each.why.en for each in found)
    return [(each.start_ns, each.end_ns) for each in found]


def test_a_failed_check_reaches_from_the_last_good_one_to_the_next() -> None:
    records = [good("2026-10-01T08:00"), lost("2026-10-05T08:00"), good("2026-10-06T08:00")]
    assert out(records, "2026-10-05_2026-10-06") == [
        (at("2026-10-05T00:00"), at("2026-10-06T08:40"))
    ]
    assert out([*records, good("2026-10-12T08:00")], "2026-10-01_2026-10-12") == [
        (at("2026-10-01T08:40"), at("2026-10-06T08:40"))
    ]


def test_adjusting_ends_it_and_a_drift_within_control_begins_none() -> None:
    records = [good("2026-10-01T08:00"), lost("2026-10-05T08:00", "pass"), good("2026-10-07T08:00")]
    assert out(records, "2026-10-01_2026-10-07") == [
        (at("2026-10-01T08:40"), at("2026-10-05T08:40"))
    ]
    adjusted = record("calibration", "2026-10-05T08:00", result="fail", out_of_control="no")
    assert out([records[0], adjusted, records[2]], "2026-10-01_2026-10-07") == []


def test_a_failed_verification_is_made_good_by_a_verification_only() -> None:
    bad = record("verification", "2026-10-05T08:00", kind="verification", result="fail")
    better = record("verification", "2026-10-07T08:00", kind="verification", result="pass")
    records = [good("2026-10-04T08:00"), bad, good("2026-10-06T08:00"), better]
    assert out(records, "2026-10-01_2026-10-08") == [
        (at("2026-10-04T08:40"), at("2026-10-07T08:40"))
    ]


def test_overdue_begins_the_day_after_the_seventh() -> None:
    """Gas: 7 days by the pack. Good on the 1st: due on the 8th, overdue from the 9th 00:00."""
    late = [good("2026-10-01T08:00"), good("2026-10-10T08:00")]
    assert out(late, "2026-10-01_2026-10-11") == [(at("2026-10-09T00:00"), at("2026-10-10T08:00"))]
    assert out([late[0], good("2026-10-08T23:00")], "2026-10-01_2026-10-11") == []
    assert out([], "2026-10") == []  # nothing was ever recorded: nothing is known


def test_nothing_reaches_out_of_the_period() -> None:
    records = [good("2026-09-28T08:00"), lost("2026-10-02T08:00")]
    found = out(records)
    assert found[0] == (Period.parse("2026-10").start_ns, Period.parse("2026-10").end_ns)
    assert all(end <= Period.parse("2026-10").end_ns for _, end in found)


def due(records: Sequence[Record], today: str) -> dict[str, Due]:
    found = checks_due(Journal().added(records), STACK, packs(), date.fromisoformat(today))
    return {each.id: each for each in found}


def test_what_is_due_when() -> None:
    records = [
        good("2026-10-01T08:00"),
        good("2026-10-02T09:00", "full_path"),
        good("2026-10-03T02:00", "calibration_auto"),
        record("verification", "2026-06-30T08:00", kind="verification", result="pass"),
    ]
    found = due(records, "2026-10-04")
    assert found["calibration"].due == date(2026, 10, 10)  # the automatic one counts: + 7 d
    assert found["calibration_auto"].due == date(2026, 10, 4)
    assert found["full_path"].due == date(2027, 1, 2)
    assert found["verification"].due == date(2026, 9, 30)  # 3 months: no automatic ones in June
    assert found["verification"].overdue(date(2026, 10, 4))
    assert found["verification"].confirmed == "unverified"
    assert found["audit-2026Q3"].due == date(2026, 10, 7)  # Thursday the 1st to Wednesday the 7th
    assert found["audit-2026Q3"].overdue(date(2026, 10, 8))
    assert not found["audit-2026Q3"].overdue(date(2026, 10, 7))


def test_an_audit_is_done_when_its_document_is_there() -> None:
    done = record(
        "document", "2026-10-05T00:00", kind="document", serves="x audit-2026Q3", title="审核"
    )
    assert "audit-2026Q3" not in due([done], "2026-10-08")
    assert "audit-2026Q3" not in due([done.model_copy(update={"equipment": ""})], "2026-10-08")
    other = done.model_copy(update={"equipment": "gtc9/stack9"})
    assert "audit-2026Q3" in due([other], "2026-10-08")
    assert due([], "2026-10-08")["calibration"].due is None  # never recorded: overdue
    assert due([], "2026-10-08")["calibration"].overdue(date(2026, 10, 8))


def test_a_bottle_that_expires_is_shown() -> None:
    used = record(
        "calibration", "2026-10-01T08:00", result="pass", gas_bottle="B-7", gas_expiry="2026-10-31"
    )
    assert due([used], "2026-10-01")["gas_bottle"].due == date(2026, 10, 31)
    assert "gas_bottle" not in due([used], "2026-09-30")


def test_months_and_working_days() -> None:
    assert months_later(date(2026, 11, 30), 3) == date(2027, 2, 28)
    assert months_later(date(2026, 1, 1), -3) == date(2025, 10, 1)
    assert working_day(date(2026, 8, 1), 1) == date(2026, 8, 3)  # the 1st is a Saturday
