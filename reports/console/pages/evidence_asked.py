"""What may be asked of the evidence pages and their API: bounded parameters, and addresses."""

from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import HTTPException
from pydantic import BaseModel, Field

from drivers.language import say

Node = dict[str, Any]
KINDS: Final = ("line", "entry", "legal", "meter", "site")
LATEST_NS: Final = 4_102_444_800 * 10**9  # the year 2100
STEPS_MOST: Final = 12  # of the way back


class ReportAsked(BaseModel):
    """A report or draft: a file of the archive, or report and period."""

    report: str = Field("", max_length=60, pattern=r"^[a-z0-9-]*$", description="carbon-monthly")
    period: str = Field("", max_length=24, pattern=r"^[0-9A-Z_-]*$", description="2026-10")
    version: int | None = Field(
        None, ge=0, le=9999, description="0: the draft; absent: the draft, or else the newest"
    )
    file: str = Field(
        "",
        max_length=100,
        pattern=r"^[A-Za-z0-9_.-]*$",
        description="carbon-monthly-2026-10-v1.json",
    )

    def node(self) -> Node:
        """Raises HTTPException 422 where nothing is named."""
        if self.file:
            return {"file": self.file}
        if not self.report or not self.period:
            raise HTTPException(
                422,
                say(
                    "请写明 report 和 period，或 file，或 point 和 at",
                    "say report and period, or file, or point and at",
                ),
            )
        return {"report": self.report, "period": self.period, "version": self.version}


class FigureAsked(ReportAsked):
    """One thing of a report, by its id; or a point and a moment."""

    line: str = Field("", max_length=300, description="id of a line: line1.emission@2026-10")
    entry: str = Field("", max_length=300, description="number of an entry")
    legal: str = Field("", max_length=300, description="id of a legal value")
    meter: str = Field("", max_length=300, description="id of a meter's figure")
    site: str = Field("", max_length=300, description="a value of site.toml or the journal")
    point: str = Field("", max_length=200, description="line1/ac1 meter.energy_import")
    at: int = Field(0, ge=0, le=LATEST_NS, description="ns since 1970, UTC")
    period_s: int | None = Field(
        None, ge=0, le=86_400, description="length of the window; 0: the sample; absent: any"
    )

    def thing(self) -> tuple[str, str]:
        """Kind and id. Raises HTTPException 422."""
        named = [(kind, ref) for kind in KINDS if (ref := getattr(self, kind))]
        if len(named) != 1:
            kinds = " | ".join(KINDS)
            raise HTTPException(422, say(f"请只写一个：{kinds}", f"say exactly one of {kinds}"))
        return named[0]


class FigureOnPage(FigureAsked):
    """With the way back: ``kind|id|title`` of each step."""

    via: list[str] = Field(default_factory=list, max_length=40)

    def way(self) -> list[Node]:
        """The steps; what is none is left out."""
        steps = []
        for each in self.via[-STEPS_MOST:]:
            kind, _, rest = each.partition("|")
            ref, _, title = rest.partition("|")
            if kind in KINDS and ref:
                steps.append({"kind": kind, "ref": ref[:300], "title": title[:120] or ref[:120]})
        return steps


class ProofAsked(FigureAsked):
    """Of a line or meter, and a minute of it; or of a point."""

    moment: str = Field("", max_length=16, description="2026-10-05T08:01, plant time, for at")

    def at_ns(self) -> int:
        """Raises HTTPException 422."""
        from reports.periods import PLANT_TIME

        if not self.moment:
            return self.at
        try:
            minute = datetime.fromisoformat(self.moment).replace(tzinfo=PLANT_TIME)
            at_ns = int(minute.timestamp()) * 10**9
        except (ValueError, OverflowError):
            at_ns = -1
        if not 0 <= at_ns <= LATEST_NS:
            told = f"时刻 {self.moment}：请写 2026-10-05T08:01", f"{self.moment}: no moment"
            raise HTTPException(422, say(*told))
        return at_ns


class LinesAsked(ReportAsked):
    """Lines of a report."""

    q: str = Field("", max_length=200, description="words of the name or id")
    after: int = Field(0, ge=0, le=100_000, description="lines to pass over")
    limit: int = Field(100, ge=1, le=1000, description="lines at most")


def addresses(told: Node, steps: list[Node]) -> Node:
    """
    For a template: ``to(kind, ref)`` goes on from what ``told`` shows, ``back`` are the steps back.

    ``link_`` is the lasting address: of that version, without the way.
    """
    asked = [*told["asked"].items()]
    here = {key: told[key] for key in ("kind", "ref", "title")}

    def address(kind: str, ref: str, way: list[Node]) -> str:
        via = [("via", f"{x['kind']}|{x['ref']}|{x['title']}") for x in way[-STEPS_MOST:]]
        return "/evidence/figure?" + urlencode([*asked, (kind, ref), *via])

    of = told["source"]["file"]
    lasting = [("file", of)] if of else asked
    return {
        "to": lambda kind, ref: address(kind, ref, [*steps, here]),
        "back": [
            each | {"address": address(each["kind"], each["ref"], steps[:n])}
            for n, each in enumerate(steps)
        ],
        "link_": "/evidence/figure?" + urlencode([*lasting, (told["kind"], told["ref"])]),
        "query": urlencode([*asked, (told["kind"], told["ref"])]),
    }


def known(said: Node) -> Node:
    """Raises HTTPException 404 with the words of the answer that there is none."""
    if "unknown" in said:
        raise HTTPException(404, said["unknown"])
    return said
