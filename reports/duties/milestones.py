"""The days of a compliance year: what the plant must do, and what others do for it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from reports.assembly import Assembly
from reports.model import DutyUse
from reports.rules.packs import Legal, RuleError
from reports.values import Text

CALENDAR: Final = "cn_calendar"
OURS: Final[Mapping[str, Text]] = {
    "report_due": Text(zh="报送年度排放报告", en="hand in the annual report"),
    "surrender_due": Text(zh="完成配额清缴", en="surrender allowances"),
    "plan_due": Text(zh="填报数据质量控制计划", en="file the data quality control plan"),
}
THEIRS: Final[Mapping[str, Text]] = {
    "pre_allocation_due": Text(zh="预分配配额下发", en="pre-allocation issued"),
    "verification_due": Text(zh="核查完成并告知结果", en="verification finished and told"),
    "allocation_due": Text(zh="省级主管部门核定配额", en="province determines the allowance"),
    "issue_due": Text(zh="配额发放", en="allowances issued"),
    "list_due": Text(zh="重点排放单位名录公布", en="list of key emitters published"),
}


@dataclass(frozen=True, slots=True)
class Milestone:
    """A day of the calendar; ``ours`` when the plant must act by then."""

    id: str
    text: Text
    due: date
    ours: bool
    legal: Legal

    @property
    def duty(self) -> DutyUse:
        return DutyUse(id=self.id, text=self.text, due=self.due, legal=self.legal.id)


def milestones(assembly: Assembly, names: Iterable[str]) -> tuple[Milestone, ...]:
    """Those of the assembly's year, by day; one not published yet is noted there as absent."""
    found = []
    for name in names:
        text = OURS.get(name) or THEIRS[name]
        try:
            legal = assembly.legal_or_absent(CALENDAR, name)
        except RuleError:  # there is no such day for that year
            continue
        if isinstance(legal, Legal):
            found.append(Milestone(name, text, legal.day, name in OURS, legal))
    return tuple(sorted(found, key=lambda each: each.due))
