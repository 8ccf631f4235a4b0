"""What is to be sent, on disk before it is sent: messages with the state they were made from."""

import asyncio
import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from agent.batches.batch import Batch, line_count
from agent.batches.durable import replace_text
from agent.batches.log import BatchLog, LogError
from agent.forward.maker import Maker, MakerState, Message

_log = logging.getLogger(__name__)

DAY_NS = 86_400_000_000_000
FULL_S = 5.0  # between two tries while the disk is full; the record log keeps what follows


@dataclass(frozen=True, slots=True)
class Made:
    """Messages that came of one batch of the record log."""

    seq: int  # in the spool
    made_ns: int
    messages: tuple[Message, ...]


async def follow(record: BatchLog, spool: BatchLog, maker: Maker) -> None:
    """
    Reads the record log on from where the newest entry of the spool stopped, for ever.

    An entry holds messages and the maker's state together: after any crash each message was made
    exactly once. A first start begins with what is new.
    """
    seq = await _resume(record, spool, maker)
    while True:
        await record.wait_beyond(seq)
        batches = await record.read_from(seq + 1, 1 << 20)
        if not batches:  # pruned or lost: go on with what is there
            seq = max(seq, min(record.newest, record.oldest - 1))
            continue
        for batch in batches:
            seq = batch.seq
            messages = maker.take(batch.payload.decode("utf-8", "replace"), batch.closed_ns)
            if messages:
                await _keep(spool, messages, record.log_id, seq, maker.state(), batch.closed_ns)


async def _resume(record: BatchLog, spool: BatchLog, maker: Maker) -> int:
    newest = await spool.read(spool.newest) if spool.newest else None
    if newest is None:
        return record.newest
    content = _content(newest)
    maker.restore(cast("MakerState", content["state"]))
    if content["log"] != record.log_id:
        return record.oldest - 1
    return min(int(content["seq"]), record.newest)


async def _keep(
    spool: BatchLog,
    messages: Iterable[Message],
    log: str,
    seq: int,
    state: MakerState,
    closed_ns: int,
) -> None:
    rows = [[m.command, m.start_s, m.span_s, [list(field) for field in m.fields]] for m in messages]
    entry = {"form": 1, "log": log, "seq": seq, "state": state, "messages": rows}
    payload = json.dumps(entry, separators=(",", ":")).encode()

    def make(_seq: int, _previous: str) -> tuple[bytes, int]:
        return payload, line_count(payload)

    while True:
        try:
            await spool.append(make, closed_ns=closed_ns)
        except LogError as error:
            _log.error("%s: %s; trying again", spool.stream, error)
            await asyncio.sleep(FULL_S)
        else:
            return


def _content(batch: Batch) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(batch.payload)
    return content


def made_of(batch: Batch) -> Made:
    """An entry of the spool."""
    rows = _content(batch)["messages"]
    messages = tuple(
        Message(str(command), int(start_s), int(span_s), tuple((str(n), str(v)) for n, v in fields))
        for command, start_s, span_s, fields in rows
    )
    return Made(batch.seq, batch.closed_ns, messages)


class Acknowledged:
    """Which entries the platform has acknowledged; durable, at most somewhat too old."""

    def __init__(self, path: Path, log_id: str, newest: int) -> None:
        self._path, self._log_id = path, log_id
        self.upto = 0
        self.beyond: set[int] = set()
        try:
            content = json.loads(path.read_text("utf-8"))
            if content["log"] == log_id and int(content["upto"]) <= newest:
                self.upto = int(content["upto"])
                self.beyond = {seq for a, b in content["beyond"] for seq in range(a, b + 1)}
        except FileNotFoundError:
            pass
        except (OSError, ValueError, KeyError, TypeError) as error:
            _log.warning("%s unusable, packets may be sent again: %r", path, error)

    def add(self, seq: int) -> None:
        self.beyond.add(seq)
        self._advance()

    def _advance(self) -> None:
        while self.upto + 1 in self.beyond:
            self.upto += 1
            self.beyond.discard(self.upto)

    def __contains__(self, seq: int) -> bool:
        return seq <= self.upto or seq in self.beyond

    def skip(self, oldest: int) -> None:
        """Entries before ``oldest`` are no longer here."""
        while self.upto < oldest - 1:
            self.beyond.discard(self.upto + 1)
            self.upto += 1
        self._advance()

    def save(self) -> None:
        """Tmp, fsync, rename."""
        spans: list[list[int]] = []
        for seq in sorted(self.beyond):
            if spans and spans[-1][1] == seq - 1:
                spans[-1][1] = seq
            else:
                spans.append([seq, seq])
        replace_text(
            self._path, json.dumps({"log": self._log_id, "upto": self.upto, "beyond": spans})
        )
