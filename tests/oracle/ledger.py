"""The ledger of promises: what crossed the wire, taken down by a subscriber of its own."""

import hashlib
import json
import re
import threading
from collections import defaultdict
from types import TracebackType
from typing import Self

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

_HEAD = re.compile(rb'^batch,[^ ]*stream=(\w+) log="(\w+)",seq=(\d+)i')

Key = tuple[str, str]  # stream, log


class Ledger:
    """
    ``receipted`` is the highest number receipted per log; ``sent`` the digest of each batch seen.

    A batch is sent only when the gateway holds it durable, so that what stands in ``sent`` is a
    promise of the gateway; ``receipted`` is one of the historian. ``again`` counts repeats,
    ``needless`` those of them that were receipted already.
    """

    def __init__(self, port: int, *, plant: str = "demo", gateway: str = "gw1") -> None:
        self.receipted: dict[Key, int] = defaultdict(int)
        self.sent: dict[Key, dict[int, str]] = defaultdict(dict)
        self.again = self.needless = self.messages = self.contradictions = 0
        self.lock = threading.Lock()
        self._own = f"smelter/v1/{plant}/{gateway}"
        self._port = port
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda client, *_: client.subscribe(
            [(f"{self._own}/{leaf}", 1) for leaf in ("receipt", "record", "raw")]
        )
        self._client.on_message = self._take

    def __enter__(self) -> Self:
        self._client.connect("127.0.0.1", self._port)
        self._client.loop_start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def forge(self, stream: str, log: str, upto: int) -> None:
        """Say a receipt nobody gave."""
        text = json.dumps({"log": log, "stream": stream, "upto": upto})
        self._client.publish(f"{self._own}/receipt", text, qos=1)

    def _take(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        with self.lock:
            if message.topic.endswith("/receipt"):
                said = json.loads(message.payload)
                if "upto" in said:
                    key = (said["stream"], said["log"])
                    self.receipted[key] = max(self.receipted[key], said["upto"])
                return
            head = _HEAD.match(message.payload)
            assert head, message.payload[:200]
            self.messages += 1
            key = head[1].decode(), head[2].decode()
            known = self.sent[key]
            seq, digest = int(head[3]), hashlib.sha256(message.payload).hexdigest()
            if seq in known:
                self.again += 1
                self.needless += seq <= self.receipted[key]
                self.contradictions += known[seq] != digest
            known[seq] = digest

    def promises(self) -> tuple[dict[Key, int], dict[Key, dict[int, str]]]:
        """A copy of both, as they stand at this instant."""
        with self.lock:
            return dict(self.receipted), {key: dict(seqs) for key, seqs in self.sent.items()}
