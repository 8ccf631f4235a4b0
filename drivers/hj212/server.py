"""The TCP server loggers connect to: who may, how many, and each packet's way to its station."""

import asyncio
import contextlib
import ipaddress
import logging
from collections.abc import Iterable
from dataclasses import dataclass

from drivers.config import host_and_port
from drivers.hj212.asking import Asker
from drivers.hj212.codes import commands
from drivers.hj212.encode import EncodeError, answer
from drivers.hj212.frame import Frame as Packet
from drivers.hj212.gate import sealed
from drivers.hj212.reader import FrameReader
from drivers.hj212.segment import Segment
from drivers.hj212.station import Station
from drivers.language import say, why
from drivers.model import UnreachableError

_log = logging.getLogger(__name__)

READ_BYTES = 16 << 10
QUIET_S = 2.0  # after so long a packet that is not complete is judged as it is
STRANGE_MOST = 20  # packets of nobody we know, then the connection is closed
DRAIN_S = 10.0  # a peer that does not read is cut off
STEP_S = 0.2
NOTICES = frozenset({"1013", "2081", "9015"})


@dataclass(eq=False)
class Peer:
    """One connection."""

    name: str
    writer: asyncio.StreamWriter
    address: ipaddress.IPv4Address | ipaddress.IPv6Address
    strange: int = 0

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        try:
            async with asyncio.timeout(DRAIN_S):
                await self.writer.drain()
        except TimeoutError:
            self.close()
            raise ConnectionAbortedError(f"{self.name} does not read") from None

    def close(self) -> None:
        self.writer.transport.abort()


