"""Passwords: argon2id at rest, what a new one must be, and the same time for a name unknown."""

import secrets
import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from drivers.language import say
from reports.console.doors.common_words import COMMON

LEAST_CHARS = 12
MOST_CHARS = 256  # longer ones only cost time

# OWASP's second choice for argon2id: a small gateway has no 64 MiB to spare for each log-in.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def plain_form(password: str) -> str:
    """However the keyboard composed it."""
    return unicodedata.normalize("NFKC", password)


def hashed(password: str) -> str:
    """For the store; takes some 30 ms and 19 MiB."""
    return _HASHER.hash(plain_form(password))


@cache
def _nobodys() -> str:
    return hashed(secrets.token_urlsafe())


def right(kept: str, password: str) -> bool:
    """Whether it is that password; an empty ``kept`` (nobody) takes as long and is never right."""
    if len(password) > MOST_CHARS:
        return False
    try:
        _HASHER.verify(kept or _nobodys(), plain_form(password))
    except (VerificationError, InvalidHashError):
        return False
    return bool(kept)


def outdated(kept: str) -> bool:
    """Made with other settings than today's: hash anew at the next log-in."""
    return _HASHER.check_needs_rehash(kept)


def first_password() -> str:
    """One to hand over: 80 bits in groups that can be read out."""
    signs = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(signs) for _ in range(4)) for _ in range(4))


def problems(password: str, *, name: str = "", person: str = "") -> list[str]:
    """Why it cannot be taken: too short, or one of those that are tried first."""
    plain = plain_form(password)
    found = []
    if len(plain) < LEAST_CHARS:
        found.append(
            say(
                f"密码至少 {LEAST_CHARS} 个字符；不要求混用大小写和符号，一句好记的话就可以",
                f"at least {LEAST_CHARS} characters; a sentence that you remember will do",
            )
        )
    if len(plain) > MOST_CHARS:
        found.append(
            say(f"密码最多 {MOST_CHARS} 个字符", f"a password has at most {MOST_CHARS} characters")
        )
    if not found and _guessed(plain.casefold(), name, person):
        found.append(
            say(
                "该密码是常见密码或与账户名相近，容易被猜中，请换一个",
                "that password is a common one or close to the account's name: choose another",
            )
        )
    return found


def _guessed(plain: str, name: str, person: str) -> bool:
    """A common word, alone or filled up with digits and signs; the name; few signs repeated."""
    core = "".join(sign for sign in plain if sign.isalpha())
    if plain in COMMON or core in COMMON:
        return True
    if any(len(own) >= 3 and own.casefold() in plain for own in (name, person)):
        rest = plain.replace(name.casefold(), "").replace(person.casefold(), "")
        if len(rest) < LEAST_CHARS - 4:
            return True
    return len(set(plain)) < 5 or plain in "01234567890123456789" or (not core and len(plain) < 14)
