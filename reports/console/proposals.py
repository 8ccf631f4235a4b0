"""
Values that one person read in a legal text and another is to check, before they count.

``<console data>/proposals/<id>/``: ``proposal.json``, the document, and ``opened-<account>`` once
that account opened it. Nothing here has any effect on a report; ``figures/settings_overlays.py``
writes what was checked to ``signed-rules/`` beside the entries.
"""

import hashlib
import json
import re
import secrets
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from drivers.language import say, why
from drivers.model import ConfigError
from reports.chain import write_whole
from reports.console.office import Office

MOST: Final = 2000  # proposals kept; an open one stops nothing
ID: Final = re.compile(r"[0-9]{8}-[0-9a-f]{8}")
OPEN: Final = "open"
REMOVAL: Final = "removal"


@dataclass(frozen=True, slots=True)
class Proposal:
    """
    ``block`` is the text of each key of an overlay block; of a removal only what it names.

    ``state``: open, signed, refused, withdrawn. Times are ISO with the plant's offset.
    """

    id: str
    kind: str  # value, or removal of a signed one
    block: dict[str, str]
    document: str  # name of the file beside this; "" of a removal
    note: str  # why
    person: str
    account: str
    at: str
    state: str = OPEN
    by: str = ""
    by_account: str = ""
    decided: str = ""
    reason: str = ""
    file: str = ""  # the overlay it was written to, or taken from

    @property
    def parameter(self) -> str:
        return self.block["parameter"]


def folder_of(office: Office, identity: str) -> Path:
    """Raises ConfigError for what is no name of a proposal."""
    if not ID.fullmatch(identity):
        raise ConfigError([say("没有这项提议", "there is no such proposal")])
    return office.data / "proposals" / identity


def new_id(now: datetime) -> str:
    """Sorts by day."""
    return f"{now:%Y%m%d}-{secrets.token_hex(4)}"


def write(office: Office, proposal: Proposal) -> None:
    """Wholly or not at all."""
    folder = folder_of(office, proposal.id)
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(asdict(proposal), ensure_ascii=False, indent=1)
    write_whole(folder / "proposal.json", text.encode())


def read(office: Office, identity: str) -> Proposal:
    """Raises ConfigError."""
    path = folder_of(office, identity) / "proposal.json"
    try:
        return Proposal(**json.loads(path.read_bytes()))
    except FileNotFoundError:
        raise ConfigError([say("没有这项提议", "there is no such proposal")]) from None
    except (OSError, ValueError, TypeError) as error:
        told = why(error) if isinstance(error, OSError) else str(error)
        raise ConfigError([f"{path}: {told}"]) from None


def every(office: Office) -> list[Proposal]:
    """The newest first; one that cannot be read is left out of the list, never of the disk."""
    folder = office.data / "proposals"
    if not folder.is_dir():
        return []
    names = sorted(each.name for each in folder.iterdir() if ID.fullmatch(each.name))
    found = []
    for name in names[-MOST:]:
        try:
            found.append(read(office, name))
        except ConfigError:
            continue
    return sorted(found, key=lambda each: each.at, reverse=True)


def decided(proposal: Proposal, **said: Any) -> Proposal:
    """As it stands afterwards. Raises ConfigError when it was decided already."""
    if proposal.state != OPEN:
        raise ConfigError([say("这项提议已经有了结果", "this proposal was decided already")])
    return replace(proposal, **said)


def document_path(office: Office, proposal: Proposal) -> Path | None:
    """The file that both persons open; None of a removal."""
    if not proposal.document:
        return None
    return folder_of(office, proposal.id) / Path(proposal.document).name


def mark_opened(office: Office, proposal: Proposal, account: str) -> None:
    """That account has the document before its eyes."""
    _marker(office, proposal, account).touch()


def was_opened(office: Office, proposal: Proposal, account: str) -> bool:
    """A removal has nothing to open."""
    return not proposal.document or _marker(office, proposal, account).exists()


def _marker(office: Office, proposal: Proposal, account: str) -> Path:
    digest = hashlib.sha256(account.encode()).hexdigest()[:16]
    return folder_of(office, proposal.id) / f"opened-{digest}"
