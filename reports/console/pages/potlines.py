"""The pages below /potlines: the list, a line as a map of its pots, one pot."""

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Query, Request
from fastapi.responses import HTMLResponse

from drivers.language import say
from reports.console.figures.potline_times import AFTER, FIRST, newest_day
from reports.console.web import desk, drafts, needs, office, page, period_of
from reports.periods import Period, plant_now
from reports.site import Potline

router = APIRouter()

NAME = r"^[A-Za-z0-9_.-]{1,60}$"
LineId = Annotated[str, Path(pattern=NAME, description="line1")]
PotId = Annotated[str, Path(pattern=NAME, description="pot001")]
At = Annotated[str, Query(max_length=16, description="now | hour | today | yesterday | 2026-10-05")]
Month = Annotated[str, Query(max_length=16, description="2026-10")]
KEEP_S = 5.0


def known_line(request: Request, line: str) -> Potline:
    """404 for a line that site.toml does not have."""
    found = office(request).site.line(line)
    if found is None:
        raise HTTPException(404, say(f"没有电解系列 {line}", f"there is no potline {line}"))
    return found


def newest_month(request: Request) -> Period:
    """The month of the newest data."""
    day = newest_day(office(request)) or plant_now().date()
    return Period.between(day, day).whole_month


def month_of(request: Request, text: str) -> Period:
    """What was asked for, else that of the newest data. 422 for what is no month."""
    if not text:
        return newest_month(request)
    period = period_of(text)
    if not period.is_month or not FIRST <= period.first < AFTER:
        raise HTTPException(422, say(f"{text} 不是月份；请写 2026-10", f"{text}: write 2026-10"))
    return period


@router.get("/potlines", dependencies=[needs("see")])
async def show(request: Request) -> HTMLResponse:
    """The page."""
    return page(request, "potlines.html")


@router.get("/potlines/list", dependencies=[needs("see")])
async def lines(request: Request) -> HTMLResponse:
    """A card for each line: what it does now, and its energy in the month of the newest data."""
    here, month = office(request), newest_month(request)
    told = await desk(request).ask("figures.potlines_list:potlines", keep_s=KEEP_S)
    draft = drafts(request).get(here, "energy", str(month))
    energy = await _energy(request, str(month))
    return page(
        request, "potlines_list.html", lines=told, month=str(month), draft=draft, energy=energy
    )


async def _energy(request: Request, month: str) -> Any:
    return await desk(request).ask("figures.energy:of_lines", keep_s=KEEP_S, period=month)


@router.get("/potlines/{line}", dependencies=[needs("see")])
async def line_page(request: Request, line: LineId, at: At = "") -> HTMLResponse:
    """The map of its pots."""
    potline = known_line(request, line)
    newest = newest_day(office(request))
    stale = newest is not None and newest < plant_now().date()
    return page(
        request,
        "potlines_line.html",
        line=potline,
        at=at or (str(newest) if stale else "now"),
        newest=newest,
        today=plant_now().date(),
    )


@router.get("/potlines/{line}/energy", dependencies=[needs("see")])
async def line_energy(
    request: Request, line: LineId, month: Month = "", anew: bool = False
) -> HTMLResponse:
    """Power, current and kWh/t of the line."""
    potline, period = known_line(request, line), str(month_of(request, month))
    draft = drafts(request).get(office(request), "energy", period, anew=anew)
    told = await desk(request).ask("figures.potlines_list:potlines", keep_s=KEEP_S)
    now = next(each for each in told if each["id"] == line)
    job = "figures.energy:of_line"
    energy = await desk(request).ask(job, keep_s=KEEP_S, line=line, period=period)
    values = {"line": potline, "month": period, "now": now, "energy": energy, "draft": draft}
    return page(request, "potlines_energy.html", **values)


@router.get("/potlines/{line}/ranking", dependencies=[needs("see")])
async def line_ranking(
    request: Request, line: LineId, month: Month = "", anew: bool = False
) -> HTMLResponse:
    """Pots by what they cost, and the advice; the first to ask in a month waits for it."""
    potline, period = known_line(request, line), str(month_of(request, month))
    told = await ranking(request, period, anew=anew)
    return page(
        request,
        "potlines_ranking.html",
        line=potline,
        month=period,
        made=told["made"],
        ranking=told["lines"].get(line),
        months=_months(request),
    )


async def ranking(request: Request, month: str, *, anew: bool = False) -> Any:
    """As kept, else made now in the long lane."""
    since_s = plant_now().timestamp() if anew else desk(request).changed_s
    told = None
    if not anew:
        told = await desk(request).ask("figures.potlines_advice:kept", month=month, since_s=since_s)
    if told is None:
        told = await desk(request).ask(
            "figures.potlines_advice:make", lane="long", month=month, since_s=since_s
        )
    return told


def _months(request: Request) -> list[str]:
    """The newest twelve with data."""
    from reports.console.figures.energy_periods import offered

    found: list[str] = offered(office(request))["months"][:12]
    return found


@router.get("/potlines/{line}/{pot}", dependencies=[needs("see")])
async def pot_page(request: Request, line: LineId, pot: PotId) -> HTMLResponse:
    """One pot: now, curves, events, advice."""
    return page(
        request,
        "potlines_pot.html",
        line=known_line(request, line),
        pot=pot,
        newest=newest_day(office(request)),
        today=plant_now().date(),
    )


@router.get("/potlines/{line}/{pot}/now", dependencies=[needs("see")])
async def pot_now(request: Request, line: LineId, pot: PotId) -> HTMLResponse:
    """Newest minute of each quantity."""
    known_line(request, line)
    told = await desk(request).ask("figures.potlines_pot:facts", keep_s=KEEP_S, line=line, pot=pot)
    return page(request, "potlines_pot_now.html", **told)


@router.get("/potlines/{line}/{pot}/events", dependencies=[needs("see")])
async def pot_events(
    request: Request,
    line: LineId,
    pot: PotId,
    days: Annotated[int, Query(ge=1, le=92)] = 30,
    until: At = "",
) -> HTMLResponse:
    """Anode effects, warnings, instability."""
    known_line(request, line)
    job = "figures.potlines_pot:events"
    given: dict[str, Any] = {"line": line, "pot": pot, "days": days, "until": until}
    told = await desk(request).ask(job, keep_s=KEEP_S, **given)
    return page(request, "potlines_pot_events.html", line=line, pot=pot, days=days, **told)


@router.get("/potlines/{line}/{pot}/advice", dependencies=[needs("see")])
async def pot_advice(
    request: Request, line: LineId, pot: PotId, month: Month = "", anew: bool = False
) -> HTMLResponse:
    """What the ranking of the month says of the pot, and what is advised."""
    potline, period = known_line(request, line), str(month_of(request, month))
    await ranking(request, period, anew=anew)
    job = "figures.potlines_advice:of_pot"
    told = await desk(request).ask(job, keep_s=KEEP_S, month=period, line=line, pot=pot)
    values = {"line": potline, "pot": pot, "month": period, "told": told}
    return page(request, "potlines_pot_advice.html", months=_months(request), **values)
