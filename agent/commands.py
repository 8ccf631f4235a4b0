"""
``smelter agent``: run, check, read. The historian and the importer are handed on lazily.

A gateway must stay small: nothing here may import what only the historian needs.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.accept_options import Accept, Author, Reason
from agent.certificates.commands import certificates_app
from agent.edge.config import GatewayConfig, load_gateway
from agent.edge.key_commands import keys_app
from agent.setup.commands import init
from agent.setup.profile_commands import list_profiles
from drivers.audit_config import note_refusal
from drivers.cli import language
from drivers.model import ConfigError

if TYPE_CHECKING:
    from agent.edge.reading import Reading

_ELSEWHERE = {
    "historian_app": "agent.historian.commands",
    "import_history": "agent.history.importer",
}


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name in _ELSEWHERE:
        found: object = getattr(import_module(_ELSEWHERE[name]), name)
        return found
    raise AttributeError(name)


def _say(zh: str, en: str) -> str:
    return zh if language() == "zh" else en


agent_app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    help=_say("网关：运行、检查配置、读一次数据", "run, check or read a gateway"),
)
agent_app.add_typer(keys_app, name="keys")
agent_app.add_typer(certificates_app, name="certificates")
agent_app.command(
    help=_say(
        "新建网关配置：提问或按应答文件，探测设备（只读）",
        "a first config, devices probed (reading)",
    )
)(init)
agent_app.command(
    "profiles", help=_say("列出随产品附带的设备 profile 及其来源", "register maps that come along")
)(list_profiles)
ConfigPath = Annotated[
    Path, typer.Argument(metavar="CONFIG", help=_say("gateway.toml 的路径", "gateway.toml"))
]
AsJson = Annotated[bool, typer.Option("--json", help=_say("输出 JSON", "print JSON"))]


@agent_app.command(
    help=_say("运行网关，直到收到 SIGTERM；SIGHUP 重新加载配置", "run; SIGHUP reloads the config")
)
def run(config: ConfigPath) -> None:
    """Poll, keep, publish until SIGTERM or SIGINT."""
    from agent.batches.log import LogError
    from agent.edge.process import run as run_process
    from agent.notify import set_up_logging

    try:
        settings = load_gateway(config)
    except ConfigError as error:
        note_refusal(config, error)
        raise
    set_up_logging()
    try:
        run_process(settings)
    except (LogError, OSError) as error:
        typer.echo(f"smelter agent: {error}", err=True)
        raise typer.Exit(1) from None


@agent_app.command(
    help=_say(
        "检查配置与点表，一次列出全部错误", "check config and point tables, all mistakes at once"
    )
)
def check(
    config: ConfigPath,
    *,
    plan: Annotated[
        bool, typer.Option("--plan", help=_say("说明请求计划", "explain the requests"))
    ] = False,
    as_json: AsJson = False,
    accept: Accept = False,
    author: Author = "",
    why: Reason = "",
) -> None:
    """
    Exit code 2 with one line per mistake; 0 and what would run when there is none.

    With ``--plan`` 1 when a device cannot deliver at the asked interval. With ``--accept`` the
    audit trail says who put this config in place and why when the agent takes it.
    """
    from agent.edge.check import describe, explain_plan, summary

    try:
        settings = load_gateway(config)
        described = describe(settings, plan=plan)
    except ConfigError as error:
        if not as_json:
            raise
        typer.echo(json.dumps({"good": False, "problems": error.problems}, ensure_ascii=False))
        raise typer.Exit(2) from None
    if accept:
        from agent.accepted import accept as put_in_place

        trail = settings.audit.trail(settings.data_dir / "audit")
        put_in_place(trail, config, settings.digest, author, why)
    if as_json:
        typer.echo(json.dumps({"good": True, **described}, ensure_ascii=False, indent=1))
    else:
        typer.echo(summary(described))
        _warn_of_clock()
    if plan and not as_json:
        typer.echo(explain_plan(described))
    if plan and not all(device["possible"] for device in described["devices"]):
        raise typer.Exit(1)


@agent_app.command(help=_say("读一次全部点并显示", "one poll of every point, printed"))
def read(
    config: ConfigPath,
    *,
    device: Annotated[
        str, typer.Option("--device", help=_say("只读此设备", "only this device"))
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Exit code 1 when a device does not answer."""
    from agent.edge.reading import read_once

    settings = load_gateway(config)
    names = [d.name for d in settings.devices]
    if device and device not in names:
        known = ", ".join(names)
        raise ConfigError([_say(f"没有设备 {device}；有：{known}", f"no {device}; known: {known}")])
    readings = asyncio.run(read_once(settings, device))
    if as_json:
        typer.echo(json.dumps([r.as_json() for r in readings], ensure_ascii=False, indent=1))
    else:
        _print(settings, readings)
    if not all(reading.answered for reading in readings):
        raise typer.Exit(1)


def _print(settings: GatewayConfig, readings: "list[Reading]") -> None:
    from rich.console import Console
    from rich.table import Table

    zh = language() == "zh"
    titles = ("设备", "设备对象", "量", "数值", "单位", "质量", "地址")
    if not zh:
        titles = ("device", "equipment", "quantity", "value", "unit", "quality", "address")
    table = Table(*titles, title=f"{settings.plant}/{settings.gateway}")
    table.columns[3].justify = "right"
    for column in table.columns:
        column.overflow = "fold"  # half a name or half a number is worse than two lines
    for reading in readings:
        for row in reading.rows(zh=zh):
            table.add_row(*row)
    Console(width=None if sys.stdout.isatty() else 160).print(table)
    for reading in readings:
        if reading.reason:
            typer.echo(f"{reading.device}: {reading.reason}", err=True)
    _warn_of_clock()


def _warn_of_clock() -> None:
    """To a person at a terminal; a machine finds it in the state of the gateway."""
    if not sys.stderr.isatty():
        return
    from agent.edge.clock_told import here_unsynced

    told = here_unsynced()
    if told:
        typer.echo(told, err=True)
