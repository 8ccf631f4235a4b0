"""Log in by the plant's single sign-on: there and back again."""

import hashlib
import secrets
import time
from base64 import urlsafe_b64encode
from typing import Any, Final, cast

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from drivers.language import say
from drivers.model import ConfigError
from reports.console.doors.acts import NOT_AN_ACCOUNT
from reports.console.doors.guard import Guard, address_of, place
from reports.console.doors.reach import guard
from reports.console.doors.roles import Role
from reports.console.doors.sessions import same
from reports.console.doors.store import User, name_of
from reports.console.web import desk, office, open_to_all
from reports.site_oidc import Oidc

router = APIRouter()
BACK: Final = "/login/sign-on/back"
PENDING_S: Final = 600
MOST: Final = 500
COOKIE: Final = "-sign-on"


@router.get("/login/sign-on", dependencies=[open_to_all])
async def go(request: Request) -> Response:
    """To the provider, with a word that only this browser can bring back."""
    settings(request)
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    pending = _pending(request)
    now = time.monotonic()
    for old in [key for key, value in pending.items() if now - value[0] > PENDING_S]:
        del pending[old]
    while len(pending) >= MOST:
        pending.pop(next(iter(pending)))
    challenge = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
    query = {
        "state": state,
        "nonce": nonce,
        "code_challenge": challenge.decode(),
        "redirect_uri": _back(request),
    }
    address = await desk(request).ask("doors.sign_on:begin", query=query)
    pending[state] = (now, nonce, verifier)
    answer = RedirectResponse(address, 303)
    cookie = guard(request).cookie
    answer.set_cookie(
        cookie.name + COOKIE,
        state,
        max_age=PENDING_S,
        path="/",
        secure=cookie.secure,
        httponly=True,
        samesite="lax",
    )
    return answer


@router.get(BACK, dependencies=[open_to_all])
async def come_back(request: Request, code: str = "", state: str = "") -> Response:
    """A session, when the provider vouches for somebody who has a role here."""
    told, doors = settings(request), guard(request)
    cookie = doors.cookie.name + COOKIE
    began, nonce, verifier = _pending(request).pop(state, (0.0, "", ""))
    if not code or not verifier or not same(request.cookies.get(cookie, ""), state):
        raise HTTPException(403, say("单点登录未完成，请重新登录", "not completed: log in again"))
    if time.monotonic() - began > PENDING_S:
        raise HTTPException(403, say("单点登录超时，请重新登录", "took too long: log in again"))
    try:
        said = await desk(request).ask(
            "doors.sign_on:finish", code=code, verifier=verifier, nonce=nonce, back=_back(request)
        )
        user = await _account(doors, told, said, place(request))
    except ConfigError:
        where = ("", place(request))
        await doors.acts.note(
            "login.refused", NOT_AN_ACCOUNT, where, result="refused", by="sign-on"
        )
        raise
    secret = doors.sessions.begin(user, address_of(request), request.headers.get("user-agent", ""))
    who = (user.person, place(request))
    await doors.acts.note("login.accepted", user.name, who, by="sign-on")
    answer = RedirectResponse("/", 303)
    answer.delete_cookie(cookie, path="/", secure=doors.cookie.secure, httponly=True)
    doors.cookie.put(answer, secret, doors.life_s)
    return answer


async def _account(doors: Guard, told: Oidc, said: dict[str, Any], where: str) -> User:
    """His account, made at his first coming; roles as the provider says today."""
    roles = frozenset(Role(told.roles[word]) for word in said["words"] if word in told.roles)
    user = doors.store.of_subject(said["subject"])
    if not roles or (user is not None and user.closed):
        raise ConfigError(
            [
                say(
                    "您没有使用本系统的角色；请联系管理员",
                    "you have no role in this system; ask the administrator",
                )
            ]
        )
    if user is None:
        name = name_of(said["account"])
        user = doors.store.add_user(
            name, said["person"], roles, "", "sign-on", must_change=False, subject=said["subject"]
        )
        names = ",".join(sorted(roles))
        who = (user.person, where)
        await doors.acts.note("user.added", user.name, who, roles=names, by="sign-on")
    elif user.roles != roles:
        doors.store.set_roles(user.name, roles)
        now, before = ",".join(sorted(roles)), ",".join(sorted(user.roles))
        who = (user.person, where)
        await doors.acts.note("user.roles", user.name, who, roles=now, before=before, by="sign-on")
    found = doors.store.user(user.name)
    assert found is not None  # noqa: S101 - accounts are never deleted
    return found


def settings(request: Request) -> Oidc:
    """404 where none is configured."""
    found = office(request).site.console.oidc
    if found is None:
        raise HTTPException(404)
    return found


def _back(request: Request) -> str:
    return office(request).site.console.address.rstrip("/") + BACK


def _pending(request: Request) -> dict[str, tuple[float, str, str]]:
    """By state: since when, nonce, verifier; of this process: a restart means to begin again."""
    app = request.app
    if not hasattr(app.state, "signing_on"):
        app.state.signing_on = {}
    return cast("dict[str, tuple[float, str, str]]", app.state.signing_on)
