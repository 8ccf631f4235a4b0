"""The end of a month's way: the package of a version, its verdict, and that it was lodged."""

import json
from pathlib import Path
from typing import Any

from drivers.audit import current_person
from drivers.language import say
from drivers.model import ConfigError
from reports.chain import write_whole
from reports.console import archive_names as names
from reports.console.figures.archive import place
from reports.console.figures.wording import retold
from reports.console.office import Office
from reports.handing_in import HandingIn, hand_in
from reports.lodgings import SEALS, Lodging, read_lodgings
from reports.versions import read_report

Node = dict[str, Any]


def lodge(
    office: Office,
    file: str,
    receipt: str,
    on: str,
    note: str = "",
    backdated: str = "",
    *,
    incomplete: bool = False,
) -> Node:
    """Record that a version was handed in, by the visitor. Raises ConfigError."""
    path = place(office, file)
    stated = HandingIn(receipt, on, current_person(), note.strip(), backdated, incomplete)
    try:
        return node(hand_in(path, office.site, stated))
    except ConfigError as error:
        raise retold(error, path.parent) from None


def node(lodging: Lodging) -> Node:
    """As pages and programs get it."""
    told: Node = json.loads(lodging.text())
    told |= {"number": told.pop("n"), "hash": lodging.hash, "seals": lodging.report in SEALS}
    return {"note": "", "backdated": ""} | told


def lodgings(
    office: Office, report: str = "", period: str = "", *, after: int = 0, limit: int = 200
) -> Node:
    """Those recorded, oldest first; ``period`` takes what begins with it."""
    found = [
        each
        for each in read_lodgings(office.site.entries).lodgings
        if each.number > after and report in {"", each.report} and each.period.startswith(period)
    ]
    shown = found[: max(1, min(limit, 1000))]
    return {
        "lodgings": [node(each) for each in shown],
        "next": shown[-1].number if len(found) > len(shown) else None,
    }


def build(office: Office, file: str, approved_by: str = "", reason: str = "") -> Node:
    """The package of a version, with everything the report cites. Long. Raises ConfigError."""
    from reports.package.build import Order, build_package

    path, site = place(office, file), office.site
    target = names.package_of(path)
    order = Order(target, approved_by, reason)
    try:
        made = build_package(path, read_report(path), site, office.site_file, order)
    except ConfigError as error:
        raise retold(error, path.parent) from None
    left = made.found.left_out
    return {
        "file": file,
        "package": made.path.name,
        "bytes": made.path.stat().st_size,
        "files": len(made.found.files),
        "key": made.ring.vkey,
        "left_out": {key: say(text.zh, text.en) for key, text in left.items()},
    }


def verdict(office: Office, file: str) -> Node:
    """What ``smelter verify`` says of the package with the office's own key trusted. Long."""
    from reports.package.ring import open_ring
    from reports.package.verify import headline, table, verify

    path = place(office, file)
    package = names.package_of(path)
    if not package.is_file():
        raise ConfigError([say("还没有证据包", "there is no package yet")])
    ring = open_ring(office.site.entries, office.site.plant)
    found = verify(str(package), [ring.vkey], [])
    told: Node = {"package": package.name, "bytes": package.stat().st_size, **table(found)}
    told["headline"] = dict(zip(("zh", "en"), headline(found), strict=True))
    kept = _kept(office, package)
    kept.parent.mkdir(parents=True, exist_ok=True)
    write_whole(kept, json.dumps(told, ensure_ascii=False).encode())
    return told


def known_verdict(office: Office, file: str) -> Node | None:
    """What was found of the package as it is now; None: it was not verified yet."""
    try:
        found: Node = json.loads(_kept(office, names.package_of(place(office, file))).read_bytes())
    except (OSError, ValueError):
        return None
    return found


def _kept(office: Office, package: Path) -> Path:
    """Named by what would change with the package."""
    about = package.stat()
    return office.data / "verdicts" / f"{package.stem}-{about.st_size}-{about.st_mtime_ns}.json"
