"""Workbooks: every formula gives the figure of the report, and follows when an input changes."""

from decimal import Decimal
from functools import cache
from io import BytesIO

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from reports.formulas import FORMULAS
from reports.formulas.numbers import FormulaError
from reports.model import How, Input, Line, Report
from reports.render.expressions import (
    clauses,
    close,
    evaluate,
    expression_for,
    from_catalogue,
    with_cells,
)
from reports.render.workbook import Book
from reports.render.xlsx import render_xlsx
from tests.reports import specimen
from tests.reports.conftest import Office
from tests.reports.spreadsheet import Spreadsheet
from tests.reports.test_render import report_of


def line_cell(sheet: Spreadsheet, name: str, line: str, column: str = "D") -> tuple[str, str]:
    """Where a line's figure stands."""
    rows = sheet.book[name].iter_rows(min_row=2)
    return name, next(f"{column}{row[0].row}" for row in rows if row[0].value == line)


def agree(content: bytes) -> int:
    """Every formula recomputed is its cached value; returns how many there are."""
    sheet = Spreadsheet(content)
    formulas = sheet.formulas()
    for name, cell in formulas:
        cached = sheet.cached[name][cell].value
        shown = f"{name}!{cell} {sheet.book[name][cell].value}"
        assert sheet.value(name, cell) == pytest.approx(cached, rel=1e-12), shown
    return len(formulas)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_formula_of_a_month_gives_the_figure_of_the_report(kept: Office, lang: str) -> None:
    report = report_of(kept)
    assert agree(render_xlsx(report, lang)) > 3 * len(report.content.lines)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_formula_of_the_specimen_gives_the_figure(lang: str) -> None:
    assert agree(render_xlsx(specimen.report(), lang)) > 130


def test_a_changed_entry_is_felt_in_the_total(kept: Office) -> None:
    """Entry 1 is the metal of line 1: 100 t more give 100 × (0.02 × 6630 + 0.0011 × 11100)/1000."""
    content = render_xlsx(report_of(kept), "zh")
    before = Spreadsheet(content)
    after = Spreadsheet(content, {("录入数据", "E2"): 21150.25})
    total = line_cell(before, "逐项结果", "plant.emission")
    grown = (after.value(*total) or 0) - (before.value(*total) or 0)
    assert grown == pytest.approx(14.481)  # 13.26 + 1.221


def test_a_changed_rule_is_felt_in_the_net_anode(kept: Office) -> None:
    content = render_xlsx(report_of(kept), "zh")
    before = Spreadsheet(content)
    cell = next(
        row[2] for row in before.book["法规参数"].iter_rows() if row[1].value == "阳极损失率"
    )
    after = Spreadsheet(content, {("法规参数", cell.coordinate): 20.0})
    net = line_cell(before, "逐项结果", "line1.anode_net")
    assert before.value(*net) == pytest.approx(9876.4 * 0.8482)
    assert after.value(*net) == pytest.approx(9876.4 * 0.8)


@cache
def specimen_book(lang: str = "zh") -> Spreadsheet:
    return Spreadsheet(render_xlsx(specimen.report(), lang))


def test_the_year_is_the_sum_of_its_months_in_the_row() -> None:
    sheet = specimen_book()
    page = sheet.book["逐月数据"]
    rows = {row[0].value: row for row in page.iter_rows(min_row=1)}
    year = rows["一系列 铝液产量"]
    assert year[14].value == f"=SUM(C{year[0].row}:N{year[0].row})"
    # 12 × 20,123.455 + 17.005 × (0 + 1 + … + 11)
    assert sheet.cached["逐月数据"][year[14].coordinate].value == pytest.approx(242603.79)
    assert (
        year[2].value == f"='逐项结果'!{line_cell(sheet, '逐项结果', 'line1.aluminium@2026-01')[1]}"
    )
    heat = rows["全厂 净购入热量"]
    assert heat[4].value == "缺数据"  # March
    assert heat[14].value == "缺数据"  # a sum that lacks a part is no sum
    assert heat[2].number_format == "#,##0.00"


def test_the_plant_is_the_sum_of_the_places_above_it() -> None:
    sheet = specimen_book()
    rows = {row[0].value: row for row in sheet.book["汇总"].iter_rows(min_row=1)}
    plant, first = rows["全厂合计"], rows["一系列"]
    top = first[0].row or 0
    assert plant[1].value == f"=SUM(B{top}:B{top + 1})"
    assert plant[2].value is None  # nobody states it
    assert rows["二系列"][2].number_format == '#,##0.00"△"'
    assert first[2].number_format == '#,##0.00"※"'
    sums = rows["修约值之和"]
    assert sheet.value("汇总", sums[1].coordinate) == pytest.approx(485207.58)


