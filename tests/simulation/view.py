"""A view of the originals that is exactly once if the historian keeps its word about cursors."""

import asyncio
import hashlib
import json
import random
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from agent.batches.durable import make_folder, replace_text
from agent.views import StoredBatch


class Shelf:
    """A file for each call, named by what was in it; the same call makes the same file again."""

    name = "lake"
    flush_s = 3.0
    flush_bytes = 1 << 16

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def __aenter__(self) -> Self:
        make_folder(self._folder)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return

    async def write(self, batches: Sequence[StoredBatch]) -> None:
        await asyncio.sleep(random.uniform(0.0, 1.0))
        rows = [[str(each.source), each.seq, each.batch.digest.hex()] for each in batches]
        text = json.dumps(rows)
        name = hashlib.sha256(text.encode()).hexdigest()[:16]
        await asyncio.to_thread(replace_text, self._folder / f"{name}.json", text)

    async def reset(self) -> None:
        for path in self._folder.glob("*.json"):
            path.unlink()
