"""The page /carbon: a year of months, what it adds up to, its reports."""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import HTMLResponse

from reports.console.pages import archive, month, month_acts
from reports.console.web import desk, drafts, needs, office, page, period_of, visitor
from reports.periods import Period, plant_now

router = APIRouter()
KEEP_S = 20.0

Year = Annotated[str, Query(pattern=r"^(\d{4})?$")]


def year_of(text: str) -> Period:
    """The year asked for, else this one. Raises HTTPException 422."""
    found = period_of(text or f"{plant_now():%Y}")
    if not found.is_year or not 2000 <= found.first.year <= 2100:
        raise HTTPException(422, "2026")
    return found


@router.get("/carbon", dependencies=[needs("see")])
async def show(request: Request, year: Year = "") -> HTMLResponse:
    """The page; its pieces load by themselves."""
    now = plant_now().year
    asked = year_of(year).first.year
    return page(request, "carbon.html", year=asked, now=now)


@router.get("/carbon/cards", dependencies=[needs("see")])
async def cards(request: Request, year: Year = "") -> HTMLResponse:
    """The twelve months."""
    found = await desk(request).ask("figures.carbon:year", year=str(year_of(year)), keep_s=KEEP_S)
    return page(request, "carbon_cards.html", found=found)


@router.get("/carbon/totals", dependencies=[needs("see")])
async def totals(request: Request, year: Year = "", anew: int = 0) -> HTMLResponse:
    """The year beside the one before, forecast and allowances."""
    period = year_of(year)
    asked = office(request)
    ahead = period.start > plant_now()
    states = [
        drafts(request).get(asked, report, str(period), anew=bool(anew))
        for report in ("carbon-annual", "allowance")
        if not ahead and archive.newest_name(asked, report, str(period)) is None
    ]
    found = await desk(request).ask("figures.carbon:totals", year=str(period))
    computing = any(state.computing for state in states)
    return page(
        request,
        "carbon_totals.html",
        found=found,
        states=states,
        computing=computing,
        ahead=ahead,
        running=period.end > plant_now() >= period.start,
    )


@router.get("/carbon/annual", dependencies=[needs("see")])
async def annual(request: Request, year: Year = "") -> HTMLResponse:
    """The reports of the year: make, look, lodge."""
    period = year_of(year)
    found = await desk(request).ask("figures.carbon:annual", year=str(period))
    return page(
        request,
        "carbon_annual.html",
        year=str(period),
        rows=found,
        may_report=visitor(request).may("report"),
    )


router.include_router(archive.router)
router.include_router(month_acts.router)
router.include_router(month.router)
