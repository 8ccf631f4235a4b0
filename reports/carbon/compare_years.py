"""
The year beside the one before: what moved, by how much, and why.

Last year is the newest lodged annual report of it, else the newest one in the folder of reports.
The movement of an emission is taken apart exactly; any other movement beyond the site's threshold
needs a change of the quality plan's file, or a note at an entry that begins with ``变动说明：``.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from reports.assembly import Assembly
from reports.basis import Basis
from reports.carbon.process import part_of
from reports.chapters import Block, Cell, Chapter, Column, Paragraph, Table
from reports.model import Content, Doubt, Line
from reports.periods import Period
from reports.plan.file import load_plan
from reports.plan.plan import PlannedChange
from reports.site import PLANT, Potline
from reports.values import Text
from reports.versions import newest_of, read_report
from reports.words import rounded

REPORT: Final = "carbon-annual"
PREFIXES: Final = ("变动说明：", "变动说明:", "explain:")
NOISE: Final = 6  # decimals beyond which a report file, made of floats, says nothing
EXPLAIN: Final = Text(zh="须说明原因", en="explain")
_NAMES: Final = (
    *("aluminium", "anode_consumed", "anode_co2", "pfc", "emission", "intensity"),
    *("electricity_ac", "specific_energy", "electricity_aux", "heat_process"),
    *("fuel_co2", "carbonate_co2", "enterprise_emission"),
    *("electricity_purchased", "heat_purchased"),
)
_KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "aluminium": ("aluminium_tapped",),
    "anode_consumed": ("anode_consumed", "anode_stock_begin", "anode_received", "anode_stock_end"),
    "fuel_consumed": ("fuel_consumed", "gas_consumed", "fuel_purchased", "gas_purchased"),
}
# The figures that move a figure; their explanation is its explanation.
_DRIVERS: Final[Mapping[str, tuple[str, ...]]] = {
    "anode_co2": ("anode_consumed",),
    "pfc": ("aluminium",),
    "emission": ("anode_consumed", "aluminium"),
    "intensity": ("anode_consumed", "aluminium"),
    "specific_energy": ("electricity_ac",),
    "fuel_co2": ("fuel_consumed",),
    "carbonate_co2": ("carbonate_consumed",),
    "enterprise_emission": ("anode_consumed", "aluminium", "fuel_consumed"),
}


@dataclass(frozen=True, slots=True)
class LastYear:
    """The report of the year before, and where it was found."""

    content: Content
    found: Text

    def value(self, identity: str) -> Decimal | None:
        return next((x.value for x in self.content.lines if x.id == identity), None)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The chapter, and what still has to be explained."""

    chapter: Chapter
    warnings: tuple[Doubt, ...]


def last_year(basis: Basis) -> LastYear | None:
    """Raises ConfigError when the report that was found cannot be read."""
    name = str(basis.period.first.year - 1)
    lodging = basis.lodgings.latest(REPORT, name)
    if lodging is not None:
        found = Text(
            zh=f"{name} 年报告第 {lodging.version} 版，{lodging.on} 报送，回执 {lodging.receipt}",
            en=f"report of {name}, version {lodging.version}, handed in on {lodging.on}, "
            f"receipt {lodging.receipt}",
        )
        return LastYear(read_report(basis.lodgings.copy(lodging)).content, found)
    path = None if basis.archive is None else newest_of(basis.archive, f"{REPORT}-{name}")
    if path is None:
        return None
    report = read_report(path)
    found = Text(
        zh=f"{name} 年报告第 {report.version} 版（{path.name}，未登记报送）",
        en=f"report of {name}, version {report.version} ({path.name}, not recorded as handed in)",
    )
    return LastYear(report.content, found)


