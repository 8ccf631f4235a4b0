"""Further facts of an entry – laboratory, certificate –: dates as dates, nothing missing."""

import re
from datetime import date, datetime
from typing import Final

from drivers.language import say
from reports.entries.kinds import FACTS, EntryKind, Fact
from reports.periods import PLANT_TIME, Period

_DATE: Final = re.compile(r"(\d{4})[-/年](\d{1,2})(?:[-/月](\d{1,2})日?|月?)")


def read_facts(
    kind: EntryKind, given: dict[str, str], period: Period | None, now: datetime
) -> tuple[tuple[tuple[str, str], ...], list[str]]:
    """The further facts of a figure, sorted by name, and what is wrong with them."""
    own = {fact.id: fact for fact in kind.facts}
    wrong = [
        say(
            f"{kind.zh}没有“{FACTS[name].zh}”，请清空该格",
            f"{kind.id} has no {FACTS[name].en!r}; leave that cell empty",
        )
        for name in given
        if name not in own
    ]
    missing = [fact for fact in kind.facts if fact.required and not given.get(fact.id)]
    if missing:
        wrong.append(
            say(
                f"缺少：{'、'.join(fact.zh for fact in missing)}",
                f"missing: {', '.join(fact.en for fact in missing)}",
            )
        )
    read: dict[str, str] = {}
    for name, text in given.items():
        if name in own and own[name].is_date:
            read[name], problem = _day(own[name], text, now)
            wrong += [problem] if problem else []
        elif name in own:
            read[name] = text
            wrong += _choice(own[name], text)
    until = read.get("valid_until", "")
    if period is not None and until and not wrong and date.fromisoformat(until) < period.first:
        wrong.append(
            say(
                f"有效期至 {until} 早于检定日期 {period}",
                f"valid until {until} is before the day of calibration {period}",
            )
        )
    return tuple(sorted(read.items())), wrong


def _day(fact: Fact, text: str, now: datetime) -> tuple[str, str]:
    """The day as 2026-10-05, and what is wrong with it."""
    try:
        day = date.fromisoformat(date_text(text))
    except ValueError:
        return text, say(
            f"{fact.zh} {text!r} 不是日期；请填 2026-10-05",
            f"{fact.en} {text!r} is no date; write 2026-10-05",
        )
    if fact.id == "tested_on" and day > now.astimezone(PLANT_TIME).date():
        return text, say(f"{fact.zh} {day} 在将来", f"{fact.en} {day} lies in the future")
    return day.isoformat(), ""


def _choice(fact: Fact, text: str) -> list[str]:
    if not fact.choices or text in fact.choices:
        return []
    known = " / ".join(fact.choices)
    return [
        say(
            f"{fact.zh} {text!r} 不对；请填 {known}",
            f"wrong {fact.en} {text!r}; write {known}",
        )
    ]


def date_text(text: str) -> str:
    """2026/10/5 and 2026年10月5日 as 2026-10-05; anything else as it is."""
    found = _DATE.fullmatch("".join(text.split()))
    if found is None:
        return text
    return "-".join(part.zfill(2) for part in found.groups() if part)
