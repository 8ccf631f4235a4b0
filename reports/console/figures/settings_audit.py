"""The audit trail as a page shows it: newest first, filtered; whether its chain is whole."""

from datetime import datetime, timedelta
from typing import Any, Final

from drivers.audit import AuditTrail
from drivers.audit_act import Recorded
from drivers.audit_files import read_head
from drivers.audit_words import DEEDS, deed, result
from drivers.language import language, say, visible
from drivers.model import ConfigError
from reports.acts import trail_of
from reports.console.office import Office
from reports.periods import PLANT_TIME

STEP: Final = 4000  # acts read at once, from the end backwards
MOST_READ: Final = 60_000  # acts looked through for one answer
TOPICS: Final = tuple(dict.fromkeys(name.partition(".")[0] for name in DEEDS))


def listed(  # noqa: PLR0913 - each is a filter of the page
    office: Office,
    *,
    who: str = "",
    what: str = "",
    outcome: str = "",
    first: str = "",
    last: str = "",
    before: int = 0,
    limit: int = 100,
) -> dict[str, Any]:
    """
    Up to ``limit`` acts before number ``before`` (0: from the newest on), newest first.

    ``first`` and ``last`` are days of the plant. ``searched_to``: the number down to which was
    looked, 0 when nothing older is left. Raises ConfigError for a filter that means nothing.
    """
    if what and what not in DEEDS and what not in TOPICS:
        raise ConfigError([say(f"没有事项 {what!r}", f"there is no such deed: {what!r}")])
    start_ns, end_ns = _ns(first, 0), _ns(last, 1)
    trail = trail_of(office.site)
    newest, _ = read_head(trail.folder)
    top = min(before - 1, newest) if before > 0 else newest
    found: list[dict[str, Any]] = []
    read = 0
    while top > 0 and len(found) < limit and read < MOST_READ:
        down_to = max(0, top - STEP)
        block = _between(trail, down_to, top)
        read += top - down_to
        fitting = [
            each
            for each in reversed(block)
            if _fits(each, who.casefold(), what, outcome)
            and (start_ns is None or each.act.at_ns >= start_ns)
            and (end_ns is None or each.act.at_ns < end_ns)
        ]
        more = fitting[: limit - len(found)]
        found += [_row(each) for each in more]
        top = more[-1].n - 1 if len(found) >= limit else down_to
        if start_ns is not None and block and block[0].act.at_ns < start_ns:
            top = 0
    usage = trail.usage()
    return {
        "rows": found,
        "acts": newest,
        "searched_to": top,
        "next": found[-1]["n"] if found and top > 0 and len(found) >= limit else top or None,
        "used_share": round(usage.share, 4),
        "warns": usage.warns,
        "deeds": [
            {"id": name, "text": zh if language() == "zh" else en}
            for name, (zh, en) in DEEDS.items()
        ],
    }


def _between(trail: AuditTrail, after: int, upto: int) -> list[Recorded]:
    found = []
    for each in trail.read(after):
        if each.n > upto:
            break
        found.append(each)
    return found


def _fits(each: Recorded, who: str, what: str, outcome: str) -> bool:
    act = each.act
    return (
        who in act.who.casefold()
        and (not what or act.what == what or act.what.startswith(f"{what}."))
        and (not outcome or act.result == outcome)
    )


def _row(each: Recorded) -> dict[str, Any]:
    act = each.act
    return {
        "n": each.n,
        "at": act.at_ns / 1e9,
        "who": visible(act.who),
        "what": act.what,
        "deed": deed(act.what),
        "target": visible(act.target),
        "why": visible(act.why),
        "result": act.result,
        "result_text": result(act.result),
        "source": visible(act.source),
        "details": {visible(key): visible(text) for key, text in act.details.items()},
        "hash": each.hash,
    }


def _ns(day: str, after: int) -> int | None:
    """The begin of that day, or of the ``after``-th day after it; None when none is given."""
    if not day:
        return None
    try:
        moment = datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=PLANT_TIME)
    except ValueError:
        raise ConfigError(
            [say(f"日期 {day!r} 应如 2026-11-23", f"{day!r}: write a day as 2026-11-23")]
        ) from None
    return int((moment + timedelta(days=after)).timestamp()) * 10**9


def checked(office: Office) -> dict[str, Any]:
    """The whole chain from its first act, about 15 µs each: whole, or where it is broken."""
    trail = trail_of(office.site)
    broken = trail.check() if trail.folder.is_dir() else None
    count, head = read_head(trail.folder)
    return {"acts": count, "head": head, "broken": None if broken is None else str(broken)}
