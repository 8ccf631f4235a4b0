"""``smelter entries template | import | list | revise``: figures that people supply."""

import json
import os
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated

import typer

from drivers.cli import language
from drivers.language import say
from drivers.model import ConfigError
from reports.entries.importing import read_figures
from reports.entries.ledger import Document, Entry, Figure, Ledger, change_ledger, read_ledger
from reports.entries.template import write_template
from reports.periods import PLANT_TIME, Period
from reports.site import load_site

entries_app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    help=say(
        "人工录入数据：模板、导入、列表、修订", "entered figures: template, import, list, revise"
    ),
)

SiteFile = Annotated[
    Path, typer.Option("--site", help=say("厂区配置 site.toml", "site file, site.toml"))
]
Author = Annotated[str, typer.Option(help=say("填报人", "who states the figures"))]
Reason = Annotated[str, typer.Option(help=say("理由或来源", "why, or where they are from"))]
Lang = Annotated[str, typer.Option(help="zh | en")]
AsJson = Annotated[bool, typer.Option("--json", help=say("输出 JSON", "print JSON"))]


def speak(lang: str) -> None:
    """Use ``lang`` for the rest of this run. Raises ConfigError for other than zh and en."""
    if lang not in {"", "zh", "en"}:
        raise ConfigError([f"--lang {lang}: zh | en"])
    os.environ["SMELTER_LANG"] = lang or language()


@entries_app.command(
    help=say(
        "写出空白填报表；给出 --month 时含该月的行",
        "write the empty table, with --month its rows",
    )
)
def template(
    out: Annotated[Path, typer.Option(help=say("写到此 XLSX 文件", "XLSX file to write"))],
    site: Annotated[
        Path | None, typer.Option(help=say("厂区配置，月份所需", "site.toml, needed for the month"))
    ] = None,
    month: Annotated[str, typer.Option(help="2026-10")] = "",
) -> None:
    """The file must not exist yet."""
    if out.exists():
        raise ConfigError([f"{out}: " + say("已存在，不覆盖", "exists already, not overwritten")])
    period = parse_month(month) if month else None
    out.parent.mkdir(parents=True, exist_ok=True)
    write_template(out, load_site(site) if site else None, period)
    typer.echo(str(out))


@entries_app.command(
    "import",
    help=say("导入填好的表格；有错则全部不导入", "import a filled-in table, wholly or not at all"),
)
def import_table(
    file: Annotated[Path, typer.Argument(help="XLSX | CSV")],
    site: SiteFile,
    author: Author,
    reason: Reason,
    lang: Lang = "",
) -> None:
    """Every mistake of the table is listed."""
    speak(lang)
    _signed(author, reason)
    plant = load_site(site)
    now = datetime.now(UTC)
    before = len(read_ledger(plant.entries).entries)
    ledger = change_ledger(
        plant.entries,
        lambda ledger: ledger.added(
            read_figures(file, plant, ledger, now), author=author, reason=reason, time=now
        ),
    )
    count = len(ledger.entries) - before
    typer.echo(
        say(f"已导入 {count} 条，台账 {plant.entries}", f"{count} entries, ledger {plant.entries}")
    )


