"""What a formula of the catalogue is: a pure function, and how to speak of it."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from inspect import Parameter as Argument
from inspect import getdoc, signature
from types import MappingProxyType
from typing import Any, NamedTuple

NOTHING: Mapping[str, str] = MappingProxyType({})


class Formula(NamedTuple):
    """
    A formula and how to speak of it.

    ``equation`` is the line reports print, ``symbols`` stand in it for the parameters, in order.
    ``legal`` says which rule holds a parameter that may be left out on the command line, as
    ``pack.name``; where that depends on what was given, it is a function of the values. The formula
    itself reads no rule.
    """

    function: Callable[..., Any]
    symbols: tuple[str, ...]
    equation: str
    zh: str
    en: str
    legal: Mapping[str, str] | Callable[[Mapping[str, Any]], Mapping[str, str]] = NOTHING

    @property
    def name(self) -> str:
        return self.function.__name__

    @property
    def parameters(self) -> tuple[str, ...]:
        return tuple(signature(self.function).parameters)

    @property
    def optional(self) -> tuple[str, ...]:
        """Parameters that may be left out."""
        found = signature(self.function).parameters.values()
        return tuple(each.name for each in found if each.default is not Argument.empty)

    @property
    def results(self) -> tuple[str, ...]:
        """Names of what it always returns."""
        fields: tuple[str, ...] = self.function.__annotations__["return"]._fields
        return tuple(name for name in fields if name not in self.extras)

    @property
    def extras(self) -> tuple[str, ...]:
        """Names of what it returns only where it has something to say."""
        return tuple(self.function.__annotations__["return"]._field_defaults)

    @property
    def text(self) -> str:
        return getdoc(self.function) or ""

    def rules(self, values: Mapping[str, Any]) -> Mapping[str, str]:
        """Rules, as ``pack.name``, of the parameters left out of ``values``."""
        found = self.legal(values) if callable(self.legal) else self.legal
        return {name: rule for name, rule in found.items() if name not in values}

    def run(self, **values: Any) -> dict[str, Any]:
        """Everything it returns, by name: numbers, words, tables. Raises FormulaError."""
        found: dict[str, Any] = self.function(**values)._asdict()
        return {k: each for k, each in found.items() if each is not None or k not in self.extras}

    def __call__(self, **values: Any) -> dict[str, Decimal]:
        """The figures it returns, by name. Raises FormulaError."""
        return {key: each for key, each in self.run(**values).items() if isinstance(each, Decimal)}
