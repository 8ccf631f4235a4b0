"""Pictures made by hand with nasty content: gaps, hostile words, many pots. Nothing is computed."""

import math
import xml.etree.ElementTree as ET
from datetime import datetime, timedelta
from decimal import Decimal

from reports.chapters import Chapter, Paragraph
from reports.charts.draw import svg
from reports.model import Report
from reports.pictures import (
    Axis,
    Bars,
    Chart,
    Curves,
    Event,
    Flow,
    HeatMap,
    Node,
    Sankey,
    Series,
    Threshold,
)
from reports.values import Text
from tests.reports import specimen

D = Decimal


SVG = "{http://www.w3.org/2000/svg}"
WIDTH = 499.0


def text(zh: str, en: str | None = None) -> Text:
    return Text(zh=zh, en=zh if en is None else en)


def number(value: float) -> Decimal:
    return D(repr(round(value, 3)))


def pot() -> Chart:
    """Voltage and resistance of a pot on one day, with two anode effects and a gap."""
    start = datetime(2026, 10, 5)  # noqa: DTZ001 - plant wall clock
    times = [start + timedelta(minutes=5 * n) for n in range(288)]
    volts: list[Decimal | None] = [number(4.0 + 0.04 * math.sin(n / 9)) for n in range(288)]
    volts[100], volts[230] = D("28.4"), D(31)
    volts[150:160] = [None] * 10
    ohms = [None if v is None else number(min(float(v), 4.5) * 4.6) for v in volts]
    band = [None if v is None else v - D("0.03") for v in volts]
    above = [None if v is None else v + D("0.05") for v in volts]
    return Chart(
        id="pot_line1_pot007",
        title=text("1系列 7号槽：槽电压与拟电阻", "Pot 7 of line 1: voltage and resistance"),
        caption=text("5分钟均值与极值；空白为通信中断。", "Means of 5 min; blank: link lost."),
        picture=Curves(
            scale="time",
            across=Axis(label=text("2026年10月5日", "5 October 2026")),
            x=tuple(t.isoformat(timespec="minutes") for t in times),
            panels=(
                Axis(label=text("槽电压", "voltage"), unit="V"),
                Axis(label=text("拟电阻", "pseudo-resistance"), unit="μΩ"),
            ),
            series=(
                Series(
                    name=text("槽电压", "Voltage"),
                    values=tuple(volts),
                    low=tuple(band),
                    high=tuple(above),
                ),
                Series(name=text("拟电阻", "Resistance"), values=tuple(ohms), panel=1),
            ),
            thresholds=(Threshold(label=text("效应判据", "effect"), value=D(8)),),
            events=tuple(
                Event(
                    label=text("阳极效应", "Anode effect"),
                    start=times[n].isoformat(timespec="minutes"),
                    end=times[n + 1].isoformat(timespec="minutes"),
                    note=text("峰值 31 V", "peak 31 V"),
                )
                for n in (100, 230)
            ),
        ),
    )


def months() -> Chart:
    """Twelve months of two lines with levels; one month of one line is not there."""
    one: list[Decimal | None] = [D(13200) + n * 9 for n in range(12)]
    one[4] = None
    return Chart(
        id="months",
        title=text("每吨铝液交流电耗", "AC electricity per tonne of liquid metal"),
        picture=Bars(
            x=tuple(text(f"{n}月", f"{n}") for n in range(1, 13)),
            axis=Axis(label=text("单耗", "specific"), unit="kWh/t"),
            series=(
                Series(name=text("1系列", "Line 1"), values=tuple(one)),
                Series(name=text("2系列", "Line 2"), values=tuple(D(13400) for _ in range(12))),
            ),
            thresholds=(
                Threshold(label=text("1级 13,000", "level 1 13,000"), value=D(13000)),
                Threshold(
                    label=text("2级 13,200", "level 2 13,200"), value=D(13200), tone="target"
                ),
            ),
        ),
    )


def waterfall() -> Chart:
    """From one year's figure to the next."""
    return Chart(
        id="steps",
        title=text("电耗变化分解", "What moved the figure"),
        picture=Bars(
            layout="waterfall",
            x=(
                text("2025年", "2025"),
                text("槽电压", "voltage"),
                text("电流效率", "current efficiency"),
                text("阳极效应", "anode effects"),
                text("停槽", "stopped pots"),
                text("其他", "other"),
                text("2026年", "2026"),
            ),
            axis=Axis(label=text("直流电耗", "DC"), unit="kWh/t", decimals=0),
            series=(
                Series(
                    name=text("直流电耗", "DC"),
                    values=(D(13250), D(-80), D(45), D(-12), None, D(7), D(13210)),
                ),
            ),
            totals=(0, 6),
        ),
    )


def stacked() -> Chart:
    return Chart(
        id="stacked",
        title=text("用电构成", "Where the electricity goes"),
        picture=Bars(
            layout="stacked",
            x=("Q1", "Q2", "Q3", "Q4"),
            axis=Axis(label=text("电量", "energy"), unit="GWh"),
            series=tuple(
                Series(name=text(zh, en), values=(D(n), D(n), None, D(2 * n)))
                for zh, en, n in (("电解", "cells", 90), ("动力", "auxiliaries", 8))
            ),
        ),
    )


