"""
Known weaknesses of what is installed, checked with no network against a snapshot that was brought.

A snapshot is made of advisories in OSV form (one JSON object each), as anybody can export them: a
folder, a ZIP file, or one JSON file. Ours keeps those of packages in the locks and says its day.
"""

import json
import math
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from tests.supply.lock import ROOT, Pin

SNAPSHOT = ROOT / "deploy" / "advisories.json"
FORM = "smelter-advisories/1"
OLD_DAYS = 90
MOST_BYTES = 1 << 20  # of one advisory

Grade = Literal["low", "moderate", "high", "critical", "unknown"]
FAILS = frozenset({"high", "critical", "unknown"})  # nobody graded it: somebody must look
_GRADES: dict[str, Grade] = {
    "LOW": "low",
    "MODERATE": "moderate",
    "MEDIUM": "moderate",
    "HIGH": "high",
    "CRITICAL": "critical",
}
# CVSS 3.1, tables of section 7.4
_WEIGHTS = {
    "AV": {"N": 0.85, "A": 0.62, "L": 0.55, "P": 0.2},
    "AC": {"L": 0.77, "H": 0.44},
    "UI": {"N": 0.85, "R": 0.62},
    **{key: {"H": 0.56, "L": 0.22, "N": 0.0} for key in "CIA"},
}
_PRIVILEGES = {
    "U": {"N": 0.85, "L": 0.62, "H": 0.27},
    "C": {"N": 0.85, "L": 0.68, "H": 0.5},
}


class SnapshotError(ValueError):
    """A file that is no collection of advisories; says which and why."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Advisories of a day."""

    day: date
    advisories: tuple[Mapping[str, Any], ...]

    def is_old(self, today: date) -> bool:
        return (today - self.day).days > OLD_DAYS


@dataclass(frozen=True, slots=True)
class Weakness:
    """An advisory that holds for a pinned package."""

    pin: Pin
    id: str
    grade: Grade
    summary: str

    @property
    def fails(self) -> bool:
        return self.grade in FAILS

    def __str__(self) -> str:
        return f"{self.pin.name} {self.pin.version}: {self.id} ({self.grade}) {self.summary}"


def brought(path: Path) -> Iterator[Mapping[str, Any]]:
    """Advisories of a folder, a ZIP file or a JSON file (one, or a list). Raises SnapshotError."""
    try:
        if path.is_dir():
            for file in sorted(path.rglob("*.json")):
                yield from _of(file.read_bytes(), file.name)
        elif zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                for info in archive.infolist():
                    if info.filename.endswith(".json") and info.file_size < MOST_BYTES:
                        yield from _of(archive.read(info), info.filename)
        else:
            yield from _of(path.read_bytes(), path.name)
    except (OSError, zipfile.BadZipFile) as error:
        raise SnapshotError(f"{path}: {error}") from None


def _of(content: bytes, name: str) -> Iterator[Mapping[str, Any]]:
    try:
        said = json.loads(content)
    except ValueError as error:
        raise SnapshotError(f"{name}: no JSON: {error}") from None
    for each in said if isinstance(said, list) else [said]:
        if not isinstance(each, dict) or "id" not in each or "affected" not in each:
            raise SnapshotError(f"{name}: not an advisory in OSV form (id, affected)")
        yield each


def keep(path: Path, found: Iterable[Mapping[str, Any]], pins: Iterable[Pin], day: date) -> int:
    """Writes those of our packages with the day; how many."""
    ours = {pin.name for pin in pins}
    kept = [each for each in found if ours & {name for name, _ in _affected(each)}]
    kept.sort(key=lambda each: str(each["id"]))
    said = {"form": FORM, "day": day.isoformat(), "advisories": kept}
    path.write_text(json.dumps(said, ensure_ascii=False, indent=1) + "\n", "utf-8")
    return len(kept)


