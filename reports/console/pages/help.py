"""The page /help."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from reports.console.web import needs, page

router = APIRouter()


@router.get("/help", dependencies=[needs("see")])
async def show(request: Request) -> HTMLResponse:
    """The page."""
    return page(request, "help.html")
