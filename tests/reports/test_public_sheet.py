"""The sheet made public and the tables of figures: one total, and the signs at every figure."""

from decimal import Decimal
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import load_workbook

from reports.chapters import Facts, Grid, Months, Signed, Table
from reports.model import Content
from reports.periods import Period
from reports.render.blocks import Pages, pages_of, printed
from reports.render.xlsx import render_xlsx
from tests.reports.planned import made
from tests.reports.year import YearOffice, month_rows

Y2025 = Period.year(2025)
ODD = Decimal("20000.003")  # t per month: each line 240000.036 a year, the plant 480000.072


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Pages:
    office = YearOffice(tmp_path_factory.mktemp("public"))
    rows = "".join(
        month_rows(month, line, ODD, 9400, 270000)
        for month in Y2025.months
        for line in ("line1", "line2")
    )
    office.enter(rows)
    return pages_of(made(office, "carbon-annual", Y2025).report, "zh")


def blocks(content: Content, chapter: str) -> list[object]:
    return [b for c in content.chapters if chapter in c.title.zh for b in c.blocks]


def last_rows(view: dict[str, object]) -> list[list[str]]:
    rows = view["rows"]
    assert isinstance(rows, list)
    return [["|".join(f"{v['t']}{v['m']}" for v in cell) for cell in r["cells"]] for r in rows]


def test_the_table_of_the_public_sheet_has_the_total_that_stands_above_it(year: Pages) -> None:
    """Rows 240,000.04 and 240,000.04; the plant is 480,000.072: 480,000.07, never their sum."""
    public = blocks(year.report.content, "信息公开")
    (table,) = [b for b in public if isinstance(b, Table) and b.id == "disclosed_processes"]
    (view,) = printed(year, table)
    *rows, total = last_rows(view)
    assert [row[2].replace("\u200b", "") for row in rows] == ["240,000.04", "240,000.04"]
    assert total[2].replace("\u200b", "") == "480,000.07"
    emission = year.report.content.line("plant.emission")
    assert f"{emission.rounded:,.2f}" in total[3]


def test_figures_of_the_public_sheet_carry_their_signs(year: Pages) -> None:
    public = blocks(year.report.content, "信息公开")
    (facts,) = [b for b in public if isinstance(b, Facts)]
    (view,) = printed(year, facts)
    told = dict(view["facts"])
    assert all("※ tCO2e" in told[name] for name in told if "排放" in name and "代码" not in name)
    (table,) = [b for b in public if isinstance(b, Table) and b.id == "disclosed_processes"]
    (shown,) = printed(year, table)
    assert all(row[3].endswith("※") for row in last_rows(shown))


def test_the_row_below_a_grid_sums_the_rounded_figures_of_the_places(year: Pages) -> None:
    """Not the twelve rounded months of the plant: 2 x 240,000.04 = 480,000.08."""
    (grid, *_) = [b for b in blocks(year.report.content, "排放汇总") if isinstance(b, Grid)]
    (view,) = printed(year, grid)
    assert last_rows(view)[-1][1] == "480,000.08"
    book = load_workbook(BytesIO(render_xlsx(year.report, "zh")))
    row = next(r for r in book["汇总"].iter_rows() if r[0].value == "修约值之和")
    assert str(row[1].value).count("!C") == 2  # the rounded figures of two lines


def test_a_sum_of_rounded_months_is_named_as_such(year: Pages) -> None:
    """Twelve times 40,000.01 is 480,000.12; the year says 480,000.07, and the note tells why."""
    (months,) = [b for b in blocks(year.report.content, "生产数据") if isinstance(b, Months)]
    (view,) = printed(year, months)
    assert last_rows(view)[-1][-1] == "480,000.07|Σ 480,000.12"
    assert "各月修约值之和" in view["notes"][0]


def test_fuels_of_the_first_page_carry_their_signs(tmp_path: Path) -> None:
    """Diesel by default values that nobody read in the guide: each of them has its sign."""
    office = YearOffice(tmp_path)
    march = Period.month(2026, 3)
    office.enter(
        month_rows(march, "line1", 20000, 9400, 270000)
        + month_rows(march, "line2", 10000, 4700, 135000)
        + "fuel_consumed,plant,2026-03,diesel,12.345,t,\n"
    )
    pages = pages_of(made(office, "carbon-monthly", march).report, "en")
    (table,) = [
        b
        for c in pages.report.content.chapters
        for b in c.blocks
        if isinstance(b, Table) and b.id == "fuels"
    ]
    (view,) = printed(pages, table)
    (row, total) = last_rows(view)
    assert total[-1].endswith("※")
    assert row[1] == "12.35"  # entered, no sign; rounded half up
    assert row[3].endswith("※")
    assert row[-1].endswith("※")
    assert isinstance(table.rows[0][-1], Signed)


def test_values_of_a_text_stand_by_their_own_confirmation(year: Pages) -> None:
    """The guide has values of both kinds: none of the restated ones is called unverified."""
    content = year.report.content
    for stamp in content.stamps:
        labels = {label.zh for label in stamp.parameters}
        kinds = {
            legal.confirmed
            for legal in content.legals
            if legal.label.zh in labels and legal.source.title == stamp.source.title
        }
        assert kinds == {stamp.confirmed}
    assert len({s.source.title for s in content.stamps}) < len(content.stamps)
