"""A month's report of the built plant, over cosigned originals, sealed into a package."""

from pathlib import Path

from reports.entries.documents import keep
from reports.entries.ledger import Document
from reports.make import make_report
from reports.package.archive import write_package
from reports.package.gather import Wish, gather
from reports.package.ring import open_ring
from reports.site import load_site
from reports.versions import read_report
from tests.reports import plant
from tests.reports.conftest import Office
from tests.reports.forging import Original
from tests.reports.proven import Ends, prove


def office_over(root: Path, originals: Path, lake: Path) -> Office:
    """An office with its month entered, whose site names these originals."""
    root.mkdir(parents=True, exist_ok=True)
    text = plant.SITE.replace('lake = "lake"', f'lake = "{lake}"')
    text = text.replace('originals = "originals"', f'originals = "{originals}"')
    (root / "site.toml").write_text(text, "utf-8")
    (root / "weighing.txt").write_text("磅单汇总\n", "utf-8")
    office = Office(root)
    office.enter(plant.ENTRIES)
    for name in ("entries.csv", "weighing.txt"):
        keep(office.site.entries, Document.of(root / name), root / name)
    return office


def written(office: Office, formats: str = "json") -> Path:
    """The month's report on disk."""
    out = office.root / "reports"
    made = make_report(
        "carbon-monthly", office.site_file, plant.OCTOBER, out, formats.split(","), "zh"
    )
    return made.path


def sealed_in(office: Office, target: Path, wish: Wish | None = None) -> Path:
    """The package of the month's report."""
    path = written(office)
    site = load_site(office.site_file)
    ring = open_ring(site.entries, site.plant)
    report = read_report(path)
    found = gather(report, path, site, office.site_file, ring, wish or Wish())
    write_package(target, found.files, found.said, ring)
    return target


def seal(root: Path, built: Path) -> Original:
    """Everything below ``root``, from a plant built in ``built``."""
    ends: Ends = prove(root / "historian", built / "originals")
    office = office_over(root / "office", ends.root / "originals", built / "lake")
    path = sealed_in(office, root / "true.evidence.zip")
    ring = open_ring(office.site.entries, "demo")
    scratch = root / "scratch"
    scratch.mkdir()
    return Original(path, ring, ends, scratch)
