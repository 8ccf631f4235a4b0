"""What holds for formulas whatever the figures: sums, order, limits."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.formulas import FORMULAS
from reports.formulas.numbers import FormulaError

amounts = st.decimals(0, 1_000_000, places=3)
positives = st.decimals("0.001", 1_000_000, places=3)
shares = st.decimals(0, 1, places=4)
intensities = st.decimals("1.23", "3.5", places=4)
SLOPE, CAP, X_CLIP = Decimal("0.15"), Decimal("0.03"), Decimal("0.20")
NEARLY = Decimal("1e-20")  # of 28 digits, 8 are left for what rounding may take


def nearly(one: Decimal, two: Decimal) -> bool:
    return abs(one - two) <= NEARLY * max(Decimal(1), abs(one))


@given(amounts, shares)
def test_net_anode_lies_between_nothing_and_gross(anode_t: Decimal, loss: Decimal) -> None:
    net = FORMULAS["anode_net"](anode_t=anode_t, loss_fraction=loss)["net_anode_t"]
    assert 0 <= net <= anode_t
    assert net + anode_t * loss == anode_t  # exact: decimals, not binary floats


@given(amounts, amounts)
def test_pfc_is_proportional_to_metal(one: Decimal, two: Decimal) -> None:
    factors = {"ef_cf4_kg_per_t": 0.02, "ef_c2f6_kg_per_t": 0.0011, "gwp_cf4": 6630}
    pfc = FORMULAS["pfc_default"]
    parts = [pfc(aluminium_t=p, gwp_c2f6=11100, **factors)["t_co2e"] for p in (one, two, one + two)]
    assert parts[0] + parts[1] == parts[2]


SUMS: list[tuple[str, str, dict[str, Any], str]] = [
    ("anode_co2", "net_anode_t", {"sulphur_fraction": 0.02, "ash_fraction": 0.004}, "t_co2"),
    (
        "prebake_co2",
        "aluminium_t",
        {"net_anode_t_per_t": 0.4, "sulphur_fraction": 0.02, "ash_fraction": 0.004},
        "t_co2",
    ),
    (
        "fuel_co2",
        "quantity",
        {"ncv_gj_per_unit": 42.652, "carbon_tc_per_gj": 0.0202, "oxidation_fraction": 0.98},
        "t_co2",
    ),
    ("fuel_co2_carbon", "quantity", {"carbon_tc_per_unit": 0.7, "oxidation_fraction": 1}, "t_co2"),
    ("carbonate_co2", "mass_t", {"ef_t_per_t": 0.4149, "purity_fraction": 0.98}, "t_co2"),
    ("cbam_precursor", "mass_t", {"see_t_per_t": 3.3}, "t_co2e"),
    ("steam_heat", "steam_t", {"enthalpy_kj_per_kg": 2800}, "heat_gj"),
    (
        "pfc_slope",
        "aluminium_t",
        {
            "aem_min_per_cell_day": 0.2,
            "slope_kg_per_t_per_min": 0.143,
            "c2f6_fraction": 0.121,
            "gwp_cf4": 6630,
            "gwp_c2f6": 11100,
        },
        "t_co2e",
    ),
]


@pytest.mark.parametrize(("name", "parameter", "rest", "key"), SUMS, ids=[s[0] for s in SUMS])
@given(one=amounts, two=amounts)
def test_months_add_up_to_the_year(
    name: str, parameter: str, rest: dict[str, Any], key: str, one: Decimal, two: Decimal
) -> None:
    first, second, both = (
        FORMULAS[name](**rest | {parameter: each})[key] for each in (one, two, one + two)
    )
    assert nearly(first + second, both)
    assert max(first, second) <= both  # more of it never emits less


@given(amounts, amounts, shares, shares)
def test_more_anode_never_means_less_co2(
    less: Decimal, more: Decimal, sulphur: Decimal, ash: Decimal
) -> None:
    given_values = {"sulphur_fraction": sulphur / 2, "ash_fraction": ash / 2}
    found = [
        FORMULAS["anode_co2"](net_anode_t=net, **given_values)["t_co2"]
        for net in sorted([less, more])
    ]
    assert found[0] <= found[1]


@given(amounts, positives, positives)
def test_slope_is_the_default_method_with_a_measured_factor(
    aluminium: Decimal, minutes: Decimal, slope: Decimal
) -> None:
    gwp = {"gwp_cf4": 6630, "gwp_c2f6": 11100}
    by_slope = FORMULAS["pfc_slope"](
        aluminium_t=aluminium,
        aem_min_per_cell_day=minutes,
        slope_kg_per_t_per_min=slope,
        c2f6_fraction=Decimal("0.1"),
        **gwp,
    )
    by_factor = FORMULAS["pfc_default"](
        aluminium_t=aluminium,
        ef_cf4_kg_per_t=slope * minutes,
        ef_c2f6_kg_per_t=slope * minutes / 10,
        **gwp,
    )
    assert all(nearly(by_slope[key], by_factor[key]) for key in by_slope)


# --- allowances


def allocation(emission: Decimal, aluminium: Decimal, balance: Decimal) -> dict[str, Decimal]:
    return FORMULAS["allowance"](
        emission_t=emission,
        aluminium_t=aluminium,
        balance_t_per_t=balance,
        slope=SLOPE,
        clip_fraction=CAP,
    )


@given(positives, intensities, intensities)
def test_an_allowance_lies_in_the_band_and_is_cut_down(
    aluminium: Decimal, intensity: Decimal, balance: Decimal
) -> None:
    emission = aluminium * intensity
    found = allocation(emission, aluminium, balance)
    band = FORMULAS["allowance_band"](emission_t=emission, cap_fraction=CAP)
    assert abs(found["alpha"]) <= CAP
    assert found["allowance_t"] == int(found["allowance_t"])
    assert 0 <= emission * (1 + found["alpha"]) - found["allowance_t"] < 1
    assert found["allowance_t"] - emission == found["position_t"]
    assert band["allowance_low_t"] <= found["allowance_t"] <= band["allowance_high_t"]
    assert found["x"] > 0 or intensity >= balance


@given(intensities, intensities, intensities)
def test_a_cleaner_line_never_gets_a_smaller_share(
    one: Decimal, two: Decimal, balance: Decimal
) -> None:
    clean, dirty = sorted([one, two])
    alphas = [allocation(each * 1000, Decimal(1000), balance)["alpha"] for each in (clean, dirty)]
    assert alphas[0] >= alphas[1]


@given(intensities, intensities)
def test_the_clip_may_be_given_for_alpha_or_for_x(intensity: Decimal, balance: Decimal) -> None:
    values = {
        "emission_t": intensity * 1000,
        "aluminium_t": 1000,
        "balance_t_per_t": balance,
        "slope": SLOPE,
    }
    formula = FORMULAS["allowance"]
    assert formula(**values, clip_fraction=CAP) == formula(**values, clip_fraction=X_CLIP)


@pytest.mark.parametrize(
    ("intensity", "alpha"),
    # BP = 1.6: X = 20 % at 1.28, -20 % at 1.92; the text says "-20 % < X < 20 %" for 0.15 X
    [
        ("1.25", "0.03"),
        ("1.28", "0.03"),
        ("1.2816", "0.02985"),  # X = 0.199
        ("1.6", "0"),
        ("1.9184", "-0.02985"),
        ("1.92", "-0.03"),
        ("3.5", "-0.03"),
    ],
)
def test_alpha_at_the_edges_of_the_clip(intensity: str, alpha: str) -> None:
    found = allocation(Decimal(intensity) * 1000, Decimal(1000), Decimal("1.6"))
    assert found["alpha"] == Decimal(alpha)


@pytest.mark.parametrize("clip", ["0.075", "0.10", "0.1499"])
def test_a_clip_that_could_mean_either_is_refused(clip: str) -> None:
    with pytest.raises(FormulaError, match="ambiguous") as caught:
        FORMULAS["allowance"](
            emission_t=1500,
            aluminium_t=1000,
            balance_t_per_t=Decimal("1.6"),
            slope=SLOPE,
            clip_fraction=Decimal(clip),
        )
    assert "α" in caught.value.zh


def test_below_the_physical_floor_is_refused() -> None:
    # 3 * 12.011 / (4 * 26.9815) * 44/12 = 0.333868 * 3.666667 = 1.224183 t CO2 per t
    assert allocation(Decimal("1224.19"), Decimal(1000), Decimal("1.569"))["alpha"] == CAP
    with pytest.raises(FormulaError, match=r"1\.2241 is below the physical floor of 1\.2242"):
        allocation(Decimal("1224.1"), Decimal(1000), Decimal("1.569"))


def test_the_example_of_the_reference() -> None:
    # BP 1.569, I 1.50: X = 0.069/1.569 = +4.40 %, alpha +0.660 %; I 1.64: -4.53 %, -0.679 %
    good = allocation(Decimal(1_500_000), Decimal(1_000_000), Decimal("1.569"))
    bad = allocation(Decimal(1_640_000), Decimal(1_000_000), Decimal("1.569"))
    assert round(good["x"] * 100, 2) == Decimal("4.40")
    assert round(good["alpha"] * 100, 3) == Decimal("0.660")
    assert round(bad["x"] * 100, 2) == Decimal("-4.53")
    assert round(bad["alpha"] * 100, 3) == Decimal("-0.679")
    assert good["allowance_t"] == 1_509_894  # 1500000 * (1 + 0.15 * 0.0439771) = 1509894.8


def test_an_even_allowance_loses_no_tonne() -> None:
    # I = 2.9, BP = 3: X = 1/30, alpha = 0.005, A = 5800 * 1.005 = 5829 exactly; a third that is
    # cut off after 28 digits would leave 5828.999…
    assert allocation(Decimal(5800), Decimal(2000), Decimal(3))["allowance_t"] == 5829


# --- balance value

sectors = st.lists(
    st.tuples(st.decimals(1, 1_000_000, places=2), st.decimals("1.23", 12, places=4)),
    min_size=1,
    max_size=12,
)


def rows(sector: list[tuple[Decimal, Decimal]]) -> list[dict[str, Any]]:
    return [
        {"process": f"P{number}", "aluminium_t": aluminium, "intensity_t_per_t": intensity}
        for number, (aluminium, intensity) in enumerate(sector)
    ]


def balance(sector: list[tuple[Decimal, Decimal]]) -> Decimal:
    found = FORMULAS["balance_value"](lines=rows(sector), x_clip_fraction=X_CLIP)
    return found["balance_t_per_t"]


def allowances(sector: list[tuple[Decimal, Decimal]], value: Decimal) -> Decimal:
    """Sum of all allowances before they are cut down, as the annex of the plan writes it."""
    total = Decimal(0)
    for aluminium, intensity in sector:
        deviation = (value - intensity) / value
        alpha = SLOPE * max(-X_CLIP, min(X_CLIP, deviation))
        total += aluminium * intensity * (1 + alpha)
    return total


@given(sectors)
def test_allowances_equal_what_is_due(sector: list[tuple[Decimal, Decimal]]) -> None:
    due = sum((aluminium * intensity for aluminium, intensity in sector), Decimal(0))
    value = balance(sector)
    assert abs(allowances(sector, value) - due) <= Decimal("1e-20") * due
    worst, best = max(i for _, i in sector), min(i for _, i in sector)
    assert best * (1 - NEARLY) <= value <= worst * (1 + NEARLY)


@given(sectors, st.integers(2, 1000))
def test_the_balance_value_knows_no_order_and_no_size(
    sector: list[tuple[Decimal, Decimal]], factor: int
) -> None:
    value = balance(sector)
    assert nearly(balance(sector[::-1]), value)
    assert nearly(balance([(aluminium * factor, i) for aluminium, i in sector]), value)


@given(st.lists(st.tuples(positives, st.decimals("1.5", "1.7", places=4)), min_size=1, max_size=9))
def test_unclipped_it_is_the_emission_weighted_mean(sector: list[tuple[Decimal, Decimal]]) -> None:
    due = sum((aluminium * intensity for aluminium, intensity in sector), Decimal(0))
    metal = sum((aluminium for aluminium, _ in sector), Decimal(0))
    mean = sum((aluminium * i * i for aluminium, i in sector), Decimal(0)) / due
    assert nearly(balance(sector), mean)
    assert mean >= due / metal * (1 - NEARLY)  # never below the output-weighted mean


def test_all_clipped_gives_the_range_and_its_middle() -> None:
    # E = 200 each; BP from 2/0.8 = 2.5 (A at +20 %) to 8/1.2 = 6.6667 (B at -20 %): all balance
    sector = [(Decimal(100), Decimal(2)), (Decimal(25), Decimal(8))]
    found = FORMULAS["balance_value"](lines=rows(sector), x_clip_fraction=X_CLIP)
    assert found["low_t_per_t"] == Decimal("2.5")
    assert nearly(found["high_t_per_t"], Decimal(8) / Decimal("1.2"))
    value = found["balance_t_per_t"]
    assert nearly(value, (Decimal("2.5") + Decimal(8) / Decimal("1.2")) / 2)
    for balanced in (value, found["low_t_per_t"], found["high_t_per_t"]):
        assert nearly(allowances(sector, balanced), Decimal(400))
    for beyond in (Decimal("2.49"), Decimal("6.67")):
        assert abs(allowances(sector, beyond) - 400) > Decimal("0.01")


def test_one_balance_value_has_no_range() -> None:
    found = FORMULAS["balance_value"](
        lines=rows([(Decimal(100), Decimal("1.5"))]), x_clip_fraction=X_CLIP
    )
    assert found.keys() == {"balance_t_per_t"}


def test_a_process_below_the_physical_floor_has_no_balance() -> None:
    sector = [(Decimal(100), Decimal("1.5")), (Decimal(100), Decimal("1.2241"))]
    with pytest.raises(FormulaError, match=r"lines\[2\].*1\.2241 is below the physical floor"):
        balance(sector)


def test_one_line_alone_is_its_own_balance() -> None:
    assert balance([(Decimal(100), Decimal("1.569"))]) == Decimal("1.569")


# --- meters, certificates, uncertainty


@given(positives, st.decimals("0.05", 5, places=2))
def test_a_correction_is_never_to_the_plants_favour(reading: Decimal, accuracy: Decimal) -> None:
    given_values = {"value": reading, "accuracy_class_percent": accuracy}
    correct = FORMULAS["meter_correction"]
    more, less = (correct(**given_values, kind=k)["value"] for k in ("emission", "output"))
    assert less < reading < more
    assert more == FORMULAS["meter_correction_emission"](**given_values)["value"]
    assert less == FORMULAS["meter_correction_output"](**given_values)["value"]


@given(amounts, amounts, shares, shares)
def test_certificates_rise_as_free_allocation_falls(
    see: Decimal, benchmark: Decimal, one: Decimal, two: Decimal
) -> None:
    found = [
        FORMULAS["cbam_certificates"](
            see_t_per_t=see, benchmark_t_per_t=benchmark, free_share=share
        )["certificates_per_t"]
        for share in sorted([one, two])
    ]
    assert see >= found[0] >= found[1] >= 0


@given(st.lists(st.tuples(positives, st.decimals(0, 50, places=2)), min_size=1, max_size=8))
def test_independent_errors_partly_cancel(parts: list[tuple[Decimal, Decimal]]) -> None:
    table = [{"value": value, "uncertainty_percent": percent} for value, percent in parts]
    found = FORMULAS["uncertainty_sum"](parts=table)
    alone = [value * percent / 100 for value, percent in parts]
    slack = 1 + NEARLY
    assert max(alone) <= found["uncertainty"] * slack
    assert found["uncertainty"] <= sum(alone, Decimal(0)) * slack
    assert found["total"] == sum(value for value, _ in parts)


@given(st.lists(st.tuples(amounts, positives), min_size=1, max_size=8))
def test_a_weighted_mean_lies_among_its_values(parts: list[tuple[Decimal, Decimal]]) -> None:
    table = [{"value": value, "weight": weight} for value, weight in parts]
    mean = FORMULAS["weighted_mean"](results=table)["value"]
    values = [value for value, _ in parts]
    assert min(values) - NEARLY <= mean <= max(values) * (1 + NEARLY)
