"""From a figure of a report to all it stands on: lines, entries, rules, batches, registers."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from reports.citations import EntryUse, LegalUse, MeterUse, RegisterUse
from reports.formulas import FORMULAS
from reports.formulas.numbers import FormulaError
from reports.model import Content, Line
from reports.periods import Period, clock_text
from reports.trace.certified import Certified
from reports.trace.inclusion import Inclusion
from reports.trace.originals import (
    Original,
    OriginalsError,
    closed_between,
    fields,
    find_in,
    find_line,
    log_folder,
    read_batch,
)
from reports.trace.stamped import Shifts

Node = dict[str, Any]
SAME: Final = Decimal("1e-9")  # relative; figures of a report file are floats
WINDOWS: Final = {60: "1m", 3600: "1h"}
SECOND_NS: Final = 1_000_000_000
MINUTE_NS: Final = 60 * SECOND_NS
HOUR_NS: Final = 60 * MINUTE_NS


@dataclass(frozen=True, slots=True)
class Tracer:
    """Walks one report; ``originals`` is None when the site keeps none here."""

    content: Content
    originals: Path | None
    at_ns: int = 0  # also show the window this lies in
    certified: Certified | None = None  # None: certificates are not looked up
    inclusion: Inclusion | None = None  # made from ``originals`` when it is not given
    shifts: Shifts = field(default_factory=Shifts)

    def __post_init__(self) -> None:
        if self.inclusion is None and self.originals is not None:
            made = Inclusion(self.originals, self.content.plant.id)
            object.__setattr__(self, "inclusion", made)

    def line(self, identity: str) -> Node:
        """The tree below a line. Raises KeyError when the report has no such line."""
        line = self.content.line(identity)
        node: Node = {
            "line": line.id,
            "label": line.label.model_dump(),
            "value": _number(line.value),
            "rounded": _number(line.rounded),
            "unit": line.unit,
            "how": line.how.value,
        }
        if line.formula or line.equation:
            node["formula"] = {"name": line.formula, "equation": line.equation}
        if line.formula:
            node["recomputed"] = self._recomputed(line)
        if line.coverage is not None:
            node["coverage"] = line.coverage.model_dump(mode="json")
        if line.missing:
            node["missing"] = [text.model_dump() for text in line.missing]
        if line.notes:
            node["notes"] = [text.model_dump() for text in line.notes]
        node["inputs"] = [
            {"name": given.name, "value": _number(given.value), "unit": given.unit}
            | self._source(given.kind, given.ref)
            for given in line.inputs
        ]
        return node

    def _source(self, kind: str, ref: str) -> Node:
        content = self.content
        if kind == "line":
            return self.line(ref)
        if kind == "entry":
            return {"entry": _entry(next(e for e in content.entries if str(e.number) == ref))}
        if kind == "legal":
            legal = next(x for x in content.legals if x.id == ref)
            return {"legal": _legal(legal) | {"pack_sha256": content.packs.get(legal.pack, "")}}
        if kind == "meter":
            meter = next((m for m in content.meters if m.id == ref), None)
            return {"ref": ref} if meter is None else {"meter": self.meter(meter)}
        return {"ref": ref}

    def _recomputed(self, line: Line) -> bool | None:
        """
        True when the formula gives the line's value again from the printed inputs.

        None where it also takes words or days, which are no inputs of a line.
        """
        formula = FORMULAS[line.formula]
        if line.value is None:
            return None
        given = {i.name: i.value for i in line.inputs if i.value is not None}
        if line.how.value == "metered":
            given = {formula.parameters[0]: sum(given.values(), Decimal(0))}
        if not {*formula.parameters} - {*formula.optional} <= {*given}:
            return None
        try:
            results = formula(**given).values()
        except FormulaError:
            return None  # a word that this line was made with is not among its figures
        return any(
            abs(value - line.value) <= SAME * max(Decimal(1), abs(line.value)) for value in results
        )

    def meter(self, meter: MeterUse) -> Node:
        """What is known of a meter, its registers proved."""
        node: Node = meter.model_dump(mode="json", include={"id", "unit", "total", "windows"})
        node["gauge"] = meter.is_gauge
        node["coverage"] = float((meter.measured_s + meter.bridged_s) / meter.period_s)
        node["batches"] = [batch.model_dump() for batch in meter.batches]
        node["gaps"] = [gap.model_dump(mode="json") for gap in meter.gaps]
        node["events"] = [event.model_dump(mode="json") for event in meter.events]
        if self.certified is not None:
            period = Period.parse(meter.id.partition("@")[2] or self.content.period.name)
            node["certificates"] = self.certified.behind(meter, period)
        for name, register in (("begin", meter.begin), ("end", meter.end)):
            node[name] = None if register is None else self._register(meter, register)
        if self.at_ns:
            node["window"] = self.window(meter)
        if meter.begin is not None and meter.end is not None and meter.total is not None:
            way = meter.end.last - meter.begin.last
            node["register_difference"] = float(way)
            node["difference_agrees"] = abs(way - meter.total) <= Decimal("1e-6") * max(
                Decimal(1), way
            )
        return node

    def _register(self, meter: MeterUse, register: RegisterUse) -> Node:
        """The reading, the batch that holds it, and whether every digest holds."""
        node: Node = register.model_dump(mode="json")
        try:
            proof = self._proof(meter, register)
        except OriginalsError as error:
            return node | {"verified": False, "problem": str(error)}
        stated = float("nan") if proof["last"] is None else proof["last"]
        good = abs(stated - float(register.last)) <= 1e-6 * max(1.0, abs(stated))
        return node | proof | {"verified": good}

    def window(self, meter: MeterUse) -> Node:
        """The minute ``at_ns`` lies in, or else its hour, and the batch that holds it."""
        problem = ""
        for period_s in WINDOWS:
            start_ns = self.at_ns - self.at_ns % (period_s * SECOND_NS)
            asked = RegisterUse(
                time="",
                window_ns=start_ns,
                last=Decimal(0),
                raw="",
                gateway="",
                log="",
                seq=0,
            )
            node: Node = {
                "time": clock_text(start_ns),
                "window_s": period_s,
                "last": None,
                "raw": "",
            }
            try:
                return node | self._proof(meter, asked, (period_s,)) | {"verified": True}
            except OriginalsError as error:
                problem = problem or str(error)
        node = {"time": clock_text(self.at_ns), "last": None, "raw": ""}
        return node | {"verified": False, "problem": problem}

    def _proof(
        self, meter: MeterUse, register: RegisterUse, periods_s: Collection[int] = WINDOWS
    ) -> Node:
        original, line = self._original(meter, register, periods_s)
        field = meter.quantity.partition(".")[2]
        found = fields(line)
        last = found.get(f"{field}_last")
        gateway, _, log = original.log
        return {
            "gateway": gateway,
            "log": log,
            "file": str(original.path),
            "offset": original.offset,
            "seq": original.seq,
            "digest": original.digest,
            "chained": self._chained(original),
            "inclusion": None if self.inclusion is None else self.inclusion.of(original),
            "line_protocol": line,
            **_stamped(line, register),
            "last": None if last is None else float(last),
            "raw": found.get(f"{field}_raw", ""),
            "registers": _registers(found.get(f"{field}_raw", "")),
        }

    def _original(
        self, meter: MeterUse, register: RegisterUse, periods_s: Collection[int]
    ) -> tuple[Original, str]:
        if self.originals is None:
            raise OriginalsError("site.toml names no originals")
        area, _, unit = meter.equipment.partition("/")
        measurement = meter.quantity.partition(".")[0]
        tags = f"plant={self.content.plant.id},line={area},unit={unit} "
        end = f" {register.window_ns}"
        starts = {s: f"{measurement}_{WINDOWS[s]},{tags}" for s in periods_s}
        for start in starts.values():
            for original in self._candidates(register, start, end):
                line = find_in(original, start, end)
                if line is not None:
                    return original, line
        for period_s, start in starts.items():  # last: what was moved costs a walk of its log
            for original in self._moved(register, start, period_s):
                line = self._line(original, start, register, period_s)
                if line is not None:
                    return original, line
        at = clock_text(register.window_ns)
        raise OriginalsError(
            f"no batch holds the window of {meter.id} at {register.window_ns} ({at})"
        )

    def _line(
        self, original: Original, start: str, register: RegisterUse, period_s: int
    ) -> str | None:
        """
        The line of what was moved to its true time; it has another stamp in the batch.

        That of the window that is cited, or of the one that ``at_ns`` lies in.
        """
        if register.time or not self.at_ns:
            found = self.shifts.line(original, start, register.window_ns)
        else:
            found = self.shifts.line(original, start, self.at_ns, period_s * SECOND_NS)
        return None if found is None else found[0]

    def _candidates(self, register: RegisterUse, start: str, end: str) -> Iterator[Original]:
        """The batch a lake names; InfluxDB names none, then the logs are searched."""
        if register.seq:
            yield self._named(register)
            return
        for folder in self._folders():
            found = find_line(folder, start, end, register.window_ns)
            if found is not None:
                yield found

    def _named(self, register: RegisterUse) -> Original:
        assert self.originals is not None  # noqa: S101 - ``_original`` asked
        root, plant = self.originals, self.content.plant.id
        return read_batch(log_folder(root, plant, register.gateway, register.log), register.seq)

    def _folders(self) -> list[Path]:
        assert self.originals is not None  # noqa: S101 - ``_original`` asked
        return sorted((self.originals / self.content.plant.id).glob("*/record/*/"))

    def _moved(self, register: RegisterUse, start: str, period_s: int) -> Iterator[Original]:
        """Batches closed around the stamps that stood for this time in an unsynced stretch."""
        if register.seq:
            yield self._named(register)
            return
        for folder in self._folders():
            for stamp_ns in self.shifts.stamps(folder, register.window_ns):
                near = stamp_ns - MINUTE_NS, stamp_ns + 2 * HOUR_NS
                for original in closed_between(folder, *near):
                    if self._line(original, start, register, period_s) is not None:
                        yield original
                        return

    def _chained(self, original: Original) -> bool | None:
        """True when the next batch carries this one's digest; None when there is no next one."""
        try:
            following = read_batch(original.path.parent, original.seq + 1)
        except OriginalsError:
            return None
        return following.prev == original.digest


