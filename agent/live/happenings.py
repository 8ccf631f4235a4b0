"""Events as whoever looks wants them: those that last, and the newest of those that are over."""

from dataclasses import dataclass

from agent.views import Source
from agent.wire.columns import EventRow
from agent.wire.events import Happening

MOST_OPEN = 500
MOST_OVER = 300
TEXT = 400  # characters
HIDDEN = frozenset({"audit"})  # acts: the audit trail is read elsewhere
# Kinds that are written at their start and again at their end; the others have no duration.
LASTING = frozenset(
    Happening(kind)
    for kind in (
        *("gap", "device_lost", "overload", "clock_unsynced", "device_clock", "dropped"),
        *("log_full", "log_filling", "anode_effect", "anode_effect_warning", "unstable"),
        *("fouling", "pressure_drop", "heat_balance", "acid_dew", "cems_gap"),
        *("exceedance_warning", "exceedance"),
    )
)


@dataclass(frozen=True, slots=True)
class Happened:
    """The newest word of one event; ``mark``: when it was heard, in the table's own count."""

    id: str
    kind: str
    equipment: str
    start_ns: int
    end_ns: int | None
    text: str
    amount: float | None
    gateway: str
    order: tuple[str, int]  # log and number: a later number of one log counts
    mark: int

    def data(self) -> dict[str, object]:
        """As JSON says it; times in ms."""
        return {
            "id": self.id,
            "kind": self.kind,
            "equipment": self.equipment,
            "start_ms": self.start_ns // 1_000_000,
            "end_ms": None if self.end_ns is None else self.end_ns // 1_000_000,
            "text": self.text,
            "amount": self.amount,
            "gateway": self.gateway,
        }


class Happenings:
    """All that is known of events, by id; bounded."""

    def __init__(self) -> None:
        self._by_id: dict[str, Happened] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def take(self, row: EventRow, source: Source, seq: int, mark: int) -> None:
        """One event line of that batch."""
        if row.kind in HIDDEN or len(row.id) > TEXT:
            return
        known = self._by_id.get(row.id)
        if known is not None and known.order[0] == source.log and known.order[1] > seq:
            return  # a backlog tells what is over already
        self._by_id[row.id] = Happened(
            id=row.id,
            kind=row.kind[:80],
            equipment=(row.equipment or "")[:160],
            start_ns=row.ts_ns,
            end_ns=row.ts_ns if row.end_ns is None and row.kind not in LASTING else row.end_ns,
            text=row.text[:TEXT],
            amount=row.amount if row.amount is not None and abs(row.amount) < 1e300 else None,
            gateway=source.gateway,
            order=(source.log, seq),
            mark=mark,
        )
        if len(self._by_id) > 2 * (MOST_OPEN + MOST_OVER):
            self.tidy()

    def tidy(self) -> None:
        """Only so many stay, the newest."""
        newest = sorted(self._by_id.values(), key=lambda each: each.start_ns, reverse=True)
        lasting = [each for each in newest if each.end_ns is None][:MOST_OPEN]
        over = [each for each in newest if each.end_ns is not None][:MOST_OVER]
        self._by_id = {each.id: each for each in (*lasting, *over)}

    def lasting(self, kind: str) -> list[Happened]:
        """Open events of a kind."""
        return [e for e in self._by_id.values() if e.end_ns is None and e.kind == kind]

    def since(self, mark: int) -> list[dict[str, object]]:
        """What was heard after ``mark``, the newest first."""
        self.tidy()
        found = [each for each in self._by_id.values() if each.mark > mark]
        return [each.data() for each in sorted(found, key=lambda e: e.start_ns, reverse=True)]
