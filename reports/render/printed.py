"""The printed shapes: cells, columns that fit the paper, tables; all that the page layout knows."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from unicodedata import east_asian_width

View = dict[str, Any]
Cell = list[View]  # lines of a cell, one below the other

PORTRAIT_PT: Final = 499.0  # width between the margins of A4
LANDSCAPE_PT: Final = 745.0
INSET_PT: Final = 10.0  # left and right of a cell together
SIZES_PT: Final = (8.0, 7.5, 7.0)
SMALL_SIZES_PT: Final = (*SIZES_PT, 6.5, 6.0, 5.5, 5.0)
ZERO_WIDTH_SPACE: Final = "\u200b"  # where a long run may break
LATIN_EM: Final = 0.58  # a figure or letter of the font, about
ROOMY: Final = 2.2  # a small table is set no wider than so many times what it needs
_FITTED: Final = frozenset({"columns", "relative", "even"})
_RUN = re.compile(r"[!-~]{15,}")  # letters without a space, too long for a narrow column


def said(text: str, style: str = "plain", mark: str = "") -> View:
    """One line of a cell: plain, strong, small, grey, accent, amber or red; ``mark`` is raised."""
    return {"t": breakable(text), "s": style, "m": mark}


def breakable(text: str) -> str:
    """Long runs without spaces (hashes, ids, file names) may break after a sign or anywhere."""
    return _RUN.sub(lambda run: ZERO_WIDTH_SPACE.join(_pieces(run.group())), text)


def _pieces(run: str) -> list[str]:
    parts = re.findall(r"[^/._:@=-]+[/._:@=-]*|[/._:@=-]+", run)
    return [part[n : n + 8] for part in parts for n in range(0, len(part), 8)]


@dataclass(frozen=True, slots=True)
class Head:
    """A column: numbers stand right and are never broken; texts wrap at about ``width`` em."""

    label: str
    unit: str = ""
    right: bool = False
    width: float = 12.0


def em(text: str) -> float:
    """Width of a text, about, in em."""
    return sum(1.0 if east_asian_width(c) in {"W", "F"} else LATIN_EM for c in text)


def _head_em(head: Head) -> float:
    """A head wraps between words and Chinese characters, a unit does not wrap."""
    words = re.findall(r"[!-~]+", head.label)
    wish = min(em(head.label), 5.0)
    return max(wish, em(head.unit) * 0.9, *(em(word) for word in words), 0.0)


def needs(heads: Sequence[Head], rows: Sequence[Sequence[Cell]]) -> list[float]:
    """Width that each column wants, in em without its inset."""
    wanted = []
    for n, head in enumerate(heads):
        longest = max(
            (em(line["t"]) + len(line["m"]) * 0.7 for row in rows for line in row[n]), default=0.0
        )
        held = longest if head.right else min(longest, head.width)
        wanted.append(max(held, _head_em(head), 2.0))
    return wanted


def fits(heads: Sequence[Head], rows: Sequence[Sequence[Cell]], width_pt: float) -> bool:
    """Whether the table stands on paper of that width in a size that is easy to read."""
    return _width(needs(heads, rows), SIZES_PT[-1]) <= width_pt


def _width(wanted: list[float], size_pt: float) -> float:
    return sum(wanted) * size_pt + INSET_PT * len(wanted)


def table(
    heads: Sequence[Head],
    rows: Sequence[Sequence[Cell]],
    *,
    title: str = "",
    notes: Sequence[str] = (),
    strong: int | None = None,
    small: int | None = None,
    relative: Sequence[float] = (),
) -> View:
    """
    A table before its place on paper is known; ``strong`` and ``small`` are rows.

    ``relative`` are shares of the full width; else widths follow the content. ``EVEN`` added to it
    gives all columns of figures the same width, and the table that of the page.
    """
    return {
        "kind": "table",
        "title": title,
        "heads": [{"label": head.label, "unit": head.unit, "right": head.right} for head in heads],
        "columns": list(heads),
        "rows": [
            {
                "tone": "strong" if n == strong else "small" if n == small else "plain",
                "cells": list(row),
            }
            for n, row in enumerate(rows)
        ],
        "notes": list(notes),
        "relative": list(relative),
        "even": False,
    }


EVEN: Final[View] = {"even": True}


def laid_out(block: View, width_pt: float) -> View:
    """The block with sizes for paper of that width: the largest type in which it fits."""
    if block["kind"] == "chart":
        kept = {key: value for key, value in block.items() if key != "draw"}
        return kept | {"svg": block["draw"](width_pt)}
    if block["kind"] != "table":
        return block
    rows = [row["cells"] for row in block["rows"]]
    wanted, columns = needs(block["columns"], rows), range(len(block["columns"]))
    size = next((s for s in SMALL_SIZES_PT if _width(wanted, s) <= width_pt), SMALL_SIZES_PT[-1])
    if block["even"]:
        widest = max((wanted[n] for n in columns if block["columns"][n].right), default=0.0)
        equal = [widest if block["columns"][n].right else wanted[n] for n in columns]
        wanted = equal if _width(equal, size) <= width_pt else wanted
    widths = [w * size + INSET_PT for w in wanted]
    whole = block["relative"] or block["even"]
    share = 1.0 if whole else min(1.0, max(0.5, ROOMY * sum(widths) / width_pt))
    kept = {key: value for key, value in block.items() if key not in _FITTED}
    marks = [max((len(line["m"]) for row in rows for line in row[n]), default=0) for n in columns]
    heads = [head | {"marks": count} for head, count in zip(block["heads"], marks, strict=True)]
    return kept | {
        "size": size,
        "share": share,
        "widths": block["relative"] or widths,
        "heads": heads,
    }


def is_wide(block: View) -> bool:
    """Whether the block needs the paper turned."""
    if block["kind"] != "table" or block["relative"]:
        return False
    return not fits(block["columns"], [row["cells"] for row in block["rows"]], PORTRAIT_PT)
