"""
Monthly inputs that rules abroad share – metal, anodes, overvoltage – and their gaps, rule by rule.

What was stated stands once, as ``<line>.<name>@<month>``. Where a rule puts a value in the place
of a missing month, that is a line of the rule's own: ``<line>.<name>.<rule>@<month>``.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from reports.abroad.anode_effect_input import Flags, add_month
from reports.abroad.gap_filling import MEAN_OF_TWO_AFTER, fill
from reports.abroad.rules import Bench, head, months_of
from reports.assembly import Argument, Assembly, Head
from reports.basis import Basis
from reports.entered import entered, month_of
from reports.model import How, Input, Line
from reports.periods import Period
from reports.rules.packs import Legal
from reports.site import Potline
from reports.values import Text

GUIDE: Final = "cn_ets_aluminium_2024"
MISSING: Final = "missing_method"  # parameter of a pack
LOOK_AHEAD: Final = 12  # months after the year in which values behind a gap at its end may lie
ALUMINIUM: Final = Text(zh="铝液产量", en="Liquid aluminium")
_CONSUMED: Final = Text(zh="阳极（糊）消耗量", en="Anode or paste consumed")
_NET: Final = Text(zh="阳极净消耗量", en="Net anode consumption")
_RATE: Final = Text(zh="吨铝阳极（糊）消耗", en="Anode or paste per tonne of aluminium")
_OVERVOLTAGE: Final = Text(zh="阳极效应过电压", en="Anode-effect overvoltage")
_BORROWED: Final = Text(
    zh="未录入残极返回量，残极按中国指南的阳极损失率扣除",
    en="no butts entered: the loss rate of the Chinese guide stands in their place",
)
_TOO_MANY: Final = Text(
    zh="残极返回量大于阳极消耗量，请核对", en="more butts than anodes; check both entries"
)
_NOT_WHOLE: Final = Text(
    zh="有月份缺数据，不给出全年平均值", en="months are missing: no mean of the year"
)
_NO_METAL: Final = Text(zh="铝液产量为零", en="no aluminium was produced")
_EFFICIENCY: Final = Text(zh="电流效率", en="Current efficiency")


def add_series(basis: Basis, assembly: Assembly, flags: Flags, line: Potline) -> None:
    """Every month's inputs of one potline, as they were measured or entered."""
    months = months_of(basis, line)
    for month in months:
        _metal(basis, assembly, line, month)
        _anode(basis, assembly, line, month)
    parts = [f"{line.id}.aluminium@{month}" for month in months]
    assembly.add_up(head(line.id, "aluminium", ALUMINIUM, "t"), parts)
    _mean(assembly, line, "anode_rate", months)
    for month in months:
        add_month(basis, assembly, flags, line, month)
    _mean(assembly, line, "ae_minutes", months)
    if stated(basis, line, "anode_effect_overvoltage"):
        for month in months:
            _overvoltage(basis, assembly, line, month)
            _efficiency(basis, assembly, line, month)


def _mean(assembly: Assembly, line: Potline, name: str, months: Sequence[Period]) -> None:
    """The year's mean, weighted by metal, for people to read; no figure is made from it."""
    pairs = [
        (assembly.lines[f"{line.id}.{name}@{m}"], assembly.lines[f"{line.id}.aluminium@{m}"])
        for m in months
    ]
    sample = pairs[0][0]
    at = head(line.id, name, sample.label, sample.unit)
    known = [(x.value, p.value) for x, p in pairs if x.value is not None and p.value is not None]
    metal = sum((weight for _, weight in known), Decimal(0))
    if len(known) < len(pairs) or not metal:
        assembly.state(at, None, How.NONE, [], notes=[_NOT_WHOLE])
        return
    value = sum((each * weight for each, weight in known), Decimal(0)) / metal
    inputs = [assembly.from_line(each.id, each.id) for each, _ in pairs]
    made = assembly.state(at, value, How.COMPUTED, inputs)
    assembly.put(made, equation="Σ(x × P) / ΣP")


