"""What the settings show, for programs: meters, rules, overlays, gateways, audit trail, notices."""

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Query, Request, Response
from pydantic import BaseModel, Field

from drivers.language import language, say
from reports.console.api.potlines_tables import csv_answer
from reports.console.pages.settings_notices import recipients
from reports.console.pages.settings_tables import tables
from reports.console.web import desk, needs, visitor

router = APIRouter(prefix="/settings", tags=["settings"])
Form = Annotated[Literal["json", "csv"], Query(description="csv: as a table, UTF-8 with BOM")]
Day = Annotated[date | None, Query(description="a day of the plant; default today")]
MOST = 1 << 53


class Words(BaseModel):
    """The same in both languages."""

    zh: str
    en: str


class CertificateState(BaseModel):
    """The newest certificate of an instrument; ``left`` days, negative when it has run out."""

    state: Literal["valid", "expiring", "expired", "failed", "missing"]
    until: date | None
    left: int | None
    number: str = ""
    body: str = ""
    calibrated: date | None = None
    error_percent: float | None = None
    entry: int | None = None


class Instrument(BaseModel):
    """An instrument of the data quality plan."""

    id: str
    name: Words
    model: str
    serial: str
    accuracy: float
    regulation: str
    interval_months: int
    measures: list[str]
    in_place: bool
    counts: bool
    certificate: CertificateState


class MeterRow(BaseModel):
    """A meter of the site by role; ``instrument`` empty: the plan has none for it."""

    place: Words
    role: Words
    equipment: str
    quantity: str
    unit: str
    instrument: str


class Parameter(BaseModel):
    """A rule value on a day; ``value`` null: absent or not in force, never zero."""

    id: str
    name: Words
    value: float | int | str | None
    unit: str
    applies_from: date | None
    state: Literal["official", "secondary", "unverified", "site", "absent", "none"]
    title: str
    where: str
    locator: str


class SignedValue(BaseModel):
    """A value of the plant that is in force."""

    id: str
    parameter: str
    name: Words
    value: str
    applies_from: date
    until: date | None
    entered_by: str
    checked_by: str
    checked_on: date | None
    document: str
    file: str


class ProposalRow(BaseModel):
    """A proposal; ``value`` empty while somebody else is to read it himself."""

    id: str
    kind: Literal["value", "removal"]
    parameter: str
    name: Words
    value: str
    document: str
    person: str
    at: str
    state: Literal["open", "signed", "refused", "withdrawn"]
    by: str
    decided: str
    reason: str


class Overlays(BaseModel):
    """What waits, what is in force, what was decided."""

    open: list[ProposalRow]
    signed: list[SignedValue]
    decided: list[ProposalRow]
    problems: list[str]


class ActRow(BaseModel):
    """One act of the audit trail; ``at`` wall time in s."""

    n: int
    at: float
    who: str
    what: str
    deed: str
    target: str
    why: str
    result: str
    source: str
    details: dict[str, str]
    hash: str


class Acts(BaseModel):
    """Acts, newest first; ``next``: ask again with ``before`` = it, null: no older ones."""

    acts: int
    rows: list[ActRow]
    next: int | None
    used_share: float


class Chain(BaseModel):
    """``broken`` null: whole."""

    acts: int
    head: str
    broken: str | None


class Recipient(BaseModel):
    """A recipient of notices, without its address."""

    name: str
    kind: str
    about: list[Words]
    waiting: int
    tries: int
    problem: str


class TableAddress(BaseModel):
    """A table that is there as CSV."""

    path: str
    address: str
    text: str
    needed: list[str]
    optional: list[str]


class Decision(BaseModel):
    """What the second person read, or why it goes back."""

    value: str = Field(default="", max_length=200)
    reason: str = Field(default="", max_length=1000)


class Decided(BaseModel):
    """The proposal, and the overlay file that was written."""

    id: str
    file: str = ""
    state: str = ""


@router.get("/instruments", dependencies=[needs("see")], response_model=list[Instrument])
async def instruments(
    request: Request,
    format: Form = "json",  # noqa: A002 - the name in the address
) -> Any:
    """Instruments of the plan and until when their certificates hold."""
    said = await desk(request).ask("figures.settings_meters:meters", keep_s=10)
    if format == "json":
        return said["instruments"]
    head = say(
        "编号|名称|型号|编号|准确度 (%)|规程|证书|检定日期|有效期至|剩余天数|状态",
        "id|name|model|serial|class (%)|regulation|certificate|calibrated|until|days left|state",
    )
    rows = [
        [each["id"], each["name"][language()]]
        + [each[key] for key in ("model", "serial", "accuracy", "regulation")]
        + [each["certificate"].get(key) for key in CERTIFICATE]
        for each in said["instruments"]
    ]
    return csv_answer("instruments.csv", head.split("|"), rows)


CERTIFICATE = ("number", "calibrated", "until", "left", "state")


