"""Reports on paper: every block in both languages, Chinese that renders, the same bytes."""

from datetime import date
from decimal import Decimal
from functools import cache, partial
from io import BytesIO

import pytest
from pypdf import PdfReader

from reports.chapters import Column, Months, Table
from reports.model import Content, How, Report
from reports.render.blocks import month_name, pages_of
from reports.render.items import runs
from reports.render.marks import marks
from reports.render.pdf import printable, render_pdf
from reports.render.printed import LANDSCAPE_PT, Head, breakable, laid_out, said, table
from reports.render.view import chinese, front_facts, numbered, period_text, view
from reports.render.xlsx import render_xlsx
from tests.reports import specimen
from tests.reports.conftest import Office
from tests.reports.specimen import pages


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


@cache
def specimen_pdf(lang: str) -> bytes:
    return render_pdf(specimen.report(), lang)


def text_of(pdf: bytes) -> str:
    return "".join(pages(pdf)).replace(" ", "")


# --- a month of the plant


def test_pdf_says_what_the_report_says_in_chinese(kept: Office) -> None:
    report = report_of(kept)
    text = text_of(render_pdf(report, "zh"))
    for words in (
        report.content.title.zh,
        "2026年10月",
        "示例铝业有限公司",
        "铝液产量",
        "阳极消耗量",
        "阳极净消耗量",
        "阳极效应排放",
        "法规参数未经官方文本核实",
        "※该数值使用了（直接或经由其他数值）未经官方文本核实的法规参数",
        "CETS-AG-04.01-V01-2024",
        "月度存证截止2026-12-10（还剩17天）",  # 40 days after 31 October, from 23 November
        "填报人",
        "审核人",
        "48,745.28※",
        "31,062.75",
        "1.5693※",
        "12,364.12",  # sum of rounded figures
        "E_anode=NC×(1−S−A)×44/12",
        "由表底补齐475,938.375",
        "weighing.txt",
        "第1页，共",
        report.content_sha256[:32],
    ):
        assert words.replace(" ", "") in text, words
    assert "31,062.75※" not in text  # metal as it was weighed rests on no rule


def test_pdf_of_an_incomplete_month_says_so_first(office: Office) -> None:
    first = pages(render_pdf(report_of(office), "zh"))[0]
    assert "不得上报" in first
    assert "缺数据" in first
    assert "缺少 line1 2026-10 的铝液产量" in first


def test_pdf_in_english(kept: Office) -> None:
    text = text_of(render_pdf(report_of(kept), "en"))
    for words in ("Liquidaluminium", "Netanodeconsumption", "Preparedby", "48,745.28※"):
        assert words in text, words


def test_pdf_uses_our_fonts_only(kept: Office) -> None:
    found = PdfReader(BytesIO(render_pdf(report_of(kept), "zh"))).pages
    names = {
        str(font.get_object()["/BaseFont"])
        for page in found
        for font in page["/Resources"]["/Font"].values()  # type: ignore[index]
    }
    assert names
    assert all("NotoSansCJK" in name for name in names), names


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_same_report_gives_the_same_bytes(kept: Office, lang: str) -> None:
    report = report_of(kept)
    again = Report.model_validate_json(report.text())
    assert render_pdf(report, lang) == render_pdf(again, lang)
    assert render_xlsx(report, lang) == render_xlsx(again, lang)


def test_a_month_of_days_is_printed_as_one_row(office: Office) -> None:
    rows = [f"aluminium_tapped,line1,2026-10-{day:02d},679.5,t\n" for day in range(1, 32)]
    office.enter("kind,line,period,value,unit\n" + "".join(rows))
    report = report_of(office)
    (run,) = runs(report.content.entries)
    text = text_of(render_pdf(report, "zh"))
    assert len(run) == 31
    assert "2026-10-01–2026-10-31" in text
    assert "Σ21,064.5t" in text


# --- every block


