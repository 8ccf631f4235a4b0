"""
Every page of the console as a picture: ``make pictures`` -> build/pictures/360-zh-today.png …

Of a simulated year (``smelter demo``, made once in build/pictures-plant; some minutes), or with
``--site FILE`` of that plant: an account for each role is added to it. Ends with 1 where a page has
a fault, sticks out, or has a barrier that axe calls serious.
"""

import argparse
import contextlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser

from drivers.model import ConfigError
from tests.console.browser import Seat, chromium, seat
from tests.console.served import Served, people, serve

ROOT: Final = Path(__file__).resolve().parents[2]
BUILD: Final = ROOT / "build"
PLANT: Final = BUILD / "pictures-plant"
YEAR: Final = "2025"
WIDTHS: Final = (360, 1280, 1920)
METER: Final = "point=line1/ac1+meter.energy_import"
PAGES: Final = {
    "today": "/",
    "potlines": "/potlines",
    "potline": "/potlines/line1?at={year}-11-20",
    "pot": "/potlines/line1/pot001",
    "stacks": "/stacks",
    "stack": "/stacks/DA001?view=day&on={year}-11-20",
    "records": "/stacks/records",
    "record-new": "/stacks/records/new?kind=mark&equipment=DA001",
    "energy": "/energy",
    "carbon": "/carbon?year={year}",
    "month-need": "/carbon/{year}-11/need",
    "month-enter": "/carbon/{year}-11/enter",
    "month-check": "/carbon/{year}-11/check",
    "month-report": "/carbon/{year}-11/report",
    "month-sign": "/carbon/{year}-11/sign",
    "month-package": "/carbon/{year}-11/package",
    "month-lodge": "/carbon/{year}-11/lodge",
    "grade": "/grade",
    "evidence": "/evidence",
    "explore": f"/explore?{METER}&from={{year}}-11-01T00:00&to={{year}}-12-01T00:00",
    "reports": "/reports",
    "settings": "/settings",
    "meters": "/settings/meters",
    "gateways": "/settings/gateways",
    "rules": "/settings/rules",
    "overlays": "/settings/overlays",
    "overlay-new": "/settings/overlays/new?of=cn_allowance_aluminium.balance_value",
    "notices": "/settings/notices",
    "audit": "/settings/audit",
    "site": "/settings/site",
    "tables": "/settings/tables",
    "catalogue": "/settings/catalogue",
    "users": "/settings/users",
    "tokens": "/settings/tokens",
    "account": "/account",
    "help": "/help",
    "help-api": "/help/api",
}
OF_ADMINISTRATORS: Final = ("/settings/notices", "/settings/audit", "/settings/users")


def main() -> int:
    """0: pictures without faults; 1: with."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--site", type=Path, help="of a plant; an account for each role is added")
    parser.add_argument("--into", type=Path, default=BUILD / "pictures")
    parser.add_argument("--only", nargs="*", default=[], help="names of pages")
    parser.add_argument("--widths", nargs="*", type=int, default=WIDTHS)
    parser.add_argument("--year", default=YEAR)
    asked = parser.parse_args()
    asked.into.mkdir(parents=True, exist_ok=True)
    site_file = asked.site or _demo()
    with contextlib.suppress(ConfigError):  # they are there from the last time
        people(site_file)
    served = serve(site_file)
    bad = 0
    try:
        with chromium() as browser:
            for lang in ("zh", "en"):
                for width in asked.widths:
                    bad += _pictures(browser, served, asked, lang, width)
    finally:
        served.end()
    print(f"{asked.into}: {bad} faults")
    return 1 if bad else 0


def _pictures(
    browser: Browser, served: Served, asked: argparse.Namespace, lang: str, width: int
) -> int:
    bad = 0
    nobody = seat(browser, served, "", lang, width)
    nobody.go("/login")
    bad += _picture(nobody, asked.into, "login", lang, width)
    nobody.leave()
    for name, address in PAGES.items():
        if asked.only and name not in asked.only:
            continue
        where = address.format(year=asked.year)
        role = "administrator" if where in OF_ADMINISTRATORS else "officer"
        sitting = seat(browser, served, role, lang, width)
        sitting.go(where)
        bad += _picture(sitting, asked.into, name, lang, width)
        sitting.leave()
    return bad


def _picture(sitting: Seat, into: Path, name: str, lang: str, width: int) -> int:
    sitting.page.screenshot(path=into / f"{width}-{lang}-{name}.png", full_page=True)
    told = list(sitting.faults)
    if (more := sitting.too_wide()) > 0:
        told.append(f"sticks out by {more} px")
    told += sitting.barriers()
    if width == WIDTHS[0]:
        sitting.page.emulate_media(color_scheme="dark")
        told += [f"dark: {each}" for each in sitting.barriers("color-contrast")]
    for each in told:
        print(f"{width} {lang} {name}: {each}", flush=True)
    return len(told)


def _demo() -> Path:
    """A simulated year with all its reports, kept from the last time."""
    site_file = PLANT / "site.toml"
    if not site_file.exists():
        smelter = (sys.executable, "-c", "from drivers.cli import main; main()")
        year = ("demo", "--once", "--year", YEAR, "--dir", str(PLANT))
        subprocess.run([*smelter, *year], check=True, env=os.environ)
    return site_file


if __name__ == "__main__":
    sys.exit(main())
