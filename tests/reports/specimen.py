"""A report with every block and nasty content, made by hand: nothing in it is computed."""

from datetime import date
from decimal import Decimal
from io import BytesIO
from typing import Any

from pypdf import PdfReader

from reports.chapters import (
    Block,
    Chapter,
    Column,
    Details,
    Facts,
    Grid,
    Months,
    Paragraph,
    Standard,
    Table,
)
from reports.citations import (
    AbsentUse,
    DocumentUse,
    EntryUse,
    LegalUse,
    LodgedUse,
    MeterUse,
    SourceText,
)
from reports.model import (
    Change,
    Content,
    Coverage,
    Doubt,
    DutyUse,
    How,
    Input,
    LedgerUse,
    Line,
    PeriodUse,
    PlantUse,
    PotlineUse,
    Report,
    Section,
    Stamp,
)
from reports.values import Text
from reports.words import rounded

D = Decimal
MONTHS = tuple(f"2026-{n:02d}" for n in range(1, 13))
LONG = Text(
    zh="本章说明数据来源与核算边界，并逐条列出与上一年度相比变化超过百分之五的原因。" * 12,
    en="This chapter says where the figures come from and where the boundary lies. " * 12,
)
GUIDE = SourceText(
    title="企业温室气体排放核算与报告指南 铝冶炼行业（示例）",
    issuer="生态环境部",
    published=date(2024, 9, 1),
    where="生态环境部网站",
)
RARE = "龘"  # a character that the shipped font may lack: company names hold such


def text(zh: str, en: str) -> Text:
    return Text(zh=zh, en=en)


def line(
    identity: str,
    value: Decimal | None,
    how: How = How.ENTERED,
    *,
    label: Text | None = None,
    unit: str = "t",
    decimals: int = 2,
    inputs: tuple[Input, ...] = (),
    **more: Any,
) -> Line:
    scope = identity.partition(".")[0]
    given = {
        "id": identity,
        "scope": scope,
        "section": Section.PROCESS,
        "label": label or text("铝液产量", "Liquid aluminium"),
        "unit": unit,
        "decimals": decimals,
        "how": how,
        "value": value,
        "rounded": None if value is None else rounded(value, decimals),
        "inputs": inputs,
    }
    return Line.model_validate(given | more)


def from_line(source: Line, name: str = "") -> Input:
    return Input(
        name=name or source.id, kind="line", ref=source.id, value=source.value, unit=source.unit
    )


def summed(identity: str, parts: list[Line], **more: Any) -> Line:
    values = [part.value for part in parts if part.value is not None]
    short = sum((part.rounded for part in parts if part.rounded is not None), D(0))
    whole = len(values) == len(parts)
    return line(
        identity,
        sum(values, D(0)) if whole else None,
        How.SUM if whole else How.MISSING,
        inputs=tuple(from_line(part) for part in parts),
        sum_of_rounded=short if whole else None,
        missing=() if whole else (text("缺少 3 月的数据", "March is missing"),),
        **more,
    )


def from_law(legal: LegalUse, name: str) -> Input:
    assert isinstance(legal.value, Decimal)
    return Input(name=name, kind="legal", ref=legal.id, value=legal.value / 100, unit="fraction")


LOSS = LegalUse(
    id="guide.anode_loss_rate@2024-01-01",
    pack="guide",
    label=text("阳极损失率", "Anode loss rate"),
    value=D("15.18"),
    unit="%",
    applies_from=date(2024, 1, 1),
    source=GUIDE,
    locator="附录 A 表 A.1",
    confirmed="secondary",
    seen="示例",
)
LODGING = LOSS.model_copy(
    update={
        "id": "guide.lodging_days@2024-01-01",
        "label": text("存证天数", "Days to lodge"),
        "value": D(40),
        "unit": "days",
        "confirmed": "official",
    }
)


def entry(number: int, value: Decimal) -> EntryUse:
    return EntryUse(
        number=number,
        label=text("阳极消耗量", "anode consumed"),
        kind="anode_consumed",
        line="line1",
        period="2026-01",
        value=value,
        unit="t",
        author=f"欧阳{RARE}",
        reason="月度台账",
        time="2026-02-01T09:00:00+08:00",
        voucher="YJ-2026-01-" + "0123456789" * 6,
        document=DocumentUse(name="阳极出库单.pdf", sha256="ab" * 32),
        row=7,
        revises=1,
        more={"sample": "S-1", "laboratory": "示例检测中心"},
        hash="cd" * 32,
    )


