"""Which rows a template asks for: what this site has, sheet by sheet, and what is known already."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from reports.entries.kinds import KINDS, EntryKind, Group, Place, Span
from reports.entries.ledger import Entry, Key, Ledger
from reports.entries.reading import shown, too_early
from reports.periods import Period
from reports.site import PLANT, Site

_MONTH: Final = (Group.MONTHLY, Group.LABORATORY, Group.INSTRUMENTS, Group.CROSSCHECK)
PURPOSES: Final[Mapping[str, tuple[Group, ...]]] = {
    "carbon-monthly": _MONTH,
    "carbon-annual": _MONTH,
    "verification": (Group.CROSSCHECK, Group.INSTRUMENTS),
    "international": (Group.ABROAD,),
    "cbam": (Group.CBAM, Group.ABROAD),
    "energy": (Group.MONTHLY, Group.ENERGY),
    "allowance": (Group.YEARLY, Group.PLAN),
    "grade": (Group.TRANSPORT, Group.TREATMENT),
    "all": tuple(Group),
}
SHEETS: Final[Mapping[Group, str]] = {
    Group.MONTHLY: "月度数据 Monthly",
    Group.LABORATORY: "化验 Laboratory",
    Group.INSTRUMENTS: "计量器具 Instruments",
    Group.CROSSCHECK: "核对 Cross-check",
    Group.ABROAD: "境外方法 Abroad",
    Group.ENERGY: "能源 Energy",
    Group.TRANSPORT: "运输 Transport",
    Group.TREATMENT: "治理设施 Treatment",
    Group.CBAM: "产品 CBAM",
    Group.YEARLY: "年度 Yearly",
    Group.PLAN: "计划 Plan",
}
_METERED: Final = {
    "electricity_ac": "ac_meters",
    "electricity_aux": "aux_meters",
    "electricity_dc": "dc_meters",
    "electricity_start": "start_meters",
    "electricity_short": "short_meters",
    "electricity_fgd": "fgd_meters",
    "electricity_cast": "cast_meters",
    "electricity_shared": "aux_meters",
    "green_own": "pv_meters",
    "green_traded": "green_meters",
    "heat_process": "heat_meters",
}
# Lists of which every item is asked for: one that is left out would be missing from a share.
_WHOLE: Final = ("scrap", "vehicle_class", "transport_mode", "machine_stage")


@dataclass(frozen=True, slots=True)
class Asked:
    """One row to fill in; ``before`` tells what the ledger holds for it already."""

    kind: EntryKind
    line: str  # as the list of the template shows it
    item: str
    period: str  # "" where only the person knows the day
    before: str = ""


@dataclass(frozen=True, slots=True)
class SheetAsked:
    """One sheet of the template; ``items`` are offered beside those of closed lists."""

    group: Group
    rows: tuple[Asked, ...]

    @property
    def kinds(self) -> tuple[EntryKind, ...]:
        return tuple(kind for kind in KINDS.values() if kind.group is self.group)


def asked(
    site: Site | None, ledger: Ledger, period: Period | None, purpose: str, now: datetime
) -> tuple[SheetAsked, ...]:
    """
    The sheets for ``purpose`` (one of PURPOSES, "" = usual for the period), with their rows.

    Without site and period there are sheets for every kind, and no rows. Raises ConfigError when
    the plan of the site has mistakes.
    """
    if site is None or period is None:
        return tuple(SheetAsked(group, ()) for group in PURPOSES[purpose or "all"])
    usual = "allowance" if period.is_year else "carbon-monthly"
    need = _Need(site, ledger, ledger.current(), now)
    return tuple(
        SheetAsked(group, tuple(need.rows(group, period))) for group in PURPOSES[purpose or usual]
    )


@dataclass(frozen=True, slots=True)
class _Need:
    site: Site
    ledger: Ledger
    current: Mapping[Key, Entry]
    now: datetime

    def rows(self, group: Group, period: Period) -> Iterator[Asked]:
        """Month by month; what is of a year, or of a day, once."""
        kinds = [kind for kind in KINDS.values() if kind.group is group]
        if group is Group.INSTRUMENTS:
            yield from self._instruments(kinds[0])
            return
        if group is Group.YEARLY:
            for kind in kinds:
                yield from self._newest_year(kind, period.first.year)
            return
        for month in period.months:
            for kind in kinds:
                planned = kind.ahead and month.end <= self.now  # too late for a plan
                if not planned and not too_early(kind, month, self.now):
                    yield from self._of(kind, month)

    def _newest_year(self, kind: EntryKind, year: int) -> Iterator[Asked]:
        """What is known only when the year is over is asked for the year before."""
        for period in (Period.year(year), Period.year(year - 1)):
            if not too_early(kind, period, self.now):
                yield from self._of(kind, period)
                return

    def _of(self, kind: EntryKind, period: Period) -> Iterator[Asked]:
        for line in self._places(kind, period):
            for item in self._items(kind, period):
                label = item if not kind.items or kind.items.pattern else _item_label(kind, item)
                yield Asked(
                    kind,
                    line=self._shown(line),
                    item=label,
                    period=str(period),
                    before=self._before(kind, line, period, item),
                )

    def _places(self, kind: EntryKind, period: Period) -> list[str]:
        meters = _METERED.get(kind.id)
        if kind.place is Place.PLANT:
            return [] if meters is not None and getattr(self.site, meters) else [PLANT]
        return [
            line.id
            for line in self.site.potline
            if line.runs_in(period.first, period.after)
            and not (meters is not None and getattr(line, meters))
        ]

    def _items(self, kind: EntryKind, period: Period) -> Sequence[str]:
        """What the site declares, or what was entered in the year before; never all there are."""
        if kind.items is None:
            return ("",)
        site, names = self.site, kind.items.names
        declared: Mapping[str, Sequence[str] | None] = {
            "fuel": site.fuels,
            "gas": site.fuels,
            "carbonate": site.carbonates,
            **{whole: tuple(names) for whole in _WHOLE},
            "vintage": (f"{period.first.year}",),
            "issue_month": (f"{period.whole_month}",),
            "control": self._controls() or None,
            "cn_code": tuple(product.cn for product in site.abroad.products) or None,
        }
        known = declared.get(kind.items.id)
        if known is None:
            return self._used(kind, period)
        return [item for item in known if item in names or kind.items.pattern]

    def _controls(self) -> tuple[str, ...]:
        """Treatment units of the emission points."""
        units = [point.equipment for stack in self.site.stacks for point in stack.controls]
        return tuple(dict.fromkeys(units))

    def _used(self, kind: EntryKind, period: Period) -> list[str]:
        year_before = Period.month(period.first.year - 1, period.first.month).first
        return sorted(
            {
                entry.figure.item
                for entry in self.current.values()
                if entry.figure.kind.items is kind.items
                and year_before <= entry.figure.period.first < period.after
            }
        )

    def _before(self, kind: EntryKind, line: str, period: Period, item: str) -> str:
        entry = self.current.get((kind.id, line, period, item))
        if entry is not None:
            return f"{entry.figure.value:f} {entry.figure.unit} (#{entry.number})"
        days = [
            key
            for key in self.current
            if (key[0], key[1], key[3]) == (kind.id, line, item)
            and kind.span is Span.DAY_OR_MONTH
            and period.first <= key[2].first < period.after
        ]
        return f"按日 {len(days)} 天 {len(days)} days" if days else ""

    def _shown(self, line: str) -> str:
        potline = self.site.line(line)
        return line if potline is None else shown(potline)

    def _instruments(self, kind: EntryKind) -> Iterator[Asked]:
        """Those of the plan, else those that had a certificate; the day is for the person."""
        from reports.entries.certificates import certificates

        known: dict[str, str] = {
            entry.figure.line: "" for entry in self.current.values() if entry.figure.kind is kind
        }
        if self.site.plan is not None:
            from reports.plan.file import load_plan

            known = {each.id: each.name.zh for each in load_plan(self.site.plan).instrument}
        for identity, name in known.items():
            last = certificates(self.ledger, identity)[-1:]
            before = [
                f"{each.calibrated} → {each.valid_until} (#{each.entry.number})" for each in last
            ]
            line = f"{identity} {name}".strip()
            yield Asked(kind, line=line, item="", period="", before="".join(before))


def _item_label(kind: EntryKind, item: str) -> str:
    return f"{kind.item_name(item).zh} [{item}]" if item else ""


def period_words(kind: EntryKind) -> str:
    """For which time an entry of that kind stands, in both languages at once."""
    return {
        Span.DAY: "日 day",
        Span.MONTH: "月 month",
        Span.DAY_OR_MONTH: "日或月 day or month",
        Span.YEAR: "年 year",
    }[kind.span]


def place_words(kind: EntryKind) -> str:
    """To what an entry of that kind belongs, in both languages at once."""
    return {
        Place.LINE: "工序 potline",
        Place.PLANT: "全厂 plant",
        Place.INSTRUMENT: "计量器具 instrument",
    }[kind.place]
