"""
Which pots cost most, and why: excess kWh by pot with its confidence, cause, and one sentence.

A pot's excess is its mean voltage over the best quartile of its line. It ranks by kWh per year
times confidence, the chance that the excess is no accident of the days that were seen.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final

import numpy as np

from drivers.model import Floats
from reports.assembly import Assembly
from reports.basis import Basis
from reports.chapters import Block, Cell, Chapter, Column, Paragraph, Table
from reports.conclude import words
from reports.energy.advice import Advice, advice_of, advice_table
from reports.energy.bench import running
from reports.energy.excess import (
    PART_NAMES,
    PARTS,
    Split,
    Telling,
    best_quartile,
    splits,
    telling,
)
from reports.energy.findings import CAUSES, Finding, findings_of
from reports.energy.pot_lines import LineFacts, line_facts
from reports.energy.pot_parameters import PotParameters, parameter_rows
from reports.energy.pot_statistics import error_of_mean, normal_share
from reports.energy.pots import PotDays, lost_text, median_of, read_pots
from reports.formulas.faraday import KG_ALUMINIUM_PER_KA_H, KWH_PER_T_PER_V
from reports.values import Text

YEAR_H: Final = 8760
SHOWN: Final = 20  # pots of a line in the report; the page of all is ``smelter pots --all``


@dataclass(frozen=True, slots=True)
class Ranked:
    """
    A pot and what it costs; ``rank`` is 0 where it has none (``why`` says why).

    ``kwh_per_t`` and ``kwh_per_year`` of the excess, ``confidence`` from 0 to 1, ``error_mv`` the
    standard error of the excess.
    """

    pot: str
    rank: int
    days: int
    coverage: float
    mean_v: float
    working_v: float
    set_v: float
    effects_per_day: float
    dc_kwh_per_t: float
    split: Split | None
    error_mv: float
    confidence: float
    kwh_per_t: float
    kwh_per_year: float
    findings: tuple[Finding, ...]
    sentence: Text
    why: Text | None = None
    lost: Text | None = None
    telling: Telling | None = None


@dataclass(frozen=True, slots=True)
class Ranking:
    """The pots of one line: the ranked ones by rank, then the others by name; and advice."""

    line: str
    facts: LineFacts
    reference_v: float
    pots: tuple[Ranked, ...]
    advice: tuple[Advice, ...] = field(default=())


def rank(days: PotDays, facts: LineFacts, by: PotParameters, series_v: Floats | None) -> Ranking:
    """Rank and explain the pots of a line; the same values give the same order."""
    reference = best_quartile(days)
    found = findings_of(days, by, series_v)
    parts = splits(days, by)
    error = excess_error(days)
    apart = telling(parts, by)
    made = []
    for k in range(len(days.pots)):
        pot = _pot(days, k, parts[k], float(error[k]), found[k], facts, by)
        pot = replace(pot, telling=apart[k])
        made.append(replace(pot, sentence=sentence_of(pot, by)))
    in_order = sorted(
        (pot for pot in made if pot.why is None),
        key=lambda pot: (-round(pot.kwh_per_year * pot.confidence), pot.pot),
    )
    placed = [replace(pot, rank=number) for number, pot in enumerate(in_order, 1)]
    others = [pot for pot in made if pot.why is not None]
    advice = advice_of(days, facts, by, found)
    return Ranking(days.line, facts, reference, (*placed, *others), advice)


def excess_error(days: PotDays) -> Floats:
    """Standard error, V, of each pot's mean voltage against its line (daily means)."""
    volts = np.where(days.counts, days.values["voltage"], np.nan)
    middle = np.array([median_of(row) for row in volts])
    against = volts - middle[:, None]
    return np.array([error_of_mean(against[:, k]) for k in range(len(days.pots))])


def _pot(
    days: PotDays,
    k: int,
    split: Split | None,
    error: float,
    findings: Sequence[Finding],
    facts: LineFacts,
    by: PotParameters,
) -> Ranked:
    mean, working, set_v = (
        float(days.mean(name)[k]) for name in ("voltage", "working", "set_voltage")
    )
    excess_v = 0.0 if split is None else float(split.total) / 1000
    per_t = float(KWH_PER_T_PER_V) / facts.efficiency * excess_v
    tonnes = float(KG_ALUMINIUM_PER_KA_H) * facts.current_ka * facts.efficiency * YEAR_H / 1000
    known = np.isfinite(error)
    sure = normal_share(excess_v / error) if known and error > 0 else float(excess_v > 0)
    seen = int(days.days[k])
    effects = float(np.where(days.counts[:, k], days.effects[:, k], 0.0).sum())
    why = None if seen >= by.days_least and split is not None else _too_few(seen, by)
    if why is None and any(x.cause == "sensor" and x.unit == "mV" for x in findings):
        why = CAUSES["sensor"]
    return Ranked(
        pot=days.pots[k],
        rank=0,
        days=seen,
        coverage=float(days.coverage[k]),
        mean_v=mean,
        working_v=working,
        set_v=set_v,
        effects_per_day=effects / seen if seen else float("nan"),
        dc_kwh_per_t=float(KWH_PER_T_PER_V) / facts.efficiency * mean,
        split=split,
        error_mv=error * 1000,
        confidence=sure if why is None else 0.0,
        kwh_per_t=per_t,
        kwh_per_year=per_t * tonnes,
        findings=tuple(findings),
        sentence=Text(zh="", en=""),
        why=why,
        lost=lost_text(days, k),
    )


