"""The kinds of figures a person may enter: names, units, and to what they belong."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

ONE = Decimal(1)


class Span(StrEnum):
    """For which time one entry stands."""

    MONTH = "month"
    DAY_OR_MONTH = "day or month"


class Place(StrEnum):
    """To what one entry belongs."""

    LINE = "line"  # a potline of the site
    PLANT = "plant"  # the whole plant


@dataclass(frozen=True, slots=True)
class EntryKind:
    """``units`` maps each unit that may be written to its factor into ``unit``."""

    id: str
    zh: str
    en: str
    unit: str
    units: dict[str, Decimal]
    span: Span = Span.MONTH
    place: Place = Place.LINE
    high: Decimal | None = None  # in `unit`; more than that cannot be
    early: bool = False  # may be entered before the period is over

    @property
    def label(self) -> str:
        """What the template's list shows: both names, and the id in brackets."""
        return f"{self.zh} {self.en} [{self.id}]"


_TONNE = {"t": ONE}
_SHARE = {"fraction": ONE, "%": ONE / 100}
_ENERGY = {"MWh": ONE, "kWh": ONE / 1000, "万kWh": Decimal(10)}

_ALL = (
    EntryKind("aluminium_tapped", "铝液产量", "liquid aluminium", "t", _TONNE, Span.DAY_OR_MONTH),
    EntryKind("anode_consumed", "阳极消耗量", "anode consumed", "t", _TONNE),
    EntryKind(
        "anode_stock_begin", "阳极期初库存量", "anode stock at begin", "t", _TONNE, early=True
    ),
    EntryKind("anode_received", "阳极入库量", "anode received", "t", _TONNE),
    EntryKind("anode_stock_end", "阳极期末库存量", "anode stock at end", "t", _TONNE),
    EntryKind(
        "anode_sulphur",
        "阳极含硫量（化验）",
        "anode sulphur (laboratory)",
        "fraction",
        _SHARE,
        high=ONE,
    ),
    EntryKind(
        "anode_ash", "阳极灰分（化验）", "anode ash (laboratory)", "fraction", _SHARE, high=ONE
    ),
    EntryKind("electricity_ac", "工序交流电量", "AC electricity of the process", "MWh", _ENERGY),
    EntryKind(
        "electricity_aux", "工序动力电量", "auxiliary electricity of the process", "MWh", _ENERGY
    ),
    EntryKind("heat_process", "工序耗热量", "heat used by the process", "GJ", {"GJ": ONE}),
    EntryKind(
        "electricity_purchased",
        "净购入电量",
        "net purchased electricity",
        "MWh",
        _ENERGY,
        place=Place.PLANT,
    ),
    EntryKind(
        "heat_purchased", "净购入热量", "net purchased heat", "GJ", {"GJ": ONE}, place=Place.PLANT
    ),
)

KINDS: dict[str, EntryKind] = {kind.id: kind for kind in _ALL}


def find_kind(text: str) -> EntryKind | None:
    """A kind by id, Chinese name, English name, or the label of the template."""
    wanted = " ".join(text.split())
    for kind in _ALL:
        if wanted == kind.label or wanted.lower() in {kind.id, kind.zh, kind.en.lower()}:
            return kind
    return None
