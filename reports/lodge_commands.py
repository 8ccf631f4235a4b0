"""``smelter lodge``: record that a report was handed in; from then on its month is sealed."""

import json
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from drivers.language import say
from drivers.model import ConfigError
from reports.acts import record_act, refusals
from reports.entries.options import AsJson, Lang, speak
from reports.lodgings import SEALS, Lodging, read_lodgings
from reports.lodgings import lodge as record
from reports.model import Report
from reports.periods import Period, plant_now
from reports.site import Site, load_site
from reports.versions import read_report


def lodge(  # noqa: PLR0913 - each is an option of the command
    file: Annotated[Path | None, typer.Argument(help="REPORT.json")] = None,
    receipt: Annotated[str, typer.Option(help=say("平台回执号", "receipt of the platform"))] = "",
    on: Annotated[
        str, typer.Option(help=say("存证日期 2026-11-20", "day it was handed in, 2026-11-20"))
    ] = "",
    author: Annotated[str, typer.Option(help=say("经办人", "who handed it in"))] = "",
    note: Annotated[str, typer.Option(help=say("备注", "note"))] = "",
    backdated: Annotated[
        str,
        typer.Option(
            help=say(
                "补登：存证日早于报告编制日的理由",
                "why a day before the report was written is recorded",
            )
        ),
    ] = "",
    site: Annotated[
        Path | None,
        typer.Option(help=say("厂区配置，默认为报告所指", "site.toml; usual: that of the report")),
    ] = None,
    *,
    incomplete: Annotated[
        bool,
        typer.Option("--incomplete", help=say("存证不完整的报告", "lodge it though incomplete")),
    ] = False,
    listed: Annotated[
        bool, typer.Option("--list", help=say("列出已存证的报告", "list what was lodged"))
    ] = False,
    as_json: AsJson = False,
    lang: Lang = "",
) -> None:
    """A copy of the report is kept; its entries can then be changed only by --reissue."""
    speak(lang)
    if listed:
        _list(file, site, as_json=as_json)
        return
    if file is None:
        raise ConfigError([say("缺少报告文件 REPORT.json", "name the report, REPORT.json")])
    report = read_report(file)
    content = report.content
    plant = load_site(site or file.parent / report.site)
    named = f"{content.report} {content.period.name} v{report.version}"
    with refusals(plant, "lodge.added", named, reason=backdated or note, who=author):
        day = _signed(receipt, on, author)
        _refuse(file, report, plant.plant, day, incomplete=incomplete)
        _refuse_before(file, report, day, backdated.strip())
        made = record(
            plant.entries,
            Lodging(
                number=0,
                report=content.report,
                period=content.period.name,
                version=report.version,
                content_sha256=report.content_sha256,
                file=file.name,
                receipt=receipt.strip(),
                on=day,
                author=author.strip(),
                time=plant_now(),
                note=note,
                backdated=backdated.strip(),
            ),
            file.read_bytes(),
        )
    _noted(plant, made)
    typer.echo(json.dumps(_table(made), ensure_ascii=False) if as_json else _sentence(made))
    if not as_json and content.report in SEALS:
        typer.echo(
            say(
                f"{made.period} 的相关数据已封存；更正须加 --reissue，并重新生成、存证报告",
                f"the entries of {made.period} behind it are sealed; a correction needs --reissue, "
                "a new version of the report and another lodging",
            )
        )


def _noted(site: Site, made: Lodging) -> None:
    details = {"receipt": made.receipt, "on": str(made.on), "content_sha256": made.content_sha256}
    record_act(
        site,
        "lodge.added",
        f"{made.report} {made.period} v{made.version}",
        reason=made.backdated or made.note,
        who=made.author,
        details=details,
    )


