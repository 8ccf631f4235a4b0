"""Reading a help text: a small part of Markdown, escaped, with links into this console only."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Final

from markupsafe import Markup, escape

# In this order on the page; each is <name>.zh.md and <name>.en.md beside this file.
TOPICS: Final = (
    *("start", "month", "today", "potlines", "stacks", "energy", "carbon", "grade"),
    *("evidence", "explore", "settings", "words", "api"),
)
HERE: Final = Path(__file__).parent
_INLINE: Final = re.compile(
    r"`(?P<code>[^`]+)`|\*\*(?P<strong>.+?)\*\*|\*(?P<em>[^*]+)\*"
    r"|\[(?P<text>[^\]]+)\]\((?P<to>[/#][^)\s]*)\)"
)
_ITEM: Final = re.compile(r"(?:(?P<dash>-)|(?P<number>\d+)\.) (?P<text>.*)")


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, a heading (``level`` 2), or a list; texts are safe HTML."""

    kind: str  # p, h, ul, ol
    texts: tuple[Markup, ...]


@dataclass(frozen=True, slots=True)
class Topic:
    """One text."""

    name: str
    title: str
    blocks: tuple[Block, ...]


def topics(lang: str, today: date) -> list[Topic]:
    """All of a language; links to a month lead to the one before ``today``."""
    month = (today.replace(day=1) - timedelta(days=1)).strftime("%Y-%m")
    return [topic(name, lang, month) for name in TOPICS]


@cache
def topic(name: str, lang: str, month: str) -> Topic:
    """Raises OSError for a name that is none."""
    text = source(name, lang).replace("{month}", month)
    head, _, body = text.partition("\n")
    return Topic(name, head.removeprefix("# ").strip(), tuple(_blocks(body)))


def source(name: str, lang: str) -> str:
    """As it is written."""
    return (HERE / f"{name}.{lang}.md").read_text("utf-8")


def _blocks(body: str) -> Iterator[Block]:
    for part in re.split(r"\n{2,}", body.strip()):
        lines = part.splitlines()
        if lines[0].startswith("## "):
            yield Block("h", (inline(lines[0].removeprefix("## ")),))
            lines = lines[1:]
        items = [found for line in lines if (found := _ITEM.fullmatch(line))]
        if lines and len(items) == len(lines):
            kind = "ul" if items[0]["dash"] else "ol"
            yield Block(kind, tuple(inline(item["text"]) for item in items))
        elif lines:
            yield Block("p", (inline(" ".join(lines)),))


def inline(text: str) -> Markup:
    """Code, strong, emphasis and links; everything else escaped."""
    found, at = Markup(), 0
    for each in _INLINE.finditer(text):
        found += escape(text[at : each.start()]) + _one(each)
        at = each.end()
    return found + escape(text[at:])


def _one(found: re.Match[str]) -> Markup:
    if found["code"]:
        return Markup("<code>{}</code>").format(found["code"])
    if found["strong"]:
        return Markup("<strong>{}</strong>").format(inline(found["strong"]))
    if found["em"]:
        return Markup("<em>{}</em>").format(found["em"])
    return Markup('<a href="{}">{}</a>').format(found["to"], found["text"])
