"""Two persons for a value of law: a proposal has no effect, blind reading, signing, taking away."""

import hashlib
import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import httpx
import pytest

from drivers.model import ConfigError
from reports.acts import trail_of
from reports.console import proposals
from reports.console.office import Office
from reports.rules.overlay import load_packs, read_overlay
from reports.rules.packs import RuleAbsentError
from reports.site import load_site
from tests.console.conftest import plant_folder
from tests.console.served import Served, people, serve
from tests.reports.conftest import Built

ID = "cn_allowance_aluminium.balance_value"
SCREEN = "登录平台所见：2025 年度铝冶炼行业平衡值 1.5702 tCO2e/t\n".encode()
VALUE = {
    "parameter": ID,
    "value": "1.5702",
    "applies_from": "2025-01-01",
    "title": "全国碳市场管理平台公布的铝冶炼行业平衡值",
    "issuer": "生态环境部",
    "published": "2026-09-18",
    "where": "登录 cets.org.cn，企业账户查看",
    "locator": "企业账户内公布的 2025 年度平衡值",
    "seen": "登录平台查看并截图",
}


@pytest.fixture(scope="module")
def plant(console_plant: Built, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A console of its own: the acts here change what reports would say."""
    site_file = plant_folder(tmp_path_factory.mktemp("overlays"), console_plant.root)
    people(site_file)
    served = serve(site_file)
    yield served
    served.end()


@pytest.fixture(scope="module")
def officer(plant: Served) -> httpx.Client:
    return plant.client("officer")


@pytest.fixture(scope="module")
def engineer(plant: Served) -> httpx.Client:
    return plant.client("engineer")


def propose(client: httpx.Client, **other: str) -> httpx.Response:
    files = {"document": ("平衡值截图.txt", SCREEN, "text/plain")}
    return client.post("/settings/overlays/new", data=VALUE | other, files=files)


def proposed(client: httpx.Client, **other: str) -> str:
    """The address of a new proposal."""
    answer = propose(client, **other)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].partition("?")[0]


def sign(client: httpx.Client, where: str, value: str) -> httpx.Response:
    assert client.get(f"{where}/document").content == SCREEN
    return client.post(f"{where}/confirm", data={"value": value})


def value_now(plant: Served, year: int = 2025) -> float:
    packs = load_packs(load_site(plant.site_file))
    return float(packs["cn_allowance_aluminium"].at("balance_value", date(year, 1, 1)).number)


def problems(answer: httpx.Response) -> str:
    found = re.search(r'class="problems".*?</div>', answer.text, re.DOTALL)
    assert found, answer.text[:3000]
    return found[0]


def test_from_proposal_to_a_value_in_force(
    plant: Served, officer: httpx.Client, engineer: httpx.Client
) -> None:
    where = proposed(officer)
    with pytest.raises(RuleAbsentError):  # a proposal has no effect at all
        value_now(plant)
    assert not list(Office(plant.site_file).site.entries.parent.glob("signed-rules/*.toml"))
    assert "1.5702" in officer.get(where).text  # who typed it sees it
    for page in (where, "/settings/overlays/list", "/api/v1/settings/overlays"):
        assert "1.5702" not in engineer.get(page).text, page  # who checks reads it himself
    signed = sign(engineer, where, "1.57020")
    assert signed.status_code == 303, signed.text
    assert value_now(plant) == pytest.approx(1.5702)
    (file,) = Office(plant.site_file).site.overlays
    (stretch,) = read_overlay(file).stretches
    checked = stretch.legal.overlay
    assert checked is not None
    assert (checked.entered_by, checked.checked_by) == ("王敏", "李强")
    assert checked.sha256 == hashlib.sha256(SCREEN).hexdigest()
    assert (file.parent / checked.document).read_bytes() == SCREEN
    assert stretch.until == date(2026, 1, 1)  # yearly
    acts = [each.act for each in trail_of(load_site(plant.site_file)).read()]
    told = [(each.what, each.who, each.result) for each in acts if each.what.startswith("rules.")]
    assert told == [("rules.proposed", "王敏", "ok"), ("rules.signed", "李强", "ok")]
    assert acts[-1].details["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert "已签署" in engineer.get(where).text
    # decided once: nobody signs or refuses it again
    assert engineer.post(f"{where}/confirm", data={"value": "1.5702"}).status_code == 422
    assert officer.post(f"{where}/refuse", data={"reason": "晚了"}).status_code == 422


def test_a_signed_value_goes_only_by_two_persons(
    plant: Served, officer: httpx.Client, engineer: httpx.Client
) -> None:
    where = proposed(officer, applies_from="2024-01-01", published="2026-01-05")
    assert sign(engineer, where, "1.5702").status_code == 303
    assert value_now(plant, 2024) == pytest.approx(1.5702)
    name = f"{ID}-2024-01-01.toml"
    asked = officer.post("/settings/overlays/removal", data={"file": name, "note": "读错年份"})
    where = asked.headers["location"].partition("?")[0]
    assert officer.post(f"{where}/confirm").status_code == 422
    assert value_now(plant, 2024) == pytest.approx(1.5702)
    assert engineer.post(f"{where}/confirm").status_code == 303
    with pytest.raises(RuleAbsentError):
        value_now(plant, 2024)
    folder = Office(plant.site_file).site.entries.with_name("signed-rules")
    assert [path.name for path in (folder / "former").iterdir()] == [f"{ID}-2024-01-01.1.toml"]


def test_the_one_who_typed_it_cannot_sign(plant: Served, officer: httpx.Client) -> None:
    where = proposed(officer, applies_from="2023-01-01", published="2026-01-05")
    answer = sign(officer, where, "1.5702")
    assert answer.status_code == 422
    assert "须由另一人核对" in problems(answer)
    last = [each.act for each in trail_of(load_site(plant.site_file)).read()][-1]
    assert (last.what, last.result, last.who) == ("rules.signed", "refused", "王敏")
    taken = officer.post(f"{where}/refuse", data={"reason": "重新录入"})
    assert taken.status_code == 303
    assert "已撤回" in officer.get(where).text


def test_the_same_person_with_two_accounts_cannot_sign(plant: Served) -> None:
    """A second account of 王敏 (the names tell no two persons apart) is no second person."""
    from reports.console.doors.roles import Role
    from reports.console.doors.store import Store
    from tests.console.served import PASSWORD, hash_of

    store = Store(Office(plant.site_file).data)
    added = ("wangmin", "王 敏（环保部）", [Role.OFFICER], hash_of(PASSWORD), "test")
    store.add_user(*added, must_change=False)
    store.close()
    where = proposed(plant.client("officer"), applies_from="2022-01-01", published="2026-01-05")
    answer = sign(plant.client("wangmin"), where, "1.5702")
    assert answer.status_code == 422
    assert "须由另一人核对" in problems(answer)


def test_another_value_or_an_unopened_document_signs_nothing(
    plant: Served, officer: httpx.Client, engineer: httpx.Client
) -> None:
    where = proposed(officer, applies_from="2021-01-01", published="2026-01-05")
    unread = engineer.post(f"{where}/confirm", data={"value": "1.5702"})
    assert unread.status_code == 422
    assert "请先打开依据文件" in problems(unread)
    for wrong in ("1.5720", "", "1,5702.1", "一点五七"):
        answer = sign(engineer, where, wrong)
        assert answer.status_code == 422
        assert "1.5702" not in problems(answer)  # the refusal does not tell it either
    refused = engineer.post(f"{where}/refuse", data={"reason": "截图看不清年度"})
    assert refused.status_code == 303
    assert "截图看不清年度" in officer.get(where).text
    assert engineer.post(f"{where}/refuse", data={"reason": ""}).status_code == 422


def test_a_document_that_changed_after_the_proposal_is_not_signed(
    plant: Served, officer: httpx.Client, engineer: httpx.Client
) -> None:
    where = proposed(officer, applies_from="2020-01-01", published="2026-01-05")
    assert engineer.get(f"{where}/document").status_code == 200
    folder = Office(plant.site_file).data / "proposals" / where.rpartition("/")[2]
    (folder / "平衡值截图.txt").write_bytes(b"another")
    answer = engineer.post(f"{where}/confirm", data={"value": "1.5702"})
    assert answer.status_code == 422
    assert "依据文件在提议之后变了" in problems(answer)
    assert not list(folder.parents[2].glob(f"signed-rules/{ID}-2020*"))


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"value": "15702"}, "取值"),  # another unit: 1.2 to 5 is what can be
        ({"value": "abc"}, "取值"),
        ({"value": ""}, "取值"),
        ({"applies_from": "2025-06-01"}, "适用起始日"),  # yearly: 1 January
        ({"seen": ""}, "怎样看到的"),
        ({"published": "2999-01-01"}, "发布日期"),
    ],
)
def test_a_proposal_with_a_mistake_is_refused_with_what_was_typed(
    officer: httpx.Client, other: dict[str, str], told: str
) -> None:
    answer = propose(officer, **other)
    assert answer.status_code == 422
    assert told in problems(answer)
    assert "生态环境部" in answer.text  # nothing has to be typed again


def test_uploads_are_bounded_and_of_a_known_type(officer: httpx.Client) -> None:
    def sent(name: str, content: bytes) -> httpx.Response:
        files = {"document": (name, content, "application/octet-stream")}
        return officer.post("/settings/overlays/new", data=VALUE, files=files)

    assert "只接受这些文件" in problems(sent("a.exe", b"MZ"))
    assert "内容与扩展名不符" in problems(sent("a.pdf", b"MZ"))
    assert "内容与扩展名不符" in problems(sent("a.txt", b"a\0b"))
    assert "文件是空的" in problems(sent("a.pdf", b""))
    nothing = officer.post("/settings/overlays/new", data=VALUE)
    assert "请选择依据文件" in problems(nothing)
    escaped = sent("../../../site.toml.txt", SCREEN)  # a name, never a path
    assert escaped.status_code in {303, 422}


def test_viewers_look_and_nobody_without_the_right_acts(
    plant: Served, officer: httpx.Client
) -> None:
    viewer = plant.client("viewer")
    where = proposed(officer, applies_from="2019-01-01", published="2026-01-05")
    assert viewer.get(where).status_code == 200
    assert "1.5702" not in viewer.get(where).text
    assert viewer.get(f"{where}/document").status_code == 403
    assert viewer.post(f"{where}/confirm", data={"value": "1.5702"}).status_code == 403
    assert propose(viewer).status_code == 403
    assert plant.client("administrator").post(f"{where}/confirm").status_code == 403
    for bad in ("/settings/overlays/../../x", "/settings/overlays/20260101-zz", "/settings/x"):
        assert viewer.get(bad).status_code in {404, 422}


def test_what_a_file_of_site_toml_holds_is_not_entered_beside_it(
    console_plant: Built, tmp_path: Path
) -> None:
    """The clash would stop every report; so it is refused when it is typed."""
    from drivers.audit import acting
    from reports.console.figures import settings_overlays, settings_signing

    site_file = plant_folder(tmp_path / "p", console_plant.root)
    folder = site_file.parent / "laws"
    folder.mkdir()
    (folder / "screen.txt").write_bytes(SCREEN)
    sha = hashlib.sha256(SCREEN).hexdigest()
    rest = {**VALUE, "document": "screen.txt", "sha256": sha, "unit": "t_co2e_per_t"}
    people_ = {"entered_by": "张三", "checked_by": "李四", "checked_on": "2026-09-21"}
    bare = {"value", "applies_from", "published", "checked_on"}
    lines = [
        f"{key} = {text if key in bare else json.dumps(text, ensure_ascii=False)}"
        for key, text in (rest | people_).items()
    ]
    (folder / "own.toml").write_text("[[values]]\n" + "\n".join(lines) + "\n", "utf-8")
    text = site_file.read_text("utf-8")
    site_file.write_text('overlays = ["laws/own.toml"]\n' + text, "utf-8")
    office = Office(site_file)
    upload = tmp_path / "screen.txt"
    upload.write_bytes(SCREEN)
    with acting("王敏", "test"), pytest.raises(ConfigError, match=r"own\.toml"):
        settings_overlays.propose(office, VALUE, str(upload), "officer")
    # another year of the same parameter stands beside it
    upload.write_bytes(SCREEN)
    other = VALUE | {"applies_from": "2024-01-01"}
    with acting("王敏", "test"):
        made = settings_overlays.propose(office, other, str(upload), "officer")
    proposal = proposals.read(office, made["id"])
    proposals.mark_opened(office, proposal, "engineer")
    with acting("李强", "test"):
        settings_signing.confirm(office, made["id"], "1.5702", "engineer")
    again = Office(site_file)
    assert [path.name for path in again.site.overlays] == ["own.toml", f"{ID}-2024-01-01.toml"]
    assert len(load_packs(again.site)["cn_allowance_aluminium"].overlays["balance_value"]) == 2
    with acting("赵六", "test"), pytest.raises(ConfigError):
        settings_overlays.remove(again, "own.toml", "x", "officer")  # not ours to take away