def verified(node: Node) -> bool:
    """False when anything in the tree could not be recomputed or proved."""
    if node.get("verified") is False or node.get("recomputed") is False:
        return False
    if node.get("chained") is False or (node.get("inclusion") or {}).get("holds") is False:
        return False
    children = [*node.get("inputs", ())]
    children += [
        node[key] for key in ("meter", "begin", "end", "window") if isinstance(node.get(key), dict)
    ]
    return all(verified(child) for child in children)


def _stamped(line: str, register: RegisterUse) -> Node:
    """The stamp that the original has, where reports have moved the window to its true time."""
    stamp_ns = int(line.rpartition(" ")[2])
    return {} if stamp_ns == register.window_ns else {"stamped": clock_text(stamp_ns)}


def _same(one: Decimal, other: Decimal, relative: Decimal) -> bool:
    return abs(one - other) <= relative * max(Decimal(1), abs(other))


def _number(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def _entry(entry: EntryUse) -> Node:
    return entry.model_dump(mode="json", exclude_none=True)


def _legal(legal: LegalUse) -> Node:
    return legal.model_dump(mode="json")


def _registers(raw: str) -> list[int]:
    """The 16-bit registers of a hex text, as they came from the device."""
    return [int(raw[at : at + 4], 16) for at in range(0, len(raw) - len(raw) % 4, 4)]
