"""Who may do what: roles as sets of rights; a person may hold several roles."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from reports.values import Text


class Right(StrEnum):
    """What a route asks for; also the scopes of a token."""

    SEE = "see"
    ENTER = "enter"  # entries, documents
    MARK = "mark"  # the journal: marks, exceedances, checks
    REPORT = "report"  # make reports and packages
    LODGE = "lodge"
    CONFIRM = "confirm"  # be the second person
    CONFIGURE = "configure"  # meters, certificates, overlays, gateways
    ADMINISTER = "administer"  # users, tokens, notices


class Role(StrEnum):
    """What an account is given; may be several."""

    VIEWER = "viewer"
    OFFICER = "officer"
    ENGINEER = "engineer"
    ADMINISTRATOR = "administrator"


# Whoever manages the accounts neither enters nor lodges: duties are kept apart.
RIGHTS: Final[dict[Role, frozenset[Right]]] = {
    Role.VIEWER: frozenset({Right.SEE}),
    Role.OFFICER: frozenset(
        {Right.SEE, Right.ENTER, Right.MARK, Right.REPORT, Right.LODGE, Right.CONFIRM}
    ),
    Role.ENGINEER: frozenset({Right.SEE, Right.MARK, Right.REPORT, Right.CONFIRM, Right.CONFIGURE}),
    Role.ADMINISTRATOR: frozenset({Right.SEE, Right.ADMINISTER}),
}

NAMES: Final[dict[Role, Text]] = {
    Role.VIEWER: Text(zh="查看", en="viewer"),
    Role.OFFICER: Text(zh="环保专员", en="environment officer"),
    Role.ENGINEER: Text(zh="工程师", en="engineer"),
    Role.ADMINISTRATOR: Text(zh="管理员", en="administrator"),
}

RIGHT_NAMES: Final[dict[Right, Text]] = {
    Right.SEE: Text(zh="查看", en="see"),
    Right.ENTER: Text(zh="填报", en="enter figures"),
    Right.MARK: Text(zh="环保记录", en="keep the journal"),
    Right.REPORT: Text(zh="生成报告和证据包", en="make reports and packages"),
    Right.LODGE: Text(zh="登记报送", en="record a lodging"),
    Right.CONFIRM: Text(zh="第二人确认", en="confirm as the second person"),
    Right.CONFIGURE: Text(zh="配置", en="configure"),
    Right.ADMINISTER: Text(zh="管理账户", en="manage accounts"),
}


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks: a person by session, or a program by token; ``name`` empty: nobody known."""

    name: str  # of the account
    person: str  # as reports and acts name him
    rights: frozenset[Right]
    place: str  # where the act comes from: ``console, 192.0.2.7``
    session: str = ""  # what CSRF tokens are bound to; empty for a token
    must_change: bool = False  # the first password was given by somebody else

    @property
    def known(self) -> bool:
        return bool(self.name)

    @property
    def who(self) -> tuple[str, str]:
        """For ``Desk.act``."""
        return self.person, self.place

    def may(self, right: Right | str) -> bool:
        return Right(right) in self.rights


NOBODY: Final = Visitor("", "", frozenset(), "")


def rights_of(roles: frozenset[Role]) -> frozenset[Right]:
    """All that any of the roles may."""
    return frozenset(right for role in roles for right in RIGHTS[role])
