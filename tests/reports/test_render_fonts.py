"""The shipped fonts hold every character that the product can print, and names that people type."""

import ast
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

from reports.render.pdf import SPELT, render_pdf, unprintable
from reports.render.view import view
from tests.reports import specimen

ROOT = Path(__file__).parents[2]
FONTS = ROOT / "reports" / "fonts"
HELD = set(files("reports").joinpath("fonts", "characters.txt").read_text("utf-8"))


def texts() -> Iterator[tuple[str, str]]:
    """Every text of reports/ that may be printed: strings of the code, rules, kinds, layout."""
    for path in sorted((ROOT / "reports").rglob("*")):
        name = path.relative_to(ROOT).as_posix()
        if path.suffix == ".py" and "fonts" not in path.parts:
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield f"{name}:{node.lineno}", node.value
        elif path.suffix in {".toml", ".typ"}:
            yield name, path.read_text("utf-8")


def test_every_text_of_the_reports_can_be_printed() -> None:
    known = HELD | {"\n", "\t", "\r", "\u200b", "\ufeff"} | {chr(code) for code in SPELT}
    lacking = {
        f"{where}: {character} U+{ord(character):04X}"
        for where, words in texts()
        for character in words
        if character not in known
    }
    assert sorted(lacking) == []


def test_the_list_of_characters_is_that_of_the_fonts() -> None:
    for style in ("Regular", "Bold"):
        font = TTFont(FONTS / f"NotoSansCJKsc-{style}-subset.otf")
        assert {chr(code) for code in font.getBestCmap()} == HELD
        assert (FONTS / f"NotoSansCJKsc-{style}-subset.otf").stat().st_size < 6_000_000


def test_the_fonts_hold_gb2312_and_the_table_of_2013() -> None:
    hanzi = {
        bytes((high, low)).decode("gb2312", "ignore")
        for high in range(0xB0, 0xF8)
        for low in range(0xA1, 0xFF)
    } - {""}
    assert len(hanzi) == 6763
    assert hanzi <= HELD
    table = set("".join((FONTS / "table2013.txt").read_text("utf-8").split()))
    assert len(table) == 1467  # of its 8,105 characters, those that GB 2312 lacks
    assert table.isdisjoint(hanzi)
    assert table <= HELD
    assert set("喆堃玥珺禤镕翀濬頔龑𬭎") - {"禤"} <= HELD  # of people's names


def test_the_fonts_carry_their_licence() -> None:
    licence = (FONTS / "OFL.txt").read_text("utf-8")
    assert "SIL OPEN FONT LICENSE Version 1.1" in licence
    assert "PERMISSION & CONDITIONS" in licence
    assert "Adobe" in licence


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_character_that_no_font_of_ours_has_is_named_on_the_first_page(lang: str) -> None:
    report = specimen.report()
    assert specimen.RARE not in HELD
    assert unprintable(view(report, lang)) == [f"{specimen.RARE}（U+9F98）"]
    first = specimen.pages(render_pdf(report, lang))[0]
    assert "U+9F98" in first
    assert ("字库缺字" if lang == "zh" else "font that has it") in first


def test_nothing_is_said_when_all_can_be_printed() -> None:
    report = specimen.report()
    (entry,) = report.content.entries
    usual = entry.model_copy(update={"author": "欧阳喆"})
    content = report.content.model_copy(update={"entries": (usual,)})
    shown = view(report.model_copy(update={"content": content}), "zh")
    assert unprintable(shown) == []
