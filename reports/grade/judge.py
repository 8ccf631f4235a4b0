"""An indicator against its evidence: every piece proven, or not proven."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from reports.grade.bench import Bench
from reports.grade.evidence import (
    Declaration,
    Document,
    Evidence,
    Interlock,
    LedgerKept,
    LimitsMet,
    NoExceedance,
    NoneKnown,
    NoPenalty,
    Retention,
    Share,
    Uptime,
)
from reports.grade.exceeded import no_exceedance
from reports.grade.findings import Expiry, Finding, Status, join, worst
from reports.grade.kept import retention
from reports.grade.measured import cems_uptime, limits_met
from reports.grade.ours import ours
from reports.grade.papers import declaration, document, ledger_kept, no_penalty, share
from reports.grade.running import dcs_uptime, interlock
from reports.grade.table import CONFIRMED, Indicator
from reports.values import Text


@dataclass(frozen=True, slots=True)
class Judged:
    """
    An indicator and what was found.

    ``trial`` is what the evidence says by itself; ``status`` is unknown whenever nobody confirmed
    the condition: then ``trial`` is told, and proves nothing.
    """

    indicator: Indicator
    findings: tuple[Finding, ...]

    @property
    def trial(self) -> Status:
        return worst([each.status for each in self.findings])

    @property
    def status(self) -> Status:
        return self.trial if self.indicator.confirmed in CONFIRMED else Status.UNKNOWN

    @property
    def effort(self) -> str:
        """The greatest effort of its pieces; "" when it is proven."""
        if self.indicator.absent:
            return "read"
        if self.indicator.confirmed not in CONFIRMED:
            return "type"
        efforts = [each.effort for each in self.findings if each.effort]
        return max(efforts, key=ours().effort, default="")

    @property
    def text(self) -> Text:
        """What was found, in words."""
        if self.indicator.absent:
            return Text(zh="指标未见原文", en="the condition could not be read")
        found = join([each.text for each in self.findings])
        if self.indicator.confirmed in CONFIRMED:
            return found
        trial = {
            Status.PROVEN: Text(zh="达到", en="met"),
            Status.FAILED: Text(zh="未达到", en="not met"),
            Status.UNKNOWN: Text(zh="不明", en="unknown"),
        }[self.trial]
        return Text(
            zh=f"条件未经核实，不作证明；按此试算{trial.zh}：{found.zh}",
            en=f"nobody confirmed the condition, so nothing is proven; tried with it: {trial.en}: "
            f"{found.en}",
        )

    @property
    def figure(self) -> Decimal | None:
        return next((each.figure for each in self.findings if each.figure is not None), None)

    @property
    def expires(self) -> tuple[Expiry, ...]:
        return tuple(expiry for each in self.findings for expiry in each.expires)


def judge(bench: Bench, industry: str, indicator: Indicator) -> Judged:
    """Look for every piece of evidence of an indicator."""
    found = tuple(_find(bench, industry, indicator, each) for each in indicator.evidence)
    return Judged(indicator, found)


def _find(  # noqa: PLR0911 - one line for each kind of evidence
    bench: Bench, industry: str, indicator: Indicator, asked: Evidence
) -> Finding:
    match asked:
        case LimitsMet():
            return limits_met(bench, industry, asked)
        case NoExceedance():
            return no_exceedance(bench, industry, asked)
        case Uptime():
            return (cems_uptime if asked.of == "cems" else dcs_uptime)(bench, industry, asked)
        case Retention():
            return retention(bench, industry, asked)
        case Interlock():
            return interlock(bench, industry, asked)
        case Document():
            return document(bench, indicator.id, asked)
        case Declaration():
            return declaration(bench, indicator.id, asked)
        case NoPenalty():
            return no_penalty(bench, indicator.id, asked)
        case Share():
            return share(bench, asked)
        case LedgerKept():
            return ledger_kept(bench, asked)
        case NoneKnown():
            return Finding(
                Status.UNKNOWN, Text(zh="证据未知", en="evidence unknown"), effort="read"
            )


def expiring(found: tuple[Expiry, ...], day: date) -> list[Expiry]:
    """What ends within the warning time (ours): its last day is at most so many days after."""
    last = day + timedelta(days=ours().warn_days)
    unique = dict.fromkeys(each for each in found if day <= each.until <= last)
    return sorted(unique, key=lambda each: (each.until, each.what.zh))
