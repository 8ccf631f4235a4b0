"""The settings: meters and certificates, rule packs, audit trail, site without secrets, tables."""

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from reports.acts import trail_of
from reports.console.pages.settings_tables import TableLink, iqy
from reports.entries.certificates import certificates
from reports.entries.ledger import read_ledger
from reports.site import load_site
from tests.console.conftest import plant_folder
from tests.console.served import Served, people, serve
from tests.reports.conftest import Built

SEEN = (
    *("/settings", "/settings/overview", "/settings/meters", "/settings/meters/table"),
    *("/settings/rules", "/settings/rules/packs", "/settings/rules/absent"),
    *("/settings/rules/list?pack=cn_calendar", "/settings/rules/list?state=unverified"),
    "/settings/rules/parameter?of=cn_allowance_aluminium.balance_value&on=2025-01-01",
    *("/settings/overlays", "/settings/overlays/list", "/settings/gateways"),
    *("/settings/gateways/list", "/settings/site", "/settings/catalogue", "/settings/tables"),
)
API = "/api/v1/settings"
ROLES = ("viewer", "officer", "engineer", "administrator")
NEW = {
    "line": "line1-ac1",
    "period": "2026-10-05",
    "value": "0.12",
    "valid_until": "2027-10-04",
    "body": "示例计量检定所",
    "certificate": "JD-2026-117",
    "result": "合格",
    "reason": "周期检定",
}


@pytest.fixture(scope="module")
def visitors(console: Served) -> dict[str, httpx.Client]:
    """One of each role, logged in once: a log-in is dear on purpose."""
    return {role: console.client(role) for role in ROLES}


@pytest.fixture(scope="module")
def viewer(visitors: dict[str, httpx.Client]) -> httpx.Client:
    return visitors["viewer"]


@pytest.mark.parametrize("address", SEEN)
def test_everybody_with_an_account_may_look(viewer: httpx.Client, address: str) -> None:
    for lang in ("zh", "en"):
        answer = viewer.get(address, headers={"Cookie": cookies(viewer, lang)})
        assert answer.status_code == 200, answer.text[:2000]
        assert answer.headers["content-language"].startswith(lang)
        body = re.sub(r"<[^>]*>", " ", answer.text.partition("<main")[2] or answer.text)
        assert "None" not in body
        assert lang == "en" or re.search(r"[一-鿿]", body)
        for inline in ("style=", "onclick", "<script>"):
            assert inline not in answer.text


def cookies(client: httpx.Client, lang: str) -> str:
    kept = {name: value for name, value in client.cookies.items() if name != "lang"}
    return "; ".join(f"{name}={value}" for name, value in (kept | {"lang": lang}).items())


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("/settings/audit", {"administrator"}),
        ("/settings/audit/list", {"administrator"}),
        ("/settings/audit/check", {"administrator"}),
        ("/settings/notices", {"administrator"}),
        (f"{API}/audit", {"administrator"}),
        (f"{API}/notices", {"administrator"}),
        ("/settings/meters/certificate", {"engineer"}),
        ("/settings/overlays/new?of=cn_allowance_aluminium.balance_value", {"officer"}),
        (f"{API}/rules?limit=1", set(ROLES)),
    ],
)
def test_who_may_open_what(
    visitors: dict[str, httpx.Client], address: str, allowed: set[str]
) -> None:
    for role, client in visitors.items():
        status = client.get(address).status_code
        assert status == (200 if role in allowed else 403), (role, address)


@pytest.mark.parametrize(
    "address",
    [
        "/settings/rules/list?pack=nothing",
        "/settings/rules/list?state=nothing",
        "/settings/rules/parameter?of=nothing",
        "/settings/rules?on=2026-13-01x",
        "/settings/tables/query.iqy?of=/api/v1/nothing",
        "/settings/overlays/00000000-00000000",
        f"{API}/rules?limit=0",
        f"{API}/rules?on=yesterday",
        f"{API}/rules?format=pdf",
        f"{API}/rules?state=bad",
    ],
)
def test_what_is_not_there_is_no_fault_of_ours(viewer: httpx.Client, address: str) -> None:
    assert viewer.get(address).status_code in {404, 422}


def test_rule_values_page_by_page_and_as_csv(viewer: httpx.Client) -> None:
    client = viewer
    first = client.get(f"{API}/rules", params={"pack": "cn_decree_775", "limit": 5}).json()
    rest = client.get(
        f"{API}/rules", params={"pack": "cn_decree_775", "after": first[-1]["id"]}
    ).json()
    assert len(first) == 5
    assert len(first) + len(rest) == 14
    answer = client.get(f"{API}/rules", params={"pack": "cn_decree_775", "format": "csv"})
    assert answer.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(rows) == 15
    assert rows[0][:3] == ["参数", "编号", "取值"]
    absent = client.get(f"{API}/rules", params={"state": "absent"}).json()
    assert {each["value"] for each in absent} == {None}


def test_excel_finds_every_table_and_its_query(viewer: httpx.Client) -> None:
    client = viewer
    found = client.get(f"{API}/tables").json()
    paths = {each["path"] for each in found}
    assert {f"{API}/rules", f"{API}/meters", f"{API}/instruments"} <= paths
    page = client.get("/settings/tables").text
    for each in found:
        assert each["path"] in page
        got = client.get("/settings/tables/query.iqy", params={"of": each["path"]})
        assert got.status_code == 200
        assert got.text.split("\r\n")[:2] == ["WEB", "1"]
        assert each["path"].partition("{")[0] in got.text
        assert "token" not in got.text
    for each in found:
        if each["path"].startswith(API):  # others may first have to be computed
            answer = client.get(each["address"])
            assert answer.status_code == 200, each["address"]
            assert answer.headers["content-type"].startswith("text/csv")


