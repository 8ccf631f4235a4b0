"""Texts of fields -> typed values: whole columns at once, or the values of one strict line."""

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from agent.wire.layouts import TEXT, Part
from agent.wire.lines import LineError, Value

_NUMBER: Final = "0123456789+-.eE,"


def number_column(texts: Sequence[str]) -> Any:
    """Floats; ValueError when one of them is no finite number in InfluxDB's grammar."""
    # float() also takes "nan", "1_0" and "１"; the character check leaves InfluxDB's grammar.
    if ",".join(texts).strip(_NUMBER):
        raise ValueError("number")
    numbers = np.fromiter(map(float, texts), np.float64, len(texts))
    if not np.isfinite(numbers).all():
        raise ValueError("number beyond float64")
    return numbers


def count_column(texts: Sequence[str]) -> Any:
    """Whole numbers such as ``60i``, as int32."""
    joined = "".join(texts)
    if joined.strip("0123456789i") or joined.count("i") != len(texts):
        raise ValueError("count")
    if not all(text.endswith("i") for text in texts):
        raise ValueError("count")
    return np.fromiter((int(text[:-1]) for text in texts), np.int32, len(texts))


def text_column(texts: Sequence[str], code: Callable[[str], int] | None) -> Any:
    """Quoted texts without anything to unescape, as they are or as codes."""
    for text in texts:
        if len(text) < 2 or text[0] != '"' or text.find('"', 1) != len(text) - 1:
            raise ValueError("text")
    if code is not None:
        return np.fromiter((code(text[1:-1]) for text in texts), np.int32, len(texts))
    column = np.empty(len(texts), np.object_)
    column[:] = [text[1:-1] for text in texts]
    return column


def typed(part: Part, values: list[Value], reason: Callable[[str], int]) -> dict[str, Any]:
    """Values of one quantity from a strictly read line, each of its column's type."""
    found: dict[str, Any] = {}
    for name, position in part.at.items():
        value = values[position]
        if name in TEXT:
            if not isinstance(value, str):
                raise LineError(f"{name} is not text")
            found[name] = reason(value) if name == "reason" else value
        elif name == "n":
            if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**31:
                raise LineError("a count of samples is a whole number, e.g. 60i")
            found[name] = value
        else:
            found[name] = number(name, value)
    return found


def number(name: str, value: Value) -> float:
    """One number of a strictly read line; LineError says which field is none."""
    if isinstance(value, str):
        raise LineError(f"{name} is text where a number belongs")
    found = float(value)
    if not math.isfinite(found):
        raise LineError(f"{name} is beyond float64")
    return found
