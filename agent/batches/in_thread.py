"""Work in a thread that is never left half-way."""

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def to_the_end(
    work: Callable[P, T], *args: P.args, **kwargs: P.kwargs
) -> tuple[T, asyncio.CancelledError | None]:
    """
    Runs ``work`` in a thread; a cancellation waits: disk work cannot be left half-way.

    Where ``work`` fails too, the cancellation is what is raised, with the failure as its cause:
    whoever catches failures and goes on must not miss that it is to end.
    """
    task = asyncio.ensure_future(asyncio.to_thread(work, *args, **kwargs))
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait((task,))
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None and task.exception() is not None:
        raise cancelled from task.exception()
    return task.result(), cancelled


async def in_full(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The same, and the cancellation is raised then: nothing goes on behind the next call."""
    result, cancelled = await to_the_end(work, *args, **kwargs)
    if cancelled is not None:
        raise cancelled
    return result
