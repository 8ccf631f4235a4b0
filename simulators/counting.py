"""
Every request that a simulated device heard, by protocol and operation, over all its processes.

Nothing is counted unless ``SMELTER_REQUEST_COUNTS`` names a folder. Each process keeps a file of
its own there; one that is killed loses the reads of its last two seconds, never a write: those are
in the file before they are answered.
"""

import atexit
import json
import os
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = "SMELTER_REQUEST_COUNTS"
FLUSH_S = 2.0
# Services of OPC 10000-4 that change nothing in a server but the asker's own session. Every other
# is taken for a write: Write, HistoryUpdate, Call, AddNodes, DeleteNodes, RegisterServer …
OPCUA_READS = frozenset({
    "FindServers", "GetEndpoints", "CreateSession", "ActivateSession", "CloseSession", "Cancel",
    "Read", "HistoryRead", "Browse", "BrowseNext", "TranslateBrowsePathsToNodeIds",
    "RegisterNodes", "UnregisterNodes", "CreateSubscription", "ModifySubscription",
    "DeleteSubscriptions", "SetPublishingMode", "Publish", "Republish", "CreateMonitoredItems",
    "ModifyMonitoredItems", "DeleteMonitoredItems", "SetMonitoringMode",
})  # fmt: skip
_REQUEST = "Request_Encoding_DefaultBinary"


@dataclass
class Heard:
    """Counts by ``protocol operation``; ``writes`` and ``on_purpose`` are of writing ones only."""

    requests: Counter[str] = field(default_factory=Counter)
    writes: Counter[str] = field(default_factory=Counter)
    on_purpose: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        by_kind = ", ".join(f"{name} {count:,}" for name, count in sorted(self.requests.items()))
        return f"{self.requests.total():,} requests ({by_kind}); {self.writes.total()} writes"


class _Book:
    """What this process heard."""

    def __init__(self) -> None:
        self.heard = Heard()
        self.on_purpose = False
        self._lock = threading.Lock()
        self._pid = 0
        self._flushed_s = 0.0

    def add(self, name: str, *, writes: bool, folder: str) -> None:
        with self._lock:
            if self._pid != os.getpid():  # forked: what the parent heard is in the parent's file
                self._pid, self.heard = os.getpid(), Heard()
            self.heard.requests[name] += 1
            if writes:
                which = self.heard.on_purpose if self.on_purpose else self.heard.writes
                which[name] += 1
            if writes or time.monotonic() - self._flushed_s > FLUSH_S:
                self._keep(folder)

    def flush(self) -> None:
        folder = os.environ.get(FOLDER)
        with self._lock:
            if folder and self._pid == os.getpid():
                self._keep(folder)

    def _keep(self, folder: str) -> None:
        self._flushed_s = time.monotonic()
        path = Path(folder) / f"{self._pid}.json"
        said = {
            "requests": self.heard.requests,
            "writes": self.heard.writes,
            "on_purpose": self.heard.on_purpose,
        }
        try:
            path.with_suffix(".new").write_text(json.dumps(said))
            path.with_suffix(".new").replace(path)
        except FileNotFoundError:  # the session is over and its folder gone
            return


_BOOK = _Book()
flush = _BOOK.flush
atexit.register(flush)


def heard(protocol: str, operation: object, *, writes: bool) -> None:
    """Counts one request, where counting was asked for."""
    folder = os.environ.get(FOLDER)
    if folder:
        _BOOK.add(f"{protocol} {operation}", writes=writes, folder=folder)


@contextmanager
def on_purpose() -> Iterator[None]:
    """Writes are counted apart: the caller sends them with a client of its own."""
    _BOOK.on_purpose = True
    try:
        yield
    finally:
        _BOOK.on_purpose = False


def total(folder: Path) -> Heard:
    """The sum over all processes so far."""
    flush()
    whole = Heard()
    for path in sorted(folder.glob("*.json")):
        said = json.loads(path.read_text())
        whole.requests.update(said["requests"])
        whole.writes.update(said["writes"])
        whole.on_purpose.update(said["on_purpose"])
    return whole


def listen_to_opcua() -> None:
    """
    Counts the requests of every asyncua server of this process from now on.

    The library has an observer for clients only, so its one place where requests arrive is wrapped.
    """
    from asyncua import ua
    from asyncua.server.uaprocessor import UaProcessor

    if getattr(UaProcessor, "_counted", False):
        return
    names = {
        number: name.removesuffix(_REQUEST)
        for name, number in vars(ua.ObjectIds).items()
        if name.endswith(_REQUEST)
    }
    process = UaProcessor._process_message  # noqa: SLF001 - see above

    async def counted(self: Any, typeid: Any, *rest: Any) -> Any:
        name = names.get(typeid.Identifier, str(typeid.Identifier))
        heard("opcua", name, writes=name not in OPCUA_READS)
        return await process(self, typeid, *rest)

    UaProcessor._process_message = counted  # noqa: SLF001
    UaProcessor._counted = True  # noqa: SLF001
