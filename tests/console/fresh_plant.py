"""A plant that just began: one potline, no meter, nothing entered; tables as officers fill them."""

import io
from pathlib import Path

from openpyxl import load_workbook

SITE = """
plant = "fresh"
name = { zh = "新建铝业有限公司", en = "Fresh Aluminium Co., Ltd." }
province = "henan"
lake = "lake"
entries = "data/entries.jsonl"

[[potline]]
id = "line1"
name = { zh = "一系列", en = "Potline 1" }
process = "1"
capacity_t_per_year = 250000
design_current_ka = 400
design_voltage_v = 4.0
pots = 240
rectifiers = 6
started = 2015-06-01
"""
FIGURES = {
    "aluminium_tapped": "21050.25",
    "anode_consumed": "9876.40",
    "electricity_ac": "283000",
    "electricity_aux": "5200",
    "electricity_purchased": "29000",
}


def fresh_folder(root: Path) -> Path:
    """The path of its site.toml."""
    root.mkdir(parents=True)
    site_file = root / "site.toml"
    site_file.write_text(SITE, "utf-8")
    return site_file


def filled(template: bytes, figures: dict[str, str], document: str = "") -> bytes:
    """The template with values; ``document`` is named beside the tapped metal."""
    book = load_workbook(io.BytesIO(template))
    for sheet in book.worksheets[1:-1]:
        heads = [str(cell.value or "").rpartition(" ")[2] for cell in sheet[1]]
        for row in sheet.iter_rows(min_row=2):
            kind = str(row[0].value or "").rpartition("[")[2].rstrip("]")
            if kind in figures:
                row[heads.index("value")].value = figures[kind]
                if document and kind == "aluminium_tapped":
                    row[heads.index("document")].value = document
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
