"""The pages below /evidence: where a figure comes from, the archive, a package dropped in."""

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import FileResponse, HTMLResponse

from reports.console.archive_names import RENDERING, REPORT, named
from reports.console.figures.evidence_package import shown, verifier
from reports.console.pages.evidence_asked import (
    FigureOnPage,
    LinesAsked,
    Node,
    ProofAsked,
    addresses,
    known,
)
from reports.console.pages.evidence_dropped import dropped, verifying
from reports.console.web import desk, is_part, needs, office, page, reference

router = APIRouter()

LATEST = Annotated[int, Query(ge=0, le=4_102_444_800 * 10**9)]
Words = Annotated[str, Query(max_length=200)]


@router.get("/evidence", dependencies=[needs("see")])
async def show(request: Request) -> HTMLResponse:
    """The page."""
    return page(request, "evidence.html", most_mb=office(request).site.console.upload_mb)


@router.get("/evidence/reports", dependencies=[needs("see")])
async def archive(
    request: Request, kind: Annotated[str, Query(max_length=60)] = ""
) -> HTMLResponse:
    """Reports and their versions."""
    told = await desk(request).ask("figures.evidence_files:reports", keep_s=5, kind=kind)
    return page(request, "evidence_reports.html", kind=kind, **told)


@router.get("/evidence/found", dependencies=[needs("see")])
async def found(request: Request, q: Words = "") -> HTMLResponse:
    """Lines whose name or id has the words."""
    told: Node = {"found": [], "count": 0, "most": 0}
    if q.strip():
        told = await desk(request).ask("figures.evidence_files:find", keep_s=30, words=q)
    return page(request, "evidence_found.html", q=q, **told)


@router.get("/evidence/report", dependencies=[needs("see")])
async def report_page(request: Request, given: Annotated[LinesAsked, Query()]) -> HTMLResponse:
    """One report or draft: head, versions, changes, lines."""
    job = "figures.evidence_files:report"
    more: Node = {"find": given.q, "after": given.after, "limit": given.limit}
    told = known(await desk(request).ask(job, keep_s=5, asked=given.node(), **more))
    template = "evidence_lines.html" if is_part(request) else "evidence_report.html"
    return page(request, template, q=given.q, after=given.after, limit=given.limit, **told)


@router.get("/evidence/file/{name}", dependencies=[needs("see")])
async def download(request: Request, name: str) -> FileResponse:
    """A report of the archive, or a PDF, XLSX or HTML made from it."""
    path = named(office(request).reports, name, REPORT, RENDERING)
    if path is None:
        raise HTTPException(404)
    return FileResponse(path, filename=path.name)


@router.get("/evidence/verify.py", dependencies=[needs("see")])
async def program() -> FileResponse:
    """The verifier: one file, Python 3.8 or later, nothing else."""
    return FileResponse(verifier(), filename="verify.py", media_type="text/x-python")


@router.get("/evidence/figure", dependencies=[needs("see")])
async def figure(request: Request, given: Annotated[FigureOnPage, Query()]) -> HTMLResponse:
    """In the drawer, or as a page of its own that can be sent and printed."""
    if given.point:
        job = "figures.evidence_proof:point"
        of: Node = {"point": given.point, "at_ns": given.at, "period_s": given.period_s}
        told = known(await desk(request).ask(job, keep_s=5, **of))
        return _shown(
            request,
            "evidence_point.html",
            told=told,
            query=reference(point=given.point, at=given.at),
        )
    asked = given.node()
    kind, ref = given.thing()
    job = "figures.evidence:figure"
    told = known(await desk(request).ask(job, keep_s=5, asked=asked, kind=kind, ref=ref))
    return _shown(request, "evidence_figure.html", told=told, **addresses(told, given.way()))


def _shown(request: Request, template: str, **values: Any) -> HTMLResponse:
    """The piece for the drawer, or the same within a page."""
    part = is_part(request)
    base = "evidence_part.html" if part else "evidence_whole.html"
    return page(request, template, base=base, part=part, h="h3" if part else "h2", **values)


@router.get("/evidence/proof", dependencies=[needs("see")])
async def proof(request: Request, given: Annotated[ProofAsked, Query()]) -> HTMLResponse:
    """What proves it, computed now; ``moment`` is a minute of plant time, for a meter."""
    if given.point:
        job = "figures.evidence_proof:prove_point"
        told = known(await desk(request).ask(job, keep_s=5, point=given.point, at_ns=given.at))
        return page(request, "evidence_proof_point.html", told=told)
    job = "figures.evidence_proof:prove"
    asked, at_ns = given.node(), given.at_ns()
    kind, ref = given.thing()
    told = known(await desk(request).ask(job, asked=asked, kind=kind, ref=ref, at_ns=at_ns))
    return page(request, "evidence_proof.html", told=told)


@router.get("/evidence/used", dependencies=[needs("see")])
async def used(
    request: Request, point: Annotated[str, Query(max_length=200)], at: LATEST
) -> HTMLResponse:
    """The reports that used a reading."""
    job = "figures.evidence_proof:used"
    told = await desk(request).ask(job, keep_s=60, point=point, at_ns=at)
    return page(request, "evidence_used.html", told=told)


@router.get("/evidence/keys", dependencies=[needs("see")])
async def keys(request: Request) -> HTMLResponse:
    """The public keys that this installation holds, to be ticked."""
    told = await desk(request).ask("figures.evidence_package:known_keys", keep_s=30)
    return page(request, "evidence_keys.html", keys=told)


@router.post("/evidence/verify", dependencies=[needs("see")])
async def verify(request: Request) -> HTMLResponse:
    """The verdict over a package; nothing of it is kept."""
    async with dropped(request) as given:
        verdict = await verifying(request).judge(given)
        name = given.package.name
    base = "evidence_part.html" if is_part(request) else "evidence_whole.html"
    return page(request, "evidence_verdict.html", base=base, told=shown(verdict), name=name)
