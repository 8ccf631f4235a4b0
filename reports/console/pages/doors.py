"""Log in, log out."""

import math
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from drivers.language import say
from reports.console.doors.guard import address_of, place
from reports.console.doors.login import check
from reports.console.doors.reach import guard
from reports.console.pages import accounts, sign_on
from reports.console.web import needs, office, open_to_all, page, visitor

router = APIRouter()
router.include_router(accounts.router)
router.include_router(sign_on.router)


@router.get("/alive", dependencies=[open_to_all])
async def alive() -> dict[str, bool]:
    """The service answers."""
    return {"alive": True}


@router.get("/login", dependencies=[open_to_all])
async def show(request: Request, next: str = "/") -> Response:  # noqa: A002 - its name in addresses
    """The page."""
    if visitor(request).known:
        return RedirectResponse(_inside(next), 303)
    return _login_page(request, next)


@router.post("/login", dependencies=[open_to_all])
async def log_in(
    request: Request,
    name: Annotated[str, Form(max_length=200)],
    password: Annotated[str, Form(max_length=1000)],
    next: Annotated[str, Form(max_length=500)] = "/",  # noqa: A002
) -> Response:
    """A new session; whatever session there was in this browser ends."""
    doors = guard(request)
    said = await check(doors.store, doors.tries, doors.acts, name, password, address_of(request))
    if said.user is None:
        return _refused(request, name, next, said.wait_s)
    doors.sessions.end(visitor(request).session)
    secret = doors.sessions.begin(
        said.user, address_of(request), request.headers.get("user-agent", "")
    )
    await doors.acts.note("login.accepted", said.user.name, (said.user.person, place(request)))
    target = "/account/password" if said.user.must_change else _inside(next)
    answer = RedirectResponse(target, 303)
    doors.cookie.put(answer, secret, doors.life_s)
    return answer


@router.post("/logout", dependencies=[needs("see")])
async def log_out(request: Request) -> Response:
    """The session of this browser ends."""
    doors, who = guard(request), visitor(request)
    doors.sessions.end(who.session)
    await doors.acts.note("login.ended", who.name, who.who)
    answer = RedirectResponse("/login", 303)
    doors.cookie.drop(answer)
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


def _refused(request: Request, name: str, back: str, wait_s: float) -> Response:
    if wait_s <= 0:
        told = say("账户名或密码不正确", "wrong name or password")
        return _login_page(request, back, HTTPStatus.UNAUTHORIZED, [told], name)
    minutes = math.ceil(wait_s / 60)
    told = say(
        f"尝试次数过多，请约 {minutes} 分钟后再试，或请管理员解锁",
        f"too many tries: try again in about {minutes} min, or ask the administrator to unlock",
    )
    answer = _login_page(request, back, HTTPStatus.TOO_MANY_REQUESTS, [told], name)
    answer.headers["Retry-After"] = str(math.ceil(wait_s))
    return answer


def _login_page(
    request: Request,
    back: str,
    status: int = 200,
    problems: list[str] | None = None,
    name: str = "",
) -> Response:
    nobody = not guard(request).store.administrators()
    oidc = office(request).site.console.oidc
    button = None if oidc is None else oidc.button
    values = {
        "button": button,
        "next": _inside(back),
        "problems": problems or [],
        "name": name,
        "nobody": nobody,
    }
    return page(request, "login.html", status=status, **values)


def _inside(address: str) -> str:
    r"""Only to a page of ours: ``//elsewhere`` and ``/\elsewhere`` are other machines."""
    ours = address.startswith("/") and not address.startswith(("//", "/\\"))
    return address if ours and address.isprintable() else "/"
