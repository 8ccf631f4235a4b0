"""The page /."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from reports.console.web import needs, page

router = APIRouter()


@router.get("/", dependencies=[needs("see")])
async def show(request: Request) -> HTMLResponse:
    """The page."""
    return page(request, "today.html")
