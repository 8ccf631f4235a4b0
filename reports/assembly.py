"""
The bench on which a report is put together: lines, and everything they were made from.

A line is added with its inputs at hand; what is missing travels along with its reason, so no
figure is ever made from a value that is not there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from reports.citations import (
    AbsentUse,
    DocumentUse,
    EntryUse,
    LegalUse,
    MeterUse,
    OverlayUse,
    SourceText,
)
from reports.entries.ledger import Entry
from reports.formulas import FORMULAS
from reports.formulas.numbers import FormulaError
from reports.model import Coverage, How, Input, Line, Section
from reports.periods import PLANT_TIME, Period
from reports.rules.packs import Checked, Legal, RuleAbsentError, RuleError, RulePack, Wanted
from reports.rules.places import place_text
from reports.values import Text
from reports.words import rounded

FRACTION: Final = "fraction"
NO_WORDS: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Argument:
    """A value on its way into a formula, and where it comes from."""

    input: Input
    missing: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class Head:
    """What a line is, before its value is known."""

    scope: str
    name: str
    section: Section
    label: Text
    unit: str
    decimals: int

    @property
    def id(self) -> str:
        return f"{self.scope}.{self.name}"


@dataclass(slots=True)
class Assembly:
    """Collects one report. State lives here and nowhere else while it is made."""

    period: Period
    packs: Mapping[str, RulePack]
    lines: dict[str, Line] = field(default_factory=dict)
    legals: dict[str, LegalUse] = field(default_factory=dict)
    entries: dict[int, EntryUse] = field(default_factory=dict)
    meters: dict[str, MeterUse] = field(default_factory=dict)
    absent: dict[str, AbsentUse] = field(default_factory=dict)

    # --- what lines are made from

    def legal(self, pack: str, name: str) -> Legal:
        """The rule of this month, noted as used. Raises RuleError."""
        found = self.packs[pack].at(name, self.period.first)
        if found != self.packs[pack].at(name, self.period.days[-1]):
            raise RuleError(f"{pack}.{name} changes within {self.period}: split the month")
        return self.cite(found)

    def cite(self, found: Legal) -> Legal:
        """Note a rule as used."""
        self.legals[found.id] = legal_use(found)
        return found

    def law(self, parameter: str, legal: Legal, *, as_fraction: bool = False) -> Argument:
        value = legal.fraction if as_fraction else legal.number
        unit = FRACTION if as_fraction else str(legal.unit)
        return Argument(Input(name=parameter, kind="legal", ref=legal.id, value=value, unit=unit))

    def legal_or_absent(self, pack: str, name: str) -> Legal | Wanted:
        """The rule, or what a person must look up; either is noted. Raises RuleError."""
        try:
            return self.legal(pack, name)
        except RuleAbsentError as error:
            self.absent[error.wanted.id] = absent_use(error.wanted)
            return error.wanted

    def law_or_absent(
        self, parameter: str, pack: str, name: str, *, as_fraction: bool = False
    ) -> Argument:
        """A rule as argument; one that nobody could read is missing, with the text to open."""
        found = self.legal_or_absent(pack, name)
        if isinstance(found, Legal):
            return self.law(parameter, found, as_fraction=as_fraction)
        why = Text(
            zh=f"{found.zh}未知：请打开 {found.source.title}（{found.locator}；"
            f"{found.source.where}），以补充规则录入：smelter rules template {found.id}",
            en=f"{found.what} is unknown: open {found.source.title} "
            f"({place_text(found.locator, 'en')}; {place_text(found.source.where, 'en')}) and "
            f"enter it as an overlay: smelter rules template {found.id}",
        )
        unit = FRACTION if as_fraction else str(found.unit)
        given = Input(name=parameter, kind="legal", ref=found.id, value=None, unit=unit)
        return Argument(given, (why,))

    def entry(self, parameter: str, entry: Entry) -> Argument:
        """An entered figure in the unit of its kind, noted as used."""
        self.entries[entry.number] = entry_use(entry)
        figure = entry.figure
        return Argument(
            Input(
                name=parameter,
                kind="entry",
                ref=str(entry.number),
                value=figure.amount,
                unit=figure.kind.unit,
            )
        )

    def from_line(self, parameter: str, identity: str) -> Argument:
        line = self.lines[identity]
        given = Input(name=parameter, kind="line", ref=line.id, value=line.value, unit=line.unit)
        if line.value is not None:
            return Argument(given)
        why = Text(
            zh=f"缺少 {line.label.zh}（{line.id}）", en=f"{line.label.en} ({line.id}) is missing"
        )
        return Argument(given, line.missing or (why,))

    # --- lines

    def state(
        self,
        head: Head,
        value: Decimal | None,
        how: How,
        inputs: Sequence[Argument],
        *,
        coverage: Coverage | None = None,
        missing: Sequence[Text] = (),
        notes: Sequence[Text] = (),
    ) -> Line:
        """Add a line whose value is at hand, or is missing for the reasons given."""
        known = value is not None or how is How.NONE
        line = _line(head, value, how if known else How.MISSING, inputs)
        return self.put(line, coverage=coverage, missing=tuple(missing), notes=tuple(notes))

    def compute(
        self,
        head: Head,
        formula: str,
        arguments: Sequence[Argument],
        *,
        key: str = "",
        how: How = How.COMPUTED,
        notes: Sequence[Text] = (),
        words: Mapping[str, str] = NO_WORDS,
    ) -> Line:
        """Add a line by formula; ``key`` chooses one result, ``words`` are arguments in words."""
        missing = _missing(arguments)
        value = None
        if not missing:
            given = {a.input.name: a.input.value for a in arguments if a.input.value is not None}
            try:
                results = FORMULAS[formula](**given, **words)
                value = results[key] if key else next(iter(results.values()))
            except FormulaError as error:
                missing = (Text(zh=f"无法计算：{error.zh}", en=f"cannot be computed: {error.en}"),)
        return self.put(
            _line(head, value, How.MISSING if missing else how, arguments),
            formula=formula,
            equation=FORMULAS[formula].equation,
            missing=missing,
            notes=tuple(notes),
        )

    def add_up(self, head: Head, parts: Sequence[str]) -> Line:
        """Add the sum of lines; one that is missing makes the sum missing, by name."""
        arguments = [self.from_line(identity, identity) for identity in parts]
        missing = _missing(arguments)
        summed = [self.lines[identity] for identity in parts]
        whole = bool(parts) and not missing
        exact = sum((line.value or Decimal(0) for line in summed), Decimal(0))
        short = sum((line.rounded or Decimal(0) for line in summed), Decimal(0))
        return self.put(
            _line(head, exact if whole else None, How.SUM if whole else How.MISSING, arguments),
            equation="Σ",
            missing=missing,
            sum_of_rounded=short if whole else None,
        )

    def absorb(self, part: "Assembly") -> None:
        """Lay the lines of a part of the period, and their sources, here as ``id@part``."""
        named = part.period
        for line in part.lines.values():
            inputs = tuple(
                each.model_copy(update={"ref": f"{each.ref}@{named}"})
                if each.kind in {"line", "meter"}
                else each
                for each in line.inputs
            )
            identity = f"{line.id}@{named}"
            self.lines[identity] = line.model_copy(update={"id": identity, "inputs": inputs})
        for meter in part.meters.values():
            identity = f"{meter.id}@{named}"
            self.meters[identity] = meter.model_copy(update={"id": identity})
        self.legals |= part.legals
        self.entries |= part.entries
        self.absent |= part.absent

    def put(self, line: Line, **more: object) -> Line:
        """Keep the line, with the given fields set."""
        self.lines[line.id] = Line.model_validate(dict(line) | more)
        return self.lines[line.id]


def _missing(arguments: Sequence[Argument]) -> tuple[Text, ...]:
    return tuple(dict.fromkeys(text for argument in arguments for text in argument.missing))


def _line(head: Head, value: Decimal | None, how: How, arguments: Sequence[Argument]) -> Line:
    return Line(
        id=head.id,
        scope=head.scope,
        section=head.section,
        label=head.label,
        unit=head.unit,
        decimals=head.decimals,
        how=how,
        value=value,
        rounded=None if value is None else rounded(value, head.decimals),
        inputs=tuple(argument.input for argument in arguments),
    )


def legal_use(legal: Legal) -> LegalUse:
    """The citation as reports keep it."""
    source = legal.source
    return LegalUse(
        id=legal.id,
        pack=legal.pack,
        label=Text(zh=legal.zh, en=legal.what),
        value=legal.value if isinstance(legal.value, Decimal) else str(legal.value),
        unit=str(legal.unit),
        applies_from=legal.applies_from,
        source=SourceText(
            title=source.title,
            issuer=source.issuer,
            published=source.published,
            where=source.where,
        ),
        locator=legal.locator,
        confirmed=legal.confirmed.value,
        seen=legal.seen,
        seen_zh=legal.seen_zh,
        overlay=overlay_use(legal.overlay),
    )


def overlay_use(checked: Checked | None) -> OverlayUse | None:
    """Who checked a value that the plant entered itself; None for a value of the program."""
    if checked is None:
        return None
    return OverlayUse(
        entered_by=checked.entered_by,
        checked_by=checked.checked_by,
        checked_on=checked.checked_on,
        file=checked.file,
        document=DocumentUse(name=checked.document, sha256=checked.sha256),
        replaces_official=checked.replaces_official,
    )


def absent_use(wanted: Wanted) -> AbsentUse:
    """What a person must look up, as reports keep it."""
    source = wanted.source
    return AbsentUse(
        id=wanted.id,
        label=Text(zh=wanted.zh, en=wanted.what),
        unit=str(wanted.unit),
        source=SourceText(
            title=source.title,
            issuer=source.issuer,
            published=source.published,
            where=source.where,
        ),
        locator=wanted.locator,
    )


def entry_use(entry: Entry) -> EntryUse:
    """The entry as reports keep it."""
    figure = entry.figure
    documents = [
        None if d is None else DocumentUse(name=d.name, sha256=d.sha256)
        for d in (figure.document, figure.source)
    ]
    return EntryUse(
        number=entry.number,
        label=Text(zh=figure.kind.zh, en=figure.kind.en),
        kind=figure.kind.id,
        line=figure.line,
        period=str(figure.period),
        value=figure.value if figure.value is not None else figure.amount,
        unit=figure.unit,
        author=entry.author,
        reason=entry.reason,
        time=entry.time.astimezone(PLANT_TIME).isoformat(timespec="seconds"),
        voucher=figure.voucher,
        document=documents[0],
        source=documents[1],
        sheet=figure.sheet,
        row=figure.row,
        revises=entry.revises,
        item=figure.item,
        more=dict(figure.more),
        hash=entry.hash,
    )
