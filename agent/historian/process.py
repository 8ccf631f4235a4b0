"""Wiring of the historian process: receiver, originals and views in one task group."""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import AsyncExitStack

from agent.batches.log import LogError
from agent.historian.config import HistorianConfig
from agent.historian.late import LateCosignatures
from agent.historian.originals import Originals
from agent.historian.own_log import OwnLog
from agent.historian.peers import HistorianPeers
from agent.historian.receive import Receiver
from agent.historian.stamps import DailyStamps
from agent.historian.view_runner import ViewRunner
from agent.historian.witness import Witness
from agent.influx.view import InfluxView
from agent.lake.view import LakeView
from agent.live.latest import Latest
from agent.views import View
from agent.wire.events import Happening

_log = logging.getLogger(__name__)

TROUBLE = 300  # characters


def views_of(config: HistorianConfig) -> list[View]:
    """All views the config asks for, the lake first; not yet entered."""
    lake = LakeView(
        config.lake_path, flush_s=config.lake.flush_s, flush_bytes=config.lake.flush_bytes
    )
    return [lake, *(InfluxView(each, config.view_folder(each.name)) for each in config.influxdb)]


class Historian:
    """Everything that runs; entered it is open, ``run`` receives and serves until told to stop."""

    def __init__(self, config: HistorianConfig) -> None:
        self.config = config
        self.originals = Originals(config.originals, config.digest)
        self.witness = Witness(config.data_dir, self.originals, signature=config.evidence.signature)
        self.late = LateCosignatures(self.witness.folder, self.originals, self._told)
        self.stamps = DailyStamps(self.witness.folder, config.timestamp)
        self.receiver = Receiver(
            config.mqtt, self.originals, plants=config.plants, witness=self.witness
        )
        self.peers = HistorianPeers(config.path, self._tell, self._connected)
        self.receiver.on_lost = self.peers.broker
        self.latest = Latest(
            lambda: self.originals.logs,
            lambda: pace_of(self.runners),
            lambda: self.receiver.online,
        )
        self.receiver.on_stored = self.latest.stored
        self.receiver.on_state = lambda sender, payload: self.latest.gateways.state(
            sender.plant, sender.gateway, payload, time.time_ns()
        )
        self.runners: list[ViewRunner] = []
        self.own: OwnLog | None = None

    async def run(self, stop: asyncio.Event, ready: Callable[[], None]) -> None:
        """Calls ``ready`` when the originals are open; returns soon after ``stop`` is set."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.originals)
            self.runners = [
                ViewRunner(view, self.originals, self.config.view_folder(view.name))
                for view in views_of(self.config)
            ]
            for runner in self.runners:
                await stack.enter_async_context(runner)
                await stack.enter_async_context(runner.view)
                if isinstance(runner.view, InfluxView):
                    runner.view.on_peer = self.peers.database
            config = self.config
            self.own = own = OwnLog(
                *(config.data_dir, self.originals, config.audit, config.plants),
                ring=lambda: self.witness.ring,
            )
            own.auditor.open(config.digest, str(config.path))
            self.originals.heard = self._heard
            await self._tell(Happening.START, "historian started")
            ready()
            async with asyncio.TaskGroup() as tasks:
                running = [
                    tasks.create_task(self.receiver.run(), name="receive"),
                    tasks.create_task(self.witness.run(), name="witness"),
                    tasks.create_task(self.late.run(lambda: self.witness.trouble), name="late"),
                    tasks.create_task(own.run(), name="own log"),
                    tasks.create_task(self.peers.run(), name="peers"),
                    tasks.create_task(self.stamps.run(self._unstamped), name="stamps"),
                    *(tasks.create_task(runner.run()) for runner in self.runners),
                ]
                await stop.wait()
                for task in running:
                    task.cancel()
            await self._tell(Happening.STOP, "historian stopped")
            own.auditor.note("process.stopped", f"{own.plant}/historian")
            await own.close()

    def _heard(self, plant: str, kind: Happening, text: str) -> None:
        if self.own is not None:
            self.own.heard(plant, kind, text)
        self.latest.told(plant, kind, text)

    def _connected(self) -> int:
        return self.receiver.counts.connected

    async def _unstamped(self, trouble: str) -> None:
        await self._tell(Happening.EVIDENCE_STOPPED, f"the day is not stamped yet: {trouble}")

    async def _told(self, plant: str, kind: Happening, text: str) -> None:
        try:
            await self.originals.tell(plant, kind, text)
        except LogError as error:
            _log.error("event %s not stored: %s", kind, error)

    async def _tell(self, kind: Happening, text: str) -> None:
        for plant in sorted(self.originals.plants | set(self.config.plants)):
            try:
                await self.originals.tell(plant, kind, text)
            except LogError as error:
                _log.error("event %s not stored: %s", kind, error)


def pace_of(runners: list[ViewRunner]) -> list[dict[str, object]]:
    """How far each view is; ``lag_s``: since it wrote last, where it lacks something."""
    found: list[dict[str, object]] = []
    for runner in runners:
        behind, written_s = runner.behind(), runner.counts.written_at_s
        lag_s = round(time.time() - written_s, 1) if behind and written_s else None
        trouble = runner.view.trouble if isinstance(runner.view, InfluxView) else ""
        trouble = (runner.failing or trouble)[:TROUBLE]
        found.append(
            {"name": runner.view.name, "behind": behind, "lag_s": lag_s, "trouble": trouble}
        )
    return found


async def rebuild(config: HistorianConfig, name: str) -> int:
    """Throws view ``name`` away and writes it anew from the originals; how many batches."""
    async with AsyncExitStack() as stack:
        originals = await stack.enter_async_context(Originals(config.originals, config.digest))
        view = next(view for view in views_of(config) if view.name == name)
        runner = await stack.enter_async_context(
            ViewRunner(view, originals, config.view_folder(name))
        )
        await stack.enter_async_context(view)
        await runner.reset()
        await runner.catch_up()
        return runner.counts.batches
