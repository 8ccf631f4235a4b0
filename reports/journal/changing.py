"""``smelter journal add | import | withdraw``: what adds to the journal, shown before it does."""

import json
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Annotated

import typer

from drivers.language import say
from drivers.model import ConfigError
from reports.acts import record_act, refusals
from reports.entries.options import AsJson, Author, Lang, Reason, SiteFile, speak
from reports.journal.forms import FACTS, FORMS, find_form
from reports.journal.importing import Office, Proposed, propose_one, propose_table
from reports.journal.journal import Journal, change_journal, read_journal
from reports.journal.reading import Signed, who_and_why
from reports.journal.record import Record
from reports.journal.supporting import Drawing
from reports.journal.trace import named_points
from reports.journal.words import proposed_text, record_text
from reports.periods import plant_now
from reports.rules.overlay import load_packs
from reports.series.store import Series, SeriesError, open_series
from reports.site import Site, load_site

Confirmed = Annotated[
    str,
    typer.Option(
        "--confirmed-by", help=say("确认人（另一人）", "who confirmed it, another person")
    ),
]
NoTrace = Annotated[
    str,
    typer.Option(
        "--no-trace",
        help=say(
            "数据库无法读取时，不附数据曲线的理由",
            "why there is no trace, where the store cannot be read",
        ),
    ),
]
Yes = Annotated[bool, typer.Option("--yes", help=say("不再询问", "do not ask"))]
Look = Annotated[bool, typer.Option("--preview", help=say("只显示，不记录", "only show it"))]


def add(  # noqa: PLR0913 - each is an option of the command
    kind: Annotated[str, typer.Argument(help=" | ".join(FORMS))],
    site: SiteFile,
    what: Annotated[str, typer.Option(help=say("内容，如 calibration 校准", "e.g. calibration"))],
    start: Annotated[str, typer.Option(help="2026-03-05 08:00")],
    end: Annotated[str, typer.Option(help="2026-03-05 09:30")] = "",
    *,
    stack: Annotated[str, typer.Option(help=say("排放口，如 DA001", "e.g. DA001"))] = "",
    pollutant: Annotated[
        list[str] | None, typer.Option(help=say("污染物，缺省全部", "default: all"))
    ] = None,
    fact: Annotated[
        list[str] | None, typer.Option(help=say("其他内容，如 cause=…", "a fact, e.g. cause=…"))
    ] = None,
    evidence: Annotated[
        list[Path] | None, typer.Option(help=say("证据文件", "a document that proves it"))
    ] = None,
    trace: Annotated[
        list[str] | None,
        typer.Option(help=say("另取的数据曲线点位", "points to draw besides the usual ones")),
    ] = None,
    no_trace: NoTrace = "",
    author: Author = "",
    reason: Reason = "",
    confirmed_by: Confirmed = "",
    look: Look = False,
    as_json: AsJson = False,
    lang: Lang = "",
) -> None:
    """A mark is refused without evidence; the trace behind it is drawn and kept."""
    speak(lang)
    form = find_form(kind)
    if form is None:
        raise ConfigError([f"{kind}: {' | '.join(FORMS)}"])
    cells = {"kind": kind, "what": what, "start": start, "end": end, "equipment": stack}
    cells["pollutants"] = " ".join(pollutant or [])
    cells["evidence"] = ";".join(str(path.absolute()) for path in evidence or [])
    cells |= _given(fact or [])
    plant = load_site(site)
    points = named_points(trace or [], plant.stack(stack))
    draws = form.kind == "mark"
    tried = refusals(plant, "mark.added", f"{kind} {stack} {what}", reason=reason, who=author)
    with _unless(look, tried), _office(plant) as office:
        with _drawing(office, no_trace, draws=draws) as drawing:
            drawing.points = points
            people = Signed(author, reason, confirmed_by)
            proposed = propose_one(cells, office, people, Path(), drawing)
            if proposed.same:
                raise ConfigError([_there(proposed.same[0])])
        _finish(plant, office.journal, proposed, look=look, as_json=as_json)


