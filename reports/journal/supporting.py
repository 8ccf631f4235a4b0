"""The evidence of a mark: its documents, and the trace drawn from the store with its verdict."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from drivers.language import say
from reports.journal.drift import rule
from reports.journal.judge import STABLE_MIN, Verdict, judge_mark
from reports.journal.record import Evidence, Judgement, Mark, spans_text
from reports.journal.trace import Drawn, Trace, draw, trace_csv, usual_points
from reports.periods import PLANT_TIME
from reports.rules.packs import RulePack
from reports.series.store import Series, SeriesError
from reports.site_stacks import Stack


@dataclass(frozen=True, slots=True)
class Marked:
    """What is marked, and when: [start, end), ns."""

    what: Mark
    stack: Stack
    pollutants: tuple[str, ...]
    start_ns: int
    end_ns: int


@dataclass(slots=True)
class Drawing:
    """
    Draws the traces of marks; ``copies`` collects the CSV of each by SHA-256, to be kept.

    ``left_out`` is why a person would do without; it counts only where the store cannot be read,
    or a mark could escape its verdict. ``points`` are drawn besides the usual ones of the stack.
    """

    series: Series | None
    packs: Mapping[str, RulePack]
    points: Sequence[Drawn] = ()
    left_out: str = ""
    copies: dict[str, tuple[str, bytes]] = field(default_factory=dict)

    def support(
        self, marked: Marked, documents: tuple[Evidence, ...]
    ) -> tuple[tuple[Evidence, ...], dict[str, str], str]:
        """All evidence, the facts of the verdict, and why it is refused ("" when it is not)."""
        trace = self._draw(marked)
        if trace is None:
            facts = {"judgement": Judgement.NOT_TOLD.value, "no_trace": self.left_out}
            return documents, facts, "" if documents else _refused("")
        verdict = self._judge(marked, trace)
        facts = {
            "judgement": verdict.judgement.value,
            "judgement_zh": verdict.says.zh,
            "judgement_en": verdict.says.en,
        }
        if trace.empty:
            facts["judgement_empty"] = "yes"
        if verdict.usual and verdict.judgement is not Judgement.CONTRADICTED:
            facts["judgement_usual"] = spans_text(verdict.usual)
        enough = bool(documents) or (
            verdict.judgement is Judgement.SUPPORTED and marked.what is not Mark.FORCE_MAJEURE
        )
        refused = "" if enough else _refused(say(verdict.says.zh, verdict.says.en))
        kept = () if trace.empty else (self._keep(marked, trace),)
        return (*documents, *kept), facts, refused

    def _draw(self, marked: Marked) -> Trace | None:
        """None where the store cannot be read and a person says why it may go without."""
        if self.series is None:
            return None
        points = (*usual_points(marked.stack, marked.pollutants), *self.points)
        try:
            return draw(self.series, points, marked.start_ns, marked.end_ns)
        except SeriesError:
            if self.left_out:
                return None
            raise

    def _judge(self, marked: Marked, trace: Trace) -> Verdict:
        hours = rule(self.packs, "start_excuse_hours", _day(marked.start_ns))
        stable = STABLE_MIN if hours is None else int(hours.number * 60)
        return judge_mark(marked.what, trace, marked.start_ns, marked.end_ns, stable_min=stable)

    def _keep(self, marked: Marked, trace: Trace) -> Evidence:
        content = trace_csv(trace)
        sha256 = hashlib.sha256(content).hexdigest()
        times = "-".join(f"{_moment(x):%Y%m%dT%H%M}" for x in (marked.start_ns, marked.end_ns))
        name = f"trace-{marked.stack.id}-{times}.csv"
        self.copies[sha256] = (name, content)
        return Evidence(
            kind="trace",
            sha256=sha256,
            name=name,
            points=trace.points,
            start_ns=trace.start_ns,
            end_ns=trace.end_ns,
        )


def _refused(says: str) -> str:
    shown = say(f"（数据曲线：{says}）", f" (the trace: {says})") if says else ""
    return say(
        f"标记没有依据：请附证据文件（检修单、校准记录、停送电单等）{shown}",
        "a mark without evidence: add a document (work order, calibration sheet, permit to stop …)"
        f"{shown}",
    )


def _moment(time_ns: int) -> datetime:
    return datetime.fromtimestamp(time_ns // 1_000_000_000, PLANT_TIME)


def _day(time_ns: int) -> date:
    return _moment(time_ns).date()
