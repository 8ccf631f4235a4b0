"""``smelter entries template | import | list | revise | check``: figures that people supply."""

import json
from pathlib import Path
from typing import Annotated

import typer

from drivers.language import plural, say
from drivers.model import ConfigError
from reports.chain import write_whole
from reports.entries.asked import PURPOSES, asked
from reports.entries.changing import import_table, revise
from reports.entries.documents import check_documents
from reports.entries.ledger import Ledger, read_ledger
from reports.entries.options import AsJson, Lang, SiteFile, parse_month, parse_year, speak
from reports.entries.template import csv_template, xlsx_template
from reports.entries.words import entry_text
from reports.lodgings import read_lodgings
from reports.periods import Period, plant_now
from reports.site import load_site

__all__ = ["entries_app", "parse_month", "speak"]

entries_app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    help=say(
        "人工录入数据：模板、导入、列表、修订、核验",
        "entered figures: template, import, list, revise, check",
    ),
)
entries_app.command(
    "import",
    help=say(
        "先显示变化，再导入填好的表格；有错则全部不导入",
        "show what changes, then import a table, wholly or not at all",
    ),
)(import_table)
entries_app.command(
    context_settings={"ignore_unknown_options": True},  # -3 is a value, to be refused as one
    help=say(
        "修订一条录入的数值；旧值仍留在台账",
        "correct an entry; the old one stays in the ledger",
    ),
)(revise)


@entries_app.command(
    help=say(
        "写出填报表：给出期间时列出本厂该填的行",
        "write the table to fill in, with a period its rows",
    )
)
def template(
    out: Annotated[Path, typer.Option(help="FILE.xlsx | FILE.csv")],
    site: Annotated[
        Path | None, typer.Option(help=say("厂区配置，期间所需", "site.toml, needed for a period"))
    ] = None,
    month: Annotated[str, typer.Option(help="2026-10")] = "",
    year: Annotated[str, typer.Option(help="2026")] = "",
    purpose: Annotated[str, typer.Option("--for", help=" | ".join(PURPOSES))] = "",
    lang: Lang = "",
) -> None:
    """The file must not exist yet."""
    speak(lang)
    if out.exists():
        raise ConfigError([f"{out}: " + say("已存在，不覆盖", "exists already, not overwritten")])
    if out.suffix.lower() not in {".xlsx", ".csv"}:
        raise ConfigError([f"--out {out}: " + say("须为 .xlsx 或 .csv", "write .xlsx or .csv")])
    if purpose and purpose not in PURPOSES:
        raise ConfigError([f"--for {purpose}: {', '.join(PURPOSES)}"])
    if month and year:
        raise ConfigError([say("--month 与 --year 只给一个", "give --month or --year, not both")])
    period = parse_month(month) if month else parse_year(year) if year else None
    if period is not None and site is None:
        raise ConfigError([say("期间需要 --site", "a period needs --site")])
    plant = None if site is None else load_site(site)
    ledger = Ledger() if plant is None else read_ledger(plant.entries)
    sheets = asked(plant, ledger, period, purpose, plant_now())
    out.parent.mkdir(parents=True, exist_ok=True)
    as_csv = out.suffix.lower() == ".csv"
    write_whole(out, csv_template(sheets) if as_csv else xlsx_template(sheets, plant))
    rows = sum(len(sheet.rows) for sheet in sheets)
    typer.echo(say(f"{out}：{rows} 行待填", f"{out}: {rows} row{plural(rows)} to fill in"))


@entries_app.command(
    "list",
    help=say(
        "列出有效的录入数据；--all 列出全部", "list entries that count, or with --all every one"
    ),
)
def list_entries(
    site: SiteFile,
    month: Annotated[str, typer.Option(help="2026-10")] = "",
    year: Annotated[str, typer.Option(help="2026")] = "",
    *,
    history: Annotated[
        bool, typer.Option("--all", help=say("包括已修订的", "revised ones too"))
    ] = False,
    as_json: AsJson = False,
    lang: Lang = "",
) -> None:
    """In the order of the ledger."""
    speak(lang)
    ledger = read_ledger(load_site(site).entries)
    counting = {entry.number for entry in ledger.current().values()}
    within = parse_month(month) if month else parse_year(year) if year else None
    chosen = [
        entry
        for entry in ledger.entries
        if (history or entry.number in counting)
        and (within is None or _inside(entry.figure.period, within))
    ]
    if as_json:
        rows = [
            json.loads(entry.text()) | {"hash": entry.hash, "counts": entry.number in counting}
            for entry in chosen
        ]
        typer.echo(json.dumps({"head": ledger.head, "entries": rows}, ensure_ascii=False))
        return
    for entry in chosen:
        typer.echo(entry_text(entry, counts=entry.number in counting))


@entries_app.command(
    help=say(
        "核验台账哈希链、凭证文件和已存证报告的副本；有问题时退出码为 1",
        "check the chain, the documents and the copies of lodged reports; exit 1 when not whole",
    )
)
def check(
    site: SiteFile,
    beside: Annotated[
        list[Path] | None,
        typer.Option(help=say("另在此文件夹找凭证", "look for documents here too")),
    ] = None,
    lang: Lang = "",
) -> None:
    """A changed or missing document is named."""
    speak(lang)
    file = load_site(site).entries
    try:
        ledger = read_ledger(file)
        faults = _lodged_faults(file, ledger)
        checked = check_documents(file, ledger, beside or [])
    except ConfigError as error:
        for problem in error.problems:
            typer.echo(problem)
        raise typer.Exit(1) from None
    for each in checked:
        if each.fault:
            numbers = ", ".join(map(str, each.entries))
            faults.append(
                say(
                    f"凭证 {each.document.name}（第 {numbers} 条）：{each.fault}",
                    f"document {each.document.name} (entries {numbers}): {each.fault}",
                )
            )
    for fault in faults:
        typer.echo(fault)
    count = len(ledger.entries)
    typer.echo(
        say(
            f"台账 {count} 条，链完整，末条 {ledger.head[:16]}；凭证文件 {len(checked)} 个；"
            f"问题 {len(faults)} 个",
            f"{count} entries, the chain is whole, head {ledger.head[:16]}; "
            f"{len(checked)} documents; {len(faults)} faults",
        )
    )
    if faults:
        raise typer.Exit(1)


def _lodged_faults(file: Path, ledger: Ledger) -> list[str]:
    """Copies of lodged reports that are lost or changed, or that saw another ledger."""
    from reports.versions import read_report

    lodgings = read_lodgings(file)
    faults = []
    for lodging in lodgings.lodgings:
        copy = lodgings.copy(lodging)
        try:
            report = read_report(copy)
        except ConfigError as error:
            faults += error.problems
            continue
        seen = report.content.ledger
        known = Ledger(ledger.entries[: seen.entries])
        if report.content_sha256 != lodging.content_sha256:
            faults.append(f"{copy}: " + say("不是当时存证的报告", "is not the report lodged"))
        elif len(known.entries) < seen.entries or known.head != seen.head:
            faults.append(
                say(
                    f"{copy}：存证时台账第 {seen.entries} 条与现在不同，台账被改动",
                    f"{copy}: entry {seen.entries} was another when it was lodged; the ledger "
                    "was changed",
                )
            )
    return faults


def _inside(period: Period, within: Period) -> bool:
    return within.first <= period.first < within.after
