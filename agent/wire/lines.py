"""One line of InfluxDB line protocol, read strictly: measurement, tags, fields, time."""

import re
from dataclasses import dataclass

Value = float | int | bool | str

_HEAD = re.compile(r"(?:[^ ,=\\]|\\.)+")
_TAG = re.compile(r",((?:[^ ,=\\]|\\.)+)=((?:[^ ,=\\]|\\.)+)")
_FIELD = re.compile(r'((?:[^ ,="\\]|\\.)+)=("(?:[^"\\]|\\.)*"|[^ ,="\\]+)')
_TIME = re.compile(r"-?[0-9]{1,19}")
_INT = re.compile(r"[+-]?[0-9]{1,19}i")
_FLOAT = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_BOOLS = {"t": True, "T": True, "true": True, "True": True, "TRUE": True} | {
    "f": False,
    "F": False,
    "false": False,
    "False": False,
    "FALSE": False,
}
_INT64 = range(-(2**63), 2**63)
_NAME_ESCAPE = re.compile(r"\\([ ,=])")
_TEXT_ESCAPE = re.compile(r'\\(["\\])')


class LineError(ValueError):
    """The line breaks the grammar or the contract; the message says where."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line as InfluxDB would understand it; ``time_ns`` as written."""

    measurement: str
    tags: dict[str, str]
    fields: dict[str, Value]
    time_ns: int


def _name(text: str) -> str:
    return _NAME_ESCAPE.sub(r"\1", text)


def _value(text: str) -> Value:
    if text[0] == '"':
        return _TEXT_ESCAPE.sub(r"\1", text[1:-1])
    if _FLOAT.fullmatch(text):
        return float(text)
    if _INT.fullmatch(text) and int(text[:-1]) in _INT64:
        return int(text[:-1])
    if text in _BOOLS:
        return _BOOLS[text]
    raise LineError(f"{text[:40]!r} is no number, integer, boolean or quoted text")


def _head(text: str) -> tuple[str, dict[str, str], int]:
    """Measurement, tags and where the fields begin."""
    found = _HEAD.match(text)
    if not found:
        raise LineError("no measurement at the start of the line")
    end, tags = found.end(), {}
    while tag := _TAG.match(text, end):
        key, end = _name(tag[1]), tag.end()
        if key in tags:
            raise LineError(f"tag {key} stands twice")
        tags[key] = _name(tag[2])
    if text[end : end + 1] != " ":
        raise LineError(f"no space after measurement and tags, at character {end + 1}")
    return _name(found[0]), tags, end + 1


def _fields(text: str, start: int) -> tuple[dict[str, Value], int]:
    """Fields and where they end."""
    fields: dict[str, Value] = {}
    end = start
    while True:
        found = _FIELD.match(text, end)
        if not found:
            raise LineError(f"no field=value at character {end + 1}")
        key, end = _name(found[1]), found.end()
        if key in fields:
            raise LineError(f"field {key} stands twice")
        fields[key] = _value(found[2])
        if text[end : end + 1] != ",":
            return fields, end
        end += 1


def read_line(text: str) -> Line:
    """
    The parts of one line; the time is required, since ours always carry one.

    Raises LineError with the character where reading stopped.
    """
    measurement, tags, start = _head(text)
    fields, end = _fields(text, start)
    if text[end : end + 1] != " " or not _TIME.fullmatch(text, end + 1):
        raise LineError(f"no time stamp in ns at character {end + 1}")
    time_ns = int(text[end + 1 :])
    if time_ns not in _INT64:
        raise LineError("time stamp does not fit 64 bits")
    return Line(measurement, tags, fields, time_ns)
