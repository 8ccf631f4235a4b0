"""The words of the printed report in both languages, and how figures are shown to people."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from reports.entries.kinds import FACTS, KINDS
from reports.formulas import FORMULAS
from reports.model import Coverage, How, Input, Line, Report
from reports.rules.units import NAME_TEXT, UNIT_TEXT
from reports.site import PLANT
from reports.values import Text
from reports.words import number_text, short_text

HOW: Final = {
    How.METERED: Text(zh="计量", en="metered"),
    How.ENTERED: Text(zh="录入", en="entered"),
    How.COMPUTED: Text(zh="计算", en="computed"),
    How.DEFAULT: Text(zh="缺省因子计算", en="default factors"),
    How.SUM: Text(zh="合计", en="sum"),
    How.SUBSTITUTED: Text(zh="替代数据", en="substituted"),
    How.NONE: Text(zh="未填报", en="not stated"),
    How.MISSING: Text(zh="缺数据", en="missing"),
}
CONFIRMED: Final = {
    "official": Text(zh="官方文本", en="official text"),
    "secondary": Text(zh="二手资料", en="secondary"),
    "unverified": Text(zh="未核实", en="unverified"),
    "site": Text(zh="本厂核对", en="checked by the plant"),
}
UNITS: Final = {
    **UNIT_TEXT,
    "fraction": Text(zh="", en=""),
    "t": Text(zh="t", en="t"),
    "1": Text(zh="", en=""),
    "CNY": Text(zh="元", en="CNY"),
    "CNY/kWh": Text(zh="元/kWh", en="CNY/kWh"),
    "1/cell-day": Text(zh="次/(槽·日)", en="1/cell-day"),
    "min/cell-day": Text(zh="分钟/(槽·日)", en="min/cell-day"),
}
# Heads of narrow columns, where the full name of a figure does not fit.
SHORT: Final = {
    "anode_co2": Text(zh="炭阳极排放", en="CO2 from anodes"),
    "pfc": Text(zh="阳极效应排放", en="Anode-effect PFC"),
    "emission": Text(zh="工序排放量", en="Process emission"),
    "intensity": Text(zh="排放强度", en="Intensity"),
    "indirect_co2": Text(zh="电力间接排放（参考）", en="Indirect CO2 (information)"),
    "electricity_ac": Text(zh="工序交流电量", en="AC electricity"),
    "electricity_aux": Text(zh="工序动力电量", en="Auxiliary electricity"),
    "specific_energy": Text(zh="铝液交流电耗", en="AC electricity per t"),
}
VALUES: Final = NAME_TEXT
METHODS: Final = {"forecast": Text(zh="预测", en="forecast")}  # others are codes of the rules
REASONS: Final = {
    "no_windows": Text(zh="无数据", en="no windows"),
    "no_register": Text(zh="无表底", en="no register"),
    "no_data": Text(zh="通信中断", en="no data"),
    "refused": Text(zh="设备拒绝", en="refused"),
    "not_available": Text(zh="设备无值", en="not available"),
    "undecodable": Text(zh="无法解码", en="undecodable"),
    "overload": Text(zh="采集过载", en="overload"),
    "jump": Text(zh="表底跳变", en="jump"),
    "stopped": Text(zh="停运", en="source stopped"),
    "set_by_hand": Text(zh="手工设定", en="set by hand"),
}
EVENTS: Final = {
    "gap": Text(zh="缺口", en="gap"),
    "device_lost": Text(zh="设备失联", en="device lost"),
    "rollover": Text(zh="表底回零（满量程）", en="rollover"),
    "reset": Text(zh="表底清零", en="reset"),
    "replacement": Text(zh="换表", en="replacement"),
    "overload": Text(zh="采集过载", en="overload"),
    "clock_step": Text(zh="时钟跳变", en="clock step"),
    "clock_unsynced": Text(zh="时钟未同步", en="clock not synchronised"),
    "retimed": Text(zh="改正时间", en="re-timed"),
    "device_clock": Text(zh="设备时钟异常", en="device clock"),
}
SUBJECTS: Final = {"clock": Text(zh="网关时钟", en="gateway clock")}  # of doubts about no line


def label(table: Mapping[str, Text], key: str, lang: str) -> str:
    """The word for ``key``, or the key itself."""
    found = table.get(key)
    return key if found is None else found.of(lang)


def unit_text(unit: str, lang: str) -> str:
    """The unit as people write it."""
    return spelled(label(UNITS, unit, lang), lang)


def spelled(text: str, lang: str) -> str:
    """A unit, or a text with one, without Chinese in English."""
    if lang == "zh":
        return text
    found = text.replace("万Nm3", "10^4 Nm3").replace("万kWh", "10^4 kWh")
    return "pcs" if found == "块" else found


def whole_text(period: str, lang: str) -> str:
    """The head over the whole of some months: of a year, or of other days."""
    year = Text(zh="全年", en="Year") if len(period) == len("2026") else Text(zh="全期", en="Whole")
    return year.of(lang)


def item_text(kind: str, item: str, lang: str) -> str:
    """The fuel, carbonate or product an entry is about."""
    known = KINDS.get(kind)
    return item if known is None else known.item_name(item).of(lang)


def more_text(more: dict[str, str], lang: str) -> str:
    """Sample, method, laboratory … of an entry, each with its name."""
    names = {
        key: Text(zh=fact.zh, en=fact.en).of(lang) for key, fact in FACTS.items() if key in more
    }
    colon, comma = ("：", "；") if lang == "zh" else (": ", "; ")
    return comma.join(f"{names.get(key, key)}{colon}{value}" for key, value in more.items())


def rounded_text(line: Line) -> str:
    """The figure as it is reported."""
    return number_text(line.rounded, line.decimals)


def exact_text(value: Decimal | None) -> str:
    """As exact as a person wants to see it: ten significant digits at most, thousands grouped."""
    if value is None:
        return "—"
    places = max(0, min(8, 10 - len(str(int(abs(value))))))
    text = f"{value:,.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def coverage_text(coverage: Coverage | None, lang: str) -> str:
    """Share, and what it is made of."""
    if coverage is None:
        return ""
    share = f"{short_text(coverage.share * 100)} %"
    return f"{share}；{coverage.text.zh}" if lang == "zh" else f"{share}; {coverage.text.en}"


def input_text(line: Line, given: Input, lang: str, labels: dict[str, str]) -> str:
    """``r = 0.1518 〔阳极损失率〕``: one input, with what it refers to."""
    unit = unit_text(given.unit, lang)
    shown = labels.get(given.ref, given.ref)
    value = "—" if given.value is None else exact_text(given.value)
    name = _symbol(line.formula, given.name)
    aside = f"〔{shown}〕" if lang == "zh" else f"({shown})"
    return f"{name}{value} {unit}".rstrip() + f" {aside}"


def _symbol(formula: str, parameter: str) -> str:
    known = FORMULAS.get(formula)
    if known is None or parameter not in known.parameters:
        return ""
    return f"{known.symbols[known.parameters.index(parameter)]} = "


def reference_labels(report: Report, lang: str) -> dict[str, str]:
    """What a reference is called in print: names of rules and lines, numbers of entries."""
    content = report.content
    found = {legal.id: legal.label.of(lang) for legal in content.legals}
    found |= {absent.id: absent.label.of(lang) for absent in content.absent}
    places = {line.id: line.name.of(lang) for line in content.potlines}
    places[PLANT] = "全厂" if lang == "zh" else "plant"
    for line in content.lines:
        place = places.get(line.scope, line.scope)
        _, _, month = line.id.partition("@")
        found[line.id] = f"{place} {line.label.of(lang)} {month}".rstrip()
    for entry in content.entries:
        found[str(entry.number)] = (
            f"录入第 {entry.number} 条" if lang == "zh" else f"entry {entry.number}"
        )
    for meter in content.meters:
        word = "计量表" if lang == "zh" else "meter"
        found[meter.id] = f"{word} {meter.equipment}"
    return found


_MONTHS: Final = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)


def month_head(month: str, lang: str) -> str:
    """``3 月`` of 2026-03; English: Mar."""
    _, _, number = month.partition("-")
    if not number.isdigit():
        return month
    if lang == "zh":
        return f"{int(number)}月"
    return _MONTHS[int(number) - 1]
