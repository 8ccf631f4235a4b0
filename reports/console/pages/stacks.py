"""The page /stacks: emission points now, exceedances, capture, checks due; hours of one point."""

from datetime import date, timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import HTMLResponse

from drivers.language import say
from reports.console.pages import stack_records, stack_reports
from reports.console.pages.stack_now import now_rows
from reports.console.web import desk, needs, office, page, visitor
from reports.periods import Period, plant_now

router = APIRouter()
VIEWS: Final = ("day", "week", "month")
_OF_MARK: Final = ("kind", "name", "start_s", "end_s", "pollutants", "excuses")
KEEP_S: Final = 60.0  # an answer of the store so young will do for a page

Month = Annotated[str, Query(pattern=r"^((20|21)\d{2}-\d{2})?$")]


@router.get("/stacks", dependencies=[needs("see")])
async def show(request: Request, period: Month = "") -> HTMLResponse:
    """The page; its cards load by themselves."""
    month = _month(period)
    site = office(request).site
    return page(
        request,
        "stacks.html",
        month=month,
        before=month.previous,
        after=Period.month(month.after.year, month.after.month),
        stacks=site.stacks,
        marks=visitor(request).may("mark"),
        reports=visitor(request).may("report"),
    )


def _month(text: str) -> Period:
    """The month asked for, else this one. Raises HTTPException 422."""
    if not text:
        return Period.parse(f"{plant_now():%Y-%m}")
    try:
        return Period.parse(text)
    except ValueError as error:
        raise HTTPException(422, str(error)) from None


@router.get("/stacks/now", dependencies=[needs("see")])
async def now(request: Request) -> HTMLResponse:
    """The running hour of each stack and pollutant: mean so far, forecast, limit."""
    points = await desk(request).ask("figures.stacks:points", keep_s=KEEP_S)
    rows, state = now_rows(request, points)
    return page(request, "stacks_now.html", points=points, rows=rows, state=state)


@router.get("/stacks/above", dependencies=[needs("see")])
async def above(request: Request, period: Month = "", stack: str = "") -> HTMLResponse:
    """Exceedances of a month with what was done."""
    found = await desk(request).ask(
        "figures.stack_lists:exceeded", keep_s=KEEP_S, period=str(_month(period)), stack=stack
    )
    return page(request, "stacks_above.html", found=found, marks=visitor(request).may("mark"))


@router.get("/stacks/capture", dependencies=[needs("see")])
async def capture(request: Request, period: Month = "") -> HTMLResponse:
    """Capture rates of a month; where there are no data at all, where the newest are."""
    asked = desk(request)
    found = await asked.ask(
        "figures.stack_lists:captures", keep_s=KEEP_S, period=str(_month(period))
    )
    newest = None
    if not any(row["valid"] or row["stopped"] for row in found["rows"]):
        newest = await asked.ask("figures.stacks:newest", keep_s=3600)
    return page(request, "stacks_capture.html", found=found, newest=newest)


@router.get("/stacks/due", dependencies=[needs("see")])
async def due(request: Request) -> HTMLResponse:
    """Calibrations, verifications, audits."""
    found = await desk(request).ask("figures.stack_lists:due", keep_s=KEEP_S)
    return page(request, "stacks_due.html", found=found, marks=visitor(request).may("mark"))


router.include_router(stack_records.router)
router.include_router(stack_reports.router)


@router.get("/stacks/{stack}", dependencies=[needs("see")])
async def one(
    request: Request, stack: str, view: str = "month", on: str = "", pollutant: str = ""
) -> HTMLResponse:
    """One emission point: hours of a day, week or month against its limits, and its marks."""
    found = office(request).site.stack(stack)
    if found is None or view not in VIEWS:
        raise HTTPException(404)
    day = _day(on)
    period = period_of_view(view, day)
    return page(
        request,
        "stacks_one.html",
        stack=found,
        view=view,
        views=_views(),
        on=day,
        period=period,
        earlier=period.first - timedelta(days=1),
        later=period.after,
        pollutant=pollutant if pollutant in found.pollutants else "",
        marks=visitor(request).may("mark"),
    )


@router.get("/stacks/{stack}/hours", dependencies=[needs("see")])
async def hours(
    request: Request, stack: str, view: str = "month", on: str = "", pollutant: str = ""
) -> HTMLResponse:
    """The piece with curves, legend, marks and table."""
    if view not in VIEWS:
        raise HTTPException(404)
    period = period_of_view(view, _day(on))
    asked = desk(request)
    made = await asked.ask(
        "figures.stacks:hours",
        keep_s=KEEP_S,
        stack=stack,
        period=str(period),
        pollutant=pollutant,
    )
    noted = await asked.ask(
        "figures.journal_words:records", keep_s=KEEP_S, stack=stack, period=str(period)
    )
    return page(
        request,
        "stacks_hours.html",
        made=made,
        records=noted["records"],
        shape=_shape(made),
        view=view,
        marks=visitor(request).may("mark"),
    )


@router.get("/stacks/{stack}/hour", dependencies=[needs("see")])
async def hour(
    request: Request,
    stack: str,
    at: Annotated[int, Query(ge=946_656_000, le=7_258_089_600)],
    pollutant: str = "",
) -> HTMLResponse:
    """The drawer of one hourly mean; ``at`` is its start, wall time in s."""
    found = await desk(request).ask(
        "figures.stack_hour:hour", keep_s=KEEP_S, stack=stack, pollutant=pollutant, at_s=at
    )
    return page(request, "stacks_hour.html", found=found, marks=visitor(request).may("mark"))


def period_of_view(view: str, day: date) -> Period:
    """The day, its week from Monday to Sunday, or its month."""
    if view == "day":
        return Period.between(day, day)
    if view == "week":
        monday = day - timedelta(days=day.weekday())
        return Period.between(monday, monday + timedelta(days=6))
    return Period.between(day, day).whole_month


def _views() -> dict[str, str]:
    return {"day": say("日", "day"), "week": say("周", "week"), "month": say("月", "month")}


def _day(text: str) -> date:
    """422 for what is no day a store could hold."""
    if not text:
        return plant_now().date()
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = date.min
    if not date(2000, 1, 1) <= found <= date(2199, 12, 31):
        raise HTTPException(422, say(f"{text!r} 不是日期，请写 2026-10-05", f"{text!r} is no day"))
    return found


def _shape(made: dict[str, Any]) -> dict[str, Any]:
    """What the curves are drawn from, without what only the table needs."""
    keys = ("id", "name", "unit", "mean", "limits", "minutes", "state", "point")
    return {
        "start": made["start_s"],
        "pollutants": [{key: each[key] for key in keys} for each in made["pollutants"]],
        "marks": [
            {
                key: mark[key]
                for key in ("kind", "name", "start_s", "end_s", "pollutants", "excuses")
            }
            for mark in made["marks"]
        ],
        "words": made["words"],
        "limit": say("限值", "limit"),
        "stack": made["stack"]["id"],
    }
