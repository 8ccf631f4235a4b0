"""From rows to the journal: what would be added, and every refusal with its row, all at once."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from drivers.language import say
from drivers.model import ConfigError
from reports.chain import write_whole
from reports.entries.documents import keep, kept_at
from reports.entries.ledger import Document
from reports.entries.reading import RowError
from reports.journal.journal import Journal
from reports.journal.reading import Reader, Signed
from reports.journal.record import Evidence, Record
from reports.journal.rows import Row, read_rows
from reports.journal.supporting import Drawing
from reports.rules.packs import RulePack
from reports.site import Site


@dataclass(frozen=True, slots=True)
class Office:
    """What rows are read against."""

    site: Site
    packs: Mapping[str, RulePack]
    journal: Journal
    now: datetime


@dataclass(frozen=True, slots=True)
class Proposed:
    """New records, and the files to keep with them; what is there already is left out."""

    records: tuple[Record, ...]
    same: tuple[Record, ...]  # of the journal; said again
    files: Mapping[str, Path]  # documents by SHA-256
    copies: Mapping[str, tuple[str, bytes]]  # traces by SHA-256: name and content

    def keep_files(self, journal: Path) -> None:
        """Documents and traces go where they are kept, before the journal names them."""
        named = {each for record in self.records for each in record.evidence}
        named |= {each.source for each in self.records if each.source is not None}
        for evidence in named:  # the same bytes may stand under two names
            document = Document(evidence.name, evidence.sha256)
            if evidence.sha256 in self.copies:
                kept = kept_at(journal, document)
                kept.parent.mkdir(parents=True, exist_ok=True)
                write_whole(kept, self.copies[evidence.sha256][1])
            elif evidence.sha256 in self.files:
                keep(journal, document, self.files[evidence.sha256])


def propose_table(path: Path, office: Office, signed: Signed, drawing: Drawing) -> Proposed:
    """A table, wholly or not at all. Raises ConfigError with every refused row, SeriesError."""
    rows = read_rows(path)
    content = path.read_bytes()
    source = Evidence(kind="document", sha256=hashlib.sha256(content).hexdigest(), name=path.name)
    reader = _reader(office, signed, path.parent, drawing, source)
    reader.files[source.sha256] = path
    return _propose(rows, reader, office, f"{path}")


def propose_one(
    cells: Mapping[str, str], office: Office, signed: Signed, folder: Path, drawing: Drawing
) -> Proposed:
    """One record as the command line states it. Raises ConfigError, SeriesError."""
    reader = _reader(office, signed, folder, drawing, None)
    return _propose([Row(cells)], reader, office, "")


def _reader(
    office: Office, signed: Signed, folder: Path, drawing: Drawing, source: Evidence | None
) -> Reader:
    return Reader(office.site, office.packs, office.now, signed, folder, drawing, source)


def _propose(rows: Sequence[Row], reader: Reader, office: Office, path: str) -> Proposed:
    problems: list[str] = []
    known = {_key(each): each for each in office.journal.records}
    found: dict[_Key, Record] = {}
    same: list[Record] = []
    colon = say("：", ": ")
    for row in rows:
        where = f"{row.where}{colon}" if path else ""
        try:
            record = reader.record(row)
        except RowError as error:
            problems.append(f"{where}{error}")
            continue
        before = known.get(_key(record))
        if before is not None and _says_the_same(record, before):
            same.append(before)
        elif before is not None:
            problems.append(f"{where}{_taken(before)}")
        elif _key(record) in found:
            twice = say("与表中另一行重复", "the same as another row of the table")
            problems.append(f"{where}{twice}")
        else:
            found[_key(record)] = record
    if problems:
        if path:
            nothing = say("没有导入任何记录", "nothing was imported")
            problems = [f"{path}{colon}{text}" for text in (*problems, nothing)]
        raise ConfigError(problems)
    return Proposed(tuple(found.values()), tuple(same), reader.files, reader.drawing.copies)


_Key = tuple[str, str, str, int, int | None, tuple[str, ...], str]


def _key(record: Record) -> _Key:
    """What makes two records the same thing said twice."""
    title = record.facts.get("title", "") + record.facts.get("order", "")
    where = (record.kind, record.what, record.equipment)
    return (*where, record.start_ns, record.end_ns, record.pollutants, title)


def _says_the_same(record: Record, before: Record) -> bool:
    """Reason, facts and documents; a trace drawn anew may differ, and is not what was said."""
    told = [
        {key: text for key, text in each.facts.items() if not key.startswith("judgement")}
        for each in (record, before)
    ]
    documents = [
        {x.sha256 for x in each.evidence if x.kind == "document"} for each in (record, before)
    ]
    return told[0] == told[1] and documents[0] <= documents[1] and record.reason == before.reason


def _taken(before: Record) -> str:
    return say(
        f"与第 {before.number} 条相同但内容不一；要更正，先撤回："
        f"smelter journal withdraw {before.number}",
        f"is record {before.number} already, with other facts; to correct it withdraw that first: "
        f"smelter journal withdraw {before.number}",
    )
