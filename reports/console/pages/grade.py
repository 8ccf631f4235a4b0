"""The page /grade: indicators proven, failed or unknown, what keeps from A, documents, tables."""

from contextlib import AsyncExitStack
from typing import Annotated, Any, Final

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import FileResponse, HTMLResponse
from starlette.datastructures import UploadFile

from drivers.language import say
from reports.console.drafts import Draft
from reports.console.uploads import DOCUMENTS, kept_upload
from reports.console.web import desk, drafts, needs, office, page, visitor
from reports.periods import Period, plant_now

router = APIRouter()
TYPED: Final = {**DOCUMENTS, ".toml": (b"",)}
STATES: Final = ("proven", "failed", "unknown")
MOST_FILES: Final = 2

Until = Annotated[str, Query(pattern=r"^((20|21)\d{2}(-\d{2}(-\d{2})?)?)?$")]
Line = Annotated[str, Query(max_length=200)]


@router.get("/grade", dependencies=[needs("see")])
async def show(request: Request, period: Until = "") -> HTMLResponse:
    """The page; its cards load by themselves."""
    who = visitor(request)
    return page(
        request,
        "grade.html",
        period=str(_period(period)),
        marks=who.may("mark"),
        reports=who.may("report"),
    )


def _period(text: str) -> Period:
    """What ends the twelve months: a month, day or year; this month where nothing is said."""
    try:
        return Period.parse(text or f"{plant_now():%Y-%m}")
    except ValueError as error:
        raise HTTPException(422, str(error)) from None


@router.get("/grade/table", dependencies=[needs("see")])
async def table(
    request: Request,
    *,
    period: Until = "",
    status: str = "",
    industry: str = "",
    level: str = "",
    anew: bool = False,
) -> HTMLResponse:
    """Verdicts and indicators, from the draft; while there is none, from the newest report."""
    asked = str(_period(period))
    draft, found = await _found(request, asked, anew=anew)
    chosen = {"status": status, "industry": industry, "level": level}
    return page(
        request,
        "grade_table.html",
        draft=draft,
        found=found,
        levels=_filtered(found, chosen),
        chosen=chosen,
        states=_state_names(),
        period=asked,
    )


async def _found(
    request: Request, period: str, *, anew: bool = False
) -> tuple[Draft, dict[str, Any] | None]:
    draft = drafts(request).get(office(request), "grade", period, anew=anew)
    found = await desk(request).ask("figures.grade:found", period=period)
    return draft, found


def _filtered(found: dict[str, Any] | None, chosen: dict[str, str]) -> list[dict[str, Any]]:
    """Levels with the rows that the filter leaves."""
    levels = []
    for each in found["levels"] if found else ():
        if chosen["industry"] not in {"", f"{each['industry']}.{each['generation']}"}:
            continue
        if chosen["level"] not in {"", each["level"]}:
            continue
        rows = [x for x in each["rows"] if chosen["status"] in {"", x["status"]}]
        if rows or not chosen["status"]:
            levels.append(each | {"rows": rows})
    return levels


def _state_names() -> dict[str, str]:
    words = (say("已证明", "proven"), say("不满足", "failed"), say("未知", "unknown"))
    return dict(zip(STATES, words, strict=True))


@router.get("/grade/way", dependencies=[needs("see")])
async def way(request: Request, period: Until = "") -> HTMLResponse:
    """What keeps the plant from A, in order of effort; what ends soon; the texts to open."""
    found = await desk(request).ask("figures.grade:found", period=str(_period(period)))
    return page(request, "grade_way.html", found=found, marks=visitor(request).may("mark"))


@router.get("/grade/alerts", dependencies=[needs("see")])
async def alerts(request: Request, period: Until = "") -> HTMLResponse:
    """Heavy-pollution alerts of the twelve months, and what of the plan was kept."""
    found = await desk(request).ask("figures.grade:found", period=str(_period(period)))
    return page(
        request,
        "grade_alerts.html",
        found=found,
        plan=office(request).site.alert_plan,
        marks=visitor(request).may("mark"),
    )


@router.get("/grade/documents", dependencies=[needs("see")])
async def documents(request: Request) -> HTMLResponse:
    """Documents and declarations with the days they are still valid."""
    rows = await desk(request).ask("figures.grade:documents")
    return page(request, "grade_documents.html", rows=rows, marks=visitor(request).may("mark"))


@router.get("/grade/indicator", dependencies=[needs("see")])
async def indicator(request: Request, line: Line, period: Until = "") -> HTMLResponse:
    """The drawer of one indicator: findings, figures, stretches, documents."""
    found = await desk(request).ask(
        "figures.grade:indicator", period=str(_period(period)), line=line
    )
    return page(request, "grade_indicator.html", found=found, marks=visitor(request).may("mark"))


@router.get("/grade/tables", dependencies=[needs("see")])
async def tables(request: Request) -> HTMLResponse:
    """The official tables and how much of each is known; the form to check a typed one."""
    return await _tables(request, None, [])


async def _tables(
    request: Request, checked: dict[str, Any] | None, problems: list[str], status: int = 200
) -> HTMLResponse:
    asked = desk(request)
    return page(
        request,
        "grade_tables.html",
        status=status,
        rows=await asked.ask("figures.grade_tables:listed", keep_s=60),
        kinds=await asked.ask("figures.grade_tables:kind_names_of", keep_s=3600),
        checked=checked,
        problems_found=problems,
        configures=visitor(request).may("configure"),
    )


@router.get("/grade/tables/{name}.xlsx", dependencies=[needs("see")])
async def template(request: Request, name: str) -> FileResponse:
    """The workbook to type an official table into."""
    path = await desk(request).ask("figures.grade_tables:template", name=name)
    return FileResponse(path, filename=f"grade-{name}.xlsx", content_disposition_type="attachment")


@router.post("/grade/tables/check", dependencies=[needs("enter")])
async def check(request: Request) -> HTMLResponse:
    """Every mistake of a typed table with the document it was typed from; nothing is kept."""
    form = await request.form(max_files=MOST_FILES + 1)
    uploads = [x for key in ("table", "document") for x in form.getlist(key)]
    given = [x for x in uploads if isinstance(x, UploadFile) and x.filename]
    try:
        checked = await checked_table(request, given)
    except HTTPException as error:
        return await _tables(request, None, [str(error.detail)], error.status_code)
    return await _tables(request, checked, [])


async def checked_table(request: Request, uploads: list[UploadFile]) -> dict[str, Any]:
    """What the check says. Raises HTTPException, ConfigError."""
    if not uploads:
        raise HTTPException(422, say("请选择填好的指标表", "choose the table you typed"))
    async with AsyncExitStack() as kept:
        paths = [
            await kept.enter_async_context(kept_upload(office(request), each, TYPED))
            for each in uploads[:MOST_FILES]
        ]
        found: dict[str, Any] = await desk(request).ask(
            "figures.grade_tables:check", paths=[str(path) for path in paths]
        )
    return found
