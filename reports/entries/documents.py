"""Documents that prove entries: kept in ``documents/`` beside the ledger, by SHA-256 and name."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from drivers.language import say, why
from drivers.model import ConfigError
from reports.chain import write_whole
from reports.entries.ledger import Document, Entry, Ledger

_NAME_BYTES: Final = 180  # a file name may have 255 bytes; 65 are the digest's


def folder_of(ledger: Path) -> Path:
    """Where the documents of a ledger are kept."""
    return ledger.parent / "documents"


def keep(ledger: Path, document: Document, file: Path) -> Path:
    """
    Copy ``file`` to where documents are kept, durably; nothing when it is there already.

    Raises ConfigError when it is not the document any more, or the disk is full.
    """
    kept = kept_at(ledger, document)
    try:
        content = file.read_bytes()
        if hashlib.sha256(content).hexdigest() != document.sha256:
            changed = say("读取期间被改动，请重试", "was changed meanwhile; try again")
            raise ConfigError([f"{file}: {changed}"])
        if kept.exists() and kept.read_bytes() == content:
            return kept
        kept.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError([f"{file}: {why(error)}"]) from None
    write_whole(kept, content)
    return kept


def kept_at(ledger: Path, document: Document) -> Path:
    """The name under which it is kept; the end of a long name stays, with its suffix."""
    name = document.name.encode()[-_NAME_BYTES:].decode("utf-8", "ignore")
    return folder_of(ledger) / f"{document.sha256}-{name}"


@dataclass(frozen=True, slots=True)
class Checked:
    """A document and the entries it proves; ``fault`` says what is wrong with it, "" nothing."""

    document: Document
    entries: tuple[int, ...]
    fault: str


def check_documents(ledger_file: Path, ledger: Ledger, beside: Iterable[Path]) -> list[Checked]:
    """Every document of the ledger; looked for where they are kept, then in ``beside``."""
    found: dict[Document, list[int]] = {}
    for entry in ledger.entries:
        for document in _of(entry):
            found.setdefault(document, []).append(entry.number)
    folders = (*beside, ledger_file.parent)
    return [
        Checked(document, tuple(numbers), _fault(ledger_file, document, folders))
        for document, numbers in found.items()
    ]


def _of(entry: Entry) -> Iterator[Document]:
    figure = entry.figure
    yield from (each for each in (figure.document, figure.source) if each is not None)


def _fault(ledger: Path, document: Document, folders: Iterable[Path]) -> str:
    kept = kept_at(ledger, document)
    if kept.exists():
        return "" if _is(kept, document) else _changed(kept)
    known = [folder / document.name for folder in folders]
    there = [path for path in known if path.is_file()]
    if any(_is(path, document) for path in there):
        return ""
    if there:
        return _changed(there[0])
    return say(f"没有这个文件；应在 {kept}", f"is not there; it should be {kept}")


def _changed(path: Path) -> str:
    return say(f"{path} 的内容已被改动", f"{path} was changed")


def _is(path: Path, document: Document) -> bool:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() == document.sha256
    except OSError:
        return False