def _too_few(seen: int, by: PotParameters) -> Text:
    return Text(
        zh=f"有效天数 {seen}，不足 {by.days_least} 天，不参与排名",
        en=f"too few days: {seen} of at least {by.days_least}",
    )


def sentence_of(pot: Ranked, by: PotParameters) -> Text:
    """Why this pot stands where it stands, in one sentence."""
    if pot.why is not None or pot.split is None:
        text = pot.why or Text(zh="无有效数据", en="no day that counts")
        lost = pot.lost
        cause = pot.findings[0].text if pot.findings else None
        extras = [each for each in (lost, cause) if each is not None]
        return Text(
            zh="；".join([text.zh, *(each.zh for each in extras)]),
            en="; ".join([text.en, *(each.en for each in extras)]),
        )
    excess = pot.split.total
    if excess <= 0:
        return Text(
            zh=f"低于系列最优四分位 {-excess:.0f} mV，无附加电耗",
            en=f"{-excess:.0f} mV below the line's best quartile: no excess",
        )
    zh_cause, en_cause = _cause(pot, by)
    return Text(
        zh=f"比系列最优四分位高 {excess:.0f} mV，多耗 {pot.kwh_per_t:.0f} kWh/t、"
        f"每年 {pot.kwh_per_year / 10000:.2f} 万 kWh（可信度 {pot.confidence * 100:.0f} %）；"
        f"{zh_cause}",
        en=f"{excess:.0f} mV above the line's best quartile costs {pot.kwh_per_t:.0f} kWh/t, "
        f"{pot.kwh_per_year / 1000:.1f} MWh a year (confidence {pot.confidence * 100:.0f} %); "
        f"{en_cause}",
    )


def _cause(pot: Ranked, by: PotParameters) -> tuple[str, str]:
    if pot.findings:
        first = pot.findings[0]
        cause = CAUSES[first.cause]
        return (
            f"可能原因：{cause.zh}，{first.text.zh}",
            f"likely cause: {cause.en}, {first.text.en}",
        )
    if not np.isfinite(pot.set_v):
        return (
            "设定电压未采集，不能再细分",
            "no set voltage recorded, so it cannot be split further",
        )
    apart = pot.telling
    if apart is None or apart.size <= 0:
        return ("各分项均不高于参考槽", "no part above that of the reference pots")
    name = PART_NAMES[apart.part]
    zh = f"与参考槽差别最大的是{name.zh}，高 {apart.size:.0f} mV"
    en = f"differs most from the reference pots in {name.en}, {apart.size:.0f} mV more"
    if apart.size < by.look_mv:
        return (
            f"{zh}，不足 {by.look_mv:g} mV，不作建议",
            f"{en}: under {by.look_mv:g} mV, no advice",
        )
    return (
        f"{zh}（{apart.pots} 台中 {apart.shared} 台达到 {by.look_mv:g} mV），请查看",
        f"{en} ({apart.shared} of {apart.pots} pots have {by.look_mv:g} mV or more): look at it",
    )


# --- the chapter


def rankings(
    basis: Basis, assembly: Assembly, parameters: PotParameters | None = None
) -> list[Ranking]:
    """Every line of the plant that has pots in the store."""
    by = parameters or PotParameters()
    lines = running(basis)
    pots = read_pots(basis, [line.id for line in lines], by)
    found = []
    for line in lines:
        if line.id in pots:
            facts, series_v = line_facts(basis, assembly, line, by)
            found.append(rank(pots[line.id], facts, by, series_v))
    return found


def add_pots(basis: Basis, assembly: Assembly) -> Chapter | None:
    """The chapter of ranking and advice; None when no pot is in the store."""
    by = PotParameters()
    found = rankings(basis, assembly, by)
    if not found:
        return None
    names = {line.id: words(line.name) for line in basis.site.potline}
    blocks: list[Block] = [Paragraph(text=_ABOUT)]
    for ranking in found:
        blocks += _blocks(ranking, names[ranking.line])
    blocks.append(Paragraph(text=_READ_ONLY, tone="note"))
    blocks.append(_parameters(by))
    title = Text(zh="电解槽排名与建议", en="Pots: ranking and advice")
    return Chapter(title=title, blocks=tuple(blocks))


def _blocks(ranking: Ranking, name: Text) -> list[Block]:
    placed = [pot for pot in ranking.pots if pot.rank]
    blocks: list[Block] = []
    costly = [pot for pot in placed if pot.kwh_per_year > 0]
    if costly:
        blocks.append(_table(ranking, costly[:SHOWN], name))
    left = [pot for pot in ranking.pots if not pot.rank or pot.lost is not None]
    if left:
        blocks.append(_left_out(ranking, left, name))
    blocks.append(advice_table(ranking.line, name, ranking.advice))
    blocks.append(Paragraph(text=ranking.facts.text, tone="note"))
    return blocks


