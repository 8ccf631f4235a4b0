"""Parameters of the grading that are our own and no rules (``ours.toml``)."""

import tomllib
from decimal import Decimal
from functools import cache
from importlib.resources import files

from drivers.config import Strict
from reports.values import Text


class Effort(Strict):
    """A class of effort; their order is that of the file."""

    id: str
    zh: str
    en: str

    @property
    def text(self) -> Text:
        return Text(zh=self.zh, en=self.en)


class Ours(Strict):
    """The whole file."""

    least_capture_percent: Decimal
    hour_valid_percent: Decimal
    hole_hours: int
    unknown_percent: Decimal
    warn_days: int
    rebuild_percent: Decimal
    report_hours: int
    declared_days: int
    stopped_percent: Decimal
    efforts: tuple[Effort, ...]

    def effort(self, identity: str) -> int:
        """Place of an effort, from the least one."""
        return [each.id for each in self.efforts].index(identity)


@cache
def ours() -> Ours:
    """As the file says."""
    content = files("reports").joinpath("grade").joinpath("ours.toml").read_text("utf-8")
    return Ours.model_validate(tomllib.loads(content, parse_float=Decimal))