def test_totals_of_a_table_are_live_and_say_what_is_missing() -> None:
    sheet = specimen_book()
    page = sheet.book["统计： 全年"]  # brackets are not allowed in the name of a sheet
    rows = list(page.iter_rows(values_only=True))
    top = next(n for n, row in enumerate(rows) if row[0] == "项目")
    total = rows[top + 41]
    assert total[0] == "合计（另缺 1 项）"
    assert total[1] == f"=SUM(B{top + 2}:B{top + 41})"
    assert total[7] == "" or total[7] is None
    assert sheet.value(page.title, f"B{top + 42}") == pytest.approx(39 * 0.125)
    assert rows[top + 7][1] is None  # missing is not zero
    assert page.cell(top + 2, 2).number_format == "#,##0.000"


def test_the_names_of_sheets_are_short_and_each_its_own() -> None:
    book = Book(None, "", "")
    names = [
        book.name(wanted) for wanted in ("甲" * 40, "甲" * 40, "History", "a/b:c", "A b c", "'")
    ]
    assert names == ["甲" * 31, "甲" * 29 + " 2", "History 2", "a b c", "A b c 2", "1"]


def test_sheets_come_in_the_order_of_the_chapters_in_both_languages() -> None:
    data = [
        "逐项结果",
        "输入",
        "法规参数",
        "录入数据",
        "计量与覆盖率",
        "版本差异",
        "与已上报的差异",
    ]
    names = specimen_book().book.sheetnames
    assert names[0] == "汇总"
    assert names[-7:] == data
    assert names.index("逐月数据") < names.index("统计： 全年") < names.index("计量器具")
    english = specimen_book("en").book.sheetnames
    assert english[0] == "Summary"
    assert english[-2:] == ["Changes", "Since lodged"]
    assert max(map(len, names + english)) <= 31


def test_the_summary_says_the_alarms() -> None:
    for lang, words in (
        (
            "zh",
            (
                "不得上报",
                "法规参数缺失：平衡值",
                "未经官方文本核实",
                "※",
                "△",
                "本期已于 2027-01-02",
                "偏低",
            ),
        ),
        (
            "en",
            ("not to be lodged", "Legal value not known", "Not confirmed", "※", "△", "HZ-20270102"),
        ),
    ):
        cells = [
            str(cell.value)
            for row in specimen_book(lang).book.worksheets[0].iter_rows()
            for cell in row
        ]
        for word in words:
            assert any(word.lower() in cell.lower() for cell in cells), word


def test_substituted_figures_say_so_at_the_line() -> None:
    sheet = specimen_book()
    page = sheet.book["逐项结果"]
    rows = {row[0].value: row for row in page.iter_rows(min_row=2)}
    line = rows["line2.anode_net"]
    heads = [cell.value for cell in page[1]]
    told = {head: cell.value for head, cell in zip(heads, line, strict=True)}
    assert (told["取得方式"], told["方法"], told["替代比例"], told["标记"]) == (
        *("替代数据", "CN-B", 0.25, "△"),
    )
    assert told["修约值"] == f"=ROUND(D{line[0].row},2)"
    assert sheet.value(page.title, f"C{line[0].row}") == -4321.01  # half away from zero


def test_pages_are_ready_to_print() -> None:
    book = specimen_book().book
    for sheet in book:
        assert sheet.page_setup.paperSize == 9, sheet.title  # A4
        setup = sheet.sheet_properties.pageSetUpPr
        assert setup is not None
        assert setup.fitToPage, sheet.title
        assert sheet.page_setup.fitToHeight == 0, sheet.title
        header, footer = sheet.oddHeader, sheet.oddFooter
        assert header is not None
        assert footer is not None
        assert "&P" in str(footer.right.text), sheet.title
        assert "示例铝业 && 有限公司" in str(header.left.text)  # one & is a command
        for letter, column in sheet.column_dimensions.items():
            assert column.width >= 8, f"{sheet.title} {letter}"
    wide = book["统计： 全年"]
    assert wide.page_setup.orientation == "landscape"
    assert wide.print_title_rows
    assert wide.freeze_panes
    assert book["逐项结果"].print_area


def report_without_lines() -> Report:
    report = specimen.report()
    empty = report.content.model_copy(
        update={
            "lines": (),
            "missing": (),
            "headline": (),
            "entries": (),
            "meters": (),
            "legals": (),
        }
    )
    return report.model_copy(update={"content": empty, "changes": (), "since_lodged": ()})


def test_an_empty_report_is_still_a_workbook() -> None:
    book = load_workbook(BytesIO(render_xlsx(report_without_lines(), "zh")))
    assert "版本差异" not in book.sheetnames
    assert book["逐项结果"].max_row == 1


# --- expressions

