"""``smelter entries import | revise``: what changes the ledger, shown before it happens."""

import sys
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer

from drivers.language import say
from drivers.model import ConfigError
from reports.acts import record_act, refusals
from reports.entries.documents import keep
from reports.entries.facts import read_facts
from reports.entries.importing import (
    Preview,
    differing,
    preview_import,
    refuse,
    sealed,
    sealed_text,
)
from reports.entries.kinds import FACTS
from reports.entries.ledger import Document, Entry, Figure, Ledger, change_ledger, read_ledger
from reports.entries.options import Author, Lang, Reason, Reissue, SiteFile, signed, speak
from reports.entries.plausible import implausible
from reports.entries.reading import number as read_number
from reports.entries.words import entry_text, preview_text
from reports.lodgings import read_lodgings
from reports.periods import plant_now
from reports.site import Site, load_site


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
    problems = _problems(preview, plant, revising=revising, reissue=reissue)
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
    for document, path in ((preview.source, file), *_documents(preview)):
        keep(plant.entries, document, path)

    def change(ledger: Ledger) -> Ledger:
        if preview_import(file, plant, ledger, now).proposals != preview.proposals:
            raise ConfigError(
                [
                    say(
                        "台账在此期间被他人修改；请重新运行并核对",
                        "somebody changed the ledger meanwhile; run this again and look",
                    )
                ]
            )
        refuse(file, _problems(preview, plant, revising=revising, reissue=reissue))
        return ledger.added(preview.changing, author=author, reason=reason, time=now)

    with refusals(plant, "entry.added", file.name, reason=reason, who=author):
        ledger = change_ledger(plant.entries, change)
    count = len(preview.changing)
    what = "entry.revised" if any(x.revises for x in ledger.entries[-count:]) else "entry.added"
    _noted(plant, what, ledger, count, file.name)
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
    if bool(value) == withdraw:
        raise ConfigError([say("给出新数值，或 --withdraw", "give a new value, or --withdraw")])
    plant = load_site(site)
    now = plant_now()
    proof = None if document is None else _document(document)

    def change(ledger: Ledger) -> Ledger:
        old = _entry(ledger, number)
        figure = replace(
            old.figure,
            value=_value(value, old.figure) if value else None,
            voucher=voucher or old.figure.voucher,
            document=proof,
            source=None,
            sheet="",
            row=0,
            more=_facts(old.figure, fact or [], now),
        )
        if figure.value is not None and (wrong := implausible(figure, plant)):
            raise ConfigError([wrong])
        lodging = read_lodgings(plant.entries).seal(figure.kind, figure.period)
        if lodging is not None and not reissue:
            raise ConfigError([sealed_text(figure, lodging)])
        if proof is not None and document is not None:
            keep(plant.entries, proof, document)
        return ledger.added([figure], author=author, reason=reason, time=now)

    before = read_ledger(plant.entries)
    what = "entry.withdrawn" if withdraw else "entry.revised"
    with refusals(plant, what, f"{plant.entries.name} #{number}", reason=reason, who=author):
        ledger = change_ledger(plant.entries, change)
    made = ledger.entries[-1]
    _noted(plant, what, ledger, 1)
    if made.revises is not None and made.revises <= len(before.entries):
        typer.echo(entry_text(ledger.entries[made.revises - 1], counts=False))
    typer.echo(entry_text(made, counts=not withdraw))


def _noted(plant: Site, what: str, ledger: Ledger, count: int, source: str = "") -> None:
    """The act, with the head of the ledger: whoever rewrites the ledger is contradicted by it."""
    last = ledger.entries[-1]
    numbers = f"#{last.number}" if count == 1 else f"#{last.number - count + 1}–#{last.number}"
    record_act(
        plant,
        what,
        f"{plant.entries.name} {numbers} {source}".rstrip(),
        reason=last.reason,
        who=last.author,
        details={"head": ledger.head},
    )


def _problems(preview: Preview, plant: Site, *, revising: bool, reissue: bool) -> list[str]:
    """Why the table cannot be imported this way."""
    problems = [] if revising else differing(preview)
    if not reissue:
        problems += sealed(preview, read_lodgings(plant.entries))
    return problems


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


def _documents(preview: Preview) -> list[tuple[Document, Path]]:
    named = {each.document for each in preview.changing if each.document is not None}
    return [(document, preview.files[document.sha256]) for document in named]


def _document(file: Path) -> Document:
    try:
        return Document.of(file)
    except OSError as error:
        there = say("找不到凭证文件", "the document is not there")
        raise ConfigError([f"{file}: {there} ({error.strerror})"]) from None


def _entry(ledger: Ledger, wanted: int) -> Entry:
    for entry in ledger.current().values():
        if entry.number == wanted:
            return entry
    if not 1 <= wanted <= len(ledger.entries):
        raise ConfigError([say(f"没有第 {wanted} 条", f"there is no entry {wanted}")])
    key = ledger.entries[wanted - 1].figure.key
    newest = max(e.number for e in ledger.entries if e.figure.key == key)
    if newest == wanted:
        raise ConfigError(
            [
                say(
                    f"第 {wanted} 条是撤回；请用 smelter entries import 重新录入",
                    f"entry {wanted} is a withdrawal; enter the figure anew by import",
                )
            ]
        )
    raise ConfigError(
        [
            say(
                f"第 {wanted} 条已不计入；最新一条为第 {newest} 条",
                f"entry {wanted} does not count any more; the newest is entry {newest}",
            )
        ]
    )


def _value(text: str, old: Figure) -> Decimal:
    value = read_number(text)
    if value is None or (value < 0 and old.kind.low >= 0):
        raise ConfigError([say(f"{text!r} 不是零或正数", f"{text!r} is no number >= 0")])
    return value


def _facts(old: Figure, given: list[str], now: datetime) -> tuple[tuple[str, str], ...]:
    """The facts of the old figure with those that are given in their place."""
    facts = dict(old.more)
    for text in given:
        name, _, fact = text.partition("=")
        if name not in FACTS or not fact:
            known = ", ".join(fact.id for fact in old.kind.facts) or "—"
            raise ConfigError([f"--fact {text}: name=…, {say('可用', 'known')}: {known}"])
        facts[name] = fact
    if not given:
        return old.more
    read, wrong = read_facts(old.kind, facts, old.period, now)
    if wrong:
        raise ConfigError(wrong)
    return read
