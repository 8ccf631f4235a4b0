"""
One line of the journal: what a person noted about a stack or the plant, with reason and evidence.

Times are ns UTC on whole minutes, [start, end); in the file they stand as plant time to the minute.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Literal, Self

from pydantic import AwareDatetime, Field, field_validator, model_validator

from drivers.config import Strict
from drivers.language import say
from reports.chain import canonical_line, line_hash
from reports.periods import PLANT_TIME

MINUTE_NS: Final = 60_000_000_000

Kind = Literal["mark", "check", "verification", "exceedance", "alert", "document"]


class Mark(StrEnum):
    """What a marked period was; values are the wire words shared by all rooms."""

    START_UP = "start_up"
    SHUT_DOWN = "shut_down"
    STOPPED = "stopped"
    CALIBRATION = "calibration"
    MAINTENANCE = "maintenance"
    FAULT = "fault"
    FORCE_MAJEURE = "force_majeure"


class Judgement(StrEnum):
    """What the trace of the control system says about a mark; ``facts["judgement"]``."""

    SUPPORTED = "supported"
    CONTRADICTED = "contradicted"  # shown by every report, and excuses nothing
    NOT_TOLD = "not_told"


class Evidence(Strict):
    """
    A file kept in ``documents/`` by its SHA-256: a document, or the copy of a DCS trace (CSV).

    Of a trace, ``points`` are ``area/unit quantity`` and the times its first and last moment, ns.
    """

    kind: Literal["document", "trace"]
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    name: str = Field(min_length=1)
    points: tuple[str, ...] = ()
    start_ns: int | None = None
    end_ns: int | None = None


class Record(Strict):
    """
    One record; ``number`` from 1. A withdrawal names in ``withdraws`` what it takes back.

    ``facts`` are texts by name, typed per kind (``reports/journal/facts.py``). ``pollutants`` ()
    means all; ``end_ns`` None means that it lasts. ``confirmed_by`` is another person than
    ``author``, "" when nobody confirmed it.
    """

    number: int = 0
    kind: Kind
    equipment: str = ""  # area/unit; "" = the whole plant
    start_ns: int
    end_ns: int | None = None
    what: str
    pollutants: tuple[str, ...] = ()
    facts: dict[str, str] = Field(default_factory=dict)
    reason: str = Field(min_length=1)
    author: str = Field(min_length=1)
    confirmed_by: str = ""
    at: AwareDatetime  # when it was written down
    evidence: tuple[Evidence, ...] = ()
    withdraws: int | None = None
    source: Evidence | None = None  # the table it was imported from …
    row: int = 0  # … and where in it
    prev: str = ""

    @field_validator("at")
    @classmethod
    def _second(cls, at: datetime) -> datetime:
        """As the file keeps it: plant time, whole seconds."""
        return at.astimezone(PLANT_TIME).replace(microsecond=0)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if any(ns is not None and ns % MINUTE_NS for ns in (self.start_ns, self.end_ns)):
            raise ValueError(say("时间须为整分钟", "times are whole minutes"))
        if self.end_ns is not None and self.end_ns <= self.start_ns:
            raise ValueError(say("结束须晚于开始", "the end must be later than the start"))
        if self.confirmed_by and self.confirmed_by == self.author:
            raise ValueError(say("确认人须为另一人", "another person must confirm it"))
        if self.kind == "mark" and self.withdraws is None and not self.evidence:
            raise ValueError(say("标记没有依据", "a mark needs evidence"))
        return self

    @property
    def hash(self) -> str:
        return line_hash(self.text())

    @property
    def judgement(self) -> Judgement:
        """What the trace says about a mark; not told where there is none."""
        return Judgement(self.facts.get("judgement", Judgement.NOT_TOLD))

    @property
    def usual(self) -> tuple[tuple[int, int], ...]:
        """Parts of a mark, [start, end) in ns, in which its trace shows that all ran as usual."""
        parts = self.facts.get("judgement_usual", "").split()
        pairs = (part.partition("/") for part in parts)
        return tuple((minute_ns(first), minute_ns(after)) for first, _, after in pairs)

    @property
    def excuses(self) -> bool:
        """
        Whether a mark takes hours out at all; what it says of ``usual`` minutes never does.

        Contradicted it does not. Where the trace does not tell, a second person must have confirmed
        it, or the store must hold nothing of that time.
        """
        if self.judgement is Judgement.NOT_TOLD:
            return bool(self.confirmed_by) or self.facts.get("judgement_empty") == "yes"
        return self.judgement is Judgement.SUPPORTED

    def touches(self, start_ns: int, end_ns: int) -> bool:
        """True when it overlaps [start, end)."""
        return self.start_ns < end_ns and (self.end_ns is None or start_ns < self.end_ns)

    def covers(self, pollutant: str) -> bool:
        return not self.pollutants or pollutant in self.pollutants

    def text(self) -> str:
        """The line of the file, without newline. The same record always gives the same bytes."""
        table: dict[str, Any] = {"n": self.number, "prev": self.prev, "at": self.at.isoformat()}
        table |= {name: getattr(self, name) for name in ("kind", "what", "reason", "author")}
        optional: dict[str, Any] = {
            "equipment": self.equipment,
            "start": minute_text(self.start_ns),
            "end": "" if self.end_ns is None else minute_text(self.end_ns),
            "pollutants": list(self.pollutants),
            "facts": self.facts,
            "confirmed_by": self.confirmed_by,
            "evidence": [_evidence(each) for each in self.evidence],
            "withdraws": self.withdraws,
            "source": None if self.source is None else _evidence(self.source),
            "row": self.row,
        }
        return canonical_line(table | {name: value for name, value in optional.items() if value})


def minute_text(time_ns: int) -> str:
    """``2026-10-05T08:01+08:00``."""
    moment = datetime.fromtimestamp(time_ns // 1_000_000_000, PLANT_TIME)
    return moment.isoformat(timespec="minutes")


def spans_text(spans: tuple[tuple[int, int], ...]) -> str:
    """Stretches of time, ``start/end`` each, with a space between."""
    return " ".join(f"{minute_text(first)}/{minute_text(after)}" for first, after in spans)


def minute_ns(text: str) -> int:
    """The same back. Raises ValueError."""
    return int(datetime.fromisoformat(text).timestamp()) * 1_000_000_000


def _evidence(evidence: Evidence) -> dict[str, Any]:
    table: dict[str, Any] = {
        "kind": evidence.kind,
        "name": evidence.name,
        "sha256": evidence.sha256,
        "points": list(evidence.points),
        "start": "" if evidence.start_ns is None else minute_text(evidence.start_ns),
        "end": "" if evidence.end_ns is None else minute_text(evidence.end_ns),
    }
    return {name: value for name, value in table.items() if value}


def read_record(table: dict[str, Any]) -> Record:
    """A record from a line of the file. Raises ValueError, KeyError, TypeError."""
    given = dict(table)
    number, source = given.pop("n"), given.pop("source", None)
    evidence = tuple(_read_evidence(each) for each in given.pop("evidence", ()))
    return Record(
        number=number,
        source=None if source is None else _read_evidence(source),
        evidence=evidence,
        pollutants=tuple(given.pop("pollutants", ())),
        **_times(given),
    )


def _read_evidence(table: dict[str, Any]) -> Evidence:
    given = dict(table)
    return Evidence(points=tuple(given.pop("points", ())), **_times(given))


def _times(given: dict[str, Any]) -> dict[str, Any]:
    """``start`` and ``end`` as ns."""
    for name in ("start", "end"):
        if name in given:
            given[f"{name}_ns"] = minute_ns(given.pop(name))
    return given
