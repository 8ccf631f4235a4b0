"""Reports in the archive: names that may be asked for, a report shown in a box, downloads."""

import pytest

from tests import servers
from tests.console.served import Served


@pytest.fixture(scope="module")
def made(console: Served) -> str:
    """October as a report, made once; its papers may still be set."""
    officer = console.client("officer")
    work = officer.post("/api/v1/reports", json={"report": "carbon-monthly", "period": "2026-10"})
    assert work.status_code == 202, work.text
    identity = work.json()["id"]
    again = officer.post("/api/v1/reports", json={"report": "carbon-monthly", "period": "2026-10"})
    assert again.json()["id"] == identity  # the same work is done once

    def there() -> bool:
        state = officer.get(f"/api/v1/works/{identity}").json()
        assert state["state"] in {"running", "done"}, state
        return bool(state["done"] > 0)

    servers.wait_until(there, "the report", 300, 0.3)
    return "carbon-monthly-2026-10-v1.json"


def test_a_report_is_shown_in_a_box_that_runs_no_script(console: Served, made: str) -> None:
    viewer = console.client("viewer")
    page = viewer.get(f"/reports/{made}")
    assert "frame-src 'self'" in page.headers["content-security-policy"]
    assert f'src="/reports/view/{made}"' in page.text
    shown = viewer.get(f"/reports/view/{made}")
    policy = shown.headers["content-security-policy"]
    assert policy.startswith("sandbox; default-src 'none'")
    assert "script" not in policy
    assert shown.headers["x-frame-options"] == "SAMEORIGIN"
    assert "铝冶炼企业温室气体排放月度报告" in shown.text
    other = viewer.get("/carbon")
    assert "frame-src" not in other.headers["content-security-policy"]
    assert other.headers["x-frame-options"] == "DENY"


def test_files_of_a_version_are_listed_and_downloaded(console: Served, made: str) -> None:
    viewer = console.client("viewer")
    listed = viewer.get("/api/v1/reports?report=carbon-monthly").json()["reports"]
    assert [x["file"] for x in listed] == [made]
    assert listed[0]["lodged"] is None
    files = viewer.get(f"/api/v1/reports/{made}/files").json()["files"]
    assert files[0]["name"] == made
    got = viewer.get(f"/api/v1/reports/files/{made}")
    assert len(got.content) == files[0]["bytes"]
    paper = viewer.get(f"/reports/paper/{made}?kind=xlsx&edition=en")
    assert paper.content.startswith(b"PK")
    assert viewer.get(f"/api/v1/packages/{made}").status_code == 404
    assert "月度报告" in viewer.get("/reports/list?period=2026").text


@pytest.mark.parametrize(
    "name",
    ["..%2fsite.toml", "site.toml", "carbon-monthly-2026-10-v1.json.bak", "%2e%2e", "x" * 300,
     "carbon-monthly-2026-10-v9.json"],
)  # fmt: skip
def test_no_other_file_is_ever_given_out(console: Served, name: str) -> None:
    viewer = console.client("viewer")
    for place in ("/reports/files/", "/reports/view/", "/reports/paper/", "/reports/"):
        assert viewer.get(place + name).status_code in {404, 422}, place
    assert viewer.get("/api/v1/reports/files/" + name).status_code in {404, 422}


def test_what_cannot_be_made_says_why(console: Served) -> None:
    officer = console.client("officer")
    ask = {"report": "carbon-monthly", "period": "2026"}
    identity = officer.post("/api/v1/reports", json=ask).json()["id"]

    def over() -> bool:
        return bool(officer.get(f"/api/v1/works/{identity}").json()["state"] != "running")

    servers.wait_until(over, "the refusal", 300, 0.3)
    told = officer.get(f"/api/v1/works/{identity}").json()
    assert told["state"] == "refused"
    assert "月份" in told["problems"][0]
    assert officer.get("/api/v1/works/0123456789abcdef").status_code == 404
    viewer = console.client("viewer")
    assert viewer.post("/api/v1/reports", json=ask).status_code == 403
