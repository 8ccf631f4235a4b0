"""What the map of a potline may show of each pot: layers, and the states a pot may be in."""

from dataclasses import dataclass
from typing import Final

from reports.values import Text

MODES: Final = ("stopped", "running", "starting", "cut_out")  # in the order of pot.mode
STATES: Final = {
    "running": Text(zh="运行", en="running"),
    "stopped": Text(zh="停槽", en="stopped"),
    "starting": Text(zh="启动", en="starting"),
    "cut_out": Text(zh="短路切除", en="cut out"),
    "link": Text(zh="通信中断", en="link lost"),
    "unknown": Text(zh="无数据", en="no data"),
}


NOTHING: Final = Text(zh="", en="")


@dataclass(frozen=True, slots=True)
class Layer:
    """What the map may show; ``scale`` both: colours on both sides of zero."""

    id: str
    name: Text
    unit: str
    decimals: int
    scale: str = "rising"
    live: str = ""  # quantity that live values of it have
    about: Text = NOTHING


LAYERS: Final = (
    Layer("voltage", Text(zh="槽电压", en="Voltage"), "V", 3, live="pot.voltage"),
    Layer(
        "excess",
        Text(zh="超出电压", en="Excess voltage"),
        "mV",
        0,
        "both",
        about=Text(
            zh="平均槽电压减去本系列最优四分位",
            en="mean voltage less the best quartile of the line",
        ),
    ),
    Layer(
        "above_set",
        Text(zh="高于设定电压", en="Above set voltage"),
        "mV",
        0,
        "both",
        about=Text(
            zh="不在效应中的平均槽电压减去设定电压",
            en="mean voltage outside anode effects less the set voltage",
        ),
    ),
    Layer("effects", Text(zh="阳极效应次数", en="Anode effects"), "", 0),
    Layer("effect_s", Text(zh="效应时间", en="Time in anode effect"), "s", 0),
    Layer(
        "noise",
        Text(zh="低频噪声（摆动）", en="Low-frequency noise"),
        "mV",
        1,
        about=Text(
            zh="网关计算的摆动；没有时取槽控机的低频噪声",
            en="swing as the gateway computes it, else what the pot controller tells",
        ),
    ),
    Layer("flicker", Text(zh="高频噪声（针振）", en="Flicker"), "mV", 1),
    Layer("pseudo_resistance", Text(zh="计算槽电阻", en="Pseudo-resistance"), "µΩ", 2),
    Layer(
        "risk",
        Text(zh="效应预警分", en="Signs of an effect to come"),
        "",
        1,
        about=Text(
            zh="0–4 分；预警能力有限，见 docs/early-warning.zh-CN.md",
            en="0 to 4; a weak sign with most controllers, see docs/early-warning.md",
        ),
    ),
    Layer("bath_temperature", Text(zh="电解质温度", en="Bath temperature"), "℃", 1),
    Layer("metal_level", Text(zh="铝水平", en="Metal level"), "cm", 1),
    Layer("known", Text(zh="数据完整率", en="Data known"), "%", 1),
)
