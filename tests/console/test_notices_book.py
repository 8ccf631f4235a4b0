"""What is worth telling, and the book of who was told what: once, grouped, in order, kept."""

from datetime import time as clock
from pathlib import Path
from typing import Any

import pytest

from reports.console.notices import matters
from reports.console.notices.book import LONGEST_PAUSE_S, MOST_WAITING, Book
from reports.console.notices.matters import Matter
from reports.console.notices.words import Letter, letter
from tests.console.test_notices import DUE, EXCEEDED, PLANT, hook

DAY_S = 86_400.0


# --- the book: once, grouped, in order, kept


def offered(book: Book, *found: Matter, now_s: float = 0.0) -> None:
    book.offer("duty", found, now_s)


def test_told_once_also_after_a_restart(tmp_path: Path) -> None:
    book = Book(tmp_path / "notices.json")
    offered(book, EXCEEDED, DUE)
    offered(book, EXCEEDED, DUE)
    message = book.due("duty", 1.0, hourly=9, quiet=False)
    assert message is not None
    assert message.matters == [EXCEEDED, DUE]  # one message for both
    book.save()
    again = Book(tmp_path / "notices.json")  # it was not taken: nothing is lost
    kept = again.due("duty", 2.0, hourly=9, quiet=False)
    assert kept == message
    again.taken("duty", 3.0, "title")
    again.save()
    third = Book(tmp_path / "notices.json")  # it was taken: nothing is repeated
    offered(third, EXCEEDED, DUE)
    assert third.due("duty", 4.0, hourly=9, quiet=False) is None
    assert [each["title"] for each in third.page("duty").sent] == ["title"]


def test_failures_come_later_each_time_and_group_what_happens_meanwhile(tmp_path: Path) -> None:
    book = Book(tmp_path / "n.json")
    offered(book, EXCEEDED)
    waits, now_s = [], 0.0
    for _ in range(10):
        assert book.due("duty", now_s, hourly=9, quiet=False) is not None
        book.failed("duty", now_s, "no answer")
        sending = book.page("duty").sending
        assert sending is not None
        waits.append(sending.next_s - now_s)
        assert book.due("duty", sending.next_s - 1, hourly=9, quiet=False) is None
        now_s = sending.next_s
    assert waits[:4] == [30, 60, 120, 240]
    assert waits[-1] == LONGEST_PAUSE_S
    offered(book, DUE)
    assert book.page("duty").waiting == [DUE]
    book.taken("duty", now_s, "t")
    after = book.due("duty", now_s, hourly=9, quiet=False)
    assert after is not None
    assert after.matters == [DUE]


def test_so_many_messages_an_hour(tmp_path: Path) -> None:
    book = Book(tmp_path / "n.json")
    for number in range(5):
        offered(book, Matter("lost", f"k{number}", "x", "x"))
        if book.due("duty", number * 60.0, hourly=2, quiet=False) is not None:
            book.taken("duty", number * 60.0, "t")
    assert len(book.page("duty").sent) == 2
    assert len(book.page("duty").waiting) == 3
    later = book.due("duty", 3601.0 + 60, hourly=2, quiet=False)  # the hour is over: all in one
    assert later is not None
    assert len(later.matters) == 3


def test_quiet_hours_hold_back_all_but_exceedances(tmp_path: Path) -> None:
    book = Book(tmp_path / "n.json")
    offered(book, DUE, EXCEEDED)
    night = book.due("duty", 0.0, hourly=9, quiet=True)
    assert night is not None
    assert night.matters == [EXCEEDED]
    book.taken("duty", 0.0, "t")
    assert book.due("duty", 1.0, hourly=9, quiet=True) is None
    day = book.due("duty", 2.0, hourly=9, quiet=False)
    assert day is not None
    assert day.matters == [DUE]


@pytest.mark.parametrize(
    ("first", "last", "at", "quiet"),
    [
        ("22:00", "07:00", "21:59", False),
        ("22:00", "07:00", "22:00", True),
        ("22:00", "07:00", "00:00", True),
        ("22:00", "07:00", "06:59", True),
        ("22:00", "07:00", "07:00", False),
        ("12:00", "13:00", "12:30", True),
        ("12:00", "13:00", "13:00", False),
        ("12:00", "12:00", "12:00", False),
    ],
)
def test_quiet_hours_across_midnight(first: str, last: str, at: str, quiet: bool) -> None:
    to = hook("http://127.0.0.1/", quiet_from=first, quiet_to=last)
    assert to.is_quiet(clock.fromisoformat(at)) is quiet


def test_a_gateway_that_comes_back_is_told_and_may_be_lost_again(tmp_path: Path) -> None:
    book = Book(tmp_path / "n.json")
    lost = Matter("lost", "gateway/gw1", "网关 gw1 离线", "gw1 off line", lasting=True)
    offered(book, lost)
    assert book.due("duty", 0.0, hourly=9, quiet=False) is not None
    book.taken("duty", 0.0, "t")
    book.settle("duty", "lost", set(), 60.0)
    back = book.due("duty", 60.0, hourly=9, quiet=False)
    assert back is not None
    assert [each.zh for each in back.matters] == ["已恢复：网关 gw1 离线"]
    book.taken("duty", 60.0, "t")
    offered(book, lost, now_s=120.0)
    assert book.due("duty", 120.0, hourly=9, quiet=False) is not None


def test_a_short_loss_that_nobody_was_told_of_is_no_news(tmp_path: Path) -> None:
    book = Book(tmp_path / "n.json")
    offered(book, Matter("lost", "gateway/gw1", "x", "x", lasting=True))
    book.settle("duty", "lost", set(), 60.0)  # it waited, for quiet hours perhaps
    assert book.due("duty", 61.0, hourly=9, quiet=False) is None