def _table(ranking: Ranking, placed: Sequence[Ranked], name: Text) -> Table:
    parts = (*(_column(PART_NAMES[part], "mV", 1) for part in PARTS),)
    columns = (
        Column(label=Text(zh="名次", en="Rank"), decimals=0, width=6),
        Column(label=Text(zh="槽号", en="Pot"), width=14),
        _column(Text(zh="平均电压", en="Mean"), "V", 3),
        _column(Text(zh="超出", en="Excess"), "mV", 1),
        *parts,
        _column(Text(zh="可信度", en="Confidence"), "%", 0),
        _column(Text(zh="直流电耗", en="DC"), "kWh/t", 0),
        _column(Text(zh="多耗", en="Excess"), "kWh/t", 0),
        _column(Text(zh="年多耗", en="Excess"), "MWh/a", 1),
        Column(label=Text(zh="说明", en="Why"), width=60),
    )
    return Table(
        id=f"pot-ranking-{ranking.line}",
        title=Text(zh=f"{name.zh}：电解槽电耗排名", en=f"{name.en}: pots by excess energy"),
        columns=columns,
        rows=tuple(_row(pot) for pot in placed),
        note=Text(
            zh=f"参考电压：系列最优四分位 {ranking.reference_v:.3f} V；各分项之和等于超出值",
            en=f"reference: best quartile of the line, {ranking.reference_v:.3f} V; the parts add "
            "up to the excess",
        ),
    )


def _row(pot: Ranked) -> tuple[Cell, ...]:
    split = pot.split
    told = PARTS if np.isfinite(pot.set_v) else ("effects", "rest")  # the others are not known
    parts: list[Cell] = [
        None if split is None or part not in told else getattr(split, part) for part in PARTS
    ]
    return (
        Decimal(pot.rank),
        pot.pot,
        number(pot.mean_v, 4),
        None if split is None else split.total,
        *parts,
        number(pot.confidence * 100, 1),
        number(pot.dc_kwh_per_t, 1),
        number(pot.kwh_per_t, 1),
        number(pot.kwh_per_year / 1000, 2),
        pot.sentence,
    )


def _left_out(ranking: Ranking, left: Sequence[Ranked], name: Text) -> Table:
    return Table(
        id=f"pot-days-{ranking.line}",
        title=Text(zh=f"{name.zh}：未计入的槽与天数", en=f"{name.en}: pots and days left out"),
        columns=(
            Column(label=Text(zh="槽号", en="Pot"), width=14),
            Column(label=Text(zh="有效天数", en="Days"), decimals=0, width=10),
            Column(label=Text(zh="覆盖率", en="Coverage"), unit="%", decimals=1, width=10),
            Column(label=Text(zh="原因", en="Why"), width=60),
        ),
        rows=tuple(
            (pot.pot, Decimal(pot.days), number(pot.coverage * 100, 2), pot.lost or pot.why)
            for pot in left
        ),
    )


def _parameters(by: PotParameters) -> Table:
    return Table(
        id="pot-parameters",
        title=Text(zh="比较与建议所用的工程取值", en="Engineering values used"),
        columns=(
            Column(label=Text(zh="参数", en="Parameter"), width=60),
            Column(label=Text(zh="取值", en="Value"), width=10),
        ),
        rows=tuple((label, value) for label, value in parameter_rows(by)),
        note=Text(
            zh="均为工程经验值，不是法规或标准数值；各厂应按本厂情况核定",
            en="engineering values, of no rule or standard; a plant should set its own",
        ),
    )


def _column(label: Text, unit: str, decimals: int) -> Column:
    return Column(label=label, unit=unit, decimals=decimals, width=10)


def number(value: float, decimals: int) -> Decimal | None:
    """A float as a figure of a table; None where it is not known."""
    return Decimal(f"{value:.{decimals}f}") if np.isfinite(value) else None


def tau(one: Mapping[str, int], two: Mapping[str, int]) -> float:
    """Kendall's tau of two rankings of the same pots: 1 the same order, -1 the reverse."""
    pots = sorted(one.keys() & two.keys())
    first, second = (np.array([ranks[pot] for pot in pots]) for ranks in (one, two))
    a, b = np.triu_indices(len(pots), 1)
    agree = np.sign(first[b] - first[a]) * np.sign(second[b] - second[a])
    return float(agree.mean())


_ABOUT: Final = Text(
    zh="每台槽的平均电压与本系列最优四分位相比，按超出电压折算的年电耗乘以可信度排名；通信中断、停槽、"
    "短路切除、启动期和信号冻结的时间不计入并列明。",
    en="Each pot's mean voltage against the best quartile of its line, ranked by the energy a year "
    "that the excess costs times its confidence; link losses, stopped, cut-out and starting pots "
    "and frozen sensors are left out, and named.",
)
_READ_ONLY: Final = Text(
    zh="建议仅供工艺人员参考，本系统不向槽控机写入任何数值。",
    en="Advice is for the process engineer; nothing is ever written to a pot controller.",
)
