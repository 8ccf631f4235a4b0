"""Every route with every role: who may open it and do it; docs/console-roles.md says the same."""

import re
from pathlib import Path

import httpx
import pytest
from fastapi import HTTPException, Request

from reports.console import app
from reports.console.doors.roles import RIGHTS, Right, Role, Visitor
from reports.console.doors.roles_page import page
from reports.console.doors.store import Store
from reports.console.doors.tokens import Tokens
from reports.console.office import Office
from reports.console.web import needs
from tests.console.doors_people import allround
from tests.console.served import Served

PAGE = Path(__file__).parents[2] / "docs/console-roles.md"
ROUTES = sorted(app.rights().items(), key=str)
NO_RIGHT, NO_FORM = "your role has no right", "the form is no longer valid"


def address(path: str) -> str:
    return re.sub(r"\{[^}]+\}", "x", path)


def test_the_page_says_what_the_routes_ask_for() -> None:
    made = page(app.rights())
    assert PAGE.read_text("utf-8") == made, "smelter users rights > docs/console-roles.md"


def test_every_route_states_one_right() -> None:
    assert {asked for _, asked in ROUTES} <= {None, *(right.value for right in Right)}
    opened = {f"{method} {path}" for (method, path), asked in ROUTES if asked is None}
    sign_on = {"GET /login/sign-on", "GET /login/sign-on/back"}
    assert opened == {"GET /alive", "GET /login", "POST /login", *sign_on}


def test_duties_are_kept_apart() -> None:
    """Whoever manages accounts neither enters, reports, lodges, confirms nor configures."""
    assert RIGHTS[Role.ADMINISTRATOR] == {Right.SEE, Right.ADMINISTER}
    assert all(Right.ADMINISTER not in RIGHTS[role] for role in Role if role != "administrator")
    assert RIGHTS[Role.VIEWER] == {Right.SEE}


def refused_for(answer: httpx.Response) -> str:
    """``right``, ``form`` (so the right was there), ``login`` or nothing."""
    if answer.status_code == 401 or answer.headers.get("location", "").startswith("/login?"):
        return "login"
    if answer.status_code == 403:
        return "form" if NO_FORM in answer.text else "right" if NO_RIGHT in answer.text else "?"
    return ""


@pytest.mark.parametrize("role", list(Role))
def test_a_role_may_do_what_the_table_says_and_nothing_else(console: Served, role: Role) -> None:
    """What changes something lacks the session's word: the right shows, nothing is done."""
    client = console.client(role, "en")
    del client.headers["X-CSRF-Token"]
    wrong = []
    for (method, path), asked in ROUTES:
        may = asked is None or Right(asked) in RIGHTS[role]
        if asked is None or (may and method == "GET"):
            continue  # that the check lets in: below; that pages work: their own tests
        found = refused_for(client.request(method, address(path)))
        if found != ("form" if may else "right"):
            wrong.append((method, path, asked, found))
    assert wrong == []


def test_nobody_comes_in_anywhere(console: Served) -> None:
    client = console.nobody("en")
    wrong = []
    for (method, path), asked in ROUTES:
        if asked is None:
            continue
        answer = client.request(method, address(path))
        if refused_for(answer) != "login":
            wrong.append((method, path, answer.status_code))
    assert wrong == []
    assert client.get("/", headers={"HX-Request": "true"}).headers["HX-Redirect"] == "/login?next=/"


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("right", list(Right))
async def test_the_check_itself(role: Role, right: Right) -> None:
    """The function that each route's GET asks: for every role and right."""
    request = Request({"type": "http", "method": "GET", "path": "/", "headers": []})
    request.state.visitor = Visitor("a", "A", RIGHTS[role], "here", "session")
    check = needs(right).dependency
    if right in RIGHTS[role]:
        await check(request)
    else:
        with pytest.raises(HTTPException, match="403"):
            await check(request)


def test_a_token_reaches_what_its_rights_say(console: Served) -> None:
    """All rights but one: what asks for that one is refused."""
    store = Store(Office(console.site_file).data)
    user = allround(store)
    wrong = []
    for right in Right:
        _, secret = Tokens(store).make(user, f"all but {right}", set(Right) - {right}, 1)
        client = console.nobody("en")
        client.headers["Authorization"] = f"Bearer {secret}"
        for (method, path), asked in ROUTES:
            if asked != right or not path.startswith("/api"):
                continue
            answer = client.request(method, address(path))
            if refused_for(answer) != "right":
                wrong.append((right, method, path, answer.status_code))
    store.close()
    assert wrong == []