METER = MeterUse(
    id="line1/ac1 meter.energy_import",
    equipment="line1/ac1",
    quantity="meter.energy_import",
    unit="kWh",
    total=D("282721860"),
    period_s=31_536_000,
    measured_s=D(31_536_000),
    bridged_s=D(0),
    unknown_s=D(0),
    windows=525_600,
    doubles=0,
    conflicts=0,
    begin=None,
    end=None,
    gaps=(),
    more_gaps=0,
    events=(),
    batches=(),
)


def lines() -> list[Line]:
    """Two potlines by month, their years, totals; an anode chain; a missing and a huge figure."""
    found = []
    for scope in ("line1", "line2"):
        months = [
            line(f"{scope}.aluminium@{month}", D("20123.455") + n * D("17.005"))
            for n, month in enumerate(MONTHS)
        ]
        found += [*months, summed(f"{scope}.aluminium", months)]
    found.append(summed("plant.aluminium", [found[12], found[25]]))
    consumed = Input(name="", kind="entry", ref="1", value=D("9876.4"), unit="t")
    anode = line("line1.anode_consumed", D("9876.4"), inputs=(consumed,))
    net = line(
        "line1.anode_net",
        D("9876.4") * (1 - D("0.1518")),
        How.COMPUTED,
        label=text("阳极净消耗量", "Net anode consumption"),
        inputs=(from_line(anode, "anode_t"), from_law(LOSS, "loss_fraction")),
        formula="anode_net",
        equation="NC = C × (1 − r)",
    )
    replaced = line(
        "line2.anode_net",
        D("-4321.005"),
        How.SUBSTITUTED,
        label=text("阳极净消耗量", "Net anode consumption"),
        method="CN-B",
        substituted=D("0.25"),
        coverage=Coverage(share=D("0.75"), text=text("9 个月有数据", "9 months")),
        notes=(text("取前三个月平均值", "mean of the three months before"),),
    )
    energy = line(
        "plant.electricity_ac",
        D("282721.86"),
        How.METERED,
        label=text("工序交流电量", "AC electricity"),
        unit="MWh",
        decimals=3,
        inputs=(Input(name="", kind="meter", ref=METER.id, value=METER.total, unit="kWh"),),
        formula="energy_mwh",
    )
    some = [
        line(f"plant.heat@{month}", None if n == 2 else D("1234567890.12345"), unit="GJ")
        if n != 2
        else line(
            f"plant.heat@{month}",
            None,
            How.MISSING,
            unit="GJ",
            missing=(text("缺少 3 月的数据", "March is missing"),),
        )
        for n, month in enumerate(MONTHS)
    ]
    heat = summed("plant.heat", some, unit="GJ", label=text("净购入热量", "Net purchased heat"))
    nothing = line("plant.steam", None, How.NONE, label=text("蒸汽", "Steam"))
    return [*found, anode, net, replaced, energy, *some, heat, nothing]


def wide_table() -> Table:
    """40 rows and 12 columns: two pages at least, on turned paper."""
    heads = ("月均值", "最大值", "最小值", "标准差", "样本数", "缺测数")
    columns = (
        Column(label=text("项目", "Figure"), width=20),
        *(Column(label=text(h, h), unit="t", decimals=3, total=True) for h in heads),
        *(Column(label=text(f"备注{n}", f"Note {n}"), width=18) for n in (1, 2, 3)),
    )
    rows = tuple(
        (
            text(f"第 {n} 行的项目名称", f"Row {n}"),
            *(None if n == 7 and k == 0 else D(n * k) + D("0.125") for k in range(6)),
            "a/very/long/path/without/any/space/" + "x" * 40,
            text("较长的中文备注会自动换行而不会溢出单元格", "a remark"),
            None,
        )
        for n in range(1, 41)
    )
    return Table(
        id="wide", title=text("统计：[全年]", "Statistics [year]"), columns=columns, rows=rows
    )


