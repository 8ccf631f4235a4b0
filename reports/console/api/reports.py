"""Reports, packages and lodgings for programs: list, make, download, sign, record."""

from datetime import date
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, HTTPException, Path, Query, Request
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field

from reports.console import archive_names as names
from reports.console.jobs import jobs
from reports.console.pages.archive import job_node, report_path, start_report
from reports.console.pages.month_acts import start_package
from reports.console.web import desk, needs, office, visitor

router = APIRouter(tags=["reports"])

NAME: Final = r"^[a-z][a-z-]{1,40}-[0-9][0-9A-Z_-]{3,24}-v[1-9][0-9]{0,4}\.json$"
File = Annotated[str, Path(pattern=NAME, examples=["carbon-monthly-2026-10-v1.json"])]
ReportName = Annotated[str, Query(pattern=r"^[a-z-]{0,40}$", examples=["carbon-monthly"])]
PeriodStart = Annotated[str, Query(pattern=r"^[0-9A-Z_-]{0,21}$", examples=["2026"])]


class Handed(BaseModel):
    """When a version was handed in."""

    on: date
    receipt: str


class Brief(BaseModel):
    """One version in the archive."""

    file: str
    report: str
    title: str
    period: str
    version: int
    written: date
    complete: bool
    content_sha256: str
    lodged: Handed | None
    files: list[str]
    package: bool


class Briefs(BaseModel):
    """``next``: give it as ``after`` for more."""

    reports: list[Brief]
    next: str | None


class Wanted(BaseModel):
    """A report and its period, 2026-10 or 2026."""

    report: str = Field(pattern=r"^[a-z-]{1,40}$", examples=["carbon-monthly"])
    period: str = Field(pattern=r"^20\d{2}[0-9A-Z_-]{0,17}$", examples=["2026-10"])


class Work(BaseModel):
    """Long work; ask for it again by ``id``. ``result`` is there when it is done."""

    id: str
    title: str
    state: Literal["running", "done", "refused", "failed"]
    done: int
    steps: int
    doing: str
    seconds: float
    problems: list[str]
    result: dict[str, Any] | None


class FileOf(BaseModel):
    """A file of a version."""

    name: str
    bytes: int
    sha256: str


class Files(BaseModel):
    """All that can be downloaded of a version."""

    file: str
    files: list[FileOf]


class Sign(BaseModel):
    """``content_sha256`` is that of the version that was looked at."""

    role: Literal["prepared", "checked", "approved"]
    content_sha256: str = Field(pattern="^[0-9a-f]{64}$")


class Signed(BaseModel):
    """A statement signed by the office's key."""

    file: str
    role: str
    person: str
    time: str


class Order(BaseModel):
    """A package for a version."""

    file: str = Field(pattern=NAME)
    approved_by: str = Field(default="", max_length=200)
    reason: str = Field(default="", max_length=2000)


class HandingIn(BaseModel):
    """That a version was handed in; ``on`` is the day, ``backdated`` why it is recorded late."""

    file: str = Field(pattern=NAME)
    receipt: str = Field(max_length=200)
    on: str = Field(max_length=20, examples=["2026-11-20"])
    note: str = Field(default="", max_length=2000)
    backdated: str = Field(default="", max_length=2000)
    incomplete: bool = False


class Lodging(BaseModel):
    """One handing-in as it is kept; ``seals``: its entries are held fast."""

    number: int
    report: str
    period: str
    version: int
    content_sha256: str
    file: str
    receipt: str
    on: date
    author: str
    time: str
    note: str
    backdated: str
    prev: str
    hash: str
    seals: bool


class Lodgings(BaseModel):
    """``next``: give it as ``after`` for more."""

    lodgings: list[Lodging]
    next: int | None


