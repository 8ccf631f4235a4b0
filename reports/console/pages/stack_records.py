"""Records of the journal by form: look at what would change, write, confirm, correct, withdraw."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any, Final

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse
from starlette.datastructures import UploadFile

from drivers.language import say
from drivers.model import ConfigError
from reports.console.uploads import kept_upload
from reports.console.web import desk, needs, office, page, period_of, visitor

router = APIRouter()
MOST_FILES: Final = 8
CELLS: Final = ("kind", "what", "equipment", "start", "end", "reason")
KINDS: Final = ("mark", "check", "verification", "exceedance", "alert", "document")
HOLD: Final = "/stacks/records/hand"


@router.get("/stacks/records", dependencies=[needs("see")])
async def listed(
    request: Request, kind: str = "", stack: str = "", period: str = "", every: str = ""
) -> HTMLResponse:
    """The journal, newest first; with ``every`` what was withdrawn, too."""
    if period:
        period_of(period)
    asked = desk(request)
    found = await asked.ask(
        "figures.journal_words:records",
        kind=kind if kind in KINDS else "",
        stack=stack,
        period=period,
        every=bool(every),
        newest_first=True,
    )
    kinds = await asked.ask("figures.journal:kinds", keep_s=60)
    return page(
        request,
        "stacks_records.html",
        found=found,
        kinds=kinds,
        stacks=office(request).site.stacks,
        asked={"kind": kind, "stack": stack, "period": period, "every": bool(every)},
        marks=visitor(request).may("mark"),
    )


@router.get("/stacks/records/waiting", dependencies=[needs("see")])
async def waiting(request: Request) -> HTMLResponse:
    """What waits for a second person."""
    who = visitor(request)
    rows = await desk(request).ask("figures.journal:waiting", person=who.person)
    return page(request, "stacks_waiting.html", rows=rows, confirms=who.may("confirm"))


@router.get("/stacks/records/new", dependencies=[needs("mark")])
async def new(request: Request) -> HTMLResponse:
    """The form of a kind, filled with what the address says; ``replaces`` corrects a record."""
    asked = request.query_params
    kind = asked.get("kind", "mark")
    replaces = _number(asked.get("replaces", ""))
    values = {key: asked[key] for key in asked if key not in {"replaces", "lang"}}
    if replaces:
        old = await desk(request).ask("figures.journal_words:one", number=replaces)
        kind = old["kind"]
        values = _values_of(old) | values
    return await _form(request, kind, values, replaces=replaces)


@router.post("/stacks/records/preview", dependencies=[needs("mark")])
async def preview(request: Request) -> Any:
    """What would be recorded and what it would change; nothing is written to the journal yet."""
    form = await request.form(max_files=MOST_FILES + 1)
    values = {key: value for key, value in form.items() if isinstance(value, str)}
    pollutants = [x for x in form.getlist("pollutants") if isinstance(x, str)]
    replaces = _number(values.get("replaces", ""))
    try:
        made = await staged(
            request,
            cells_of(values, pollutants),
            [x for x in form.getlist("evidence") if isinstance(x, UploadFile)],
            points=values.get("points", "").split(";"),
            no_trace=values.get("no_trace", ""),
            withdraws=replaces,
        )
    except (ConfigError, HTTPException) as error:
        told = error.problems if isinstance(error, ConfigError) else [str(error.detail)]
        status = 422 if isinstance(error, ConfigError) else error.status_code
        values["pollutants"] = " ".join(pollutants)
        kind = values.get("kind", "mark")
        return await _form(
            request, kind, values, replaces=replaces, problems=list(told), status=status
        )
    return RedirectResponse(f"{HOLD}/{made['id']}", 303)


async def staged(
    request: Request,
    cells: Mapping[str, str],
    uploads: list[UploadFile],
    *,
    points: list[str],
    no_trace: str,
    withdraws: int,
) -> dict[str, Any]:
    """A slip of the visitor with its preview. Raises ConfigError, HTTPException."""
    given = [each for each in uploads if each.filename]
    if len(given) > MOST_FILES:
        told = f"证据文件最多 {MOST_FILES} 个", f"{MOST_FILES} files at most"
        raise HTTPException(422, say(*told))
    async with AsyncExitStack() as kept:
        paths = [await kept.enter_async_context(kept_upload(office(request), x)) for x in given]
        made: dict[str, Any] = await desk(request).ask(
            "figures.journal:stage",
            author=visitor(request).person,
            cells=dict(cells),
            files=[str(path) for path in paths],
            points=points,
            no_trace=no_trace,
            withdraws=withdraws,
        )
    return made


def cells_of(values: Mapping[str, str], pollutants: list[str]) -> dict[str, str]:
    """Fields of the form as the cells of a journal table."""
    cells = {key: values[key].replace("T", " ") for key in CELLS[3:5] if values.get(key)}
    cells |= {key: values[key] for key in CELLS if key in values and key not in cells}
    cells |= {key[5:]: text for key, text in values.items() if key.startswith("fact_") and text}
    if pollutants:
        cells["pollutants"] = " ".join(pollutants)
    return {key: " ".join(text.split()) for key, text in cells.items()}


@router.get(HOLD + "/{slip}", dependencies=[needs("see")])
async def in_hand(request: Request, slip: str) -> HTMLResponse:
    """The preview of a slip, with what the visitor may do with it."""
    who = visitor(request)
    found = await desk(request).ask("figures.journal:preview", slip=slip, person=who.person)
    mine = found["author"] == who.person
    return page(
        request,
        "stacks_hand.html",
        found=found,
        mine=mine and who.may("mark"),
        second=not mine and who.may("confirm") and found["state"] == "waiting",
    )


@router.get(HOLD + "/{slip}/file/{name}", dependencies=[needs("see")])
async def file_in_hand(request: Request, slip: str, name: str) -> FileResponse:
    """A document of a slip: the second person opens it before confirming."""
    path = await desk(request).ask(
        "figures.journal:evidence_of_slip",
        slip=slip,
        name=name,
        person=visitor(request).person,
    )
    return FileResponse(path, filename=name, content_disposition_type="attachment")


@router.post(HOLD + "/{slip}/record", dependencies=[needs("mark")])
async def record(request: Request, slip: str) -> RedirectResponse:
    """Its author writes it into the journal."""
    made = await desk(request).act("figures.journal:record", visitor(request).who, slip=slip)
    return RedirectResponse(f"/stacks/records/{made['numbers'][-1]}", 303)


@router.post(HOLD + "/{slip}/ask", dependencies=[needs("mark")])
async def ask(request: Request, slip: str) -> RedirectResponse:
    """Its author hands it to a second person."""
    await desk(request).ask("figures.journal:ask_second", slip=slip, person=visitor(request).person)
    return RedirectResponse(f"{HOLD}/{slip}", 303)


@router.post(HOLD + "/{slip}/confirm", dependencies=[needs("confirm")])
async def confirm(request: Request, slip: str) -> RedirectResponse:
    """A second person confirms it, and so it is written."""
    made = await desk(request).act("figures.journal:confirm", visitor(request).who, slip=slip)
    return RedirectResponse(f"/stacks/records/{made['numbers'][-1]}", 303)


@router.post(HOLD + "/{slip}/drop", dependencies=[needs("mark")])
async def drop(request: Request, slip: str) -> RedirectResponse:
    """Its author takes it back."""
    return await _dropped(request, slip, "")


@router.post(HOLD + "/{slip}/refuse", dependencies=[needs("confirm")])
async def refuse(request: Request, slip: str) -> RedirectResponse:
    """The second person refuses it, with a reason."""
    reason = (await request.form()).get("reason", "")
    return await _dropped(request, slip, reason if isinstance(reason, str) else "")


async def _dropped(request: Request, slip: str, reason: str) -> RedirectResponse:
    who = visitor(request).who
    await desk(request).act("figures.journal:drop", who, slip=slip, reason=reason)
    return RedirectResponse("/stacks", 303)


@router.get("/stacks/records/{number}", dependencies=[needs("see")])
async def shown(request: Request, number: int) -> HTMLResponse:
    """One record with its evidence and verdict."""
    found = await desk(request).ask("figures.journal_words:one", number=number)
    return page(request, "stacks_record.html", found=found, marks=visitor(request).may("mark"))


@router.post("/stacks/records/{number}/withdraw", dependencies=[needs("mark")])
async def withdraw(request: Request, number: int) -> RedirectResponse:
    """A slip that takes the record back; its preview says which hours change."""
    reason = (await request.form()).get("reason", "")
    cells = {"reason": reason if isinstance(reason, str) else ""}
    made = await staged(request, cells, [], points=[], no_trace="", withdraws=number)
    return RedirectResponse(f"{HOLD}/{made['id']}", 303)


@router.get("/stacks/evidence/{sha256}", dependencies=[needs("see")])
async def evidence(request: Request, sha256: str) -> FileResponse:
    """A document or trace that the journal names."""
    found = await desk(request).ask("figures.journal:named_file", sha256=sha256)
    return FileResponse(
        found["path"], filename=found["name"], content_disposition_type="attachment"
    )


async def _form(
    request: Request,
    kind: str,
    values: Mapping[str, str],
    *,
    replaces: int = 0,
    problems: list[str] | None = None,
    status: int = 200,
) -> HTMLResponse:
    asked = desk(request)
    kinds = await asked.ask("figures.journal:kinds", keep_s=60)
    points = await asked.ask("figures.stacks:points", keep_s=60)
    form = next((each for each in kinds if each["kind"] == kind), kinds[0])
    return page(
        request,
        "stacks_form.html",
        status=status,
        form=form,
        kinds=kinds,
        points=points,
        values=values,
        chosen=values.get("pollutants", "").split(),
        replaces=replaces,
        problems_found=problems or [],
        upload_mb=office(request).site.console.upload_mb,
    )


def _values_of(old: Mapping[str, Any]) -> dict[str, str]:
    """Fields of the form from a record that is corrected."""
    values = {key: old[key] or "" for key in ("kind", "what", "equipment", "start", "end")}
    values |= {f"fact_{key}": text for key, text in old["given"].items()}
    return values | {"pollutants": " ".join(each["id"] for each in old["pollutants"])}


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 9 else 0
