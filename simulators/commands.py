"""``smelter simulate`` and ``smelter demo``."""

import asyncio
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from drivers.language import say
from simulators.faults import NAMES as KNOWN
from simulators.planted import MOST, USUAL
from simulators.smoke_plan import KINDS

SCENARIOS = {"pots12": 12, "pots36": 36, "pots120": 120, "pots400": 400}
NAMES = "pots12, pots36, pots120, pots400"
FAULTS = ", ".join(KNOWN)
PLANTED = ", ".join(
    f"{name} ≤ {MOST[name][0]:g} {MOST[name][1]}".rstrip() if name in MOST else name
    for name in USUAL
)

SMOKE = ", ".join(f"{name}=({unit})" if unit else name for name, (unit, _) in KINDS.items())

LANG = typer.Option("--lang", help="zh | en", show_default=False)


def _set_language(lang: str) -> None:
    """Children inherit it, so that the whole demo speaks one language."""
    if lang not in {"", "zh", "en"}:
        raise typer.BadParameter(f"--lang {lang}: zh | en")
    if lang:
        os.environ["SMELTER_LANG"] = lang


def simulate(  # noqa: PLR0913 - options of a command
    scenario: Annotated[
        str, typer.Argument(help=say(f"场景：{NAMES}", f"scenario: {NAMES}"))
    ] = "pots12",
    *,
    pots: Annotated[
        int,
        typer.Option(help=say("槽数，4–400，覆盖场景", "pots, 4-400, instead of the scenario's")),
    ] = 0,
    lines: Annotated[int, typer.Option(help=say("系列数，0 自动", "potlines, 0 chooses"))] = 0,
    seed: Annotated[int, typer.Option(help=say("随机种子", "seed"))] = 7,
    folder: Annotated[
        Path, typer.Option("--dir", help=say("输出目录", "where the files are written"))
    ] = Path("plant"),
    accelerate: Annotated[
        int, typer.Option(help=say("时间加速倍数", "times real time, 1-3600"))
    ] = 1,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            help=say(
                "名称[:目标][@开始秒][+持续秒][%比例][=数值]，可重复；名称：" + FAULTS,
                "NAME[:TARGET][@START][+SECONDS][%PERCENT][=AMOUNT]; may be repeated; "
                "names: " + FAULTS,
            )
        ),
    ] = None,
    planted: Annotated[
        list[str] | None,
        typer.Option(
            help=say(
                "埋设的问题槽，名称:[系列/]槽号[=数值]，可重复；名称及数值上限与单位：" + PLANTED,
                "a planted pot, NAME:[LINE/]POT[=SIZE]; may be repeated; "
                "names, largest SIZE and its unit: " + PLANTED,
            )
        ),
    ] = None,
    history: Annotated[
        str,
        typer.Option(help=say("同时生成某月历史，如 2026-10", "also write a month, like 2026-10")),
    ] = "",
    year: Annotated[
        int,
        typer.Option(help=say("只写某年的小时数据", "only write the hours of a year, 2025")),
    ] = 0,
    smoke: Annotated[
        int,
        typer.Option(
            help=say("只写某年排放口的分钟数据", "only write a year of stacks by the minute, 2025")
        ),
    ] = 0,
    smoke_planted: Annotated[
        list[str] | None,
        typer.Option(
            help=say(
                "排放口埋设的情况，代替缺省的一套；可重复；",
                "planted on a stack, in place of the usual ones; may be repeated; ",
            )
            + "KIND:DA001[/so2]@2025-04-17T13:00+MINUTES[=SIZE]; "
            + SMOKE,
        ),
    ] = None,
    broker: Annotated[
        str,
        typer.Option(
            help=say(
                "MQTT 服务器 主机:端口；缺省用内置", "MQTT broker host:port; embedded if absent"
            )
        ),
    ] = "",
    cems: Annotated[
        list[str] | None,
        typer.Option(
            help=say(
                "烟气数采仪按 HJ 212 上报到 主机:端口[/2025]，可重复，至多四个",
                "the CEMS logger reports by HJ 212 to HOST:PORT[/2025]; may be repeated, up to 4",
            )
        ),
    ] = None,
    seconds: Annotated[
        float, typer.Option(help=say("运行秒数，0 直到 Ctrl-C", "run so long, 0 until Ctrl-C"))
    ] = 0.0,
    no_serve: Annotated[
        bool, typer.Option("--no-serve", help=say("只写历史数据", "only write the history"))
    ] = False,
    lang: Annotated[str, LANG] = "",
) -> None:
    """Serve a simulated smelter on loopback and write its configuration."""
    from simulators.cems_logger import Platform
    from simulators.faults import Fault
    from simulators.folder import Folder
    from simulators.months import last_month
    from simulators.plant import Scenario
    from simulators.planted import Planted
    from simulators.serve import Order, serve, write_history
    from simulators.year_folder import write_year

    _set_language(lang)
    if smoke:
        _smoke(folder, smoke, seed, smoke_planted or [])
        return
    if year:
        write_year(Folder(folder), year, pots or SCENARIOS["pots36"], seed)
        return
    if not pots and scenario not in SCENARIOS:
        raise typer.BadParameter(
            say(f"没有场景 {scenario!r}；可用：{NAMES}", f"unknown {scenario!r}; known: {NAMES}")
        )
    try:
        order = Order(
            scenario=Scenario(
                0.0,
                pots or SCENARIOS[scenario],
                seed,
                lines,
                planted=tuple(Planted.parse(text) for text in planted or ()),
                pot_detail=bool(planted),
            ),
            folder=folder,
            accelerate=accelerate,
            faults=tuple(Fault.parse(text) for text in fault or ()),
            history=history,
            broker=broker,
            seconds=seconds,
            platforms=tuple(Platform.parse(text) for text in cems or ()),
        )
        order.check()
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    if no_serve:
        write_history(Folder(folder), order.scenario, history or last_month())
    else:
        asyncio.run(serve(order))


