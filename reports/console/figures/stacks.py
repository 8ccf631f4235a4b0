"""Hourly means of the emission points against their limits, hour by hour, under their marks."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any, Final

import numpy as np

from drivers.language import language, say
from drivers.model import ConfigError, Floats
from reports.basis import Basis
from reports.console.office import Office
from reports.emissions.amounts import capture
from reports.emissions.exceedances import exceedances
from reports.emissions.figures import label_of
from reports.emissions.hours import stack_hours
from reports.emissions.states import AUTOMATIC, HOUR_NS, Mark, PollutantHours, StackHours, State
from reports.emissions.words import AUTOMATIC as BY_ITSELF
from reports.emissions.words import MARKS, STATES
from reports.entries.ledger import Ledger
from reports.journal.words import moment_text
from reports.lodgings import read_lodgings
from reports.periods import Period, plant_now
from reports.rules.overlay import load_packs
from reports.rules.packs import RuleError
from reports.series.store import Series, SeriesError, open_series
from reports.site import Site
from reports.site_meters import Meter
from reports.site_stacks import SOURCES_NOX, Stack
from reports.values import Text

NS_PER_S: Final = 1_000_000_000
LONGEST_DAYS: Final = 366  # of one question
LOOK_BACK_DAYS: Final = 750  # how far back the newest hour is looked for

# What a person reads for each state of an hour; the page draws each with its own pattern.
STATE_WORDS: Final = {
    "valid": Text(zh="有效，未超限值", en="valid, within the limit"),
    "above": Text(zh="有效，超过限值", en="valid, above the limit"),
    "no_limit": Text(zh="有效，当日无生效限值", en="valid, no limit in force"),
    "exempt": Text(zh="启停标记，不判超标", en="start or stop mark, not judged"),
    "excluded": Text(zh="标记剔除", en="excluded by a mark"),
    "out_of_control": STATES["out_of_control"],
    "invalid": STATES["invalid"],
    "not_convertible": STATES["not_convertible"],
    "missing": Text(zh="缺失", en="missing"),
    "stopped": STATES["stopped"],
    "outside": STATES["outside"],
    "future": Text(zh="尚未结束", en="not over yet"),
}
_OF_STATE: Final = {
    State.INVALID: "invalid",
    State.MISSING: "missing",
    State.EXCLUDED: "excluded",
    State.OUT_OF_CONTROL: "out_of_control",
    State.STOPPED: "stopped",
    State.OUTSIDE: "outside",
}


@contextmanager
def bench(site: Site, period: Period) -> Iterator[Basis]:
    """What hours are made from. Raises ConfigError where a store or a rule cannot be read."""
    try:
        with open_series(site) as series:
            yield basis_of(site, period, series)
    except (SeriesError, RuleError) as error:
        raise ConfigError([str(error)]) from None


def basis_of(site: Site, period: Period, series: Series) -> Basis:
    """Of an open store; hours ask no ledger."""
    return Basis(site, period, Ledger(), series, load_packs(site), read_lodgings(site.entries))


def stack_named(office: Office, identity: str) -> Stack:
    """By number or equipment. Raises ConfigError that names those there are."""
    found = office.site.stack(identity)
    if found is None:
        known = ", ".join(each.id for each in office.site.stacks)
        raise ConfigError(
            [
                say(
                    f"没有排放口 {identity!r}；site.toml 的 [[stacks]] 有：{known or '（无）'}",
                    f"unknown stack {identity!r}; [[stacks]] of site.toml: {known or '(none)'}",
                )
            ]
        )
    return found


def span(text: str) -> Period:
    """A period of at most a year. Raises ConfigError."""
    try:
        found = Period.parse(text)
    except ValueError as error:
        raise ConfigError([str(error)]) from None
    if len(found.days) > LONGEST_DAYS:
        raise ConfigError(
            [say(f"{text}：最多一年", f"{text}: a year at most; ask for several periods")]
        )
    return found


def points(office: Office) -> list[dict[str, Any]]:
    """The emission points of site.toml, with the limits of today."""
    today = plant_now().date()
    return [_point(each, today) for each in office.site.stacks]


def _point(stack: Stack, today: date) -> dict[str, Any]:
    return {
        "id": stack.id,
        "name": stack.name.of(language()),
        "equipment": stack.equipment,
        "reference_o2": stack.reference_o2,
        "works": stack.works_on(today),
        "started": stack.started,
        "stopped": stack.stopped,
        "permit": "" if stack.permit is None else stack.permit.number,
        "pollutants": [limit_of(stack, name, today) for name in stack.pollutants],
    }


def limit_of(stack: Stack, pollutant: str, day: date) -> dict[str, Any]:
    """A pollutant with the limit of a day, and the point that measures it."""
    limit = stack.limit(pollutant, day)
    measured = SOURCES_NOX[stack.nox_from][0] if pollutant == "nox" else pollutant
    return {
        "id": pollutant,
        "name": label_of(pollutant).of(language()),
        "point": f"{stack.equipment} stack.{measured}",
        "limit": None if limit is None else limit.hour_mg_m3,
        "source": "" if limit is None else limit.source,
        "unit": "mg/m3",
    }


def hours(office: Office, stack: str, period: str, pollutant: str = "") -> dict[str, Any]:
    """Every hour of a stack in a period: mean, limit in force, valid minutes, state, mark."""
    found, asked = stack_named(office, stack), span(period)
    names = named(found, pollutant)
    with bench(office.site, asked) as basis:
        made = stack_hours(basis, found)
        newest = None if _anything(made) else newest_day(basis.series, found, plant_now().date())
    return {
        "stack": _point(found, asked.days[-1]),
        "period": str(asked),
        "first": asked.first,
        "last": asked.days[-1],
        "start_s": [int(ns) // NS_PER_S for ns in made.start_ns],
        "pollutants": [_series(made, name) for name in names],
        "marks": [mark_node(each) for each in (*made.marks, *made.out_of_control)],
        "words": {key: text.of(language()) for key, text in STATE_WORDS.items()},
        "newest": newest,
    }


def named(stack: Stack, pollutant: str) -> tuple[str, ...]:
    """That pollutant of the stack, or all of them. Raises ConfigError."""
    if not pollutant:
        return stack.pollutants
    if pollutant not in stack.pollutants:
        known = ", ".join(stack.pollutants)
        raise ConfigError(
            [
                say(
                    f"{stack.id} 没有污染物 {pollutant}；有：{known}",
                    f"{stack.id} has no pollutant {pollutant}; it has: {known}",
                )
            ]
        )
    return (pollutant,)


def states_of(made: StackHours, pollutant: str) -> list[str]:
    """One word of ``STATE_WORDS`` for each hour."""
    each, limits = made.pollutants[pollutant], made.limits(pollutant)
    over = above(made, pollutant)
    now_ns = int(plant_now().timestamp()) * NS_PER_S
    found = []
    for n, state in enumerate(each.state.tolist()):
        if int(made.start_ns[n]) + HOUR_NS > now_ns and state != State.VALID:
            found.append("future")
        elif state != State.VALID:
            found.append(_OF_STATE[State(state)])
        elif each.exempt[n]:
            found.append("exempt")
        elif np.isnan(each.converted[n]):
            found.append("not_convertible")
        elif np.isnan(limits[n]):
            found.append("no_limit")
        else:
            found.append("above" if over[n] else "valid")
    return found


def above(made: StackHours, pollutant: str) -> list[bool]:
    """Judged hours above the limit, as the report counts them."""
    flags = [False] * len(made.start_ns)
    for each in exceedances(made, made.stack):
        if each.pollutant == pollutant and each.judged:
            first = (each.start_ns - int(made.start_ns[0])) // HOUR_NS
            flags[first : first + each.hours] = [True] * each.hours
    return flags


def _series(made: StackHours, name: str) -> dict[str, Any]:
    each = made.pollutants[name]
    states = states_of(made, name)
    shown = np.where(each.valid, each.converted, each.shown)
    return {
        **limit_of(made.stack, name, made.days[-1]),
        "mean": _numbers(shown),
        "limits": _numbers(made.limits(name)),
        "minutes": [round(float(value)) for value in each.minutes],
        "state": states,
        "mark": each.mark.tolist(),
        "counts": {key: states.count(key) for key in STATE_WORDS if key in states},
        "capture": captured(made, each),
    }


def _numbers(values: Floats) -> list[float | None]:
    return [None if np.isnan(x) else round(float(x), 4) for x in values]


def captured(made: StackHours, each: PollutantHours) -> dict[str, Any]:
    """Valid hours among those that count, up to now."""
    now_ns = int(plant_now().timestamp()) * NS_PER_S
    over = int(np.searchsorted(made.start_ns + HOUR_NS, now_ns, side="right"))
    found = capture(each, slice(0, over))
    return {
        "hours": found.hours,
        "stopped": found.stopped,
        "counted": found.counted,
        "valid": found.valid,
        "rate": found.rate,
    }


def mark_node(mark: Mark) -> dict[str, Any]:
    """A mark, or a time out of control, in words."""
    kind = MARKS.get(mark.kind, Text(zh=mark.kind, en=mark.kind))
    automatic = mark.number == AUTOMATIC
    why = mark.says or mark.contradicted
    return {
        "number": max(mark.number, 0),
        "automatic": automatic,
        "kind": mark.kind,
        "name": kind.of(language()),
        "start": moment_text(mark.start_ns),
        "end": moment_text(mark.end_ns),
        "start_s": mark.start_ns // NS_PER_S,
        "end_s": mark.end_ns // NS_PER_S,
        "pollutants": list(mark.pollutants),
        "author": BY_ITSELF.of(language()) if automatic else mark.author,
        "reason": mark.reason,
        "why": "" if why is None else why.of(language()),
        "contradicted": mark.contradicted is not None,
        "unconfirmed": mark.unconfirmed,
        "excuses": mark.excuses,
    }


def _anything(made: StackHours) -> bool:
    known = np.isfinite(made.flow).any() or np.isfinite(made.running).any()
    return bool(known or any(np.isfinite(x.shown).any() for x in made.pollutants.values()))


def newest_day(series: Series, stack: Stack, today: date) -> date | None:
    """The last day of which the store holds a reading of the stack; None when there is none."""
    meters = [Meter(stack.equipment, name) for name in stack.measured]
    table = series.hourly(meters, Period.between(today - timedelta(days=LOOK_BACK_DAYS), today))
    newest: list[int] = [x for x in table["hour_ns"].to_pylist() if x is not None]
    return None if not newest else date.fromisoformat(moment_text(max(newest))[:10])


def newest(office: Office) -> date | None:
    """The newest day of any stack: where a page of an old plant begins."""
    today = plant_now().date()
    with bench(office.site, Period.between(today, today)) as basis:
        found = [newest_day(basis.series, each, today) for each in office.site.stacks]
    return max((each for each in found if each is not None), default=None)
