"""Marks that were taken back: they count for nothing, and stay visible in the report."""

from reports.basis import Basis
from reports.chapters import Cell, Table
from reports.emissions.figures import column, label_of
from reports.emissions.made import StackYear
from reports.emissions.marks import journal_of
from reports.emissions.words import MARKS, both
from reports.periods import PLANT_TIME, clock_text
from reports.values import Text


def withdrawn_table(basis: Basis, made: StackYear) -> Table | None:
    """Withdrawn marks of the stack, or of the whole plant, that touch the period."""
    journal, period = journal_of(basis), basis.period
    rows: list[tuple[Cell, ...]] = []
    for mark in journal.all:
        taken_back = journal.withdrawn.get(mark.number)
        mine = mark.equipment in {made.stack.equipment, ""} and mark.kind == "mark"
        if taken_back is None or not mine or not mark.touches(period.start_ns, period.end_ns):
            continue
        names = [label_of(name) for name in mark.pollutants]
        rows.append(
            (
                f"#{mark.number}",
                MARKS.get(mark.what, Text(zh=mark.what, en=mark.what)),
                clock_text(mark.start_ns)[:16],
                "—" if mark.end_ns is None else clock_text(mark.end_ns)[:16],
                both(names) if names else Text(zh="全部", en="all"),
                Text(zh=f"{mark.author}：{mark.reason}", en=f"{mark.author}: {mark.reason}"),
                f"#{taken_back.number}",
                f"{taken_back.at.astimezone(PLANT_TIME):%Y-%m-%d %H:%M}",
                Text(
                    zh=f"{taken_back.author}：{taken_back.reason}",
                    en=f"{taken_back.author}: {taken_back.reason}",
                ),
            )
        )
    if not rows:
        return None
    return Table(
        id=f"withdrawn-{made.stack.id}",
        title=Text(zh=f"{made.stack.id} 已撤回的标记", en=f"{made.stack.id}: withdrawn marks"),
        columns=(
            column("编号", "number", width=7),
            column("标记", "mark", width=12),
            column("开始", "from", width=16),
            column("结束", "to", width=16),
            column("污染物", "pollutants", width=12),
            column("标记人与原因", "by whom and why", width=24),
            column("撤回记录", "withdrawn by", width=9),
            column("撤回时间", "withdrawn at", width=16),
            column("撤回人与原因", "who withdrew it and why", width=24),
        ),
        rows=tuple(rows),
        note=Text(
            zh="已撤回的标记不起作用；原记录保留在其中。",
            en="Withdrawn marks excuse nothing; the records stay in the journal.",
        ),
    )