def compare(basis: Basis, assembly: Assembly, potlines: Sequence[Potline]) -> Comparison:
    """Chapter and warnings."""
    title = Text(zh="与上年比较", en="Comparison with last year")
    before = last_year(basis)
    if before is None:
        none = Text(
            zh="没有上年度报告：报送登记和本报告所在文件夹中均无",
            en="there is no report of last year, neither lodged nor in the folder of this report",
        )
        return Comparison(Chapter(title=title, blocks=(Paragraph(text=none, tone="note"),)), ())
    reasons = _Reasons(basis)
    rows: list[tuple[Cell, ...]] = []
    doubts: list[Doubt] = []
    for line in _compared(assembly, potlines):
        then = before.value(line.id)
        percent = _percent(line.value, then)
        why = _reason(reasons, line, percent, then)
        if why is EXPLAIN:
            doubts.append(_unexplained(line, percent))
        named = _named(line, potlines)
        rows.append((named, line.unit, line.value, then, _less(line.value, then), percent, why))
    blocks: list[Block] = [
        Paragraph(text=before.found),
        Table(id="last_year", title=title, columns=_COLUMNS, rows=tuple(rows), note=_note(basis)),
    ]
    blocks.append(_effects(assembly, before, potlines))
    return Comparison(Chapter(title=title, blocks=tuple(blocks)), tuple(doubts))


_COLUMNS: Final = (
    Column(label=Text(zh="指标", en="Figure"), width=28),
    Column(label=Text(zh="单位", en="Unit"), width=9),
    Column(label=Text(zh="本年", en="This year"), decimals=4, width=15),
    Column(label=Text(zh="上年", en="Last year"), decimals=4, width=15),
    Column(label=Text(zh="变化", en="Change"), decimals=4, width=14),
    Column(label=Text(zh="变化率", en="Change"), unit="%", decimals=2, width=9),
    Column(label=Text(zh="原因", en="Reason"), width=40),
)


def _note(basis: Basis) -> Text:
    limit = basis.site.movement_percent
    return Text(
        zh=f"变化率绝对值超过 {limit} % 须说明原因：在 plan.toml 写 [[change]]，"
        "或在录入数据备注写“变动说明：……”",
        en=f"movements beyond {limit} % need a reason: a [[change]] in plan.toml, or a note of an "
        "entry that begins with “explain:”",
    )


def _compared(assembly: Assembly, potlines: Sequence[Potline]) -> Iterator[Line]:
    for scope in (*(line.id for line in potlines), PLANT):
        for name in _NAMES:
            line = assembly.lines.get(f"{scope}.{name}")
            if line is not None and line.value is not None:
                yield line


def _named(line: Line, potlines: Sequence[Potline]) -> Text:
    place = next((x.name for x in potlines if x.id == line.scope), None)
    zh, en = ("全厂", "plant") if place is None else (place.zh, place.en)
    return Text(zh=f"{zh} {line.label.zh}", en=f"{en}: {line.label.en}")


def _less(now: Decimal | None, then: Decimal | None) -> Decimal | None:
    return None if now is None or then is None else now - then


def _percent(now: Decimal | None, then: Decimal | None) -> Decimal | None:
    return None if now is None or not then else (now - then) / then * 100


def _unexplained(line: Line, percent: Decimal | None) -> Doubt:
    shown = "—" if percent is None else f"{rounded(percent, 2):+}"
    return Doubt(
        line=line.id,
        text=Text(
            zh=f"较上年变化 {shown} %，须说明原因",
            en=f"moved {shown} % against last year: a reason is needed",
        ),
    )


def _reason(reasons: "_Reasons", line: Line, percent: Decimal | None, then: Decimal | None) -> Cell:
    """Nothing where nothing must be said; EXPLAIN where it must, and nobody did."""
    limit = reasons.basis.site.movement_percent
    if then is None:
        return Text(zh="上年无此数据", en="not in last year's report")
    if percent is None or abs(percent) <= limit:
        return None
    found = list(dict.fromkeys(reasons.of(line)))
    if not found:
        return EXPLAIN
    return Text(zh="；".join(x.zh for x in found), en="; ".join(x.en for x in found))


