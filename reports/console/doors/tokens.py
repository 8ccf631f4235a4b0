"""Tokens for programs: shown once, hashed at rest, with rights and an end; never more than his."""

import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from drivers.language import say
from drivers.model import ConfigError
from reports.console.doors.roles import Right
from reports.console.doors.store import Store, User, secret_key

PREFIX: Final = "smt_"  # so that one left in a file can be found
MOST_DAYS: Final = 400
MOST: Final = 50  # living ones of one account
USED_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Token:
    """What is known of one; the secret itself is not kept."""

    id: str
    name: str  # whose
    label: str  # what for
    rights: frozenset[Right]
    made: float
    ends: float
    used: float | None
    used_from: str
    ended: float | None  # revoked

    @property
    def living(self) -> bool:
        return self.ended is None and self.ends > time.time()


@dataclass(frozen=True, slots=True)
class Tokens:
    """Of one store."""

    store: Store

    def make(self, user: User, label: str, rights: Iterable[Right], days: int) -> tuple[Token, str]:
        """The token and its secret. Raises ConfigError for its label, rights, end."""
        wanted, label = frozenset(rights), label.strip()
        found = []
        if not 1 <= len(label) <= 80 or not label.isprintable():
            found.append(
                say("请写明用途（1–80 个字符）", "say what it is for (1 to 80 characters)")
            )
        if not wanted:
            found.append(say("至少选一项权限", "choose at least one right"))
        if more := wanted - user.rights:
            names = ", ".join(sorted(more))
            found.append(
                say(f"超出您自己的权限：{names}", f"more than you may do yourself: {names}")
            )
        if not 1 <= days <= MOST_DAYS:
            found.append(
                say(f"有效期为 1–{MOST_DAYS} 天", f"it may live for 1 to {MOST_DAYS} days")
            )
        if sum(each.living for each in self.known(user.name)) >= MOST:
            found.append(
                say(f"已有 {MOST} 个有效令牌，请先吊销", f"{MOST} tokens live: revoke some first")
            )
        if found:
            raise ConfigError(found)
        identity, secret, now = (
            secrets.token_hex(4),
            PREFIX + secrets.token_urlsafe(32),
            time.time(),
        )
        self.store.change(
            "insert into tokens (id, key, name, label, rights, made, ends) values (?,?,?,?,?,?,?)",
            *(identity, secret_key(secret), user.name, label, ",".join(sorted(wanted))),
            *(now, now + days * 86_400.0),
        )
        (made,) = self._of("where id = ?", identity)
        return made, secret

    def of(self, secret: str, address: str) -> Token | None:
        """The token while it lives; its use is noted, once a minute."""
        if not secret.startswith(PREFIX) or len(secret) > 100:
            return None
        found = self._of("where key = ?", secret_key(secret))
        if not found or not found[0].living:
            return None
        token, now = found[0], time.time()
        if token.used is None or now - token.used > USED_S or token.used_from != address:
            self.store.change(
                "update tokens set used = ?, used_from = ? where id = ?", now, address, token.id
            )
        return token

    def known(self, name: str = "") -> list[Token]:
        """Of one account, or of all; newest first."""
        order = "order by made desc, id"
        return self._of(f"where name = ? {order}", name) if name else self._of(order)

    def end(self, identity: str) -> Token | None:
        """Revoke; None: there is no such living token."""
        found = [each for each in self._of("where id = ?", identity) if each.living]
        self.store.change(
            "update tokens set ended = ? where id = ? and ended is null", time.time(), identity
        )
        return found[0] if found else None

    def _of(self, which: str, *values: object) -> list[Token]:
        found = self.store.rows(
            "select id, name, label, rights, made, ends, used, used_from, ended "  # noqa: S608
            f"from tokens {which}",
            *values,
        )
        return [
            Token(one, name, label, frozenset(Right(each) for each in rights.split(",")), *times)
            for one, name, label, rights, *times in found
        ]
