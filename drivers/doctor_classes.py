"""What the doctor says of data classes: what the plant classed otherwise, and what may leave."""

from collections.abc import Iterable

from drivers.classes import NAMES, RANK, rules_of
from drivers.doctor import NOTHING, Finding, Given, Text
from drivers.model import ConfigError


def check(given: Given) -> Iterable[Finding]:
    """Nothing here is bad: the classes are the plant's own decision, and it shall see them."""
    configs = [each for each in (given.gateway, given.historian, given.site) if each is not None]
    try:
        rules = rules_of(*configs)
    except ConfigError:
        return  # told by the check of the config itself
    for name, usual, now, reason in rules.changed:
        lower = RANK.index(now) < RANK.index(usual)
        yield Finding(
            "note",
            "retention",
            Text(
                f"{name} 由“{NAMES[usual].zh}”改为“{NAMES[now].zh}” {reason}".rstrip(),
                f"{name} is {NAMES[now].en}, usually {NAMES[usual].en} {reason}".rstrip(),
            ),
            Text("降级须与备案一致", "a lower class must agree with what was filed")
            if lower
            else NOTHING,
        )
    told = ", ".join(f"{each} = {rules.export.rule(each)}" for each in RANK)
    yield Finding(
        "note" if rules.export.important == "free" else "ok",
        "retention",
        Text(f"导出规则：{told}", f"what may leave: {told}"),
        Text(
            '重要数据导出不须批准；如须批准：[export] important = "approved"',
            'important data leave freely; to ask for an approval: [export] important = "approved"',
        )
        if rules.export.important == "free"
        else NOTHING,
    )
