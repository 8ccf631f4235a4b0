"""The form with which a package is dropped in, for page and API: bounded, in folders that go."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final, cast

from fastapi import HTTPException, Request, UploadFile
from starlette.datastructures import FormData
from starlette.datastructures import UploadFile as Upload
from starlette.types import Message

from drivers.language import say
from reports.console.figures.evidence_package import Dropped, Verifying
from reports.console.uploads import kept_upload
from reports.console.web import office

FILES_MOST: Final = 9  # in one form: the package, kept ones, certificates
KEYS_MOST: Final = 50
Types = Mapping[str, tuple[bytes, ...]]
ANY: Final = (b"", b"")  # whatever it is, there is a verdict: no content is refused unseen
PACKAGES: Final[Types] = dict.fromkeys((".zip", ""), ANY)
KEPT: Final[Types] = dict.fromkeys((".zip", "", ".json", ".txt", ".pem", ".crt"), ANY)


def verifying(request: Request) -> Verifying:
    """One for the whole console."""
    state = request.app.state
    if not hasattr(state, "verifying"):
        state.verifying = Verifying()
    return cast("Verifying", state.verifying)


@asynccontextmanager
async def dropped(request: Request) -> AsyncIterator[Dropped]:
    """
    The form of ``/evidence/verify``, its files in folders that go afterwards.

    Raises HTTPException: 413 too large, 415 no such form, 422 without a package.
    """
    plant = office(request)
    form = await _bounded_form(request, plant.site.console.upload_mb << 20)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(form.close)

        async def files(name: str, types: Types = KEPT) -> list[Path]:
            given = [x for x in form.getlist(name) if isinstance(x, Upload) and x.filename]
            return [
                await stack.enter_async_context(kept_upload(plant, cast("UploadFile", x), types))
                for x in given
            ]

        packages = await files("package", PACKAGES)
        if len(packages) != 1:
            raise HTTPException(422, say("请选择一个证据包", "choose one package"))
        ca = await files("ca")
        yield Dropped(
            packages[0],
            tuple(_keys(form)),
            tuple(await files("checkpoint")),
            tuple(await files("earlier")),
            ca[0] if ca else None,
            form.get("without_originals") in {"1", "true", "on"},
        )


def _keys(form: FormData) -> list[str]:
    """One a line, or ticked."""
    texts = [x for x in form.getlist("key") if isinstance(x, str)]
    found = [key for text in texts for key in re.split(r"[\s,;]+", text) if key]
    return list(dict.fromkeys(key[:400] for key in found))[:KEYS_MOST]


async def _bounded_form(request: Request, most: int) -> FormData:
    """The form, refused before it fills the disk. Raises HTTPException 413, 415."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise HTTPException(415, say("请以 multipart/form-data 上传", "send multipart/form-data"))
    told = say(
        f"上传内容超过 {most >> 20} MB（[console] upload_mb）",
        f"more than {most >> 20} MB ([console] upload_mb)",
    )
    most += 1 << 16  # the form around the files
    length = request.headers.get("content-length", "0")
    if not length.isdigit() or int(length) > most:
        raise HTTPException(413, told)
    session: str = getattr(request.state, "secret", "")
    if session and not request.headers.get("x-csrf-token"):
        return await request.form(max_files=FILES_MOST)  # read already, for its csrf field
    size = 0

    async def counted() -> Message:
        nonlocal size
        message = await request.receive()
        size += len(message.get("body", b""))
        if size > most:
            raise HTTPException(413, told)
        return message

    return await Request(request.scope, counted).form(max_files=FILES_MOST, max_fields=60)
