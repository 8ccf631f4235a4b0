"""A minute of one stack: every reading dry and converted, and the mean of the valid ones."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from agent.minutes.quality import SPEAKS_FOR
from agent.stacks.readings import Feed, Samples
from agent.stacks.settings import MEASUREMENT, STATE, StackConfig
from drivers.model import Codes, Floats, Indices, Quality
from drivers.signals.stack import StackGas, figures

MINUTE_NS = 60_000_000_000
DIGITS = {"flow_standard": 1, "o2_dry": 3}
_DIGITS = 4  # of concentrations
_SAID = SPEAKS_FOR[f"{MEASUREMENT}.{STATE}"]


@dataclass(frozen=True, slots=True)
class MinuteMean:
    """
    One derived figure of a minute; NaN when the minute is not valid.

    ``count`` valid readings, ``share`` of those that there should be, ``reason`` main quality of
    the others.
    """

    mean: float
    low: float
    high: float
    last: float
    count: int
    share: float
    reason: int


NOTHING = MinuteMean(*(float("nan"),) * 4, 0, 0.0, int(Quality.NO_DATA))


def minute_means(
    feeds: Iterable[Feed],
    fields: Mapping[str, tuple[str, ...]],
    config: StackConfig,
    gas: StackGas,
    start_ns: int,
) -> dict[str, MinuteMean]:
    """``fields`` by the readings they take, the first of which says when there is a reading."""
    feeds, end_ns = list(feeds), start_ns + MINUTE_NS
    known: dict[str, Samples] = {}
    for feed in feeds:
        known |= feed.samples(end_ns)
    found = dict.fromkeys(fields, NOTHING)
    for feed in feeds:
        mine = {name: inputs for name, inputs in fields.items() if inputs[0] in feed.places}
        groups: dict[bytes, tuple[Indices, dict[str, tuple[str, ...]]]] = {}
        for name, inputs in mine.items():
            moments = feed.moments(known[inputs[0]], start_ns, end_ns)
            groups.setdefault(moments.tobytes(), (moments, {}))[1][name] = inputs
        for moments, some in groups.values():
            found |= _means(feed, moments, some, known, config, gas)
    return found


def _means(
    feed: Feed,
    moments: Indices,
    fields: Mapping[str, tuple[str, ...]],
    known: Mapping[str, Samples],
    config: StackConfig,
    gas: StackGas,
) -> dict[str, MinuteMean]:
    inputs = {name for needed in fields.values() for name in needed}
    held = {name: known[name].at(moments) for name in inputs}
    state = _state(known.get(STATE), moments)
    made = figures({name: values for name, (values, _) in held.items()}, gas)
    found = {}
    for name, needed in fields.items():
        quality = np.zeros(len(moments), dtype=np.uint8)
        for each in (state, *(held[n][1] for n in needed)):
            quality = np.where(quality == Quality.GOOD, each, quality)
        values = made[name]
        lost = (quality == Quality.GOOD) & ~np.isfinite(values)
        quality = np.where(lost, Quality.OUT_OF_RANGE, quality)  # O2 too near that of the air
        expected = max(round(MINUTE_NS / feed.step_ns), 1)
        digits = DIGITS.get(name, _DIGITS)
        found[name] = _judged(values, quality, expected, digits, feed, config)
    return found


def _state(samples: Samples | None, moments: Indices) -> Codes:
    """What the instrument says of itself; nothing is known against it when it is silent."""
    if samples is None:
        return np.zeros(len(moments), dtype=np.uint8)
    values, quality = samples.at(moments)
    said = np.zeros(len(moments), dtype=np.uint8)
    for state in np.unique(values[np.isfinite(values) & (values != 0)]):
        said[values == state] = _SAID.get(int(state), Quality.UNCERTAIN)
    return np.where(quality == Quality.GOOD, said, Quality.GOOD).astype(np.uint8)


def _judged(
    values: Floats, quality: Codes, expected: int, digits: int, feed: Feed, config: StackConfig
) -> MinuteMean:
    good = values[quality == Quality.GOOD]
    count, share = len(good), min(len(good) / expected, 1.0)
    lost = np.bincount(quality[quality != Quality.GOOD], minlength=len(Quality))
    lost[Quality.NO_DATA] += max(expected - len(quality), 0)
    reason = int(lost.argmax()) if lost.any() else int(Quality.GOOD)
    dense = feed.group.interval_s <= config.reading_spacing_s
    enough = count > 0 and share >= config.minute_share
    if dense:  # the count of the standard; rarer readings are judged by their share alone
        enough = enough and count >= config.minute_readings
    if not enough:
        nan = float("nan")
        return MinuteMean(nan, nan, nan, nan, 0, 0.0, reason or int(Quality.NO_DATA))
    told = np.round((good.mean(), good.min(), good.max(), good[-1]), digits)
    mean, low, high, last = told.tolist()
    return MinuteMean(mean, low, high, last, count, share, reason)
