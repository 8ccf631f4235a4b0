"""``emissions``: the report of a day, month, quarter, year or any interval."""

from reports.basis import Basis
from reports.model import Content


def emissions(basis: Basis) -> Content:
    """The report. Raises RuleError, SeriesError, ConfigError."""
    raise NotImplementedError
