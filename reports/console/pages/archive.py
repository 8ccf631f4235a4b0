"""Reports in the archive: list, one version, its papers; the work that makes them."""

from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, HTTPException, Query, Request
from fastapi.responses import FileResponse, HTMLResponse, Response

from drivers.language import language, say
from reports.console import archive_names as names
from reports.console.jobs import Job, Step, jobs
from reports.console.office import Office
from reports.console.web import desk, needs, office, page, visitor
from reports.values import Text

router = APIRouter()
KEEP_S: Final = 30.0
# Of a report shown inside a page of ours: its own styles, nothing else, and only there.
SHOWN: Final = {
    "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
    "X-Frame-Options": "SAMEORIGIN",
}
PAPERS: Final = (  # made with each version; HTML in English when somebody looks
    *(("html", "zh"), ("xlsx", "zh"), ("pdf", "zh")),
    *(("xlsx", "en"), ("pdf", "en")),
)

ReportName = Annotated[str, Query(pattern=r"^[a-z-]{0,40}$")]
PeriodStart = Annotated[str, Query(pattern=r"^[0-9A-Za-z_-]{0,21}$")]


def newest_name(asked: Office, report: str, period: str) -> str | None:
    """File of the newest version; None when there is none."""
    found = names.newest(asked.reports, report, period)
    return None if found is None else found.name


def report_path(request: Request, name: str) -> Path:
    """Raises HTTPException 404 for what the archive does not hold."""
    path = names.named(office(request).reports, name, names.REPORT)
    if path is None:
        raise HTTPException(404)
    return path


def framed(answer: HTMLResponse) -> HTMLResponse:
    """The page may show a report of ours in a frame."""
    from reports.console.app import POLICY

    answer.headers["Content-Security-Policy"] = f"{POLICY}; frame-src 'self'"
    return answer


def done(request: Request, address: str) -> Response:
    """After an act: to a page."""
    if request.headers.get("hx-request") == "true":
        return Response(headers={"HX-Redirect": address})
    return Response(status_code=303, headers={"Location": address})


@router.get("/reports", dependencies=[needs("see")])
async def show(request: Request, report: ReportName = "", period: PeriodStart = "") -> HTMLResponse:
    """The page; the list loads by itself."""
    kinds = await desk(request).ask("figures.archive:kinds", keep_s=3600.0)
    return page(request, "reports.html", kinds=kinds, report=report, period=period)


@router.get("/reports/list", dependencies=[needs("see")])
async def listed(
    request: Request,
    report: ReportName = "",
    period: PeriodStart = "",
    after: Annotated[str, Query(max_length=80)] = "",
) -> HTMLResponse:
    """Versions by name."""
    found = await desk(request).ask(
        "figures.archive:listed", report=report, period=period, after=after, limit=100
    )
    return page(request, "reports_list.html", found=found, report=report, period=period)


@router.get("/reports/files/{name}", dependencies=[needs("see")])
async def download(request: Request, name: str) -> FileResponse:
    """A file of the archive, as it is there."""
    forms = (names.REPORT, names.RENDERING, names.PACKAGE, names.SIGNATURE)
    path = names.named(office(request).reports, name, *forms)
    if path is None:
        raise HTTPException(404)
    kind = names.TYPES[path.suffix.lstrip(".")]
    return FileResponse(path, media_type=kind, filename=name)


@router.get("/reports/paper/{name}", dependencies=[needs("see")])
async def paper(
    request: Request,
    name: str,
    kind: Annotated[str, Query(pattern="^(pdf|xlsx|html)$")] = "pdf",
    edition: Annotated[str, Query(pattern="^(zh|en|)$")] = "",
) -> FileResponse:
    """A paper of a version, made when it is not there yet."""
    path = report_path(request, name)
    asked = edition or language()
    target = path.with_name(f"{path.stem}.{asked}.{kind}")
    if not target.is_file():
        await desk(request).ask(
            "figures.archive:render", file=name, kind=kind, lang=asked, lane="long"
        )
    return FileResponse(target, media_type=names.TYPES[kind], filename=target.name)


