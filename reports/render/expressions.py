"""
Equations as a spreadsheet writes them: what a report prints beside a figure is what its cell does.

The catalogue prints ``NC = C × (1 − r)`` with a symbol for each parameter; that is an expression.
Nothing is trusted: one is used only when it gives the figure of the line.
"""

import ast
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal, DivisionByZero, InvalidOperation
from typing import Final

from reports.formulas import FORMULAS
from reports.model import Line

# Results of a formula that its printed equation does not name.
MORE: Final[Mapping[str, tuple[str, ...]]] = {
    "pfc_default": ("aluminium_t * ef_cf4_kg_per_t", "aluminium_t * ef_c2f6_kg_per_t"),
}
CLOSE: Final = Decimal("1e-12")  # figures of a file are floats: 15 digits agree
_SIGNS: Final = str.maketrans({"×": "*", "−": "-", "[": "(", "]": ")"})
_OPERATORS: Final[Mapping[type, Callable[[Decimal, Decimal], Decimal]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_FUNCTIONS: Final[Mapping[str, Callable[[list[Decimal]], Decimal]]] = {"max": max, "min": min}
_NAME: Final = re.compile(r"[^\W\d]\w*")


def expression_for(line: Line) -> str | None:
    """
    The expression, in the names of its inputs, that gives the line's value.

    None when there is none, when an input is not there, or when more than one would do.
    """
    if line.value is None:
        return None
    values = {given.name: given.value for given in line.inputs if given.value is not None}
    found = []
    for expression in dict.fromkeys(_candidates(line)):
        try:
            value = evaluate(expression, values)
        except (KeyError, SyntaxError, DivisionByZero, InvalidOperation):
            continue
        if close(value, line.value):
            found.append(expression)
    return found[0] if len(found) == 1 else None


def _candidates(line: Line) -> Iterator[str]:
    if line.formula in FORMULAS:
        yield from from_catalogue(line.formula)
    elif not line.formula:
        yield from clauses(line.equation)
        yield from _in_order(line)


def _in_order(line: Line) -> Iterator[str]:
    """An equation with as many symbols as the line has inputs, taken to be in the same order."""
    names = [given.name for given in line.inputs]
    for clause in clauses(line.equation):
        symbols = dict.fromkeys(name for name in _NAME.findall(clause) if name not in _FUNCTIONS)
        if len(symbols) == len(names) and all(name.isidentifier() for name in names):
            yield _renamed(clause, dict(zip(symbols, names, strict=True)))


def from_catalogue(formula: str) -> tuple[str, ...]:
    """What the printed equation of a formula says, in the names of its parameters."""
    known = FORMULAS[formula]
    names = dict(zip(known.symbols, known.parameters, strict=False))
    found = (_renamed(clause, names) for clause in clauses(known.equation))
    return (*found, *MORE.get(formula, ()))


def clauses(equation: str) -> tuple[str, ...]:
    """The right sides of ``C = B × A; D = C / 2``, each in the symbols of the first ones."""
    found: list[str] = []
    known: dict[str, str] = {}
    for clause in equation.translate(_SIGNS).split(";"):
        left, equals, right = clause.partition("=")
        found.append(_renamed((right if equals else left).strip(), known))
        known[left.strip()] = f"({found[-1]})"
    return tuple(found)


def _renamed(expression: str, names: Mapping[str, str]) -> str:
    return _NAME.sub(lambda name: names.get(name[0], name[0]), expression)


def evaluate(expression: str, values: Mapping[str, Decimal]) -> Decimal:
    """
    Value of an expression of + - * /, brackets, max and min.

    Raises KeyError for a name that is not there, SyntaxError for everything else.
    """
    return _value(ast.parse(expression, mode="eval").body, values)


def _value(node: ast.expr, values: Mapping[str, Decimal]) -> Decimal:
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        calculate = _OPERATORS[type(node.op)]
        return calculate(_value(node.left, values), _value(node.right, values))
    if isinstance(node, ast.Name):
        return values[node.id]
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return Decimal(str(node.value))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
        return _FUNCTIONS[node.func.id]([_value(each, values) for each in node.args])
    raise SyntaxError(ast.dump(node))


def with_cells(expression: str, cells: Mapping[str, str]) -> str:
    """The expression with the address of a cell for each name, functions in capitals."""
    return _NAME.sub(lambda name: cells.get(name[0], name[0].upper()), expression).replace(" ", "")


def close(one: Decimal, other: Decimal) -> bool:
    """Whether two figures are the same to the digits that a file keeps."""
    return abs(one - other) <= CLOSE * max(abs(one), abs(other))
