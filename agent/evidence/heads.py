"""What a witness keeps of one log: the newest head it cosigned, one a day, and every fork."""

import json
import time
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from agent.batches.durable import make_folder, replace_text
from agent.evidence.note import Head, Note, read_head, read_note

MOST_FORKS = 32
_EAST_8 = timedelta(hours=8)


def day_of(at_s: float) -> str:
    """The plant's calendar day (UTC+8) as YYYY-MM-DD."""
    return (datetime.fromtimestamp(at_s, UTC) + _EAST_8).date().isoformat()


class HeadStore:
    """``checkpoints/<plant>/<gateway>/<stream>/<log>[/sm3]/``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.known: Note | None = None
        path = folder / "checkpoint"
        if path.exists():
            self.known = read_note(path.read_text("utf-8"))

    @property
    def head(self) -> Head | None:
        return read_head(self.known.text) if self.known else None

    def keep(self, note: Note, at_s: int) -> None:
        """A cosigned head, durable before anybody is told."""
        make_folder(self.folder / "days")
        replace_text(self.folder / "checkpoint", note.whole)
        replace_text(self.folder / "days" / day_of(at_s), note.whole)
        self.known = note

    def forks(self) -> list[Path]:
        return sorted((self.folder / "forks").glob("*/"))

    def fork(self, refused: Note, own: Head, keys: list[str]) -> Path | None:
        """
        Both heads as proof: ``known`` (if any), ``refused``, our own head, the keys that signed.

        None when this head is kept already, or enough are.
        """
        name = f"{read_head(refused.text).size}-{sha256(refused.text.encode()).hexdigest()[:16]}"
        folder = self.folder / "forks" / name
        if (folder / "refused").exists() or len(self.forks()) >= MOST_FORKS:
            return None
        make_folder(folder)
        if self.known is not None:
            replace_text(folder / "known", self.known.whole)
        replace_text(folder / "own", own.text)
        replace_text(folder / "keys.json", json.dumps(keys))
        replace_text(folder / "seen", time.strftime("%Y-%m-%dT%H:%M:%SZ\n", time.gmtime()))
        replace_text(folder / "refused", refused.whole)
        return folder
