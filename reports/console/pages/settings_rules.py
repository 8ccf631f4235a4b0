"""Rule packs and overlays: what stands in force, typing a value, a second person checking it."""

from collections import defaultdict
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import FileResponse, HTMLResponse, Response

from drivers.model import ConfigError
from reports.console import proposals
from reports.console.pages.settings_forms import form_of, required
from reports.console.uploads import kept_upload
from reports.console.web import desk, needs, office, page, visitor

router = APIRouter(prefix="/settings")

Parameter = Annotated[str, Query(max_length=120)]
Day = Annotated[str, Query(pattern=r"^(\d{4}-\d{2}-\d{2})?$")]


@router.get("/rules", dependencies=[needs("see")])
async def rules(request: Request, on: Day = "") -> HTMLResponse:
    """The packs, and how much of each is known."""
    return page(request, "settings_rules.html", on=on)


@router.get("/rules/packs", dependencies=[needs("see")])
async def packs(request: Request, on: Day = "") -> HTMLResponse:
    """How many parameters of each state."""
    said = await desk(request).ask("figures.settings_rules:summary", on=on, keep_s=10)
    return page(request, "settings_rules_packs.html", of=said, on=on)


@router.get("/rules/absent", dependencies=[needs("see")])
async def absent(request: Request, on: Day = "") -> HTMLResponse:
    """What nobody could read, by the text to open."""
    said = await desk(request).ask("figures.settings_rules:absent", on=on, keep_s=10)
    return page(request, "settings_rules_absent.html", of=said)


@router.get("/rules/list", dependencies=[needs("see")])
async def listed(
    request: Request,
    pack: Annotated[str, Query(max_length=60)] = "",
    state: Annotated[str, Query(max_length=20)] = "",
    on: Day = "",
) -> HTMLResponse:
    """The parameters of one pack, or of one state."""
    said = await desk(request).ask(
        "figures.settings_rules:listed", pack=pack, state=state, on=on, keep_s=10
    )
    return page(request, "settings_rules_list.html", of=said, state=state)


@router.get("/rules/parameter", dependencies=[needs("see")])
async def parameter(request: Request, of: Parameter, on: Day = "") -> HTMLResponse:
    """One parameter: value, source, history, which reports it touches."""
    said = await desk(request).ask("figures.settings_rules:shown", parameter=of, on=on, keep_s=5)
    return page(request, "settings_rules_parameter.html", of=said)


@router.get("/overlays", dependencies=[needs("see")])
async def overlays(request: Request) -> HTMLResponse:
    """Proposals that wait, and what was signed."""
    return page(request, "settings_overlays.html", done=request.query_params.get("done", ""))


@router.get("/overlays/list", dependencies=[needs("see")])
async def overlays_list(request: Request) -> HTMLResponse:
    """The tables of that page."""
    said = await desk(request).ask(
        "figures.settings_overlays:listed", account=visitor(request).name
    )
    return page(request, "settings_overlays_list.html", of=said)


@router.get("/overlays/new", dependencies=[needs("enter")])
async def new(request: Request, of: Parameter, on: Day = "") -> HTMLResponse:
    """The form of a value read in a document."""
    return await _new(request, {"parameter": of}, [], on)


async def _new(
    request: Request, given: dict[str, str], problems: list[str], on: str = ""
) -> HTMLResponse:
    asked = await desk(request).ask(
        "figures.settings_overlays:form", parameter=given.get("parameter", ""), on=on
    )
    shown = {"asked": asked, "given": defaultdict(str, given), "wrong": problems}
    return page(request, "settings_overlay_new.html", status=422 if problems else 200, **shown)


@router.post("/overlays/new", dependencies=[needs("enter")])
async def propose(request: Request) -> Response:
    """Keep it as a proposal, without effect."""
    given, document = await form_of(request)
    try:
        async with kept_upload(office(request), required(document)) as path:
            said = await desk(request).act(
                "figures.settings_overlays:propose",
                visitor(request).who,
                given=given,
                path=str(path),
                account=visitor(request).name,
            )
    except ConfigError as error:
        return await _new(request, given, list(error.problems))
    except HTTPException as error:
        return await _new(request, given, [str(error.detail)])
    return _to(f"/settings/overlays/{said['id']}?done=proposed")


@router.post("/overlays/removal", dependencies=[needs("enter")])
async def remove(request: Request) -> Response:
    """Propose that a signed value counts no longer."""
    form = await request.form()
    said = await desk(request).act(
        "figures.settings_overlays:remove",
        visitor(request).who,
        file=str(form.get("file", "")),
        note=str(form.get("note", "")),
        account=visitor(request).name,
    )
    return _to(f"/settings/overlays/{said['id']}?done=proposed")


@router.get("/overlays/{identity}", dependencies=[needs("see")])
async def review(request: Request, identity: str) -> HTMLResponse:
    """One proposal; whoever checks it is not told the value."""
    return await _review(request, identity, [])


async def _review(request: Request, identity: str, problems: list[str]) -> HTMLResponse:
    said = await desk(request).ask(
        "figures.settings_overlays:review", identity=identity, account=visitor(request).name
    )
    shown = {"of": said, "wrong": problems, "done": request.query_params.get("done", "")}
    return page(request, "settings_overlay.html", status=422 if problems else 200, **shown)


@router.get("/overlays/{identity}/document", dependencies=[needs("confirm")])
async def document(request: Request, identity: str) -> FileResponse:
    """The document; that this account opened it is remembered."""
    place = office(request)
    proposal = proposals.read(place, identity)
    path = proposals.document_path(place, proposal)
    if path is None or not path.is_file():
        raise HTTPException(404)
    proposals.mark_opened(place, proposal, visitor(request).name)
    return FileResponse(
        path,
        filename=path.name,
        media_type="application/octet-stream",
        headers={"Content-Security-Policy": "sandbox; default-src 'none'"},
    )


@router.post("/overlays/{identity}/confirm", dependencies=[needs("confirm")])
async def confirm(request: Request, identity: str) -> Response:
    """The second person read the same: it is written and counts."""
    form = await request.form()
    try:
        await desk(request).act(
            "figures.settings_signing:confirm",
            visitor(request).who,
            identity=identity,
            value=str(form.get("value", "")),
            account=visitor(request).name,
        )
    except ConfigError as error:
        return await _review(request, identity, list(error.problems))
    return _to(f"/settings/overlays/{identity}?done=signed")


@router.post("/overlays/{identity}/refuse", dependencies=[needs("confirm")])
async def refuse(request: Request, identity: str) -> Response:
    """Back to who typed it, with a reason; by that person himself it is taken back."""
    form = await request.form()
    try:
        await desk(request).act(
            "figures.settings_signing:refuse",
            visitor(request).who,
            identity=identity,
            reason=str(form.get("reason", "")),
            account=visitor(request).name,
        )
    except ConfigError as error:
        return await _review(request, identity, list(error.problems))
    return _to(f"/settings/overlays/{identity}?done=refused")


def _to(address: str) -> Response:
    return Response(status_code=303, headers={"Location": address})
