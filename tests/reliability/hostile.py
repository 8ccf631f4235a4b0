"""E7: whoever may reach the console's port and means it badly; meanwhile the plant is read."""

import contextlib
import re
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from reports.console import app
from reports.console.doors.roles import RIGHTS, Right, Role
from tests import servers
from tests.console.conftest import plant_folder
from tests.console.served import Served, people, serve
from tests.oracle.device import FakePlc
from tests.oracle.plant import Plant, wait
from tests.reliability.cases import Outcome, Setting, case
from tests.reports import plant as small

BIG = 100 << 20
OUTSIDE = (
    *("../site.toml", "%2e%2e/%2e%2e/etc/passwd", "..%2f..%2fsite.toml", "....//site.toml"),
    *("%2fetc%2fpasswd", "..\\..\\site.toml", "%c0%ae%c0%ae/site.toml", "x%00.css"),
)
NO_RIGHT, NO_FORM = "your role has no right", "the form is no longer valid"


@dataclass
class Found:
    """What was tried, how often, and what did not come out as specified."""

    tried: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def add(self, what: str, good: bool, told: object = "") -> None:
        self.tried[what] = self.tried.get(what, 0) + 1
        if not good and len(self.wrong) < 20:
            self.wrong.append(f"{what}: {told}")


@case(
    "E7",
    fault="hostile input at the console",
    procedure="a real `smelter serve` beside a gateway that polls 200 points each second: every "
    "role and nobody at every route and method; forms from elsewhere and without the session's "
    "word; guessing passwords; addresses that lead outside at every folder; bodies of 100 MB, told "
    "and untold; requests that are no HTTP; 150 connections from another address that send "
    "half a head, again and again until the time is up",
    mark="each cell of the matrix as specified; lock-out after at most 5 tries; no file outside; "
    "413 for each body; the server answers meanwhile and lives; 0 missed slots",
)
def console(setting: Setting) -> Outcome:
    seconds = setting.size(cut=20, full=180)
    found = Found()
    with _plant(setting.folder) as plc:
        office = setting.folder / "office"
        lake = setting.folder / "lake"
        lake.mkdir()
        small.build(lake)
        site_file = plant_folder(office, lake)
        people(site_file)
        served = serve(site_file)
        try:
            since = time.time_ns()
            with _half_heads(served, 150):
                _attack(served, found, seconds)
                found.add("alive", served.nobody().get("/alive").is_success)
            upto = time.time_ns()
            time.sleep(2)
            missed = _missed(plc, since, upto)
            found.add("process", served.process.poll() is None, served.process.returncode)
        finally:
            served.end()
    told = ", ".join(f"{count} {what}" for what, count in found.tried.items())
    slots = (upto - since) // 10**9
    return Outcome(
        passed=not found.wrong and not missed,
        figure=f"{told}; not as specified: {found.wrong or 0}; {missed} of {slots} slots missed",
    )


@contextlib.contextmanager
def _plant(folder: Path) -> Iterator[FakePlc]:
    broker = servers.mosquitto(folder).start()
    try:
        with FakePlc(points=200) as plc, Plant(folder, plc.port, broker.port, interval_s=1) as made:
            made.historian.start()
            made.agent.start()
            wait(made.drained, "batches in the historian", 120)
            yield plc
    finally:
        broker.end()