@router.get("/meters", dependencies=[needs("see")], response_model=list[MeterRow])
async def meters(
    request: Request,
    format: Form = "json",  # noqa: A002 - the name in the address
) -> Any:
    """Meters of the site by role."""
    said = await desk(request).ask("figures.settings_meters:meters", keep_s=10)
    if format == "json":
        return said["meters"]
    head = say("归属|用途|设备|量|单位|计量器具", "of|role|equipment|quantity|unit|instrument")
    rows = [
        [each["place"][language()], each["role"][language()]]
        + [each[key] for key in ("equipment", "quantity", "unit", "instrument")]
        for each in said["meters"]
    ]
    return csv_answer("meters.csv", head.split("|"), rows)


@router.get("/rules", dependencies=[needs("see")], response_model=list[Parameter])
async def rules(
    request: Request,
    pack: Annotated[str, Query(max_length=60)] = "",
    state: Annotated[str, Query(max_length=20)] = "",
    on: Day = None,
    after: Annotated[str, Query(max_length=120, description="id of the last one seen")] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
    format: Form = "json",  # noqa: A002 - the name in the address
) -> Any:
    """Rule values on a day, by id: value, unit, text, place, how well confirmed."""
    said = await desk(request).ask(
        "figures.settings_rules:listed",
        pack=pack,
        state=state,
        on=str(on) if on else "",
        keep_s=10,
    )
    rows = sorted((x for x in said["rows"] if x["id"] > after), key=lambda x: str(x["id"]))[:limit]
    if format == "json":
        return rows
    head = say(
        "参数|编号|取值|单位|起始日|核实|依据文件|位置|何处可得",
        "parameter|id|value|unit|from|confirmed|text|place|where",
    )
    table = [[each["name"][language()], *(each[key] for key in PARAMETER)] for each in rows]
    return csv_answer("rules.csv", head.split("|"), table)


PARAMETER = ("id", "value", "unit", "applies_from", "state", "title", "locator", "where")


@router.get("/overlays", dependencies=[needs("see")], response_model=Overlays)
async def overlays(request: Request) -> Any:
    """Proposals of values, and those in force."""
    return await desk(request).ask(
        "figures.settings_overlays:listed", account=visitor(request).name
    )


@router.post(
    "/overlays/{identity}/confirm", dependencies=[needs("confirm")], response_model=Decided
)
async def confirm(request: Request, identity: str, said: Decision) -> Any:
    """The second person read ``value`` in the same document, which he opened on the page."""
    return await desk(request).act(
        "figures.settings_signing:confirm",
        visitor(request).who,
        identity=identity,
        value=said.value,
        account=visitor(request).name,
    )


@router.post("/overlays/{identity}/refuse", dependencies=[needs("confirm")], response_model=Decided)
async def refuse(request: Request, identity: str, said: Decision) -> Any:
    """Back to who typed it, with ``reason``."""
    return await desk(request).act(
        "figures.settings_signing:refuse",
        visitor(request).who,
        identity=identity,
        reason=said.reason,
        account=visitor(request).name,
    )


@router.get("/gateways", dependencies=[needs("see")], response_model=list[dict[str, Any]])
async def gateways(request: Request) -> Any:
    """Gateways as the historian knows them now. 503 while it does not answer."""
    known = await request.app.state.live.ready()
    if not known.reachable:
        raise HTTPException(503, request.app.state.live.trouble() or None)
    return known.gateways


@router.get("/audit", dependencies=[needs("administer")], response_model=Acts)
async def audit(  # noqa: PLR0913, PLR0917 - each is a filter
    request: Request,
    who: Annotated[str, Query(max_length=100)] = "",
    what: Annotated[str, Query(max_length=60)] = "",
    outcome: Annotated[Literal["", "ok", "refused", "failed"], Query()] = "",
    first: Day = None,
    last: Day = None,
    before: Annotated[int, Query(ge=0, le=MOST)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Any:
    """Acts of the audit trail, newest first."""
    return await desk(request).ask(
        "figures.settings_audit:listed",
        who=who,
        what=what,
        outcome=outcome,
        first=str(first) if first else "",
        last=str(last) if last else "",
        before=before,
        limit=limit,
    )


@router.get("/audit/check", dependencies=[needs("administer")], response_model=Chain)
async def check(request: Request) -> Any:
    """Is the chain of the audit trail whole."""
    return await desk(request).ask("figures.settings_audit:checked", lane="long")


@router.get("/notices", dependencies=[needs("administer")], response_model=list[Recipient])
async def notices(request: Request) -> Any:
    """Recipients of notices, and what waits for them."""
    return recipients(request)


@router.get("/tables", dependencies=[needs("see")], response_model=list[TableAddress])
async def table_addresses(request: Request) -> Response | list[dict[str, Any]]:
    """Every table that is there as CSV."""
    return [
        {
            "path": each.path,
            "address": each.address,
            "text": each.text,
            "needed": list(each.needed),
            "optional": list(each.optional),
        }
        for each in tables(request)
    ]
