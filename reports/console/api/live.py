"""Newest values, for programs."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel

from reports.console.live import asked_for
from reports.console.web import live_of, needs

router = APIRouter(tags=["live"])


class Newest(BaseModel):
    """One value: ``stale`` when it is not of now any more, ``reason`` when it is not good."""

    equipment: str
    quantity: str
    at_ms: int
    value: float | None
    reason: str
    stale: bool
    good: float
    period_s: int


class LiveValues(BaseModel):
    """What the historian said last; ``trouble``: why nothing is live."""

    reachable: bool
    since_s: float | None
    trouble: str
    values: list[Newest]
    events: list[dict[str, Any]]
    more: bool


@router.get("/live", dependencies=[needs("see")], summary="Newest values and open events")
async def live_values(
    request: Request,
    of: Annotated[
        str, Query(max_length=2000, description="equipment/ or quantity. begins so")
    ] = "",
    limit: Annotated[int, Query(ge=1, le=20_000)] = 2000,
    after: Annotated[
        str, Query(max_length=400, description="the last one of the page before")
    ] = "",
) -> LiveValues:
    """Samples and windows (``period_s`` > 0), in order of ``equipment quantity``."""
    live = live_of(request)
    known = await live.ready()
    prefixes = tuple(each for each in of.split(",") if each) or ("",)
    both = [(key, rows) for rows in (known.values, known.windows) for key in rows]
    names = sorted((key, rows is known.windows) for key, rows in both if asked_for(key, prefixes))
    names = [each for each in names if f"{each[0]} {int(each[1])}" > after or not after]
    found = []
    for key, window in names[:limit]:
        equipment, _, quantity = key.partition(" ")
        said = (known.window if window else known.value)(equipment, quantity)
        found.append(
            Newest(
                equipment=equipment,
                quantity=quantity,
                at_ms=round((said.at_s or 0) * 1000),
                value=said.value,
                reason=said.reason,
                stale=said.stale,
                good=said.good,
                period_s=said.period_s,
            )
        )
    return LiveValues(
        reachable=known.reachable,
        since_s=known.since_s,
        trouble=live.trouble(),
        values=found,
        events=[_plain(each) for each in live.events()[:500]],
        more=len(names) > limit,
    )


def _plain(event: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in event.items() if key != "tick"}
