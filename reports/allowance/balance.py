"""The balance value of a year (BP): read on the national platform, or the span it must lie in."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from reports.allowance.year import pfc_factors
from reports.assembly import Argument, Assembly, Head
from reports.basis import Basis
from reports.carbon.plausibility import ANODE_HIGH, BEST_EFFICIENCY
from reports.carbon.process import GUIDE
from reports.entered import entered
from reports.formulas import FORMULAS
from reports.model import How, Input, Section
from reports.periods import PLANT_TIME
from reports.rules.packs import Legal
from reports.site import PLANT
from reports.values import Text
from reports.words import rounded

PACK: Final = "cn_allowance_aluminium"
DECIMALS: Final = 4
UNIT: Final = "tCO2e/t"


@dataclass(frozen=True, slots=True)
class Balance:
    """BP as an argument (missing when unknown), and the values it may have."""

    argument: Argument
    ends: tuple[Decimal, ...]  # one value when it is known, else low and high
    inputs: tuple[Input, ...]
    note: Text

    @property
    def known(self) -> bool:
        return len(self.ends) == 1


def add_balance(basis: Basis, assembly: Assembly) -> Balance:
    """Line ``plant.balance_value``; unknown: ``plant.balance_low`` and ``plant.balance_high``."""
    head = _head("balance_value", Text(zh="平衡值 BP", en="Balance value BP"))
    entry = entered(basis.ledger, "balance_value", PLANT, basis.period)
    if entry is not None:
        document = entry.figure.document
        name = "—" if document is None else document.name
        day = entry.time.astimezone(PLANT_TIME).date()
        note = Text(
            zh=f"由 {entry.author} 于 {day} 录入，自全国碳市场管理平台读取，证明文件：{name}",
            en=f"entered by {entry.author} on {day} as read on the national platform; "
            f"document: {name}",
        )
        argument = assembly.entry("balance_t_per_t", entry)
    else:
        note = _from_overlay(assembly)
        argument = assembly.law_or_absent("balance_t_per_t", PACK, "balance_value")
    value = argument.input.value
    if value is not None:
        assembly.state(head, value, How.ENTERED, [argument], notes=[note])
        return Balance(argument, (value,), (argument.input,), note)
    return _unknown(basis, assembly, argument)


def _from_overlay(assembly: Assembly) -> Text:
    """Who of the plant entered and checked it as a rule."""
    found = assembly.legal_or_absent(PACK, "balance_value")
    checked = found.overlay if isinstance(found, Legal) else None
    if checked is None:
        return Text(zh="取自法规参数", en="from the rule pack")
    return Text(
        zh=f"取自补充规则：{checked.entered_by} 录入，{checked.checked_by} 于 {checked.checked_on} "
        f"核对，证明文件：{checked.document}",
        en=f"from an overlay: entered by {checked.entered_by}, checked by {checked.checked_by} on "
        f"{checked.checked_on}; document: {checked.document}",
    )


def _unknown(basis: Basis, assembly: Assembly, argument: Argument) -> Balance:
    year = basis.period
    why = Text(
        zh=f"{year} 年平衡值未知：由生态环境部核算，登录全国碳市场管理平台查看，"
        "连同截图录入 balance_value",
        en=f"the balance value of {year} is unknown: the ministry computes it; read it on the "
        "national platform and enter balance_value together with a screenshot",
    )
    low, high = balance_floor(assembly), balance_ceiling(assembly)
    notes = {
        "low": Text(
            zh="全行业平均强度不可能低于法拉第定律的炭耗（电流效率 100 %）加缺省阳极效应排放",
            en="no sector's mean can be below the carbon of Faraday's law (current efficiency "
            "100 %) plus the default anode-effect emission",
        ),
        "high": Text(
            zh=f"全行业平均不会高于吨铝毛阳极消耗 {ANODE_HIGH} t（单个系列的最差水平）",
            en=f"no sector's mean uses more than {ANODE_HIGH} t of gross anode per t of aluminium, "
            "what the worst line uses",
        ),
    }
    labels = {
        "low": Text(zh="平衡值可能的最低值", en="Balance value, lowest possible"),
        "high": Text(zh="平衡值可能的最高值", en="Balance value, highest possible"),
    }
    inputs = []
    for end, value in (("low", low), ("high", high)):
        line = assembly.state(
            _head(f"balance_{end}", labels[end]), value, How.COMPUTED, (), notes=[notes[end]]
        )
        inputs.append(Input(name=end, kind="line", ref=line.id, value=value, unit=UNIT))
    note = Text(
        zh=f"平衡值未知，按 {rounded(low, DECIMALS)}–{rounded(high, DECIMALS)} tCO2e/t 给出区间，"
        "不给单一数值",
        en=f"balance value unknown: a band for {rounded(low, DECIMALS)}-{rounded(high, DECIMALS)} "
        "tCO2e/t, no single figure",
    )
    wanted = Argument(argument.input.model_copy(update={"value": None}), (why,))
    return Balance(wanted, (low, high), tuple(inputs), note)


def _head(name: str, label: Text) -> Head:
    return Head(PLANT, name, Section.ALLOWANCE, label, UNIT, DECIMALS)


def _pfc_per_t(assembly: Assembly) -> Decimal:
    factors = {a.input.name: a.input.value for a in pfc_factors(assembly) if a.input.value}
    return FORMULAS["pfc_default"](aluminium_t=1, **factors)["t_co2e"]


def floor(assembly: Assembly, efficiency: Decimal | int) -> Decimal:
    """Least intensity (t CO2e per t) at a current efficiency: Faraday's carbon, default PFC."""
    carbon = FORMULAS["carbon_floor"](current_efficiency_fraction=efficiency)["t_co2_per_t"]
    return carbon + _pfc_per_t(assembly)


