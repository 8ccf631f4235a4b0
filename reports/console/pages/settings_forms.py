"""What a form of the settings says: its texts, and the document that comes with it."""

from fastapi import HTTPException, Request
from starlette.datastructures import UploadFile

from drivers.language import say


async def form_of(request: Request) -> tuple[dict[str, str], UploadFile | None]:
    """The texts of a form, and the file it has under ``document``."""
    form = await request.form()
    texts = {key: value for key, value in form.items() if isinstance(value, str) and key != "csrf"}
    document = form.get("document")
    return texts, document if isinstance(document, UploadFile) and document.filename else None


def required(document: UploadFile | None) -> UploadFile:
    """Raises HTTPException 422 when no file was chosen."""
    if document is None:
        raise HTTPException(422, say("请选择依据文件", "choose the document"))
    return document
