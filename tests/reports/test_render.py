"""Reports on paper and in spreadsheets: real numbers, Chinese that renders, the same bytes."""

import json
from datetime import date
from io import BytesIO
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]
from openpyxl import load_workbook
from pypdf import PdfReader

from reports.model import Content, Report
from reports.render.items import runs
from reports.render.pdf import render_pdf
from reports.render.view import view
from reports.render.xlsx import render_xlsx
from tests.reports.conftest import Office

FONTS = Path(__file__).parents[2] / "reports" / "fonts"


def report_of(office: Office) -> Report:
    content = Content.model_validate_json(office.content().model_dump_json())
    return Report(
        written=date(2026, 11, 23),
        schema="smelter.report/2",
        version=1,
        previous_sha256="",
        changes=(),
        site="site.toml",
        content_sha256=content.digest(),
        content=content,
    )


def text_of(pdf: bytes) -> str:
    pages = PdfReader(BytesIO(pdf)).pages
    return "".join(page.extract_text() for page in pages).replace("\n", "").replace(" ", "")


def test_pdf_says_what_the_report_says_in_chinese(kept: Office) -> None:
    report = report_of(kept)
    pdf = render_pdf(report, "zh")
    text = text_of(pdf)
    for words in (
        "铝电解工序温室气体排放月度报告",
        "2026年10月",
        "示例铝业有限公司",
        "铝液产量",
        "阳极消耗量",
        "阳极净消耗量",
        "阳极效应排放",
        "法规参数未经官方文本核实",
        "CETS-AG-04.01-V01-2024",
        "月度存证截止",
        "填报人",
        "审核人",
        "48,745.28",
        "31,062.75",
        "1.5693",
        "12,364.12",  # sum of rounded figures
        "E_anode=NC×(1−S−A)×44/12",
        "由表底补齐475,938.375",
        "weighing.txt",
        "第1页，共",
        report.content_sha256[:32],
    ):
        assert words.replace(" ", "") in text, words


def test_pdf_of_an_incomplete_month_says_so_first(office: Office) -> None:
    first = PdfReader(BytesIO(render_pdf(report_of(office), "zh"))).pages[0].extract_text()
    assert "不得上报" in first
    assert "缺数据" in first
    assert "缺少 line1 2026-10 的铝液产量" in first.replace("\n", "")


def test_pdf_in_english(kept: Office) -> None:
    text = text_of(render_pdf(report_of(kept), "en"))
    for words in ("Liquidaluminium", "Netanodeconsumption", "Summary", "Preparedby", "48,745.28"):
        assert words in text, words


def test_pdf_uses_our_fonts_only(kept: Office) -> None:
    pages = PdfReader(BytesIO(render_pdf(report_of(kept), "zh"))).pages
    names = {
        str(font.get_object()["/BaseFont"])
        for page in pages
        for font in page["/Resources"]["/Font"].values()  # type: ignore[index]
    }
    assert names
    assert all("NotoSansCJK" in name for name in names), names


@pytest.mark.parametrize("style", ["Regular", "Bold"])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_printed_character_is_in_the_font(kept: Office, style: str, lang: str) -> None:
    known = TTFont(FONTS / f"NotoSansCJKsc-{style}-subset.otf").getBestCmap()
    template = Path(__file__).parents[2] / "reports" / "render" / "report.typ"
    words = json.dumps(view(report_of(kept), lang), ensure_ascii=False)
    printed = set(words + template.read_text("utf-8")) - {"\n", "\u200b"}
    assert sorted(c for c in printed if ord(c) not in known) == []


def test_font_covers_gb2312_and_carries_its_licence() -> None:
    known = TTFont(FONTS / "NotoSansCJKsc-Regular-subset.otf").getBestCmap()
    hanzi = [
        bytes((high, low)).decode("gb2312", "ignore")
        for high in range(0xB0, 0xF8)
        for low in range(0xA1, 0xFF)
    ]
    wanted = {ord(character) for character in hanzi if character}
    assert len(wanted) == 6763
    assert wanted <= set(known)
    licence = (FONTS / "OFL.txt").read_text("utf-8")
    assert "SIL OPEN FONT LICENSE Version 1.1" in licence
    assert "PERMISSION & CONDITIONS" in licence
    assert "Adobe" in licence


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_same_report_gives_the_same_bytes(kept: Office, lang: str) -> None:
    report = report_of(kept)
    assert render_pdf(report, lang) == render_pdf(report, lang)
    assert render_xlsx(report, lang) == render_xlsx(report, lang)


def test_workbook_holds_real_numbers(kept: Office) -> None:
    report = report_of(kept)
    book = load_workbook(BytesIO(render_xlsx(report, "zh")))
    names = ["汇总", "逐项结果", "输入", "法规参数", "录入数据", "计量与覆盖率"]
    assert book.sheetnames == names
    rows = {row[0].value: row for row in book["逐项结果"].iter_rows(min_row=2)}
    line = rows["plant.emission"]
    assert line[2].value == 48745.28
    assert line[2].number_format == "#,##0.00"
    assert float(line[3].value) == pytest.approx(48745.28448179333, rel=1e-12)  # type: ignore[arg-type]
    assert line[4].value == 48745.29
    assert rows["plant.intensity"][2].number_format == "#,##0.0000"
    assert len(rows) == len(report.content.lines)
    legals = {row[1].value: row for row in book["法规参数"].iter_rows(min_row=2)}
    assert legals["阳极损失率"][2].value == 15.18
    assert legals["阳极损失率"][5].value == "二手资料"
    entries = list(book["录入数据"].iter_rows(min_row=2))
    assert len(entries) == 7
    assert len(str(entries[0][11].value)) == 64
    coverage = list(book["计量与覆盖率"].iter_rows(min_row=2, max_row=5))
    assert [row[1].value for row in coverage][:2] == [107136000, 175585860]
    assert coverage[1][8].value == pytest.approx(121 / 60)
    for sheet in book:
        for letter, column in sheet.column_dimensions.items():
            assert column.width >= 8, f"{sheet.title} {letter}"


def test_workbook_of_an_incomplete_month_has_blanks_not_zeros(office: Office) -> None:
    book = load_workbook(BytesIO(render_xlsx(report_of(office), "zh")))
    rows = {row[0].value: row for row in book["逐项结果"].iter_rows(min_row=2)}
    assert rows["line1.aluminium"][2].value is None
    assert rows["line1.aluminium"][6].value == "缺数据"
    cells = [str(cell.value) for row in book["汇总"].iter_rows() for cell in row if cell.value]
    assert any("不得上报" in cell for cell in cells)


def test_a_month_of_days_is_printed_as_one_row(office: Office) -> None:
    rows = [f"aluminium_tapped,line1,2026-10-{day:02d},679.5,t\n" for day in range(1, 32)]
    office.enter("kind,line,period,value,unit\n" + "".join(rows))
    report = report_of(office)
    (run,) = runs(report.content.entries)
    text = text_of(render_pdf(report, "zh"))
    assert len(run) == 31
    assert "2026-10-01–2026-10-31" in text
    assert "Σ21,064.5t" in text
