"""The form with which a package is dropped in, for page and API: bounded, in folders that go."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final, cast

from fastapi import HTTPException, Request, UploadFile
from starlette.datastructures import FormData
from starlette.datastructures import UploadFile as Upload

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
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise HTTPException(415, say("请以 multipart/form-data 上传", "send multipart/form-data"))
    form = await request.form(max_files=FILES_MOST, max_fields=60)  # as large as Limits allows
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
