"""
Papers that the officer of a simulated plant has recorded by the end of a year for its grade.

What the shipped tables ask for by their words ("serves"). The gate's acceptance runs out within two
months of the year's end; the report on a whole year of self-monitoring is missing: it is written in
January. What no office could have on that day (a listing by the ministry) is not there either.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from simulators.months import LOCAL

MISSING = "self_monitoring"
RUNS_OUT = "gate_acceptance"


@dataclass(frozen=True, slots=True)
class Paper:
    """One document or declaration; ``valid_until`` is "" where it has no end."""

    what: str  # document, declaration
    title: str
    serves: str
    start: datetime
    valid_until: str
    file: str


def papers(year: int) -> Iterator[Paper]:
    """All of a year, each a file of its own."""
    new_year = datetime(year, 1, 2, tzinfo=LOCAL)
    for title, serves, until in (
        ("排污许可证副本", "permit", f"{year + 3}-06-30"),
        ("门禁视频系统验收意见", RUNS_OUT, f"{year + 1}-02-28"),
        ("烟气净化和脱硫设计文件", "control_design", ""),
        ("无组织排放自查记录", "fugitive_check", f"{year + 1}-06-30"),
        ("天然气供应合同", "fuel_contract", f"{year + 2}-12-31"),
    ):
        yield _paper("document", title, serves, new_year, until)
    reports = [(1, 15, f"{year - 1} 年第 4 季度"), (1, 28, f"{year - 1} 年度")]
    reports += [(3 * n + 1, 14, f"{year} 年第 {n} 季度") for n in (1, 2, 3)]
    for month, day, name in reports:
        start = datetime(year, month, day, tzinfo=LOCAL)
        yield _paper("document", f"排污许可执行报告 {name}", "permit_report", start, "")
    bypass = "治理设施无旁路声明"
    yield _paper("declaration", bypass, "no-bypass", new_year, f"{year + 1}-12-31")
    none = "一年内无环境行政处罚声明"
    yield _paper("declaration", none, "no_penalty", datetime(year, 12, 31, tzinfo=LOCAL), "")


def _paper(what: str, title: str, serves: str, start: datetime, until: str) -> Paper:
    name = f"{serves}-{start:%Y%m%d}.txt"
    return Paper(what, f"{title}（仿真）", serves, start, until, name)
