"""
Is energy per tonne falling? Months, twelve months rolling, and a test that says how sure that is.

Amperage changes are taken out: V = E + I * R with E 1.65 V, so at the mean current I_m of the
months w_n = w * (E + (V - E) * I_m / I) / V, the anode-cathode distance taken as unchanged. The
test is Mann-Kendall on w_n, by calendar month from 24 months on, one-sided.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from reports.assembly import Assembly, Head
from reports.basis import Basis
from reports.chapters import Block, Cell, Chapter, Column, Paragraph, Table
from reports.conclude import words
from reports.energy.bench import running
from reports.energy.mann_kendall import Trend, mann_kendall, seasonal_kendall
from reports.energy.months import month_values, months_until
from reports.model import How, Section
from reports.periods import Period
from reports.site import PLANT
from reports.values import Text

EXTRAPOLATED_V: Final = Decimal("1.65")  # of the resistance line at no current; engineering
LEAST: Final = 12
SEASONS: Final = 12
BY_SEASON: Final = 24
SURE: Final = 0.05
FIGURES: Final = ("liquid_ac", "dc_specific")
NAMES: Final = (*FIGURES, "aluminium", "mean_current", "mean_voltage")
FIGURE_NAMES: Final = {
    "liquid_ac": Text(zh="铝液交流电耗", en="Liquid AC"),
    "dc_specific": Text(zh="铝液直流电耗", en="DC"),
}
PER_T: Final = "kWh/t"
_SHOWN: Final = (
    ("{}", "{}"),
    ("{}（同一电流）", "{}, same current"),
    ("{}滚动 12 个月", "{}, rolling twelve months"),
    ("{}同比", "{}, on the year"),
)
L_SLOPE: Final = Text(
    zh="铝液交流电耗年变化（电流归一）", en="Liquid AC, change a year at the same current"
)
L_CHANCE: Final = Text(
    zh="持续下降的偶然概率 p（单侧）", en="Chance p of such a decline by accident, one-sided"
)
Verdict = Literal["proven", "not_proven", "too_few"]
VERDICTS: Final = {
    "proven": Text(zh="持续下降：已证实", en="continuous decline: proven"),
    "not_proven": Text(zh="持续下降：未能证实", en="continuous decline: not proven"),
    "too_few": Text(zh="月份不足，无法判断", en="too few months to tell"),
}


@dataclass(frozen=True, slots=True)
class MonthOf:
    """One month of one figure of a place; ``level`` at the mean current of all months."""

    month: Period
    value: Decimal | None
    level: Decimal | None
    rolling: Decimal | None  # twelve months to this one, by their sums
    on_year: Decimal | None  # change against the same month a year before
    current_ka: Decimal | None


@dataclass(frozen=True, slots=True)
class Decline:
    """What the months say; ``raw`` is the test without taking amperage out."""

    months: tuple[MonthOf, ...]
    verdict: Verdict
    trend: Trend | None
    raw: Trend | None
    by_season: bool
    normalised: bool  # amperage is out of ``trend``; it needs current and voltage of every month


def decline_of(
    months: list[Period],
    values: list[Decimal | None],
    tonnes: list[Decimal | None],
    currents: list[Decimal | None],
    volts: list[Decimal | None],
) -> Decline:
    """The trend of one figure (kWh/t); lists by month, consecutive, oldest first."""
    levels = at_one_current(values, currents, volts)
    rows = tuple(
        MonthOf(
            month,
            values[k],
            levels[k],
            _rolling(values, tonnes, k),
            _difference(values, k),
            currents[k],
        )
        for k, month in enumerate(months)
    )
    known = sum(level is not None for level in levels)
    if known < LEAST:
        return Decline(rows, "too_few", None, None, by_season=False, normalised=False)
    by_season = known >= BY_SEASON
    trend, raw = _tested(levels, by_season=by_season), _tested(values, by_season=by_season)
    proven = trend.p_decline < SURE and trend.slope < 0
    verdict: Verdict = "proven" if proven else "not_proven"
    return Decline(rows, verdict, trend, raw, by_season, normalised=levels is not values)


def at_one_current(
    values: list[Decimal | None], currents: list[Decimal | None], volts: list[Decimal | None]
) -> list[Decimal | None]:
    """The values at the mean current; as they are unless each has a current and a voltage."""
    rows = [row for row in zip(values, currents, volts, strict=True) if row[0] is not None]
    known = [current for _, current, _ in rows if current is not None]
    if not known or len(known) < len(rows) or any(volt is None for _, _, volt in rows):
        return values
    mean = sum(known, Decimal(0)) / len(known)
    found: list[Decimal | None] = []
    for value, current, volt in zip(values, currents, volts, strict=True):
        if value is None or not current or not volt:
            found.append(value)
            continue
        ohmic = (volt - EXTRAPOLATED_V) * mean / current
        found.append(value * (EXTRAPOLATED_V + ohmic) / volt)
    return found


def _tested(values: list[Decimal | None], *, by_season: bool) -> Trend:
    known = [None if value is None else float(value) for value in values]
    if by_season:
        return seasonal_kendall(known, SEASONS)
    return seasonal_kendall(known, 1) if None in known else mann_kendall([v or 0.0 for v in known])


def _rolling(values: list[Decimal | None], tonnes: list[Decimal | None], k: int) -> Decimal | None:
    pairs = list(zip(values, tonnes, strict=True))[max(0, k - 11) : k + 1]
    whole = [(w, t) for w, t in pairs if w is not None and t is not None]
    mass = sum((t for _, t in whole), Decimal(0))
    if len(whole) < 12 or not mass:
        return None
    return sum((w * t for w, t in whole), Decimal(0)) / mass


def _difference(values: list[Decimal | None], k: int) -> Decimal | None:
    now, then = values[k], values[k - 12] if k >= 12 else None
    return None if now is None or then is None else now - then


# --- the chapter


def add_trend(basis: Basis, assembly: Assembly) -> Chapter | None:
    """The chapter, and lines ``decline_slope`` and ``decline_p_value``; None without months."""
    months = months_until(basis)
    if len(months) < 2:
        return None
    places = {line.id: words(line.name) for line in running(basis)}
    places[PLANT] = Text(zh="全厂", en="Plant")
    names = tuple(f"{scope}.{name}" for scope in places for name in NAMES)
    values = month_values(basis, assembly, months, names)
    blocks: list[Block] = [Paragraph(text=_ABOUT)]
    for scope, place in places.items():
        column = {name: [row[f"{scope}.{name}"] for row in values] for name in NAMES}
        rest = (column["aluminium"], column["mean_current"], column["mean_voltage"])
        found = {
            figure: decline_of(months, column[figure], *rest)
            for figure in FIGURES
            if any(value is not None for value in column[figure])
        }
        if found:
            first = FIGURES[0]
            if first in found:
                _state(assembly, scope, found[first])
            blocks += _blocks(scope, place, found)
    if len(blocks) == 1:
        return None
    return Chapter(title=Text(zh="电耗趋势", en="Trend of energy per tonne"), blocks=tuple(blocks))


def _state(assembly: Assembly, scope: str, found: Decline) -> None:
    slope = Head(scope, "decline_slope", Section.ENERGY, L_SLOPE, "kWh/t", 1)
    chance = Head(scope, "decline_p_value", Section.ENERGY, L_CHANCE, "1", 4)
    if found.trend is None:
        for what in (slope, chance):
            assembly.state(what, None, How.NONE, (), notes=(VERDICTS["too_few"],))
        return
    notes = (VERDICTS[found.verdict],)
    yearly = Decimal(f"{found.trend.slope * 12:.6f}")
    assembly.state(slope, yearly, How.COMPUTED, (), notes=notes)
    assembly.state(chance, Decimal(f"{found.trend.p_decline:.8f}"), How.COMPUTED, (), notes=notes)


def _blocks(scope: str, place: Text, found: dict[str, Decline]) -> list[Block]:
    """A table of every figure side by side, and what each of them says."""
    columns = [Column(label=Text(zh="月份", en="Month"), width=10)]
    for figure in found:
        name = FIGURE_NAMES[figure]
        columns += [
            Column(label=Text(zh=zh.format(name.zh), en=en.format(name.en)), unit=PER_T, decimals=1)
            for zh, en in _SHOWN
        ]
    columns.append(Column(label=Text(zh="平均电流", en="Mean current"), unit="kA", decimals=2))
    rows: list[tuple[Cell, ...]] = []
    for months in zip(*(each.months for each in found.values()), strict=True):
        cells = [v for m in months for v in (m.value, m.level, m.rolling, m.on_year)]
        if any(cell is not None for cell in cells):
            row = map(_shown, (*cells, months[0].current_ka))
            rows.append((str(months[0].month), *row))
    table = Table(
        id=f"trend-{scope}",
        title=Text(zh=f"{place.zh}：逐月电耗", en=f"{place.en}: energy per tonne by month"),
        columns=tuple(columns),
        rows=tuple(rows),
    )
    said = [
        Paragraph(
            text=Text(
                zh=f"{FIGURE_NAMES[figure].zh}——{verdict_text(each).zh}。",
                en=f"{FIGURE_NAMES[figure].en}: {verdict_text(each).en}.",
            ),
            tone="note",
        )
        for figure, each in found.items()
    ]
    return [table, *said]


def verdict_text(found: Decline) -> Text:
    """The verdict with what it rests on."""
    verdict = VERDICTS[found.verdict]
    count = sum(month.level is not None for month in found.months)
    if found.trend is None or found.raw is None:
        return Text(
            zh=f"{verdict.zh}（{count} 个月，至少需 {LEAST} 个月）",
            en=f"{verdict.en} ({count} months, at least {LEAST} are needed)",
        )
    trend, raw = found.trend, found.raw
    caveat_zh = "按同月比较，已排除季节影响" if found.by_season else "不足 24 个月，未排除季节影响"
    caveat_en = (
        "same calendar months compared, so the season is out"
        if found.by_season
        else "fewer than 24 months: the season is still in it"
    )
    at_zh, at_en = (
        ("电流归一", "at the same current")
        if found.normalised
        else ("电流或电压不全，未归一", "current or voltage not known throughout: as it is")
    )
    test_zh, test_en = ("季节性", "seasonal ") if found.by_season else ("", "")
    return Text(
        zh=f"{verdict.zh}：{count} 个月，斜率每年 {trend.slope * 12:+.1f} kWh/t（Theil–Sen，"
        f"{at_zh}），{test_zh}Mann–Kendall S = {trend.s}，单侧 p = "
        f"{trend.p_decline:.4f}（界限 {SURE}）；"
        f"未归一 p = {raw.p_decline:.4f}；{caveat_zh}",
        en=f"{verdict.en}: {count} months, slope {trend.slope * 12:+.1f} kWh/t a year (Theil-Sen, "
        f"{at_en}), {test_en}Mann-Kendall S = {trend.s}, one-sided p = "
        f"{trend.p_decline:.4f} (limit {SURE}); without that correction p = {raw.p_decline:.4f}; "
        f"{caveat_en}",
    )


def _shown(value: Decimal | None) -> Decimal | None:
    return None if value is None else value.quantize(Decimal("0.001"))


_ABOUT: Final = Text(
    zh="月度电耗按出铝量计算。为排除改变系列电流的影响，电压按 V = 1.65 V + I × R 折算到各月"
    "平均电流（假定极距不变；1.65 V 为工程取值）。趋势检验为单侧 Mann–Kendall。",
    en="Monthly figures are by tapped metal. Changes of the line current are taken out: the "
    "voltage, V = 1.65 V + I x R, is brought to the mean current of the months (distance "
    "unchanged; 1.65 V is an engineering value). The test is Mann-Kendall, one-sided.",
)
