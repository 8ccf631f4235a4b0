"""The pages below /energy: the energy report of a period, from the archive or as a draft."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from fastapi.responses import HTMLResponse

from drivers.language import say
from reports.console.figures.energy_periods import archive_file, newest_period, offered
from reports.console.figures.potline_times import FIRST
from reports.console.web import desk, drafts, needs, office, page, period_of
from reports.periods import plant_now

router = APIRouter()

NAME = "energy"
KEEP_S = 20.0
PERIOD = Query(max_length=24, description="2026-10, 2026-Q4 or 2026; empty: newest data")
SOURCE = Query(pattern="^(draft)?$", description="draft: not the report of the archive")


@dataclass(frozen=True)
class Asked:
    """A period and where its figures come from; ``file`` "" is the draft."""

    period: str
    source: str
    file: str

    @property
    def query(self) -> str:
        return f"period={self.period}" + ("&source=draft" if self.source else "")


def asked_of(request: Request, period: str, source: str) -> Asked:
    """422 for what is no month, quarter or year, or has not begun."""
    found = period_of(period or newest_period(office(request)))
    told = found.is_month or found.is_quarter or found.is_year
    if not told or found.first < FIRST:
        raise HTTPException(
            422,
            say(
                f"{period}：请写月 2026-10、季 2026-Q4 或年 2026",
                f"{period}: write a month 2026-10, a quarter 2026-Q4 or a year 2026",
            ),
        )
    if found.start > plant_now():
        raise HTTPException(422, say(f"{found} 尚未开始", f"{found} has not begun"))
    file = archive_file(office(request), str(found), source)
    return Asked(str(found), source, "" if file is None else file.name)


async def _asked(
    request: Request,
    period: Annotated[str, PERIOD] = "",
    source: Annotated[str, SOURCE] = "",
) -> Asked:
    return asked_of(request, period, source)


ThisPeriod = Annotated[Asked, Depends(_asked)]


@router.get("/energy", dependencies=[needs("see")])
async def show(request: Request, asked: ThisPeriod) -> HTMLResponse:
    """The page."""
    return page(request, "energy.html", asked=asked, offered=offered(office(request)))


@router.get("/energy/state", dependencies=[needs("see")])
async def state(request: Request, asked: ThisPeriod, anew: bool = False) -> HTMLResponse:
    """How far the draft is; tells the page when it has become new."""
    draft = drafts(request).get(office(request), NAME, asked.period, anew=anew)
    answer = page(request, "energy_state.html", asked=asked, draft=draft)
    if not draft.computing:
        answer.headers["HX-Trigger"] = "energy-made"
    return answer


@router.get("/energy/report", dependencies=[needs("see")])
async def report(request: Request, asked: ThisPeriod) -> HTMLResponse:
    """Everything the report says, as cards."""
    draft = None
    if not asked.file:
        draft = drafts(request).get(office(request), NAME, asked.period)
    made = draft.made if draft is not None else None
    told = await reported(request, asked, made)
    return page(request, "energy_report.html", asked=asked, draft=draft, told=told)


async def reported(request: Request, asked: Asked, made: float | None) -> Any:
    """The report as data; None while there is none. ``made`` tells one draft from the next."""
    given: dict[str, Any] = {"period": asked.period, "source": asked.source}
    keep_s = KEEP_S if asked.file or made else 0.0
    return await desk(request).ask("figures.energy:report", keep_s=keep_s, **given)


@router.get("/energy/picture", dependencies=[needs("see")])
async def picture(
    request: Request,
    asked: ThisPeriod,
    id: Annotated[str, Query(min_length=1, max_length=120)],  # noqa: A002 - as the report says
    narrow: bool = False,
) -> Response:
    """One picture of the report as SVG."""
    given: dict[str, Any] = {
        "period": asked.period,
        "source": asked.source,
        "picture": id,
        "narrow": narrow,
    }
    told = await desk(request).ask("figures.energy_pictures:drawn", keep_s=KEEP_S, **given)
    if told is None:
        raise HTTPException(404)
    return Response(told, media_type="image/svg+xml", headers={"Cache-Control": "private"})
