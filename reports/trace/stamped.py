"""
Windows that were moved to their true time, found in the originals under the stamp they have there.

A ``retimed`` line of the same log says how what an unsynced gateway stamped was moved; the line in
the batch keeps its stamp. Read from the originals alone, as docs/time.md says.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from reports.package.verify import Shift, shifts_of
from reports.trace.originals import Original, OriginalsError, closed_between

_EVER_NS: Final = 1 << 63
_STAMP: Final = re.compile(r" (\d+)$")


@dataclass
class Shifts:
    """The ``retimed`` lines of logs, each log read through once and only when it is asked for."""

    _known: dict[Path, list[tuple[int, Shift]]] = field(default_factory=dict)

    def of(self, folder: Path) -> list[tuple[int, Shift]]:
        """Batch number and shift, in order; none where the log cannot be read."""
        if folder not in self._known:
            found: list[tuple[int, Shift]] = []
            try:
                for each in closed_between(folder, -_EVER_NS, _EVER_NS):
                    found += [(each.seq, shift) for shift in shifts_of(each.payload)]
            except OriginalsError:
                found = []
            self._known[folder] = found
        return self._known[folder]

    def stamps(self, folder: Path, true_ns: int) -> list[int]:
        """Stamps near which the window of a true time may stand, ns."""
        return [shift.stamp_of(true_ns) for _, shift in self.of(folder)]

    def line(
        self, original: Original, start: str, true_ns: int, period_ns: int = 0
    ) -> tuple[str, int] | None:
        """
        The line of a batch that was moved to this time, and the batch that says so.

        With ``period_ns`` the line of a window of that length in which the time lies.
        """
        known = self.of(original.path.parent)
        for line in original.lines() if known else ():
            stamp = _STAMP.search(line) if line.startswith(start) else None
            if stamp is None:
                continue
            for seq, shift in known:
                late_ns = true_ns - int(stamp[1]) - shift.at(int(stamp[1]))
                begin_ns = true_ns - late_ns if 0 <= late_ns < period_ns else true_ns
                if shift.fits(int(stamp[1]), begin_ns):
                    return line, seq
        return None
