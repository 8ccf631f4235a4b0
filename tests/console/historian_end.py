"""A historian without a broker: the real listener and the real ring, fed by hand, in a thread."""

import asyncio
import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from agent.health import serve
from agent.live.latest import Latest
from agent.views import Source
from tests.agent.batches import batch

RAW = Source("demo", "gw1", "raw", "3f9a3f9a3f9a3f9a")
VIEW: dict[str, object] = {"name": "lake", "behind": 0, "lag_s": None, "trouble": ""}
RECORD = Source("demo", "gw1", "record", "77aa77aa77aa77aa")


class HistorianEnd:
    """Entered it listens; ``put`` feeds it. Left it is gone, as a stopped historian is."""

    def __init__(self, port: int = 0) -> None:
        self.port = port
        self.latest = Latest(dict, lambda: [VIEW])
        self.asked = 0
        self._seq = 0
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._ready = threading.Event()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(240)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)

    def _run(self) -> None:
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        listen = f"127.0.0.1:{self.port}"
        async with serve(listen, lambda: "", lambda: (True, "ok"), self._respond) as port:
            self.port = port
            self._ready.set()
            await self._stop.wait()

    async def _respond(self, query: str) -> tuple[str, bytes]:
        self.asked += 1
        return await self.latest.respond(query)

    def state(self, *, online: bool) -> None:
        """The gateway's own word."""
        payload = b'{"online":true,"logs":{}}' if online else b'{"online":false}'
        gateways = self.latest.gateways
        self._loop.call_soon_threadsafe(gateways.state, "demo", "gw1", payload, time.time_ns())

    def put(self, lines: Sequence[str], source: Source = RAW) -> None:
        """One batch that was stored just now."""
        self._seq += 1
        stored = batch(source, self._seq, lines, time.time_ns())
        self._loop.call_soon_threadsafe(self.latest.stored, source, stored.batch)

    def pot(self, value: float, at_ns: int = 0, **fields: object) -> None:
        """A frame of one pot."""
        now = at_ns or time.time_ns()
        more = "".join(f",{name}={told}" for name, told in fields.items())
        head = "frame,plant=demo,gateway=gw1,device=plc,interval=1"
        self.put(
            [
                f"{head} points=1i,bad=0i,lag_ms=1 {now}",
                f"pot,plant=demo,line=line1,unit=pot001 voltage={value}{more} {now}",
            ]
        )
