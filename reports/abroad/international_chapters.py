"""What ``international`` prints: rules side by side, methods and tiers, gaps, then every figure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from reports.abroad import co2, pfc
from reports.abroad.pfc import Result
from reports.abroad.rules import CELLS, POINT_FED, Bench
from reports.assembly import Assembly
from reports.chapters import Cell, Chapter, Column, Details, Months, Paragraph, Standard, Table
from reports.conclude import words
from reports.model import Doubt, How, Line
from reports.site import PLANT, Potline
from reports.values import Text

WEAKNESS: Final = ("official", "secondary", "unverified")
CONFIRMED: Final = {
    "official": Text(zh="官方文本", en="official text"),
    "secondary": Text(zh="二手资料", en="secondary"),
    "unverified": Text(zh="未核实", en="unverified"),
}


@dataclass(frozen=True, slots=True)
class Found:
    """What one rule found for one potline, every method, and which are in its total."""

    bench: Bench
    line: Potline
    co2: tuple[Result, ...]
    pfc: tuple[Result, ...]
    reported: frozenset[str]


def weakest(assembly: Assembly, identity: str) -> Text | None:
    """How well the worst confirmed of all legal values below a line was confirmed."""
    levels = {
        assembly.legals[given.ref].confirmed
        for line in lines_below(assembly, identity, set())
        for given in line.inputs
        if given.kind == "legal" and given.ref in assembly.legals
    }
    found = [level for level in WEAKNESS if level in levels]
    return CONFIRMED[found[-1]] if found else None


def lines_below(assembly: Assembly, identity: str, seen: set[str]) -> Iterator[Line]:
    """The line and every line that it rests on, each once."""
    if identity in seen or identity not in assembly.lines:
        return
    seen.add(identity)
    line = assembly.lines[identity]
    yield line
    for given in line.inputs:
        if given.kind == "line":
            yield from lines_below(assembly, given.ref, seen)


# --- doubts


def doubts_of(assembly: Assembly, found: Sequence[Found]) -> tuple[Doubt, ...]:
    """Coefficients that the rule would rather not see, and months that were substituted."""
    doubts = []
    for each in found:
        for result in each.pfc:
            line = assembly.lines.get(result.line)
            if line is None or line.id not in each.reported:
                continue
            doubts += [Doubt(line=line.id, text=note) for note in line.notes]
    for line in assembly.lines.values():
        shown = ".pfc." in line.id or ".co2." in line.id
        if line.substituted is not None and "@" not in line.id and shown:
            doubts.append(Doubt(line=line.id, text=_share(line.substituted)))
    return tuple(dict.fromkeys(doubts))


def _share(share: Decimal) -> Text:
    return Text(
        zh=f"全年 {share * 100:.1f} % 的时间为按规则替代的数据，见“缺失数据替代”",
        en=f"{share * 100:.1f} % of the year rests on substituted data, see “Substituted data”",
    )


# --- chapters


def chapters_of(
    assembly: Assembly,
    found: Sequence[Found],
    benches: Sequence[Bench],
    lines: Sequence[Potline],
) -> tuple[Chapter, ...]:
    """The printed report, in order."""
    return (
        Chapter(
            title=Text(zh="方法对照", en="Rules side by side"),
            front=True,
            blocks=(
                Paragraph(text=_INTRODUCTION),
                _totals(assembly, benches),
                Paragraph(text=_NOT_CHINA, tone="note"),
                Paragraph(text=_SCOPE, tone="note"),
                Standard(part="signatures"),
            ),
        ),
        Chapter(
            title=Text(zh="各系列的方法与层级", en="Methods and tiers by potline"),
            blocks=tuple(methods_table(assembly, found, line) for line in lines),
        ),
        Chapter(
            title=Text(zh="逐月输入数据", en="Inputs by month"),
            blocks=tuple(inputs_by_month(assembly, found, line) for line in lines),
        ),
        Chapter(
            title=Text(zh="缺失数据替代", en="Substituted data"),
            blocks=(substitution_table(assembly),),
        ),
        Chapter(title=Text(zh="工序基本信息", en="Processes"), blocks=(Standard(part="potlines"),)),
        Chapter(
            title=Text(zh="逐项结果、公式与来源", en="Figures, formulas, sources"),
            blocks=tuple(_details(assembly, lines)),
        ),
        Chapter(
            title=Text(zh="规则取值", en="Values of the rules"),
            blocks=(Standard(part="legals"), Standard(part="absent")),
        ),
        Chapter(title=Text(zh="录入数据", en="Entries"), blocks=(Standard(part="entries"),)),
        Chapter(title=Text(zh="版本差异", en="Changes"), blocks=(Standard(part="changes"),)),
    )


_INTRODUCTION: Final = Text(
    zh="同一年度、同一批系列，按各规则分别核算。每一结果注明方法、层级和所用全球变暖潜势（GWP）版本；"
    "GWP 由规则指定，CF4 与 C2F6 必取自同一版本，不同版本的结果不可相加。",
    en="The same year and potlines by each rule. Every figure names its method, its tier and its "
    "set of global warming potentials (GWP); the rule chooses the set, CF4 and C2F6 always come "
    "from the same one, and figures of different sets must not be added up.",
)
_NOT_CHINA: Final = Text(
    zh="实测的阳极效应时间只影响本报告；全国碳市场的阳极效应排放按吨铝缺省因子计算，不随其变动。",
    en="Measured anode effects move the figures of this report only; the Chinese ETS counts a "
    "fixed factor per tonne of aluminium.",
)


_SCOPE: Final = Text(
    zh="各规则总量均为阳极（糊）CO2、阳极效应 PFC，以及该规则要求的焙烧和纯碱排放；"
    "不含燃料燃烧和电力。输欧产品的完整口径见 cbam 报告。",
    en="Totals hold CO2 of anodes or paste, PFC of anode effects, and baking and soda ash where "
    "the rule counts them; no fuels, no electricity. The whole of EU goods is in the report cbam.",
)


def _totals(assembly: Assembly, benches: Sequence[Bench]) -> Table:
    """One row a rule: GWP set, total, per tonne, how much was substituted, how well confirmed."""
    rows = []
    for bench in benches:
        total = assembly.lines[f"{PLANT}.total.{bench.rule.key}"]
        ratio = assembly.lines[f"{PLANT}.intensity.{bench.rule.key}"]
        gwp = f"{bench.gwp.cf4.value} / {bench.gwp.c2f6.value}"
        row: tuple[Cell, ...] = (
            bench.rule.name,
            f"{bench.gwp.label}（{gwp}）",
            total.rounded,
            ratio.rounded,
            state_of(assembly, total),
            weakest(assembly, total.id),
        )
        rows.append(row)
    return Table(
        id="rules",
        title=Text(zh="全厂排放（各规则）", en="Emission of the plant, rule by rule"),
        columns=(
            Column(label=Text(zh="规则", en="Rule"), width=20),
            Column(label=Text(zh="GWP 版本（CF4 / C2F6）", en="GWP set (CF4 / C2F6)"), width=24),
            Column(label=Text(zh="排放总量", en="Total"), unit="tCO2e", decimals=2),
            Column(label=Text(zh="吨铝排放", en="Per tonne"), unit="tCO2e/t", decimals=4),
            Column(label=Text(zh="数据状态", en="State of the data"), width=22),
            Column(label=Text(zh="规则取值核实", en="Values confirmed"), width=14),
        ),
        rows=tuple(rows),
        note=Text(
            zh="规则取值核实：取所用各规则取值中核实程度最低者。",
            en="Values confirmed: the least confirmed of all values used.",
        ),
    )


def _state(line: Line) -> Text:
    if line.how is How.MISSING:
        return Text(zh="缺数据", en="missing")
    if line.substituted is not None or line.how is How.SUBSTITUTED:
        share = (line.substituted or Decimal(0)) * 100
        return Text(zh=f"替代 {share:.1f} %", en=f"{share:.1f} % substituted")
    return Text(zh="齐全", en="whole")


def state_of(assembly: Assembly, total: Line) -> Text:
    """State of a figure: whether anything below it was substituted."""
    below = lines_below(assembly, total.id, set())
    if total.how is not How.MISSING and any(line.substituted is not None for line in below):
        return Text(zh="含替代数据", en="with substituted data")
    return _state(total)


def methods_table(assembly: Assembly, found: Sequence[Found], line: Potline) -> Table:
    """Every rule and method of one potline, the reported ones marked."""
    rows: list[tuple[Cell, ...]] = []
    for each in found:
        if each.line is not line:
            continue
        rows += [_row(assembly, each, r, _CO2, co2.METHODS) for r in each.co2]
        rows += [_row(assembly, each, r, _PFC, pfc.METHODS) for r in each.pfc]
    cell = Text(zh="槽型未写明", en="technology not stated")
    name, kind = words(line.name), cell if line.cell is None else CELLS[line.cell]
    return Table(
        id=f"methods_{line.id}",
        title=Text(zh=f"{name.zh}：{kind.zh}", en=f"{name.en}: {kind.en}"),
        columns=(
            Column(label=Text(zh="规则", en="Rule"), width=18),
            Column(label=Text(zh="气体", en="Gas"), width=6),
            Column(label=Text(zh="方法", en="Method"), width=22),
            Column(label=Text(zh="层级", en="Tier"), width=6),
            Column(label=Text(zh="GWP", en="GWP"), width=8),
            Column(label=Text(zh="CF4", en="CF4"), unit="kg", decimals=2),
            Column(label=Text(zh="C2F6", en="C2F6"), unit="kg", decimals=2),
            Column(label=Text(zh="排放", en="Emission"), unit="tCO2e", decimals=2),
            Column(label=Text(zh="吨铝", en="Per tonne"), unit="tCO2e/t", decimals=4),
            Column(label=Text(zh="系数不确定度", en="Uncertainty"), width=20),
            Column(label=Text(zh="状态", en="State"), width=24),
            Column(label=Text(zh="规则取值核实", en="Confirmed"), width=12),
        ),
        rows=tuple(rows),
        note=_MARKS if line.cell not in POINT_FED else _POINT_FED,
    )


_MARKS: Final = Text(
    zh="● 表示计入该规则总量的方法；其余供对照。",
    en="● marks the methods that are in the total of the rule; the others are beside it.",
)
_POINT_FED: Final = Text(
    zh=f"{_MARKS.zh}IPCC 2006 和美国规则未细分点式下料槽，按 CWPB 取值。",
    en=f"{_MARKS.en} IPCC 2006 and the US rule do not tell point-fed cells apart: CWPB.",
)
_CO2: Final = "CO2"
_PFC: Final = "PFC"


def _row(
    assembly: Assembly, found: Found, result: Result, gas: str, names: dict[str, Text]
) -> tuple[Cell, ...]:
    line = assembly.lines.get(result.line)
    gwp = found.bench.gwp.label if gas == _PFC else "—"
    name, mark = names[result.method], "● " if result.line in found.reported else ""
    method = Text(zh=f"{mark}{name.zh}", en=f"{mark}{name.en}")
    front: tuple[Cell, ...] = (found.bench.rule.name, gas, method, result.tier or "—", gwp)
    if line is None:
        return (*front, None, None, None, None, None, result.why_not, None)
    masses = [
        _rounded(assembly, result.line.replace(".pfc.", f".{name}.")) if gas == _PFC else None
        for name in ("cf4", "c2f6")
    ]
    metal = assembly.lines[f"{found.line.id}.aluminium"].value
    ratio = line.value / metal if line.value is not None and metal else None
    return (
        *front,
        *masses,
        line.rounded,
        ratio,
        result.uncertainty,
        _state(line),
        weakest(assembly, line.id),
    )


def _rounded(assembly: Assembly, identity: str) -> Decimal | None:
    return assembly.lines[identity].rounded


def inputs_by_month(assembly: Assembly, found: Sequence[Found], line: Potline) -> Months:
    """Metal, effects, anodes, and the PFC that came of them, by month."""
    names = ["aluminium", "ae_minutes", "ae_overvoltage", "current_efficiency", "anode_rate"]
    pfc = [
        identity.removeprefix(f"{line.id}.")
        for each in found
        if each.line is line
        for identity in sorted(each.reported)
        if ".pfc." in identity and not identity.endswith((".tier1", ".lvae"))
    ]
    months = found[0].bench.basis.period.months
    shown = [
        f"{line.id}.{name}"
        for name in (*names, *pfc)
        if any(f"{line.id}.{name}@{month}" in assembly.lines for month in months)
    ]
    return Months(
        title=words(line.name), lines=tuple(shown), months=tuple(str(month) for month in months)
    )


def _follows(assembly: Assembly, line: Line) -> bool:
    """True when it only rests on a substitute that is a line of its own."""
    below = (assembly.lines.get(given.ref) for given in line.inputs)
    return any(each is not None and each.how is How.SUBSTITUTED for each in below)


def substitution_table(assembly: Assembly) -> Table:
    """Every value that a rule put in the place of one that is missing: never silently."""
    rows = tuple(
        (
            line.scope,
            line.id.partition("@")[2],
            line.label,
            line.rounded,
            line.unit,
            line.method,
            ", ".join(given.ref for given in line.inputs if given.kind == "line"),
        )
        for line in assembly.lines.values()
        if line.how is How.SUBSTITUTED and not _follows(assembly, line)
    )
    return Table(
        id="substituted",
        title=Text(zh="替代的月份", en="Months that were substituted"),
        columns=(
            Column(label=Text(zh="系列", en="Potline"), width=10),
            Column(label=Text(zh="月份", en="Month"), width=10),
            Column(label=Text(zh="数据", en="Figure"), width=34),
            Column(label=Text(zh="替代值", en="Substitute"), decimals=4),
            Column(label=Text(zh="单位", en="Unit"), width=12),
            Column(label=Text(zh="方法代码", en="Method code"), width=30),
            Column(label=Text(zh="依据", en="Made from"), width=34),
        ),
        rows=rows,
        note=None if rows else Text(zh="没有替代数据。", en="Nothing was substituted."),
    )


def _details(assembly: Assembly, lines: Sequence[Potline]) -> Iterator[Details]:
    """The figures of the year; those of the months stand in the tables and in the workbook."""
    scopes = [(line.id, words(line.name)) for line in lines]
    for scope, name in (*scopes, (PLANT, Text(zh="全厂", en="Plant"))):
        ids = [x.id for x in assembly.lines.values() if x.scope == scope and "@" not in x.id]
        if ids:
            yield Details(title=name, lines=tuple(ids))