def test_the_first_page_of_the_specimen_in_chinese() -> None:
    first = pages(specimen_pdf("zh"))[0].replace(" ", "")
    for words in (
        "示例年度报告",
        "2026年",
        "91410000MA00000000",
        "v2（替代v1），编制于2027-01-05",
        "事项1截止2027-01-05（今日截止）",
        "事项2截止2027-03-31（还剩85天）",
        "数据不完整——不得上报",
        "缺少3月的数据→全厂净购入热量",
        "已上报",
        "本期已于2027-01-02上报第1版，回执HZ-20270102-001（王敏）。本版与其不同：",
        "录入第1条被修订（王敏）",
        "法规参数缺失",
        "须打开企业温室气体排放核算与报告指南",
        "以补充规则录入guide.balance_value",
        "法规参数未经官方文本核实",
        "（生态环境部网站）二手资料：阳极损失率。",
        "一系列阳极净消耗量：偏低",
        "※该数值使用了",
        "△该数值包含",
        "8,377.16※",
        "-4,321.01△",
        "485,207.58",
        "单位负责人（盖章）",
    ):
        assert words in first, words
    assert "事项0" not in first  # past; it stands in its chapter


def test_every_block_of_the_specimen_is_printed_in_both_languages() -> None:
    zh, en = (text_of(specimen_pdf(lang)) for lang in ("zh", "en"))
    for chinese_words, english_words in (
        ("二、说明", "2Text"),
        ("本章说明数据来源", "Thischaptersays"),
        ("注意：示例。", "Note:aspecimen."),
        ("三、逐月数据", "3Months"),
        ("12月", "Dec"),
        ("统计：[全年]", "Statistics[year]"),
        ("合计（另缺1项）", "Total(1missing)"),
        ("误差取自检定证书。", "Errorsarethoseofthecertificates."),
        ("空表无。", "EmptyNone."),
        ("公式与输入", "Formulaandinputs"),
        ("NC=C×(1−r)", "NC=C×(1−r)"),
        ("替代数据CN-B替代25%", "substitutedCN-B25%substituted"),
        ("覆盖率75%；9个月有数据", "coverage75%;9months"),
        ("事项0", "duty0"),
        ("已过期5天", "5dayslate"),
        ("平衡值", "Balancevalue"),
        ("阳极损失率※", "Anodelossrate※"),
        ("样品编号：S-1", "S-1"),
        ("与已上报的第1版的差异", "Againstversion1,whichwaslodged"),
        ("目录", "Contents"),
        ("规则包guide", "rulepackguide"),
    ):
        assert chinese_words in zh, chinese_words
        assert english_words in en, english_words


def note_place(
    places: list[float],
    text: str,
    page: list[float],
    line: list[float],
    _font: object,
    _size: float,
) -> None:
    """Where a text begins, in points from the left edge."""
    if text.strip():
        places.append(page[0] * line[4] + page[2] * line[5] + page[4])


def test_wide_chapters_lie_on_turned_paper_and_nothing_leaves_it() -> None:
    reader = PdfReader(BytesIO(specimen_pdf("zh")))
    turned = []
    for page in reader.pages:
        box = page.mediabox
        flat = box.width > box.height
        assert {round(float(box.width)), round(float(box.height))} == {595, 842}
        places: list[float] = []
        words = page.extract_text(visitor_text=partial(note_place, places))
        assert min(places) >= 40
        assert max(places) <= float(box.width) - 40
        turned.append((flat, "1,234,567,890.12" in words or "月均值" in words))
    assert all(flat for flat, wide in turned if wide)
    assert sum(wide for _, wide in turned) >= 2
    assert not turned[0][0]
    assert not turned[-1][0]


