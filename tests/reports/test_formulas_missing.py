"""What stands in for missing data by rules abroad and by our own: limits, properties, refusals."""

from decimal import Decimal
from statistics import mean, stdev
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.formulas import FORMULAS
from reports.formulas.numbers import FormulaError
from reports.rules.packs import packs
from tests.reports.conftest import Smelter
from tests.reports.test_formulas import SAMPLES

LAW = {
    "high_availability_percent": 95,
    "middle_availability_percent": 90,
    "least_availability_percent": 80,
    "short_gap_high_h": 24,
    "short_gap_middle_h": 8,
    "percentile_high": 90,
    "percentile_middle": 95,
    "lookback_h": 720,
}
HOURS = [{"hour_value": n} for n in range(1, 1001)]  # the last 720: 281 … 1000
AROUND = {"value_before": 300, "value_after": 500}  # mean 400
values = st.lists(st.decimals(0, 1000, places=2), min_size=2, max_size=40)


def rows(numbers: list[Decimal]) -> list[dict[str, Decimal]]:
    return [{"hour_value": each} for each in numbers]


def part75(**given_: Any) -> dict[str, Any]:
    return FORMULAS["part75_substitution"].run(**(LAW | given_))


@pytest.mark.parametrize(
    ("availability", "gap", "method", "value"),
    [
        # 90 % of 720 is 648: the 648th of 281, 282 … is 928; 95 % is 684: 964
        ("100", 24, "mean-before-after", 400),
        ("95", 24, "mean-before-after", 400),
        ("95", 25, "p90-720", 928),
        ("94.99", 8, "mean-before-after", 400),
        ("94.99", 9, "p95-720", 964),
        ("90", 9, "p95-720", 964),
        ("89.99", 1, "max720", 1000),
        ("80", 30, "max720", 1000),
        ("79.99", 1, "potential", 2500),
        ("0", 1, "potential", 2500),
    ],
)
def test_part_75_on_both_sides_of_each_limit(
    availability: str, gap: int, method: str, value: int
) -> None:
    found = part75(
        gap_h=gap,
        availability_percent=Decimal(availability),
        earlier=HOURS,
        potential_value=2500,
        **AROUND,
    )
    assert (found["method"], found["value"]) == (method, value)
    assert found.get("hours_used") == (720 if "720" in method else None)


def test_a_high_mean_beats_the_percentile_and_says_so() -> None:
    found = part75(
        gap_h=30, availability_percent=96, earlier=HOURS, value_before=2000, value_after=1000
    )
    assert (found["method"], found["value"]) == ("mean-before-after", 1500)


def test_only_what_the_branch_needs_is_asked_for() -> None:
    assert part75(gap_h=1, availability_percent=96, **AROUND)["value"] == 400
    assert part75(gap_h=1, availability_percent=70, potential_value=9)["value"] == 9
    assert part75(gap_h=1, availability_percent=85, earlier=HOURS)["value"] == 1000
    for lacking, told in (
        ({"gap_h": 1, "availability_percent": 96}, "value_before"),
        ({"gap_h": 1, "availability_percent": 96, "value_before": 1}, "value_after"),
        ({"gap_h": 9, "availability_percent": 92, **AROUND}, "earlier"),
        ({"gap_h": 1, "availability_percent": 85}, "earlier"),
        ({"gap_h": 1, "availability_percent": 70, **AROUND}, "potential_value"),
    ):
        with pytest.raises(FormulaError, match=told):
            part75(**lacking)


@given(values, st.sampled_from([96, 92]), st.integers(1, 60))
def test_a_percentile_is_an_hour_that_the_share_does_not_exceed(
    hours: list[Decimal], availability: int, window: int
) -> None:
    found = part75(
        gap_h=30,
        availability_percent=availability,
        earlier=rows(hours),
        value_before=0,
        value_after=0,
        lookback_h=window,
    )
    last, percent = hours[-window:], 90 if availability == 96 else 95
    assert found["value"] in last
    assert 100 * sum(each <= found["value"] for each in last) >= percent * len(last)
    assert 100 * sum(each < found["value"] for each in last) < percent * len(last)
    assert found["hours_used"] == len(last)


@given(values, st.integers(1, 200), st.decimals(80, "89.9", places=1))
def test_worse_data_never_give_a_lower_value(
    hours: list[Decimal], gap: int, availability: Decimal
) -> None:
    """Where the mean lies among the hours looked back on, as it does unless the plant changed."""
    around = {"value_before": min(hours), "value_after": max(hours)}
    made = [
        part75(
            gap_h=gap,
            availability_percent=share,
            earlier=rows(hours),
            potential_value=1000,
            **around,
        )["value"]
        for share in (96, availability, 70)
    ]
    assert made == sorted(made)


@given(values, st.decimals("0.5", 5, places=1))
def test_article_45_is_mean_and_deviations(hours: list[Decimal], factor: Decimal) -> None:
    found = FORMULAS["mrr_substitution"].run(
        gap_h=1, period_values=rows(hours), sigma_factor=factor, notice_days=5
    )
    wanted = float(mean(hours)) + float(factor) * float(stdev(hours))
    assert float(found["value"]) == pytest.approx(wanted, rel=1e-12)
    assert found["value"] >= found["mean_value"]
    assert found["hours_used"] == len(hours)


