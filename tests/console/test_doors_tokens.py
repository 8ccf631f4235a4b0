"""Tokens for programs: Bearer, or Basic as user "token"; never more than their maker may."""

import base64
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.model import ConfigError
from reports.acts import trail_of
from reports.console.doors.roles import Right, Role
from reports.console.doors.store import Store
from reports.console.doors.tokens import Tokens
from reports.console.office import Office
from tests.console.doors_people import somebody
from tests.console.served import Served


@pytest.fixture
def store(console: Served) -> Iterator[Store]:
    found = Store(Office(console.site_file).data)
    yield found
    found.close()


def test_a_token_is_made_shown_once_used_and_revoked(console: Served) -> None:
    officer = console.client("officer")
    wanted = {"label": "日报 Excel", "right": ["see", "enter"], "days": "30"}
    made = officer.post("/settings/tokens", data=wanted)
    assert made.status_code == 200
    (secret,) = set(re.findall(r"smt_[\w-]{43}", made.text))
    later = officer.get("/settings/tokens").text
    assert secret not in later
    assert "日报 Excel" in later

    client = console.nobody()
    assert client.get("/api/v1/me", headers={"Authorization": f"Bearer {secret}"}).json() == {
        "name": "officer",
        "person": "王敏",
        "rights": ["enter", "see"],
        "by_token": True,
    }
    assert client.get("/api/v1/me", auth=("token", secret)).status_code == 200
    for wrong in (("officer", secret), ("token", secret[:-1]), ("token", "")):
        assert client.get("/api/v1/me", auth=wrong).status_code == 401
    asked = client.get("/api/v1/me")
    assert asked.headers["www-authenticate"].startswith("Basic ")
    browser = client.get("/api/v1/me", headers={"Sec-Fetch-Mode": "cors"})
    assert "www-authenticate" not in browser.headers
    (row,) = [
        each
        for each in officer.get("/api/v1/tokens").json()["tokens"]
        if each["label"] == "日报 Excel"
    ]
    assert row["used_from"] == "127.0.0.1"
    assert officer.post(f"/settings/tokens/{row['id']}/end").status_code == 303
    assert client.get("/api/v1/me", auth=("token", secret)).status_code == 401
    told = list(trail_of(Office(console.site_file).site).read())
    deeds = {each.act.what for each in told if each.act.target == row["id"]}
    assert deeds == {"token.made", "token.revoked"}
    assert not any(secret in each.line or secret[4:] in each.line for each in told)


def test_broken_authorizations_are_refused_not_a_fault(console: Served) -> None:
    client = console.nobody()
    odd = ["Basic", "Basic !!!", "Bearer", "Bearer " + "x" * 5000, "Digest x", "Basic " + "é"]
    odd.append("Basic " + base64.b64encode(b"\xff\xfe:x").decode())
    for each in odd:
        answer = client.get("/api/v1/me", headers={b"Authorization": each.encode()})
        assert answer.status_code == 401, each


def test_a_token_is_for_the_api_only(console: Served, store: Store) -> None:
    _, secret = Tokens(store).make(somebody(store, "robot"), "x", [Right.SEE], 1)
    client = console.nobody()
    client.headers["Authorization"] = f"Bearer {secret}"
    assert client.get("/account").headers["location"].startswith("/login")
    assert client.get("/api/v1/me").status_code == 200
    assert client.post("/settings/tokens", data={"label": "x"}).status_code == 303
    assert not [each for each in Tokens(store).known("robot") if each.label != "x"]


def test_nobody_gives_more_than_he_has(console: Served, store: Store) -> None:
    user = somebody(store, "modest", Role.VIEWER)
    with pytest.raises(ConfigError) as refused:
        Tokens(store).make(user, " ", [Right.SEE, Right.LODGE], 500)
    assert len(refused.value.problems) == 3
    client = console.client("modest")
    sent = {"label": "more", "right": ["see", "administer"], "days": "1"}
    assert "超出您自己的权限" in client.post("/settings/tokens", data=sent).text
    changes: tuple[dict[str, object], ...]
    changes = ({"right": ["everything"]}, {"days": "0"}, {"days": "x"}, {"right": []})
    for wrong in changes:
        assert client.post("/settings/tokens", data={**sent, **wrong}).status_code == 422


