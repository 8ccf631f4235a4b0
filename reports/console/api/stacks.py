"""Emission points, their hours, exceedances, capture, checks due: /stacks for programs."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel

from reports.console.api import journal
from reports.console.api.potlines_tables import csv_answer
from reports.console.pages.stack_now import now_rows
from reports.console.web import desk, needs

router = APIRouter(tags=["stacks"])
KEEP_S = 60.0

Span = Annotated[
    str,
    Query(
        pattern=r"^(20|21)\d{2}(-\d{2}(-\d{2})?|-[Qq][1-4]|-\d{2}-\d{2}_\d{4}-\d{2}-\d{2})?$",
        description="2026, 2026-Q3, 2026-10, 2026-10-05 or 2026-10-01_2026-10-20; a year at most",
        examples=["2026-10"],
    ),
]
Name = Annotated[str, Query(max_length=64)]
Format = Annotated[Literal["json", "csv"], Query(description="csv: UTF-8 with a mark, for Excel")]
After = Annotated[int, Query(ge=0, le=10**9, description="go on after this one")]
Limit = Annotated[int, Query(ge=1, le=2000)]


class Pollutant(BaseModel):
    """A pollutant of a stack; ``limit`` mg/m3 of an hourly mean, as the permit states it today."""

    id: str
    name: str
    unit: str
    limit: float | None
    source: str
    point: str


class Stack(BaseModel):
    """An emission point of site.toml."""

    id: str
    name: str
    equipment: str
    reference_o2: float | None
    works: bool
    started: date | None
    stopped: date | None
    permit: str
    pollutants: list[Pollutant]


class Now(BaseModel):
    """The running hour: mean of the minutes so far, forecast of its end with a 90 % band, mg/m3."""

    stack: str
    equipment: str
    id: str
    name: str
    unit: str
    limit: float | None
    mean: float | None
    minutes: float | None
    forecast: float | None
    low: float | None
    high: float | None
    state: str
    word: str


class Nows(BaseModel):
    """``reachable`` False: the historian does not answer, and nothing here is live."""

    reachable: bool
    age_s: float | None
    rows: list[Now]


class Hour(BaseModel):
    """``mean`` mg/m3 over the valid minutes; of an hour that is not valid, over all it has."""

    n: int
    start: str
    pollutant: str
    mean: float | None
    limit: float | None
    minutes: int
    state: str
    mark: int


class Hours(BaseModel):
    """``next`` is the ``after`` of the next page, None at the end."""

    stack: str
    period: str
    hours: list[Hour]
    words: dict[str, str]
    next: int | None


class Done(BaseModel):
    """What the journal says of an exceedance."""

    number: int
    author: str
    cause: str
    measures: str
    reported_to: str
    reported_at: str
    not_reported: str


class Exceeded(BaseModel):
    """Hours in a row above the limit; ``why`` says what keeps them from being judged."""

    stack: str
    pollutant: str
    start: str
    end: str
    hours: int
    limit: float
    highest: float
    mean: float
    source: str
    judged: bool
    why: str
    hidden_by: int
    marks: list[int]
    done: list[Done]


class Captured(BaseModel):
    """Hours of a pollutant; ``rate`` = valid / counted, None where the source stood."""

    stack: str
    pollutant: str
    name: str
    hours: int
    stopped: int
    counted: int
    valid: int
    rate: float | None
    above: int
    counts: dict[str, int]


class Due(BaseModel):
    """A check that is due; ``due`` None: none was ever recorded."""

    id: str
    stack: str
    pollutants: list[str]
    text: str
    last: date | None
    due: date | None
    days_left: int | None
    overdue: bool
    note: str
    source: str
    locator: str
    confirmed: str


@router.get("/stacks", dependencies=[needs("see")])
async def stacks(request: Request) -> list[Stack]:
    """The emission points with the limits of today."""
    found: list[Stack] = await desk(request).ask("figures.stacks:points", keep_s=KEEP_S)
    return found


@router.get("/stacks/now", dependencies=[needs("see")])
async def now(request: Request) -> Nows:
    """Means so far and forecasts of the running hour."""
    points = await desk(request).ask("figures.stacks:points", keep_s=KEEP_S)
    rows, state = now_rows(request, points)
    return Nows.model_validate(state | {"rows": rows})


@router.get("/stacks/{stack}/hours", dependencies=[needs("see")])
async def hours(
    request: Request,
    stack: str,
    period: Span,
    pollutant: Name = "",
    format: Format = "json",  # noqa: A002 - the name of the parameter
    after: After = 0,
    limit: Limit = 1000,
) -> Any:
    """Every hour of a stack: mean, limit, valid minutes, state, mark; CSV has all of them."""
    made = await desk(request).ask(
        "figures.stacks:hours", keep_s=KEEP_S, stack=stack, period=period, pollutant=pollutant
    )
    rows = _rows(made)
    if format == "csv":
        keys = ("start", "pollutant", "mean", "limit", "minutes", "state", "mark")
        return csv_answer(f"hours-{stack}-{period}.csv", keys, cells(rows, keys))
    page = rows[after : after + limit]
    more = after + len(page) < len(rows)
    return Hours(
        stack=made["stack"]["id"],
        period=made["period"],
        hours=[Hour.model_validate(row) for row in page],
        words=made["words"],
        next=after + len(page) if more else None,
    )


def cells(rows: list[dict[str, Any]], keys: Sequence[str]) -> Iterator[list[object]]:
    """Rows of a table by their columns; several values in a cell stand with spaces between."""
    for row in rows:
        values = [row[key] for key in keys]
        yield [" ".join(map(str, x)) if isinstance(x, list) else x for x in values]


def _rows(made: dict[str, Any]) -> list[dict[str, Any]]:
    from reports.console.web import when

    found: list[dict[str, Any]] = []
    for each in made["pollutants"]:
        for n, start_s in enumerate(made["start_s"]):
            found.append(
                {
                    "n": len(found) + 1,
                    "start": when(start_s),
                    "pollutant": each["id"],
                    "mean": each["mean"][n],
                    "limit": each["limits"][n],
                    "minutes": each["minutes"][n],
                    "state": each["state"][n],
                    "mark": max(each["mark"][n], 0),
                }
            )
    return found


@router.get("/exceedances", dependencies=[needs("see")], response_model=list[Exceeded])
async def exceedances(
    request: Request,
    period: Span,
    stack: Name = "",
    format: Format = "json",  # noqa: A002 - the name of the parameter
) -> Any:
    """Hours above the limits with what was done; those that are not judged say why."""
    found = await desk(request).ask(
        "figures.stack_lists:exceeded", keep_s=KEEP_S, period=period, stack=stack
    )
    if format == "csv":
        keys = tuple(key for key in Exceeded.model_fields if key != "done")
        return csv_answer(f"exceedances-{period}.csv", keys, cells(found["rows"], keys))
    return found["rows"]


@router.get("/capture", dependencies=[needs("see")], response_model=list[Captured])
async def capture(
    request: Request,
    period: Span,
    format: Format = "json",  # noqa: A002 - the name of the parameter
) -> Any:
    """Capture rate of each stack and pollutant."""
    found = await desk(request).ask("figures.stack_lists:captures", keep_s=KEEP_S, period=period)
    if format == "csv":
        keys = tuple(key for key in Captured.model_fields if key != "counts")
        return csv_answer(f"capture-{period}.csv", keys, cells(found["rows"], keys))
    return found["rows"]


@router.get("/checks-due", dependencies=[needs("see")], response_model=list[Due])
async def due(
    request: Request,
    days: Annotated[int, Query(ge=0, le=3660)] = 31,
    format: Format = "json",  # noqa: A002 - the name of the parameter
) -> Any:
    """Calibrations, verifications and audits due within so many days, and what is overdue."""
    found = await desk(request).ask("figures.stack_lists:due", keep_s=KEEP_S, days=days)
    if format == "csv":
        keys = tuple(Due.model_fields)
        return csv_answer("checks-due.csv", keys, cells(found["rows"], keys))
    return found["rows"]


router.include_router(journal.router)
