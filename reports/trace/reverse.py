"""From a reading to the reports that used it: which versions, and which of their lines."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from drivers.language import say
from reports.citations import MeterUse
from reports.model import digest_of
from reports.periods import Period
from reports.values import Text

Node = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reading:
    """A point and a moment, ns."""

    equipment: str
    quantity: str
    at_ns: int


@dataclass(frozen=True, slots=True)
class Use:
    """A report version whose figures rest on the reading; ``direct`` lines take it as input."""

    path: Path
    name: str
    version: int
    whole: bool  # its content is as its digest says
    complete: bool
    meter: MeterUse
    lines: dict[str, Text]
    direct: frozenset[str]

    def node(self) -> Node:
        return {
            "report": str(self.path),
            "name": self.name,
            "version": self.version,
            "unchanged": self.whole,
            "lines": {key: text.model_dump() for key, text in self.lines.items()},
            "direct": sorted(self.direct),
        }


def uses(folder: Path, reading: Reading) -> Iterator[Use]:
    """Every version below ``folder`` that used the reading, by name and version."""
    for path in sorted(folder.rglob("*-v*.json")):
        try:
            table = json.loads(path.read_bytes())
            found = _use(path, table, reading)
        except (ValueError, KeyError, TypeError, OSError, ValidationError):
            continue  # no report
        if found is not None:
            yield found


def _use(path: Path, table: Node, reading: Reading) -> Use | None:
    content = table["content"]
    period = content["period"]["name"]
    touching = [each for each in content["meters"] if _touches(each, period, reading)]
    if not touching:
        return None
    wanted = {each["id"] for each in touching}
    taking: dict[str, set[str]] = {}
    direct = set()
    for line in content["lines"]:
        for given in line["inputs"]:
            if given["kind"] == "line":
                taking.setdefault(given["ref"], set()).add(line["id"])
            elif given["kind"] == "meter" and given["ref"] in wanted:
                direct.add(line["id"])
    reached, waiting = set(direct), list(direct)
    while waiting:
        fresh = taking.get(waiting.pop(), set()) - reached
        reached |= fresh
        waiting += fresh
    return Use(
        path=path,
        name=f"{content['report']}-{period}",
        version=table["version"],
        whole=digest_of(content) == table["content_sha256"],
        complete=content["complete"],
        meter=MeterUse.model_validate(touching[0]),
        lines={
            line["id"]: Text.model_validate(line["label"])
            for line in content["lines"]
            if line["id"] in reached
        },
        direct=frozenset(direct),
    )


def _touches(meter: Node, whole: str, reading: Reading) -> bool:
    """Whether a figure of this meter used the reading: in its period, or as its first register."""
    if (meter["equipment"], meter["quantity"]) != (reading.equipment, reading.quantity):
        return False
    period = Period.parse(meter["id"].partition("@")[2] or whole)
    if period.start_ns <= reading.at_ns < period.end_ns:
        return True
    return any(
        end is not None and end["window_ns"] <= reading.at_ns < end["window_ns"] + 60_000_000_000
        for end in (meter["begin"], meter["end"])
    )


def reverse_text(found: list[Use], *, most: int = 12) -> str:
    """For a person."""
    if not found:
        return say("没有报告使用该读数", "no report used this reading")
    lines = []
    for use in found:
        state = "" if use.whole else say("（写出后被改动！）", " (changed since it was written!)")
        lines.append(f"{use.name} v{use.version}{state}  {use.path}")
        ordered = sorted(use.lines, key=lambda key: key not in use.direct)
        for key in ordered[:most]:
            sign = "=" if key in use.direct else ">"
            lines.append(f"  {sign} {key}  {say(use.lines[key].zh, use.lines[key].en)}")
        if len(ordered) > most:
            more = len(ordered) - most
            lines.append("  " + say(f"… 另有 {more} 项", f"… {more} more"))
    return "\n".join(lines)