def test_the_head_of_a_long_table_is_on_each_of_its_pages() -> None:
    found = [page for page in pages(specimen_pdf("zh")) if "行的项目名称" in page]
    assert len(found) >= 2
    assert all("月均值" in page and "缺测数" in page for page in found)
    rows = [n for n in range(1, 41) if any(f"第 {n} 行的项目名称" in page for page in found)]
    assert rows == list(range(1, 41))


def test_every_figure_of_the_months_is_there_and_none_is_broken() -> None:
    (page,) = [p for p in pages(specimen_pdf("zh")) if "逐月数据" in p and "全年" in p]
    page = page.replace(" ", "")
    for figure in ("20,123.46", "20,310.51", "242,603.79", "1,234,567,890.12", "缺数据"):
        assert figure in page, figure


def test_the_place_is_named_once() -> None:
    shown = pages_of(specimen.report(), "zh")
    line = shown.lines["line1.aluminium"]
    alone = Months(title=specimen.text("一系列", "Potline 1"), lines=(line.id,), months=())
    assert month_name(shown, alone, line) == "铝液产量"
    untitled = alone.model_copy(update={"title": None})
    assert month_name(shown, untitled, line) == "一系列 铝液产量"
    two = alone.model_copy(update={"lines": (line.id, "line2.aluminium")})
    assert month_name(shown, two, line) == "一系列 铝液产量"
    assert month_name(shown, two, shown.lines["line1.aluminium@2026-01"]) == "一系列 铝液产量"


# --- the parts of it


def test_a_line_inherits_the_signs_of_the_lines_it_is_made_from() -> None:
    content = specimen.report().content
    net = content.line("line1.anode_net")
    total = specimen.summed("plant.anode_net", [net, content.line("line2.anode_net")])
    grand = specimen.summed("plant.all", [total, content.line("line1.anode_consumed")])
    lines = (grand, total, *content.lines)  # in any order
    found = marks(content.model_copy(update={"lines": lines}))
    assert found["line1.anode_net"] == "※"
    assert found["line2.anode_net"] == "△"
    assert found["plant.all"] == "※△"
    assert found["line1.anode_consumed"] == ""


def test_official_rules_leave_no_sign() -> None:
    content = specimen.report().content
    legals = tuple(use.model_copy(update={"confirmed": "official"}) for use in content.legals)
    assert marks(content.model_copy(update={"legals": legals}))["line1.anode_net"] == ""


def test_rules_that_the_plant_checked_have_a_sign_of_their_own() -> None:
    report = specimen.report()
    legals = tuple(use.model_copy(update={"confirmed": "site"}) for use in report.content.legals)
    content = report.content.model_copy(update={"legals": legals, "stamps": ()})
    assert marks(content)["line1.anode_net"] == "◇"
    first = pages(render_pdf(report.model_copy(update={"content": content}), "zh"))[0]
    assert "◇ 该数值使用了（直接或经由其他数值）本厂录入并核对的法规参数" in first
    assert "※" not in first


def test_chapters_are_numbered_as_chinese_officials_do() -> None:
    numbers = {1: "一", 9: "九", 10: "十", 11: "十一", 20: "二十", 21: "二十一", 99: "九十九"}
    assert {n: chinese(n) for n in numbers} == numbers
    assert numbered(12, "附件", "zh") == "十二、附件"
    assert numbered(12, "Annex", "en") == "12  Annex"
    assert period_text("2026-10", "zh") == "2026 年 10 月"
    assert period_text("2026", "zh") == "2026 年"
    assert period_text("2026-10", "en") == "2026-10"


def test_a_chapter_with_nothing_but_an_empty_part_is_left_out_and_not_counted() -> None:
    report = specimen.report().model_copy(
        update={"changes": (), "since_lodged": (), "lodged": None}
    )
    titles = [c["title"] for group in view(report, "zh")["groups"] for c in group["chapters"]]
    assert not any("changes" in title for title in titles)
    assert [title.partition("、")[0] for title in titles] == [
        chinese(n + 1) for n in range(len(titles))
    ]