def pots(count: int = 400, days: int = 31) -> Chart:
    """A line of pots, cell by cell; some pots are stopped for a while."""
    rows = tuple(
        tuple(
            None
            if (y % 37 == 5 and 8 < x < 20)
            else number(4.02 + 0.08 * math.sin(y * 1.7) * math.cos(x / 4 + y) + (y % 53 == 7) * 0.3)
            for x in range(days)
        )
        for y in range(count)
    )
    return Chart(
        id="pots",
        title=text("各槽日均电压", "Mean voltage of each pot and day"),
        picture=HeatMap(
            x=tuple(str(n + 1) for n in range(days)),
            y=tuple(str(n + 1) for n in range(count)),
            across=Axis(label=text("10月 日", "day of October")),
            down=Axis(label=text("槽号", "pot")),
            measure=Axis(label=text("槽电压", "voltage"), unit="V", decimals=3),
            cells=rows,
        ),
    )


def sankey() -> Chart:
    flows = (
        ("grid", "rectifier", 9800),
        ("pv", "rectifier", 1400),
        ("pv", "aux", 100),
        ("grid", "aux", 420),
        ("rectifier", "rloss", 190),
        ("rectifier", "pots", 11010),
        ("pots", "reaction", 5300),
        ("pots", "heat", 4310),
        ("pots", "flue", 1400),
        ("flue", "recovered", 380),
        ("flue", "stack", 1020),
    )
    nodes = (
        ("grid", "网电", "grid", "source"),
        ("pv", "自建光伏", "own PV", "source"),
        ("rectifier", "整流", "rectifiers", "process"),
        ("pots", "电解槽", "pots", "process"),
        ("flue", "烟气", "flue gas", "process"),
        ("reaction", "电解反应", "reaction", "product"),
        ("rloss", "整流损失", "rectifier loss", "loss"),
        ("heat", "槽体散热", "shell heat loss", "loss"),
        ("recovered", "回收热", "heat recovered", "recovered"),
        ("stack", "烟气余热排空", "stack", "loss"),
        ("aux", "动力用电", "auxiliaries", "process"),
        ("fgd", "脱硫用电", "desulphurisation", "process"),
    )
    return Chart(
        id="sankey",
        title=text("全厂能流图", "Energy of the plant"),
        picture=Sankey(
            measure=Axis(label=text("能量", "energy"), unit="GWh"),
            nodes=tuple(Node(id=i, name=text(z, e), tone=t) for i, z, e, t in nodes),
            flows=(
                *(Flow(source=a, target=b, value=D(v)) for a, b, v in flows),
                Flow(source="grid", target="fgd", value=None),
            ),
        ),
    )


def duration() -> Chart:
    return Chart(
        id="duration",
        title=text("系列电流持续曲线", "Duration curve of the line current"),
        picture=Curves(
            scale="number",
            across=Axis(label=text("时间占比", "share of time"), unit="%"),
            x=tuple(D(n) for n in range(101)),
            panels=(Axis(label=text("电流", "current"), unit="kA"),),
            series=(
                Series(
                    name=text("1系列", "Line 1"),
                    values=tuple(
                        number(505 - n * 0.05 - (n > 95) * (n - 95) * 9) for n in range(101)
                    ),
                ),
            ),
            thresholds=(Threshold(label=text("设计 500 kA", "design 500 kA"), value=D(500)),),
        ),
    )


def charts() -> tuple[Chart, ...]:
    return (pot(), months(), waterfall(), stacked(), sankey(), duration(), pots(40), pots())


def report() -> Report:
    """The specimen with a chapter of pictures."""
    report = specimen.report()
    chapter = Chapter(
        title=text("图", "Pictures"),
        blocks=(Paragraph(text=text("下列各图。", "The pictures.")), *charts()),
    )
    content = report.content.model_copy(update={"chapters": (*report.content.chapters, chapter)})
    return report.model_copy(update={"content": content})


# --- small ones, and what is seen on them


def tree(chart: Chart, lang: str = "zh") -> ET.Element:
    return ET.fromstring(svg(chart, lang, WIDTH))  # noqa: S314 - our own picture


def words(root: ET.Element) -> list[str]:
    return ["".join(node.itertext()) for node in root.iter(f"{SVG}text")]


def tips(root: ET.Element) -> dict[str, ET.Element]:
    """Shapes by what they say when the mouse rests on them."""
    return {
        title.text or "": shape for shape in root.iter() for title in shape.findall(f"{SVG}title")
    }


def bars(values: list[Decimal | None], **more: object) -> Chart:
    return Chart(
        id="bars",
        title=text("柱"),
        picture=Bars.model_validate(
            {
                "x": tuple(f"x{n}" for n in range(len(values))),
                "axis": Axis(label=text("量"), unit="t"),
                "series": (Series(name=text("甲"), values=tuple(values)),),
            }
            | more
        ),
    )


def line(values: list[Decimal | None], **more: object) -> Chart:
    return Chart(
        id="line",
        title=text("线"),
        picture=Curves.model_validate(
            {
                "scale": "number",
                "across": Axis(label=text("时间")),
                "x": tuple(D(n) for n in range(len(values))),
                "panels": (Axis(label=text("量"), unit="t", zero=True),),
                "series": (Series(name=text("甲"), values=tuple(values)),),
            }
            | more
        ),
    )


def paths(root: ET.Element) -> list[str]:
    """Curves drawn: paths without a filling."""
    return [p.get("d", "") for p in root.iter(f"{SVG}path") if p.get("fill") == "none"]


def heat(cells: list[list[Decimal | None]], middle: Decimal | None = None) -> Chart:
    return Chart(
        id="heat",
        title=text("热图"),
        picture=HeatMap(
            x=tuple(str(n) for n in range(len(cells[0]))),
            y=tuple(str(n) for n in range(len(cells))),
            across=Axis(label=text("日")),
            down=Axis(label=text("槽")),
            measure=Axis(label=text("电压"), unit="V"),
            cells=tuple(tuple(row) for row in cells),
            middle=middle,
        ),
    )
