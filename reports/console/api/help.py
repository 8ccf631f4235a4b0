"""What the page /help shows, for programs."""

from fastapi import APIRouter
from pydantic import BaseModel

from drivers.language import language
from reports.console.help.texts import TOPICS, source
from reports.console.web import needs

router = APIRouter()


class HelpText(BaseModel):
    """One text, in Markdown."""

    name: str
    text: str


class HelpTexts(BaseModel):
    """Every text, in the visitor's language."""

    topics: list[HelpText]


@router.get("/help", dependencies=[needs("see")], summary="Help texts")
async def texts() -> HelpTexts:
    """The help of each page, in the language of the cookie or of ?lang=."""
    found = [HelpText(name=name, text=source(name, language())) for name in TOPICS]
    return HelpTexts(topics=found)
