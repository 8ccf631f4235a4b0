"""
Makes the two fonts here: ``python reports/fonts/subset.py <folder with NotoSansCJK-*.ttc>``.

Simplified Chinese of GB 2312 (6,763 characters and its symbols), ASCII, Latin-1, Greek, and the
signs of units and formulas. Needed only when the fonts are renewed; wants fonttools.
"""

import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTCollection

SIGNS = (
    "₀₁₂₃₄₅₆₇₈₉⁰¹²³⁴⁵⁶⁷⁸⁹℃‰−–—…‘’“”·×÷±≤≥≈≠√∑Σ∆→←↑↓☐□■●○▲△✓†‡§№"
    "《》〈〉「」『』【】〔〕（），。、；：！？％～￥"
)
FONTS = ("Regular", "Bold")


def characters() -> set[int]:
    """Code points of the subset."""
    gb2312 = {
        ord(character)
        for high in range(0xA1, 0xF8)
        for low in range(0xA1, 0xFF)
        for character in bytes((high, low)).decode("gb2312", "ignore")
    }
    ascii_latin = {*range(0x20, 0x7F), *range(0xA0, 0x100)}
    return gb2312 | ascii_latin | set(map(ord, SIGNS))


def make(source: Path, target: Path) -> int:
    """Subset the Simplified Chinese member of ``source``; returns the size in bytes."""
    collection = TTCollection(source)
    font = next(f for f in collection.fonts if f["name"].getDebugName(1) == "Noto Sans CJK SC")
    font.recalcTimestamp = False
    options = subset.Options()
    options.layout_features = ["kern", "locl"]
    options.name_IDs = ["*"]
    options.notdef_outline = True
    options.hinting = False  # for screens of old; a third of the bytes
    options.drop_tables += ["vhea", "vmtx", "VORG", "BASE"]
    maker = subset.Subsetter(options)
    maker.populate(unicodes=characters())
    maker.subset(font)
    font.save(target)
    return target.stat().st_size


if __name__ == "__main__":
    for style in FONTS:
        file = Path(__file__).with_name(f"NotoSansCJKsc-{style}-subset.otf")
        size = make(Path(sys.argv[1]) / f"NotoSansCJK-{style}.ttc", file)
        sys.stdout.write(f"{file.name}: {size} bytes\n")
