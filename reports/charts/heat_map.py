"""Heat maps: many small cells, drawn as one path per colour so that 400 pots stay a small file."""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from reports.charts.canvas import GREY, Canvas, digits, escaped, shortened, width_of
from reports.charts.frame import SIZE, axis_label, nothing_to_draw, value_text
from reports.charts.scales import every_nth, round_range, tick_text, ticks_of
from reports.pictures import HeatMap
from reports.values import Text

SHADES: Final = 33  # colours of the scale; odd, so that the middle has one
RISING: Final = ("#f2f5e9", "#fbe3a2", "#f6a94c", "#d9572b", "#7f1d1d")
BOTH_WAYS: Final = ("#1f4e79", "#8db8d8", "#f4f4f0", "#eda071", "#8c1d18")
GAP: Final = "#dfe3e8"  # a cell that is not there
TALLEST: Final = 600.0  # of all rows together: one page
CELL_TIPS_UP_TO: Final = 1_000  # cells; larger maps say lowest and highest of each row
_KEY: Final = 30.0


def draw_heat_map(picture: HeatMap, lang: str, width: float) -> Canvas:
    """The picture on a page of ``width`` points."""
    values = [float(v) for row in picture.cells for v in row if v is not None]
    if not values:
        canvas = Canvas(width, 60)
        nothing_to_draw(canvas, lang)
        return canvas
    names = [_words(y, lang) for y in picture.y]
    left = min(90.0, max(width_of(name, 7) for name in names) + 6)
    right = width - 8
    tall = min(14.0, TALLEST / len(names))
    wide = min((right - left) / len(picture.x), 40.0)
    top, bottom = _KEY + 4, _KEY + 4 + tall * len(names)
    canvas = Canvas(width, bottom + 26)
    low, high = _range(picture, values)
    ramp = BOTH_WAYS if picture.middle is not None else RISING
    _key(canvas, picture, (low, high), ramp, left, lang)
    place = f"translate({digits(left)} {digits(top)}) scale({wide:.4f} {tall:.4f})"
    size = (len(picture.x), len(names))
    canvas.raw(f'<g transform="{place}" shape-rendering="crispEdges">')
    _cells(canvas, picture, (low, high), ramp, size)
    canvas.raw("</g>")
    _tips(canvas, picture, names, (left, top, wide, tall), lang)
    _row_names(canvas, names, left, top, tall)
    _column_names(canvas, picture, left, bottom, wide, lang)
    canvas.text(0, top - 4, axis_label(picture.down, lang), size=7, fill=GREY)
    return canvas


def _range(picture: HeatMap, values: Sequence[float]) -> tuple[float, float]:
    """From where to where the colours go; around the middle as far to both sides."""
    low, high = min(values), max(values)
    if picture.middle is not None:
        middle = float(picture.middle)
        reach = max(high - middle, middle - low) or 1.0
        return middle - reach, middle + reach
    return (low, high) if high > low else (low, low + 1.0)


def shade_of(value: float, low: float, high: float) -> int:
    """Number of the colour, 0 to SHADES - 1."""
    return min(SHADES - 1, max(0, int((value - low) / (high - low) * SHADES)))


def colour(ramp: Sequence[str], shade: int) -> str:
    """A colour between the stops of a ramp."""
    at = shade / (SHADES - 1) * (len(ramp) - 1)
    n = min(int(at), len(ramp) - 2)
    mixed = (
        round(
            int(ramp[n][k : k + 2], 16) * (1 - at + n) + int(ramp[n + 1][k : k + 2], 16) * (at - n)
        )
        for k in (1, 3, 5)
    )
    return "#" + "".join(f"{part:02x}" for part in mixed)


def _cells(
    canvas: Canvas,
    picture: HeatMap,
    span: tuple[float, float],
    ramp: Sequence[str],
    size: tuple[int, int],
) -> None:
    """Runs of one colour in a row are one stroke; the ground is what is not there."""
    canvas.raw(f'<rect width="{size[0]}" height="{size[1]}" fill="{GAP}"/>')
    strokes: dict[int, list[str]] = defaultdict(list)
    for y, row in enumerate(picture.cells):
        for x, length, shade in _row_runs(row, span):
            strokes[shade].append(f"M{x} {y}.5h{length}")
    for shade in sorted(strokes):
        path = "".join(strokes[shade])
        canvas.raw(f'<path d="{path}" stroke="{colour(ramp, shade)}"/>')