def _smoke(folder: Path, year: int, seed: int, planted: list[str]) -> None:
    """``smoke-<year>.parquet``, its truth, a ``site.toml`` for it and the officer's journal."""
    from simulators.smoke_files import write_smoke
    from simulators.smoke_officer import write_journal_table
    from simulators.smoke_plan import Happening, plan_of_year
    from simulators.smoke_site import smoke_site

    try:
        plan = plan_of_year(year, seed)
        if planted:
            plan = replace(plan, happenings=tuple(Happening.parse(text) for text in planted))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    made = write_smoke(folder / "history", plan, str(year))
    site = folder / "site.toml"
    site.write_text(smoke_site("demo", plan.stacks), "utf-8")
    history = folder / "history"
    journal = write_journal_table(folder / "journal", made)
    paths = (history / f"smoke-{year}.parquet", history / f"truth-smoke-{year}.json", site, journal)
    for path in paths:
        typer.echo(path)
    for truth in made.truths:
        for name, one in truth.pollutants.items():
            hours = int(one.exceeds.sum())
            typer.echo(
                f"{truth.made.design.id} {name}: " + say(f"超标 {hours} 小时", f"{hours} h above")
            )


def demo(
    *,
    once: Annotated[
        bool, typer.Option("--once", help=say("出报告后结束", "end after the report"))
    ] = False,
    folder: Annotated[
        Path, typer.Option("--dir", help=say("输出目录", "where everything is written"))
    ] = Path("demo"),
    month: Annotated[
        str,
        typer.Option(help=say("报告月份，缺省为上月", "month of the report; last month if absent")),
    ] = "",
    year: Annotated[
        int,
        typer.Option(
            help=say("全年所有报告，如 2025", "a whole year and every report of it, like 2025")
        ),
    ] = 0,
    pots: Annotated[
        int, typer.Option(help=say("槽数，缺省 12，全年 36", "pots; 12, or 36 for a year"))
    ] = 0,
    seed: Annotated[int, typer.Option(help=say("随机种子", "seed"))] = 7,
    lang: Annotated[str, LANG] = "",
) -> None:
    """Simulated smelter, agent, historian, report and web console in one command."""
    from simulators.demo import Demo, run_demo
    from simulators.months import last_month, month_span
    from simulators.plant import Scenario

    _set_language(lang)
    if year:
        if month:
            raise typer.BadParameter(say("--month 与 --year 二选一", "give --month or --year"))
        raise typer.Exit(_year_demo(folder, year, pots or 36, seed, lang or "zh", once=once))
    month = month or last_month()
    try:
        begin_s, end_s = month_span(month)
        if end_s > time.time():
            raise ValueError(say(f"{month} 尚未结束，请选已结束的月份", f"{month} is not over yet"))  # noqa: TRY301 - one way out for wrong use
        order = Demo(Scenario(begin_s, pots or 12, seed), folder, month, once, lang or "zh")
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    raise typer.Exit(run_demo(order))


def _year_demo(folder: Path, year: int, pots: int, seed: int, lang: str, *, once: bool) -> int:
    from simulators.demo_year import YearDemo, run_year_demo
    from simulators.months import last_month

    if not 12 <= pots <= 400:
        raise typer.BadParameter(say("--pots 12–400", "--pots 12 to 400: three lines"))
    if f"{year}-12" > last_month() or year < 2025:
        raise typer.BadParameter(
            say(f"{year} 尚未结束或早于 2025", f"{year} is not over yet, or before 2025")
        )
    return run_year_demo(YearDemo(folder, year, pots, seed, lang, once))
