"""Heat exchangers: an example by hand, properties, bad sensors, and the simulator's truth."""

import math
from collections.abc import Mapping
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.signals.exchanger import INPUTS, Heat, HeatLimits, Working, heat
from reports.formulas import FORMULAS

NOT_KNOWN = math.nan
BY_HAND = {  # gas 80 000 Nm3/h of 1.35 kJ/Nm3K: 80000·1.35/3600 = 30 kW/K; water 10·4.186 = 41.86
    "gas_flow": 80_000.0,
    "gas_in_temperature": 130.0,
    "gas_out_temperature": 90.0,
    "water_flow": 10.0,
    "water_in_temperature": 50.0,
    "water_out_temperature": 78.0,
    "gas_pressure_drop": 600.0,
    "fan_power": 60.0,
    "pump_power": 10.0,
}
HAND = HeatLimits(gas_kj_nm3_k=1.35, fan_before_kw=20.0)


def found(limits: HeatLimits = HAND, /, **other: float) -> dict[str, float]:
    """Figures of one minute by hand, with other readings."""
    figures = heat({k: np.array([v]) for k, v in (BY_HAND | other).items()}, limits)
    return {name: float(getattr(figures, name)[0]) for name in Heat.__dataclass_fields__}


def test_an_exchanger_by_hand() -> None:
    seen = found()
    assert seen["gas_kw"] == pytest.approx(1200.0)  # 30 · (130 − 90)
    assert seen["water_kw"] == pytest.approx(1172.08)  # 41.86 · (78 − 50)
    assert seen["balance"] == pytest.approx(27.92 / 1200)  # 2.3 %: casing loss
    assert seen["net_kw"] == pytest.approx(1122.08)  # 1172.08 − (60 − 20) − 10
    assert seen["effectiveness"] == pytest.approx(0.5)  # 1200 / (30 · (130 − 50))
    # by the other method: the water of a loss-free one leaves with 50 + 1200/41.86 = 78.6670;
    # differences 130 − 78.6670 = 51.3330 and 90 − 50 = 40; their logarithmic mean is
    # 11.3330 / ln(51.3330/40) = 11.3330/0.249459 = 45.4303; UA = 1200/45.4303
    assert seen["ua_kw_k"] == pytest.approx(26.414, abs=0.001)
    assert seen["ntu"] == pytest.approx(26.414 / 30, abs=0.0001)
    assert seen["working"] == Working.YES


def test_even_flows_and_a_flow_without_end() -> None:
    even = found(water_flow=30 / 4.186, water_out_temperature=90.0)
    assert even["ntu"] == pytest.approx(1.0)  # eff 0.5 of even flows: 0.5/(1 − 0.5)
    endless = found(water_flow=1e9)
    assert endless["ntu"] == pytest.approx(-math.log(0.5), rel=1e-6)


def test_the_same_as_the_formula_of_reports() -> None:
    names = {
        "flow_nm3_per_h": "gas_flow",
        "gas_in_c": "gas_in_temperature",
        "gas_out_c": "gas_out_temperature",
        "water_kg_per_s": "water_flow",
        "water_in_c": "water_in_temperature",
    }
    values = {name: Decimal(str(BY_HAND[field])) for name, field in names.items()}
    told = FORMULAS["heat_exchanger"](cp_kj_per_nm3_k=Decimal("1.35"), **values)
    seen = found()
    assert seen["gas_kw"] == pytest.approx(float(told["kw"]), rel=1e-12)
    assert seen["effectiveness"] == pytest.approx(float(told["effectiveness"]), rel=1e-12)
    assert seen["ua_kw_k"] == pytest.approx(float(told["ua_kw_per_k"]), rel=1e-9)


