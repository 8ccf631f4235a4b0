"""``smelter demo``: plant, broker, agent, historian, a month of history, report and console."""

import asyncio
import signal
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from rich.console import Console

from drivers.language import say
from simulators.broker import broker
from simulators.children import ChildFailedError, Children
from simulators.compare import Deviation, deviations, read_json
from simulators.demo_console import open_console, tell_console
from simulators.folder import Folder, write_folder
from simulators.live import Seen, follow, show, whole
from simulators.opcua import free_port
from simulators.plant import Scenario
from simulators.stage import START_S, Stage, StopError, healthy, in_lake, on_stage, until_stopped
from simulators.world import World


@dataclass(frozen=True, slots=True)
class Demo:
    """What ``smelter demo`` was asked for."""

    scenario: Scenario
    folder: Path
    month: str
    once: bool = False
    report_language: str = "zh"


@dataclass(frozen=True, slots=True)
class _Live(Stage):
    """The demo of a month: a plant is served, and values are seen as they come."""

    order: Demo
    world: World
    seen: Seen


def run_demo(order: Demo) -> int:
    """The whole demo; returns the exit code."""
    return on_stage(order.folder, partial(_demo, order))


async def _demo(order: Demo, folder: Folder, console: Console) -> int:
    code = 1
    stop = asyncio.Event()
    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    begin_s = time.monotonic()
    try:
        async with AsyncExitStack() as stack:
            live = replace(order.scenario, start_s=float(int(time.time())))
            world = await stack.enter_async_context(World(live))
            address = await stack.enter_async_context(broker())
            children = await stack.enter_async_context(Children(folder.root / "logs"))
            name = live.name
            stage = _Live(folder, name, address, children, console, begin_s, order, world, Seen())
            listen = await _start(stage)
            async with asyncio.TaskGroup() as tasks:
                background = [
                    tasks.create_task(world.run()),
                    tasks.create_task(children.watch()),
                    tasks.create_task(until_stopped(stop)),
                ]
                code = await _work(stage, listen, tasks)
                for task in background:
                    task.cancel()
    except* ChildFailedError as failed:
        for error in failed.exceptions:
            console.print(str(error), markup=False)
        code = 1
    except* StopError:
        console.print(say("演示已结束", "the demo has ended"))
        code = 0 if any(folder.reports.glob("**/*.json")) else 130
    return code


async def _start(stage: _Live) -> dict[str, str]:
    """Writes the configuration and starts historian and agent; returns their health addresses."""
    listen = {name: f"127.0.0.1:{free_port()}" for name in ("agent", "historian", "console")}
    folder = stage.folder
    write_folder(folder, stage.world, stage.broker, listen)
    scenario = stage.world.plant.scenario
    stage.say(
        f"仿真电解铝厂已启动：{scenario.pots} 台槽，{len(stage.world.addresses)} 台设备",
        f"simulated smelter is up: {scenario.pots} pots, {len(stage.world.addresses)} devices",
    )
    await stage.children.start("historian", "historian", "run", str(folder.historian))
    await stage.children.start("agent", "agent", "run", str(folder.gateway))
    return listen


async def _work(stage: _Live, listen: dict[str, str], tasks: asyncio.TaskGroup) -> int:
    host, _, port = stage.broker.rpartition(":")
    plant = stage.plant
    following = tasks.create_task(follow(host, int(port), plant, stage.seen))
    history = tasks.create_task(_history(stage))
    with stage.console.status(say("仿真历史数据 …", "simulating the history …")):
        await healthy(stage, {name: listen[name] for name in ("agent", "historian")})
        stage.say(
            "网关和历史库已运行，正在采集", "agent and historian are running and polling the plant"
        )
        password = "" if stage.order.once else await open_console(stage, listen["console"])
        await history
    found = await _report(stage)
    await _first_values(stage)
    good = _tell(stage, found)
    if password:
        tell_console(stage, listen["console"], password)
    if stage.order.once or not good:
        following.cancel()
        return 0 if good else 1
    stage.console.print(say("按 Ctrl-C 结束", "Ctrl-C ends it"))
    await show(stage.console, stage.seen)
    return 0


async def _history(stage: _Live) -> None:
    """One month of the same plant, written by a child while agent and historian start."""
    scenario, month = stage.order.scenario, stage.order.month
    await stage.children.run(
        "simulate",
        *("simulate", "--no-serve", "--dir", str(stage.folder.root), "--history", month),
        *("--pots", str(scenario.pots), "--seed", str(scenario.seed)),
    )
    rows = read_json(stage.folder.month_truth(month))["history_rows"]
    stage.say(
        f"{month} 历史数据：{rows:,} 行 {stage.folder.history(month)}",
        f"history of {month}: {rows:,} rows in {stage.folder.history(month)}",
    )


