"""
Who may come in, on disk: users, sessions, tokens, failed tries in ``console.db`` (SQLite, WAL).

Times are wall seconds. Of passwords, session cookies and tokens only hashes are here. The console
and the command ``smelter users`` may have it open at the same time.
"""

import hashlib
import os
import re
import sqlite3
import time
import unicodedata
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from drivers.language import say, why
from drivers.model import ConfigError
from reports.console.doors.roles import Right, Role, rights_of

FILE: Final = "console.db"
VERSION: Final = 1
_NAME = re.compile(r"\w[\w.@-]{0,63}")

_TABLES: Final = """
create table users (
  name text primary key, person text not null, person_key text not null unique,
  roles text not null, hash text not null, must_change integer not null,
  closed real, made real not null, made_by text not null, changed real not null,
  came real, subject text unique
) strict;
create table sessions (
  key text primary key, name text not null references users(name), began real not null,
  seen real not null, address text not null, browser text not null
) strict;
create index sessions_of on sessions(name);
create table tokens (
  id text primary key, key text not null unique, name text not null references users(name),
  label text not null, rights text not null, made real not null, ends real not null,
  used real, used_from text not null default '', ended real
) strict;
create table failures (key text primary key, count integer not null, since real not null,
  until real not null) strict;
"""


@dataclass(frozen=True, slots=True)
class User:
    """An account. ``closed``: since when it may not come in; accounts are never deleted."""

    name: str
    person: str  # as reports and acts name him; no two accounts share one
    roles: frozenset[Role]
    hash: str  # empty: comes in by single sign-on only
    must_change: bool
    closed: float | None
    made: float
    made_by: str
    changed: float
    came: float | None
    subject: str | None  # issuer and subject of single sign-on

    @property
    def rights(self) -> frozenset[Right]:
        return frozenset() if self.closed else rights_of(self.roles)


def name_of(text: str) -> str:
    """The account's name however it was typed."""
    return unicodedata.normalize("NFKC", text).strip().casefold()


def secret_key(secret: str) -> str:
    """What stands for a random secret at rest."""
    return hashlib.sha256(secret.encode()).hexdigest()


