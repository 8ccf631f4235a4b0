"""
Advice on pots, printed and never written to a controller: each with its figures and its worth.

A set voltage is only advised down where it stands out from the line and every gate of stability is
passed; a gate whose figure is not recorded is shown as open, to be measured before anybody acts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

import numpy as np

from reports.chapters import Cell, Column, Paragraph, Table
from reports.energy.findings import CAUSES, Cause, Finding
from reports.energy.pot_lines import LineFacts
from reports.energy.pot_parameters import PotParameters
from reports.energy.pots import PotDays, median_of, noise_mv
from reports.formulas.faraday import KG_ALUMINIUM_PER_KA_H, KWH_PER_T_PER_V
from reports.values import Text

Action = Literal["lower", "wait", "raise", "check", "measure", "feeder", "effects"]
ACTIONS: Final = {
    "lower": Text(zh="降低设定电压", en="lower the set voltage"),
    "wait": Text(zh="暂不降压", en="do not lower yet"),
    "raise": Text(zh="先升压稳槽", en="raise first, steady the pot"),
    "check": Text(zh="检查测量", en="check the sensor"),
    "measure": Text(zh="测量压降", en="measure the drops"),
    "feeder": Text(zh="检查下料", en="check the feeder"),
    "effects": Text(zh="处理效应频发", en="deal with repeated effects"),
}
YEAR_H: Final = 8760
_UNITS: Final = {"degC": "℃", "1/d": "次/日"}  # as they are written in Chinese
_OTHER: Final[dict[Cause, Action]] = {
    "sensor": "check",
    "voltage": "measure",
    "resistance": "measure",
    "drift": "measure",
    "feeder": "feeder",
    "effects": "effects",
    "noise": "raise",
}


@dataclass(frozen=True, slots=True)
class Gate:
    """A condition: ``passed`` is None where its figure is not recorded."""

    name: Text
    figure: float
    limit: str
    unit: str
    passed: bool | None

    @property
    def text(self) -> Text:
        shown = "—" if self.passed is None else f"{self.figure:.3g}"
        mark = {True: "√", False: "×", None: "?"}[self.passed]
        zh, en = (f" {unit}" if unit else "" for unit in (_UNITS.get(self.unit, ""), self.unit))
        return Text(
            zh=f"{self.name.zh} {shown}{zh or en}（{self.limit}）{mark}",
            en=f"{self.name.en} {shown}{en} ({self.limit}) {mark}",
        )


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do about a pot; ``step_mv`` (lowest and highest) only where a set point moves."""

    pot: str
    action: Action
    reason: Text
    gates: tuple[Gate, ...] = ()
    step_mv: tuple[float, float] | None = None
    kwh_per_t: float | None = None  # of the larger step; of the step that waits where one does
    cny_per_year: float | None = None


def advice_of(
    days: PotDays, facts: LineFacts, by: PotParameters, found: Sequence[Sequence[Finding]]
) -> tuple[Advice, ...]:
    """Advice on the pots that stand out, in the order of the pots."""
    made: list[Advice] = []
    for k, findings in enumerate(found):
        for finding in findings:
            if finding.cause == "set_voltage":
                made.append(_set_voltage(days, k, finding, facts, by, findings))
            else:
                made.append(_plain(days.pots[k], finding, by))
    return tuple(made)


def _plain(pot: str, finding: Finding, by: PotParameters) -> Advice:
    action = _OTHER[finding.cause]
    cause = CAUSES[finding.cause]
    step = (by.step_low_mv, by.step_high_mv) if action == "raise" else None
    reason = Text(zh=f"{cause.zh}：{finding.text.zh}", en=f"{cause.en}: {finding.text.en}")
    return Advice(pot, action, reason, step_mv=step)


def _set_voltage(
    days: PotDays,
    k: int,
    finding: Finding,
    facts: LineFacts,
    by: PotParameters,
    findings: Sequence[Finding],
) -> Advice:
    passed = gates(days, k, by, findings)
    pot = days.pots[k]
    per_t = float(KWH_PER_T_PER_V) / facts.efficiency * by.step_high_mv / 1000
    tonnes = float(KG_ALUMINIUM_PER_KA_H) * facts.current_ka * facts.efficiency * YEAR_H / 1000
    price = facts.price_cny_per_kwh
    worth = None if price is None else per_t * tonnes * price
    if any(gate.passed is False for gate in passed):
        waits = _waiting(by.step_high_mv, per_t, worth)
        reason = Text(zh=f"{finding.text.zh}；{waits.zh}", en=f"{finding.text.en}; {waits.en}")
        return Advice(pot, "wait", reason, passed, None, per_t, worth)
    step = (-by.step_low_mv, -by.step_high_mv)
    open_gates = [gate for gate in passed if gate.passed is None]
    reason = Text(
        zh=f"{finding.text.zh}；降后保持 {by.hold_h:.0f} h，噪声上升 5 mV 以上即恢复"
        + ("；先测：" + "、".join(gate.name.zh for gate in open_gates) if open_gates else ""),
        en=f"{finding.text.en}; hold {by.hold_h:.0f} h, go back if noise grows by 5 mV"
        + ("; measure first: " + ", ".join(g.name.en for g in open_gates) if open_gates else ""),
    )
    return Advice(pot, "lower", reason, passed, step, per_t, worth)


