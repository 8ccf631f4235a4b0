"""One industry of the plant under one generation of rules: its tables joined, judged, counted."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from drivers.language import say
from drivers.model import ConfigError
from reports.basis import Basis
from reports.grade.bench import Bench
from reports.grade.judge import Judged, judge
from reports.grade.levels import Counted, best, count
from reports.grade.overlay import Overlay, lay
from reports.grade.table import ANY, INDUSTRIES, IndicatorTable, tables
from reports.values import Text

USUAL = "electrolytic_aluminium"
LIKE = {"recycled_aluminium": "recycled_metals"}  # industries of stacks, in the words of the tables


@dataclass(frozen=True, slots=True)
class Scheme:
    """An industry under a generation, before it is judged; tables of the industry come first."""

    industry: str
    generation: str
    tables: tuple[IndicatorTable, ...]

    @property
    def id(self) -> str:
        return f"{self.industry}.{self.generation}"

    @property
    def levels(self) -> tuple[str, ...]:
        return self.tables[0].file.levels

    @property
    def builds_on(self) -> Mapping[str, str]:
        return self.tables[0].file.builds_on

    @property
    def name(self) -> Text:
        return industry_name(self.industry)

    @property
    def target(self) -> str:
        """The level one wants: A, or the best there is."""
        return "A" if "A" in self.levels else self.levels[0]


@dataclass(frozen=True, slots=True)
class Graded:
    """A scheme with what was found."""

    scheme: Scheme
    judged: tuple[Judged, ...]
    counted: tuple[Counted, ...]

    @property
    def grade(self) -> str:
        """The best level that is proven; "" when none is."""
        return best(self.counted)

    def of(self, level: str) -> Counted:
        return next(each for each in self.counted if each.level == level)


def industry_name(industry: str) -> Text:
    """What an industry is called."""
    return INDUSTRIES.get(industry, Text(zh=industry, en=industry))


def industries(basis: Basis) -> tuple[str, ...]:
    """What the plant is graded as: stated, else its potlines and its stacks."""
    site = basis.site
    if site.grade.industries:
        return site.grade.industries
    found = dict.fromkeys([USUAL] if site.potline else [])
    found |= dict.fromkeys(LIKE.get(stack.industry, stack.industry) for stack in site.stacks)
    return tuple(each for each in found if each in INDUSTRIES)


def schemes(basis: Basis, overlays: Sequence[Overlay], day: date) -> list[Scheme]:
    """
    Every industry under every generation that applies to the plant on the day.

    Raises ConfigError when ``[grade]`` names what is not there, or nothing applies.
    """
    if problems := list(_unknown(basis)):
        raise ConfigError(problems)
    found = [
        Scheme(industry, generation, mine)
        for industry in industries(basis)
        for generation, mine in _joined(basis, lay(tables(), overlays, industry), industry, day)
    ]
    if not found:
        nothing = f"没有适用于 {day} 的绩效分级规则", f"no grading applies to this plant on {day}"
        raise ConfigError([say(*nothing)])
    return found


def _unknown(basis: Basis) -> Iterator[str]:
    """Industries and generations of ``[grade]`` that no table has."""
    grade = basis.site.grade
    generations = {table.file.generation for table in tables().values()}
    for key, given, known in (
        ("industries", grade.industries, set(INDUSTRIES)),
        ("generations", grade.generations, generations),
    ):
        if wrong := [each for each in given if each not in known]:
            have = ", ".join(sorted(known))
            yield say(
                f"site.toml [grade] {key}：没有 {'、'.join(wrong)}；有 {have}",
                f"site.toml [grade] {key}: no {', '.join(wrong)}; there are {have}",
            )


def _joined(
    basis: Basis, known: Mapping[str, IndicatorTable], industry: str, day: date
) -> list[tuple[str, tuple[IndicatorTable, ...]]]:
    site = basis.site
    found: dict[str, list[IndicatorTable]] = {}
    for table in known.values():
        file = table.file
        asked = file.generation in site.grade.generations
        applies = asked or (not site.grade.generations and not file.asked_only)
        in_force = file.applies_from <= day and (file.ended is None or day < file.ended)
        here = file.province in {"", site.province}
        if applies and in_force and here and file.industry in {industry, ANY}:
            found.setdefault(file.generation, []).append(table)
    for mine in found.values():
        mine.sort(key=lambda table: table.file.industry == ANY)
    return [(generation, tuple(mine)) for generation, mine in sorted(found.items())]


def graded(bench: Bench, scheme: Scheme) -> Graded:
    """Every indicator of every level judged, and the levels counted."""
    found = tuple(
        judge(bench, scheme.industry, each)
        for level in scheme.levels
        for table in scheme.tables
        for each in table.of_level(level)
    )
    levels = tuple(count(level, scheme.builds_on, found) for level in scheme.levels)
    return Graded(scheme, found, levels)
