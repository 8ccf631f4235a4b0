"""
A scripted life of a batch log, to be killed at each sync: ``python -m tests.oracle.script``.

Opens (or opens again), appends until segments have rolled, saves receipts, deletes what is
receipted, closes. What is durable is printed at once, so that a judge knows what was promised.
"""

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from agent.batches.batch import Batch
from agent.batches.log import BatchLog
from tests.agent.logs import numbered

SIZE = 60_000  # of the alphabet's sixteen letters: about half of it once packed
MOST = 4 << 20  # bytes: segments of 256 KiB
ROUNDS, GROUP = 12, 4


async def live(folder: Path) -> None:
    """One thread does all the syncs, so that the Nth of the process is the Nth of the script."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    async with BatchLog(folder, stream="record", max_bytes=MOST, keep_ns=0) as log:
        say("opened", log.newest, log.log_id)
        for turn in range(ROUNDS):
            made: list[Batch] = await asyncio.gather(
                *(log.append(numbered(SIZE), closed_ns=1) for _ in range(GROUP))
            )
            for batch in made:
                say("durable", batch.seq, batch.digest.hex())
            if turn % 4 == 3:
                log.set_receipted(log.newest - GROUP)
                say("receipted", log.receipted, "-")
                await log.save_receipt()
                await log.prune()
    say("closed", 0, "-")


def say(what: str, number: int, text: str) -> None:
    sys.stdout.write(f"{what} {number} {text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(live(Path(sys.argv[1])))
