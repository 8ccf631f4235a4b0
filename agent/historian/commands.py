"""``smelter historian``: run, check, rebuild a view, status, verify the originals."""

import asyncio
import json
import signal
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer
import uvloop
from rich.console import Console
from rich.table import Table

from agent.accept_options import Accept, Author, Reason
from agent.batches.log import LogError
from agent.batches.segment import Segment
from agent.health import serve
from agent.historian import evidence_commands
from agent.historian.config import HistorianConfig, load_historian
from agent.historian.metrics import exposition, healthy
from agent.historian.originals import sources_in
from agent.historian.process import Historian, rebuild
from agent.historian.retention_commands import retention
from agent.historian.verify import LogReport, verify_originals
from agent.historian.view_runner import Cursor, ViewInUseError
from agent.notify import Watchdog, notify, set_up_logging, stall_s
from drivers.audit import note_act
from drivers.audit_config import note_refusal
from drivers.cli import language
from drivers.model import ConfigError

_ZH = language() == "zh"


def _say(zh: str, en: str) -> str:
    return zh if _ZH else en


historian_app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    help=_say("历史库：接收、保存、提供视图", "receive, keep and serve batches"),
)

LOOK_S = 0.25

ConfigPath = Annotated[
    Path, typer.Argument(help=_say("historian.toml 的路径", "path of historian.toml"))
]
AsJson = Annotated[bool, typer.Option("--json", help=_say("输出 JSON", "print JSON"))]


@historian_app.command(help=_say("接收批次直到被停止", "receive until stopped"))
def run(config: ConfigPath) -> None:
    """Receive, store, receipt and feed the views until SIGTERM or SIGINT."""
    try:
        settings = load_historian(config)
    except ConfigError as error:
        note_refusal(config, error)
        raise
    set_up_logging()
    try:
        uvloop.run(_run(settings))
    except (LogError, ViewInUseError, ValueError) as error:
        _fail(str(error))


async def _run(config: HistorianConfig) -> None:
    stop = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    historian = Historian(config)
    started_s = time.monotonic()
    watchdog = Watchdog(lambda: historian.receiver.works(stall_s()))
    async with serve(
        config.health.listen,
        lambda: exposition(historian, started_s),
        lambda: healthy(historian, watchdog.stuck),
        historian.latest.respond,
    ):
        alive = asyncio.create_task(_say_alive(watchdog))
        try:
            await historian.run(stop, lambda: notify("READY=1"))
        finally:
            notify("STOPPING=1")
            alive.cancel()


async def _say_alive(watchdog: Watchdog) -> None:
    """Silence means that the loop hangs, or that what was received is not stored."""
    while True:
        watchdog.look()
        await asyncio.sleep(LOOK_S)


def _fail(message: str) -> NoReturn:
    typer.echo(f"smelter historian: {message}", err=True)
    raise typer.Exit(1)


historian_app.command(
    "retention",
    help=_say("列出或删除到期的采样数据", "samples that are past their time; --apply deletes"),
)(retention)


@historian_app.command(help=_say("检查配置，不启动", "check the config without starting"))
def check(
    config: ConfigPath, *, accept: Accept = False, author: Author = "", why: Reason = ""
) -> None:
    """Say what would run; with ``--accept`` record who puts this config in place and why."""
    settings = load_historian(config)
    if accept:
        from agent.accepted import accept as put_in_place

        trail = settings.audit.trail(settings.data_dir / "audit")
        put_in_place(trail, config, settings.digest, author, why)
    tls = "TLS" if settings.mqtt.tls else _say("明文", "no TLS")
    for name, value in (
        (_say("原始批次", "originals"), settings.originals),
        (_say("数据湖", "lake"), settings.lake_path),
        (_say("代理", "broker"), f"{settings.mqtt.url} ({tls})"),
        (_say("工厂", "plants"), ", ".join(settings.plants) or _say("全部", "all")),
        (_say("视图", "views"), ", ".join(settings.view_names)),
    ):
        typer.echo(f"{name}: {value}")


