"""What a backup takes of the console: accounts, proposals, slips; not what is made anew."""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

from drivers.keeping import Member
from drivers.keeping_files import data_members
from drivers.language import say
from drivers.model import ConfigError
from drivers.tomlfile import read_tables, with_value

STORE = "console.db"
PLACE = "data/console"
# Made again from the plant's data, or forgotten within a day.
MADE_ANEW = (
    *("drafts", "templates", "completeness", "envelopes", "staged", "verdicts", "exports"),
    "uploads",
)


def console_folder(config: Path, entries: Path) -> Path:
    """As ``Office.data`` says it."""
    table = read_tables(config).get("console")
    said = table.get("data_dir") if isinstance(table, dict) else None
    return config.parent / said if isinstance(said, str) else entries.with_name("console")


def console_members(config: Path, entries: Path, hidden: frozenset[Path]) -> Iterator[Member]:
    """The store as one consistent copy, secret as a whole: it holds the hashes of passwords."""
    folder = console_folder(config, entries)
    store = folder / STORE
    if store.exists():
        yield Member(f"{PLACE}/{STORE}", store, source=_copied(store), secret=True)
    beside = [folder / f"{STORE}{end}" for end in ("", "-wal", "-shm", "-journal")]
    leave = (*beside, *(folder / name for name in MADE_ANEW))
    yield from data_members(folder, leave, PLACE, hidden)


def settled(text: str) -> str:
    """A restored site finds its console where the backup put it."""
    return with_value(text, "data_dir", f"../{PLACE}", "console")


def _copied(store: Path) -> BinaryIO:
    """Without sessions: a backup that comes back lets nobody in who has not logged in again."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / STORE
        try:
            with closing(_opened(store)) as from_, closing(sqlite3.connect(copy)) as to:
                from_.backup(to)
                to.execute("pragma journal_mode = delete")
                with to:
                    to.execute("delete from sessions")
                    to.execute("delete from failures")
                to.execute("vacuum")
        except sqlite3.Error as error:
            told = say("无法复制账户数据库", "the accounts cannot be copied")
            raise ConfigError([f"{store}: {told}: {error}"]) from error
        found = tempfile.TemporaryFile()  # noqa: SIM115 - its reader closes it
        with copy.open("rb") as file:
            shutil.copyfileobj(file, found)
    found.seek(0, os.SEEK_SET)
    return found


def _opened(store: Path) -> sqlite3.Connection:
    """For reading only; where nobody has it open, the folder need not be writable either."""
    open_now = store.with_name(f"{STORE}-wal").exists()
    how = "mode=ro" if open_now else "mode=ro&immutable=1"
    return sqlite3.connect(f"{store.resolve().as_uri()}?{how}", uri=True)