class _Reasons:
    """Where explanations come from; read once."""

    def __init__(self, basis: Basis) -> None:
        self.basis = basis
        first = Period.year(basis.period.first.year - 1)
        self._potlines = [
            line for line in basis.site.potline if line.runs_in(first.first, basis.period.after)
        ]
        plan = None if basis.site.plan is None else load_plan(basis.site.plan, basis.site)
        self._years = (first, basis.period)
        self._changes: tuple[PlannedChange, ...] = tuple(
            change
            for change in (() if plan is None else plan.change)
            if first.first <= change.on < basis.period.after
        )

    def of(self, line: Line) -> Iterator[Text]:
        """Changes of the line itself, of the plan, and notes at entries."""
        scopes = [x.id for x in self._potlines] if line.scope == PLANT else []
        name = line.id.removeprefix(f"{line.scope}.")
        names = (name, *_DRIVERS.get(name, ()))
        for potline in self._potlines:
            if potline.id in {line.scope, *scopes}:
                for year in self._years:
                    yield from part_of(potline, year)
        figures = [f"{scope}.{each}" for scope in (line.scope, *scopes) for each in names]
        for change in self._changes:
            if any(change.touches(figure) for figure in figures):
                yield Text(
                    zh=f"{change.on} {change.text.zh}：{change.reason.zh}",
                    en=f"{change.on} {change.text.en}: {change.reason.en}",
                )
        yield from self._notes({line.scope, *scopes}, names)

    def _notes(self, scopes: set[str], names: Sequence[str]) -> Iterator[Text]:
        kinds = {kind for name in names for kind in _KINDS.get(name, (name,))}
        year = self.basis.period
        for entry in self.basis.ledger.current().values():
            figure = entry.figure
            inside = year.first <= figure.period.first < year.after
            prefix = next((x for x in PREFIXES if figure.note.startswith(x)), None)
            if prefix and inside and figure.kind.id in kinds and figure.line in scopes:
                told = f"{figure.note.removeprefix(prefix).strip()}（#{entry.number}）"
                yield Text(zh=told, en=told)


# --- an emission taken apart


def _effects(assembly: Assembly, before: LastYear, potlines: Sequence[Potline]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for scope in (*(line.id for line in potlines), PLANT):
        now = _Parts.of({k: x.value for k, x in assembly.lines.items()}, scope)
        then = _Parts.of({x.id: x.value for x in before.content.lines}, scope)
        line = assembly.lines.get(f"{scope}.emission")
        if line is not None:
            effects = (None,) * 5 if now is None or then is None else now.against(then)
            rows.append((_named(line, potlines), *effects))
    return Table(
        id="effects",
        title=Text(zh="排放量变化的分解", en="The movement of the emission taken apart"),
        columns=(
            Column(label=Text(zh="指标", en="Figure"), width=28),
            *(
                Column(label=label, unit="tCO2e", decimals=2, width=16)
                for label in (
                    Text(zh="产量影响", en="output"),
                    Text(zh="阳极单耗影响", en="anode per t"),
                    Text(zh="阳极排放系数影响", en="anode factor"),
                    Text(zh="阳极效应影响", en="anode effects"),
                    Text(zh="合计", en="together"),
                )
            ),
        ),
        rows=tuple(rows),
        note=Text(
            zh="产量：(P1−P0)×(a0k0+f0)；单耗：P1×(a1−a0)×k0；系数：P1×a1×(k1−k0)；"
            "阳极效应：P1×(f1−f0)。P 铝液产量，a 每吨铝阳极消耗，k 每吨阳极排放，"
            "f 每吨铝阳极效应排放",
            en="output (P1-P0)(a0 k0+f0); anode P1(a1-a0)k0; factor P1 a1(k1-k0); anode effects "
            "P1(f1-f0). P aluminium, a anode per t, k CO2 per t of anode, f PFC per t",
        ),
    )


@dataclass(frozen=True, slots=True)
class _Parts:
    """What an emission is made of, per tonne."""

    metal: Decimal
    anode_rate: Decimal
    factor: Decimal
    pfc: Decimal

    @classmethod
    def of(cls, values: Mapping[str, Decimal | None], scope: str) -> "_Parts | None":
        metal, anode, co2, pfc = (
            values.get(f"{scope}.{name}")
            for name in ("aluminium", "anode_consumed", "anode_co2", "pfc")
        )
        if not metal or not anode or co2 is None or pfc is None:
            return None
        return cls(metal, anode / metal, co2 / anode, pfc / metal)

    def against(self, then: "_Parts") -> tuple[Decimal, ...]:
        """Output, anode rate, anode factor, anode effects, and their sum."""
        effects = (
            (self.metal - then.metal) * (then.anode_rate * then.factor + then.pfc),
            self.metal * (self.anode_rate - then.anode_rate) * then.factor,
            self.metal * self.anode_rate * (self.factor - then.factor),
            self.metal * (self.pfc - then.pfc),
        )
        whole = sum(effects, Decimal(0))
        return tuple(rounded(each, NOISE) + 0 for each in (*effects, whole))  # + 0: no minus zero
