"""Words of the emissions report."""

from collections.abc import Iterable
from typing import Final

from reports.journal.forms import FORMS
from reports.values import Text

MARKS: Final = {
    **FORMS["mark"].words,
    "out_of_control": Text(zh="失控", en="out of control"),
}
STATES: Final = {
    "invalid": Text(zh="有效分钟不足", en="too few valid minutes"),
    "mark": Text(zh="标记", en="mark"),
    "exempt": Text(zh="启停标记", en="start-up or shut-down mark"),
    "out_of_control": Text(zh="失控", en="out of control"),
    "stopped": Text(zh="停运", en="source stopped"),
    "outside": Text(zh="不在用", en="not in use"),
    "not_convertible": Text(zh="含氧量接近环境空气，无法折算", en="O2 too near air to convert"),
}
AUTOMATIC: Final = Text(zh="仪器状态自动标记", en="by the instrument itself")
UNEXPLAINED: Final = Text(zh="尚未说明", en="not yet explained")
METHODS: Final = {
    "edge": Text(zh="网关计算的分钟值", en="minutes computed by the gateway"),
    "minutes": Text(zh="由分钟均值按 HJ 212 附录 D.2 计算", en="computed here from minute means"),
    "hours": Text(zh="由导入的小时值计算", en="computed here from imported hours"),
}
SUPPORT: Final = {
    "supported": Text(zh="数据曲线支持", en="supported by the trace"),
    "contradicted": Text(zh="与数据矛盾，不作豁免", en="contradicted, excuses nothing"),
    "not_told": Text(zh="数据曲线无法判断", en="the trace does not tell"),
    "unconfirmed": Text(
        zh="数据曲线无法判断，又无另一人确认，不作豁免",
        en="the trace does not tell and nobody else confirmed it: excuses nothing",
    ),
}


HJ75_COVERS: Final = frozenset({"pm", "so2", "nox", "no", "no2"})  # as its title says
ANALOGY: Final = Text(
    zh="HJ 75-2017 只规定颗粒物、二氧化硫和氮氧化物；用于氟化物等其他污染物系本程序比照适用",
    en="HJ 75-2017 is for dust, SO2 and NOx only; for fluoride and others it is applied by our own "
    "analogy",
)


def by_analogy(pollutant: str) -> bool:
    """True for a pollutant to which the rules of HJ 75 are applied although it names others."""
    return pollutant not in HJ75_COVERS


def with_analogy(note: Text, pollutants: Iterable[str]) -> Text:
    """A note on a table, with a sentence more where the rule is stretched."""
    if not any(by_analogy(name) for name in pollutants):
        return note
    return Text(zh=f"{note.zh}{ANALOGY.zh}。", en=f"{note.en} {ANALOGY.en}.")


def method_text(code: str) -> Text:
    """``M180``: what stands in for a missing amount."""
    hours = code[1:]
    if code.startswith("C"):
        return Text(
            zh=f"{code}：上次合格检查前 {hours} 个有效小时排放量最大值",
            en=f"{code}: highest of the {hours} valid hours before the last good check",
        )
    if code.startswith("M"):
        return Text(
            zh=f"{code}：失效前 {hours} 个有效小时排放量最大值",
            en=f"{code}: highest of the {hours} valid hours before the gap",
        )
    return Text(zh="无替代值", en="no stand-in")


def both(parts: list[Text]) -> Text:
    """Several texts in one cell."""
    return Text(zh="；".join(p.zh for p in parts), en="; ".join(p.en for p in parts))
