"""Batches of the record log → messages; deterministic, a restart goes on from the saved state."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypedDict

from agent.forward.figures import (
    Figure,
    Figures,
    FigureState,
    Together,
    of_logger,
    of_stack,
    texts,
)
from agent.forward.settings import ForwardConfig
from agent.wire.layouts import measurement_and_period

MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400
LOCAL_S = 28_800
GRACE_S = 120  # after its end a minute of the gateway is taken as it is
COMMANDS = {"minute": "2051", "hour": "2061", "day": "2031"}
_FIELD = re.compile(r'([A-Za-z0-9_]+)=("(?:[^"\\]|\\.)*"|[^,]*)')


@dataclass(frozen=True, slots=True)
class Message:
    """The data of one packet; ``start_s`` is the start of its period, seconds UTC."""

    command: str
    start_s: int
    span_s: int
    fields: tuple[tuple[str, str], ...]


class PartState(TypedDict):
    """A period under way, as JSON."""

    start_s: int
    expected: int
    parts: list[dict[str, FigureState]]


class MakerState(TypedDict):
    """As JSON; kept together with the messages made so far."""

    open: dict[str, dict[str, str]]
    newest_s: int
    minutes: PartState | None
    hour: PartState | None
    day: PartState | None


class Maker:
    """Takes the windows of one stack out of batches and says what is to be sent."""

    def __init__(self, config: ForwardConfig, plant: str) -> None:
        line, _, unit = config.equipment.partition("/")
        self._tags = f"plant={plant},line={line},unit={unit}"
        self._config = config
        self._source = config.source
        self.late = 0  # minutes that came after their hour was closed
        self._open: dict[int, dict[str, str]] = {}  # minutes of the gateway that may still grow
        self._newest_s = 0
        self._minutes: Together | None = None
        self._hour: Together | None = None
        self._day: Together | None = None

    def take(self, payload: str, closed_ns: int) -> list[Message]:
        """What follows from one batch; ``closed_ns`` says how late it is, not the clock."""
        made: list[Message] = []
        for line in payload.split("\n"):
            head, _, rest = line.partition(" ")
            measurement, _, tags = head.partition(",")
            if tags != self._tags:
                continue
            name, span_s = measurement_and_period(measurement)
            if name != self._source or not span_s:
                continue
            body, _, stamp = rest.rpartition(" ")
            start_s = int(stamp) // 1_000_000_000
            fields = dict(_FIELD.findall(body))
            if self._source == "cems":
                made += self._said(start_s, span_s, of_logger(fields))
            elif span_s == MINUTE_S:
                self._open.setdefault(start_s, {}).update(fields)
        if self._source == "stack":
            made += self._close(closed_ns / 1e9)
        return made

    def _said(self, start_s: int, span_s: int, figures: Figures) -> list[Message]:
        kind = {HOUR_S: "hour", DAY_S: "day"}.get(span_s, "minute")
        if kind not in self._config.send or not figures:
            return []
        return [_message(COMMANDS[kind], start_s, span_s, figures)]

    # --- what the gateway computed itself: minutes, and from them hours and days

    def _close(self, now_s: float) -> list[Message]:
        made: list[Message] = []
        for start_s in sorted(self._open):
            if start_s + MINUTE_S + GRACE_S <= now_s or self._is_whole(start_s):
                figures = of_stack(self._open.pop(start_s))
                if figures:
                    made += self._minute(start_s, figures)
        return made + self._passed(now_s)

    def _is_whole(self, start_s: int) -> bool:
        """Its computed part is here, and a later minute has begun to come."""
        computed = any(
            "_dry_n" in name or name == "flow_standard_n" for name in self._open[start_s]
        )
        return computed and any(other > start_s for other in self._open)

    def _minute(self, start_s: int, figures: Figures) -> list[Message]:
        made = self._passed(start_s, grace_s=0)
        if self._newest_s and start_s <= self._newest_s:
            self.late += 1
            if self._config.minutes == 1 and "minute" in self._config.send:
                made.append(_message("2051", start_s, MINUTE_S, figures))
            return made
        self._newest_s = start_s
        span_s = self._config.minutes * MINUTE_S
        self._minutes = _grown(self._minutes, start_s, span_s, MINUTE_S, figures)
        self._hour = _grown(self._hour, start_s, HOUR_S, MINUTE_S, figures)
        if self._config.minutes == 1:
            made += self._end_minutes()
        return made

    def _passed(self, now_s: float, grace_s: int = GRACE_S) -> list[Message]:
        """Close what ended before ``now_s``."""
        made: list[Message] = []
        if _over(self._minutes, self._config.minutes * MINUTE_S, now_s, grace_s):
            made += self._end_minutes()
        if _over(self._hour, HOUR_S, now_s, grace_s):
            made += self._end_hour()
        if _over(self._day, DAY_S, now_s, grace_s):
            made += self._end_day()
        return made

    def _end_minutes(self) -> list[Message]:
        group, self._minutes = self._minutes, None
        span_s = self._config.minutes * MINUTE_S
        return self._made("minute", group, span_s) if group else []

    def _end_hour(self) -> list[Message]:
        group, self._hour = self._hour, None
        if group is None:
            return []
        made: list[Message] = []
        if self._day is not None and group.start_s >= self._day.start_s + DAY_S:
            made += self._end_day()
        made += self._made("hour", group, HOUR_S)
        self._day = _grown(self._day, group.start_s, DAY_S, HOUR_S, group.result())
        return made

    def _end_day(self) -> list[Message]:
        group, self._day = self._day, None
        return self._made("day", group, DAY_S) if group else []

    def _made(self, kind: str, group: Together, span_s: int) -> list[Message]:
        if kind not in self._config.send:
            return []
        return [_message(COMMANDS[kind], group.start_s, span_s, group.result())]

    # --- over a restart

    def state(self) -> MakerState:
        return {
            "open": {str(start): fields for start, fields in self._open.items()},
            "newest_s": self._newest_s,
            "minutes": _saved(self._minutes),
            "hour": _saved(self._hour),
            "day": _saved(self._day),
        }

    def restore(self, state: MakerState) -> None:
        self._open = {int(start): dict(fields) for start, fields in state["open"].items()}
        self._newest_s = state["newest_s"]
        self._minutes = _restored(state["minutes"])
        self._hour = _restored(state["hour"])
        self._day = _restored(state["day"])


def _message(command: str, start_s: int, span_s: int, figures: Figures) -> Message:
    return Message(command, start_s, span_s, tuple(texts(figures)))


def _grown(
    group: Together | None, start_s: int, span_s: int, part_s: int, figures: Figures
) -> Together:
    if group is None:
        first = (start_s + LOCAL_S) // span_s * span_s - LOCAL_S
        group = Together(first, span_s // part_s)
    group.parts.append(figures)
    return group


def _over(group: Together | None, span_s: int, now_s: float, grace_s: int) -> bool:
    return group is not None and group.start_s + span_s + grace_s <= now_s


def _saved(group: Together | None) -> PartState | None:
    if group is None:
        return None
    parts = [{code: figure.state() for code, figure in part.items()} for part in group.parts]
    return {"start_s": group.start_s, "expected": group.expected, "parts": parts}


def _restored(state: PartState | None) -> Together | None:
    if state is None:
        return None
    parts: Iterable[Figures] = (
        {code: Figure.of(saved) for code, saved in part.items()} for part in state["parts"]
    )
    return Together(state["start_s"], state["expected"], list(parts))
