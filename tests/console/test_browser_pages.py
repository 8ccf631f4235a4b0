"""Each page in Chromium: whole, of one language, narrow and wide, open to everybody (axe)."""

import pytest
from playwright.sync_api import Browser

from tests.console.browser import Seat, seat
from tests.console.conftest import ENTERED
from tests.console.served import PERSONS, Served

MONTH = f"{ENTERED:%Y}-10"
METER = "point=line1/ac1+meter.energy_import"
LOOKED_AT = (
    "/",
    "/potlines",
    "/potlines/line1",
    "/potlines/line1/pot001",
    "/stacks",
    "/stacks/records",
    "/energy",
    f"/carbon?year={ENTERED:%Y}",
    *(f"/carbon/{MONTH}/{step}" for step in ("need", "enter", "check", "report", "sign")),
    *(f"/carbon/{MONTH}/{step}" for step in ("package", "lodge")),
    "/grade",
    "/evidence",
    f"/explore?{METER}&from={MONTH}-01T00:00&to={MONTH}-31T00:00",
    "/reports",
    "/settings/rules",
    "/settings/overlays",
    "/settings/overlays/new?of=cn_allowance_aluminium.balance_value",
    "/settings",
    "/settings/meters",
    "/settings/gateways",
    "/settings/site",
    "/settings/catalogue",
    "/settings/tables",
    "/settings/tokens",
    "/account",
    "/account/password",
    "/help",
    "/help/api",
)
# One of each sheet of styles; all of them, with `make pictures`.
DARK = ("/", f"/carbon/{MONTH}/enter", "/energy", "/evidence", "/stacks", "/settings", "/login")
OF_ADMINISTRATORS = ("/settings/users", "/settings/audit", "/settings/notices")
# Proper names: of persons, of the plant as site.toml has it in one language, of files.
NAMES = (
    *PERSONS.values(),
    *("示例铝业有限公司", "一系列", "二系列", "十月台账"),
    *("weighing.txt", "万kWh", "块"),
)
# Titles of Chinese law, and the words of the API for those who write programs, are of one language.
ORIGINAL = {"en": ("/grade", "/settings/rules"), "zh": ("/help/api",)}
WORDS = {"zh": "zh-CN", "en": "en"}


def wrong(sitting: Seat, address: str, lang: str) -> list[str]:
    """All that is wrong on a page, in one visit."""
    page = sitting.page
    page.set_viewport_size({"width": 360, "height": 800})
    sitting.go(address)
    told = [f"360 px: sticks out by {more}" for more in [sitting.too_wide()] if more > 0]
    page.set_viewport_size({"width": 1920, "height": 1080})
    told += [f"1920 px: sticks out by {more}" for more in [sitting.too_wide()] if more > 0]
    if page.get_attribute("html", "lang") != WORDS[lang]:
        told.append("html lang")
    if page.locator("h1").count() != 1:
        told.append(f"{page.locator('h1').count()} headings of the first rank")
    if address not in ORIGINAL[lang]:
        told += [f"words: {each}" for each in sitting.strange(lang, *NAMES)]
    if lang == "zh":  # the same elements stand there in both languages
        told += sitting.barriers()
    if lang == "zh" and address in DARK:
        page.emulate_media(color_scheme="dark")
        told += [f"dark: {each}" for each in sitting.barriers("color-contrast")]
        page.emulate_media(color_scheme="light")
    told += sitting.faults
    sitting.faults.clear()
    return [f"{address}: {each}" for each in told]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_each_page_is_whole(browser: Browser, console: Served, lang: str) -> None:
    officer = seat(browser, console, "officer", lang)
    told = [each for address in LOOKED_AT for each in wrong(officer, address, lang)]
    officer.leave()
    administrator = seat(browser, console, "administrator", lang)
    for address in OF_ADMINISTRATORS:
        told += wrong(administrator, address, lang)
    administrator.leave()
    nobody = seat(browser, console, "", lang)
    told += wrong(nobody, "/login", lang)
    nobody.leave()
    assert not told, "\n".join(told)
