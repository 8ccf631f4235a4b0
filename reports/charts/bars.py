"""Bars: side by side, on one another, or as steps from a first total to a last one."""

from collections.abc import Sequence
from typing import Final

from reports.charts.canvas import GREY, INK, Canvas, path_of, shortened, width_of
from reports.charts.curves import runs
from reports.charts.frame import (
    SIZE,
    TOP,
    Key,
    Panel,
    axis_width,
    colour_of,
    legend,
    legend_height,
    levels,
    levels_width,
    nothing_to_draw,
    panel,
    value_text,
)
from reports.charts.scales import every_nth
from reports.pictures import Bars, Series
from reports.values import Text

TALL: Final = 150.0
FULL: Final = 0.72  # share of its place that a group of bars takes
MORE, LESS, WHOLE = "#c8553d", "#3a8f6f", "#1f4e79"  # steps of a waterfall
_BELOW: Final = 26.0
Piece = tuple[int, float, float, str, str, float]  # x, from, to, colour, name, value


def draw_bars(picture: Bars, lang: str, width: float) -> Canvas:
    """The picture on a page of ``width`` points."""
    pieces = _pieces(picture, lang)
    across = [float(v) for line in picture.lines for v in line.values if v is not None]
    keys = _keys(picture, lang)
    if not pieces and not across:
        canvas = Canvas(width, 60)
        nothing_to_draw(canvas, lang)
        return canvas
    values = [v for piece in pieces for v in piece[1:3]] + across
    values += [float(t.value) for t in picture.thresholds]
    zero = picture.layout != "waterfall"
    if not zero:
        values = _waterfall_range(picture, pieces, values)
    left = axis_width(values, picture.axis, zero=zero)
    right = width - max(8.0, levels_width(picture.thresholds, lang))
    head = legend_height(keys, left, width)
    canvas = Canvas(width, head + TOP + TALL + _BELOW)
    legend(canvas, keys, left, width, 0.0)
    box = (left, right, head + TOP, head + TOP + TALL)
    at = panel(canvas, picture.axis, values, box, lang, zero=zero)
    place = (right - left) / max(len(picture.x), 1)
    _draw_pieces(canvas, picture, pieces, at, place, lang)
    for n, line in enumerate(picture.lines):
        _line(canvas, line, colour_of(len(picture.series) + n), at, place)
    levels(canvas, picture.thresholds, at, lang)
    if at.scale.low > 0:
        words = "纵轴不从 0 起" if lang == "zh" else "the axis does not begin at 0"
        canvas.text(right, head + TOP - 10, words, size=SIZE, anchor="end", fill=GREY)
    _names(canvas, picture, at, place, lang)
    return canvas


def _waterfall_range(
    picture: Bars, pieces: Sequence[Piece], values: Sequence[float]
) -> list[float]:
    """Big totals and small steps: the axis begins near the steps, not at zero, and is said so."""
    tops = [p[2] if p[0] in picture.totals else v for p in pieces for v in p[1:3]]
    low, high = min(tops), max(tops)
    if low > 0 and high - low < low * 0.5:
        margin = (high - low) * 0.35 or high * 0.02
        return [max(0.0, low - margin), high + margin / 3]
    return [*values, 0.0]


def _keys(picture: Bars, lang: str) -> list[Key]:
    if picture.layout == "waterfall":
        more, less = ("增加", "减少") if lang == "zh" else ("more", "less")
        return [Key(more, MORE, "box"), Key(less, LESS, "box")]
    series = [Key(s.name.of(lang), colour_of(n), "box") for n, s in enumerate(picture.series)]
    after = len(series)
    lines = [
        Key(s.name.of(lang), colour_of(after + n), "line") for n, s in enumerate(picture.lines)
    ]
    return [*series, *lines] if len(series) + len(lines) > 1 else []


