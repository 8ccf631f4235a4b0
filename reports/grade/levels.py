"""From judged indicators to the best level that is proven; the short board decides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reports.grade.findings import Status
from reports.grade.judge import Judged
from reports.grade.table import level_name
from reports.values import Text


@dataclass(frozen=True, slots=True)
class Counted:
    """How many conditions a level has, its own and those of the level it builds on."""

    level: str
    proven: int
    failed: int
    unknown: int
    absent: int  # of the unknown ones: families that nobody could read

    @property
    def met(self) -> bool:
        """Every one is proven, and there is at least one."""
        return self.proven > 0 and self.failed == 0 and self.unknown == 0

    @property
    def text(self) -> Text:
        """Never a letter where it is not proven."""
        name = level_name(self.level)
        if self.met:
            return Text(
                zh=f"{name.zh}可证明：{self.proven} 项全部已证明",
                en=f"{name.en} provable: all {self.proven} conditions are proven",
            )
        if not self.failed + self.unknown:
            return Text(
                zh=f"{name.zh}无法证明：没有指标",
                en=f"{name.en} not provable: no conditions",
            )
        return Text(
            zh=f"{name.zh}无法证明：{self.unknown} 项未知，{self.failed} 项不满足",
            en=f"{name.en} not provable: {self.unknown} unknown, {self.failed} failed",
        )


def needed(level: str, builds_on: Mapping[str, str]) -> tuple[str, ...]:
    """The level and those it takes in, down to the last."""
    found = [level]
    while found[-1] in builds_on:
        found.append(builds_on[found[-1]])
    return tuple(found)


def count(level: str, builds_on: Mapping[str, str], judged: Sequence[Judged]) -> Counted:
    """The conditions of a level, among all that were judged."""
    levels = needed(level, builds_on)
    mine = [each for each in judged if each.indicator.level in levels]
    by = {s: sum(each.status is s for each in mine) for s in Status}
    return Counted(
        level,
        by[Status.PROVEN],
        by[Status.FAILED],
        by[Status.UNKNOWN],
        sum(each.indicator.absent for each in mine),
    )


def best(counted: Sequence[Counted]) -> str:
    """The best level, of levels given best first, that is proven; "" when none is."""
    return next((each.level for each in counted if each.met), "")


def lowest(levels: Sequence[str], grades: Sequence[str]) -> str:
    """Of several industries the lowest counts; "" when any has none."""
    if not grades or any(grade not in levels for grade in grades):
        return ""
    return max(grades, key=levels.index)
