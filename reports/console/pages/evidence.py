"""The page /evidence."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from reports.console.web import needs, page

router = APIRouter()


@router.get("/evidence", dependencies=[needs("see")])
async def show(request: Request) -> HTMLResponse:
    """The page."""
    return page(request, "evidence.html")
