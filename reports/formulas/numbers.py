"""
What every formula demands of its numbers, and the constants of chemistry they share.

Formulas work in Decimal, so that a figure recomputed by hand is the same figure. A float is taken
as the decimal it prints as: 0.1518 is 0.1518, not the nearest binary fraction.
"""

from collections.abc import Collection
from decimal import Decimal
from fractions import Fraction

Number = Decimal | float | int

CO2_PER_CARBON = Decimal(44) / Decimal(12)  # the ratio the guides print, not 44.009/12.011
PERCENT_LEAST = 50  # a current efficiency is above it, a fraction never
CLASS_LEAST = Decimal("0.05")  # the finest class of a plant's meter; 0.5 % as a fraction is 0.005
CLASS_MOST = 20
MOST = Decimal(10) ** 15  # of anything, in any unit of a formula
PER_TONNE_MOST = 5  # t per t of anything a smelter feeds; kg per t are hundreds


class FormulaError(ValueError):
    """A formula was given a number it cannot mean; says in both languages what to write."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh = zh
        self.en = en

    def of(self, lang: str) -> str:
        """The text in ``zh`` or ``en``."""
        return self.zh if lang == "zh" else self.en


def decimal(ratio: Fraction) -> Decimal:
    """A ratio as Decimal, to the precision of the context."""
    return Decimal(ratio.numerator) / Decimal(ratio.denominator)


def exact(name: str, value: object) -> Decimal:
    """``value`` as Decimal, finite and not beyond 10^15. Raises FormulaError."""
    if isinstance(value, bool) or not isinstance(value, Decimal | float | int):
        raise FormulaError(
            f"{name}：{value!r} 不是数字；请写 名称=数字，JSON 中不加引号",
            f"{name}: {value!r} is not a number; write name=number, in JSON without quotes",
        )
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not number.is_finite():
        raise FormulaError(
            f"{name}：{value} 不是有限数；缺失的数据不能当作数字",
            f"{name}: {value} is not a finite number; a missing value is no number",
        )
    if abs(number) > MOST:
        raise FormulaError(
            f"{name}：{number:.3e} 太大，没有工厂有这么多；请核对数值和单位",
            f"{name}: {number:.3e} is more than any plant has; check the number and its unit",
        )
    return number


def amount(name: str, value: object) -> Decimal:
    """``value`` as Decimal, zero or more. Raises FormulaError."""
    number = exact(name, value)
    if number < 0:
        raise FormulaError(
            f"{name}：{value} 为负数；请填写不小于 0 的数",
            f"{name}: {value} is negative; write an amount of zero or more",
        )
    return number


def positive(name: str, value: object) -> Decimal:
    """``value`` as Decimal, more than zero. Raises FormulaError."""
    number = amount(name, value)
    if number == 0:
        raise FormulaError(
            f"{name}：作除数，必须大于 0",
            f"{name}: must be more than zero, because it divides",
        )
    return number


def fraction(name: str, value: object) -> Decimal:
    """``value`` as Decimal from 0 to 1. Raises FormulaError (often a percent figure)."""
    number = amount(name, value)
    if number > 1:
        raise FormulaError(
            f"{name}：{value} 大于 1；请填写小数，例如 2 % 写作 0.02（不是 2）",
            f"{name}: {value} is more than 1; write a fraction, e.g. 0.02 for 2 % (not 2)",
        )
    return number


def efficiency(name: str, value: object) -> Decimal:
    """An efficiency as Decimal, above 0 and up to 1. Raises FormulaError (often a percent one)."""
    number = positive(name, value)
    if number > 1:
        raise FormulaError(
            f"{name}：{value} 大于 1；请填写小数，94 % 写作 0.94（不是 94）",
            f"{name}: {value} is more than 1; write a fraction, 0.94 for 94 % (not 94)",
        )
    return number


def celsius(name: str, value: object) -> Decimal:
    """A temperature in a smelter, -60 to 1500 degrees C. Raises FormulaError."""
    number = exact(name, value)
    if not -60 <= number <= 1500:
        raise FormulaError(
            f"{name}：{value} 不在 -60–1500 ℃ 之间；请填写摄氏度",
            f"{name}: {value} is not between -60 and 1500; write degrees C",
        )
    return number


def pot_volts(name: str, value: object) -> Decimal:
    """The voltage of one pot, 0 to 200 V. Raises FormulaError (often mV, or a whole line)."""
    number = amount(name, value)
    if number > 200:
        raise FormulaError(
            f"{name}：{value} 不像单槽电压；单位应为 V（单槽），4000 mV 写作 4",
            f"{name}: {value} is no voltage of one pot; write V, 4 for 4000 mV",
        )
    return number


def line_ka(name: str, value: object) -> Decimal:
    """The current of a potline, 0 to 2000 kA. Raises FormulaError (often in A)."""
    number = amount(name, value)
    if number > 2000:
        raise FormulaError(
            f"{name}：{value} 过大；单位应为 kA，400000 A 写作 400",
            f"{name}: {value} is too much for kA; write 400 for 400000 A",
        )
    return number


def absolute_kpa(name: str, value: object) -> Decimal:
    """
    An absolute pressure near that of the air, 50 to 2000 kPa.

    Raises FormulaError, above all for what only a gauge shows: near 0, or below it in a duct.
    """
    number = exact(name, value)
    if number < 50:
        raise FormulaError(
            f"{name}：{value} 像是表压；此处须填绝对压力（kPa）：表压 + 当地大气压，"
            "如 -2 + 101.3 = 99.3",
            f"{name}: {value} looks like gauge pressure; write absolute pressure in kPa: gauge "
            "plus the air pressure of the place, e.g. -2 + 101.3 = 99.3",
        )
    if number > 2000:
        raise FormulaError(
            f"{name}：{value} 过大；单位应为 kPa，101325 Pa 写作 101.325",
            f"{name}: {value} is too much for kPa; write 101.325 for 101325 Pa",
        )
    return number


def calendar_day(name: str, value: object) -> Decimal:
    """A day, as text 2026-10-01 or a date, as the number 20261001. Raises FormulaError."""
    text = value if isinstance(value, str) else str(getattr(value, "isoformat", str)())
    parts = text.split("-")
    whole = [int(part) for part in parts if part.isascii() and part.isdigit()]
    if [len(part) for part in parts] != [4, 2, 2] or len(whole) != 3 or not _in_calendar(*whole):
        raise FormulaError(
            f"{name}：{value!r} 不是日期；例如 2026-10-01",
            f"{name}: {value!r} is no day; write e.g. 2026-10-01",
        )
    return Decimal(text.replace("-", ""))


def _in_calendar(year: int, month: int, day: int) -> bool:
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    days = (31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    return year >= 2000 and 1 <= month <= 12 and 1 <= day <= days[month - 1]


def rule_given(name: str, value: object, what: tuple[str, str]) -> Decimal:
    """A number of the law, zero or more. Raises FormulaError when it was left out."""
    if value is None:
        raise FormulaError(
            f"{name}：{what[0]}属法规或标准参数，公式内不设缺省值；请填写",
            f"{name}: {what[1]} is a rule and not known to the formula; give it",
        )
    return amount(name, value)


def high_percent(name: str, value: object) -> Decimal:
    """
    A percent figure that is always above 50, as a current efficiency: 50 < value <= 100.

    Raises FormulaError, above all for a fraction: 0.95 instead of 95 would make the result a
    hundred times too large.
    """
    number = amount(name, value)
    if number <= 1:
        raise FormulaError(
            f"{name}：{value} 像是小数；此处须填百分数，95 % 写作 95"
            "（写成 0.95 会使结果放大 100 倍）",
            f"{name}: {value} looks like a fraction; write percent here, 95 for 95 % "
            "(0.95 would make the result a hundred times too large)",
        )
    if not PERCENT_LEAST < number <= 100:
        raise FormulaError(
            f"{name}：{value} 不在 50–100 % 之间；95 % 写作 95",
            f"{name}: {value} is not between 50 and 100 %; write 95 for 95 %",
        )
    return number


def accuracy_class(name: str, value: object) -> Decimal:
    """A meter's accuracy class in percent, 0.05 to 20. Raises FormulaError (often a fraction)."""
    number = amount(name, value)
    if not CLASS_LEAST <= number <= CLASS_MOST:
        raise FormulaError(
            f"{name}：{value} 不像准确度等级（%）；0.5 级写作 0.5（不是 0.005）",
            f"{name}: {value} is no accuracy class in percent; write 0.5 for class 0.5 (not 0.005)",
        )
    return number