async def _report(stage: _Live) -> list[Deviation]:
    """History and entries in, report out; the deviations from the truth of the month."""
    folder, order, run = stage.folder, stage.order, stage.children.run
    month, site = order.month, str(folder.site)
    via = ("--mqtt", f"mqtt://{stage.broker}", "--plant", stage.plant)
    with stage.console.status(say("导入历史数据 …", "importing the history …")):
        await run(
            "import",
            *("import", str(folder.history(month)), *via),
            *("--data-dir", str(folder.data / "import")),
        )
        await in_lake(stage)
    stage.say("历史数据已入库", "the history is in the lake")
    await run(
        "entries",
        *("entries", "import", str(folder.entries(month)), "--site", site, "--yes"),
        *("--author", say("环保专员（仿真）", "environment officer (simulated)")),
        *("--reason", say(f"{month} 月度填报", f"monthly figures of {month}")),
    )
    with stage.console.status(say("生成报告 …", "making the report …")):
        await run(
            "report",
            *("report", "carbon-monthly", "--site", site, "--month", month),
            *("--out", str(folder.reports), "--lang", order.report_language),
        )
    made = sorted(folder.reports.glob("**/*.json"))
    if not made:
        raise ChildFailedError(
            say(f"{folder.reports} 中没有报告", f"there is no report in {folder.reports}")
        )
    stage.say("报告已生成", "the report is made")
    return deviations(read_json(made[-1]), read_json(folder.month_truth(month)))


async def _first_values(stage: _Live) -> None:
    limit_s = time.monotonic() + START_S
    while not whole(stage.seen):
        if time.monotonic() > limit_s:
            raise ChildFailedError(
                say(
                    f"网关没有发布数据；见 {stage.children.log('agent')}",
                    f"the agent has published nothing; see {stage.children.log('agent')}",
                )
            )
        await asyncio.sleep(0.2)


def _tell(stage: _Live, found: list[Deviation]) -> bool:
    """Prints where everything is, the result and its deviation; True when all is within bounds."""
    console, folder = stage.console, stage.folder
    say_path = [
        (say("报告", "report"), path)
        for path in sorted(folder.reports.glob("**/*"))
        if path.suffix in {".json", ".xlsx", ".pdf"}
    ]
    say_path += [
        (say("真值", "truth"), folder.month_truth(stage.order.month)),
        (say("填报表", "entries"), folder.entries(stage.order.month)),
        (say("网关配置、点表", "gateway config, point tables"), folder.gateway),
        (say("厂区配置", "site file"), folder.site),
        (say("原始批次和数据湖", "originals and lake"), folder.data / "historian"),
        (say("各进程日志", "logs of the processes"), folder.root / "logs"),
    ]
    console.print()
    for what, path in say_path:
        console.print(f"  {what}: {path}", markup=False)
    console.print()
    plant = {figure.line.partition(".")[2]: figure for figure in found if "plant." in figure.line}
    for name in ("aluminium", "emission", "intensity"):
        figure = plant[name]
        shown = "—" if figure.reported is None else f"{figure.reported:,.4f}"
        console.print(f"  {figure.label}: {shown} {figure.unit}")
    report = max(folder.reports.glob("**/*.json"))
    smelter = Path(sys.executable).parent / "smelter"  # a newcomer has not activated the venv
    hint = f"{smelter} trace {report} plant.emission"
    console.print(say(f"  追溯：{hint}", f"  where it comes from: {hint}"), markup=False)
    hint = f"{smelter} package {report}"
    console.print(
        say(f"  证据包（供核查方核验）：{hint}", f"  all that proves it, for a verifier: {hint}"),
        markup=False,
    )
    bad = [figure for figure in found if not figure.good]
    worst = max((abs(figure.share or 0.0) for figure in found), default=0.0)
    console.print(
        say(
            f"  与仿真真值的最大偏差：{worst:.5%}（{len(found)} 个数，允许 0.1 %）",
            f"  largest deviation from the simulator's truth: {worst:.5%} "
            f"({len(found)} figures, 0.1 % allowed)",
        )
    )
    for figure in bad:
        console.print(
            say(
                f"  超差：{figure.line} 报告 {figure.reported}，真值 {figure.true} {figure.unit}",
                f"  off: {figure.line} reported {figure.reported}, true {figure.true} "
                f"{figure.unit}",
            )
        )
    return not bad
