"""The journal for programs: records, kinds, adding in one step, confirming, withdrawing."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, File, Form, Path, Query, Request, UploadFile
from fastapi.responses import FileResponse
from pydantic import BaseModel

from reports.console.api.potlines_tables import csv_answer
from reports.console.pages.stack_records import staged
from reports.console.web import desk, needs, visitor

router = APIRouter(tags=["journal"])

Kind = Literal["mark", "check", "verification", "exceedance", "alert", "document"]
Number = Annotated[int, Path(ge=1, le=10**9)]
SlipId = Annotated[str, Path(pattern=r"^[0-9]{8}-[0-9a-f]{12}$")]
Text = Annotated[str, Form(max_length=2000)]


class Named(BaseModel):
    """An id and its name in the language of the visitor."""

    id: str
    name: str


class Fact(BaseModel):
    """A fact as it was typed or computed."""

    id: str
    name: str
    text: str


class Evidence(BaseModel):
    """A document, or the trace that was drawn; its bytes are at /journal/evidence/{sha256}."""

    kind: str
    name: str
    sha256: str


class Verdict(BaseModel):
    """What the trace says of a mark, and whether the mark excuses anything."""

    judgement: str
    text: str
    says: str
    excuses: bool
    usual_minutes: int


class Record(BaseModel):
    """One record; ``number`` 0: not written yet. Times are plant time, ``2026-10-05 08:00``."""

    number: int
    kind: str
    kind_name: str
    what: str
    name: str
    stack: str
    equipment: str
    start: str
    end: str | None
    pollutants: list[Named]
    facts: list[Fact]
    reason: str
    author: str
    confirmed_by: str
    at: str
    evidence: list[Evidence]
    withdraws: int | None
    withdrawn_by: int | None
    counts: bool
    verdict: Verdict | None


class Records(BaseModel):
    """``next`` is the ``after`` of the next page, None at the end; ``head`` that of the chain."""

    head: str
    total: int
    records: list[Record]
    next: int | None


class FactKind(BaseModel):
    """A further field of a kind; ``how`` is how it is written."""

    id: str
    name: str
    how: str
    needed: bool


class KindOf(BaseModel):
    """A kind of record: what it may be, what it must say, whether a document is needed."""

    kind: str
    name: str
    words: list[Named]
    facts: list[FactKind]
    end: str
    of_stack: bool
    one_pollutant: bool
    document: bool
    second: bool


class Changed(BaseModel):
    """Hours of one stack and pollutant whose state would change."""

    stack: str
    pollutant: str
    start: str
    end: str
    hours: int
    was: str
    is_: str
    lost: bool
    gained: bool


class Effect(BaseModel):
    """What a record would change; ``whole`` False: only the newest year was looked at."""

    period: str
    whole: bool
    rows: list[Changed]
    more: int
    lost: int
    gained: int
    excused: int
    exceeded: int


class Preview(BaseModel):
    """A record in hand: ``second`` is free, advised or demanded. Nothing is written yet."""

    id: str
    state: str
    author: str
    reason: str
    files: list[str]
    new: list[Record]
    old: Record | None
    second: str
    effect: Effect | None


class Waiting(BaseModel):
    """A record that waits for a second person."""

    id: str
    author: str
    at: str
    reason: str
    title: str
    mine: bool


class Outcome(BaseModel):
    """``recorded`` with its numbers, ``waiting`` for a second person, or ``dropped``."""

    state: str
    id: str = ""
    numbers: list[int] = []
    head: str = ""


@router.get("/journal", dependencies=[needs("see")], response_model=Records)
async def journal(  # noqa: PLR0913 - each is a parameter of the address
    request: Request,
    *,
    kind: Annotated[
        Literal["", "mark", "check", "verification", "exceedance", "alert", "document"], Query()
    ] = "",
    stack: Annotated[str, Query(max_length=64)] = "",
    period: Annotated[str, Query(max_length=21)] = "",
    every: Annotated[bool, Query(description="withdrawn ones and automatic checks, too")] = False,
    format: Annotated[Literal["json", "csv"], Query()] = "json",  # noqa: A002
    after: Annotated[int, Query(ge=0, le=10**9)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 200,
) -> Any:
    """Records in the order of the journal."""
    found = await desk(request).ask(
        "figures.journal_words:records",
        kind=kind,
        stack=stack,
        period=period,
        every=every,
        after=after,
        limit=limit,
    )
    if format == "csv":
        keys = ("number", "kind", "what", "stack", "start", "end", "reason", "author",
                "confirmed_by", "at", "withdraws", "withdrawn_by")  # fmt: skip
        more = ("pollutants", "facts", "evidence", "judgement")
        rows = ([*(each[key] for key in keys), *_joined(each)] for each in found["records"])
        return csv_answer("journal.csv", (*keys, *more), rows)
    return found


def _joined(record: dict[str, Any]) -> list[str]:
    verdict = record["verdict"]
    return [
        " ".join(each["id"] for each in record["pollutants"]),
        "; ".join(f"{each['id']}={each['text']}" for each in record["facts"]),
        "; ".join(f"{each['name']} {each['sha256']}" for each in record["evidence"]),
        verdict["judgement"] if verdict else "",
    ]


@router.get("/journal/kinds", dependencies=[needs("see")])
async def kinds(request: Request) -> list[KindOf]:
    """What can be recorded and what each kind must say."""
    found: list[KindOf] = await desk(request).ask("figures.journal:kinds")
    return found


@router.get("/journal/waiting", dependencies=[needs("see")])
async def waiting(request: Request) -> list[Waiting]:
    """What waits for a second person."""
    found: list[Waiting] = await desk(request).ask(
        "figures.journal:waiting", person=visitor(request).person
    )
    return found


@router.get("/journal/evidence/{sha256}", dependencies=[needs("see")], response_class=FileResponse)
async def evidence(
    request: Request, sha256: Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]
) -> FileResponse:
    """A document or trace that the journal names."""
    found = await desk(request).ask("figures.journal:named_file", sha256=sha256)
    return FileResponse(
        found["path"], filename=found["name"], content_disposition_type="attachment"
    )


@router.get("/journal/{number}", dependencies=[needs("see")])
async def one(request: Request, number: Number) -> Record:
    """One record."""
    found: Record = await desk(request).ask("figures.journal_words:one", number=number)
    return found


@router.post("/journal/preview", dependencies=[needs("mark")])
async def preview(  # noqa: PLR0913 - each is a field of the form
    request: Request,
    *,
    kind: Annotated[Kind, Form()],
    what: Text,
    start: Text,
    reason: Text,
    end: Text = "",
    stack: Text = "",
    pollutants: Text = "",
    facts: Annotated[list[str] | None, Form(description="name=text, as --fact")] = None,
    points: Annotated[list[str] | None, Form(description="drawn besides the usual ones")] = None,
    no_trace: Text = "",
    replaces: Annotated[int, Form(ge=0, le=10**9, description="record that is corrected")] = 0,
    evidence: Annotated[list[UploadFile] | None, File()] = None,
) -> Preview:
    """
    A record in hand: checked as ``smelter journal add`` does, its trace drawn and judged.

    Nothing is written to the journal. Go on with ``/journal/hand/{id}/record``, or ``…/ask`` for a
    second person; a draft is dropped after a day.
    """
    cells = {"kind": kind, "what": what, "start": start, "end": end, "equipment": stack}
    cells |= {"pollutants": pollutants, "reason": reason}
    cells |= dict(text.split("=", 1) for text in facts or [] if "=" in text)
    cells = {key: " ".join(text.replace("T", " ").split()) if key in {"start", "end"} else text
             for key, text in cells.items() if text}  # fmt: skip
    made = await staged(
        request,
        cells,
        [*(evidence or [])],
        points=points or [],
        no_trace=no_trace,
        withdraws=replaces,
    )
    return _preview(made)


@router.post("/journal/{number}/withdraw", dependencies=[needs("mark")])
async def withdraw(
    request: Request, number: Number, reason: Annotated[str, Form(min_length=1, max_length=2000)]
) -> Preview:
    """A withdrawal in hand, with the hours it would change; go on as with a preview."""
    cells = {"reason": reason}
    made = await staged(request, cells, [], points=[], no_trace="", withdraws=number)
    return _preview(made)


@router.get("/journal/hand/{slip}", dependencies=[needs("see")])
async def in_hand(request: Request, slip: SlipId) -> Preview:
    """A record in hand again: one's own, or one that waits for a second person."""
    made = await desk(request).ask(
        "figures.journal:preview", slip=slip, person=visitor(request).person
    )
    return _preview(made)


