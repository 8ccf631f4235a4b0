"""
What a case of docs/reliability.md is, and how one is registered and run.

    @case("A13", fault="…", procedure="…", mark="0 lost")
    def broker_lies(setting: Setting) -> Outcome:
        kills = setting.size(cut=3, full=20)
        …
        return Outcome(passed=lost == 0, figure=f"{kills} kills, {lost} lost")

Every module of this package that is imported registers its cases. A case whose means are missing
here raises NotRun with the reason: that never counts as passed. ``AssertionError`` is a failure.
"""

import os
import random
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Verdict = Literal["pass", "fail", "not run"]


class NotRun(Exception):  # noqa: N818 - not an error
    """This machine or this user cannot make the fault; says what is missing."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a case measured, held against its pass mark by the case itself."""

    passed: bool
    figure: str  # numbers with their units, in English


@dataclass(frozen=True, slots=True)
class Setting:
    """What a case is given: an empty folder, a seed, and how much to do."""

    folder: Path
    seed: int
    full: bool
    share: float = 1.0  # of the full number, where there is no time for all of it

    def size(self, *, cut: int, full: int) -> int:
        """How many: the full number, or that of the cut in ``make test``."""
        return max(cut, int(full * self.share)) if self.full else cut

    @property
    def chance(self) -> random.Random:
        """A fresh source of chance; the same for the same seed."""
        return random.Random(self.seed)


@dataclass(frozen=True, slots=True)
class Case:
    """One row of the table."""

    id: str
    fault: str
    procedure: str
    mark: str
    weaker: str  # where the mark asks for less than the acceptance test it is taken from
    run: Callable[[Setting], Outcome]


@dataclass(frozen=True, slots=True)
class Result:
    """One row as it came out."""

    id: str
    verdict: Verdict
    figure: str
    seed: int
    full: bool
    seconds: float
    share: float = 1.0  # of the full number


CASES: dict[str, Case] = {}


def case(
    name: str, *, fault: str, procedure: str, mark: str, weaker: str = ""
) -> Callable[[Callable[[Setting], Outcome]], Callable[[Setting], Outcome]]:
    """Registers the decorated function; an id may be used once."""

    def register(run: Callable[[Setting], Outcome]) -> Callable[[Setting], Outcome]:
        if name in CASES:
            raise ValueError(f"case {name} is registered twice")
        CASES[name] = Case(name, fault, procedure, mark, weaker, run)
        return run

    return register


def run_case(wanted: Case, folder: Path, *, seed: int, full: bool, share: float = 1.0) -> Result:
    """Runs it in a folder of its own; every exception but NotRun is a failure with its text."""
    own = folder / wanted.id
    own.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    verdict: Verdict
    try:
        outcome = wanted.run(Setting(own, seed, full, share))
        verdict, figure = ("pass" if outcome.passed else "fail"), outcome.figure
    except NotRun as reason:
        verdict, figure = "not run", str(reason)
    except Exception as error:  # noqa: BLE001 - whatever it is, the case did not pass
        verdict, figure = "fail", f"{type(error).__name__}: {error}"
    seconds = round(time.monotonic() - started, 1)
    return Result(wanted.id, verdict, figure, seed, full, seconds, share if full else 0.0)


def need_program(name: str, package: str) -> str:
    """Path of a program, or NotRun saying which Debian package has it."""
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin:/sbin")
    if not path:
        raise NotRun(f"{name} is not installed (Debian package {package})")
    return path


def need_root(why: str) -> None:
    """NotRun for an ordinary user."""
    if os.geteuid() != 0:
        raise NotRun(f"needs root: {why}")


@contextmanager
def every_s(most_s: float) -> Iterator[Callable[[], bool]]:
    """``while more(): …`` for at most so many seconds."""
    end = time.monotonic() + most_s
    yield lambda: time.monotonic() < end
