"""A product that is broken on purpose: the simulation must find each of these."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from agent.batches import files as logfiles
from agent.batches.log import BatchLog
from agent.edge import publish
from agent.edge.clock import Timeline
from agent.edge.outbox import Outbox
from agent.evidence.growth import LogTree
from agent.historian import branches, receive, view_runner
from agent.historian.branches import Branches, Outcome, Verdict

_FILES: Any = logfiles  # whose names are replaced


def _no_sync() -> None:
    """The log says durable before the sync."""
    _FILES.os = _Without(_FILES.os, "fdatasync")


def _no_folder_sync() -> None:
    """A new segment's name is never brought to the disk."""
    _FILES.sync = lambda _path: None


class _Without:
    """A module in which one function does nothing."""

    def __init__(self, module: Any, name: str) -> None:
        self._module = module
        setattr(self, name, lambda *_: None)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


def _sync_again() -> None:
    """A failed sync is tried again on the same file, and believed."""
    real = _FILES.os.fdatasync

    def fdatasync(number: int) -> None:
        try:
            real(number)
        except OSError:
            real(number)

    seam = _Without(_FILES.os, "unused")
    seam.fdatasync = fdatasync  # type: ignore[attr-defined]
    _FILES.os = seam


def _receipt_first() -> None:
    """The historian says that it has a batch before it has."""
    real = receive.Receiver._take_group

    async def early(self: receive.Receiver, client: Any, lane: Any, group: list[bytes]) -> None:
        for received in self._read_group(lane, group):
            said = {"log": received.log, "stream": lane.stream, "upto": received.batch.seq}
            await self._say(client, lane.sender, said)
        await real(self, client, lane, group)

    receive.Receiver._take_group = early  # type: ignore[method-assign]


def _puback() -> None:
    """The broker's PUBACK is taken for a receipt."""
    real = publish.Publisher._put

    async def put(
        self: publish.Publisher, client: Any, lane: Any, seq: int, payload: bytes
    ) -> None:
        await real(self, client, lane, seq, payload)
        lane.log.set_receipted(min(lane.flying, default=lane.next) - 1)

    publish.Publisher._put = put  # type: ignore[method-assign, assignment]


def _prune_all() -> None:
    """Retention is a matter of time alone."""
    real = logfiles.LogFiles.prune

    def prune(self: logfiles.LogFiles, now_ns: int) -> int:
        said, self.receipted = self.receipted, self.newest
        try:
            return real(self, now_ns)
        finally:
            self.receipted = said

    logfiles.LogFiles.prune = prune  # type: ignore[method-assign]


def _take_gaps() -> None:
    """The historian takes whatever comes next."""

    async def ahead(self: Branches, received: Any, advertised: Any) -> Outcome:
        del advertised
        if self._current is None:
            self._current = await self._make(received.log)
            self._logs.append(self._current)
        await self._current.append_copy(received.batch)
        return Outcome(Verdict.STORED)

    branches.Branches._ahead = ahead  # type: ignore[method-assign]


def _ahead_is_all() -> None:
    """What came ahead of a backlog is receipted as if the backlog were here, too."""
    branches._since = lambda log: 1  # noqa: ARG005 - the name is the original's


def _joined_early() -> None:
    """What came ahead is put behind a backlog that has not reached it yet."""

    async def meets(*_: Any) -> bool:
        return True

    branches.Branches._meets = meets  # type: ignore[method-assign, assignment]


def _piece_dropped() -> None:
    """What came ahead is thrown away as soon as the backlog has reached it."""

    async def copy(*_: Any) -> None:
        return

    real = branches.Branches.join

    async def join(self: Branches, advertised: Any) -> Any:
        done = await real(self, advertised)
        main = self._main
        if self._pieces and main is not None and main.newest >= self._pieces[0].oldest - 1:
            await self._forget(self._pieces[0])
        return done

    branches.Branches._copy = copy  # type: ignore[method-assign, assignment]
    branches.Branches.join = join  # type: ignore[method-assign]


def _view_twice() -> None:
    """A view reads on in the log where what came ahead was read already."""
    view_runner.ViewRunner._bound = lambda *_: 1 << 62  # type: ignore[method-assign]


