"""Tables of the ``quality-plan`` report, one function each, from the plan and its certificates."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from reports.chapters import Cell, Column, Table
from reports.plan.certificates import Calibration
from reports.plan.plan import Instrument, Parameter, Plan
from reports.plan.words import (
    ACQUISITION,
    DRAWINGS,
    FREQUENCY,
    NONE,
    beside,
    joined,
    same,
    text,
)
from reports.values import Text

Rows = list[tuple[Cell, ...]]
_FIGURE = Column(label=text("参数编号", "Figure"), width=30)
_NAME = Column(label=text("参数名称", "Name"), width=24)


def columns(*heads: tuple[str, str, int]) -> tuple[Column, ...]:
    """Heads and widths in characters."""
    return tuple(Column(label=text(zh, en), width=width) for zh, en, width in heads)


def department(plan: Plan, identity: str) -> Text:
    """Its name, or the id that stands in its place."""
    found = plan.department_of(identity)
    return same(identity) if found is None else found.name


def drawings(plan: Plan) -> Table:
    """Drawings by file, with their digests."""
    return Table(
        id="plan_drawings",
        title=text("附图", "Drawings"),
        columns=columns(
            ("文件", "File", 28),
            ("图种", "Kind", 18),
            ("名称", "Title", 28),
            ("SHA-256", "SHA-256", 66),
        ),
        rows=tuple((x.file, DRAWINGS[x.kind], x.title, x.sha256) for x in plan.drawing),
    )


def facilities(plan: Plan) -> Table:
    """Facilities within the boundary, in use or stopped."""
    rows: Rows = []
    for each in plan.facility:
        stopped = None if each.stopped is None else each.stopped.isoformat()
        state = (
            text(f"{each.since} 起在用", f"in use since {each.since}")
            if stopped is None
            else text(f"{each.since} 起，{stopped} 停用", f"from {each.since}, stopped {stopped}")
        )
        rows.append(
            (
                each.id,
                each.name,
                each.number or None,
                each.spec,
                each.place,
                state,
                each.owner or text("本企业", "the enterprise"),
                each.permit_holder or text("本企业", "the enterprise"),
            )
        )
    return Table(
        id="plan_facilities",
        title=text("主要排放设施", "Facilities"),
        columns=columns(
            ("编号", "Id", 14),
            ("设施名称", "Facility", 20),
            ("设施编号", "Number", 12),
            ("规格型号", "Specification", 24),
            ("安装位置", "Place", 18),
            ("状态", "State", 22),
            ("权属", "Owner", 14),
            ("排污许可持有人", "Permit holder", 16),
        ),
        rows=tuple(rows),
    )


def parameters(plan: Plan, named: Mapping[str, Parameter]) -> Table:
    """How each figure is obtained, and its raw record."""
    return Table(
        id="plan_parameters",
        title=text("参数的获取方式与原始记录", "Parameters and their raw records"),
        columns=(
            _FIGURE,
            _NAME,
            *columns(
                ("单位", "Unit", 8),
                ("获取方式", "Acquisition", 12),
                ("数据来源", "Source", 30),
                ("原始记录（名称、编号、形式、范围）", "Raw record", 44),
                ("责任部门", "Department", 14),
            ),
        ),
        rows=tuple(
            (
                figure,
                x.name,
                x.unit,
                ACQUISITION[x.acquisition],
                x.source,
                joined([beside(x.record.name, x.record.number), x.record.form, x.record.cover]),
                department(plan, x.department),
            )
            for figure, x in named.items()
        ),
    )


def metering(plan: Plan, named: Mapping[str, Parameter], known: Sequence[Calibration]) -> Table:
    """A row for each figure and instrument; a figure without one has a row of its own."""
    by_id = {each.instrument.id: each for each in known}
    rows: Rows = []
    for figure, parameter in named.items():
        often = (FREQUENCY[parameter.monitoring], FREQUENCY[parameter.recording])
        found = plan.instruments_for(figure)
        rows += [_metered(figure, x, often, by_id[x.id]) for x in found]
        if not found:
            rows.append((figure, None, None, None, *often, None, None))
    return Table(
        id="plan_metering",
        title=text("监测设备与频次", "Instruments and frequency of each parameter"),
        columns=(
            Column(label=text("参数 ← 计量器具", "Figure ← instrument"), width=34),
            Column(label=text("安装位置", "Place"), width=20),
            Column(label=text("准确度等级", "Accuracy class"), unit="%", width=10),
            *columns(
                ("检定/校准机构", "Calibrated by", 22),
                ("监测频次", "Measured", 10),
                ("记录频次", "Recorded", 10),
                ("上次检定", "Last", 12),
                ("下次检定", "Next", 12),
            ),
        ),
        rows=tuple(rows),
    )


def _metered(
    figure: str, instrument: Instrument, often: tuple[Text, Text], calibration: Calibration
) -> tuple[Cell, ...]:
    return (
        f"{figure} ← {instrument.id}",
        instrument.place,
        instrument.accuracy_class_percent,
        instrument.body,
        *often,
        *_dates(calibration),
    )


def _dates(calibration: Calibration) -> tuple[str | None, str | None]:
    last = calibration.last
    if last is None:
        return None, None
    return last.calibrated.isoformat(), calibration.due(last).isoformat()


def missing_data(plan: Plan, named: Mapping[str, Parameter]) -> Table:
    """What is done when data are missing; the second source and its threshold."""
    return Table(
        id="plan_missing",
        title=text("数据缺失处理与交叉验证", "Missing data and cross-check"),
        columns=(
            _FIGURE,
            *columns(
                ("缺失处理代码", "Method", 20),
                ("缺失数据处理方法", "When data are missing", 40),
                ("保守性处理", "Conservative rule", 36),
                ("交叉验证来源", "Second source", 30),
            ),
            Column(label=text("允许偏差", "Difference"), unit="%", width=10),
        ),
        rows=tuple(
            (
                figure,
                x.missing.code,
                x.missing.text,
                x.conservative,
                x.second_source or text("单一来源", "single source"),
                plan.threshold_percent(figure),
            )
            for figure, x in named.items()
        ),
    )


def laboratory(named: Mapping[str, Parameter]) -> Table:
    """Sampling, preparation, analysis; only parameters that a laboratory finds."""
    rows: Rows = [
        (figure, x.sampling, x.preparation, x.method, x.laboratory, x.accreditation or None)
        for figure, parameter in named.items()
        if (x := parameter.laboratory) is not None
    ]
    return Table(
        id="plan_laboratory",
        title=text("采样、制样与检测", "Sampling, preparation and analysis"),
        columns=(
            _FIGURE,
            *columns(
                ("采样", "Sampling", 34),
                ("制样", "Preparation", 30),
                ("检测方法标准", "Method", 20),
                ("检测机构", "Laboratory", 22),
                ("资质编号", "Accreditation", 18),
            ),
        ),
        rows=tuple(rows),
    )


def instruments(plan: Plan, known: Sequence[Calibration]) -> Table:
    """The ledger of instruments; which of them feed the calculation is marked."""
    rows: Rows = []
    for each in known:
        x, last = each.instrument, each.last
        rows.append(
            (
                x.id,
                x.name,
                beside(x.model, x.serial),
                joined([*x.measures, *_feeds(plan, x)]),
                text("计算用", "calculation") if x.counts else text("核对用", "check only"),
                x.accuracy_class_percent,
                x.regulation or None,
                Decimal(x.interval_months),
                NONE if last is None else beside(last.number, last.calibrated.isoformat()),
                None if last is None else each.due(last).isoformat(),
                _state(x),
            )
        )
    return Table(
        id="plan_instruments",
        title=text("计量器具台账", "Ledger of instruments"),
        columns=(
            *columns(
                ("编号", "Id", 14),
                ("名称", "Instrument", 20),
                ("型号与出厂编号", "Model and serial number", 24),
                ("计量对象", "Measures", 34),
                ("用途", "Use", 10),
            ),
            Column(label=text("准确度等级", "Class"), unit="%", width=8),
            *columns(("检定规程", "Regulation", 16)),
            Column(label=text("检定周期（月）", "Interval, months"), width=10),
            *columns(
                ("现行证书", "Certificate", 26),
                ("有效至", "Valid until", 12),
                ("状态", "State", 16),
            ),
        ),
        rows=tuple(rows),
    )


def _feeds(plan: Plan, instrument: Instrument) -> list[str]:
    named = [x.figure for x in plan.parameter if instrument.id in x.instruments]
    return [figure for figure in named if figure not in instrument.measures]


def _state(instrument: Instrument) -> Text:
    if instrument.removed is not None:
        return text(f"{instrument.removed} 拆除", f"removed {instrument.removed}")
    if instrument.since is not None:
        return text(f"{instrument.since} 起在用", f"in use since {instrument.since}")
    return text("在用", "in use")


def plant_changes(plan: Plan) -> Table:
    """What changed at the plant, and which figures it moves."""
    return Table(
        id="plan_changes",
        title=text("设施、计量或方法的变化", "Changes of facilities, meters or methods"),
        columns=columns(
            ("日期", "Date", 12),
            ("变化", "Change", 40),
            ("原因", "Reason", 36),
            ("涉及参数", "Figures", 30),
        ),
        rows=tuple(
            (x.on.isoformat(), x.text, x.reason, joined(x.figures) if x.figures else NONE)
            for x in plan.change
        ),
    )
