"""One connection of a simulated HJ 212 station: packets in and out, and what goes wrong."""

import asyncio
from dataclasses import replace

from simulators.faults import Faults
from simulators.hj212 import Packet, crc, modbus_crc, packets, wrapped

_READ = 4096


class Link:
    """Sends packets, awaits answers by QN; a ``half_open`` link is silent and stays open."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        faults: Faults,
        name: str,
        key: bytes = b"",
    ) -> None:
        self._reader, self._writer = reader, writer
        self._faults, self._name, self._key = faults, name, key
        self._answers: dict[tuple[str, str], Packet] = {}
        self._news = asyncio.Event()
        self._held: bytes = b""
        self._over = False

    def close(self) -> None:
        self._over = True
        self._news.set()
        self._writer.transport.abort()

    async def listen(self, answers: set[str], requests: "asyncio.Queue[Packet]") -> None:
        """Sorts what comes: answers by QN, requests into the queue. EOFError at the end."""
        buffer = bytearray()
        while True:
            await self._while_dead()
            chunk = await self._reader.read(_READ)
            if not chunk:
                self.close()
                raise EOFError("the platform closed the connection")
            buffer += chunk
            for packet in packets(buffer, self._key):
                self._sort(packet, answers, requests)

    def _sort(self, packet: Packet, answers: set[str], requests: "asyncio.Queue[Packet]") -> None:
        if packet.cn in answers:
            self._answers[packet.cn, packet.qn] = packet
            self._news.set()
            while len(self._answers) > 1000:
                self._answers.pop(next(iter(self._answers)))
        elif not requests.full():
            requests.put_nowait(packet)

    async def answer(self, qn: str, kinds: set[str], timeout_s: float) -> Packet | None:
        """The answer to that QN, or None when it does not come in time."""
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    for kind in kinds:
                        if (kind, qn) in self._answers:
                            return self._answers.pop((kind, qn))
                    if self._over:
                        raise EOFError("the connection was closed")
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return None

    async def send(self, packet: Packet) -> None:
        """Encodes a packet with the faults that hold now."""
        await self._while_dead()
        raw = self._raw(self._altered(packet))
        if self._faults.hits("cut_packet", self._name):
            self._writer.write(raw[: len(raw) // 2])
            await self._writer.drain()
            self._writer.close()
            raise EOFError("cut in the middle of a packet")
        if self._faults.hits("disorder", self._name) and not self._held:
            self._held = raw
            return
        raw, self._held = raw + self._held, b""
        if self._faults.hits("twice", self._name):
            raw += raw
        if self._faults.hits("slow_bytes", self._name):
            for at in range(len(raw)):
                self._writer.write(raw[at : at + 1])
                await self._writer.drain()
                await asyncio.sleep(0.0005)
            return
        self._writer.write(raw)
        await self._writer.drain()

    async def _while_dead(self) -> None:
        while self._faults.active("half_open", self._name):  # noqa: ASYNC110 - ends by the clock
            await asyncio.sleep(0.05)

    def _altered(self, packet: Packet) -> Packet:
        """Faults of what is said."""
        hits, name = self._faults.hits, self._name
        if packet.cn[0] != "9":
            if hits("no_flags", name):
                packet = replace(packet, cp=_without_flags(packet.cp))
            if hits("pascal", name):
                packet = replace(packet, cp=_in_pascal(packet.cp))
            if hits("commas", name):
                packet = replace(packet, cp=packet.cp.replace(";", ","))
        if hits("short_qn", name):
            packet = replace(packet, qn=packet.qn[:13])
        if hits("water_st", name):
            packet = replace(packet, st="32")
        if hits("flag_zero", name):
            packet = replace(packet, flag=0)
        if hits("wrong_mn", name):
            packet = replace(packet, mn="F" * 24)
        if hits("wrong_pw", name):
            packet = replace(packet, pw="000000")
        return packet

    def _raw(self, packet: Packet) -> bytes:
        """Faults of how it is written."""
        hits, name = self._faults.hits, self._name
        segment = packet.segment()
        if hits("modbus_crc", name):
            return wrapped(segment, check=f"{modbus_crc(segment):04X}")
        if hits("swapped_crc", name):
            found = modbus_crc(segment)
            return wrapped(segment, check=f"{found & 0xFF:02X}{found >> 8:02X}")
        if hits("lower_crc", name):
            return wrapped(segment, check=f"{crc(segment):04x}")
        if hits("bit_flip", name):
            raw = bytearray(packet.encoded())
            at = 6 + segment.index(b"CP=&&") + 5
            at += self._faults.below(max(1, len(packet.cp)))
            raw[at] ^= 1 << self._faults.below(7)
            return bytes(raw)
        return packet.encoded(self._key)


def _without_flags(cp: str) -> str:
    return ";".join(
        ",".join(each for each in item.split(",") if "-Flag=" not in each) for item in cp.split(";")
    )


def _in_pascal(cp: str) -> str:
    fields = []
    for item in cp.split(";"):
        parts = []
        for each in item.split(","):
            name, _, value = each.partition("=")
            pressure = name.startswith("a01013-") and not name.endswith("Flag")
            parts.append(f"{name}={float(value) * 1000:g}" if pressure else each)
        fields.append(",".join(parts))
    return ";".join(fields)
