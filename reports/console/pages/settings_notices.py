"""Who is told of what: recipients of site.toml, what waits, and a trial notice."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from drivers.model import ConfigError
from reports.console.notices.matters import TOPICS
from reports.console.notices.service import Notices
from reports.console.web import desk, needs, office, page, visitor
from reports.site_notices import Webhook

router = APIRouter(prefix="/settings")


def recipients(request: Request) -> list[dict[str, Any]]:
    """Those of site.toml with their state; never an address that may be a secret."""
    here = office(request)
    book = _notices(request).book(here)
    found = []
    for to in here.site.console.notices:
        state = book.page(to.name)
        sending = state.sending
        found.append(
            {
                "name": to.name,
                "kind": to.kind,
                "form": to.form if isinstance(to, Webhook) else to.security,
                "place": to.place,
                "about": [{"zh": TOPICS[x].zh, "en": TOPICS[x].en} for x in to.about],
                "lang": to.lang,
                "days": list(to.days),
                "quiet": f"{to.quiet_from:%H:%M}–{to.quiet_to:%H:%M}" if to.quiet_from else "",
                "hourly": to.hourly,
                "waiting": len(state.waiting) + (len(sending.matters) if sending else 0),
                "tries": sending.tries if sending else 0,
                "next": sending.next_s if sending and sending.tries else None,
                "problem": sending.problem if sending else "",
                "sent": list(reversed(state.sent))[:10],
            }
        )
    return found


def _notices(request: Request) -> Notices:
    found: Notices = request.app.state.notices
    return found


@router.get("/notices", dependencies=[needs("administer")])
async def notices(request: Request) -> HTMLResponse:
    """The page."""
    return page(request, "settings_notices.html", recipients=recipients(request), tried=None)


@router.post("/notices/test", dependencies=[needs("administer")])
async def test(request: Request) -> HTMLResponse:
    """A trial notice to one recipient by name; an address of the form itself is never used."""
    form = await request.form()
    name = str(form.get("name", ""))[:40]
    try:
        problem = await _notices(request).test(office(request).site, name)
    except ConfigError as error:
        problem = "; ".join(error.problems)
    else:
        await desk(request).act(
            "figures.settings_notices:tested", visitor(request).who, name=name, problem=problem
        )
    tried = {"name": name, "problem": problem}
    return page(request, "settings_notices.html", recipients=recipients(request), tried=tried)
