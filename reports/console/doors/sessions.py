"""Sessions: a random cookie, its hash at rest; they end by idling, by age, and by logging out."""

import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass
from typing import Final

from reports.console.doors.store import Store, User, secret_key

SEEN_S: Final = 30.0  # "last seen" is written at most so often
MOST: Final = 20  # sessions of one account; the longest unused goes


@dataclass(frozen=True, slots=True)
class Session:
    """One log-in of one browser."""

    key: str  # names it in lists; opens nothing
    name: str
    began: float
    seen: float
    address: str
    browser: str


@dataclass(frozen=True, slots=True)
class Sessions:
    """``idle_s`` without a request or ``life_s`` since the log-in end a session."""

    store: Store
    idle_s: float
    life_s: float

    def begin(self, user: User, address: str, browser: str) -> str:
        """The secret for the cookie: new at each log-in."""
        secret, now = secrets.token_urlsafe(32), time.time()
        self.store.change(
            "delete from sessions where began < ? or seen < ?", now - self.life_s, now - self.idle_s
        )
        self.store.change(
            "delete from sessions where name = ? and key not in "
            "(select key from sessions where name = ? order by seen desc limit ?)",
            *(user.name, user.name, MOST - 1),
        )
        self.store.change(
            "insert into sessions values (?,?,?,?,?,?)",
            *(secret_key(secret), user.name, now, now, address, browser[:200]),
        )
        self.store.change("update users set came = ? where name = ?", now, user.name)
        return secret

    def of(self, secret: str, *, used: bool = True) -> Session | None:
        """The session of a cookie while it holds; ``used`` by a person keeps it from idling."""
        key = secret_key(secret)
        found = self.store.rows("select * from sessions where key = ?", key)
        if not found:
            return None
        session, now = Session(*found[0]), time.time()
        if now - session.seen > self.idle_s or now - session.began > self.life_s:
            self.end(key)
            return None
        if used and now - session.seen > min(SEEN_S, self.idle_s / 4):
            self.store.change("update sessions set seen = ? where key = ?", now, key)
        return session

    def living(self, name: str) -> list[Session]:
        """Newest first; those that hold."""
        now = time.time()
        found = self.store.rows(
            "select * from sessions where name = ? and began > ? and seen > ? order by seen desc",
            *(name, now - self.life_s, now - self.idle_s),
        )
        return [Session(*row) for row in found]

    def end(self, key: str) -> None:
        self.store.change("delete from sessions where key = ?", key)

    def end_all(self, name: str, but: str = "") -> int:
        """Log out everywhere (``but`` here); how many there were."""
        return self.store.change("delete from sessions where name = ? and key != ?", name, but)


def csrf_of(secret: str) -> str:
    """What a form of this session carries: follows from the cookie, and nothing back from it."""
    return hmac.new(secret.encode(), b"csrf", hashlib.sha256).hexdigest()


def same(one: str, other: str) -> bool:
    """In constant time."""
    return hmac.compare_digest(one.encode(), other.encode())
