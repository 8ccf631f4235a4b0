"""The console as one ASGI application: wiring only. Rooms bring routers."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.routing import APIRoute
from fastapi.staticfiles import StaticFiles

from drivers.language import speaking
from reports.console import refusals
from reports.console.desk import ASKING, Desk
from reports.console.doors.guard import Guard, challenge
from reports.console.doors.limits import Limits
from reports.console.drafts import Drafts
from reports.console.live import Live
from reports.console.notices.service import Notices
from reports.console.office import Office
from reports.console.summing import Summing
from reports.console.web import API, HERE

# Each is reports/console/pages/<name>.py and may be reports/console/api/<name>.py, with `router`.
PAGES: Final = (
    "doors",
    "live",
    "today",
    "potlines",
    "stacks",
    "energy",
    "carbon",
    "grade",
    "evidence",
    "explore",
    "settings",
    "help",
)
RESOURCES: Final = PAGES
LANGUAGES: Final = frozenset({"zh", "en"})

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; manifest-src 'self'"
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

Next = Callable[[Request], Awaitable[Response]]


def build_app(site_file: Path) -> FastAPI:
    """The console of that plant. Raises ConfigError for a site that cannot be read."""
    office = Office(site_file)
    site = office.site
    app = FastAPI(
        title="Smelter console",
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,  # served behind a login by api/help.py
        lifespan=_lifespan,
    )
    app.state.site_file = site_file
    app.state.guard = Guard(office.data, site)
    app.state.desk = Desk(site_file)
    app.state.drafts = Drafts(app.state.desk)
    app.state.summing = Summing(app.state.desk)
    app.state.live = Live(site.console.historian, site.plant)
    app.state.notices = Notices(site_file, app.state.desk, app.state.live)
    for prefix, router in _routers():
        app.include_router(router, prefix=prefix, include_in_schema=prefix == API)
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    refusals.install(app)
    app.add_middleware(Limits, upload_mb=site.console.upload_mb)  # inside, so that refusals pass
    app.middleware("http")(_every_request)
    bare = [f"{m} {path}" for (m, path), right in rights().items() if right == "unstated"]
    if bare:
        raise RuntimeError(f"routes that state no right: {', '.join(bare)}")
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(app.state.desk.open())
        await stack.enter_async_context(app.state.drafts.open())
        await stack.enter_async_context(app.state.summing.open())
        await stack.enter_async_context(app.state.live.open())
        await stack.enter_async_context(app.state.notices.open())
        yield


def _routers() -> Iterator[tuple[str, APIRouter]]:
    for prefix, room, names in (("", "pages", PAGES), (API, "api", RESOURCES)):
        for name in names:
            yield prefix, import_module(f"reports.console.{room}.{name}").router


async def _every_request(request: Request, go_on: Next) -> Response:
    """Language and visitor before, headers after."""
    asked = request.query_params.get("lang", "")
    lang = asked if asked in LANGUAGES else request.cookies.get("lang", "zh")
    lang = lang if lang in LANGUAGES else "zh"
    guard: Guard = request.app.state.guard
    with speaking(lang):
        refused = await guard.admit(request)  # sets request.state.visitor and .csrf
        ASKING.set(request.state.visitor.name)
        response = refused if refused is not None else await _answered(request, go_on)
    challenge(request, response)
    for key, value in HEADERS.items():
        response.headers.setdefault(key, value)
    if request.url.scheme == "https":
        response.headers["Strict-Transport-Security"] = "max-age=2592000"
    if request.url.path.startswith("/static/"):
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    else:
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers["Content-Language"] = "zh-CN" if lang == "zh" else "en"
    if asked in LANGUAGES:
        year_s = 365 * 86_400
        response.set_cookie("lang", lang, max_age=year_s, samesite="lax", httponly=True)
    return response


async def _answered(request: Request, go_on: Next) -> Response:
    """A fault is answered in the visitor's language and under the same headers, too."""
    try:
        return await go_on(request)
    except Exception as error:  # noqa: BLE001 - logged with its traceback, and told
        return refusals.fell(request, error)


def rights() -> dict[tuple[str, str], str | None]:
    """What each route asks for: (method, path) -> right; None: open to all, "unstated": a fault."""
    found: dict[tuple[str, str], str | None] = {}
    for prefix, router in _routers():
        for route in _routes(router):
            calls: list[Any] = [each.call for each in route.dependant.dependencies]
            stated = [call.right for call in calls if hasattr(call, "right")]
            for method in route.methods or ():
                found[method, prefix + route.path] = stated[0] if len(stated) == 1 else "unstated"
    return found


def _routes(router: APIRouter) -> Iterator[APIRoute]:
    """Its own and those of routers it includes, without prefixes of theirs."""
    for route in router.routes:
        if (inner := getattr(route, "original_router", None)) is not None:
            yield from _routes(inner)
        else:
            assert isinstance(route, APIRoute)  # noqa: S101 - nothing else is registered
            yield route
