"""May a package leave: the class of what is in it, and who approved it. Recorded as an act."""

from datetime import datetime
from pathlib import Path

from drivers.audit import note_act
from drivers.classes import Wish, permit, rules_of
from drivers.model import ConfigError
from drivers.quantities import quantities
from reports.keeping import entries_of
from reports.periods import PLANT_TIME

# Batches hold whatever a gateway read in that minute; entries stand behind the figures.
HELD = ("entries", "journal", "reports", "evidence", "configs", "events")


def permit_package(site: Path, target: Path, approved_by: str, reason: str) -> dict[str, str]:
    """Details for the trail. Raises ConfigError when it may not leave; that is recorded too."""
    rules = rules_of(site)
    highest = rules.highest([*quantities(), *HELD])
    wish = Wish("package", target.name, approved_by, reason)
    try:
        return permit(rules, highest, wish, datetime.now(PLANT_TIME).date())
    except ConfigError:
        folder = entries_of(site).with_name("audit")
        note_act(folder, "export.made", str(target), reason=reason, result="refused")
        raise


def tell_export(
    entries: Path, target: Path, approved_by: str, reason: str, details: dict[str, str]
) -> None:
    """A package was made that may leave."""
    approved = {"approved_by": approved_by} if approved_by else {}
    trail = entries.with_name("audit")
    note_act(trail, "export.made", str(target), reason=reason, details=approved | details)
