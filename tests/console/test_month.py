"""A new officer's way from an empty installation to a lodged month, by the console alone."""

import hashlib
import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from drivers.audit import AuditTrail
from reports.entries.ledger import read_ledger
from reports.lodgings import read_lodgings
from reports.package.ring import open_ring
from reports.package.verify import Note
from reports.package.verify import verify as verify_package
from tests import servers
from tests.console.fresh_plant import FIGURES, filled, fresh_folder
from tests.console.served import Served, people, serve

MONTH = "2026-10"
PIECE = {"HX-Request": "true"}
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The tests below follow one another: each goes on from where the one before ended."""
    site_file = fresh_folder(tmp_path_factory.mktemp("fresh") / "plant")
    people(site_file)
    served = serve(site_file)
    yield served
    served.end()


def piece(client: httpx.Client, step: str, query: str = "") -> str:
    answer = client.get(f"/carbon/{MONTH}/{step}/piece{query}")
    assert answer.status_code == 200, answer.text
    return answer.text


def act(client: httpx.Client, path: str, **form: str) -> httpx.Response:
    return client.post(f"/carbon/{MONTH}/{path}", data=form, headers=PIECE)


def upload(client: httpx.Client, content: bytes, name: str = "t.xlsx", **more: bytes) -> str:
    """Identity of the staged table; ``more`` are documents: name with _ for the dot."""
    files = [("table", (name, content, XLSX))]
    files += [("documents", (n.replace("_", "."), data, "text/plain")) for n, data in more.items()]
    answer = client.post(f"/carbon/{MONTH}/upload", files=files, headers=PIECE)
    assert answer.status_code == 200, answer.text
    return answer.headers["HX-Redirect"].rpartition("=")[2]


def seen_in(page: str) -> str:
    found = re.search(r'name="seen" value="([^"]+)"', page)
    assert found, page
    return found[1]


def steps(client: httpx.Client) -> dict[str, str]:
    state = client.get(f"/api/v1/carbon/months/{MONTH}").json()
    return {step["id"]: step["state"] for step in state["steps"]}


def wait_for(client: httpx.Client, kind: str) -> None:
    """Until the work of a step is over."""

    def over() -> bool:
        return 'hx-trigger="load delay:1s"' not in piece(client, kind)

    servers.wait_until(over, kind, 300, 0.3)


def template(client: httpx.Client) -> bytes:
    answer = client.get(f"/carbon/{MONTH}/template/xlsx")
    assert answer.status_code == 200
    assert "fresh-carbon-monthly-2026-10.xlsx" in answer.headers["content-disposition"]
    return answer.content


def test_a_fresh_plant_is_told_what_is_missing(fresh: Served) -> None:
    officer = fresh.client("officer")
    year = officer.get("/carbon/cards?year=2026").text
    assert "启用前" in year
    assert "继续办理 2026-01" not in year  # nothing was asked of it before it had this console
    assert officer.get(f"/carbon/{MONTH}").headers["location"] == f"/carbon/{MONTH}/need"
    assert "铝液产量" in piece(officer, "need")
    assert steps(officer) == {
        "need": "warn", "enter": "todo", "check": "wait", "report": "wait",
        "sign": "wait", "package": "wait", "lodge": "wait",
    }  # fmt: skip


def test_a_wrong_table_is_refused_by_row_and_column_and_nothing_is_written(fresh: Served) -> None:
    officer = fresh.client("officer")
    wrong = filled(template(officer), FIGURES | {"electricity_aux": "-5"}, "weighing.txt")
    staged = upload(officer, wrong)
    page = piece(officer, "enter", f"?staged={staged}")
    assert "有误 2 行" in page  # the document is not there; a negative figure
    assert re.search(r"<td>凭证文件</td><td>找不到凭证文件", page)
    assert re.search(r"<td>数值</td><td>数值 -5 为负", page)
    assert 'name="seen"' not in page  # there is nothing to confirm
    english = fresh.client("officer", "en")
    assert "value -5 is negative" in piece(english, "enter", f"?staged={staged}")
    answer = act(officer, "confirm", staged=staged, seen="0:x", reason="试")
    assert answer.status_code == 422
    assert act(officer, "drop", staged=staged).status_code == 200
    assert not read_ledger(fresh.site_file.parent / "data" / "entries.jsonl").entries


def test_hostile_uploads_are_refused(fresh: Served, tmp_path: Path) -> None:
    officer = fresh.client("officer")
    post = f"/carbon/{MONTH}/upload"
    table = {"table": ("t.xlsx", b"MZ not a workbook", XLSX)}
    assert officer.post(post, files=table, headers=PIECE).status_code == 415
    assert officer.post(post, files={"table": ("t.exe", b"x")}, headers=PIECE).status_code == 415
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("xl/worksheets/sheet1.xml", b" " * (65 << 20))
    answer = officer.post(post, files={"table": ("t.xlsx", bomb.getvalue(), XLSX)}, headers=PIECE)
    assert answer.status_code == 422
    assert "解压后" in answer.text
    outside = "项目,工序,期间,数值,单位,凭证文件\n铝液产量,line1,2026-10,1,t,../../site.toml\n"
    staged = upload(officer, outside.encode(), "out.csv")
    assert "不在表格所在的文件夹" in piece(officer, "enter", f"?staged={staged}")
    act(officer, "drop", staged=staged)
    left = list((fresh.site_file.parent / "data" / "console" / "uploads").glob("*"))
    assert not left  # what was uploaded is not kept beside what is staged
    assert fresh.client("viewer").post(post, headers=PIECE).status_code == 403


def test_what_was_seen_is_what_is_imported(fresh: Served) -> None:
    first, second = fresh.client("officer"), fresh.client("officer2")
    table = filled(template(first), FIGURES, "weighing.txt")
    staged = upload(first, table, "october.xlsx", weighing_txt="磅单".encode())
    page = piece(first, "enter", f"?staged={staged}")
    assert "新增 5" in page
    assert hashlib.sha256(table).hexdigest() in page
    # somebody else types one of the figures meanwhile
    typed = {"r0.kind": "aluminium_tapped", "r0.line": "line1", "r0.period": MONTH,
             "r0.value": "21000", "r0.unit": "t"}  # fmt: skip
    other = act(second, "typed", **typed).headers["HX-Redirect"].rpartition("=")[2]
    other_page = piece(second, "enter", f"?staged={other}")
    done = act(second, "confirm", staged=other, seen=seen_in(other_page), reason="调度电话")
    assert done.headers["HX-Redirect"] == f"/carbon/{MONTH}/check?taken=1"
    refused = act(first, "confirm", staged=staged, seen=seen_in(page), reason="十月台账")
    assert refused.status_code == 422
    assert "没有导入任何数据" in refused.text
    assert "周洁" in refused.text and "21000" in refused.text  # noqa: PT018 - one sentence
    # seen anew it is a revision, which must be meant
    page = piece(first, "enter", f"?staged={staged}")
    assert "修订 1" in page
    form = {"staged": staged, "seen": seen_in(page), "reason": "十月台账"}
    refused = act(first, "confirm", **form)
    assert refused.status_code == 422
    assert "作为修订写入" in refused.text
    assert "--revise" not in refused.text
    assert act(first, "confirm", **form, revise="1").status_code == 200
    entries = read_ledger(fresh.site_file.parent / "data" / "entries.jsonl").entries
    assert [entry.author for entry in entries] == ["周洁"] + ["王敏"] * 5
    assert entries[1].revises == 1
    assert entries[1].figure.document is not None
    again = upload(first, table, "october.xlsx", weighing_txt="磅单".encode())
    assert "此文件已由 王敏" in piece(first, "enter", f"?staged={again}")
    act(first, "drop", staged=again)


def test_tables_for_the_year_are_filled_in_here_too(fresh: Served) -> None:
    answer = fresh.client("officer").get(f"/carbon/{MONTH}/template/csv?purpose=allowance")
    assert "balance_value" in answer.content.decode("utf-8-sig")
    assert fresh.client("officer").get(f"/carbon/{MONTH}/template/csv?purpose=x").status_code == 422


def test_checks_then_report_signature_package(fresh: Served) -> None:
    officer, second = fresh.client("officer"), fresh.client("officer2")
    servers.wait_until(lambda: "数据齐全" in piece(officer, "check"), "the draft", 300, 0.3)
    assert "21,050.25" in piece(officer, "check")
    assert act(officer, "report").headers["HX-Redirect"] == f"/carbon/{MONTH}/report"
    wait_for(officer, "report")
    page = piece(officer, "report")
    # 9876.40 × (1 − 0.1518) … is the report's business; that it is shown is ours
    assert "33,027.36" in page
    file = "carbon-monthly-2026-10-v1.json"
    archive = fresh.site_file.parent / "reports"
    made = {path.suffix for path in archive.iterdir()}
    assert made == {".json", ".pdf", ".xlsx", ".html"}
    assert len(list(archive.glob("*.pdf"))) == 2
    digest = re.search(r'name="content_sha256" value="([0-9a-f]{64})"', piece(officer, "sign"))
    assert digest
    form = {"file": file, "content_sha256": digest[1]}
    assert act(officer, "sign", **form, role="prepared").status_code == 200
    same = act(officer, "sign", **form, role="checked")
    assert same.status_code == 422
    assert "不同的人" in same.text
    assert act(second, "sign", **form, role="checked").status_code == 200
    stale = act(second, "sign", file=file, content_sha256="0" * 64, role="approved")
    assert stale.status_code == 422
    note = Note((archive / "carbon-monthly-2026-10-v1.signature-1.txt").read_text("utf-8"))
    ring = open_ring(fresh.site_file.parent / "data" / "entries.jsonl", "fresh")
    assert note.signed_by(ring.owner, ring._key)
    assert "王敏" in note.text
    assert digest[1] in note.text
    assert act(officer, "package", file=file).status_code == 200
    wait_for(officer, "package")
    assert "下载证据包" in piece(officer, "package")
    package = archive / "carbon-monthly-2026-10-v1.evidence.zip"
    with zipfile.ZipFile(package) as parts:
        assert {"signatures/1.txt", "signatures/2.txt"} <= set(parts.namelist())
    assert not verify_package(str(package), [ring.vkey], []).changed


def test_lodging_refuses_what_the_command_refuses_then_seals(fresh: Served) -> None:
    officer = fresh.client("officer")
    file = "carbon-monthly-2026-10-v1.json"
    form = {"file": file, "receipt": "CETS-1", "on": "2026-10-05"}
    early = act(officer, "lodge", **form)
    assert early.status_code == 422
    assert "尚未结束" in early.text
    before = act(officer, "lodge", **form | {"on": "2026-11-01"})
    assert "补登理由" in before.text
    assert "--backdated" not in before.text
    assert "须填写回执号" in act(officer, "lodge", **form | {"receipt": " "}).text
    done = act(officer, "lodge", **form | {"on": "2026-11-01", "backdated": "系统上线前已报送"})
    assert done.status_code == 200, done.text
    lodging = read_lodgings(fresh.site_file.parent / "data" / "entries.jsonl").lodgings[-1]
    assert (lodging.author, lodging.receipt) == ("王敏", "CETS-1")
    assert set(steps(officer).values()) == {"done"}
    card = officer.get("/carbon/cards?year=2026").text
    assert "CETS-1" in card
    assert "已封存" in card


def test_a_correction_of_what_was_lodged_is_meant_and_told(fresh: Served) -> None:
    officer = fresh.client("officer")
    form = {"number": "3", "value": "9870", "reason": "过磅单更正"}
    refused = act(officer, "correct", **form)
    assert refused.status_code == 422
    assert "更正已存证的数据" in refused.text
    assert "CETS-1" in refused.text
    assert act(officer, "correct", **form, reissue="1").status_code == 200
    assert steps(officer)["report"] == "warn"
    work = officer.post("/api/v1/reports", json={"report": "carbon-monthly", "period": MONTH})
    assert work.status_code == 202
    identity = work.json()["id"]
    servers.wait_until(
        lambda: officer.get(f"/api/v1/works/{identity}").json()["done"] > 0,
        "the version",
        300,
        0.3,
    )
    page = piece(officer, "report")
    assert "与已存证第 1 版的差异" in page
    assert "过磅单更正" in page
    assert steps(officer)["lodge"] == "warn"


def test_acts_stand_in_the_trail_under_the_name_of_the_visitor(fresh: Served) -> None:
    trail = AuditTrail(fresh.site_file.parent / "data" / "audit")
    told = [(x.act.what, x.act.result, x.act.who) for x in trail.read()]
    assert ("entry.added", "ok", "周洁") in told
    for what in ("entry.revised", "report.signed", "lodge.added", "package.made", "report.made"):
        assert (what, "ok", "王敏") in told, what
    assert ("lodge.added", "refused", "王敏") in told
    assert ("report.signed", "ok", "周洁") in told
