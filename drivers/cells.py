"""One line of a point table: each cell read and checked, its mistake said in the table's words."""

import math
from difflib import get_close_matches
from typing import NamedTuple

import numpy as np

from drivers.config import DeviceConfig
from drivers.decode import RegisterType, order_of, register_type
from drivers.model import Equipment, Kind, Point, Quantity, Unit
from drivers.plan import parse_address
from drivers.quantities import quantities
from drivers.tables import Row, expansions


class Conversion(NamedTuple):
    """``value in the dictionary's unit = value × scale + offset``."""

    unit: Unit
    scale: float
    offset: float = 0.0


CONVERSIONS: dict[str, tuple[Conversion, ...]] = {
    "mV": (Conversion(Unit.VOLT, 0.001),),
    "V": (Conversion(Unit.MILLIVOLT, 1000),),
    "kV": (Conversion(Unit.VOLT, 1000), Conversion(Unit.MILLIVOLT, 1e6)),
    "A": (Conversion(Unit.KILOAMPERE, 0.001),),
    "kA": (Conversion(Unit.AMPERE, 1000),),
    "mA": (Conversion(Unit.AMPERE, 0.001),),
    "mOhm": (Conversion(Unit.MICRO_OHM, 1000),),
    "W": (Conversion(Unit.KILOWATT, 0.001),),
    "MW": (Conversion(Unit.KILOWATT, 1000),),
    "Wh": (Conversion(Unit.KILOWATT_HOUR, 0.001),),
    "MWh": (Conversion(Unit.KILOWATT_HOUR, 1000), Conversion(Unit.GIGAJOULE, 3.6)),
    "kWh": (Conversion(Unit.GIGAJOULE, 0.0036), Conversion(Unit.MEGAJOULE, 3.6)),
    "GWh": (Conversion(Unit.KILOWATT_HOUR, 1e6),),
    "var": (Conversion(Unit.KILOVAR, 0.001),),
    "Mvar": (Conversion(Unit.KILOVAR, 1000),),
    "varh": (Conversion(Unit.KILOVAR_HOUR, 0.001),),
    "Mvarh": (Conversion(Unit.KILOVAR_HOUR, 1000),),
    "MJ": (Conversion(Unit.GIGAJOULE, 0.001),),
    "GJ": (Conversion(Unit.MEGAJOULE, 1000),),
    "K": (Conversion(Unit.CELSIUS, 1, -273.15),),
    "Pa": (Conversion(Unit.KILOPASCAL, 0.001),),
    "hPa": (Conversion(Unit.PASCAL, 100), Conversion(Unit.KILOPASCAL, 0.1)),
    "mbar": (Conversion(Unit.PASCAL, 100), Conversion(Unit.KILOPASCAL, 0.1)),
    "kPa": (Conversion(Unit.PASCAL, 1000),),
    "bar": (Conversion(Unit.PASCAL, 1e5), Conversion(Unit.KILOPASCAL, 100)),
    "MPa": (Conversion(Unit.PASCAL, 1e6), Conversion(Unit.KILOPASCAL, 1000)),
    "km/h": (Conversion(Unit.METRE_PER_SECOND, 1 / 3.6),),
    "l": (Conversion(Unit.CUBIC_METRE, 0.001),),
    "l/s": (Conversion(Unit.CUBIC_METRE_PER_HOUR, 3.6),),
    "l/min": (Conversion(Unit.CUBIC_METRE_PER_HOUR, 0.06),),
    "m3/s": (Conversion(Unit.CUBIC_METRE_PER_HOUR, 3600),),
    "m3/min": (Conversion(Unit.CUBIC_METRE_PER_HOUR, 60),),
    "Nm3/s": (Conversion(Unit.NORMAL_CUBIC_METRE_PER_HOUR, 3600),),
    "g/m3": (Conversion(Unit.MILLIGRAM_PER_CUBIC_METRE, 1000),),
    "ug/m3": (Conversion(Unit.MILLIGRAM_PER_CUBIC_METRE, 0.001),),
    "g": (Conversion(Unit.KILOGRAM, 0.001),),
    "t": (Conversion(Unit.KILOGRAM, 1000),),
    "kg": (Conversion(Unit.TONNE, 0.001),),
    "t/h": (
        Conversion(Unit.KILOGRAM_PER_HOUR, 1000),
        Conversion(Unit.KILOGRAM_PER_SECOND, 1 / 3.6),
    ),
    "kg/h": (Conversion(Unit.KILOGRAM_PER_SECOND, 1 / 3600),),
    "kg/s": (Conversion(Unit.KILOGRAM_PER_HOUR, 3600),),
    "mm": (Conversion(Unit.CENTIMETRE, 0.1),),
    "m": (Conversion(Unit.CENTIMETRE, 100),),
    "ms": (Conversion(Unit.SECOND, 0.001),),
    "min": (Conversion(Unit.SECOND, 60),),
    "%": (Conversion(Unit.ONE, 0.01),),
    "1": (Conversion(Unit.PERCENT, 100),),
}
SAME = {"°C": "degC", "C": "degC", "μΩ": "uOhm", "µΩ": "uOhm", "": ""}
_NOWHERE = Equipment("a", "b")


