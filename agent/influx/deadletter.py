"""Lines that a database refused, kept durably with the reason and the batch they came from."""

import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.views import Source, StoredBatch

_TABLE = """
create table if not exists refused (
  plant text, gateway text, stream text, log text, seq integer, line text,
  reason text, refused_ns integer,
  primary key (plant, gateway, stream, log, seq, line)
) without rowid
"""


@dataclass(frozen=True, slots=True)
class Refused:
    """One line, and why it is not in the database."""

    source: Source
    seq: int
    line: str
    reason: str
    refused_ns: int


class DeadLetters:
    """A table of refused lines; the same line of the same batch stands in it once."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Used by one thread at a time, but not always the same one.
        self._base = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._base.execute("pragma journal_mode = wal")
        self._base.execute("pragma synchronous = full")
        self._base.execute(_TABLE)

    def add(self, refused: Sequence[tuple[StoredBatch, bytes, str]]) -> None:
        """Keep (batch, line, reason); durable on return."""
        now_ns = time.time_ns()
        rows = [
            (
                *(each.source.plant, each.source.gateway, each.source.stream, each.source.log),
                *(each.seq, line.decode(errors="backslashreplace"), reason, now_ns),
            )
            for each, line, reason in refused
        ]
        self._base.execute("begin immediate")
        self._base.executemany("insert or replace into refused values (?,?,?,?,?,?,?,?)", rows)
        self._base.execute("commit")

    def all(self) -> list[Refused]:
        found = self._base.execute("select * from refused order by refused_ns, seq, line")
        return [
            Refused(Source(plant, gateway, stream, log), seq, line, reason, refused_ns)
            for plant, gateway, stream, log, seq, line, reason, refused_ns in found
        ]

    def count(self) -> int:
        count: int = self._base.execute("select count(*) from refused").fetchone()[0]
        return count

    def clear(self) -> None:
        self._base.execute("delete from refused")

    def close(self) -> None:
        self._base.close()
