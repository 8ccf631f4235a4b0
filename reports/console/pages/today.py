"""The page /: the plant today, each card by itself."""

from datetime import timedelta
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from drivers.language import language
from reports.console.drafts import Draft
from reports.console.figures.happened import event_name
from reports.console.live import Snapshot
from reports.console.pages.stack_now import now_rows
from reports.console.pages.today_line import picture
from reports.console.web import desk, drafts, live_of, needs, office, page
from reports.periods import plant_now

router = APIRouter()

SOON_DAYS: Final = 14
SHOWN_DUTIES: Final = 8
SHOWN_EVENTS: Final = 12
WEAK_SHARE: Final = 0.98  # what the page marks; no rule says so
SERIES: Final = ("potline.current", "potline.voltage")


@router.get("/", dependencies=[needs("see")])
async def show(request: Request) -> HTMLResponse:
    """The page; its cards come by themselves."""
    live_of(request).now()
    return page(request, "today.html", now=plant_now(), stacks=bool(office(request).site.stacks))


@router.get("/today/line", dependencies=[needs("see")])
async def line(request: Request) -> HTMLResponse:
    """From each gateway to the store."""
    live = live_of(request)
    known = await live.ready()
    return page(request, "today_line.html", line=picture(known, live.trouble()))


@router.get("/today/potlines", dependencies=[needs("see")])
async def potlines(request: Request, anew: int = 0) -> HTMLResponse:
    """Power now, and kWh/t of yesterday and of the month."""
    made = await energy_figures(request, anew=bool(anew))
    return page(request, "today_potlines.html", rows=_running(request, made), **made)


@router.get("/today/heat", dependencies=[needs("see")])
async def heat(request: Request) -> HTMLResponse:
    """Heat recovered: now, yesterday, this month."""
    made = await energy_figures(request)
    return page(request, "today_heat.html", **made)


async def energy_figures(request: Request, *, anew: bool = False) -> dict[str, Any]:
    """Energy drafts of yesterday and of the running month, and how old they are."""
    known = await live_of(request).ready()
    when = await desk(request).ask("figures.today:running", keep_s=30)
    spans = {"day": when["yesterday"], "month": when["month"]}
    made = {
        name: drafts(request).get(office(request), "energy", period, anew=anew)
        for name, period in spans.items()
    }
    found = await desk(request).ask("figures.today:energy", **spans)
    return {"energy": found, "drafts": made, "known": known}


def _running(request: Request, made: dict[str, Any]) -> list[dict[str, Any]]:
    today = plant_now().date()
    scopes = {each["id"]: each for each in made["energy"]["scopes"]}
    rows = []
    for each in office(request).site.potline:
        if not each.runs_in(today, today + timedelta(days=1)):
            continue
        series = each.series or f"{each.id}/series"
        rows.append(
            {
                "id": each.id,
                "name": each.name.of(language()),
                "series": series,
                "power": "|".join(
                    f"{meter.equipment} meter.active_power" for meter in each.ac_meters
                ),
                "scope": scopes.get(each.id),
            }
        )
    return rows


@router.get("/today/stacks", dependencies=[needs("see")])
async def stacks(request: Request) -> HTMLResponse:
    """The running hour of each stack against its limits."""
    await live_of(request).ready()
    points = await desk(request).ask("figures.stacks:points", keep_s=60)
    rows, state = now_rows(request, points)
    return page(request, "today_stacks.html", rows=rows, live=state, points=points)


@router.get("/today/carbon", dependencies=[needs("see")])
async def carbon(request: Request, anew: int = 0) -> HTMLResponse:
    """The month to date, the year and its allowance."""
    return page(request, "today_carbon.html", **await carbon_figures(request, anew=bool(anew)))


async def carbon_figures(request: Request, *, anew: bool = False) -> dict[str, Any]:
    """Drafts of the month and of the year's allowance."""
    when = await desk(request).ask("figures.today:running", keep_s=30)
    monthly = drafts(request).get(office(request), "carbon-monthly", when["month"], anew=anew)
    yearly = drafts(request).get(office(request), "allowance", when["year"], anew=anew)
    found = await desk(request).ask("figures.today:carbon", month=when["month"], year=when["year"])
    return {"carbon": found, "monthly": monthly, "yearly": yearly, "when": when}


@router.get("/today/duties", dependencies=[needs("see")])
async def duties(request: Request) -> HTMLResponse:
    """What must be done, with days left."""
    found = await desk(request).ask("figures.today:duties_left", keep_s=120)
    rows = found["rows"][:SHOWN_DUTIES]
    return page(request, "today_duties.html", found=found, rows=rows, soon=SOON_DAYS)


@router.get("/today/events", dependencies=[needs("see")])
async def events(request: Request) -> HTMLResponse:
    """What goes on, and what ended a short while ago."""
    live = live_of(request)
    known = await live.ready()
    rows = await open_events(request, known)
    over = [
        {**each, "name": event_name(each["kind"])}
        for each in live.events()
        if each["end_ms"] is not None and each["end_ms"] != each["start_ms"]
    ]
    return page(
        request,
        "today_events.html",
        rows=rows[:SHOWN_EVENTS],
        count=len(rows),
        over=over[:6],
        trouble=live.trouble(),
    )


async def open_events(request: Request, known: Snapshot) -> list[dict[str, Any]]:
    """Those the historian knows, and those of the lake that it has forgotten; newest first."""
    kept = await desk(request).ask("figures.today:open_events", keep_s=60)
    found = {each["id"]: each for each in kept}
    found |= known.happened
    lasting = [each for each in found.values() if each["end_ms"] is None]
    lasting.sort(key=lambda each: float(each["start_ms"]), reverse=True)
    return [{**each, "name": event_name(each["kind"])} for each in lasting]


@router.get("/today/waiting", dependencies=[needs("see")])
async def waiting(request: Request) -> HTMLResponse:
    """What only the officer can give."""
    return page(request, "today_waiting.html", **await what_waits(request))


@router.get("/today/unexplained", dependencies=[needs("see")])
async def unexplained(request: Request) -> HTMLResponse:
    """Exceedances of which nobody has said what was done."""
    when = await desk(request).ask("figures.today:running", keep_s=30)
    months = [when["last_month"], when["month"]]
    found = await desk(request).ask("figures.today:unexplained", keep_s=600, months=months)
    return page(request, "today_unexplained.html", found=found)


async def what_waits(request: Request) -> dict[str, Any]:
    """Entries missing for the month to be lodged, and for the one that runs."""
    when = await desk(request).ask("figures.today:running", keep_s=30)
    made: dict[str, Draft] = {
        name: drafts(request).get(office(request), "carbon-monthly", when[name])
        for name in ("last_month", "month")
    }
    found = await desk(request).ask(
        "figures.today:waiting", last_month=when["last_month"], month=when["month"]
    )
    return {"found": found, "draft": made["last_month"], "now": made["month"], "when": when}


@router.get("/today/completeness", dependencies=[needs("see")])
async def completeness(request: Request) -> HTMLResponse:
    """What should have been recorded, and was."""
    found = await desk(request).ask("figures.completeness:completeness", keep_s=60)
    groups = sorted(found["groups"], key=lambda each: (each["yesterday"] or 0, each["name"]))
    return page(request, "today_completeness.html", found=found, groups=groups, weak=WEAK_SHARE)
