"""How long a register change takes to be durable, seen from outside by an MQTT client."""

import json
import re
import threading
import time
from itertools import pairwise
from types import TracebackType
from typing import Self

import paho.mqtt.client as mqtt
import zstandard
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks.measure import percentile

CLOCK = re.compile(rb"^meter,plant=\w+,line=\w+,unit=clock energy_import=(\d+) \d+$", re.MULTILINE)
HEADER = re.compile(rb'^batch,[^ ]* .*?log="(\w+)",seq=(\d+)i')
ZSTD = b"\x28\xb5\x2f\xfd"
STEP_S = 0.01


class Observer:
    """
    Pairs the PLC's clock registers in raw batches with the historian's receipts for them.

    The receipt is sent after the sync of the originals, so what is measured is an upper bound.
    A clock register shows when it was read: whatever changed since the read before (at any moment
    in between, all equally likely) became durable with this batch.
    """

    def __init__(self, port: int, epoch_ns: int) -> None:
        self.epoch_s = epoch_ns / 1e9
        self._waiting: dict[tuple[str, int], list[float]] = {}
        self._durable: list[tuple[float, float]] = []  # register time, receipt time
        self._lock = threading.Lock()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311)
        self._client.on_message = self._take
        self._client.on_connect = lambda client, *_: client.subscribe(
            [("smelter/v1/+/+/raw", 1), ("smelter/v1/+/+/receipt", 1)]
        )
        self._port = port

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

    def _take(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        now = time.time()
        if message.topic.endswith("/receipt"):
            said = json.loads(message.payload)
            if said.get("stream") == "raw" and "upto" in said:
                self._receipt(str(said["log"]), int(said["upto"]), now)
            return
        payload = bytes(message.payload)
        if payload.startswith(ZSTD):
            payload = zstandard.ZstdDecompressor().decompressobj().decompress(payload)
        head = HEADER.match(payload)
        if head is not None:
            stamps = [self.epoch_s + int(ms) / 1e3 for ms in CLOCK.findall(payload)]
            with self._lock:
                self._waiting[head[1].decode(), int(head[2])] = stamps

    def _receipt(self, log: str, upto: int, now: float) -> None:
        with self._lock:
            for key in [key for key in self._waiting if key[0] == log and key[1] <= upto]:
                self._durable += [(stamp, now) for stamp in self._waiting.pop(key)]

    def latency_s(self, since: float) -> tuple[float, float]:
        """p50 and p99 over all changes after wall time ``since``."""
        with self._lock:
            seen = sorted(pair for pair in self._durable if pair[0] >= since)
        found = []
        for (before, _), (read, durable) in pairwise(seen):
            steps = max(1, int((read - before) / STEP_S))
            found += [durable - (before + (read - before) * n / steps) for n in range(1, steps + 1)]
        if not found:
            raise RuntimeError("no receipt for a batch with the PLC's clock was seen")
        return percentile(found, 0.5), percentile(found, 0.99)
