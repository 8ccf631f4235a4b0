"""Tables of the allowance report: other balance values, a kilogram of anode, months, vintages."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from reports.allowance.balance import Balance, co2_per_anode
from reports.allowance.position import Vintage, value_at, whole_shortfall, whole_surplus
from reports.allowance.rules import PACK, Rule, slope_values
from reports.allowance.year import YearOf
from reports.assembly import Assembly
from reports.chapters import Cell, Column, Table
from reports.conclude import words
from reports.duties.milestones import Milestone
from reports.entries.ledger import Entry
from reports.formulas import FORMULAS
from reports.formulas.numbers import FormulaError
from reports.rules.packs import Legal
from reports.values import Text

STEPS: Final = tuple(Decimal("1.500") + Decimal("0.025") * n for n in range(7))  # tCO2e/t
KILOGRAM: Final = Decimal("0.001")


def balance_table(
    assembly: Assembly, rules: Mapping[str, Rule], balance: Balance, price: Entry | None
) -> Table | None:
    """What each balance value would give: allowance and position of the plant."""
    marks = {value: Text(zh="", en="") for value in STEPS}
    mean = assembly.legal_or_absent(PACK, "sector_mean_intensity")
    if isinstance(mean, Legal):
        marks[mean.number] = Text(
            zh="2024 年行业均值（分析文章，非官方，仅供参考）",
            en="mean of the sector in 2024 (an analyst's, not official, for orientation)",
        )
    if balance.known:
        marks[balance.ends[0]] = Text(zh="录入的平衡值", en="the balance value entered")
    rows: list[tuple[Cell, ...]] = []
    for value in sorted(marks):
        found = _plant_at(assembly, rules, value)
        if found is None:
            return None
        emission, allowance = found
        position = whole_surplus(allowance - emission) - whole_shortfall(allowance - emission)
        rows.append(
            (
                value,
                (allowance / emission - 1) * 100,
                allowance,
                position,
                value_at(position, price),
                marks[value],
            )
        )
    return Table(
        id="balance",
        title=Text(zh="平衡值敏感性（全厂）", en="What each balance value would give (plant)"),
        columns=(
            Column(label=Text(zh="平衡值 BP", en="Balance value BP"), unit="tCO2e/t", decimals=4),
            Column(label=Text(zh="盈缺率", en="Allowance over emission"), unit="%", decimals=2),
            Column(label=Text(zh="配额量", en="Allowance"), unit="t", decimals=0),
            Column(label=Text(zh="盈缺（整吨）", en="Position, whole t"), unit="t", decimals=0),
            Column(label=Text(zh="金额", en="Money"), unit="CNY", decimals=0),
            Column(label=Text(zh="说明", en="Remark"), width=28),
        ),
        rows=tuple(rows),
        note=Text(
            zh="盈余舍去、缺口进整吨，金额按整吨计，与结论同。平衡值以全国碳市场管理平台公布的为准；本厂各系列的数据不能推算全行业平衡值，"
            "smelter compute balance_value 只供假设测算。",
            en="A surplus is cut and a shortfall raised to whole tonnes, money follows them, as on "
            "the first page. The national platform decides; the lines of one plant do not tell the "
            "balance value of the sector, smelter compute balance_value only answers what if.",
        ),
    )


def _plant_at(
    assembly: Assembly, rules: Mapping[str, Rule], balance: Decimal
) -> tuple[Decimal, Decimal] | None:
    """Emission and allowance of the plant at a balance value; None when something is missing."""
    emissions = allowances = Decimal(0)
    for scope, rule in rules.items():
        emission = assembly.lines[f"{scope}.emission"].value
        metal = assembly.lines[f"{scope}.aluminium"].value
        if emission is None or not metal:
            return None
        emissions += emission
        if rule.name == "intensity":
            made = _at(assembly, emission, metal, balance)
            if made is None:
                return None
            allowances += made
        elif rule.name == "verified_emission":
            allowances += emission
    return (emissions, allowances) if emissions else None


def _at(assembly: Assembly, emission: Decimal, metal: Decimal, balance: Decimal) -> Decimal | None:
    try:
        made = FORMULAS["allowance"](
            emission_t=emission,
            aluminium_t=metal,
            balance_t_per_t=balance,
            **slope_values(assembly),
        )
    except FormulaError:
        return None
    return made["allowance_t"]


def anode_table(
    assembly: Assembly,
    years: Sequence[YearOf],
    rules: Mapping[str, Rule],
    balance: Balance,
    price: Entry | None,
) -> Table | None:
    """What one kilogram of anode per tonne of aluminium less is worth, process by process."""
    values = slope_values(assembly)
    slope, per_anode = values["slope"], co2_per_anode(assembly)
    rows: list[tuple[Cell, ...]] = []
    for year in years:
        scope = year.line.id
        emission = assembly.lines[f"{scope}.emission"].value
        metal = assembly.lines[f"{scope}.aluminium"].value
        if rules[scope].name != "intensity" or emission is None or not metal:
            continue
        saved = KILOGRAM * per_anode * metal
        at = balance.ends[0] if balance.known else emission / metal
        gained = _gain(emission, metal, at, saved, slope)
        rows.append((words(year.line.name), metal, saved, gained, value_at(gained, price)))
    if not rows:
        return None
    at_zh = "录入的平衡值" if balance.known else "平衡值等于本工序强度（平衡值未知）"
    at_en = (
        "the balance value entered"
        if balance.known
        else "a balance value equal to the own intensity"
    )
    return Table(
        id="anode",
        title=Text(
            zh="吨铝阳极消耗每降低 1 kg 的影响", en="What 1 kg less anode per t of aluminium does"
        ),
        columns=(
            Column(label=Text(zh="工序", en="Process"), width=18),
            Column(label=Text(zh="铝液产量", en="Aluminium"), unit="t", decimals=0),
            Column(
                label=Text(zh="少排放", en="Less emission"), unit="tCO2e", decimals=1, total=True
            ),
            Column(
                label=Text(zh="盈缺改善", en="Better position"), unit="t", decimals=1, total=True
            ),
            Column(label=Text(zh="金额", en="Money"), unit="CNY", decimals=0, total=True),
        ),
        rows=tuple(rows),
        note=Text(
            zh=f"配额随排放量同比变化，少排 1 t 只使盈缺改善约 {slope} t（不取整，按{at_zh}计）；"
            "阳极本身节约的费用未计。",
            en=f"The allowance follows the emission, so a tonne less improves the position by "
            f"about {slope} t only (not cut to whole tonnes, at {at_en}); the anode saved is not "
            "counted.",
        ),
    )


def _gain(
    emission: Decimal, metal: Decimal, balance: Decimal, saved: Decimal, slope: Decimal
) -> Decimal:
    """Change of E · alpha when the emission falls by ``saved``, inside the clip, not floored."""

    def position(amount: Decimal) -> Decimal:
        return amount * slope * (balance - amount / metal) / balance

    return position(emission - saved) - position(emission)


def months_table(year: YearOf) -> Table:
    """Month by month: measured or forecast."""
    rows: list[tuple[Cell, ...]] = []
    for month in year.months:
        metal, anode = month.value("aluminium"), month.value("anode_consumed")
        rate = anode / metal * 1000 if metal and anode is not None else None
        state = Text(zh="预测", en="forecast") if month.forecast else Text(zh="实测", en="measured")
        if month.value("emission") is None:
            state = Text(zh="缺数据", en="missing")
        rows.append((str(month.month), state, metal, anode, rate, month.value("emission")))
    name = words(year.line.name)
    return Table(
        id=f"months_{year.line.id}",
        title=Text(zh=f"{name.zh}各月", en=f"{name.en}, months"),
        columns=(
            Column(label=Text(zh="月份", en="Month"), width=10),
            Column(label=Text(zh="性质", en="How"), width=10),
            Column(label=Text(zh="铝液产量", en="Aluminium"), unit="t", decimals=2, total=True),
            Column(label=Text(zh="阳极消耗量", en="Anode"), unit="t", decimals=2, total=True),
            Column(label=Text(zh="吨铝阳极", en="Anode rate"), unit="kg/t", decimals=1),
            Column(label=Text(zh="排放量", en="Emission"), unit="tCO2e", decimals=2, total=True),
        ),
        rows=tuple(rows),
    )


def vintage_table(vintages: Sequence[Vintage]) -> Table | None:
    """Allowances entered besides this year's issue, by vintage."""
    if not vintages:
        return None
    yes, no = Text(zh="可用", en="usable"), Text(zh="不可用，未计入", en="not usable, not counted")
    rows: list[tuple[Cell, ...]] = [
        (
            x.entry.figure.item,
            Text(zh=x.entry.figure.kind.zh, en=x.entry.figure.kind.en),
            x.entry.figure.amount,
            yes if x.usable else no,
        )
        for x in sorted(vintages, key=lambda v: (v.entry.figure.item, v.entry.figure.kind.id))
    ]
    return Table(
        id="vintages",
        title=Text(zh="分年份持有与买卖", en="Holdings and trade by vintage"),
        columns=(
            Column(label=Text(zh="配额年份", en="Vintage"), width=10),
            Column(label=Text(zh="项目", en="Item")),
            Column(label=Text(zh="数量", en="Amount"), unit="t", decimals=0),
            Column(label=Text(zh="能否用于本年度清缴", en="For this year"), width=20),
        ),
        rows=tuple(rows),
    )


def milestone_table(days: Sequence[Milestone]) -> Table:
    """Who acts by which day, and where that stands."""
    us, them = Text(zh="本企业", en="plant"), Text(zh="主管部门", en="authority")
    rows: list[tuple[Cell, ...]] = [
        (
            day.text,
            str(day.due),
            us if day.ours else them,
            day.legal.source.title,
        )
        for day in days
    ]
    return Table(
        id="milestones",
        title=Text(zh="履约日历", en="Calendar of the compliance year"),
        columns=(
            Column(label=Text(zh="事项", en="What"), width=26),
            Column(label=Text(zh="截止日", en="By"), width=12),
            Column(label=Text(zh="责任方", en="Who"), width=10),
            Column(label=Text(zh="依据", en="Source"), width=40),
        ),
        rows=tuple(rows),
        note=Text(
            zh="办理情况和剩余天数：smelter duties。",
            en="Done or not, and days left: smelter duties.",
        ),
    )
