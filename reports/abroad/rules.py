"""Rules of other countries side by side: who they are, which cells they know, how they say it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from reports.abroad.anode_effect_input import Flags
from reports.abroad.gwp import GwpSet, gwp_set
from reports.assembly import Argument, Assembly, Head
from reports.basis import Basis
from reports.model import Input, Section
from reports.periods import Period
from reports.rules.packs import RuleError, RuleUnit
from reports.site import OwnFactor, Potline
from reports.values import Text

IPCC_2006: Final = "ipcc_2006_aluminium"
FOUR: Final = {cell: cell for cell in ("cwpb", "swpb", "vss", "hss")}
POINT_FED: Final = ("pfpb_l", "pfpb_m", "pfpb_mw")
CELLS: Final = {
    "cwpb": Text(zh="中间下料预焙槽（CWPB）", en="centre-worked prebake (CWPB)"),
    "swpb": Text(zh="边部下料预焙槽（SWPB）", en="side-worked prebake (SWPB)"),
    "vss": Text(zh="上插自焙槽（VSS）", en="vertical-stud Söderberg (VSS)"),
    "hss": Text(zh="侧插自焙槽（HSS）", en="horizontal-stud Söderberg (HSS)"),
    "pfpb_l": Text(zh="点式下料预焙槽 PFPB-L", en="point-feed prebake PFPB-L"),
    "pfpb_m": Text(zh="点式下料预焙槽 PFPB-M", en="point-feed prebake PFPB-M"),
    "pfpb_mw": Text(zh="点式下料预焙槽 PFPB-MW", en="point-feed prebake PFPB-MW"),
}
SODERBERG: Final = frozenset({"vss", "hss"})


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its pack, and which of its words fits a technology."""

    key: str
    pack: str
    name: Text
    cells: Mapping[str, str]
    anode_pack: str = IPCC_2006  # where the defaults of anode quality stand
    baking: bool = True  # counts pitch and packing coke of anode baking
    soda_ash: bool = True  # counts carbonates of flue-gas treatment

    def cell(self, line: Potline) -> str:
        """The pack's word for the technology of the line; "" when none fits."""
        return "" if line.cell is None else self.cells.get(line.cell, "")


_OLD: Final = FOUR | dict.fromkeys(POINT_FED, "cwpb")  # before 2019: point-fed prebake is CWPB
_NEW: Final = FOUR | {cell: cell for cell in POINT_FED}

RULES: Final = (
    Rule("ipcc_2006", IPCC_2006, Text(zh="IPCC 2006 指南", en="IPCC 2006"), _OLD),
    Rule("ipcc_2019", "ipcc_2019_aluminium", Text(zh="IPCC 2019 修订", en="IPCC 2019"), _NEW),
    Rule(
        "eu",
        "eu_cbam_2025_2547",
        Text(zh="欧盟 2025/2547", en="EU 2025/2547"),
        _NEW,
        baking=False,
    ),
    Rule(
        "us",
        "us_40cfr98_f",
        Text(zh="美国 40 CFR 98 F", en="US 40 CFR 98 F"),
        _OLD,
        anode_pack="us_40cfr98_f",
        soda_ash=False,
    ),
)


@dataclass(frozen=True, slots=True)
class Bench:
    """What the lines of one rule are made from, at hand for each step."""

    basis: Basis
    assembly: Assembly
    flags: Flags
    rule: Rule
    gwp: GwpSet

    def knows(self, name: str) -> bool:
        """True when the rule has such a parameter, be its value known or absent."""
        return name in self.assembly.packs[self.rule.pack].parameters

    def law(self, parameter: str, name: str, pack: str = "") -> Argument:
        """
        A value of this rule (or of ``pack``) as an argument, percent as fraction.

        Absent is missing, with the text to open.
        """
        pack = pack or self.rule.pack
        found = self.assembly.legal_or_absent(pack, name)
        percent = found.unit is RuleUnit.PERCENT
        return self.assembly.law_or_absent(parameter, pack, name, as_fraction=percent)

    def months(self, line: Potline) -> list[Period]:
        return months_of(self.basis, line)


def months_of(basis: Basis, line: Potline) -> list[Period]:
    """The months of the year in which the line ran; in a trial, up to the last one entered."""
    months = [m for m in basis.period.months if line.runs_in(m.first, m.after)]
    if not basis.preliminary:
        return months
    metal = {
        entry.figure.period.whole_month
        for entry in basis.ledger.current().values()
        if entry.figure.kind.id == "aluminium_tapped" and entry.figure.line == line.id
    }
    last = max((n for n, month in enumerate(months) if month in metal), default=0)
    return months[: last + 1]


def bench_of(basis: Basis, assembly: Assembly, flags: Flags, rule: Rule) -> Bench | None:
    """None when the rule is not in force in this year, or not part of the program."""
    pack = assembly.packs.get(rule.pack)
    if pack is None:
        return None
    try:
        return Bench(basis, assembly, flags, rule, gwp_set(assembly, rule.pack))
    except RuleError:
        return None


def head(scope: str, name: str, label: Text, unit: str) -> Head:
    """Tonnes and kilograms with two decimals, ratios with four."""
    return Head(scope, name, Section.INTERNATIONAL, label, unit, 4 if "/" in unit else 2)


def own(parameter: str, line: Potline, key: str, factor: OwnFactor, *, ratio: bool) -> Argument:
    """A coefficient that the site measured itself, as an argument."""
    return Argument(
        Input(
            name=parameter,
            kind="site",
            ref=f"{line.id}.{key}",
            value=factor.c2f6_fraction if ratio else factor.value,
            unit="kg/kg" if ratio else "kg/t",
        )
    )