def chapters() -> tuple[Chapter, ...]:
    places = (
        ("line1", text("一系列", "Potline 1")),
        ("line2", text("二系列", "Potline 2")),
        ("plant", text("全厂合计", "Plant total")),
    )
    small = Table(
        id="instruments",
        title=text("计量器具", "Instruments"),
        columns=(
            Column(label=text("编号", "Id")),
            Column(label=text("误差", "Error"), unit="%", decimals=2, total=True),
        ),
        rows=(("W-1", D("0.1")), ("W-2", D("-0.25")), ("W-3", None)),
        note=text("误差取自检定证书。", "Errors are those of the certificates."),
    )
    empty = small.model_copy(update={"id": "none", "rows": (), "title": text("空表", "Empty")})
    every: tuple[Block, ...] = tuple(
        Standard(part=part)
        for part in ("potlines", "duties", "absent", "legals", "entries", "meters", "changes")
    )
    titles = text("说明", "Text")
    return (
        Chapter(
            title=text("汇总", "Summary"),
            front=True,
            blocks=(
                Grid(places=places, names=("aluminium", "anode_net", "heat", "steam"), sums=True),
                Details(lines=("plant.electricity_ac", "plant.steam", "plant.unknown")),
                Standard(part="signatures"),
            ),
        ),
        Chapter(
            title=titles,
            blocks=(
                Paragraph(text=LONG),
                Paragraph(text=text("注意：示例。", "Note: a specimen."), tone="warning"),
                Facts(facts=((text("边界", "Boundary"), "A—B"), (text("方法", "Method"), titles))),
            ),
        ),
        Chapter(
            title=text("逐月数据", "Months"),
            blocks=(
                Months(
                    lines=("line1.aluminium", "line2.aluminium", "plant.heat", "plant.none"),
                    months=MONTHS,
                ),
            ),
        ),
        Chapter(title=text("宽表", "Wide table"), blocks=(wide_table(),)),
        Chapter(title=text("窄表", "Narrow"), blocks=(Paragraph(text=LONG), small, empty)),
        Chapter(
            title=text("逐项结果", "Figures"),
            blocks=(
                Details(
                    title=text("全部", "All"),
                    lines=(
                        *("plant.aluminium", "line1.anode_consumed", "line1.anode_net"),
                        *("line2.anode_net", "plant.electricity_ac", "plant.heat"),
                    ),
                ),
            ),
        ),
        *(
            Chapter(title=text(f"附件 {b.part}", b.part), blocks=(b,))
            for b in every
            if isinstance(b, Standard)
        ),
    )


def content() -> Content:
    every = tuple(lines())
    missing = tuple(line.id for line in every if line.how is How.MISSING)
    return Content(
        report="specimen",
        title=text("示例年度报告", "Specimen of a year"),
        plant=PlantUse(
            id="demo",
            name=text("示例铝业 & 有限公司", "Example & Co. Aluminium"),
            operator=None,
            credit_code="91410000MA00000000",
            province="henan",
        ),
        period=PeriodUse(
            name="2026", start="2026-01-01T00:00:00+08:00", end="2027-01-01T00:00:00+08:00"
        ),
        potlines=tuple(
            PotlineUse(
                id=f"line{n}",
                name=text(zh, f"Potline {n}"),
                process=str(n),
                capacity_t_per_year=D(250000),
                design_current_ka=D(400),
                design_voltage_v=D("4.0"),
                pots=240,
                rectifiers=6,
                days=365,
            )
            for n, zh in ((1, "一系列"), (2, "二系列"))
        ),
        complete=False,
        missing=missing,
        stamps=(Stamp(source=GUIDE, parameters=(LOSS.label,), confirmed="secondary"),),
        warnings=(Doubt(line="line1.anode_net", text=text("偏低", "rather low")),),
        duties=tuple(
            DutyUse(id=f"d{n}", text=text(f"事项{n}", f"duty {n}"), due=due, legal=LODGING.id)
            for n, due in enumerate((date(2026, 12, 31), date(2027, 1, 5), date(2027, 3, 31)))
        ),
        absent=(
            AbsentUse(
                id="guide.balance_value",
                label=text("平衡值", "Balance value"),
                unit="t_co2e_per_t",
                source=GUIDE,
                locator="待发布",
            ),
        ),
        headline=("plant.aluminium",),
        lines=every,
        chapters=chapters(),
        legals=(LOSS, LODGING),
        entries=(entry(1, D("9876.4")),),
        meters=(METER,),
        packs={"guide": "ef" * 32},
        ledger=LedgerUse(entries=1, head="00" * 32),
        series="lake",
    )


def report() -> Report:
    """Second version of a year that was lodged before."""
    change = Change(
        what="line",
        ref="line1.anode_net",
        before=D("8000.5"),
        after="8377.16248 t",
        why=text("录入第 1 条被修订（王敏）", "entry 1 was revised (Wang Min)"),
    )
    made = Content.model_validate_json(content().model_dump_json())
    return Report(
        schema="smelter.report/2",
        version=2,
        previous_sha256="12" * 32,
        changes=(change,),
        written=date(2027, 1, 5),
        lodged=LodgedUse(
            version=1,
            content_sha256="12" * 32,
            receipt="HZ-20270102-001",
            on=date(2027, 1, 2),
            author="王敏",
        ),
        since_lodged=(change,),
        site="site.toml",
        content_sha256=made.digest(),
        content=made,
    )


def pages(pdf: bytes) -> list[str]:
    """The text of each page, without line ends and the places where a long run may break."""
    found = [page.extract_text() for page in PdfReader(BytesIO(pdf)).pages]
    return [page.replace("\n", "").replace("\u200b", "") for page in found]