class Cells:
    """The cells of one line; after ``fail`` reading goes on, so that all mistakes are found."""

    def __init__(self, row: Row, problems: list[str]) -> None:
        self._row = row
        self._problems = problems
        self.failed = False

    def fail(self, column: str, message: str) -> None:
        self._problems.append(f"{self._row.where}: column {column}: {message}")
        self.failed = True

    def text(self, column: str) -> str:
        return self._row.cells.get(column, "")

    def number(
        self,
        column: str,
        default: float,
        *,
        low: float = -math.inf,
        high: float = math.inf,
        whole: bool = False,
    ) -> float:
        """A finite number within ``low`` to ``high``; ``default`` for an empty or wrong cell."""
        text = self.text(column)
        if not text:
            return default
        try:
            value = float(text)
        except ValueError:
            dotted = text.replace(",", ".")
            hint = f"write {dotted}" if dotted != text else "write a number such as 0.001"
            self.fail(column, f"{text!r} is no number; {hint}")
            return default
        if not math.isfinite(value) or not low <= value <= high:
            self.fail(column, f"{text} is outside {low:g} to {high:g}; correct it")
            return default
        if whole and value != int(value):
            self.fail(column, f"{text} must be a whole number")
            return default
        return value

    def prototype(self, device: DeviceConfig, *, modbus: bool) -> Point | None:
        """All that the points of this line share; equipment and address are filled in later."""
        quantity = self._quantity()
        kind = self._type(device, modbus=modbus)
        order = self._order(kind)
        scale = self.number("scale", 1.0)
        if scale == 0:
            self.fail("scale", "0 would make every value 0; leave it empty for 1")
        numbers = {
            "interval_s": self.number("interval_s", device.interval_s, low=0.02, high=86400),
            "counter_modulus": self.number("counter_modulus", 0.0, low=0),
            "counter_max_per_s": self.number("counter_max_per_s", math.inf, low=0),
            "stuck_after_s": self.number("stuck_after_s", 0.0, low=0),
            "deadband": self.number("deadband", 0.0, low=0),
            "offset": self.number("offset", 0.0),
        }
        original = self._flag("original")
        codes = self._not_available(kind)
        if quantity is None:
            return None
        self._unit(quantity)
        low, high = self._range(quantity)
        self._fits(quantity, kind)
        return Point(
            equipment=_NOWHERE,
            quantity=quantity,
            device=device.name,
            address="",
            type=kind.name if kind else "",
            order=order,
            scale=scale,
            low=low,
            high=high,
            not_available=codes,
            original=original,
            where=self._row.where,
            **numbers,
        )

    def _quantity(self) -> Quantity | None:
        name = self.text("quantity")
        known = quantities()
        if name in known:
            return known[name]
        near = [full for full in known if full.endswith(f".{name}")][:3]
        near = near or get_close_matches(name, known, 1, 0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else "names are in quantities.toml"
        self.fail("quantity", f"unknown quantity {name!r}; {hint}")
        return None

    def _type(self, device: DeviceConfig, *, modbus: bool) -> RegisterType | None:
        name = self.text("type")
        if not modbus:
            for column in ("type", "order", "stride"):
                if self.text(column):
                    self.fail(column, f"leave it empty: an {device.driver} server knows its types")
            return None
        try:
            kind = register_type(name)
        except ValueError as error:
            self.fail("type", str(error))
            return None
        if kind.words > device.max_registers:
            self.fail(
                "type",
                f"{name} needs {kind.words} registers in one request, but device "
                f"{device.name} has max_registers = {device.max_registers}",
            )
        self._check_bits(kind)
        return kind

    def _check_bits(self, kind: RegisterType) -> None:
        """A bool is a coil, a discrete input, or a named bit of a register; nothing else is."""
        try:
            address = parse_address(expansions(self.text("address"))[0])
        except ValueError:
            return  # said where the address is read
        is_bit = address.table.packed or address.bit >= 0
        if is_bit and kind.family != "bit":
            self.fail("type", f"{address} is a single bit; write bool")
        elif not is_bit and kind.family == "bit":
            self.fail("address", f"say which bit of the register is meant, e.g. {address}.0")
        elif address.number + kind.words > 65536:
            self.fail("address", f"{address} as {kind.name} runs beyond register 65535")

    def _order(self, kind: RegisterType | None) -> str:
        letters = self.text("order").upper()
        if not letters or kind is None:
            return "ABCD"
        try:
            return str(order_of(letters, kind.words))
        except ValueError as error:
            self.fail("order", str(error))
            return "ABCD"

    def _flag(self, column: str) -> bool:
        text = self.text(column).lower()
        if text not in {"", "yes", "no", "是", "否"}:
            self.fail(column, f"{text!r}: write yes or leave it empty")
        return text in {"yes", "是"}

    def _not_available(self, kind: RegisterType | None) -> tuple[float, ...]:
        codes = []
        for part in filter(None, map(str.strip, self.text("not_available").split(";"))):
            try:
                codes.append(_code(part, kind))
            except ValueError as error:
                self.fail("not_available", str(error))
        return tuple(codes)

    def _unit(self, quantity: Quantity) -> None:
        unit = self.text("unit")
        unit = SAME.get(unit, unit)
        if not unit or unit == quantity.unit:
            return
        for conversion in CONVERSIONS.get(unit, ()):
            if conversion.unit is quantity.unit:
                self.fail("unit", self._conversion(quantity, unit, conversion))
                return
        self.fail(
            "unit",
            f"{quantity.name} is in {quantity.unit}, not in {unit!r}; check the "
            "quantity, or scale it and write unit " + quantity.unit,
        )

    def _conversion(self, quantity: Quantity, unit: str, conversion: Conversion) -> str:
        """What to write so that what this line makes now, in ``unit``, comes out right."""
        scale = _number(self.text("scale"), 1.0) * conversion.scale
        offset = _number(self.text("offset"), 0.0) * conversion.scale + conversion.offset
        change = f"scale {scale:.12g}" + (f", offset {offset:.12g}" if offset else "")
        return (
            f"{quantity.name} is kept in {quantity.unit}; for {unit} write {change}, "
            f"unit {quantity.unit}"
        )

    def _range(self, quantity: Quantity) -> tuple[float, float]:
        low = self.number("low", quantity.low)
        high = self.number("high", quantity.high)
        for column, value in (("low", low), ("high", high)):
            if not quantity.low <= value <= quantity.high:
                self.fail(
                    column,
                    f"{value:g} is outside the possible {quantity.low:g} to "
                    f"{quantity.high:g} {quantity.unit} of {quantity.name}",
                )
        if low > high:
            self.fail("low", f"{low:g} is above high = {high:g}; exchange them")
        return low, high

    def _fits(self, quantity: Quantity, kind: RegisterType | None) -> None:
        """Columns that make sense for some quantities only."""
        if quantity.kind is not Kind.COUNTER:
            for column in ("counter_modulus", "counter_max_per_s"):
                if self.text(column):
                    self.fail(column, f"{quantity.name} is no counter; leave it empty")
        if kind is None:
            return
        is_text = quantity.kind is Kind.STATE and quantity.low == quantity.high == 0
        if kind.family == "text" and not is_text:
            self.fail("type", f"{quantity.name} is a number, not a text; write a number type")
        if kind.family == "text" and (self.text("scale") or self.text("offset")):
            self.fail("scale", "a text has no scale and no offset; leave both empty")


def _number(text: str, default: float) -> float:
    try:
        return float(text) if text else default
    except ValueError:
        return default


def _code(text: str, kind: RegisterType | None) -> float:
    """A "no value" code: a raw number, or ``0x…`` for the registers as they are on the wire."""
    if not text.lower().startswith("0x"):
        try:
            return float(text)
        except ValueError:
            raise ValueError(f"{text!r} is no code; write 32767 or 0x7FFF, ';' between") from None
    pattern = int(text, 16)
    if kind is None or kind.family in {"bit", "text"}:
        raise ValueError(f"{text!r}: write the code as a plain number")
    bits = 16 * kind.words
    if pattern >= 1 << bits:
        raise ValueError(f"{text!r} has more than the {bits} bits of {kind.name}")
    if kind.family == "bcd":
        return _bcd_of(pattern)
    if kind.family == "float":
        octets = pattern.to_bytes(2 * kind.words, "big")
        return float(np.frombuffer(octets, f">{kind.code}")[0])
    return float(pattern - (1 << bits if kind.signed and pattern >> (bits - 1) else 0))


def _bcd_of(pattern: int) -> float:
    try:
        return float(int(f"{pattern:x}"))
    except ValueError:
        raise ValueError(
            f"0x{pattern:X}: digits above 9 are 'undecodable' already; leave this code out"
        ) from None