FRACTIONS = st.decimals(Decimal("0.01"), Decimal("0.3"), places=4)
EXACT = (
    *("anode_by_count", "anode_net", "anode_co2", "prebake_co2", "soderberg_co2", "co2_tier1"),
    *("pfc_default", "pfc_slope", "pfc_measured", "process_emission", "intensity", "packing_co2"),
    *("fuel_co2", "fuel_co2_carbon", "carbonate_co2", "soda_ash_co2", "energy_mwh"),
    *("specific_energy", "indirect_co2", "indirect_co2_heat", "allowance_value", "year_forecast"),
    *("cbam_certificates", "cbam_precursor"),
)


@pytest.mark.parametrize("name", EXACT)
@settings(max_examples=20)
@given(data=st.data())
def test_the_printed_equation_is_the_formula(name: str, data: st.DataObject) -> None:
    """Each of its clauses gives one of the results, whatever the numbers; so a cell may use it."""
    values = {key: data.draw(FRACTIONS) for key in FORMULAS[name].parameters}
    try:
        results = list(FORMULAS[name](**values).values())
    except FormulaError:
        assume(False)
    for expression in from_catalogue(name):
        assert any(close(evaluate(expression, values), result) for result in results), expression


def test_stock_balances_are_their_equations() -> None:
    values = {"stock_begin": Decimal(5), "purchased": Decimal(7), "sold": Decimal(1)}
    (expression,) = from_catalogue("stock_consumed")
    assert evaluate(expression, values | {"stock_end": Decimal(4)}) == 7
    (expression,) = from_catalogue("anode_stock")
    anode = {"stock_begin_t": Decimal(5), "received_t": Decimal(7), "stock_end_t": Decimal(4)}
    assert evaluate(expression, anode) == 8


def computed(formula: str, value: Decimal, values: dict[str, Decimal], equation: str = "") -> Line:
    inputs = tuple(
        Input(name=name, kind="site", ref="x", value=given, unit="t")
        for name, given in values.items()
    )
    return specimen.line(
        "plant.x", value, How.COMPUTED, inputs=inputs, formula=formula, equation=equation
    )


def test_an_expression_is_used_only_when_it_gives_the_figure() -> None:
    values = {"anode_t": Decimal(100), "loss_fraction": Decimal("0.2")}
    assert expression_for(computed("anode_net", Decimal(80), values)) == (
        "anode_t * (1 - loss_fraction)"
    )
    assert expression_for(computed("anode_net", Decimal(81), values)) is None
    assert expression_for(computed("unheard_of", Decimal(80), values, "x = anode_t")) is None
    assert expression_for(computed("anode_net", Decimal(80), {"anode_t": Decimal(100)})) is None
    zero = dict.fromkeys(("t_co2e", "aluminium_t"), Decimal(0))
    assert expression_for(computed("intensity", Decimal(0), zero)) is None


def test_one_of_several_results_that_are_the_same_is_no_answer() -> None:
    """No metal: CF4, C2F6 and CO2e are all zero, and no formula can be told from another."""
    names = ("ef_cf4_kg_per_t", "ef_c2f6_kg_per_t", "gwp_cf4", "gwp_c2f6")
    values = dict.fromkeys(names, Decimal(2)) | {"aluminium_t": Decimal(0)}
    assert expression_for(computed("pfc_default", Decimal(0), values)) is None


def test_a_line_without_formula_is_its_equation_when_that_names_its_inputs() -> None:
    values = {"A": Decimal(9), "E": Decimal(4)}
    assert expression_for(computed("", Decimal(5), values, "A − E")) == "A - E"
    assert expression_for(computed("", Decimal(5), values, "D = A − E")) == "A - E"
    assert expression_for(computed("", Decimal(5), values, "NC = C − B")) == "A - E"  # in order
    assert expression_for(computed("", Decimal(5), values, "NC = B + C")) is None
    assert expression_for(computed("", Decimal(5), values, "NC = C − B − D")) is None
    assert expression_for(computed("", Decimal(9), values, "max(0, C, B)")) == "max(0, A, E)"
    assert expression_for(computed("", Decimal(5), values, "⌊A⌋ − E")) is None
    assert expression_for(computed("", Decimal(5), values, "")) is None


def test_later_clauses_use_the_ones_before() -> None:
    assert clauses("C = B × A; D = C / 2") == ("B * A", "(B * A) / 2")
    assert clauses("W / [2 − x]") == ("W / (2 - x)",)


def test_an_expression_becomes_cells() -> None:
    cells = {"anode_t": "'a'!D4", "loss_fraction": "'a'!D5"}
    assert with_cells("anode_t * (1 - loss_fraction)", cells) == "'a'!D4*(1-'a'!D5)"
    assert with_cells("max(0, anode_t)", cells) == "MAX(0,'a'!D4)"


@pytest.mark.parametrize("evil", ["__import__('os')", "anode_t ** 9", "anode_t if 1 else 2", "'a'"])
def test_nothing_but_arithmetic_is_evaluated(evil: str) -> None:
    with pytest.raises((SyntaxError, KeyError)):
        evaluate(evil, {"anode_t": Decimal(1)})
