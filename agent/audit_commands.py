"""``smelter audit list | check | export``: who did what when and why; was it changed since."""

import csv
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Annotated, TextIO

import typer

from drivers.audit import AuditError, AuditTrail, note_act
from drivers.audit_act import Recorded
from drivers.audit_config import trail_of
from drivers.audit_words import DEEDS, deed, result
from drivers.classes import ClassRules, ExportConfig, Wish, permit, rules_around
from drivers.language import language, say, visible
from drivers.language import why as why_not
from drivers.model import ConfigError

PLANT = timezone(timedelta(hours=8))

audit_app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    help=say("审计日志：何人、何时、何事、为何", "the audit trail: who did what, when and why"),
)
Place = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        help=say(
            "gateway.toml、historian.toml、site.toml 或审计日志文件夹",
            "gateway.toml, historian.toml, site.toml or the folder of a trail",
        ),
    ),
]
Who = Annotated[str, typer.Option(help=say("人员（部分即可）", "person, a part will do"))]
What = Annotated[str, typer.Option(help=say("事项，如 entry 或 entry.added", "entry, entry.added"))]
From = Annotated[str, typer.Option("--from", help="2026-11-01 | 2026-11-01T08:00")]
To = Annotated[str, typer.Option("--to", help="2026-11-30")]
AsJson = Annotated[bool, typer.Option("--json", help=say("输出 JSON", "print JSON"))]


@dataclass(frozen=True, slots=True)
class Filter:
    """Which acts are asked for; ns, ``end_ns`` excluded."""

    who: str
    what: str
    start_ns: int
    end_ns: int

    def takes(self, recorded: Recorded) -> bool:
        act = recorded.act
        return (
            self.who.casefold() in act.who.casefold()
            and (not self.what or act.what == self.what or act.what.startswith(f"{self.what}."))
            and self.start_ns <= act.at_ns < self.end_ns
        )


def _filter(who: str, what: str, first: str, last: str) -> Filter:
    topics = {name.partition(".")[0] for name in DEEDS}
    if what and what not in DEEDS and what not in topics:
        known = ", ".join(DEEDS)
        raise ConfigError([say(f"--what {what}：可用 {known}", f"--what {what}: one of {known}")])
    return Filter(who, what, _ns("--from", first, 0), _ns("--to", last, 1 << 62, whole_day=True))


def _ns(option: str, text: str, missing: int, *, whole_day: bool = False) -> int:
    if not text:
        return missing
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError([f"{option} {text}: 2026-11-30 | 2026-11-30T08:00"]) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=PLANT)
    if whole_day and len(text) == len("2026-11-30"):
        moment += timedelta(days=1)
    return int(moment.timestamp()) * 10**9


def _chosen(place: Path, wanted: Filter) -> Iterator[Recorded]:
    return (each for each in _there(place).read() if wanted.takes(each))


def _there(place: Path) -> AuditTrail:
    trail = trail_of(place)
    if not trail.folder.is_dir():
        told = say("没有审计日志", "there is no audit trail here")
        raise ConfigError([f"{trail.folder}: {told}"])
    return trail


