"""``smelter historian retention``: what is past its time, and deleting it with a named approval."""

import json
import time
from pathlib import Path
from typing import Annotated

import typer

from agent.historian.config import load_historian
from agent.historian.retention import LEAST_DAYS, delete, due
from drivers.audit import note_act
from drivers.language import say
from drivers.model import ConfigError


def retention(
    config: Annotated[
        Path, typer.Argument(help=say("historian.toml 的路径", "path of historian.toml"))
    ],
    approved_by: Annotated[
        str, typer.Option("--approved-by", help=say("批准人", "who approves"))
    ] = "",
    reason: Annotated[str, typer.Option("--why", help=say("理由", "why"))] = "",
    *,
    apply: Annotated[
        bool,
        typer.Option(
            "--apply", help=say("删除（先停止历史库）", "delete it; stop the historian first")
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help=say("输出 JSON", "print JSON"))] = False,
) -> None:
    """Lists what may go; with --apply it goes, and the audit trail says what and by whom."""
    settings = load_historian(config)
    where = settings.originals, settings.lake_path
    found = list(due(*where, settings.retention, settings.rules, time.time_ns()))
    if apply:
        if not approved_by.strip() or not reason.strip():
            told = say(
                "删除须写明 --approved-by 姓名 和 --why 理由",
                "deleting needs --approved-by NAME and --why REASON",
            )
            raise ConfigError([told])
        delete(found, *where)
        for each in found:
            details = {**each.told, "bytes": str(each.bytes), "approved_by": approved_by}
            target = str(each.path.relative_to(_root(each.path, where)))
            trail = settings.data_dir / "audit"
            note_act(trail, "retention.deleted", target, reason=reason, details=details)
    if as_json:
        rows = [{"path": str(each.path), "bytes": each.bytes, **each.told} for each in found]
        typer.echo(json.dumps({"deleted": apply, "due": rows}, ensure_ascii=False, indent=1))
        return
    for each in found:
        typer.echo(f"{each.path}  {each.bytes:,}  {' '.join(each.told.values())}")
    size = sum(each.bytes for each in found)
    if apply:
        typer.echo(say(f"已删除 {len(found)} 项", f"{len(found)} deleted"))
    elif found:
        typer.echo(
            say(
                f"{len(found)} 项到期，{size:,} 字节；加 --apply 删除",
                f"{len(found)} past their time, {size:,} bytes; --apply deletes them",
            )
        )
    else:
        typer.echo(
            say(
                f"没有到期的数据（[retention] 缺省长期保存，最短 {LEAST_DAYS:g} 天）",
                f"nothing is past its time ([retention]: without end unless it says "
                f"otherwise, {LEAST_DAYS:g} days at least)",
            )
        )


def _root(path: Path, where: tuple[Path, Path]) -> Path:
    return next((each for each in where if path.is_relative_to(each)), path.parent)
