"""Emission reports on the page of the stacks: those in the archive, and making one."""

import re
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from reports.console import archive_names as names
from reports.console.web import needs, office, page, visitor
from reports.periods import SPANS, last_over, plant_now

router = APIRouter()
SHOWN: Final = 12
_OURS: Final = re.compile(r"emissions-([0-9][0-9Q_-]{3,20})-v([1-9][0-9]{0,4})\.json")


@router.get("/stacks/reports", dependencies=[needs("see")])
async def reports(request: Request) -> HTMLResponse:
    """The newest version of each period; the form goes to the common way to make a report."""
    folder, newest = office(request).reports, dict[str, str]()
    for path in folder.glob("emissions-*.json") if folder.is_dir() else ():
        match = _OURS.fullmatch(path.name)
        known = newest.get(match[1], "") if match else ""
        if match and (not known or names.version_of(known) < int(match[2])):
            newest[match[1]] = path.name
    rows = [
        {"period": period, "version": names.version_of(name), "file": name}
        for period, name in sorted(newest.items(), reverse=True)[:SHOWN]
    ]
    today = plant_now().date()
    return page(
        request,
        "stacks_reports.html",
        rows=rows,
        choices=[str(last_over(name, today)) for name in SPANS],
        reports=visitor(request).may("report"),
    )
