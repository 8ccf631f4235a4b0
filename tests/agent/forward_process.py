"""A forwarder in a process of its own, so that a test can kill it."""

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path

from agent.batches.log import BatchLog
from agent.forward.forwarder import Forwarder
from agent.forward.settings import ForwardConfig

MN = "010000A8900016F000169DC0"


@dataclass(frozen=True)
class Place:
    """What a forwarder asks of a gateway's config."""

    data_dir: Path
    plant: str = "demo"


def settings(port: int, **more: object) -> ForwardConfig:
    return ForwardConfig.model_validate(
        {
            "name": "office",
            "address": f"127.0.0.1:{port}",
            "equipment": "gtc1/stack1",
            "mn": MN,
            "timeout_s": 0.3,
            "retries": 1,
            "pause_most_s": 0.2,
        }
        | more
    )


async def append(log: BatchLog, lines: str, closed_ns: int) -> None:
    payload = f"batch,plant=demo x=1 1\n{lines}".encode()
    await log.append(lambda _seq, _previous: (payload, 2), closed_ns=closed_ns)


def window(start_s: int, value: float, ending: str = "1m") -> str:
    tags = "plant=demo,line=gtc1,unit=stack1"
    return f"cems_{ending},{tags} so2={value!r},so2_n=1i,o2=20.5,o2_n=1i {start_s}000000000"


async def main(folder: Path, port: int, first_s: int, count: int) -> None:
    """Writes ``count`` minutes (an hour after each sixtieth) into the record log, and forwards."""
    async with BatchLog(folder, stream="record") as record:
        written = record.newest
        async with Forwarder(settings(port), Place(folder), record) as forwarder:
            running = asyncio.create_task(forwarder.run())
            for k in range(written, count):
                start_s = first_s + 60 * k
                lines = window(start_s, float(k))
                if k % 60 == 59:
                    lines += "\n" + window(start_s - 3540, k / 2, "1h")
                await append(record, lines, (start_s + 65) * 10**9)
                await asyncio.sleep(0.002)
            await running


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), *map(int, sys.argv[2:5])))
