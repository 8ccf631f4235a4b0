"""``smelter doctor``: findings printed for a person at a terminal, or as JSON."""

import json
import os
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from drivers.doctor import LEVELS, NOTHING, TOPICS, Finding, Given, Text, examine, worst
from drivers.language import say

MARKS = {"ok": ("✓", "green"), "note": ("·", "dim"), "warn": ("!", "yellow"), "bad": ("✗", "red")}
LEVEL_NAMES = {
    "ok": Text("正常", "good"),
    "note": Text("提示", "note"),
    "warn": Text("注意", "warning"),
    "bad": Text("故障", "bad"),
}
PLANT_TIME = timezone(timedelta(hours=8))
DEFAULTS = Path("/etc/smelter")

_PATH = {"show_default": False}


def _given(path: Path | None, name: str) -> Path | None:
    """What was named; else the file where the package installs it, when it is there."""
    if path is not None:
        return path
    usual = DEFAULTS / name
    return usual if os.access(usual, os.R_OK) else None


def doctor(
    config: Annotated[
        Path | None,
        typer.Option("--config", help=say("网关配置 gateway.toml", "gateway.toml")),
    ] = None,
    historian: Annotated[
        Path | None,
        typer.Option("--historian", help=say("历史库配置 historian.toml", "historian.toml")),
    ] = None,
    site: Annotated[
        Path | None, typer.Option("--site", help=say("企业配置 site.toml", "site.toml"))
    ] = None,
    no_devices: Annotated[
        bool, typer.Option("--no-devices", help=say("不访问设备", "do not ask the devices"))
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help=say("输出 JSON", "print JSON"))] = False,
    data_catalogue: Annotated[
        bool,
        typer.Option(
            "--data-catalogue",
            help=say("数据分类目录：何处、谁可读、多久、如何加密", "what is kept, where and how"),
        ),
    ] = False,
    csv_file: Annotated[
        Path | None, typer.Option("--csv", help=say("目录写入 CSV", "the catalogue as CSV"))
    ] = None,
) -> None:
    """Look at an installation; exit code 1: something is bad, 2: nothing was named."""
    given = Given(
        gateway=_given(config, "gateway.toml"),
        historian=_given(historian, "historian.toml"),
        site=_given(site, "site.toml"),
        devices=not no_devices,
    )
    if given.gateway is given.historian is given.site is None:
        told = say(
            f"没有可检查的配置：{DEFAULTS} 下没有可读的配置文件；请用 --config、--historian "
            "或 --site 指定",
            f"nothing to look at: no readable config in {DEFAULTS}; "
            "name one with --config, --historian or --site",
        )
        typer.echo(f"smelter doctor: {told}", err=True)
        raise typer.Exit(2)
    if data_catalogue or csv_file is not None:
        from drivers.catalogue import tell

        tell([p for p in (given.gateway, given.historian, given.site) if p], csv_file, as_json)
        return
    findings = examine(given)
    level = worst(findings)
    if as_json:
        told_all = {
            "level": level,
            "at": datetime.fromtimestamp(given.now_ns // 10**9, PLANT_TIME).isoformat(),
            "findings": [each.as_json() for each in findings],
        }
        typer.echo(json.dumps(told_all, ensure_ascii=False, indent=1))
    else:
        show(findings, given)
    raise typer.Exit(1 if level == "bad" else 0)


def show(findings: list[Finding], given: Given) -> None:
    """By topic, each finding with a sign and, where it is not good, what to do."""
    console = Console(width=None if sys.stdout.isatty() else 100, highlight=False)
    at = datetime.fromtimestamp(given.now_ns // 10**9, PLANT_TIME)
    console.print(
        f"smelter doctor  {at:%Y-%m-%d %H:%M:%S} UTC+8", style="bold", markup=False, end="\n"
    )
    for topic in dict.fromkeys(each.topic for each in findings):
        console.print()
        console.print(str(TOPICS.get(topic, topic)), style="bold", markup=False)
        grid = Table.grid(padding=(0, 1))
        grid.add_column(width=3, justify="right")
        grid.add_column(overflow="fold")
        for each in (x for x in findings if x.topic == topic):
            _add(grid, each)
        console.print(grid)
    console.print()
    console.print(_sum(findings), markup=False, style="bold")


def _add(grid: Table, each: Finding) -> None:
    from rich.text import Text as Rich

    sign, style = MARKS[each.level]
    what = f"{each.where}{say('：', ': ')}{each.what}" if each.where else str(each.what)
    grid.add_row(Rich(sign, style=style), Rich(what, style="" if each.level != "note" else style))
    if each.what_to_do != NOTHING:
        grid.add_row("", Rich(f"→ {each.what_to_do}", style=style))


def _sum(findings: list[Finding]) -> str:
    counts = {level: sum(each.level == level for each in findings) for level in reversed(LEVELS)}
    parts = [f"{LEVEL_NAMES[level]} {count}" for level, count in counts.items() if count]
    return say("合计：", "In all: ") + say("，", ", ").join(parts)
