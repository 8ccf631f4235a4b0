"""What is worth telling: each matter with a key that stays the same as long as it is the same."""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from reports.site_notices import Told, Topic
from reports.values import Text

OLD_S: Final = 86_400.0  # events that began longer ago are no news
LOST_S: Final = 120.0  # so long a device or gateway is away before anybody is told
AWAY_S: Final = 300.0  # and the historian
OVERDUE_DAYS: Final = 7  # an overdue duty is told again so often

TOPICS: Final[Mapping[Topic, Text]] = {
    "exceedances": Text(zh="超标", en="Exceedances"),
    "warnings": Text(zh="超标预警", en="Warnings of exceedance"),
    "lost": Text(zh="失联", en="Lost devices"),
    "duties": Text(zh="履约事项", en="Duties"),
    "certificates": Text(zh="证书到期", en="Certificates"),
    "backup": Text(zh="备份", en="Backup"),
}
URGENT: Final = frozenset({"exceedances"})  # told in quiet hours too
EVENTS: Final[Mapping[str, Topic]] = {
    "exceedance": "exceedances",
    "exceedance_warning": "warnings",
    "device_lost": "lost",
    "certificate_expiring": "certificates",
}


@dataclass(frozen=True, slots=True)
class Matter:
    """``lasting``: a state that ends; its end is told too, and it may begin anew."""

    topic: Topic
    key: str
    zh: str
    en: str
    lasting: bool = False

    @property
    def urgent(self) -> bool:
        return self.topic in URGENT


def of_duties(rows: Sequence[Mapping[str, Any]], to: Told) -> Iterator[Matter]:
    """
    Duties and certificates that come due within ``to.days``, once for each of these steps; overdue
    ones once a week. ``rows``: figures.settings_notices.
    """
    for row in rows:
        topic: Topic = "certificates" if row["id"] == "certificate" else "duties"
        step = _step(row["left"], to.days, missing=row["state"] == "overdue")
        if step is None or row["state"] not in {"overdue", "open"}:
            continue
        key = f"{row['id']}/{row['period']}/{step}"
        yield Matter(topic, key, _due(row, "zh"), _due(row, "en"))


def _step(left: int | None, days: Sequence[int], *, missing: bool) -> str | None:
    """Which telling of a duty it is; None: not yet one."""
    if left is None:
        return "missing" if missing else None
    if left < 0:
        return f"overdue-{-left // OVERDUE_DAYS}"
    passed = [each for each in days if left <= each]
    return f"left-{min(passed)}" if passed else None


def _due(row: Mapping[str, Any], lang: str) -> str:
    text, note = str(row["text"][lang]), (row["note"] or {}).get(lang, "")
    left, due = row["left"], row["due"]
    zh = lang == "zh"
    if left is None:
        head = text
    elif left < 0:
        head = f"{text}：已逾期 {-left} 天（{due}）" if zh else f"{text}: {-left} days late ({due})"
    elif left == 0:
        head = f"{text}：今日截止" if zh else f"{text}: due today"
    else:
        head = f"{text}：还剩 {left} 天（{due}）" if zh else f"{text}: {left} days left ({due})"
    if not note:
        return head
    return f"{head}；{note}" if zh else f"{head}; {note}"


def of_events(events: Sequence[Mapping[str, Any]], now_s: float) -> Iterator[Matter]:
    """Exceedances and warnings as they come; devices once they have been away for a while."""
    for event in events:
        topic = EVENTS.get(event["kind"])
        begun_s = event["start_ms"] / 1000
        lasts = event["end_ms"] is None
        if topic is None or now_s - begun_s > OLD_S:
            continue
        if topic in {"lost", "warnings"} and not lasts:
            continue
        if topic == "lost" and now_s - begun_s < LOST_S:
            continue
        zh, en = _both(event["text"])
        place = " ".join(each for each in (event.get("gateway"), event["equipment"]) if each)
        said_zh = f"{place} {clock(begun_s)} 起设备失联：{zh}" if topic == "lost" else zh
        said_en = f"{place}: lost since {clock(begun_s)}: {en}" if topic == "lost" else en
        if topic in {"exceedances", "warnings"}:
            said_zh, said_en = f"{event['equipment']} {zh}", f"{event['equipment']} {en}"
        lasting = topic == "lost"
        yield Matter(topic, f"event/{event['id']}", said_zh, said_en, lasting)


def _both(text: str) -> tuple[str, str]:
    """Events of stacks carry both languages in one text."""
    zh, bar, en = text.partition(" | ")
    return (zh, en) if bar else (text, text)


def of_gateways(
    gateways: Sequence[Mapping[str, Any]],
    *,
    reachable: bool,
    since_s: float | None,
    now_s: float,
    historian: str,
) -> Iterator[Matter]:
    """Gateways off line for a while; the historian itself when nobody hears it."""
    if not reachable:
        if since_s is not None and now_s - since_s > AWAY_S:
            yield Matter(
                "lost",
                "historian",
                f"历史库 {historian} 自 {clock(since_s)} 起没有应答，实时监视中断",
                f"the historian {historian} has not answered since {clock(since_s)}: "
                "nothing is watched live",
                lasting=True,
            )
        return
    for each in gateways:
        begun_ms = each["since_ms"]
        if each["online"] is not False or begun_ms is None or now_s - begun_ms / 1000 < LOST_S:
            continue
        begun = clock(begun_ms / 1000)
        yield Matter(
            "lost",
            f"gateway/{each['name']}",
            f"网关 {each['name']} 自 {begun} 起离线",
            f"gateway {each['name']} is off line since {begun}",
            lasting=True,
        )


def of_backup(newest_s: float | None, days: int, now_s: float) -> Iterator[Matter]:
    """No backup was recorded in the audit trail for more than ``days`` days; told once a week."""
    if newest_s is None:
        yield Matter(
            "backup",
            "backup/never",
            "审计日志中没有任何备份记录：请执行 smelter backup",
            "no backup was ever recorded in the audit trail: run smelter backup",
        )
    elif (age := (now_s - newest_s) / 86_400) > days:
        yield Matter(
            "backup",
            f"backup/{int(newest_s)}/{math.floor(age / OVERDUE_DAYS)}",
            f"已有 {age:.0f} 天没有备份（上次 {clock(newest_s)}）",
            f"no backup for {age:.0f} days (the last was on {clock(newest_s)})",
        )


def clock(at_s: float) -> str:
    """Plant time."""
    return time.strftime("%m-%d %H:%M", time.gmtime(at_s + 8 * 3600))
