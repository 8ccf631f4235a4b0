"""What the pages below /evidence show, for programs."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field

from reports.console.figures.evidence_package import verifier
from reports.console.pages.evidence_asked import (
    LATEST_NS,
    FigureAsked,
    LinesAsked,
    ProofAsked,
    known,
)
from reports.console.pages.evidence_dropped import dropped, verifying
from reports.console.web import desk, needs

router = APIRouter(prefix="/evidence")
Node = dict[str, Any]


class Version(BaseModel):
    """One file of the archive."""

    file: str
    version: int
    title: str
    complete: bool | None
    written: date | None
    content_sha256: str
    changes: int = Field(description="differences to the version before")
    lines: int
    renderings: list[str]
    problem: str = Field(description="why it cannot be read; empty when it can")


class ReportRow(BaseModel):
    """A report with its versions, newest first."""

    report: str
    period: str
    versions: list[Version]


class Reports(BaseModel):
    """The archive, a page of it."""

    reports: list[ReportRow]
    count: int


class LineRow(BaseModel):
    """A figure of a report; ``value`` as reported, null: missing, and why."""

    id: str
    label: str
    value: float | None
    shown: str
    unit: str
    how: str
    marks: str
    missing: str


class ReportSource(BaseModel):
    """Which report or draft."""

    report: str
    period: str
    title: str
    complete: bool
    draft: bool
    made: float | None = Field(description="of a draft: s since 1970")
    version: int | None
    file: str
    content_sha256: str
    written: date | None
    newest: str = Field(description="file of a newer version; empty when this is it")


class ReportLines(BaseModel):
    """Lines of a report that fit ``q``."""

    source: ReportSource
    lines: list[LineRow]
    found: int
    all: int
    changes: list[Node]


class Figure(BaseModel):
    """One thing and what it stands on; which fields there are depends on ``kind``."""

    kind: str
    ref: str
    title: str
    source: ReportSource
    value: float | None
    shown: str
    exact: str
    unit: str
    more: Node


class Point(BaseModel):
    """Windows, or samples, of a point at a moment."""

    point: str
    title: str
    unit: str
    counter: bool
    at_ns: int
    at: str
    sample: bool
    windows: list[Node]


class Proof(BaseModel):
    """What was computed and read again; ``holds`` null: there was nothing to prove."""

    holds: bool | None
    formulas: int
    recomputed: int
    readings: list[Node]
    readings_count: int
    readings_good: int
    under_checkpoint: int
    entries: int
    legals: int
    unconfirmed: int


class PointProof(BaseModel):
    """A window in its batch."""

    reading: Node
    certificates: list[Node]


class Used(BaseModel):
    """Report versions that rest on a reading."""

    point: str
    at: str
    reports: list[Node]


class Verdict(BaseModel):
    """As ``smelter verify --json`` says it; findings have ``where``, ``zh``, ``en``."""

    verdict: str = Field(description="intact | changed | unknown | untraced | unvouched")
    exit_code: int = Field(description="0 intact, 1 changed, 2 cannot be judged")
    headline: dict[str, str]
    report: str
    keys_checked: bool
    changed: list[dict[str, str]]
    unknown: list[dict[str, str]]
    proved: list[dict[str, str]]
    notes: list[dict[str, str]]
    unchecked: list[dict[str, str]]
    keys: dict[str, str]


@router.get("/reports", dependencies=[needs("see")], summary="Reports and their versions")
async def reports(
    request: Request,
    kind: Annotated[str, Query(max_length=60, description="carbon-monthly; empty: all")] = "",
    after: Annotated[int, Query(ge=0, le=100_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> Reports:
    """By report and period."""
    told = await desk(request).ask("figures.evidence_files:reports", keep_s=5, kind=kind)
    rows = told["reports"]
    return Reports(reports=rows[after : after + limit], count=len(rows))


@router.get("/lines", dependencies=[needs("see")], summary="Lines of a report or draft")
async def lines(request: Request, given: Annotated[LinesAsked, Query()]) -> ReportLines:
    """Those whose name or id has the words of ``q``."""
    job = "figures.evidence_files:report"
    more: Node = {"find": given.q, "after": given.after, "limit": given.limit}
    told = known(await desk(request).ask(job, keep_s=5, asked=given.node(), **more))
    return ReportLines.model_validate(told)


SHARED = frozenset(Figure.model_fields) - {"more"}


@router.get("/figure", dependencies=[needs("see")], summary="Where a figure comes from")
async def figure(request: Request, given: Annotated[FigureAsked, Query()]) -> Figure | Point:
    """A line, entry, legal value, meter or site value of a report; or a point at a moment."""
    if given.point:
        job = "figures.evidence_proof:point"
        of: Node = {"point": given.point, "at_ns": given.at, "period_s": given.period_s}
        return Point.model_validate(known(await desk(request).ask(job, keep_s=5, **of)))
    asked = given.node()
    kind, ref = given.thing()
    job = "figures.evidence:figure"
    told = known(await desk(request).ask(job, keep_s=5, asked=asked, kind=kind, ref=ref))
    more = {key: each for key, each in told.items() if key not in SHARED | {"asked"}}
    return Figure.model_validate(told | {"more": more})


@router.get("/proof", dependencies=[needs("see")], summary="Proof of a figure, computed now")
async def proof(request: Request, given: Annotated[ProofAsked, Query()]) -> Proof | PointProof:
    """Of a line or a meter, or of the window of a point."""
    if given.point:
        job = "figures.evidence_proof:prove_point"
        told = await desk(request).ask(job, keep_s=5, point=given.point, at_ns=given.at)
        return PointProof.model_validate(known(told))
    asked, at_ns = given.node(), given.at_ns()
    kind, ref = given.thing()
    job = "figures.evidence_proof:prove"
    told = await desk(request).ask(job, asked=asked, kind=kind, ref=ref, at_ns=at_ns)
    return Proof.model_validate(known(told))


@router.get("/used", dependencies=[needs("see")], summary="Reports that used a reading")
async def used(
    request: Request,
    point: Annotated[str, Query(max_length=200, description="line1/ac1 meter.energy_import")],
    at: Annotated[int, Query(ge=0, le=LATEST_NS, description="ns since 1970, UTC")],
) -> Used:
    """The other way: from a reading to figures."""
    job = "figures.evidence_proof:used"
    return Used.model_validate(await desk(request).ask(job, keep_s=60, point=point, at_ns=at))


FILES = {"type": "array", "items": {"type": "string", "format": "binary"}}
FORM: Node = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["package"],
                "properties": {
                    "package": {"type": "string", "format": "binary"},
                    "key": {"type": "string", "description": "keys you trust, one a line"},
                    "earlier": FILES,
                    "checkpoint": FILES,
                    "ca": {"type": "string", "format": "binary"},
                    "without_originals": {"type": "boolean"},
                },
            }
        }
    },
}


@router.post(
    "/verify",
    dependencies=[needs("see")],
    summary="Verdict over a package",
    openapi_extra={"requestBody": FORM},
)
async def verify(request: Request) -> Verdict:
    """Nothing of it is kept."""
    async with dropped(request) as given:
        verdict = await verifying(request).judge(given)
    return Verdict.model_validate(verdict)


@router.get(
    "/verify.py",
    dependencies=[needs("see")],
    summary="The stand-alone verifier",
    response_class=FileResponse,
    responses={200: {"content": {"text/x-python": {}}, "description": "one file"}},
)
async def program() -> FileResponse:
    """One file, Python 3.8 or later, nothing else."""
    return FileResponse(verifier(), filename="verify.py", media_type="text/x-python")
