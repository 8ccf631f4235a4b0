"""Accounts beside those that every console of the tests has."""

import contextlib

from drivers.model import ConfigError
from reports.console.doors.roles import Role
from reports.console.doors.store import Store, User
from tests.console.served import PASSWORD, hash_of


def allround(store: Store, name: str = "allround") -> User:
    """Somebody with every role."""
    with contextlib.suppress(ConfigError):  # was made by another test
        store.add_user(name, name, list(Role), hash_of(PASSWORD), "test", must_change=False)
    found = store.user(name)
    assert found
    return found


def somebody(store: Store, name: str, *roles: Role, must_change: bool = False) -> User:
    return store.add_user(
        name,
        f"Mr {name}",
        roles or [Role.VIEWER],
        hash_of(PASSWORD),
        "test",
        must_change=must_change,
    )
