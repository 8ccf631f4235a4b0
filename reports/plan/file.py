"""Reading ``plan.toml``: every mistake at once, and what it must agree with in the site file."""

import hashlib
import tomllib
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

from pydantic import ValidationError

from drivers.language import say, why
from drivers.model import ConfigError
from reports.entries.kinds import KINDS
from reports.plan.plan import ANY, Drawing, Instrument, Plan
from reports.site import PLANT, Site, mistake


def load_plan(path: Path, site: Site | None = None) -> Plan:
    """
    The plan of ``path``, its drawings with their digests; compared with ``site`` when it is given.

    Raises ConfigError with every mistake at once.
    """
    try:
        tables = tomllib.loads(path.read_text("utf-8"), parse_float=Decimal)
    except OSError as error:
        raise ConfigError([f"{path}: {why(error)}"]) from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError([f"{path}: {error}"]) from None
    try:
        plan = Plan.model_validate(tables)
    except ValidationError as error:
        raise ConfigError([mistake(path, problem) for problem in error.errors()]) from None
    problems = [*_inside(plan), *([] if site is None else _beside(plan, site))]
    drawings = []
    for number, drawing in enumerate(plan.drawing, 1):
        try:
            drawings.append(_hashed(path.resolve().parent, drawing))
        except OSError as error:
            problems.append(f"drawing.{number}.file: {drawing.file}: {why(error)}")
        except ValueError as error:
            problems.append(f"drawing.{number}.sha256: {error}")
    if problems:
        raise ConfigError([f"{path}: {problem}" for problem in problems])
    return plan.model_copy(update={"drawing": tuple(drawings)})


def _hashed(folder: Path, drawing: Drawing) -> Drawing:
    """Raises OSError when it cannot be read, ValueError when it is another file than was stated."""
    found = hashlib.sha256((folder / drawing.file).read_bytes()).hexdigest()
    if drawing.sha256 not in {"", found}:
        raise ValueError(
            say(
                f"{drawing.file} 的 SHA-256 为 {found}，与所填不同：图纸已被更换",
                f"{drawing.file} has the SHA-256 {found}: the drawing is another one",
            )
        )
    return drawing.model_copy(update={"sha256": found})


def _inside(plan: Plan) -> Iterator[str]:
    """What the tables of the plan say of one another."""
    for table, names in (
        ("department", [each.id for each in plan.department]),
        ("facility", [each.id for each in plan.facility]),
        ("instrument", [each.id for each in plan.instrument]),
        ("parameter", [each.figure for each in plan.parameter]),
        ("version", [each.number for each in plan.version]),
    ):
        yield from _twice(table, names)
    departments = {each.id for each in plan.department}
    for place, department in _departments(plan):
        if department not in departments:
            known = ", ".join(sorted(departments))
            yield say(
                f"{place}.department：没有部门 {department!r}；有：{known}",
                f"{place}.department: no department {department!r}; known: {known}",
            )
    yield from _parameters(plan)
    yield from _same_meter(plan.instrument)
    for number, (earlier, later) in enumerate(pairwise(plan.version), 2):
        if later.on < earlier.on:
            yield say(
                f"version.{number}.on：{later.on} 早于上一版本 {earlier.on}",
                f"version.{number}.on: {later.on} is before the version above, {earlier.on}",
            )


def _twice(table: str, names: Sequence[str]) -> Iterator[str]:
    for number, name in enumerate(names, 1):
        if name in names[: number - 1]:
            yield say(
                f"{table}.{number}：{name!r} 重复", f"{table}.{number}: {name!r} is there twice"
            )


def _departments(plan: Plan) -> Iterator[tuple[str, str]]:
    for table, named in (
        ("instrument", [each.department for each in plan.instrument]),
        ("parameter", [each.department for each in plan.parameter]),
        ("role", [each.department for each in plan.role]),
    ):
        for number, department in enumerate(named, 1):
            yield f"{table}.{number}", department
    yield "audit", plan.audit.department


def _parameters(plan: Plan) -> Iterator[str]:
    instruments = {each.id for each in plan.instrument}
    for number, parameter in enumerate(plan.parameter, 1):
        for kind in parameter.entries:
            if kind not in KINDS:
                yield say(
                    f"parameter.{number}.entries：没有录入项目 {kind!r}；"
                    "清单见 smelter entries template",
                    f"parameter.{number}.entries: no kind of entry {kind!r}; "
                    "smelter entries template lists them",
                )
        for name in parameter.instruments:
            if name not in instruments:
                known = ", ".join(sorted(instruments))
                yield say(
                    f"parameter.{number}.instruments：没有计量器具 {name!r}；有：{known}",
                    f"parameter.{number}.instruments: no instrument {name!r}; known: {known}",
                )


def _same_meter(instruments: Sequence[Instrument]) -> Iterator[str]:
    """One counter of the gateway is one instrument at a time."""
    for number, each in enumerate(instruments, 1):
        for other in instruments[: number - 1]:
            shared = set(each.meters) & set(other.meters)
            if shared and _overlap(each, other):
                meter = min(shared)
                yield say(
                    f"instrument.{number}.measures：{meter} 同时由 {other.id} 和 {each.id} 计量；"
                    "换表请填 removed 与 since",
                    f"instrument.{number}.measures: {meter} is {other.id} and {each.id} at the "
                    "same time; for a replaced meter state removed and since",
                )


def _overlap(one: Instrument, other: Instrument) -> bool:
    for first, second in ((one, other), (other, one)):
        if first.removed is not None and second.since is not None and first.removed <= second.since:
            return False
    return True


def _beside(plan: Plan, site: Site) -> Iterator[str]:
    """What the plan says of the site."""
    lines = [line.id for line in site.potline]
    known = ", ".join([*lines, PLANT, ANY])
    patterns = [
        *((f"parameter.{n}.figure", each.figure) for n, each in enumerate(plan.parameter, 1)),
        *(
            (f"change.{n}.figures", pattern)
            for n, each in enumerate(plan.change, 1)
            for pattern in each.figures
        ),
        *(
            (f"instrument.{n}.measures", pattern)
            for n, each in enumerate(plan.instrument, 1)
            for pattern in each.figures
        ),
    ]
    for place, pattern in patterns:
        scope = pattern.partition(".")[0]
        if scope not in {*lines, PLANT, ANY}:
            yield say(
                f"{place}：{pattern} 中没有系列 {scope!r}；可填：{known}",
                f"{place}: no potline {scope!r} of {pattern}; write one of: {known}",
            )
    for number, facility in enumerate(plan.facility, 1):
        if facility.potline and facility.potline not in lines:
            yield say(
                f"facility.{number}.potline：没有系列 {facility.potline!r}；有：{', '.join(lines)}",
                f"facility.{number}.potline: no potline {facility.potline!r}; "
                f"known: {', '.join(lines)}",
            )
