"""Wiring of the edge process: config → lines → desk → logs → publisher; signals, stop, reload."""

import asyncio
import gc
import logging
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

from agent.batches.log import BatchLog
from agent.edge import reload, resume
from agent.edge.audit import GatewayAudit
from agent.edge.clock import LOOK_S, Timeline
from agent.edge.clock_state import KernelClock, kernel_clock
from agent.edge.config import GatewayConfig, LineConfig, load_gateway
from agent.edge.desk import Desk
from agent.edge.evidence import Evidence, log_to_open
from agent.edge.exposition import exposition
from agent.edge.outbox import Outbox
from agent.edge.own import OwnFigures
from agent.edge.peers import Peers
from agent.edge.poll import Line, asked_of, requests_of
from agent.edge.publish import TRIES_S, Publisher
from agent.edge.running import Running, graces, names, polled, stop_lines
from agent.edge.timekeeper import Timekeeper
from agent.exchangers.exchangers import Exchangers, keep, load
from agent.forward.forwarder import Forwarder
from agent.health import serve
from agent.notify import Watchdog, Work, notify, reloading, stall_s
from agent.pots.pots import Pots
from agent.stacks.resume import minutes_of
from agent.stacks.stacks import Stacks
from agent.wire.encode import BatchHead
from agent.wire.events import Happening
from drivers.config import make_driver
from drivers.model import ConfigError, Equipment

_log = logging.getLogger(__name__)

FAREWELL_S = 1.0  # a stop waits this long for the last receipts
PRUNE_S = 600.0
BATCH_PHASE = 0.3  # of the batch interval, after the slot: the polls of a slot are in by then
STREAMS = ("record", "raw")