@router.get("/reports/view/{name}", dependencies=[needs("see")])
async def view(
    request: Request, name: str, edition: Annotated[str, Query(pattern="^(zh|en|)$")] = ""
) -> Response:
    """A version as a page of its own: no script, nothing fetched, in a box of the browser."""
    path = report_path(request, name)
    asked = edition or language()
    target = path.with_name(f"{path.stem}.{asked}.html")
    if not target.is_file():
        await desk(request).ask(
            "figures.archive:render", file=name, kind="html", lang=asked, lane="long"
        )
    return FileResponse(target, media_type=names.TYPES["html"], headers=SHOWN)


@router.get("/reports/{name}", dependencies=[needs("see")])
async def one(request: Request, name: str) -> HTMLResponse:
    """One version: what it says first, its papers, the whole of it in a frame."""
    report_path(request, name)
    found = await desk(request).ask("figures.archive:one", file=name)
    who = visitor(request)
    answer = page(
        request,
        "reports_one.html",
        found=found,
        may_lodge=who.may("lodge"),
        may_report=who.may("report"),
    )
    return framed(answer)


@router.post("/reports/make", dependencies=[needs("report")])
async def make(
    request: Request,
    report: Annotated[str, Form(pattern=r"^[a-z-]{1,40}$")],
    period: Annotated[str, Form(pattern=r"^[0-9A-Za-z_-]{4,21}$")],
) -> Response:
    """Begin; the page of the work follows it."""
    job = start_report(request, report, period)
    return done(request, f"/jobs/{job.id}")


@router.post("/reports/lodge/{name}", dependencies=[needs("lodge")])
async def lodge(
    request: Request,
    name: str,
    receipt: Annotated[str, Form(max_length=200)] = "",
    on: Annotated[str, Form(max_length=200)] = "",
    note: Annotated[str, Form(max_length=2000)] = "",
    backdated: Annotated[str, Form(max_length=2000)] = "",
    incomplete: Annotated[bool, Form()] = False,
) -> Response:
    """A report of the year was handed in."""
    report_path(request, name)
    await desk(request).act(
        "figures.lodging:lodge",
        visitor(request).who,
        file=name,
        receipt=receipt,
        on=on,
        note=note,
        backdated=backdated,
        incomplete=incomplete,
    )
    return done(request, f"/reports/{name}")


def start_report(request: Request, report: str, period: str, after: str = "") -> Job:
    """A version and its papers in both languages, one step after the other."""
    arguments = {"report": report, "period": period}
    steps = [
        Step(
            Text(zh="读取数据、计算、写出报告", en="reading data, computing, writing the report"),
            "figures.archive:make",
            arguments,
            acts=True,
        )
    ]
    steps += [
        Step(
            Text(zh=f"排版 {kind.upper()}（{_tongue(lang)}）", en=f"{kind.upper()}, {lang}"),
            "figures.archive:render",
            {"file": "{file}", "kind": kind, "lang": lang},
        )
        for kind, lang in PAPERS
    ]
    title = Text(zh=f"生成报告 {report} {period}", en=f"making {report} {period}")
    key, who = f"report {report} {period}", visitor(request).who
    return jobs(request).start(key, title, who, steps, after or "/reports/{file}")


def _tongue(lang: str) -> str:
    return "中文" if lang == "zh" else "英文"


def job_node(job: Job) -> dict[str, Any]:
    """As pages and programs get it."""
    return {
        "id": job.id,
        "title": say(job.title.zh, job.title.en),
        "state": job.state,
        "done": job.done,
        "steps": len(job.steps),
        "doing": say(job.doing.zh, job.doing.en),
        "seconds": round(job.seconds, 1),
        "problems": list(job.problems),
        "result": job.result if job.state == "done" else None,
    }


@router.get("/jobs/{identity}", dependencies=[needs("see")])
async def job(request: Request, identity: str) -> HTMLResponse:
    """The page of long work."""
    found = jobs(request).get(identity)
    if found is None:
        raise HTTPException(404)
    return page(request, "reports_job.html", job=job_node(found))


@router.get("/jobs/{identity}/state", dependencies=[needs("see")])
async def job_state(request: Request, identity: str) -> Response:
    """How far it is; at its end on to where it leads."""
    found = jobs(request).get(identity)
    if found is None:
        raise HTTPException(404)
    if found.state == "done" and found.next:
        return done(request, found.next.format_map(found.result))
    return page(request, "reports_progress.html", job=job_node(found))
