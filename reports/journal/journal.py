"""
The journal of a plant, ``journal.jsonl`` beside the ledger: append-only and hash-chained.

Nothing is ever taken out: a withdrawal is a further record, and what it withdraws stays in ``all``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from reports.chain import NO_HASH, locked, read_chain, write_chain
from reports.journal.record import Kind, Record, read_record


@dataclass(frozen=True)
class Journal:
    """All records, oldest first; ``records`` are those that count."""

    all: tuple[Record, ...] = field(default=())

    @property
    def head(self) -> str:
        """Hash of the last line: whoever keeps it can tell later that nothing was changed."""
        return self.all[-1].hash if self.all else NO_HASH

    @cached_property
    def withdrawn(self) -> dict[int, Record]:
        """The withdrawals, by the number of what they take back."""
        return {each.withdraws: each for each in self.all if each.withdraws is not None}

    @cached_property
    def records(self) -> tuple[Record, ...]:
        """Neither withdrawn nor a withdrawal."""
        gone = self.withdrawn
        return tuple(x for x in self.all if x.withdraws is None and x.number not in gone)

    def of(self, kind: Kind) -> tuple[Record, ...]:
        """Those of a kind that count, by start, then number."""
        found = [each for each in self.records if each.kind == kind]
        return tuple(sorted(found, key=lambda each: (each.start_ns, each.number)))

    def marks(self, equipment: str, start_ns: int, end_ns: int) -> tuple[Record, ...]:
        """Marks of that equipment, or of the whole plant, that touch [start, end)."""
        return self._touching("mark", equipment, start_ns, end_ns)

    def checks(self, equipment: str, start_ns: int, end_ns: int) -> tuple[Record, ...]:
        """Checks of that equipment that touch [start, end)."""
        return self._touching("check", equipment, start_ns, end_ns)

    def verifications(self, equipment: str, start_ns: int, end_ns: int) -> tuple[Record, ...]:
        """Comparisons with a reference method that touch [start, end)."""
        return self._touching("verification", equipment, start_ns, end_ns)

    def exceedances(self, equipment: str, start_ns: int, end_ns: int) -> tuple[Record, ...]:
        """What was noted about exceedances that touch [start, end)."""
        return self._touching("exceedance", equipment, start_ns, end_ns)

    def alerts(self, start_ns: int, end_ns: int) -> tuple[Record, ...]:
        """Heavy-pollution alerts in force at any time of [start, end)."""
        return tuple(each for each in self.of("alert") if each.touches(start_ns, end_ns))

    def added(self, records: Sequence[Record]) -> "Journal":
        """The longer journal; number and chain of ``records`` are set here."""
        made, prev = list(self.all), self.head
        for record in records:
            made.append(record.model_copy(update={"number": len(made) + 1, "prev": prev}))
            prev = made[-1].hash
        return Journal(tuple(made))

    def _touching(
        self, kind: Kind, equipment: str, start_ns: int, end_ns: int
    ) -> tuple[Record, ...]:
        return tuple(
            each
            for each in self.of(kind)
            if each.equipment in {equipment, ""} and each.touches(start_ns, end_ns)
        )


def read_journal(path: Path) -> Journal:
    """
    The journal of ``path``; empty when there is no file yet.

    Raises ConfigError naming the line when the chain is broken or a line is not ours.
    """
    return Journal(read_chain(path, read_record))


def change_journal(path: Path, change: Callable[[Journal], Sequence[Record]]) -> Journal:
    """
    Add to the journal as one step that happens wholly or not at all.

    ``change`` gets the journal as it is under the lock and returns the new records, or raises.
    """
    with locked(path):
        before = read_journal(path)
        after = before.added(change(before))
        if after.all != before.all:
            write_chain(path, after.all)
    return after
