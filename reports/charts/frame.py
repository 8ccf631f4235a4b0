"""What pictures have in common: legend, axis of values with its lines, levels across."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from reports.charts.canvas import (
    COLOURS,
    GREY,
    INK,
    RULE,
    TONES,
    Canvas,
    shortened,
    width_of,
)
from reports.charts.scales import Scale, round_range, tick_text, ticks_of
from reports.pictures import Axis, Series, Threshold

SIZE: Final = 7.5  # points of all small words
TOP: Final = 19.0  # above a panel: the words of its axis
_LEVEL_GAP: Final = 9.0  # words of two levels are never nearer


@dataclass(frozen=True, slots=True)
class Key:
    """An entry of the legend."""

    name: str
    colour: str
    sign: Literal["line", "dashed", "dot", "box", "pale"]


@dataclass(frozen=True, slots=True)
class Panel:
    """Where a panel lies on the page, and its scale of values."""

    left: float
    right: float
    top: float
    bottom: float
    scale: Scale
    step: float


def axis_label(axis: Axis, lang: str) -> str:
    """``电压 / V``: name and unit as standards write them."""
    name = axis.label.of(lang)
    return f"{name} / {axis.unit}" if axis.unit and name else name or axis.unit


def value_text(value: float, axis: Axis) -> str:
    """A value with its unit, for tips; at most six figures."""
    text = f"{value:,.{axis.decimals}f}" if axis.decimals is not None else f"{value:,.6g}"
    return f"{text} {axis.unit}".rstrip().replace("-", "−")


def colour_of(n: int) -> str:
    """Colour of the n-th series."""
    return COLOURS[n % len(COLOURS)]


def legend(canvas: Canvas, keys: Sequence[Key], left: float, right: float, y: float) -> float:
    """Draw the keys in rows from ``y`` downwards; returns the height they took."""
    if not keys:
        return 0.0
    x, row = left, y + 8
    for key in keys:
        name = shortened(key.name, SIZE, right - left - 20)
        wide = 18 + width_of(name, SIZE) + 12
        if x > left and x + wide - 12 > right:
            x, row = left, row + 11
        _sign(canvas, key, x, row - 2.6)
        canvas.text(x + 18, row, name, size=SIZE)
        x += wide
    return row - y + 6


def legend_height(keys: Sequence[Key], left: float, right: float) -> float:
    """What ``legend`` will take."""
    return legend(Canvas(0, 0), keys, left, right, 0.0)


def _sign(canvas: Canvas, key: Key, x: float, y: float) -> None:
    if key.sign == "dot":
        canvas.dot((x + 7, y), 2, key.colour)
    elif key.sign == "box":
        canvas.rect((x + 3, y - 3.5), (8, 7), key.colour)
    elif key.sign == "pale":
        canvas.rect((x, y - 3.5), (14, 7), key.colour, opacity=0.3)
    else:
        dash = "4 2" if key.sign == "dashed" else ""
        canvas.line((x, y), (x + 14, y), key.colour, width=1.6, dash=dash)


def values_of(series: Iterable[Series]) -> list[float]:
    """Every value that is there, bands too."""
    return [
        float(value)
        for one in series
        for row in (one.values, one.low, one.high)
        for value in row
        if value is not None
    ]


def axis_width(values: Sequence[float], axis: Axis, *, zero: bool) -> float:
    """Room left of a panel for the numbers of its axis."""
    low, high, step = round_range(values, zero=zero, ticks=4)
    texts = [tick_text(v, step, axis.decimals) for v in ticks_of(low, high, step)]
    return max(width_of(text, SIZE) for text in texts) + 8


def panel(
    canvas: Canvas,
    axis: Axis,
    values: Sequence[float],
    box: tuple[float, float, float, float],
    lang: str,
    *,
    zero: bool,
) -> Panel:
    """Draw the axis of values with its fine lines; ``box`` is left, right, top, bottom."""
    left, right, top, bottom = box
    low, high, step = round_range(values, zero=zero, ticks=max(2, int((bottom - top) / 28)))
    scale = Scale(low, high, bottom, top)
    for value in ticks_of(low, high, step):
        y = scale.at(value)
        on_zero = abs(value) < step / 1e6
        canvas.line((left, y), (right, y), GREY if on_zero else RULE, width=0.6)
        text = tick_text(value, step, axis.decimals)
        canvas.text(left - 4, y + 2.6, text, size=SIZE, anchor="end", fill=GREY)
    canvas.text(max(left - 30, 0), top - 10, axis_label(axis, lang), size=SIZE, fill=INK, bold=True)
    return Panel(left, right, top, bottom, scale, step)


def levels_width(thresholds: Sequence[Threshold], lang: str) -> float:
    """Room right of the panels for the words of the levels."""
    return min(110.0, max((width_of(t.label.of(lang), SIZE) for t in thresholds), default=0) + 6)


def levels(canvas: Canvas, thresholds: Sequence[Threshold], at: Panel, lang: str) -> None:
    """Dashed lines across the panel with their words at the right, kept apart."""
    wanted = sorted(thresholds, key=lambda t: -t.value)
    room = levels_width(thresholds, lang)
    lowest = at.top - 99.0
    for one in wanted:
        if not at.scale.low <= one.value <= at.scale.high:
            continue  # beyond where the axis was cut
        y, colour = at.scale.at(float(one.value)), TONES[one.tone]
        canvas.line((at.left, y), (at.right, y), colour, width=0.9, dash="4 2")
        lowest = max(y, lowest + _LEVEL_GAP)
        words = shortened(one.label.of(lang), SIZE, room)
        canvas.text(at.right + 4, lowest + 2.6, words, size=SIZE, fill=colour)


def nothing_to_draw(canvas: Canvas, lang: str) -> None:
    """The word for a picture without a single value."""
    words = "无数据" if lang == "zh" else "no data"
    canvas.text(canvas.width / 2, canvas.height / 2, words, size=9, anchor="middle", fill=GREY)
