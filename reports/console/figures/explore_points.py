"""Which points the store has, and what they are called in both languages."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from drivers.language import language
from drivers.model import ConfigError, Quantity
from drivers.quantities import quantities
from reports.console.office import Office
from reports.series.envelope import form_of
from reports.series.envelope_store import Explorer, Known, open_explorer
from reports.series.store import SeriesError
from reports.site import Meter, Site

KEEP_S: Final = 60.0  # the list of a store
SIGNS: Final = {
    "1": "",
    "uOhm": "µΩ",
    "uOhm/h": "µΩ/h",
    "degC": "℃",
    "V.s": "V·s",
    "m3": "m³",
    "m3/h": "m³/h",
    "Nm3": "Nm³",
    "Nm3/h": "Nm³/h",
    "mg/m3": "mg/m³",
}
_listed: dict[Path, tuple[float, dict[str, Known]]] = {}  # of this child


@contextmanager
def exploring(office: Office) -> Iterator[Explorer]:
    """The store and its hourly layer. Raises ConfigError for a store that cannot be read."""
    try:
        with open_explorer(office.site, office.data / "envelopes") as explorer:
            yield explorer
    except SeriesError as error:
        raise ConfigError([str(error)]) from None


def points(
    office: Office, q: str = "", limit: int = 50, after: str = "", of: Sequence[str] = ()
) -> dict[str, Any]:
    """
    Points whose names hold every word of ``q``, in order; ``of``: those named only.

    ``after`` is the last point of the page before.
    """
    labels, words = Labels(office.site), q.lower().split()
    everything = [
        (point, span)
        for point, span in known_points(office).items()
        if point.partition(" ")[2] in quantities() and (not of or point in of)
    ]
    found = [each for each in everything if all(w in labels.text(each[0]) for w in words)]
    rest = [each for each in found if each[0] > after]
    rows = [
        labels.head(Meter(*point.split(" "))) | {"first": span.first, "last": span.last}
        for point, span in rest[:limit]
    ]
    return {
        "points": rows,
        "total": len(found),
        "more": len(rest) > limit,
        "known": len(everything),
    }


def known_points(office: Office) -> dict[str, Known]:
    """Of the store, asked for again after a minute."""
    found = _listed.get(office.site_file)
    if found is None or time.monotonic() - found[0] > KEEP_S:
        with exploring(office) as explorer:
            found = (time.monotonic(), explorer.points())
        _listed[office.site_file] = found
    return found[1]


def sign_of(quantity: Quantity) -> str:
    """The unit as people write it; empty where the figure has none."""
    return SIGNS.get(quantity.unit, quantity.unit.value)


@dataclass(frozen=True, slots=True)
class Labels:
    """What points are called, by dictionary and site."""

    site: Site

    def equipment(self, name: str, lang: str) -> str:
        """``一系列 pot001``, the name of a stack or exchanger, else as it is written."""
        named = [(each.equipment, each.name) for each in self.site.stacks]
        named += [(each.equipment, each.name) for each in self.site.exchangers if each.name]
        for equipment, text in named:
            if equipment == name:
                return text.of(lang)
        area, _, unit = name.partition("/")
        line = next((each for each in self.site.potline if each.id == area), None)
        return f"{line.name.of(lang)} {unit}" if line else name

    def text(self, point: str) -> str:
        """All that a search may find."""
        equipment, _, name = point.partition(" ")
        quantity = quantities()[name]
        said = [self.equipment(equipment, lang) for lang in ("zh", "en")]
        return " ".join([point, quantity.zh, quantity.en, *said, quantity.unit]).lower()

    def head(self, meter: Meter) -> dict[str, Any]:
        """What every answer says of a point, in the visitor's language."""
        quantity, lang = quantities()[meter.quantity], language()
        return {
            "point": str(meter),
            "equipment": meter.equipment,
            "equipment_name": self.equipment(meter.equipment, lang),
            "quantity": meter.quantity,
            "name": quantity.zh if lang == "zh" else quantity.en,
            "unit": sign_of(quantity),
            "form": form_of(quantity),
        }