@given(
    gas=st.floats(2, 500),
    water=st.floats(2, 500),
    ua=st.floats(1, 400),
    drive=st.floats(15, 250),
    loss=st.floats(0, 0.4),
)
def test_what_went_in_comes_out(
    gas: float, water: float, ua: float, drive: float, loss: float
) -> None:
    """Made with a UA and a loss by the outlet temperatures; both are found again."""
    least, most = sorted([gas, water])
    ratio = least / most
    grown = math.exp(-ua / least * (1 - ratio))
    share = ua / least / (1 + ua / least) if ratio > 1 - 1e-9 else (1 - grown) / (1 - ratio * grown)
    if share > 0.999:
        return  # so near to everything that UA is lost in the last digits of a temperature
    kw = share * least * drive
    seen = found(
        HeatLimits(gas_kj_nm3_k=1.31),
        gas_flow=gas * 3600 / 1.31,
        gas_in_temperature=40 + drive,
        gas_out_temperature=40 + drive - kw / gas,
        water_flow=water / 4.186,
        water_in_temperature=40.0,
        water_out_temperature=40 + kw * (1 - loss) / water,
    )
    assert seen["gas_kw"] == pytest.approx(kw, rel=1e-6)
    assert seen["gas_kw"] - seen["water_kw"] == pytest.approx(loss * kw, abs=1e-6 * kw + 1e-6)
    assert seen["balance"] == pytest.approx(loss, abs=1e-6)
    assert seen["effectiveness"] == pytest.approx(share, rel=1e-6)
    assert seen["ua_kw_k"] == pytest.approx(ua, rel=1e-3)


UA_INPUTS = INPUTS[:5]


@pytest.mark.parametrize("missing", INPUTS)
def test_missing_is_not_zero(missing: str) -> None:
    seen = found(HAND, **{missing: NOT_KNOWN})
    hurt = {
        name: math.isnan(seen[name])
        for name in ("gas_kw", "water_kw", "net_kw", "balance", "ua_kw_k", "ntu", "effectiveness")
    }
    gas, water = missing in INPUTS[:3], missing in INPUTS[3:6]
    assert hurt["gas_kw"] == gas
    assert hurt["water_kw"] == water
    assert hurt["net_kw"] == (water or missing in {"fan_power", "pump_power"})
    assert hurt["balance"] == (gas or water)
    assert hurt["ua_kw_k"] == hurt["ntu"] == hurt["effectiveness"] == (missing in UA_INPUTS)
    assert (seen["working"] == Working.UNKNOWN) == (missing in UA_INPUTS)


@pytest.mark.parametrize("flow", ["water_flow", "gas_flow"])
def test_a_standing_exchanger_has_no_ua(flow: str) -> None:
    seen = found(HAND, **{flow: 0.0})
    assert seen["working"] == Working.STANDING
    assert seen["water_kw" if flow == "water_flow" else "gas_kw"] == 0.0  # no flow is known, too
    for name in ("balance", "effectiveness", "ntu", "ua_kw_k"):
        assert math.isnan(seen[name]), name


def test_cold_gas_is_no_sign_of_fouling() -> None:
    seen = found(gas_in_temperature=55.0, gas_out_temperature=54.5, water_out_temperature=50.2)
    assert seen["working"] == Working.STANDING
    assert math.isnan(seen["ua_kw_k"])
    assert seen["gas_kw"] == pytest.approx(15.0)


@pytest.mark.parametrize(
    ("what", "other"),
    [
        ("gas in and out", {"gas_in_temperature": 90.0, "gas_out_temperature": 130.0}),
        ("water in and out", {"water_in_temperature": 78.0, "water_out_temperature": 50.0}),
        ("gas colder than water comes", {"gas_out_temperature": 45.0}),
        ("water hotter than gas comes", {"water_out_temperature": 135.0}),
        ("more heat than the water could hold", {"water_flow": 2.0}),  # 1200/8.372 = 143 K
    ],
)
def test_what_no_exchanger_could_do(what: str, other: Mapping[str, float]) -> None:
    seen = found(HAND, **other)
    assert seen["working"] == Working.CONTRADICTED, what
    for name in ("gas_kw", "water_kw", "net_kw", "balance", "effectiveness", "ntu", "ua_kw_k"):
        assert math.isnan(seen[name]), (what, name)
