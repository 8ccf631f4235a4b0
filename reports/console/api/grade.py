"""The performance grade for programs: verdicts, indicators, what is in the way, documents."""

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Path, Query, Request
from pydantic import BaseModel

from drivers.language import say
from reports.console.api.potlines_tables import csv_answer
from reports.console.web import desk, drafts, needs, office

router = APIRouter(tags=["grade"])

Until = Annotated[
    str,
    Path(
        pattern=r"^(20|21)\d{2}(-(0[1-9]|1[0-2]))?$",
        description="the year, or the month that ends the twelve months",
        examples=["2025", "2026-10"],
    ),
]


class Row(BaseModel):
    """One condition of a level; ``line`` is empty for families whose text nobody read yet."""

    industry: str
    generation: str
    level: str
    family: str
    condition: str
    confirmed: str
    evidence: str
    status: Literal["proven", "failed", "unknown"]
    found: str
    line: str


class Verdict(BaseModel):
    """What is provable of an industry under one generation of rules."""

    industry: str
    generation: str
    provable: str
    text: str
    proven: int | None
    failed: int | None
    unknown: int | None


class Absent(BaseModel):
    """A table nobody could read yet: the text to open."""

    id: str
    label: str
    title: str
    issuer: str
    where: str
    locator: str


class Grade(BaseModel):
    """``version`` 0: a draft of today; ``computing``: a newer one is being made."""

    period: str
    until: date
    version: int
    made: float | None
    computing: bool
    verdicts: list[Verdict]
    indicators: list[Row]
    absent: list[Absent]


class File(BaseModel):
    """Kept in the journal by its digest."""

    name: str
    sha256: str


class Document(BaseModel):
    """A document or declaration of the journal; ``days_left`` None: it has no end."""

    number: int
    what: str
    title: str
    serves: list[str]
    person: str
    stack: str
    start: date
    until: date | None
    days_left: int | None
    state: Literal["valid", "soon", "expired"]
    files: list[File]


@router.get("/grade/documents", dependencies=[needs("see")], response_model=list[Document])
async def documents(
    request: Request,
    format: Annotated[Literal["json", "csv"], Query()] = "json",  # noqa: A002
) -> Any:
    """Documents and declarations, soonest end first."""
    rows = await desk(request).ask("figures.grade:documents")
    if format == "csv":
        keys = [key for key in Document.model_fields if key not in {"serves", "files"}]
        cells = ([*(row[key] for key in keys), " ".join(row["serves"])] for row in rows)
        return csv_answer("grade-documents.csv", [*keys, "serves"], cells)
    return rows


@router.get("/grade/{until}", dependencies=[needs("see")], response_model=Grade)
async def grade(
    request: Request,
    until: Until,
    status: Annotated[Literal["", "proven", "failed", "unknown"], Query()] = "",
    format: Annotated[Literal["json", "csv"], Query()] = "json",  # noqa: A002
) -> Any:
    """Verdicts and indicators of twelve months; 404 while the first draft is being made."""
    draft = drafts(request).get(office(request), "grade", until)
    found = await desk(request).ask("figures.grade:found", period=until)
    if found is None:
        told = list(draft.problems) or [
            say("正在计算，请稍后再取", "being computed; ask again soon")
        ]
        raise HTTPException(404, "; ".join(told))
    rows = [
        {"industry": each["industry"], "generation": each["generation"], "level": each["level"]}
        | row
        for each in found["levels"]
        for row in each["rows"]
        if status in {"", row["status"]}
    ]
    if format == "csv":
        keys = tuple(Row.model_fields)
        return csv_answer(f"grade-{until}.csv", keys, ([x[key] for key in keys] for x in rows))
    names = ("industry", "generation", "provable", "text", "proven", "failed", "unknown")
    return found | {
        "verdicts": [dict(zip(names, x, strict=True)) for x in found["verdicts"]["rows"]],
        "indicators": rows,
        "made": draft.made,
        "computing": draft.computing,
    }


@router.get("/grade/{until}/indicator", dependencies=[needs("see")])
async def indicator(
    request: Request, until: Until, line: Annotated[str, Query(max_length=200)]
) -> dict[str, Any]:
    """What stands behind one indicator: findings, figures, stretches, documents."""
    found: dict[str, Any] = await desk(request).ask(
        "figures.grade:indicator", period=until, line=line
    )
    return found
