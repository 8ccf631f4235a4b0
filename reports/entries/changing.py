"""``smelter entries import | revise``: what changes the ledger, shown before it happens."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from drivers.language import say
from drivers.model import ConfigError
from reports.acts import refusals
from reports.entries.importing import preview_import, refuse
from reports.entries.ledger import read_ledger
from reports.entries.options import Author, Lang, Reason, Reissue, SiteFile, signed, speak
from reports.entries.taking import Correction, Wish, correct, obstacles, take
from reports.entries.words import entry_text, preview_text
from reports.periods import plant_now
from reports.site import load_site


def import_table(  # noqa: PLR0913 - each is an option of the command
    file: Annotated[Path, typer.Argument(help="XLSX | CSV")],
    site: SiteFile,
    author: Author = "",
    reason: Reason = "",
    *,
    yes: Annotated[
        bool, typer.Option("--yes", help=say("不再询问，直接导入", "import without asking"))
    ] = False,
    look: Annotated[
        bool, typer.Option("--preview", help=say("只显示变化，不导入", "only show what changes"))
    ] = False,
    revising: Annotated[
        bool,
        typer.Option("--revise", help=say("与台账不同的行作为修订", "rows that differ revise")),
    ] = False,
    reissue: Reissue = False,
    lang: Lang = "",
) -> None:
    """Every mistake of the table is listed; what changes is shown before it does."""
    speak(lang)
    if not look:
        signed(author, reason)
    plant = load_site(site)
    now = plant_now()
    preview = preview_import(file, plant, read_ledger(plant.entries), now)
    typer.echo(preview_text(preview))
    problems = obstacles(preview, plant, revising=revising, reissue=reissue)
    if look:
        for problem in problems:
            typer.echo(problem)
        return
    with refusals(plant, "entry.added", file.name, reason=reason, who=author):
        refuse(file, problems)
    if not preview.changing:
        typer.echo(say("没有需要导入的数据", "nothing to import"))
        return
    _ask(yes=yes)
    take(file, plant, preview, Wish(author, reason, revising, reissue), now)
    count = len(preview.changing)
    typer.echo(
        say(f"已导入 {count} 条，台账 {plant.entries}", f"{count} entries, ledger {plant.entries}")
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
    fact: Annotated[
        list[str] | None,
        typer.Option(help=say("化验或证书信息，如 sample=S-12", "a fact, e.g. sample=S-12")),
    ] = None,
    reissue: Reissue = False,
    lang: Lang = "",
) -> None:
    """What is not given stays as it was."""
    speak(lang)
    signed(author, reason)
    facts = {name: said for name, _, said in (text.partition("=") for text in fact or [])}
    wanted = Correction(number, value, withdraw, voucher, facts, document)
    plant = load_site(site)
    old, made = correct(plant, wanted, Wish(author, reason, reissue=reissue), plant_now())
    if old is not None:
        typer.echo(entry_text(old, counts=False))
    typer.echo(entry_text(made, counts=not withdraw))


def _ask(*, yes: bool) -> None:
    """Raises ConfigError where nobody can answer, and Exit when the answer is no."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise ConfigError(
            [
                say(
                    "没有终端可确认；加 --yes 导入，或 --preview 只看变化",
                    "no terminal to confirm on; add --yes to import, or --preview to only look",
                )
            ]
        )
    if not typer.confirm(say("导入以上变化？", "import these changes?"), default=False):
        typer.echo(say("没有导入任何数据", "nothing was imported"))
        raise typer.Exit(1)
