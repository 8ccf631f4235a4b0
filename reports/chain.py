"""
Append-only files of hash-chained JSON lines: entries and lodgings are kept this way.

Each line is canonical JSON with ``n`` (1, 2, …) and ``prev``, the SHA-256 of the line before
without its newline (64 zeros for the first). ``<file>.head`` beside it says how many lines there
were and the hash of the last one, so that a change or loss at the very end shows as well; it is
written after the file and may therefore be one step behind, never ahead.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from decimal import InvalidOperation
from errno import EDQUOT, ENOSPC
from pathlib import Path
from typing import Any, Protocol, TypeVar

from drivers.language import say, why
from drivers.model import ConfigError

NO_HASH = "0" * 64


class Link(Protocol):
    """One line of a chain."""

    @property
    def number(self) -> int: ...
    @property
    def prev(self) -> str: ...
    def text(self) -> str:
        """The line, without newline. The same link always gives the same bytes."""


L = TypeVar("L", bound=Link)


def canonical_line(table: dict[str, Any]) -> str:
    """Sorted keys, no spaces, characters as they are."""
    return json.dumps(table, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def line_hash(line: str) -> str:
    """SHA-256 of the line, without newline."""
    return hashlib.sha256(line.encode()).hexdigest()


def read_chain(path: Path, parse: Callable[[dict[str, Any]], L]) -> tuple[L, ...]:
    """
    The links of ``path``; none when there is no file yet.

    Raises ConfigError naming the line when the chain is broken or a line is not ours.
    """
    known, head = _head(path)  # before the file: a writer may come in between
    try:
        content = path.read_bytes() if path.exists() else b""
        lines = content.decode("utf-8").split("\n")
    except OSError as error:
        raise ConfigError([f"{path}: {why(error)}"]) from None
    except UnicodeDecodeError as error:
        raise _broken(path, content[: error.start].count(b"\n") + 1, str(error)) from None
    if lines.pop():
        raise _broken(path, len(lines) + 1, say("末行不完整", "the last line is not whole"))
    links: list[L] = []
    prev = NO_HASH
    for number, line in enumerate(lines, 1):
        try:
            link = parse(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError, InvalidOperation) as error:
            raise _broken(path, number, f"{type(error).__name__}: {error}") from None
        if link.prev != prev or link.number != number or link.text() != line:
            raise _broken(path, number, "")
        links.append(link)
        prev = line_hash(line)
        if number == known and prev != head:
            raise _broken(path, number, "")
    if len(links) < known:
        lost = say(f"应有 {known} 行", f"there were {known} lines")
        raise _broken(path, len(links) + 1, lost)
    return tuple(links)


def _broken(path: Path, number: int, detail: str) -> ConfigError:
    sentence = say(
        "哈希链断开：此行或其前一行被改动或丢失；请用备份恢复该文件",
        "the chain is broken: this line or the one before it was changed or lost; "
        "restore the file from a backup",
    )
    return ConfigError([f"{path}:{number}: {sentence}" + (f" ({detail})" if detail else "")])


def _head(path: Path) -> tuple[int, str]:
    """How many lines there were, and the hash of the last one. (0, "") when nobody noted it."""
    file = _head_file(path)
    try:
        count, _, head = file.read_text("utf-8").strip().partition(" ")
        return int(count), head
    except FileNotFoundError:
        return 0, ""
    except (ValueError, OSError) as error:
        raise ConfigError([f"{file}: {say('无法读取', 'cannot be read')}: {error}"]) from None


def chain_heads(ledger: Path, journal: Path) -> dict[str, str]:
    """
    ``entries.jsonl``, ``journal.jsonl``, ``lodgings.jsonl`` -> "lines hash-of-the-last", as noted.

    Acts that go into the historian's log carry them in their details (``report.made``,
    ``lodge.added``, ``package.made``): so nobody can cut or rewrite a chain alone later on.
    """
    files = {"entries": ledger, "journal": journal, "lodgings": ledger.with_name("lodgings.jsonl")}
    heads = {name: _head(path) for name, path in files.items()}
    return {f"{name}.jsonl": f"{count} {head}" for name, (count, head) in heads.items() if count}


def _head_file(path: Path) -> Path:
    return path.with_name(f"{path.name}.head")


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One writer at a time, between processes."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.with_name(f"{path.name}.lock").open("a")
    except OSError as error:
        raise ConfigError([f"{path}: {why(error)}"]) from None
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def write_chain(path: Path, links: Sequence[Link]) -> None:
    """The longer chain in place of the shorter one, wholly or not at all; only under the lock."""
    lines = [link.text() for link in links]
    write_whole(path, "".join(f"{line}\n" for line in lines).encode())
    write_whole(_head_file(path), f"{len(lines)} {line_hash(lines[-1])}\n".encode())


def write_whole(path: Path, content: bytes) -> None:
    """Replace the file at once and durably. Raises ConfigError when the disk does not take it."""
    beside = path.with_name(f"{path.name}.new")
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        if error.errno in {ENOSPC, EDQUOT}:
            beside.unlink(missing_ok=True)
        raise ConfigError([f"{path}: {_not_written(error)}"]) from None


def _not_written(error: OSError) -> str:
    if error.errno in {ENOSPC, EDQUOT}:
        return say(
            "磁盘已满，未写入；请清理磁盘后重试",
            "the disk is full, nothing was written; make room and try again",
        )
    return why(error)
