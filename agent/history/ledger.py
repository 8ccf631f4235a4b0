"""Which files were imported, as which batches: so that none is imported twice or half."""

import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from agent.batches.durable import make_folder, replace_text


@dataclass(frozen=True, slots=True)
class Imported:
    """One file. ``batches`` and ``done`` are empty until all is stored, all is receipted."""

    sha256: str
    file: str
    plant: str
    period_s: int
    rows: int
    log: str
    first: int  # seq of its first batch
    started: str
    batches: int | None = None
    done: str | None = None

    @property
    def last(self) -> int:
        return self.first + (self.batches or 0) - 1


class Ledger:
    """``imports.json`` in the data directory."""

    def __init__(self, folder: Path) -> None:
        make_folder(folder)
        self._path = folder / "imports.json"
        text = self._path.read_text("utf-8") if self._path.exists() else "[]"
        self._entries = {entry["sha256"]: Imported(**entry) for entry in json.loads(text)}

    def find(self, sha256: str) -> Imported | None:
        return self._entries.get(sha256)

    def unfinished(self) -> Imported | None:
        """An import that was broken off before all of its batches were stored."""
        return next((each for each in self._entries.values() if each.batches is None), None)

    def note(self, entry: Imported) -> Imported:
        """Durable on return."""
        self._entries[entry.sha256] = entry
        rows = [asdict(each) for each in self._entries.values()]
        replace_text(self._path, json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
        return entry

    def finish(self, entry: Imported) -> Imported:
        return self.note(replace(entry, done=utc_now()))


def utc_now() -> str:
    """Now, to the second, for people."""
    return datetime.now(UTC).isoformat(timespec="seconds")
