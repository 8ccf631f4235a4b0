"""What ``cbam`` prints: the charge, what the emission is made of, goods, years to come, figures."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from reports.abroad.cbam_charge import VALUES, default_name, outlook
from reports.abroad.cbam_emission import PARTS
from reports.abroad.cbam_goods import by_code
from reports.abroad.international_chapters import (
    CONFIRMED,
    Found,
    inputs_by_month,
    methods_table,
    state_of,
    substitution_table,
    weakest,
)
from reports.abroad.rules import Bench
from reports.chapters import (
    Cell,
    Chapter,
    Column,
    Details,
    Facts,
    Months,
    Paragraph,
    Standard,
    Table,
)
from reports.model import How
from reports.periods import Period
from reports.rules.packs import Legal
from reports.site import PLANT, Potline
from reports.values import Text
from reports.words import number_text, short_text

YEARS: Final = 9  # of the outlook: until free allocation has ended


def chapters_of(
    bench: Bench, found: Sequence[Found], lines: Sequence[Potline], months: Sequence[Period]
) -> tuple[Chapter, ...]:
    """The printed report, in order."""
    assembly = bench.assembly
    return (
        Chapter(
            title=Text(zh="每吨产品的证书与费用", en="Certificates and cost per tonne"),
            front=True,
            blocks=(
                _charge(bench),
                Paragraph(text=_conclusion(bench)),
                Paragraph(text=_INDIRECT, tone="note"),
                Standard(part="signatures"),
            ),
        ),
        Chapter(
            title=Text(zh="排放构成", en="What the emission is made of"),
            blocks=(_composition(bench), Paragraph(text=_BOUNDARY, tone="note")),
        ),
        Chapter(
            title=Text(zh="产品、废铝与前体", en="Goods, scrap, precursors"),
            blocks=(_goods(bench, months), _beside(bench)),
        ),
        Chapter(
            title=Text(zh="以后年度", en="Years to come"),
            blocks=(_outlook(bench), Paragraph(text=_OUTLOOK, tone="note")),
        ),
        Chapter(
            title=Text(zh="电极与阳极效应：方法与层级", en="Electrodes and anode effects"),
            blocks=tuple(methods_table(assembly, found, line) for line in lines),
        ),
        Chapter(
            title=Text(zh="逐月数据", en="By month"),
            blocks=(
                *(inputs_by_month(assembly, found, line) for line in lines),
                Months(
                    title=Text(zh="全厂", en="Plant"),
                    lines=tuple(f"{PLANT}.{x}" for x in ("fuel_co2", "carbonate_co2", "saleable")),
                    months=tuple(str(month) for month in bench.basis.period.months),
                ),
            ),
        ),
        Chapter(
            title=Text(zh="缺失数据替代", en="Substituted data"),
            blocks=(substitution_table(assembly),),
        ),
        Chapter(
            title=Text(zh="逐项结果、公式与来源", en="Figures, formulas, sources"),
            blocks=(
                Details(lines=tuple(x.id for x in assembly.lines.values() if "@" not in x.id)),
            ),
        ),
        Chapter(
            title=Text(zh="规则取值", en="Values of the rules"),
            blocks=(Standard(part="legals"), Standard(part="absent")),
        ),
        Chapter(title=Text(zh="录入数据", en="Entries"), blocks=(Standard(part="entries"),)),
        Chapter(title=Text(zh="版本差异", en="Changes"), blocks=(Standard(part="changes"),)),
    )


def _charge(bench: Bench) -> Table:
    """Actual and default side by side."""
    lines = bench.assembly.lines
    rows: list[tuple[Cell, ...]] = []
    for title, see, ending in (
        (Text(zh="实际值", en="Actual"), "cbam_see", ""),
        (Text(zh="默认值（含加成）", en="Default with mark-up"), "cbam_default", "_default"),
    ):
        certificates = lines[f"{PLANT}.certificates_per_t{ending}"]
        state = state_of(bench.assembly, lines[f"{PLANT}.{see}"])
        rows.append(
            (
                title,
                lines[f"{PLANT}.{see}"].rounded,
                _legal(bench, "benchmark_primary").number,
                _legal(bench, "free_share").number,
                certificates.rounded,
                lines[f"{PLANT}.certificate_price"].rounded,
                lines[f"{PLANT}.cost_per_t{ending}"].rounded,
                state,
                weakest(bench.assembly, certificates.id),
            )
        )
    return Table(
        id="charge",
        title=Text(zh="实际值与默认值对照", en="Actual and default value"),
        columns=(
            Column(label=Text(zh="依据", en="By"), width=18),
            Column(label=Text(zh="单位隐含排放", en="Embedded"), unit="tCO2e/t", decimals=4),
            Column(label=Text(zh="基准值", en="Benchmark"), unit="tCO2e/t", decimals=3),
            Column(label=Text(zh="免费比例", en="Free share"), unit="%", decimals=1, width=10),
            Column(label=Text(zh="证书", en="Certificates"), unit="1/t", decimals=4),
            Column(label=Text(zh="价格", en="Price"), unit="EUR", decimals=2, width=10),
            Column(label=Text(zh="费用", en="Cost"), unit="EUR/t", decimals=2, width=12),
            Column(label=Text(zh="数据状态", en="State"), width=14),
            Column(label=Text(zh="取值核实", en="Confirmed"), width=12),
        ),
        rows=tuple(rows),
        note=Text(
            zh="证书 = max(0, 单位隐含排放 − 基准值 × 免费比例 × CSCF)。CSCF 未查到，按 1 计。",
            en="certificates = max(0, embedded − benchmark × free share × CSCF); CSCF unknown: 1.",
        )
        if bench.assembly.absent
        else None,
    )


def _legal(bench: Bench, name: str) -> Legal:
    return bench.assembly.legal(VALUES, name)


def _conclusion(bench: Bench) -> Text:
    """One sentence: what would be charged, and what the actual figure saves or lacks."""
    lines = bench.assembly.lines
    actual = lines[f"{PLANT}.certificates_per_t"]
    default = lines[f"{PLANT}.certificates_per_t_default"]
    charged = number_text(default.rounded, 4)
    if actual.value is None or default.value is None:
        return Text(
            zh=f"实际值缺数据，进口商将按默认值申报：每吨需 {charged} 张证书。",
            en=f"The actual figure is missing: importers are charged by default, {charged} "
            "certificates per tonne.",
        )
    saved = number_text(default.value - actual.value, 4)
    return Text(
        zh=f"按实际值每吨需 {number_text(actual.rounded, 4)} 张证书，按默认值 {charged} 张；"
        f"相差 {saved} 张。",
        en=f"By the actual figure {number_text(actual.rounded, 4)} certificates per tonne, by "
        f"default {charged}; {saved} between them.",
    )


_INDIRECT: Final = Text(
    zh="CN 7601 只计直接排放，电力间接排放不计入（核实程度见“规则取值”）；"
    "在境外已付的碳价未在此扣除。",
    en="For CN 7601 direct emission only is counted, electricity is not (how well that is "
    "confirmed: see “Values of the rules”). A carbon price paid abroad is not taken off here.",
)
_BOUNDARY: Final = Text(
    zh="燃料按全厂各品种消耗量及中国指南的热值、含碳量和氧化率计算；"
    "若含与未锻轧铝无关的设施（如自备电厂、氧化铝），须先分出。电极按 f = 3.664 碳质量平衡。",
    en="Fuels are all those of the plant, by heat value, carbon and oxidation of the Chinese "
    "guide; take out first what other facilities burn (power unit, alumina). Electrodes by carbon "
    "balance with f = 3.664.",
)
_OUTLOOK: Final = Text(
    zh="假定本年实际值、基准值不变，CSCF 按 1；仅供预估。",
    en="With this year's actual figure and benchmark, and CSCF 1: an outlook only.",
)


def _composition(bench: Bench) -> Table:
    """Parts of the attributed emission, precursors, and each per tonne of goods."""
    lines = bench.assembly.lines
    goods = lines[f"{PLANT}.saleable"].value
    names = (*PARTS, "cbam_attributed", "cbam_precursors")
    rows: list[tuple[Cell, ...]] = []
    for name in names:
        line = lines[f"{PLANT}.{name}"]
        ratio = line.value / goods if line.value is not None and goods else None
        state, confirmed = state_of(bench.assembly, line), weakest(bench.assembly, line.id)
        rows.append((line.label, line.rounded, ratio, state, confirmed))
    metal = lines[f"{PLANT}.saleable"]
    return Table(
        id="composition",
        title=Text(zh="排放构成", en="Composition"),
        columns=(
            Column(label=Text(zh="来源", en="Source"), width=34),
            Column(label=Text(zh="排放", en="Emission"), unit="tCO2e", decimals=2),
            Column(label=Text(zh="吨产品", en="Per tonne"), unit="tCO2e/t", decimals=4),
            Column(label=Text(zh="数据状态", en="State"), width=18),
            Column(label=Text(zh="取值核实", en="Confirmed"), width=14),
        ),
        rows=tuple(rows),
        note=Text(
            zh=f"活动水平（可销售产品）{number_text(metal.rounded, 2)} t；"
            "废料、不合格品不计入，也不带排放。",
            en=f"Activity level (saleable goods) {number_text(metal.rounded, 2)} t; scrap and "
            "off-spec are not in it and carry no emission.",
        ),
    )


def _goods(bench: Bench, months: Sequence[Period]) -> Table:
    """CN codes of the year with names, alloy elements, and whether they must be reported."""
    limit = bench.assembly.legal(bench.rule.pack, "aluminium_other_elements")
    known = {product.cn: product for product in bench.basis.site.abroad.products}
    rows: list[tuple[Cell, ...]] = []
    for code, tonnes in by_code(bench, months).items():
        product = known.get(code)
        if product is None:
            rows.append((Text(zh=code, en=code), _UNKNOWN, tonnes, None, _UNKNOWN))
            continue
        name = Text(zh=product.name.zh, en=product.name.en)
        much = product.alloy_percent > limit.number
        shown = _REPORT if much else _BELOW
        rows.append((Text(zh=code, en=code), name, tonnes, product.alloy_percent, shown))
    most = short_text(limit.number)
    return Table(
        id="goods",
        title=Text(zh="产品（CN 编码）", en="Goods by CN code"),
        columns=(
            Column(label=Text(zh="CN 编码", en="CN code"), width=12),
            Column(label=Text(zh="品名", en="Name"), width=30),
            Column(label=Text(zh="产量", en="Made"), unit="t", decimals=2, total=True),
            Column(label=Text(zh="其他元素", en="Other elements"), unit="%", decimals=2),
            Column(label=Text(zh="是否申报元素含量", en="Report elements"), width=20),
        ),
        rows=tuple(rows),
        note=Text(
            zh=f"铝以外元素合计超过 {most} % 须申报。",
            en=f"Elements other than aluminium above {most} % in sum must be reported.",
        ),
    )


_UNKNOWN: Final = Text(zh="site.toml 未写明", en="not in site.toml")
_REPORT: Final = Text(zh="须申报", en="must be reported")
_BELOW: Final = Text(zh="不须申报", en="need not")


def _beside(bench: Bench) -> Facts:
    """Scrap per tonne and pre-consumer share, as CBAM wants them reported."""
    lines = bench.assembly.lines
    facts: list[tuple[Text, Text | str]] = []
    for name in ("scrap_per_t", "pre_consumer"):
        line = lines[f"{PLANT}.{name}"]
        if line.how is How.NONE or line.value is None:
            reason = next(iter((*line.notes, *line.missing)))
            facts.append((line.label, reason))
        elif name == "pre_consumer":
            facts.append((line.label, f"{number_text(line.value * 100, 2)} %"))
        else:
            facts.append((line.label, f"{number_text(line.rounded, 4)} t/t"))
    return Facts(facts=tuple(facts))


def _outlook(bench: Bench) -> Table:
    """Default, free share and certificates year by year."""
    see = bench.assembly.lines[f"{PLANT}.cbam_see"].value
    benchmark = _legal(bench, "benchmark_primary").number
    rows: list[tuple[Cell, ...]] = []
    for year, mark_up, share, default in outlook(bench, YEARS):
        free = benchmark * share.fraction
        actual = None if see is None else max(Decimal(0), see - free)
        by_default = max(Decimal(0), default - free)
        weak = CONFIRMED[str(share.confirmed)]
        rows.append(
            (
                Text(zh=str(year), en=str(year)),
                share.number,
                mark_up.number,
                default,
                actual,
                by_default,
                weak,
            )
        )
    base = bench.assembly.packs[VALUES].parameters[default_name(bench)]
    return Table(
        id="outlook",
        title=Text(zh="逐年证书数", en="Certificates year by year"),
        columns=(
            Column(label=Text(zh="进口年度", en="Year of import"), width=10),
            Column(label=Text(zh="免费比例", en="Free share"), unit="%", decimals=1),
            Column(label=Text(zh="默认值加成", en="Mark-up"), unit="%", decimals=0),
            Column(label=Text(zh="默认值", en="Default"), unit="tCO2e/t", decimals=3),
            Column(label=Text(zh="证书（实际值）", en="By actual"), unit="1/t", decimals=4),
            Column(label=Text(zh="证书（默认值）", en="By default"), unit="1/t", decimals=4),
            Column(label=Text(zh="取值核实", en="Confirmed"), width=12),
        ),
        rows=tuple(rows),
        note=Text(zh=f"默认值：{base.zh}", en=f"Default: {base.what}"),
    )
