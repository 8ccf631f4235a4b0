"""``[pots]`` of gateway.toml: parameters of everything that is computed from pot voltages."""

from typing import Self

from pydantic import Field, model_validator

from drivers.config import Strict
from drivers.language import say
from drivers.signals.effect import EffectLimits
from drivers.signals.pots import SignalLimits
from drivers.signals.warning import WarningLimits

_USUAL = WarningLimits()


class WarningConfig(Strict):
    """``[pots.warning]``: what a sign of an anode effect is, and how many make a warning."""

    enabled: bool = True
    slope_uohm_h: float = Field(default=_USUAL.slope_uohm_h, gt=0, le=1000)
    rise_uohm: float = Field(default=_USUAL.rise_uohm, gt=0, le=100)
    deficit_kg: float = Field(default=_USUAL.deficit_kg, gt=0, le=5000)
    noise_growth: float = Field(default=_USUAL.noise_growth, gt=1, le=100)
    score: int = Field(default=_USUAL.score, ge=1, le=4)
    on_min: int = Field(default=_USUAL.on_min, ge=1, le=120)
    off_min: int = Field(default=_USUAL.off_min, ge=1, le=1440)

    def limits(self) -> WarningLimits:
        return WarningLimits(**self.model_dump(exclude={"enabled"}))


class PotsConfig(Strict):
    """``[pots]``; all keys have a default, and without ``pot.voltage`` points none matters."""

    enabled: bool = True
    anode_effect_v: float = Field(default=8.0, ge=5, le=60)
    anode_effect_s: float = Field(default=3.0, ge=0, le=600)
    over_s: float = Field(default=3.0, ge=0, le=600)
    merge_s: float = Field(default=120.0, ge=0, le=3600)
    lost_s: float = Field(default=600.0, gt=0, le=86400)
    target_v: float = Field(default=4.0, ge=2, le=7)  # where a pot has no set voltage
    back_emf_v: float = Field(default=1.65, ge=0, le=3)
    nominal_ka: dict[str, float] = Field(default_factory=dict)  # by area: { line1 = 400.0 }
    current_age_s: float = Field(default=10.0, gt=0, le=600)
    shot_kg: float | None = Field(default=None, gt=0, le=100)
    current_efficiency: float = Field(default=0.93, ge=0.5, le=1)
    swing_watch_mv: float = Field(default=20.0, gt=0, le=1000)
    swing_unstable_mv: float = Field(default=40.0, gt=0, le=1000)
    unstable_min: int = Field(default=10, ge=1, le=1440)
    after_effect_min: int = Field(default=30, ge=0, le=1440)
    warning: WarningConfig = WarningConfig()

    @model_validator(mode="after")
    def _agree(self) -> Self:
        wrong = []
        if self.target_v >= self.anode_effect_v:
            wrong.append(
                say(
                    "target_v 必须小于 anode_effect_v",
                    "target_v must be lower than anode_effect_v",
                )
            )
        if self.swing_watch_mv > self.swing_unstable_mv:
            wrong.append(
                say(
                    "swing_watch_mv 不能大于 swing_unstable_mv",
                    "swing_watch_mv must not be higher than swing_unstable_mv",
                )
            )
        wrong += [
            say(
                f"nominal_ka 的 {area}：{ka:g} kA 应在 10 至 800 之间",
                f"nominal_ka of {area}: {ka:g} kA is not between 10 and 800",
            )
            for area, ka in self.nominal_ka.items()
            if not 10 <= ka <= 800
        ]
        if wrong:
            raise ValueError("\n".join(wrong))
        return self

    def limits(self, area: str, interval_s: float, *, subscribed: bool) -> SignalLimits:
        """For the pots of one area that are read at one interval."""
        effect = EffectLimits(
            threshold_v=self.anode_effect_v,
            hold_s=self.anode_effect_s,
            over_s=self.over_s,
            merge_s=self.merge_s,
            lost_s=self.lost_s,
            target_v=self.target_v,
            stale_s=3 * interval_s,
            readings=1 if subscribed else 2,
        )
        return SignalLimits(
            effect=effect,
            warning=self.warning.limits(),
            back_emf_v=self.back_emf_v,
            nominal_ka=self.nominal_ka.get(area),
            shot_kg=self.shot_kg,
            current_efficiency=self.current_efficiency,
            swing_watch_mv=self.swing_watch_mv,
            swing_unstable_mv=self.swing_unstable_mv,
            unstable_min=self.unstable_min,
            after_effect_min=self.after_effect_min,
        )
