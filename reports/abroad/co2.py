"""
CO2 of anodes and paste by one rule.

Lines: ``<line>.co2.<rule>.<method>@<month>`` and, summed, the same without month.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from reports.abroad.pfc import Result, share_of
from reports.abroad.rules import SODERBERG, Bench, head
from reports.abroad.series import series_for
from reports.assembly import Argument, Head
from reports.entered import entered
from reports.model import How, Input, Line
from reports.periods import Period
from reports.site import Potline
from reports.values import Text

MISSING_CO2: Final = "missing_co2_"  # parameter of a rule that replaces missing anode data
METHODS: Final = {
    "anode": Text(zh="阳极净消耗量法", en="by net anode consumption"),
    "mass_balance": Text(zh="碳质量平衡法", en="by mass balance"),
    "soderberg": Text(zh="阳极糊法", en="by paste"),
    "tier1": Text(zh="吨铝缺省因子", en="default factor per tonne"),
}
SODERBERG_TERMS: Final = {
    "pitch_sulphur_fraction": "soderberg_pitch_sulphur",
    "pitch_ash_fraction": "soderberg_pitch_ash",
    "pitch_hydrogen_fraction": "soderberg_pitch_hydrogen",
    "coke_sulphur_fraction": "soderberg_coke_sulphur",
    "coke_ash_fraction": "soderberg_coke_ash",
    "dust_t_per_t": "soderberg_dust",
}


def add_co2(bench: Bench, line: Potline) -> list[Result]:
    """Every method of the rule, the one to be reported first."""
    if line.cell is None:
        return []
    results = [_by_consumption(bench, line)]
    kind = "soderberg" if line.cell in SODERBERG else "prebake"
    if bench.knows(f"tier1_co2_{kind}"):
        results.append(_tier1(bench, line, f"tier1_co2_{kind}"))
    return results


def _tier1(bench: Bench, line: Potline, factor: str) -> Result:
    assembly = bench.assembly
    at = _head(bench, line, "tier1")
    arguments = [
        assembly.from_line("aluminium_t", f"{line.id}.aluminium"),
        bench.law("ef_co2_t_per_t", factor),
    ]
    made = assembly.compute(at, "co2_tier1", arguments, how=How.DEFAULT)
    assembly.put(made, method="tier1")
    percent = None
    if bench.knows("tier1_co2_uncertainty"):
        value = bench.assembly.legal(bench.rule.pack, "tier1_co2_uncertainty").number
        percent = Text(zh=f"±{value} %", en=f"±{value} %")
    return Result(at.id, "tier1", "1", percent)


def _by_consumption(bench: Bench, line: Potline) -> Result:
    """Month by month from anodes or paste; a gap is filled as the rule says."""
    assembly = bench.assembly
    method = _method(bench, line)
    use = series_for(bench, line, "anode_rate") if bench.rule.key == "eu" else {}
    months = bench.months(line)
    replaced, tested = 0, 0
    for month in months:
        rate = use.get(month, f"{line.id}.anode_rate@{month}")
        at = _head(bench, line, method, f"@{month}")
        if assembly.lines[rate].value is None and _replaced(bench, line, month, at):
            replaced += len(month.days)
            continue
        lab = _laboratory(bench, line, month)
        tested += len(lab) == len(QUALITY)
        made = _month(bench, line, month, rate, at, lab)
        substituted = assembly.lines[rate].method
        if substituted and made.value is not None:
            replaced += len(month.days)
            assembly.put(made, how=How.SUBSTITUTED, method=substituted, substituted=Decimal(1))
        else:
            assembly.put(made, method=method)
    own = all(_own_net(bench, line, month) for month in months)
    tier = "3" if tested == len(months) and own and method != "soderberg" else "2"
    at = _head(bench, line, method)
    summed = assembly.add_up(at, [f"{at.id}@{month}" for month in months])
    share = share_of(replaced, months)
    whole = share if replaced and summed.value is not None else None
    assembly.put(summed, method=f"tier{tier}_{method}", substituted=whole)
    return Result(at.id, method, tier)


def _own_net(bench: Bench, line: Potline, month: Period) -> bool:
    """True when butts were weighed: by a default share of them no figure is the plant's own."""
    net = bench.assembly.lines.get(f"{line.id}.anode_net@{month}")
    return net is not None and all(given.kind != "legal" for given in net.inputs)


def _method(bench: Bench, line: Potline) -> str:
    if line.cell in SODERBERG:
        return "soderberg"
    return "mass_balance" if bench.knows("f_ratio") else "anode"


