"""Taking figures into the ledger, by a table or one by one: what commands and console both do."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path

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
from reports.entries.plausible import implausible
from reports.entries.reading import number as read_number
from reports.lodgings import read_lodgings
from reports.site import Site


@dataclass(frozen=True, slots=True)
class Wish:
    """Who wants it, why, and what may be touched: figures there already, figures lodged."""

    author: str
    reason: str
    revising: bool = False
    reissue: bool = False


@dataclass(frozen=True, slots=True)
class Correction:
    """A new ``value`` for entry ``number``, or its withdrawal; what is empty stays as it was."""

    number: int
    value: str = ""
    withdraw: bool = False
    voucher: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    document: Path | None = None


def fingerprint(preview: Preview) -> str:
    """The same as long as the table would do the same to the ledger."""
    rows = [
        [
            *map(str, each.figure.key),
            f"{each.figure.value} {each.figure.unit}",
            each.status.value,
            str(each.entry.number if each.entry else 0),
        ]
        for each in preview.proposals
    ]
    told = "\n".join("\t".join(row) for row in ([preview.source.sha256], *rows))
    return hashlib.sha256(told.encode()).hexdigest()


def obstacles(preview: Preview, plant: Site, *, revising: bool, reissue: bool) -> list[str]:
    """Why the table cannot be imported this way."""
    problems = [] if revising else differing(preview)
    if not reissue:
        problems += sealed(preview, read_lodgings(plant.entries))
    return problems


def take(file: Path, plant: Site, preview: Preview, wish: Wish, now: datetime) -> Ledger:
    """
    Everything that ``preview`` would change, or nothing. Returns the longer ledger.

    Raises ConfigError, recorded as a refused act: obstacles, or a ledger changed meanwhile.
    """
    told = {"reason": wish.reason, "who": wish.author}
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
        refuse(file, obstacles(preview, plant, revising=wish.revising, reissue=wish.reissue))
        return ledger.added(preview.changing, author=wish.author, reason=wish.reason, time=now)

    with refusals(plant, "entry.added", file.name, **told):
        ledger = change_ledger(plant.entries, change)
    count = len(preview.changing)
    what = "entry.revised" if any(x.revises for x in ledger.entries[-count:]) else "entry.added"
    _noted(plant, what, ledger, count, file.name)
    return ledger


def correct(
    plant: Site, wanted: Correction, wish: Wish, now: datetime
) -> tuple[Entry | None, Entry]:
    """
    The entry it takes the place of, and the new one. ``wish.revising`` means nothing here.

    Raises ConfigError, recorded as a refused act.
    """
    if bool(wanted.value) == wanted.withdraw:
        raise ConfigError([say("给出新数值，或 --withdraw", "give a new value, or --withdraw")])
    proof = None if wanted.document is None else document_of(wanted.document)

    def change(ledger: Ledger) -> Ledger:
        old = _entry(ledger, wanted.number)
        figure = replace(
            old.figure,
            value=_value(wanted.value, old.figure) if wanted.value else None,
            voucher=wanted.voucher or old.figure.voucher,
            document=proof,
            source=None,
            sheet="",
            row=0,
            more=_facts(old.figure, wanted.facts, now),
        )
        if figure.value is not None and (wrong := implausible(figure, plant)):
            raise ConfigError([wrong])
        lodging = read_lodgings(plant.entries).seal(figure.kind, figure.period)
        if lodging is not None and not wish.reissue:
            raise ConfigError([sealed_text(figure, lodging)])
        if proof is not None and wanted.document is not None:
            keep(plant.entries, proof, wanted.document)
        return ledger.added([figure], author=wish.author, reason=wish.reason, time=now)

    before = read_ledger(plant.entries)
    what = "entry.withdrawn" if wanted.withdraw else "entry.revised"
    target = f"{plant.entries.name} #{wanted.number}"
    with refusals(plant, what, target, reason=wish.reason, who=wish.author):
        ledger = change_ledger(plant.entries, change)
    made = ledger.entries[-1]
    _noted(plant, what, ledger, 1)
    known = made.revises is not None and made.revises <= len(before.entries)
    return (ledger.entries[made.revises - 1] if known and made.revises else None), made


def document_of(file: Path) -> Document:
    """Raises ConfigError when it is not there."""
    try:
        return Document.of(file)
    except OSError as error:
        there = say("找不到凭证文件", "the document is not there")
        raise ConfigError([f"{file}: {there} ({error.strerror})"]) from None


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


def _documents(preview: Preview) -> list[tuple[Document, Path]]:
    named = {each.document for each in preview.changing if each.document is not None}
    return [(document, preview.files[document.sha256]) for document in named]


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


def _facts(old: Figure, given: Mapping[str, str], now: datetime) -> tuple[tuple[str, str], ...]:
    """The facts of the old figure with those that are given in their place."""
    facts = dict(old.more)
    for name, fact in given.items():
        if name not in FACTS or not fact:
            known = ", ".join(fact.id for fact in old.kind.facts) or "—"
            raise ConfigError([f"--fact {name}: name=…, {say('可用', 'known')}: {known}"])
        facts[name] = fact
    if not given:
        return old.more
    read, wrong = read_facts(old.kind, facts, old.period, now)
    if wrong:
        raise ConfigError(wrong)
    return read
