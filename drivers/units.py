"""Units of devices and manuals: how a value in one of them gets into the dictionary's unit."""

from typing import NamedTuple

from drivers.language import say
from drivers.model import Quantity, Unit


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


def unit_mistake(quantity: Quantity, unit: str, scale: float, offset: float) -> str:
    """
    What is wrong with a row's unit, or nothing: which scale and offset make of ``raw * scale +
    offset`` in ``unit`` the same value in the unit of the quantity.
    """
    unit = SAME.get(unit, unit)
    if not unit or unit == quantity.unit:
        return ""
    for conversion in CONVERSIONS.get(unit, ()):
        if conversion.unit is quantity.unit:
            new_offset = offset * conversion.scale + conversion.offset
            change = f"scale {scale * conversion.scale:.12g}"
            change += f", offset {new_offset:.12g}" if new_offset else ""
            return say(
                f"{quantity.name} 以 {quantity.unit} 保存；设备单位为 {unit} 时请写 {change}，"
                f"unit {quantity.unit}",
                f"{quantity.name} is kept in {quantity.unit}; for {unit} write {change}, "
                f"unit {quantity.unit}",
            )
    return say(
        f"{quantity.name} 的单位是 {quantity.unit}，不是 {unit!r}；请检查 quantity，"
        f"或用 scale 换算后写 unit {quantity.unit}",
        f"{quantity.name} is in {quantity.unit}, not in {unit!r}; check the quantity, "
        f"or scale it and write unit {quantity.unit}",
    )