class Store:
    """One open file; a folder that is not there is made, for its owner only."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        try:
            self.base = _opened(self.path)
        except (OSError, sqlite3.Error) as error:
            told = why(error) if isinstance(error, OSError) else str(error)
            raise ConfigError([f"{self.path}: {told}"]) from error

    def close(self) -> None:
        self.base.close()

    def rows(self, question: str, *values: Any) -> list[tuple[Any, ...]]:
        return self.base.execute(question, values).fetchall()

    def change(self, question: str, *values: Any) -> int:
        """One statement, durable; the number of rows it changed."""
        with self.base:
            return self.base.execute(question, values).rowcount

    # --- users

    def user(self, name: str) -> User | None:
        return next(iter(self._users("where name = ?", name_of(name))), None)

    def users(self) -> list[User]:
        return self._users("order by closed is not null, name")

    def of_subject(self, subject: str) -> User | None:
        return next(iter(self._users("where subject = ?", subject)), None)

    def _users(self, which: str, *values: Any) -> list[User]:
        columns = (
            "name, person, roles, hash, must_change, closed, made, made_by, changed, came, subject"
        )
        found = self.rows(f"select {columns} from users {which}", *values)  # noqa: S608 - our texts
        return [
            User(row[0], row[1], _roles(row[2]), row[3], bool(row[4]), *row[5:]) for row in found
        ]

    def add_user(
        self,
        name: str,
        person: str,
        roles: Iterable[Role],
        hash_: str,
        by: str,
        *,
        must_change: bool = True,
        subject: str | None = None,
    ) -> User:
        """Raises ConfigError for a name or person that is taken or cannot be one."""
        key, person = name_of(name), unicodedata.normalize("NFKC", person).strip()
        found = self._problems(key, person, wanted := frozenset(roles))
        if found:
            raise ConfigError(found)
        now = time.time()
        try:
            self.change(
                "insert into users values (?,?,?,?,?,?,NULL,?,?,?,NULL,?)",
                *(key, person, person.casefold(), _text(wanted), hash_, must_change),
                *(now, by, now, subject),
            )
        except sqlite3.IntegrityError:  # another process was quicker
            raise ConfigError([_taken(key)]) from None
        made = self.user(key)
        assert made is not None  # noqa: S101 - just written
        return made

    def _problems(self, key: str, person: str, roles: frozenset[Role]) -> list[str]:
        found = []
        if not _NAME.fullmatch(key):
            found.append(
                say(
                    f"账户名 {key!r}：须为 1–64 个字母、汉字、数字或 . _ @ -",
                    f"account name {key!r}: 1 to 64 letters, digits or . _ @ -",
                )
            )
        if not 1 <= len(person) <= 80 or not person.isprintable():
            found.append(say("姓名须为 1–80 个字符", "the person's name has 1 to 80 characters"))
        if not roles:
            found.append(say("至少选一个角色", "give at least one role"))
        if self.user(key):
            found.append(_taken(key))
        if self.rows("select 1 from users where person_key = ?", person.casefold()):
            found.append(
                say(
                    f"姓名“{person}”已属于另一账户；两人确认须能区分，请加部门等以示区别",
                    f"{person!r} is the person of another account; two persons must be told apart",
                )
            )
        return found

    def set_hash(self, name: str, hash_: str, *, must_change: bool) -> None:
        self.change(
            "update users set hash = ?, must_change = ?, changed = ? where name = ?",
            *(hash_, must_change, time.time(), name_of(name)),
        )

    def set_roles(self, name: str, roles: Iterable[Role]) -> None:
        """Raises ConfigError for none, and for the last administrator."""
        wanted = frozenset(roles)
        if not wanted:
            raise ConfigError([say("至少选一个角色", "give at least one role")])
        if Role.ADMINISTRATOR not in wanted:
            self._refuse_last(name)
        self.change(
            "update users set roles = ?, changed = ? where name = ?",
            *(_text(wanted), time.time(), name_of(name)),
        )

    def set_closed(self, name: str, *, closed: bool) -> None:
        """Closing ends his sessions. Raises ConfigError for the last administrator."""
        if closed:
            self._refuse_last(name)
        now = time.time()
        self.change(
            "update users set closed = ?, changed = ? where name = ?",
            *(now if closed else None, now, name_of(name)),
        )
        if closed:
            self.change("delete from sessions where name = ?", name_of(name))

    def administrators(self) -> list[User]:
        """Those who can come in."""
        return [u for u in self.users() if Role.ADMINISTRATOR in u.roles and not u.closed]

    def _refuse_last(self, name: str) -> None:
        if [each.name for each in self.administrators()] == [name_of(name)]:
            raise ConfigError(
                [
                    say(
                        "这是最后一个管理员；请先指定另一名管理员",
                        "this is the last administrator; name another one first",
                    )
                ]
            )


def _taken(key: str) -> str:
    return say(f"账户 {key} 已存在", f"there is an account {key} already")


def _roles(text: str) -> frozenset[Role]:
    return frozenset(Role(each) for each in text.split(",") if each in set(Role))


def _text(roles: frozenset[Role]) -> str:
    return ",".join(role for role in Role if role in roles)


def _opened(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
        os.close(handle)
        _same_owner(path)
    base = sqlite3.connect(path, timeout=10, check_same_thread=False)
    base.execute("pragma journal_mode = wal")
    base.execute("pragma synchronous = full")  # a revoked token stays revoked
    base.execute("pragma foreign_keys = on")
    base.execute("pragma secure_delete = on")
    base.execute("pragma trusted_schema = off")
    base.isolation_level = None
    base.execute("begin immediate")
    try:
        (version,) = base.execute("pragma user_version").fetchone()
        if version == 0:
            for statement in _TABLES.split(";\n"):
                base.execute(statement)
            base.execute(f"pragma user_version = {VERSION}")
        base.execute("commit")
    except BaseException:
        base.close()
        raise
    if version > VERSION:
        base.close()
        raise sqlite3.DatabaseError(
            say("由更新的版本写成", "it was written by a newer version of this program")
        )
    base.isolation_level = "DEFERRED"
    return base


def _same_owner(path: Path) -> None:
    """Made by root for a service that is somebody else: his, as the folder above is."""
    if os.geteuid() != 0:
        return
    above = path.parent.parent.stat()
    with suppress(OSError):
        for each in (path.parent, path):
            if each.stat().st_uid == 0:
                os.chown(each, above.st_uid, above.st_gid)
