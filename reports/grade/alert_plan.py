"""
``alert-plan.toml``: what the plant's own plan (一厂一策) promises for each alert level.

Amounts come from the published plan and its document, never from a constant of the program.
"""

import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Literal, Self

from pydantic import Field, ValidationError, model_validator

from drivers.config import NAME, Strict
from drivers.language import say, why
from drivers.model import ConfigError
from reports.entries.kinds import KINDS
from reports.rules.mistakes import Mistake, of_shape, sentences
from reports.rules.overlay import document_faults
from reports.site import Site
from reports.site_stacks import Point
from reports.values import Text

Level = Literal["yellow", "orange", "red"]
LEVELS: Final[Mapping[str, Text]] = {
    "yellow": Text(zh="黄色", en="yellow"),
    "orange": Text(zh="橙色", en="orange"),
    "red": Text(zh="红色", en="red"),
}
UNITS: Final[Mapping[str, Text]] = {
    "pots": Text(zh="台电解槽", en="pots"),
    "lines": Text(zh="条生产线", en="lines"),
    "flame_systems": Text(zh="个火焰系统", en="flame systems"),
    "percent_load": Text(zh="% 负荷", en="% of load"),
    "transport": Text(zh="停运车辆", en="vehicles kept out"),
}


class Baseline(Strict):
    """
    What a cut is measured from: the mean of ``days`` before the alert, or stated daily amounts.

    Of stated ones the smallest counts: capacity by EIA approval, by permit, output of last year.
    """

    days: int = Field(default=7, gt=0, le=366)
    eia_per_day: Decimal | None = Field(default=None, gt=0)
    permit_per_day: Decimal | None = Field(default=None, gt=0)
    last_year_per_day: Decimal | None = Field(default=None, gt=0)

    @property
    def stated(self) -> Decimal | None:
        """The smallest of the stated daily amounts, in the unit of the meters."""
        known = [self.eia_per_day, self.permit_per_day, self.last_year_per_day]
        return min((each for each in known if each is not None), default=None)


class Measure(Strict):
    """
    One promise: ``amount`` of ``unit`` less, or stopped, at these levels.

    ``mode`` load is proven by energy or fuel (``meters``, else the AC meters of the potlines),
    units_stopped by pots running, by the power of whole lines, or by running ``points``. Transport
    keeps ``classes`` of vehicles out (entries of the gate, day by day). ``within_hours`` after the
    alert begins it need not be done yet.
    """

    id: str = Field(pattern=NAME)
    levels: tuple[Level, ...] = Field(min_length=1)
    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)
    mode: Literal["load", "units_stopped", "transport"]
    unit: Literal["pots", "lines", "flame_systems", "percent_load", "transport"]
    amount: Decimal | None = Field(default=None, gt=0)
    potlines: tuple[str, ...] = ()  # () = all
    meters: tuple[Point, ...] = ()
    points: tuple[Point, ...] = ()
    classes: tuple[str, ...] = ()
    within_hours: int = Field(default=0, ge=0, le=72)
    baseline: Baseline = Baseline()

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if problems := list(_senseless(self)):
            raise ValueError(say("；", "; ").join(problems))
        return self


def _senseless(measure: Measure) -> Iterator[str]:
    fits = {
        "load": {"percent_load"},
        "units_stopped": {"pots", "lines", "flame_systems"},
        "transport": {"transport"},
    }[measure.mode]
    if measure.unit not in fits:
        words = ", ".join(sorted(fits))
        yield say(f"{measure.mode} 的 unit 应为 {words}", f"unit of {measure.mode} is {words}")
    if (measure.amount is None) != (measure.unit == "transport"):
        yield say("除 transport 外须写 amount", "give an amount, for all but transport")
    if measure.unit == "percent_load" and measure.amount is not None and measure.amount > 100:
        yield say("amount 不超过 100 %", "amount is at most 100 %")
    items = KINDS["gate_trips"].items
    known = () if items is None else tuple(items.names)
    if measure.unit == "transport" and not measure.classes:
        yield say("须写禁行的 classes", "give the classes that are kept out")
    if wrong := [each for each in measure.classes if each not in known]:
        yield say(
            f"没有车辆类别 {'、'.join(wrong)}；有 {'、'.join(known)}",
            f"no class {', '.join(wrong)}; there are {', '.join(known)}",
        )
    if measure.unit == "flame_systems" and not measure.points:
        yield say("火焰系统须列运行状态点 points", "flame systems need points that say they run")


class Plan(Strict):
    """One edition of the plan and the document it stands in."""

    name: str = Field(min_length=1)
    valid_from: date
    valid_until: date  # the last day
    document: str = Field(min_length=1)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    measures: tuple[Measure, ...] = Field(min_length=1)


class Season(Strict):
    """A season of staggered production as the local plan states it; both days included."""

    first: date
    last: date
    document: str = Field(min_length=1)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            raise ValueError(say("last 早于 first", "last is before first"))
        return self


class AlertPlan(Strict):
    """The whole file."""

    plan: tuple[Plan, ...] = ()
    season: tuple[Season, ...] = ()


def plan_on(file: AlertPlan, day: date) -> Plan | None:
    """The plan in force on a day; of two the later one in the file."""
    found = [each for each in file.plan if each.valid_from <= day <= each.valid_until]
    return found[-1] if found else None


def read_alert_plan(path: Path, site: Site) -> AlertPlan:
    """The plan of ``path``. Raises ConfigError with every mistake in it."""
    try:
        text = path.read_text("utf-8")
        tables = tomllib.loads(text, parse_float=Decimal)
    except OSError as error:
        raise ConfigError([f"{path}: {why(error)}"]) from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError([f"{path}: {error}"]) from None
    mistakes = [*_documents(tables, path.parent), *_lines(tables, site)]
    found = AlertPlan()
    try:
        found = AlertPlan.model_validate(tables)
    except ValidationError as error:
        known = {loc for loc, _ in mistakes}
        mistakes += [each for each in of_shape(error) if each[0] not in known]
    if mistakes:
        raise ConfigError(sentences(str(path), text, mistakes))
    return found


def _documents(tables: dict[str, Any], folder: Path) -> Iterator[Mistake]:
    for key in ("plan", "season"):
        blocks = tables.get(key)
        for number, block in enumerate(blocks if isinstance(blocks, list) else []):
            if isinstance(block, dict):
                for name, what in document_faults(block, folder):
                    yield (key, number, name), what


def _lines(tables: dict[str, Any], site: Site) -> Iterator[Mistake]:
    """Potlines that the site does not have, and names given twice."""
    plans = tables.get("plan")
    for n, plan in enumerate(plans if isinstance(plans, list) else []):
        measures = plan.get("measures") if isinstance(plan, dict) else None
        seen: set[object] = set()
        for m, measure in enumerate(measures if isinstance(measures, list) else []):
            if not isinstance(measure, dict):
                continue
            lines = measure.get("potlines", [])
            wrong = [x for x in lines if isinstance(x, str) and site.line(x) is None]
            if wrong:
                told = ", ".join(wrong)
                yield (
                    ("plan", n, "measures", m, "potlines"),
                    say(f"site.toml 中没有系列 {told}", f"no potline {told} in site.toml"),
                )
            if measure.get("id") in seen:
                yield (
                    ("plan", n, "measures", m, "id"),
                    say("重名", "is there already in this plan"),
                )
            seen.add(measure.get("id"))
