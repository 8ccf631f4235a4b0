"""May a package leave: the class of what is in it, and who approved it. Recorded as an act."""

import sys
from datetime import datetime
from pathlib import Path

from drivers.classes import Wish, permit, rules_around
from drivers.language import say
from drivers.quantities import quantities
from reports.acts import record_act, refusals
from reports.periods import PLANT_TIME
from reports.site import Site

# Batches hold whatever a gateway read in that minute; entries stand behind the figures.
HELD = ("entries", "journal", "reports", "evidence", "configs", "events")


def permit_package(
    site: Site, config: Path, target: Path, approved_by: str, reason: str
) -> dict[str, str]:
    """Details for the trail. Raises ConfigError when it may not leave; that is recorded too."""
    rules, unread = rules_around(config)
    highest = rules.highest([*quantities(), *HELD])
    wish = Wish("package", target.name, approved_by, reason)
    with refusals(site, "export.made", str(target), reason=reason):
        details = permit(rules, highest, wish, datetime.now(PLANT_TIME).date())
    if unread:
        names = ", ".join(map(str, unread))
        told = say(
            "无权读取，其导出规则未计入", "may not be read: its export rules are not counted"
        )
        sys.stderr.write(f"! {names}: {told}\n")
        details["rules_not_read"] = names
    return details


def tell_export(
    site: Site, target: Path, approved_by: str, reason: str, details: dict[str, str]
) -> None:
    """A package was made that may leave."""
    approved = {"approved_by": approved_by} if approved_by else {}
    record_act(site, "export.made", str(target), reason=reason, details=approved | details)