@pytest.mark.parametrize(
    ("written", "facts"),
    [
        (date(2026, 12, 30), ["事项0截止", "事项1截止", "事项2截止"]),
        (date(2026, 12, 31), ["事项0截止", "事项1截止", "事项2截止"]),  # the day itself
        (date(2027, 1, 1), ["事项1截止", "事项2截止"]),
        (date(2027, 4, 1), ["事项0截止", "事项1截止", "事项2截止"]),  # all are past: all are shown
    ],
)
def test_the_first_page_shows_the_duties_ahead(written: date, facts: list[str]) -> None:
    report = specimen.report().model_copy(update={"written": written})
    shown = front_facts(pages_of(report, "zh"))
    assert [name for name, _ in shown if name.startswith("事项")] == facts
    if written == date(2027, 4, 1):
        assert shown[-1] == ["事项2截止", "2027-03-31（已过期 1 天）"]


def test_a_report_that_says_what_was_lodged_says_so() -> None:
    report = specimen.report().model_copy(update={"since_lodged": ()})
    first = pages(render_pdf(report, "zh"))[0].replace(" ", "")
    assert "本版与已上报内容相同。" in first


def test_many_differences_are_counted_on_the_first_page_and_listed_in_their_chapter() -> None:
    report = specimen.report()
    many = tuple(
        report.since_lodged[0].model_copy(update={"ref": f"line{n}.unknown"}) for n in range(20)
    )
    found = pages(render_pdf(report.model_copy(update={"since_lodged": many}), "zh"))
    assert "line7.unknown" in found[0]
    assert "line8.unknown" not in found[0]
    assert "另有 12 项" in found[0]
    assert any("line19.unknown" in page for page in found[1:])


def test_long_runs_may_break_and_short_ones_may_not() -> None:
    assert breakable("line1.anode_net") == "line1.\u200banode_\u200bnet"
    assert breakable("1,234,567.89 t") == "1,234,567.89 t"
    hash_ = "ab" * 32
    assert max(map(len, breakable(hash_).split("\u200b"))) == 8
    assert breakable(hash_).replace("\u200b", "") == hash_


def test_the_type_gets_smaller_until_the_table_fits() -> None:
    def size(digits: int) -> float:
        heads = [Head("项目"), *(Head(f"{n}月", right=True) for n in range(13))]
        rows = [[[said("铝液产量")], *([said("9" * digits)] for _ in range(13))]]
        return float(laid_out(table(heads, rows), LANDSCAPE_PT)["size"])

    sizes = [size(digits) for digits in (4, 10, 12, 14, 40)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] == 8
    assert sizes[1] >= 7
    assert sizes[-1] == 5


def test_signs_no_font_has_are_written_as_functions() -> None:
    assert printable({"t": "A = ⌊E × (1 + α)⌋"}) == {"t": "A = INT(E × (1 + α))"}


def test_zero_and_nothing_are_told_apart() -> None:
    zero = specimen.line("plant.zero", Decimal(0))
    gone = specimen.line("plant.gone", None, How.MISSING, missing=(specimen.text("缺", "gone"),))
    content = specimen.report().content
    columns = (Column(label=specimen.text("甲", "A")), Column(label=specimen.text("乙", "B")))
    rows = ((Decimal(0), None), ("", Decimal("-0.5")))
    block = Table(id="t", title=specimen.text("表", "T"), columns=columns, rows=rows)
    chapter = content.chapters[0].model_copy(update={"blocks": (block,)})
    content = content.model_copy(
        update={"chapters": (chapter,), "lines": (zero, gone, *content.lines)}
    )
    shown = view(specimen.report().model_copy(update={"content": content}), "zh")
    (printed,) = shown["groups"][0]["chapters"][0]["blocks"]
    cells = [[cell[0]["t"] for cell in row["cells"]] for row in printed["rows"]]
    assert cells == [["0", "—"], ["", "-0.5"]]