def _no_duplicates_known() -> None:
    """A batch that comes again is stored again, in a branch."""

    async def knows(self: Branches, log: BatchLog, seq: int, digest: bytes) -> bool:
        del self, log, seq, digest
        return False

    branches.Branches._knows = knows  # type: ignore[method-assign]


def _cursor_first() -> None:
    """A view's position is saved before its data."""

    async def write(self: Any, reach: Mapping[Any, int]) -> None:
        batches = sorted(self._pending, key=lambda stored: (stored.source, stored.seq))
        done = view_runner.Cursor({**self._cursor.done, **reach}, {})
        while True:
            try:
                await asyncio.to_thread(done.save, self._path)
                await self.view.write(batches)
                break
            except Exception:  # noqa: BLE001 - as the original
                await asyncio.sleep(1.0)
        self._cursor, self._pending, self._pending_bytes = done, [], 0

    view_runner.ViewRunner._write = write  # type: ignore[method-assign]


def _no_note() -> None:
    """The call under way is not noted: after a crash other batches are written in its place."""
    real = view_runner.Cursor.save

    def save(self: view_runner.Cursor, path: Any) -> None:
        real(view_runner.Cursor(self.done, {}), path)

    view_runner.Cursor.save = save  # type: ignore[method-assign]


def _no_resend() -> None:
    """What is not receipted is not sent again until the next connection."""

    def doubt(self: publish.Publisher) -> None:
        for run in self._runs():
            run.heard_at = asyncio.get_running_loop().time()

    publish.Publisher._doubt = doubt  # type: ignore[method-assign]
    publish.Publisher._again = lambda *_: None  # type: ignore[method-assign]


def _forget_on_error() -> None:
    """What the log refused is thrown away."""
    real = Outbox.flush

    async def flush(self: Outbox) -> None:
        await real(self)
        if self.refused:
            self._parts.clear()
            self._taken, self._bytes = [], 0
            self.refused = ""

    Outbox.flush = flush  # type: ignore[method-assign]


def _no_floor() -> None:
    """A restart does not look at the times that were already used."""
    real = Timeline.__init__

    def init(self: Timeline, *args: Any, **more: Any) -> None:
        more["floor_ns"] = 0
        more.pop("used", None)
        real(self, *args, **more)

    Timeline.__init__ = init  # type: ignore[method-assign]


def _wrong_leaf() -> None:
    """The gateway's tree forgets a leaf now and then."""
    real = LogTree._leaf

    def leaf(self: LogTree, seq: int, name: str, digest: bytes) -> None:
        real(self, seq, name, bytes(32) if seq % 7 == 0 and not self._own else digest)

    LogTree._leaf = leaf  # type: ignore[method-assign]


MUTATIONS: dict[str, Callable[[], None]] = {
    "no-sync": _no_sync,
    "no-folder-sync": _no_folder_sync,
    "sync-again": _sync_again,
    "receipt-first": _receipt_first,
    "puback": _puback,
    "prune-all": _prune_all,
    "take-gaps": _take_gaps,
    "duplicates": _no_duplicates_known,
    "cursor-first": _cursor_first,
    "no-note": _no_note,
    "no-resend": _no_resend,
    "forget": _forget_on_error,
    "no-floor": _no_floor,
    "wrong-leaf": _wrong_leaf,
    "ahead-is-all": _ahead_is_all,
    "joined-early": _joined_early,
    "piece-dropped": _piece_dropped,
    "view-twice": _view_twice,
}


MOST_SEEDS = 150
FAULTS: dict[str, tuple[str, ...]] = {  # where the mistake would show
    "no-sync": ("power", "doom"),
    "no-folder-sync": ("power", "doom"),
    "sync-again": ("eio", "power"),
    "prune-all": ("partition", "reset"),
    "cursor-first": ("kill", "doom"),
    "no-note": ("kill", "doom"),
    "no-floor": ("kill", "step"),
    "forget": ("full", "eio"),
    "no-resend": ("reset", "lie"),
    **dict.fromkeys(
        ("ahead-is-all", "joined-early", "piece-dropped", "view-twice"),
        ("outage",),
    ),
}


def mutate(name: str) -> None:
    """Breaks the product in this process, for good."""
    MUTATIONS[name]()