@entries_app.command(
    "list",
    help=say(
        "列出有效的录入数据；--all 列出全部", "list entries that count, or with --all every one"
    ),
)
def list_entries(
    site: SiteFile,
    month: Annotated[str, typer.Option(help="2026-10")] = "",
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
    within = parse_month(month) if month else None
    chosen = [
        entry
        for entry in ledger.entries
        if (history or entry.number in counting)
        and (within is None or entry.figure.period.whole_month == within)
    ]
    if as_json:
        rows = [
            json.loads(entry.text()) | {"hash": entry.hash, "counts": entry.number in counting}
            for entry in chosen
        ]
        typer.echo(json.dumps({"head": ledger.head, "entries": rows}, ensure_ascii=False))
        return
    for entry in chosen:
        typer.echo(_sentence(entry, counts=entry.number in counting))


@entries_app.command(
    context_settings={"ignore_unknown_options": True},  # -3 is a value, to be refused as one
    help=say(
        "修订一条录入的数值；旧值仍留在台账",
        "correct an entry; the old one stays in the ledger",
    ),
)
def revise(  # noqa: PLR0913 - each is an option of the command
    number: Annotated[int, typer.Argument(help=say("条目编号", "number of the entry"))],
    site: SiteFile,
    author: Author,
    reason: Reason,
    value: Annotated[str, typer.Argument(help=say("新数值", "the new value"))] = "",
    *,
    withdraw: Annotated[
        bool, typer.Option("--withdraw", help=say("撤回，不再计入", "withdraw it"))
    ] = False,
    document: Annotated[Path | None, typer.Option(help=say("凭证文件", "document"))] = None,
    voucher: Annotated[str, typer.Option(help=say("凭证编号", "number of the document"))] = "",
    lang: Lang = "",
) -> None:
    """What is not given stays as it was."""
    speak(lang)
    _signed(author, reason)
    if bool(value) == withdraw:
        raise ConfigError([say("给出新数值，或 --withdraw", "give a new value, or --withdraw")])

    def change(ledger: Ledger) -> Ledger:
        old = _entry(ledger, number)
        figure = _revised(old.figure, value, document, voucher)
        now = datetime.now(UTC)
        return ledger.added([figure], author=author, reason=reason, time=now, revises=number)

    ledger = change_ledger(load_site(site).entries, change)
    typer.echo(_sentence(ledger.entries[-1], counts=not withdraw))


def parse_month(text: str) -> Period:
    """A month. Raises ConfigError."""
    try:
        period = Period.parse(text)
    except ValueError as error:
        raise ConfigError([f"--month {error}"]) from None
    if not period.is_month:
        raise ConfigError([f"--month {text}: " + say("请填月份，如 2026-10", "write e.g. 2026-10")])
    return period


def _signed(author: str, reason: str) -> None:
    if not author.strip() or not reason.strip():
        raise ConfigError([say("须填 --author 和 --reason", "--author and --reason are required")])


def _entry(ledger: Ledger, number: int) -> Entry:
    for entry in ledger.current().values():
        if entry.number == number:
            return entry
    if not 1 <= number <= len(ledger.entries):
        raise ConfigError([say(f"没有第 {number} 条", f"there is no entry {number}")])
    key = ledger.entries[number - 1].figure.key
    newest = max(e.number for e in ledger.entries if e.figure.key == key)
    if newest == number:
        raise ConfigError(
            [
                say(
                    f"第 {number} 条是撤回；请用 smelter entries import 重新录入",
                    f"entry {number} is a withdrawal; enter the figure anew by import",
                )
            ]
        )
    raise ConfigError(
        [
            say(
                f"第 {number} 条已不计入；最新一条为第 {newest} 条",
                f"entry {number} does not count any more; the newest is entry {newest}",
            )
        ]
    )


def _revised(old: Figure, value: str, document: Path | None, voucher: str) -> Figure:
    try:
        number = Decimal(value.replace(",", "")) if value else None
    except InvalidOperation:
        number = Decimal("NaN")
    if number is not None and (not number.is_finite() or number < 0):
        raise ConfigError([say(f"{value!r} 不是零或正数", f"{value!r} is no number >= 0")])
    figure = replace(
        old,
        value=number,
        voucher=voucher or old.voucher,
        document=Document.of(document) if document else None,
        source=None,
        sheet="",
        row=0,
    )
    if number is not None and old.kind.high is not None and figure.amount > old.kind.high:
        raise ConfigError([say(f"{value} 超过 100 %", f"{value} is more than 100 %")])
    return figure


def _sentence(entry: Entry, *, counts: bool) -> str:
    figure = entry.figure
    value = say("撤回", "withdrawn") if figure.value is None else f"{figure.value} {figure.unit}"
    kind = say(figure.kind.zh, figure.kind.id)
    parts = [
        f"{entry.number:>5}  {figure.period}  {figure.line}  {kind}  {value}",
        f"{entry.author} {entry.time.astimezone(PLANT_TIME):%Y-%m-%d %H:%M}",
        entry.reason,
    ]
    if entry.revises:
        parts.append(say(f"修订第 {entry.revises} 条", f"revises {entry.revises}"))
    if not counts:
        parts.append(say("不计入", "does not count"))
    return "  |  ".join(parts)
