"""The page of energy and heat: lines of the energy report, from its archive or its draft."""

import json
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from drivers.language import say
from drivers.model import ConfigError
from reports.chapters import Chapter, Table
from reports.console.figures.drafts import place
from reports.console.figures.energy_blocks import Pages
from reports.console.figures.energy_periods import NAME, archive_file
from reports.console.office import Office
from reports.energy import report as energy_report
from reports.energy.excess import PARTS
from reports.energy.levels import GRADES, INDICATORS
from reports.model import Content, Line
from reports.periods import Period
from reports.pictures import Chart
from reports.render.marks import MEANING
from reports.site import PLANT
from reports.values import Text
from reports.versions import read_report

HEADLINE: Final = (
    *("aluminium", "dc_specific", "liquid_ac", "liquid_comprehensive_ac", "mean_voltage"),
    *("current_efficiency_tapping", "heat_net", "green_share", "water_reuse"),
)
OF_EXCHANGER: Final = (
    *("heat_recovered", "heat_extra_power", "exchanger_effectiveness", "exchanger_ntu"),
    *("exchanger_ua", "exchanger_ua_ratio", "exchanger_ua_trend"),
)
OF_LINE: Final = (
    *("electricity_dc", "mean_current", "mean_voltage", "pots_running", "dc_specific"),
    *("liquid_ac", "current_efficiency_tapping", "rectifier_efficiency", "ae_frequency"),
    *("ae_minutes", "aluminium"),
)
RANKED: Final = 4  # columns of the ranking before those of the parts
SHOWN: Final = 10
ROOM: Final = Decimal("0.012")  # left and right of the scale of levels, as a share


@lru_cache(maxsize=2)
def _read(path: Path, _mtime_ns: int, *, draft: bool) -> Content:
    """A report of the archive is checked against its own digest. Raises ConfigError."""
    if draft:
        return Content.model_validate(json.loads(path.read_bytes(), parse_float=Decimal))
    return read_report(path).content


def opened(office: Office, period: str, source: str) -> tuple[Content, str] | None:
    """The report of the period and the name of its file, "" for a draft; None: there is none."""
    file = archive_file(office, period, source)
    path = file or place(office, NAME, period)[0]
    try:
        changed_ns = path.stat().st_mtime_ns
    except OSError:
        return None
    return _read(path, changed_ns, draft=file is None), "" if file is None else file.name


def report(office: Office, period: str, source: str = "") -> dict[str, Any] | None:
    """What the page shows, chapter by chapter; None when neither report nor draft is there."""
    found = opened(office, str(Period.parse(period)), source)
    if found is None:
        return None
    content, file = found
    pages = Pages.of(content)
    places = [(line.id, line.name) for line in content.potlines]
    everywhere = [*places, (PLANT, energy_report.TOTAL)]
    signs = set("".join(pages.signs.values()))
    return {
        "period": content.period.name,
        "file": file,
        "complete": content.complete,
        "missing": [
            {
                "why": text.of(pages.lang),
                "lines": [pages.lines[x].label.of(pages.lang) for x in ids],
            }
            for text, ids in content.reasons().items()
        ],
        "warnings": [doubt.text.of(pages.lang) for doubt in content.warnings],
        "signs": [(sign, text.of(pages.lang)) for sign, text in MEANING.items() if sign in signs],
        "headline": pages.figures([f"{PLANT}.{name}" for name in HEADLINE]),
        "levels": _levels(pages, everywhere),
        "benchmark": _table(pages, "benchmark"),
        "per_tonne": pages.grid(everywhere, energy_report.PER_TONNE),
        "ingot": _stated(pages, energy_report.INGOT),
        "tree": pages.grid(everywhere, energy_report.TREE),
        "running": pages.grid(everywhere, (*energy_report.RUNNING, *energy_report.EFFECTS)),
        "tariff": _stated(pages, energy_report.TARIFF),
        "green": _stated(pages, energy_report.GREEN),
        "green_tables": [t for key in ("certificates", "issued") if (t := _table(pages, key))],
        "heat": _stated(pages, energy_report.HEAT),
        "exchangers": exchangers_of(pages, office),
        "materials": _materials(pages),
        "flow": _charts(pages, lambda key: key == "energy-flow"),
        "months": _charts(pages, lambda key: key.startswith("months-")),
        "moved": _charts(pages, lambda key: key.startswith("change-")),
        "reasons": pages.blocks(_chapter(content, "change-reasons")),
        "trend": pages.blocks(_chapter(content, "trend-")),
        "year_before": pages.blocks(_chapter(content, "year-before")),
        "pots": _pots(pages),
    }