def stated(basis: Basis, line: Potline, kind: str) -> bool:
    """True when anybody entered this in any month of the year."""
    return any(entered(basis.ledger, kind, line.id, month) for month in basis.period.months)


def _metal(basis: Basis, assembly: Assembly, line: Potline, month: Period) -> None:
    figure = month_of(basis.ledger, "aluminium_tapped", line, month)
    assembly.state(
        head(line.id, f"aluminium@{month}", ALUMINIUM, "t"),
        figure.amount,
        How.ENTERED,
        figure.inputs(assembly),
        coverage=figure.coverage,
        missing=figure.missing,
    )


def _overvoltage(basis: Basis, assembly: Assembly, line: Potline, month: Period) -> Line:
    figure = month_of(basis.ledger, "anode_effect_overvoltage", line, month)
    return assembly.state(
        head(line.id, f"ae_overvoltage@{month}", _OVERVOLTAGE, "mV"),
        figure.amount,
        How.ENTERED,
        figure.inputs(assembly),
        missing=figure.missing,
    )


def _efficiency(basis: Basis, assembly: Assembly, line: Potline, month: Period) -> Line:
    """Entered as a share, stated here in percent, as the equations of overvoltage want it."""
    figure = month_of(basis.ledger, "current_efficiency", line, month)
    return assembly.state(
        head(line.id, f"current_efficiency@{month}", _EFFICIENCY, "%"),
        None if figure.amount is None else figure.amount * 100,
        How.ENTERED,
        figure.inputs(assembly),
        missing=figure.missing,
    )


def _anode(basis: Basis, assembly: Assembly, line: Potline, month: Period) -> None:
    """Anode (or paste) of the month, net of butts, and per tonne of metal."""
    paste = line.cell in {"vss", "hss"}
    kind = "paste_consumed" if paste else "anode_consumed"
    consumed = head(line.id, f"anode_consumed@{month}", _CONSUMED, "t")
    _consumed(basis, assembly, line, month, kind, consumed)
    if paste:
        source = consumed.id
    else:
        _net(basis, assembly, line, month)
        source = f"{line.id}.anode_net@{month}"
    _rate(assembly, line, month, source)


def _consumed(
    basis: Basis, assembly: Assembly, line: Potline, month: Period, kind: str, at: Head
) -> None:
    names = ("anode_stock_begin", "anode_received", "anode_stock_end")
    stock = [entered(basis.ledger, name, line.id, month) for name in names]
    given = [entry for entry in stock if entry is not None]
    figure = month_of(basis.ledger, kind, line, month)
    if figure.amount is None and kind == "anode_consumed" and len(given) == len(names):
        parameters = ("stock_begin_t", "received_t", "stock_end_t")
        arguments = [assembly.entry(p, e) for p, e in zip(parameters, given, strict=True)]
        assembly.compute(at, "anode_stock", arguments)
        return
    assembly.state(
        at,
        figure.amount,
        How.ENTERED,
        figure.inputs(assembly),
        coverage=figure.coverage,
        missing=figure.missing,
    )


def _net(basis: Basis, assembly: Assembly, line: Potline, month: Period) -> None:
    """Less the butts that came back; without a record of them, less the Chinese guide's share."""
    at = head(line.id, f"anode_net@{month}", _NET, "t")
    consumed = assembly.from_line("anode_t", f"{line.id}.anode_consumed@{month}")
    butts = entered(basis.ledger, "anode_butts", line.id, month)
    if butts is None:
        loss = assembly.legal(GUIDE, "anode_loss_rate")
        arguments = [consumed, assembly.law("loss_fraction", loss, as_fraction=True)]
        assembly.compute(at, "anode_net", arguments, notes=[_BORROWED])
        return
    gross, back = consumed.input.value, assembly.entry("butts_t", butts)
    why = list(consumed.missing)
    if gross is not None and butts.figure.amount > gross:
        why.append(_TOO_MANY)
    net = None if why or gross is None else gross - butts.figure.amount
    made = assembly.state(at, net, How.COMPUTED, [consumed, back], missing=why)
    assembly.put(made, equation="NC = C − B")


