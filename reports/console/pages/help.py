"""Help for a new officer, and the description of the API for people and for programs."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse

from drivers.language import language
from reports.console.api.description import description, operations
from reports.console.help.texts import topics
from reports.console.web import needs, page
from reports.periods import plant_now

router = APIRouter()


@router.get("/help", dependencies=[needs("see")])
async def show(request: Request) -> HTMLResponse:
    """The page."""
    return page(request, "help.html", topics=topics(language(), plant_now().date()))


@router.get("/help/api", dependencies=[needs("see")])
async def api(request: Request) -> HTMLResponse:
    """Every address of the API, for people."""
    found = description(request.app)
    return page(request, "help_api.html", about=found["info"], groups=operations(found))


@router.get("/api/openapi.json", dependencies=[needs("see")])
async def schema(request: Request) -> JSONResponse:
    """Every address of the API, for programs: OpenAPI 3.1."""
    return JSONResponse(description(request.app))