class Gateway:
    """One gateway, from start to graceful stop; ``stop`` and ``reload`` may come at any time."""

    def __init__(
        self,
        config: GatewayConfig,
        *,
        wall_ns: Callable[[], int] = time.time_ns,
        kernel: Callable[[], KernelClock] = kernel_clock,
    ) -> None:
        self.config = config
        self._wall_ns, self._kernel = wall_ns, kernel
        self.port = 0  # of /metrics, once running
        self.started = asyncio.Event()
        self._stop = asyncio.Event()
        self._again = asyncio.Event()
        self._wake = asyncio.Event()
        self._lines: dict[str, Running] = {}
        self._alive_s = self._started_s = time.monotonic()
        self._watchdog = Watchdog(self._works)
        self._flushes = 0
        self._time: Timekeeper
        self._clock: Timeline
        self._desk: Desk
        self._exchangers: Exchangers
        self._evidence: Evidence
        self._own: OwnFigures
        self._forwarders: list[Forwarder] = []
        self._logs: dict[str, BatchLog]
        self._publisher: Publisher
        self._publishing: asyncio.Task[None]

    def stop(self) -> None:
        self._stop.set()
        self._wake.set()

    def reload(self) -> None:
        """Read the config again; a bad one is refused and changes nothing."""
        self._again.set()
        self._wake.set()

    async def run(self) -> None:
        """Until ``stop``: poll, keep, publish."""
        async with AsyncExitStack() as stack:
            self._logs = {name: await self._log_of(stack, name) for name in STREAMS}
            await self._begin()
            self._forwarders = [
                await stack.enter_async_context(Forwarder(each, self.config, self._logs["record"]))
                for each in self.config.forward
            ]
            self.port = await stack.enter_async_context(
                serve(self.config.health.listen, self.exposition, self.healthy)
            )
            async with asyncio.TaskGroup() as tasks:
                await self._live(tasks)

    async def _log_of(self, stack: AsyncExitStack, stream: str) -> BatchLog:
        keep_ns, max_bytes = reload.limits(self.config.log, stream)
        log = BatchLog(
            self.config.data_dir,
            stream=stream,
            log=await log_to_open(self.config.data_dir, stream),
            keep_ns=keep_ns,
            max_bytes=max_bytes,
            shed=stream == "raw",
        )
        return await stack.enter_async_context(log)

    # --- start

    async def _begin(self) -> None:
        """Clock, desk and what an earlier run left."""
        config, logs = self.config, self._logs
        newest = [await resume.newest_ns(log) for log in logs.values()]
        used_ns = max(newest)
        self._away_ns = resume.away_ns(newest, config.log.batch_interval_s)
        self._time = await asyncio.to_thread(
            partial(
                Timekeeper, config.data_dir, used_ns, wall_ns=self._wall_ns, kernel=self._kernel
            )
        )
        self._clock, stamp = self._time.clock, self._time.stamp
        room = config.log.waiting_bytes
        boxes = [
            Outbox(logs[name], self._head(name), self._clock.now_ns, stamp=stamp, room_bytes=room)
            for name in STREAMS
        ]
        self._peers = Peers(config.path, self._tell)
        self._exchangers = Exchangers(config.plant, config.exchangers)
        self._desk = Desk(
            config.plant,
            config.gateway,
            *boxes,
            pots=Pots(config.plant, config.pots),
            exchangers=self._exchangers,
            stacks=Stacks(config.plant, config.stacks),
        )
        left = await resume.load(self._state_path, logs["record"], config.plant, config.points)
        left.exchangers = await asyncio.to_thread(load, config.data_dir)
        left.stacks = await minutes_of(
            logs["record"], config.plant, [Equipment.parse(x.equipment) for x in config.stacks]
        )
        lines = {line.key: self._line(line) for line in config.lines}
        now_ns = self._clock.now_ns()
        self._desk.exchange(graces(lines.values()), names(lines.values()), now_ns)
        for pipeline in self._desk.pipelines.values():
            pipeline.counters.restore(left.readings)
            for minute in left.minutes:
                pipeline.minutes.restore(minute)
        self._desk.texts.update(left.texts)
        self._desk.close_minutes(now_ns)
        self._desk.reopen(left, used_ns)
        for event in await self._desk.fullness.open(config.data_dir / "untaken"):
            self._desk.tell(event)
        self._lines = lines
        self._audit = GatewayAudit(config, self._desk, self._clock.now_ns)
        self._evidence = Evidence(
            config.data_dir, config.plant, config.gateway, config.evidence, self._tell
        )
        await self._evidence.open(logs)
        place = config.plant, config.gateway, config.data_dir
        self._own = OwnFigures(place, logs, self._desk, self._time, lambda: self._publisher.online)

    def _tell(self, kind: Happening, text: str) -> None:
        self._desk.once(kind, self._clock.now_ns(), text)

    @property
    def _state_path(self) -> Path:
        return self.config.data_dir / "state.json"

    def _head(self, stream: str) -> BatchHead:
        return BatchHead(self.config.plant, self.config.gateway, stream, self.config.digest)

    def _line(self, config: LineConfig) -> Running:
        """Ready to run. ConfigError when a driver refuses its devices."""
        by_name = {device.name: device for device in config.devices}
        tallies = {asked_of(d): self._desk.tally(d.name) for d in config.devices}
        groups = tuple((g, requests_of(by_name[g.device], g)) for g in config.groups)
        driver = make_driver(config.devices, config.groups)
        line = Line(driver, tallies, groups, self._clock, self._desk, peer=self._peers.device)
        return Running(config, line)

    # --- life

    async def _live(self, tasks: asyncio.TaskGroup) -> None:
        self._publisher, self._publishing = self._publish(tasks)
        forwards = [each.run for each in self._forwarders]
        own = self._evidence.run, self._own.run, self._peers.run
        works = (self._tick, self._flush, self._prune, self._audit.run, *own, *forwards)
        helpers = [tasks.create_task(work()) for work in works]
        gc.collect()
        gc.freeze()
        await asyncio.sleep(0)  # what all these do first: no slot waits for it
        self._poll(tasks)
        self.started.set()
        notify("READY=1")
        _log.info(
            "running plant=%s gateway=%s devices=%d points=%d config=%s",
            self.config.plant,
            self.config.gateway,
            len(self.config.devices),
            len(self.config.points),
            self.config.digest,
        )
        while not self._stop.is_set():
            await self._wake.wait()
            self._wake.clear()
            if self._again.is_set():
                self._again.clear()
                await self._reload(tasks)
        await self._end(helpers)

    def _poll(self, tasks: asyncio.TaskGroup) -> None:
        """Tells since when nothing is kept; from now on each slot gets a frame."""
        now_ns, text = self._clock.now_ns(), "the agent was not running"
        if self._away_ns:
            self._desk.once(Happening.GAP, self._away_ns, text, end_ns=now_ns)
        self._desk.once(Happening.START, now_ns, f"config {self.config.digest}")
        for running in self._lines.values():
            running.line.begin()  # the slots that follow the gap
            running.task = tasks.create_task(running.line.run())

    def _publish(self, tasks: asyncio.TaskGroup) -> tuple[Publisher, "asyncio.Task[None]"]:
        config = self.config
        publisher = Publisher(config.mqtt, config.plant, config.gateway, self._logs)
        self._evidence.attach(publisher, receipts=config.mqtt.delivery == "receipt")
        self._peers.attach(publisher)
        return publisher, tasks.create_task(publisher.run())

    async def _tick(self) -> None:
        """Watch the clock, close minutes, tell systemd that we live."""
        while True:
            looked = self._time.look()
            self._desk.looked(looked, self._clock.now_ns())
            self._desk.close_minutes(self._clock.now_ns())
            self._alive_s = time.monotonic()
            self._watchdog.look()
            await asyncio.sleep(LOOK_S)

    def _works(self) -> dict[str, Work]:
        """What must go forward, whoever answers: a device or broker that is away holds up none."""
        wait_s = stall_s()
        newest = [log.newest for log in self._logs.values()]
        batches = (self._flushes, *newest)
        return {
            "log": Work(batches, self.config.log.batch_interval_s + wait_s),
            "publisher": Work(self._publisher.turns, TRIES_S + wait_s),
            "sender": Work(self._publisher.sending, wait_s),
            **{f"poll {names([it])}": polled(it, wait_s) for it in self._lines.values()},
        }

    async def _flush(self) -> None:
        """Close a batch of each stream every ``batch_interval_s``, soon after a slot's polls."""
        while True:
            interval_ns = int(self.config.log.batch_interval_s * 1e9)
            left_ns = (int(BATCH_PHASE * interval_ns) - self._clock.now_ns()) % interval_ns
            if left_ns < interval_ns // 10:  # a timer may wake a little early
                left_ns += interval_ns
            await asyncio.sleep(left_ns / 1e9)
            await self._flush_once()

    async def _flush_once(self) -> None:
        await self._desk.record.flush()
        await self._desk.raw.flush()
        if not self._desk.record.refused:
            self._time.settle()
        await self._time.keep()
        self._desk.log_state(self._clock.now_ns())
        await self._desk.fullness.keep()
        await keep(self._exchangers, self.config.data_dir)
        self._flushes += 1

    async def _prune(self) -> None:
        while True:
            await asyncio.sleep(PRUNE_S)
            for log in self._logs.values():
                try:
                    await log.prune()
                except OSError as error:
                    _log.warning("%s log not pruned, later again: %s", log.stream, error)

    # --- stop

    async def _end(self, helpers: list["asyncio.Task[None]"]) -> None:
        notify("STOPPING=1")
        _log.info("stopping")
        await stop_lines(list(self._lines.values()))
        for helper in helpers:
            helper.cancel()
        await asyncio.wait(helpers)
        now_ns = self._clock.now_ns()
        self._desk.finish_all(now_ns)
        self._desk.once(Happening.STOP, now_ns, "stopped on request")
        await self._audit.close()
        await self._flush_once()
        if not self._desk.record.refused:  # else it would count what is lost with those lines
            record, left = self._logs["record"], self._desk.left()
            said = left, record.log_id, record.newest
            await asyncio.to_thread(resume.save, self._state_path, *said)
        await self._evidence.close()
        await self._farewell()
        self._publishing.cancel()

    async def _farewell(self) -> None:
        end_s = time.monotonic() + FAREWELL_S
        while time.monotonic() < end_s and self._awaits_receipts():  # noqa: ASYNC110 - brief
            await asyncio.sleep(0.05)

    def _awaits_receipts(self) -> bool:
        waits = any(log.receipted < log.newest for log in self._logs.values())
        return self._publisher.online and waits

    # --- reload

    async def _reload(self, tasks: asyncio.TaskGroup) -> None:
        reloading()
        try:
            fresh = await asyncio.to_thread(load_gateway, self.config.path)
            reload.refuse_moves(self.config, fresh)
            known = {line.key for line in fresh.lines}
            added = {
                line.key: self._line(line) for line in fresh.lines if line.key not in self._lines
            }
        except ConfigError as error:
            for problem in error.problems:
                _log.error("new config refused: %s", problem)
            _log.error("the old config runs on config=%s", self.config.digest)
            self._audit.refused(error.problems)
        else:
            await self._change(fresh, known, added, tasks)
        notify("READY=1")

    async def _change(
        self,
        fresh: GatewayConfig,
        known: set[str],
        added: dict[str, Running],
        tasks: asyncio.TaskGroup,
    ) -> None:
        gone = [running for key, running in self._lines.items() if key not in known]
        old, self.config = self.config, fresh
        await stop_lines(gone)
        self._lines = {k: r for k, r in self._lines.items() if k in known} | added
        now_ns = self._clock.now_ns()
        kept = {device.name for running in gone for device in running.config.devices}
        self._desk.forget(kept, now_ns)
        lines = self._lines.values()
        told = fresh.pots, fresh.exchangers, fresh.stacks
        self._desk.exchange(graces(lines), names(lines), now_ns, *told)
        self._desk.record.head, self._desk.raw.head = self._head("record"), self._head("raw")
        for running in added.values():
            running.task = tasks.create_task(running.line.run())
        if fresh.broker_key != old.broker_key:
            self._publishing.cancel()
            await asyncio.wait([self._publishing])
            self._publisher, self._publishing = self._publish(tasks)
        reload.set_limits(fresh.log, self._logs)
        text = f"config {old.digest} → {fresh.digest}; {len(gone)} lines ended, {len(added)} begun"
        text += f"; changed: {', '.join(reload.changed(old, fresh)) or 'nothing'}"
        self._desk.once(Happening.CONFIG_CHANGE, now_ns, text)
        _log.info("reloaded %s", text)

    # --- health

    def healthy(self) -> tuple[bool, str]:
        """For /healthz: everything goes forward and the logs take batches."""
        silent_s = time.monotonic() - self._alive_s
        if silent_s > 10 * LOOK_S:
            return False, f"no sign of life for {silent_s:.0f} s"
        if self._watchdog.stuck:
            return False, self._watchdog.stuck
        for outbox in (self._desk.record, self._desk.raw):
            if outbox.refused:
                return False, f"{outbox.log.stream} log: {outbox.refused}"
        trouble, room = self._evidence.notary.trouble, self._desk.fullness.room
        if trouble:
            return False, f"no checkpoints: {trouble}"
        if self._evidence.remark:
            return True, f"ok, but {self._evidence.remark}"
        return True, f"ok, but {room.text}" if room.on else "ok"

    def exposition(self) -> str:
        """For /metrics."""
        parts = (self._desk, self._publisher, self._evidence.notary)
        ours = self._audit.metrics, self._own.metrics, self._peers.metrics
        more = [self._evidence.metrics, *ours, *(each.metrics for each in self._forwarders)]
        return exposition(*parts, self._time, self._started_s, more)


async def _newest_ns(log: BatchLog) -> int:
    batch = await log.read(log.newest) if log.newest else None
    return batch.closed_ns if batch else 0