def _waiting(step_mv: float, kwh_per_t: float, cny_per_year: float | None) -> Text:
    """What the step that waits would be worth."""
    zh = "" if cny_per_year is None else f"、每年 {cny_per_year / 10000:.2f} 万元"
    en = "" if cny_per_year is None else f", {cny_per_year:,.0f} CNY a year"
    return Text(
        zh=f"待条件合格后每降 {step_mv:g} mV 可省 {kwh_per_t:.1f} kWh/t{zh}",
        en=f"once the gates pass, {step_mv:g} mV down would save {kwh_per_t:.1f} kWh/t{en}",
    )


def gates(
    days: PotDays, k: int, by: PotParameters, findings: Sequence[Finding]
) -> tuple[Gate, ...]:
    """Every gate of a lower set voltage, with its figure (energy knowledge 4.2, item 5)."""
    noise = float(noise_mv(days)[k])
    known = days.counts[:, k]
    effects = float(days.effects[known, k].sum() / max(int(known.sum()), 1))
    bath = days.mean("bath_temperature")
    away = float(bath[k] - median_of(bath))
    faults = sum(finding.cause != "set_voltage" for finding in findings)
    nothing = float("nan")
    return (
        _gate(("低频噪声", "noise"), noise, by.noise_quiet_mv, "mV"),
        _gate(("效应系数", "anode effects"), effects, by.effects_quiet, "1/d"),
        _gate(("电解质温度偏差", "bath off the line"), away, by.temperature_c, "degC"),
        _gate(("其他异常", "other findings"), float(faults), 0.0, ""),
        Gate(Text(zh="过热度", en="superheat"), nothing, "7–13", "degC", None),
    )


def _gate(name: tuple[str, str], figure: float, limit: float, unit: str) -> Gate:
    known = bool(np.isfinite(figure))
    passed = abs(figure) <= limit if known else None
    return Gate(Text(zh=name[0], en=name[1]), figure, f"≤ {limit:g}", unit, passed)


def advice_table(line: str, name: Text, advice: Sequence[Advice]) -> Table | Paragraph:
    """What is advised on the pots of a line."""
    if not advice:
        return Paragraph(
            text=Text(
                zh=f"{name.zh}：没有明显异常的槽，无建议",
                en=f"{name.en}: no pot stands out, no advice",
            )
        )
    return Table(
        id=f"pot-advice-{line}",
        title=Text(zh=f"{name.zh}：建议（只读）", en=f"{name.en}: advice (read only)"),
        columns=(
            Column(label=Text(zh="槽号", en="Pot"), width=14),
            Column(label=Text(zh="建议", en="Advice"), width=18),
            Column(label=Text(zh="每步", en="Step"), unit="mV", width=16),
            Column(label=Text(zh="每 10 mV 折", en="Worth"), unit="kWh/t", decimals=1, width=10),
            Column(label=Text(zh="年价值", en="Worth"), unit="CNY/a", decimals=0, width=12),
            Column(label=Text(zh="依据", en="Why"), width=50),
            Column(label=Text(zh="稳定性条件", en="Gates"), width=50),
        ),
        rows=tuple(_row(each) for each in advice),
        note=Text(
            zh="年价值按较大的一步、本期电价计算，暂不降压的为待执行的一步；"
            "降压须由工艺人员确认后手动执行",
            en="worth is that of the larger step at this period's price, of the step that waits "
            "where it is not to be lowered yet; a person decides and acts",
        ),
    )


def _row(advice: Advice) -> tuple[Cell, ...]:
    step = None if advice.step_mv is None else "…".join(f"{x:+g}" for x in advice.step_mv)
    gates_text = Text(
        zh="；".join(gate.text.zh for gate in advice.gates),
        en="; ".join(gate.text.en for gate in advice.gates),
    )
    return (
        advice.pot,
        ACTIONS[advice.action],
        step,
        None if advice.kwh_per_t is None else Decimal(f"{advice.kwh_per_t:.2f}"),
        None if advice.cny_per_year is None else Decimal(f"{advice.cny_per_year:.0f}"),
        advice.reason,
        gates_text if advice.gates else None,
    )
