"""Newest values from the historian, fetched while somebody looks, and handed to every open page."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Live:
    """Enter it once; pages ask ``now()``, ``/live`` streams what changed."""

    def __init__(self, historian: str) -> None:
        self.historian = historian

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Live"]:
        yield self
