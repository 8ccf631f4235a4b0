"""What every demo stands on: its folder, the broker, the children, and what it says."""

import asyncio
import json
import shutil
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from drivers.language import say
from simulators.children import ChildFailedError, Children
from simulators.compare import read_json
from simulators.folder import Folder

MARK = ".smelter-demo"
OWN = ("data", "drawings", "entries", "history", "logs", "points", "reports")
START_S = 60.0
LAKE_S = 120.0


class StopError(Exception):
    """A signal came: end everything in order."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A running demo: where things are and how to say what happens."""

    folder: Folder
    plant: str
    broker: str
    children: Children
    console: Console
    begin_s: float

    def say(self, zh: str, en: str) -> None:
        elapsed = time.monotonic() - self.begin_s
        self.console.print(f"[{elapsed:5.1f} s] {say(zh, en)}", markup=False)


def on_stage(root: Path, work: Callable[[Folder, Console], Coroutine[object, object, int]]) -> int:
    """Claims the folder ``root`` and runs a demo in it; returns the exit code."""
    console = Console(soft_wrap=True, highlight=False, emoji=False)
    folder = Folder(root)
    try:
        trouble = claim(folder)
        if trouble:
            console.print(trouble, markup=False)
            return 2
        return asyncio.run(work(folder, console))
    except OSError as error:
        console.print(f"smelter demo: {error}", markup=False)
        return 1


def claim(folder: Folder) -> str:
    """Takes the folder for this demo, clearing what an earlier one left; else says why not."""
    mark = folder.root / MARK
    if folder.root.exists() and not folder.root.is_dir():
        return say(f"{folder.root} 不是目录", f"{folder.root} is no directory")
    if folder.root.exists() and any(folder.root.iterdir()) and not mark.exists():
        return say(
            f"{folder.root} 不是空目录，也不是以前的演示；请用 --dir 另选目录",
            f"{folder.root} is neither empty nor an earlier demo; choose another with --dir",
        )
    for name in OWN:
        shutil.rmtree(folder.root / name, ignore_errors=True)
    folder.root.mkdir(parents=True, exist_ok=True)
    mark.write_text("", "utf-8")
    return ""


async def until_stopped(stop: asyncio.Event) -> None:
    """Raises StopError when a signal comes."""
    await stop.wait()
    raise StopError


async def healthy(stage: Stage, listen: dict[str, str]) -> None:
    """Waits until every child serves its health page."""
    for name, address in listen.items():
        limit_s = time.monotonic() + START_S
        while not await _answers(address):
            if time.monotonic() > limit_s:
                raise ChildFailedError(
                    say(
                        f"smelter {name} 在 {START_S:g} 秒内未就绪；见 {stage.children.log(name)}",
                        f"smelter {name} was not ready within {START_S:g} s; "
                        f"see {stage.children.log(name)}",
                    )
                )
            await asyncio.sleep(0.1)


async def _answers(address: str) -> bool:
    """True when something serves HTTP there."""
    host, _, port = address.rpartition(":")
    try:
        reader, writer = await asyncio.open_connection(host, int(port))
    except OSError:
        return False
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    try:
        return (await reader.readline()).startswith(b"HTTP/1.1")
    except OSError:
        return False
    finally:
        writer.close()


async def in_lake(stage: Stage) -> None:
    """Waits until the lake holds every batch of the import."""
    config = str(stage.folder.historian)
    status = await stage.children.run("status", "historian", "status", config, "--json")
    logs = {
        name: reach["newest"]
        for name, reach in json.loads(status)["logs"].items()
        if name.split("/")[1] == "import"
    }
    cursor = stage.folder.data / "historian" / "views" / "lake" / "cursor.json"
    limit_s = time.monotonic() + LAKE_S
    while True:
        done = read_json(cursor)["done"] if cursor.exists() else {}
        if logs and all(done.get(name, 0) >= newest for name, newest in logs.items()):
            return
        if time.monotonic() > limit_s:
            raise ChildFailedError(
                say(
                    f"历史库在 {LAKE_S:g} 秒内未写完数据湖；见 {stage.children.log('historian')}",
                    f"the historian did not finish the lake within {LAKE_S:g} s; "
                    f"see {stage.children.log('historian')}",
                )
            )
        await asyncio.sleep(0.2)
