"""
The data quality control plan (数据质量控制计划) of a plant as data: what is measured, how, by whom.

``plan.toml`` holds what ``site.toml`` does not: instruments, parameters, departments, drawings.
A quality-plan report carries the same values, so that later figures can be held against it.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from enum import StrEnum
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from drivers.config import NAME, Strict
from drivers.language import say
from reports.site import PLANT
from reports.values import Number, Text

ANY: Final = "*"
FIGURE: Final = r"^(\*|[A-Za-z][A-Za-z0-9_-]*)(\.(\*|[a-z0-9_]+))+$"
METER: Final = r"^[A-Za-z0-9_-]+/[A-Za-z0-9_-]+( [a-z0-9_.]+)?$"


def _not_empty(text: Text) -> Text:
    if not text.zh.strip() or not text.en.strip():
        raise ValueError(say("zh 与 en 都须填写", "write both zh and en"))
    return text


Words = Annotated[Text, AfterValidator(_not_empty)]
Id = Annotated[str, StringConstraints(pattern=NAME)]
FigurePattern = Annotated[str, StringConstraints(pattern=FIGURE)]
MeterName = Annotated[str, StringConstraints(pattern=METER)]
Percent = Annotated[Number, Field(gt=0, le=100)]


class Acquisition(StrEnum):
    """How a parameter is obtained (获取方式)."""

    MEASURED = "measured"
    CALCULATED = "calculated"
    LABORATORY = "laboratory"
    DEFAULT = "default"


class Frequency(StrEnum):
    """How often something is measured or written down; from often to seldom."""

    CONTINUOUS = "continuous"
    HOURLY = "hourly"
    SHIFT = "shift"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    YEARLY = "yearly"
    BATCH = "batch"  # with each delivery: neither often nor seldom
    ONCE = "once"

    def rarer_than(self, other: "Frequency") -> bool:
        """True when it falls behind ``other``; a batch cannot be compared."""
        order = list(Frequency)
        return Frequency.BATCH not in {self, other} and order.index(self) > order.index(other)


class Department(Strict):
    """A department, who answers for it, and what it does for the data."""

    id: Id
    name: Words
    contact: Words
    phone: str = ""
    duty: Words


class Drawing(Strict):
    """A drawing of the plan; the SHA-256 is that of the file as it was loaded."""

    kind: Literal["site_plan", "process", "metering", "other"]
    title: Words
    file: str = Field(min_length=1)
    sha256: str = Field(default="", pattern=r"^([0-9a-f]{64})?$")


class Boundary(Strict):
    """What is inside, in words; ``products`` is what the enterprise makes."""

    products: Words
    process: Words
    enterprise: Words
    excluded: Words | None = None


class Facility(Strict):
    """A facility within the boundary."""

    id: Id
    name: Words
    number: str = ""
    spec: Words
    place: Words
    potline: str = ""  # id of the site file, when it belongs to one
    since: date
    stopped: date | None = None
    owner: Words | None = None
    permit_holder: Words | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        _order(self.since, self.stopped, "since", "stopped")
        return self


class Instrument(Strict):
    """
    A measuring instrument; ``measures`` names figures, or meters as the site file writes them.

    ``accuracy_class_percent`` is its class: 0.5 is ±0.5 % of what it shows.
    """

    id: Id
    name: Words
    model: str = Field(min_length=1)
    serial: str = Field(min_length=1)
    place: Words
    measures: tuple[str, ...] = Field(min_length=1)
    accuracy_class_percent: Number = Field(gt=0, le=20)
    regulation: str = ""  # JJG 1118 …
    interval_months: int = Field(gt=0, le=120)
    body: Words  # who verifies or calibrates it
    department: Id
    counts: bool = True  # it feeds the calculation; false: only a second source
    since: date | None = None
    removed: date | None = None  # first day without it

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        _order(self.since, self.removed, "since", "removed")
        return self

    def in_place(self, day: date) -> bool:
        return (self.since is None or self.since <= day) and (
            self.removed is None or day < self.removed
        )

    @property
    def meters(self) -> tuple[str, ...]:
        """Counters of the gateway it stands for: ``area/unit`` or ``area/unit quantity``."""
        return tuple(each for each in self.measures if "/" in each)

    @property
    def figures(self) -> tuple[str, ...]:
        return tuple(each for each in self.measures if "/" not in each)

    def is_meter(self, meter: str) -> bool:
        """``meter`` as ``str(Meter)``: with its quantity."""
        return any(each in {meter, meter.partition(" ")[0]} for each in self.meters)


class Record(Strict):
    """The raw record: its exact name, number, form and what it covers."""

    name: Words
    number: str = ""
    form: Words
    cover: Words


class MissingRule(Strict):
    """What is done when data are missing; reports name a substitution by ``code``."""

    code: str = Field(pattern=r"^[a-z0-9_]+$")
    text: Words


class Laboratory(Strict):
    """Sampling, preparation and analysis of a parameter that a laboratory finds."""

    sampling: Words
    preparation: Words
    method: str = Field(min_length=1)  # standard: GB/T …, YS/T …
    laboratory: Words
    accreditation: str = ""  # CMA or CNAS number


class Parameter(Strict):
    """
    One figure of the reports: ``line1.anode_consumed``, ``*.aluminium``, ``plant.fuel_co2.*``.

    ``*`` in the first place is every potline, further on every item. A figure may also be an input,
    by kind of entry: ``*.anode_sulphur``, ``plant.gas_ncv.natural_gas``.
    """

    figure: FigurePattern
    name: Words
    unit: str = Field(min_length=1)
    acquisition: Acquisition
    source: Words
    entries: tuple[str, ...] = ()  # kinds of entries it comes from; () = any
    instruments: tuple[Id, ...] = ()
    record: Record
    monitoring: Frequency
    recording: Frequency
    missing: MissingRule
    conservative: Words
    department: Id
    second_source: Words | None = None
    difference_percent: Percent | None = None  # two sources may differ by so much unexplained
    laboratory: Laboratory | None = None
    uncertainty_percent: Percent | None = None  # of the value, at 95 %, sampling included

    @model_validator(mode="after")
    def _whole(self) -> Self:
        tested = self.acquisition is Acquisition.LABORATORY
        if tested and self.laboratory is None:
            raise ValueError(
                say(
                    'acquisition = "laboratory" 时须填写 [parameter.laboratory]',
                    'acquisition = "laboratory" needs [parameter.laboratory] (sampling, '
                    "preparation, method)",
                )
            )
        if self.acquisition is Acquisition.MEASURED and not self.instruments:
            raise ValueError(
                say(
                    'acquisition = "measured" 时须列出计量器具 instruments = […]',
                    'acquisition = "measured" needs instruments = […]',
                )
            )
        return self

    def covers(self, figure: str) -> bool:
        return matches(self.figure, figure)


class Role(Strict):
    """A duty in the management of data (岗位职责)."""

    name: Words
    person: Words
    department: Id
    duty: Words


class Training(Strict):
    """A training that is planned or was held."""

    on: str = Field(min_length=1)
    topic: Words
    who: Words


class Audit(Strict):
    """How the data are checked inside the house before they leave it."""

    frequency: Frequency
    department: Id
    text: Words


class Archive(Strict):
    """How long and where records are kept; the law's minimum is compared with it."""

    years: int = Field(gt=0, le=100)
    place: Words
    text: Words


