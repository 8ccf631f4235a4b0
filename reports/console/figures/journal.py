"""The journal for pages and API: its records, adding one in two steps, correcting, withdrawing."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from drivers.language import language, say
from drivers.model import ConfigError
from reports.acts import record_act, refusals
from reports.console.figures import slips
from reports.console.figures.journal_words import plain, shown
from reports.console.figures.mark_effect import effect
from reports.console.figures.slips import Slip
from reports.console.office import Office
from reports.journal.forms import FORMS, find_form
from reports.journal.importing import Office as Desk
from reports.journal.importing import Proposed, propose_one
from reports.journal.journal import Journal, change_journal, read_journal
from reports.journal.reading import Signed, who_and_why
from reports.journal.record import Judgement, Record
from reports.journal.supporting import Drawing
from reports.journal.trace import named_points
from reports.periods import plant_now
from reports.rules.overlay import load_packs, same_person
from reports.series.store import Series, SeriesError, open_series

PENDING = "待第二人确认"  # stands for the second person while a preview is made; never written


@dataclass(frozen=True)
class Planned:
    """What would be written: the withdrawal, if any, before the new record, if any."""

    before: Journal
    records: tuple[Record, ...]
    proposed: Proposed | None
    old: Record | None

    @property
    def after(self) -> Journal:
        return self.before.added(self.records)

    @property
    def touched(self) -> tuple[Record, ...]:
        """What is added, and what is taken back."""
        new = tuple(each for each in self.records if each.withdraws is None)
        return (*new, *([] if self.old is None else [self.old]))


def stage(
    office: Office,
    author: str,
    cells: Mapping[str, str],
    files: Sequence[str],
    *,
    points: Sequence[str] = (),
    no_trace: str = "",
    withdraws: int = 0,
) -> dict[str, Any]:
    """
    A slip with what the record would say and change; nothing is written to the journal.

    ``cells`` by column id of a journal table; () with ``withdraws`` only takes a record back.
    Raises ConfigError with everything that is wrong.
    """
    given = {key: text.strip() for key, text in cells.items() if text and text.strip()}
    reason = given.pop("reason", "")
    given.pop("confirmed_by", None)  # only the second person's own log-in confirms
    given.pop("evidence", None)
    _refuse_without_document(given, files)
    slip = Slip(
        id="",
        author=author.strip(),
        at="",
        reason=reason,
        cells=given,
        points=tuple(each.strip() for each in points if each.strip()),
        no_trace=no_trace.strip(),
        withdraws=withdraws,
    )
    made = slips.new_slip(office, slip, files, plant_now())
    try:
        return _preview(office, made)
    except ConfigError as error:
        slips.drop(office, made)
        raise ConfigError(plain(error.problems)) from None
    except BaseException:
        slips.drop(office, made)
        raise


def preview(office: Office, slip: str, person: str) -> dict[str, Any]:
    """A slip again: its author's, or one that waits for a second person."""
    return _preview(office, _readable(office, slip, person))


def record(office: Office, slip: str) -> dict[str, Any]:
    """The author writes it, where no second person is demanded. Raises ConfigError."""
    from drivers.audit import current_person

    found = _own(office, slip, current_person())
    return _write(office, found, "")


def ask_second(office: Office, slip: str, person: str) -> dict[str, Any]:
    """The author hands it to a second person."""
    found = replace(_own(office, slip, person), state=slips.WAITING)
    slips.write(office, found)
    return {"id": found.id, "state": found.state}


def confirm(office: Office, slip: str) -> dict[str, Any]:
    """Another person than the author confirms it, and so it is written. Raises ConfigError."""
    from drivers.audit import current_person

    found, person = slips.read(office, slip), current_person()
    if not found.waits:
        told = "该记录尚未提交确认", "nobody was asked to confirm this record"
        raise ConfigError([say(*told)])
    if same_person(found.author, person):
        told = "填报人不能确认自己的记录，须由另一人确认", "another person than the author confirms"
        raise ConfigError([say(*told)])
    return _write(office, found, person)


def drop(office: Office, slip: str, reason: str = "") -> dict[str, Any]:
    """The author takes it back, or the second person refuses it with a reason."""
    from drivers.audit import current_person

    found, person = slips.read(office, slip), current_person()
    mine = found.author == person
    if not mine and not found.waits:
        raise ConfigError([say("没有这条待办记录", "no such record in hand")])
    if not mine and not reason.strip():
        raise ConfigError([say("退回须写明理由", "say why it is refused")])
    if found.waits:
        told = {"refused": reason.strip() or say("填报人作废", "dropped by its author")}
        target = f"{office.site.journal.name} {_named(found)}"
        record_act(office.site, "mark.added", target, reason=reason, result="refused", details=told)
    slips.drop(office, found)
    return {"id": found.id, "state": "dropped"}


