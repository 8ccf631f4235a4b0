"""The smallest words of a report: a text in both languages, a number that JSON keeps exactly."""

from decimal import Decimal
from typing import Annotated

from pydantic import PlainSerializer

from drivers.config import Strict

# Decimal inside; in JSON a plain number, the shortest that reads back the same float.
Number = Annotated[Decimal, PlainSerializer(float, return_type=float, when_used="always")]


class Text(Strict):
    """The same sentence in both languages."""

    zh: str
    en: str

    def of(self, language: str) -> str:
        return self.zh if language == "zh" else self.en
