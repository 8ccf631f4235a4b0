"""Potlines and pots for programs: the same figures as the pages below /potlines, CSV for Excel."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Path, Query, Request, Response
from pydantic import BaseModel

from drivers.language import say
from reports.console.api.potlines_tables import (
    csv_answer,
    curves_table,
    events_table,
    map_table,
    ranking_table,
)
from reports.console.pages.potlines import NAME, known_line, month_of, ranking
from reports.console.web import desk, needs

router = APIRouter(tags=["potlines"])

LineId = Annotated[str, Path(pattern=NAME, description="id of the potline: line1")]
PotId = Annotated[str, Path(pattern=NAME, description="pot001")]
At = Annotated[
    str,
    Query(
        max_length=16,
        description="now (mean of ten minutes), hour, today, yesterday, or a day: 2026-10-05",
    ),
]
Until = Annotated[str, Query(max_length=16, description="last day: 2026-10-05; empty: now")]
Span = Annotated[Literal["24h", "7d"], Query(description="how long")]
Form = Annotated[
    Literal["json", "csv"], Query(alias="format", description="csv: UTF-8 with mark, for Excel")
]
KEEP_S = 5.0
LINE_KEEP_S = 120.0
MINUTES = ("now", "hour")  # the others are whole days


class Figure(BaseModel):
    """The newest minute of a point, and what its evidence is asked by."""

    value: float | None
    at_ns: int | None
    point: str


class Line(BaseModel):
    """A potline now; ``power_mw`` is current by voltage."""

    id: str
    name: str
    pots: int
    design_current_ka: float
    capacity_t_per_year: float
    started: str
    stopped: str | None
    runs: bool
    newest: str | None
    current: Figure
    voltage: Figure
    power_mw: float | None
    effects_today: int | None


class MapLayer(BaseModel):
    """One value for each pot, in the order of ``pots``; null: not known."""

    id: str
    name: str
    unit: str
    decimals: int
    scale: str
    live: str
    about: str
    values: list[float | None]


class PotsMap(BaseModel):
    """The pots of a line in a stretch of plant time; layers with nothing known are absent."""

    line: str
    name: str
    at: str
    start: str
    end: str
    made_ms: int
    newest: str | None
    pots: list[str]
    states: list[str]
    reasons: list[str]
    layers: list[MapLayer]


class LineVoltage(BaseModel):
    """Quartiles of the voltage of the pots of a line, V, by the hour, and how many pots told it."""

    start_s: int
    end_s: int
    step_s: int
    start: str
    end: str
    low: list[float | None]
    middle: list[float | None]
    high: list[float | None]
    pots: list[int]


class Curve(BaseModel):
    """Values in even steps; ``low`` and ``high`` of the voltage only."""

    quantity: str
    name: str
    unit: str
    decimals: int
    panel: str
    values: list[float | None]
    low: list[float | None] | None = None
    high: list[float | None] | None = None


class Event(BaseModel):
    """``seconds`` in effect (anode effects) or lasted; ``gap_s`` of it nobody saw."""

    id: str
    kind: str
    name: str
    start: str
    start_s: float
    end: str | None
    end_s: float | None
    lasts: bool
    seconds: float | None
    peak_v: float | None
    mean_v: float | None
    overvoltage_vs: float | None
    gap_s: float | None
    amount: float | None
    text: str


class Curves(BaseModel):
    """Curves of one pot and its events in that time; times are seconds since 1970."""

    equipment: str
    start_s: int
    end_s: int
    step_s: int
    start: str
    end: str
    panels: dict[str, str]
    curves: list[Curve]
    events: list[Event]


class Events(BaseModel):
    """Newest first."""

    first: str
    last: str
    events: list[Event]


class Ranking(BaseModel):
    """Pots by what they cost in the month, and advice, as ``smelter pots --json`` gives."""

    month: str
    made_s: float
    ranking: dict[str, Any] | None


class PotAdvice(BaseModel):
    """What the ranking says of one pot; null: it had no voltage in that month."""

    month: str
    advice: dict[str, Any] | None


@router.get("/potlines", dependencies=[needs("see")], summary="Potlines and their newest minute")
async def potlines(request: Request) -> list[Line]:
    """Every potline of site.toml."""
    told = await desk(request).ask("figures.potlines_list:potlines", keep_s=KEEP_S)
    return [Line.model_validate(each) for each in told]


@router.get(
    "/potlines/{line}/pots",
    dependencies=[needs("see")],
    response_model=PotsMap,
    summary="A value of each pot for each layer of the map",
)
async def pots(
    request: Request, line: LineId, at: At = "now", form: Form = "json"
) -> PotsMap | Response:
    """Voltage, excess, anode effects, noise … of every pot of a line."""
    known_line(request, line)
    given: dict[str, Any] = {"line": line, "at": at}
    if at in MINUTES:
        told = await desk(request).ask("figures.potlines:heat", keep_s=KEEP_S, **given)
    else:  # a day of hundreds of pots may take longer than others should wait
        job = "figures.potlines:kept_heat"
        told = await desk(request).ask(job, lane="long", keep_s=LINE_KEEP_S, **given)
    if form == "csv":
        return csv_answer(f"{line}-{at}.csv", *map_table(told))
    return PotsMap.model_validate(told)


@router.get(
    "/potlines/{line}/voltage", dependencies=[needs("see")], summary="Quartiles of the line, hourly"
)
async def voltage(
    request: Request, line: LineId, span: Span = "24h", until: Until = ""
) -> LineVoltage:
    """What a pot is compared with."""
    known_line(request, line)
    given: dict[str, Any] = {"line": line, "span": span, "until": until}
    told = await desk(request).ask("figures.potlines_pot:of_line", keep_s=LINE_KEEP_S, **given)
    return LineVoltage.model_validate(told)


@router.get(
    "/potlines/{line}/ranking",
    dependencies=[needs("see")],
    response_model=Ranking,
    summary="Pots by what they cost, and advice",
)
async def line_ranking(
    request: Request,
    line: LineId,
    month: Annotated[str, Query(max_length=16, description="2026-10; empty: newest data")] = "",
    form: Form = "json",
) -> Ranking | Response:
    """Who first asks for a month waits until it is made: for hundreds of pots, minutes."""
    known_line(request, line)
    period = str(month_of(request, month))
    told = await ranking(request, period)
    mine = told["lines"].get(line)
    if form == "csv":
        return csv_answer(f"{line}-ranking-{period}.csv", *ranking_table(mine))
    return Ranking(month=period, made_s=told["made"], ranking=mine)


@router.get(
    "/pots/{line}/{pot}/curves",
    dependencies=[needs("see")],
    response_model=Curves,
    summary="Curves of a pot",
)
async def curves(
    request: Request,
    line: LineId,
    pot: PotId,
    span: Span = "24h",
    until: Until = "",
    form: Form = "json",
) -> Curves | Response:
    """24 hours by the minute or 7 days by ten minutes; hours where only hours were imported."""
    known_line(request, line)
    given: dict[str, Any] = {"line": line, "pot": pot, "span": span, "until": until}
    told = await desk(request).ask("figures.potlines_pot:curves", keep_s=KEEP_S, **given)
    if form == "csv":
        return csv_answer(f"{line}-{pot}-{span}.csv", *curves_table(told))
    return Curves.model_validate(told)


@router.get(
    "/pots/{line}/{pot}/events",
    dependencies=[needs("see")],
    response_model=Events,
    summary="Anode effects, warnings and instability of a pot",
)
async def events(
    request: Request,
    line: LineId,
    pot: PotId,
    days: Annotated[int, Query(ge=1, le=92)] = 30,
    until: Until = "",
    form: Form = "json",
) -> Events | Response:
    """Of the days up to ``until``."""
    known_line(request, line)
    given: dict[str, Any] = {"line": line, "pot": pot, "days": days, "until": until}
    told = await desk(request).ask("figures.potlines_pot:events", keep_s=KEEP_S, **given)
    if form == "csv":
        return csv_answer(f"{line}-{pot}-events.csv", *events_table(told))
    return Events.model_validate(told)


@router.get(
    "/pots/{line}/{pot}/advice", dependencies=[needs("see")], summary="Findings and advice on a pot"
)
async def advice(
    request: Request,
    line: LineId,
    pot: PotId,
    month: Annotated[str, Query(max_length=16, description="2026-10; empty: newest data")] = "",
) -> PotAdvice:
    """Nothing is ever written to a pot controller."""
    known_line(request, line)
    period = str(month_of(request, month))
    await ranking(request, period)
    given: dict[str, Any] = {"line": line, "pot": pot, "month": period}
    told = await desk(request).ask("figures.potlines_advice:of_pot", keep_s=KEEP_S, **given)
    if told is None:
        raise HTTPException(
            404, say(f"{period} 没有 {line}/{pot} 的数据", f"no data of {line}/{pot} in {period}")
        )
    return PotAdvice(month=period, advice=told)