class Server:
    """Listens while entered tasks run; hands packets to the stations of its devices by MN."""

    def __init__(self, address: str, stations: Iterable[Station], keys: dict[str, bytes]) -> None:
        self._address = address
        self._stations = {station.setup.mn: station for station in stations}
        self._keys = keys
        self._askers = {
            mn: Asker(station, lambda segment, mn=mn: self._ask(mn, segment))  # type: ignore[misc]
            for mn, station in self._stations.items()
        }
        self._most = max(station.setup.max_connections for station in self._stations.values())
        self._peers: dict[asyncio.Task[None], Peer] = {}
        self._of: dict[str, Peer] = {}  # MN -> the connection it spoke on last
        self._server: asyncio.Server | None = None
        self._asking: asyncio.Task[None] | None = None
        self.sent: dict[str, int] = {}  # packets to loggers by CN

    @property
    def listening(self) -> bool:
        return self._server is not None

    async def open(self) -> None:
        """Raises UnreachableError when the address cannot be listened on."""
        host, port = host_and_port(self._address)
        try:
            self._server = await asyncio.start_server(self._connected, host, port)
        except OSError as error:
            told = say(f"无法监听 {self._address}", f"cannot listen on {self._address}")
            raise UnreachableError(f"{told}: {why(error)}") from None
        self._asking = asyncio.create_task(self._ask_on())

    async def close(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()
        tasks = [*self._peers, *([self._asking] if self._asking else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # --- connections

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        name = writer.get_extra_info("peername")
        address = ipaddress.ip_address(name[0].partition("%")[0])
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        peer = Peer(f"{name[0]}:{name[1]}", writer, address)
        if not any(self._may(station, peer) for station in self._stations.values()):
            self._refuse(peer, "refused_peer", say("地址不在 peers 中", "not one of peers"))
        elif len(self._peers) >= self._most:
            self._refuse(peer, "refused_full", say("连接数已满", "too many connections"))
        else:
            task = asyncio.create_task(self._serve(reader, peer))
            self._peers[task] = peer
            task.add_done_callback(lambda done: self._gone(done, peer))

    @staticmethod
    def _may(station: Station, peer: Peer) -> bool:
        allowed = station.setup.peers
        return not allowed or any(peer.address in network for network in allowed)

    def _refuse(self, peer: Peer, kind: str, told: str) -> None:
        for station in self._stations.values():
            station.counts[kind] += 1
        _log.warning("%s: connection from %s refused: %s", self._address, peer.name, told)
        peer.close()

    def _gone(self, task: "asyncio.Task[None]", peer: Peer) -> None:
        self._peers.pop(task, None)
        for mn in [mn for mn, other in self._of.items() if other is peer]:
            del self._of[mn]
        peer.close()
        if not task.cancelled() and (error := task.exception()) is not None:
            if isinstance(error, OSError):
                _log.info("%s: connection of %s ended: %s", self._address, peer.name, error)
            else:
                _log.error("%s: serving %s failed", self._address, peer.name, exc_info=error)

    async def _serve(self, reader: asyncio.StreamReader, peer: Peer) -> None:
        packets = FrameReader(key=next(iter(self._keys.values()), None))
        quiet_s = 0.0
        patience_s = max(60.0, *(3 * s.device.interval_s for s in self._stations.values()))
        while True:
            await self._room()
            try:
                async with asyncio.timeout(QUIET_S):
                    data = await reader.read(READ_BYTES)
            except TimeoutError:
                quiet_s += QUIET_S
                if quiet_s >= patience_s:
                    _log.warning("%s: %s is silent, closed", self._address, peer.name)
                    return
                found = packets.finish() if packets.pending else []
            else:
                quiet_s = 0.0
                found = packets.feed(data) if data else packets.finish()
                if not data:
                    await self._take_all(found, peer)
                    return
            await self._take_all(found, peer)

    async def _room(self) -> None:
        """While the agent does not fetch, nothing more is read: the logger keeps its data."""
        while any(station.full for station in self._stations.values()):  # noqa: ASYNC110 - rare
            await asyncio.sleep(STEP_S)

    # --- packets

    async def _take_all(self, packets: Iterable[Packet], peer: Peer) -> None:
        for packet in packets:
            await self._take(packet, peer)

    async def _take(self, packet: Packet, peer: Peer) -> None:
        segment = packet.segment
        station = self._stations.get(segment.mn)
        if station is None or not self._may(station, peer):
            await self._strange(packet, peer)
            return
        if not station.judge(packet):
            return
        self._of[segment.mn] = peer
        asker = self._askers[segment.mn]
        if segment.cn in {"9011", "9012"}:
            station.heard_s = station.monotonic_s()
            asker.answered(segment)
            return
        if segment.cn in {"9013", "9014"}:
            return
        station.take(packet)
        asker.answered(segment)
        if segment.wants_answer or segment.cn == "9015":
            command = commands().get(segment.cn)
            uploads = command is not None and command.carries_data and segment.cn not in NOTICES
            await self._say(peer, answer(segment, "9014" if uploads else "9013"))

    async def _strange(self, packet: Packet, peer: Peer) -> None:
        """No device has this MN. A broken packet may only look so: its MN cannot be believed."""
        known = next(iter(self._stations.values()))
        if not packet.ok and len(self._stations) == 1:
            known.judge(packet)
            return
        told = say(
            f"MN={packet.segment.mn[:40]!r} 不是已配置的数采仪（来自 {peer.name}）",
            f"MN={packet.segment.mn[:40]!r} is no configured logger (from {peer.name})",
        )
        if not peer.strange:
            _log.warning("%s: %s", self._address, told)
        peer.strange += 1
        known.counts["unknown_mn"] += 1
        known.unusable(told)
        if peer.strange >= STRANGE_MOST:
            raise ConnectionAbortedError(told)

    async def _say(self, peer: Peer, segment: Segment) -> None:
        try:
            data = sealed(segment, self._keys.get(segment.mn))
        except EncodeError as error:
            _log.warning("%s: no answer to CN=%s: %s", self._address, segment.cn, error)
            return
        self.sent[segment.cn] = self.sent.get(segment.cn, 0) + 1
        await peer.send(data)

    # --- questions

    async def _ask(self, mn: str, segment: Segment) -> bool:
        peer = self._of.get(mn)
        if peer is None:
            return False
        try:
            await self._say(peer, segment)
        except OSError:
            return False
        return True

    async def _ask_on(self) -> None:
        """One task asks for all stations, one after another: a logger has one small processor."""
        async with asyncio.TaskGroup() as tasks:
            for asker in self._askers.values():
                tasks.create_task(self._ask_for(asker))

    @staticmethod
    async def _ask_for(asker: Asker) -> None:
        while True:
            with contextlib.suppress(OSError):
                await asker.step()
            await asyncio.sleep(STEP_S)
