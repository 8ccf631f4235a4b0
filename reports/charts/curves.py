"""Curves: panels one below the other over the same x, with bands, levels and events."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final, TypeVar

from reports.charts.canvas import GREY, Canvas, Point, digits, path_of, shortened, width_of
from reports.charts.frame import (
    SIZE,
    TOP,
    Key,
    Panel,
    axis_label,
    axis_width,
    colour_of,
    legend,
    legend_height,
    levels,
    levels_width,
    nothing_to_draw,
    panel,
    value_text,
    values_of,
)
from reports.charts.scales import Scale, every_nth, round_range, tick_text, ticks_of, time_ticks
from reports.pictures import Curves, Event, Series, place
from reports.values import Text

PANEL_HEIGHT: Final = {1: 150.0, 2: 105.0}  # of each panel, by how many there are
LEAST_HEIGHT: Final = 75.0
TIPS_UP_TO: Final = 120  # points of a curve that say their value when the mouse rests on them
# Of events: one colour per label, in the order in which labels come.
EVENTS: Final = ("#c8553d", "#b8860b", "#6b5b95", "#3a8f6f", "#4a9bc4", "#7a8793", "#8b4513")
_BELOW: Final = 25.0  # words of the axis of x
T = TypeVar("T")


def draw_curves(picture: Curves, lang: str, width: float) -> Canvas:
    """The picture on a page of ``width`` points."""
    count = len(picture.panels)
    tall = PANEL_HEIGHT.get(count, LEAST_HEIGHT)
    keys = _keys(picture, lang)
    values = [_values(picture, n) for n in range(count)]
    left = max(axis_width(values[n], axis, zero=axis.zero) for n, axis in enumerate(picture.panels))
    right = width - max(8.0, levels_width(picture.thresholds, lang))
    head = legend_height(keys, left, width)
    canvas = Canvas(width, head + count * (tall + TOP) + (count - 1) * 4 + _BELOW)
    if not any(values):
        nothing_to_draw(canvas, lang)
        return canvas
    legend(canvas, keys, left, width, 0.0)
    x = _x_scale(picture, left, right)
    tops = [head + TOP + n * (tall + TOP + 4) for n in range(count)]
    colours = _event_colours(picture, lang)
    for event in picture.events:
        colour = colours[event.label.of(lang)]
        _event(canvas, event, colour, (x, tops[0], tops[-1] + tall), lang)
    for n, axis in enumerate(picture.panels):
        box = (left, right, tops[n], tops[n] + tall)
        at = panel(canvas, axis, values[n], box, lang, zero=axis.zero)
        for number, series in enumerate(picture.series):
            if series.panel == n:
                _Curve(canvas, picture, series, colour_of(number), lang).draw(x, at)
        levels(canvas, [t for t in picture.thresholds if t.panel == n], at, lang)
    _x_axis(canvas, picture, x, tops[-1] + tall, lang)
    return canvas


def _values(picture: Curves, n: int) -> list[float]:
    """What the panel must have room for."""
    found = values_of(s for s in picture.series if s.panel == n)
    found += [float(t.value) for t in picture.thresholds if t.panel == n] if found else []
    highest = picture.panels[n].highest
    return found if highest is None else [min(value, float(highest)) for value in found]


def _keys(picture: Curves, lang: str) -> list[Key]:
    """One entry per series when there are several; one per kind of event."""
    keys = []
    if len(picture.series) > 1:
        signs = {"dashed": "dashed", "points": "dot"}
        for n, series in enumerate(picture.series):
            sign = signs.get(series.look, "line")
            keys.append(Key(series.name.of(lang), colour_of(n), sign))  # type: ignore[arg-type]
    colours = _event_colours(picture, lang)
    return keys + [Key(label, colour, "pale") for label, colour in colours.items()]


def _event_colours(picture: Curves, lang: str) -> dict[str, str]:
    labels = dict.fromkeys(event.label.of(lang) for event in picture.events)
    return {label: EVENTS[n % len(EVENTS)] for n, label in enumerate(labels)}


def _x_scale(picture: Curves, left: float, right: float) -> Scale:
    if picture.scale == "category":
        return Scale(-0.5, len(picture.x) - 0.5, left, right)
    places = [place(x) for x in picture.x]
    return Scale(places[0], places[-1], left, right)


def _places(picture: Curves) -> list[float]:
    if picture.scale == "category":
        return [float(n) for n in range(len(picture.x))]
    return [place(x) for x in picture.x]


def _x_axis(canvas: Canvas, picture: Curves, x: Scale, bottom: float, lang: str) -> None:
    """Ticks below the last panel and what is measured along them."""
    count = max(2, int((x.end - x.begin) / 62))
    if picture.scale == "time":
        ticks = [(t.place, t.text) for t in time_ticks(x.low, x.high, count, lang)]
    elif picture.scale == "number":
        low, high, step = round_range([x.low, x.high], zero=False, ticks=count)
        ticks = [
            (value, tick_text(value, step, picture.across.decimals))
            for value in ticks_of(low, high, step)
            if x.low <= value <= x.high
        ]
    else:
        ticks = _category_ticks(picture, x, lang)
    for at, text in ticks:
        canvas.line((x.at(at), bottom), (x.at(at), bottom + 3), GREY)
        half = width_of(text, SIZE) / 2
        middle = min(max(x.at(at), half), canvas.width - half)
        canvas.text(middle, bottom + 11, text, size=SIZE, anchor="middle", fill=GREY)
    canvas.line((x.begin, bottom), (x.end, bottom), GREY, width=0.6)
    label = axis_label(picture.across, lang)
    canvas.text(x.end, bottom + 21, label, size=SIZE, anchor="end", bold=True)


def _category_ticks(picture: Curves, x: Scale, lang: str) -> list[tuple[float, str]]:
    names = [_words(each, lang) for each in picture.x]
    room = (x.end - x.begin) / max(len(names), 1)
    nth = every_nth(names, room, min(60.0, max(width_of(n, SIZE) for n in names) + 6))
    shown = [shortened(name, SIZE, max(room * nth - 2, 20)) for name in names]
    return [(float(n), shown[n]) for n in range(0, len(names), nth)]


def _words(x: object, lang: str) -> str:
    if isinstance(x, Text):
        return x.of(lang)
    return x.replace("T", " ") if isinstance(x, str) else f"{x:,}"


def _event(
    canvas: Canvas, event: Event, colour: str, where: tuple[Scale, float, float], lang: str
) -> None:
    """A pale band over all panels, at least so wide that it is seen in print."""
    x, top, bottom = where
    first = x.at(max(place(event.start), x.low))
    last = x.at(min(place(event.end), x.high))
    if last < first:
        return  # outside of what is shown
    wide = max(last - first, 1.2)
    colon = "：" if lang == "zh" else ": "
    tip = f"{event.label.of(lang)}{colon}{_words(event.start, lang)} – {_words(event.end, lang)}"
    tip += f"\n{event.note.of(lang)}" if event.note else ""
    canvas.rect(
        (first - (wide - (last - first)) / 2, top),
        (wide, bottom - top),
        colour,
        tip=tip,
        opacity=0.3,
    )


class _Curve:
    """One series on its panel."""

    def __init__(
        self, canvas: Canvas, picture: Curves, series: Series, colour: str, lang: str
    ) -> None:
        self._canvas, self._picture, self._series = canvas, picture, series
        self._colour, self._lang = colour, lang
        self._axis = picture.panels[series.panel]

    def draw(self, x: Scale, at: Panel) -> None:
        places = [x.at(p) for p in _places(self._picture)]
        if self._series.low:
            self._band(places, at)
        points: list[Point | None] = [
            None if value is None else (place_, self._y(at, value))
            for place_, value in zip(places, self._series.values, strict=True)
        ]
        if self._series.look == "points":
            self._dots(points, 1.6, seen=True)
            return
        for run in runs(points):
            if len(run) == 1:
                self._canvas.dot(run[0], 1.3, self._colour)
                continue
            path = steps_of(run) if self._series.look == "step" else path_of(run)
            dash = "4 2" if self._series.look == "dashed" else ""
            self._canvas.stroke(path, self._colour, dash=dash)
        if len(points) <= TIPS_UP_TO:
            self._dots(points, 4.0, seen=False)

    @staticmethod
    def _y(at: Panel, value: Decimal) -> float:
        """The place of a value; one off the scale lies on the edge."""
        return max(at.top, min(at.bottom, at.scale.at(float(value))))

    def _dots(self, points: Sequence[Point | None], radius: float, *, seen: bool) -> None:
        name = self._series.name.of(self._lang)
        for point, x, value in zip(points, self._picture.x, self._series.values, strict=True):
            if point is not None and value is not None:
                tip = f"{name} {_words(x, self._lang)}: {value_text(float(value), self._axis)}"
                self._canvas.dot(point, radius, self._colour, tip=tip, seen=seen)

    def _band(self, places: Sequence[float], at: Panel) -> None:
        edges = [
            None if low is None or high is None else (x, self._y(at, low), self._y(at, high))
            for x, low, high in zip(places, self._series.low, self._series.high, strict=True)
        ]
        for run in runs(edges):
            there = [(x, low) for x, low, _ in run]
            back = [(x, high) for x, _, high in reversed(run)]
            self._canvas.area(path_of([*there, *back]) + "Z", self._colour, opacity=0.22)


def runs(points: Sequence[T | None]) -> Iterator[list[T]]:
    """The stretches without a gap."""
    run: list[T] = []
    for point in points:
        if point is not None:
            run.append(point)
        elif run:
            yield run
            run = []
    if run:
        yield run


def steps_of(run: Sequence[Point]) -> str:
    """A path that holds each value until the next."""
    first, *rest = run
    parts = [f"M{digits(first[0])} {digits(first[1])}"]
    parts += [f"H{digits(x)}V{digits(y)}" for x, y in rest]
    return "".join(parts)
