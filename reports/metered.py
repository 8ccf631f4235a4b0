"""Lines from meters: what counters counted in the month, with coverage, gaps and batches."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from typing import Final

from reports.assembly import Argument
from reports.citations import BatchUse, EventUse, GapUse, MeterUse, RegisterUse
from reports.model import Coverage, Input
from reports.periods import Period, clock_text
from reports.series.counter_total import EDGE_NS, CounterTotal, Register, counter_total
from reports.series.store import Series
from reports.site import Meter
from reports.values import Text
from reports.words import short_text

GAPS_SHOWN: Final = 60
NOTED: Final = {"rollover": "表底满量程回零", "reset": "表底清零", "replacement": "换表"}
AMOUNT_DECIMALS: Final = 6  # of a float register; beyond that is binary noise


@dataclass(frozen=True, slots=True)
class Metered:
    """The sum of some meters as a formula takes it, and how far it can be relied upon."""

    argument: Argument
    inputs: tuple[Argument, ...]
    coverage: Coverage | None
    notes: tuple[Text, ...]


def read_meter(series: Series, meter: Meter, period: Period) -> MeterUse:
    """What one counter counted in the period."""
    rows = series.windows(meter, period.start_ns - EDGE_NS, period.end_ns + EDGE_NS)
    total = counter_total(rows, series.events(meter.equipment, period), period)
    return _use(meter, total)


def add_meters(name: str, meters: Sequence[MeterUse]) -> Metered:
    """The sum of ``meters`` as parameter ``name``; a meter without any figure makes it missing."""
    inputs = tuple(
        Argument(
            Input(name=m.id, kind="meter", ref=m.id, value=m.total, unit=m.unit),
            () if m.total is not None else (_absent(m),),
        )
        for m in meters
    )
    totals = [m.total for m in meters if m.total is not None]
    whole = len(totals) == len(meters)
    given = Input(
        name=name,
        kind="meter",
        ref=" + ".join(m.id for m in meters),
        value=sum(totals, Decimal(0)) if whole else None,
        unit=meters[0].unit,
    )
    missing = tuple(text for argument in inputs for text in argument.missing)
    return Metered(Argument(given, missing), inputs, _coverage(meters), _notes(meters))


def _absent(meter: MeterUse) -> Text:
    return Text(
        zh=f"计量表 {meter.id} 本月没有任何读数",
        en=f"meter {meter.id} has no reading in this month",
    )


def _coverage(meters: Sequence[MeterUse]) -> Coverage:
    worst = min(meters, key=lambda m: (m.measured_s + m.bridged_s, m.measured_s))
    known = worst.measured_s + worst.bridged_s
    share = _cut(known / worst.period_s)
    measured, bridged, unknown = (
        short_text(_cut(seconds / worst.period_s * 100))
        for seconds in (worst.measured_s, worst.bridged_s, worst.unknown_s)
    )
    return Coverage(
        share=share,
        text=Text(
            zh=f"逐分钟计量 {measured} %，按表底补齐 {bridged} %，未知 {unknown} %",
            en=f"by minute {measured} %, bridged by register {bridged} %, unknown {unknown} %",
        ),
    )


def _cut(value: Decimal) -> Decimal:
    """Cut, not rounded up: 99.99999 % must not look whole."""
    return value.quantize(Decimal("0.0001"), rounding=ROUND_DOWN)


def _notes(meters: Sequence[MeterUse]) -> tuple[Text, ...]:
    notes: list[Text] = []
    for meter in meters:
        if meter.total is not None and meter.unknown_s > 0:
            hours = f"{meter.unknown_s / 3600:.2f}"
            notes.append(
                Text(
                    zh=f"{meter.id} 有 {hours} 小时无法由表底推算，数值只含已知部分（偏低）",
                    en=f"{meter.id}: {hours} h are unknown even from the register; "
                    "the figure holds the known part only (too low)",
                )
            )
        if any(gap.split for gap in meter.gaps):
            notes.append(
                Text(
                    zh=f"{meter.id} 在月初或月末有缺口，跨月电量按时间比例分摊",
                    en=f"{meter.id}: a gap reaches over the edge of the month; split by time",
                )
            )
        if meter.conflicts:
            notes.append(
                Text(
                    zh=f"{meter.id} 有 {meter.conflicts} 个分钟窗口两次收到且不同，取较晚批次",
                    en=f"{meter.id}: {meter.conflicts} windows came twice with other values; "
                    "the later batch was taken",
                )
            )
        notes += [
            Text(
                zh=f"{meter.id} 于 {event.start} {NOTED[event.kind]}",
                en=f"{meter.id} {event.start}: {event.kind}",
            )
            for event in meter.events
            if event.kind in NOTED
        ]
    return tuple(notes)


def _use(meter: Meter, total: CounterTotal) -> MeterUse:
    return MeterUse(
        id=str(meter),
        equipment=meter.equipment,
        quantity=meter.quantity,
        unit=str(meter.unit),
        total=None if total.total is None else amount(total.total),
        period_s=total.period_s,
        measured_s=amount(total.measured_s),
        bridged_s=amount(total.bridged_s),
        unknown_s=amount(total.unknown_s),
        windows=total.windows,
        doubles=total.doubles,
        conflicts=total.conflicts,
        begin=_register(total.begin),
        end=_register(total.end),
        gaps=tuple(
            GapUse(
                start=clock_text(gap.start_ns),
                end=clock_text(gap.end_ns),
                reason=gap.reason,
                amount=None if gap.amount is None else amount(gap.amount),
                split=gap.split,
            )
            for gap in total.gaps[:GAPS_SHOWN]
        ),
        more_gaps=max(0, len(total.gaps) - GAPS_SHOWN),
        events=tuple(
            EventUse(
                kind=event.kind,
                start=clock_text(event.start_ns),
                end=None if event.end_ns is None else clock_text(event.end_ns),
                text=event.text,
                amount=None if event.amount is None else amount(event.amount),
            )
            for event in total.events[:GAPS_SHOWN]
        ),
        batches=tuple(
            BatchUse(
                gateway=b.gateway,
                log=b.log,
                first_seq=b.first_seq,
                last_seq=b.last_seq,
                batches=b.batches,
                windows=b.windows,
            )
            for b in total.batches
        ),
    )


def _register(register: Register | None) -> RegisterUse | None:
    if register is None:
        return None
    return RegisterUse(
        time=clock_text(register.end_ns),
        window_ns=register.start_ns,
        last=amount(register.last),
        raw=register.raw,
        gateway=register.gateway,
        log=register.log,
        seq=register.seq,
    )


def amount(value: float) -> Decimal:
    """A float of a register as the decimal it stands for."""
    return Decimal(repr(round(value, AMOUNT_DECIMALS)))
