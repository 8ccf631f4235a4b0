"""
Child: a stand-in for the historian when only the agent is measured.

It takes batches in order, answers each with a receipt, and at the end says what it saw: values per
stream, batches, bytes, and (``--check``) whether every series had every number of its sequence.
"""

import argparse
import json
import re
import signal
from collections import Counter

import paho.mqtt.client as mqtt
import zstandard
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks.children import say

HEADER = re.compile(rb'^batch,[^ ]* .*?log="(\w+)",seq=(\d+)i')
FRAME = re.compile(rb"^frame,[^ ]* points=(\d+)i,bad=(\d+)i", re.MULTILINE)
SERIES = re.compile(rb"^((?!frame,|batch,|event,)[^ ]+) (\S+) (\d+)$", re.MULTILINE)
EVENT = re.compile(rb"^event,[^ ]*kind=(\w+)", re.MULTILINE)
ZSTD = b"\x28\xb5\x2f\xfd"


class Sink:
    """What arrived; a batch counts only when it is the next of its log."""

    def __init__(self, *, check: bool) -> None:
        self.check = check
        self.upto: dict[bytes, int] = {}
        self.batches: Counter[str] = Counter()
        self.bytes: Counter[str] = Counter()
        self.events: Counter[str] = Counter()
        self.good = self.bad = self.again = 0
        self.first: dict[bytes, float] = {}
        self.last: dict[bytes, float] = {}
        self.seen: Counter[bytes] = Counter()

    def take(self, client: mqtt.Client, _: object, message: mqtt.MQTTMessage) -> None:
        root, _, stream = message.topic.rpartition("/")
        payload = bytes(message.payload)
        if payload.startswith(ZSTD):
            payload = zstandard.ZstdDecompressor().decompressobj().decompress(payload)
        head = HEADER.match(payload)
        if head is None:
            raise ValueError(f"no batch: {payload[:200]!r}")
        log, seq = head[1], int(head[2])
        if seq == self.upto.get(log, 0) + 1:
            self.upto[log] = seq
            self.count(stream, payload)
        else:
            self.again += 1
        receipt = {"log": log.decode(), "stream": stream, "upto": self.upto.get(log, 0)}
        client.publish(f"{root}/receipt", json.dumps(receipt), qos=1)

    def count(self, stream: str, payload: bytes) -> None:
        self.batches[stream] += 1
        self.bytes[stream] += len(payload)
        for points, bad in FRAME.findall(payload):
            self.good += int(points) - int(bad)
            self.bad += int(bad)
        self.events.update(kind.decode() for kind in EVENT.findall(payload))
        if self.check and stream == "raw":
            for series, fields, _ in SERIES.findall(payload):
                self.count_series(series, fields)

    def count_series(self, series: bytes, fields: bytes) -> None:
        for part in fields.split(b","):
            name, _, text = part.partition(b"=")
            if name.endswith(b"_q"):
                continue
            key = series + b" " + name
            number = float(text)
            self.first.setdefault(key, number)
            self.last[key] = number
            self.seen[key] += 1

    def summary(self) -> dict[str, object]:
        expected = sum(round(self.last[key] - self.first[key]) + 1 for key in self.first)
        return {
            "good": self.good,
            "bad": self.bad,
            "again": self.again,
            "batches": self.batches,
            "bytes": self.bytes,
            "events": self.events,
            "series": len(self.seen),
            "seen": sum(self.seen.values()),
            "lost": expected - sum(self.seen.values()),
        }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args()
    sink = Sink(check=given.check)
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311)
    client.on_message = sink.take
    client.on_subscribe = lambda *_: say(ready=True)
    client.on_connect = lambda client, *_: client.subscribe(
        [("smelter/v1/+/+/record", 1), ("smelter/v1/+/+/raw", 1)]
    )
    signal.signal(signal.SIGTERM, lambda *_: client.disconnect())
    client.connect("127.0.0.1", given.port)
    client.loop_forever()  # until disconnected: paho swallows what a signal handler raises
    say(**sink.summary())


if __name__ == "__main__":
    main()
