"""What every route needs: templates in the visitor's language, rights, refusals, who asks."""

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import urlencode

from fastapi import Depends, HTTPException, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from drivers.language import language, say
from reports.console.desk import Desk
from reports.console.doors.forms import SAFE, own_form
from reports.console.doors.guard import Guard
from reports.console.doors.roles import NOBODY, Right, Visitor
from reports.console.drafts import Drafts
from reports.console.live import Live
from reports.console.office import Office
from reports.periods import PLANT_TIME, Period
from reports.words import number_text, short_text

HERE: Final = Path(__file__).parent
API: Final = "/api/v1"


def desk(request: Request) -> Desk:
    """Where questions about the plant's data are asked."""
    return cast("Desk", request.app.state.desk)


def drafts(request: Request) -> Drafts:
    """What reports would say today."""
    return cast("Drafts", request.app.state.drafts)


def live_of(request: Request) -> Live:
    """Newest values."""
    return cast("Live", request.app.state.live)


def office(request: Request) -> Office:
    """Fresh for each request: an edit of site.toml counts at once. Raises ConfigError."""
    found = getattr(request.state, "office", None)
    if found is None:
        found = request.state.office = Office(request.app.state.site_file)
    return cast("Office", found)


def visitor(request: Request) -> Visitor:
    """Who asks."""
    return cast("Visitor", getattr(request.state, "visitor", NOBODY))


def needs(right: Right | str) -> Any:
    """
    ``dependencies=[needs("enter")]`` of a route: 401 for nobody, 403 without the right.

    Every route states one (or ``open_to_all``); the app refuses to start otherwise.
    """
    asked = Right(right)

    async def check(request: Request) -> None:
        who = visitor(request)
        if not who.known:
            raise HTTPException(401)
        if not who.may(asked):
            await _note_refused(request, who, asked)
            raise HTTPException(403)
        await own_form(request)

    check.right = asked  # type: ignore[attr-defined]
    return Depends(check)


async def _note_refused(request: Request, who: Visitor, asked: Right) -> None:
    """To the trail, where he would have changed something."""
    if request.method in SAFE:
        return
    what = f"{request.method} {request.url.path}"[:200]
    acts = cast("Guard", request.app.state.guard).acts
    if acts.is_news(who.name):
        await acts.note("act.refused", what, who.who, result="refused", right=asked.value)


async def _anyone() -> None:
    """The log-in page, the style sheet, whether the service lives."""


_anyone.right = None  # type: ignore[attr-defined]
open_to_all: Final = Depends(_anyone)


def period_of(text: str) -> Period:
    """A period from an address. 422 with what to write."""
    try:
        return Period.parse(text)
    except ValueError as error:
        raise HTTPException(422, str(error)) from None


@cache
def _stamp(name: str) -> str:
    return hashlib.sha256((HERE / "static" / name).read_bytes()).hexdigest()[:12]


def asset(name: str) -> str:
    """Address of a file in ``static/``; changes with its content, so browsers may keep it."""
    return f"/static/{name}?v={_stamp(name)}"


def when(value: object, form: str = "%Y-%m-%d %H:%M") -> str:
    """Wall time in s, ISO text or datetime as plant time; missing is a dash."""
    if value is None or value == "":
        return "—"
    if isinstance(value, str):
        moment = datetime.fromisoformat(value)
    elif isinstance(value, datetime):
        moment = value
    else:
        moment = datetime.fromtimestamp(float(cast("float", value)), PLANT_TIME)
    return moment.astimezone(PLANT_TIME).strftime(form)


def number(value: object, decimals: int | None = None) -> str:
    """``12,345.60``; missing is a dash, never 0."""
    if value is None or value == "":
        return "—"
    exact = value if isinstance(value, Decimal) else Decimal(str(value))
    if not exact.is_finite():
        return "—"
    return short_text(exact) if decimals is None else number_text(exact, decimals)


def both(text: Any) -> str:
    """A text that is there in both languages, ``{"zh": …, "en": …}``, in that of the visitor."""
    if isinstance(text, dict) and {"zh", "en"} <= set(text):
        return str(text[language()])
    if hasattr(text, "of"):
        return str(text.of(language()))
    return "" if text is None else str(text)


def reference(**of: object) -> str:
    """What the evidence drawer is asked: ``report=…&line=…`` or ``point=…&at=…``."""
    return urlencode({key: str(value) for key, value in of.items() if value is not None})


def _environment() -> Environment:
    found = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.globals |= {"say": say, "language": language, "asset": asset, "reference": reference}
    found.filters |= {"number": number, "when": when, "both": both, "json": _json}
    return found


def _json(value: object) -> Markup:
    """For a ``data-…`` attribute or a ``<script type="application/json">``."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    for sign, code in (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026"), ("'", "\\u0027")):
        text = text.replace(sign, code)
    return Markup(text)  # noqa: S704 - nothing in it can end an attribute or a tag


ENVIRONMENT: Final = _environment()


def is_part(request: Request) -> bool:
    """Htmx asks for a piece of the page."""
    return request.headers.get("hx-request") == "true"


def page(request: Request, template: str, /, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A template with who asks and the way to every page at hand."""
    from reports.console.navigation import way

    who = visitor(request)
    csrf: Callable[[], str] = getattr(request.state, "csrf", lambda: "")
    shared = {
        "request": request,
        "visitor": who,
        "here": request.url.path,
        "way": way(who, request.url.path),
        "csrf_token": csrf() if who.known else "",
        "other_language": "en" if language() == "zh" else "zh",
        "plant": _plant(request),
    }
    text = ENVIRONMENT.get_template(template).render(shared | values)
    return HTMLResponse(text, status)


def _plant(request: Request) -> str:
    try:
        return office(request).site.name.of(language())
    except Exception:  # noqa: BLE001 - a page about a broken site.toml must still have a head
        return ""
