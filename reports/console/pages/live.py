"""``/live``: newest values, events and the state of the line as server-sent events."""

import json
import time
from collections.abc import AsyncIterator
from typing import Annotated, Final

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import StreamingResponse

from drivers.language import say, speaking
from reports.console.doors.guard import Guard
from reports.console.doors.roles import Right, Visitor
from reports.console.live import Live, line_state
from reports.console.web import live_of, needs, visitor

router = APIRouter()

MOST_STREAMS: Final = 100
MOST_OF_ONE: Final = 24  # of one account, whatever browsers it is open in
MOST_PREFIXES: Final = 40
CHECK_S: Final = 5.0  # whether the session still holds; a heartbeat at the same pace
RETRY_MS: Final = 3000

_open: dict[str, int] = {}


@router.get("/live", dependencies=[needs("see")])
async def stream(request: Request, of: Annotated[str, Query(max_length=2000)] = "") -> object:
    """``of=line1/,stack.``: what begins so. Events: values, happened, line, state, ended."""
    prefixes = tuple(sorted({each for each in of.split(",") if each}))
    if len(prefixes) > MOST_PREFIXES:
        raise HTTPException(
            422, say(f"of 最多 {MOST_PREFIXES} 项", f"of: at most {MOST_PREFIXES} of them")
        )
    live, who = live_of(request), visitor(request)
    if live.streams >= MOST_STREAMS or _open.get(who.name, 0) >= MOST_OF_ONE:
        raise HTTPException(
            503,
            say("打开的实时连接太多，请关闭一些页面", "too many live pages are open; close some"),
            {"Retry-After": "15"},
        )
    told = _tell(live, request.app.state.guard, who, prefixes, say("zh", "en"))
    return StreamingResponse(
        told,
        media_type="text/event-stream",
        headers={"X-Accel-Buffering": "no", "Cache-Control": "no-store"},
    )


async def _tell(
    live: Live, guard: Guard, who: Visitor, prefixes: tuple[str, ...], lang: str
) -> AsyncIterator[str]:
    owner = who.name
    _open[owner] = _open.get(owner, 0) + 1
    try:
        async with live.stream():
            with speaking(lang):
                state = _state(live)
            yield f"retry: {RETRY_MS}\n{_event('state', state)}"
            tick, checked, line = 0, time.monotonic(), ""
            while True:
                for text in _news(live, prefixes, tick):
                    yield text
                known = live.now()
                tick = known.tick
                if (now_line := line_state(known)) != line:
                    if line:
                        yield _event("line", "{}")
                    line = now_line
                with speaking(lang):
                    if (now_state := _state(live)) != state:
                        state = now_state
                        yield _event("state", state)
                if time.monotonic() - checked > CHECK_S:
                    checked = time.monotonic()
                    if not _holds(guard, who):
                        yield _event("ended", "{}")
                        return
                    yield _event("beat", "{}")
                await live.wait_news(CHECK_S)
    finally:
        _open[owner] -= 1
        if not _open[owner]:
            del _open[owner]


def _news(live: Live, prefixes: tuple[str, ...], tick: int) -> list[str]:
    found = []
    if prefixes:
        _, text = live.changes(prefixes, tick)
        if text:
            found.append(_event("values", text))
    if tick and (events := live.news(tick)):
        found.append(_event("happened", json.dumps(events, ensure_ascii=False)))
    return found


def _state(live: Live) -> str:
    known = live.now()
    said = {"reachable": known.reachable, "since_s": known.since_s, "text": live.trouble()}
    return json.dumps(said, ensure_ascii=False)


def _holds(guard: Guard, who: Visitor) -> bool:
    """Still logged in, and still with the right to see; looking on keeps no session from idling."""
    user = guard.store.user(who.name)
    if user is None or user.closed or Right.SEE not in user.rights:
        return False
    return any(each.key == who.session for each in guard.sessions.living(who.name))


def _event(name: str, data: str) -> str:
    return f"event: {name}\ndata: {data}\n\n"
