"""``smelter lodge``: record that a report was handed in; from then on its month is sealed."""

import json
from pathlib import Path
from typing import Annotated

import typer

from drivers.language import say
from drivers.model import ConfigError
from reports.entries.options import AsJson, Lang, speak
from reports.handing_in import HandingIn, hand_in
from reports.lodgings import SEALS, Lodging, read_lodgings
from reports.site import load_site
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
    plant = load_site(site or file.parent / report.site)
    stated = HandingIn(receipt, on, author, note, backdated, incomplete)
    made = hand_in(file, plant, stated)
    typer.echo(json.dumps(_table(made), ensure_ascii=False) if as_json else _sentence(made))
    if not as_json and made.report in SEALS:
        typer.echo(
            say(
                f"{made.period} 的相关数据已封存；更正须加 --reissue，并重新生成、存证报告",
                f"the entries of {made.period} behind it are sealed; a correction needs --reissue, "
                "a new version of the report and another lodging",
            )
        )


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