def _missed(plc: FakePlc, since: int, upto: int) -> int:
    """Seconds in which no reading was asked for."""
    asked = {round(at / 1e9) for at, _, _ in plc.served}
    return sum(second not in asked for second in range(since // 10**9 + 1, upto // 10**9))


def _attack(served: Served, found: Found, seconds: float) -> None:
    end = time.monotonic() + seconds
    _guess(served, found)
    _matrix(served, found)
    client, nobody = served.client("viewer", "en"), served.nobody()
    word = client.headers.pop("X-CSRF-Token")
    while True:
        _elsewhere(client, word, found)
        _outside(client, found)
        _big(served, found)
        _odd(served, found)
        alive = nobody.get("/alive")
        found.add("answers meanwhile", alive.is_success, alive.status_code)
        if time.monotonic() > end:
            return


def _guess(served: Served, found: Found) -> None:
    client = served.nobody("en")
    for number in range(1, 31):
        sent = {"name": "officer2", "password": f"guess-{number}-of-many"}
        answer = client.post("/login", data=sent)
        want = 401 if number < 5 else 429
        found.add("guesses", answer.status_code == want, f"{number}: {answer.status_code}")


def _matrix(served: Served, found: Found) -> None:
    """Acts lack the session's word: the right shows, nothing is done."""
    clients = {role: served.client(role, "en") for role in Role}
    nobody = served.nobody("en")
    for (method, path), asked in app.rights().items():
        address = re.sub(r"\{[^}]+\}", "x", path)
        if asked is None:
            continue
        answer = nobody.request(method, address)
        out = answer.status_code == 401 or answer.headers.get("location", "").startswith("/login?")
        found.add("cells", out, f"nobody {method} {path}: {answer.status_code}")
        for role, client in clients.items():
            may = Right(asked) in RIGHTS[role]
            if may and method == "GET":
                continue  # answers of their own tests
            answer = client.request(method, address, headers={"X-CSRF-Token": "0" * 64})
            good = answer.status_code == 403 and (NO_FORM if may else NO_RIGHT) in answer.text
            found.add("cells", good, f"{role} {method} {path}: {answer.status_code}")


def _elsewhere(client: httpx.Client, word: str, found: Found) -> None:
    url = str(client.base_url).rstrip("/")
    for headers in (
        {"Origin": "https://evil.example", "X-CSRF-Token": word},
        {"Sec-Fetch-Site": "cross-site", "X-CSRF-Token": word},
        {"Origin": url},
        {"Origin": url, "X-CSRF-Token": "0" * 64},
    ):
        answer = client.post("/account/sessions", data={"key": "x"}, headers=headers)
        found.add("forms from elsewhere", answer.status_code == 403, answer.status_code)


def _outside(client: httpx.Client, found: Found) -> None:
    for folder in ("/static/", "/api/v1/", "/evidence/", "/carbon/", "/help/", "/settings/"):
        for name in OUTSIDE:
            answer = client.get(folder + name)
            leaked = "root:x:" in answer.text or "originals =" in answer.text
            good = not leaked and answer.status_code in {303, 400, 401, 403, 404, 405, 422}
            found.add("ways outside", good, f"{folder}{name}: {answer.status_code}")


def _big(served: Served, found: Found) -> None:
    head = f"POST /login HTTP/1.1\r\nHost: {served.url[7:]}\r\nOrigin: {served.url}\r\n"
    head += "Content-Type: multipart/form-data; boundary=x\r\n"
    for more in (f"Content-Length: {BIG}\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n"):
        said = _sent(served, (head + more).encode(), BIG if "chunked" in more else 1 << 16)
        found.add("bodies of 100 MB", b" 413 " in said or b" 400 " in said, said[:40])


def _sent(served: Served, head: bytes, more: int) -> bytes:
    """The first line of the answer; sends until the server has had enough."""
    port = int(served.url.rpartition(":")[2])
    piece = b"10000\r\n" + b"x" * 65_536 + b"\r\n"
    said = b""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as raw:
        raw.sendall(head)
        with contextlib.suppress(OSError):
            for _ in range(more >> 16):
                raw.sendall(piece)
        with contextlib.suppress(OSError):
            said = raw.recv(200)
    return said or b"closed 413 "  # the answer may be lost with the connection that was cut


def _odd(served: Served, found: Found) -> None:
    for raw in (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x00" * 5000,
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20_000 + b"\r\n",
    ):
        said = _sent(served, raw + b"\r\n\r\n", 0)
        found.add("odd requests", b" 4" in said[:13], said[:40])


@contextlib.contextmanager
def _half_heads(served: Served, count: int) -> Iterator[None]:
    """So many connections with half a head, opened anew when the server has closed them."""
    port = int(served.url.rpartition(":")[2])
    over = threading.Event()

    def hold() -> None:
        while not over.is_set():
            with (
                contextlib.suppress(OSError),
                socket.create_connection(
                    ("127.0.0.1", port), timeout=60, source_address=("127.0.0.2", 0)
                ) as raw,
            ):
                raw.sendall(b"GET /login HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")
                raw.settimeout(1)
                while not over.is_set():
                    with contextlib.suppress(TimeoutError):
                        raw.sendall(b"y")
                        if not raw.recv(1):
                            break

    threads = [threading.Thread(target=hold, daemon=True) for _ in range(count)]
    for each in threads:
        each.start()
    try:
        yield
    finally:
        over.set()
        for each in threads:
            each.join(90)
