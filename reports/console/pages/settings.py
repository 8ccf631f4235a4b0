"""The page /settings: at a glance, meters and certificates, gateways, audit trail, site, tables."""

from collections import defaultdict
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, Response

from drivers.model import ConfigError
from reports.console.live import Live
from reports.console.pages import settings_notices, settings_rules
from reports.console.pages.settings_forms import form_of, required
from reports.console.pages.settings_tables import iqy, tables
from reports.console.uploads import kept_upload
from reports.console.web import desk, needs, office, page, visitor

router = APIRouter()
router.include_router(settings_rules.router)
router.include_router(settings_notices.router)

MOST = 1 << 53


@router.get("/settings", dependencies=[needs("see")])
async def show(request: Request) -> HTMLResponse:
    """The page."""
    return page(request, "settings.html")


@router.get("/settings/overview", dependencies=[needs("see")])
async def overview(request: Request) -> HTMLResponse:
    """One card for each part."""
    said = await desk(request).ask("figures.settings:overview", keep_s=10)
    recipients = len(office(request).site.console.notices)
    return page(
        request,
        "settings_overview.html",
        of=said,
        gateways=_live(request).gateways(),
        trouble=_live(request).trouble(),
        recipients=recipients,
    )


# --- meters and certificates


@router.get("/settings/meters", dependencies=[needs("see")])
async def meters(request: Request) -> HTMLResponse:
    """The page."""
    return page(request, "settings_meters.html", done=request.query_params.get("done", ""))


@router.get("/settings/meters/table", dependencies=[needs("see")])
async def meters_table(request: Request) -> HTMLResponse:
    """Meters by role, instruments with their certificates."""
    said = await desk(request).ask("figures.settings_meters:meters", keep_s=10)
    return page(request, "settings_meters_table.html", of=said)


@router.get("/settings/meters/certificate", dependencies=[needs("configure")])
async def certificate(
    request: Request, instrument: Annotated[str, Query(max_length=80)] = ""
) -> HTMLResponse:
    """The form of a new certificate."""
    return await _certificate_form(request, {"line": instrument}, [])


async def _certificate_form(
    request: Request, given: dict[str, str], problems: list[str]
) -> HTMLResponse:
    asked = await desk(request).ask("figures.settings_meters:certificate_form", keep_s=10)
    status = 422 if problems else 200
    shown = {"asked": asked, "given": defaultdict(str, given), "wrong": problems}
    return page(request, "settings_certificate.html", status=status, **shown)


@router.post("/settings/meters/certificate", dependencies=[needs("configure")])
async def add_certificate(request: Request) -> Response:
    """A certificate with its document, into the ledger of entries."""
    given, document = await form_of(request)
    try:
        async with kept_upload(office(request), required(document)) as path:
            said = await desk(request).act(
                "figures.settings_meters:add_certificate",
                visitor(request).who,
                given=given,
                path=str(path),
            )
    except ConfigError as error:
        return await _certificate_form(request, given, list(error.problems))
    except HTTPException as error:
        return await _certificate_form(request, given, [str(error.detail)])
    return Response(status_code=303, headers={"Location": f"/settings/meters?done={said['entry']}"})


# --- gateways


@router.get("/settings/gateways", dependencies=[needs("see")])
async def gateways(request: Request) -> HTMLResponse:
    """The page: to look at only, nothing here reaches a device."""
    return page(request, "settings_gateways.html")


@router.get("/settings/gateways/list", dependencies=[needs("see")])
async def gateways_list(request: Request) -> HTMLResponse:
    """As the historian knows them now."""
    live = _live(request)
    known = await live.ready()
    expiring = [
        each
        for each in live.events()
        if each["kind"] == "certificate_expiring" and each["end_ms"] is None
    ]
    return page(
        request,
        "settings_gateways_list.html",
        known=known,
        trouble=live.trouble(),
        expiring=expiring,
    )


def _live(request: Request) -> Live:
    found: Live = request.app.state.live
    return found


# --- audit trail


@router.get("/settings/audit", dependencies=[needs("administer")])
async def audit(request: Request) -> HTMLResponse:
    """The page: the filter, and the newest acts."""
    return page(request, "settings_audit.html", asked=request.url.query)


@router.get("/settings/audit/list", dependencies=[needs("administer")])
async def audit_list(
    request: Request,
    who: Annotated[str, Query(max_length=100)] = "",
    what: Annotated[str, Query(max_length=60)] = "",
    outcome: Annotated[str, Query(pattern="^(ok|refused|failed)?$")] = "",
    first: Annotated[str, Query(max_length=10)] = "",
    last: Annotated[str, Query(max_length=10)] = "",
    before: Annotated[int, Query(ge=0, le=MOST)] = 0,
) -> HTMLResponse:
    """A hundred acts, newest first."""
    wanted: dict[str, Any] = {
        "who": who, "what": what, "outcome": outcome, "first": first, "last": last,
    }  # fmt: skip
    said = await desk(request).ask("figures.settings_audit:listed", before=before, **wanted)
    return page(request, "settings_audit_list.html", of=said, wanted=wanted, before=before)


@router.get("/settings/audit/check", dependencies=[needs("administer")])
async def audit_check(request: Request) -> HTMLResponse:
    """The whole chain, from its first act on."""
    said = await desk(request).ask("figures.settings_audit:checked", lane="long")
    return page(request, "settings_audit_check.html", of=said)


# --- what the plant is, what data there are


@router.get("/settings/site", dependencies=[needs("see")])
async def site(request: Request) -> HTMLResponse:
    """Facts of site.toml, without secrets."""
    said = await desk(request).ask("figures.settings:facts", keep_s=5)
    return page(request, "settings_site.html", of=said)


@router.get("/settings/catalogue", dependencies=[needs("see")])
async def catalogue(request: Request) -> HTMLResponse:
    """The data catalogue, by class."""
    said = await desk(request).ask("figures.settings:catalogue", keep_s=5)
    return page(request, "settings_catalogue.html", of=said)


@router.get("/settings/tables", dependencies=[needs("see")])
async def excel(request: Request) -> HTMLResponse:
    """Every table of the API as CSV, for Excel and WPS."""
    return page(request, "settings_tables.html", tables=tables(request))


@router.get("/settings/tables/query.iqy", dependencies=[needs("see")])
async def query_file(request: Request, of: Annotated[str, Query(max_length=300)]) -> Response:
    """A saved web query of one table. 404 for what is no table."""
    found = next((each for each in tables(request) if each.path == of), None)
    if found is None:
        raise HTTPException(404)
    return Response(
        iqy(found),
        media_type="text/x-ms-iqy",
        headers={"Content-Disposition": f'attachment; filename="{found.file}.iqy"'},
    )
