"""
Records of the journal before they are written: what a person typed, with its documents.

``<console data>/slips/<id>/``: ``slip.json`` and the files. A draft is seen by its author only and
goes after a day; one that waits for the second person stays until that person, or the author,
decides. Nothing here has any effect on a report.
"""

import json
import re
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from drivers.language import say, why
from drivers.model import ConfigError
from reports.chain import write_whole
from reports.console.office import Office

ID: Final = re.compile(r"[0-9]{8}-[0-9a-f]{12}")
MOST: Final = 500  # slips kept; more are refused until some are decided
DRAFT_FOR: Final = timedelta(days=1)
DRAFT: Final = "draft"
WAITING: Final = "waiting"


@dataclass(frozen=True, slots=True)
class Slip:
    """
    ``cells`` as in a table of the journal, by column id; ``files`` lie beside the slip.

    ``withdraws`` is the record it takes back, 0 for none: with cells it is a correction, without
    a withdrawal only. ``at`` is ISO plant time.
    """

    id: str
    author: str
    at: str
    reason: str
    cells: dict[str, str] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    points: tuple[str, ...] = ()  # drawn besides the usual ones
    no_trace: str = ""
    withdraws: int = 0
    state: str = DRAFT

    @property
    def waits(self) -> bool:
        return self.state == WAITING


def new_slip(office: Office, slip: Slip, files: Sequence[str], now: datetime) -> Slip:
    """Kept with copies of its files. Raises ConfigError when there are too many."""
    _clear(office, now)
    if len(_ids(office)) >= MOST:
        told = (
            "待处理的记录过多，请先确认或作废",
            "too many records wait; confirm or drop some first",
        )
        raise ConfigError([say(*told)])
    made = replace(slip, id=f"{now:%Y%m%d}-{secrets.token_hex(6)}", at=now.isoformat())
    folder = folder_of(office, made.id)
    folder.mkdir(parents=True, mode=0o700)
    names: list[str] = []
    for number, path in enumerate(map(Path, files), 1):
        name = re.sub(r"[;；\n]", "_", path.name)  # what separates names in a cell
        if name in names or name == "slip.json":
            name = f"{number}-{name}"
        shutil.copyfile(path, folder / name)
        names.append(name)
    made = replace(made, files=tuple(names))
    write(office, made)
    return made


def folder_of(office: Office, identity: str) -> Path:
    """Raises ConfigError for what is no name of a slip."""
    if not ID.fullmatch(identity):
        raise _gone()
    return office.data / "slips" / identity


def write(office: Office, slip: Slip) -> None:
    """Wholly or not at all."""
    text = json.dumps(asdict(slip), ensure_ascii=False, indent=1)
    write_whole(folder_of(office, slip.id) / "slip.json", text.encode())


def read(office: Office, identity: str) -> Slip:
    """Raises ConfigError."""
    path = folder_of(office, identity) / "slip.json"
    try:
        table = json.loads(path.read_bytes())
        return Slip(**table | {"files": tuple(table["files"]), "points": tuple(table["points"])})
    except FileNotFoundError:
        raise _gone() from None
    except (OSError, ValueError, TypeError, KeyError) as error:
        told = why(error) if isinstance(error, OSError) else str(error)
        raise ConfigError([f"{path}: {told}"]) from None


def waiting(office: Office) -> list[Slip]:
    """Those for a second person, oldest first; one that cannot be read is left out."""
    found = []
    for identity in _ids(office):
        try:
            slip = read(office, identity)
        except ConfigError:
            continue
        if slip.waits:
            found.append(slip)
    return sorted(found, key=lambda each: each.at)


def drop(office: Office, slip: Slip) -> None:
    """It was decided, or its author thought better of it."""
    shutil.rmtree(folder_of(office, slip.id), ignore_errors=True)


def file_of(office: Office, slip: Slip, name: str) -> Path:
    """One of its documents. Raises ConfigError."""
    if name not in slip.files:
        raise ConfigError([say("没有这个文件", "there is no such file")])
    return folder_of(office, slip.id) / name


def _ids(office: Office) -> list[str]:
    folder = office.data / "slips"
    if not folder.is_dir():
        return []
    return sorted(each.name for each in folder.iterdir() if ID.fullmatch(each.name))


def _clear(office: Office, now: datetime) -> None:
    """Drafts that nobody came back to."""
    for identity in _ids(office):
        folder = folder_of(office, identity)
        try:
            slip = read(office, identity)
            old = not slip.waits and datetime.fromisoformat(slip.at) < now - DRAFT_FOR
        except ConfigError:
            age_s = now.timestamp() - folder.stat().st_mtime
            old = not (folder / "slip.json").exists() and age_s > DRAFT_FOR.total_seconds()
        if old:
            shutil.rmtree(folder, ignore_errors=True)


def _gone() -> ConfigError:
    told = (
        "没有这条待办记录：可能已登记、已作废或草稿已过期",
        "no such record in hand: it may be written, dropped or, as a draft, have expired",
    )
    return ConfigError([say(*told)])
