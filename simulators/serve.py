"""Serving a simulated plant until it is told to stop, with its files beside it."""

import asyncio
import json
import signal
import time
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console

from drivers.language import say
from simulators.broker import broker
from simulators.cems_data import Analyser
from simulators.cems_logger import MOST_PLATFORMS, CemsLogger, Platform
from simulators.faults import NAMES, Fault, Faults
from simulators.folder import Folder, write_folder
from simulators.history import simulate_month, write_parquet
from simulators.months import month_span
from simulators.officer import entries, write_ladle_log, write_workbook
from simulators.plant import Scenario
from simulators.truth import write
from simulators.world import World

TRUTH_EVERY_S = 30.0


@dataclass(frozen=True, slots=True)
class Order:
    """What ``smelter simulate`` was asked for."""

    scenario: Scenario
    folder: Path
    accelerate: int = 1
    faults: tuple[Fault, ...] = ()
    history: str = ""
    broker: str = ""
    seconds: float = 0.0
    platforms: tuple[Platform, ...] = ()  # of the CEMS logger; none: it does not report

    def check(self) -> None:
        """Raises ValueError for what can only be wrong together."""
        if not 1 <= self.accelerate <= 3600:
            raise ValueError(f"--accelerate {self.accelerate}: 1 to 3600")
        if self.history:
            month_span(self.history)
        if len(self.platforms) > MOST_PLATFORMS:
            raise ValueError(f"--cems {len(self.platforms)}: 0 to {MOST_PLATFORMS}")


def write_history(folder: Folder, scenario: Scenario, month: str) -> dict[str, object]:
    """The month's import file, truth, workbook and ladle log below ``folder``; returns truth."""
    made = simulate_month(scenario, month)
    folder.history(month).parent.mkdir(parents=True, exist_ok=True)
    folder.entries(month).parent.mkdir(parents=True, exist_ok=True)
    rows = write_parquet(folder.history(month), made)
    truth = made.truth | {"history_rows": rows}
    write(folder.month_truth(month), truth)
    write_ladle_log(folder.entries(month).parent, made)
    write_workbook(folder.entries(month), entries(made))
    return truth


async def serve(order: Order) -> None:
    """Serves the plant and writes its files; ends on SIGINT, SIGTERM or after ``seconds``."""
    folder = Folder(order.folder)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(sign, stop.set)
    if order.history:
        await asyncio.to_thread(write_history, folder, order.scenario, order.history)
    faults = Faults(order.faults, seed=order.scenario.seed)
    scenario = replace(order.scenario, start_s=float(int(time.time())))
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(
            World(scenario, faults=faults, accelerate=order.accelerate)
        )
        address = order.broker or await stack.enter_async_context(broker())
        await asyncio.to_thread(write_folder, folder, world, address, {})
        _announce(folder, world, address, order)
        if order.platforms:
            await stack.enter_async_context(_logger(world, order))
        async with asyncio.TaskGroup() as tasks:
            children = [
                tasks.create_task(world.run()),
                tasks.create_task(_keep_truth(folder, world)),
                tasks.create_task(_watch_faults(folder.root / "faults.txt", faults)),
            ]
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), order.seconds or None)
            for child in children:
                child.cancel()
        write(folder.truth, world.truth())


def _logger(world: World, order: Order) -> CemsLogger:
    """The data logger of the first stack, in the time of the plant."""
    plant = world.plant
    return CemsLogger(
        list(order.platforms),
        analyser=Analyser(plant.sections[0].stack),
        faults=world.faults,
        clock=lambda: plant.time_s,
    )


def _announce(folder: Folder, world: World, address: str, order: Order) -> None:
    console = Console(soft_wrap=True, highlight=False)
    scenario = world.plant.scenario
    console.print(
        say(
            f"仿真电解铝厂：{scenario.pots} 台槽，{scenario.line_count} 个系列，"
            f"种子 {scenario.seed}",
            f"Simulated smelter: {scenario.pots} pots, {scenario.line_count} potlines, "
            f"seed {scenario.seed}",
        )
    )
    for name, where in world.addresses.items():
        console.print(f"  {name:<22} {where}")
    for each in order.platforms:
        to = say(f"数采仪 → HJ 212-{each.version}", f"logger → HJ 212-{each.version}")
        console.print(f"  {to:<22} {each.host}:{each.port}, MN={each.mn}, PW={each.pw}")
    console.print(f"  {'MQTT':<22} {address}")
    files = [
        (say("网关配置", "gateway config"), folder.gateway),
        (say("点表", "point tables"), folder.points),
        (say("历史库配置", "historian config"), folder.historian),
        (say("厂区配置", "site config"), folder.site),
        (say("真值", "truth"), folder.truth),
        (say("故障开关（每行一个）", "faults, one a line"), folder.root / "faults.txt"),
    ]
    if order.history:
        files.append((say("历史数据", "history"), folder.history(order.history)))
        files.append((say("填报表", "entries"), folder.entries(order.history)))
    for what, path in files:
        console.print(f"  {what}: {path}")
    console.print(say("按 Ctrl-C 结束", "Ctrl-C ends it"))


async def _keep_truth(folder: Folder, world: World) -> None:
    while True:
        text = json.dumps(world.truth(), ensure_ascii=False, indent=1)
        await asyncio.to_thread(folder.truth.write_text, text + "\n", "utf-8")
        await asyncio.sleep(TRUTH_EVERY_S)


async def _watch_faults(path: Path, faults: Faults) -> None:
    """Lines of ``faults.txt`` are the faults now; an empty file ends all of them."""
    seen = b""
    while True:
        await asyncio.sleep(1)
        text = await asyncio.to_thread(_content, path)
        if text == seen:
            continue
        seen = text
        try:
            now = [Fault.parse(line) for line in text.decode("utf-8").splitlines() if line.strip()]
        except ValueError as error:
            Console(stderr=True).print(f"{path}: {error}", markup=False)
            continue
        for name in NAMES:
            faults.remove(name)
        for fault in now:
            faults.add(fault)


def _content(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""
