"""The ladder tariff: surcharge in both readings of its green clause, cost, worth of 10 kWh/t."""

from decimal import Decimal
from typing import Final

from reports.assembly import Argument
from reports.energy.bench import Bench, given, head, unstated
from reports.entered import month_of
from reports.model import How
from reports.rules.packs import Legal, RuleError
from reports.site import PLANT
from reports.values import Text

LADDER: Final = "cn_ladder_tariff"
TEN: Final = Decimal(10)
L_SURCHARGE: Final = Text(
    zh="阶梯电价加价标准（抵减以 15 % 为基数）",
    en="Ladder surcharge (relief counted from the base share)",
)
L_OTHER: Final = Text(
    zh="阶梯电价加价标准（抵减以激励性权重为基数）",
    en="Ladder surcharge (relief counted from the incentive weight)",
)
L_COST: Final = Text(zh="阶梯电价加价电费", en="Cost of the ladder surcharge")
L_NOTICE: Final = Text(zh="地方文件核定的加价标准", en="Surcharge fixed by the local notice")
L_NOTICE_COST: Final = Text(zh="按地方核定标准的加价电费", en="Cost by the local notice")
L_LESS: Final = Text(
    zh="降低 10 kWh/t 后的铝液生产用电量", en="Electricity for liquid aluminium with 10 kWh/t less"
)
FULL_PRICE: Final = "price_with_surcharge"
L_FULL: Final = Text(zh="电价（含阶梯加价）", en="Electricity price with the ladder surcharge")
L_TEN: Final = Text(zh="铝液综合交流电耗降低 10 kWh/t 的价值", en="Worth of 10 kWh/t")
L_TEN_PRICE: Final = Text(zh="其中：电价部分", en="of which at the price of electricity")
L_AFTER: Final = Text(zh="降低 10 kWh/t 后的加价标准", en="Surcharge with 10 kWh/t less")
L_COST_AFTER: Final = Text(zh="降低 10 kWh/t 后的加价电费", en="Its cost with 10 kWh/t less")
READINGS: Final = (
    ("ladder_surcharge", L_SURCHARGE, "above_base"),
    ("ladder_surcharge_incentive", L_OTHER, "above_incentive"),
)
_NO_PRICE: Final = Text(
    zh="电价未录入，site.toml 也未给出 [tariff] price_cny_per_kwh：未填报",
    en="no entry of the price and no [tariff] price_cny_per_kwh in site.toml: not stated",
)
_NO_WEIGHT: Final = Text(
    zh="本省激励性权重未核：不计可再生能源抵减",
    en="the province's incentive weight is not known: no relief for renewable power is counted",
)
_NO_SHARE: Final = Text(
    zh="绿色电力占比未知：不计可再生能源抵减",
    en="the share of green power is not known: no relief for renewable power is counted",
)
_HYDRO: Final = Text(
    zh="以绿色电力占比代替非水可再生能源占比，请核对其中是否含水电",
    en="the share of green power stands for the non-hydro one; check whether it holds hydro power",
)


def add_tariff(bench: Bench) -> None:
    """Surcharge, its cost in this period, and what 10 kWh/t are worth; of the whole plant."""
    index = _index(bench)
    if index is None:
        return
    try:
        rules = _rules(bench)
    except RuleError:
        return
    relief, notes = _relief(bench)
    words = {"day": str(bench.period.first)}
    for name, label, reading in READINGS:
        bench.assembly.compute(
            head(PLANT, name, label, "CNY/kWh"),
            "ladder_surcharge",
            [index, *rules, *relief],
            words=words | {"reading": reading},
            notes=notes,
        )
    _cost(bench, "ladder_surcharge", "ladder_cost", L_COST)
    _cost(bench, "ladder_surcharge_incentive", "ladder_cost_incentive", L_COST)
    _full_price(bench)
    _notice(bench)
    _ten(bench, index, [*rules, *relief], words | {"reading": READINGS[0][2]})


def _index(bench: Bench) -> Argument | None:
    """The indicator the rule of the day means: with or without desulphurisation."""
    try:
        scope = bench.assembly.legal(LADDER, "index_scope")
    except RuleError:
        return None
    without = scope.value == "without_desulphurisation"
    name = "liquid_comprehensive_ac" + ("_without_fgd" if without else "")
    line = bench.line(f"{PLANT}.{name}")
    if line is None or line.value is None:
        return None
    return bench.assembly.from_line("index_kwh_per_t", line.id)


def _rules(bench: Bench) -> list[Argument]:
    legal, law = bench.assembly.legal, bench.assembly.law
    return [
        law("threshold_kwh_per_t", legal(LADDER, "threshold")),
        law("step_kwh_per_t", legal(LADDER, "step_width")),
        law("step_cny_per_kwh", legal(LADDER, "step_surcharge")),
        law("base_share", legal(LADDER, "relief_base_share"), as_fraction=True),
    ]


def _relief(bench: Bench) -> tuple[list[Argument], list[Text]]:
    """Share of renewable power and the weight it must reach, when both are known."""
    share = bench.line(f"{PLANT}.green_share")
    if share is None or share.value is None:
        return [], [_NO_SHARE]
    weight = bench.assembly.legal_or_absent(LADDER, "incentive_weight")
    if not isinstance(weight, Legal):
        return [], [_NO_WEIGHT]
    return [
        bench.assembly.from_line("nonhydro_share", share.id),
        bench.assembly.law("incentive_share", weight, as_fraction=True),
    ], [_HYDRO]


