"""What a visitor may send: so much, so fast, in so many words; the server stays."""

import asyncio
import contextlib
import select
import socket
from collections.abc import Iterator, MutableMapping
from typing import Any

import pytest
import uvicorn
from fastapi import HTTPException

from reports.console.doors import limits
from reports.console.doors.limits import HEAD_BYTES, Limits, PatientProtocol
from tests import servers
from tests.console.served import Served


def spoken(served: Served, text: bytes, more: bytes = b"") -> bytes:
    """The first bytes of the answer to these bytes; ``more`` is only sent when it is asked for."""
    port = int(served.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=60) as raw:
        raw.sendall(text)
        answer = raw.recv(4096)
        if b"100 Continue" in answer:
            raw.sendall(more)
            answer = raw.recv(4096)
    return answer


def post(served: Served, path: str, *headers: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", f"Host: {served.url[7:]}", f"Origin: {served.url}", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def test_too_much_is_refused_before_it_is_read(console: Served) -> None:
    """Nobody has sent a byte of the body yet: the head says how much it would be."""
    for kind, length in (
        ("multipart/form-data; boundary=x", (20 << 20) + 1),
        ("application/x-www-form-urlencoded", (2 << 20) + 1),
        ("application/json", 3 << 20),
    ):
        head = post(console, "/login", f"Content-Type: {kind}", f"Content-Length: {length}")
        assert spoken(console, head).startswith(b"HTTP/1.1 413"), kind


def test_too_much_without_saying_so_is_cut_off(console: Served) -> None:
    client = console.client("administrator")

    def pieces() -> Iterator[bytes]:
        for _ in range(40):
            yield b" " * 65_536

    answer = client.post(
        "/api/v1/accounts", content=pieces(), headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 413
    assert "20 MB" in answer.text


def test_a_head_that_is_too_long(console: Served) -> None:
    assert console.nobody().get("/login?x=" + "y" * 9000).status_code == 414
    long = post(console, "/login", "X-Long: " + "y" * HEAD_BYTES * 2)
    assert spoken(console, long).startswith(b"HTTP/1.1 4")


def test_odd_requests_are_refused_and_do_no_harm(console: Served) -> None:
    for raw in (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS to a plain port
        b"GET / HTTP/1.1\r\n\r\n",  # no Host
        b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: gzip\r\n\r\n0",
        b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        b"CONNECT 127.0.0.1:502 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    ):
        assert spoken(console, raw + b"\r\n\r\n").startswith(b"HTTP/1.1 4"), raw
    assert console.nobody().get("/alive").status_code == 200


def test_files_outside_are_not_served(console: Served) -> None:
    client = console.nobody()
    for path in (
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2fapp.py",
        "/static//etc",
    ):
        assert client.get(path).status_code == 404, path


Message = MutableMapping[str, Any]


async def test_a_slow_body_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the product's times what is quick, then 0.2 s of silence, or 0.5 s in all."""
    read: list[int] = []

    async def app(scope: Message, receive: Any, send: Any) -> None:
        while True:
            message = await receive()
            read.append(len(message.get("body", b"")))
            if not message.get("more_body"):
                break

    async def run(pause_s: float, pieces: int, size: int) -> None:
        async def receive() -> Message:
            nonlocal pieces
            await asyncio.sleep(pause_s)
            pieces -= 1
            return {"type": "http.request", "body": b"x" * size, "more_body": pieces > 0}

        async def send(message: Message) -> None: ...

        read.clear()
        scope = {"type": "http", "headers": [], "method": "POST"}
        await Limits(app, 20)(scope, receive, send)

    await run(0, 20, 1000)
    assert sum(read) == 20_000
    with pytest.raises(HTTPException) as large:
        await run(0, 1000, 10_000)
    assert large.value.status_code == 413
    monkeypatch.setattr(limits, "SILENT_S", 0.2)
    monkeypatch.setattr(limits, "BODY_S", 0.5)
    with pytest.raises(HTTPException) as silent:
        await run(30, 2, 10)
    assert silent.value.status_code == 408
    with pytest.raises(HTTPException) as slow:  # never silent for long, and never done
        await run(0.05, 10_000, 1)
    assert slow.value.status_code == 408


async def test_who_waits_for_news_is_not_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the body a stream waits for the visitor to go away, as long as he likes."""
    monkeypatch.setattr(limits, "SILENT_S", 0.05)
    said = iter([{"type": "http.request", "body": b"", "more_body": False}])
    gone = asyncio.Event()

    async def receive() -> Message:
        for message in said:
            return message
        await gone.wait()
        return {"type": "http.disconnect"}

    async def app(scope: Message, receive: Any, send: Any) -> None:
        await receive()
        asyncio.get_running_loop().call_later(0.3, gone.set)
        assert (await receive())["type"] == "http.disconnect"

    async def send(message: Message) -> None: ...

    await Limits(app, 20)({"type": "http", "headers": [], "method": "GET"}, receive, send)


async def test_half_a_head_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A real server with less patience: 0.5 s for a head, none lost by whoever is served slowly."""
    monkeypatch.setattr(limits, "HEAD_S", 0.5)

    async def app(scope: Message, receive: Any, send: Any) -> None:
        await asyncio.sleep(0.8)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})

    config = uvicorn.Config(app, http=PatientProtocol, lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        task = asyncio.create_task(server.serve(sockets=[listening]))
        for text, answer in (
            (b"", b""),
            (b"GET /login HTT", b""),
            (b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"HTTP/1.1 200 OK"),
            (b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HT", b"HTTP/1.1 200 OK"),
        ):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(text)
            async with asyncio.timeout(60):
                said = await reader.read()  # until the server closes
            assert said[:15] == answer
            assert said.count(b"done") == bool(answer)
            writer.close()
            await writer.wait_closed()
        server.should_exit = True
        await task


def test_one_address_does_not_take_all_connections(console: Served) -> None:
    """150 from 127.0.0.2: those above 100 are cut; another address is served as ever."""
    where = ("127.0.0.1", int(console.url.rpartition(":")[2]))
    with contextlib.ExitStack() as stack:
        many = [
            stack.enter_context(socket.create_connection(where, 60, ("127.0.0.2", 0)))
            for _ in range(150)
        ]
        assert console.nobody().get("/alive").status_code == 200

        def cut() -> int:
            return len(select.select(many, [], [], 0)[0])

        servers.wait_until(lambda: cut() >= 50, "50 of them to be cut", 120)
        assert cut() < 60  # the others are waited for, each 15 s
    assert console.nobody().get("/alive").status_code == 200
