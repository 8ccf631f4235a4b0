"""The hash-pinned locks as data."""

import re
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import Marker
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent.parent
RUNTIME = ROOT / "requirements.runtime.lock"
DEVELOPMENT = ROOT / "requirements.lock"
SBOM_TOOL = ROOT / "requirements.sbom.lock"
LOCKS = (RUNTIME, DEVELOPMENT, SBOM_TOOL)
_PIN = re.compile(r"(?P<name>[\w.-]+)==(?P<version>[^\s;]+)\s*(;(?P<marker>.*))?")


@dataclass(frozen=True, slots=True)
class Pin:
    """One package of a lock; ``here``: its marker holds on this Python and machine."""

    name: str
    version: str
    marker: str
    hashes: tuple[str, ...]

    @property
    def here(self) -> bool:
        return not self.marker or Marker(self.marker).evaluate()


def read_lock(path: Path) -> list[Pin]:
    """Every pin. ValueError for a line that pins nothing or has no SHA-256."""
    pins: list[Pin] = []
    for block in path.read_text("utf-8").replace("\\\n", " ").splitlines():
        if not block.strip() or block.lstrip().startswith("#"):
            continue
        head, *hashes = re.split(r"\s--hash=sha256:", block.partition(" #")[0])
        found = _PIN.fullmatch(head.strip())
        if found is None or not hashes:
            raise ValueError(f"{path.name}: not pinned by hash: {head.strip()}")
        pins.append(
            Pin(
                canonicalize_name(found["name"]),
                found["version"],
                (found["marker"] or "").strip(),
                tuple(each.strip() for each in hashes),
            )
        )
    return pins
