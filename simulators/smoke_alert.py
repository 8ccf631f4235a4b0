"""
The orange alert of a simulated year: what the plant's own plan promises, and what it really does.

The plan is made up and says so. Of four measures that are due, two are kept (trucks, gas of the
cast house), one is not (potline 1 goes on as ever), and of one nobody can tell (no meter).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

from simulators.months import LOCAL

LEVEL = "orange"
DONE_WITHIN_H = 6  # promised …
DONE_AFTER_H = 4  # … and really done
GAS_LEFT = 0.6  # of the usual
GAS_CUT_PERCENT = 30  # promised
DOCUMENT = "alert-plan-simulated.txt"
KEPT_OUT = ("lower", "national_v", "unknown")  # classes that the gate turns away


@dataclass(frozen=True, slots=True)
class Alert:
    """When it was in force, [begin, end)."""

    begin: datetime
    end: datetime

    @property
    def days(self) -> tuple[int, ...]:
        """Whole days of its month."""
        first = self.begin.date() + timedelta(days=1)
        return tuple(range(first.day, self.end.day))

    @property
    def done_s(self) -> tuple[float, float]:
        """Unix seconds between which less gas is burned."""
        return (self.begin + timedelta(hours=DONE_AFTER_H)).timestamp(), self.end.timestamp()


def alert_of(year: int) -> Alert:
    """From an evening over two whole days."""
    begin = datetime(year, 11, 27, 18, tzinfo=LOCAL)
    return Alert(begin, datetime(year, 11, 30, tzinfo=LOCAL))


def write_alert_plan(path: Path, year: int) -> None:
    """``alert-plan.toml`` and the document it stands in, beside it."""
    told = (
        f"示例铝业有限公司（仿真）重污染天气“一厂一策”实施方案（{year}—{year + 1}）\n"
        "仿真文件，并非任何企业的方案。Simulated; the plan of no real plant.\n"
    ).encode()
    path.with_name(DOCUMENT).write_bytes(told)
    path.write_text(_text(year, sha256(told).hexdigest()), "utf-8")


def _text(year: int, digest: str) -> str:
    stands = f'document = "{DOCUMENT}"\nsha256 = "{digest}"'
    figures = {"gas": GAS_CUT_PERCENT, "within": DONE_WITHIN_H}
    return _PLAN.format(year=year, after=year + 1, stands=stands, **figures)


_PLAN = """\
# 一厂一策（仿真）：预警时承诺的措施，数值均为虚构。
# What the simulated plant promises on alert days; all figures are made up.

[[plan]]
name = "{year}—{after} 年应急减排方案（仿真）"
valid_from = {year}-10-01
valid_until = {after}-09-30
{stands}

[[plan.measures]]
id = "trucks"
levels = ["yellow", "orange", "red"]
zh = "国五及以下货车停运"
en = "no trucks of China V or older"
mode = "transport"
unit = "transport"
classes = ["lower", "national_v"]

[[plan.measures]]
id = "gas"
levels = ["orange", "red"]
zh = "铸造炉少烧 {gas} % 天然气"
en = "{gas} % less gas in the cast house"
mode = "load"
unit = "percent_load"
amount = {gas}
meters = ["plant/gas1 gas.volume"]
within_hours = {within}
baseline = {{ days = 7 }}

[[plan.measures]]
id = "load"
levels = ["orange", "red"]
zh = "一系列压减 5 % 负荷"
en = "potline 1 at 5 % less load"
mode = "load"
unit = "percent_load"
amount = 5
potlines = ["line1"]
within_hours = {within}
baseline = {{ days = 7 }}

[[plan.measures]]
id = "furnace"
levels = ["orange", "red"]
zh = "停用 2 号混合炉（天然气表尚未接入）"
en = "mixing furnace 2 shut down (its gas meter is not connected)"
mode = "load"
unit = "percent_load"
amount = 100
meters = ["cast2/gas1 gas.volume"]
within_hours = {within}

[[plan.measures]]
id = "pots"
levels = ["red"]
zh = "停 4 台槽"
en = "4 pots stopped"
mode = "units_stopped"
unit = "pots"
amount = 4
potlines = ["line1"]

[[season]]
first = {year}-11-15
last = {after}-03-15
{stands}
"""
