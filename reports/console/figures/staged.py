"""
Tables that a visitor uploaded or typed and that are not in the ledger yet.

``<console data>/staged/<id>/``: the table and the documents it names; ``<id>.json`` beside it says
of which month, by whom, when. What nobody confirmed goes after a while. Nothing here is evidence.
"""

import csv
import io
import json
import re
import secrets
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final
from zipfile import BadZipFile, ZipFile

from drivers.audit import current_person
from drivers.language import say
from drivers.model import ConfigError
from reports.chain import write_whole
from reports.console.figures.wording import retold
from reports.console.office import Office

ID: Final = re.compile(r"[0-9a-f]{16}")
KEPT_S: Final = 14 * 86_400.0
MOST: Final = 50  # at a time; the oldest goes
DOCUMENTS_MOST: Final = 100
BYTES_MOST: Final = 200 << 20  # of one table with its documents
UNPACKED_MOST: Final = 64 << 20  # of a workbook; a month's table has less than one
ROWS_MOST: Final = 2000  # typed at once


@dataclass(frozen=True, slots=True)
class Staged:
    """``made`` is wall time in s; ``name`` the table's file name; ``typed``: made of a form."""

    id: str
    month: str
    name: str
    person: str
    made: float
    typed: bool = False

    def folder(self, office: Office) -> Path:
        return _root(office) / self.id

    def table(self, office: Office) -> Path:
        return self.folder(office) / self.name


def _root(office: Office) -> Path:
    return office.data / "staged"


def find(office: Office, identity: str) -> Staged:
    """Raises ConfigError when it is not there (any more)."""
    try:
        if ID.fullmatch(identity):
            told = json.loads((_root(office) / f"{identity}.json").read_bytes())
            return Staged(**told)
    except (OSError, ValueError, TypeError):
        pass
    raise ConfigError(
        [
            say(
                "这份待导入的表格已导入或已放弃；请重新上传",
                "this table was imported or dropped meanwhile; upload it again",
            )
        ]
    )


def waiting(office: Office, month: str) -> list[Staged]:
    """Those of a month, newest first; what is too old goes."""
    found = sorted(_all(office), key=lambda x: x.made, reverse=True)
    old = time.time() - KEPT_S
    for each in [x for n, x in enumerate(found) if x.made < old or n >= MOST]:
        drop(office, each.id)
    return [x for x in found[:MOST] if x.month == month and x.made >= old]


def _all(office: Office) -> list[Staged]:
    found = []
    for path in _root(office).glob("*.json"):
        try:
            found.append(find(office, path.stem))
        except ConfigError:
            continue
    return found


def drop(office: Office, identity: str) -> dict[str, str]:
    """It goes with its documents; nothing when it is not there."""
    if ID.fullmatch(identity):
        (_root(office) / f"{identity}.json").unlink(missing_ok=True)
        shutil.rmtree(_root(office) / identity, ignore_errors=True)
    return {"dropped": identity}


def stage(office: Office, month: str, path: str, documents: Sequence[str] = ()) -> dict[str, str]:
    """Copies of an uploaded table and its documents. Raises ConfigError: one too large a file."""
    table = Path(path)
    _refuse_bomb(table)
    made = _new(office, month, table.name, typed=False)
    shutil.copyfile(table, made.table(office))
    try:
        add_documents(office, made.id, documents)
    except ConfigError:
        drop(office, made.id)
        raise
    return {"id": made.id}


def stage_rows(
    office: Office, month: str, rows: Sequence[Mapping[str, str]], documents: Sequence[str] = ()
) -> dict[str, str]:
    """
    Rows typed in a form, as a table of their own: kept like any other, so they can be proved.

    Each row maps columns of the template to texts. Raises ConfigError when there is none.
    """
    from reports.entries.table import COLUMNS

    filled = [row for row in rows if any(row.get(x, "").strip() for x in ("value", "note"))]
    if not filled:
        raise ConfigError([say("没有填写任何数值", "no value was filled in")])
    if len(filled) > ROWS_MOST:
        raise ConfigError([say(f"一次最多 {ROWS_MOST} 行", f"at most {ROWS_MOST} rows at once")])
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(time.time() + 8 * 3600))
    made = _new(office, month, f"typed-{month}-{stamp}-{secrets.token_hex(2)}.csv", typed=True)
    columns = [x for x in COLUMNS if x.id != "before" and any(row.get(x.id) for row in filled)]
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([column.header for column in columns])
    for row in filled:
        writer.writerow([_cell(row.get(column.id, "")) for column in columns])
    write_whole(made.table(office), text.getvalue().encode("utf-8-sig"))
    add_documents(office, made.id, documents)
    return {"id": made.id}


def _cell(text: str) -> str:
    """On one line; a row must not become a remark."""
    return " ".join(text.split()).lstrip("#")


def add_documents(office: Office, identity: str, documents: Sequence[str]) -> dict[str, str]:
    """Copies beside the table, under their own names. Raises ConfigError for too many bytes."""
    found = find(office, identity)
    folder = found.folder(office)
    for each in map(Path, documents):
        if each.name == found.name:
            told = say("凭证不能与表格同名", "a document may not be called like the table")
            raise ConfigError([f"{each.name}: {told}"])
        sizes = [x.stat().st_size for x in folder.iterdir() if x.name != each.name]
        if len(sizes) > DOCUMENTS_MOST or sum(sizes) + each.stat().st_size > BYTES_MOST:
            raise ConfigError(
                [
                    say(
                        f"凭证过多或过大：最多 {DOCUMENTS_MOST} 个、共 {BYTES_MOST >> 20} MB",
                        f"too many or too large documents: at most {DOCUMENTS_MOST}, "
                        f"{BYTES_MOST >> 20} MB in all",
                    )
                ]
            )
        shutil.copyfile(each, folder / each.name)
    return {"id": identity}


def _new(office: Office, month: str, name: str, *, typed: bool) -> Staged:
    made = Staged(secrets.token_hex(8), month, name, current_person(), time.time(), typed)
    made.folder(office).mkdir(parents=True, mode=0o700)
    text = json.dumps(asdict(made), ensure_ascii=False)
    write_whole(_root(office) / f"{made.id}.json", text.encode())
    return made


def _refuse_bomb(path: Path) -> None:
    """Raises ConfigError for a workbook that would take the memory."""
    if path.suffix.lower() != ".xlsx":
        return
    try:
        with ZipFile(path) as parts:
            unpacked = sum(part.file_size for part in parts.infolist())
    except BadZipFile as error:
        told = say(
            f"不是 XLSX 工作簿（{error}）；请另存为 .xlsx 或 .csv",
            f"no XLSX workbook ({error}); save it as .xlsx or .csv",
        )
        raise retold(ConfigError([f"{path.name}: {told}"])) from None
    if unpacked > UNPACKED_MOST:
        raise ConfigError(
            [
                f"{path.name}: "
                + say(
                    f"解压后有 {unpacked >> 20} MB，最多 {UNPACKED_MOST >> 20} MB",
                    f"{unpacked >> 20} MB unpacked, at most {UNPACKED_MOST >> 20} MB are read",
                )
            ]
        )
