"""What happens at the doors, told to the audit trail; never a password, cookie or token."""

import asyncio
from dataclasses import dataclass
from typing import Literal

from drivers.audit import AuditTrail, acting, note_act

NOT_AN_ACCOUNT = "—"  # a name nobody has may be a password in the wrong field


@dataclass(frozen=True, slots=True)
class Acts:
    """Told from the web server itself: a trail takes some milliseconds, in a thread."""

    trail: AuditTrail

    async def note(
        self,
        what: str,
        target: str,
        who: tuple[str, str],
        *,
        result: Literal["ok", "refused", "failed"] = "ok",
        **details: str,
    ) -> None:
        """``who`` is the person and the place, as ``Visitor.who``."""
        person, place = who
        with acting(person or NOT_AN_ACCOUNT, place):
            await asyncio.to_thread(
                note_act, self.trail, what, target, result=result, details=details or None
            )
