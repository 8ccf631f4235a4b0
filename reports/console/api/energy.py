"""The energy report for programs: lines, exchangers; the same figures as the page /energy."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Path, Query, Request, Response
from pydantic import BaseModel

from drivers.language import say
from reports.console.api.potlines_tables import csv_answer, exchangers_table, lines_table
from reports.console.pages.energy import NAME, SOURCE, Asked, asked_of
from reports.console.web import desk, drafts, needs, office

router = APIRouter(tags=["energy"])

PeriodName = Annotated[
    str, Path(max_length=24, description="month 2026-10, quarter 2026-Q4 or year 2026")
]
Form = Annotated[
    Literal["json", "csv"], Query(alias="format", description="csv: UTF-8 with mark, for Excel")
]
KEEP_S = 20.0


class ReportLine(BaseModel):
    """One figure as the report states it; null: missing or not stated, and why."""

    id: str
    scope: str
    label: str
    value: float | None
    unit: str
    how: str
    marks: str
    why: list[str]


class EnergyLines(BaseModel):
    """A page of lines; ``file`` is the report of the archive, "" a draft; ``next``: go on after."""

    period: str
    file: str
    complete: bool
    lines: list[ReportLine]
    next: str | None


class ShownFigure(BaseModel):
    """A figure of an exchanger, fractions in per cent."""

    line: str
    label: str
    value: float | None
    unit: str
    decimals: int
    marks: str
    stated: bool
    why: str
    notes: list[str]


class ExchangerState(BaseModel):
    """Heat, effectiveness, NTU, UA, share of the clean UA and its trend; days as printed."""

    equipment: str
    name: str
    figures: list[ShownFigure]
    warnings: list[str]
    days: dict[str, Any] | None


class Exchangers(BaseModel):
    """Of the report or draft of the period."""

    period: str
    file: str
    exchangers: list[ExchangerState]


@router.get(
    "/energy/{period}",
    dependencies=[needs("see")],
    response_model=EnergyLines,
    summary="Lines of the energy report of a period",
)
async def energy(
    request: Request,
    period: PeriodName,
    source: Annotated[str, SOURCE] = "",
    after: Annotated[str, Query(max_length=200, description="id of the last line seen")] = "",
    limit: Annotated[int, Query(ge=1, le=5000)] = 500,
    form: Form = "json",
) -> EnergyLines | Response:
    """
    The newest version in the archive for a period that is over, else a draft.

    503 while the draft is made; ask again. CSV holds every line.
    """
    asked = asked_of(request, period, source)
    given = {"after": "" if form == "csv" else after, "limit": 10**6 if form == "csv" else limit}
    told = await _there(request, asked, "lines", given)
    if form == "csv":
        return csv_answer(f"energy-{asked.period}.csv", *lines_table(told["lines"]))
    return EnergyLines.model_validate(told)


@router.get(
    "/exchangers",
    dependencies=[needs("see")],
    response_model=Exchangers,
    summary="Heat exchangers in a period",
)
async def exchangers(
    request: Request,
    period: Annotated[str, Query(max_length=24, description="empty: newest data")] = "",
    source: Annotated[str, SOURCE] = "",
    form: Form = "json",
) -> Exchangers | Response:
    """As the energy report states them."""
    asked = asked_of(request, period, source)
    told = await _there(request, asked, "exchangers", {})
    if form == "csv":
        name = f"exchangers-{asked.period}.csv"
        return csv_answer(name, *exchangers_table(told["exchangers"]))
    return Exchangers.model_validate(told)


async def _there(request: Request, asked: Asked, job: str, more: dict[str, Any]) -> Any:
    """What the report says; 503 while its draft is made, 422 with what hinders it."""
    draft = None
    if not asked.file:
        draft = drafts(request).get(office(request), NAME, asked.period)
    given: dict[str, Any] = {"period": asked.period, "source": asked.source, **more}
    told = await desk(request).ask(f"figures.energy:{job}", keep_s=KEEP_S, **given)
    if told is not None:
        return told
    if draft is not None and draft.problems:
        raise HTTPException(422, say("；", "; ").join(draft.problems))
    raise HTTPException(
        503,
        say(f"{asked.period} 的草稿正在计算，请稍后再试", f"the draft of {asked.period} is made"),
        {"Retry-After": "5"},
    )
