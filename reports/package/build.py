"""Building a package for a report: allowed, gathered, signed, told – by command or console."""

from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from drivers.model import ConfigError
from reports.acts import record_act, refusals
from reports.model import Report
from reports.package.archive import write_package
from reports.package.export import permit_package, tell_export
from reports.package.gather import Gathered, Wish, gather
from reports.package.ring import Ring, open_ring
from reports.site import Site


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for; ``out`` None: beside the report, with its name."""

    out: Path | None = None
    approved_by: str = ""  # who approves that data leave
    reason: str = ""
    signature: str = "ed25519"  # algorithm of the first key
    rotate_key: bool = False
    wish: Wish = field(default_factory=Wish)


@dataclass(frozen=True, slots=True)
class Built:
    """The file, what is in it, who signed."""

    path: Path
    found: Gathered
    ring: Ring


def build_package(file: Path, report: Report, plant: Site, site_file: Path, order: Order) -> Built:
    """
    A new package for the report in ``file``. Nothing there is overwritten.

    Raises ConfigError, recorded as a refused act: not ours, not allowed to leave, not whole.
    """
    if plant.plant != report.content.plant.id:
        raise ConfigError([f"{site_file}: {plant.plant}, {report.content.plant.id}"])
    out, approved_by, reason = order.out, order.approved_by, order.reason
    permitted = permit_package(plant, site_file, out or file, approved_by, reason)
    target = out or file.with_name(f"{file.stem}.evidence.zip")
    with refusals(plant, "package.made", target.name, reason=reason):
        ring = open_ring(plant.entries, plant.plant, order.signature, rotate=order.rotate_key)
        found = gather(report, file, plant, site_file, ring, order.wish)
        write_package(target, found.files, found.said, ring)
    tell_export(plant, target, approved_by, reason, permitted)
    _noted(plant, target, report)
    return Built(target, found, ring)


def _noted(site: Site, target: Path, report: Report) -> None:
    """The act, with the heads of the chains: under the historian's tree nobody rewrites them."""
    details = {
        "report": f"{report.content.report}-{report.content.period.name}-v{report.version}",
        "content_sha256": report.content_sha256,
        "sha256": sha256(target.read_bytes()).hexdigest(),
    }
    record_act(site, "package.made", target.name, details=details)
