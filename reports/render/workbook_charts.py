"""Pictures in a workbook: their numbers as a table, and a chart of the workbook drawn from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from reports.charts.canvas import COLOURS, TONES
from reports.charts.heat_map import BOTH_WAYS, RISING
from reports.pictures import Axis, Bars, Chart, Curves, HeatMap, Sankey, Series, Threshold
from reports.render.blocks import Pages
from reports.render.workbook import Cell, Column, Drawn, Rows, Words
from reports.values import Text

_SIZE: Final = {"width": 760, "height": 340}  # pixels
_BETWEEN: Final = 18  # rows from one panel to the next
Item = Words | Rows | Drawn
Place = tuple[str, int, int]  # sheet, first row of the body, last row


def chart_items(pages: Pages, chart: Chart) -> Sequence[Item]:
    """Heading, caption, numbers, the chart drawn from them, and what happened meanwhile."""
    items: list[Item] = [Words(pages.of(chart.title), "heading")]
    if chart.caption is not None:
        items.append(Words(pages.of(chart.caption), "note"))
    picture = chart.picture
    if isinstance(picture, Curves):
        return [
            *items,
            _curve_rows(pages, picture),
            _CurveCharts(pages, picture),
            *_events(pages, picture),
        ]
    if isinstance(picture, Bars):
        return [*items, _bar_rows(pages, picture), _BarChart(pages, picture)]
    if isinstance(picture, HeatMap):
        return [*items, _heat_rows(pages, picture), _Shades(picture)]
    return [*items, _flow_rows(pages, picture)]


def _head(pages: Pages, name: Text, axis: Axis, more: str = "") -> str:
    label = f"{pages.of(name)} {more}".rstrip()
    return f"{label}\n{axis.unit}" if axis.unit else label


def _x(pages: Pages, x: Decimal | Text | str, *, time: bool) -> Cell:
    if isinstance(x, Text):
        return pages.of(x)
    return datetime.fromisoformat(x) if time and isinstance(x, str) else x


# --- curves


def _columns(picture: Curves) -> list[tuple[Series | Threshold, str]]:
    """What each column after x holds: a series, a side of its band, or a level."""
    found: list[tuple[Series | Threshold, str]] = []
    for series in picture.series:
        found.append((series, "values"))
        found += [(series, side) for side in ("low", "high") if series.low]
    return found + [(threshold, "") for threshold in picture.thresholds]


def _curve_rows(pages: Pages, picture: Curves) -> Rows:
    say = pages.say
    words = {"values": "", "": "", "low": say("下限", "low"), "high": say("上限", "high")}
    columns = [Column(_head(pages, picture.across.label, picture.across), 18)]
    values: list[Sequence[Decimal | None]] = []
    for thing, side in _columns(picture):
        axis = picture.panels[thing.panel]
        name = thing.name if isinstance(thing, Series) else thing.label
        columns.append(Column(_head(pages, name, axis, words[side]), 14, axis.decimals))
        count = len(picture.x)
        values.append(getattr(thing, side) if isinstance(thing, Series) else [thing.value] * count)
    time = picture.scale == "time"
    rows: list[list[Cell]] = [
        [_x(pages, x, time=time), *(column[n] for column in values)]
        for n, x in enumerate(picture.x)
    ]
    return Rows(tuple(columns), rows)


def _events(pages: Pages, picture: Curves) -> list[Item]:
    if not picture.events:
        return []
    say, time = pages.say, picture.scale == "time"
    columns = (
        Column(say("开始", "Start"), 18),
        Column(say("事件", "Event"), 16),
        Column(say("结束", "End"), 18),
        Column(say("说明", "Note"), 40),
    )
    rows: list[list[Cell]] = [
        [
            _x(pages, e.start, time=time),
            pages.of(e.label),
            _x(pages, e.end, time=time),
            pages.of(e.note),
        ]
        for e in picture.events
    ]
    return [Words(say("事件", "Events"), "heading"), Rows(columns, rows)]


@dataclass(frozen=True, slots=True)
class _CurveCharts(Drawn):
    """A chart for each panel, below one another, right of the numbers."""

    pages: Pages
    picture: Curves

    def put(self, file: Any, sheet: Any, place: Place) -> None:
        columns = _columns(self.picture)
        for n, axis in enumerate(self.picture.panels):
            kind = {"type": "line"}
            if self.picture.scale != "category":
                kind = {"type": "scatter", "subtype": "straight"}
            chart = file.add_chart(kind)
            colour = -1
            for column, (thing, side) in enumerate(columns, 1):
                colour += side == "values"
                if thing.panel == n:
                    chart.add_series(self._series(place, column, (thing, side), colour))
            _axes(chart, self.pages, self.picture.across, axis)
            if self.picture.scale == "time":
                chart.set_x_axis(self._time_axis())
            chart.set_size(_SIZE)
            sheet.insert_chart(place[1] - 1 + n * _BETWEEN, len(columns) + 2, chart)

    def _series(
        self, place: Place, column: int, what: tuple[Series | Threshold, str], colour: int
    ) -> dict[str, Any]:
        thing, side = what
        line: dict[str, Any] = {"width": 1.5, "color": COLOURS[colour % len(COLOURS)]}
        if isinstance(thing, Threshold):
            line = {"width": 1.25, "color": TONES[thing.tone], "dash_type": "dash"}
        elif side != "values":
            line |= {"width": 0.5, "transparency": 50}
        return _ranges(place, column) | {"line": line, "marker": {"type": "none"}}

    def _time_axis(self) -> dict[str, Any]:
        first, last = (datetime.fromisoformat(str(self.picture.x[n])) for n in (0, -1))
        days = (last - first).total_seconds() / 86400
        look = "hh:mm" if days <= 2 else "m-d" if days <= 120 else "yyyy-mm"
        origin = datetime(1899, 12, 30)  # noqa: DTZ001 - day 0 of a workbook
        span = [(moment - origin).total_seconds() / 86400 for moment in (first, last)]
        label = _head(self.pages, self.picture.across.label, self.picture.across)
        return {
            "name": label.replace("\n", " / "),
            "num_format": look,
            "min": span[0],
            "max": span[1],
            "label_position": "low",
        }


def _ranges(place: Place, column: int) -> dict[str, Any]:
    """Where the name, the x and the values of a column stand."""
    sheet, first, last = place
    return {
        "name": [sheet, first - 1, column],
        "categories": [sheet, first, 0, last, 0],
        "values": [sheet, first, column, last, column],
    }


def _axes(chart: Any, pages: Pages, across: Axis | None, axis: Axis) -> None:
    """Names of the axes, the legend above; the heading of the sheet is the title."""
    chart.set_title({"none": True})
    name = f"{pages.of(axis.label)} / {axis.unit}" if axis.unit else pages.of(axis.label)
    grid = {"visible": True, "line": {"color": "#D5DCE4"}}
    look: dict[str, Any] = {"name": name, "major_gridlines": grid}
    look |= {"min": 0} if axis.zero else {}
    look |= {"max": float(axis.highest)} if axis.highest is not None else {}
    chart.set_y_axis(look)
    below: dict[str, str] = {"label_position": "low"}
    if across is not None:
        unit = f" / {across.unit}" if across.unit else ""
        below["name"] = f"{pages.of(across.label)}{unit}"
    chart.set_x_axis(below)
    chart.set_legend({"position": "top"})


# --- bars


def _bar_rows(pages: Pages, picture: Bars) -> Rows:
    """x, the bars, the lines, the levels; of a waterfall also the parts it is drawn from."""
    columns = [Column(pages.say("项目", "Item"), 22)]
    values: list[Sequence[Decimal | None]] = []
    for series in (*picture.series, *picture.lines):
        columns.append(Column(_head(pages, series.name, picture.axis), 16, picture.axis.decimals))
        values.append(series.values)
    for threshold in picture.thresholds:
        columns.append(
            Column(_head(pages, threshold.label, picture.axis), 16, picture.axis.decimals)
        )
        values.append([threshold.value] * len(picture.x))
    if picture.layout == "waterfall":
        say = pages.say
        names = (
            say("底（不显示）", "base (hidden)"),
            say("合计", "total"),
            say("增加", "more"),
            say("减少", "less"),
        )
        columns += [Column(name, 12, picture.axis.decimals) for name in names]
        values += _steps(picture)
    rows: list[list[Cell]] = [
        [pages.of(x) if isinstance(x, Text) else x, *(column[n] for column in values)]
        for n, x in enumerate(picture.x)
    ]
    return Rows(tuple(columns), rows)


def _steps(picture: Bars) -> list[list[Decimal | None]]:
    """Hidden base, total, rise and fall of each step."""
    parts: list[list[Decimal | None]] = [[], [], [], []]
    reached = Decimal(0)
    for n, value in enumerate(picture.series[0].values):
        step: list[Decimal | None] = [None] * 4
        if value is not None and n in picture.totals:
            step[1], reached = value, value
        elif value is not None:
            step[0] = min(reached, reached + value)
            step[2 if value >= 0 else 3] = abs(value)
            reached += value
        for part, each in zip(parts, step, strict=True):
            part.append(each)
    return parts


@dataclass(frozen=True, slots=True)
class _BarChart(Drawn):
    """Columns with lines across, right of the numbers."""

    pages: Pages
    picture: Bars

    def put(self, file: Any, sheet: Any, place: Place) -> None:
        picture = self.picture
        stacked = {"subtype": "stacked"} if picture.layout != "grouped" else {}
        chart = file.add_chart({"type": "column", **stacked})
        bars, levels = len(picture.series), len(picture.thresholds)
        after = 1 + bars + len(picture.lines) + levels
        if picture.layout == "waterfall":
            for n, fill in enumerate((None, "#1f4e79", "#c8553d", "#3a8f6f")):
                look: dict[str, Any] = {"none": True} if fill is None else {"color": fill}
                chart.add_series(_ranges(place, after + n) | {"fill": look, "gap": 40})
        else:
            for n in range(bars):
                look = {"color": COLOURS[n % len(COLOURS)]}
                chart.add_series(_ranges(place, 1 + n) | {"fill": look, "gap": 60})
        over = file.add_chart({"type": "line"})
        for n in range(bars, after - 1):
            colour = COLOURS[n % len(COLOURS)]
            if n >= after - 1 - levels:
                colour = TONES[picture.thresholds[n - (after - 1 - levels)].tone]
            line = {"color": colour, "width": 1.25, "dash_type": "dash"}
            over.add_series(_ranges(place, 1 + n) | {"line": line})
        if after - 1 > bars:
            chart.combine(over)
        stands = picture.layout != "waterfall"
        _axes(chart, self.pages, None, picture.axis.model_copy(update={"zero": stands}))
        if picture.layout == "waterfall":
            chart.set_legend({"position": "top", "delete_series": [0]})
            chart.set_y_axis({"min": _floor(picture)})
        chart.set_size(_SIZE)
        columns = after + (4 if picture.layout == "waterfall" else 0)
        sheet.insert_chart(place[1] - 1, columns + 1, chart)


def _floor(picture: Bars) -> float:
    """Where the axis of a waterfall begins: near the steps when the totals are tall."""
    base, totals = _steps(picture)[:2]
    known = [float(v) for v in (*base, *totals) if v is not None]
    span = max(known) - min(known) if known else 0.0
    low = min(known, default=0.0)
    return max(0.0, low - span) if low > 0 and span < low * 0.5 else min(0.0, low)


# --- heat maps and flows


def _heat_rows(pages: Pages, picture: HeatMap) -> Rows:
    corner = f"{pages.of(picture.down.label)}\n{pages.of(picture.across.label)}"
    names = [pages.of(x) if isinstance(x, Text) else x for x in picture.x]
    places = picture.measure.decimals
    columns = (Column(corner, 14), *(Column(name, 8, places) for name in names))
    rows: list[list[Cell]] = [
        [pages.of(y) if isinstance(y, Text) else y, *row]
        for y, row in zip(picture.y, picture.cells, strict=True)
    ]
    return Rows(columns, rows)


@dataclass(frozen=True, slots=True)
class _Shades(Drawn):
    """Colours behind the numbers, as conditional formats: they follow what is typed in."""

    picture: HeatMap

    def put(self, file: Any, sheet: Any, place: Place) -> None:  # noqa: ARG002 - the role's interface
        _, first, last = place
        both = self.picture.middle is not None
        ramp = BOTH_WAYS if both else RISING
        look: dict[str, Any] = {"type": "3_color_scale"}
        look |= {"min_color": ramp[0], "mid_color": ramp[2], "max_color": ramp[4]}
        if both:
            look |= {"mid_type": "num", "mid_value": float(self.picture.middle or 0)}
        sheet.conditional_format(first, 1, last, len(self.picture.x), look)


def _flow_rows(pages: Pages, picture: Sankey) -> Rows:
    """From, to, how much; what nobody measured is empty."""
    names = {node.id: pages.of(node.name) for node in picture.nodes}
    columns = (
        Column(pages.say("自", "From"), 24),
        Column(pages.say("至", "To"), 24),
        Column(_head(pages, picture.measure.label, picture.measure), 18, picture.measure.decimals),
    )
    rows: list[list[Cell]] = [[names[f.source], names[f.target], f.value] for f in picture.flows]
    return Rows(columns, rows)
