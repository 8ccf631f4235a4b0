"""Alerts of the year in the report: what was due, what was done."""

from reports.chapters import Chapter
from reports.grade.bench import Bench


def alert_chapter(_bench: Bench) -> Chapter | None:
    """None where the year had no alert."""
    return None
