"""One ``[[forward]]``: its spool, the task that fills it and the task that sends from it."""

import asyncio
import logging
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from agent.batches.durable import make_folder
from agent.batches.log import BatchLog
from agent.forward.maker import Maker
from agent.forward.sender import Sender
from agent.forward.settings import ForwardConfig
from agent.forward.spool import DAY_NS, Acknowledged, follow
from agent.health import Metrics, count_metrics
from drivers.hj212.driver import read_key, read_pw

_log = logging.getLogger(__name__)

FAILED_S = 30.0


class Gateway(Protocol):
    """What a forwarder must know of the gateway's config."""

    @property
    def plant(self) -> str: ...
    @property
    def data_dir(self) -> Path: ...


class Forwarder:
    """Enter it, then ``run`` until cancelled. All it must not forget lies below ``folder``."""

    def __init__(self, config: ForwardConfig, gateway: Gateway, record: BatchLog) -> None:
        self.config = config
        self._plant, self._record = gateway.plant, record
        self._folder = gateway.data_dir / "forward" / config.name
        self._stack = AsyncExitStack()
        self.maker = Maker(config, gateway.plant)
        self.sender: Sender
        self._spool: BatchLog
        self._acknowledged: Acknowledged

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(make_folder, self._folder)
        key = None if self.config.key_file is None else read_key(self.config.key_file)
        keep_ns = round(self.config.keep_days * DAY_NS)
        log = BatchLog(self._folder, stream="packets", keep_ns=keep_ns)
        self._spool = await self._stack.enter_async_context(log)
        path = self._folder / "acknowledged.json"
        self._acknowledged = await asyncio.to_thread(
            Acknowledged, path, self._spool.log_id, self._spool.newest
        )
        config = self.config
        if config.pw_file is not None:
            config = config.model_copy(update={"pw": read_pw(config.pw_file)})
        self.sender = Sender(config, self._spool, self._acknowledged, key)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await asyncio.to_thread(self._acknowledged.save)
        await self._stack.aclose()

    async def run(self) -> None:
        """Make packets of what the record log gets, and send them; polls go on whatever happens."""
        while True:
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(follow(self._record, self._spool, self.maker))
                    tasks.create_task(self.sender.run())
            except* Exception:  # noqa: BLE001 - a platform must not stop the polls
                _log.exception("forward %s failed; it begins again", self.config.name)
            self.maker = Maker(self.config, self._plant)
            await asyncio.sleep(FAILED_S)

    def metrics(self, metrics: Metrics) -> None:
        """For /metrics."""
        name, sender = self.config.name, self.sender
        metrics.add("forward_up", sender.online, "gauge", "1 while connected", platform=name)
        text = "entries the platform has not acknowledged"
        metrics.add("forward_unsent", sender.unsent, "gauge", text, platform=name)
        text = "minutes that came after their hour was closed"
        metrics.add("forward_late_minutes_total", self.maker.late, "counter", text, platform=name)
        count_metrics(metrics, "forward", sender.counts, platform=name)
