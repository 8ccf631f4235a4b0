"""The pages /carbon/2026-10/…: a month's way from the first entry to the receipt, step by step."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, HTTPException, Path, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from drivers.language import language
from reports.console.drafts import Draft
from reports.console.jobs import jobs
from reports.console.pages.archive import framed, job_node
from reports.console.web import desk, drafts, needs, office, page, visitor
from reports.periods import Period, plant_now

router = APIRouter()
REPORT: Final = "carbon-monthly"
STEPS: Final = ("need", "enter", "check", "report", "sign", "package", "lodge")

Month = Annotated[str, Path(pattern=r"^\d{4}-\d{2}$")]
StepName = Annotated[str, Path(pattern="^(need|enter|check|report|sign|package|lodge)$")]
Identity = Annotated[str, Query(pattern="^([0-9a-f]{16})?$")]


def month_of(text: str) -> Period:
    """Raises HTTPException 404 for what is no month."""
    try:
        found = Period.parse(text)
    except ValueError:
        raise HTTPException(404) from None
    return found


@router.get("/carbon/{month}", dependencies=[needs("see")])
async def month(request: Request, month: Month) -> Response:
    """To the step that is next."""
    month_of(month)
    state = await desk(request).ask("figures.month:state", month=month)
    open_ = [step["id"] for step in state["steps"] if step["state"] != "done"]
    return RedirectResponse(f"/carbon/{month}/{open_[0] if open_ else 'lodge'}", 303)


@router.get("/carbon/{month}/{step}", dependencies=[needs("see")])
async def show(
    request: Request, month: Month, step: StepName, staged: Identity = "", taken: int = 0
) -> HTMLResponse:
    """The page of a step; its content loads by itself."""
    period = month_of(month)
    query = f"?staged={staged}" if staged else f"?taken={taken}" if taken else ""
    answer = page(request, "month.html", month=period, step=step, query=query)
    return framed(answer)


@router.get("/carbon/{month}/{step}/piece", dependencies=[needs("see")])
async def piece(
    request: Request,
    month: Month,
    step: StepName,
    staged: Identity = "",
    taken: int = 0,
    anew: int = 0,
) -> HTMLResponse:
    """The bar of steps and what there is to do in this one."""
    period = month_of(month)
    state = await desk(request).ask("figures.month:state", month=month)
    who = visitor(request)
    values: dict[str, Any] = {
        "month": month,
        "period": period,
        "step": step,
        "state": state,
        "card": state["card"],
        "taken": taken,
        "mb": office(request).site.console.upload_mb,
        "may": {right: who.may(right) for right in ("enter", "report", "lodge", "confirm")},
        "over": period.end <= plant_now(),
        "today": plant_now().date().isoformat(),
    }
    values |= await _of_step(request, step, month, state, staged, anew=bool(anew))
    return page(request, f"month_{step}.html", **values)


@router.get("/carbon/{month}/{step}/draft", dependencies=[needs("see")])
async def draft(request: Request, month: Month, step: StepName, anew: int = 0) -> HTMLResponse:
    """What the draft says of the month, while and after it is computed."""
    month_of(month)
    state = await desk(request).ask("figures.month:state", month=month)
    made = _draft(request, month, state, anew=bool(anew))
    if made is None:
        raise HTTPException(404)
    values: dict[str, Any] = {"month": month, "draft": made} | await _checked(request, month)
    return page(request, "month_draft.html" if step == "need" else "month_checks.html", **values)


async def _of_step(
    request: Request, step: str, month: str, state: Any, staged: str, *, anew: bool
) -> dict[str, Any]:
    """What the template of that step needs beside the state."""
    ask = desk(request).ask
    if step == "need":
        asked = await ask("figures.entries:asked_rows", period=month, purpose=REPORT)
        return {"asked": asked, "draft": _draft(request, month, state, anew=anew)} | (
            await _checked(request, month)
        )
    if step == "enter":
        shown = await ask("figures.entries_table:preview", identity=staged) if staged else None
        asked = None if shown else await ask(
            "figures.entries:asked_rows", period=month, purpose=REPORT
        )  # fmt: skip
        entered = await ask("figures.entries:entries", period=month, limit=1000)
        places = {each.id: each.name.of(language()) for each in office(request).site.potline}
        return {"preview": shown, "asked": asked, "entered": entered, "places": places}
    if step == "check":
        draft = _draft(request, month, state, anew=anew)
        return {"draft": draft} | await _checked(request, month)
    if step == "report":
        job = jobs(request).newest(f"report {REPORT} {month}")
        shown = job if job is not None and job.state != "done" else None
        return {"report": await _report(request, state), "job": shown and job_node(shown)}
    if step == "package":
        return await _package(request, state)
    return {"report": await _report(request, state)}


def _draft(request: Request, month: str, state: Any, *, anew: bool) -> Draft | None:
    """The draft, asked for where anything was entered; of a month ahead there is none."""
    if state["card"]["phase"] == "ahead" or not state["card"]["runs"]:
        return None
    if not state["card"]["entries"]:
        return None
    return drafts(request).get(office(request), REPORT, month, anew=anew)


async def _checked(request: Request, month: str) -> dict[str, Any]:
    return {"found": await desk(request).ask("figures.checks:differences", month=month)}


async def _report(request: Request, state: Any) -> Any:
    report = state["card"]["report"]
    if report is None:
        return None
    return await desk(request).ask("figures.archive:one", file=report["file"])


async def _package(request: Request, state: Any) -> dict[str, Any]:
    report = await _report(request, state)
    job = jobs(request).newest(f"package {report['file']}") if report else None
    verdict = None
    if report is not None and state["card"]["package"]:
        verdict = await desk(request).ask("figures.lodging:known_verdict", file=report["file"])
    shown = job if job is not None and job.state != "done" else None
    return {"report": report, "verdict": verdict, "job": shown and job_node(shown)}
