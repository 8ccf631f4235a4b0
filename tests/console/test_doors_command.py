"""``smelter users``: the first administrator, and what is done from the server's own terminal."""

import json
import re
from pathlib import Path

import pytest

from reports.acts import trail_of
from reports.console.doors import passwords
from reports.console.doors.roles import Right
from reports.console.doors.store import Store
from reports.console.doors.tokens import Tokens
from reports.console.office import Office
from tests.reports.conftest import Office as Folder
from tests.reports.conftest import Smelter, built, office, smelter

__all__ = ["built", "office", "smelter"]
GOOD = "two rivers and a bridge"


@pytest.fixture
def site_file(office: Folder) -> str:
    return str(office.site_file)


def store_of(site_file: str) -> Store:
    return Store(Office(Path(site_file)).data)


def test_the_first_administrator(smelter: Smelter, site_file: str) -> None:
    code, said = smelter("users", "list", "--config", site_file)
    assert code == 1
    assert "--role administrator" in said
    wanted = ("--role", "administrator", "--role", "engineer", "--person", "孙丽")
    code, said = smelter("users", "add", "Sun", *wanted, "--config", site_file)
    assert code == 0, said
    first = re.search(r"first password: (\S+)", said)
    assert first
    store = store_of(site_file)
    user = store.user("sun")
    assert user
    assert user.must_change
    assert passwords.right(user.hash, first[1])
    store.close()
    code, said = smelter("users", "list", "--json", "--config", site_file)
    assert code == 0
    (row,) = json.loads(said)
    assert (row["name"], row["person"], row["roles"]) == (
        "sun",
        "孙丽",
        ["engineer", "administrator"],
    )
    acts = list(trail_of(Office(Path(site_file)).site).read())
    assert [(each.act.what, each.act.target) for each in acts] == [("user.added", "sun")]
    assert first[1] not in acts[0].line


def test_a_password_by_standard_input(smelter: Smelter, site_file: str) -> None:
    more = ("--role", "officer", "--stdin", "--config", site_file)
    code, said = smelter("users", "add", "wang", *more, stdin="short\n")
    assert code == 2
    assert "12" in said
    code, _ = smelter("users", "add", "wang", *more, "--own-password", stdin=GOOD + "\n")
    assert code == 0
    store = store_of(site_file)
    user = store.user("wang")
    assert user
    assert not user.must_change
    assert passwords.right(user.hash, GOOD)
    code, said = smelter("users", "passwd", "wang", "--config", site_file)
    assert code == 0
    changed = store.user("wang")
    assert changed
    assert changed.must_change
    assert not passwords.right(changed.hash, GOOD)
    store.close()


def test_roles_closing_and_tokens(smelter: Smelter, site_file: str) -> None:
    site = ("--config", site_file)
    for name, role in (("boss", "administrator"), ("wang", "officer")):
        smelter("users", "add", name, "--role", role, "--person", f"Mr {name}", *site)
    assert smelter("users", "roles", "wang", "--role", "viewer", *site)[0] == 0
    store = store_of(site_file)
    user = store.user("wang")
    assert user
    token, _ = Tokens(store).make(user, "daily", [Right.SEE], 3)
    assert token.id in smelter("users", "tokens", *site)[1]
    assert smelter("users", "tokens", "--revoke", token.id, *site)[0] == 0
    assert smelter("users", "tokens", "--revoke", token.id, *site)[0] == 2
    assert smelter("users", "lock", "wang", *site)[0] == 0
    assert "closed" in smelter("users", "list", *site)[1]
    assert smelter("users", "unlock", "wang", *site)[0] == 0
    store.close()
    acts = [each.act.what for each in trail_of(Office(Path(site_file)).site).read()]
    deeds = ["user.roles", "token.revoked", "user.closed", "user.opened"]
    assert acts == ["user.added", "user.added", *deeds]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("add", "x", "--role", "king"), "viewer, officer, engineer, administrator"),
        (("lock", "nobody"), "there is no account nobody"),
        (("lock", "boss"), "last administrator"),
        (("roles", "boss", "--role", "viewer"), "last administrator"),
        (("add", "boss", "--role", "viewer"), "already"),
    ],
)
def test_what_is_refused(
    smelter: Smelter, site_file: str, arguments: tuple[str, ...], told: str
) -> None:
    smelter("users", "add", "boss", "--role", "administrator", "--config", site_file)
    code, said = smelter("users", *arguments, "--config", site_file)
    assert code == 2
    assert told in said


def test_a_store_of_a_later_version_is_left_alone(smelter: Smelter, site_file: str) -> None:
    store = store_of(site_file)
    store.base.execute("pragma user_version = 99")
    store.close()
    code, said = smelter("users", "list", "--config", site_file)
    assert code == 2
    assert "newer version" in said
