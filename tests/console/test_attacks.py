"""What somebody hostile tries at the console and what its files are read with; each once got in."""

import asyncio
import threading
import urllib.error
import zipfile
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from fastapi import Request
from openpyxl import Workbook

from drivers.audit import AuditTrail
from drivers.model import ConfigError
from reports.acts import trail_of
from reports.console.api.potlines_tables import csv_answer
from reports.console.desk import ASKING, EACH_MOST, NOBODY_MOST, BusyError, Desk
from reports.console.doors import login, passwords
from reports.console.doors.acts import REFUSALS_HOUR, Acts
from reports.console.doors.forms import from_elsewhere
from reports.console.doors.limits import NOBODY_BYTES
from reports.console.doors.roles import Right
from reports.console.doors.store import Store
from reports.console.doors.tokens import Tokens
from reports.console.doors.tries import FREE, Tries
from reports.console.figures.archive import _why_not
from reports.console.live import Live
from reports.console.office import Office
from reports.console.pages.live import MOST_OF_ONE
from reports.entries.sheets import read_sheets
from reports.periods import Period
from tests.console.doors_people import somebody
from tests.console.served import Served

FAR = "XFD1048576"  # the last cell that a workbook may have


def workbook(path: Path, **cells: str) -> Path:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for at, text in {"A1": "kind", **cells}.items():
        sheet[at] = text
    book.save(path)
    return path


def test_a_workbook_of_one_far_cell_takes_no_memory(tmp_path: Path) -> None:
    """Five kilobytes that would be 17 thousand million cells."""
    with pytest.raises(ConfigError, match="17,179,869,184"):
        read_sheets(workbook(tmp_path / "far.xlsx", **{FAR: "x"}))


def test_a_workbook_merged_from_end_to_end_takes_no_memory(tmp_path: Path) -> None:
    plain, merged = workbook(tmp_path / "plain.xlsx"), tmp_path / "merged.xlsx"
    more = f'</sheetData><mergeCells count="1"><mergeCell ref="A1:{FAR}"/></mergeCells>'
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(merged, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b"</sheetData>", more.encode()))
    with pytest.raises(ConfigError, match="17,179,869,184"):
        read_sheets(merged)


def test_a_table_of_commas_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "lines.csv"
    path.write_bytes((b"," * 99 + b"\n") * 10_001)
    with pytest.raises(ConfigError, match="1,000,100"):
        read_sheets(path)


def test_figures_of_other_scripts_are_no_period(console: Served) -> None:
    """``\\d`` takes them; as part of a header or of a file's name they are a fault."""
    for text in ("２０２６-10", "٢٠٢٦-١٠", "2026-1０-05", "２０２６-10-05_2026-11-05"):
        with pytest.raises(ValueError, match="2026-10-05"):
            Period.parse(text)
    client = console.client("officer")
    for text in ("２０２６-10", "٢٠٢٦-١٠"):
        assert client.get(f"/carbon/{text}").status_code == 404
        answer = client.post(f"/carbon/{text}/drop", data={"staged": "0" * 16})
        assert answer.status_code == 404