def balance_floor(assembly: Assembly) -> Decimal:
    """Below that the mean of a sector cannot be."""
    return floor(assembly, 1)


def balance_ceiling(assembly: Assembly) -> Decimal:
    """Above that the mean of a sector cannot be: every line as wasteful as the worst."""
    return ANODE_HIGH * co2_per_anode(assembly) + _pfc_per_t(assembly)


def co2_per_anode(assembly: Assembly) -> Decimal:
    """CO2 per tonne of gross anode (t/t), by the fixed values of the guide."""
    loss, sulphur, ash = (
        assembly.legal(GUIDE, name).fraction
        for name in ("anode_loss_rate", "anode_sulphur", "anode_ash")
    )
    net = FORMULAS["anode_net"](anode_t=1, loss_fraction=loss)["net_anode_t"]
    made = FORMULAS["anode_co2"](net_anode_t=net, sulphur_fraction=sulphur, ash_fraction=ash)
    return made["t_co2"]


def below_floor(assembly: Assembly, scope: str) -> Text | None:
    """Why an intensity cannot be: less than Faraday's law demands; None when it can."""
    line = assembly.lines[f"{scope}.intensity"]
    least = floor(assembly, 1)
    if line.value is None or line.value >= least:
        return None
    shown, limit = rounded(line.value, DECIMALS), rounded(least, DECIMALS)
    return Text(
        zh=f"不予计算：{scope} 排放强度 {shown} 低于法拉第下限 {limit} tCO2e/t（电流效率 100 %），"
        "请核对阳极消耗量、铝液产量或核查排放量",
        en=f"refused: intensity {shown} of {scope} is below Faraday's floor {limit} tCO2e/t "
        "(current efficiency 100 %); check anode, aluminium or the verified emission",
    )


def near_floor(assembly: Assembly, scope: str) -> Text | None:
    """A warning when an intensity is possible, but better than the best lines."""
    line = assembly.lines[f"{scope}.intensity"]
    least = floor(assembly, BEST_EFFICIENCY)
    if line.value is None or line.value >= least:
        return None
    shown, limit = rounded(line.value, DECIMALS), rounded(least, DECIMALS)
    return Text(
        zh=f"排放强度 {shown} 低于实际可达下限 {limit} tCO2e/t（电流效率 95 %），请核对；"
        "残极率与规定损失率相差较大时可偏差几个百分点",
        en=f"intensity {shown} is below the practical floor {limit} tCO2e/t (current efficiency "
        "95 %): check it; unusual butts against the fixed loss rate explain a few percent",
    )
