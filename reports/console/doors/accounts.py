"""What is done to accounts and tokens, by page or API: done, told to the trail, sessions ended."""

import asyncio
from collections.abc import Iterable
from typing import Any

from drivers.language import say
from drivers.model import ConfigError
from reports.console.doors import passwords
from reports.console.doors.guard import Guard
from reports.console.doors.login import AT_ONCE
from reports.console.doors.roles import Right, Role, Visitor
from reports.console.doors.store import User
from reports.console.doors.tokens import Token


def found(doors: Guard, name: str) -> User:
    """Raises ConfigError when nobody has that name."""
    user = doors.store.user(name)
    if user is None:
        raise ConfigError([say(f"没有账户 {name}", f"there is no account {name}")])
    return user


def roles_in(given: Iterable[str]) -> frozenset[Role]:
    """Raises ConfigError for a word that is no role."""
    named = list(given)
    if wrong := [each for each in named if each not in set(Role)]:
        names = ", ".join(Role)
        raise ConfigError(
            [say(f"没有角色 {wrong}：{names}", f"no roles: {wrong}; there are {names}")]
        )
    return frozenset(Role(each) for each in named)


def rights_in(given: Iterable[str]) -> frozenset[Right]:
    """Raises ConfigError for a word that is no right."""
    named = list(given)
    if wrong := [each for each in named if each not in set(Right)]:
        names = ", ".join(Right)
        raise ConfigError(
            [say(f"没有权限 {wrong}：{names}", f"no rights: {wrong}; there are {names}")]
        )
    return frozenset(Right(each) for each in named)


async def add(
    doors: Guard, who: Visitor, name: str, person: str, roles: Iterable[str]
) -> tuple[User, str]:
    """The account, and a first password to hand over: it must be changed at the first log-in."""
    wanted, first = roles_in(roles), passwords.first_password()
    hash_ = await asyncio.to_thread(passwords.hashed, first)
    user = doors.store.add_user(name, person, wanted, hash_, who.name)
    told = ",".join(sorted(user.roles))
    await doors.acts.note("user.added", user.name, who.who, roles=told, person=user.person)
    return user, first


async def give_password(doors: Guard, who: Visitor, name: str) -> str:
    """A new first password; whoever is inside as him is out."""
    user, first = found(doors, name), passwords.first_password()
    hash_ = await asyncio.to_thread(passwords.hashed, first)
    doors.store.set_hash(user.name, hash_, must_change=True)
    doors.sessions.end_all(user.name)
    doors.tries.forget(user.name)
    await doors.acts.note("user.password", user.name, who.who, by="administrator")
    return first


async def own_password(doors: Guard, who: Visitor, old: str, new: str, again: str) -> None:
    """
    His own; other browsers are logged out. Wrong old ones count as failed log-ins.

    Raises ConfigError with all that is wrong with it.
    """
    user = found(doors, who.name)
    address = who.place.partition(", ")[2]
    problems = passwords.problems(new, name=user.name, person=user.person)
    if new != again:
        problems.append(say("两次输入的新密码不一致", "the new password twice: not the same"))
    if new == old:
        problems.append(say("新密码须与原密码不同", "the new password must be another one"))
    async with AT_ONCE:
        _refuse_while_waiting(doors, user.name, address)
        if not await asyncio.to_thread(passwords.right, user.hash, old):
            doors.tries.failed(user.name, address)
            problems = [say("原密码不正确", "the present password is wrong")]
    if problems:
        await doors.acts.note("user.password", user.name, who.who, result="refused", by="himself")
        raise ConfigError(problems)
    hash_ = await asyncio.to_thread(passwords.hashed, new)
    doors.store.set_hash(user.name, hash_, must_change=False)
    doors.sessions.end_all(user.name, but=who.session)
    await doors.acts.note("user.password", user.name, who.who, by="himself")


def _refuse_while_waiting(doors: Guard, name: str, address: str) -> None:
    if (wait_s := doors.tries.wait_s(name, address)) > 0:
        told = f"尝试次数过多，请 {wait_s:.0f} 秒后再试", f"too many tries: wait {wait_s:.0f} s"
        raise ConfigError([say(*told)])


async def change_roles(doors: Guard, who: Visitor, name: str, roles: Iterable[str]) -> User:
    """Counts at his next click; his tokens lose what he lost."""
    user, wanted = found(doors, name), roles_in(roles)
    doors.store.set_roles(user.name, wanted)
    now, before = ",".join(sorted(wanted)), ",".join(sorted(user.roles))
    await doors.acts.note("user.roles", user.name, who.who, roles=now, before=before)
    return found(doors, name)


async def close(doors: Guard, who: Visitor, name: str) -> User:
    """He is out at once, his tokens too. Raises ConfigError for the last administrator."""
    user = found(doors, name)
    doors.store.set_closed(user.name, closed=True)
    await doors.acts.note("user.closed", user.name, who.who)
    return found(doors, name)


async def open_again(doors: Guard, who: Visitor, name: str) -> User:
    """A closed account, or one that waits after failed tries."""
    user = found(doors, name)
    doors.store.set_closed(user.name, closed=False)
    doors.tries.forget(user.name)
    await doors.acts.note("user.opened", user.name, who.who)
    return found(doors, name)


async def make_token(
    doors: Guard, who: Visitor, label: str, rights: Iterable[str], days: int
) -> tuple[Token, str]:
    """Only by somebody who logged in himself: a token makes no tokens."""
    if not who.session:
        raise ConfigError([say("令牌不能再签发令牌", "a token cannot make tokens")])
    token, secret = doors.tokens.make(found(doors, who.name), label, rights_in(rights), days)
    may = ",".join(sorted(token.rights))
    await doors.acts.note(
        "token.made", token.id, who.who, label=token.label, rights=may, days=str(days)
    )
    return token, secret


async def end_token(doors: Guard, who: Visitor, identity: str) -> Token:
    """His own, or anybody's for who administers. Raises ConfigError when there is none."""
    mine = {each.id for each in doors.tokens.known(who.name)}
    ended = None
    if identity in mine or who.may(Right.ADMINISTER):
        ended = doors.tokens.end(identity)
    if ended is None:
        raise ConfigError([say(f"没有有效令牌 {identity}", f"no living token {identity}")])
    await doors.acts.note("token.revoked", ended.id, who.who, account=ended.name, label=ended.label)
    return ended


def shown_user(doors: Guard, user: User) -> dict[str, Any]:
    """Without anything secret."""
    return {
        "name": user.name,
        "person": user.person,
        "roles": [role.value for role in Role if role in user.roles],
        "must_change": user.must_change,
        "closed": user.closed,
        "locked_until": doors.tries.locked_until(user.name),
        "single_sign_on": user.subject is not None,
        "made": user.made,
        "made_by": user.made_by,
        "last_login": user.came,
    }


def shown_token(token: Token) -> dict[str, Any]:
    """Without anything secret."""
    return {
        "id": token.id,
        "account": token.name,
        "label": token.label,
        "rights": [right.value for right in Right if right in token.rights],
        "made": token.made,
        "ends": token.ends,
        "used": token.used,
        "used_from": token.used_from,
        "ended": token.ended,
        "living": token.living,
    }
