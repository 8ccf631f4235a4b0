"""The carbon year for programs: months with their states, what the year adds up to."""

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel

from reports.console.api import entries, reports
from reports.console.api.potlines_tables import csv_answer
from reports.console.api.reports import Lodging
from reports.console.web import desk, needs

router = APIRouter(tags=["carbon"])

Year = Annotated[str, Query(pattern=r"^20\d{2}$", examples=["2026"])]
Month = Annotated[str, Path(pattern=r"^20\d{2}-(0[1-9]|1[0-2])$", examples=["2026-10"])]


class Figure(BaseModel):
    """A line of the month's report; ``value`` null: not known."""

    id: str
    label: str
    value: float | None
    decimals: int
    unit: str


class MonthReport(BaseModel):
    """The newest version of the month's report; ``ledger``: entries that it read."""

    file: str
    version: int
    written: date
    complete: bool
    content_sha256: str
    ledger: int
    headline: list[Figure]
    missing: list[str]
    doubts: int


class Card(BaseModel):
    """
    One month. ``left``: days to the last day of lodging, negative when it has passed.

    ``stale``: entries of the month that came after its newest report.
    """

    month: str
    state: Literal[
        "ahead", "running", "stopped", "before", "empty", "entered", "incomplete", "reported",
        "stale", "lodged", "correcting",
    ]  # fmt: skip
    phase: Literal["ahead", "running", "over"]
    runs: bool
    due: date | None
    due_legal: str | None
    left: int | None
    overdue: bool
    entries: int
    entered_by: str | None
    entered_at: str | None
    report: MonthReport | None
    stale: int
    lodging: Lodging | None
    package: bool


class Months(BaseModel):
    """``next``: the oldest month that is over and not lodged."""

    year: str
    today: date
    lodged: int
    wanted: int
    next: str | None
    cards: list[Card]


class StepState(BaseModel):
    """A step of the month's way."""

    id: str
    name: str
    state: Literal["done", "warn", "todo", "wait"]
    text: str


class MonthState(BaseModel):
    """The month, its seven steps, rows of the template that are empty."""

    card: Card
    steps: list[StepState]
    asked: int
    empty: list[str]


@router.get("/carbon/months", dependencies=[needs("see")])
async def months(
    request: Request,
    year: Year,
    format: Literal["json", "csv"] = "json",  # noqa: A002
) -> Any:
    """The twelve months of a year; ``format=csv`` as a table."""
    found = await desk(request).ask("figures.carbon:year", year=year)
    if format == "csv":
        return _table(found["cards"], year)
    return Months.model_validate(found)


_HEAD = (
    *("month", "state", "due", "days_left", "entries", "version", "complete"),
    *("aluminium_t", "emission_tco2e", "intensity_tco2e_t", "lodged_on", "receipt", "author"),
)


def _table(cards: list[dict[str, Any]], year: str) -> Response:
    rows: list[list[object]] = []
    for card in cards:
        report, lodged = card["report"] or {}, card["lodging"] or {}
        values = {x["id"]: x["value"] for x in report.get("headline", ())}
        figures = [values.get(f"plant.{x}") for x in ("aluminium", "emission", "intensity")]
        told = [report.get("version"), report.get("complete"), *figures]
        ended = [lodged.get(x) for x in ("on", "receipt", "author")]
        first = [card[x] for x in ("month", "state", "due", "left", "entries")]
        rows.append([*first, *told, *ended])
    return csv_answer(f"carbon-{year}.csv", _HEAD, rows)


@router.get("/carbon/months/{month}", dependencies=[needs("see")], response_model=MonthState)
async def month(request: Request, month: Month) -> Any:
    """One month and its steps."""
    return await desk(request).ask("figures.month:state", month=month)


router.include_router(entries.router)
router.include_router(reports.router)
