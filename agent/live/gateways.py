"""Each gateway as the historian sees it: on line since when, what lags, what waits there."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.batches.batch import Batch
from agent.batches.log import BatchLog
from agent.live.newest import Newest
from agent.views import Source

MOST_GATEWAYS = 1024
MOST_SOURCES = 4096
STATE_BYTES = 64 << 10
OWN = "historian"


@dataclass(slots=True)
class Said:
    """What a gateway's ``state`` says; ``since_ns``: when the historian heard that it changed."""

    online: bool
    since_ns: int
    newest: dict[str, int] = field(default_factory=dict)
    ahead: dict[str, int] = field(default_factory=dict)
    logs: dict[str, str] = field(default_factory=dict)


class Gateways:
    """Fed by the receiver; read when asked."""

    def __init__(self) -> None:
        self._said: dict[tuple[str, str], Said] = {}
        self._closed: dict[Source, int] = {}  # when the newest batch of it was closed

    def stored(self, source: Source, batch: Batch) -> None:
        """A batch of that gateway is durable."""
        known = self._closed.get(source)
        if known is None and len(self._closed) >= MOST_SOURCES:
            return
        self._closed[source] = max(batch.closed_ns, known or 0)

    def state(self, plant: str, gateway: str, payload: bytes, now_ns: int) -> None:
        """A ``state`` message, which the receiver found readable."""
        key = (plant, gateway)
        known = self._said.get(key)
        if known is None and len(self._said) >= MOST_GATEWAYS:
            return
        try:
            said = json.loads(payload[:STATE_BYTES]) if payload else {}
            online = bool(said.get("online"))
            logs = said.get("logs", {}) if online else {}
            found = Said(online, now_ns)
            for stream in ("record", "raw"):
                if stream in logs:
                    found.newest[stream] = int(logs[stream].get("newest", 0))
                    found.ahead[stream] = int(logs[stream].get("ahead", 0))
                    found.logs[stream] = str(logs[stream].get("log", ""))
        except (ArithmeticError, ValueError, TypeError, AttributeError, RecursionError):
            return
        if known is not None and known.online == online:
            found.since_ns = known.since_ns
        if known is not None and not online:
            found.newest, found.ahead, found.logs = known.newest, known.ahead, known.logs
        self._said[key] = found

    def data(
        self, plant: str, logs: Mapping[Source, BatchLog], newest: Newest, now_ns: int
    ) -> list[dict[str, object]]:
        """All gateways of a plant, those that only ever sent batches (an import) included."""
        names = {name for where, name in self._said if where == plant}
        names |= {x.gateway for x in list(logs) if x.plant == plant and x.gateway != OWN}
        return [self._one(plant, name, logs, newest, now_ns) for name in sorted(names)]

    def _one(
        self,
        plant: str,
        name: str,
        logs: Mapping[Source, BatchLog],
        newest: Newest,
        now_ns: int,
    ) -> dict[str, object]:
        said = self._said.get((plant, name))
        mine = [x for x in list(logs) if (x.plant, x.gateway) == (plant, name)]
        return {
            "name": name,
            "online": said.online if said else None,
            "since_ms": said.since_ns // 1_000_000 if said else None,
            "streams": {
                stream: self._stream(stream, mine, logs, said, now_ns)
                for stream in ("record", "raw")
                if any(x.stream == stream for x in mine)
            },
            "devices": newest.polls.devices(name, now_ns),
        }

    def _stream(
        self,
        stream: str,
        mine: list[Source],
        logs: Mapping[Source, BatchLog],
        said: Said | None,
        now_ns: int,
    ) -> dict[str, object]:
        """``waiting``: batches the gateway said it has and that are not here, None: unknown."""
        sources = [x for x in mine if x.stream == stream and x in logs]
        current = said.logs.get(stream, "") if said else ""
        held = [x for x in sources if x.log.partition("-")[0] == current] or sources
        pieces = [logs[x].newest for x in held if "-a" in x.log]
        upto = max((logs[x].newest for x in held if "-a" not in x.log), default=0)
        here = max((upto, *pieces))
        ours = {(x.plant, x.gateway, x.stream) for x in sources}
        closed = [ns for x, ns in self._closed.items() if (x.plant, x.gateway, x.stream) in ours]
        closed_ns = max(closed, default=0) or max((logs[x].written_at_ns for x in held), default=0)
        waiting = None
        if said is not None and stream in said.newest:
            ahead = said.ahead.get(stream, 0)
            backlog = max(0, ahead - 1 - upto) if ahead else 0
            waiting = backlog + max(0, said.newest[stream] - max(here, ahead - 1))
        return {
            "newest": max(here, said.newest.get(stream, 0) if said else 0),
            "upto": upto,
            "closed_ms": closed_ns // 1_000_000 or None,
            "lag_s": round((now_ns - closed_ns) / 1e9, 1) if closed_ns else None,
            "waiting": waiting,
        }
