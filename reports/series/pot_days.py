"""
Days of pots, aggregated in the store: one row per pot and plant day, never a row per minute.

A window counts when the pot runs, its controller is heard, and its voltage is one a running pot can
have; what does not count is added up by reason. Written for DuckDB by way of Ibis, like ``hours``.
"""

from collections.abc import Collection
from functools import cache
from typing import Any, Final

import ibis

GAUGES: Final = {
    "voltage": "pot.voltage",
    "set_voltage": "pot.set_voltage",
    "target_voltage": "pot.target_voltage",
    "noise_lf": "pot.noise_lf",
    "noise_hf": "pot.noise_hf",
    "swing": "pot.swing",
    "flicker": "pot.flicker",
    "bath_temperature": "pot.bath_temperature",
    "metal_level": "pot.metal_level",
    "pseudo_resistance": "pot.pseudo_resistance",
    "feed_interval": "pot.feed_interval",
    "feed_state": "pot.feed_state",
}
STATES: Final = {
    "mode": "pot.mode",
    "link": "pot.link",
    "effect": "pot.anode_effect",
    "ae_seconds": "pot.ae_seconds",
    "ae_overvoltage": "pot.ae_overvoltage",
}
COUNTERS: Final = {"shots": "pot.feed_shots", "ae_count": "pot.anode_effect_count"}
QUANTITIES: Final = tuple(sorted({*GAUGES.values(), *STATES.values(), *COUNTERS.values()}))
MEANS: Final = tuple(name for name in GAUGES if name not in {"voltage", "feed_state"})
REASONS: Final = ("link", "stopped", "starting", "cut_out", "implausible")
SECONDS: Final = ("heard_s", "counted_s", "working_s", "ae_s", *(f"{r}_s" for r in REASONS))
COLUMNS: Final = (
    *("equipment", "day", *SECONDS, "voltage", "working", "low_v", "high_v", "ae_vs"),
    *("ae_starts", "ae_first", "ae_last", "shots", "ae_count", "over_fed", *MEANS),
)
LOWEST_V: Final = 2.5  # a running pot has more than its reversible voltage and overvoltages
HIGHEST_V: Final = 60.0
EFFECT_V: Final = 8.0  # where neither flag nor seconds of an anode effect are recorded
DAY_S: Final = 86_400
LOCAL_S: Final = 28_800
DAYS_AT_ONCE: Final = 31
ROWS_AT_ONCE: Final = 4_000_000  # windows in one query: bounds its memory

Expression = Any
Table = Any


@ibis.udf.agg.builtin  # type: ignore[untyped-decorator]
def arg_max(value: float, by: int) -> float:  # type: ignore[empty-body]
    """DuckDB's own; Ibis' ``argmax`` sorts every group, which takes four times as long."""


@cache
def pot_days(present: frozenset[str], parts: int = 1, part: int = 0) -> str:
    """
    SQL of the days of pots from the table ``windows``; ``present`` are the quantities it holds.

    With ``parts`` only every so manieth pot is asked for. Seconds are of the day; means are over
    counted windows without anode effect, ``voltage`` over all counted ones.
    """
    from reports.series.lake import WINDOWS

    table = ibis.table(WINDOWS, name="windows")
    mine = table.filter(table.quantity.isin(sorted(present)))
    if parts > 1:
        mine = mine.filter(mine.equipment.hash().abs() % parts == part)
    return str(ibis.to_sql(_days(_judged(_wide(mine, present))), dialect="duckdb"))


def _wide(rows: Expression, present: Collection[str]) -> Expression:
    """One row per pot and window; of a window that is there twice the later batch counts."""
    wanted = {name: (rows["mean"], quantity) for name, quantity in (GAUGES | STATES).items()}
    wanted |= {name: (rows.inc, quantity) for name, quantity in COUNTERS.items()}
    volts = GAUGES["voltage"]
    wanted |= {"low": (rows["min"], volts), "high": (rows["max"], volts)}
    wanted["good_s"] = (rows.good * rows.period_s, volts)
    wide = rows.group_by("equipment", "ts").aggregate(
        **{
            name: arg_max(value, rows.seq, where=rows.quantity == quantity)
            for name, (value, quantity) in wanted.items()
            if quantity in present
        },
        period=rows.period_s.max(),
    )
    nothing = ibis.null().cast("float64")
    return wide.mutate(**{n: nothing for n, (_, q) in wanted.items() if q not in present})


