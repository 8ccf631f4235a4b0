"""What the ``frame`` lines of raw batches say: which device gives which points, and if it does."""

from dataclasses import dataclass, field

from agent.wire.lines import LineError, read_line

MOST_POLLS = 4096
MOST_HEADS = 200_000
FRAME = "frame,"
REASON = 120  # characters


@dataclass(frozen=True, slots=True)
class Poll:
    """One cadence of one device."""

    gateway: str
    device: str
    interval_s: float
    subscribed: bool


@dataclass(slots=True)
class Seen:
    """The newest frame of a poll, and since when it is as it is."""

    slot_ns: int
    points: int
    bad: int
    reason: str
    lag_ms: float
    up: bool
    since_ns: int


@dataclass(slots=True)
class Polls:
    """Bounded; ``polls_of`` leads from the head of a line (measurement and tags) to its polls."""

    seen: dict[Poll, Seen] = field(default_factory=dict)
    heads_of: dict[Poll, set[str]] = field(default_factory=dict)
    polls_of: dict[str, set[Poll]] = field(default_factory=dict)

    def take(self, gateway: str, payload: bytes, most_ns: int) -> None:
        """All lines of one raw batch; a frame later than ``most_ns`` is of no clock of ours."""
        poll: Poll | None = None
        for line in payload.decode(errors="replace").split("\n")[1:]:
            if line.startswith(FRAME):
                poll = self._frame(gateway, line, most_ns)
            elif poll is not None and line:
                self._belongs(line.partition(" ")[0], poll)

    def _belongs(self, head: str, poll: Poll) -> None:
        polls = self.polls_of.get(head)
        if polls is None:
            if len(self.polls_of) >= MOST_HEADS:
                return
            polls = self.polls_of[head] = set()
        if poll not in polls and len(polls) < 16:
            polls.add(poll)
            self.heads_of.setdefault(poll, set()).add(head)

    def _frame(self, gateway: str, text: str, most_ns: int) -> Poll | None:
        try:
            line = read_line(text)
            poll = Poll(
                gateway,
                line.tags["device"],
                float(line.tags["interval"]),
                line.tags.get("mode") == "subscribe",
            )
            points, bad = (min(int(line.fields[x]), 1_000_000) for x in ("points", "bad"))
            lag_ms = min(max(float(line.fields.get("lag_ms", 0)), -1e9), 1e9)
        except (LineError, KeyError, ValueError, OverflowError):
            return None
        known = self.seen.get(poll)
        if known is None and len(self.seen) >= MOST_POLLS:
            return None
        if line.time_ns > most_ns or not 0 < poll.interval_s < 1e6:
            return None
        if known is not None and known.slot_ns > line.time_ns:
            return poll
        up = bad < points or points == 0
        same = known is not None and known.up == up
        since_ns = known.since_ns if known is not None and same else line.time_ns
        reason = str(line.fields.get("reason", ""))[:REASON]
        self.seen[poll] = Seen(line.time_ns, points, bad, reason, lag_ms, up, since_ns)
        return poll

    def hold_s(self, head: str) -> float:
        """How long a value of that line may stand for now: three intervals and the way here."""
        slowest = max((poll.interval_s for poll in self.polls_of.get(head, ())), default=60.0)
        return 3 * slowest + 60

    def devices(self, gateway: str, now_ns: int) -> list[dict[str, object]]:
        """Each device of a gateway by its newest frames."""
        found: dict[str, list[tuple[Poll, Seen]]] = {}
        for poll, seen in self.seen.items():
            if poll.gateway == gateway:
                found.setdefault(poll.device, []).append((poll, seen))
        return [_device(name, found[name], now_ns) for name in sorted(found)]


def silent(poll: Poll, seen: Seen, now_ns: int) -> bool:
    """No frame at all for three intervals: the gateway stands still, or the way from it."""
    return now_ns - seen.slot_ns > (3 * poll.interval_s + 15) * 1e9


def _device(name: str, polls: list[tuple[Poll, Seen]], now_ns: int) -> dict[str, object]:
    newest = max(polls, key=lambda each: each[1].slot_ns)[1]
    heard = [(poll, seen) for poll, seen in polls if not silent(poll, seen, now_ns)]
    down = [seen for _, seen in heard if not seen.up]
    up = bool(heard) and len(down) < len(heard)
    since_ns = min((seen.since_ns for seen in down), default=newest.since_ns)
    return {
        "name": name,
        "up": up if heard else None,  # None: nothing is heard of it
        "since_ms": (since_ns if heard else newest.slot_ns) // 1_000_000,
        "last_ms": newest.slot_ns // 1_000_000,
        "points": sum(seen.points for _, seen in polls),
        "bad": sum(seen.bad for _, seen in polls),
        "reason": next((seen.reason for seen in down if seen.reason), ""),
        "lag_ms": round(newest.lag_ms, 1),
    }
