"""What a batch holds, as columns: samples, windows, events, rejected lines, and where from."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from agent.views import Source
from drivers.model import Floats, Indices

Ints = npt.NDArray[np.int32]
NONE = -1  # code of "no reason" in a column of reason codes


@dataclass(frozen=True, slots=True)
class Origin:
    """The batch that a row came from."""

    source: Source
    seq: int
    closed_ns: int


class Names:
    """Append-only list of texts with their codes, so that columns hold small integers."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.texts: list[str] = []
        self._codes: dict[str, int] = {}

    def code(self, text: str) -> int:
        """The code of ``text``; OverflowError when junk has filled the list."""
        found = self._codes.get(text)
        if found is None:
            if len(self.texts) >= self.limit:
                raise OverflowError(f"more than {self.limit} different names")
            found = self._codes[text] = len(self.texts)
            self.texts.append(text)
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Raw samples; ``value`` is NaN where only a reason came. Codes index the parser's names."""

    ts_ns: Indices
    equipment: Ints
    quantity: Ints
    value: Floats
    reason: Ints
    batch: Ints

    def __len__(self) -> int:
        return len(self.ts_ns)


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """Window rows; NaN = not there. ``registers`` is sparse: row -> hex text."""

    ts_ns: Indices
    period_s: Ints
    equipment: Ints
    quantity: Ints
    mean: Floats
    low: Floats
    high: Floats
    last: Floats
    inc: Floats
    n: Ints
    good: Floats
    reason: Ints
    registers: npt.NDArray[np.object_]
    batch: Ints

    def __len__(self) -> int:
        return len(self.ts_ns)


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event line; the row with the highest seq of an id counts."""

    ts_ns: int
    end_ns: int | None
    kind: str
    equipment: str | None
    id: str
    text: str
    amount: float | None
    batch: int
    peak: float | None = None  # of an anode effect: V, V, V·s, s
    mean: float | None = None
    integral: float | None = None
    gap: float | None = None


@dataclass(frozen=True, slots=True)
class RetimedRow:
    """A stretch of gateway time and what to add to it, at its start and at its end."""

    ts_ns: int
    end_ns: int
    shift_ns: int
    shift_end_ns: int
    boot: str | None
    batch: int


@dataclass(frozen=True, slots=True)
class Reject:
    """A line that was not understood, kept as it came."""

    line: str
    reason: str
    batch: int


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Everything that some batches hold; ``batch`` columns index ``origins``."""

    origins: tuple[Origin, ...]
    samples: Samples
    windows: Windows
    events: list[EventRow] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    retimed: list[RetimedRow] = field(default_factory=list)
    frames: int = 0  # `frame` lines: understood, and of no use to the lake

    @property
    def values(self) -> int:
        return len(self.samples) + len(self.windows)