def import_table(  # noqa: PLR0913 - each is an option of the command
    file: Annotated[Path, typer.Argument(help="XLSX | CSV")],
    site: SiteFile,
    author: Author = "",
    reason: Reason = "",
    confirmed_by: Confirmed = "",
    no_trace: NoTrace = "",
    *,
    yes: Yes = False,
    look: Look = False,
    as_json: AsJson = False,
    lang: Lang = "",
) -> None:
    """Every mistake of the table is listed; what is added is shown before it is."""
    speak(lang)
    plant = load_site(site)
    tried = refusals(plant, "mark.added", file.name, reason=reason, who=author)
    with (
        _unless(look, tried),
        _office(plant) as office,
        _drawing(office, no_trace, draws=True) as drawing,
    ):
        proposed = propose_table(file, office, Signed(author, reason, confirmed_by), drawing)
    if not as_json:
        typer.echo(proposed_text(proposed))
    if not look and proposed.records:
        _ask(yes=yes)
    _finish(plant, office.journal, proposed, look=look, as_json=as_json, shown=True)


def withdraw(
    number: Annotated[int, typer.Argument(help=say("记录编号", "number of the record"))],
    site: SiteFile,
    author: Author = "",
    reason: Reason = "",
    confirmed_by: Confirmed = "",
    *,
    as_json: AsJson = False,
    lang: Lang = "",
) -> None:
    """The record stays in the journal, with who withdrew it, when and why."""
    speak(lang)
    plant = load_site(site)
    now = plant_now()

    def change(journal: Journal) -> list[Record]:
        old = _counting(journal, number)
        people = Signed(author.strip(), reason.strip(), confirmed_by.strip())
        second = plant.two_persons and old.kind == "mark"
        if problems := who_and_why(people, second=second):
            raise ConfigError(problems)
        made = Record(
            kind=old.kind,
            equipment=old.equipment,
            start_ns=old.start_ns,
            end_ns=old.end_ns,
            what=old.what,
            pollutants=old.pollutants,
            reason=people.reason,
            author=people.author,
            confirmed_by=people.confirmed_by,
            at=now,
            withdraws=number,
        )
        return [made]

    named = f"{plant.journal.name} #{number}"
    with refusals(plant, "mark.withdrawn", named, reason=reason, who=author):
        journal = change_journal(plant.journal, change)
    made = journal.all[-1]
    _noted(plant, "mark.withdrawn", made, journal)
    if as_json:
        typer.echo(json.dumps(record_table(made, journal), ensure_ascii=False))
        return
    typer.echo(record_text(journal.all[number - 1], journal))
    typer.echo(record_text(made, journal))


def _noted(plant: Site, what: str, record: Record, journal: Journal) -> None:
    """The act, with the head of the journal: whoever rewrites it is contradicted."""
    details = {"kind": record.kind, "what": record.what, "head": journal.head}
    if record.confirmed_by:
        details["confirmed_by"] = record.confirmed_by
    number = record.number if record.withdraws is None else record.withdraws
    record_act(
        plant,
        what,
        f"{plant.journal.name} #{number} {record.equipment or ''}".rstrip(),
        reason=record.reason,
        who=record.author,
        details=details,
    )


def record_table(record: Record, journal: Journal) -> dict[str, object]:
    """The line of the file, with its hash and whether it counts."""
    table: dict[str, object] = json.loads(record.text())
    counts = record.withdraws is None and record.number not in journal.withdrawn
    return table | {"hash": record.hash, "counts": counts}


def _given(facts: list[str]) -> dict[str, str]:
    """``name=text`` by name. Raises ConfigError with each that names no fact."""
    problems, found = [], {}
    for text in facts:
        name, sign, value = text.partition("=")
        if not sign or name not in FACTS:
            problems.append(f"--fact {text}: NAME=…: {', '.join(FACTS)}")
        found[name] = value
    if problems:
        raise ConfigError(problems)
    return found


