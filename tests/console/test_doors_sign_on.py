"""Single sign-on by a provider on loopback: who has a role comes in, every lie is refused."""

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from drivers.model import ConfigError
from reports.acts import trail_of
from reports.console.doors.store import Store
from reports.console.office import Office
from reports.site import load_site
from tests import servers
from tests.console.conftest import plant_folder
from tests.console.doors_provider import CLIENT, SECRET, Provider, query
from tests.console.served import Served, people, serve
from tests.reports.conftest import Built

HUA = {"sub": "4711", "preferred_username": "Hua", "name": "华强", "roles": ["env", "other"]}


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with Provider() as found:
        yield found


@pytest.fixture(scope="module")
def signing(
    provider: Provider, console_plant: Built, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    root = tmp_path_factory.mktemp("sign_on")
    site_file = plant_folder(root, console_plant.root)
    secret = root / "client.password"
    secret.touch(0o600)
    secret.write_text(SECRET)
    port = servers.free_port()
    said = f"""
[console]
address = "http://127.0.0.1:{port}"
[console.oidc]
issuer = "{provider.issuer}"
client_id = "{CLIENT}"
password_file = "client.password"
button = {{ zh = "企业统一登录", en = "Company log-in" }}
roles = {{ env = "officer", energy = "engineer" }}
"""
    site_file.write_text(site_file.read_text("utf-8") + said, "utf-8")
    people(site_file)
    served = serve(site_file, port)
    yield served
    served.end()


def come(served: Served, provider: Provider, **back: str) -> tuple[httpx.Client, httpx.Response]:
    """As a browser: there, log in, and back; ``back`` changes what it brings."""
    client = served.nobody("en")
    there = client.get("/login/sign-on")
    assert there.status_code == 303, there.text
    address = there.headers["location"]
    assert address.startswith(f"{provider.issuer}/authorize?")
    provider.asked = query(address)
    assert provider.asked["redirect_uri"] == f"{served.url}/login/sign-on/back"
    brings = {"code": "the-code", "state": provider.asked["state"], **back}
    return client, client.get("/login/sign-on/back", params=brings)


def test_who_has_a_role_comes_in_and_keeps_his_account(signing: Served, provider: Provider) -> None:
    assert "企业统一登录" in signing.nobody().get("/login").text
    provider.person, provider.lie = HUA, {}
    client, answer = come(signing, provider)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    me = client.get("/api/v1/me").json()
    assert (me["name"], me["person"]) == ("hua", "华强")
    assert "enter" in me["rights"]
    assert "configure" not in me["rights"]

    provider.person = HUA | {"roles": "energy", "name": "Somebody else"}
    client, answer = come(signing, provider)
    me = client.get("/api/v1/me").json()
    assert (me["name"], me["person"]) == ("hua", "华强")  # the person stays who he was
    assert "configure" in me["rights"]
    assert "enter" not in me["rights"]
    told = [each.act for each in trail_of(Office(signing.site_file).site).read()]
    deeds = [each.what for each in told if each.target == "hua"]
    assert deeds == ["user.added", "login.accepted", "user.roles", "login.accepted"]
    no_password = signing.nobody().post("/login", data={"name": "hua", "password": ""})
    assert no_password.status_code in {401, 422}


def test_who_has_no_role_or_was_closed_is_refused(signing: Served, provider: Provider) -> None:
    provider.lie = {}
    for roles in (["other"], [], None, "administrator"):
        provider.person = {"sub": "1", "name": "无权", "roles": roles}
        client, answer = come(signing, provider)
        assert answer.status_code == 422
        assert "no role" in answer.text
        assert client.get("/api/v1/me").status_code == 401
    provider.person = {"sub": "77", "preferred_username": "left", "name": "离职", "roles": ["env"]}
    assert come(signing, provider)[1].status_code == 303
    store = Store(Office(signing.site_file).data)
    store.set_closed("left", closed=True)
    store.close()
    assert come(signing, provider)[1].status_code == 422


def test_nobody_takes_over_an_account_that_is_there(signing: Served, provider: Provider) -> None:
    """By calling himself so at the provider: accounts are tied to issuer and subject."""
    provider.lie = {}
    provider.person = {"sub": "99", "preferred_username": "administrator", "roles": ["env"]}
    assert come(signing, provider)[1].status_code == 422
    provider.person = {"sub": "99", "preferred_username": "x99", "name": "孙丽", "roles": ["env"]}
    assert come(signing, provider)[1].status_code == 422


def lies(provider: Provider) -> dict[str, dict[str, Any]]:
    now = int(time.time())
    return {
        "another nonce": {"nonce": "x"},
        "no nonce": {"nonce": None},
        "for another client": {"aud": "other"},
        "for many": {"aud": [CLIENT, "other"]},
        "another issuer": {"iss": "http://127.0.0.1:1/realm"},
        "expired": {"exp": now - 3600},
        "without end": {"exp": None},
        "of tomorrow": {"iat": now + 86_400, "nbf": now + 86_400},
        "without subject": {"sub": None},
        "signed by somebody else": {"KEY": provider.foreign},
        "an unknown key": {"KID": "k2"},
        "not signed": {"KEY": "", "ALG": "none"},
        "signed with our own secret": {"KEY": SECRET * 2, "ALG": "HS256"},
    }


def test_every_lie_is_refused(signing: Served, provider: Provider) -> None:
    provider.person = HUA
    came_in = []
    for name, lie in lies(provider).items():
        provider.lie = lie
        client, answer = come(signing, provider)
        if answer.status_code != 422 or client.get("/api/v1/me").status_code != 401:
            came_in.append((name, answer.status_code))
    provider.lie = {}
    assert came_in == []


def test_what_the_browser_brings_must_be_its_own(signing: Served, provider: Provider) -> None:
    provider.person, provider.lie = HUA, {}
    assert come(signing, provider, state="other")[1].status_code == 403
    assert come(signing, provider, code="")[1].status_code == 403
    assert come(signing, provider, code="another")[1].status_code == 422
    client, _ = come(signing, provider)
    again = {"code": "the-code", "state": provider.asked["state"]}
    assert client.get("/login/sign-on/back", params=again).status_code == 403  # counts once
    victim = signing.nobody("en")  # is sent back by somebody with his own code
    attacker = signing.nobody("en")
    provider.asked = query(attacker.get("/login/sign-on").headers["location"])
    brings = {"code": "the-code", "state": provider.asked["state"]}
    assert victim.get("/login/sign-on/back", params=brings).status_code == 403


def test_a_provider_that_is_another_or_away(signing: Served, provider: Provider) -> None:
    for said in ({"issuer": "http://127.0.0.1:1"}, {"token_endpoint": None}, {"jwks_uri": 7}):
        provider.discovery = said
        answer = signing.nobody("en").get("/login/sign-on")
        assert answer.status_code == 422, said
    provider.discovery = {}


def test_without_it_there_is_no_such_page(console: Served) -> None:
    assert console.nobody().get("/login/sign-on").status_code == 404
    assert console.nobody().get("/login/sign-on/back").status_code == 404


def test_what_the_config_must_say(signing: Served) -> None:
    text = signing.site_file.read_text("utf-8")
    path = signing.site_file.with_name("other.toml")
    for old, new, told in (
        ("http://127.0.0.1", "http://192.0.2.1", "https"),
        ('"officer"', '"king"', "king"),
        ("address = ", "# address = ", "address"),
    ):
        path.write_text(text.replace(old, new), "utf-8")
        with pytest.raises(ConfigError, match=told):
            load_site(path)
    assert json.dumps(text).count(SECRET) == 0
