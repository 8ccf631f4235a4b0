"""Files that visitors upload: bounded, of a known type by name and content, in a folder of ours."""

import contextlib
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from fastapi import HTTPException
from starlette.datastructures import UploadFile

from drivers.language import say
from reports.console.office import Office

CHUNK: Final = 1 << 20
NAME_BYTES: Final = 120
ZIP, PDF = b"PK\x03\x04", b"%PDF-"
# What a document that proves something may be: suffix -> how its content begins; "" is a text.
DOCUMENTS: Final[Mapping[str, tuple[bytes, ...]]] = {
    ".pdf": (PDF,),
    ".ofd": (ZIP,),
    ".docx": (ZIP,),
    ".xlsx": (ZIP,),
    ".png": (b"\x89PNG\r\n\x1a\n",),
    ".jpg": (b"\xff\xd8\xff",),
    ".jpeg": (b"\xff\xd8\xff",),
    ".txt": (b"",),
    ".csv": (b"",),
}
TABLES: Final[Mapping[str, tuple[bytes, ...]]] = {".xlsx": (ZIP,), ".csv": (b"",)}


def plain_name(name: str) -> str:
    """The name of an upload as a file of ours may be called: no folder, no control letters."""
    bare = re.split(r"[/\\]", name)[-1]
    bare = re.sub(r"[\x00-\x1f\x7f<>:\"|?*]", "_", bare).strip(" .")
    stem, dot, suffix = bare.rpartition(".")
    kept = stem.encode()[: NAME_BYTES - len(suffix)].decode("utf-8", "ignore")
    return f"{kept}{dot}{suffix}" if kept else "document" + (f".{suffix}" if suffix else "")


@asynccontextmanager
async def kept_upload(
    office: Office, upload: UploadFile, allowed: Mapping[str, tuple[bytes, ...]] = DOCUMENTS
) -> AsyncIterator[Path]:
    """
    The upload as a file, under its own name in a folder that goes afterwards.

    Raises HTTPException: 413 too large, 415 of no type allowed here, 422 empty.
    """
    name = plain_name(upload.filename or "")
    suffix = Path(name).suffix.lower()
    if suffix not in allowed:
        types = " ".join(allowed)
        raise HTTPException(415, say(f"只接受这些文件：{types}", f"only such files: {types}"))
    most = office.site.console.upload_mb << 20
    place = office.data / "uploads"
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder = Path(tempfile.mkdtemp(dir=place))
    try:
        path = folder / name
        size = 0
        with path.open("wb") as file:
            while chunk := await upload.read(CHUNK):
                size += len(chunk)
                if size > most:
                    mb = office.site.console.upload_mb
                    raise HTTPException(
                        413, say(f"文件超过 {mb} MB", f"the file is larger than {mb} MB")
                    )
                file.write(chunk)
        if not size:
            raise HTTPException(422, say("文件是空的", "the file is empty"))
        _refuse_disguised(path, allowed[suffix])
        yield path
    finally:
        with contextlib.suppress(OSError):
            shutil.rmtree(folder)


def _refuse_disguised(path: Path, begins: tuple[bytes, ...]) -> None:
    """Raises HTTPException 415 where the content is not what the name says."""
    with path.open("rb") as file:
        head = file.read(8192)
    text = begins == (b"",)
    if (text and b"\0" in head) or not head.startswith(begins):
        told = "文件内容与扩展名不符", "the content is not what the name says"
        raise HTTPException(415, say(*told))
