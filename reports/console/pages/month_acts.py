"""What a visitor does to a month: upload, type, confirm, correct, report, sign, package, lodge."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, HTTPException, Query, Request, UploadFile
from fastapi.responses import Response
from starlette.datastructures import FormData
from starlette.datastructures import UploadFile as Sent

from drivers.language import say
from drivers.model import ConfigError
from reports.console.jobs import Step, jobs
from reports.console.pages.archive import done, report_path, start_report
from reports.console.pages.month import REPORT, Month, month_of
from reports.console.uploads import DOCUMENTS, TABLES, kept_upload
from reports.console.web import desk, needs, office, visitor
from reports.values import Text

router = APIRouter()
FIELDS_MOST: Final = 20_000  # of the form of a month: rows by fields
FILES_MOST: Final = 100
_FIELD: Final = re.compile(r"r(\d{1,4})\.([a-z_]{1,30})")

Short = Annotated[str, Form(max_length=200)]
Long = Annotated[str, Form(max_length=2000)]
Tick = Annotated[bool, Form()]


@router.get("/carbon/{month}/template/{form}", dependencies=[needs("see")])
async def template(
    request: Request,
    month: Month,
    form: str,
    purpose: Annotated[str, Query(pattern="^[a-z-]{0,30}$")] = "",
) -> Response:
    """The table to fill in, with the rows of this plant and month."""
    from base64 import b64decode

    from reports.console.archive_names import TYPES

    month_of(month)
    if form not in {"xlsx", "csv"}:
        raise HTTPException(404)
    found = await desk(request).ask(
        "figures.entries:template", period=month, form=form, purpose=purpose or REPORT
    )
    headers = {"Content-Disposition": f'attachment; filename="{found["name"]}"'}
    return Response(b64decode(found["content"]), media_type=TYPES[form], headers=headers)


async def form_of(request: Request) -> FormData:
    """The form, with as many fields and files as a month may have."""
    return await request.form(max_files=FILES_MOST, max_fields=FIELDS_MOST)


@asynccontextmanager
async def documents_of(request: Request, form: FormData) -> AsyncIterator[list[str]]:
    """Paths of the uploads called ``documents``, while inside."""
    sent = [x for x in form.getlist("documents") if isinstance(x, Sent) and x.filename]
    async with AsyncExitStack() as stack:
        paths = []
        for each in sent:
            upload = UploadFile(each.file, size=each.size, filename=each.filename)
            kept = kept_upload(office(request), upload, DOCUMENTS)
            paths.append(str(await stack.enter_async_context(kept)))
        yield paths


@router.post("/carbon/{month}/upload", dependencies=[needs("enter")])
async def upload(request: Request, month: Month) -> Response:
    """A table and its documents, to be looked at; nothing counts yet."""
    month_of(month)
    form = await form_of(request)
    sent = form.get("table")
    if not isinstance(sent, Sent) or not sent.filename:
        raise ConfigError([say("请选择填好的表格文件", "choose the table that you filled in")])
    table = UploadFile(sent.file, size=sent.size, filename=sent.filename)
    async with (
        kept_upload(office(request), table, TABLES) as path,
        documents_of(request, form) as documents,
    ):
        made = await desk(request).act(
            "figures.staged:stage",
            visitor(request).who,
            month=month,
            path=str(path),
            documents=documents,
        )
    return done(request, f"/carbon/{month}/enter?staged={made['id']}")


@router.post("/carbon/{month}/typed", dependencies=[needs("enter")])
async def typed(request: Request, month: Month) -> Response:
    """Figures typed in the form, as a table of their own."""
    month_of(month)
    form = await form_of(request)
    rows: dict[int, dict[str, str]] = {}
    for key, value in form.multi_items():
        if isinstance(value, str) and (found := _FIELD.fullmatch(key)):
            rows.setdefault(int(found[1]), {})[found[2]] = value.strip()[:500]
    async with documents_of(request, form) as documents:
        made = await desk(request).act(
            "figures.staged:stage_rows",
            visitor(request).who,
            month=month,
            rows=[rows[n] for n in sorted(rows)],
            documents=documents,
        )
    return done(request, f"/carbon/{month}/enter?staged={made['id']}")


@router.post("/carbon/{month}/documents", dependencies=[needs("enter")])
async def documents(request: Request, month: Month) -> Response:
    """More documents for a table that waits."""
    month_of(month)
    form = await form_of(request)
    identity = str(form.get("staged", ""))
    async with documents_of(request, form) as paths:
        if not paths:
            raise ConfigError([say("请选择凭证文件", "choose documents")])
        await desk(request).act(
            "figures.staged:add_documents",
            visitor(request).who,
            identity=identity,
            documents=paths,
        )
    return done(request, f"/carbon/{month}/enter?staged={identity}")


@router.post("/carbon/{month}/drop", dependencies=[needs("enter")])
async def drop(request: Request, month: Month, staged: Short) -> Response:
    """The table is not wanted after all."""
    month_of(month)
    await desk(request).act("figures.staged:drop", visitor(request).who, identity=staged)
    return done(request, f"/carbon/{month}/enter")


@router.post("/carbon/{month}/confirm", dependencies=[needs("enter")])
async def confirm(
    request: Request,
    month: Month,
    staged: Short,
    seen: Short,
    reason: Long = "",
    revise: Tick = False,
    reissue: Tick = False,
) -> Response:
    """What was seen goes into the ledger, wholly or not at all."""
    month_of(month)
    made = await desk(request).act(
        "figures.entries_table:confirm",
        visitor(request).who,
        identity=staged,
        seen=seen,
        reason=reason,
        revise=revise,
        reissue=reissue,
    )
    return done(request, f"/carbon/{month}/check?taken={made['entries']}")


@router.post("/carbon/{month}/correct", dependencies=[needs("enter")])
async def correct(request: Request, month: Month) -> Response:
    """Another value for one entry, or its withdrawal."""
    month_of(month)
    form = await form_of(request)

    def said(name: str) -> str:
        return str(form.get(name, ""))[:2000]

    number = said("number")
    if not number.isdecimal() or len(number) > 9:
        raise HTTPException(422, say("没有这一条", "no such entry"))
    async with documents_of(request, form) as paths:
        await desk(request).act(
            "figures.entries:correct_entry",
            visitor(request).who,
            number=int(number),
            reason=said("reason"),
            value="" if form.get("withdraw") else said("value"),
            withdraw=bool(form.get("withdraw")),
            voucher=said("voucher"),
            document=paths[0] if paths else "",
            reissue=bool(form.get("reissue")),
        )
    return done(request, f"/carbon/{month}/enter")


@router.post("/carbon/{month}/report", dependencies=[needs("report")])
async def report(request: Request, month: Month) -> Response:
    """Begin to make the month's report; the step follows it."""
    month_of(month)
    start_report(request, REPORT, month, f"/carbon/{month}/report")
    return done(request, f"/carbon/{month}/report")


