"""
Acts of the office, recorded beside the ledger; what changes or uses its chains tells their heads.

The historian that follows the trail has the heads under its own tree: whoever rewrites ledger,
journal or lodgings later is contradicted by it (docs/package.md, ``reports.package.verify``).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from drivers.audit import AuditTrail, note_act
from drivers.audit_act import Result
from drivers.model import ConfigError
from reports.chain import chain_heads

if TYPE_CHECKING:
    from reports.site import Site


def trail_of(site: "Site") -> AuditTrail:
    """``audit/`` beside the ledger, with the settings of site.toml."""
    return site.audit.trail(site.entries.parent / "audit")


def anchors_of(site: "Site") -> dict[str, str]:
    """Details of an act: whose chains, and for each chain its lines and the hash of the last."""
    heads = chain_heads(site.entries, site.journal)
    return {"plant": site.plant, **heads} if heads else {}


def record_act(
    site: "Site",
    what: str,
    target: str,
    *,
    reason: str = "",
    who: str = "",
    result: Result = "ok",
    details: Mapping[str, str] | None = None,
) -> None:
    """Record what was just done, with the heads as they are now. Never raises."""
    try:
        heads = anchors_of(site)
    except ConfigError:
        heads = {}  # a head that cannot be read: the commands that read the chain say so
    told = {**heads, **(details or {})}
    note_act(trail_of(site), what, target, reason=reason, who=who, result=result, details=told)


@contextmanager
def refusals(
    site: "Site", what: str, target: str, *, reason: str = "", who: str = ""
) -> Iterator[None]:
    """A refusal inside is recorded as the act that was tried, with what was wrong; then raised."""
    try:
        yield
    except ConfigError as error:
        told = {"refused": "; ".join(error.problems)}
        record_act(site, what, target, reason=reason, who=who, result="refused", details=told)
        raise
