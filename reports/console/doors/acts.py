"""What happens at the doors, told to the audit trail; never a password, cookie or token."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Final, Literal

from drivers.audit import AuditTrail, acting, note_act

HOUR_S: Final = 3600.0
REFUSALS_HOUR: Final = 200  # of one account
NOT_AN_ACCOUNT = "—"  # a name nobody has may be a password in the wrong field


@dataclass(frozen=True, slots=True)
class Acts:
    """Told from the web server itself: a trail takes some milliseconds, in a thread."""

    trail: AuditTrail
    _refused: dict[str, list[float]] = field(default_factory=dict)

    def is_news(self, name: str) -> bool:
        """Of refusals of one account so many an hour are told: nobody fills the trail by trying."""
        now = time.monotonic()
        times = [each for each in self._refused.get(name, ()) if now - each < HOUR_S]
        self._refused[name] = [*times, now][:REFUSALS_HOUR]
        return len(times) < REFUSALS_HOUR

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