class PlannedChange(Strict):
    """Something that changed at the plant, and the figures it moves."""

    on: date
    text: Words
    reason: Words
    figures: tuple[FigurePattern, ...] = ()

    def touches(self, figure: str) -> bool:
        return any(matches(pattern, figure) for pattern in self.figures)


class PlanVersion(Strict):
    """A line of the revision log."""

    number: str = Field(min_length=1)
    on: date
    author: Words
    reason: Words


class Plan(Strict):
    """The whole plan. ``difference_percent`` is the threshold where a parameter states none."""

    boundary: Boundary
    department: tuple[Department, ...] = Field(min_length=1)
    drawing: tuple[Drawing, ...] = ()
    facility: tuple[Facility, ...] = ()
    instrument: tuple[Instrument, ...] = ()
    parameter: tuple[Parameter, ...] = Field(min_length=1)
    role: tuple[Role, ...] = ()
    training: tuple[Training, ...] = ()
    audit: Audit
    archive: Archive
    change: tuple[PlannedChange, ...] = ()
    version: tuple[PlanVersion, ...] = Field(min_length=1)
    difference_percent: Percent

    def parameter_of(self, figure: str) -> Parameter | None:
        """The parameter of a figure; an exact name goes before a pattern."""
        found = [each for each in self.parameter if each.covers(figure)]
        return min(found, key=lambda each: each.figure.count(ANY)) if found else None

    def instrument_of(self, identity: str) -> Instrument | None:
        return next((each for each in self.instrument if each.id == identity), None)

    def meter_of(self, meter: str, day: date) -> Instrument | None:
        """The instrument that stands behind a counter of the gateway on that day."""
        return next((x for x in self.instrument if x.is_meter(meter) and x.in_place(day)), None)

    def instruments_for(self, figure: str) -> tuple[Instrument, ...]:
        """
        Those its parameter names, and those that say they measure it.

        An instrument that names figures is not taken for others, though a pattern names it.
        """
        named = parameter.instruments if (parameter := self.parameter_of(figure)) else ()
        return tuple(
            each
            for each in self.instrument
            if (each.id in named and not each.figures)
            or any(matches(pattern, figure) for pattern in each.figures)
        )

    def department_of(self, identity: str) -> Department | None:
        return next((each for each in self.department if each.id == identity), None)

    def threshold_percent(self, figure: str) -> Number:
        """By how much two sources of the figure may differ unexplained."""
        parameter = self.parameter_of(figure)
        own = None if parameter is None else parameter.difference_percent
        return self.difference_percent if own is None else own

    def expanded(self, potlines: Iterable[str]) -> Mapping[str, Parameter]:
        """Each figure and its parameter, patterns spread over the potlines, in plan order."""
        lines = tuple(potlines)
        found: dict[str, Parameter] = {}
        for parameter in self.parameter:
            scope, _, rest = parameter.figure.partition(".")
            for each in lines if scope == ANY else (scope,):
                figure = f"{each}.{rest}"
                found.setdefault(figure, self.parameter_of(figure) or parameter)
        return found


def matches(pattern: str, figure: str) -> bool:
    """``*`` stands for one part; in the first place for a potline, never for the plant."""
    wanted, given = pattern.split("."), figure.split(".")
    if len(wanted) != len(given) or (wanted[0] == ANY and given[0] == PLANT):
        return False
    return all(each in {ANY, part} for each, part in zip(wanted, given, strict=True))


def _order(first: date | None, last: date | None, one: str, other: str) -> None:
    if first is not None and last is not None and last <= first:
        raise ValueError(
            say(
                f"{other} {last} 须晚于 {one} {first}",
                f"{other} {last} must be later than {one} {first}",
            )
        )
