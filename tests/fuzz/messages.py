"""
What comes over MQTT: batches and states at the historian, receipts at the gateway, checkpoints.

Held for each input: a batch is read or refused; a state, a message about checkpoints likewise;
a receipt never moves the log past what was sent, and nothing else raises.
"""

import asyncio
import atexit
import json
import random
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path

import zstandard

from agent.batches.log import BatchLog
from agent.edge.publish import Publisher
from agent.evidence.messages import MessageError, read_message
from agent.evidence.note import NoteError
from agent.historian.received import RefusedBatchError, Sender, read_batch, read_topic
from agent.historian.states import read_state
from agent.mqtt import MqttConfig
from agent.wire.encode import BatchHead, batch_payload
from tests.fuzz.mutants import mutated

SENDER = Sender("demo", "gw1")
LOG = "00112233445566ff"
SENT = 5
PIECES = (
    *(b'"', b",", b"=", b"{", b"}", b"[", b"]", b"[[", b":", b"\n", b"\\", b"\xff", b"null", b"-1"),
    *(b"seq=0i", b"seq=9223372036854775808i", b"1e999", b"true", b'"upto":', b'"resend_from":'),
    *(
        b"9" * 30,
        b"[" * 2000,
        b"\x28\xb5\x2f\xfd",
        b"log=",
        b"stream=raw",
        b"NaN",
        b'"online":true',
    ),
)
HEAD = (
    "batch,plant=demo,gateway=gw1,stream=record "
    f'log="{LOG}",seq=17i,lines=2i,config="0",prev="{"0" * 64}" 1790000000000000000'
)
STATES = (
    {"online": True, "logs": {"record": {"log": LOG, "oldest": 1, "newest": 17}}},
    {"online": True, "logs": {"raw": {"log": LOG, "oldest": 4, "lost": [[2, 3], [9, 9]]}}},
    {"online": False},
)
KEPT = sha256(b"kept").hexdigest()


def make() -> Callable[[random.Random], str]:
    """The target."""
    gateway = _gateway()
    makers = (_batch, _state, _topic, _checkpoint, gateway.receipt, gateway.receipt)

    def trial(chance: random.Random) -> str:
        maker = chance.choice(makers)
        return f"{maker.__name__.strip('_')} {maker(chance)}"

    return trial


def _batch(chance: random.Random) -> str:
    body = "\n".join(f"pot,plant=demo,line=l,unit=u{n} voltage=4 {n}" for n in range(3))
    payload = mutated(f"{HEAD}\n{body}".encode(), PIECES, chance)
    message = payload
    if chance.random() < 0.4:
        message = zstandard.ZstdCompressor().compress(payload)
        message = mutated(message, PIECES, chance, most=2)
    try:
        received = read_batch(SENDER, "record", message)
    except RefusedBatchError:
        return "refused"
    plain = received.batch.payload
    assert plain == payload or message != payload, "other bytes than were sent"
    assert received.batch.digest == sha256(plain).digest()
    assert 1 <= received.batch.seq < 2**63
    return "read"


def _state(chance: random.Random) -> str:
    found = read_state(mutated(json.dumps(chance.choice(STATES)).encode(), PIECES, chance))
    if found is None:
        return "refused"
    assert all(stream in {"record", "raw"} for stream, _, _ in found)
    return "read"


def _topic(chance: random.Random) -> str:
    text = mutated(b"smelter/v1/demo/gw1/record", (b"/", b"..", b"+", b"#", b"\0", b"$"), chance)
    try:
        sender, _ = read_topic(text.decode("utf-8", "replace"))
    except RefusedBatchError:
        return "refused"
    assert not {*"/.+#\0$ \\"} & {*sender.plant, *sender.gateway}, sender
    return "read"


def _checkpoint(chance: random.Random) -> str:
    head = {
        "note": None,
        "origin": f"smelter/{LOG}",
        "spans": [[1, 1, ["aGk="]]],
        "wanted": [[1, 2]],
    }
    said = {"form": "smelter-checkpoints/1", "keys": ["a+b+c"], "heads": [head]}
    try:
        read_message(mutated(json.dumps(said).encode(), PIECES, chance))
    except (MessageError, NoteError):
        return "refused"
    return "read"


@cache
def _gateway() -> "_Gateway":
    """One for this process, and open to its end: closing takes a loop that is running."""
    return _Gateway()


class _Gateway:
    """A publisher over a real log of ten batches, five of them sent."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        folder = tempfile.mkdtemp(prefix="fuzz-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        self._log = self._runner.run(self._filled(Path(folder)))
        broker = MqttConfig.model_validate({"url": "mqtt://127.0.0.1:1"})
        self._publisher = Publisher(broker, "demo", "gw1", {"record": self._log})
        self._lane = self._publisher._lanes["record"]
        self._lane.backlog.furthest = SENT

    async def _filled(self, folder: Path) -> BatchLog:
        log = BatchLog(folder, stream="record")
        await log.__aenter__()
        head = BatchHead("demo", "gw1", "record", "0" * 16)

        def make(seq: int, prev: str) -> tuple[bytes, int]:
            return batch_payload(
                head, [b"x v=1 1"], log=log.log_id, seq=seq, prev=prev, closed_ns=1
            )

        for _ in range(10):
            await log.append(make, closed_ns=1)
        return log

    def receipt(self, chance: random.Random) -> str:
        said: dict[str, object] = {"log": self._log.log_id, "stream": "record"}
        name = chance.choice(("upto", "upto", "resend_from"))
        said[name] = chance.choice((0, 1, 3, SENT, SENT + 1, 10, 11, 2**70, -1, 1.5, True, "3"))
        if chance.random() < 0.3:
            said["from"] = chance.choice((0, 1, 2, SENT, 12, 2**70, -1, "2"))
        if chance.random() < 0.3:
            said["digest"] = chance.choice(("", "0" * 64, 7, None))
        payload = json.dumps(said).encode()
        if chance.random() < 0.7:
            payload = mutated(payload, PIECES, chance)
        counts = self._publisher.counts
        before = counts.receipts
        self._runner.run(self._publisher._take(payload))
        assert self._log.receipted <= SENT, payload
        assert all(last <= SENT for _, last in self._lane.spans), payload
        assert self._lane.backlog.next >= 1
        return "taken" if counts.receipts > before else "not believed"
