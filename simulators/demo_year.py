"""``smelter demo --year``: a simulated year through broker and historian to every report."""

import asyncio
import signal
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rich.console import Console

from drivers.language import say
from simulators.broker import broker
from simulators.children import ChildFailedError, Children
from simulators.compare import ALLOWED, Deviation, read_json
from simulators.compare_smoke import smoke_findings
from simulators.compare_year import year_deviations
from simulators.demo_console import open_console, tell_console
from simulators.folder import Folder
from simulators.opcua import free_port
from simulators.stage import Stage, StopError, healthy, in_lake, on_stage, until_stopped
from simulators.year_folder import write_year_folder

REPORTS = (
    *("carbon-annual", "verification", "allowance", "international", "energy"),
    *("emissions", "grade"),
)
OF_HOURS = 0.002  # an archive of hours knows means only, not what belonged together in them
CBAM_FROM = 2026  # the definitive period; before it there is no such report
INCOMPLETE = (0, 1)  # a report that says what is missing is made all the same


@dataclass(frozen=True, slots=True)
class YearDemo:
    """What ``smelter demo --year`` was asked for."""

    folder: Path
    year: int
    pots: int = 36
    seed: int = 7
    report_language: str = "zh"
    once: bool = False


def run_year_demo(order: YearDemo) -> int:
    """The whole demo; returns the exit code."""
    return on_stage(order.folder, partial(_demo, order))


async def _demo(order: YearDemo, folder: Folder, console: Console) -> int:
    code = 1
    stop = asyncio.Event()
    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    begin_s = time.monotonic()
    try:
        async with AsyncExitStack() as stack:
            address = await stack.enter_async_context(broker())
            children = await stack.enter_async_context(Children(folder.root / "logs"))
            stage = Stage(folder, "demo", address, children, console, begin_s)
            listen = {name: f"127.0.0.1:{free_port()}" for name in ("historian", "console")}
            write_year_folder(folder, order.year, order.pots, order.seed, address, listen)
            await children.start("historian", "historian", "run", str(folder.historian))
            async with asyncio.TaskGroup() as tasks:
                background = [
                    tasks.create_task(children.watch()),
                    tasks.create_task(until_stopped(stop)),
                ]
                code = await _work(order, stage, listen)
                for task in background:
                    task.cancel()
    except* ChildFailedError as failed:
        for error in failed.exceptions:
            console.print(str(error), markup=False)
        code = 1
    except* StopError:
        console.print(say("演示已结束", "the demo has ended"))
        code = 0 if any(folder.reports.glob("grade-*.json")) else 130
    return code


async def _work(order: YearDemo, stage: Stage, listen: dict[str, str]) -> int:
    folder, year = stage.folder, str(order.year)
    with stage.console.status(say("仿真全年 …", "simulating the year …")):
        await stage.children.run(
            "simulate",
            *("simulate", "--no-serve", "--dir", str(folder.root), "--year", year),
            *("--pots", str(order.pots), "--seed", str(order.seed)),
        )
        await healthy(stage, {"historian": listen["historian"]})
    rows = read_json(folder.month_truth(year))["history_rows"]
    stage.say(f"{year} 全年小时数据 {rows:,} 行", f"hours of {year}: {rows:,} rows")
    await _bring_in(stage, year)
    await _report(order, stage)
    good = _tell(order, stage)
    if order.once or not good:
        return 0 if good else 1
    tell_console(stage, listen["console"], await open_console(stage, listen["console"]))
    stage.console.print(say("按 Ctrl-C 结束", "Ctrl-C ends it"))
    await asyncio.Event().wait()
    return 0


async def _bring_in(stage: Stage, year: str) -> None:
    """History through broker and historian into the lake, entries into the ledger."""
    folder, run = stage.folder, stage.children.run
    with stage.console.status(say("导入 …", "importing …")):
        minutes = folder.history(f"smoke-{year}")
        for name, file, period in (("", folder.history(year), "3600"), ("-minutes", minutes, "60")):
            await run(
                f"import{name}",
                *("import", str(file), "--period", period),
                *("--mqtt", f"mqtt://{stage.broker}", "--plant", stage.plant),
                *("--data-dir", str(folder.data / "import")),
            )
        await in_lake(stage)
        stage.say("全年数据已入库", "the year is in the lake")
        for table in sorted(folder.entries(year).parent.glob("*.xlsx")):
            await run(
                f"entries-{table.stem}",
                *("entries", "import", str(table), "--site", str(folder.site), "--yes"),
                *("--author", say("环保专员（仿真）", "environment officer (simulated)")),
                *("--reason", say(f"{table.stem} 填报", f"figures of {table.stem}")),
            )
    stage.say("填报数据已导入台账", "the entries are in the ledger")
    await run(
        "journal",
        *(
            "journal",
            "import",
            str(folder.entries(year).parent / "journal" / f"journal-{year}.csv"),
        ),
        *("--site", str(folder.site), "--yes"),
        *("--author", say("环保专员（仿真）", "environment officer (simulated)")),
        *("--reason", say("全年环保记录", "records of the year")),
    )
    stage.say(
        "标记、校准、超标处置已记入环保记录", "marks, checks and exceedances are in the journal"
    )


