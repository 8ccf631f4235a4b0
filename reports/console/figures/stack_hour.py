"""What an hourly mean stands on: its minutes, which of them count, limit, rule, marks."""

from typing import Any, Final

import numpy as np

from drivers.language import language, say
from drivers.model import ConfigError
from reports.console.figures.stacks import (
    NS_PER_S,
    STATE_WORDS,
    bench,
    limit_of,
    mark_node,
    named,
    stack_named,
    states_of,
)
from reports.console.office import Office
from reports.emissions.hours import stack_hours
from reports.emissions.minutes import KINDS, PollutantMinutes, read_minutes
from reports.emissions.rules import Validity, validity
from reports.emissions.standing import concentration
from reports.emissions.states import HOUR_NS, StackHours, day_of
from reports.emissions.words import MARKS, METHODS
from reports.journal.words import moment_text
from reports.periods import Period
from reports.rules.places import place_text
from reports.rules.units import value_text
from reports.values import Text

MINUTE_NS: Final = 60 * NS_PER_S
HOUR_MINUTES: Final = 60


def hour(office: Office, stack: str, pollutant: str, at_s: int) -> dict[str, Any]:
    """The hour in which that moment lies. Raises ConfigError."""
    found = stack_named(office, stack)
    (name,) = named(found, pollutant) if pollutant else found.pollutants[:1]
    start_ns = at_s * NS_PER_S // HOUR_NS * HOUR_NS
    day = day_of(start_ns)
    period = Period.between(day, day)
    with bench(office.site, period) as basis:
        made = stack_hours(basis, found)
        rules = validity(basis.packs, day)
        minutes = read_minutes(basis.series, basis.site, found, period, rules.share)
    n = (start_ns - period.start_ns) // HOUR_NS
    if not 0 <= n < len(made.start_ns):
        raise ConfigError([say("没有这一小时", "there is no such hour")])
    each = made.pollutants[name]
    value = float(each.converted[n]) if each.valid[n] else float(each.shown[n])
    state = states_of(made, name)[n]
    return {
        "stack": found.id,
        "equipment": found.equipment,
        "start": moment_text(start_ns),
        "end": moment_text(start_ns + HOUR_NS),
        "start_ns": start_ns,
        **limit_of(found, name, day),
        "mean": None if np.isnan(value) else value,
        "minutes": round(float(each.minutes[n])),
        "state": state,
        "word": STATE_WORDS[state].of(language()),
        "mark": max(int(each.mark[n]), 0),
        "formula": concentration(found, name),
        "converted": found.reference_o2 is not None,
        "methods": _methods(made, name),
        "rules": _rules(rules),
        "least": rules.minutes,
        "marks": [
            mark_node(x)
            for x in (*made.marks, *made.out_of_control)
            if x.concerns(name) and x.start_ns < start_ns + HOUR_NS and x.end_ns > start_ns
        ],
        "rows": _rows(minutes.pollutants[name], n, start_ns),
    }


def _methods(made: StackHours, name: str) -> list[str]:
    """How the minutes of that day came about, with how many of each."""
    return [
        f"{METHODS[method].of(language())} {count}"
        for key, count in made.methods.items()
        for of, _, method in [key.partition(".")]
        if of == name and count and method in METHODS
    ]


def _rules(rules: Validity) -> list[dict[str, str]]:
    return [
        {
            "label": say(legal.zh, legal.what),
            "value": value_text(legal.value, legal.unit, language()),
            "source": legal.source.title,
            "locator": place_text(legal.locator, language()),
            "confirmed": legal.confirmed.value,
        }
        for legal in (rules.hour_minutes, rules.normal_share)
    ]


def _rows(minutes: PollutantMinutes, hour_of_day: int, start_ns: int) -> list[dict[str, Any]]:
    first = hour_of_day * HOUR_MINUTES
    rows = []
    for n in range(first, first + HOUR_MINUTES):
        value, dry = float(minutes.converted[n]), float(minutes.dry[n])
        kind = KINDS[int(minutes.device[n])]
        told = MARKS.get(kind, Text(zh=kind, en=kind)).of(language()) if kind else ""
        time_ns = start_ns + (n - first) * MINUTE_NS
        rows.append(
            {
                "time": moment_text(time_ns)[11:],
                "at_ns": time_ns,
                "dry": None if np.isnan(dry) else dry,
                "value": None if np.isnan(value) else value,
                "good": float(minutes.good[n]) > 0 and not np.isnan(dry),
                "device": told,
            }
        )
    return rows