async def test_a_hundred_guesses_at_once_are_no_more_than_five(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All asked before the first was counted; what waits is asked again before it is tried."""
    store, tried = Store(tmp_path), []
    somebody(store, "target")

    def right(_: str, word: str) -> bool:
        tried.append(word)
        return False

    monkeypatch.setattr(passwords, "right", right)
    acts = Acts(AuditTrail(tmp_path / "audit"))

    async def guess(word: str) -> float:
        said = await login.check(store, Tries(store), acts, "target", word, "192.0.2.1")
        assert said.user is None
        return said.wait_s

    waits = await asyncio.gather(*(guess(f"guess {n}") for n in range(100)))
    assert len(tried) <= FREE["account"] + 1  # two are tried at a time
    assert sum(wait > 0 for wait in waits) >= 94


def test_behind_a_proxy_one_address_is_everybody(tmp_path: Path) -> None:
    tries = Tries(Store(tmp_path), by_address=False)
    for n in range(3 * FREE["address"]):
        tries.failed(f"name {n}", "127.0.0.1")
    assert tries.wait_s("somebody else", "127.0.0.1") == 0
    for _ in range(FREE["account"]):
        tries.failed("target", "127.0.0.1")
    assert tries.wait_s("target", "127.0.0.1") > 0


def test_a_stranger_sends_a_name_and_a_password_and_no_files(console: Served) -> None:
    files = {"file": ("a.pdf", b"x" * (2 * NOBODY_BYTES))}
    answer = console.nobody().post("/login", data={"name": "a", "password": "b"}, files=files)
    assert answer.status_code == 413


async def test_one_visitor_does_not_take_all_places(tmp_path: Path) -> None:
    """Nobody answers: no lane runs. The places of one are full, those of others are not."""
    desk = Desk(tmp_path / "site.toml")
    waiting: list[asyncio.Task[Any]] = []

    async def ask(who: str | None) -> None:
        ASKING.set(who)
        waiting.append(asyncio.create_task(desk.ask("figures.today:carbon")))
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    for who, most in (("viewer", EACH_MOST["quick"]), ("", NOBODY_MOST)):
        for _ in range(most + 1):
            await ask(who)
        assert isinstance(waiting[-1].exception(), BusyError)
        assert not any(each.done() for each in waiting[-1 - most : -1])
    others: tuple[str | None, ...] = ("officer", None)
    for other in others:
        await ask(other)
        assert not waiting[-1].done()
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    await ask("viewer")  # who went away left his places
    assert not waiting[-1].done()
    waiting[-1].cancel()


def test_a_kept_basic_token_is_of_no_use_to_another_sites_page(console: Served) -> None:
    """A browser sends what it keeps for Basic with any form, wherever the form stands."""
    store = Store(Office(console.site_file).data)
    user = store.user("viewer")
    assert user
    token, secret = Tokens(store).make(user, "table", [Right.SEE], 1)
    basic = httpx.BasicAuth("token", secret)
    address = f"{console.url}/api/v1/tokens/{token.id}"
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": console.url, "Sec-Fetch-Site": "same-site"},
    ):
        answer = httpx.delete(address, auth=basic, headers=headers, trust_env=False)
        assert answer.status_code == 403, headers
        assert Tokens(store).of(secret, "") is not None
    assert httpx.delete(address, auth=basic, trust_env=False).is_success  # a program
    assert Tokens(store).of(secret, "") is None
    store.close()


def test_the_same_name_without_tls_is_another_place() -> None:
    def sent(origin: str) -> Request:
        pairs = [(b"origin", origin.encode()), (b"host", b"plant.example")]
        return Request({"type": "http", "method": "POST", "headers": pairs})

    assert from_elsewhere(sent("http://plant.example"), secure=True)
    assert not from_elsewhere(sent("https://plant.example"), secure=True)


def test_one_account_does_not_take_all_live_streams(console: Served) -> None:
    clients = [console.client("engineer", fresh=True) for _ in range(2)]
    with ExitStack() as opened:
        for n in range(MOST_OF_ONE):
            stream = opened.enter_context(clients[n % 2].stream("GET", "/live"))
            assert stream.status_code == 200
        assert clients[0].get("/live").status_code == 503
        assert clients[1].get("/live").status_code == 503
        other = console.client("viewer").stream("GET", "/live")
        assert opened.enter_context(other).status_code == 200


def test_one_person_with_two_accounts_neither_prepares_and_checks() -> None:
    report = cast("Any", SimpleNamespace(content_sha256="a"))
    done = [{"role": "prepared", "person": "Wang Min (Office)"}]
    for name in ("wang min", "Min Wang", "Wang-Min", "Wang Min （环保部）"):
        assert _why_not(report, "checked", "a", done, name), name
    assert not _why_not(report, "checked", "a", done, "李强")


def test_no_cell_of_a_table_is_a_formula_or_ends_its_field() -> None:
    text = bytes(csv_answer("a.csv", ["a"], [['=1+"1"', "@x", 'a"b']]).body).decode("utf-8-sig")
    assert text.splitlines()[1] == """"'=1+""1\""",'@x,"a""b\""""


def test_who_tries_more_than_his_roles_allow_is_told_of(console: Served) -> None:
    """By page and by API, with person and place; somebody who only looks is not."""
    client = console.client("viewer")
    for path in ("/reports/make", "/api/v1/lodgings"):
        assert client.post(path, json={}).status_code == 403
    assert client.get("/settings/users").status_code == 403
    trail = trail_of(Office(console.site_file).site).read()
    found = [each.act for each in trail if each.act.what == "act.refused"]
    seen = {(each.target, each.who, each.result) for each in found}
    assert ("POST /reports/make", "赵云", "refused") in seen
    assert ("POST /api/v1/lodgings", "赵云", "refused") in seen
    assert not any(each.target.startswith("GET") for each in found)


def test_nobody_fills_the_trail_by_trying(tmp_path: Path) -> None:
    acts = Acts(AuditTrail(tmp_path / "audit"))
    assert sum(acts.is_news("viewer") for _ in range(10 * REFUSALS_HOUR)) == REFUSALS_HOUR
    assert acts.is_news("officer")


def test_a_historian_that_leads_elsewhere_is_not_followed() -> None:
    asked: list[str] = []

    class Elsewhere(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(302)
            self.send_header("Location", "/secret")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            with pytest.raises(urllib.error.HTTPError, match="302"):
                Live(f"http://127.0.0.1:{server.server_port}")._fetch()
        finally:
            server.shutdown()
    assert [each.partition("?")[0] for each in asked] == ["/latest"]
