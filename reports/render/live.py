"""Formulas of the workbook: a figure as a reference to the cells it is made from."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from reports.citations import EntryUse, LegalUse, MeterUse
from reports.model import How, Input, Line
from reports.render.expressions import close, expression_for, with_cells
from reports.words import rounded

# Columns of the data sheets that formulas point at; their rows begin below the head.
LINE_ROUNDED: Final = "C"
LINE_EXACT: Final = "D"
LINE_SUM_OF_ROUNDED: Final = "E"
INPUT_VALUE: Final = "D"
LEGAL_VALUE: Final = "C"
ENTRY_VALUE: Final = "E"
METER_TOTAL: Final = "B"
_ARGUMENTS: Final = 255  # that SUM takes
_SUM_OF_INPUTS: Final = frozenset({"energy_mwh"})  # formulas that add up what they are given


@dataclass(frozen=True, slots=True)
class Names:
    """Names of the data sheets in the language of the workbook."""

    lines: str
    inputs: str
    legals: str
    entries: str
    meters: str


class Places:
    """Where each figure of the report stands in the workbook."""

    def __init__(
        self,
        names: Names,
        lines: Sequence[Line],
        legals: Sequence[LegalUse],
        entries: Sequence[EntryUse],
        meters: Sequence[MeterUse],
    ) -> None:
        self._names = names
        self._lines = {line.id: line for line in lines}
        self._row = {line.id: n for n, line in enumerate(lines, 2)}
        self._legals = {legal.id: (n, legal) for n, legal in enumerate(legals, 2)}
        self._entries = {str(entry.number): (n, entry) for n, entry in enumerate(entries, 2)}
        self._meters = {meter.id: (n, meter) for n, meter in enumerate(meters, 2)}
        self._first_input: dict[str, int] = {}
        row = 2
        for line in lines:
            self._first_input[line.id] = row
            row += len(line.inputs)

    # --- addresses

    def line(self, identity: str, column: str = LINE_EXACT) -> str:
        """A line as other sheets see it."""
        return f"{quoted(self._names.lines)}!{column}{self._row[identity]}"

    def _input(self, line: Line, n: int) -> str:
        return f"{quoted(self._names.inputs)}!{INPUT_VALUE}{self._first_input[line.id] + n}"

    # --- formulas; None = the figure stands as a number

    def of_input(self, given: Input) -> str | None:
        """Where an input was taken from: a line, a rule, an entry, a meter."""
        if given.value is None:
            return None
        if given.kind == "line":
            source = self._lines.get(given.ref)
            same = source is not None and source.value == given.value
            return f"={self.line(given.ref)}" if same else None
        if given.kind == "legal" and given.ref in self._legals:
            row, legal = self._legals[given.ref]
            return _taken(given.value, legal.value, self._names.legals, f"{LEGAL_VALUE}{row}")
        if given.kind == "entry" and given.ref in self._entries:
            row, entry = self._entries[given.ref]
            return _taken(given.value, entry.value, self._names.entries, f"{ENTRY_VALUE}{row}")
        if given.kind == "meter" and given.ref in self._meters:
            row, meter = self._meters[given.ref]
            return _taken(given.value, meter.total, self._names.meters, f"{METER_TOTAL}{row}")
        return None

    def of_exact(self, line: Line) -> str | None:
        """A sum of its parts, a formula of its inputs, or the sum of its inputs."""
        if line.value is None or not line.inputs:
            return None
        parts = self.parts(line)
        if parts:
            return self._sum(parts, LINE_EXACT)
        known = [given.value for given in line.inputs if given.value is not None]
        if len(known) < len(line.inputs):
            return None
        expression = expression_for(line)
        if expression is None:
            return self._sum_of_inputs(line, known)
        cells = {given.name: self._input(line, n) for n, given in enumerate(line.inputs)}
        return f"={with_cells(expression, cells)}"

    def _sum_of_inputs(self, line: Line, known: list[Decimal]) -> str | None:
        """Readings or entries added up, in another unit perhaps."""
        added = not line.formula or line.formula in _SUM_OF_INPUTS
        alike = len({given.unit for given in line.inputs}) == 1
        value = line.value or Decimal(0)
        scale = _scale(value, sum(known, Decimal(0))) if added and alike else None
        if scale is None:
            return None
        first = self._input(line, 0)
        if len(known) == 1:
            return f"={first}{scale}"
        last = f"{INPUT_VALUE}{self._first_input[line.id] + len(known) - 1}"
        return f"=SUM({first}:{last}){scale}"

    def parts(self, line: Line) -> list[str]:
        """Ids of the lines whose exact values add up to this one; empty when it is no such sum."""
        refs = [given.ref for given in line.inputs if given.kind == "line"]
        if line.how is not How.SUM or line.value is None or len(refs) < len(line.inputs):
            return []
        known = [self._lines[ref].value for ref in refs if ref in self._lines]
        values = [value for value in known if value is not None]
        whole = len(values) == len(refs) and len(set(refs)) == len(refs) <= _ARGUMENTS
        return refs if whole and close(sum(values, Decimal(0)), line.value) else []

    def of_rounded(self, line: Line) -> str | None:
        """The exact figure rounded, when that is how the report rounds it."""
        if line.value is None or line.rounded != rounded(line.value, line.decimals):
            return None
        return f"=ROUND({LINE_EXACT}{self._row[line.id]},{line.decimals})"

    def of_sum_of_rounded(self, line: Line) -> str | None:
        """The sum of the rounded figures of its parts."""
        parts = self.parts(line)
        values = [self._lines[ref].rounded or Decimal(0) for ref in parts]
        if not parts or line.sum_of_rounded is None:
            return None
        same = close(sum(values, Decimal(0)), line.sum_of_rounded)
        return self._sum(parts, LINE_ROUNDED) if same else None

    def _sum(self, parts: Sequence[str], column: str) -> str:
        return f"=SUM({','.join(f'{column}{self._row[part]}' for part in parts)})"


def quoted(sheet: str) -> str:
    """The name of a sheet as formulas write it."""
    return "'" + sheet.replace("'", "''") + "'"


def _taken(value: Decimal, source: object, sheet: str, cell: str) -> str | None:
    """A reference to the cell the value was taken from, in the unit of the value."""
    scale = _scale(value, source) if isinstance(source, Decimal) else None
    return None if scale is None else f"={quoted(sheet)}!{cell}{scale}"


def _scale(value: Decimal, source: Decimal) -> str | None:
    """What turns ``source`` into ``value``: nothing, or a power of ten between two units."""
    if close(value, source):
        return ""
    for power in range(1, 7):
        factor = Decimal(10**power)
        if close(value * factor, source):
            return f"/{factor}"
        if close(value, source * factor):
            return f"*{factor}"
    return None
