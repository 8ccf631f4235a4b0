"""Loads the dictionary ``quantities.toml``: every quantity the house knows, by name."""

import tomllib
from functools import cache
from importlib.resources import files

from drivers.model import DataClass, Kind, Quantity, Unit

RESERVED_ENDINGS = ("_min", "_max", "_last", "_n", "_good", "_inc", "_q", "_raw")


@cache
def quantities() -> dict[str, Quantity]:
    """All quantities by name (``pot.voltage``); the file is ours, so an error in it raises."""
    tables = tomllib.loads(files("drivers").joinpath("quantities.toml").read_text("utf-8"))
    found: dict[str, Quantity] = {}
    for measurement, fields in tables.items():
        for name, entry in fields.items():
            if name.endswith(RESERVED_ENDINGS):
                raise ValueError(f"quantities.toml: {measurement}.{name} ends like a window field")
            low, high = entry.pop("range")
            quantity = Quantity(
                name=f"{measurement}.{name}",
                unit=Unit(entry.pop("unit")),
                kind=Kind(entry.pop("kind")),
                zh=entry.pop("zh"),
                en=entry.pop("en"),
                low=float(low),
                high=float(high),
                data_class=DataClass(entry.pop("class", "general")),
            )
            if entry:
                raise ValueError(f"quantities.toml: {quantity.name}: unknown keys {sorted(entry)}")
            found[quantity.name] = quantity
    return found
