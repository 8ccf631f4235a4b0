"""The gateway's acts: what its events say of changes, keys and peers goes into the audit trail."""

import asyncio
import re
from collections.abc import Callable

from agent.audit import Auditor
from agent.edge.config import GatewayConfig
from agent.edge.desk import Desk
from agent.wire.events import Event, Happening
from drivers.audit_act import Result

# Events that are acts: kind -> (what, result). Others are about the plant, not about this system.
ACTS: dict[str, tuple[str, Result]] = {
    "stop": ("process.stopped", "ok"),
    "config_change": ("config.changed", "ok"),
    "key_rotation": ("key.rotated", "ok"),
    "fork": ("log.damaged", "failed"),
    "conflict": ("log.damaged", "failed"),
    "evidence_stopped": ("log.damaged", "failed"),
    "checkpoint_refused": ("peer.refused", "refused"),
    "receipt_refused": ("peer.refused", "refused"),
    "peer_refused": ("peer.refused", "refused"),
}


_DIGEST = re.compile(r"→ ([0-9a-f]{16})")  # of the event of a new config


class GatewayAudit:
    """One gateway's. Its lines go through the desk like any other of the record stream."""

    def __init__(self, config: GatewayConfig, desk: Desk, now_ns: Callable[[], int]) -> None:
        self._desk, self._now_ns = desk, now_ns
        folder = config.data_dir
        self.auditor = Auditor(
            config.plant,
            config.gateway,
            config.audit.trail(folder / "audit"),
            folder / "audit.json",
            self._tell,
        )
        self.metrics = self.auditor.metrics
        self._path = str(config.path)
        self.auditor.open(config.digest, self._path)
        desk.heard = self._hear

    def refused(self, problems: list[str]) -> None:
        """A new config that is not taken."""
        self.auditor.note("config.refused", self._path, result="refused", why="; ".join(problems))

    async def run(self) -> None:
        """Until cancelled."""
        await self.auditor.run(self._keep)

    async def close(self) -> None:
        """Everything into the outbox: the last flush comes after this."""
        await self.auditor.close(self._add)

    async def _add(self, lines: list[bytes]) -> None:
        for line in lines:
            self._desk.record.add(line, urgent=True)

    async def _keep(self, lines: list[bytes]) -> None:
        """Returns when the lines are in the log: what was waiting with them is, too."""
        await self._add(lines)
        record = self._desk.record
        before = record.log.newest
        while record.waiting_bytes and record.log.newest < before + 2:  # noqa: ASYNC110 - flushed elsewhere
            await asyncio.sleep(0.5)

    def _hear(self, event: Event) -> None:
        if event.kind in ACTS:
            what, result = ACTS[event.kind]
            if what == "config.changed" and (new := _DIGEST.search(event.text)):
                self.auditor.changed(self._path, new[1], event.text)
                return
            target = self._path if what.startswith("config.") else str(event.equipment or "")
            self.auditor.note(
                what,
                target or f"{self._desk.plant}/{self._desk.gateway}",
                result=result,
                details={"said": event.text},
            )

    def _tell(self, text: str) -> None:
        self._desk.tell(self._desk.book.once(Happening.AUDIT_STOPPED, self._now_ns(), text))
