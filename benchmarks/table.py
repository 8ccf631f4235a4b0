"""Rows of measured figures and the page they are kept in."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. ``floor`` is the same figure of the minimal baseline in the same run."""

    what: str
    measured: float
    unit: str
    at_most: float | None = None
    at_least: float | None = None
    floor: float | None = None
    note: str = ""

    @property
    def goal(self) -> str:
        if self.at_most is not None:
            return f"≤ {_number(self.at_most)}"
        return f"≥ {_number(self.at_least)}" if self.at_least is not None else ""

    @property
    def met(self) -> str:
        if self.at_most is not None:
            return "yes" if self.measured <= self.at_most else "**no**"
        if self.at_least is not None:
            return "yes" if self.measured >= self.at_least else "**no**"
        return ""

    @property
    def cells(self) -> tuple[str, ...]:
        floor = "" if self.floor is None else _number(self.floor)
        ratio = f"{self.measured / self.floor:.2g}×" if self.floor else ""
        return (
            self.what,
            _number(self.measured),
            self.unit,
            self.goal,
            self.met,
            floor,
            ratio,
            self.note,
        )


@dataclass(frozen=True, slots=True)
class Section:
    """The result of one benchmark; ``text`` says how it was measured."""

    name: str
    title: str
    text: str
    rows: tuple[Row, ...]

    def markdown(self) -> str:
        head = ("what", "measured", "unit", "goal", "met", "floor", "× floor", "note")
        lines = [f"## {self.name}: {self.title}", "", self.text, ""]
        lines.append("| " + " | ".join(head) + " |")
        lines.append("|---|--:|---|---|---|--:|--:|---|")
        lines += ["| " + " | ".join(row.cells) + " |" for row in self.rows]
        return "\n".join(lines) + "\n"


def _number(value: float) -> str:
    if value == 0:
        return "0"
    if abs(value) >= 999.5:
        return f"{value:,.0f}"
    return f"{value:.3g}"


INTRODUCTION = """# Speed and size

For developers. `make bench` prints it, `python -m benchmarks --write docs/benchmarks.md` keeps it,
with `NAME…` renewing only the sections named. Every agent, historian, broker,
database and PLC is a real process on loopback; PLC and floor share no code with the product.

*% of a core* is CPU time of the process (all threads) over wall time. *Floor* is a minimal program
kept beside the product and measured in the same run: its ratio means more than the absolute figure,
because machines differ and this one is shared. The floor of the poller is `benchmarks/floor.py`:
uvloop, a bare protocol, one numpy view and one %-template per block, minute sums, zstd, one
synchronous commit a second; no MQTT, no quality, no receipts.

"""


def update(page: Path, machine: str, sections: list[Section]) -> None:
    """Replaces the sections that were measured and keeps the others."""
    kept: dict[str, str] = {}
    if page.exists():
        for part in page.read_text("utf-8").split("\n## ")[1:]:
            kept[part.partition(":")[0]] = "## " + part.rstrip("\n") + "\n"
    for section in sections:
        kept[section.name] = section.markdown().rstrip("\n") + f"\n\nMachine: {machine}.\n"
    page.write_text(INTRODUCTION + "\n".join(kept.values()), "utf-8")
