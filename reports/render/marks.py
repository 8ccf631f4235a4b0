"""Signs of a figure: it rests on a rule not read in its official text, or on substituted data."""

from typing import Final

from reports.citations import LegalUse
from reports.model import Content, How
from reports.values import Text

UNCONFIRMED: Final = "※"
PLANT_CHECKED: Final = "◇"
SUBSTITUTED: Final = "△"

MEANING: Final = {
    UNCONFIRMED: Text(
        zh="该数值使用了（直接或经由其他数值）未经官方文本核实的法规参数",
        en="the figure uses, itself or through others, a legal value not confirmed in the "
        "official text",
    ),
    PLANT_CHECKED: Text(
        zh="该数值使用了（直接或经由其他数值）本厂录入并核对的法规参数",
        en="the figure uses, itself or through others, a legal value entered and checked by the "
        "plant",
    ),
    SUBSTITUTED: Text(
        zh="该数值包含（直接或经由其他数值）按规则替代的缺失数据",
        en="the figure contains, itself or through others, data substituted by the method of "
        "the rule",
    ),
}


def sign_of(legal: LegalUse | None) -> str:
    """The sign of a rule: none when its official text was read."""
    if legal is None or legal.confirmed == "official":
        return ""
    return PLANT_CHECKED if legal.confirmed == "site" else UNCONFIRMED


def marks(content: Content) -> dict[str, str]:
    """The signs of each line by id; a line inherits them from the lines it is made from."""
    signs = {use.id: sign_of(use) for use in content.legals}
    own = {
        line.id: {
            *(signs[given.ref] for given in line.inputs if signs.get(given.ref)),
            *([SUBSTITUTED] if line.how is How.SUBSTITUTED or line.substituted else []),
        }
        for line in content.lines
    }
    parents = {
        line.id: [given.ref for given in line.inputs if given.kind == "line"]
        for line in content.lines
    }
    changed = True
    while changed:
        changed = False
        for line, refs in parents.items():
            more = {sign for ref in refs for sign in own.get(ref, ())} - own[line]
            if more:
                own[line] |= more
                changed = True
    return {line: "".join(s for s in MEANING if s in found) for line, found in own.items()}
