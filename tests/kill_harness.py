"""
Processes that are killed on purpose, and the judge of what they promised.

A feeder is a gateway without devices: it appends numbered batches to a real BatchLog and sends them
with a real Publisher. What it printed as stored must be found, unaltered, in the originals.
``python -m tests.kill_harness FOLDER PORT …`` runs a feeder.
"""

import argparse
import asyncio
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import uvloop

from agent.batches.log import BatchLog
from agent.edge.publish import Publisher
from agent.mqtt import MqttConfig
from agent.wire.encode import BatchHead, batch_payload
from tests.originals_reader import Kept, read_stream

PLANT, GATEWAY = "demo", "gw1"
STREAMS = ("record", "raw")


def body_of(log: str, seq: int, lines: int) -> bytes:
    """What batch ``seq`` of ``log`` must say: a pure function, so that a judge can tell wrong."""
    chance = random.Random(f"{log}/{seq}")
    return "\n".join(
        f"pot,plant={PLANT},line=line1,unit=pot{n:03d} voltage={chance.random() * 5!r} "
        f"{1_790_000_000_000_000_000 + seq}"
        for n in range(lines)
    ).encode()


async def feed(folder: Path, port: int, *, lines: int, pause_s: float, compression: str) -> None:
    """
    Appends and sends until killed; every batch that is durable is printed, flushed, once.

    After SIGTERM it appends no more, and ends when everything is receipted.
    """
    broker = MqttConfig.model_validate(
        {"url": f"mqtt://127.0.0.1:{port}", "compression": compression}
    )
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with (
        BatchLog(folder, stream="record") as record,
        BatchLog(folder, stream="raw") as raw,
        asyncio.TaskGroup() as tasks,
    ):
        logs = {"record": record, "raw": raw}
        publisher = Publisher(broker, PLANT, GATEWAY, logs, receipt_timeout_s=1.0, pause_most_s=0.5)
        sending = tasks.create_task(publisher.run())
        appending = [tasks.create_task(_append(log, lines, pause_s)) for log in logs.values()]
        await stop.wait()
        for task in appending:
            task.cancel()
        await asyncio.wait(appending)  # a batch on its way to the disk is appended all the same
        while any(log.receipted < log.newest for log in logs.values()):  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.02)
        print(publisher.counts, file=sys.stderr)
        sending.cancel()


async def _append(log: BatchLog, lines: int, pause_s: float) -> None:
    head = BatchHead(PLANT, GATEWAY, log.stream, "0" * 16)
    out = sys.stdout.buffer

    def make(seq: int, prev: str) -> tuple[bytes, int]:
        body = body_of(log.log_id, seq, lines)
        return batch_payload(
            head, [body], log=log.log_id, seq=seq, prev=prev, closed_ns=time.time_ns()
        )

    while True:
        batch = await log.append(make, closed_ns=time.time_ns())
        out.write(f"{log.stream} {log.log_id} {batch.seq} {batch.digest.hex()}\n".encode())
        out.flush()
        await asyncio.sleep(pause_s)


@dataclass
class Child:
    """A process of ours that may be killed and started again; its output is kept."""

    arguments: list[str]
    out: Path
    process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Whatever came of the test, no process of it stays."""
        if self.process is not None:
            self.end()

    def start(self) -> "Child":
        with self.out.open("ab") as out, self.out.with_suffix(".err").open("ab") as errors:
            self.process = subprocess.Popen(
                [sys.executable, *self.arguments],
                stdout=out,
                stderr=errors,
                env={**os.environ, "PYTHONPATH": "."},
            )
        return self

    def end(self, sign: signal.Signals = signal.SIGKILL) -> int:
        assert self.process is not None
        self.process.send_signal(sign)
        code = self.process.wait(120)  # everything is receipted first, on a machine with other work
        self.process = None
        return code

    @property
    def errors(self) -> str:
        return self.out.with_suffix(".err").read_text()


def feeder(folder: Path, port: int, *, lines: int = 20, compression: str = "none") -> Child:
    arguments = ["-m", "tests.kill_harness", str(folder / "feeder"), str(port)]
    arguments += ["--lines", str(lines), "--compression", compression]
    return Child(arguments, folder / "feeder.out")


def historian(folder: Path, port: int) -> Child:
    """The real thing, with the lake."""
    config = folder / "historian.toml"
    config.write_text(
        f'data_dir = "{folder}/historian"\nplants = ["{PLANT}"]\n[lake]\nflush_s = 1.0\n'
        f'[mqtt]\nurl = "mqtt://127.0.0.1:{port}"\n[health]\nlisten = ""\n'
    )
    program = "from agent.historian.commands import historian_app; historian_app()"
    return Child(["-c", program, "run", str(config)], folder / "historian.out")


def promised(feeder_out: Path) -> Iterator[tuple[str, str, int, str]]:
    """(stream, log, seq, digest) of each batch that the feeder said is durable."""
    for line in feeder_out.read_text().splitlines():
        parts = line.split()
        if len(parts) == 4 and len(parts[3]) == 64:  # the last line may be torn by a kill
            yield parts[0], parts[1], int(parts[2]), parts[3]


def judge(folder: Path, *, lines: int = 20) -> int:
    """Nothing promised is lost or altered, nothing is invented or twice; how many batches."""
    originals = folder / "historian" / "originals" / PLANT / GATEWAY
    kept = {
        (stream, log, batch.seq): batch
        for stream in STREAMS
        for log, batches in read_stream(originals / stream).items()
        for batch in batches
    }
    for stream, log, seq, digest in promised(folder / "feeder.out"):
        batch = kept.get((stream, log, seq))
        assert batch is not None, f"lost: {stream}/{log} {seq}"
        assert hashlib.sha256(batch.payload).hexdigest() == digest, f"altered: {stream}/{log} {seq}"
    for (_, log, seq), batch in kept.items():
        assert len(log) == 16, f"a contradiction where there was none: {log}"
        body = batch.payload.partition(b"\n")[2]
        assert body == body_of(log, seq, lines), f"invented: {log} {seq}"
    return len(kept)


def arrived(folder: Path) -> bool:
    """Everything the feeder's logs hold is in the originals."""
    originals = folder / "historian" / "originals" / PLANT / GATEWAY
    for stream in STREAMS:
        if not (originals / stream).is_dir():
            return False
        theirs: dict[str, list[Kept]] = read_stream(originals / stream)
        for log, batches in read_stream(folder / "feeder" / stream).items():
            if batches and (not theirs.get(log) or theirs[log][-1].seq < batches[-1].seq):
                return False
    return True


def receipted(folder: Path) -> dict[str, int]:
    """The receipts the feeder saved, by stream."""
    paths = (folder / "feeder").glob("*/*/receipt.json")
    return {path.parts[-3]: json.loads(path.read_text())["upto"] for path in paths}


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("port", type=int)
    parser.add_argument("--lines", type=int, default=20)
    parser.add_argument("--pause-s", type=float, default=0.005)
    parser.add_argument("--compression", default="none")
    given = parser.parse_args()
    uvloop.run(
        feed(
            given.folder,
            given.port,
            lines=given.lines,
            pause_s=given.pause_s,
            compression=given.compression,
        )
    )
