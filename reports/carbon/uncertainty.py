"""
Uncertainty of a year's emission by error propagation (IPCC 2006, volume 1, chapter 3, approach 1).

What moves a figure is a *cause*: an instrument, or the value of a parameter. A cause acts on every
month and every process in the same direction, so its contributions are added before squares are:
the error of one scale does not shrink over twelve months. Different causes are independent.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from reports.assembly import Assembly, Head
from reports.basis import Basis
from reports.carbon.process import GUIDE
from reports.carbon.uncertainty_effects import (
    BURNED,
    COVERAGE,
    PERCENT,
    Effect,
    burned_effects,
    class_percent,
    combine,
    combine_intensity,
    value_of,
    worst,
)
from reports.chapters import Cell, Chapter, Column, Details, Paragraph, Table
from reports.conclude import words
from reports.model import How, Section
from reports.plan.file import load_plan
from reports.plan.plan import Plan
from reports.site import PLANT, Potline
from reports.values import Text
from reports.words import rounded


def add_uncertainty(
    assembly: Assembly, basis: Basis, potlines: Sequence[Potline]
) -> Chapter | None:
    """
    Lines ``uncertainty``, ``uncertainty_t``, ``intensity_uncertainty`` of each process and plant,
    ``plant.enterprise_uncertainty`` (``_t``) with fuels and carbonates.

    None without a plan. Needs the year's lines ``anode_co2``, ``pfc``, ``emission`` on the bench.
    """
    if basis.site.plan is None:
        return None
    plan = load_plan(basis.site.plan, basis.site)
    effects: list[Effect] = []
    unknown: list[Text] = []
    for line in potlines:
        found, not_stated = _process(assembly, basis, plan, line.id)
        effects += found
        unknown += not_stated
    for line in potlines:
        _lines(assembly, line.id, [each for each in effects if each.scope == line.id])
    _lines(assembly, PLANT, _of_plant(assembly, effects))
    burned, not_stated = burned_effects(assembly, basis, plan)
    effects += burned
    unknown += not_stated
    _enterprise_lines(assembly, effects)
    return _chapter(assembly, potlines, effects, unknown)


def _process(
    assembly: Assembly, basis: Basis, plan: Plan, scope: str
) -> tuple[list[Effect], list[Text]]:
    """What moves the emission of a process, and what is not stated anywhere."""
    anode, pfc = (value_of(assembly, f"{scope}.{name}") for name in ("anode_co2", "pfc"))
    if anode is None or pfc is None or anode + pfc == 0:
        return [], []
    share = anode / (anode + pfc)
    found: list[Effect] = []
    unknown: list[Text] = []
    # The intensity is k C / P + p: weighing the metal moves its anode part only, the other way.
    weighed = (("anode_consumed", anode, share), ("aluminium", pfc, -share))
    for name, amount, moves in weighed:
        figure = f"{scope}.{name}"
        scale = worst(plan.instruments_for(figure), basis)
        label = _label(assembly, figure)
        if scale is None:
            unknown.append(
                Text(
                    zh=f"{figure}（{label.zh}）：计划未列计量器具",
                    en=f"{figure} ({label.en}): the plan names no instrument",
                )
            )
            continue
        percent = class_percent(scale.accuracy_class_percent)
        what = Text(
            zh=f"{label.zh}：{scale.name.zh}（{scale.id}），准确度等级 "
            f"{scale.accuracy_class_percent}",
            en=f"{label.en}: {scale.name.en} ({scale.id}), class {scale.accuracy_class_percent}",
        )
        moved = percent / 100
        found.append(Effect(scale.id, scope, what, percent, amount * moved, moves * moved))
    for name, factor, amount, part in _parameters(assembly, anode, pfc, share):
        parameter = plan.parameter_of(f"{scope}.{name}")
        if parameter is None or parameter.uncertainty_percent is None:
            label = parameter.name if parameter is not None else Text(zh=name, en=name)
            unknown.append(
                Text(
                    zh=f"{label.zh}：规则给定值，计划未给出其自身不确定度，不计",
                    en=f"{label.en}: fixed by the rule; the plan states no uncertainty of it: "
                    "not counted",
                )
            )
            continue
        percent = parameter.uncertainty_percent
        moved = factor * percent / 100
        found.append(
            Effect(parameter.figure, scope, parameter.name, percent, amount * moved, part * moved)
        )
    return found, unknown


def _parameters(
    assembly: Assembly, anode: Decimal, pfc: Decimal, share: Decimal
) -> list[tuple[str, Decimal, Decimal, Decimal]]:
    """Name, relative effect of 1 % of it, the emission it moves, and that as share of all."""
    loss, sulphur, ash = (
        assembly.legal(GUIDE, name).fraction
        for name in ("anode_loss_rate", "anode_sulphur", "anode_ash")
    )
    carbon = 1 - sulphur - ash
    return [
        ("anode_net", -loss / (1 - loss), anode, share),
        ("anode_sulphur", -sulphur / carbon, anode, share),
        ("anode_ash", -ash / carbon, anode, share),
        ("pfc", Decimal(1), pfc, 1 - share),
    ]


def _label(assembly: Assembly, identity: str) -> Text:
    line = assembly.lines.get(identity)
    return Text(zh=identity, en=identity) if line is None else line.label


def _of_plant(assembly: Assembly, effects: Sequence[Effect]) -> list[Effect]:
    """Effects on the plant; those on its intensity weighted by the emission of the process."""
    whole = value_of(assembly, f"{PLANT}.emission")
    if not whole:
        return []
    return [
        Effect(
            each.cause,
            PLANT,
            each.what,
            each.percent,
            each.t_co2e,
            each.intensity * (value_of(assembly, f"{each.scope}.emission") or Decimal(0)) / whole,
        )
        for each in effects
    ]


_LABELS: Final[Mapping[str, Text]] = {
    "uncertainty": Text(zh="工序排放量不确定度（95 %）", en="Uncertainty of the emission (95 %)"),
    "uncertainty_t": Text(
        zh="工序排放量不确定度（绝对值，95 %）", en="Uncertainty of the emission, absolute (95 %)"
    ),
    "intensity_uncertainty": Text(
        zh="排放强度不确定度（95 %）", en="Uncertainty of the intensity (95 %)"
    ),
}


_ENTERPRISE: Final[Mapping[str, Text]] = {
    "enterprise_uncertainty": Text(
        zh="企业层级排放量不确定度（95 %）", en="Uncertainty at enterprise level (95 %)"
    ),
    "enterprise_uncertainty_t": Text(
        zh="企业层级排放量不确定度（绝对值，95 %）",
        en="Uncertainty at enterprise level, absolute (95 %)",
    ),
}


def _lines(assembly: Assembly, scope: str, effects: Sequence[Effect]) -> None:
    """Nothing when no cause is known."""
    emission = value_of(assembly, f"{scope}.emission")
    if not effects or not emission:
        return
    absolute = combine(effects)
    given = [assembly.from_line("emission", f"{scope}.emission")]
    values = (
        ("uncertainty", PERCENT, 2, absolute / emission * 100),
        ("uncertainty_t", "tCO2e", 0, absolute),
        ("intensity_uncertainty", PERCENT, 2, combine_intensity(effects) * 100),
    )
    for name, unit, decimals, value in values:
        head = Head(scope, name, Section.INFORMATION, _LABELS[name], unit, decimals)
        line = assembly.state(head, value, How.COMPUTED, given)
        assembly.put(line, equation="U = √Σ_s (Σ_i U_s,i)²")


def _enterprise_lines(assembly: Assembly, effects: Sequence[Effect]) -> None:
    """Processes, fuels and carbonates together."""
    emission = value_of(assembly, f"{PLANT}.enterprise_emission")
    if not effects or not emission:
        return
    absolute = combine(effects)
    given = [assembly.from_line("emission", f"{PLANT}.enterprise_emission")]
    values = (
        ("enterprise_uncertainty", PERCENT, 2, absolute / emission * 100),
        ("enterprise_uncertainty_t", "tCO2e", 0, absolute),
    )
    for name, unit, decimals, value in values:
        head = Head(PLANT, name, Section.INFORMATION, _ENTERPRISE[name], unit, decimals)
        line = assembly.state(head, value, How.COMPUTED, given)
        assembly.put(line, equation="U = √Σ_s (Σ_i U_s,i)²")


def _chapter(
    assembly: Assembly,
    potlines: Sequence[Potline],
    effects: Sequence[Effect],
    unknown: Sequence[Text],
) -> Chapter | None:
    if not effects:
        return None
    names = {line.id: words(line.name) for line in potlines}
    names[BURNED] = Text(zh="燃料、碳酸盐", en="Fuels, carbonates")
    order = list(names)
    ranked = sorted(effects, key=lambda each: (order.index(each.scope), -each.size))
    rows: list[tuple[Cell, ...]] = [
        (each.what, names[each.scope], each.percent, each.size) for each in ranked
    ]
    totals = [(line.id, "", names[line.id]) for line in potlines]
    totals.append((PLANT, "", Text(zh="全部工序", en="All processes")))
    totals.append((PLANT, "enterprise_", Text(zh="企业层级", en="Enterprise")))
    for scope, prefix, name in totals:
        percent, absolute = (
            value_of(assembly, f"{scope}.{prefix}{each}")
            for each in ("uncertainty", "uncertainty_t")
        )
        if percent is not None:
            rows.append((Text(zh="合成不确定度", en="combined"), name, percent, absolute))
    table = Table(
        id="uncertainty",
        title=Text(zh="不确定度来源（95 %）", en="Where the uncertainty comes from (95 %)"),
        columns=(
            Column(label=Text(zh="来源", en="Cause"), width=44),
            Column(label=Text(zh="范围", en="Of"), width=14),
            Column(label=Text(zh="自身不确定度", en="Its own"), unit=PERCENT, decimals=2),
            Column(label=Text(zh="对排放量的影响", en="On the emission"), unit="tCO2e", decimals=0),
        ),
        rows=tuple(rows),
    )
    scopes = (*(line.id for line in potlines), PLANT)
    lines = [f"{scope}.{name}" for scope in scopes for name in _LABELS]
    lines += [f"{PLANT}.{name}" for name in _ENTERPRISE]
    blocks = (
        Paragraph(text=_method()),
        table,
        *(Paragraph(text=text, tone="note") for text in dict.fromkeys(unknown)),
        Details(lines=tuple(name for name in lines if name in assembly.lines)),
    )
    return Chapter(title=Text(zh="不确定度", en="Uncertainty"), blocks=blocks)


def _method() -> Text:
    factor = rounded(COVERAGE, 3)
    return Text(
        zh="按 IPCC 2006 指南第一卷第三章方法一（误差传播）。假定：计量器具误差在准确度等级界限内"
        f"均匀分布，扩展不确定度（k = 2）为等级的 {factor} 倍；同一器具或同一参数对各月、各工序的"
        "影响方向相同，先相加再合成，不因十二个月而缩小（不除以 √12）；不同来源相互独立。本表为计量"
        "和参数的不确定度，不含漏记、错记。",
        en="By IPCC 2006 guidelines, volume 1, chapter 3, approach 1 (error propagation). Assumed: "
        "the error of an instrument lies anywhere within its class with equal chance, so its "
        f"expanded uncertainty (k = 2) is {factor} times the class; one instrument or one "
        "parameter acts on all months and processes in the same direction, is added first and does "
        "not shrink over twelve months (no division by √12); different causes are independent. "
        "Measuring and parameters only: not what was forgotten or written down wrongly.",
    )
