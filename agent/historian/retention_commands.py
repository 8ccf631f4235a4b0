"""``smelter historian retention``: what is past its time, and deleting it with a named approval."""

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Annotated

import typer

from agent.historian.config import load_historian
from agent.historian.retention import LEAST_DAYS, Due, alone, delete, due, newest_ns
from drivers.audit import AuditTrail, note_act
from drivers.audit_config import trail_of
from drivers.language import say
from drivers.language import why as why_not
from drivers.model import ConfigError

PLANT = timezone(timedelta(hours=8))
LATE_NS = 86_400_000_000_000
NAMED = 200  # pieces named in one act


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
    originals, lake = where = settings.originals, settings.lake_path
    newest = newest_ns(originals)
    now_ns = min(time.time_ns(), newest)
    found = list(due(originals, lake, settings.retention, settings.rules, now_ns))
    if apply and not (approved_by.strip() and reason.strip()):
        told = say(
            "删除须写明 --approved-by 姓名 和 --why 理由",
            "deleting needs --approved-by NAME and --why REASON",
        )
        raise ConfigError([told])
    if not as_json:
        _listed(found, newest, apply=apply)
    troubles: dict[Path, str] = {}
    if apply and found:
        approval = Approval(trail_of(config), approved_by.strip(), reason.strip(), where)
        with alone(found, *where):
            troubles = approval.carry_out(found)
    if as_json:
        rows = [
            {"path": str(x.path), "bytes": x.bytes, **x.told, "failed": troubles.get(x.path, "")}
            for x in found
        ]
        table = {"deleted": apply, "counted_from_ns": now_ns, "due": rows}
        typer.echo(json.dumps(table, ensure_ascii=False, indent=1))
    elif apply:
        gone = len(found) - len(troubles)
        typer.echo(say(f"已删除 {gone} 项", f"{gone} deleted"))
    for path, trouble in troubles.items():
        typer.echo(f"! {path}: {trouble}", err=True)
    if troubles:
        raise typer.Exit(1)


def _listed(found: list[Due], newest: int, *, apply: bool) -> None:
    for each in found:
        typer.echo(f"{each.path}  {each.bytes:,}  {' '.join(each.told.values())}")
    size, count = sum(each.bytes for each in found), len(found)
    if not found:
        typer.echo(
            say(
                f"没有到期的数据（[retention] 缺省长期保存，最短 {LEAST_DAYS:g} 天）",
                f"nothing is past its time ([retention]: without end unless it says "
                f"otherwise, {LEAST_DAYS:g} days at least)",
            )
        )
    elif not apply:
        typer.echo(
            say(
                f"{count} 项到期，{size:,} 字节；加 --apply 删除",
                f"{count} past their time, {size:,} bytes; --apply deletes them",
            )
        )
    if newest and time.time_ns() - newest > LATE_NS:
        day = datetime.fromtimestamp(newest / 1e9, UTC).astimezone(PLANT).date()
        typer.echo(
            say(
                f"按最新批次的日期 {day} 计算，而非本机时钟：两者相差超过一天，请核对",
                f"counted from the newest batch, {day}, not from the clock here: they are more "
                "than a day apart, see why",
            )
        )


@dataclass(frozen=True, slots=True)
class Approval:
    """Who lets data go and why, and the trail that says so."""

    trail: AuditTrail
    by: str
    why: str
    where: tuple[Path, Path]

    def carry_out(self, found: list[Due]) -> dict[Path, str]:
        """
        What could not be deleted, and why. Every piece is in the trail before the first one goes.

        Raises ConfigError, with nothing deleted, where the trail takes no acts.
        """
        for at in range(0, len(found), NAMED):
            some = found[at : at + NAMED]
            details = {
                "approved_by": self.by,
                "pieces": str(len(found)),
                "bytes": str(sum(each.bytes for each in some)),
                "names": "\n".join(map(self._name, some)),
            }
            target = f"{at + 1}-{at + len(some)}"
            if not note_act(
                self.trail, "retention.approved", target, reason=self.why, details=details
            ):
                told = say(
                    "审计日志无法记录，未删除任何数据",
                    "the audit trail takes no acts; nothing was deleted",
                )
                raise ConfigError([f"{self.trail.folder}: {told}"])
        return {each.path: trouble for each in found if (trouble := self._one(each))}

    def _one(self, due: Due) -> str:
        details = {**due.told, "bytes": str(due.bytes), "approved_by": self.by}
        trouble = ""
        try:
            delete(due)
        except OSError as error:
            details["trouble"] = trouble = why_not(error)
        note_act(
            self.trail,
            "retention.deleted",
            self._name(due),
            reason=self.why,
            result="failed" if trouble else "ok",
            details=details,
        )
        return trouble

    def _name(self, due: Due) -> str:
        root = next((x for x in self.where if due.path.is_relative_to(x)), due.path.parent)
        return str(due.path.relative_to(root))
