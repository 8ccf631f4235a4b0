"""Names of pollutants, floats as figures of a report, columns of its tables."""

from decimal import Decimal

import numpy as np

from drivers.quantities import quantities
from reports.chapters import Column
from reports.values import Text


def label_of(pollutant: str) -> Text:
    """Its name: 二氧化硫."""
    known = quantities()[f"stack.{pollutant}"]
    return Text(zh=known.zh, en=known.en)


def decimal(value: float) -> Decimal:
    """The shortest decimal that reads back the same float."""
    return Decimal(repr(float(value)))


def maybe(value: float | None, places: int | None = None) -> Decimal | None:
    """None for what is not there; rounded for a table where ``places`` says so."""
    if value is None or not np.isfinite(value):
        return None
    exact = Decimal(value) if isinstance(value, int) else decimal(value)
    return exact if places is None else round(exact, places)


def column(
    zh: str, en: str, unit: str = "", decimals: int | None = None, width: int = 11
) -> Column:
    """A column by its names."""
    return Column(label=Text(zh=zh, en=en), unit=unit, decimals=decimals, width=width)