def _row_runs(
    row: Sequence[Decimal | None], span: tuple[float, float]
) -> list[tuple[int, int, int]]:
    """Start, length and shade of the stretches of one shade."""
    found: list[tuple[int, int, int]] = []
    for x, value in enumerate(row):
        if value is None:
            continue
        shade = shade_of(float(value), *span)
        if found and found[-1][2] == shade and sum(found[-1][:2]) == x:
            found[-1] = (found[-1][0], found[-1][1] + 1, shade)
        else:
            found.append((x, 1, shade))
    return found


def _tips(
    canvas: Canvas,
    picture: HeatMap,
    names: Sequence[str],
    place: tuple[float, float, float, float],
    lang: str,
) -> None:
    """What a browser says: each cell of a small map, each row of a large one."""
    left, top, wide, tall = place
    columns = [_words(x, lang) for x in picture.x]
    each = len(names) * len(columns) <= CELL_TIPS_UP_TO
    canvas.raw('<g fill-opacity="0">')
    for y, (name, row) in enumerate(zip(names, picture.cells, strict=True)):
        known = [float(v) for v in row if v is not None]
        if each:
            for x, value in enumerate(row):
                said = "—" if value is None else value_text(float(value), picture.measure)
                box = (left + x * wide, top + y * tall, wide, tall)
                canvas.raw(_tip(box, f"{name} {columns[x]}: {said}"))
        elif known:
            low, high = (value_text(v, picture.measure) for v in (min(known), max(known)))
            canvas.raw(
                _tip((left, top + y * tall, wide * len(row), tall), f"{name}: {low} – {high}")
            )
    canvas.raw("</g>")


def _tip(box: tuple[float, float, float, float], text: str) -> str:
    x, y, w, h = (digits(v) for v in box)
    title = f"<title>{escaped(text)}</title>"
    return f'<rect x="{x}" y="{y}" width="{w}" height="{h}">{title}</rect>'


def _row_names(canvas: Canvas, names: Sequence[str], left: float, top: float, tall: float) -> None:
    nth = every_nth(names, tall, 8.0)
    for n in range(0, len(names), nth):
        words = shortened(names[n], 7, left - 4)
        y = top + tall * (n + 0.5) + 2.4
        canvas.text(left - 4, y, words, size=7, anchor="end", fill=GREY)


def _column_names(
    canvas: Canvas, picture: HeatMap, left: float, bottom: float, wide: float, lang: str
) -> None:
    names = [_words(x, lang) for x in picture.x]
    nth = every_nth(names, wide, max(width_of(name, 7) for name in names) + 4)
    for n in range(0, len(names), nth):
        x = left + wide * (n + 0.5)
        canvas.text(x, bottom + 9, names[n], size=7, anchor="middle", fill=GREY)
    label = axis_label(picture.across, lang)
    canvas.text(left + wide * len(names), bottom + 20, label, size=SIZE, anchor="end", bold=True)


def _key(
    canvas: Canvas,
    picture: HeatMap,
    span: tuple[float, float],
    ramp: Sequence[str],
    left: float,
    lang: str,
) -> None:
    """The scale of colours with its numbers, and the colour of what is not there."""
    wide, tall = 160.0, 7.0
    label = axis_label(picture.measure, lang)
    start = left + width_of(label, SIZE) + 10
    canvas.text(left, 10, label, size=SIZE, bold=True)
    for shade in range(SHADES):
        x = start + wide * shade / SHADES
        canvas.rect((x, 3.5), (wide / SHADES + 0.2, tall), colour(ramp, shade))
    low, high, step = round_range(span, zero=False, ticks=4)
    for value in ticks_of(low, high, step):
        if span[0] <= value <= span[1]:
            x = start + wide * (value - span[0]) / (span[1] - span[0])
            canvas.line((x, 10.5), (x, 12.5), GREY)
            text = tick_text(value, step, None)
            canvas.text(x, 19.5, text, size=7, anchor="middle", fill=GREY)
    if any(v is None for row in picture.cells for v in row):
        canvas.rect((start + wide + 14, 3.5), (10, tall), GAP)
        gap = "无数据" if lang == "zh" else "no data"
        canvas.text(start + wide + 28, 10, gap, size=SIZE, fill=GREY)


def _words(x: Text | str, lang: str) -> str:
    return x.of(lang) if isinstance(x, Text) else x
