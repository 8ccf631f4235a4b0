"""
What a picture of a report shows, as numbers: curves, bars, heat maps and flows; not how it looks.

The numbers are the picture: SVG, PDF, HTML and the charts of a workbook are drawn from them. What
is not there is None and stays a gap, never a zero.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from drivers.config import Strict
from reports.values import Number, Text

MAX_POINTS: Final = 5_000  # of one curve; longer series are thinned by their maker
MAX_CELLS: Final = 40_000  # of a heat map: 400 pots of a quarter
Tone = Literal["limit", "target", "mean"]


class Axis(Strict):
    """What is measured along an edge; ``decimals`` None = as many as the ticks need."""

    label: Text
    unit: str = ""
    decimals: int | None = None
    zero: bool = False  # begins at zero; bars always do
    highest: Number | None = None  # curves above are cut off there, so that the rest is seen


class Series(Strict):
    """
    One value for each x of its picture; ``low`` and ``high`` are the band around them, or nothing.

    ``panel`` is the axis it belongs to: panels stand one below the other over the same x.
    """

    name: Text
    values: tuple[Number | None, ...]
    low: tuple[Number | None, ...] = ()
    high: tuple[Number | None, ...] = ()
    look: Literal["line", "step", "dashed", "points"] = "line"
    panel: int = 0


class Threshold(Strict):
    """A level across a panel: an alarm, an aim, a mean."""

    label: Text
    value: Number
    tone: Tone = "limit"
    panel: int = 0


class Event(Strict):
    """Something that lasted from ``start`` to ``end`` (values of x) and explains the curves."""

    label: Text  # events of one label have one entry in the legend
    start: Number | str
    end: Number | str
    note: Text | None = None  # said of this one


class Curves(Strict):
    """Lines over time, a number or categories; times are ISO 8601 in plant time, no offset."""

    kind: Literal["curves"] = "curves"
    scale: Literal["time", "number", "category"]
    across: Axis
    x: tuple[Number | Text | str, ...]
    panels: tuple[Axis, ...] = Field(min_length=1)
    series: tuple[Series, ...]
    thresholds: tuple[Threshold, ...] = ()
    events: tuple[Event, ...] = ()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(self.x) > MAX_POINTS:
            raise ValueError(f"{len(self.x)} points, at most {MAX_POINTS}: thin the series")
        _same_length(self.series, len(self.x))
        named = [*(s.panel for s in self.series), *(t.panel for t in self.thresholds)]
        for panel in named:
            if not 0 <= panel < len(self.panels):
                raise ValueError(f"panel {panel} is not there")
        if self.scale == "category" and self.events:
            raise ValueError("events need x that can be measured")
        if self.scale != "category":
            places = [place(x) for x in self.x]
            if any(b < a for a, b in pairwise(places)):
                raise ValueError("x does not ascend")
            if any(place(e.end) < place(e.start) for e in self.events):
                raise ValueError("an event ends before it starts")
        return self


class Bars(Strict):
    """Bars side by side, on one another, or as steps from a first total to a last one."""

    kind: Literal["bars"] = "bars"
    layout: Literal["grouped", "stacked", "waterfall"] = "grouped"
    x: tuple[Text | str, ...]
    axis: Axis
    series: tuple[Series, ...]
    lines: tuple[Series, ...] = ()  # drawn across the bars, in the same unit
    thresholds: tuple[Threshold, ...] = ()
    totals: tuple[int, ...] = ()  # of a waterfall: places of bars that stand on zero

    @model_validator(mode="after")
    def _fits(self) -> Self:
        _same_length((*self.series, *self.lines), len(self.x))
        if self.layout == "waterfall" and len(self.series) != 1:
            raise ValueError("a waterfall has one series")
        return self


class HeatMap(Strict):
    """Rows of coloured cells; ``middle`` is the value without colour when both sides matter."""

    kind: Literal["heat_map"] = "heat_map"
    x: tuple[Text | str, ...]
    y: tuple[Text | str, ...]
    across: Axis
    down: Axis
    measure: Axis
    cells: tuple[tuple[Number | None, ...], ...]  # row by row
    middle: Number | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(self.cells) != len(self.y) or any(len(row) != len(self.x) for row in self.cells):
            raise ValueError(f"cells are not {len(self.y)} rows of {len(self.x)}")
        if len(self.x) * len(self.y) > MAX_CELLS:
            raise ValueError(f"{len(self.x) * len(self.y)} cells, at most {MAX_CELLS}")
        return self


class Node(Strict):
    """A place where energy arrives or is used; ``tone`` says what for."""

    id: str
    name: Text
    tone: Literal["source", "process", "product", "loss", "recovered"] = "process"


class Flow(Strict):
    """What goes from one node to another; None = it goes, and nobody measured how much."""

    source: str
    target: str
    value: Number | None


class Sankey(Strict):
    """Flows whose width is their amount, from left to right."""

    kind: Literal["sankey"] = "sankey"
    measure: Axis
    nodes: tuple[Node, ...]
    flows: tuple[Flow, ...]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        known = {node.id for node in self.nodes}
        if len(known) != len(self.nodes):
            raise ValueError("two nodes of one id")
        for flow in self.flows:
            if {flow.source, flow.target} - known:
                raise ValueError(f"{flow.source} → {flow.target}: no such node")
            if flow.value is not None and flow.value < 0:
                raise ValueError(f"{flow.source} → {flow.target}: less than nothing flows")
        self.ranks()
        return self

    def ranks(self) -> dict[str, int]:
        """Column of each node: one right of the last that feeds it. Raises ValueError on a loop."""
        ranks = {node.id: 0 for node in self.nodes}
        for _ in self.nodes:
            moved = False
            for flow in self.flows:
                if ranks[flow.target] <= ranks[flow.source]:
                    ranks[flow.target], moved = ranks[flow.source] + 1, True
            if not moved:
                return ranks
        if not self.nodes:
            return ranks
        raise ValueError("flows run in a circle")


Picture = Annotated[Curves | Bars | HeatMap | Sankey, Field(discriminator="kind")]


class Chart(Strict):
    """A picture with its title; the caption says what to see, the source, and what is missing."""

    block: Literal["chart"] = "chart"
    id: str
    title: Text
    caption: Text | None = None
    picture: Picture


def place(x: object) -> float:
    """Where an x stands: a number is itself, a time its seconds. Raises ValueError."""
    if isinstance(x, str):
        moment = datetime.fromisoformat(x)
        if moment.tzinfo is not None:
            raise ValueError(f"{x}: plant time is written without offset")
        return (moment - datetime(2000, 1, 1)).total_seconds()  # noqa: DTZ001 - plant wall clock
    if isinstance(x, Text):
        raise ValueError(f"{x.en}: a name has no place")  # noqa: TRY004 - pydantic expects it
    return float(x)  # type: ignore[arg-type]


def _same_length(series: Sequence[Series], count: int) -> None:
    for one in series:
        lengths = {len(one.values), *(len(band) for band in (one.low, one.high) if band)}
        if lengths != {count}:
            raise ValueError(f"{one.name.en}: not as many values as x ({count})")
        if bool(one.low) != bool(one.high):
            raise ValueError(f"{one.name.en}: a band has two sides")
