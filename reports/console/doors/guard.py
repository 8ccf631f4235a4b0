"""Who comes in: the visitor of each request, by session cookie or token; forms must be our own."""

import base64
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final

from fastapi import Request, Response

from drivers.language import say
from drivers.tls import loopback
from reports.acts import trail_of
from reports.console.doors.acts import Acts
from reports.console.doors.forms import SAFE, from_elsewhere
from reports.console.doors.limits import URL_CHARS, most_bytes, too_large
from reports.console.doors.roles import NOBODY, Visitor
from reports.console.doors.sessions import Sessions, csrf_of
from reports.console.doors.store import Store, User
from reports.console.doors.tokens import Tokens
from reports.console.doors.tries import Tries
from reports.site import Site

FOR_PROGRAMS: Final = "/api"  # where tokens count
OPEN: Final = ("/login", "/static/", "/alive")  # what somebody unknown may send a form to, or see
# Somebody whose password was given by another may do this and nothing else.
UNTIL_CHANGED: Final = ("/account/password", "/logout", "/static/", "/login", "/alive")

UNTOUCHED_S: Final = 60  # nobody touched the page for so long: what it asks, it asks by itself


@dataclass(frozen=True, slots=True)
class Cookie:
    """``__Host-`` binds it to this host, to TLS and to the root path; loopback has no TLS."""

    secure: bool

    @property
    def name(self) -> str:
        return "__Host-smelter" if self.secure else "smelter"

    def put(self, response: Response, secret: str, life_s: float) -> None:
        response.set_cookie(
            self.name,
            secret,
            max_age=int(life_s),
            path="/",
            secure=self.secure,
            httponly=True,
            samesite="lax",
        )

    def drop(self, response: Response) -> None:
        response.delete_cookie(
            self.name, path="/", secure=self.secure, httponly=True, samesite="lax"
        )


class Guard:
    """Asked once for each request, before any route."""

    def __init__(self, data: Path, site: Site) -> None:
        settings = site.console
        self.settings = settings
        self.store = Store(data)
        self.life_s = settings.session_hours * 3600
        self.sessions = Sessions(self.store, settings.idle_minutes * 60, self.life_s)
        self.tokens = Tokens(self.store)
        self.acts = Acts(trail_of(site))
        tls = settings.cert is not None
        behind = not tls and settings.address.startswith("https://")  # everybody has its address
        self.tries = Tries(self.store, by_address=not behind)
        self.cookie = Cookie(tls or settings.address.startswith("https://"))
        self._plain = not self.cookie.secure

    async def admit(self, request: Request) -> Response | None:
        """Sets ``request.state.visitor`` and ``.csrf``; a Response refuses the request."""
        from reports.console.refusals import refuse

        request.state.visitor = NOBODY
        request.state.csrf = lambda: ""
        request.state.secret = ""
        if self._plain and not _at_home(request):
            return refuse(request, HTTPStatus.MISDIRECTED_REQUEST, [_not_here()])
        program = _sent_token(request)
        if program is not None:
            request.state.visitor = self._program(request, program)
        elif secret := request.cookies.get(self.cookie.name, ""):
            self._person(request, secret)
        if (problem := _too_much(request, self.settings.upload_mb)) is not None:
            return problem
        if from_elsewhere(request, secure=self.cookie.secure, program=program is not None):
            return refuse(request, 403, [_elsewhere()])
        return self._held_back(request)

    def _held_back(self, request: Request) -> Response | None:
        """Somebody unknown who sends something; somebody known who must choose a password first."""
        from reports.console.refusals import refuse

        who, path = request.state.visitor, request.url.path
        if not who.known and request.method not in SAFE and not path.startswith(OPEN):
            return refuse(request, 401, [_log_in()])
        if not who.must_change or path.startswith(UNTIL_CHANGED):
            return None
        if request.method in SAFE and not path.startswith(FOR_PROGRAMS):
            return Response(status_code=303, headers={"Location": "/account/password"})
        return refuse(request, 403, [say("请先更改初始密码", "change your first password first")])

    def _person(self, request: Request, secret: str) -> None:
        session = self.sessions.of(secret, used=not _by_itself(request))
        user = self.store.user(session.name) if session else None
        if session is None or user is None or user.closed:
            return
        request.state.secret = secret
        request.state.csrf = lambda: csrf_of(secret)
        request.state.visitor = Visitor(
            user.name,
            user.person,
            user.rights,
            place(request),
            session.key,
            user.must_change,
        )

    def _program(self, request: Request, secret: str) -> Visitor:
        if not request.url.path.startswith(FOR_PROGRAMS):
            return NOBODY
        token = self.tokens.of(secret, address_of(request))
        user = self.store.user(token.name) if token else None
        if token is None or user is None or user.must_change:
            return NOBODY
        rights = token.rights & user.rights  # what he lost, his programs lost
        where = f"{place(request)}, token {token.id}"
        return Visitor(user.name, user.person, rights, where) if rights else NOBODY

    def user(self, request: Request) -> User | None:
        """The account behind the visitor."""
        return self.store.user(request.state.visitor.name)


def address_of(request: Request) -> str:
    """Of the other end of the connection; what a proxy claims is not believed."""
    return request.client.host if request.client else ""


def place(request: Request) -> str:
    """Where an act comes from, as the audit trail says it."""
    return f"console, {address_of(request)}"


def challenge(request: Request, answer: Response) -> None:
    """Programs are told how to show a token; a browser would open a box for it."""
    to_program = request.url.path.startswith(FOR_PROGRAMS)
    if answer.status_code == 401 and to_program and "sec-fetch-mode" not in request.headers:
        answer.headers["WWW-Authenticate"] = 'Basic realm="smelter", charset="UTF-8"'


def _by_itself(request: Request) -> bool:
    """A page left open asks on and on (console.js counts the seconds); that is nobody's use."""
    since = request.headers.get("x-untouched", "")
    asked = since.isdecimal() and int(since[:9]) >= UNTOUCHED_S
    return request.method in SAFE and (asked or request.url.path == "/live")


def _sent_token(request: Request) -> str | None:
    """From ``Bearer``, or ``Basic`` as user "token"; None: it did not show one."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            user, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
        except ValueError:  # neither base64 nor UTF-8
            return ""
        return secret if user == "token" else ""
    return None


def _too_much(request: Request, upload_mb: int) -> Response | None:
    """What its head says already; the body is not read."""
    from reports.console.refusals import refuse

    if len(request.scope["raw_path"]) + len(request.scope["query_string"]) > URL_CHARS:
        return refuse(request, 414, [say("地址太长", "the address is too long")])
    length = request.headers.get("content-length", "0")
    if not length.isdigit() or int(length) > most_bytes(request, upload_mb):
        return refuse(request, 413, [too_large(upload_mb)])
    return None


def _at_home(request: Request) -> bool:
    """Plain HTTP is for this machine: another name in Host is a page that found a way around."""
    host = request.headers.get("host", "")
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    return loopback(name.strip("[]"))


def _not_here() -> str:
    return say(
        "明文 HTTP 只供本机访问（127.0.0.1）；经反向代理访问请在 [console] address 写明 https 地址",
        "plain HTTP is for this machine (127.0.0.1) only; behind a proxy say its https address in "
        "[console] address",
    )


def _elsewhere() -> str:
    return say("请求不是从本系统页面发出的", "the request does not come from a page of this system")


def _log_in() -> str:
    return say("请先登录", "log in first")