@pytest.mark.parametrize(
    ("gap", "notice"), [(1, "no"), (9, "no"), (30, "no"), (120, "no"), (121, "yes")]
)
def test_more_than_five_days_are_told_to_the_authority(gap: int, notice: str) -> None:
    found = FORMULAS["mrr_substitution"].run(**(SAMPLES["mrr_substitution"] | {"gap_h": gap}))
    assert (found["notice"], found["method"]) == (notice, "mean+2sigma")


@pytest.mark.parametrize(("readings", "verdict"), [(287, "invalid"), (288, "valid")])
def test_a_european_hour_at_eighty_percent(readings: int, verdict: str) -> None:
    found = FORMULAS["mrr_hour"].run(**(SAMPLES["mrr_hour"] | {"valid_readings": readings}))
    assert found["verdict"] == verdict


@given(
    st.lists(st.tuples(st.integers(1, 9999), st.integers(1, 31)), min_size=1, max_size=12),
    st.integers(1, 9999),
    st.integers(1, 30),
    st.integers(1, 30),
)
def test_our_own_rule_holds_on_both_sides(
    months: list[tuple[int, int]], known: int, days: int, lacking: int
) -> None:
    table = [{"aluminium_t": metal, "month_days": of} for metal, of in months]
    found = FORMULAS["conservative_metal"](
        known_t=known, known_days=days, missing_days=lacking, day_months=table
    )
    even = Decimal(known) / days * (days + lacking)
    near = Decimal("1e-15")
    assert found["least_t"] <= even + near
    assert even <= found["most_t"] + near
    assert known <= found["least_t"]


REFUSED: list[tuple[str, dict[str, Any], str, str]] = [
    ("monitor_availability", {"quality_assured_hours": 8761}, "more than the 8760", "多于运行的"),
    ("monitor_availability", {"operating_hours": 8761}, "the 8760 h that count", "只取最近"),
    ("monitor_availability", {"operating_hours": 0}, "more than zero", "必须大于 0"),
    ("part75_substitution", {"availability_percent": Decimal("0.96")}, "a fraction", "像是小数"),
    ("part75_substitution", {"availability_percent": 101}, "more than 100", "大于 100"),
    ("part75_substitution", {"middle_availability_percent": 99}, "must not rise", "由大到小"),
    ("part75_substitution", {"gap_h": 0}, "more than zero", "必须大于 0"),
    ("part75_substitution", {"lookback_h": None}, "number of the standard", "不设缺省值"),
    ("part75_substitution", {"earlier": []}, "at least one row", "至少一行"),
    ("part75_substitution", {"earlier": [{"hour_value": -1}]}, "earlier[1]", "为负数"),
    ("mrr_hour", {"valid_readings": 361}, "more than the 360", "多于应有的 360"),
    ("mrr_substitution", {"period_values": [{"hour_value": 1}]}, "two valid hours", "两个有效小时"),
    ("mrr_substitution", {"sigma_factor": None}, "number of the standard", "不设缺省值"),
    ("conservative_anode", {"months": []}, "at least one row", "至少一行"),
    (
        "conservative_anode",
        {"months": [{"anode_t": 1, "aluminium_t": 0}]},
        "more than zero",
        "必须大于 0",
    ),
    ("conservative_metal", {"known_days": 0}, "more than zero", "必须大于 0"),
]


@pytest.mark.parametrize(("formula", "wrong", "en", "zh"), REFUSED)
def test_refused_with_what_to_write(formula: str, wrong: dict[str, Any], en: str, zh: str) -> None:
    with pytest.raises(FormulaError) as caught:
        FORMULAS[formula].run(**(SAMPLES[formula] | wrong))
    assert en in caught.value.en
    assert zh in caught.value.zh


def test_no_number_of_the_two_packs_is_called_official() -> None:
    for pack, confirmed in (("us_40cfr75", "unverified"), ("eu_mrr", "secondary")):
        parameters = packs()[pack].parameters
        entries = [entry for each in parameters.values() for entry in each.entries]
        assert {entry.confirmed for entry in entries} == {confirmed}
    absent = {
        name
        for pack in ("us_40cfr75", "eu_mrr")
        for name, each in packs()[pack].parameters.items()
        if each.absent is not None
    }
    assert absent == {"percentile_rank", "method_codes", "other_parameters"}


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_computed_with_the_rules_of_the_pack(smelter: Smelter, lang: str) -> None:
    words = "gap_h=24", "availability_percent=96", "value_before=40", "value_after=60"
    code, said = smelter("compute", "part75_substitution", *words, "--lang", lang)
    assert code == 0
    assert "mean-before-after" in said
    assert "us_40cfr75.availability_high" in said
    code, said = smelter("compute", "part75_substitution", *words[:2], "--lang", lang)
    assert code == 2
    assert ("必须填写" if lang == "zh" else "is needed at this availability") in said
