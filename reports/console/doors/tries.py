"""
Failed tries, counted for each account and each address: after a few, waiting; each time longer.

A name that is no account is counted as one, so that nobody learns by it which names there are; of
names only hashes are kept, because people type passwords into the wrong field.
"""

import hashlib
import time
from dataclasses import dataclass
from typing import Final

from reports.console.doors.store import Store, name_of

FREE: Final = {"account": 5, "address": 20}  # tries before waiting begins
FIRST_S: Final = 60.0  # then it doubles with every further failure
LONGEST_S: Final = 3600.0
FORGOTTEN_S: Final = 6 * 3600.0
MOST: Final = 20_000


@dataclass(frozen=True, slots=True)
class Tries:
    """
    Kept in the store: a restart forgives nothing.

    ``by_address`` false: behind a reverse proxy all have one address, and one would lock out all.
    """

    store: Store
    by_address: bool = True

    def wait_s(self, name: str, address: str) -> float:
        """How long this one must wait before he may try again; 0: now."""
        keys = [_key("account", name_of(name)), _key("address", address)]
        found = self.store.rows("select max(until) from failures where key in (?, ?)", *keys)
        return max(0.0, (found[0][0] or 0.0) - time.time())

    def failed(self, name: str, address: str) -> list[str]:
        """Counts one; which of ``account``, ``address`` must wait from now on."""
        now, locked = time.time(), []
        self.store.change("delete from failures where since < ?", now - FORGOTTEN_S)
        counted = [("account", name_of(name))]
        counted += [("address", address)] if self.by_address else []
        for kind, value in counted:
            key = _key(kind, value)
            found = self.store.rows("select count from failures where key = ?", key)
            count = (found[0][0] if found else 0) + 1
            more = count - FREE[kind]
            until = now + min(LONGEST_S, FIRST_S * 2.0 ** min(more, 20)) if more >= 0 else 0.0
            self.store.change(
                "insert or replace into failures values (?,?,?,?)", key, count, now, until
            )
            if until:
                locked.append(kind)
        self.store.change(
            "delete from failures where key in "
            "(select key from failures order by since desc limit -1 offset ?)",
            MOST,
        )
        return locked

    def forget(self, name: str = "", address: str = "") -> None:
        """After a log-in that went well, or because an administrator said so."""
        if name:
            self.store.change("delete from failures where key = ?", _key("account", name_of(name)))
        if address:
            self.store.change("delete from failures where key = ?", _key("address", address))

    def locked_until(self, name: str) -> float | None:
        """Until when that account must wait; None: it need not."""
        found = self.store.rows(
            "select until from failures where key = ? and until > ?",
            *(_key("account", name_of(name)), time.time()),
        )
        return found[0][0] if found else None


def _key(kind: str, value: str) -> str:
    return f"{kind}:{hashlib.sha256(value.encode('utf-8', 'replace')).hexdigest()}"