def _time(at_ns: int) -> str:
    moment = datetime.fromtimestamp(at_ns // 10**9, UTC).astimezone(PLANT)
    return f"{moment:%Y-%m-%d %H:%M:%S}"


@audit_app.command("list", help=say("列出操作记录", "list acts"))
def list_acts(
    place: Place,
    who: Who = "",
    what: What = "",
    first: From = "",
    last: To = "",
    *,
    as_json: AsJson = False,
) -> None:
    """In their order, times in plant time (+08:00). Exit code 1: none."""
    found = 0
    for each in _chosen(place, _filter(who, what, first, last)):
        found += 1
        if as_json:
            typer.echo(json.dumps(json.loads(each.line) | {"hash": each.hash}, ensure_ascii=False))
            continue
        act = each.act
        failed = "" if act.result == "ok" else f"  [{result(act.result)}]"
        who, source = visible(act.who), f"  ({visible(act.source)})" if act.source else ""
        typer.echo(f"{each.n:>6}  {_time(act.at_ns)}  {who}  {deed(act.what)}{failed}")
        typer.echo(f"        {visible(act.target)}{source}")
        if act.why:
            typer.echo("        " + say("理由：", "why: ") + visible(act.why))
        for name, text in act.details.items():
            typer.echo(f"        {visible(name)}: {visible(text)}")
    if not found:
        typer.echo(say("没有符合条件的记录", "no such act"), err=True)
        raise typer.Exit(1)


@audit_app.command(help=say("核验日志链，并与历史库比对", "is the chain whole; compare"))
def check(
    place: Place,
    historian: Annotated[
        Path | None,
        typer.Option(help=say("historian.toml：与其日志比对", "compare with what it holds")),
    ] = None,
    trail: Annotated[
        str, typer.Option(help=say("历史库中此日志的名称", "the trail's name at the historian"))
    ] = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Exit code 1 with the place of the first change; 0 when everything is as it was written."""
    whole = _there(place)
    folder = whole.folder
    broken = whole.check()
    count = sum(1 for _ in whole.read())
    told: dict[str, object] = {"trail": str(folder), "acts": count, "broken": None}
    if broken is not None:
        told["broken"] = {"file": broken.file, "line": broken.line, "n": broken.n}
    words = [str(broken)] if broken else []
    if not count and not broken:
        nothing = "日志为空：没有任何记录可核验", "the trail is empty: there is nothing to check"
        words.append(f"{folder}: {say(*nothing)}")
    if historian is not None:
        compared, differing = _compared(whole, historian, trail)
        told |= {"compared": compared, "differing": differing}
        words += [differing] if differing else []
    usage = whole.usage()
    told["used_share"] = round(usage.share, 4)
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False))
    else:
        for text in words:
            typer.echo(visible(text))
        _summary(told, usage.share, good=not words)
    if words:
        raise typer.Exit(1)


def _summary(told: dict[str, object], share: float, *, good: bool) -> None:
    if good:
        typer.echo(
            say(
                f"{told['trail']}：{told['acts']} 条操作，链完整",
                f"{told['trail']}: {told['acts']} acts, the chain is whole",
            )
        )
    if "compared" in told:
        typer.echo(
            say(
                f"与历史库比对 {told['compared']} 条",
                f"{told['compared']} compared with what the historian holds",
            )
        )
    typer.echo(say(f"已用配额 {share:.1%}", f"{share:.1%} of the quota used"))


def _compared(whole: AuditTrail, historian: Path, trail: str) -> tuple[int, str]:
    from agent.audit_evidence import compare, names, witnessed

    originals = trail_of(historian).folder.parent / "originals"
    found = list(witnessed(originals))
    known = names(found)
    name = trail or str(whole.folder.resolve())
    if name not in known:
        listed = ", ".join(known) or say("无", "none")
        raise ConfigError(
            [
                say(
                    f"{historian}：历史库未跟踪 {name}；请用 --trail 指明，已有：{listed}",
                    f"{historian}: does not follow {name}; give --trail, there are: {listed}",
                )
            ]
        )
    mine = [each for each in found if each.trail == name]
    result_ = compare(whole.read(), mine, keep_days=whole.keep_days)
    return result_.compared, result_.differing


@audit_app.command(help=say("导出为 CSV 或 JSON 行", "export as CSV, or as JSON lines"))
def export(  # noqa: PLR0913, PLR0917 - each is an option of the command
    place: Place,
    out: Annotated[
        Path | None, typer.Option(help=say("文件；缺省标准输出", "else: stdout"))
    ] = None,
    who: Who = "",
    what: What = "",
    first: From = "",
    last: To = "",
    approved_by: Annotated[
        str, typer.Option("--approved-by", help=say("批准人", "who approves that data leave"))
    ] = "",
    reason: Annotated[str, typer.Option("--why", help=say("理由", "why"))] = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Read only; as [export] allows; the export itself is recorded."""
    wanted = _filter(who, what, first, last)
    permitted = _permitted(place, Wish("audit", str(out or "-"), approved_by, reason))
    rows = list(_chosen(place, wanted))
    file = sys.stdout if out is None else _private(out)
    if out is not None and not as_json:
        file.write("\ufeff")  # or a spreadsheet takes Chinese for something else
    try:
        _json_lines(file, rows) if as_json else _csv(file, rows)
    finally:
        if out is not None:
            file.close()
    filters = {"who": who, "what": what, "from": first, "to": last, "acts": str(len(rows))}
    details = permitted | {name: text for name, text in filters.items() if text}
    note_act(trail_of(place), "export.made", str(out or "-"), reason=reason, details=details)


def _permitted(place: Path, wish: Wish) -> dict[str, str]:
    """
    Details for the act; a refusal is recorded too, then raised.

    Whoever names the folder names no rules: then somebody must approve.
    """
    try:
        if place.is_dir():
            rules = ClassRules(export=ExportConfig(general="approved", important="approved"))
        else:
            rules, _ = rules_around(place)
        return permit(rules, rules.of("audit"), wish, datetime.now(PLANT).date())
    except ConfigError as error:
        told = {"refused": "; ".join(error.problems)}
        trail = _there(place)
        note_act(trail, "export.made", wish.name, reason=wish.why, result="refused", details=told)
        raise


def _private(out: Path) -> TextIO:
    """Made now, for its owner only. Raises ConfigError for what is there or cannot be made."""
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        return os.fdopen(os.open(out, flags, 0o600), "w", encoding="utf-8", newline="")
    except FileExistsError:
        raise ConfigError([say(f"{out}：文件已存在", f"{out}: is there already")]) from None
    except OSError as error:
        raise ConfigError([f"{out}: {why_not(error)}"]) from None


@audit_app.command(
    help=say(
        "删除早于 [audit] keep_days 的日志段并留下记录（厂部日志不会自动删除）",
        "delete segments older than [audit] keep_days, with a record; nothing of the office's "
        "trail goes by itself",
    )
)
def prune(
    place: Place,
    why_: Annotated[str, typer.Option("--why", help=say("理由", "reason"))],
    author: Annotated[str, typer.Option(help=say("何人", "who"))] = "",
) -> None:
    """Wants the config, not the folder: only there it stands how long acts are kept."""
    if place.is_dir():
        told = (
            "请给出配置文件，其中 [audit] 规定保存期限",
            "give the config: its [audit] says how long",
        )
        raise ConfigError([f"{place}: {say(*told)}"])
    trail = _there(place)
    try:
        gone = trail.prune()
    except AuditError as error:
        raise ConfigError([str(error)]) from None
    if gone:
        files = {"segments": str(len(gone)), "last": gone[-1]}
        note_act(trail, "retention.deleted", "acts", reason=why_, who=author, details=files)
    for name in gone or [say("没有超过保存期限的日志段", "no segment is older than that")]:
        typer.echo(name)


def _json_lines(file: TextIO, rows: list[Recorded]) -> None:
    for each in rows:
        table = json.loads(each.line) | {"hash": each.hash}
        file.write(json.dumps(table, ensure_ascii=False, sort_keys=True) + "\n")


def _csv(file: TextIO, rows: list[Recorded]) -> None:
    head = ("序号", "时间", "人员", "事项", "对象", "理由", "结果", "来源", "其他", "散列")
    english = ("n", "time", "who", "what", "target", "why", "result", "source", "details", "hash")
    writer = csv.writer(file)
    writer.writerow(head if language() == "zh" else english)
    for each in rows:
        act = each.act
        details = json.dumps(dict(act.details), ensure_ascii=False) if act.details else ""
        words = (act.who, deed(act.what), act.target, act.why, result(act.result), act.source)
        row = (str(each.n), _time(act.at_ns), *words, details, each.hash)
        writer.writerow([_tame(cell) for cell in row])


def _tame(cell: str) -> str:
    """No cell is a formula of a spreadsheet: whoever is named may have chosen the name."""
    return f"'{cell}" if cell[:1] in {"=", "+", "-", "@", "\t"} else cell
