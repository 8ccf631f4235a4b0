"""Points, their envelopes, events, and rows to take away: what the page /explore shows."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import FileResponse, JSONResponse, Response, StreamingResponse
from pydantic import BaseModel, Field
from starlette.background import BackgroundTask

from drivers.language import language, speaking
from reports.acts import trail_of
from reports.console.api.potlines_tables import csv_answer
from reports.console.doors.acts import Acts
from reports.console.web import desk, needs, office, visitor

router = APIRouter(tags=["explore"])

BOM: Final = "\ufeff"  # spreadsheets know by it that the text is UTF-8
LONG_ROWS: Final = {"xlsx": 20_000, "parquet": 200_000}  # more are written by the long lane
TYPES: Final = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
}
FILES: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {each.partition(";")[0]: {} for each in TYPES.values()}}
}

PointName = Annotated[str, Field(min_length=3, max_length=120)]
Points = Annotated[
    list[PointName],
    Query(
        alias="point",
        min_length=1,
        max_length=8,
        description="`line1/pot001 pot.voltage`; up to eight, the parameter repeated",
    ),
]
From = Annotated[
    str, Query(alias="from", max_length=40, description="`2026-10-05T08:00` of plant time (UTC+8)")
]
To = Annotated[
    str,
    Query(alias="to", max_length=40, description="not included; without: now, or newest data"),
]
Last = Annotated[
    str,
    Query(max_length=4, pattern="^(1h|3h|24h|7d|35d|1y)?$", description="instead of `from`"),
]


@dataclass(frozen=True, slots=True)
class Time:
    """Which time: ``from`` and ``to``, or the ``last`` …"""

    start: From = ""
    end: To = ""
    last: Last = ""

    @property
    def asked(self) -> dict[str, Any]:
        return {"start": self.start, "end": self.end, "last": self.last}


When = Annotated[Time, Depends()]


class Point(BaseModel):
    """A point, named in the language of the caller; `first` and `last` day known to have data."""

    point: str
    equipment: str
    equipment_name: str
    quantity: str
    name: str
    unit: str
    form: Literal["gauge", "flag", "state", "counter"]
    first: str
    last: str


class PointPage(BaseModel):
    """`total` match `q`; `more`: ask again with `after` = the last point."""

    points: list[Point]
    total: int
    more: bool
    known: int


class Stretch(BaseModel):
    """Steps `first` to `last` (numbers of them) were not wholly good, for this reason."""

    first: int
    last: int
    code: str
    name: str


class Envelope(BaseModel):
    """
    Equal steps of `bucket_s` seconds from `origin_s` (s since 1970, UTC), null = nothing known.

    `bucket_s` 0: samples, at `times_s`. `low`, `high`, `mean` (weighted by good time) of gauges and
    flags; codes have no mean; of counters only `amount`, what was counted in the step. `good` is
    the good share of the step's time; `windows` 0 is a gap.
    """

    point: str
    equipment: str
    equipment_name: str
    quantity: str
    name: str
    unit: str
    form: str
    source: Literal["samples", "windows", "hours"]
    bucket_s: int
    origin_s: float | None
    count: int
    times_s: list[float] | None
    low: list[float | None] | None
    high: list[float | None] | None
    mean: list[float | None] | None
    amount: list[float | None] | None
    good: list[float | None]
    windows: list[int]
    reasons: list[Stretch]


class SeriesAnswer(BaseModel):
    """
    The interval that was answered, and an envelope for each point.

    `waiting`: days that are in none of them yet, because they are not summed up; `days_ready` of
    `days` closed days are.
    """

    from_s: int
    to_s: int
    live: bool
    now_s: float
    points: list[Envelope]
    waiting: list[str]
    days: int
    days_ready: int


class Event(BaseModel):
    """`end_s` null: it lasts."""

    kind: str
    name: str
    equipment: str
    start_s: float
    end_s: float | None
    text: str
    amount: float | None


class EventPage(BaseModel):
    """`more`: only the first 300 are here."""

    events: list[Event]
    more: bool


class Row(BaseModel):
    """`time` is the start, `seconds` how long; a gap has no row."""

    time: str
    seconds: int | None
    equipment: str
    point: str
    name: str
    unit: str
    mean: float | None
    low: float | None
    high: float | None
    amount: float | None
    good: float | None
    windows: int
    quality: str | None


class RowPage(BaseModel):
    """`next`: ask again with it as `from` (and the same `to`); null at the end."""

    rows: list[Row]
    next: str | None
    time_zone: str
    resolution: str


@router.get("/points", dependencies=[needs("see")], response_model=PointPage, responses=FILES)
async def points(
    request: Request,
    q: Annotated[str, Query(max_length=200, description="words, all must match")] = "",
    limit: Annotated[int, Query(ge=1, le=5000)] = 100,
    after: Annotated[str, Query(max_length=120)] = "",
    format: Literal["json", "csv"] = "json",  # noqa: A002 - the name in the address
) -> Any:
    """Which points have data, by equipment and quantity, with names and units."""
    told = await desk(request).ask(
        "figures.explore_points:points", keep_s=30, q=q, limit=limit, after=after
    )
    if format == "json":
        return told
    names = list(Point.model_fields)
    rows = ([row[name] for name in names] for row in told["points"])
    return csv_answer("points.csv", names, rows)


@router.get("/series", dependencies=[needs("see")], response_model=SeriesAnswer)
async def series(
    request: Request,
    point: Points,
    when: When,
    buckets: Annotated[int, Query(ge=10, le=2000)] = 2000,
) -> Response:
    """
    How low, how high and in the mean each point was, in at most `buckets` equal steps.

    Below 3 hours samples where they are kept, below some weeks windows, else hourly sums.
    """
    told = await desk(request).ask(
        "figures.explore:series", points=point, buckets=buckets, **when.asked
    )
    if told["days"] > told["days_ready"]:
        request.app.state.summing.ring()
    return JSONResponse(told)  # as it is: 80,000 numbers need not be looked at again


@router.get("/series/events", dependencies=[needs("see")], response_model=EventPage)
async def events(
    request: Request,
    equipment: Annotated[
        list[Annotated[str, Field(max_length=80)]], Query(min_length=1, max_length=8)
    ],
    when: When,
) -> Any:
    """What happened to these equipments in that time."""
    return await desk(request).ask(
        "figures.explore:events", keep_s=5, equipment=equipment, **when.asked
    )


@router.get("/samples", dependencies=[needs("see")], response_model=RowPage, responses=FILES)
async def samples(
    request: Request,
    point: Points,
    when: When,
    resolution: Literal["raw", "minute", "hour", "day"] = "hour",
    format: Literal["json", "csv", "xlsx", "parquet"] = "json",  # noqa: A002
    limit: Annotated[int, Query(ge=1, le=10_000, description="rows of a page of JSON")] = 1000,
) -> Any:
    """
    Rows to take away, in order of time then point: JSON in pages, else one file.

    A CSV, XLSX or Parquet file has at most 2,000,000, 100,000 or 2,000,000 rows; raw samples are
    given for one day at most. Each file is an act in the audit trail.
    """
    asked: dict[str, Any] = {"points": point, "resolution": resolution, **when.asked}
    if format == "json":
        return await desk(request).ask("figures.explore_export:page", limit=limit, **asked)
    planned = await desk(request).ask("figures.explore_export:begin", form=format, **asked)
    name = f"{planned['name']}.{format}"
    if format == "csv":
        response: Response = await _csv(request, point, planned, resolution, name)
    else:
        response = await _file(request, point, planned, resolution, format, name)
    trail = Acts(trail_of(office(request).site))
    await trail.note("export.made", name, visitor(request).who, **planned["details"])
    return response


async def _csv(
    request: Request, points: list[str], planned: dict[str, Any], resolution: str, name: str
) -> Response:
    """Part by part: neither here nor in the child is more than one in memory."""
    here, lang = desk(request), language()

    async def ask(number: int) -> str:
        with speaking(lang):
            said = await here.ask(
                "figures.explore_export:csv_part",
                points=points,
                part=planned["parts"][number],
                resolution=resolution,
                head=number == 0,
            )
        return str(said)

    first = await ask(0)  # what cannot be read is refused before anything is sent

    async def told() -> AsyncIterator[str]:
        yield BOM + first
        for number in range(1, len(planned["parts"])):
            yield await ask(number)

    return StreamingResponse(told(), media_type=TYPES["csv"], headers=_saved(name))


async def _file(
    request: Request,
    points: list[str],
    planned: dict[str, Any],
    resolution: str,
    form: str,
    name: str,
) -> Response:
    path = await desk(request).ask(
        "figures.explore_files:file",
        lane="long" if planned["rows"] > LONG_ROWS[form] else "quick",
        points=points,
        planned=planned,
        resolution=resolution,
        form=form,
        who=visitor(request).person,
    )
    gone = BackgroundTask(Path(path).unlink, missing_ok=True)
    return FileResponse(path, media_type=TYPES[form], headers=_saved(name), background=gone)


def _saved(name: str) -> dict[str, str]:
    return {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
