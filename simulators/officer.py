"""What the environment officer keeps: the month's entries as a workbook, and the ladle log."""

import csv
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from simulators.history import Month

SHEET = "填报 Entries"
HEADERS = (
    "项目 kind",
    "工序 line",
    "品种 item",
    "期间 period",
    "数值 value",
    "单位 unit",
    "凭证编号 voucher",
    "凭证文件 document",
    "说明 note",
    "样品编号 sample",
    "检测方法 method",
    "检测机构 laboratory",
    "资质编号 accreditation",
    "检测日期 tested_on",
    "有效期至 valid_until",
    "检定机构 body",
    "证书编号 certificate",
    "检定结论 result",
)
FACTS = tuple(header.rpartition(" ")[2] for header in HEADERS[9:])


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of the workbook."""

    kind: str
    line: str
    period: str
    value: float
    unit: str
    voucher: str = ""
    document: str = ""
    note: str = ""
    item: str = ""
    facts: dict[str, str] = field(default_factory=dict)  # sample, laboratory, valid_until …


def ladle_log_name(month: Month) -> str:
    """Name of the file beside the workbook that its rows point to."""
    return f"tapping-{month.month}.csv"


def write_ladle_log(folder: Path, month: Month) -> Path:
    """Tapped metal of every pot and day in kg, as the crane scale printed it."""
    path = folder / ladle_log_name(month)
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["日期 day", "槽号 pot", "出铝量 tapped kg"])
        for section, days in zip(month.plant.sections, month.tapped_kg, strict=True):
            for day, pots in enumerate(days, 1):
                for pot, kg in enumerate(pots, 1):
                    writer.writerow(
                        [
                            f"{month.month}-{day:02d}",
                            f"{section.name}/pot{pot:03d}",
                            f"{round(float(kg)):d}",
                        ]
                    )
    return path


def entries(month: Month) -> list[Row]:
    """Every figure of the month that no meter knows."""
    rows: list[Row] = []
    log = ladle_log_name(month)
    for section, days in zip(month.plant.sections, month.tapped_kg, strict=True):
        for day, kg in enumerate(np.round(days.sum(axis=1)), 1):
            period = f"{month.month}-{day:02d}"
            voucher = f"TAP-{period}-{section.number}"
            rows.append(
                Row(
                    "aluminium_tapped",
                    section.name,
                    period,
                    float(kg) / 1000,
                    "t",
                    voucher,
                    log,
                )
            )
        rows += _anodes(month, section.name, section.number)
    return rows + _heat(month) + _bills(month)


def _anodes(month: Month, line: str, number: int) -> list[Row]:
    used = round(month.truth["lines"][line]["anode"]["gross_t"], 3)
    begin = round(used * 0.45, 1)
    received = round(used * 1.02, 1)
    voucher = f"ANODE-{month.month}-{number}"
    laboratory = f"LAB-{month.month}-{number}"
    return [
        Row("anode_stock_begin", line, month.month, begin, "t", voucher),
        Row("anode_received", line, month.month, received, "t", voucher),
        Row("anode_stock_end", line, month.month, round(begin + received - used, 3), "t", voucher),
        Row("anode_consumed", line, month.month, used, "t", voucher, note="更换阳极过磅合计"),
        tested(Row("anode_sulphur", line, month.month, 1.94, "%", laboratory), "YS/T 63.20"),
        tested(Row("anode_ash", line, month.month, 0.37, "%", laboratory), "YS/T 63.19"),
    ]


def tested(row: Row, method: str) -> Row:
    """The row with the facts of a laboratory."""
    facts = {
        "sample": f"S-{row.period}-{row.line}-{row.kind}",
        "method": method,
        "laboratory": "示例检测中心（仿真）",
        "accreditation": "CNAS L00000",
        "tested_on": f"{row.period}-20",
    }
    return replace(row, facts=facts)


def _heat(month: Month) -> list[Row]:
    """Steam for the potrooms by the workshops' shares of what was bought, no meter of its own."""
    point = "plant/heat1 heat.energy"
    bought = float(month.series[point][-1]) - month.before[point]
    pots = month.plant.scenario.pots
    return [
        Row(
            "heat_process",
            section.name,
            month.month,
            round(0.6 * bought * section.pots.count / pots, 2),
            "GJ",
            f"HEAT-{month.month}-{section.number}",
            note="按热力分摊表",
        )
        for section in month.plant.sections
    ]


def _bills(month: Month) -> list[Row]:
    bought = {}
    for point in ("plant/grid1 meter.energy_import", "plant/heat1 heat.energy"):
        bought[point] = float(month.series[point][-1]) - month.before[point]
    grid, heat = bought.values()
    bill = f"BILL-{month.month}"
    return [
        Row("electricity_purchased", "plant", month.month, round(grid / 1000, 3), "MWh", bill),
        Row("heat_purchased", "plant", month.month, round(heat, 2), "GJ", bill),
    ]


def write_workbook(path: Path, rows: list[Row]) -> None:
    """The rows as the XLSX that ``smelter entries import`` reads."""
    import xlsxwriter

    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet(SHEET)
        bold = book.add_format({"bold": True, "bg_color": "#DDEBF7"})
        for column, header in enumerate(HEADERS):
            sheet.write_string(0, column, header, bold)
        for number, row in enumerate(rows, 1):
            before = (row.kind, row.line, row.item, row.period)
            after = (row.unit, row.voucher, row.document, row.note)
            facts = tuple(row.facts.get(name, "") for name in FACTS)
            for column, text in enumerate((*before, "", *after, *facts)):
                if text:
                    sheet.write_string(number, column, text)
            sheet.write_number(number, len(before), row.value)
        sheet.set_column(0, len(HEADERS) - 1, 18)
        sheet.freeze_panes(1, 0)