def test_a_query_asks_for_what_is_left_open() -> None:
    address = "https://c.example/api/v1/pots/{line}/curves?format=csv&period=…"
    table = TableLink("/api/v1/pots/{line}/curves", address, "", ("line", "period"), ())
    asked = 'https://c.example/api/v1/pots/["line","line"]/curves?format=csv&period=["period"'
    assert iqy(table).split("\r\n")[2].startswith(asked)
    assert table.file == "pots-line-curves"


def test_secrets_and_addresses_of_site_toml_are_not_shown(
    console_plant: Built, tmp_path: Path
) -> None:
    from reports.console.figures.settings import facts
    from reports.console.office import Office

    site_file = plant_folder(tmp_path / "p", console_plant.root)
    text = site_file.read_text("utf-8")
    site_file.write_text(
        f'{text}\n[console]\n[[console.notices]]\nname = "group"\nkind = "webhook"\n'
        'url = "https://hooks.example/robot?key=VERYSECRET"\nkey_file = "hook.SECRETNAME"\n',
        "utf-8",
    )
    lines = facts(Office(site_file))["lines"]
    shown = {each["place"]: each["value"] for each in lines}
    assert shown["console.notices[1].name"] == "group"
    assert not [value for value in shown.values() if "SECRET" in value]


@pytest.fixture(scope="module")
def own(console_plant: Built, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A console of its own, for acts; the last test spoils its trail."""
    site_file = plant_folder(tmp_path_factory.mktemp("settings"), console_plant.root)
    people(site_file)
    served = serve(site_file)
    yield served
    served.end()


def test_a_certificate_with_its_scan_becomes_an_entry(own: Served) -> None:
    """Without a plan every instrument may be named; what is entered is what ``entries`` reads."""
    site_file = own.site_file
    engineer = own.client("engineer")

    def sent(**other: str) -> httpx.Response:
        files = {"document": ("证书.pdf", b"%PDF-1.7 scan", "application/pdf")}
        return engineer.post("/settings/meters/certificate", data=NEW | other, files=files)

    for wrong, told in (
        ({"value": "200"}, "200"),
        ({"period": "2999-01-01"}, "2999"),
        ({"valid_until": "2020-01-01"}, "2020-01-01"),
        ({"line": ""}, "计量器具"),
    ):
        answer = sent(**wrong)
        assert answer.status_code == 422, wrong
        assert told in answer.text
        assert "JD-2026-117" in answer.text  # what was typed is still there
    made = sent()
    assert made.status_code == 303, made.text
    site = load_site(site_file)
    (kept,) = certificates(read_ledger(site.entries), "line1-ac1")
    assert (str(kept.valid_until), kept.number) == ("2027-10-04", "JD-2026-117")
    assert kept.entry.author == "李强"
    document = kept.entry.figure.document
    assert document is not None
    assert document.name == "证书.pdf"
    stored = site.entries.parent / "documents" / f"{document.sha256}-证书.pdf"
    assert stored.read_bytes() == b"%PDF-1.7 scan"
    again = sent(value="0.2")  # the same day: only as a correction
    assert again.status_code == 422
    assert sent(value="0.2", revise="1").status_code == 303
    acts = [x.act for x in trail_of(site).read() if x.act.what.startswith("entry.")]
    assert [(x.what, x.result, x.who) for x in acts][-1] == ("entry.revised", "ok", "李强")
    assert own.client("officer").post("/settings/meters/certificate").status_code == 403


def test_the_audit_trail_is_filtered_paged_and_checked(own: Served) -> None:
    site_file = own.site_file
    wrong = own.nobody().post("/login", data={"name": "officer", "password": "wrong" * 4})
    assert wrong.status_code != 303
    administrator = own.client("administrator")
    page = administrator.get("/settings/audit/list").text
    assert "登录成功" in page
    asked = {"outcome": "refused", "what": "login"}
    refused = administrator.get(f"{API}/audit", params=asked).json()
    assert [each["what"] for each in refused["rows"]] == ["login.refused"]
    mine = administrator.get(f"{API}/audit", params={"who": "孙", "limit": 1}).json()
    assert len(mine["rows"]) == 1
    assert administrator.get(f"{API}/audit", params={"what": "nothing"}).status_code == 422
    assert administrator.get(f"{API}/audit", params={"first": "2999-01-01"}).json()["rows"] == []
    newest = administrator.get(f"{API}/audit", params={"limit": 1}).json()
    older = administrator.get(f"{API}/audit", params={"before": newest["next"]}).json()
    assert older["rows"][0]["n"] == newest["rows"][0]["n"] - 1
    assert administrator.get(f"{API}/audit/check").json()["broken"] is None
    folder = trail_of(load_site(site_file)).folder
    (segment,) = folder.glob("*.jsonl")
    text = segment.read_text("utf-8")
    segment.write_text(text.replace('"result":"refused"', '"result":"ok"', 1), "utf-8")
    assert administrator.get(f"{API}/audit/check").json()["broken"]
    assert "日志链已断" in administrator.get("/settings/audit/check").text