@router.post("/journal/hand/{slip}/record", dependencies=[needs("mark")])
async def record(request: Request, slip: SlipId) -> Outcome:
    """Its author writes it, where no second person is demanded."""
    made = await desk(request).act("figures.journal:record", visitor(request).who, slip=slip)
    return Outcome.model_validate(made)


@router.post("/journal/hand/{slip}/ask", dependencies=[needs("mark")])
async def ask(request: Request, slip: SlipId) -> Outcome:
    """Its author hands it to a second person."""
    made = await desk(request).ask(
        "figures.journal:ask_second", slip=slip, person=visitor(request).person
    )
    return Outcome.model_validate(made)


@router.post("/journal/hand/{slip}/confirm", dependencies=[needs("confirm")])
async def confirm(request: Request, slip: SlipId) -> Outcome:
    """Another person than the author confirms it, and so it is written."""
    made = await desk(request).act("figures.journal:confirm", visitor(request).who, slip=slip)
    return Outcome.model_validate(made)


@router.post("/journal/hand/{slip}/drop", dependencies=[needs("mark")])
async def drop(request: Request, slip: SlipId, reason: Text = "") -> Outcome:
    """Its author takes it back; another person refuses it and says why."""
    made = await desk(request).act(
        "figures.journal:drop", visitor(request).who, slip=slip, reason=reason
    )
    return Outcome.model_validate(made)


def _preview(made: dict[str, Any]) -> Preview:
    effect = made["effect"]
    if effect is not None:
        rows = [row | {"is_": row["is"]} for row in effect["rows"]]
        effect = effect | {"rows": rows}
    return Preview.model_validate(made | {"effect": effect})
