"""
What others saw of the journal: a report keeps its count and head, and the journal leads on from it.

Whoever removes or replaces the file has a journal that no longer does; the traces it once kept lie
in ``documents/`` without a record that names them.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from drivers.language import say
from drivers.model import ConfigError
from reports.journal.journal import Journal
from reports.lodgings import Lodgings

READERS: Final = frozenset({"emissions", "grade"})  # reports that stand on the journal
TRACES: Final = "*-trace-*.csv"


@dataclass(frozen=True, slots=True)
class Seen:
    """How many records somebody saw, and the hash of the last of them."""

    count: int
    head: str
    where: str  # who saw it: the name of a file


def leads_to(journal: Journal, count: int, head: str) -> bool:
    """True when the first ``count`` records are those that had this head."""
    return count == 0 or (len(journal.all) >= count and journal.all[count - 1].hash == head)


def in_report(path: Path) -> Seen | None:
    """What a report on disk saw; None where it is no report that says so, or cannot be read."""
    try:
        table: Any = json.loads(path.read_bytes())
        used = table["content"]["journal"]
        return Seen(int(used["entries"]), str(used["head"]), path.name)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def in_lodged(lodgings: Lodgings) -> Iterator[Seen]:
    """What the copies of lodged reports saw."""
    for lodging in lodgings.lodgings:
        if lodging.report in READERS:
            seen = in_report(lodgings.copy(lodging))
            if seen is not None:
                yield Seen(seen.count, seen.head, f"{lodging.file} ({lodging.receipt})")


def in_folder(folder: Path) -> Iterator[Seen]:
    """What the reports of a folder saw, all versions."""
    for name in sorted(READERS):
        for path in sorted(folder.glob(f"{name}-*-v*.json")):
            seen = in_report(path)
            if seen is not None:
                yield seen


def fault(journal: Journal, seen: Seen) -> str:
    """One sentence when the journal does not lead to what was seen; "" when it does."""
    if leads_to(journal, seen.count, seen.head):
        return ""
    now = len(journal.all)
    return say(
        f"{seen.where} 用的环保记录为 {seen.count} 条、末条 {seen.head[:16]}，"
        f"现有 {now} 条且不再延续：记录被截断、替换或删除；请用备份恢复",
        f"{seen.where} stood on a journal of {seen.count} records, head {seen.head[:16]}; the "
        f"{now} records there now do not lead to it: it was cut, replaced or removed; "
        "restore it from a backup",
    )


def refuse_unless_led_to(journal_file: Path, journal: Journal, seen: list[Seen]) -> None:
    """Raises ConfigError naming each report whose journal this is not."""
    faults = [text for each in seen if (text := fault(journal, each))]
    if faults:
        raise ConfigError([f"{journal_file}: {text}" for text in dict.fromkeys(faults)])


def without_record(journal: Journal, documents: Path) -> list[str]:
    """Traces that were kept for marks and that no record names, one sentence each."""
    named = {each.sha256 for record in journal.all for each in record.evidence}
    return [
        say(
            f"{path}：数据曲线副本没有对应的记录：记录被截断或替换（或添加时中断）",
            f"{path}: a trace copy without a record: the journal was cut or replaced (or an "
            "addition was broken off)",
        )
        for path in sorted(documents.glob(TRACES))
        if path.name.partition("-")[0] not in named
    ]