def test_a_flood_is_bounded_and_says_so(tmp_path: Path) -> None:
    book = Book(tmp_path / "n.json")
    offered(book, *(Matter("lost", f"k{n}", f"设备 {n}", f"device {n}") for n in range(700)))
    message = book.due("duty", 0.0, hourly=9, quiet=False)
    assert message is not None
    assert (len(message.matters), message.left_out) == (MOST_WAITING, 200)
    text = letter(message, hook("http://127.0.0.1/"), PLANT, "").text
    assert "另有 200 项" in text


def test_a_book_that_cannot_be_read_says_so_and_begins_anew(tmp_path: Path) -> None:
    (tmp_path / "n.json").write_text('{"duty": 3}')
    assert Book(tmp_path / "n.json").trouble


# --- what is worth telling


def duty(left: int | None, state: str = "open", identity: str = "lodge") -> dict[str, Any]:
    texts = {"zh": "2026-10 月度存证", "en": "lodge 2026-10"}
    return {"id": identity, "period": "2026-10", "text": texts, "due": "2026-12-31", "left": left,
            "state": state, "note": None}  # fmt: skip


@pytest.mark.parametrize(
    ("left", "state", "step"),
    [
        (31, "open", None),
        (30, "open", "left-30"),
        (15, "open", "left-30"),
        (14, "open", "left-14"),
        (1, "open", "left-1"),
        (0, "open", "left-0"),
        (-1, "overdue", "overdue-0"),
        (-7, "overdue", "overdue-1"),
        (None, "overdue", "missing"),
        (None, "open", None),
        (3, "done", None),
        (3, "event", None),
    ],
)
def test_a_duty_is_told_at_each_step(left: int | None, state: str, step: str | None) -> None:
    found = list(matters.of_duties([duty(left, state)], hook("http://127.0.0.1/")))
    assert [each.key for each in found] == ([] if step is None else [f"lodge/2026-10/{step}"])


def test_certificates_are_a_topic_of_their_own() -> None:
    (found,) = matters.of_duties([duty(5, "open", "certificate")], hook("http://127.0.0.1/"))
    assert found.topic == "certificates"
    assert "还剩 5 天" in found.zh
    assert "5 days left" in found.en


def event(kind: str, ago_s: float, now_s: float, end: bool = False) -> dict[str, Any]:
    start = int((now_s - ago_s) * 1000)
    text = "二氧化硫 小时均值 41 mg/m3 | so2: hourly mean 41 mg/m3"
    return {"id": f"{kind}-1", "kind": kind, "equipment": "gtc1/stack1", "start_ms": start,
            "end_ms": start + 1 if end else None, "text": text, "gateway": "gw1"}  # fmt: skip


def test_events_are_told_while_they_are_news() -> None:
    now_s = 1_790_000_000.0

    def topics(*events: dict[str, Any]) -> list[str]:
        return [each.topic for each in matters.of_events(events, now_s)]

    assert topics(event("exceedance", 3600, now_s, end=True)) == ["exceedances"]
    assert topics(event("exceedance", DAY_S + 1, now_s, end=True)) == []
    assert topics(event("exceedance_warning", 60, now_s)) == ["warnings"]
    assert topics(event("exceedance_warning", 60, now_s, end=True)) == []
    assert topics(event("device_lost", 60, now_s)) == []  # for a moment only, as yet
    assert topics(event("device_lost", 121, now_s)) == ["lost"]
    assert topics(event("device_lost", 121, now_s, end=True)) == []
    assert topics(event("gap", 60, now_s)) == []
    (made,) = matters.of_events([event("exceedance", 60, now_s, end=True)], now_s)
    assert "so2" not in made.zh
    assert "二氧化硫" not in made.en


def test_gateways_and_the_historian_itself() -> None:
    now_s = 1_790_000_000.0
    gateways: list[dict[str, Any]] = [
        {"name": "gw1", "online": False, "since_ms": (now_s - 200) * 1000},
        {"name": "gw2", "online": False, "since_ms": (now_s - 20) * 1000},
        {"name": "gw3", "online": True, "since_ms": (now_s - 2000) * 1000},
        {"name": "gw4", "online": None, "since_ms": None},
    ]

    def keys(reachable: bool, since_s: float | None) -> list[str]:
        found = matters.of_gateways(
            gateways, reachable=reachable, since_s=since_s, now_s=now_s, historian="h"
        )
        return [each.key for each in found]

    assert keys(True, now_s) == ["gateway/gw1"]
    assert keys(False, now_s - 100) == []
    assert keys(False, now_s - 301) == ["historian"]
    assert keys(False, None) == []


def test_a_missing_backup() -> None:
    now_s = 1_790_000_000.0
    assert [m.key for m in matters.of_backup(None, 8, now_s)] == ["backup/never"]
    assert list(matters.of_backup(now_s - 8 * DAY_S, 8, now_s)) == []
    assert "9" in next(matters.of_backup(now_s - 9 * DAY_S, 8, now_s)).zh


def test_words_in_both_languages(tmp_path: Path) -> None:
    book = Book(tmp_path / "n.json")
    offered(book, EXCEEDED, DUE)
    message = book.due("duty", 0.0, hourly=9, quiet=False)
    assert message is not None

    def made(lang: str) -> Letter:
        return letter(message, hook("http://127.0.0.1/", lang=lang), PLANT, "https://c.example")

    assert made("zh").title == "【示例铝业】超标 1 项、履约事项 1 项"
    assert made("en").title == "[Example Aluminium] exceedances: 1, duties: 1"
    assert "https://c.example" in made("zh").text
    assert EXCEEDED.zh in made("both").text
    assert EXCEEDED.en in made("both").text
