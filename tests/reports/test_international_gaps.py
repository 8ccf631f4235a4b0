"""Missing months abroad: each rule's own substitute, at every edge of the year, never silently."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.abroad.gap_filling import fill, two_after, worst_month
from reports.model import Content, How
from reports.periods import Period
from reports.rules.packs import RuleError
from tests.reports.abroad import MONTHS, every_month, minute_row, office

JANUARY_27, FEBRUARY_27, MARCH_27 = (Period.month(2027, month) for month in (1, 2, 3))


def used(content: Content, rule: str, month: int) -> float | None:
    """Minutes that the rule took for the month."""
    (aem,) = (
        given
        for given in content.line(f"line1.cf4.{rule}.slope@2026-{month:02d}").inputs
        if given.name == "aem_min_per_cell_day"
    )
    return None if aem.value is None else float(aem.value)


def all_but(*gaps: int) -> dict[int, float]:
    """Month m has m/100 minutes."""
    return {m: m / 100 for m in range(1, 13) if m not in gaps}


@pytest.mark.parametrize(
    ("gaps", "us"),
    [
        ((1,), {1: 0.025}),  # at the beginning: February and March, (0.02 + 0.03) / 2
        ((6,), {6: 0.075}),  # (0.07 + 0.08) / 2
        ((6, 7), {6: 0.085, 7: 0.085}),  # one gap of two months: (0.08 + 0.09) / 2
        ((3, 5), {3: 0.05, 5: 0.065}),  # two gaps: (0.04 + 0.06) / 2 and (0.06 + 0.07) / 2
        ((10,), {10: 0.115}),  # the last that needs nothing of the next year
    ],
)
def test_us_takes_the_mean_of_the_two_values_after_the_gap(
    tmp_path: Path, gaps: tuple[int, ...], us: dict[int, float]
) -> None:
    plant = office(tmp_path)
    plant.year(all_but(*gaps))
    content = plant.make()
    assert {m: used(content, "us", m) for m in us} == pytest.approx(us)
    year = content.line("line1.pfc.us.slope")
    days = sum(len(MONTHS[m - 1].days) for m in gaps)
    assert float(year.substituted or 0) == pytest.approx(days / 365, abs=5e-5)  # four decimals
    for month in gaps:
        line = content.line(f"line1.ae_minutes.us@2026-{month:02d}")
        assert line.how is How.SUBSTITUTED
        assert line.method == "98.65(b): mean_of_two_after"
        assert [given.kind for given in line.inputs] == ["line", "line", "legal"]
        pfc = content.line(f"line1.pfc.us.slope@2026-{month:02d}")
        assert (pfc.how, pfc.substituted) == (How.SUBSTITUTED, Decimal(1))


@pytest.mark.parametrize(
    ("gaps", "later", "expected"),
    [
        ((12,), {}, None),
        ((12,), {JANUARY_27: 0.2}, None),
        ((12,), {JANUARY_27: 0.2, FEBRUARY_27: 0.4}, 0.3),
        ((12,), {JANUARY_27: 0.2, MARCH_27: 0.6}, 0.4),
        ((11,), {JANUARY_27: 0.2}, 0.16),  # December 0.12 and January
        ((11,), {}, None),
    ],
)
def test_us_looks_into_the_next_year_for_a_gap_at_the_end(
    tmp_path: Path,
    gaps: tuple[int, ...],
    later: dict[Period, float],
    expected: float | None,
) -> None:
    plant = office(tmp_path)
    plant.now = datetime(2027, 4, 20, tzinfo=UTC)
    plant.year(all_but(*gaps))
    if later:
        plant.enter("".join(minute_row(month, value) for month, value in later.items()))
    content = plant.make()
    found = used(content, "us", gaps[0])
    assert found == (None if expected is None else pytest.approx(expected))
    if expected is None:
        line = content.line(f"line1.ae_minutes.us@2026-{gaps[0]:02d}")
        assert line.value is None
        assert "two most recent values after the gap" in line.missing[-1].en
        assert content.line("line1.total.us").value is None
        assert not [x.id for x in content.lines if "@2027" in x.id and x.value is None]


@pytest.mark.parametrize("gap", [1, 6, 12])
def test_eu_takes_the_month_that_gives_the_most_emission(tmp_path: Path, gap: int) -> None:
    plant = office(tmp_path)
    plant.year(all_but(gap))
    content = plant.make()
    assert used(content, "eu", gap) == pytest.approx(0.11 if gap == 12 else 0.12)
    line = content.line(f"line1.ae_minutes.eu@2026-{gap:02d}")
    assert line.how is How.SUBSTITUTED
    assert "conservative_estimate" in line.method


@pytest.mark.parametrize("rule", ["ipcc_2006", "ipcc_2019"])
def test_ipcc_has_no_substitute_and_never_counts_a_gap_as_zero(tmp_path: Path, rule: str) -> None:
    plant = office(tmp_path)
    plant.year(all_but(6))
    content = plant.make()
    assert content.line(f"line1.pfc.{rule}.slope@2026-06").how is How.MISSING
    assert content.line(f"line1.pfc.{rule}.slope").value is None
    assert content.line(f"plant.total.{rule}").value is None
    assert not content.complete


def test_substitutes_are_listed_in_the_report(tmp_path: Path) -> None:
    plant = office(tmp_path)
    plant.year(all_but(6))
    content = plant.make()
    (table,) = (
        block
        for chapter in content.chapters
        for block in chapter.blocks
        if block.block == "table" and block.id == "substituted"
    )
    rows = [row for row in table.rows if "ae_minutes" in str(row[6])]
    assert [(row[1], row[5]) for row in rows if "98.65(b)" in str(row[5])] == [
        ("2026-06", "98.65(b): mean_of_two_after")
    ]
    assert any("conservative_estimate" in str(row[5]) for row in rows)
    said = " ".join(doubt.text.en for doubt in content.warnings)
    assert "8.2 % of the year rests on substituted data" in said  # 30 of 365 days


def test_without_any_minutes_ipcc_2006_falls_to_tier_1_and_the_others_are_missing(
    tmp_path: Path,
) -> None:
    plant = office(tmp_path)
    plant.year()
    content = plant.make()
    assert "line1.pfc.ipcc_2006.tier1" in {
        given.ref for given in content.line("line1.total.ipcc_2006").inputs
    }
    assert content.line("line1.total.ipcc_2006").value is not None
    for rule in ("ipcc_2019", "eu", "us"):
        assert content.line(f"line1.total.{rule}").value is None


def test_us_replaces_missing_anode_data_by_tonnes_of_metal(tmp_path: Path) -> None:
    """98.65(a): 1.6 t CO2 per t of metal in the month without anode data: 1.6 * 20 000."""
    plant = office(tmp_path)
    rows = "".join(f"aluminium_tapped,line1,{month},,20000,t,\n" for month in MONTHS)
    rows += "".join(f"anode_consumed,line1,{month},,9400,t,\n" for month in MONTHS[:11])
    rows += "".join(minute_row(month, 0.1) for month in MONTHS)
    plant.enter(rows)
    content = plant.make()
    line = content.line("line1.co2.us.anode@2026-12")
    assert (line.how, line.value, line.method) == (How.SUBSTITUTED, Decimal(32000), "98.65(a)")
    assert "anode consumed" in line.notes[0].en
    eu = content.line("line1.anode_rate.eu@2026-12")
    assert eu.value == content.line("line1.anode_rate@2026-01").value
    assert content.line("line1.co2.ipcc_2006.anode").value is None


def test_missing_metal_is_never_substituted(tmp_path: Path) -> None:
    plant = office(tmp_path)
    rows = "".join(f"aluminium_tapped,line1,{month},,20000,t,\n" for month in MONTHS[:11])
    plant.enter(rows + "".join(minute_row(month, 0.1) for month in MONTHS))
    content = plant.make()
    for rule in ("ipcc_2006", "ipcc_2019", "eu", "us"):
        assert content.line(f"plant.total.{rule}").value is None


def test_current_efficiency_is_filled_downwards(tmp_path: Path) -> None:
    """It divides: the conservative month is the lowest (90 %), not the highest (95 %)."""
    plant = office(tmp_path, "cwpb")
    plant.year()
    plant.enter(every_month("anode_effect_overvoltage", 1.2, "mV"))
    values = [95, 90, *([93] * 9)]
    plant.enter(
        "".join(
            f"current_efficiency,line1,{month},,{value},%,\n"
            for month, value in zip(MONTHS, values, strict=False)
        )
    )
    assert plant.make().line("line1.current_efficiency.eu@2026-12").value == 90


# --- the pure rules

KNOWN = st.lists(st.none() | st.integers(0, 500).map(Decimal), min_size=1, max_size=14)


@given(KNOWN)
def test_the_conservative_month_is_never_below_any_measured_one(
    known: list[Decimal | None],
) -> None:
    measured = [value for value in known if value is not None]
    high, low = worst_month(known, upward=True), worst_month(known, upward=False)
    if not measured:
        assert high.value is None
        assert high.why_not is not None
        return
    assert high.value == max(measured)
    assert low.value == min(measured)
    assert known[high.made_from[0]] == high.value


@given(KNOWN, st.data())
def test_two_after_uses_only_what_lies_after(
    known: list[Decimal | None], data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(known) - 1))
    found = two_after(known, at)
    assert all(place > at for place in found.made_from)
    after = [value for value in known[at + 1 :] if value is not None]
    assert (found.value is None) is (len(after) < 2)
    if found.value is not None:
        assert found.value == (after[0] + after[1]) / 2


def test_a_method_that_is_not_built_is_refused() -> None:
    assert fill("none", [None, Decimal(1)], 0, upward=True).value is None
    with pytest.raises(RuleError, match="interpolate"):
        fill("interpolate", [None], 0, upward=True)
