"""Which minutes, hours and days of a logger are here, and which are missing between them."""

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

DAY_S = 86_400
LOCAL_S = 28_800  # periods begin at whole ones of Beijing time
MOST = {"2051": 20_000, "2061": 2_000, "2031": 800}  # windows remembered of each kind
SETTLED_S = 120.0  # what was handed over so long ago is in the agent's log, whatever happened

Verdict = Literal["new", "same", "other"]


@dataclass(slots=True)
class _Window:
    digest: str
    taken_s: float  # monotonic; when it was handed over


@dataclass(slots=True)
class Known:
    """Windows by command and start (seconds UTC); the oldest are forgotten first."""

    windows: dict[str, dict[int, _Window]] = field(default_factory=dict)
    hopeless: dict[str, set[int]] = field(default_factory=dict)  # asked for in vain

    def take(self, command: str, start_s: int, digest: str, now_s: float) -> Verdict:
        """Note a window; ``same``: it was here, ``other``: it was here with other values."""
        mine = self.windows.setdefault(command, {})
        known = mine.get(start_s)
        mine[start_s] = _Window(digest, now_s)
        while len(mine) > MOST.get(command, 1000):
            del mine[min(mine)]
        self.hopeless.get(command, set()).discard(start_s)
        if known is None:
            return "new"
        if known.digest == digest:
            mine[start_s] = known
            return "same"
        return "other"

    def newest(self, command: str) -> int | None:
        return max(self.windows.get(command, ()), default=None)

    def missing(self, command: str, span_s: int, *, back_s: float, upto_s: float) -> list[int]:
        """Starts between known windows and up to ``upto_s`` that are not here and not hopeless."""
        mine = self.windows.get(command)
        if not mine:
            return []
        first = max(min(mine), whole_period(upto_s - back_s, span_s))
        last = whole_period(upto_s, span_s) - span_s
        hopeless = self.hopeless.get(command, set())
        return [
            start
            for start in range(first, last + 1, span_s)
            if start not in mine and start not in hopeless
        ]

    def give_up(self, command: str, starts: Iterable[int]) -> None:
        """These were asked for as often as the standard has it: do not ask again."""
        mine = self.hopeless.setdefault(command, set())
        mine.update(starts)
        while len(mine) > MOST.get(command, 1000):
            mine.discard(min(mine))

    # --- over a restart

    def text(self, now_s: float) -> str:
        """JSON of what is settled: a window handed over a moment ago is asked for again instead."""
        windows = {
            command: {
                str(start): window.digest
                for start, window in mine.items()
                if now_s - window.taken_s >= SETTLED_S
            }
            for command, mine in self.windows.items()
        }
        hopeless = {command: sorted(starts) for command, starts in self.hopeless.items()}
        return json.dumps({"form": 1, "windows": windows, "hopeless": hopeless})

    @classmethod
    def read(cls, path: Path) -> "Known":
        """From that file; empty when it is not there. Raises ValueError for one that is damaged."""
        try:
            content = json.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            return cls()
        try:
            settled = -SETTLED_S
            return cls(
                {
                    str(command): {int(s): _Window(str(d), settled) for s, d in mine.items()}
                    for command, mine in content["windows"].items()
                },
                {str(command): set(starts) for command, starts in content["hopeless"].items()},
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{path}: {error!r}") from None


def whole_period(time_s: float, span_s: int) -> int:
    """Start of the period that holds this instant."""
    return int((time_s + LOCAL_S) // span_s) * span_s - LOCAL_S


def runs(starts: Iterable[int], span_s: int, most: int) -> list[tuple[int, int]]:
    """First and last start of unbroken runs of at most ``most`` periods."""
    found: list[tuple[int, int]] = []
    for start in sorted(starts):
        if found and start == found[-1][1] + span_s and (start - found[-1][0]) // span_s < most:
            found[-1] = found[-1][0], start
        else:
            found.append((start, start))
    return found


def write_text(path: Path, text: str) -> None:
    """The old text or the new one, never half of it."""
    fresh = path.with_name(path.name + ".new")
    with fresh.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