def of_line(office: Office, line: str, period: str) -> dict[str, Any] | None:
    """Figures of one potline in the energy report of the period."""
    found = opened(office, str(Period.parse(period)), "")
    if found is None:
        return None
    pages = Pages.of(found[0])
    figures = pages.figures([f"{line}.{name}" for name in OF_LINE])
    return {"period": found[0].period.name, "file": found[1], "figures": figures}


def of_lines(office: Office, period: str) -> dict[str, Any] | None:
    """The same of every potline, by id."""
    found = opened(office, str(Period.parse(period)), "")
    if found is None:
        return None
    pages = Pages.of(found[0])
    return {
        "period": found[0].period.name,
        "file": found[1],
        "lines": {
            line.id: pages.figures([f"{line.id}.{name}" for name in OF_LINE])
            for line in office.site.potline
        },
    }


def _stated(pages: Pages, names: tuple[str, ...]) -> list[dict[str, Any]]:
    """Figures of the plant; those not stated too, with their reason. Alike names are told apart."""
    found = pages.figures([f"{PLANT}.{name}" for name in names])
    for figure in found:
        if figure["line"] == f"{PLANT}.ladder_cost_incentive":
            figure["label"] += say(
                "（抵减以激励性权重为基数）", ", relief counted from the incentive weight"
            )
    return found


def _materials(pages: Pages) -> list[dict[str, Any]]:
    """Water, solids, recycled metal."""
    begins = tuple(f"{PLANT}.{name}" for name in ("water_", "solid", "recycled_"))
    return pages.figures([key for key in pages.lines if "@" not in key and key.startswith(begins)])


def _levels(pages: Pages, places: list[tuple[str, Text]]) -> list[dict[str, Any]]:
    """Every graded indicator: figure, level, distance to the next, and its place on the scale."""
    found = []
    for scope, name in places:
        for indicator in INDICATORS:
            level = pages.lines.get(f"{scope}.level_{indicator}")
            figure = pages.figure(f"{scope}.{indicator}")
            if level is None or figure is None:
                continue
            ends = ("", "_mwh", "_cny")
            far = [pages.figure(f"{scope}.distance_{indicator}{end}") for end in ends]
            found.append(
                {
                    "place": name.of(pages.lang),
                    "figure": figure,
                    "level": pages.figure(level.id),
                    "distance": far,
                    "scale": _scale(pages.lines[f"{scope}.{indicator}"], level),
                }
            )
    return found


def _scale(figure: Line, level: Line) -> dict[str, Any] | None:
    """Where limits and figure stand between 0 and 100; None when any is not known."""
    limits = {
        grade: given.value
        for grade in GRADES
        for given in level.inputs
        if given.name == f"limit_{grade}" and given.value is not None
    }
    if figure.value is None or len(limits) < len(GRADES):
        return None
    values = [*limits.values(), figure.value]
    low, high = min(values) * (1 - ROOM), max(values) * (1 + ROOM)

    def at(value: Decimal) -> float:
        return round(float((value - low) / (high - low) * 100), 2)

    return {
        "at": at(figure.value),
        "limits": [{"grade": g, "value": v, "at": at(v)} for g, v in limits.items()],
    }


def _table(pages: Pages, key: str) -> dict[str, Any] | None:
    for chapter in pages.content.chapters:
        for block in chapter.blocks:
            if isinstance(block, Table) and block.id == key:
                return pages.table(block)
    return None


