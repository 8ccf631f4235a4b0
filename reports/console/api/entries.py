"""Entered figures for programs: list, template, preview of a table, import, correction."""

from base64 import b64decode
from contextlib import AsyncExitStack
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, File, HTTPException, Path, Query, Request, UploadFile
from fastapi.responses import Response
from pydantic import BaseModel, Field

from reports.console import archive_names as names
from reports.console.uploads import DOCUMENTS, TABLES, kept_upload
from reports.console.web import desk, needs, office, visitor

router = APIRouter(tags=["entries"])

PERIOD: Final = r"^20\d{2}(-(0[1-9]|1[0-2]))?$"
PeriodText = Annotated[str, Query(pattern=PERIOD, examples=["2026-10", "2026"])]
Purpose = Annotated[
    Literal[
        "", "carbon-monthly", "carbon-annual", "verification", "international", "cbam", "energy",
        "allowance", "grade", "all",
    ],
    Query(description="for which report; empty: the usual of the period"),
]  # fmt: skip
Number = Annotated[int, Path(ge=1, le=10_000_000)]
Identity = Annotated[str, Field(pattern="^[0-9a-f]{16}$")]


class Fact(BaseModel):
    """A further fact of an entry, such as the laboratory."""

    label: str
    text: str


class Stated(BaseModel):
    """What a person states; ``value`` as written, null: withdrawn."""

    kind: str
    label: str
    line: str
    item: str
    item_name: str
    period: str
    value: str | None
    unit: str
    voucher: str
    note: str
    document: str | None
    document_sha256: str | None
    facts: list[Fact]


class Entry(Stated):
    """An entry of the ledger; ``counts`` false: revised or withdrawn."""

    number: int
    group: str
    author: str
    reason: str
    time: str
    source: str | None
    row: int | None
    revises: int | None
    counts: bool
    sealed: bool
    hash: str


class Entries(BaseModel):
    """``next``: give it as ``after`` for more; ``head``: hash of the ledger's last line."""

    head: str
    count: int
    entries: list[Entry]
    next: int | None


class Old(Stated):
    """The entry that a row meets."""

    number: int


class Seal(BaseModel):
    """Who lodged what holds the row fast."""

    report: str
    version: int
    on: str
    author: str
    receipt: str
    period: str


class Row(Stated):
    """A row of a table and what importing it would do."""

    status: Literal["new", "same", "differs", "again"]
    row: int
    sheet: str
    old: Old | None
    sealed: Seal | None


class Mistake(BaseModel):
    """What is wrong in one column."""

    column: str
    text: str


class RefusedRow(BaseModel):
    """One such row and nothing is imported."""

    row: int
    sheet: str
    what: str
    mistakes: list[Mistake]


class Document(BaseModel):
    """A file that was uploaded with the table, or the table itself."""

    name: str
    bytes: int
    sha256: str


class Preview(BaseModel):
    """``id`` and ``seen`` are given to the import; nothing counts before."""

    id: str
    month: str
    name: str
    person: str
    made: float
    typed: bool
    documents: list[Document]
    problems: list[str]
    rows: list[Row]
    refused: list[RefusedRow]
    unfilled: int = 0
    ignored: list[str] = []
    counts: dict[str, int] = {}
    sealed: list[str] = []
    seen: str = ""
    can: bool = False


class Import(BaseModel):
    """Of a preview; ``revise``: rows that differ revise; ``reissue``: also what was lodged."""

    id: Identity
    seen: str = Field(max_length=100)
    reason: str = Field(min_length=1, max_length=2000)
    revise: bool = False
    reissue: bool = False


class Imported(BaseModel):
    """Numbers of the new entries, and the new head."""

    entries: int
    first: int
    last: int
    head: str
    month: str


class Correction(BaseModel):
    """A new value, or ``withdraw``."""

    reason: str = Field(min_length=1, max_length=2000)
    value: str = Field(default="", max_length=100)
    withdraw: bool = False
    voucher: str = Field(default="", max_length=200)
    reissue: bool = False


@router.get("/entries", dependencies=[needs("see")], response_model=Entries)
async def entries(
    request: Request,
    period: Annotated[str, Query(pattern=r"^(20\d{2}(-(0[1-9]|1[0-2]))?)?$")] = "",
    history: bool = False,
    after: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> Any:
    """Entries that count, in the order of the ledger; all with ``history``."""
    return await desk(request).ask(
        "figures.entries:entries", period=period, history=history, after=after, limit=limit
    )


@router.get("/entries/template", dependencies=[needs("see")], response_class=Response)
async def template(
    request: Request,
    period: PeriodText,
    format: Literal["xlsx", "csv"] = "xlsx",  # noqa: A002
    purpose: Purpose = "",
) -> Response:
    """The table to fill in, with the rows of this plant and period."""
    found = await desk(request).ask(
        "figures.entries:template", period=period, form=format, purpose=purpose
    )
    headers = {"Content-Disposition": f'attachment; filename="{found["name"]}"'}
    content = b64decode(found["content"])
    return Response(content, media_type=names.TYPES[format], headers=headers)


@router.post("/entries/preview", dependencies=[needs("enter")], response_model=Preview)
async def preview(
    request: Request,
    table: Annotated[UploadFile, File(description="XLSX or CSV, as the template")],
    period: PeriodText,
    documents: Annotated[list[UploadFile] | None, File(description="named in the table")] = None,
) -> Any:
    """What a table would change: rows new, changed, unchanged, refused. Nothing counts yet."""
    async with AsyncExitStack() as stack:
        path = await stack.enter_async_context(kept_upload(office(request), table, TABLES))
        beside = [
            str(await stack.enter_async_context(kept_upload(office(request), each, DOCUMENTS)))
            for each in documents or ()
        ]
        made = await desk(request).act(
            "figures.staged:stage",
            visitor(request).who,
            month=period,
            path=str(path),
            documents=beside,
        )
    return await desk(request).ask("figures.entries_table:preview", identity=made["id"])


@router.post("/entries/import", dependencies=[needs("enter")], response_model=Imported)
async def take(request: Request, asked: Import) -> Any:
    """What the preview showed goes into the ledger, wholly or not at all."""
    return await desk(request).act(
        "figures.entries_table:confirm",
        visitor(request).who,
        identity=asked.id,
        seen=asked.seen,
        reason=asked.reason,
        revise=asked.revise,
        reissue=asked.reissue,
    )


@router.post("/entries/{number}/correction", dependencies=[needs("enter")], response_model=Entry)
async def correct(request: Request, number: Number, asked: Correction) -> Any:
    """Another value for an entry, or its withdrawal; the old one stays in the ledger."""
    if not asked.value.strip() and not asked.withdraw:
        raise HTTPException(422, "value | withdraw")
    return await desk(request).act(
        "figures.entries:correct_entry",
        visitor(request).who,
        number=number,
        reason=asked.reason,
        value=asked.value,
        withdraw=asked.withdraw,
        voucher=asked.voucher,
        reissue=asked.reissue,
    )
