"""
Reads Modbus devices: TCP, RTU over TCP, and serial RTU.

One driver serves one line: all devices of one address. Blocks are planned (``drivers/plan.py``),
asked one after another (``drivers/modbus/line.py``) and decoded at once (``drivers/decode.py``). A
block that a device refuses is bisected and remembered, so that one bad register costs only itself.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import TracebackType
from typing import Self

import numpy as np

from drivers.config import DeviceConfig
from drivers.decode import PAD, Decoded, Decoder
from drivers.language import say
from drivers.modbus.line import Line
from drivers.modbus.session import Manners, manners_of
from drivers.modbus.wire import ExceptionReply, Request, read_request
from drivers.model import ConfigError, DriverError, Frame, Group, Quality, UnreachableError
from drivers.plan import (
    Block,
    Limits,
    Span,
    Table,
    block_of,
    limits_of,
    order_blocks,
    places_of,
    plan_blocks,
    spans_of,
    unmistakable,
)

BISECT = frozenset({2, 3})  # illegal address or value: some register of the block is the culprit
WAIT = frozenset({5, 6, 10, 11})  # busy, or a gateway speaking for it: no use asking on now
GATEWAY = frozenset({10, 11})
PROBES = 40  # questions a bisection may add to one read; it goes on in the next
AGAIN_FIRST_S = 30.0  # what was refused is asked for again after this, for a PLC may have been
AGAIN_LAST_S = 3600.0  # starting; each time in vain doubles the wait, up to this
AGAIN_RECONNECTED_S = 60.0  # and after a reconnect, but no more often than this


@dataclass(frozen=True, slots=True)
class Piece:
    """What one request brought: data, or why there is none."""

    block: Block
    data: bytes | None
    quality: Quality = Quality.GOOD
    reason: str = ""


class ModbusDriver:
    """``Driver`` for modbus-tcp, modbus-rtu-over-tcp and modbus-rtu."""

    def __init__(self, devices: tuple[DeviceConfig, ...], groups: tuple[Group, ...]) -> None:
        self._line = _line_of(devices)
        named = {device.name: (device, manners_of(device)) for device in devices}
        self._readers: dict[Group, _Reader] = {}
        for group in groups:
            device, manners = named[group.device]
            self._readers[group] = _Reader(self._line, device, group, manners)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._line.close()

    async def read(self, group: Group, slot_ns: int) -> Frame:
        return await self._readers[group].read(slot_ns)


def _line_of(devices: tuple[DeviceConfig, ...]) -> Line:
    """ConfigError when devices of one bus disagree on its settings."""
    first = devices[0]
    problems = [
        f"device {device.name}: "
        + say(
            f"{key} 与同在 {first.address} 的设备 {first.name} 不同",
            f"{key} differs from that of {first.name}, also on {first.address}",
        )
        for device in devices[1:]
        for key in (("serial",) if device.driver == "modbus-rtu" else ("tls",))
        if getattr(device, key) != getattr(first, key)
    ]
    if problems:
        raise ConfigError(problems)
    if first.driver == "modbus-rtu":
        return Line(first.address, "rtu", first.serial)
    return Line(first.address, "tcp" if first.driver == "modbus-tcp" else "rtu", tls=first.tls)


class _Plan:
    """A group's requests and their decoder, compiled for what the device is known to refuse."""

    def __init__(self, group: Group, unit: int, blocks: Sequence[Block]) -> None:
        self.blocks = order_blocks(blocks)
        self.requests = [read_request(unit, b.table, b.start, b.count) for b in self.blocks]
        places, size = places_of(group.points, self.blocks)
        self.decoder = Decoder(group.points, places, size)


