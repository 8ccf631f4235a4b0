"""Words of the quality plan, and small joins of texts in both languages."""

from collections.abc import Iterable, Mapping
from typing import Final

from reports.plan.plan import Acquisition, Frequency
from reports.values import Text

ACQUISITION: Final[Mapping[Acquisition, Text]] = {
    Acquisition.MEASURED: Text(zh="实测值", en="measured"),
    Acquisition.CALCULATED: Text(zh="计算值", en="calculated"),
    Acquisition.LABORATORY: Text(zh="化验检测值", en="laboratory"),
    Acquisition.DEFAULT: Text(zh="缺省值", en="default"),
}
FREQUENCY: Final[Mapping[Frequency, Text]] = {
    Frequency.CONTINUOUS: Text(zh="连续", en="continuous"),
    Frequency.HOURLY: Text(zh="每小时", en="hourly"),
    Frequency.SHIFT: Text(zh="每班", en="each shift"),
    Frequency.DAILY: Text(zh="每日", en="daily"),
    Frequency.WEEKLY: Text(zh="每周", en="weekly"),
    Frequency.MONTHLY: Text(zh="每月", en="monthly"),
    Frequency.QUARTERLY: Text(zh="每季度", en="quarterly"),
    Frequency.YEARLY: Text(zh="每年", en="yearly"),
    Frequency.BATCH: Text(zh="每批次", en="each batch"),
    Frequency.ONCE: Text(zh="一次", en="once"),
}
DRAWINGS: Final[Mapping[str, Text]] = {
    "site_plan": Text(zh="厂区平面布置图", en="site plan"),
    "process": Text(zh="工艺流程图", en="process diagram"),
    "metering": Text(zh="计量器具网络图", en="metering diagram"),
    "other": Text(zh="其他图纸", en="other drawing"),
}
NOT_STATED: Final = Text(zh="未填写", en="not stated")
NONE: Final = Text(zh="无", en="none")


def text(zh: str, en: str) -> Text:
    """A text, short to write."""
    return Text(zh=zh, en=en)


def same(words: object) -> Text:
    """The same in both languages: a number, a date, a code."""
    return Text(zh=str(words), en=str(words))


def joined(parts: Iterable[Text | str]) -> Text:
    """One after the other: ``、`` between them in Chinese, commas in English."""
    known = [part if isinstance(part, Text) else same(part) for part in parts]
    return Text(zh="、".join(each.zh for each in known), en=", ".join(each.en for each in known))


def beside(*parts: Text | str) -> Text:
    """One thing of several words."""
    known = [part if isinstance(part, Text) else same(part) for part in parts if part]
    return Text(zh=" ".join(x.zh for x in known), en=" ".join(x.en for x in known))