def per_tonne(name: str, value: object) -> Decimal:
    """Tonnes per tonne, 0 to 5. Raises FormulaError (often kg per tonne)."""
    number = amount(name, value)
    if number > PER_TONNE_MOST:
        raise FormulaError(
            f"{name}：{value} 大于 5 t/t；单位应为 t/t，410 kg/t 写作 0.41",
            f"{name}: {value} is more than 5 t per t; write t per t, 0.41 for 410 kg per t",
        )
    return number


def carbon_per_heat(name: str, value: object) -> Decimal:
    """Carbon per heat, 0 to 1 tC/GJ. Raises FormulaError (often tC/TJ)."""
    number = amount(name, value)
    if number > 1:
        raise FormulaError(
            f"{name}：{value} 过大；单位应为 tC/GJ，20.2 tC/TJ 写作 0.0202",
            f"{name}: {value} is too much for tC/GJ; write 0.0202 for 20.2 tC/TJ",
        )
    return number


def year_number(name: str, value: object) -> Decimal:
    """A calendar year, 2000 to 2100. Raises FormulaError."""
    number = exact(name, value)
    if number != number.to_integral_value() or not 2000 <= number <= 2100:
        raise FormulaError(
            f"{name}：{value} 不是年份；例如 2026", f"{name}: {value} is no year; write e.g. 2026"
        )
    return number


def choice(name: str, value: object, known: Collection[str]) -> str:
    """``value``, one of the known words. Raises FormulaError."""
    if not isinstance(value, str) or value not in known:
        words = " | ".join(known)
        raise FormulaError(
            f"{name}：{value!r} 无效；可写 {words}", f"{name}: {value!r} is unknown; write {words}"
        )
    return value