class _Reader:
    """Reads one group; remembers what its device refused."""

    def __init__(self, line: Line, device: DeviceConfig, group: Group, manners: Manners) -> None:
        self._line = line
        self._device = device
        self._manners = manners
        self._group = group
        self._limits: Limits = limits_of(device)
        self._spans = spans_of(group.points)
        self._refused: set[Span] = set()
        self._cuts: set[tuple[Table, int]] = set()
        self._remembered = ""
        self._learnt_s = 0.0
        self._again_s = AGAIN_FIRST_S
        self._sessions = 0
        self._probes = 0
        self._plan = self._compiled()

    async def read(self, slot_ns: int) -> Frame:
        self._forget()
        self._probes = PROBES
        pieces: list[Piece] = []
        failure: DriverError | None = None
        known = len(self._refused), len(self._cuts)
        for block, request in zip(self._plan.blocks, self._plan.requests, strict=True):
            try:
                await self._ask_block(block, request, pieces)
            except DriverError as error:
                failure = error
                break
            if pieces[-1].quality is Quality.NO_DATA:  # busy: do not press it
                break
        if failure and not any(piece.data is not None for piece in pieces):
            raise failure
        frame = self._frame(pieces, failure, slot_ns)
        if known != (len(self._refused), len(self._cuts)):
            self._plan = self._compiled()
            self._learnt_s = asyncio.get_running_loop().time()
            self._sessions = self._line.sessions
        return frame

    async def _ask_block(self, block: Block, request: Request, pieces: list[Piece]) -> None:
        """Append what the block brought, in pieces when the device refused it."""
        try:
            pieces.append(Piece(block, await self._ask(block, request)))
        except ExceptionReply as reply:
            if reply.code in BISECT:
                await self._bisect(block, reply, pieces)
            elif reply.code in GATEWAY and not any(p.data is not None for p in pieces):
                raise UnreachableError(f"{request}: {reply}") from None
            else:
                pieces.append(_answered_no(block, reply))
                if reply.code == 1:
                    self._refused.update(block.spans)

    async def _ask(self, block: Block, request: Request) -> bytes:
        """The data of a block, asked so that no late reply can be taken for it."""
        line, unit = self._line, self._device.unit
        avoid = line.avoid(unit, block.table.value)
        if not avoid or block.octets not in avoid[0]:
            return await line.ask(request, self._manners)
        ways = (unmistakable(block, taken, self._limits, frozenset(self._cuts)) for taken in avoid)
        parts = next(filter(None, ways), None)
        if parts is None:
            raise UnreachableError(
                f"{request} at {line.address} is left alone for some seconds: a late reply to an "
                "earlier question could not be told from a new one"
            )
        requests = [read_request(unit, part.table, part.start, part.count) for part in parts]
        data = [await line.ask(question, self._manners) for question in requests]
        return b"".join(data)[: block.octets]

    async def _bisect(self, block: Block, reply: ExceptionReply, pieces: list[Piece]) -> None:
        """Halve a refused block until what is refused is single values, or a gap between two."""
        bare = block_of(block.spans)
        if bare != block:  # it was made longer to tell its reply from others: that was refused
            self._cuts.add((block.table, bare.start + bare.count))
            await self._probe(bare, pieces)
            return
        if len(block.spans) == 1:
            self._refused.add(block.spans[0])
            pieces.append(_answered_no(block, reply))
            return
        middle = len(block.spans) // 2
        halves = block_of(block.spans[:middle]), block_of(block.spans[middle:])
        good = [await self._probe(half, pieces) for half in halves]
        if all(good):
            self._cuts.add((block.table, halves[1].start))

    async def _probe(self, block: Block, pieces: list[Piece]) -> bool:
        """Ask for part of a refused block; True when the device gives it whole."""
        if self._probes <= 0:
            pieces.append(Piece(block, None, Quality.REFUSED, "refused, being narrowed down"))
            return False
        self._probes -= 1
        device = self._device
        request = read_request(device.unit, block.table, block.start, block.count)
        try:
            pieces.append(Piece(block, await self._ask(block, request)))
        except ExceptionReply as reply:
            if reply.code in BISECT:
                await self._bisect(block, reply, pieces)
            else:
                pieces.append(_answered_no(block, reply))
            return False
        return True

    def _frame(self, pieces: list[Piece], failure: DriverError | None, slot_ns: int) -> Frame:
        plan = self._plan
        asked = tuple(piece.block for piece in pieces)
        if asked != plan.blocks[: len(asked)]:  # bisected: decode the parts that came
            plan = self._compiled(asked)
        data = [piece.data or bytes(piece.block.octets) for piece in pieces]
        data += [bytes(block.octets) for block in plan.blocks[len(asked) :]]
        decoded = plan.decoder.decode(b"".join((PAD, *data)))
        if failure or len(asked) < len(plan.blocks) or any(p.data is None for p in pieces):
            self._mark_absent(decoded, pieces)
        return Frame(
            group=self._group,
            slot_ns=slot_ns,
            read_ns=time.time_ns(),
            values=decoded.values,
            quality=decoded.quality,
            words=decoded.words,
            texts=decoded.texts,
            reason=self._reason(pieces, failure),
        )

    def _mark_absent(self, decoded: Decoded, pieces: list[Piece]) -> None:
        """Whatever was not answered in this read has no value: NO_DATA, or what the reply said."""
        absent = {i: Quality.NO_DATA for span in self._spans for i in span.members}
        for span in self._refused:
            absent |= dict.fromkeys(span.members, Quality.REFUSED)
        for piece in pieces:
            for i in piece.block.members:
                if piece.data is None:
                    absent[i] = piece.quality
                else:
                    absent.pop(i)
        for i, quality in absent.items():
            decoded.values[i] = np.nan
            decoded.quality[i] = quality
            decoded.words.pop(i, None)
            decoded.texts.pop(i, None)

    def _reason(self, pieces: list[Piece], failure: DriverError | None) -> str:
        reasons = list(dict.fromkeys(piece.reason for piece in pieces if piece.reason))
        if len(reasons) > 3:
            reasons[3:] = [f"{len(reasons) - 3} more like these"]
        if failure:
            reasons.append(str(failure))
        elif self._refused and not reasons:
            reasons.append(self._remembered)
        return "; ".join(reasons)

    def _compiled(self, blocks: Sequence[Block] | None = None) -> _Plan:
        """The plan for these blocks; by default for all that the device does not refuse."""
        if blocks is None:
            spans = [span for span in self._spans if span not in self._refused]
            pairs = pairwise(self._spans)
            holes = {(after.table, after.start) for span, after in pairs if span in self._refused}
            blocks = plan_blocks(spans, self._limits, frozenset(self._cuts | holes))
            first = sorted(self._refused, key=lambda span: (span.table.value, span.start))[:3]
            named = ", ".join(f"{span.table.word}:{span.start}" for span in first)
            more = f" and {len(self._refused) - 3} more" if len(self._refused) > 3 else ""
            self._remembered = f"refused by the device before: {named}{more}"
        return _Plan(self._group, self._device.unit, blocks)

    def _forget(self) -> None:
        """A device may have been given what it lacked: ask for everything again, but rarely."""
        if not self._refused and not self._cuts:
            self._sessions = self._line.sessions
            self._again_s = AGAIN_FIRST_S
            return
        age_s = asyncio.get_running_loop().time() - self._learnt_s
        reconnected = self._line.sessions != self._sessions
        if age_s > self._again_s or (reconnected and age_s > AGAIN_RECONNECTED_S):
            self._again_s = min(2 * self._again_s, AGAIN_LAST_S)
            self._refused.clear()
            self._cuts.clear()
            self._plan = self._compiled()
            self._sessions = self._line.sessions


def _answered_no(block: Block, reply: ExceptionReply) -> Piece:
    quality = Quality.NO_DATA if reply.code in WAIT else Quality.REFUSED
    span = f"{block.table.word}:{block.start}-{block.start + block.count - 1}"
    return Piece(block, None, quality, f"{reply} at {span}")
