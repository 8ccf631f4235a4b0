"""Evidence as a person meets it: in Chromium, by keys alone, on a phone, by dropping a file."""

import base64
import random

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.console.evidence_scene import METER, MONTH, Scene
from tests.reports.forging import flip


def opened(browser: Browser, scene: Scene, address: str, lang: str, width: int) -> Page:
    """A page of an officer; what its scripts throw, or the policy forbids, is an error."""
    context = browser.new_context(viewport={"width": width, "height": 800})
    for each in scene.served.client("officer", lang).cookies.jar:
        cookie = {"name": each.name, "value": each.value or "", "url": scene.served.url}
        context.add_cookies([cookie])  # type: ignore[list-item]
    page = context.new_page()
    page.set_default_timeout(120_000)
    expect.set_options(timeout=120_000)
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    page.goto(f"{scene.served.url}{address}")
    return page


def test_by_keys_from_a_word_to_the_proof_and_back(browser: Browser, scene: Scene) -> None:
    page = opened(browser, scene, "/evidence", "zh", 1280)
    page.focus("#q")
    page.keyboard.type("工序交流电量")
    expect(page.locator("#found a").first).to_be_visible()
    page.locator("#found a").first.focus()
    page.keyboard.press("Enter")
    drawer = page.locator("#drawer")
    expect(drawer.locator("h2")).to_contain_text("工序交流电量")
    first = drawer.locator("table.inputs a").first
    first.focus()
    page.keyboard.press("Enter")
    expect(drawer.locator(".back a")).to_be_visible()
    drawer.locator(".back a").focus()
    page.keyboard.press("Enter")
    expect(drawer.locator(".back")).to_have_count(0)
    prove, verdict = drawer.get_by_role("button", name="当场证明"), drawer.locator(".verdict-line")
    for _ in range(12):  # the drawer takes the focus when it has new content, perhaps just now
        if prove.count() and not verdict.count():
            prove.press("Enter")
        page.wait_for_timeout(1500)
        if verdict.count():
            break
    expect(verdict).to_contain_text("成立")
    page.keyboard.press("Escape")
    expect(drawer).not_to_have_class("drawer open")


@pytest.mark.parametrize("width", [360, 1920])
def test_nothing_sticks_out(browser: Browser, scene: Scene, width: int) -> None:
    for lang, address in (
        ("zh", "/evidence"),
        ("en", "/evidence/report?file=carbon-monthly-2026-10-v2.json"),
        ("en", f"/evidence/figure?meter={METER}&report={MONTH['report']}&period=2026-10"),
        ("zh", "/help"),
        ("en", "/help/api"),
    ):
        page = opened(browser, scene, address, lang, width)
        page.wait_for_load_state("networkidle")
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, (address, wide)
        page.context.close()


DROP = """([text, name]) => {
  const bytes = Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], name));
  const place = document.querySelector("[data-drop]");
  for (const kind of ["dragenter", "dragover", "drop"])
    place.dispatchEvent(
      new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer: data }));
}"""


def test_a_package_is_dropped_and_a_forged_one_chosen(browser: Browser, scene: Scene) -> None:
    page = opened(browser, scene, "/evidence", "en", 1280)
    page.locator("#verify summary").click()
    page.locator("#verify textarea[name=key]").fill("\n".join(scene.original.trusted))
    true = base64.b64encode(scene.original.path.read_bytes()).decode()
    page.evaluate(DROP, [true, "true.evidence.zip"])
    expect(page.locator("#verdict .verdict.good")).to_contain_text("Intact")
    forged = flip(scene.original, random.Random(5)).path
    page.set_input_files("#package", str(forged))
    page.get_by_role("button", name="Verify").click()
    expect(page.locator("#verdict .verdict.bad")).to_contain_text("Changed")
