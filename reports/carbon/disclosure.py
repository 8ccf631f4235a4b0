"""
The sheet an enterprise makes public: who it is, what it emitted, what changed, who measured.

The annex with its form was not seen; the layout follows the sister guide of the steel industry.
"""

from collections.abc import Iterator, Sequence

from reports.assembly import Assembly
from reports.basis import Basis
from reports.carbon.process import GUIDE, part_of
from reports.chapters import Block, Cell, Chapter, Column, Facts, Paragraph, Signed, Table
from reports.conclude import words
from reports.entries.certificates import KIND, Certificate, certificates
from reports.model import Line
from reports.rules.packs import Wanted
from reports.rules.places import place_text
from reports.site import PLANT, Names, Potline
from reports.values import Text

_NOT_GIVEN = Text(zh="未填写", en="not given")
_NONE = Text(zh="无", en="none")


def disclosure(basis: Basis, assembly: Assembly, potlines: Sequence[Potline]) -> Chapter:
    """A chapter of its own, to be taken out and published."""
    form = assembly.legal_or_absent(GUIDE, "annex_d_form")
    blocks: list[Block] = []
    if isinstance(form, Wanted):
        blocks.append(Paragraph(text=_unseen(form), tone="warning"))
    blocks.append(_facts(basis, assembly))
    blocks += [Paragraph(text=note, tone="note") for note in _without(assembly)]
    blocks += [_processes(assembly, potlines), _changes(basis, potlines), _firms(basis, assembly)]
    return Chapter(title=Text(zh="信息公开表", en="Public disclosure sheet"), blocks=tuple(blocks))


def _unseen(form: Wanted) -> Text:
    return Text(
        zh=f"未见到指南的公开格式：请打开 {form.source.title}（{form.locator}）核对。"
        "本表按钢铁行业同系列指南的公开内容类推编排",
        en=f"the form of the guide was not seen: open {form.source.title} "
        f"({place_text(form.locator, 'en')}). This "
        "sheet follows, by analogy, what the sister guide of the steel industry makes public",
    )


def _facts(basis: Basis, assembly: Assembly) -> Facts:
    site = basis.site
    firm = site.enterprise
    return Facts(
        facts=(
            (Text(zh="单位名称", en="Enterprise"), words(site.operator or site.name)),
            (Text(zh="统一社会信用代码", en="Unified credit code"), site.credit_code or _NOT_GIVEN),
            (Text(zh="生产场所地址", en="Production site"), _or_not(firm.production_site)),
            (Text(zh="行业分类代码", en="Sector code"), firm.industry_code),
            (Text(zh="报告年度", en="Year"), str(basis.period)),
            *((line.label, Signed(of=line.id, value=line.value)) for line in _totals(assembly)),
        )
    )


def _or_not(names: Names | None) -> Text:
    return _NOT_GIVEN if names is None else words(names)


def _totals(assembly: Assembly) -> Iterator[Line]:
    for name in ("enterprise_emission", "emission"):
        yield assembly.lines[f"{PLANT}.{name}"]


def _without(assembly: Assembly) -> list[Text]:
    """What the totals do not hold."""
    return [
        Text(zh=f"{line.label.zh}：{note.zh}", en=f"{line.label.en}: {note.en}")
        for line in _totals(assembly)
        for note in line.notes
        if note.zh.startswith("不含")
    ]


def _processes(assembly: Assembly, potlines: Sequence[Potline]) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (line.process, words(line.name), *_figures(assembly, line.id)) for line in potlines
    ]
    return Table(
        id="disclosed_processes",
        title=Text(zh="铝电解工序", en="Electrolysis processes"),
        columns=(
            Column(label=Text(zh="工序编号", en="Process"), width=10),
            Column(label=Text(zh="名称", en="Name"), width=24),
            Column(label=Text(zh="铝液产量", en="Liquid aluminium"), unit="t", decimals=2),
            Column(label=Text(zh="排放量", en="Emission"), unit="tCO2e", decimals=2),
        ),
        rows=tuple(rows),
        total=(Text(zh="合计", en="Total"), None, *_figures(assembly, PLANT)),
        note=Text(
            zh="合计由未修约值相加后修约，与各行修约值之和可差末位。",
            en="The total is the sum of exact figures, rounded; the rounded rows may add up to "
            "one more or less in the last digit.",
        ),
    )


def _figures(assembly: Assembly, scope: str) -> tuple[Cell, ...]:
    lines = [assembly.lines[f"{scope}.{name}"] for name in ("aluminium", "emission")]
    return tuple(Signed(of=line.id, value=line.value) for line in lines)


def _changes(basis: Basis, potlines: Sequence[Potline]) -> Table:
    """Lines started, stopped, bought or sold in the year."""
    rows: list[tuple[Cell, ...]] = [
        (words(line.name), note) for line in potlines for note in part_of(line, basis.period)
    ]
    return Table(
        id="disclosed_changes",
        title=Text(zh="核算边界变化情况", en="Changes of the boundary in the year"),
        columns=(
            Column(label=Text(zh="对象", en="What"), width=24),
            Column(label=Text(zh="变化", en="Change"), width=48),
        ),
        rows=tuple(rows) or ((_NONE, None),),
    )


def _firms(basis: Basis, assembly: Assembly) -> Table:
    firm = basis.site.enterprise
    rows: list[tuple[Cell, ...]] = []
    writer = firm.report_writer or basis.site.operator or basis.site.name
    code = firm.report_writer_code or ("" if firm.report_writer else basis.site.credit_code)
    rows.append((Text(zh="报告编制", en="wrote the report"), words(writer), code or None))
    tested = {
        (entry.more["laboratory"], entry.more.get("accreditation", ""))
        for entry in assembly.entries.values()
        if entry.more.get("laboratory")
    }
    word = Text(zh="检测", en="tested")
    rows += [(word, laboratory, number or None) for laboratory, number in sorted(tested)]
    word = Text(zh="检定/校准", en="calibrated")
    rows += [(word, body, None) for body in sorted({x.body for x in year_certificates(basis)})]
    return Table(
        id="disclosed_firms",
        title=Text(zh="编制、检测和检定机构", en="Who wrote, tested and calibrated"),
        columns=(
            Column(label=Text(zh="工作", en="Work"), width=14),
            Column(label=Text(zh="机构", en="Firm"), width=36),
            Column(label=Text(zh="代码或资质编号", en="Code or accreditation"), width=28),
        ),
        rows=tuple(rows),
    )


def year_certificates(basis: Basis) -> list[Certificate]:
    """Certificates of any instrument that held on a day of the year, by instrument and day."""
    ledger, year = basis.ledger, basis.period
    names = {
        entry.figure.line for entry in ledger.current().values() if entry.figure.kind.id == KIND
    }
    return [
        each
        for name in sorted(names)
        for each in certificates(ledger, name)
        if each.calibrated < year.after and each.valid_until >= year.first
    ]