async def _report(order: YearDemo, stage: Stage) -> None:
    """The plan of the year, the twelve months, each lodged; then the reports of the year."""
    year = str(order.year)
    with stage.console.status(say("生成报告 …", "making the reports …")):
        await _make(order, stage, "quality-plan", ("--year", year), lodge=f"{order.year - 1}-12-20")
        for number in range(1, 13):
            month = f"{year}-{number:02d}"
            due = f"{order.year + number // 12}-{number % 12 + 1:02d}-28"
            await _make(order, stage, "carbon-monthly", ("--month", month), lodge=due)
        stage.say("质量控制计划和十二个月报告已存证", "the plan and twelve months are lodged")
        for name in (*REPORTS, *(("cbam",) if order.year >= CBAM_FROM else ())):
            await _make(order, stage, name, ("--year", year))
            stage.say(f"{name} 已生成", f"{name} is made")


async def _make(
    order: YearDemo, stage: Stage, name: str, period: tuple[str, str], lodge: str = ""
) -> None:
    folder, run = stage.folder, stage.children.run
    formats = "json" if name == "carbon-monthly" else "json,xlsx,pdf"
    await run(
        f"{name}-{period[1]}",
        *("report", name, "--site", str(folder.site), *period, "--out", str(folder.reports)),
        *("--format", formats, "--lang", order.report_language),
        good=INCOMPLETE,
    )
    made = max(folder.reports.glob(f"{name}-{period[1]}-v*.json"), default=None)
    if made is None:  # a program that fell over ends with 1 as well
        log = stage.children.log(f"{name}-{period[1]}")
        raise ChildFailedError(say(f"{name} 未生成；见 {log}", f"{name} was not made; see {log}"))
    if lodge:
        await run(
            f"lodge-{name}-{period[1]}",
            *("lodge", str(made), "--receipt", f"SIM-{name}-{period[1]}", "--on", lodge),
            *("--backdated", say("仿真：按当年日期登记", "simulated: as if lodged in that year")),
            *("--author", say("环保专员（仿真）", "environment officer (simulated)")),
        )


def _tell(order: YearDemo, stage: Stage) -> bool:
    """Prints where everything is and the deviations from the truth; True when all are small."""
    folder, console, year = stage.folder, stage.console, str(order.year)
    annual = max(folder.reports.glob(f"carbon-annual-{year}-v*.json"))
    found = year_deviations(read_json(annual), read_json(folder.month_truth(year)))
    console.print()
    for path in sorted(folder.reports.glob("*")):
        if "carbon-monthly" not in path.name:
            console.print(f"  {path}", markup=False)
    console.print()
    for name in ("aluminium", "emission", "enterprise_emission"):
        figure = next(figure for figure in found if figure.line == f"plant.{name}")
        shown = "—" if figure.reported is None else f"{figure.reported:,.2f}"
        console.print(f"  {figure.label}: {shown} {figure.unit}")
    _worst(console, found)
    return _tell_smoke(stage, year) and all(figure.good for figure in found)


def _tell_smoke(stage: Stage, year: str) -> bool:
    """Planted hours above a limit, found or not; the forged mark; True when all is as planted."""
    emissions = max(stage.folder.reports.glob(f"emissions-{year}-v*.json"))
    truth = read_json(stage.folder.month_truth(f"smoke-{year}"))
    smoke = smoke_findings(read_json(emissions), truth)
    hours = sum(
        len(one["exceeded"])
        for told in truth["stacks"].values()
        for one in told["pollutants"].values()
    )
    missed, invented = len(smoke.missed), len(smoke.invented)
    forged, seen = smoke.forged_true, smoke.forged
    stage.console.print(
        say(
            f"  埋设的超标小时：{hours} 个，漏 {missed} 个，多 {invented} 个；"
            f"伪造标记：{forged} 个，识破 {seen} 个",
            f"  planted hours above a limit: {hours}, missed {missed}, invented {invented}; "
            f"forged marks: {forged}, seen through {seen}",
        )
    )
    for hour in (*smoke.missed, *smoke.invented, *smoke.lost_missed, *smoke.lost_invented):
        stage.console.print(f"  ✗ {hour}", markup=False)
    return smoke.good(OF_HOURS)


def _worst(console: Console, found: list[Deviation]) -> None:
    worst = max((abs(figure.share or 0.0) for figure in found), default=0.0)
    console.print(
        say(
            f"  与仿真真值的最大偏差：{worst:.5%}（{len(found)} 个数，允许 {ALLOWED:.1%}）",
            f"  largest deviation from the simulator's truth: {worst:.5%} "
            f"({len(found)} figures, {ALLOWED:.1%} allowed)",
        )
    )
    for figure in found:
        if not figure.good:
            console.print(
                f"  ✗ {figure.line}: {figure.reported} ≠ {figure.true} {figure.unit}", markup=False
            )
