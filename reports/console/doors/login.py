"""Coming in with name and password: waiting after failures, the same answer for every reason."""

import asyncio
import time
from dataclasses import dataclass
from typing import Final

from reports.console.doors import passwords
from reports.console.doors.acts import NOT_AN_ACCOUNT, Acts
from reports.console.doors.store import Store, User
from reports.console.doors.tries import Tries

AT_ONCE: Final = asyncio.Semaphore(2)  # hashes: 19 MiB and a core each


@dataclass(frozen=True, slots=True)
class Answer:
    """``user`` when it went well; else how long to wait, 0: wrong name or password."""

    user: User | None
    wait_s: float = 0.0


async def check(
    store: Store, tries: Tries, acts: Acts, name: str, password: str, address: str
) -> Answer:
    """Counts, tells the trail, and takes as long for a name that nobody has."""
    where = f"console, {address}"
    if (wait_s := tries.wait_s(name, address)) > 0:
        return Answer(None, wait_s)
    user = store.user(name)
    locked: list[str] = []
    async with AT_ONCE:
        if (wait_s := tries.wait_s(name, address)) > 0:  # of a hundred at once the first few count
            return Answer(None, wait_s)
        kept = user.hash if user and not user.closed else ""
        right = await asyncio.to_thread(passwords.right, kept, password)
        if not right:
            locked = tries.failed(name, address)
    if right and user is not None and not user.closed:
        tries.forget(user.name, address)
        if passwords.outdated(user.hash):
            hash_ = await asyncio.to_thread(passwords.hashed, password)
            store.set_hash(user.name, hash_, must_change=user.must_change)
        return Answer(user)
    known = user.name if user else NOT_AN_ACCOUNT
    why = "closed" if user and user.closed else "password" if user else "name"
    await acts.note("login.refused", known, ("", where), result="refused", reason=why)
    for kind in locked:
        what = known if kind == "account" else address
        until = time.time() + tries.wait_s(name, address)
        await acts.note(
            "login.locked", what, ("", where), result="refused", until=f"{until:.0f}", kind=kind
        )
    return Answer(None, tries.wait_s(name, address))
