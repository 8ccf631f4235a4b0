"""What became of a piece of evidence: proven, failed or unknown, with figure and reasons."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final

from reports.assembly import Argument
from reports.values import Text


class Status(StrEnum):
    """Unknown is not proven."""

    PROVEN = "proven"
    FAILED = "failed"
    UNKNOWN = "unknown"


STATUS_TEXT: Final = {
    Status.PROVEN: Text(zh="已证明", en="proven"),
    Status.FAILED: Text(zh="不满足", en="failed"),
    Status.UNKNOWN: Text(zh="未知", en="unknown"),
}


@dataclass(frozen=True, slots=True)
class Case:
    """A stretch of time, [start, end), that speaks against an indicator or is missing."""

    place: str
    start_ns: int
    end_ns: int
    text: Text


@dataclass(frozen=True, slots=True)
class Expiry:
    """Something a proof stands on that ends; ``until`` is the last day on which it holds."""

    what: Text
    until: date


@dataclass(frozen=True, slots=True)
class Finding:
    """
    The answer to one piece of evidence.

    ``figure`` in ``unit`` is what was found; ``inputs`` are what it was found from, for the line of
    the report; ``effort`` is what it takes to prove it ("" when it is proven).
    """

    status: Status
    text: Text
    figure: Decimal | None = None
    unit: str = "1"
    decimals: int = 0
    inputs: tuple[Argument, ...] = ()
    cases: tuple[Case, ...] = ()
    expires: tuple[Expiry, ...] = ()
    effort: str = ""

    @property
    def proven(self) -> bool:
        return self.status is Status.PROVEN


def worst(found: Sequence[Status]) -> Status:
    """Failed before unknown before proven; of nothing, nothing is proven."""
    for status in (Status.FAILED, Status.UNKNOWN):
        if status in found:
            return status
    return Status.PROVEN if found else Status.UNKNOWN


def unknown(zh: str, en: str, effort: str, **more: object) -> Finding:
    """A finding that could not be made."""
    return Finding(Status.UNKNOWN, Text(zh=zh, en=en), effort=effort, **more)  # type: ignore[arg-type]


def join(texts: Sequence[Text]) -> Text:
    """Sentences one after the other."""
    return Text(
        zh="；".join(text.zh for text in texts),
        en="; ".join(text.en for text in texts),
    )
