"""A lake with anode-effect flags whose truth is known: by hand, pot by pot."""

from collections.abc import Iterator
from pathlib import Path

from agent.lake.lake import Lake
from agent.views import Source
from reports.periods import Period
from tests.reports.plant import MINUTE_NS, batches, by_hour

FLAGS = Source("demo", "gw9", "record", "3f9a000000000009")
AGAIN = Source("demo", "gw8", "record", "3f9a000000000008")
Flag = tuple[str, int, float | None, float]  # equipment, start, share of the minute, good share


def flag_line(flag: Flag) -> str:
    """A window of the flag as the gateway writes it: what says nothing new is left out."""
    equipment, start_ns, share, good = flag
    line, _, unit = equipment.partition("/")
    known = [] if share is None else [f"anode_effect={share!r}"]
    known.append(f"anode_effect_n={0 if share is None else 60}i")
    if good < 1:
        known += [f"anode_effect_good={good!r}", 'anode_effect_q="no_data"']
    return f"pot_1m,plant=demo,line={line},unit={unit} {','.join(known)} {start_ns}"


def quiet_but(
    pots: list[str], period: Period, effects: dict[tuple[str, int], float]
) -> Iterator[Flag]:
    """Every minute of every pot, 0 but in the minutes of ``effects`` (pot, minute of period)."""
    for minute, start_ns in enumerate(range(period.start_ns, period.end_ns, MINUTE_NS)):
        for pot in pots:
            yield pot, start_ns, effects.get((pot, minute), 0.0), 1.0


def write_flags(root: Path, flags: Iterator[Flag], source: Source = FLAGS) -> None:
    """Into the lake at ``root``, one batch an hour."""
    made = batches(source, by_hour((flag[1], flag_line(flag)) for flag in flags))
    lake = Lake(root)
    try:
        lake.open()
        lake.write(made)
    finally:
        lake.close()