def _signed(receipt: str, on: str, author: str) -> date:
    """The day of lodging. Raises ConfigError with everything that is missing."""
    problems = [
        say(f"须填 {name}", f"{name} is required")
        for name, given in (("--receipt", receipt), ("--on", on), ("--author", author))
        if not given.strip()
    ]
    try:
        day = date.fromisoformat(on.strip()) if on.strip() else date.min
    except ValueError:
        problems.append(f"--on {on}: " + say("请填日期，如 2026-11-20", "write e.g. 2026-11-20"))
        day = date.min
    today = plant_now().date()
    if day > today:
        problems.append(
            f"--on {day}: "
            + say(f"在将来（今天 {today}）", f"lies in the future, today is {today}")
        )
    if problems:
        raise ConfigError(problems)
    return day


def _refuse(file: Path, report: Report, plant: str, day: date, *, incomplete: bool) -> None:
    """Raises ConfigError with every reason why this cannot have been handed in that day."""
    content = report.content
    problems = []
    if content.plant.id != plant:
        problems.append(
            say(
                f"报告属于 {content.plant.id}，厂区配置是 {plant}；请用 --site 指明",
                f"the report is of {content.plant.id}, the site file of {plant}; give --site",
            )
        )
    if not content.complete and not incomplete:
        missing = ", ".join(content.missing)
        problems.append(
            say(
                f"报告不完整（{missing}）；补齐数据后重新生成，确需存证请加 --incomplete",
                f"the report is not complete ({missing}); enter what is missing and make it again, "
                "or add --incomplete",
            )
        )
    period = Period.parse(content.period.name)
    if content.report in SEALS and day < period.after:
        problems.append(
            say(
                f"--on {day}：{period} 当时尚未结束",
                f"--on {day}: {period} was not over then",
            )
        )
    if problems:
        raise ConfigError([f"{file}: {problem}" for problem in problems])


def _refuse_before(file: Path, report: Report, day: date, backdated: str) -> None:
    """Raises ConfigError for a day before the report was written, unless a reason is given."""
    if backdated and day >= report.written:
        sentence = say(
            f"--backdated：报告编制于 {report.written}，{day} 不早于该日，无须补登",
            f"--backdated: the report was written on {report.written}, {day} is not before it",
        )
        raise ConfigError([f"{file}: {sentence}"])
    if day < report.written and not backdated:
        sentence = say(
            f"--on {day}：报告编制于 {report.written}，此前不可能存证；确为补登时，请用 "
            '--backdated "理由" 说明，将随登记留存',
            f"--on {day}: the report was written on {report.written} and cannot have been lodged "
            'before; if this is recorded later, say why with --backdated "REASON": it is kept',
        )
        raise ConfigError([f"{file}: {sentence}"])


def _list(file: Path | None, site: Path | None, *, as_json: bool) -> None:
    if site is None and file is not None:
        site = file.parent / read_report(file).site
    if site is None:
        raise ConfigError([say("--list 须给出 --site", "--list needs --site")])
    lodgings = read_lodgings(load_site(site).entries).lodgings
    if as_json:
        typer.echo(json.dumps([_table(each) for each in lodgings], ensure_ascii=False))
        return
    for each in lodgings:
        typer.echo(_sentence(each))


def _table(lodging: Lodging) -> dict[str, object]:
    table: dict[str, object] = json.loads(lodging.text())
    return table | {"hash": lodging.hash}


def _sentence(lodging: Lodging) -> str:
    parts = [
        f"{lodging.number:>4}  {lodging.report} {lodging.period} v{lodging.version}",
        say(
            f"{lodging.on} 存证，回执 {lodging.receipt}",
            f"lodged on {lodging.on}, receipt {lodging.receipt}",
        ),
        lodging.author,
        lodging.content_sha256[:16],
    ]
    if lodging.backdated:
        parts.append(
            say(
                f"补登于 {lodging.recorded}：{lodging.backdated}",
                f"recorded later, on {lodging.recorded}: {lodging.backdated}",
            )
        )
    return "  |  ".join([*parts, *([lodging.note] if lodging.note else [])])
