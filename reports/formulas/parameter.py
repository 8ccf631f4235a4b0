"""What a name of a formula is: its unit, its words in both languages, which values it can have."""

from collections.abc import Callable
from decimal import Decimal
from typing import NamedTuple

from reports.formulas.numbers import amount

Check = Callable[[str, object], Decimal]


class Parameter(NamedTuple):
    """
    One name; ``words`` are the answers it may have, ``columns`` those of a table.

    ``gaps`` are columns of the table whose cells may be empty; those that are not in ``columns``
    may be left out.
    """

    unit: str
    zh: str
    en: str
    check: Check = amount
    words: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()

    def of(self, lang: str) -> str:
        """What it is called in ``zh`` or ``en``."""
        return self.zh if lang == "zh" else self.en
