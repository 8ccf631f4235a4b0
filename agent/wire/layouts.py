"""Which field of a line is which column: worked out once per set of field names."""

import re
from typing import NamedTuple

from agent.wire.columns import Names
from agent.wire.lines import LineError

_WINDOW = re.compile(r"(.+)_([0-9]{1,4})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_ENDINGS = {
    "min": "low",
    "max": "high",
    "last": "last",
    "inc": "inc",
    "n": "n",
    "good": "good",
    "q": "reason",
    "raw": "registers",
}
TEXT = frozenset({"reason", "registers"})


class Head(NamedTuple):
    """What measurement and tags of an equipment line say; ``period_s`` 0 = raw samples."""

    plant: str
    measurement: str
    period_s: int
    equipment: int


class Part(NamedTuple):
    """The fields of one quantity in a line: column name -> position among the fields."""

    quantity: int
    at: dict[str, int]


Layout = tuple[Part, ...]


def measurement_and_period(name: str) -> tuple[str, int]:
    """``pot_1m`` -> (``pot``, 60); ``pot`` -> (``pot``, 0)."""
    found = _WINDOW.fullmatch(name)
    if not found:
        return name, 0
    return found[1], int(found[2]) * _SECONDS[found[3]]


def head_of(measurement: str, tags: dict[str, str], equipment: Names) -> Head:
    """The head of an equipment line; LineError when a tag is missing."""
    missing = [tag for tag in ("plant", "line", "unit") if not tags.get(tag)]
    if missing:
        raise LineError(f"measurement {measurement} without tag {', '.join(missing)}")
    name, period_s = measurement_and_period(measurement)
    code = equipment.code(f"{tags['line']}/{tags['unit']}")
    return Head(tags["plant"], name, period_s, code)


def layout_of(head: Head, keys: tuple[str, ...], quantity: Names) -> Layout:
    """Columns of a line with these fields; LineError when a field stands twice or alone."""
    if len(set(keys)) != len(keys):
        raise LineError("a field stands twice")
    found: dict[str, dict[str, int]] = {}
    for position, key in enumerate(keys):
        stem, column = _window_column(key) if head.period_s else _sample_column(key)
        found.setdefault(stem, {})[column] = position
    for stem, at in found.items():
        if head.period_s and "n" not in at:
            raise LineError(f"window of {stem} without {stem}_n")
    return tuple(Part(quantity.code(f"{head.measurement}.{q}"), at) for q, at in found.items())


def _window_column(key: str) -> tuple[str, str]:
    stem, _, ending = key.rpartition("_")
    if stem and ending in _ENDINGS:
        return stem, _ENDINGS[ending]
    return key, "mean"


def _sample_column(key: str) -> tuple[str, str]:
    return (key[:-2], "reason") if key.endswith("_q") and len(key) > 2 else (key, "value")
