"""Sankey pictures: nodes in columns, flows as bands whose width is their amount."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Final

from reports.charts.canvas import GREY, Canvas, digits, shortened, width_of
from reports.charts.frame import axis_label, nothing_to_draw, value_text
from reports.pictures import Flow, Node, Sankey

TONES: Final = {
    "source": "#1f4e79",
    "process": "#5b7fa3",
    "product": "#2e7d4f",
    "loss": "#b98a5a",
    "recovered": "#3a8f6f",
}
NODE: Final = 11.0  # width of a node
TALL: Final = 230.0
_BETWEEN: Final = 13.0  # nodes of a column
_SIZE: Final = 7.5


@dataclass(slots=True)
class _Box:
    """A node on the page; ``taken_*`` is how much of its sides has flows already."""

    node: Node
    amount: float
    rank: int
    x: float = 0.0
    y: float = 0.0
    tall: float = 0.0
    taken_in: float = 0.0
    taken_out: float = 0.0


def draw_sankey(picture: Sankey, lang: str, width: float) -> Canvas:
    """The picture on a page of ``width`` points."""
    flows = [f for f in picture.flows if f.value]
    if not flows:
        canvas = Canvas(width, 60)
        nothing_to_draw(canvas, lang)
        return canvas
    boxes = _boxes(picture, flows)
    columns: dict[int, list[_Box]] = defaultdict(list)
    for box in boxes.values():
        columns[box.rank].append(box)
    most = max(len(column) for column in columns.values())
    tall = max(TALL, most * 30.0)
    unknown = [f for f in picture.flows if f.value is None]
    canvas = Canvas(width, tall + 22 + (12 if unknown else 0))
    if unknown:
        _not_measured(canvas, picture, unknown, lang)
    canvas.text(0, 8, axis_label(picture.measure, lang), size=_SIZE, fill=GREY, bold=True)
    per = _place(columns, width, tall, lang)
    for flow in sorted(flows, key=lambda f: (boxes[f.source].y, boxes[f.target].y)):
        _band(canvas, picture, boxes, flow, per, lang)
    for box in boxes.values():
        _node(canvas, picture, box, max(columns), lang)
    return canvas


def _boxes(picture: Sankey, flows: list[Flow]) -> dict[str, _Box]:
    """The nodes that take part; the larger of what comes and what goes is their size."""
    comes: dict[str, float] = defaultdict(float)
    goes: dict[str, float] = defaultdict(float)
    for flow in flows:
        goes[flow.source] += float(flow.value or 0)
        comes[flow.target] += float(flow.value or 0)
    ranks = Sankey(measure=picture.measure, nodes=picture.nodes, flows=tuple(flows)).ranks()
    return {
        node.id: _Box(node, max(comes[node.id], goes[node.id]), ranks[node.id])
        for node in picture.nodes
        if node.id in comes or node.id in goes
    }


def _place(columns: dict[int, list[_Box]], width: float, tall: float, lang: str) -> float:
    """Corners of the nodes; returns points per unit. Names of the last column stand left of it."""
    last = max(columns)
    per = min(
        (tall - _BETWEEN * (len(column) + 0.5)) / sum(box.amount for box in column)
        for column in columns.values()
    )
    room = max(width_of(box.node.name.of(lang), _SIZE) for box in columns[last])
    right = width - min(130.0, max(room, 60.0)) - 6 - NODE
    for rank, column in columns.items():
        y = 16.0
        for box in column:
            box.x = right * rank / last if last else 0.0
            box.y, box.tall = y + _BETWEEN * 0.75, max(box.amount * per, 0.8)
            y += box.tall + _BETWEEN
    return per


def _band(
    canvas: Canvas,
    picture: Sankey,
    boxes: dict[str, _Box],
    flow: Flow,
    per: float,
    lang: str,
) -> None:
    source, target = boxes[flow.source], boxes[flow.target]
    wide = float(flow.value or 0) * per
    x1, x2 = source.x + NODE, target.x
    y1, y2 = source.y + source.taken_out, target.y + target.taken_in
    source.taken_out += wide
    target.taken_in += wide
    bend = (x1 + x2) / 2
    d = digits
    path = (
        f"M{d(x1)} {d(y1)}C{d(bend)} {d(y1)} {d(bend)} {d(y2)} {d(x2)} {d(y2)}"
        f"V{d(y2 + wide)}C{d(bend)} {d(y2 + wide)} {d(bend)} {d(y1 + wide)} {d(x1)} {d(y1 + wide)}Z"
    )
    arrow = f"{source.node.name.of(lang)} → {target.node.name.of(lang)}"
    tip = f"{arrow}: {value_text(float(flow.value or 0), picture.measure)}"
    canvas.area(path, TONES[target.node.tone], opacity=0.38, tip=tip)


def _not_measured(canvas: Canvas, picture: Sankey, unknown: list[Flow], lang: str) -> None:
    """Below the picture: what flows too, and nobody knows how much."""
    names = {node.id: node.name.of(lang) for node in picture.nodes}
    told = (f"{names[f.source]} → {names[f.target]}" for f in unknown)
    words = "未计量：" + "、".join(told) if lang == "zh" else "not measured: " + ", ".join(told)
    canvas.text(0, canvas.height - 4, shortened(words, _SIZE, canvas.width), size=_SIZE, fill=GREY)


def _node(canvas: Canvas, picture: Sankey, box: _Box, last: int, lang: str) -> None:
    """The node and, beside it, its name and amount; in the middle columns above it."""
    amount = value_text(box.amount, picture.measure)
    name = box.node.name.of(lang)
    colon = "：" if lang == "zh" else ": "
    tip = f"{name}{colon}{amount}"
    canvas.rect((box.x, box.y), (NODE, box.tall), TONES[box.node.tone], tip=tip)
    figure = amount.removesuffix(picture.measure.unit).strip()
    if box.rank == last:
        x, room = box.x + NODE + 4, canvas.width - box.x - NODE - 4
        middle = box.y + box.tall / 2
        canvas.text(x, middle - 0.5, shortened(name, _SIZE, room), size=_SIZE)
        canvas.text(x, middle + 8, figure, size=7, fill=GREY)
        return
    canvas.text(box.x, box.y - 3, f"{name} {figure}", size=_SIZE)
