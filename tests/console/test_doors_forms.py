"""Acts come from our own pages only: another site's page gets nowhere, with or without a cookie."""

import re

import httpx
import pytest

from tests.console.served import PASSWORD, Served, csrf_in


def refused(answer: httpx.Response) -> bool:
    return answer.status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": ""},
    ],
)
def test_another_sites_page_gets_nowhere(console: Served, headers: dict[str, str]) -> None:
    client = console.client("viewer")
    assert refused(client.post("/account/sessions", data={"key": "x"}, headers=headers))
    login = {"name": "viewer", "password": PASSWORD}
    assert refused(console.nobody().post("/login", data=login, headers=headers))


def test_neither_origin_nor_site_is_no_browser(console: Served) -> None:
    client = console.client("viewer")
    del client.headers["Origin"]
    assert refused(client.post("/account/sessions", data={"key": "x"}))
    ours = {"Sec-Fetch-Site": "same-origin"}
    assert client.post("/account/sessions", data={"key": "x"}, headers=ours).status_code == 303


def test_the_sessions_word_is_needed_and_only_its_own_counts(console: Served) -> None:
    one, other = console.client("viewer", fresh=True), console.client("officer")
    word = one.headers.pop("X-CSRF-Token")
    assert refused(one.post("/account/sessions", data={"key": "x"}))
    for wrong in ("", "0" * 64, other.headers["X-CSRF-Token"], word.upper(), "é"):
        data = {"key": "x", "csrf": wrong}
        assert refused(one.post("/account/sessions", data=data)), wrong
        assert refused(one.post("/account/sessions", files={"f": b""}, data=data)), wrong
    data = {"key": "x", "csrf": word}
    assert one.post("/account/sessions", data=data).status_code == 303
    assert one.post("/account/sessions", files={"f": b""}, data=data).status_code == 303
    assert refused(one.post("/account/sessions", json=data))
    assert refused(one.delete("/api/v1/tokens/x"))
    renewed = console.client("viewer", fresh=True).headers["X-CSRF-Token"]
    assert renewed != word


def test_every_form_of_every_page_carries_it(console: Served) -> None:
    for role, pages in (
        ("administrator", ("/account", "/account/password", "/settings/users", "/settings/tokens")),
        ("officer", ("/account", "/settings/tokens")),
    ):
        client = console.client(role)
        for path in pages:
            text = client.get(path).text
            forms = re.findall(r'(?s)<form method="post".*?</form>', text)
            assert forms
            assert all(csrf_in(each) == client.headers["X-CSRF-Token"] for each in forms)


def test_a_name_that_leads_here_by_a_trick_is_refused(console: Served) -> None:
    """DNS rebinding: a page elsewhere whose name suddenly is 127.0.0.1."""
    for host in ("evil.example", "evil.example:8443", "127.0.0.1.evil.example", ""):
        answer = console.nobody().get("/login", headers={"Host": host})
        assert answer.status_code in {400, 421}, host
    for host in ("localhost:8443", "127.0.0.1", "[::1]:8443"):
        assert console.nobody().get("/login", headers={"Host": host}).status_code == 200


def test_headers_of_every_answer(console: Served) -> None:
    client = console.nobody()
    for path in ("/login", "/nothing", "/api/v1/me", "/static/console.css"):
        found = client.get(path).headers
        policy = found["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert found["x-content-type-options"] == "nosniff"
        assert found["x-frame-options"] == "DENY"
        assert "server" not in found
    assert client.get("/login").headers["cache-control"] == "no-store"