@historian_app.command(
    "rebuild",
    help=_say(
        "清空一个视图并由原始批次重建（先停历史库）",
        "write a view anew from the originals; stop the historian first",
    ),
)
def rebuild_view(
    view: Annotated[str, typer.Argument(help=_say("lake 或 influxdb 名称", "lake or a name"))],
    config: Annotated[Path, typer.Option("--config", "-c")] = Path("historian.toml"),
) -> None:
    """Reset one view and write it from the first batch on."""
    settings = load_historian(config)
    if view not in settings.view_names:
        names = ", ".join(settings.view_names)
        typer.echo(_say(f"没有视图 {view!r}；有：{names}", f"no view {view!r}; there are: {names}"))
        raise typer.Exit(2)
    try:
        batches = uvloop.run(rebuild(settings, view))
    except (LogError, ViewInUseError) as error:
        _fail(str(error))
    trail = settings.audit.trail(settings.data_dir / "audit")
    note_act(trail, "store.rebuilt", view, details={"batches": str(batches)})
    typer.echo(_say(f"{view}：已写入 {batches} 个批次", f"{view}: {batches} batches written"))


@historian_app.command(
    help=_say("已有哪些批次，各视图落后多少", "what is there, how far views are")
)
def status(config: ConfigPath, *, as_json: AsJson = False) -> None:
    """Read from disk what is there; works beside a running historian."""
    settings = load_historian(config)
    newest: dict[str, dict[str, int]] = {}
    for source in sources_in(settings.originals):
        place = settings.originals / source.plant / source.gateway / source.stream / source.log
        newest[str(source)] = _reach(place)
    views = {name: _behind(settings, name, newest) for name in settings.view_names}
    if as_json:
        typer.echo(json.dumps({"logs": newest, "views": views}, indent=1))
        return
    table = Table(*_say("日志,最早,最新,字节", "log,oldest,newest,bytes").split(","))
    for name, reach in newest.items():
        table.add_row(name, str(reach["oldest"]), str(reach["newest"]), str(reach["bytes"]))
    Console().print(table)
    for name, behind in views.items():
        typer.echo(
            _say(f"视图 {name}：落后 {behind} 个批次", f"view {name}: {behind} batches behind")
        )


def _reach(place: Path) -> dict[str, int]:
    """First and last number of a log, from its first name and its last segment."""
    segments = Segment.all_in(place)
    last = 0
    for segment in reversed(segments):
        found = [item.batch.seq for item in segment.scan() if hasattr(item, "batch")]
        if found:
            last = max(found)
            break
    return {
        "oldest": segments[0].first if segments else 0,
        "newest": last,
        "bytes": sum(segment.size for segment in segments),
    }


def _behind(config: HistorianConfig, name: str, newest: dict[str, dict[str, int]]) -> int:
    try:
        done = Cursor.load(config.view_folder(name) / "cursor.json").done
    except ValueError as error:
        _fail(str(error))
    seen = {str(source): seq for source, seq in done.items()}
    return sum(max(0, reach["newest"] - seen.get(log, 0)) for log, reach in newest.items())


for _name, _command, _help in (
    (
        "checkpoints",
        evidence_commands.checkpoints,
        _say("各日志会签到哪一批、分叉、时间戳", "what is cosigned, forks, time stamps"),
    ),
    (
        "proof",
        evidence_commands.proof,
        _say("输出一个批次的存在证明（tlog-proof）", "print the inclusion proof of one batch"),
    ),
    (
        "accept-key",
        evidence_commands.accept_key,
        _say(
            "网关密钥丢失后，由人确认其新密钥",
            "vouch for a gateway's new key after it lost its keys",
        ),
    ),
):
    historian_app.command(_name, help=_help)(_command)


@historian_app.command(
    help=_say(
        "重新计算原始批次的校验和、摘要与链", "recompute CRC, digest and chain of the originals"
    )
)
def verify(config: ConfigPath, *, as_json: AsJson = False) -> None:
    """Exit code 1 when a byte of the originals is not what was hashed."""
    settings = load_historian(config)
    reports = []
    for report in verify_originals(settings.originals):
        reports.append(report)
        if not as_json:
            _print_report(report, typer.echo)
    if as_json:
        rows = [asdict(each) | {"source": str(each.source)} for each in reports]
        typer.echo(json.dumps(rows, indent=1))
    if not all(report.sound for report in reports):
        raise typer.Exit(1)


def _print_report(report: LogReport, say: Callable[[str], None]) -> None:
    span = " – ".join(
        datetime.fromtimestamp(ns / 1e9, UTC).isoformat(timespec="seconds")
        for ns in (report.first_ns, report.last_ns)
    )
    verdict = _say("完好", "sound") if report.sound else _say("有损坏", "DAMAGED")
    say(f"{report.source}: {report.oldest}–{report.newest}, {report.batches}, {span}: {verdict}")
    for first, last in report.missing:
        say(_say(f"  缺少 {first}–{last}", f"  missing {first}–{last}"))
    for problem in report.problems:
        say(f"  {problem}")
