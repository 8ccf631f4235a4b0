"""Green power: own, traded, certificates; the share of it against the weight of the province."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from reports.chapters import Cell, Column, Table
from reports.energy.bench import Bench, Wanted, given, head, stated, sum_of, unstated
from reports.energy.electricity import KWH, MWH
from reports.formulas import FORMULAS
from reports.model import Doubt, How
from reports.periods import Period
from reports.rules.packs import Legal, RuleError
from reports.site import PLANT
from reports.values import Text

GREEN: Final = "cn_green_power"
ZERO: Final = Decimal(0)
NAMED: Final = 3  # lots in one sentence
L_OWN: Final = Text(zh="自发自用可再生能源电量", en="Renewable power made and used on site")
L_TRADED: Final = Text(zh="绿电交易电量", en="Power bought by green-power trade")
L_RETIRED: Final = Text(zh="核销绿证电量", en="Certificates retired")
L_BUNDLED: Final = Text(zh="其中随绿电交易取得", en="of which came with a green-power trade")
L_APART: Final = Text(zh="单独绿证电量（不含绿电交易所附）", en="Certificates bought apart")
L_SHARE: Final = Text(zh="绿色电力消费比例", en="Share of green power")
L_WANTED: Final = Text(zh="本省要求的绿色电力消费比例", en="Share the province asks for")
L_GAP: Final = Text(zh="绿证缺口", en="Certificates missing")
_LEFT_OUT: Final = Text(zh="未填报、未计入", en="not stated, not counted")
_ONCE: Final = Text(
    zh="绿电交易所附绿证只计一次：按绿电交易电量计，绿证不再计",
    en="a certificate that came with a green-power trade counts once, with the trade",
)


def add_green(bench: Bench) -> None:
    """Amounts of the piece, MWh."""
    site = bench.basis.site
    own = Wanted("green_own", "green_own", L_OWN, MWH, site.pv_meters, KWH)
    traded = Wanted("green_traded", "green_traded", L_TRADED, MWH, site.green_meters, KWH)
    for wanted in (own, traded):
        stated(bench, wanted, None)
    for name, label in (("gec_retired", L_RETIRED), ("gec_bundled", L_BUNDLED)):
        what = head(PLANT, name, label, MWH)
        entries = [
            entry
            for entry in bench.basis.ledger.current().values()
            if entry.figure.kind.id == name and entry.figure.period == bench.period
        ]
        if not entries:
            unstated(bench.assembly, what)
            continue
        inputs = [bench.assembly.entry(entry.figure.item, entry) for entry in entries]
        total = sum((entry.figure.amount for entry in entries), ZERO)
        bench.assembly.state(what, total, How.ENTERED, inputs)


def add_green_share(bench: Bench) -> None:
    """Share, what is asked for, and the gap, from amounts that stand on the bench."""
    _apart(bench)
    assembly = bench.assembly
    what = head(PLANT, "green_share", L_SHARE, "fraction")
    used = bench.line(f"{PLANT}.electricity_total")
    names = ("green_own", "green_traded", "green_certificates")
    there = [name for name in names if bench.value(f"{PLANT}.{name}") is not None]
    if used is None or not used.value or not there:
        unstated(assembly, what)
        return
    notes = [
        Text(zh=f"{line.label.zh}：{_LEFT_OUT.zh}", en=f"{line.label.en}: {_LEFT_OUT.en}")
        for name in names
        if name not in there and (line := bench.line(f"{PLANT}.{name}")) is not None
    ]
    arguments = [
        *(assembly.from_line(f"{name.removeprefix('green_')}_mwh", f"{PLANT}.{name}")
          for name in there),
        assembly.from_line("energy_mwh", used.id),
    ]  # fmt: skip
    arguments += [
        given(f"{name.removeprefix('green_')}_mwh", ZERO, MWH, "0")
        for name in names
        if name not in there
    ]
    share = assembly.compute(what, "green_share", arguments, notes=(*notes, _ONCE))
    if share.value is not None:
        _gap(bench, there)


def _apart(bench: Bench) -> None:
    """Retired certificates less those that came with a trade; never below zero."""
    what = head(PLANT, "green_certificates", L_APART, MWH)
    retired = bench.value(f"{PLANT}.gec_retired")
    if retired is None:
        unstated(bench.assembly, what)
        return
    inputs = [bench.assembly.from_line("gec_retired", f"{PLANT}.gec_retired")]
    bundled = bench.value(f"{PLANT}.gec_bundled")
    if bundled is not None:
        inputs.append(bench.assembly.from_line("gec_bundled", f"{PLANT}.gec_bundled"))
    left = retired - (bundled or ZERO)
    if left < 0:
        why = Text(
            zh="随绿电交易取得的绿证多于核销量：请核对 gec_bundled 与 gec_retired",
            en="more certificates came with trades than were retired: check gec_bundled and "
            "gec_retired",
        )
        bench.assembly.state(what, None, How.MISSING, inputs, missing=[why])
        return
    line = bench.assembly.state(what, left, How.COMPUTED, inputs)
    bench.assembly.put(line, equation="W_cert = W_ret − W_bundled")


def _gap(bench: Bench, there: list[str]) -> None:
    assembly, province = bench.assembly, bench.basis.site.province
    name = f"aluminium_share_{province}"
    if name not in assembly.packs[GREEN].parameters:
        name = "aluminium_share"
    wanted = head(PLANT, "green_share_wanted", L_WANTED, "fraction")
    what = head(PLANT, "green_gap", L_GAP, "1")
    try:
        found = assembly.legal_or_absent(GREEN, name)
    except RuleError:
        unstated(assembly, wanted)
        return
    if not isinstance(found, Legal):
        why = Text(
            zh=f"本省比例未核：请打开 {found.source.title}，以补充规则录入 {found.id}",
            en=f"not known: open {found.source.title} and enter {found.id} as an overlay",
        )
        unstated(assembly, wanted, why)
        unstated(assembly, what, why)
        return
    asked = assembly.law("required_fraction", found, as_fraction=True)
    assembly.state(wanted, found.fraction, How.COMPUTED, [asked])
    label = Text(zh="计入的绿色电力", en="Green power counted")
    counted = sum_of(
        bench, head(PLANT, "green_counted", label, MWH), [f"{PLANT}.{n}" for n in there]
    )
    arguments = [
        assembly.from_line("energy_mwh", f"{PLANT}.electricity_total"),
        asked,
        assembly.from_line("green_mwh", counted.id),
    ]
    assembly.compute(what, "certificate_gap", arguments)


@dataclass(slots=True)
class Lot:
    """Certificates of one month of generation, MWh."""

    month: Period
    received: Decimal
    retired: Decimal
    valid_until: date  # the first day on which they are written off

    def left(self, day: date) -> Decimal:
        return ZERO if day >= self.valid_until else self.received - self.retired


def lots(bench: Bench) -> list[Lot]:
    """Every lot up to the end of the period, the one that expires first in front."""
    try:
        validity = bench.assembly.legal(GREEN, "certificate_validity_years")
    except RuleError:
        return []
    found: dict[str, Lot] = {}
    for entry in bench.basis.ledger.current().values():
        figure = entry.figure
        if figure.kind.id not in {"gec_held", "gec_retired"}:
            continue
        if figure.period.after > bench.period.after:
            continue
        month = Period.parse(figure.item)
        years = int(validity.number)
        until = date(month.after.year + years, month.after.month, 1)
        lot = found.setdefault(figure.item, Lot(month, ZERO, ZERO, until))
        if figure.kind.id == "gec_held":
            lot.received += figure.amount
        else:
            lot.retired += figure.amount
        bench.assembly.entry(figure.kind.id, entry)
    return [found[item] for item in sorted(found)]


def lot_doubts(bench: Bench, found: list[Lot]) -> Iterator[Doubt]:
    """More retired than there was; younger lots used before older ones; lots that lapsed unused."""
    line = f"{PLANT}.green_certificates"
    for lot in found:
        if lot.retired > lot.received:
            yield Doubt(
                line=line,
                text=Text(
                    zh=f"{lot.month} 绿证核销 {lot.retired} MWh，多于取得的 {lot.received} MWh",
                    en=f"certificates of {lot.month}: {lot.retired} MWh retired, only "
                    f"{lot.received} received",
                ),
            )
    unused = [lot for lot in found if lot.received > lot.retired]
    older = [
        lot
        for lot in unused
        if any(other.retired > 0 and other.month.first > lot.month.first for other in found)
    ]
    if older:
        zh, en = _named(older)
        yield Doubt(
            line=line,
            text=Text(
                zh=f"先核销了较新的绿证，较早的尚有结余：{zh}；应先用先到期的",
                en=f"younger certificates were retired while older ones are left: {en}; use those "
                "first that lapse first",
            ),
        )
    lapsed = [lot for lot in unused if lot.valid_until <= bench.period.after]
    if lapsed:
        zh, en = _named(lapsed)
        yield Doubt(line=line, text=Text(zh=f"绿证已失效：{zh}", en=f"certificates lapsed: {en}"))


def _named(found: list[Lot]) -> tuple[str, str]:
    rows = [(lot.month, lot.received - lot.retired, lot.valid_until) for lot in found]
    more = len(rows) - NAMED
    zh = "、".join(f"{month} {mwh:f} MWh（{until} 失效）" for month, mwh, until in rows[:NAMED])
    en = ", ".join(f"{mwh:f} MWh of {month} (until {until})" for month, mwh, until in rows[:NAMED])
    return (f"{zh} 等 {len(rows)} 个月", f"{en} and {more} more") if more > 0 else (zh, en)


def lot_table(bench: Bench, found: list[Lot]) -> Table | None:
    """Certificates by month of generation, first in first out."""
    if not found:
        return None
    day = bench.period.after
    rows: list[tuple[Cell, ...]] = [
        (str(lot.month), lot.received, lot.retired, lot.left(day), str(lot.valid_until))
        for lot in found
    ]
    columns = (
        Column(label=Text(zh="生产月", en="Month made")),
        Column(label=Text(zh="取得", en="Received"), unit="MWh", total=True),
        Column(label=Text(zh="核销", en="Retired"), unit="MWh", total=True),
        Column(label=Text(zh="有效结余", en="Left and valid"), unit="MWh", total=True),
        Column(label=Text(zh="失效日", en="Lapses on")),
    )
    title = Text(zh="绿证台账（先到期先用）", en="Certificates, first in first out")
    return Table(id="certificates", title=title, columns=columns, rows=tuple(rows))


def issue_table(months: list[tuple[str, Decimal]]) -> Table | None:
    """What own generation would be issued month by month: whole MWh, the rest rolls on."""
    if not months:
        return None
    rows = [{"month": month, "mwh": mwh} for month, mwh in months]
    issued = FORMULAS["green_certificates"].run(mwh_by_month=rows)["issued"]
    cells: list[tuple[Cell, ...]] = [
        (month, mwh, row["certificates"], row["carry"])
        for (month, mwh), row in zip(months, issued, strict=True)
    ]
    columns = (
        Column(label=Text(zh="月份", en="Month")),
        Column(label=L_OWN, unit="MWh", decimals=3, total=True),
        Column(label=Text(zh="可核发绿证", en="Certificates"), unit="1", total=True),
        Column(label=Text(zh="结转余量", en="Carried on"), unit="MWh", decimals=3),
    )
    note = Text(
        zh="1 张绿证 = 1 MWh，按月核发，不足 1 MWh 结转下月；期初结转按 0 计。",
        en="One certificate is 1 MWh, issued monthly; what is below rolls on. Begun with none.",
    )
    title = Text(zh="自发电量的绿证核发测算", en="Certificates for power made on site")
    return Table(id="issued", title=title, columns=columns, rows=tuple(cells), note=note)
