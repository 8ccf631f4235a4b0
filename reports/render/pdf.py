"""The report as PDF: a Typst document fed with ready-made texts, set in our own fonts."""

import json
from datetime import UTC, datetime
from importlib.resources import as_file, files

from reports.model import Report
from reports.render.view import view


def render_pdf(report: Report, lang: str) -> bytes:
    """PDF bytes; the same report gives the same bytes."""
    import typst

    shown = view(report, lang) | {"unprintable": []}
    data = json.dumps(shown, ensure_ascii=False, sort_keys=True)
    source = files("reports").joinpath("render", "report.typ").read_bytes()
    with as_file(files("reports").joinpath("fonts")) as fonts:
        compiler = typst.Compiler(
            input=source,
            font_paths=typst.Fonts(
                include_system_fonts=False, include_embedded_fonts=False, font_paths=[fonts]
            ),
            ignore_system_fonts=True,
            sys_inputs={"report": data},
        )
        end = datetime.fromisoformat(report.content.period.end).astimezone(UTC)
        pdf = compiler.compile(format="pdf", timestamp=end)
    if not isinstance(pdf, bytes):
        raise TypeError("typst returned no single PDF")
    return pdf
