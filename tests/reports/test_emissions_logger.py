"""Against the data logger: what it owed and sent, its hours beside ours; withdrawn marks."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from reports.chapters import Table
from reports.emissions.report import emissions
from reports.emissions.states import HOUR_NS
from reports.journal.journal import Journal, change_journal
from reports.journal.record import Record
from reports.model import Content
from reports.values import Text
from tests.reports.emitted import MINUTE_NS, STACK1, Smoke, at, window

DRY = 24.0  # what the stack shows and the logger says, mg/m3


def tables(content: Content) -> Iterator[Table]:
    for chapter in content.chapters:
        yield from (block for block in chapter.blocks if isinstance(block, Table))


def rows(content: Content, name: str) -> list[list[object]]:
    (table,) = [table for table in tables(content) if table.id == name]
    return [[cell.en if isinstance(cell, Text) else cell for cell in row] for row in table.rows]


@pytest.fixture
def smoke(tmp_path: Path) -> Smoke:
    """
    A day of minutes at 24 mg/m3, and a logger that says so in minutes and hours.

    Hours: those of 3:00 and 4:00 never came, that of 5:00 is flagged, that of 6:00 says 24.5, that
    of 7:00 says 24.005. Minutes: 8:00 to 8:29 never came, 9:00 to 9:14 are flagged. From 22:00 on
    the source stands, by a mark, and the logger sends nothing.
    """
    made = Smoke(tmp_path)
    made.minutes(STACK1, "2026-10-05T00:00", 22 * 60, {"stack.so2_dry": DRY})
    made.minutes(STACK1, "2026-10-05T00:00", 22 * 60, {"stack.flow_standard": 90_000.0})
    begin_ns = at("2026-10-05T00:00")
    for hour in range(22):
        value = {6: 24.5, 7: 24.005}.get(hour, DRY)
        said = (value, 0.0, "device_fault") if hour == 5 else value
        if hour not in {3, 4}:
            ns = begin_ns + hour * HOUR_NS
            made.lines.append((ns, window(STACK1, ns, {"cems.so2": said}, "1h")))
    for minute in range(22 * 60):
        if not 8 * 60 <= minute < 8 * 60 + 30:
            said = (DRY, 0.0, "calibration") if 9 * 60 <= minute < 9 * 60 + 15 else DRY
            ns = begin_ns + minute * MINUTE_NS
            made.lines.append((ns, window(STACK1, ns, {"cems.so2": said})))
    made.mark("stopped", "2026-10-05T22:00", "2026-10-06T00:00")
    made.build()
    return made


def made_of(smoke: Smoke) -> Content:
    for basis in smoke.basis("2026-10-05"):
        return emissions(basis)
    raise AssertionError


def test_what_was_due_came_and_was_valid(smoke: Smoke) -> None:
    """
    22 hours ran. Hours: 20 came (20/22 = 90.91 %), 19 valid (19/20 = 95 %): 19/22 = 86.36 %.
    Minutes: 1,320 due, 1,290 came (97.73 %), 1,275 valid (98.84 %): 1275/1320 = 96.59 %.
    """
    content = made_of(smoke)
    found = rows(content, "transmission-DA001")
    hours = [Decimal(n) for n in ("22", "20", "19", "90.91", "95.00", "86.36")]
    minutes = [Decimal(n) for n in ("1320", "1290", "1275", "97.73", "98.84", "96.59")]
    assert found == [
        ["hours", "sulphur dioxide", *hours],
        ["hours", "any pollutant", *hours],
        ["minutes", "sulphur dioxide", *minutes],
        ["minutes", "any pollutant", *minutes],
    ]
    lines = {line.id: line for line in content.lines}
    assert lines["DA001.transmission"].value == Decimal("0.909091")
    assert lines["DA001.effective_transmission"].value == Decimal("0.863636")
    assert "22" in lines["DA001.effective_transmission"].notes[0].zh


def test_our_hours_beside_those_of_the_logger(smoke: Smoke) -> None:
    """Minutes of the logger with the same start do not hide its hours; a flagged hour is none."""
    content = made_of(smoke)
    ((name, *counts),) = rows(content, "logger-DA001")
    assert name == "sulphur dioxide"
    assert counts == [Decimal(19), Decimal(19), Decimal(18), Decimal("0.500")]
    (worst,) = rows(content, "logger-worst-DA001")
    assert worst[1:] == [
        "2026-10-05 06:00",
        Decimal("24.000"),
        Decimal("24.500"),
        Decimal("-0.500"),
    ]


def test_hours_that_are_not_valid_with_us_are_not_compared(smoke: Smoke) -> None:
    smoke.mark("fault", "2026-10-05T06:00", "2026-10-05T07:00")
    ((_, *counts),) = rows(made_of(smoke), "logger-DA001")
    assert counts == [Decimal(19), Decimal(18), Decimal(18), Decimal("0.005")]


def test_without_a_logger_nothing_is_said(tmp_path: Path) -> None:
    smoke = Smoke(tmp_path)
    smoke.minutes(STACK1, "2026-10-05T00:00", 60, {"stack.so2_dry": DRY})
    smoke.build()
    content = made_of(smoke)
    assert not [x.id for x in tables(content) if x.id.startswith(("transmission", "logger"))]
    assert "DA001.transmission" not in {line.id for line in content.lines}


def test_a_withdrawn_mark_counts_for_nothing_and_is_listed(smoke: Smoke) -> None:
    smoke.mark("fault", "2026-10-05T06:00", "2026-10-05T07:00", pollutants=("so2",))

    def taken_back(journal: Journal) -> list[Record]:
        mark = journal.all[-1]
        told = {"author": "赵工", "reason": "设备未发生故障", "withdraws": mark.number}
        at = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
        return [Record.model_validate(mark.model_dump() | told | {"at": at, "evidence": ()})]

    before = made_of(smoke)
    change_journal(smoke.root / "journal.jsonl", taken_back)
    after = made_of(smoke)
    (row,) = rows(after, "withdrawn-DA001")
    assert row == [
        *("#2", "fault", "2026-10-05 06:00", "2026-10-05 07:00", "sulphur dioxide"),
        *("王敏: 例行工作", "#3", "2026-11-21 12:00", "赵工: 设备未发生故障"),
    ]
    assert not [x for x in tables(before) if x.id == "withdrawn-DA001"]
    valid = [{x.id: x.value for x in c.lines}["DA001.so2_valid_hours"] for c in (before, after)]
    assert valid == [21, 22]
