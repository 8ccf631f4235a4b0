"""``smelter pots``: which pots cost most and why, and what to do about them; it writes nothing."""

import json
import math
import sys
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from drivers.language import language, say
from drivers.model import ConfigError
from reports.basis import Basis
from reports.energy.advice import ACTIONS, Advice
from reports.energy.excess import PARTS
from reports.energy.levels import add_price
from reports.energy.months import of_month
from reports.energy.ranking import Ranked, Ranking, rankings
from reports.entries.commands import speak
from reports.entries.ledger import read_ledger
from reports.lodgings import read_lodgings
from reports.periods import Period
from reports.rules.overlay import load_packs
from reports.series.store import SeriesError, open_series
from reports.site import load_site

WIDE: Final = 160  # characters of a line that goes into a file
SHOWN: Final = 10


def list_pots(
    site: Annotated[Path, typer.Option(help="site.toml")],
    month: Annotated[str, typer.Option(help="2026-10")],
    *,
    every: Annotated[
        bool, typer.Option("--all", help=say("列出全部槽", "every pot, not the first ten"))
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help=say("输出 JSON", "print JSON"))] = False,
    lang: Annotated[str, typer.Option(help="zh | en")] = "",
) -> None:
    """Ranking and advice of every potline; exit 1 when no pot can be ranked."""
    speak(lang)
    found = read_rankings(site, _month(month))
    if as_json:
        typer.echo(
            json.dumps([ranking_json(ranking) for ranking in found], ensure_ascii=False, indent=1)
        )
    else:
        for ranking in found:
            _print(ranking, every=every)
        typer.echo(say("建议只供参考，不写入槽控机", "advice only; nothing is written to a pot"))
    if not any(pot.rank for ranking in found for pot in ranking.pots):
        typer.echo(say(f"{month} 没有可排名的槽", f"no pot can be ranked in {month}"), err=True)
        raise typer.Exit(1)


def _month(text: str) -> Period:
    """Raises ConfigError."""
    try:
        period = Period.parse(text)
    except ValueError as error:
        raise ConfigError([f"--month {text}: {error}"]) from None
    if not period.is_month:
        raise ConfigError([say(f"--month {text}：请写 2026-10", f"--month {text}: write 2026-10")])
    return period


def read_rankings(file: Path, month: Period) -> list[Ranking]:
    """Every potline of a month. Raises ConfigError."""
    site = load_site(file)
    try:
        with open_series(site) as series:
            ledger, lodgings = read_ledger(site.entries), read_lodgings(site.entries)
            basis = Basis(site, month, ledger, series, load_packs(site), lodgings)
            bench = of_month(basis, month)
            add_price(bench)
            return rankings(basis, bench.assembly)
    except SeriesError as error:
        raise ConfigError([str(error)]) from None


def _print(ranking: Ranking, *, every: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    titles = say(
        "名次|槽号|平均 V|超出 mV|年多耗 MWh|可信度|说明",
        "rank|pot|mean V|excess mV|MWh a year|sure|why",
    )
    table = Table(*titles.split("|"), title=ranking.line, title_justify="left")
    for column in (*table.columns[:1], *table.columns[2:6]):
        column.justify = "right"
    table.columns[-1].overflow = "fold"
    placed = [pot for pot in ranking.pots if pot.rank]
    for pot in placed if every else placed[:SHOWN]:
        table.add_row(
            str(pot.rank),
            pot.pot,
            f"{pot.mean_v:.3f}",
            "—" if pot.split is None else f"{pot.split.total:.1f}",
            f"{pot.kwh_per_year / 1000:.1f}",
            f"{pot.confidence * 100:.0f} %",
            pot.sentence.of(language()),
            style="bold" if pot.findings else "",
        )
    console = Console(width=None if sys.stdout.isatty() else WIDE, highlight=False)
    console.print(table)
    for pot in ranking.pots:
        if not pot.rank:
            console.print(f"{pot.pot}: {pot.sentence.of(language())}", markup=False)
    for advice in ranking.advice:
        console.print(_advice_text(advice), markup=False)
    if not ranking.advice:
        console.print(say("没有明显异常的槽，无建议", "no pot stands out: no advice"))
    console.print(ranking.facts.text.of(language()), markup=False)


def _advice_text(advice: Advice) -> str:
    text = f"{advice.pot}: {ACTIONS[advice.action].of(language())}"
    if advice.step_mv is not None:
        text += " " + "…".join(f"{step:+g}" for step in advice.step_mv) + " mV"
    if advice.kwh_per_t is not None and advice.action != "wait":  # its reason tells it
        text += f" ({advice.kwh_per_t:.1f} kWh/t"
        if advice.cny_per_year is not None:
            text += say(
                f"，每年 {advice.cny_per_year:,.0f} 元", f", {advice.cny_per_year:,.0f} CNY/a"
            )
        text += ")"
    text += f" — {advice.reason.of(language())}"
    if advice.gates:
        text += "\n    " + "; ".join(gate.text.of(language()) for gate in advice.gates)
    return text


def ranking_json(ranking: Ranking) -> dict[str, Any]:
    """A ranking for programs: numbers, None where not known, texts in both languages."""
    return {
        "line": ranking.line,
        "reference_v": _number(ranking.reference_v),
        "current_ka": ranking.facts.current_ka,
        "current_efficiency": ranking.facts.efficiency,
        "price_cny_per_kwh": ranking.facts.price_cny_per_kwh,
        "pots": [_pot(pot) for pot in ranking.pots],
        "advice": [_advice(advice) for advice in ranking.advice],
    }


def _pot(pot: Ranked) -> dict[str, Any]:
    split = pot.split
    parts = None if split is None else {p: float(getattr(split, p)) for p in PARTS}
    return {
        "pot": pot.pot,
        "rank": pot.rank or None,
        "days": pot.days,
        "coverage": _number(pot.coverage),
        "mean_v": _number(pot.mean_v),
        "working_v": _number(pot.working_v),
        "set_v": _number(pot.set_v),
        "effects_per_day": _number(pot.effects_per_day),
        "dc_kwh_per_t": _number(pot.dc_kwh_per_t),
        "excess_mv": None if split is None else float(split.total),
        "parts_mv": parts,
        "error_mv": _number(pot.error_mv),
        "confidence": pot.confidence,
        "kwh_per_t": _number(pot.kwh_per_t),
        "kwh_per_year": _number(pot.kwh_per_year),
        "causes": [finding.cause for finding in pot.findings],
        "sentence": pot.sentence.model_dump(),
        "lost": None if pot.lost is None else pot.lost.model_dump(),
    }


def _advice(advice: Advice) -> dict[str, Any]:
    return {
        "pot": advice.pot,
        "action": advice.action,
        "step_mv": advice.step_mv,
        "kwh_per_t": advice.kwh_per_t,
        "cny_per_year": advice.cny_per_year,
        "reason": advice.reason.model_dump(),
        "gates": [
            {
                "name": gate.name.model_dump(),
                "figure": _number(gate.figure),
                "limit": gate.limit,
                "unit": gate.unit,
                "passed": gate.passed,
            }
            for gate in advice.gates
        ],
    }


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
