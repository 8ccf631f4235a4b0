"""Evidence from points of the control system: treatment runs while production runs; DCS data."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Final

import numpy as np

from reports.assembly import Argument
from reports.citations import BatchUse, MeterUse
from reports.emissions.hours import pieces
from reports.emissions.minutes import production_points
from reports.emissions.states import HOUR_NS, Bools, State, day_of
from reports.grade.bench import Bench, Hours, figure
from reports.grade.evidence import Interlock, Uptime
from reports.grade.findings import Case, Finding, Status, join, unknown
from reports.grade.ours import ours
from reports.model import Input
from reports.periods import Period
from reports.series.store import Windows
from reports.site import Meter
from reports.site_stacks import Stack
from reports.values import Text

LEAST: Final = 1e-6  # share of a minute off that is named
CASES: Final = 200
MINUTE_NS: Final = 60_000_000_000
HUNDRED: Final = Decimal(100)


@dataclass(frozen=True, slots=True)
class _Watched:
    """A control point against the production of its stack; minutes over the year."""

    ran: Decimal
    off: Decimal
    unknown: Decimal
    cases: tuple[Case, ...]
    inputs: tuple[Argument, ...]
    text: Text


def interlock(bench: Bench, industry: str, asked: Interlock) -> Finding:
    """Minutes in which production ran and a treatment unit did not."""
    stacks = bench.stacks(industry, asked.stacks)
    missing = sorted(set(asked.stacks) - {stack.id for stack in stacks})
    if missing or not stacks:
        told = "、".join(missing)
        return unknown(
            f"site.toml 中没有排放口 {told}".rstrip(),
            f"no stack {told} in site.toml".replace("  ", " "),
            "set_up",
        )
    bare = [s.id for s in stacks if not s.controls or not production_points(bench.basis.site, s)]
    if bare:
        told = "、".join(bare)
        return unknown(
            f"{told} 未配置治理设施点 controls 或生产点 production",
            f"{told}: no points `controls`, or none that says production runs, in site.toml",
            "set_up",
        )
    found = [each for stack in stacks for each in _watch(bench, stack)]
    return _interlock_finding(found, asked)


def _interlock_finding(found: Sequence[_Watched], asked: Interlock) -> Finding:
    off = sum((each.off for each in found), Decimal(0))
    blind = any(
        each.unknown * HUNDRED > ours().unknown_percent * max(each.ran, Decimal(1))
        for each in found
    )
    never = any(each.ran == 0 for each in found)
    status = (
        Status.FAILED if off > asked.minutes
        else Status.UNKNOWN if blind or never
        else Status.PROVEN
    )  # fmt: skip
    return Finding(
        status,
        join([each.text for each in found]),
        off,
        "min",
        0,
        tuple(argument for each in found for argument in each.inputs),
        tuple(case for each in found for case in each.cases)[:CASES],
        effort={Status.PROVEN: "", Status.FAILED: "wait", Status.UNKNOWN: "set_up"}[status],
    )


@dataclass(slots=True)
class _Tally:
    """Minutes of one control point so far."""

    ran: Decimal = Decimal(0)
    off: Decimal = Decimal(0)
    blind: Decimal = Decimal(0)
    spans: list[tuple[int, int]] = field(default_factory=list)


def _watch(bench: Bench, stack: Stack) -> Iterator[_Watched]:
    """Each control point of a stack, minute by minute over the year."""
    makers = production_points(bench.basis.site, stack)
    points = tuple(dict.fromkeys((*stack.controls, *makers)))
    tallies = {control: _Tally() for control in stack.controls}
    for part in pieces(bench.period):
        grid = bench.basis.series.minutes(points, part)
        at = [points.index(point) for point in makers]
        makes = np.fmax.reduce(grid.mean[at], axis=0)  # NaN only where no point is known
        works = _in_use(stack, part)
        producing = works & (np.nan_to_num(makes, nan=-np.inf) > float(stack.production_above))
        unknown_source = works & np.isnan(makes) & ~_stands(bench, stack, part)
        unseen = Decimal(int(unknown_source.sum()))
        for control, tally in tallies.items():
            runs = grid.mean[points.index(control)]
            off = np.where(producing & ~np.isnan(runs), np.clip(1.0 - runs, 0.0, 1.0), 0.0)
            tally.ran += Decimal(int(producing.sum()))
            tally.off += Decimal(repr(round(float(off.sum()), 3)))
            tally.blind += unseen + Decimal(int((producing & np.isnan(runs)).sum()))
            tally.spans += _spans(off > LEAST, part)
    for control, tally in tallies.items():
        yield _watched(bench, stack, control, tally)


def _stands(bench: Bench, stack: Stack, part: Period) -> Bools:
    """Minutes of hours in which the source stood: by a mark of a person, or its instruments."""
    hours = bench.hours(stack)
    stopped = [x.having(State.STOPPED) for x in hours.pollutants.values()]
    if not stopped:
        return np.zeros(part.hours * 60, dtype=bool)
    return np.repeat(np.logical_and.reduce(stopped)[hours.slice_of(part)], 60)


def _in_use(stack: Stack, part: Period) -> Bools:
    """Minutes in which the stack is in use."""
    first, after = stack.within(part.first, part.after)
    works = np.zeros(part.hours * 60, dtype=bool)
    start, end = ((day - part.first) // timedelta(minutes=1) for day in (first, after))
    works[max(start, 0) : max(end, 0)] = True
    return works


def _spans(mask: Bools, part: Period) -> list[tuple[int, int]]:
    """Minutes one after the other as [start, end), ns."""
    edges = np.flatnonzero(np.diff(np.r_[False, mask, False])).reshape(-1, 2)
    return [
        (part.start_ns + int(a) * MINUTE_NS, part.start_ns + int(b) * MINUTE_NS) for a, b in edges
    ]


def _joined(place: str, spans: Sequence[tuple[int, int]], text: Text) -> tuple[Case, ...]:
    """Stretches, those over the edge of a month as one."""
    made: list[Case] = []
    for start, end in spans:
        if made and made[-1].end_ns == start:
            made[-1] = Case(place, made[-1].start_ns, end, text)
        else:
            made.append(Case(place, start, end, text))
    return tuple(made)


def _watched(bench: Bench, stack: Stack, control: Meter, tally: _Tally) -> _Watched:
    ran, off, blind = tally.ran, tally.off, tally.blind
    inputs = tuple(
        used(bench, point) for point in (control, *production_points(bench.basis.site, stack))
    )
    name = control.equipment.replace("/", "_") + "_" + control.quantity.replace(".", "_")
    label = Text(
        zh=f"{stack.name.zh}：生产运行而 {control} 未运行",
        en=f"{stack.name.en}: production ran while {control} did not",
    )
    line = bench.line(figure(stack.id, f"off.{name}", label, "min", 0), off, inputs)
    text = Text(
        zh=f"{stack.id} {control}：生产运行 {ran / 60:.0f} 小时，未同步 {off:.0f} 分钟，"
        f"无法判断 {blind:.0f} 分钟",
        en=f"{stack.id} {control}: production ran {ran / 60:.0f} h, off meanwhile {off:.0f} min, "
        f"unknown {blind:.0f} min",
    )
    why = Text(zh=f"生产运行而 {control} 未运行", en=f"production ran while {control} did not")
    return _Watched(ran, off, blind, _joined(stack.id, tally.spans, why), (line,), text)


def used(bench: Bench, point: Meter) -> Argument:
    """A gauge of the year as an input: how many windows, from which batches."""
    key = str(point)
    if key not in bench.assembly.meters:
        bench.assembly.meters[key] = _use(bench, point)
    use = bench.assembly.meters[key]
    return Argument(Input(name=key, kind="meter", ref=key, value=use.total, unit=use.unit))


def _use(bench: Bench, point: Meter) -> MeterUse:
    """Hours of the year that have windows; the batches are those of its first and last day."""
    hours = bench.points([point])[0]
    there = np.flatnonzero(hours.there)
    batches: dict[tuple[str, str], BatchUse] = {}
    edges = {day_of(bench.period.start_ns + int(n) * HOUR_NS) for n in (*there[:1], *there[-1:])}
    windows = 0
    for day in sorted(edges):
        span = Period.between(day, day)
        found = bench.basis.series.windows(point, span.start_ns, span.end_ns)
        windows += len(found)
        _add_batches(batches, found)
    measured = float(np.nansum(hours.share)) * 3600
    return MeterUse(
        id=str(point),
        equipment=point.equipment,
        quantity=point.quantity,
        unit=str(point.unit),
        total=None,
        period_s=Decimal(bench.period.hours * 3600),
        measured_s=Decimal(repr(round(measured, 3))),
        bridged_s=Decimal(0),
        unknown_s=Decimal(repr(round(bench.period.hours * 3600 - measured, 3))),
        windows=windows,
        doubles=0,
        conflicts=0,
        begin=None,
        end=None,
        gaps=(),
        more_gaps=0,
        events=(),
        batches=tuple(batches.values()),
    )


def _add_batches(batches: dict[tuple[str, str], BatchUse], found: Windows) -> None:
    for gateway, log, seq in zip(found.gateway, found.log, found.seq, strict=True):
        known = batches.get((gateway, log))
        low = int(seq) if known is None else min(known.first_seq, int(seq))
        high = int(seq) if known is None else max(known.last_seq, int(seq))
        count = 1 if known is None else known.windows + 1
        batches[gateway, log] = BatchUse(
            gateway=gateway or "",
            log=log or "",
            first_seq=low,
            last_seq=high,
            batches=high - low + 1,
            windows=count,
        )


def dcs_points(bench: Bench, industry: str) -> tuple[Meter, ...]:
    """Points of the control system that a reviewer asks for."""
    site = bench.basis.site
    if site.grade.dcs:
        return site.grade.dcs
    points: dict[Meter, None] = {}
    for stack in bench.stacks(industry):
        points |= dict.fromkeys((*production_points(site, stack), *stack.controls))
    return tuple(points)


def dcs_uptime(bench: Bench, industry: str, asked: Uptime) -> Finding:
    """Share of the hours of the year with good data, of the worst point."""
    points = dcs_points(bench, industry)
    if not points:
        return unknown(
            "site.toml [grade] 未列 dcs 点，排放口也无生产、治理点",
            "site.toml lists no dcs points in [grade], and no stack has production or controls",
            "set_up",
        )
    shares = [(_good(hours), str(hours.point)) for hours in bench.points(points)]
    least, place = min(shares)
    met = least >= asked.percent
    label = Text(zh="DCS 数据有效率最低点", en="DCS point with the least valid hours")
    line = bench.line(
        figure("plant", "dcs_year_uptime", label, "%", 2), least,
        [used(bench, point) for point in points],
    )  # fmt: skip
    return Finding(
        Status.PROVEN if met else Status.FAILED,
        Text(
            zh=f"{len(points)} 个点中最低 {least:.2f} %（{place}），要求 {asked.percent} %",
            en=f"lowest of {len(points)} points {least:.2f} % ({place}), wanted {asked.percent} %",
        ),
        least,
        "%",
        2,
        (line,),
        effort="" if met else "wait",
    )


def _good(hours: Hours) -> Decimal:
    """Percent of the hours whose good share is large enough (our own limit)."""
    enough = float(ours().hour_valid_percent) / 100
    good = int((np.nan_to_num(hours.share, nan=0.0) >= enough).sum())
    return Decimal(good * 100) / len(hours.share)
