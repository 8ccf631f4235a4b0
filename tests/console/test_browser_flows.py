"""What officers do, in Chromium and by keys alone: a month to its receipt, marks, two persons."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from reports.periods import PLANT_TIME
from tests.console.browser import Seat, seat
from tests.console.conftest import plant_folder
from tests.console.fresh_plant import FIGURES, filled, fresh_folder
from tests.console.historian_end import HistorianEnd
from tests.console.served import PASSWORD, Served, people, serve
from tests.console.stack_plant import DAY, Room, build, room
from tests.reports.conftest import Built

MONTH = "2026-10"
METER = "line1/ac1 meter.energy_import"
NEW_PASSWORD = "ember-under-seven-snows"  # noqa: S105 - of a simulated person


def typed(sitting: Seat, selector: str, text: str) -> None:
    sitting.tab_to(selector)
    sitting.page.keyboard.type(text)


def entered(sitting: Seat, selector: str) -> None:
    """A button or link, reached by Tab and pressed."""
    sitting.tab_to(selector)
    sitting.press("Enter")


def logged_in(sitting: Seat, name: str, password: str) -> None:
    """The name has the focus when the page opens."""
    sitting.go("/login")
    typed(sitting, "#name", name)
    typed(sitting, "#password", password)
    sitting.press("Enter")
    sitting.page.wait_for_url(lambda url: "/login" not in url)
    sitting.settle()


def onward(sitting: Seat, step: str) -> None:
    """To the next step of the month, by the button at the end of the one before."""
    entered(sitting, f'.onward a[href="/carbon/{MONTH}/{step}"]')
    sitting.page.wait_for_url(f"**/{step}")
    sitting.settle()


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    site_file = fresh_folder(tmp_path_factory.mktemp("flows") / "plant")
    people(site_file)
    served = serve(site_file)
    yield served
    served.end()


def test_a_month_from_what_lacks_to_its_receipt(
    browser: Browser, fresh: Served, tmp_path: Path
) -> None:
    officer = seat(browser, fresh)
    page = officer.page
    logged_in(officer, "officer", PASSWORD)
    entered(officer, "a.language")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    entered(officer, "a.language")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    entered(officer, '.side a[href="/carbon"]')
    page.wait_for_url("**/carbon")
    officer.go(f"/carbon?year={MONTH[:4]}")
    officer.tab_to(f'main a[href^="/carbon/{MONTH}"]', 200)
    officer.press("Enter")
    page.wait_for_url(f"**/carbon/{MONTH}/need")
    officer.settle()
    expect(page.locator("main")).to_contain_text("铝液产量")
    onward(officer, "enter")
    _upload(officer, fresh, tmp_path)
    typed(officer, '[name="reason"]', "十月台账")
    officer.press("Enter")
    page.wait_for_url("**/check?taken=5")
    officer.settle()
    expect(page.locator("main")).to_contain_text("已导入 5 条")
    _drawer(officer)
    onward(officer, "report")
    entered(officer, 'form[action$="/report"] button')
    expect(page.locator("main")).to_contain_text("33,027.36")
    onward(officer, "sign")
    entered(officer, 'form[action$="/sign"] button')
    expect(page.locator("main table")).to_contain_text("王敏")
    officer.settle()
    onward(officer, "package")
    entered(officer, 'form[action$="/package"] button')
    expect(page.get_by_role("link", name="下载证据包")).to_be_visible()
    onward(officer, "lodge")
    _lodge(officer)
    officer.go(f"/carbon?year={MONTH[:4]}")
    expect(page.locator("main")).to_contain_text("CETS-2026-10-0001")
    assert not officer.faults
    entered(officer, 'form[action="/logout"] button')
    page.wait_for_url("**/login*")
    officer.leave()


def _upload(officer: Seat, served: Served, folder: Path) -> None:
    """The plant's own template, filled in; the dialog for files is the system's, not the page's."""
    page = officer.page
    template = served.client("officer").get(f"/carbon/{MONTH}/template/xlsx").content
    table = folder / "october.xlsx"
    table.write_bytes(filled(template, FIGURES, "weighing.txt"))
    (folder / "weighing.txt").write_text("磅单汇总\n", "utf-8")
    form = page.locator(f'form[action="/carbon/{MONTH}/upload"]')
    form.locator('[name="table"]').set_input_files(table)
    form.locator('[name="documents"]').set_input_files(folder / "weighing.txt")
    entered(officer, f'form[action="/carbon/{MONTH}/upload"] button')
    page.wait_for_url("**/enter?staged=*")
    officer.settle()
    expect(page.locator("main")).to_contain_text("新增 5")