def _unless(
    look: bool,
    tried: AbstractContextManager[None],
) -> AbstractContextManager[None]:
    """Who only looks has tried nothing."""
    return nullcontext() if look else tried


@contextmanager
def _office(plant: Site) -> Iterator[Office]:
    yield Office(plant, load_packs(plant), read_journal(plant.journal), plant_now())


@contextmanager
def _drawing(office: Office, left_out: str, *, draws: bool) -> Iterator[Drawing]:
    """The store open for traces; not where none is drawn. Raises ConfigError."""
    reason = left_out.strip()
    if not draws:
        yield Drawing(None, office.packs)
        return
    try:
        with ExitStack() as stack:
            yield Drawing(_open(office, stack, reason), office.packs, left_out=reason)
    except SeriesError as error:
        hint = say(
            '数据库无法读取，不能取得数据曲线；修复后重试，或用 --no-trace "理由" 说明',
            'the store cannot be read and no trace drawn; mend it, or say --no-trace "REASON"',
        )
        raise ConfigError([f"{error}", hint]) from None


def _open(office: Office, stack: ExitStack, left_out: str) -> Series | None:
    """None where it cannot be opened and a person says why it may go without."""
    try:
        return stack.enter_context(open_series(office.site))
    except SeriesError:
        if left_out:
            return None
        raise


def _finish(
    plant: Site,
    seen: Journal,
    proposed: Proposed,
    *,
    look: bool,
    as_json: bool,
    shown: bool = False,
) -> None:
    """Keep the files, then the records; refused when somebody wrote to the journal meanwhile."""
    journal = seen.added(proposed.records)
    if not look and proposed.records:
        proposed.keep_files(plant.journal)
        journal = change_journal(plant.journal, lambda now: _unchanged(seen, now, proposed))
        for record in journal.all[len(seen.all) :]:
            _noted(plant, "mark.added", record, journal)
    made = journal.all[len(seen.all) :]
    if as_json:
        rows = [record_table(each, journal) for each in made]
        table = {"added": not look, "records": rows, "same": [x.number for x in proposed.same]}
        typer.echo(json.dumps(table, ensure_ascii=False))
    elif not shown:
        typer.echo("\n".join(record_text(each, journal) for each in made))
    elif made and not look:
        typer.echo(
            say(
                f"已记录第 {made[0].number}–{made[-1].number} 条，{plant.journal}",
                f"records {made[0].number}-{made[-1].number} written, {plant.journal}",
            )
        )


def _unchanged(seen: Journal, now: Journal, proposed: Proposed) -> tuple[Record, ...]:
    if now.head != seen.head:
        raise ConfigError(
            [
                say(
                    "记录在此期间被他人修改；请重新运行并核对",
                    "somebody wrote to the journal meanwhile; run this again and look",
                )
            ]
        )
    return proposed.records


def _counting(journal: Journal, number: int) -> Record:
    """Raises ConfigError unless that record can be withdrawn."""
    found = next((each for each in journal.records if each.number == number), None)
    if found is not None:
        return found
    if not 1 <= number <= len(journal.all):
        raise ConfigError([say(f"没有第 {number} 条", f"there is no record {number}")])
    raise ConfigError(
        [
            say(
                f"第 {number} 条已撤回，或本身是撤回",
                f"record {number} is withdrawn already, or is a withdrawal",
            )
        ]
    )


def _there(record: Record) -> str:
    return say(f"已有该记录，第 {record.number} 条", f"that is record {record.number} already")


def _ask(*, yes: bool) -> None:
    """Raises ConfigError where nobody can answer, and Exit when the answer is no."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise ConfigError(
            [
                say(
                    "没有终端可确认；加 --yes 导入，或 --preview 只看",
                    "no terminal to confirm on; add --yes to import, or --preview to only look",
                )
            ]
        )
    if not typer.confirm(say("写入以上记录？", "write these records?"), default=False):
        typer.echo(say("没有写入任何记录", "nothing was written"))
        raise typer.Exit(1)
