"""Child processes of the demo: started together, watched, ended cleanly, each with a log file."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from pathlib import Path
from types import TracebackType
from typing import Self

from drivers.language import say

CODE = """
from simulators.orphans import end_with_parent
end_with_parent({})
from drivers.cli import main
main()
"""
END_S = 15.0
TAIL_LINES = 12


class ChildFailedError(Exception):
    """A child ended when it should not have, or with an error; says which and shows its end."""


class Children:
    """
    ``smelter`` sub-commands as processes of their own; all are ended on leaving.

    Each has a session of its own, so that Ctrl-C reaches this process only and the children end
    in order. When this process is killed they end by themselves.
    """

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._running: dict[str, Process] = {}
        self._ends: asyncio.Queue[str] = asyncio.Queue()  # names of children that ended
        self._waits: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._logs.mkdir(parents=True, exist_ok=True)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for wait in self._waits:
            wait.cancel()
        for process in reversed(self._running.values()):
            if process.returncode is None:
                process.terminate()
                await _ended(process)

    def log(self, name: str) -> Path:
        """Where the output of that child goes."""
        return self._logs / f"{name}.log"

    async def start(self, name: str, *arguments: str) -> None:
        """Start a child that runs until the end."""
        with self.log(name).open("wb") as log:
            self._running[name] = await asyncio.create_subprocess_exec(
                *_smelter(),
                *arguments,
                stdin=DEVNULL,
                stdout=log,
                stderr=STDOUT,
                env=_environment(),
                start_new_session=True,
            )
        self._waits.append(asyncio.create_task(self._tell_end(name, self._running[name])))

    async def _tell_end(self, name: str, process: Process) -> None:
        await process.wait()
        self._ends.put_nowait(name)

    async def watch(self) -> None:
        """Returns never; raises ChildFailedError as soon as a started child has ended."""
        name = await self._ends.get()
        code = self._running[name].returncode
        raise ChildFailedError(
            say(
                f"smelter {name} 意外结束（退出码 {code}）；日志 {self.log(name)} 的末尾：\n",
                f"smelter {name} ended unexpectedly (exit code {code}); end of {self.log(name)}:\n",
            )
            + _tail(self.log(name))
        )

    async def run(
        self, name: str, *arguments: str, good: tuple[int, ...] = (0,), typed: str = ""
    ) -> str:
        """
        Run a child to its end and return what it printed; ``typed`` is its standard input.

        Raises ChildFailedError when its exit code is none of ``good``.
        """
        process = await asyncio.create_subprocess_exec(
            *_smelter(),
            *arguments,
            stdin=PIPE if typed else DEVNULL,
            stdout=PIPE,
            stderr=STDOUT,
            env=_environment(),
            start_new_session=True,
        )
        self._running[f"{name} "] = process
        try:
            output, _ = await process.communicate(typed.encode() if typed else None)
        finally:
            if process.returncode is None:
                process.terminate()
                await _ended(process)
            del self._running[f"{name} "]
        text = output.decode("utf-8", "replace")
        self.log(name).write_text(text, "utf-8")
        if process.returncode not in good:
            raise ChildFailedError(
                say(
                    f"smelter {' '.join(arguments)} 失败（退出码 {process.returncode}）：\n",
                    f"smelter {' '.join(arguments)} failed (exit code {process.returncode}):\n",
                )
                + _tail(self.log(name))
            )
        return text


async def _ended(process: Process) -> None:
    try:
        await asyncio.wait_for(process.wait(), END_S)
    except TimeoutError:
        process.kill()
        await process.wait()


def _smelter() -> tuple[str, ...]:
    return sys.executable, "-c", CODE.format(os.getpid())


def _environment() -> dict[str, str]:
    return os.environ | {"PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1"}


def _tail(path: Path) -> str:
    lines = path.read_text("utf-8", "replace").rstrip().splitlines()
    return "\n".join(f"  {line}" for line in lines[-TAIL_LINES:])
