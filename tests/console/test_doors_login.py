"""Coming in and going out, as a browser does it; waiting after failures; sessions that end."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from drivers.model import ConfigError
from reports.acts import trail_of
from reports.console.doors import passwords
from reports.console.doors.roles import Role
from reports.console.doors.sessions import Sessions, csrf_of
from reports.console.doors.store import Store, secret_key
from reports.console.doors.tries import FREE, Tries
from reports.console.office import Office
from tests.console.doors_people import somebody
from tests.console.served import PASSWORD, Served, csrf_in


@pytest.fixture
def store(console: Served) -> Iterator[Store]:
    """Of the running console, from outside, as the command has it."""
    found = Store(Office(console.site_file).data)
    yield found
    Tries(found).forget(address="127.0.0.1")
    found.close()


def enter(served: Served, name: str, password: str = PASSWORD) -> httpx.Response:
    return served.nobody().post("/login", data={"name": name, "password": password})


def acts(served: Served) -> list[tuple[str, str, str, str]]:
    """what, who, target, result."""
    found = trail_of(Office(served.site_file).site).read()
    return [(each.act.what, each.act.who, each.act.target, each.act.result) for each in found]


def test_one_comes_in_and_goes_out(console: Served) -> None:
    client = console.client("officer", fresh=True)
    assert client.get("/account").status_code == 200
    assert "王敏" in client.get("/account").text
    secret = client.cookies["smelter"]
    gone = client.post("/logout")
    assert (gone.status_code, gone.headers["location"]) == (303, "/login")
    assert "smelter" not in client.cookies
    again = console.nobody().get("/account", headers={"Cookie": f"smelter={secret}"})
    assert again.status_code == 303  # the cookie that somebody kept opens nothing
    assert ("login.accepted", "王敏", "officer", "ok") in acts(console)
    assert ("login.ended", "王敏", "officer", "ok") in acts(console)


def test_the_cookie_is_for_us_alone(console: Served) -> None:
    cookie = enter(console, "viewer").headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "path=/" in cookie
    assert "domain" not in cookie


def test_a_wrong_password_and_a_name_nobody_has_are_told_alike(console: Served) -> None:
    wrong, nobody = enter(console, "viewer", "not that one"), enter(console, "wang", PASSWORD)
    assert wrong.status_code == nobody.status_code == 401
    assert "账户名或密码不正确" in wrong.text
    assert wrong.text.replace('"viewer"', '"wang"') == nobody.text
    told = json.dumps(acts(console))
    assert "wang" not in told  # it may be a password in the wrong field
    assert PASSWORD not in told


def test_after_some_failures_one_waits_and_the_administrator_can_help(
    console: Served, store: Store
) -> None:
    somebody(store, "locked")
    for _ in range(FREE["account"]):
        answer = enter(console, "locked", "wrong")
    assert answer.status_code == 429
    assert 50 <= int(answer.headers["retry-after"]) <= 60
    right = enter(console, "Locked")  # the right one, however it is typed, must wait as well
    assert right.status_code == 429
    assert "管理员解锁" in right.text
    boss = console.client("administrator")
    assert "锁定至" in boss.get("/settings/users").text
    assert boss.post("/settings/users/locked/open").status_code == 303
    assert enter(console, "locked").status_code == 303
    assert ("login.locked", "—", "locked", "refused") in acts(console)
    assert ("user.opened", "孙丽", "locked", "ok") in acts(console)


def test_a_name_nobody_has_is_locked_like_one_that_is_there(console: Served) -> None:
    found = [enter(console, "phantom", "wrong").status_code for _ in range(FREE["account"])]
    assert found == [401] * (FREE["account"] - 1) + [429]


def test_an_address_that_tries_many_names_waits(console_plant: object, tmp_path: Path) -> None:
    tries = Tries(Store(tmp_path))
    for number in range(FREE["address"] - 1):
        assert tries.failed(f"n{number}", "192.0.2.7") == []
    assert tries.wait_s("other", "192.0.2.7") == 0
    assert tries.failed("last", "192.0.2.7") == ["address"]
    assert 59 < tries.wait_s("other", "192.0.2.7") <= 60
    assert tries.wait_s("other", "192.0.2.8") == 0
    tries.failed("last", "192.0.2.7")  # doubles
    assert 119 < tries.wait_s("other", "192.0.2.7") <= 120
    for _ in range(30):
        tries.failed("last", "192.0.2.7")
    assert tries.wait_s("other", "192.0.2.7") <= 3600
    tries.store.close()


def test_unknown_names_take_as_long_as_known_ones() -> None:
    kept = passwords.hashed(PASSWORD)
    passwords.right("", "x")  # its hash is made once

    def took(kept: str) -> float:
        began = time.process_time()
        for _ in range(5):
            assert not passwords.right(kept, "wrong")
        return time.process_time() - began

    assert 0.3 < took(kept) / took("") < 3


def test_a_new_log_in_has_a_new_session_and_ends_the_old(console: Served) -> None:
    client = console.client("viewer", fresh=True)
    first = client.cookies["smelter"]
    done = client.post("/login", data={"name": "viewer", "password": PASSWORD})
    assert done.status_code == 303
    assert client.cookies["smelter"] != first
    old = console.nobody().get("/account", headers={"Cookie": f"smelter={first}"})
    assert old.status_code == 303
    planted = console.nobody().get("/account", headers={"Cookie": "smelter=chosen-by-somebody"})
    assert planted.status_code == 303


def test_sessions_end_by_idling_and_by_age(tmp_path: Path) -> None:
    store = Store(tmp_path)
    user = somebody(store, "a")
    sessions = Sessions(store, idle_s=600, life_s=3600)
    secret = sessions.begin(user, "192.0.2.7", "browser")
    assert sessions.of(secret)
    store.change("update sessions set seen = seen - 590")
    assert sessions.of(secret)  # in time: counts anew
    store.change("update sessions set seen = seen - 590")
    assert sessions.of(secret)
    store.change("update sessions set seen = seen - 601")
    assert sessions.of(secret) is None
    store.change("update sessions set seen = seen + 601")
    assert sessions.of(secret) is None  # it was ended for good
    secret = sessions.begin(user, "192.0.2.7", "browser")
    store.change("update sessions set began = began - 3601")
    assert sessions.of(secret) is None
    store.close()


def test_a_page_left_open_does_not_keep_its_session(console: Served, store: Store) -> None:
    client = console.client("viewer")
    key = secret_key(client.cookies["smelter"])

    def counts(**headers: str) -> bool:
        """Whether a request of a session last used 200 s ago is a use of it."""
        store.change("update sessions set seen = ? where key = ?", time.time() - 200, key)
        assert client.get("/today/line", headers=headers).status_code == 200
        seen = float(store.rows("select seen from sessions where key = ?", key)[0][0])
        return time.time() - seen < 100

    assert counts()
    assert counts(**{"X-Untouched": "59"})  # the page asks by itself, but somebody sits there
    assert not counts(**{"X-Untouched": "60"})
    assert not counts(**{"X-Untouched": "9" * 40})
    for nonsense in ("", "-1", "60.0", "soon"):
        assert counts(**{"X-Untouched": nonsense})


def test_secrets_are_not_on_disk(tmp_path: Path) -> None:
    store = Store(tmp_path)
    user = somebody(store, "a")
    secret = Sessions(store, 60, 60).begin(user, "", "")
    store.close()
    held = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert secret.encode() not in held
    assert csrf_of(secret).encode() not in held
    assert PASSWORD.encode() not in held
    assert secret_key(secret).encode() in held
    assert b"$argon2id$v=19$m=19456,t=2,p=1$" in held
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert set(modes.values()) == {0o600}, modes


def test_one_logs_out_everywhere_else(console: Served, store: Store) -> None:
    somebody(store, "roamer")
    here, there = console.client("roamer", fresh=True), console.client("roamer", fresh=True)
    assert here.get("/account").text.count("退出</button>") >= 2
    assert here.post("/account/sessions").status_code == 303
    assert there.get("/account").status_code == 303
    assert here.get("/account").status_code == 200


def test_a_first_password_must_be_changed(console: Served, store: Store) -> None:
    somebody(store, "newcomer", Role.OFFICER, must_change=True)
    client = console.nobody()
    came = client.post("/login", data={"name": "newcomer", "password": PASSWORD, "next": "/carbon"})
    assert came.headers["location"] == "/account/password"
    assert client.get("/carbon").headers["location"] == "/account/password"
    client.headers["X-CSRF-Token"] = csrf_in(client.get("/account/password").text)
    assert client.get("/api/v1/me").status_code == 403
    assert client.post("/settings/tokens", data={"label": "x"}).status_code == 403

    def change(old: str, new: str, again: str = "") -> httpx.Response:
        typed = {"old": old, "new": new, "again": again or new}
        return client.post("/account/password", data=typed)

    assert "至少 12 个字符" in change(PASSWORD, "short").text
    assert "两次输入" in change(PASSWORD, "blue mountain tea", "blue mountain sea").text
    assert "与原密码不同" in change(PASSWORD, PASSWORD).text
    assert "原密码不正确" in change("wrong", "blue mountain tea").text
    other = console.nobody()
    other.post("/login", data={"name": "newcomer", "password": PASSWORD})
    assert change(PASSWORD, "blue mountain tea").status_code == 303
    assert client.get("/account").status_code == 200
    assert other.get("/account").headers["location"].startswith("/login")  # all others are out
    assert enter(console, "newcomer").status_code == 401
    assert enter(console, "newcomer", "blue mountain tea").status_code == 303
    told = json.dumps([each.line for each in trail_of(Office(console.site_file).site).read()])
    assert "mountain" not in told


@pytest.mark.parametrize(
    ("password", "good"),
    [
        ("correct horse battery", True),
        ("窗前明月光疑是地上霜举头望", True),
        ("elevenchars", False),
        ("password1234", False),
        ("Qwertyuiop123!", False),
        ("111111111111", False),
        ("202611232026", False),
        ("wangmin wangmin", False),
        ("wangmin likes green tea", True),
        ("x" * 257, False),
    ],
)
def test_what_a_password_must_be(password: str, good: bool) -> None:
    assert (passwords.problems(password, name="wangmin", person="王敏") == []) == good


def test_a_first_password_is_one_that_may_be_taken() -> None:
    made = {passwords.first_password() for _ in range(50)}
    assert len(made) == 50
    assert all(passwords.problems(each) == [] for each in made)


def test_closing_an_account_ends_what_it_has_open(console: Served, store: Store) -> None:
    somebody(store, "leaver", Role.OFFICER)
    client, boss = console.client("leaver"), console.client("administrator")
    assert boss.post("/settings/users/leaver/close").status_code == 303
    assert client.get("/account").status_code == 303
    assert enter(console, "leaver").status_code == 401
    assert boss.post("/settings/users/leaver/open").status_code == 303
    assert enter(console, "leaver").status_code == 303


def test_the_last_administrator_stays(tmp_path: Path) -> None:
    store = Store(tmp_path)
    somebody(store, "boss", Role.ADMINISTRATOR)
    somebody(store, "other", Role.VIEWER)
    with pytest.raises(ConfigError, match="last administrator"):
        store.set_closed("boss", closed=True)
    with pytest.raises(ConfigError, match="last administrator"):
        store.set_roles("boss", [Role.VIEWER])
    store.set_roles("other", [Role.ADMINISTRATOR])
    store.set_closed("boss", closed=True)
    with pytest.raises(ConfigError, match="last administrator"):
        store.set_closed("other", closed=True)
    store.close()


def test_two_accounts_are_two_persons(tmp_path: Path) -> None:
    """Or one could confirm what he proposed himself."""
    store = Store(tmp_path)
    store.add_user("wang", "王敏", [Role.OFFICER], "", "test")
    with pytest.raises(ConfigError, match="told apart"):
        store.add_user("wang2", " 王敏 ", [Role.OFFICER], "", "test")
    with pytest.raises(ConfigError, match="already"):
        store.add_user("WANG", "王敏敏", [Role.OFFICER], "", "test")
    with pytest.raises(ConfigError) as refused:
        store.add_user("../x", "", [], "", "test")
    assert len(refused.value.problems) == 3
    store.close()


@pytest.mark.parametrize(
    "back", ["//evil.example/", "/\\evil.example", "https://evil.example/", "x"]
)
def test_nobody_is_sent_elsewhere_after_the_log_in(console: Served, back: str) -> None:
    sent = {"name": "viewer", "password": PASSWORD, "next": back}
    assert console.nobody().post("/login", data=sent).headers["location"] == "/"
    assert "evil" not in console.nobody().get("/login", params={"next": back}).text
