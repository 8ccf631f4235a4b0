"""Rows of the data catalogue."""

from collections.abc import Iterable
from pathlib import Path

from drivers.keeping import Holding


def holdings(config: Path) -> Iterable[Holding]:
    """Made below."""
    raise NotImplementedError(config)
