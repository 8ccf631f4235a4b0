"""The smallest words of a report: a text in both languages, a number that JSON keeps exactly."""

from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer
from pydantic_core import PydanticSerializationUnexpectedValue

from drivers.config import Strict


def _read(value: object) -> object:
    """A number of JSON as short as it was written; a text is none, whatever it looks like."""
    if isinstance(value, str):
        raise ValueError("a number stands without quotes")  # noqa: TRY004 - pydantic expects it
    if isinstance(value, float):
        return Decimal(repr(value).removesuffix(".0"))
    return value


def _write(value: object) -> float:
    """Where a cell may be text or number, what is no number is left to the text."""
    if isinstance(value, Decimal | int | float):
        return float(value)
    raise PydanticSerializationUnexpectedValue(f"{value!r} is no number")


# Decimal inside; in JSON a plain number, the shortest that reads back the same float. Version
# "1.0" and CN code "76011000" stay texts, beside numbers in the same column.
Number = Annotated[
    Decimal,
    BeforeValidator(_read),
    PlainSerializer(_write, return_type=float, when_used="always"),
]


class Text(Strict):
    """The same sentence in both languages."""

    zh: str
    en: str

    def of(self, language: str) -> str:
        return self.zh if language == "zh" else self.en
