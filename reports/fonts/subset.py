"""
Makes the two fonts here: ``python reports/fonts/subset.py <folder with NotoSansCJK-*.ttc>``.

Simplified Chinese of GB 2312 (6,763 characters and its symbols), the further characters of the
state's table of standard characters of 2013 (``table2013.txt``: names of people and places), ASCII,
Latin-1, Greek, and the signs of units and formulas. ``characters.txt`` beside the fonts lists what
they hold, so that a report can say which character it cannot print. Needed only when the fonts are
renewed; wants fonttools.
"""

import sys
from pathlib import Path

from fontTools import subset  # type: ignore[import-untyped]
from fontTools.ttLib import TTCollection  # type: ignore[import-untyped]

# Greek, and whatever the source has of punctuation, raised and lowered figures, letterlike signs,
# arrows, operators, brackets, circled figures, shapes, Chinese signs and units, full-width forms.
SIGNS = (
    *((0x370, 0x400), (0x2000, 0x2400), (0x2460, 0x2500), (0x25A0, 0x2700)),
    *((0x3000, 0x3040), (0x3200, 0x3400), (0xFF00, 0xFFF0)),
)
# Older forms in personal names, in neither table; entries carry their authors' names.
NAMES = "彣慜旼暐杺渏濛濬煒珮畇瞾禕绬苳贇韡頔頠頫顗龑"
HERE = Path(__file__).parent
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
    table = "".join((HERE / "table2013.txt").read_text("utf-8").split())
    signs = {code for first, after in SIGNS for code in range(first, after)}
    return gb2312 | ascii_latin | signs | set(map(ord, NAMES + table))


def make(source: Path, target: Path) -> str:
    """Subset the Simplified Chinese member of ``source``; returns the characters it holds."""
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
    return "".join(map(chr, sorted(font.getBestCmap())))


if __name__ == "__main__":
    held = ""
    for style in FONTS:
        file = HERE / f"NotoSansCJKsc-{style}-subset.otf"
        held = make(Path(sys.argv[1]) / f"NotoSansCJK-{style}.ttc", file)
        sys.stdout.write(f"{file.name}: {file.stat().st_size} bytes, {len(held)} characters\n")
    (HERE / "characters.txt").write_text(held, "utf-8")
