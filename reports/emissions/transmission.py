"""
What a data logger should have sent and what arrived (``cems.*``): transmission and valid rates.

A group is what the logger says of one minute or hour. Hours in which the source stood, or the stack
was not in use, are in none of the counts. A group is valid when the logger flagged it as normal.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import numpy as np

from drivers.quantities import quantities
from reports.assembly import Argument, Assembly, Head
from reports.basis import Basis
from reports.chapters import Cell, Table
from reports.emissions.figures import column, label_of, maybe
from reports.emissions.hours import pieces
from reports.emissions.made import StackYear
from reports.emissions.states import HOUR_NS, Bools, State
from reports.formulas.stack_checks import effective_transmission_rate
from reports.model import How, Input, Section
from reports.site import Meter
from reports.values import Text

MINUTE_S: Final = 60
HOUR_S: Final = 3600
HUNDRED: Final = Decimal(100)
SPANS: Final = {
    HOUR_S: Text(zh="小时数据", en="hours"),
    MINUTE_S: Text(zh="分钟数据", en="minutes"),
}
_ALL: Final = Text(zh="任一污染物", en="any pollutant")


@dataclass(frozen=True, slots=True)
class Sent:
    """Groups of one length: due, received, and of those the valid ones; "" = any pollutant."""

    pollutant: str
    period_s: int
    expected: int
    received: int
    valid: int

    @property
    def transmission(self) -> Decimal:
        """Received of expected, 0 to 1."""
        return Decimal(self.received) / self.expected

    @property
    def effective(self) -> Decimal:
        """Transmission rate times valid rate, 0 to 1."""
        if not self.received:
            return Decimal(0)
        made = effective_transmission_rate(self.expected, self.received, self.received, self.valid)
        return Decimal(made.rate_percent) / HUNDRED


def sent_of(basis: Basis, made: StackYear) -> list[Sent]:
    """Of every length and pollutant that the logger tells; empty where there is no logger."""
    found: list[Sent] = []
    for period_s in SPANS:
        steps = HOUR_S // period_s
        due = np.repeat(_counted(made), steps)
        if not due.any():
            continue
        any_there, all_good = np.zeros(len(due), np.bool_), np.ones(len(due), np.bool_)
        of_this: list[Sent] = []
        for name in made.stack.pollutants:
            there, good = _arrived(basis, made, name, period_s)
            if not there.any():
                continue
            any_there |= there
            all_good &= good | ~there
            counts = (int(x.sum()) for x in (due, there & due, good & due))
            of_this.append(Sent(name, period_s, *counts))
        if of_this:
            counts = (int(x.sum()) for x in (due, any_there & due, any_there & all_good & due))
            found += [*of_this, Sent("", period_s, *counts)]
    return found


def _counted(made: StackYear) -> Bools:
    """Hours in which at least one pollutant is to be measured."""
    counted = np.zeros(len(made.hours.start_ns), dtype=np.bool_)
    for each in made.hours.pollutants.values():
        counted |= ~each.having(State.STOPPED, State.OUTSIDE)
    return counted


def _arrived(basis: Basis, made: StackYear, name: str, period_s: int) -> tuple[Bools, Bools]:
    """Per slot of the period: something of the pollutant arrived; and it was flagged normal."""
    start_ns, step_ns = basis.period.start_ns, period_s * 10**9
    slots = basis.period.hours * (HOUR_NS // step_ns)
    there, good = np.zeros(slots, np.bool_), np.zeros(slots, np.bool_)
    known = [f"cems.{name}", f"cems.{name}_converted"]
    for point in [Meter(made.stack.equipment, x) for x in known if x in quantities()]:
        for month in pieces(basis.period):
            of = basis.series.windows(point, month.start_ns, month.end_ns, period_s)
            at = (of.start_ns - start_ns) // step_ns
            there[at] = True
            good[at[np.isfinite(of.mean) & (of.good > 0)]] = True
    return there, good


def add_transmission(assembly: Assembly, made: StackYear, sent: Sequence[Sent]) -> None:
    """Two lines of a stack with a logger: by its hours, else by its minutes."""
    whole = next((each for each in sent if not each.pollutant), None)
    if whole is None:
        return
    span = SPANS[whole.period_s]
    note = Text(
        zh=f"{span.zh}：应传 {whole.expected} 组，收到 {whole.received} 组，有效 {whole.valid} 组",
        en=f"{span.en}: {whole.expected} groups due, {whole.received} received, "
        f"{whole.valid} valid",
    )
    inputs = [
        Argument(
            Input(
                name=f"cems.{each.pollutant}",
                kind="meter",
                ref=f"{made.stack.equipment} cems.{each.pollutant}",
                value=Decimal(each.received),
                unit="1",
            )
        )
        for each in sent
        if each.pollutant and each.period_s == whole.period_s
    ]
    for name, zh, en, value in (
        ("transmission", "数据传输率", "transmission rate", whole.transmission),
        ("effective_transmission", "传输有效率", "effective transmission rate", whole.effective),
    ):
        label = Text(zh=zh, en=en)
        head = Head(made.stack.id, name, Section.EMISSIONS, label, "fraction", 4)
        assembly.state(head, round(value, 6), How.COMPUTED, inputs, notes=[note])


def transmission_table(made: StackYear, sent: Sequence[Sent]) -> Table | None:
    """Counts and rates by length and pollutant; None without a logger."""
    if not sent:
        return None
    return Table(
        id=f"transmission-{made.stack.id}",
        title=Text(zh=f"{made.stack.id} 数据传输有效率", en=f"{made.stack.id}: transmission"),
        columns=(
            column("数据", "data", width=10),
            column("污染物", "pollutant", width=14),
            column("应传组数", "groups due", "", 0, 10),
            column("收到", "received", "", 0, 10),
            column("有效（标记 N）", "valid (flag N)", "", 0, 12),
            column("传输率", "transmission", "%", 2, 10),
            column("有效率", "valid rate", "%", 2, 10),
            column("传输有效率", "effective rate", "%", 2, 10),
        ),
        rows=tuple(_rows(sent)),
        note=Text(
            zh="传输有效率 = 传输率 × 有效率；停运和不在用的小时不计入，"
            "有效率以收到的组数为应有效数。"
            "“任一污染物”行：收到任一污染物即为收到，收到的各项均有效才算有效。"
            "算法见于平台用户的公开程序，未读到正式文本；考核时以平台口径为准。",
            en="Effective rate = transmission rate × valid rate. Hours in which the source stood "
            "or was not in use do not count; what was received is what should be valid. "
            "'Any pollutant': received with any of them, valid when all that came are. Read in "
            "public programs of the platform's users, not in an official text: the platform's own "
            "count decides.",
        ),
    )


def _rows(sent: Sequence[Sent]) -> Iterator[tuple[Cell, ...]]:
    for each in sent:
        valid = Decimal(each.valid) / each.received if each.received else None
        yield (
            SPANS[each.period_s],
            label_of(each.pollutant) if each.pollutant else _ALL,
            *(maybe(n) for n in (each.expected, each.received, each.valid)),
            round(each.transmission * HUNDRED, 2),
            None if valid is None else round(valid * HUNDRED, 2),
            round(each.effective * HUNDRED, 2),
        )
