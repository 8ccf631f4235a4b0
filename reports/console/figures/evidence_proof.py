"""Proof on demand: originals, registers, checkpoints behind a figure; and who used a reading."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from drivers.language import language, say
from drivers.model import ConfigError
from drivers.quantities import quantities
from reports.citations import MeterUse
from reports.console.figures.evidence_files import Asked, Source, UnknownError, source
from reports.console.office import Office
from reports.model import Content, PlantUse
from reports.periods import Period, clock_text
from reports.render.labels import REASONS, exact_text, label, unit_text
from reports.site import Meter, Site
from reports.trace.certified import Certified
from reports.trace.reverse import Reading, uses
from reports.trace.tracer import Tracer, verified

if TYPE_CHECKING:
    from reports.series.store import Series

Node = dict[str, Any]
SECOND_NS: Final = 1_000_000_000
READINGS_MOST: Final = 400  # shown of one line; all are judged
AROUND_NS: Final = 26 * 3600 * SECOND_NS  # the longest window, a day of a data logger, and more


def prove(office: Office, *, asked: Node, kind: str, ref: str, at_ns: int = 0) -> Node:
    """
    The trace of a line, or of one meter, down to batches under a cosigned checkpoint.

    ``at_ns``: also the window that this moment lies in. ``holds`` is None where there was nothing
    to prove: neither a formula nor a reading.
    """
    try:
        found = source(office, Asked(**asked))
    except UnknownError as error:
        return {"unknown": str(error)}
    site = office.site
    tracer = Tracer(found.content, site.originals, at_ns, Certified.of_site(site))
    tree = _tree(tracer, found, kind, ref)
    if tree is None:
        name = f"{found.content.report} {found.content.period.name}"
        return {"unknown": say(f"{name} 中没有 {ref}", f"{name} has no {ref}")}
    counted = _Count()
    counted.walk(tree)
    return counted.said(verified(tree)) | {"source": found.node(), "kind": kind, "ref": ref}


def _tree(tracer: Tracer, found: Source, kind: str, ref: str) -> Node | None:
    if kind == "line":
        try:
            return tracer.line(ref)
        except KeyError:
            return None
    meter = next((each for each in found.content.meters if each.id == ref), None)
    return None if meter is None else {"inputs": [{"meter": tracer.meter(meter)}]}


class _Count:
    """What a tree holds, each reading once."""

    def __init__(self) -> None:
        self.formulas = self.recomputed = self.untold = 0
        self.seen: set[str] = set()
        self.readings: list[Node] = []
        self.gauges: list[Node] = []
        self.entries: set[int] = set()
        self.legals: dict[str, str] = {}

    def walk(self, node: Node) -> None:
        identity = node.get("line", "")
        if identity and identity in self.seen:
            return
        self.seen.add(identity)
        if "recomputed" in node:
            self.formulas += 1
            self.recomputed += node["recomputed"] is True
            self.untold += node["recomputed"] is None
        for given in node.get("inputs", ()):
            if "entry" in given:
                self.entries.add(given["entry"]["number"])
            elif "legal" in given:
                self.legals[given["legal"]["id"]] = given["legal"]["confirmed"]
            elif "meter" in given:
                self._meter(given["meter"])
            elif "line" in given:
                self.walk(given)

    def _meter(self, meter: Node) -> None:
        if meter["id"] in self.seen:
            return
        self.seen.add(meter["id"])
        found = [
            _reading(meter, meter[key], key)
            for key in ("begin", "end", "window")
            if meter.get(key) is not None
        ]
        self.readings += found
        if not found:
            told = {"id": meter["id"], "windows": meter["windows"], "coverage": meter["coverage"]}
            self.gauges.append(told | {"batches": meter["batches"]})

    def said(self, good: bool) -> Node:
        checked = bool(self.formulas - self.untold or self.readings)
        under = [each for each in self.readings if each["inclusion"] == "proved"]
        return {
            "holds": good if checked else None,
            "formulas": self.formulas,
            "recomputed": self.recomputed,
            "untold": self.untold,
            "readings": self.readings[:READINGS_MOST],
            "readings_count": len(self.readings),
            "readings_good": sum(each["verified"] for each in self.readings),
            "under_checkpoint": len(under),
            "gauges": self.gauges[:READINGS_MOST],
            "gauges_count": len(self.gauges),
            "entries": len(self.entries),
            "legals": len(self.legals),
            "unconfirmed": sum(x in {"secondary", "unverified"} for x in self.legals.values()),
        }


_ENDS: Final = {
    "begin": ("期初表底", "register at begin"),
    "end": ("期末表底", "register at end"),
    "window": ("所问窗口", "the window asked for"),
}


def _reading(meter: Node, register: Node, end: str) -> Node:
    """A register, or a window, with its batch and what proves it."""
    inclusion = register.get("inclusion") or {}
    holds = inclusion.get("holds")
    state = {True: "proved", False: "broken", None: "none"}[holds]
    words = register.get("registers") or []
    return {
        "meter": meter["id"],
        "end": say(*_ENDS[end]),
        "time": register["time"],
        "window_s": register.get("window_s"),
        "last": register["last"],
        "shown": _number(register["last"]),
        "unit": unit_text(meter["unit"], language()),
        "raw": register.get("raw", ""),
        "registers": words,
        "verified": bool(register["verified"]),
        "problem": register.get("problem", ""),
        "line_protocol": register.get("line_protocol", ""),
        "stamped": register.get("stamped", ""),
        "gateway": register.get("gateway", ""),
        "log": register.get("log", ""),
        "seq": register.get("seq", 0),
        "digest": register.get("digest", ""),
        "chained": register.get("chained"),
        "inclusion": state,
        "inclusion_problem": inclusion.get("problem", ""),
        "checkpoint": inclusion.get("checkpoint"),
        "signed": inclusion.get("signed"),
        "cosigned": inclusion.get("cosigned"),
        "witness": inclusion.get("witness", ""),
    }


def _number(value: float | None) -> str:
    return exact_text(None if value is None else Decimal(repr(value)))


# --- a point at a moment


def point(office: Office, *, point: str, at_ns: int, period_s: int | None = None) -> Node:
    """
    The window (or with ``period_s`` 0 the sample) of ``line1/ac1 meter.energy_import`` at a moment.

    ``windows`` may be more than one where minutes, hours and days of a logger lie together.
    """
    equipment, _, quantity = point.partition(" ")
    known = quantities().get(quantity)
    if known is None:
        return {"unknown": say(f"没有物理量 {quantity}", f"there is no quantity {quantity}")}
    meter = Meter(equipment, quantity)
    rows = _sample(office.site, meter, at_ns) if period_s == 0 else None
    rows = _windows(office.site, meter, at_ns, period_s) if rows is None else rows
    return {
        "point": point,
        "equipment": equipment,
        "quantity": quantity,
        "title": f"{equipment} {say(known.zh, known.en)}",
        "unit": unit_text(known.unit.value, language()),
        "counter": known.kind.value == "counter",
        "at_ns": at_ns,
        "at": clock_text(at_ns),
        "sample": period_s == 0,
        "windows": rows,
    }


@contextmanager
def _store(site: Site) -> "Iterator[Series]":
    """Raises ConfigError where the store cannot be read."""
    from reports.series.store import SeriesError, open_series

    try:
        with open_series(site) as series:
            yield series
    except SeriesError as error:
        raise ConfigError([str(error)]) from None


def _windows(site: Site, meter: Meter, at_ns: int, period_s: int | None) -> list[Node]:
    with _store(site) as series:
        found = series.windows(meter, at_ns - AROUND_NS, at_ns + 1, period_s)
    rows = []
    for n in range(len(found)):
        start, length = int(found.start_ns[n]), int(found.period_ns[n])
        if not start <= at_ns < start + length:
            continue
        numbers = {
            name: None if column[n] != column[n] else float(column[n])  # NaN is not itself
            for name, column in (
                ("mean", found.mean),
                ("min", found.low),
                ("max", found.high),
                ("last", found.last),
                ("inc", found.inc),
                ("good", found.good),
            )
        }
        rows.append(
            numbers
            | {
                "start_ns": start,
                "start": clock_text(start),
                "period_s": length // SECOND_NS,
                "n": int(found.n[n]),
                "reason": label(REASONS, found.reason[n] or "", language()),
                "shown": {key: _number(value) for key, value in numbers.items()},
                "raw": found.raw[n] or "",
                "gateway": found.gateway[n] or "",
                "log": found.log[n] or "",
                "seq": int(found.seq[n]),
            }
        )
    return rows


def _sample(site: Site, meter: Meter, at_ns: int) -> list[Node]:
    with _store(site) as series:
        ask = getattr(series, "samples", None)
        if ask is None:
            return []  # InfluxDB is asked for windows only
        table = ask(meter, at_ns - at_ns % SECOND_NS, at_ns + SECOND_NS).to_pylist()
    return [
        {
            "start": each["ts"].isoformat(),
            "mean": each["value"],
            "shown": {"mean": _number(each["value"])},
            "reason": label(REASONS, each["q"] or "", language()),
            "gateway": each["gateway"] or "",
            "log": each["log"] or "",
            "seq": each["seq"] or 0,
        }
        for each in table
    ]


def prove_point(office: Office, *, point: str, at_ns: int) -> Node:
    """The window of a point in its batch, with its checkpoint and certificates."""
    equipment, _, quantity = point.partition(" ")
    known = quantities().get(quantity)
    if known is None:
        return {"unknown": say(f"没有物理量 {quantity}", f"there is no quantity {quantity}")}
    site = office.site
    meter = _use(point, equipment, quantity)
    window = _tracer(site, at_ns).window(meter)
    about = {"id": point, "unit": known.unit.value}
    return {
        "reading": _reading(about, window, "window"),
        "certificates": Certified.of_site(site).behind(meter, _day(at_ns)),
        "point": point,
        "at_ns": at_ns,
    }


def _tracer(site: Site, at_ns: int) -> Tracer:
    """For readings of no report: of the report it asks only whose plant it is."""
    plant: dict[str, Any] = {"id": site.plant}
    held: dict[str, Any] = {"plant": PlantUse.model_construct(**plant)}
    return Tracer(Content.model_construct(**held), site.originals, at_ns)


def _use(point: str, equipment: str, quantity: str) -> MeterUse:
    held: dict[str, Any] = {"id": point, "equipment": equipment, "quantity": quantity}
    return MeterUse.model_construct(**held)


def _day(at_ns: int) -> Period:
    return Period.parse(clock_text(at_ns)[:10])


def used(office: Office, *, point: str, at_ns: int) -> Node:
    """Which report versions, and which of their lines, rest on that reading."""
    equipment, _, quantity = point.partition(" ")
    found = []
    if office.reports.is_dir():
        for use in uses(office.reports, Reading(equipment, quantity, at_ns)):
            ordered = sorted(use.lines, key=lambda key: key not in use.direct)
            found.append(
                {
                    "file": use.path.name,
                    "name": use.name,
                    "version": use.version,
                    "unchanged": use.whole,
                    "complete": use.complete,
                    "lines": [*_lines_of(use.lines, use.direct, ordered)],
                    "count": len(ordered),
                }
            )
    return {"point": point, "at": clock_text(at_ns), "reports": found}


def _lines_of(lines: Any, direct: Any, ordered: list[str]) -> Iterator[Node]:
    for key in ordered[:200]:
        yield {"id": key, "label": lines[key].of(language()), "direct": key in direct}
