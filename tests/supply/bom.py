"""The SBOM (CycloneDX): made by its own tool of a clean environment, and held against it."""

import json
import subprocess
from pathlib import Path

from packaging.utils import canonicalize_name

SEED = ("pip", "setuptools")  # of the environment, not of the program
_LIST = """
import json
from importlib import metadata
print(json.dumps([[d.metadata["Name"], d.version] for d in metadata.distributions()]))
"""

Parts = frozenset[tuple[str, str]]


def installed(python: Path) -> Parts:
    """Name and version of all that this interpreter finds."""
    told = subprocess.run(
        [str(python), "-I", "-c", _LIST], check=True, capture_output=True, text=True
    )
    return _parts(json.loads(told.stdout))


def listed(bom: Path) -> Parts:
    """Name and version of all that the SBOM names."""
    said = json.loads(bom.read_text("utf-8"))
    if said.get("bomFormat") != "CycloneDX":
        raise ValueError(f"{bom}: no CycloneDX")
    parts = [[each["name"], each["version"]] for each in said["components"]]
    root = said.get("metadata", {}).get("component")
    if root and "version" in root:
        parts.append([root["name"], root["version"]])
    return _parts(parts)


def _parts(said: list[list[str]]) -> Parts:
    return frozenset(
        (canonicalize_name(name), version)
        for name, version in said
        if canonicalize_name(name) not in SEED
    )


def differences(bom: Path, python: Path) -> list[str]:
    """What only one of them has; none: they are equal."""
    there, told = installed(python), listed(bom)
    return sorted(
        [f"only installed: {name} {version}" for name, version in there - told]
        + [f"only in the SBOM: {name} {version}" for name, version in told - there]
    )
