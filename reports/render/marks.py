"""Signs that a figure carries: it rests on an unconfirmed legal value, or on substituted data."""

from typing import Final

from reports.model import Content, How
from reports.values import Text

UNCONFIRMED: Final = "※"
SUBSTITUTED: Final = "△"

MEANING: Final = {
    UNCONFIRMED: Text(
        zh="该数值使用了（直接或经由其他数值）未经官方文本核实的法规参数",
        en="the figure uses, itself or through others, a legal value not confirmed in the "
        "official text",
    ),
    SUBSTITUTED: Text(
        zh="该数值包含（直接或经由其他数值）按规则替代的缺失数据",
        en="the figure contains, itself or through others, data substituted by the method of "
        "the rule",
    ),
}


def marks(content: Content) -> dict[str, str]:
    """The signs of each line by id; a line inherits them from the lines it is made from."""
    legal = {use.id for use in content.legals if use.confirmed != "official"}
    own = {
        line.id: {
            *([UNCONFIRMED] if any(given.ref in legal for given in line.inputs) else []),
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
    return {line: "".join(s for s in MEANING if s in signs) for line, signs in own.items()}
