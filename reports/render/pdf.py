"""The report as PDF: a Typst document fed with ready-made texts, set in our own fonts."""

import json
from datetime import UTC, datetime
from importlib.resources import as_file, files
from typing import Final

from reports.model import Report
from reports.render.printed import ZERO_WIDTH_SPACE, View
from reports.render.view import view

# Signs that the Chinese font family has in no size: written as the functions they stand for.
SPELT: Final = str.maketrans({"⌊": "INT(", "⌋": ")", "⌈": "CEIL(", "⌉": ")"})


def render_pdf(report: Report, lang: str) -> bytes:
    """
    PDF bytes; the same report gives the same bytes.

    A character that our fonts lack is taken from the fonts of this machine, and the first page
    says which: another machine may show an empty box there, or other bytes.
    """
    import typst

    shown = printable(view(report, lang))
    foreign = unprintable(shown)
    data = json.dumps(shown | {"unprintable": foreign}, ensure_ascii=False, sort_keys=True)
    source = files("reports").joinpath("render", "report.typ").read_bytes()
    with as_file(files("reports").joinpath("fonts")) as fonts:
        compiler = typst.Compiler(
            input=source,
            font_paths=typst.Fonts(
                include_system_fonts=bool(foreign),
                include_embedded_fonts=False,
                font_paths=[fonts],
            ),
            ignore_system_fonts=not foreign,
            sys_inputs={"report": data},
        )
        end = datetime.fromisoformat(report.content.period.end).astimezone(UTC)
        pdf = compiler.compile(format="pdf", timestamp=end)
    if not isinstance(pdf, bytes):
        raise TypeError("typst returned no single PDF")
    return pdf


def printable(shown: View) -> View:
    """The view without signs that no font of the family has."""
    spelt: View = json.loads(json.dumps(shown, ensure_ascii=False).translate(SPELT))
    return spelt


def unprintable(shown: View) -> list[str]:
    """The characters of a report that our fonts lack, each with its code point."""
    held = set(files("reports").joinpath("fonts", "characters.txt").read_text("utf-8"))
    used = set(json.dumps(shown, ensure_ascii=False)) - held - {ZERO_WIDTH_SPACE}
    return [f"{character}（U+{ord(character):04X}）" for character in sorted(used)]