def _pieces(picture: Bars, lang: str) -> list[Piece]:
    """Every bar that is there, from where to where."""
    if picture.layout == "waterfall":
        return _steps(picture, lang)
    found: list[Piece] = []
    for n in range(len(picture.x)):
        above = below = 0.0
        for number, series in enumerate(picture.series):
            value = series.values[n]
            if value is None:
                continue
            v, name = float(value), series.name.of(lang)
            start = 0.0 if picture.layout == "grouped" else above if v >= 0 else below
            found.append((n, start, start + v, colour_of(number), name, v))
            above, below = (start + v, below) if v >= 0 else (above, start + v)
    return found


def _steps(picture: Bars, lang: str) -> list[Piece]:
    """A waterfall: totals stand on zero, steps on what was reached."""
    found: list[Piece] = []
    reached, name = 0.0, picture.series[0].name.of(lang)
    for n, value in enumerate(picture.series[0].values):
        if value is None:
            continue
        v = float(value)
        if n in picture.totals:
            found.append((n, 0.0, v, WHOLE, name, v))
            reached = v
        else:
            found.append((n, reached, reached + v, MORE if v >= 0 else LESS, name, v))
            reached += v
    return found


def _draw_pieces(
    canvas: Canvas, picture: Bars, pieces: Sequence[Piece], at: Panel, place: float, lang: str
) -> None:
    side_by_side = len(picture.series) if picture.layout == "grouped" else 1
    wide = min(place * FULL / max(side_by_side, 1), 46.0)
    order = {s.name.of(lang): n for n, s in enumerate(picture.series)}
    for n, start, end, colour, name, value in pieces:
        offset = order[name] if side_by_side > 1 else 0
        x = at.left + place * (n + 0.5) - wide * side_by_side / 2 + wide * offset
        ends = [min(max(at.scale.at(v), at.top), at.bottom) for v in (start, end)]
        top, tall = min(ends), abs(ends[0] - ends[1])
        who = _words(picture.x[n], lang) + (f" {name}" if name else "")
        tip = f"{who}: {value_text(value, picture.axis)}"
        gap = 0.6 if side_by_side > 1 else 0.0
        canvas.rect((x + gap / 2, top), (wide - gap, max(tall, 0.4)), colour, tip=tip)
        if picture.layout == "waterfall":
            text = value_text(value, picture.axis).removesuffix(picture.axis.unit).strip()
            sign = "+" if value > 0 and n not in picture.totals else ""
            canvas.text(x + wide / 2, top - 3, f"{sign}{text}", size=7, anchor="middle", fill=INK)


def _line(canvas: Canvas, line: Series, colour: str, at: Panel, place: float) -> None:
    points = [
        None if v is None else (at.left + place * (n + 0.5), at.scale.at(float(v)))
        for n, v in enumerate(line.values)
    ]
    for run in runs(points):
        if len(run) > 1:
            canvas.stroke(path_of(run), colour, dash="4 2" if line.look == "dashed" else "")
        for point in run:
            canvas.dot(point, 1.8, colour)


def _names(canvas: Canvas, picture: Bars, at: Panel, place: float, lang: str) -> None:
    """The categories below, in two lines where one is too narrow, every n-th when crowded."""
    names = [_words(x, lang) for x in picture.x]
    needed = min(34.0, max((width_of(name, SIZE) for name in names), default=0.0) + 4)
    nth = every_nth(names, place, needed)
    for n in range(0, len(names), nth):
        x, room = at.left + place * (n + 0.5), place * nth - 3
        for row, words in enumerate(_two_lines(names[n], room)):
            y = at.bottom + 11 + 9 * row
            canvas.text(x, y, words, size=SIZE, anchor="middle", fill=GREY)
    canvas.line((at.left, at.bottom), (at.right, at.bottom), GREY, width=0.6)


def _two_lines(name: str, room: float) -> list[str]:
    if width_of(name, SIZE) <= room:
        return [name]
    cut = max(1, next((n for n in range(len(name), 0, -1) if width_of(name[:n], SIZE) <= room), 1))
    space = name.rfind(" ", 0, cut + 1)
    cut = space if space > 0 else cut
    return [name[:cut].strip(), shortened(name[cut:].strip(), SIZE, room)]


def _words(x: Text | str, lang: str) -> str:
    return x.of(lang) if isinstance(x, Text) else x
