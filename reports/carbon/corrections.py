"""
What a figure would be, corrected to the safe side for its instrument's days without certificate.

Shown beside the figure with both signs, never applied: whether a quantity is safe high or low
depends on what it is used for, and the rule was read for the power sector only.
"""

from decimal import Decimal

from reports.assembly import Assembly
from reports.entries.ledger import Ledger
from reports.formulas import FORMULAS
from reports.model import How, Line
from reports.periods import Period
from reports.plan.certificates import calibrations
from reports.plan.plan import Instrument, Plan
from reports.values import Text
from reports.words import rounded


def add_corrections(assembly: Assembly, ledger: Ledger, plan: Plan | None, month: Period) -> None:
    """A note at every measured figure whose instrument was not covered on some day of the month."""
    if plan is None:
        return
    days = {x.instrument.id: len(x.uncovered(month)) for x in calibrations(ledger, plan.instrument)}
    for line in list(assembly.lines.values()):
        if line.value is None or line.how is not How.ENTERED:
            continue  # of metered figures only power and heat, which the rule does not verify
        for instrument in plan.instruments_for(line.id):
            if instrument.counts and days[instrument.id]:
                known = assembly.lines[line.id]
                note = _note(known, line.value, instrument, days[instrument.id], month)
                assembly.put(known, notes=(*known.notes, note))


def _note(line: Line, value: Decimal, instrument: Instrument, days: int, month: Period) -> Text:
    share = Decimal(days) / len(month.days)
    accuracy = instrument.accuracy_class_percent
    emission, output = (
        rounded(
            value * (1 - share)
            + FORMULAS[f"meter_correction_{side}"](
                value=value * share, accuracy_class_percent=accuracy
            )["value"],
            line.decimals,
        )
        for side in ("emission", "output")
    )
    return Text(
        zh=f"{instrument.id} 有 {days}/{len(month.days)} 天无有效证书；"
        f"若按准确度等级 {accuracy} % 保守修正该部分：作排放侧 {emission} {line.unit}，"
        f"作产量侧 {output} {line.unit}（仅列示，未采用）",
        en=f"{instrument.id} had no valid certificate on {days} of {len(month.days)} days; that "
        f"part corrected by its class of {accuracy} %: {emission} {line.unit} as emission, "
        f"{output} {line.unit} as output (shown, not applied)",
    )