def _full_price(bench: Bench) -> None:
    """What a kilowatt-hour for liquid aluminium costs: price and surcharge together."""
    parts = [f"{PLANT}.{name}" for name in ("electricity_price", "ladder_surcharge")]
    if all(bench.value(part) is not None for part in parts):
        bench.assembly.add_up(head(PLANT, FULL_PRICE, L_FULL, "CNY/kWh"), parts)


def _cost(bench: Bench, rate: str, name: str, label: Text, energy: Argument | None = None) -> None:
    """On the electricity of liquid aluminium; the rectifiers and auxiliaries of the plant."""
    assembly = bench.assembly
    what = head(PLANT, name, label, "CNY")
    energy = energy or _liquid_energy(bench)
    surcharge = bench.line(f"{PLANT}.{rate}")
    if energy is None or surcharge is None or surcharge.how is How.NONE:
        unstated(assembly, what)
        return
    assembly.compute(
        what, "surcharge_cost", [assembly.from_line("cny_per_kwh", surcharge.id), energy]
    )


def _liquid_energy(bench: Bench) -> Argument | None:
    """``plant.electricity_liquid``: all electricity for liquid aluminium."""
    name = "electricity_liquid"
    if bench.line(f"{PLANT}.{name}") is None:
        label = Text(zh="铝液生产用电量", en="Electricity for liquid aluminium")
        parts = [
            identity
            for role in ("rectifier", "aux", "fgd")
            if bench.value(identity := f"{PLANT}.electricity_{role}") is not None
        ]
        if not parts:
            return None
        bench.assembly.add_up(head(PLANT, name, label, "MWh"), parts)
    return bench.assembly.from_line("energy_mwh", f"{PLANT}.{name}")


def _notice(bench: Bench) -> None:
    """The tier a local notice fixed stands beside the computed one."""
    entry = month_of(bench.basis.ledger, "ladder_notice", None, bench.period)
    what = head(PLANT, "ladder_notice", L_NOTICE, "CNY/kWh")
    if entry.amount is None:
        unstated(bench.assembly, what)
        return
    bench.assembly.state(what, entry.amount, How.ENTERED, entry.inputs(bench.assembly))
    _cost(bench, "ladder_notice", "ladder_notice_cost", L_NOTICE_COST)


def _ten(bench: Bench, index: Argument, rules: list[Argument], words: dict[str, str]) -> None:
    """10 kWh/t less: what they cost now, and what the surcharge falls by with them."""
    assembly = bench.assembly
    what = head(PLANT, "ten_kwh_worth", L_TEN, "CNY")
    surcharge = bench.value(f"{PLANT}.ladder_surcharge")
    price = bench.value(f"{PLANT}.electricity_price")
    if price is None or surcharge is None or index.input.value is None:
        unstated(assembly, what, _NO_PRICE)
        return
    lower = index.input.model_copy(update={"value": index.input.value - TEN, "kind": "site"})
    less = head(PLANT, "ladder_surcharge_after_ten", L_AFTER, "CNY/kWh")
    after = assembly.compute(less, "ladder_surcharge", [Argument(lower), *rules], words=words)
    fallen = surcharge - (surcharge if after.value is None else after.value)
    _cost(bench, less.name, "ladder_cost_after_ten", L_COST_AFTER, _less_energy(bench))
    parts = [f"{PLANT}.{name}" for name in ("ladder_cost", "ladder_cost_after_ten")]
    relieved = (bench.value(parts[0]) or Decimal(0)) - (bench.value(parts[1]) or Decimal(0))
    metal = assembly.from_line("aluminium_t", f"{PLANT}.aluminium")
    arguments = [
        given("saving_kwh_per_t", TEN, "kWh/t", "10"),
        metal,
        assembly.from_line("price_cny_per_kwh", f"{PLANT}.electricity_price"),
    ]
    saved = assembly.compute(
        head(PLANT, "ten_kwh_price", L_TEN_PRICE, "CNY"), "electricity_worth", arguments
    )
    if saved.value is None:
        assembly.state(what, None, How.MISSING, [], missing=saved.missing)
        return
    inputs = [assembly.from_line(identity, identity) for identity in (saved.id, *parts)]
    note = Text(
        zh=f"加价标准随之下降 {fallen.normalize():f} 元/kWh；"
        "电价按不含阶梯加价计，节约电量的加价另计入",
        en=f"the surcharge falls by {fallen.normalize():f} CNY/kWh with them; the price is taken "
        "to be without it, and the surcharge on the energy saved is in the worth",
    )
    line = assembly.state(what, saved.value + relieved, How.COMPUTED, inputs, notes=[note])
    assembly.put(line, equation="B + C_1 − C_2")


def _less_energy(bench: Bench) -> Argument | None:
    """What is left of the electricity for liquid aluminium with 10 kWh/t less."""
    energy = _liquid_energy(bench)
    metal = bench.assembly.from_line("aluminium_t", f"{PLANT}.aluminium")
    if energy is None or energy.input.value is None or metal.input.value is None:
        return energy
    what = head(PLANT, "ten_kwh_electricity_left", L_LESS, "MWh")
    left = energy.input.value - TEN * metal.input.value / 1000
    line = bench.assembly.state(what, left, How.COMPUTED, [energy, metal])
    bench.assembly.put(line, equation="E_2 = E_1 − 10 × P / 1000")
    return bench.assembly.from_line("energy_mwh", line.id)