def read_snapshot(path: Path) -> Snapshot:
    """Raises SnapshotError."""
    try:
        said = json.loads(path.read_bytes())
        if said["form"] != FORM:
            raise SnapshotError(f"{path}: {said['form']!r}, not {FORM}")
        return Snapshot(date.fromisoformat(said["day"]), tuple(said["advisories"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SnapshotError(f"{path}: {error}") from None


def weaknesses(pins: Iterable[Pin], snapshot: Snapshot) -> list[Weakness]:
    """What the snapshot knows of these versions, worst first; withdrawn ones are left out."""
    found = [
        Weakness(pin, str(each["id"]), grade_of(each), str(each.get("summary", ""))[:120])
        for pin in sorted(set(pins), key=lambda pin: (pin.name, pin.version))
        for each in snapshot.advisories
        if not each.get("withdrawn")
        and any(name == pin.name and holds(part, pin.version) for name, part in _affected(each))
    ]
    order = ("unknown", "critical", "high", "moderate", "low")
    return sorted(found, key=lambda each: order.index(each.grade))


def _affected(advisory: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for part in advisory["affected"]:
        package = part.get("package", {})
        if package.get("ecosystem", "") == "PyPI":
            yield canonicalize_name(str(package.get("name", ""))), part


def holds(part: Mapping[str, Any], version: str) -> bool:
    """Whether a version is affected: named, or inside a range of introduced … fixed."""
    if version in part.get("versions", []):
        return True
    now = Version(version)
    for spread in part.get("ranges", []):
        if spread.get("type") != "ECOSYSTEM":
            continue
        inside = False
        for kind, at in _events(spread.get("events", [])):
            if kind == "introduced" and now >= at:
                inside = True
            elif (kind == "fixed" and now >= at) or (kind == "last_affected" and now > at):
                inside = False
        if inside:
            return True
    return False


def _events(events: Iterable[Mapping[str, str]]) -> list[tuple[str, Version]]:
    """In the order of their versions; "0" is the beginning, an unreadable one ends nothing."""
    found: list[tuple[str, Version]] = []
    for event in events:
        for kind, text in event.items():
            try:
                found.append((kind, Version(text)))
            except InvalidVersion:
                if kind == "introduced":
                    found.append((kind, Version("0")))
    return sorted(found, key=lambda each: each[1])


def grade_of(advisory: Mapping[str, Any]) -> Grade:
    """The publisher's word, else the base score of its CVSS 3 vector, else unknown."""
    word = str(advisory.get("database_specific", {}).get("severity", "")).upper()
    if word in _GRADES:
        return _GRADES[word]
    for each in advisory.get("severity", []):
        if str(each.get("type")) == "CVSS_V3":
            score = cvss3(str(each.get("score")))
            if score is not None:
                return _grade(score)
    return "unknown"


def _grade(score: float) -> Grade:
    """CVSS 3.1, section 5."""
    if score >= 9:
        return "critical"
    return "high" if score >= 7 else "moderate" if score >= 4 else "low"


def cvss3(vector: str) -> float | None:
    """Base score of a vector, CVSS 3.1 section 7.1; None when it is none."""
    said = dict(re.findall(r"(\w+):(\w)(?:/|$)", vector.partition("/")[2]))
    try:
        value = {key: weights[said[key]] for key, weights in _WEIGHTS.items()}
        changed = said["S"] == "C"
        privileges = _PRIVILEGES[said["S"]][said["PR"]]
    except KeyError:
        return None
    lost = 1 - (1 - value["C"]) * (1 - value["I"]) * (1 - value["A"])
    impact = 7.52 * (lost - 0.029) - 3.25 * (lost - 0.02) ** 15 if changed else 6.42 * lost
    if impact <= 0:
        return 0.0
    ease = 8.22 * value["AV"] * value["AC"] * privileges * value["UI"]
    return _up(min((1.08 if changed else 1.0) * (impact + ease), 10))


def _up(value: float) -> float:
    """To the next tenth, as the appendix of CVSS 3.1 has it."""
    whole = round(value * 100_000)
    return whole / 100_000 if whole % 10_000 == 0 else (math.floor(whole / 10_000) + 1) / 10


def today() -> date:
    """UTC."""
    return datetime.now(UTC).date()