def waiting(office: Office, person: str) -> list[dict[str, Any]]:
    """What waits for a second person; whether this one may be it."""
    journal = read_journal(office.site.journal)
    return [
        {
            "id": each.id,
            "author": each.author,
            "at": each.at[:16].replace("T", " "),
            "reason": each.reason,
            "title": _title(each, journal),
            "mine": same_person(each.author, person),
        }
        for each in slips.waiting(office)
    ]


def evidence_of_slip(office: Office, slip: str, name: str, person: str) -> str:
    """The path of a file of a slip. Raises ConfigError."""
    return str(slips.file_of(office, _readable(office, slip, person), name))


def _title(slip: Slip, journal: Journal) -> str:
    cells = slip.cells
    if not cells:
        old = journal.all[slip.withdraws - 1]
        return say("撤回", "withdraw ") + f" {slip.withdraws}: {old.what} {old.equipment}"
    form = find_form(cells.get("kind", ""))
    name = cells.get("kind", "") if form is None else form.name.of(language())
    word = None if form is None else form.words.get(cells.get("what", ""))
    parts = (name, word.of(language()) if word else "", cells.get("equipment", ""))
    times = (cells.get("start", ""), cells.get("end", ""))
    when = " – ".join(text.replace("T", " ") for text in times if text)
    return " ".join(part for part in (*parts, when) if part)


def _named(slip: Slip) -> str:
    texts = (slip.cells.get(key, "") for key in ("kind", "equipment", "what", "start"))
    return " ".join(text for text in texts if text) or f"#{slip.withdraws}"


def _refuse_without_document(cells: Mapping[str, str], files: Sequence[str]) -> None:
    """The console asks for a document with every mark: the trace alone is for the command."""
    form = find_form(cells.get("kind", ""))
    if form is not None and form.kind == "mark" and not files:
        told = (
            "标记须附证据文件（检修单、校准记录、停送电单等）",
            "a mark needs a document as evidence (work order, calibration sheet, permit to stop …)",
        )
        raise ConfigError([say(*told)])


def _readable(office: Office, identity: str, person: str) -> Slip:
    found = slips.read(office, identity)
    if not found.waits and found.author != person:
        raise ConfigError([say("没有这条待办记录", "no such record in hand")])
    return found


def _own(office: Office, identity: str, person: str) -> Slip:
    found = slips.read(office, identity)
    if found.author != person:
        told = "只有填报人本人可以登记这条记录", "only its author may record this"
        raise ConfigError([say(*told)])
    return found


def _preview(office: Office, slip: Slip) -> dict[str, Any]:
    """The record in words, the verdict of its trace, the hours it would change."""
    planned = _plan(office, slip, PENDING)
    new = [each for each in planned.records if each.withdraws is None]
    told = [x for x in new if x.kind == "mark"]
    demanded = office.site.two_persons and any(x.kind == "mark" for x in planned.touched)
    unclear = any(x.judgement is Judgement.NOT_TOLD for x in told)
    empty = any(x.facts.get("judgement_empty") == "yes" for x in told)
    return {
        "id": slip.id,
        "state": slip.state,
        "author": slip.author,
        "reason": slip.reason,
        "files": list(slip.files),
        "cells": slip.cells,
        "new": [shown(office, each, None) | {"confirmed_by": ""} for each in new],
        "old": None if planned.old is None else shown(office, planned.old, planned.before),
        "second": "demanded" if demanded else "advised" if unclear and not empty else "free",
        "effect": effect(office, planned.after, planned.touched),
    }


def _plan(office: Office, slip: Slip, second: str) -> Planned:
    """Read and judged against the journal as it is now. Raises ConfigError."""
    site, now = office.site, plant_now()
    before = read_journal(site.journal)
    people = Signed(slip.author, slip.reason, second)
    old, records = None, []
    if slip.withdraws:
        old = _counting(before, slip.withdraws)
        if problems := who_and_why(people, second=site.two_persons and old.kind == "mark"):
            raise ConfigError(problems)
        records.append(
            Record(
                **old.model_dump(
                    include={"kind", "equipment", "start_ns", "end_ns", "what", "pollutants"}
                ),
                reason=people.reason,
                author=people.author,
                confirmed_by=people.confirmed_by,
                at=now,
                withdraws=old.number,
            )
        )
    proposed = None
    if slip.cells:
        desk = Desk(site, load_packs(site), before.added(records), now)
        with _drawing(desk, slip) as drawing:
            cells = slip.cells | {"evidence": ";".join(slip.files)}
            folder = slips.folder_of(office, slip.id)
            proposed = propose_one(cells, desk, people, folder, drawing)
        if proposed.same:
            number = proposed.same[0].number
            raise ConfigError(
                [say(f"已有该记录，第 {number} 条", f"that is record {number} already")]
            )
        records += proposed.records
    if not records:
        raise ConfigError([say("没有内容", "there is nothing to record")])
    return Planned(before, tuple(records), proposed, old)


