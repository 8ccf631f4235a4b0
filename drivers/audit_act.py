"""What one act of the audit trail says, its line on disk, and what is said of a broken chain."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from drivers.language import say

Result = Literal["ok", "refused", "failed"]

NO_HASH = "0" * 64
_WHAT = re.compile(r"[a-z]{1,20}\.[a-z_]{1,30}")
# Longer texts are cut: an act says what was done, it is no place to keep things.
LONGEST = {"who": 200, "target": 1000, "why": 2000, "source": 200}
DETAIL_CHARS, DETAILS_MAX = 500, 16


@dataclass(frozen=True, slots=True)
class Act:
    """
    Who did what to which thing, when (UTC, nanoseconds) and why; no secret belongs in it.

    ``what`` is ``topic.deed``: ``config.changed`` …; the names: drivers/audit_words.py.
    """

    at_ns: int
    who: str
    what: str
    target: str
    why: str = ""
    result: Result = "ok"
    source: str = ""
    details: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not _WHAT.fullmatch(self.what):
            raise ValueError(f"an act is named topic.deed, not {self.what!r}")
        if self.result not in {"ok", "refused", "failed"}:
            raise ValueError(f"an act's result is ok, refused or failed, not {self.result!r}")
        for name, most in LONGEST.items():
            object.__setattr__(self, name, _told(getattr(self, name), most))
        kept = list(self.details.items())[:DETAILS_MAX]
        told = {_told(key, 60): _told(value, DETAIL_CHARS) for key, value in kept}
        object.__setattr__(self, "details", told)

    def table(self) -> dict[str, object]:
        """As JSON; what is empty is left out."""
        texts = {name: getattr(self, name) for name in ("why", "source") if getattr(self, name)}
        table: dict[str, object] = {
            "at_ns": self.at_ns,
            "who": self.who,
            "what": self.what,
            "target": self.target,
            "result": self.result,
            **texts,
        }
        return table | ({"details": dict(self.details)} if self.details else {})


@dataclass(frozen=True, slots=True)
class Recorded:
    """An act with its place in the chain."""

    n: int
    prev: str
    act: Act

    @property
    def line(self) -> str:
        """Canonical: the same act at the same place always gives the same bytes."""
        table = self.act.table() | {"n": self.n, "prev": self.prev}
        return json.dumps(table, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    @property
    def hash(self) -> str:
        """SHA-256 of the line, without newline."""
        return line_hash(self.line)


@dataclass(frozen=True, slots=True)
class Break:
    """Where the chain does not hold: file, line in it from 1, the act that was to be there."""

    file: str
    line: int
    n: int
    problem: str

    def __str__(self) -> str:
        place = say(f"第 {self.line} 行", f"line {self.line}")
        act = say(f"第 {self.n} 条操作", f"act {self.n}")
        return f"{self.file}, {place} ({act}): {self.problem}"


def parse(line: str) -> Recorded:
    """A line back. Raises ValueError when it is not exactly what ``Recorded.line`` writes."""
    try:
        table = json.loads(line)
        n, prev = table.pop("n"), table.pop("prev")
        act = Act(**table)
    except (TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError(str(error)) from None
    if type(n) is not int or type(act.at_ns) is not int or not isinstance(prev, str):
        raise ValueError("not the line of an act")
    recorded = Recorded(n, prev, act)
    if recorded.line != line:
        raise ValueError("not written as an act is written")
    return recorded


def line_hash(line: str) -> str:
    """SHA-256 of the line, without newline."""
    return hashlib.sha256(line.encode()).hexdigest()


def _told(text: object, most: int) -> str:
    """Text that can be encoded, not longer than ``most`` characters."""
    if not isinstance(text, str):
        raise TypeError(f"a text is expected, not {text!r}")
    told = text if len(text) <= most else text[: most - 1] + "…"
    return told.encode("utf-8", "replace").decode()
