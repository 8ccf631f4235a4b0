"""Log in, log out, the own account."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from reports.console.web import open_to_all, page

router = APIRouter()


@router.get("/login", dependencies=[open_to_all])
async def show(request: Request) -> HTMLResponse:
    """The page."""
    return page(request, "login.html")