@contextmanager
def _drawing(desk: Desk, slip: Slip) -> Iterator[Drawing]:
    """The store open for the trace of a mark. Raises ConfigError."""
    form = find_form(slip.cells.get("kind", ""))
    if form is None or form.kind != "mark":
        yield Drawing(None, desk.packs)
        return
    stack = desk.site.stack(slip.cells.get("equipment", ""))
    drawn = named_points(slip.points, stack)
    try:
        with ExitStack() as opened:
            series = _opened(desk, opened, slip.no_trace)
            yield Drawing(series, desk.packs, drawn, left_out=slip.no_trace)
    except SeriesError as error:
        told = (
            "数据库无法读取，不能取得数据曲线；修复后重试，或填写“无数据曲线的理由”",
            "the store cannot be read and no trace drawn; mend it, or say why there is no trace",
        )
        raise ConfigError([str(error), say(*told)]) from None


def _opened(desk: Desk, opened: ExitStack, left_out: str) -> Series | None:
    try:
        return opened.enter_context(open_series(desk.site))
    except SeriesError:
        if left_out:
            return None
        raise


def _write(office: Office, slip: Slip, second: str) -> dict[str, Any]:
    site = office.site
    name = "mark.added" if slip.cells else "mark.withdrawn"
    target = f"{site.journal.name} {_named(slip)}"
    with refusals(site, name, target, reason=slip.reason):
        planned = _plan(office, slip, second)
        if planned.proposed is not None:
            planned.proposed.keep_files(site.journal)
        journal = change_journal(site.journal, lambda now: _unchanged(planned, now))
    made = journal.all[len(planned.before.all) :]
    for each in made:
        _noted(office, each, journal)
    slips.drop(office, slip)
    return {"state": "recorded", "numbers": [x.number for x in made], "head": journal.head}


def _unchanged(planned: Planned, now: Journal) -> tuple[Record, ...]:
    if now.head != planned.before.head:
        told = (
            "记录在此期间被他人修改；请重新预览并核对",
            "somebody wrote to the journal meanwhile; look at the preview again",
        )
        raise ConfigError([say(*told)])
    return planned.records


def _noted(office: Office, made: Record, journal: Journal) -> None:
    """The act, with the head of the journal: whoever rewrites it is contradicted."""
    details = {"kind": made.kind, "what": made.what, "head": journal.head}
    details |= {"author": made.author}
    if made.confirmed_by:
        details["confirmed_by"] = made.confirmed_by
    number = made.number if made.withdraws is None else made.withdraws
    record_act(
        office.site,
        "mark.added" if made.withdraws is None else "mark.withdrawn",
        f"{office.site.journal.name} #{number} {made.equipment}".rstrip(),
        reason=made.reason,
        details=details,
    )


def _counting(journal: Journal, number: int) -> Record:
    """Raises ConfigError unless that record can be withdrawn."""
    found = next((each for each in journal.records if each.number == number), None)
    if found is not None:
        return found
    if not 1 <= number <= len(journal.all):
        raise ConfigError([say(f"没有第 {number} 条", f"there is no record {number}")])
    told = (
        f"第 {number} 条已撤回，或本身是撤回",
        f"record {number} is withdrawn already, or is a withdrawal",
    )
    raise ConfigError([say(*told)])


def kinds(office: Office) -> list[dict[str, Any]]:
    """The kinds of record as forms: words, facts, whether an end or a document is needed."""
    return [
        {
            "kind": form.kind,
            "name": form.name.of(language()),
            "words": [{"id": key, "name": x.of(language())} for key, x in form.words.items()],
            "facts": [
                {"id": x.id, "name": x.name.of(language()), "how": x.how.value, "needed": x.needed}
                for x in form.facts
            ],
            "end": form.end.value,
            "of_stack": form.of_stack,
            "one_pollutant": form.one,
            "document": form.document or form.kind == "mark",
            "second": office.site.two_persons and form.kind == "mark",
        }
        for form in FORMS.values()
    ]


def named_file(office: Office, sha256: str) -> dict[str, str]:
    """Where a piece of evidence is kept that the journal names. Raises ConfigError."""
    from reports.entries.documents import kept_at
    from reports.entries.ledger import Document

    for each in read_journal(office.site.journal).all:
        for evidence in (*each.evidence, *([each.source] if each.source else [])):
            if evidence.sha256 == sha256:
                path = kept_at(office.site.journal, Document(evidence.name, sha256))
                return {"name": evidence.name, "path": str(Path(path))}
    raise ConfigError([say("环保记录没有这个文件", "the journal names no such file")])