def _drawer(officer: Seat) -> None:
    """A figure says where it comes from; Escape leads back to it."""
    page = officer.page
    entered(officer, "main button.figure")
    asked = page.evaluate("document.activeElement.getAttribute('hx-get')")
    expect(page.locator("#drawer.open h2").first).to_be_visible()
    officer.press("Escape")
    expect(page.locator("#drawer.open")).to_have_count(0)
    assert page.evaluate("document.activeElement.getAttribute('hx-get')") == asked


def _lodge(officer: Seat) -> None:
    page = officer.page
    officer.tab_to('[name="on"]')
    page.keyboard.type("11012026")  # month, day, year: Chromium speaks English here
    assert page.input_value('[name="on"]') == "2026-11-01"
    typed(officer, '[name="receipt"]', "CETS-2026-10-0001")
    typed(officer, '[name="backdated"]', "系统上线前已报送")
    officer.press("Enter")
    expect(page.get_by_role("heading", name="已存证")).to_be_visible()
    officer.settle()


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    found = room(build(tmp_path_factory.mktemp("lake")), tmp_path_factory.mktemp("stacks"))
    yield found
    found.served.end()


def test_an_hour_above_its_limit_is_marked_with_evidence(
    browser: Browser, stacks: Room, tmp_path: Path
) -> None:
    order = tmp_path / "检修单.txt"
    order.write_text("检修单 2025-10-05：循环泵\n", "utf-8")
    officer = seat(browser, stacks.served, "officer")
    page = officer.page
    officer.go(f"/stacks/DA001?view=day&on={DAY}")
    nine = int(datetime(2025, 10, 5, 21, tzinfo=PLANT_TIME).timestamp())
    officer.tab_to(f'button.figure[hx-get*="at={nine}"]', 300)
    officer.press("Enter")
    expect(page.locator("#drawer.open h2")).to_contain_text("DA001")
    assert not officer.barriers()
    entered(officer, '#drawer a[href^="/stacks/records/new"]')
    page.wait_for_url("**/stacks/records/new*")
    officer.tab_to('[name="what"]')
    while page.input_value('[name="what"]') != "fault":
        before = page.input_value('[name="what"]')
        officer.press("ArrowDown")
        assert page.input_value('[name="what"]') != before, "no fault among the words"
    assert page.input_value('[name="start"]') == f"{DAY}T21:00"
    assert page.input_value('[name="end"]') == f"{DAY}T22:00"
    page.locator('[name="evidence"]').set_input_files(order)
    typed(officer, '[name="reason"]', "洗涤塔停运检修")
    assert not officer.barriers()
    officer.press("Enter")
    page.wait_for_url("**/stacks/records/hand/*")
    expect(page.locator("main")).to_contain_text("会改变哪些小时")
    assert not officer.barriers()
    entered(officer, 'form[action$="/record"] button')
    page.wait_for_url("**/stacks/records/1")
    expect(page.locator("main")).to_contain_text("在册")
    officer.go(f"/stacks/DA001?view=day&on={DAY}")
    expect(page.locator('main a[href="/stacks/records/1"]').first).to_be_visible()
    page.set_viewport_size({"width": 360, "height": 800})
    assert officer.too_wide() <= 0
    assert not officer.barriers()
    assert not officer.faults
    officer.leave()


PROPOSAL = {
    "value": "1.5702",
    "title": "全国碳市场管理平台公布的铝冶炼行业平衡值",
    "issuer": "生态环境部",
    "where": "登录 cets.org.cn，企业账户查看",
    "locator": "企业账户内公布的 2025 年度平衡值",
    "seen": "登录平台查看并截图",
}


