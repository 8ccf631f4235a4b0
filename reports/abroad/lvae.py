"""
PFC of low-voltage anode effects (LVAE), where a rule gives a factor per tonne for them.

No flag of a pot shows them: they lie below the voltage at which an effect is counted, so they come
on top of what slope and overvoltage tell. Lines ``<line>.<gas>.<rule>.lvae``.
"""

from decimal import Decimal
from typing import Final

from reports.abroad.pfc import GASES, Result, unread
from reports.abroad.rules import Bench, head
from reports.assembly import Argument
from reports.model import How, Input
from reports.rules.packs import Legal
from reports.site import Potline
from reports.values import Text

METHOD: Final = "lvae"
_NO_C2F6: Final = Input(
    name="ef_c2f6_kg_per_t", kind="site", ref="no_c2f6", value=Decimal(0), unit="kg/t"
)  # low-voltage effects give CF4 only; the rule has no factor for C2F6


def add_lvae(bench: Bench, line: Potline) -> Result | None:
    """None where the rule knows no such factor; without its value it says what to open."""
    name = f"tier1_lvae_cf4_{bench.rule.cell(line)}"
    if not bench.knows(name):
        return None
    found = bench.assembly.legal_or_absent(bench.rule.pack, name)
    if not isinstance(found, Legal):
        return Result("", METHOD, "1", why_not=_not_in(unread(found)))
    assembly = bench.assembly
    arguments = [
        assembly.from_line("aluminium_t", f"{line.id}.aluminium"),
        assembly.law("ef_cf4_kg_per_t", found),
        Argument(_NO_C2F6),
        *bench.gwp.arguments(assembly),
    ]
    for gas, (key, unit, word) in GASES.items():
        label = Text(
            zh=f"低电压阳极效应 {word.zh}（{bench.rule.name.zh}）",
            en=f"Low-voltage anode-effect {word.en} ({bench.rule.name.en})",
        )
        at = head(line.id, f"{gas}.{bench.rule.key}.{METHOD}", label, unit)
        made = assembly.compute(at, "pfc_default", arguments, key=key, how=How.DEFAULT)
        assembly.put(made, method="tier1_lvae")
    return Result(at.id, METHOD, "1")


def _not_in(why: Text) -> Text:
    return Text(zh=f"未计入总量：{why.zh}", en=f"not in the total: {why.en}")
