"""The environment office's end of HJ 212: takes reports, answers, refuses, forgets, dies."""

import asyncio
import random
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from simulators.hj212 import Packet, packets, stamp

_READ = 65536
_LAST = ("9011", "9012")


@dataclass
class Mood:
    """How the platform behaves; may be changed while it runs. Shares are 0 … 1."""

    lose_answers: float = 0.0  # takes the packet, its answer gets lost
    refuse: int = 0  # answers 9011 with this QnRtn instead of 9014
    die_every: int = 0  # aborts the connection at each n-th packet, before the answer
    silent: bool = False  # takes nothing in, answers nothing


@dataclass
class Ledger:
    """Everything that arrived whole, in order, over all connections."""

    packets: list[Packet] = field(default_factory=list)
    data: dict[str, dict[str, str]] = field(default_factory=dict)  # CN -> DataTime -> data
    order: dict[str, list[str]] = field(default_factory=dict)  # CN -> DataTime as first seen
    backfilled: dict[str, list[str]] = field(default_factory=dict)  # with RF=1
    doubles: int = 0
    differing: int = 0
    broken: int = 0
    connections: int = 0
    answers: Counter[str] = field(default_factory=Counter)

    def take(self, packet: Packet, whole: str) -> None:
        """A packet whose parts are all here; ``whole`` is its data put together."""
        time = packet.values().get("DataTime", "")
        known = self.data.setdefault(packet.cn, {})
        if time in known:
            self.doubles += 1
            self.differing += known[time] != whole
            return
        known[time] = whole
        self.order.setdefault(packet.cn, []).append(time)
        if packet.rf == "1":
            self.backfilled.setdefault(packet.cn, []).append(time)


class OfficePlatform:
    """
    A TCP server while entered, on ``port`` (0: any).

    ``pw`` and ``mn``, where given, are checked as a real one does: 9011 with QnRtn 3 or 4.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        mn: str = "",
        pw: str = "",
        key: bytes = b"",
        seed: int = 7,
        ledger: Ledger | None = None,
    ) -> None:
        self.port = port
        self.mood = Mood()
        self.ledger = ledger or Ledger()
        self._mn, self._pw, self._key = mn, pw, key
        self._random = random.Random(seed)
        self._count = 0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._waiting: dict[str, asyncio.Queue[Packet]] = {}
        self._halves: dict[tuple[str, str], dict[int, str]] = {}
        self.open = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._server is not None:
            self._server.close()
        self.drop()
        await asyncio.sleep(0)

    def drop(self) -> None:
        """Aborts every connection."""
        for writer in list(self._writers):
            writer.transport.abort()

    async def ask(self, cn: str, cp: str, *, timeout_s: float = 5.0) -> list[Packet]:
        """Sends a command to the station that is connected; everything up to 9012 or a refusal."""
        async with asyncio.timeout(timeout_s):
            await self.open.wait()
            (writer, *_) = self._writers
            qn = stamp(1_700_000_000 + self._count)  # parts of an answer have it plus some ms
            qn += "000"
            self._count += 1
            queue = self._waiting[qn] = self._waiting[qn[:14]] = asyncio.Queue()
            packet = Packet(cn, cp, qn, "31", self._pw or "123456", self._mn or "0" * 24, 5)
            writer.write(packet.encoded())
            found: list[Packet] = []
            while not found or not (
                found[-1].cn == "9012" or (found[-1].cn == "9011" and found[-1].cp != "QnRtn=1")
            ):
                found.append(await queue.get())
            del self._waiting[qn], self._waiting[qn[:14]]
            return found

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        self.ledger.connections += 1
        self.open.set()
        buffer = bytearray()
        with suppress(OSError, asyncio.CancelledError):
            while chunk := await reader.read(_READ):
                buffer += chunk
                for packet in packets(buffer, self._key):
                    await self._take(packet, writer)
        self._writers.discard(writer)
        if not self._writers:
            self.open.clear()
        writer.transport.abort()

    async def _take(self, packet: Packet, writer: asyncio.StreamWriter) -> None:
        if self.mood.silent:
            return
        self._count += 1
        if self.mood.die_every and self._count % self.mood.die_every == 0:
            writer.transport.abort()
            raise ConnectionAbortedError
        if not packet.known:
            self.ledger.broken += 1
            return
        asked = self._waiting.get(packet.qn[:14] if packet.pnum else packet.qn)
        if asked is not None:
            asked.put_nowait(packet)
            if packet.cn in _LAST:
                return
        verdict = self._verdict(packet)
        if verdict != 1:
            await self._say(writer, packet, "9011", f"QnRtn={verdict}")
            return
        self.ledger.packets.append(packet)
        self._whole(packet)
        if packet.wants_answer and self._random.random() >= self.mood.lose_answers:
            await self._say(writer, packet, "9014" if packet.cn[0] == "2" else "9013", "")

    def _verdict(self, packet: Packet) -> int:
        if self.mood.refuse:
            return self.mood.refuse
        if self._pw and packet.pw != self._pw:
            return 3
        return 4 if self._mn and packet.mn != self._mn else 1

    def _whole(self, packet: Packet) -> None:
        """Parts of one packet are told apart by CN and DataTime, which stands in each."""
        if packet.pnum <= 1:
            self.ledger.take(packet, packet.cp)
            return
        head, _, body = packet.cp.partition(";")
        halves = self._halves.setdefault((packet.cn, head), {})
        halves[packet.pno] = body
        if len(halves) == packet.pnum:
            del self._halves[packet.cn, head]
            whole = ";".join([head, *(halves[number] for number in sorted(halves))])
            self.ledger.take(packet, whole)

    async def _say(self, writer: asyncio.StreamWriter, to: Packet, cn: str, cp: str) -> None:
        flag = 8 if to.version == 2025 else 4
        self.ledger.answers[cn] += 1
        writer.write(Packet(cn, cp, to.qn, "91", to.pw, to.mn, flag).encoded())
        await writer.drain()