def _charts(pages: Pages, wanted: Callable[[str], bool]) -> list[dict[str, Any]]:
    return [
        pages.chart(block)
        for chapter in pages.content.chapters
        for block in chapter.blocks
        if isinstance(block, Chart) and wanted(block.id)
    ]


def _chapter(content: Content, *begins: str) -> Chapter | None:
    """The chapter that holds a table whose id begins so."""
    for chapter in content.chapters:
        if any(isinstance(b, Table) and b.id.startswith(begins) for b in chapter.blocks):
            return chapter
    return None


def _pots(pages: Pages) -> list[dict[str, Any]]:
    """Ranking and advice; what the excess is made of stands on the page of each pot."""
    found = []
    for block in pages.blocks(_chapter(pages.content, "pot-ranking-", "pot-days-")):
        key = str(block.get("id", ""))
        if key == "pot-parameters":
            continue
        if key.startswith("pot-ranking-"):
            block["columns"] = _without_parts(block["columns"])
            block["rows"] = [_without_parts(row) for row in block["rows"][:SHOWN]]
        found.append(block)
    return found


def _without_parts(row: list[Any]) -> list[Any]:
    return [*row[:RANKED], *row[RANKED + len(PARTS) :]]


def exchangers_of(pages: Pages, office: Office) -> list[dict[str, Any]]:
    """Every exchanger of the report: figures, picture, days, what there is to say of it."""
    first = f"{PLANT}.exchanger_effectiveness."
    equipments = [
        key.removeprefix(first) for key in pages.lines if key.startswith(first) and "@" not in key
    ]
    named = {each.equipment: each.label for each in office.site.exchangers}
    found = []
    for equipment in equipments:
        label = named.get(equipment)
        ratio = f"{PLANT}.exchanger_ua_ratio.{equipment}"
        found.append(
            {
                "equipment": equipment,
                "name": equipment if label is None else label.of(pages.lang),
                "figures": pages.figures([f"{PLANT}.{name}.{equipment}" for name in OF_EXCHANGER]),
                "warnings": [
                    doubt.text.of(pages.lang)
                    for doubt in pages.content.warnings
                    if doubt.line == ratio
                ],
                "charts": _charts(pages, f"exchanger-ua-{equipment}".__eq__),
                "days": _table(pages, f"exchanger-{equipment}"),
            }
        )
    return found


def exchangers(office: Office, period: str, source: str = "") -> dict[str, Any] | None:
    """Exchangers alone, for programs."""
    found = opened(office, str(Period.parse(period)), source)
    if found is None:
        return None
    made = exchangers_of(Pages.of(found[0]), office)
    return {"period": found[0].period.name, "file": found[1], "exchangers": made}


def lines(
    office: Office, period: str, source: str, after: str, limit: int
) -> dict[str, Any] | None:
    """Every line of the report in its order, those behind ``after``, at most ``limit``."""
    found = opened(office, str(Period.parse(period)), source)
    if found is None:
        return None
    pages = Pages.of(found[0])
    ids = list(pages.lines)
    if after and after not in pages.lines:
        raise ConfigError([say(f"报告中没有 {after!r}", f"the report has no line {after!r}")])
    begin = ids.index(after) + 1 if after else 0
    shown = ids[begin : begin + limit]
    return {
        "period": found[0].period.name,
        "file": found[1],
        "complete": found[0].complete,
        "lines": [_plain(pages, key) for key in shown],
        "next": shown[-1] if begin + limit < len(ids) else None,
    }


def _plain(pages: Pages, key: str) -> dict[str, Any]:
    """A line for programs: as the report states it, in the report's own unit."""
    line = pages.lines[key]
    return {
        "id": key,
        "scope": line.scope,
        "label": line.label.of(pages.lang),
        "value": line.rounded,
        "unit": line.unit,
        "how": line.how.value,
        "marks": pages.signs.get(key, ""),
        "why": [text.of(pages.lang) for text in (*line.missing, *line.notes)],
    }