def test_what_its_maker_loses_the_token_loses(console: Served, store: Store) -> None:
    user = somebody(store, "changing", Role.OFFICER, Role.VIEWER)
    _, secret = Tokens(store).make(user, "x", [Right.SEE, Right.LODGE], 1)

    def rights() -> list[str] | int:
        answer = console.nobody().get("/api/v1/me", auth=("token", secret))
        return answer.json()["rights"] if answer.is_success else answer.status_code

    assert rights() == ["lodge", "see"]
    store.set_roles("changing", [Role.VIEWER])
    assert rights() == ["see"]
    store.set_closed("changing", closed=True)
    assert rights() == 401
    store.set_closed("changing", closed=False)
    store.change("update tokens set ends = 1 where name = 'changing'")
    assert rights() == 401


def test_others_tokens_are_the_administrators_matter(console: Served, store: Store) -> None:
    token, _ = Tokens(store).make(somebody(store, "owner"), "mine", [Right.SEE], 1)
    other, boss = console.client("viewer"), console.client("administrator")
    assert other.delete(f"/api/v1/tokens/{token.id}").status_code == 422
    assert token.id not in other.get("/settings/tokens").text
    assert token.id in boss.get("/settings/tokens").text
    assert boss.delete(f"/api/v1/tokens/{token.id}").json()["living"] is False
    _, secret = Tokens(store).make(
        somebody(store, "boss2", Role.ADMINISTRATOR), "x", list({Right.ADMINISTER, Right.SEE}), 1
    )
    listed = console.nobody().get("/api/v1/accounts", auth=("token", secret))
    assert {"owner", "boss2"} <= {each["name"] for each in listed.json()["accounts"]}
    assert "argon2" not in listed.text


def test_accounts_by_api(console: Served) -> None:
    boss = console.client("administrator")
    new = {"name": "api-made", "person": "接口用户", "roles": ["viewer"]}
    made = boss.post("/api/v1/accounts", json=new)
    assert made.status_code == 201
    assert made.json()["account"]["must_change"] is True
    again = boss.post("/api/v1/accounts", json=new)
    assert (again.status_code, len(again.json()["problems"])) == (422, 2)
    changed = boss.patch("/api/v1/accounts/api-made", json={"roles": ["engineer"], "closed": True})
    assert changed.json()["roles"] == ["engineer"]
    assert changed.json()["closed"] is not None
    assert boss.patch("/api/v1/accounts/nobody", json={"closed": True}).status_code == 404
    wrong = boss.patch("/api/v1/accounts/api-made", json={"roles": ["king"]})
    assert "king" in wrong.json()["problems"][0]
    page = boss.get("/api/v1/accounts", params={"limit": 2}).json()
    assert len(page["accounts"]) == 2
    more = boss.get("/api/v1/accounts", params={"limit": 500, "after": page["next"]}).json()
    assert more["next"] is None
    assert not {each["name"] for each in page["accounts"]} & {
        each["name"] for each in more["accounts"]
    }


def test_of_many_tokens_only_so_many_live(tmp_path: Path) -> None:
    store = Store(tmp_path)
    user, tokens = somebody(store, "a"), Tokens(store)
    for number in range(50):
        made, _ = tokens.make(user, str(number), [Right.SEE], 1)
    with pytest.raises(ConfigError, match="revoke"):
        tokens.make(user, "one more", [Right.SEE], 1)
    assert tokens.end(made.id)
    assert tokens.end(made.id) is None
    tokens.make(user, "one more", [Right.SEE], 1)
    store.close()
