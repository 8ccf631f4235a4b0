"""
Makes the two fonts here: ``python reports/fonts/subset.py <folder with NotoSansCJK-*.ttc>``.

Simplified Chinese of GB 2312 (6,763 characters and its symbols), ASCII, Latin-1, Greek, and the
signs of units and formulas. Needed only when the fonts are renewed; wants fonttools.
"""

import sys
from pathlib import Path

from fontTools import subset  # type: ignore[import-untyped]
from fontTools.ttLib import TTCollection  # type: ignore[import-untyped]

SIGNS = "¹²³⁴℃‰−–—…‘’“”·×÷±≤≥≈≠√∑Σ∆→←↑↓□■●○▲△✓†‡§№•《》〈〉「」『』【】〔〕（），。、；：！？％～￥"
# Characters of personal names that GB 2312 lacks; entries carry their authors' names.
NAMES = (
    "䶮喆垚堃堉墡奭妧婳媖嫄嫚嬿孖峣崚崟廙彣彧忞悰愔慜掞旸旻旼昇昉昫昳晙晞暐曈曌朏杺梣棽橦沄沚"
    "洺浛浥淏渏渼湉湜湲漷濛濬炘烜焜煒燊燏燚爔犇玘玙玚玠玥珅珣珮珵珹珺琇琎琤琯瑀瑄璘璟璠畇皞皦"
    "盷瞾矞祎禔禕禛穜竑纮绬翀翙翚翛翯翾脩芃苳蒨谞贇赟鋆镕韡頔頠頫顗飏飐骉骎骕鹮黇龑"
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
    return gb2312 | ascii_latin | set(map(ord, SIGNS + NAMES))


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
