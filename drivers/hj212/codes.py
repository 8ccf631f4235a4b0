"""The code tables of the standard (``codes.toml``): systems, commands, answers, data flags."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from drivers.language import say


@dataclass(frozen=True, slots=True)
class Code:
    """A code with its meaning."""

    code: str
    zh: str
    en: str

    @property
    def name(self) -> str:
        return say(self.zh, self.en)


@dataclass(frozen=True, slots=True)
class Direction:
    """What a command means one way, and its kind: request, upload, notice or answer."""

    zh: str
    en: str
    kind: str


@dataclass(frozen=True, slots=True)
class Command:
    """A CN: ``down`` from the platform to the site, ``up`` the other way; None: not used so."""

    cn: str
    down: Direction | None
    up: Direction | None
    since: int  # 2017 or 2025

    @property
    def name(self) -> str:
        """What it most often is when it is found in a file: the site's side."""
        way = self.up or self.down
        return "" if way is None else say(way.zh, way.en)

    @property
    def carries_data(self) -> bool:
        """Whether the site's message of this number holds values of factors at a DataTime."""
        return self.cn in DATA_PERIOD_S


# CN → seconds its values stand for; 0: a moment. DataTime is the start of the period. A minute
# packet may stand for MinInterval (1 to 30) minutes: the link knows which.
DATA_PERIOD_S = {
    "2011": 0,
    "2021": 0,
    "2051": 60,
    "2061": 3600,
    "2031": 86400,
    "2041": 86400,
    "2111": 300,
}


@cache
def _tables() -> dict[str, dict[str, dict[str, list[str] | int] | list[str]]]:
    return tomllib.loads(files("drivers.hj212").joinpath("codes.toml").read_text("utf-8"))


@cache
def _codes(table: str) -> dict[str, Code]:
    found: dict[str, Code] = {}
    for code, names in _tables()[table].items():
        zh, en = names
        found[code] = Code(code, zh, en)
    return found


def systems() -> dict[str, Code]:
    """ST."""
    return _codes("systems")


def answers() -> dict[str, Code]:
    """QnRtn of 9011."""
    return _codes("answers")


def results() -> dict[str, Code]:
    """ExeRtn of 9012."""
    return _codes("results")


def data_flags() -> dict[str, Code]:
    """The letter of a value."""
    return _codes("data_flags")


@cache
def commands() -> dict[str, Command]:
    """CN."""
    found: dict[str, Command] = {}
    for cn, table in _tables()["commands"].items():
        assert isinstance(table, dict)  # noqa: S101 - our own file
        since = table.get("since", 2017)
        assert isinstance(since, int)  # noqa: S101 - our own file
        found[cn] = Command(cn, _direction(table.get("down")), _direction(table.get("up")), since)
    return found


def _direction(entry: list[str] | int | None) -> Direction | None:
    return Direction(*entry) if isinstance(entry, list) else None
