"""What Today shows, for programs."""

from datetime import date
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel

from reports.console.figures.happened import event_name
from reports.console.pages.today import carbon_figures, energy_figures, open_events, what_waits
from reports.console.pages.today_line import Part, picture
from reports.console.web import desk, live_of, needs

router = APIRouter(prefix="/today", tags=["today"])


class PartState(BaseModel):
    """A part of the line: ``state`` good, warn, bad or unknown, and what is said of it."""

    name: str
    state: str
    word: str
    facts: list[str]


class GatewayState(BaseModel):
    """A gateway; ``devices`` are those with something to tell, ``well`` counts the others."""

    gateway: PartState
    devices: list[PartState]
    well: int
    importer: bool


class LineState(BaseModel):
    """The line from each gateway to the store."""

    state: str
    word: str
    troubles: list[str]
    gateways: list[GatewayState]
    broker: PartState
    historian: PartState
    views: list[PartState]


class DutyLeft(BaseModel):
    """One duty; ``left``: days to its last day, negative when that has passed."""

    id: str
    period: str
    text: str
    due: date | None
    left: int | None
    state: str
    word: str
    source: str
    confirmed: str
    note: str
    mend: str


class Duties(BaseModel):
    """All that is not done, the overdue first; ``counts`` by state."""

    on: date
    rows: list[DutyLeft]
    counts: dict[str, int]


class OpenEvent(BaseModel):
    """An event without an end."""

    id: str
    kind: str
    name: str
    equipment: str
    start_ms: int
    text: str
    amount: float | None


class Shares(BaseModel):
    """Time with good values over time due, 0 to 1; None: nothing is due."""

    place: str
    kind: str
    name: str
    points: int
    machines: int
    yesterday: float | None
    today: float | None
    month: float | None


class Completeness(BaseModel):
    """Of the lake, by group of equipment."""

    yesterday: date
    first: date
    whole: dict[str, float | None]
    groups: list[Shares]
    newest: date | None


class Figure(BaseModel):
    """A line of a draft; ``value`` None: ``missing`` says why."""

    id: str
    label: str
    value: float | None
    unit: str
    decimals: int
    period: str
    missing: list[str]
    coverage: str


class Carbon(BaseModel):
    """Month to date, and the year with forecast and allowance; None: no draft, or no such line."""

    month: dict[str, Figure | None]
    year: dict[str, dict[str, Figure | None]]
    measured: dict[str, int]
    says: list[str]


class PerTonne(BaseModel):
    """Of the plant or a potline, by AC electricity."""

    id: str
    name: str
    day: Figure | None
    month: Figure | None


class Energy(BaseModel):
    """Yesterday and the month so far."""

    spans: dict[str, str]
    scopes: list[PerTonne]
    heat: list[PerTonne]
    heat_total: dict[str, Figure | None]


class Waiting(BaseModel):
    """What is missing for the month to be lodged, and for the one that runs."""

    month: str
    lodged: dict[str, Any] | None
    known: bool
    missing: list[dict[str, Any]]
    missing_now: list[dict[str, Any]]


@router.get("/line", dependencies=[needs("see")], summary="State from each gateway to the store")
async def line(request: Request) -> LineState:
    """As the picture on Today shows it."""
    live = live_of(request)
    found = picture(await live.ready(), live.trouble())
    ways = [
        GatewayState(
            gateway=_part(way.gateway),
            devices=[_part(each) for each in way.devices],
            well=way.well,
            importer=way.import_,
        )
        for way in found.ways
    ]
    return LineState(
        state=found.state,
        word=found.word,
        troubles=found.troubles,
        gateways=ways,
        broker=_part(found.broker),
        historian=_part(found.historian),
        views=[_part(each) for each in found.views],
    )


def _part(part: Part) -> PartState:
    return PartState(name=part.name, state=part.state, word=part.word, facts=list(part.facts))


@router.get("/duties", dependencies=[needs("see")], summary="Duties with days left")
async def duties(request: Request) -> Duties:
    """Everything that is not done."""
    found = await desk(request).ask("figures.today:duties_left", keep_s=120)
    return Duties.model_validate(found)


@router.get("/events", dependencies=[needs("see")], summary="Events that go on")
async def events(request: Request) -> list[OpenEvent]:
    """At most a thousand, the newest first."""
    rows = await open_events(request, await live_of(request).ready())
    return [
        OpenEvent.model_validate({**row, "name": event_name(row["kind"])}) for row in rows[:1000]
    ]


@router.get("/completeness", dependencies=[needs("see")], summary="How much was recorded")
async def completeness(request: Request) -> Completeness:
    """Yesterday, today and the month so far."""
    found = await desk(request).ask("figures.completeness:completeness", keep_s=60)
    return Completeness.model_validate(found)


@router.get("/carbon", dependencies=[needs("see")], summary="Carbon of the month and the year")
async def carbon(request: Request) -> Carbon:
    """From the drafts; a stale draft is made anew meanwhile."""
    return Carbon.model_validate((await carbon_figures(request))["carbon"])


@router.get("/energy", dependencies=[needs("see")], summary="kWh/t and heat recovered")
async def energy(request: Request) -> Energy:
    """From the drafts of yesterday and of the month."""
    return Energy.model_validate((await energy_figures(request))["energy"])


@router.get("/waiting", dependencies=[needs("see")], summary="What waits for the officer")
async def waiting(request: Request) -> Waiting:
    """Entries missing for a month's figures."""
    return Waiting.model_validate((await what_waits(request))["found"])
