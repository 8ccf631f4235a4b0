"""Lines from entries: a month's figure from what people entered, by day or by month."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_DOWN, Decimal

from reports.assembly import Argument, Assembly
from reports.entries.kinds import KINDS
from reports.entries.ledger import Entry, Ledger
from reports.model import Coverage
from reports.periods import Period
from reports.site import PLANT, Potline
from reports.values import Text

DAYS_NAMED = 5


@dataclass(frozen=True, slots=True)
class Entered:
    """The figure of a month: None when entries are missing, with what is missing."""

    amount: Decimal | None
    entries: tuple[Entry, ...]
    coverage: Coverage | None
    missing: tuple[Text, ...]

    def inputs(self, assembly: Assembly) -> list[Argument]:
        """The entries as inputs of a line, noted as used."""
        return [assembly.entry(str(entry.figure.period), entry) for entry in self.entries]


def entered(ledger: Ledger, kind: str, line: str, period: Period, item: str = "") -> Entry | None:
    """The entry of that period that counts."""
    return ledger.current().get((kind, line, period, item))


def month_of(
    ledger: Ledger, kind: str, line: Potline | None, month: Period, item: str = ""
) -> Entered:
    """One month's entry, or the sum of its days; every day on which the line runs is needed."""
    place = PLANT if line is None else line.id
    whole = entered(ledger, kind, place, month, item)
    if whole is not None:
        return Entered(whole.figure.amount, (whole,), _share(1, 1, by_day=False), ())
    days = [d for d in month.days if line is None or line.runs_in(d, d + timedelta(days=1))]
    found = {
        entry.figure.period.first: entry
        for entry in ledger.current().values()
        if entry.figure.kind.id == kind
        and entry.figure.line == place
        and entry.figure.item == item
        and entry.figure.period.first in days
    }
    entries = tuple(found[day] for day in sorted(found))
    absent = [str(day) for day in days if day not in found]
    if not entries:
        return Entered(None, (), None, (_no_entry(kind, place, month, item),))
    coverage = _share(len(days) - len(absent), len(days), by_day=True)
    if absent:
        return Entered(None, entries, coverage, (_no_days(kind, place, absent),))
    total = sum((entry.figure.amount for entry in entries), Decimal(0))
    return Entered(total, entries, coverage, ())


def _share(have: int, needed: int, *, by_day: bool) -> Coverage:
    share = (Decimal(have) / max(1, needed)).quantize(Decimal("0.0001"), rounding=ROUND_DOWN)
    if not by_day:
        return Coverage(share=share, text=Text(zh="整月录入", en="entered for the month"))
    return Coverage(
        share=share,
        text=Text(zh=f"按日录入 {have}/{needed} 天", en=f"entered for {have} of {needed} days"),
    )


def _no_entry(kind: str, line: str, month: Period, item: str) -> Text:
    known = KINDS[kind]
    name = known.item_name(item) if item else None
    zh, en = ("", "") if name is None else (f"（{name.zh}）", f" ({name.en})")
    return Text(
        zh=f"缺少 {line} {month} 的{known.zh}{zh}录入数据",
        en=f"no entry of {known.en}{en} for {line} in {month}",
    )


def _no_days(kind: str, line: str, days: list[str]) -> Text:
    known = KINDS[kind]
    named = ", ".join(days[:DAYS_NAMED]) + (" …" if len(days) > DAYS_NAMED else "")
    return Text(
        zh=f"{line} 的{known.zh}缺 {len(days)} 天：{named}",
        en=f"{known.en} of {line}: {len(days)} days missing: {named}",
    )
