"""The page /explore."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from reports.console.web import needs, page

router = APIRouter()


@router.get("/explore", dependencies=[needs("see")])
async def show(request: Request) -> HTMLResponse:
    """The page."""
    return page(request, "explore.html")
