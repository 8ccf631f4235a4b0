"""
Gives float32 readings back as the float32 they were.

The wire writes them with nine digits: exactly one float32 has that text, but as float64 the text is
another number (4.01200008 for 4.012000083923340), in the last digit and with a long noisy mantissa.
"""

import numpy as np
import numpy.typing as npt

from drivers.model import Floats, Indices

ENOUGH = 8  # a decimal that is no float32 reads like one once in six times at worst


def float32_readings(values: Floats, series: Indices, kind: Indices) -> Floats:
    """
    ``values`` with those of float32 series restored.

    A series (or a ``kind``, of several series) is taken for float32 when at least ENOUGH of its
    values need nine digits and every one of them reads back as a float32. Others stay untouched.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        short = values.astype(np.float32).astype(np.float64)
        inexact = (short != values) & np.isfinite(values)
    if not inexact.any():
        return values
    at = np.flatnonzero(inexact)
    fits = _nine_digits(values[at], short[at])
    believed = _unanimous(fits, series[at]) | _unanimous(fits, kind[at])
    restored = values.copy()
    restored[at[believed]] = short[at[believed]]
    return restored


def _nine_digits(values: Floats, short: Floats) -> npt.NDArray[np.bool_]:
    """True where ``values`` is what "%.9g" writes for the float32 ``short``."""
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        unit = 10.0 ** (np.floor(np.log10(np.abs(values))) - 8)
        steps = values / unit
        near = np.abs(steps - np.rint(steps)) < 1e-5
        fits: npt.NDArray[np.bool_] = near & (np.rint(short / unit) == np.rint(steps))
    return fits


def _unanimous(fits: npt.NDArray[np.bool_], group: Indices) -> npt.NDArray[np.bool_]:
    """Per element: does all of its group fit, and is the group large enough to tell?"""
    total = np.bincount(group)
    yes = np.bincount(group, weights=fits)
    sure: npt.NDArray[np.bool_] = ((total == yes) & (total >= ENOUGH))[group]
    return sure
