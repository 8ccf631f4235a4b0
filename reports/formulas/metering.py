"""A conservative figure from a meter that was not calibrated in time or exceeds its class."""

from decimal import Decimal
from typing import NamedTuple

from reports.formulas.formula import Formula
from reports.formulas.numbers import Number, accuracy_class, amount, choice

KINDS = ("emission", "output")


class Corrected(NamedTuple):
    """The conservative figure, in the unit of the reading."""

    value: Decimal


def meter_correction(
    value: Number,
    accuracy_class_percent: Number,
    kind: str,
    found_error_percent: Number | None = None,
) -> Corrected:
    """
    Reading of a meter, corrected to the safe side.

        emission side:  v' = v * (1 + u)       output side:  v' = v * (1 - u)

    v reading and v' conservative figure (same unit, t or kWh), u correction (as a share): the
    allowed accuracy class where the meter was not calibrated; the error found less the class where
    it was calibrated and exceeds it, 0 where it does not (``found_error_percent`` given). Class and
    error in percent (0.5 for class 0.5, 0.05 to 20; 0.005 is refused). ``kind`` is emission
    (anode, fuel: more is safe) or output (aluminium: less is safe). A period covered in part is
    split first. Source: CETS-VG-01.01-V02-2026, power sector; by analogy for aluminium.
    """
    reading = amount("value", value)
    allowed = accuracy_class("accuracy_class_percent", accuracy_class_percent)
    side = choice("kind", kind, KINDS)
    beyond = allowed
    if found_error_percent is not None:
        beyond = max(Decimal(0), amount("found_error_percent", found_error_percent) - allowed)
    sign = 1 if side == "emission" else -1
    return Corrected(reading * (1 + sign * beyond / 100))


def meter_correction_emission(value: Number, accuracy_class_percent: Number) -> Corrected:
    """
    Reading on the emission side of a meter that was not calibrated, corrected to the safe side.

        v' = v * (1 + u)

    v reading and v' figure (same unit, t or kWh), u accuracy class (%, 0.05 to 20). Source: as
    meter_correction with kind emission, for reports.
    """
    return meter_correction(value, accuracy_class_percent, "emission")


def meter_correction_output(value: Number, accuracy_class_percent: Number) -> Corrected:
    """
    Reading of output by a meter that was not calibrated, corrected to the safe side.

        v' = v * (1 - u)

    v reading and v' figure (same unit, t), u accuracy class (%, 0.05 to 20). Source: as
    meter_correction with kind output, for reports.
    """
    return meter_correction(value, accuracy_class_percent, "output")


CATALOGUE = (
    Formula(
        meter_correction,
        ("v", "u", "kind", "f"),
        "v' = v × (1 ± u); f: v' = v × [1 ± max(0, f − u)]",
        "未校准或超差计量器具的保守修正",
        "conservative correction of a meter",
    ),
    Formula(
        meter_correction_emission,
        ("v", "u"),
        "v' = v × (1 + u)",
        "未校准计量器具的保守修正（排放侧）",
        "correction of an uncalibrated meter (emission side)",
    ),
    Formula(
        meter_correction_output,
        ("v", "u"),
        "v' = v × (1 − u)",
        "未校准计量器具的保守修正（产量侧）",
        "correction of an uncalibrated meter (output side)",
    ),
)
