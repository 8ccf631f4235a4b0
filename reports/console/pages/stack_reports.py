"""Emission reports: made in the background, downloaded from the archive."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, Final

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import FileResponse, HTMLResponse

from drivers.language import language, say
from drivers.model import ConfigError
from reports.console.desk import BusyError, FailedError
from reports.console.figures.stack_reports import FILE, listing
from reports.console.web import desk, needs, office, page, visitor
from reports.periods import SPANS, Period, last_over, plant_now

router = APIRouter()
SHOWN: Final = 12
FORMATS: Final = ("pdf", "xlsx")
MOST: Final = 8  # at once


@dataclass(slots=True)
class Making:
    """One report that is being made, or why it could not be."""

    period: str
    by: str
    done: dict[str, Any] | None = None
    problems: list[str] = field(default_factory=list)
    task: "asyncio.Task[None] | None" = None

    @property
    def over(self) -> bool:
        return self.done is not None or bool(self.problems)


def _makings(request: Request) -> dict[str, Making]:
    state = request.app.state
    if not hasattr(state, "stack_makings"):
        state.stack_makings = {}
    found: dict[str, Making] = state.stack_makings
    return found


@router.get("/stacks/reports", dependencies=[needs("see")])
async def reports(request: Request) -> HTMLResponse:
    """What there is, what is being made, and the form to make one."""
    return _piece(request, [])


def _piece(request: Request, problems: list[str], status: int = 200) -> HTMLResponse:
    today = plant_now().date()
    mine = list(_makings(request).values())
    return page(
        request,
        "stacks_reports.html",
        status=status,
        rows=listing(office(request))[:SHOWN],
        makings=mine,
        busy=any(not each.over for each in mine),
        choices=[str(last_over(name, today)) for name in SPANS],
        problems_found=problems,
        reports=visitor(request).may("report"),
    )


@router.post("/stacks/reports", dependencies=[needs("report")])
async def make(request: Request) -> HTMLResponse:
    """Begins to make one; the piece asks again until it is there."""
    form = await request.form()
    text = form.get("period", "")
    formats = [x for x in form.getlist("format") if x in FORMATS]
    try:
        period = str(Period.parse(text.strip() if isinstance(text, str) else ""))
    except ValueError as error:
        return _piece(request, [str(error)], 422)
    makings = _makings(request)
    running = [each for each in makings.values() if not each.over]
    if len(running) >= MOST:
        raise BusyError
    for key in [key for key, each in makings.items() if each.over]:
        del makings[key]
    if period not in makings:
        making = makings[period] = Making(period, visitor(request).person)
        making.task = asyncio.create_task(_run(request, making, formats or list(FORMATS)))
    return _piece(request, [])


async def _run(request: Request, making: Making, formats: list[str]) -> None:
    try:
        making.done = await desk(request).act(
            "figures.stack_reports:make",
            visitor(request).who,
            lane="long",
            period=making.period,
            formats=formats,
            lang=language(),
        )
    except ConfigError as error:
        making.problems = list(error.problems)
    except (BusyError, FailedError):
        told = "未能生成，详情见服务日志", "it could not be made; see the service's log"
        making.problems = [say(*told)]


@router.get("/stacks/reports/{name}", dependencies=[needs("see")])
async def file(request: Request, name: str) -> FileResponse:
    """A file of the archive: PDF, XLSX, HTML or the report itself as JSON."""
    path = office(request).reports / name
    if not FILE.fullmatch(name) or not path.is_file():
        raise HTTPException(404)
    return FileResponse(path, filename=name, content_disposition_type="attachment")
