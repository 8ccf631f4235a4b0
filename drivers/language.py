"""
The two languages of the product: which one this run speaks, and choosing between two texts.

A text stands in both languages where it is made, ``say("…", "…")``; there is no catalogue. Commands
with ``--lang`` set SMELTER_LANG. Logs of the engineer's programs and protocol errors stay English.
"""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_asked: ContextVar[str] = ContextVar("asked", default="")


def language() -> str:
    """``zh`` or ``en``: SMELTER_LANG, else the locale of the environment, else English."""
    text = (
        _asked.get()
        or os.environ.get("SMELTER_LANG")
        or os.environ.get("LC_ALL")
        or os.environ.get("LANG", "")
    )
    return "zh" if text.lower().startswith("zh") else "en"


def say(zh: str, en: str) -> str:
    """The text in the language of this run."""
    return zh if language() == "zh" else en


def visible(text: str) -> str:
    """For a terminal: what a peer or a file chose can neither move the cursor nor begin a line."""
    return "".join(
        each if each.isprintable() or each == "\u3000" else each.encode("unicode_escape").decode()
        for each in text
    )


@contextmanager
def speaking(lang: str) -> Iterator[None]:
    """Inside, everything is said in ``zh`` or ``en``; tasks and threads begun inside inherit it."""
    token = _asked.set(lang)
    try:
        yield
    finally:
        _asked.reset(token)


def in_both(text: Callable[[], str]) -> tuple[str, str]:
    """What ``text`` says in Chinese and in English, for what is told to a machine in both."""
    found = []
    for asked in ("zh", "en"):
        with speaking(asked):
            found.append(text())
    return found[0], found[1]


def plural(count: int) -> str:
    """The end of an English noun after that number."""
    return "" if count == 1 else "s"


_REASONS = {
    FileNotFoundError: "文件不存在",
    PermissionError: "没有权限",
    IsADirectoryError: "这是目录，不是文件",
    NotADirectoryError: "路径中有一级不是目录",
    ConnectionRefusedError: "连接被拒绝（该端口没有程序监听）",
    ConnectionResetError: "连接被对方重置",
    BrokenPipeError: "连接已断开",
    TimeoutError: "超时无应答",
    socket.gaierror: "主机名无法解析",
}


def why(error: OSError) -> str:
    """Why a file could not be opened, or a machine not be reached."""
    text = error.strerror or str(error) or type(error).__name__
    return say(_REASONS.get(type(error), text), text)
