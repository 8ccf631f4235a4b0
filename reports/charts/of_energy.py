"""Pictures of energy: months with levels, what moved a figure, duration curves, flows."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from reports.charts.thinning import Value, exceeded, figure, figures_of
from reports.pictures import Axis, Bars, Chart, Curves, Flow, Node, Sankey, Series, Threshold, Tone
from reports.values import Text

SHARES: Final = tuple(range(101))  # per cent of the time at which a duration curve is read
Named = tuple[Text, Sequence[Value]]


def level(label: Text, value: Value, tone: Tone = "limit", panel: int = 0) -> Threshold | None:
    """A level across a picture; None when its value is not known."""
    known = figure(value, 6)
    return None if known is None else Threshold(label=label, value=known, tone=tone, panel=panel)


def months_with_levels(
    identity: str,
    title: Text,
    axis: Axis,
    months: Sequence[str],
    lines: Iterable[Named],
    levels: Iterable[Threshold | None] = (),
) -> Chart:
    """A figure of each place by month (``2026-03``), levels across; missing months are gaps."""
    return Chart(
        id=identity,
        title=title,
        picture=Curves(
            scale="category",
            across=Axis(label=Text(zh="月份", en="month")),
            x=tuple(_month(month) for month in months),
            panels=(axis,),
            series=tuple(Series(name=n, values=figures_of(v, 6)) for n, v in lines),
            thresholds=tuple(each for each in levels if each is not None),
        ),
    )


def _month(name: str) -> Text:
    year, _, month = name.partition("-")
    if not month.isdigit():
        return Text(zh=name, en=name)
    return Text(zh=f"{int(month)}月", en=name) if year.isdigit() else Text(zh=name, en=name)


def waterfall(identity: str, title: Text, axis: Axis, steps: Sequence[tuple[Text, Value]]) -> Chart:
    """From the first of ``steps`` to the last, which are totals, by those between them."""
    return Chart(
        id=identity,
        title=title,
        picture=Bars(
            layout="waterfall",
            x=tuple(name for name, _ in steps),
            axis=axis,
            series=(Series(name=axis.label, values=figures_of((v for _, v in steps), 7)),),
            totals=(0, len(steps) - 1),
        ),
    )


def duration_curve(
    identity: str,
    title: Text,
    axis: Axis,
    series: Iterable[Named],
    levels: Iterable[Threshold | None] = (),
) -> Chart:
    """How much of the known time each value was reached or exceeded; samples of equal length."""
    return Chart(
        id=identity,
        title=title,
        caption=Text(
            zh="横轴为达到或超过纵轴数值的时间占有数据时间的比例。",
            en="Across: share of the time with data in which the value was reached or exceeded.",
        ),
        picture=Curves(
            scale="number",
            across=Axis(label=Text(zh="时间占比", en="share of time"), unit="%"),
            x=figures_of(SHARES),
            panels=(axis,),
            series=tuple(Series(name=name, values=exceeded(v, SHARES)) for name, v in series),
            thresholds=tuple(each for each in levels if each is not None),
        ),
    )


def stacked_months(
    identity: str, title: Text, axis: Axis, months: Sequence[str], parts: Iterable[Named]
) -> Chart:
    """What a total is made of, month by month."""
    return Chart(
        id=identity,
        title=title,
        picture=Bars(
            layout="stacked",
            x=tuple(_month(month) for month in months),
            axis=axis,
            series=tuple(Series(name=n, values=figures_of(v, 6)) for n, v in parts),
        ),
    )


NODES: Final = (
    Node(id="grid", name=Text(zh="网电", en="Grid"), tone="source"),
    Node(id="own", name=Text(zh="自发绿电", en="Own green power"), tone="source"),
    Node(id="supply", name=Text(zh="用电合计", en="All electricity")),
    Node(id="rectifier", name=Text(zh="整流", en="Rectifiers")),
    Node(id="cells", name=Text(zh="电解槽直流电", en="Pots, DC")),
    Node(id="rectifier_loss", name=Text(zh="整流损失", en="Rectifier loss"), tone="loss"),
    Node(id="reaction", name=Text(zh="电解反应", en="Reaction"), tone="product"),
    Node(id="heat", name=Text(zh="散热与烟气", en="Heat and flue gas"), tone="loss"),
    Node(id="recovered", name=Text(zh="余热回收", en="Heat recovered"), tone="recovered"),
    Node(id="lost", name=Text(zh="未回收散热", en="Heat not recovered"), tone="loss"),
    Node(id="aux", name=Text(zh="动力用电", en="Auxiliaries")),
    Node(id="fgd", name=Text(zh="烟气脱硫", en="Desulphurisation")),
    Node(id="cast", name=Text(zh="铸造", en="Cast house")),
    Node(id="other", name=Text(zh="其他与未计量", en="Other, not metered")),
)


def energy_flow(
    identity: str,
    title: Text,
    axis: Axis,
    flows: Mapping[tuple[str, str], Value],
    caption: Text | None = None,
) -> Chart | None:
    """The plant's energy; ends of flows are ids of ``NODES``; None when nothing is known."""
    known = tuple(
        Flow(source=source, target=target, value=figure(value, 6))
        for (source, target), value in flows.items()
        if value is None or value > 0
    )
    if not any(flow.value for flow in known):
        return None
    ends = {end for flow in known for end in (flow.source, flow.target)}
    nodes = tuple(node for node in NODES if node.id in ends)
    picture = Sankey(measure=axis, nodes=nodes, flows=known)
    return Chart(id=identity, title=title, caption=caption, picture=picture)
