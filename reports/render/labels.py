"""The words of the printed report in both languages, and how figures are shown to people."""

from decimal import Decimal
from typing import Final

from reports.formulas import FORMULAS
from reports.model import Coverage, How, Input, Line, Report
from reports.values import Text
from reports.words import number_text, short_text

HOW: Final = {
    How.METERED: Text(zh="计量", en="metered"),
    How.ENTERED: Text(zh="录入", en="entered"),
    How.COMPUTED: Text(zh="计算", en="computed"),
    How.DEFAULT: Text(zh="缺省因子计算", en="default factors"),
    How.SUM: Text(zh="合计", en="sum"),
    How.NONE: Text(zh="未填报", en="not stated"),
    How.MISSING: Text(zh="缺数据", en="missing"),
}
CONFIRMED: Final = {
    "official": Text(zh="官方文本", en="official text"),
    "secondary": Text(zh="二手资料", en="secondary"),
    "unverified": Text(zh="未核实", en="unverified"),
}
UNITS: Final = {
    "decimals": Text(zh="位小数", en="decimals"),
    "days": Text(zh="日", en="days"),
    "name": Text(zh="", en=""),
    "1": Text(zh="", en=""),
    "fraction": Text(zh="", en=""),
    "kg_per_t": Text(zh="kg/t", en="kg/t"),
    "t_co2e_per_t": Text(zh="tCO2e/t", en="tCO2e/t"),
    "kg_co2_per_kwh": Text(zh="kgCO2/kWh", en="kgCO2/kWh"),
}
VALUES: Final = {
    "half_up": Text(zh="四舍五入", en="half up"),
    "exact": Text(zh="未修约值之和", en="sum of exact figures"),
    "fixed": Text(zh="取固定值", en="fixed"),
    "measured_or_default": Text(zh="化验值，无则缺省", en="measured, else default"),
    "pfc_default": Text(zh="缺省因子法", en="default factors"),
    "consumed_then_stock": Text(zh="先消耗台账，后库存平衡", en="consumption ledger, then stock"),
}
REASONS: Final = {
    "no_windows": Text(zh="无数据", en="no windows"),
    "no_register": Text(zh="无表底", en="no register"),
    "no_data": Text(zh="通信中断", en="no data"),
    "refused": Text(zh="设备拒绝", en="refused"),
    "not_available": Text(zh="设备无值", en="not available"),
    "undecodable": Text(zh="无法解码", en="undecodable"),
    "overload": Text(zh="采集过载", en="overload"),
    "jump": Text(zh="表底跳变", en="jump"),
}
EVENTS: Final = {
    "gap": Text(zh="缺口", en="gap"),
    "device_lost": Text(zh="设备失联", en="device lost"),
    "rollover": Text(zh="表底回零（满量程）", en="rollover"),
    "reset": Text(zh="表底清零", en="reset"),
    "replacement": Text(zh="换表", en="replacement"),
    "overload": Text(zh="采集过载", en="overload"),
    "clock_step": Text(zh="时钟跳变", en="clock step"),
}


def label(table: dict[str, Text], key: str, lang: str) -> str:
    """The word for ``key``, or the key itself."""
    found = table.get(key)
    return key if found is None else found.of(lang)


def unit_text(unit: str, lang: str) -> str:
    """The unit as people write it."""
    return label(UNITS, unit, lang)


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
    return f"{name}{value} {unit}".rstrip() + f" 〔{shown}〕"


def _symbol(formula: str, parameter: str) -> str:
    known = FORMULAS.get(formula)
    if known is None or parameter not in known.parameters:
        return ""
    return f"{known.symbols[known.parameters.index(parameter)]} = "


def reference_labels(report: Report, lang: str) -> dict[str, str]:
    """What a reference is called in print: names of rules and lines, numbers of entries."""
    content = report.content
    found = {legal.id: legal.label.of(lang) for legal in content.legals}
    places = {line.id: line.name.of(lang) for line in content.potlines}
    for line in content.lines:
        place = places.get(line.scope, "全厂" if lang == "zh" else "plant")
        found[line.id] = f"{place} {line.label.of(lang)}"
    for entry in content.entries:
        found[str(entry.number)] = (
            f"录入第 {entry.number} 条" if lang == "zh" else f"entry {entry.number}"
        )
    for meter in content.meters:
        word = "计量表" if lang == "zh" else "meter"
        found[meter.id] = f"{word} {meter.equipment}"
    return found
