"""Staggered production in autumn and winter: what an exemption stands on."""

from collections.abc import Sequence

from reports.chapters import Chapter
from reports.grade.bench import Bench
from reports.grade.scheme import Graded


def staggered_chapter(_bench: Bench, _results: Sequence[Graded]) -> Chapter | None:
    """None where the period holds no part of the season."""
    return None