@router.post("/carbon/{month}/sign", dependencies=[needs("report")])
async def sign(
    request: Request, month: Month, file: Short, role: Short, content_sha256: Short
) -> Response:
    """The visitor answers for a version."""
    month_of(month)
    report_path(request, file)
    await desk(request).act(
        "figures.archive:sign",
        visitor(request).who,
        file=file,
        role=role,
        content_sha256=content_sha256,
    )
    return done(request, f"/carbon/{month}/sign")


@router.post("/carbon/{month}/package", dependencies=[needs("report")])
async def package(
    request: Request, month: Month, file: Short, approved_by: Short = "", reason: Long = ""
) -> Response:
    """Begin to build the package of a version, and let it be verified."""
    month_of(month)
    report_path(request, file)
    start_package(request, file, approved_by, reason, f"/carbon/{month}/package")
    return done(request, f"/carbon/{month}/package")


def start_package(
    request: Request, file: str, approved_by: str, reason: str, after: str = ""
) -> Any:
    """Build, then verify."""
    arguments = {"file": file, "approved_by": approved_by, "reason": reason}
    steps = (
        Step(
            Text(zh="收集报告、录入、规则和原始批次并签名", en="gathering and signing"),
            "figures.lodging:build",
            {key: _literal(value) for key, value in arguments.items()},
            acts=True,
        ),
        Step(Text(zh="核验", en="verifying"), "figures.lodging:verdict", {"file": "{file}"}),
    )
    title = Text(zh=f"证据包 {file}", en=f"package of {file}")
    who = visitor(request).who
    return jobs(request).start(f"package {file}", title, who, steps, after or "/reports/{file}")


def _literal(text: str) -> str:
    """Braces of a visitor are no places to fill in."""
    return text.replace("{", "{{").replace("}", "}}")


@router.post("/carbon/{month}/lodge", dependencies=[needs("lodge")])
async def lodge(  # noqa: PLR0913, PLR0917 - each is a field of the form
    request: Request,
    month: Month,
    file: Short,
    receipt: Short = "",
    on: Short = "",
    note: Long = "",
    backdated: Long = "",
    incomplete: Tick = False,
) -> Response:
    """It was handed in; its entries are sealed from now on."""
    month_of(month)
    report_path(request, file)
    await desk(request).act(
        "figures.lodging:lodge",
        visitor(request).who,
        file=file,
        receipt=receipt,
        on=on,
        note=note,
        backdated=backdated,
        incomplete=incomplete,
    )
    return done(request, f"/carbon/{month}/lodge")
