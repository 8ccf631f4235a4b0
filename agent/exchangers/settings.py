"""``[exchangers]`` of gateway.toml: parameters of what is computed of heat exchangers."""

from collections.abc import Iterable
from datetime import date
from typing import Self

from pydantic import Field, model_validator

from drivers.config import Strict
from drivers.language import say
from drivers.model import Point
from drivers.signals.exchanger import HeatLimits
from drivers.signals.fouling import FoulingLimits, at_one

MEASUREMENT = "heat_recovery"
_EPOCH = date(1970, 1, 1)


class OneConfig(Strict):
    """
    ``[exchangers.each."gtc1/hx1"]``: what is known of one exchanger.

    ``clean_ua_kw_per_k`` and ``clean_drop_pa`` hold at ``clean_flow_nm3_per_h``; what is not given
    is learned: the best mean of a whole day since ``cleaned``, the first day after a cleaning.
    """

    clean_flow_nm3_per_h: float | None = Field(default=None, gt=0)
    clean_ua_kw_per_k: float | None = Field(default=None, gt=0)
    clean_drop_pa: float | None = Field(default=None, gt=0)
    cleaned: date | None = None
    acid_dew_c: float | None = Field(default=None, ge=0, le=250)
    fan_before_kw: float = Field(default=0.0, ge=0)  # power of the fan without the exchanger

    @model_validator(mode="after")
    def _agree(self) -> Self:
        given = self.clean_ua_kw_per_k is not None or self.clean_drop_pa is not None
        if given != (self.clean_flow_nm3_per_h is not None):
            raise ValueError(
                say(
                    "清洁值（clean_ua_kw_per_k、clean_drop_pa）与其对应的烟气流量 "
                    "clean_flow_nm3_per_h 须同时给出",
                    "give clean values (clean_ua_kw_per_k, clean_drop_pa) together with the gas "
                    "flow they hold at, clean_flow_nm3_per_h",
                )
            )
        return self


class ExchangersConfig(Strict):
    """``[exchangers]``; all keys have a default, without ``heat_recovery`` points none matters."""

    enabled: bool = True
    gas_kj_per_nm3_k: float = Field(default=1.31, gt=1, lt=2)
    least_difference_k: float = Field(default=10.0, gt=0, le=200)
    sensor_error_k: float = Field(default=1.0, ge=0, le=20)
    least_share: float = Field(default=0.5, gt=0, le=1)  # of a minute with good readings
    flow_exponent: float = Field(default=0.6, ge=0, le=1)
    drop_exponent: float = Field(default=1.8, ge=0, le=3)
    fouling_ratio: float = Field(default=0.80, gt=0, lt=1)
    clean_ratio: float = Field(default=0.85, gt=0, le=1)
    fouling_h: int = Field(default=6, ge=1, le=240)
    drop_ratio: float = Field(default=1.5, gt=1, le=10)
    drop_clean_ratio: float = Field(default=1.4, ge=1, le=10)
    balance_error: float = Field(default=0.10, gt=0, le=1)
    balance_min: int = Field(default=60, ge=1, le=1440)
    acid_dew_c: float = Field(default=85.0, ge=0, le=250)
    acid_dew_min: int = Field(default=10, ge=1, le=1440)
    each: dict[str, OneConfig] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _agree(self) -> Self:
        wrong = []
        if self.clean_ratio < self.fouling_ratio:
            wrong.append(
                say(
                    "clean_ratio 不能小于 fouling_ratio",
                    "clean_ratio must not be lower than fouling_ratio",
                )
            )
        if self.drop_clean_ratio > self.drop_ratio:
            wrong.append(
                say(
                    "drop_clean_ratio 不能大于 drop_ratio",
                    "drop_clean_ratio must not be higher than drop_ratio",
                )
            )
        if wrong:
            raise ValueError("\n".join(wrong))
        return self

    def heat_limits(self, equipment: str) -> HeatLimits:
        one = self.each.get(equipment, OneConfig())
        return HeatLimits(
            gas_kj_nm3_k=self.gas_kj_per_nm3_k,
            least_k=self.least_difference_k,
            sensor_k=self.sensor_error_k,
            fan_before_kw=one.fan_before_kw,
        )

    def limits(self, equipment: str) -> FoulingLimits:
        one = self.each.get(equipment, OneConfig())
        flow = one.clean_flow_nm3_per_h or 1.0
        ua, drop = one.clean_ua_kw_per_k, one.clean_drop_pa
        return FoulingLimits(
            flow_exponent=self.flow_exponent,
            drop_exponent=self.drop_exponent,
            clean_ua=None if ua is None else at_one(ua, flow, self.flow_exponent),
            clean_drop=None if drop is None else at_one(drop, flow, self.drop_exponent),
            cleaned_day=None if one.cleaned is None else (one.cleaned - _EPOCH).days,
            fouled=self.fouling_ratio,
            clean_again=self.clean_ratio,
            drop_high=self.drop_ratio,
            drop_low=self.drop_clean_ratio,
            hold_h=self.fouling_h,
            balance=self.balance_error,
            balance_well=0.8 * self.balance_error,
            balance_min=self.balance_min,
            dew_c=self.acid_dew_c if one.acid_dew_c is None else one.acid_dew_c,
            dew_min=self.acid_dew_min,
        )

    def strangers(self, points: Iterable[Point]) -> list[str]:
        """Names in ``each`` of which no point table reads anything."""
        read = {str(p.equipment) for p in points if p.quantity.measurement == MEASUREMENT}
        return sorted(set(self.each) - read)
