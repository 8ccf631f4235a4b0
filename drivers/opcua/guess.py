"""Guess from the names on a server which quantity of which equipment a node may be."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from drivers.model import Equipment, Quantity
from drivers.quantities import quantities

_BRACKETS = re.compile(r"[（(].*?[)）]")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NO_LETTER = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Guess:
    """What a person must still confirm; None where nothing fits, or more than one thing."""

    equipment: Equipment | None = None
    quantity: Quantity | None = None


def guess(path: Sequence[str], label: str = "") -> Guess:
    """
    ``("line1", "pot001", "voltage")`` → line1/pot001, pot.voltage; also by the dictionary's labels.

    The last name says what is measured, the two before it where. A name that several quantities
    share is decided by the names above it, or not at all.
    """
    names = list(path)
    if not names:
        return Guess()
    if len(names) == 1 or not _candidates(names[-1], label):
        names = [*names[:-1], *re.split(r"[./|]", names[-1])]
    where, what = names[:-1], names[-1]
    return Guess(_equipment(where), _quantity(where, what, label))


def _equipment(where: Sequence[str]) -> Equipment | None:
    try:
        return Equipment(where[-2], where[-1])
    except (IndexError, ValueError):
        return None


def _quantity(where: Sequence[str], what: str, label: str) -> Quantity | None:
    found = _candidates(what, label)
    if len(found) > 1:
        for name in reversed([_plain(name) for name in where]):
            fitting = [q for q in found if name.startswith(_plain(q.measurement))]
            if fitting:
                found = fitting
                break
    return found[0] if len(found) == 1 else None


def _candidates(what: str, label: str) -> list[Quantity]:
    for name in (what, label):
        if found := _by_name().get(_plain(name)):
            return list(found)
    return []


@cache
def _by_name() -> dict[str, tuple[Quantity, ...]]:
    """Plain forms of field, full name and both labels → the quantities that have them."""
    names: dict[str, dict[str, Quantity]] = {}
    for quantity in quantities().values():
        labels = (quantity.field, quantity.name, quantity.zh, quantity.en)
        for label in labels:
            for text in (label, _BRACKETS.sub("", label)):
                names.setdefault(_plain(text), {})[quantity.name] = quantity
    return {name: tuple(found.values()) for name, found in names.items()}


def _plain(name: str) -> str:
    """``SetVoltage``, ``set voltage``, ``set_voltage`` → ``setvoltage``."""
    return _NO_LETTER.sub("", _CAMEL.sub("_", name)).casefold()
