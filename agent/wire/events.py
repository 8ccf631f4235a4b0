"""What happened, as an interval with a cause: Event, and the book of those that are still open."""

from dataclasses import dataclass, field, replace
from enum import StrEnum

from drivers.model import Equipment


class Happening(StrEnum):
    """Kinds of events on the wire."""

    GAP = "gap"
    DEVICE_LOST = "device_lost"
    ROLLOVER = "rollover"
    RESET = "reset"
    REPLACEMENT = "replacement"
    OVERLOAD = "overload"
    CLOCK_STEP = "clock_step"
    CLOCK_UNSYNCED = "clock_unsynced"  # nobody knows how wrong the gateway's clock is
    RETIMED = "retimed"  # what was stamped meanwhile has its true time now, beside its own
    DEVICE_CLOCK = "device_clock"  # a device's clock is off, ran backwards or stands still
    CONFIG_CHANGE = "config_change"
    LOG_FULL = "log_full"
    LOG_FILLING = "log_filling"  # over 70 % of the room is taken by what must be kept
    PRUNED = "pruned"  # receipted batches whose time was over, or that had to make room
    DROPPED = "dropped"
    CONFLICT = "conflict"
    START = "start"
    STOP = "stop"
    ANODE_EFFECT = "anode_effect"
    ANODE_EFFECT_WARNING = "anode_effect_warning"
    UNSTABLE = "unstable"
    FOULING = "fouling"
    PRESSURE_DROP = "pressure_drop"
    HEAT_BALANCE = "heat_balance"
    ACID_DEW = "acid_dew"
    BAD_FRAME = "bad_frame"  # packets of a CEMS logger that could not be used (CRC, MN, password)
    CEMS_GAP = "cems_gap"  # minutes, hours or days that the logger did not give when asked
    EXCEEDANCE_WARNING = "exceedance_warning"  # the hour will probably end above the limit
    EXCEEDANCE = "exceedance"  # it did
    KEY_ROTATION = "key_rotation"  # another key signs; the text has both and the cross-signature
    FORK = "fork"  # two heads of one log that cannot both be true
    CHECKPOINT_REFUSED = "checkpoint_refused"  # not signed by whom it should be, or an old one
    HASH_STATED = "hash_stated"  # leaves the historian never saw: the gateway's word
    EVIDENCE_STOPPED = "evidence_stopped"  # nothing is signed, and why
    RECEIPT_REFUSED = "receipt_refused"  # for numbers that were never sent, or of no log of ours
    PEER_REFUSED = "peer_refused"  # who answers is not who should; nothing was sent
    CERTIFICATE = "certificate_expiring"  # or a revocation list: 30 days before, and at the end
    AUDIT_STOPPED = "audit_stopped"  # acts cannot be recorded, or the trail was changed


@dataclass(frozen=True, slots=True)
class Measured:
    """What an anode effect measured, as far as it was seen."""

    peak_v: float
    mean_v: float
    overvoltage_vs: float  # ∫(V − target) dt
    gap_s: float  # inside it, not seen


@dataclass(frozen=True, slots=True)
class Event:
    """One event; ``end_ns`` is None while it lasts. ``amount`` is in the unit the text names."""

    kind: Happening
    start_ns: int
    id: str
    text: str
    equipment: Equipment | None = None
    end_ns: int | None = None
    amount: float | None = None
    measured: Measured | None = None


@dataclass(frozen=True, slots=True)
class Retimed:
    """
    Gateway time [start, end) was wrong: add ``shift_ns`` at its start, ``shift_end_ns`` at its end.

    Between them the shift is linear. ``mono_ns`` since the boot is of its start.
    """

    start_ns: int
    end_ns: int
    shift_ns: int
    shift_end_ns: int
    mono_ns: int
    boot: str


@dataclass(slots=True)
class Told:
    """What followed: events, and lines of the record stream."""

    events: list[Event] = field(default_factory=list)
    lines: list[bytes] = field(default_factory=list)


class EventBook:
    """
    Makes events with ids that stay the same from start to end, and knows which are open.

    Two events of one kind and equipment never share a start: a store that overwrites equal times
    would keep only one, so the later is moved by a nanosecond.
    """

    def __init__(self) -> None:
        self._open: dict[tuple[Happening, str], Event] = {}
        self._newest: dict[tuple[Happening, Equipment | None], int] = {}

    def once(
        self,
        kind: Happening,
        start_ns: int,
        text: str,
        *,
        equipment: Equipment | None = None,
        end_ns: int | None = None,
        amount: float | None = None,
    ) -> Event:
        """An event that is already over (a rollover) or has no duration (a start)."""
        start_ns = self._free(kind, equipment, start_ns)
        where = f"-{equipment}" if equipment else ""
        return Event(kind, start_ns, f"{kind}{where}-{start_ns}", text, equipment, end_ns, amount)

    def begin(
        self,
        kind: Happening,
        subject: str,
        start_ns: int,
        text: str,
        equipment: Equipment | None = None,
    ) -> Event | None:
        """Open an event about ``subject``; None when one is open already."""
        if (kind, subject) in self._open:
            return None
        start_ns = self._free(kind, equipment, start_ns)
        event = Event(kind, start_ns, f"{kind}-{subject}-{start_ns}", text, equipment)
        self._open[kind, subject] = event
        return event

    def finish(
        self,
        kind: Happening,
        subject: str,
        end_ns: int,
        text: str = "",
        amount: float | None = None,
    ) -> Event | None:
        """Close the open event about ``subject``; None when there is none."""
        event = self._open.pop((kind, subject), None)
        if event is None:
            return None
        end_ns = max(end_ns, event.start_ns)
        return replace(event, end_ns=end_ns, text=text or event.text, amount=amount)

    def end(self, event: Event, end_ns: int) -> Event | None:
        """Close this open event."""
        for (kind, subject), known in self._open.items():
            if known.id == event.id:
                return self.finish(kind, subject, end_ns)
        return None

    def lasting(self) -> tuple[Event, ...]:
        return tuple(self._open.values())

    def _free(self, kind: Happening, equipment: Equipment | None, start_ns: int) -> int:
        newest = self._newest.get((kind, equipment), 0)
        if start_ns <= newest < start_ns + 1_000_000:
            start_ns = newest + 1
        self._newest[kind, equipment] = max(start_ns, newest)
        return start_ns
