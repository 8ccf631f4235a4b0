"""A chart as SVG: the same numbers, language and width give the same bytes."""

from reports.charts.bars import draw_bars
from reports.charts.canvas import Canvas
from reports.charts.curves import draw_curves
from reports.charts.heat_map import draw_heat_map
from reports.charts.sankey import draw_sankey
from reports.pictures import Bars, Chart, Curves, HeatMap, Sankey


def svg(chart: Chart, lang: str, width: float) -> str:
    """
    The picture, ``width`` points wide and as tall as it needs; all texts are text.

    Shapes carry their values as ``title`` elements: browsers show them, paper does not.
    """
    return _drawn(chart, lang, width).svg(chart.title.of(lang))


def _drawn(chart: Chart, lang: str, width: float) -> Canvas:
    picture = chart.picture
    if isinstance(picture, Curves):
        return draw_curves(picture, lang, width)
    if isinstance(picture, Bars):
        return draw_bars(picture, lang, width)
    if isinstance(picture, HeatMap):
        return draw_heat_map(picture, lang, width)
    if isinstance(picture, Sankey):
        return draw_sankey(picture, lang, width)
    raise TypeError(f"no drawing for {picture!r}")
