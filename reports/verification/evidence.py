"""Tables of the ``verification`` report about what figures stand on: files, instruments, plan."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

from reports.assembly import Assembly
from reports.chapters import Cell, Column, Table
from reports.citations import EntryUse
from reports.model import Doubt, Line
from reports.periods import Period
from reports.plan.certificates import Calibration
from reports.plan.words import joined, text
from reports.verification.checks import recorded
from reports.verification.tables import PERCENT, Rows, columns

DAYS_SHOWN: Final = 3


def laboratory_table(assembly: Assembly, rows: Iterable[tuple[EntryUse, Decimal | None]]) -> Table:
    """Laboratory figures beside the value of the rule: information, no verdict."""
    used = assembly.entries
    return Table(
        id="laboratory",
        title=text("化验值与规则值", "Laboratory figures and the rule's values"),
        columns=(
            *columns(("化验项目", "Analysis", 34)),
            Column(label=text("化验值", "Found"), width=12),
            *columns(("单位", "Unit", 10)),
            Column(label=text("规则值", "Rule"), width=12),
            PERCENT,
            *columns(
                ("是否采用", "Used", 10),
                ("样品、方法、机构、资质", "Sample, method, laboratory", 50),
            ),
        ),
        rows=tuple(
            (
                f"{x.line}.{x.kind}{f'.{x.item}' if x.item else ''}@{x.period} #{x.number}",
                x.value,
                x.unit,
                rule,
                None if not rule else (x.value - rule) / rule * 100,
                text("采用", "used") if x.number in used else text("未采用", "not used"),
                joined(
                    x.more[k]
                    for k in ("sample", "method", "laboratory", "accreditation")
                    if x.more.get(k)
                ),
            )
            for x, rule in rows
        ),
    )


def known_table(assembly: Assembly, report: str) -> Table:
    """How we know: what each recorded figure of the year stands on, and how to follow it down."""
    groups: dict[str, list[Line]] = {}
    for line in recorded(assembly.lines):
        groups.setdefault(line.id.partition("@")[0], []).append(line)
    return Table(
        id="how_we_know",
        title=text("数据从何而来", "How we know"),
        columns=(
            *columns(("参数", "Figure", 28), ("名称", "Name", 18)),
            Column(label=text("月数", "Months"), width=7),
            Column(label=text("录入条数", "Entries"), width=9),
            Column(label=text("计量表·月", "Meter months"), width=10),
            Column(label=text("批次", "Batches"), width=9),
            Column(label=text("表底读数", "Registers"), width=10),
            Column(label=text("最低覆盖率", "Worst coverage"), unit="%", decimals=2, width=10),
            *columns(("追溯命令（在报告文件夹中执行）", "Trace (in the folder of the report)", 62)),
        ),
        rows=tuple(_known(assembly, figure, lines, report) for figure, lines in groups.items()),
    )


def _known(assembly: Assembly, figure: str, lines: Sequence[Line], report: str) -> tuple[Cell, ...]:
    given = [each for line in lines for each in line.inputs]
    meters = [assembly.meters[x.ref] for x in given if x.kind == "meter"]
    shares = [line.coverage.share for line in lines if line.coverage is not None]
    ends = [x for meter in meters for x in (meter.begin, meter.end) if x is not None]
    return (
        figure,
        lines[0].label,
        Decimal(len(lines)),
        Decimal(sum(x.kind == "entry" for x in given)),
        Decimal(len(meters)),
        Decimal(sum(batch.batches for meter in meters for batch in meter.batches)),
        Decimal(len(ends)),
        min(shares) * 100 if shares else None,
        f"smelter trace {report} {figure}",
    )


def evidence_table(assembly: Assembly) -> Table:
    """Every file that an entry names, with digest, entries, who and when."""
    found: dict[tuple[str, str], list[EntryUse]] = {}
    for entry in assembly.entries.values():
        for document in (entry.document, entry.source):
            if document is not None:
                found.setdefault((document.name, document.sha256), []).append(entry)
    return Table(
        id="evidence",
        title=text("证据文件清单", "Evidence"),
        columns=columns(
            ("文件", "File", 26),
            ("SHA-256", "SHA-256", 66),
            ("条数", "Entries", 8),
            ("录入编号", "Numbers", 18),
            ("录入人", "By", 14),
            ("最早录入时间", "First entered", 26),
        ),
        rows=tuple(
            (
                name,
                digest,
                Decimal(len(entries)),
                _numbers(sorted(x.number for x in entries)),
                "、".join(sorted({x.author for x in entries})),
                min(x.time for x in entries),
            )
            for (name, digest), entries in found.items()
        ),
    )


def _numbers(numbers: Sequence[int]) -> str:
    return f"#{numbers[0]}" if len(numbers) == 1 else f"#{numbers[0]} … #{numbers[-1]}"


def instrument_table(known: Sequence[Calibration], period: Period) -> Table:
    """Instruments in place in the period, and the days a valid certificate covers."""
    rows: Rows = []
    for each in known:
        x = each.instrument
        days = [day for day in period.days if x.in_place(day)]
        if not days:
            continue
        uncovered = each.uncovered(period)
        rows.append(
            (
                x.id,
                x.name,
                x.accuracy_class_percent,
                text("计算用", "calculation") if x.counts else text("核对用", "check only"),
                Decimal(len(days)),
                Decimal(len(days) - len(uncovered)),
                joined(f"{c.number} {c.calibrated} – {c.valid_until}" for c in each.certificates),
                _spans(uncovered) if uncovered else text("全期有效", "covered throughout"),
            )
        )
    return Table(
        id="certificates",
        title=text("计量器具与证书有效期", "Instruments and certificates through the period"),
        columns=(
            *columns(("编号", "Id", 14), ("名称", "Instrument", 20)),
            Column(label=text("等级", "Class"), unit="%", width=8),
            *columns(("用途", "Use", 12)),
            Column(label=text("在用天数", "Days in place"), width=10),
            Column(label=text("证书覆盖天数", "Days covered"), width=10),
            *columns(
                ("证书及有效期", "Certificates", 44), ("无有效证书的日期", "Days without", 28)
            ),
        ),
        rows=tuple(rows),
    )


def _spans(days: Sequence[object]) -> str:
    if len(days) <= DAYS_SHOWN:
        return ", ".join(map(str, days))
    return f"{days[0]} … {days[-1]} ({len(days)})"


def deviation_table(found: Sequence[Doubt]) -> Table:
    """Where a month was not made as the plan in force says."""
    return Table(
        id="deviations",
        title=text("与数据质量控制计划的偏离", "Deviations from the quality plan"),
        columns=columns(("参数与月份", "Figure and month", 34), ("偏离", "Deviation", 90)),
        rows=tuple((doubt.line, doubt.text) for doubt in found),
    )


ITEMS: Final = (
    text(
        "基本情况：营业执照、排污许可证、产能、年内变化",
        "Basic facts: licence, permit, capacity, changes",
    ),
    text(
        "核算边界：全部工序，自备电厂剔除，新建和关停",
        "Boundary: all processes, captive power left out",
    ),
    text("核算方法：公式、缺省值与指南一致", "Method: formulas and defaults as in the guide"),
    text("活动数据：阳极、铝液、燃料、碳酸盐", "Activity data: anodes, metal, fuels, carbonates"),
    text("检测数据：采样、资质、原始报告", "Tests: sampling, accreditation, original reports"),
    text("计量器具：证书全期有效、准确度等级", "Instruments: certificates and classes"),
    text("数据质量控制计划：各月有效版本与偏离", "Quality plan: version of each month, deviations"),
    text("月度存证与年度报告一致", "Months lodged agree with the year"),
    text("档案、岗位、内部审核", "Archive, roles, internal audit"),
)


def verbs_table(assembly: Assembly) -> Table:
    """Boxes for the verifier: look up, ask, see, recompute."""
    figures = dict.fromkeys(line.id.partition("@")[0] for line in recorded(assembly.lines))
    boxes = ("□", "□", "□", "□", "")
    rows: Rows = [(item, *boxes) for item in ITEMS]
    rows += [(figure, *boxes) for figure in figures]
    return Table(
        id="verifier",
        title=text("核查记录", "For the verifier"),
        columns=columns(
            ("核查内容", "Item", 46),
            ("查阅", "Look up", 9),
            ("询问", "Ask", 9),
            ("现场查看", "See", 9),
            ("重新计算", "Recompute", 9),
            ("核查记录", "Notes", 40),
        ),
        rows=tuple(rows),
    )
