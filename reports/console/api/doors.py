"""Accounts and tokens, for programs."""

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request
from pydantic import BaseModel, Field

from reports.console.doors import accounts
from reports.console.doors.reach import guard
from reports.console.web import needs, visitor

router = APIRouter(tags=["accounts"])
Limit = Annotated[int, Query(ge=1, le=500, description="at most so many")]
After = Annotated[str, Query(max_length=64, description="go on after this one")]


class Me(BaseModel):
    """Whoever asks."""

    name: str
    person: str
    rights: list[str]
    by_token: bool


class Account(BaseModel):
    """An account; times are wall seconds."""

    name: str
    person: str
    roles: list[str]
    must_change: bool
    closed: float | None
    locked_until: float | None
    single_sign_on: bool
    made: float
    made_by: str
    last_login: float | None


class Accounts(BaseModel):
    """One page of them, by name; ``next`` is what ``after`` takes, None at the end."""

    accounts: list[Account]
    next: str | None


class NewAccount(BaseModel):
    """``person`` as records and reports name him."""

    name: str = Field(min_length=1, max_length=64)
    person: str = Field(min_length=1, max_length=80)
    roles: list[str] = Field(min_length=1, max_length=4)


class Made(BaseModel):
    """The first password is shown here and nowhere else; it must be changed at the first log-in."""

    account: Account
    first_password: str


class Change(BaseModel):
    """What is not given stays. ``closed`` false also forgets failed tries."""

    roles: list[str] | None = Field(default=None, max_length=4)
    closed: bool | None = None


class TokenShown(BaseModel):
    """What is known of a token; times are wall seconds."""

    id: str
    account: str
    label: str
    rights: list[str]
    made: float
    ends: float
    used: float | None
    used_from: str
    ended: float | None
    living: bool


class TokenList(BaseModel):
    """Newest first; ``next`` is what ``after`` takes, None at the end."""

    tokens: list[TokenShown]
    next: str | None


@router.get("/me", dependencies=[needs("see")], summary="Who I am")
async def me(request: Request) -> Me:
    """Name, person and rights behind the session or token."""
    who = visitor(request)
    return Me(
        name=who.name,
        person=who.person,
        rights=sorted(who.rights),
        by_token=not who.session,
    )


@router.get("/accounts", dependencies=[needs("administer")], summary="List accounts")
async def listed(request: Request, limit: Limit = 100, after: After = "") -> Accounts:
    """In order of their names."""
    doors = guard(request)
    found = sorted((each for each in doors.store.users() if each.name > after), key=_name)
    shown = [accounts.shown_user(doors, each) for each in found[:limit]]
    last = shown[-1]["name"] if len(found) > limit else None
    return Accounts(accounts=[Account(**each) for each in shown], next=last)


@router.post(
    "/accounts", dependencies=[needs("administer")], status_code=201, summary="Make an account"
)
async def add(request: Request, new: NewAccount) -> Made:
    """Answers with a first password to hand over."""
    doors = guard(request)
    user, first = await accounts.add(doors, visitor(request), new.name, new.person, new.roles)
    return Made(account=_account(request, user.name), first_password=first)


@router.patch("/accounts/{name}", dependencies=[needs("administer")], summary="Change an account")
async def change(request: Request, name: str, new: Change) -> Account:
    """Roles; closed or open."""
    doors, who = guard(request), visitor(request)
    if doors.store.user(name) is None:
        raise HTTPException(404)
    if new.roles is not None:
        await accounts.change_roles(doors, who, name, new.roles)
    if new.closed is not None:
        await (accounts.close if new.closed else accounts.open_again)(doors, who, name)
    return _account(request, name)


@router.get("/tokens", dependencies=[needs("see")], summary="List tokens")
async def tokens(request: Request, limit: Limit = 100, after: After = "") -> TokenList:
    """My own; everybody's for who administers."""
    doors, who = guard(request), visitor(request)
    found = doors.tokens.known("" if who.may("administer") else who.name)
    names = [each.id for each in found]
    begin = names.index(after) + 1 if after in names else 0
    part = found[begin : begin + limit]
    more = begin + limit < len(found)
    shown = [TokenShown(**accounts.shown_token(each)) for each in part]
    return TokenList(tokens=shown, next=part[-1].id if more else None)


@router.delete("/tokens/{identity}", dependencies=[needs("see")], summary="Revoke a token")
async def revoke(request: Request, identity: str) -> TokenShown:
    """My own, or anybody's for who administers. Tokens are made on the page, by a person."""
    doors, who = guard(request), visitor(request)
    ended = await accounts.end_token(doors, who, identity)
    (now,) = [each for each in doors.tokens.known(ended.name) if each.id == identity]
    return TokenShown(**accounts.shown_token(now))


def _account(request: Request, name: str) -> Account:
    doors = guard(request)
    return Account(**accounts.shown_user(doors, accounts.found(doors, name)))


def _name(user: Any) -> str:
    return str(user.name)