def test_a_value_of_law_takes_two_and_a_newcomer_a_password_of_his_own(
    browser: Browser, own_console: Served, tmp_path: Path
) -> None:
    document = tmp_path / "screen.txt"
    document.write_text("2025 年度铝冶炼行业平衡值 1.5702 tCO2e/t\n", "utf-8")
    officer = seat(browser, own_console, "officer")
    page = officer.page
    officer.go("/settings/overlays/new?of=cn_allowance_aluminium.balance_value")
    page.locator('[name="document"]').set_input_files(document)
    page.fill('[name="applies_from"]', "2025-01-01")
    for name, text in PROPOSAL.items():
        officer.tab_to(f'[name="{name}"]')
        officer.press("Control+a")
        page.keyboard.type(text)
    officer.press("Enter")
    page.wait_for_url("**/settings/overlays/*done=proposed*")
    where = page.url.partition("?")[0].removeprefix(own_console.url)
    assert not officer.barriers()
    assert not officer.faults
    officer.leave()

    engineer = seat(browser, own_console, "engineer", "en")
    engineer.go(where)
    expect(engineer.page.locator("main")).to_contain_text("read it in the document yourself")
    with engineer.page.expect_download() as got:
        entered(engineer, f'a[href="{where}/document"]')
    assert got.value.path().read_bytes() == document.read_bytes()
    typed(engineer, 'form[action$="/confirm"] [name="value"]', "1.5702")
    engineer.press("Enter")
    engineer.page.wait_for_url("**done=signed*")
    expect(engineer.page.locator("main")).to_contain_text("Signed")
    assert not engineer.faults
    engineer.leave()

    _newcomer(browser, own_console)


def _newcomer(browser: Browser, served: Served) -> None:
    """An account is made; its first password opens one page only: that of changing it."""
    administrator = seat(browser, served, "administrator", "en")
    administrator.go("/settings/users")
    typed(administrator, "#person", "吴桐")
    typed(administrator, "#name", "wutong")
    administrator.tab_to('form[action="/settings/users"] [value="officer"]')
    administrator.press("Space")
    entered(administrator, 'form[action="/settings/users"] button')
    first = administrator.page.locator(".secret").inner_text().strip()
    assert not administrator.barriers()
    assert not administrator.faults
    administrator.leave()

    newcomer = seat(browser, served, "", "en")
    logged_in(newcomer, "wutong", first)
    newcomer.page.wait_for_url("**/account/password")
    newcomer.page.goto(f"{served.url}/carbon")
    newcomer.page.wait_for_url("**/account/password*")
    typed(newcomer, "#old", first)
    typed(newcomer, "#new", NEW_PASSWORD)
    typed(newcomer, "#again", NEW_PASSWORD)
    newcomer.press("Enter")
    newcomer.page.wait_for_url(lambda url: "/account/password" not in url)
    newcomer.go("/carbon")
    expect(newcomer.page.locator("h1")).to_contain_text("Carbon")
    entered(newcomer, 'form[action="/logout"] button')
    newcomer.page.wait_for_url("**/login*")
    newcomer.go("/carbon")
    assert "/login" in newcomer.page.url
    assert not newcomer.faults
    newcomer.leave()


def test_a_point_is_found_zoomed_and_taken_home(browser: Browser, console: Served) -> None:
    viewer = seat(browser, console, "viewer")
    page = viewer.page
    viewer.go(f"/explore?from={MONTH}-01T00:00&to={MONTH}-31T00:00")
    typed(viewer, "#explore-q", "ac1")
    found = f'[data-point="{METER}"]'
    expect(page.locator(found)).to_be_visible()
    entered(viewer, found)
    expect(page.locator("#explore-chosen li")).to_have_count(1)
    expect(page.locator("#explore-chart .uplot")).to_be_visible()
    before = page.url
    viewer.tab_to("#explore-chart")
    viewer.press("+")
    page.wait_for_url(lambda url: url != before)
    viewer.settle()
    with page.expect_download() as got:
        entered(viewer, 'a[data-form="csv"]')
    table = got.value.path().read_text("utf-8-sig")
    assert "kWh" in table.splitlines()[1]
    assert f"{MONTH}-15" in table  # the middle is still there,
    assert f"{MONTH}-02" not in table  # what was zoomed away is not
    assert not viewer.faults
    viewer.leave()


def test_what_comes_in_is_seen_at_once(
    browser: Browser, console_plant: Built, tmp_path: Path
) -> None:
    with HistorianEnd() as historian:
        site_file = plant_folder(tmp_path / "plant", console_plant.root)
        with site_file.open("a", encoding="utf-8") as site:
            site.write(f'\n[console]\nhistorian = "{historian.address}"\n')
        people(site_file)
        served = serve(site_file)
        try:
            viewer = seat(browser, served, "viewer")
            viewer.go("/potlines/line1/pot001")
            shown = viewer.page.locator('[data-live="line1/pot001 pot.voltage"]').first
            for volts in (4.115, 4.336):
                historian.pot(volts)
                expect(shown).to_contain_text(f"{volts:.3f}")
            assert not viewer.faults
            viewer.leave()
        finally:
            served.end()
