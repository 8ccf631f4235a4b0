"""A picture of the energy report as SVG, drawn from the numbers that the report holds."""

from typing import Final

from drivers.language import say
from drivers.model import ConfigError
from reports.charts.draw import svg
from reports.console.figures.energy import opened
from reports.console.office import Office
from reports.periods import Period
from reports.pictures import Chart

WIDE, NARROW = 620.0, 340.0  # points
DECLARED: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'


def drawn(
    office: Office, period: str, source: str, picture: str, *, narrow: bool = False
) -> str | None:
    """None when there is no report; raises ConfigError when it has no such picture."""
    found = opened(office, str(Period.parse(period)), source)
    if found is None:
        return None
    for chapter in found[0].chapters:
        for block in chapter.blocks:
            if isinstance(block, Chart) and block.id == picture:
                return DECLARED + svg(block, say("zh", "en"), NARROW if narrow else WIDE)
    raise ConfigError([say(f"报告中没有图 {picture!r}", f"the report has no picture {picture!r}")])
