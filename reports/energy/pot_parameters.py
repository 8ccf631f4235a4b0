"""What pots are compared and advised by: engineering values, no rules, printed in the report."""

from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Final

from reports.values import Text


@dataclass(frozen=True, slots=True)
class PotParameters:
    """Engineering values, none of them a rule; a plant may hand in others."""

    day_share: float = 0.5  # of a day that must be known for the day to count
    days_least: int = 14
    young_days: int = 90
    current_efficiency: float = 0.93
    usual_set_mv: float = 20.0
    set_high_mv: float = 75.0  # an order, not a measurement: judged absolutely
    look_mv: float = 60.0
    usual_deviation_mv: float = 8.0
    usual_drift_mv: float = 8.0  # per 30 days
    usual_feed_share: float = 0.04
    stands_out: float = 4.0
    effects_chance: float = 0.001
    effects_many: float = 0.3  # a day: so many are too many however the line does
    noise_volts: float = 0.5
    noise_quiet_mv: float = 15.0
    noise_high_mv: float = 40.0
    effects_quiet: float = 0.05
    temperature_c: float = 6.0
    step_low_mv: float = 5.0
    step_high_mv: float = 10.0
    hold_h: float = 48.0
    sensor_step_mv: float = 40.0
    frozen_mv: float = 0.5


LABELS: Final = {
    "day_share": Text(zh="一天中已知时间的最低份额", en="least share of a day that is known"),
    "days_least": Text(zh="排名所需最少天数", en="fewest days for a rank"),
    "young_days": Text(zh="启动后不参与比较的天数", en="days after start-up without comparison"),
    "current_efficiency": Text(
        zh="电流效率（系列数值未知时采用）", en="current efficiency where the line's is unknown"
    ),
    "usual_set_mv": Text(
        zh="工作电压的通常差异（设定电压未采集时），mV",
        en="usual spread of working voltages where no set voltage is recorded, mV",
    ),
    "set_high_mv": Text(
        zh="设定电压高于系列参考值多少判为偏高，mV",
        en="set voltage above the line's reference that is too high, mV",
    ),
    "look_mv": Text(
        zh="高于参考槽多少值得查看（不作建议），mV",
        en="above the reference pots from which to look at it, without advice, mV",
    ),
    "usual_deviation_mv": Text(
        zh="电压偏差的通常差异，mV", en="usual spread of voltage deviations, mV"
    ),
    "usual_drift_mv": Text(
        zh="电压漂移的通常差异，mV/30 天", en="usual spread of voltage drifts, mV per 30 days"
    ),
    "usual_feed_share": Text(zh="下料次数的通常差异", en="usual spread of alumina shots"),
    "stands_out": Text(
        zh="判为异常的倍数（相对离散度）", en="spreads from the median that stand out"
    ),
    "effects_chance": Text(
        zh="效应频发的误判概率（全系列）", en="chance of a false alarm on anode effects, whole line"
    ),
    "effects_many": Text(
        zh="判为效应频发的效应系数，次/槽·日", en="effects per pot-day that are repeated effects"
    ),
    "noise_volts": Text(
        zh="每 mV 噪声折合的附加电压，mV", en="extra volts per mV of noise above the median, mV"
    ),
    "noise_quiet_mv": Text(zh="允许降压的噪声上限，mV", en="noise below which to lower, mV"),
    "noise_high_mv": Text(zh="建议升压的噪声，mV", en="noise above which to raise, mV"),
    "effects_quiet": Text(
        zh="允许降压的效应系数上限，次/槽·日", en="effects per pot-day below which to lower"
    ),
    "temperature_c": Text(
        zh="允许降压的温度偏差（对系列中位数），℃",
        en="bath temperature off the line's median at which to lower, degC",
    ),
    "step_low_mv": Text(zh="每步降压最小值，mV", en="smallest step down, mV"),
    "step_high_mv": Text(zh="每步降压最大值，mV", en="largest step down, mV"),
    "hold_h": Text(zh="每步保持时间，h", en="hours to hold a step"),
    "sensor_step_mv": Text(zh="电压测量跳变判据，mV", en="step that makes a sensor suspect, mV"),
    "frozen_mv": Text(
        zh="一天内变化小于此值视为冻结，mV", en="less movement in a day is frozen, mV"
    ),
}


def parameter_rows(parameters: PotParameters) -> list[tuple[Text, Decimal]]:
    """Every parameter by name, for the page."""
    return [
        (LABELS[each.name], Decimal(repr(getattr(parameters, each.name))))
        for each in fields(parameters)
    ]
