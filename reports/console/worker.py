"""
A child of the console that works on the plant's data: one question a line in, one answer out.

The web server itself imports no store and no report; what is heavy is here and ends when idle.
``python -m reports.console.worker site.toml``
"""

import json
import os
import resource
import sys
import traceback
from collections.abc import Callable
from dataclasses import asdict, is_dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from drivers.audit import acting
from drivers.language import speaking
from drivers.model import ConfigError
from reports.console.office import Office

ROOM = "reports.console."


def job_of(name: str) -> Callable[..., Any]:
    """The function behind ``figures.today:carbon``; names come from our own code only."""
    module, _, function = name.partition(":")
    found: Callable[..., Any] = getattr(import_module(ROOM + module), function)
    return found


def answer(site_file: Path, question: dict[str, Any]) -> dict[str, Any]:
    """What the job says; ``refused`` holds what a person must put right, ``failed`` a fault."""
    person, place = question["who"]
    try:
        with speaking(question["lang"]), acting(person, place):
            said = job_of(question["job"])(Office(site_file), **question["arguments"])
            return {"said": json.loads(json.dumps(said, default=plain, allow_nan=False))}
    except ConfigError as error:
        return {"refused": list(error.problems)}
    except Exception:  # noqa: BLE001 - told to the parent, which logs it; the child goes on
        return {"failed": traceback.format_exc()}


FORMS: tuple[tuple[type, Callable[[Any], object]], ...] = (
    (Decimal, float),
    (date, lambda value: value.isoformat()),  # of a datetime with its time
    (BaseModel, lambda value: value.model_dump(mode="json")),
    (Enum, lambda value: value.value),
    (Path, str),
    (set, list),
    (frozenset, list),
)


def plain(value: object) -> object:
    """What JSON has no word for."""
    for kind, form in FORMS:
        if isinstance(value, kind):
            return form(value)
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if hasattr(value, "tolist"):  # numpy
        return value.tolist()
    raise TypeError(f"{type(value).__name__} has no JSON form")


def main() -> None:
    """Until standard input ends. Nothing but answers goes to standard output."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    site_file = Path(sys.argv[1])
    for line in sys.stdin:
        said = answer(site_file, json.loads(line))
        peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        out.write(json.dumps(said | {"peak_mb": peak_kb >> 10}, ensure_ascii=False) + "\n")
        out.flush()


if __name__ == "__main__":
    main()
