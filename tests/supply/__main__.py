"""
``python -m tests.supply licences [--write] | audit [FILE] | advisories FROM | equal BOM PYTHON``.

0: good; 1: something is refused, weak or different; 2: wrong use or no snapshot.
"""

import argparse
import sys
from datetime import date
from pathlib import Path

from tests.supply import bom, licences
from tests.supply.advisories import (
    OLD_DAYS,
    SNAPSHOT,
    SnapshotError,
    brought,
    keep,
    read_snapshot,
    today,
    weaknesses,
)
from tests.supply.lock import LOCKS, ROOT, read_lock

PAGE = ROOT / "docs" / "licences.md"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.supply", description=__doc__)
    tasks = parser.add_subparsers(dest="task", required=True)
    listing = tasks.add_parser("licences", help="of what a plant installs")
    listing.add_argument("--write", action="store_true", help=f"renew {PAGE.name}")
    audit = tasks.add_parser("audit", help="the locks against known weaknesses, offline")
    audit.add_argument("snapshot", nargs="?", type=Path, default=SNAPSHOT)
    renew = tasks.add_parser("advisories", help=f"make {SNAPSHOT.name} of OSV files")
    renew.add_argument("origin", type=Path, help="folder, ZIP or JSON file that was brought")
    renew.add_argument("--day", type=date.fromisoformat, default=today(), help="of the export")
    equal = tasks.add_parser("equal", help="an SBOM against an environment")
    equal.add_argument("bom", type=Path)
    equal.add_argument("python", type=Path)
    asked = parser.parse_args()
    if asked.task == "licences":
        return _licences(write=asked.write)
    if asked.task == "equal":
        found = bom.differences(asked.bom, asked.python)
        print("\n".join(found) or f"{len(bom.listed(asked.bom))} parts, equal to what is installed")
        return 1 if found else 0
    try:
        if asked.task == "advisories":
            pins = [pin for lock in LOCKS for pin in read_lock(lock)]
            count = keep(SNAPSHOT, brought(asked.origin), pins, asked.day)
            print(f"{SNAPSHOT.relative_to(ROOT)}: {count} advisories of our packages, {asked.day}")
            return 0
        return _audit(asked.snapshot)
    except SnapshotError as error:
        print(error, file=sys.stderr)
        return 2


def _licences(*, write: bool) -> int:
    refused = [each for each in licences.licences() if not each.accepted]
    for each in refused:
        print(f"refused: {each.pin.name} {each.pin.version}: {each.expression or 'unknown'}")
    if write:
        PAGE.write_text(licences.page(), "utf-8")
    return 1 if refused else 0


def _audit(path: Path) -> int:
    snapshot = read_snapshot(path)
    if snapshot.is_old(today()):
        print(f"warning: the snapshot is of {snapshot.day}, more than {OLD_DAYS} days old")
    pins = {pin for lock in LOCKS for pin in read_lock(lock)}
    found = weaknesses(pins, snapshot)
    print("\n".join(map(str, found)) or "no known weakness", end="\n")
    print(f"{len(pins)} packages, {len(snapshot.advisories)} advisories of {snapshot.day}")
    return 1 if any(each.fails for each in found) else 0


if __name__ == "__main__":
    sys.exit(main())