def _judged(wide: Expression) -> Expression:
    """Each window with its reason not to count, its anode effect and its plant day."""
    mode = ibis.coalesce(wide.mode, 1.0)
    volts = wide.voltage
    reason = ibis.cases(
        (ibis.coalesce(wide.link, 0.0) > 0, "link"),
        (mode < 1, "stopped"),
        ((mode > 1) & (mode <= 2.5), "starting"),
        (mode > 2.5, "cut_out"),
        ((volts < LOWEST_V) | (volts > HIGHEST_V), "implausible"),
        else_="",
    )
    seconds = wide.good_s.fill_null(0.0)
    in_effect = ibis.coalesce(
        wide.ae_seconds * seconds / 60.0,
        wide.effect * seconds,
        ibis.ifelse(ibis.coalesce(wide.high, volts) >= EFFECT_V, seconds, 0.0),
        0.0,
    )
    judged = wide.mutate(
        day=(wide.ts.epoch_seconds().cast("int64") + LOCAL_S) // DAY_S,
        reason=reason,
        effect_s=in_effect,
        # zeros of a stopped or lost pot are out of range, no value at all: its time is known yet
        heard=ibis.ifelse(reason != "", wide.period, ibis.ifelse(volts.isnull(), 0.0, seconds)),
    )
    counts = (judged.reason == "") & (judged.heard > 0)
    return judged.mutate(
        counted=ibis.ifelse(counts, judged.heard, 0.0),
        work=ibis.ifelse(counts & (judged.effect_s <= 0), judged.heard, 0.0),
        burns=counts & (judged.effect_s > 0),
    )


def _days(rows: Expression) -> Expression:
    key = ibis.window(group_by=["equipment", "day"], order_by="ts")
    rows = rows.mutate(
        begins=rows.burns & ~rows.burns.lag().over(key).fill_null(False),
        over=ibis.ifelse((rows.feed_state > 2) & (rows.work > 0), rows.work, 0.0),
        fed=ibis.ifelse(rows.feed_state.notnull(), rows.work, 0.0),
        burning=rows.burns.cast("float64"),
        second=rows.ts.epoch_seconds().cast("int64"),
    )
    counts = rows.counted > 0
    means = {name: _mean(rows[name], rows.work) for name in MEANS}
    lost = {f"{r}_s": ibis.ifelse(rows.reason == r, rows.heard, 0.0).sum() for r in REASONS}
    return rows.group_by("equipment", "day").aggregate(
        heard_s=rows.heard.sum(),
        counted_s=rows.counted.sum(),
        working_s=rows.work.sum(),
        ae_s=ibis.ifelse(counts, rows.effect_s, 0.0).sum(),
        **lost,
        voltage=_mean(rows.voltage, rows.counted),
        working=_mean(rows.voltage, rows.work),
        low_v=ibis.coalesce(rows.low, rows.voltage).min(where=counts),
        high_v=ibis.coalesce(rows.high, rows.voltage).max(where=counts),
        ae_vs=(rows.ae_overvoltage * rows.counted / 60.0).sum(),
        ae_starts=rows.begins.cast("int64").sum(),
        ae_first=arg_max(rows.burning, -rows.second),
        ae_last=arg_max(rows.burning, rows.second),
        shots=rows.shots.sum(where=counts),
        ae_count=rows.ae_count.sum(where=counts),
        over_fed=rows.over.sum() / rows.fed.sum().nullif(0.0),
        **means,
    )


def _mean(values: Expression, weights: Expression) -> Expression:
    known = ibis.ifelse(values.isnull(), 0.0, weights)
    return (values * weights).sum() / known.sum().nullif(0.0)


def no_days() -> Table:
    """The table without rows."""
    import pyarrow as pa

    kinds = {"equipment": pa.string(), "day": pa.int64()}
    return pa.schema([(n, kinds.get(n, pa.float64())) for n in COLUMNS]).empty_table()


def days_at_once(windows_a_day: int) -> int:
    """How many days one query may take; the days after are taken to be like the first."""
    return max(1, min(DAYS_AT_ONCE, ROWS_AT_ONCE // max(windows_a_day, 1)))


def days_of(duck: Any) -> Table:
    """
    The days of pots in the table ``windows`` of ``duck``, which holds whole plant days.

    Pots are taken in parts where the windows are many.
    """
    import pyarrow as pa

    seen = duck.sql("SELECT quantity, count(*) FROM windows GROUP BY 1").fetchall()
    counts = {name: count for name, count in seen if name in QUANTITIES}
    empty = no_days()
    if GAUGES["voltage"] not in counts:
        return empty
    parts = -(-sum(counts.values()) // ROWS_AT_ONCE)
    found = [
        duck.sql(pot_days(frozenset(counts), parts, part)).to_arrow_table().select(COLUMNS)
        for part in range(parts)
    ]
    return pa.concat_tables([table.cast(empty.schema) for table in found])
