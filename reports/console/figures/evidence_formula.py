"""A formula as its source writes it, and the same line with this report's numbers in it."""

import re
from decimal import Decimal
from typing import Any, Final

from drivers.language import language, say
from reports.formulas import FORMULAS
from reports.model import How, Line
from reports.render.expressions import close
from reports.render.labels import exact_text

Node = dict[str, Any]
SUMMANDS_MOST: Final = 12


def formula(line: Line) -> Node | None:
    """None for what is no result of a calculation."""
    if not line.formula and not line.equation:
        return None
    known = FORMULAS.get(line.formula)
    return {
        "name": line.formula,
        "title": "" if known is None else say(known.zh, known.en),
        "equation": line.equation,
        "filled": filled(line),
        "text": "" if known is None else known.text,
    }


def symbols(line: Line) -> dict[str, str]:
    """The symbol of each input, by its name."""
    known = FORMULAS.get(line.formula)
    return {} if known is None else dict(zip(known.parameters, known.symbols, strict=False))


def filled(line: Line) -> str:
    """``E = 441.84 × (1 − 0.02 − 0.004) × 44/12``; "" where nothing can be put in."""
    values = {given.name: given.value for given in line.inputs if given.value is not None}
    known = FORMULAS.get(line.formula)
    if known is None:
        return _sum(line, [*values.values()]) if line.equation == "Σ" else ""
    if line.how is How.METERED:
        values = {known.parameters[0]: sum(values.values(), Decimal(0))}
    named = symbols(line)
    numbers = {named[key]: _number(value) for key, value in values.items() if key in named}
    if not numbers:
        return ""
    parts = "|".join(re.escape(each) for each in sorted(numbers, key=len, reverse=True))
    pattern = re.compile(rf"(?:(?<!\w)|(?<=Σ))(?:{parts})(?!\w)")
    clauses = []
    for clause in line.equation.split(";"):
        left, equals, right = clause.partition("=")
        if not equals:
            left, right = "", clause
        written, count = pattern.subn(lambda found: numbers[found[0]], right)
        if count:
            clauses.append(f"{left.strip()} = {written.strip()}" if equals else written.strip())
    return "; ".join(clauses)


def _sum(line: Line, values: list[Decimal]) -> str:
    if not values or line.value is None or not close(sum(values, Decimal(0)), line.value):
        return ""
    if len(values) <= SUMMANDS_MOST:
        return " + ".join(map(_number, values))
    count = len(values)
    return f"Σ 共 {count} 项" if language() == "zh" else f"Σ of {count}"


def _number(value: Decimal) -> str:
    text = exact_text(value)
    return f"({text})" if value < 0 else text