@router.get("/reports", dependencies=[needs("see")], response_model=Briefs)
async def reports(
    request: Request,
    report: ReportName = "",
    period: PeriodStart = "",
    after: Annotated[str, Query(max_length=80)] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> Any:
    """Versions in the archive by name; ``period`` takes what begins with it."""
    return await desk(request).ask(
        "figures.archive:listed", report=report, period=period, after=after, limit=limit
    )


@router.post("/reports", dependencies=[needs("report")], status_code=202, response_model=Work)
async def make(request: Request, asked: Wanted) -> Any:
    """Begin to make a report with its papers in both languages."""
    from reports.periods import Period

    try:
        Period.parse(asked.period)
    except ValueError as error:
        raise HTTPException(422, str(error)) from None
    return job_node(start_report(request, asked.report, asked.period))


@router.get("/works/{identity}", dependencies=[needs("see")], response_model=Work)
async def work(request: Request, identity: Annotated[str, Path(pattern="^[0-9a-f]{16}$")]) -> Any:
    """How far long work is."""
    found = jobs(request).get(identity)
    if found is None:
        raise HTTPException(404)
    return job_node(found)


@router.get("/reports/{file}/files", dependencies=[needs("see")], response_model=Files)
async def files(request: Request, file: File) -> Any:
    """What can be downloaded of a version, with size and SHA-256."""
    report_path(request, file)
    return await desk(request).ask("figures.archive:files", file=file)


@router.get("/reports/files/{name}", dependencies=[needs("see")], response_class=FileResponse)
async def download(
    request: Request, name: Annotated[str, Path(max_length=120, pattern=r"^[A-Za-z0-9._-]+$")]
) -> FileResponse:
    """A file of the archive: report, paper, signed statement or package."""
    forms = (names.REPORT, names.RENDERING, names.PACKAGE, names.SIGNATURE)
    path = names.named(office(request).reports, name, *forms)
    if path is None:
        raise HTTPException(404)
    return FileResponse(path, media_type=names.TYPES[path.suffix.lstrip(".")], filename=path.name)


@router.post("/reports/{file}/signatures", dependencies=[needs("report")], response_model=Signed)
async def sign(request: Request, file: File, asked: Sign) -> Any:
    """The visitor answers for a version; the office's key signs his statement."""
    report_path(request, file)
    return await desk(request).act(
        "figures.archive:sign",
        visitor(request).who,
        file=file,
        role=asked.role,
        content_sha256=asked.content_sha256,
    )


@router.post("/packages", dependencies=[needs("report")], status_code=202, response_model=Work)
async def package(request: Request, asked: Order) -> Any:
    """Begin to build and verify the package of a version; download it under its name."""
    report_path(request, asked.file)
    job = start_package(request, asked.file, asked.approved_by, asked.reason)
    return job_node(job)


@router.get("/packages/{file}", dependencies=[needs("see")], response_class=FileResponse)
async def built(request: Request, file: File) -> FileResponse:
    """The package of a version."""
    path = names.package_of(report_path(request, file))
    if not path.is_file():
        raise HTTPException(404)
    return FileResponse(path, media_type=names.TYPES["zip"], filename=path.name)


@router.get("/lodgings", dependencies=[needs("see")], response_model=Lodgings)
async def lodgings(
    request: Request,
    report: ReportName = "",
    period: PeriodStart = "",
    after: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> Any:
    """What was handed in, oldest first."""
    return await desk(request).ask(
        "figures.lodging:lodgings", report=report, period=period, after=after, limit=limit
    )


@router.post("/lodgings", dependencies=[needs("lodge")], response_model=Lodging)
async def lodge(request: Request, asked: HandingIn) -> Any:
    """Record that a version was handed in; its entries are sealed from then on."""
    report_path(request, asked.file)
    return await desk(request).act(
        "figures.lodging:lodge",
        visitor(request).who,
        file=asked.file,
        receipt=asked.receipt,
        on=asked.on,
        note=asked.note,
        backdated=asked.backdated,
        incomplete=asked.incomplete,
    )
