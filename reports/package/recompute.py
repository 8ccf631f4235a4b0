"""``smelter recompute``: the same report again from originals, on this or another machine."""

import json
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from drivers.language import say
from drivers.model import ConfigError
from reports.entries.ledger import Ledger, read_ledger
from reports.entries.options import AsJson, Lang, speak
from reports.journal.journal import read_journal
from reports.journal.seen import leads_to
from reports.make import is_trial, make_content
from reports.model import Change, Content
from reports.periods import Period
from reports.site import Site, load_site
from reports.versions import changes, read_report

_SMELTER = (sys.executable, "-c", "from drivers.cli import main; main()")
_MOST_SHOWN = 40


def recompute(
    file: Annotated[Path, typer.Argument(help="REPORT.json")],
    originals: Annotated[
        Path | None,
        typer.Option(
            help=say(
                "原始批次文件夹，默认 site.toml 所写", "folder of originals; usual: the site's"
            )
        ),
    ] = None,
    site: Annotated[
        Path | None,
        typer.Option(help=say("厂区配置，默认为报告所指", "site.toml; usual: that of the report")),
    ] = None,
    *,
    as_json: AsJson = False,
    lang: Lang = "",
) -> None:
    """The lake is rebuilt from the originals; exit code 1 when the report comes out otherwise."""
    speak(lang)
    report = read_report(file)
    content = report.content
    given = load_site(site or file.parent / report.site)
    source = originals or given.originals
    if source is None or not (source / given.plant).is_dir():
        raise ConfigError(
            [
                say(
                    f"{source}：没有工厂 {given.plant} 的原始批次；请用 --originals 指明",
                    f"{source}: no originals of plant {given.plant}; give --originals",
                )
            ]
        )
    _refuse_other_ledger(content, given)
    with tempfile.TemporaryDirectory(prefix="smelter-recompute-") as folder:
        moved = _rebuilt(given, source, Path(folder))
        made = _made(report.content, moved, file.parent)
    same = made == report.content  # fields that the file does not have yet are at their defaults
    found = () if same else _differences(report.content, made, given)
    now = report.content_sha256 if same else made.digest()
    if as_json:
        told = {"same": same, "was": report.content_sha256, "is": now}
        rows = [change.model_dump(mode="json") for change in found]
        causes = [] if same else _causes(content, made)
        told |= {"changes": rows, "causes": causes}
        typer.echo(json.dumps(told, ensure_ascii=False))
    else:
        typer.echo(_text(report.content_sha256, now, found))
        for cause in () if same else _causes(content, made):
            typer.echo(cause)
    if not same:
        raise typer.Exit(1)


def _refuse_other_ledger(content: Content, site: Site) -> None:
    """Entries only ever follow: a ledger that was cut or rewritten proves nothing."""
    seen, entries = content.ledger, read_ledger(site.entries).entries
    if seen.entries and (
        len(entries) < seen.entries or entries[seen.entries - 1].hash != seen.head
    ):
        raise ConfigError(
            [
                say(
                    f"{site.entries}：不再延续报告所用的 {seen.entries} 条录入"
                    f"（现 {len(entries)} 条）：被截断、替换或改写；请用备份恢复",
                    f"{site.entries}: does not go on from the {seen.entries} entries that the "
                    f"report stood on ({len(entries)} now): cut, replaced or rewritten; restore "
                    "it from a backup",
                )
            ]
        )


def _causes(before: Content, after: Content) -> list[str]:
    """Why it comes out otherwise, one sentence each, and what to do about it."""
    packs = sorted(
        name
        for name in before.packs.keys() | after.packs.keys()
        if before.packs.get(name) != after.packs.get(name)
    )
    found = []
    if packs:
        names = ", ".join(packs)
        found.append(
            say(
                f"规则文本已变：{names}。原版本仍然有效、可读；按现行规则请运行 smelter report，"
                "将生成新版本并说明差异",
                f"rules changed: {names}. The old version stays as it is; smelter report makes a "
                "new one by today's rules, with the difference explained",
            )
        )
    if before.meters != after.meters:
        found.append(
            say(
                "原始批次给出的表计数字不同：有迟到数据、重新对时，或原始数据被改动；"
                "请用 smelter trace 和 smelter verify 核对",
                "the originals give other meter figures: late data, a re-timing, or originals "
                "that were changed; look with smelter trace and smelter verify",
            )
        )
    return found


def _rebuilt(site: Site, source: Path, folder: Path) -> Site:
    """The site with a lake that was written anew from a copy of the originals."""
    for stream in sorted((source / site.plant).glob("*/record")):
        copy = folder / "originals" / stream.relative_to(source)
        shutil.copytree(stream, copy, ignore=shutil.ignore_patterns("tree", "tree-sm3"))
    config = folder / "historian.toml"
    config.write_text(
        f'plants = ["{site.plant}"]\ndata_dir = "."\n[mqtt]\nurl = "mqtt://127.0.0.1:1883"\n',
        "utf-8",
    )
    call = [*_SMELTER, "historian", "rebuild", "lake", "--config", str(config)]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ConfigError([done.stderr.strip() or done.stdout.strip()])
    moved = {"lake": folder / "lake", "originals": source, "influxdb": None}
    return site.model_copy(update=moved)


def _made(content: Content, site: Site, archive: Path) -> Content:
    """The report from the ledger as it was then: what was entered later is left aside."""
    ledger = Ledger(read_ledger(site.entries).entries[: content.ledger.entries])
    made = make_content(
        content.report,
        site,
        Period.parse(content.period.name),
        ledger,
        archive,
        preliminary=is_trial(content),
    )
    was = content.journal
    if was is not None and leads_to(read_journal(site.journal), was.entries, was.head):
        made = made.model_copy(update={"journal": was})  # records since are no difference
    made = made.model_copy(update={"series": content.series})  # a lake stands in for InfluxDB
    return Content.model_validate_json(made.model_dump_json())  # figures as a file has them


def _differences(before: Content, after: Content, site: Site) -> tuple[Change, ...]:
    return changes(before, after, read_ledger(site.entries))


def _text(was: str, now: str, found: tuple[Change, ...]) -> str:
    if not found:
        return say(f"重算一致：content_sha256 {now}", f"the same: content_sha256 {now}")
    lines = [say(f"重算不一致：{was} → {now}", f"comes out otherwise: {was} -> {now}")]
    told = [each for each in found if _shown(each.before) != _shown(each.after)]
    if any(each.what == "other" for each in found) or not told:
        told = [each for each in told if each.what != "other"]
        lines.append(_elsewhere())
    for change in told[:_MOST_SHOWN]:
        why = "" if change.why is None else f"  ({say(change.why.zh, change.why.en)})"
        lines.append(
            f"  {change.what} {change.ref}: {_shown(change.before)} -> {_shown(change.after)}{why}"
        )
    if len(told) > _MOST_SHOWN:
        lines.append(f"  … +{len(told) - _MOST_SHOWN}")
    return "\n".join(lines)


def _elsewhere() -> str:
    now = version("smelter-agent")
    return say(
        "  数字、录入、规则和表计均无差异；差异在文字或版式："
        f"报告由另一版本的程序写出（本机为 {now}），或厂区配置已改",
        "  no figure, entry, rule or meter differs, but words or layout: another version of the "
        f"program wrote the report (here is {now}), or the site file changed",
    )


def _shown(value: object) -> str:
    zh, en = getattr(value, "zh", None), getattr(value, "en", None)
    return say(zh, en) if zh is not None and en is not None else str(value)