def _month(
    bench: Bench, line: Potline, month: Period, rate: str, at: Head, lab: dict[str, Argument]
) -> Line:
    assembly = bench.assembly
    metal = assembly.from_line("aluminium_t", f"{line.id}.aluminium@{month}")
    if line.cell in SODERBERG:
        given = [assembly.from_line("paste_t_per_t", rate), metal, *_paste(bench, line)]
        return assembly.compute(at, "soderberg_co2", given)
    quality = [
        lab.get(parameter) or bench.law(parameter, name, bench.rule.anode_pack)
        for name, parameter in QUALITY.items()
    ]
    if not bench.knows("f_ratio"):
        given = [assembly.from_line("net_anode_t_per_t", rate), metal, *quality]
        return assembly.compute(at, "prebake_co2", given)
    carbon = _carbon(bench, line, month, [assembly.from_line("rate", rate), metal, *quality])
    nothing = Input(
        name="carbon_out_t", kind="site", ref="butts_deducted", value=Decimal(0), unit="t"
    )
    given = [
        assembly.from_line("carbon_in_t", carbon),
        Argument(nothing),
        bench.law("f_ratio", "f_ratio"),
    ]
    return assembly.compute(at, "mass_balance_co2", given)


QUALITY: Final = {"anode_sulphur": "sulphur_fraction", "anode_ash": "ash_fraction"}


def _laboratory(bench: Bench, line: Potline, month: Period) -> dict[str, Argument]:
    """Sulphur and ash as tested in the month, where both were; else none of them."""
    found = {
        parameter: entered(bench.basis.ledger, kind, line.id, month)
        for kind, parameter in QUALITY.items()
    }
    whole = {p: bench.assembly.entry(p, e) for p, e in found.items() if e is not None}
    return whole if len(whole) == len(QUALITY) else {}


def _carbon(bench: Bench, line: Potline, month: Period, given: Sequence[Argument]) -> str:
    """Carbon in the anodes that were used up: rate * metal * (1 - S - A)."""
    label = Text(zh="阳极净耗碳量", en="Carbon in anodes used up")
    at = head(line.id, f"anode_carbon.{bench.rule.key}@{month}", label, "t")
    why = tuple(dict.fromkeys(text for each in given for text in each.missing))
    value = None
    if not why:
        rate, metal, sulphur, ash = (each.input.value or Decimal(0) for each in given)
        value = rate * metal * (1 - sulphur - ash)
    made = bench.assembly.state(at, value, How.COMPUTED, given, missing=why)
    return bench.assembly.put(made, equation="C = NAC × MP × (1 − S − A)").id


def _paste(bench: Bench, line: Potline) -> list[Argument]:
    pack = bench.rule.anode_pack
    binder = (
        Argument(
            Input(name="binder_fraction", kind="site", ref=line.id, value=None, unit=""),
            (_NO_PASTE,),
        )
        if line.paste is None
        else bench.law("binder_fraction", f"soderberg_binder_{line.paste}", pack)
    )
    tar = bench.law("tar_kg_per_t", f"soderberg_csm_{line.cell}", pack)
    return [tar, binder, *(bench.law(p, n, pack) for p, n in SODERBERG_TERMS.items())]


def _replaced(bench: Bench, line: Potline, month: Period, at: Head) -> bool:
    """CO2 by the factor that the rule puts in the place of missing anode data (98.65(a))."""
    kind = "soderberg" if line.cell in SODERBERG else "prebake"
    name = f"{MISSING_CO2}{kind}"
    if not bench.knows(name):
        return False
    assembly = bench.assembly
    rule = assembly.legal(bench.rule.pack, name)
    missing = assembly.lines[f"{line.id}.anode_consumed@{month}"].missing
    arguments = [
        assembly.from_line("aluminium_t", f"{line.id}.aluminium@{month}"),
        assembly.law("ef_co2_t_per_t", rule),
    ]
    made = assembly.compute(at, "co2_tier1", arguments, how=How.SUBSTITUTED, notes=missing)
    if made.value is not None:
        assembly.put(made, method=rule.locator, substituted=Decimal(1))
    return True


def _head(bench: Bench, line: Potline, method: str, at: str = "") -> Head:
    label = Text(
        zh=f"阳极 CO2（{bench.rule.name.zh}，{METHODS[method].zh}）",
        en=f"CO2 of anodes ({bench.rule.name.en}, {METHODS[method].en})",
    )
    return head(line.id, f"co2.{bench.rule.key}.{method}{at}", label, "tCO2")


_NO_PASTE: Final = Text(
    zh="site.toml 未写明阳极糊为干式或湿式（paste）",
    en="site.toml does not say whether the paste is dry or wet (paste)",
)
