"""How long certificates and revocation lists are still good, for commands, metrics and events."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from agent.health import Metrics
from drivers.language import say, why

WARN_DAYS = 30
State = Literal["good", "soon", "over", "unreadable"]


@dataclass(frozen=True, slots=True)
class Watched:
    """One file. ``name`` is the key of the config that names it (``mqtt.cert``)."""

    name: str
    path: Path
    subject: str = ""
    issuer: str = ""
    until: dt.datetime | None = None
    trouble: str = ""

    def days_left(self, now: dt.datetime) -> int | None:
        """Whole days; negative when it is over."""
        return None if self.until is None else (self.until - now) // dt.timedelta(days=1)

    def state(self, now: dt.datetime) -> State:
        days = self.days_left(now)
        if days is None:
            return "unreadable"
        return "over" if days < 0 else "soon" if days < WARN_DAYS else "good"

    def text(self, now: dt.datetime) -> str:
        """For an event or a line on the screen."""
        days = self.days_left(now)
        if days is None:
            return f"{self.name}: {self.path}: {self.trouble}"
        until = f"{self.until:%Y-%m-%d}"
        told = say(f"剩余 {days} 天，至 {until}", f"{days} days left, until {until}")
        if days < 0:
            told = say(f"已于 {until} 过期", f"expired on {until}")
        return f"{self.name}: {self.subject}: {told}"


def look(files: Mapping[str, Path]) -> list[Watched]:
    """Each file; of several certificates in one, that which ends first."""
    return [_look(name, path) for name, path in files.items()]


def _look(name: str, path: Path) -> Watched:
    try:
        data = path.read_bytes()
    except OSError as error:
        return Watched(name, path, trouble=why(error))
    from cryptography import x509  # a gateway without certificates does without it

    from agent.certificates.place import certificates_in

    try:
        if b"X509 CRL" in data or name.endswith("crl"):
            load = x509.load_pem_x509_crl if b"-----BEGIN" in data else x509.load_der_x509_crl
            crl = load(data)
            text = say("吊销列表", "revocation list")
            return Watched(name, path, text, crl.issuer.rfc4514_string(), crl.next_update_utc)
        first = min(certificates_in(data), key=lambda each: each.not_valid_after_utc)
    except ValueError as error:
        return Watched(name, path, trouble=str(error))
    subject, issuer = first.subject.rfc4514_string(), first.issuer.rfc4514_string()
    return Watched(name, path, subject, issuer, first.not_valid_after_utc)


class Watch:
    """What is told once when it changes: soon over, over, good again."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._states: dict[str, State] = {}
        self.found: list[Watched] = []

    def pass_on(self, found: Iterable[Watched], now: dt.datetime) -> None:
        self.found = list(found)
        for each in self.found:
            state = each.state(now)
            if state != self._states.get(each.name, "good"):
                self._tell(each.text(now))
            self._states[each.name] = state

    def metrics(self, metrics: Metrics) -> None:
        now = dt.datetime.now(dt.UTC)
        for each in self.found:
            days = each.days_left(now)
            if days is not None:
                text = "days until a certificate or revocation list is over"
                metrics.add("certificate_days_left", days, "gauge", text, certificate=each.name)
