"""Months of the plant's calendar (UTC+8) for the simulator."""

import re
from datetime import UTC, datetime, timedelta, timezone

LOCAL = timezone(timedelta(hours=8))


def month_span(text: str) -> tuple[float, float]:
    """Begin and end of ``2026-10`` in unix seconds. Raises ValueError for anything else."""
    found = re.fullmatch(r"(\d{4})-(\d{2})", text)
    if not found or not 1 <= int(found[2]) <= 12:
        raise ValueError(f"month {text!r}: write it like 2026-10")
    year, month = int(found[1]), int(found[2])
    begin = datetime(year, month, 1, tzinfo=LOCAL)
    end = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=LOCAL)
    return begin.timestamp(), end.timestamp()


def last_month(now: datetime | None = None) -> str:
    """The last whole month before now."""
    local = (now or datetime.now(UTC)).astimezone(LOCAL)
    return f"{local.replace(day=1) - timedelta(days=1):%Y-%m}"
