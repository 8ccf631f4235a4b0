"""
Envelopes: how low, how high and in the mean a point was, in a bounded number of equal buckets.

A bucket is made of *pieces*: windows as they were stored, samples, or hours summed up before
(``envelope_layer.py``). Times are whole seconds UTC; buckets of an hour and more begin with the
hours and days of plant time (+08:00). A bucket without any piece is a gap: nothing is filled in.
Where windows of several lengths lie in one hour, the shortest of them count: the longer ones say
the same once more.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from drivers.model import Floats, Indices, Kind, Quantity

HOUR_S: Final = 3600
DAY_S: Final = 86_400
PLANT_S: Final = 8 * HOUR_S  # plant time is that much ahead of UTC
MOST: Final = 2_000  # buckets of one answer
LADDER: Final = (
    *(1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800),
    *(HOUR_S, 2 * HOUR_S, 3 * HOUR_S, 4 * HOUR_S, 6 * HOUR_S, 12 * HOUR_S),
    *(DAY_S, 2 * DAY_S, 7 * DAY_S, 28 * DAY_S, 140 * DAY_S),
)

Texts = npt.NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Pieces:
    """
    What a point was in stretches that begin at ``start_s``, in order; NaN or None = not there.

    ``mean`` holds for ``mean_s`` good seconds; ``good_s`` of ``span_s`` seconds were good, in
    ``windows`` windows; ``inc`` is what a counter counted; ``reason`` why most was not good.
    """

    start_s: Floats
    low: Floats
    high: Floats
    mean: Floats
    mean_s: Floats
    inc: Floats
    good_s: Floats
    span_s: Floats
    windows: Indices
    reason: Texts

    def __len__(self) -> int:
        return len(self.start_s)

    def only(self, chosen: npt.NDArray[np.bool_]) -> "Pieces":
        return Pieces(**{name: getattr(self, name)[chosen] for name in PARTS})


PARTS: Final = (
    *("start_s", "low", "high", "mean", "mean_s", "inc", "good_s", "span_s", "windows", "reason"),
)


@dataclass(frozen=True, slots=True)
class Envelope:
    """
    Equal buckets of ``bucket_s`` seconds from ``origin_s`` on; NaN where nothing is known.

    ``good`` is the good share of the bucket's time (of its samples where ``bucket_s`` is 0: then
    each row is a sample, at ``start_s``), 0 in a gap; ``windows`` 0 is a gap.
    """

    bucket_s: int
    start_s: Floats
    low: Floats
    high: Floats
    mean: Floats
    inc: Floats
    good: Floats
    windows: Indices
    reason: Texts

    def __len__(self) -> int:
        return len(self.start_s)


def no_pieces() -> Pieces:
    """None at all."""
    floats, whole = np.zeros(0), np.zeros(0, dtype=np.int64)
    nothing = np.zeros(0, dtype=object)
    return Pieces(floats, *(floats,) * 7, whole, nothing)


def joined(parts: list[Pieces]) -> Pieces:
    """In order of time; the parts may follow one another in any order."""
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return no_pieces()
    start = np.concatenate([part.start_s for part in parts])
    order = np.argsort(start, kind="stable")
    return Pieces(
        **{name: np.concatenate([getattr(part, name) for part in parts])[order] for name in PARTS}
    )


def bucket_for(start_s: int, end_s: int, most: int = MOST) -> int:
    """The smallest of LADDER that cuts the interval into at most ``most`` buckets."""
    needed = max(1, end_s - start_s) / max(1, most - 1)  # the first and last reach over the edges
    return next((step for step in LADDER if step >= needed), LADDER[-1])


def floor_to(bucket_s: int, at_s: int) -> int:
    """Start of the bucket that holds a moment, in the hours and days of plant time."""
    return (at_s + PLANT_S) // bucket_s * bucket_s - PLANT_S


def typical_s(pieces: Pieces) -> int:
    """The usual length of a window, s; 0 when there is none."""
    if not len(pieces):
        return 0
    lengths = pieces.span_s / np.maximum(pieces.windows, 1)
    return round(float(np.median(lengths)))


def shortest_in_each_hour(pieces: Pieces) -> Pieces:
    """Of windows (one a piece) those of the shortest length of their hour."""
    if not len(pieces):
        return pieces
    hour = pieces.start_s // HOUR_S
    first = np.flatnonzero(np.r_[True, hour[1:] != hour[:-1]])
    least = np.repeat(np.minimum.reduceat(pieces.span_s, first), np.diff(np.r_[first, len(pieces)]))
    keep = pieces.span_s == least
    return pieces if keep.all() else pieces.only(keep)


def envelope(
    pieces: Pieces, start_s: int, end_s: int, bucket_s: int, now_s: float | None = None
) -> Envelope:
    """
    Buckets that touch [start, end); of the running one only the time until now counts.

    A piece belongs to the bucket in which it starts.
    """
    origin = floor_to(bucket_s, start_s)
    count = max(1, -(-(end_s - origin) // bucket_s))
    inside = (pieces.start_s >= origin) & (pieces.start_s < origin + count * bucket_s)
    if not inside.all():
        pieces = pieces.only(inside)
    made = _empty(count, origin, bucket_s)
    if not len(pieces):
        return made
    number = ((pieces.start_s - origin) // bucket_s).astype(np.int64)
    first = np.flatnonzero(np.r_[True, number[1:] != number[:-1]])
    at = number[first]
    made.low[at] = np.fmin.reduceat(pieces.low, first)
    made.high[at] = np.fmax.reduceat(pieces.high, first)
    weight = np.where(np.isfinite(pieces.mean), pieces.mean_s, 0.0)
    held = np.add.reduceat(weight, first)
    total = np.add.reduceat(np.nan_to_num(pieces.mean) * weight, first)
    made.mean[at] = np.divide(total, held, out=np.full(len(at), np.nan), where=held > 0)
    counted = np.add.reduceat(np.isfinite(pieces.inc).astype(np.int64), first)
    summed = np.add.reduceat(np.nan_to_num(pieces.inc), first)
    made.inc[at] = np.where(counted > 0, summed, np.nan)
    made.windows[at] = np.add.reduceat(pieces.windows, first)
    span = np.add.reduceat(pieces.span_s, first)
    lasted = np.full(len(at), float(bucket_s))
    if now_s is not None:
        lasted = np.clip(now_s - (origin + at * bucket_s), 1.0, float(bucket_s))
    good = np.add.reduceat(pieces.good_s, first) / np.maximum(lasted, np.minimum(span, bucket_s))
    made.good[at] = np.minimum(1.0, good)
    made.reason[:] = _reasons(pieces, number, count)
    return made


def of_samples(pieces: Pieces, bucket_s: int, start_s: int, end_s: int) -> Envelope:
    """Buckets of raw samples: their share is that of the good ones among them."""
    made = envelope(pieces, start_s, end_s, bucket_s)
    origin = floor_to(bucket_s, start_s)
    number = ((pieces.start_s - origin) // bucket_s).astype(np.int64)
    inside = (number >= 0) & (number < len(made))
    good = np.bincount(number[inside], pieces.good_s[inside], len(made))
    share = np.divide(good, made.windows, out=np.zeros(len(made)), where=made.windows > 0)
    return replace(made, good=share)


def _empty(count: int, origin_s: int, bucket_s: int) -> Envelope:
    low, high, mean, inc = (np.full(count, np.nan) for _ in range(4))
    start = origin_s + bucket_s * np.arange(count, dtype=np.float64)
    no_reason = np.full(count, None, dtype=object)
    whole = np.zeros(count, dtype=np.int64)
    return Envelope(bucket_s, start, low, high, mean, inc, np.zeros(count), whole, no_reason)


def _reasons(pieces: Pieces, number: Indices, count: int) -> Texts:
    """Of each bucket the reason of the most seconds that were not good; None where all were."""
    found = np.full(count, None, dtype=object)
    told = np.flatnonzero(pieces.reason != None)  # noqa: E711 - element by element
    if not len(told):
        return found
    words, code = np.unique(pieces.reason[told].astype(str), return_inverse=True)
    lost_s = np.maximum(pieces.span_s[told] - pieces.good_s[told], 1e-9)
    key = number[told] * len(words) + code
    weight = np.bincount(key, lost_s, count * len(words)).reshape(count, len(words))
    some = weight.any(axis=1)
    found[some] = words[weight[some].argmax(axis=1)]
    return found


def form_of(quantity: Quantity) -> str:
    """
    What may be said of a quantity: ``gauge`` and ``flag`` (0/1, the mean is a share of time) have
    a mean; of ``state`` (codes) only lowest and highest mean something; a ``counter`` has amounts.
    """
    if quantity.kind is Kind.COUNTER:
        return "counter"
    if quantity.kind is Kind.STATE:
        return "flag" if (quantity.low, quantity.high) == (0, 1) else "state"
    return "gauge"