def _rate(assembly: Assembly, line: Potline, month: Period, source: str) -> None:
    mass = assembly.from_line("anode_t", source)
    metal = assembly.from_line("aluminium_t", f"{line.id}.aluminium@{month}")
    why = [*mass.missing, *metal.missing]
    value = None
    if mass.input.value is not None and metal.input.value:
        value = mass.input.value / metal.input.value
    elif not why:
        why.append(_NO_METAL)
    at = head(line.id, f"anode_rate@{month}", _RATE, "t/t")
    made = assembly.state(at, value, How.COMPUTED, [mass, metal], missing=why)
    assembly.put(made, equation="NAC = NC / P")


# --- gaps


def series_for(bench: Bench, line: Potline, name: str, *, upward: bool = True) -> dict[Period, str]:
    """
    The line to use for each month: as it was measured, or the substitute of this rule.

    A rule without ``missing_method`` substitutes nothing: what is missing stays missing.
    """
    months = bench.months(line)
    ids = {month: f"{line.id}.{name}@{month}" for month in months}
    known = [bench.assembly.lines[ids[month]] for month in months]
    gaps = [n for n, each in enumerate(known) if each.value is None]
    if not gaps or not bench.knows(MISSING):
        return ids
    rule = bench.assembly.legal(bench.rule.pack, MISSING)
    if rule.value == MEAN_OF_TWO_AFTER:
        known += _ahead(bench, line, name, wanted=2 - (len(months) - 1 - gaps[-1]))
    for at in gaps:
        month = months[at]
        ids[month] = _substitute(bench, line, name, known, at, month, rule, upward=upward)
    return ids


def _ahead(bench: Bench, line: Potline, name: str, *, wanted: int) -> list[Line]:
    """The first ``wanted`` months of the next year that are known."""
    found: list[Line] = []
    month = bench.months(line)[-1]
    for _ in range(LOOK_AHEAD):
        month = Period.month(month.after.year, month.after.month)
        if len(found) >= wanted or not line.runs_in(month.first, month.after):
            break
        made = _month(bench, line, name, month)
        if made.value is None:
            del bench.assembly.lines[made.id]  # of no year that is reported here
        else:
            found.append(made)
    return found


def _month(bench: Bench, line: Potline, name: str, month: Period) -> Line:
    if name == "ae_minutes":
        return add_month(bench.basis, bench.assembly, bench.flags, line, month)
    if name == "current_efficiency":
        return _efficiency(bench.basis, bench.assembly, line, month)
    return _overvoltage(bench.basis, bench.assembly, line, month)


def _substitute(  # noqa: PLR0913 - what, where, by which rule
    bench: Bench,
    line: Potline,
    name: str,
    known: Sequence[Line],
    at: int,
    month: Period,
    rule: Legal,
    *,
    upward: bool,
) -> str:
    """The line that stands in the place of the gap; without a substitute it says why not."""
    assembly, gap = bench.assembly, known[at]
    filled = fill(str(rule.value), [each.value for each in known], at, upward=upward)
    made_from = [assembly.from_line(known[n].id, known[n].id) for n in filled.made_from]
    by = Input(name=MISSING, kind="legal", ref=rule.id, value=None, unit=str(rule.unit))
    name_ = f"{name}.{bench.rule.key}@{month}"
    title = Text(
        zh=f"{gap.label.zh}（按{bench.rule.name.zh}替代）",
        en=f"{gap.label.en}, substituted by {bench.rule.name.en}",
    )
    why = () if filled.why_not is None else (*gap.missing, filled.why_not)
    made = assembly.state(
        head(line.id, name_, title, gap.unit),
        filled.value,
        How.SUBSTITUTED,
        [*made_from, Argument(by)],
        missing=why,
        notes=gap.missing if filled.value is not None else (),
    )
    whole = Decimal(1) if filled.value is not None else None
    assembly.put(made, method=f"{rule.locator}: {rule.value}", substituted=whole)
    if whole is not None:
        assembly.put(gap, how=How.NONE)  # it is not there, and nothing waits for it any more
    return made.id
