"""One thread, one order: an asyncio loop with virtual time, and processes that can die."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar
from typing import Any

PROCESS: ContextVar["Process | None"] = ContextVar("process", default=None)


class Killed(BaseException):
    """The process that made this call is dead."""


_MOST_STILL = 100_000  # turns of the loop at one instant


class StuckError(Exception):
    """Nothing will ever happen again, or the same for ever."""


class Process:
    """What runs on a host from its start to its end. Once dead, nothing of it runs any more."""

    def __init__(self, host: str, number: int) -> None:
        self.host, self.number = host, number
        self.alive = True
        self.died: list[Callable[[], None]] = []
        self.tasks: list[asyncio.Task[Any]] = []  # kept: a suspended coroutine must not be closed

    def __repr__(self) -> str:
        return f"{self.host}#{self.number}"

    def die(self) -> None:
        if self.alive:
            self.alive = False
            for tell in self.died:
                tell()


class _Task(asyncio.Task[Any]):
    """Sets of tasks have an order that does not hang on addresses."""

    def __init__(self, serial: int, coro: Coroutine[Any, Any, Any], **more: Any) -> None:
        self._serial = serial
        super().__init__(coro, **more)

    def __hash__(self) -> int:
        return self._serial


class _Future(asyncio.Future[Any]):
    def __init__(self, serial: int, loop: asyncio.AbstractEventLoop) -> None:
        self._serial = serial
        super().__init__(loop=loop)

    def __hash__(self) -> int:
        return self._serial


class _Clock:
    """Stands where the selector is: instead of waiting, time moves on."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self._still = 0

    def select(self, timeout: float | None) -> list[Any]:
        if timeout is None:
            raise StuckError("nothing will ever happen again")
        self._still = 0 if timeout > 0 else self._still + 1
        if self._still > _MOST_STILL:
            raise StuckError("a process turns in circles and time stands still")
        self.now_s += max(0.0, timeout)
        return []

    def close(self) -> None:
        return


class SimLoop(asyncio.BaseEventLoop):
    """Executor jobs run whole, in this thread, after ``delay_s(process)``."""

    def __init__(self, delay_s: Callable[[Process | None], float]) -> None:
        super().__init__()
        self._selector = _Clock()
        self._serial = 0
        self._delay_s = delay_s
        self.outside = Context()  # of the world itself
        self.errors: list[str] = []
        self.steps = 0
        self.set_exception_handler(self._told)

    def _told(self, _loop: object, context: dict[str, Any]) -> None:
        process = PROCESS.get()
        if process is None or process.alive:
            self.errors.append(f"{context.get('message')}: {context.get('exception')!r}")

    def time(self) -> float:
        return self._selector.now_s

    def _process_events(self, event_list: list[Any]) -> None:
        return

    def _write_to_self(self) -> None:
        return

    def _next(self) -> int:
        self._serial += 1
        return self._serial

    # only the living are called

    def _step(self, process: Process, callback: Callable[..., object], args: Any) -> None:
        self.steps += 1
        if process.alive:
            callback(*args)

    def _guarded(
        self, callback: Callable[..., object], args: Any, context: Context | None
    ) -> tuple[Callable[..., object], Any]:
        process = PROCESS.get() if context is None else context.get(PROCESS)
        return (callback, args) if process is None else (self._step, (process, callback, args))

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        call, given = self._guarded(callback, args, context)
        return super().call_soon(call, *given, context=context)

    def call_at(  # type: ignore[override]
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        call, given = self._guarded(callback, args, context)
        return super().call_at(when, call, *given, context=context)

    def world(self, delay_s: float, callback: Callable[..., object], *args: Any) -> None:
        """Later, whoever may have died by then."""
        self.call_later(delay_s, callback, *args, context=self.outside)

    # tasks, futures, threads

    def create_task(  # type: ignore[override]
        self,
        coro: Coroutine[Any, Any, Any],
        *,
        name: str | None = None,
        context: Context | None = None,
    ) -> asyncio.Task[Any]:
        task = _Task(self._next(), coro, loop=self, name=name or "task", context=context)
        task._log_destroy_pending = False  # type: ignore[attr-defined]
        process = PROCESS.get() if context is None else context.get(PROCESS)
        if process is not None:
            process.tasks.append(task)
            if len(process.tasks) > 400:
                process.tasks = [each for each in process.tasks if not each.done()]
        return task

    def create_future(self) -> asyncio.Future[Any]:
        return _Future(self._next(), self)

    def run_in_executor(  # type: ignore[override]
        self, _executor: object, work: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        future = self.create_future()

        def job() -> None:
            try:
                result = work(*args)
            except Killed:
                return
            except BaseException as error:  # noqa: BLE001 - handed to whoever waits
                if not future.done():
                    future.set_exception(error)
            else:
                if not future.done():
                    future.set_result(result)

        self.call_later(self._delay_s(PROCESS.get()), job)
        return future


def uniform_log(chance: random.Random, low: float, high: float) -> float:
    """Mostly small, now and then large."""
    return float(low * (high / low) ** (chance.random() ** 3))
