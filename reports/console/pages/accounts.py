"""The own account, everybody's accounts, tokens."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from drivers.language import say
from drivers.model import ConfigError
from reports.console.doors import accounts
from reports.console.doors.reach import guard
from reports.console.doors.roles import NAMES, RIGHT_NAMES, RIGHTS, Right, Role
from reports.console.doors.tokens import MOST_DAYS
from reports.console.web import needs, page, visitor

router = APIRouter()
Text = Annotated[str, Form(max_length=300)]
Secret = Annotated[str, Form(max_length=1000)]
Many = Annotated[list[str], Form(max_length=20)]


@router.get("/account", dependencies=[needs("see")])
async def account(request: Request) -> Response:
    """Who I am here, where I am logged in."""
    doors, who = guard(request), visitor(request)
    user = accounts.found(doors, who.name)
    return page(
        request,
        "account.html",
        user=user,
        roles=[NAMES[role] for role in Role if role in user.roles],
        rights=[RIGHT_NAMES[right] for right in Right if right in who.rights],
        sessions=doors.sessions.living(who.name),
    )


@router.post("/account/sessions", dependencies=[needs("see")])
async def end_sessions(request: Request, key: Text = "") -> Response:
    """One of mine, or all but this one."""
    doors, who = guard(request), visitor(request)
    if not key:
        ended = doors.sessions.end_all(who.name, but=who.session)
        await doors.acts.note("login.ended", who.name, who.who, sessions=str(ended))
    elif key in {each.key for each in doors.sessions.living(who.name)}:
        doors.sessions.end(key)
        await doors.acts.note("login.ended", who.name, who.who, sessions="1")
    return RedirectResponse("/account", 303)


@router.get("/account/password", dependencies=[needs("see")])
async def password(request: Request) -> Response:
    """The form."""
    return page(request, "account_password.html", problems=[])


@router.post("/account/password", dependencies=[needs("see")])
async def change_password(request: Request, old: Secret, new: Secret, again: Secret) -> Response:
    """My own."""
    try:
        await accounts.own_password(guard(request), visitor(request), old, new, again)
    except ConfigError as error:
        return page(request, "account_password.html", status=422, problems=error.problems)
    return RedirectResponse("/account", 303)


@router.get("/settings/users", dependencies=[needs("administer")])
async def users(request: Request) -> Response:
    """Everybody's accounts."""
    return _users_page(request)


@router.post("/settings/users", dependencies=[needs("administer")])
async def add_user(
    request: Request,
    name: Text = "",
    person: Text = "",
    role: Many = [],  # noqa: B006
) -> Response:
    """A new account; its first password is shown once, on the page that answers."""
    try:
        user, first = await accounts.add(guard(request), visitor(request), name, person, role)
    except ConfigError as error:
        typed = {"name": name, "person": person, "roles": role}
        return _users_page(request, status=422, problems=error.problems, typed=typed)
    return _users_page(request, told=user, first=first)


@router.post("/settings/users/{name}/roles", dependencies=[needs("administer")])
async def change_roles(request: Request, name: str, role: Many = []) -> Response:  # noqa: B006
    """All that he shall have."""
    return await _done(request, accounts.change_roles(guard(request), visitor(request), name, role))


@router.post("/settings/users/{name}/close", dependencies=[needs("administer")])
async def close(request: Request, name: str) -> Response:
    """He cannot come in any more."""
    return await _done(request, accounts.close(guard(request), visitor(request), name))


@router.post("/settings/users/{name}/open", dependencies=[needs("administer")])
async def open_again(request: Request, name: str) -> Response:
    """He can come in again; failed tries are forgotten."""
    return await _done(request, accounts.open_again(guard(request), visitor(request), name))


@router.post("/settings/users/{name}/password", dependencies=[needs("administer")])
async def give_password(request: Request, name: str) -> Response:
    """A new first password, shown once."""
    try:
        first = await accounts.give_password(guard(request), visitor(request), name)
    except ConfigError as error:
        return _users_page(request, status=422, problems=error.problems)
    return _users_page(request, told=accounts.found(guard(request), name), first=first)


@router.get("/settings/tokens", dependencies=[needs("see")])
async def tokens(request: Request) -> Response:
    """Mine; everybody's for who administers."""
    return _tokens_page(request)


@router.post("/settings/tokens", dependencies=[needs("see")])
async def make_token(
    request: Request,
    label: Text = "",
    right: Many = [],  # noqa: B006
    days: Annotated[int, Form()] = 90,
) -> Response:
    """Its secret is shown once, on the page that answers."""
    try:
        token, secret = await accounts.make_token(
            guard(request), visitor(request), label, right, days
        )
    except ConfigError as error:
        typed = {"label": label, "rights": right, "days": days}
        return _tokens_page(request, status=422, problems=error.problems, typed=typed)
    return _tokens_page(request, made=token, secret=secret)


@router.post("/settings/tokens/{identity}/end", dependencies=[needs("see")])
async def end_token(request: Request, identity: str) -> Response:
    """It opens nothing any more."""
    try:
        await accounts.end_token(guard(request), visitor(request), identity)
    except ConfigError as error:
        return _tokens_page(request, status=422, problems=error.problems)
    return RedirectResponse("/settings/tokens", 303)


async def _done(request: Request, act: Any) -> Response:
    try:
        await act
    except ConfigError as error:
        return _users_page(request, status=422, problems=error.problems)
    return RedirectResponse("/settings/users", 303)


def _users_page(request: Request, *, status: int = 200, **more: Any) -> Response:
    doors = guard(request)
    values: dict[str, Any] = {
        "users": [accounts.shown_user(doors, each) for each in doors.store.users()],
        "roles": [(role.value, NAMES[role], _may(role)) for role in Role],
        "problems": [],
        "told": None,
        "first": "",
        "typed": {"name": "", "person": "", "roles": []},
    }
    return page(request, "users.html", status=status, **(values | more))


def _may(role: Role) -> str:
    names = [RIGHT_NAMES[right] for right in Right if right in RIGHTS[role]]
    return say("、".join(each.zh for each in names), ", ".join(each.en for each in names))


def _tokens_page(request: Request, *, status: int = 200, **more: Any) -> Response:
    doors, who = guard(request), visitor(request)
    all_of_them = who.may(Right.ADMINISTER)
    found = doors.tokens.known("" if all_of_them else who.name)
    values: dict[str, Any] = {
        "tokens": [accounts.shown_token(each) for each in found],
        "all_of_them": all_of_them,
        "rights": [(right.value, RIGHT_NAMES[right]) for right in Right if right in who.rights],
        "right_names": {right.value: RIGHT_NAMES[right] for right in Right},
        "most_days": MOST_DAYS,
        "problems": [],
        "made": None,
        "secret": "",
        "typed": {"label": "", "rights": ["see"], "days": 90},
    }
    return page(request, "tokens.html", status=status, **(values | more))
