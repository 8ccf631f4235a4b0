"""The running hour of each stack: mean so far and forecast against the limit, from live windows."""

from typing import Any, Final

from fastapi import Request

from drivers.language import say
from reports.console.live import Snapshot

_BAND: Final = (("low", "forecast_min"), ("high", "forecast_max"))


def now_rows(
    request: Request, points: list[dict[str, Any]]
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """A row for each working stack and pollutant, and how old and reachable the values are."""
    found: Snapshot = request.app.state.live.now()
    rows = [
        _row(found, point, each)
        for point in points
        if point["works"]
        for each in point["pollutants"]
    ]
    return rows, {"reachable": found.reachable, "age_s": found.age_s, "problem": found.problem}


def _row(found: Snapshot, point: dict[str, Any], each: dict[str, Any]) -> dict[str, Any]:
    place, name = point["equipment"], f"stack.{each['id']}_hour"
    mean = found.window(place, name)
    row = {
        "stack": point["id"],
        "stack_name": point["name"],
        "equipment": place,
        **each,
        "mean": mean.value if mean.fresh else None,
        "at_s": mean.at_s if mean.fresh else None,
        "quantity": name,
    }
    for key, ending in (("minutes", "n"), ("forecast", "forecast"), *_BAND):
        other = found.window(place, f"{name}_{ending}")
        row[key] = other.value if other.fresh else None
    return row | dict(zip(("state", "word"), _judged(row), strict=True))


def _judged(row: dict[str, Any]) -> tuple[str, str]:
    """A state of the page and its word."""
    limit, mean, forecast = row["limit"], row["mean"], row["forecast"]
    if mean is None and forecast is None:
        return "unknown", say("无实时值", "no live value")
    if limit is None:
        return "unknown", say("无生效限值", "no limit in force")
    if mean is not None and mean > limit:
        return "bad", say("本小时均值已高于限值", "the mean so far is above the limit")
    if forecast is not None and forecast > limit:
        return "warn", say("预测将超过限值", "forecast to exceed the limit")
    if row["high"] is not None and row["high"] > limit:
        return "warn", say("可能超过限值", "may exceed the limit")
    return "good", say("低于限值", "below the limit")
