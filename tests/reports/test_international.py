"""International methods worked out by hand: cells by rules, and what never mixes."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reports.abroad.gwp import GwpSet, gwp_set
from reports.assembly import Assembly
from reports.carbon.monthly import carbon_monthly
from reports.model import Content, How
from reports.periods import Period
from reports.rules.packs import packs
from tests.reports.abroad import METAL, MONTHS, every_month, minute_row, office
from tests.reports.conftest import Smelter
from tests.reports.year import Y2026, month_rows

RULES = ("ipcc_2006", "ipcc_2019", "eu", "us")
OLD = {  # IPCC 2006 table 4.16 and 40 CFR 98 table F-1: slope, C2F6 per CF4
    "cwpb": (0.143, 0.121),
    "swpb": (0.272, 0.252),
    "vss": (0.092, 0.053),
    "hss": (0.099, 0.085),
}
NEW = {  # EU 2025/2547 annex II table 2
    "pfpb_l": (0.122, 0.097),
    "pfpb_m": (0.104, 0.057),
    "cwpb": (0.143, 0.121),
    "swpb": (0.233, 0.280),
    "vss": (0.058, 0.086),
    "hss": (0.165, 0.077),
}
GWP = {"ipcc_2006": (7390, 12200), "ipcc_2019": (6630, 11100), "eu": (6630, 11100)}
GWP["us"] = (6630, 11100)  # table A-1 as amended, from 2025


def number(content: Content, line: str) -> float:
    found = content.line(line)
    assert found.value is not None, found.missing
    return float(found.value)


def test_slope_by_hand(tmp_path: Path) -> None:
    """
    240 000 t, 0.1 min per cell-day, PFPB-M.

    IPCC 2006 and US know it as CWPB: CF4 = 0.143 * 0.1 * 240 000 = 3432 kg,
    C2F6 = 0.121 * 3432 = 415.272 kg. AR4: 3432 * 7.39 + 415.272 * 12.2 = 30 428.7984 t;
    AR5: 3432 * 6.63 + 415.272 * 11.1 = 27 363.6792 t.
    IPCC 2019 and EU: CF4 = 0.104 * 0.1 * 240 000 = 2496 kg, C2F6 = 0.057 * 2496 = 142.272 kg,
    AR5: 2496 * 6.63 + 142.272 * 11.1 = 18 127.6992 t.
    """
    plant = office(tmp_path)
    plant.year(0.1)
    content = plant.make()
    expected = {
        "line1.cf4.ipcc_2006.slope": 3432,
        "line1.c2f6.ipcc_2006.slope": 415.272,
        "line1.pfc.ipcc_2006.slope": 30428.7984,
        "line1.pfc.us.slope": 27363.6792,
        "line1.cf4.eu.slope": 2496,
        "line1.c2f6.eu.slope": 142.272,
        "line1.pfc.eu.slope": 18127.6992,
        "line1.pfc.ipcc_2019.slope": 18127.6992,
        "line1.pfc.us.slope@2026-02": 27363.6792 / 12,
        # tier 1, CWPB: 240 000 * (0.4 * 7390 + 0.04 * 12 200) / 1000
        "line1.pfc.ipcc_2006.tier1": 240 * (0.4 * 7390 + 0.04 * 12200),
        "line1.co2.ipcc_2006.tier1": 1.6 * 240000,
    }
    assert {key: number(content, key) for key in expected} == pytest.approx(expected, rel=1e-12)
    assert content.complete
    for rule in RULES:
        line = content.line(f"line1.pfc.{rule}.slope")
        assert line.method == "tier2_slope"
        assert line.how is How.SUM


TESTED = "kind,line,period,value,unit,sample,method,laboratory,accreditation,tested_on\n" + "".join(
    f"{kind},line1,{month},{value},%,S{month},GB/T 1,厂化验室,CNAS L1,{month}-20\n"
    for month in MONTHS
    for kind, value in (("anode_sulphur", 1.5), ("anode_ash", 0.3))
)


def test_anode_co2_by_hand(tmp_path: Path) -> None:
    """
    9400 t of anode a month, 1400 t of butts: 8000 t net, 96 000 t a year.

    IPCC, US: 96 000 * (1 - 0.02 - 0.004) * 44/12 = 343 552 t; EU by f: 96 000 * 0.976 * 3.664 =
    343 302.144 t. With 1.5 % sulphur and 0.3 % ash tested: 96 000 * 0.982 * 44/12 = 345 664 t.
    """
    plant = office(tmp_path)
    plant.year(0.1)
    plant.enter(every_month("anode_butts", 1400, "t"))
    content = plant.make()
    for rule in ("ipcc_2006", "ipcc_2019", "us"):
        assert number(content, f"line1.co2.{rule}.anode") == pytest.approx(343552)
        assert content.line(f"line1.co2.{rule}.anode").method == "tier2_anode"
    assert number(content, "line1.co2.eu.mass_balance") == pytest.approx(343302.144)
    total = 343302.144 + 18127.6992
    assert number(content, "plant.total.eu") == pytest.approx(total)
    assert number(content, "line1.intensity.eu") == pytest.approx(total / 240000)
    plant.enter_table(TESTED)
    tested = plant.make()
    assert number(tested, "line1.co2.ipcc_2006.anode") == pytest.approx(345664)
    assert tested.line("line1.co2.ipcc_2006.anode").method == "tier3_anode"


def test_with_a_default_loss_rate_tested_anodes_are_no_tier_3(tmp_path: Path) -> None:
    """Sulphur and ash are the plant's, net consumption rests on the Chinese guide's loss rate."""
    plant = office(tmp_path)
    plant.year(0.1)
    plant.enter_table(TESTED)
    content = plant.make()
    for rule in ("ipcc_2006", "ipcc_2019", "us"):
        assert content.line(f"line1.co2.{rule}.anode").method == "tier2_anode"


def test_without_butts_the_loss_rate_of_the_chinese_guide_is_borrowed_and_said(
    tmp_path: Path,
) -> None:
    plant = office(tmp_path)
    plant.year(0.1)
    line = plant.make().line("line1.anode_net@2026-03")
    assert line.value == Decimal(9400) * Decimal("0.8482")
    assert "no butts entered" in line.notes[0].en


@pytest.mark.parametrize("cell", [*NEW, "pfpb_mw"])
def test_every_cell_by_every_rule(tmp_path: Path, cell: str) -> None:
    """CO2e = S * AEM * P * (GWP_CF4 + F * GWP_C2F6) / 1000, for 0.15 min and 240 000 t."""
    plant = office(tmp_path, cell, 'paste = "dry"')
    plant.year(0.15)
    if cell in {"vss", "hss"}:
        plant.enter(every_month("paste_consumed", 10400, "t"))
    content = plant.make()
    for rule in RULES:
        table = OLD if rule in {"ipcc_2006", "us"} else NEW
        known = cell if cell in table else "cwpb"
        slope, ratio = table[known]
        cf4, c2f6 = GWP[rule]
        line = content.line(f"line1.pfc.{rule}.slope")
        if cell == "pfpb_mw" and rule == "ipcc_2019":
            assert line.value is None  # tier 3 only, and its equation is not in the program
            assert "slope_pfpb_mw" in line.missing[0].en
            continue
        expected = slope * 0.15 * 240000 * (cf4 + ratio * c2f6) / 1000
        assert float(line.value or 0) == pytest.approx(expected), rule
    if cell == "pfpb_mw":
        notes = content.line("line1.pfc.eu.slope").notes
        assert "must be measured" in notes[0].en
        assert any(doubt.line == "line1.pfc.eu.slope" for doubt in content.warnings)


def test_soderberg_by_hand(tmp_path: Path) -> None:
    """
    PC = 0.52, VSS, dry paste: per tonne 0.52 - 0.0005 - 0.24 * 0.52 * 0.041 - 0.76 * 0.52 * 0.021
    - 0.01 = 0.496084 t of carbon; times 240 000 t and 44/12.
    """
    plant = office(tmp_path, "vss", 'paste = "dry"')
    plant.year(0.1)
    plant.enter(every_month("paste_consumed", 10400, "t"))
    carbon = 0.52 - 0.0005 - 0.24 * 0.52 * 0.041 - 0.76 * 0.52 * 0.021 - 0.01
    for rule in ("ipcc_2006", "us"):
        found = number(plant.make(), f"line1.co2.{rule}.soderberg")
        assert found == pytest.approx(carbon * 240000 * 44 / 12)
    plant.write_site(lambda text: text.replace('paste = "dry"', ""))
    line = plant.make().line("line1.co2.us.soderberg")
    assert line.value is None
    assert "dry or wet" in line.missing[0].en


def test_overvoltage_by_hand_and_only_where_the_rule_knows_it(tmp_path: Path) -> None:
    """
    CWPB, 1.5 mV, CE 94 %: CF4 = 1.16 * 1.5 / 94 * 240 000 = 4442.5532 kg; EU AR5 with F 0.121:
    4442.5532 * (6.63 + 0.121 * 11.1) = 35 420.9 t. HSS has no overvoltage coefficient.
    """
    plant = office(tmp_path, "cwpb")
    plant.year()
    volts = every_month("anode_effect_overvoltage", 1.5, "mV")
    plant.enter(volts + every_month("current_efficiency", 94, "%"))
    content = plant.make()
    cf4 = 1.16 * 1.5 / 94 * 240000
    assert number(content, "line1.cf4.eu.overvoltage") == pytest.approx(cf4)
    assert number(content, "line1.pfc.eu.overvoltage") == pytest.approx(cf4 * (6.63 + 0.121 * 11.1))
    names = {line.id for line in content.lines}
    assert "line1.pfc.eu.slope" not in names  # no minutes at all: nothing is missing for it
    plant.write_site(lambda text: text.replace('cell = "cwpb"', 'cell = "hss"\npaste = "wet"'))
    assert "line1.pfc.eu.overvoltage" not in {line.id for line in plant.make().lines}


def test_current_efficiency_as_a_fraction_cannot_reach_the_equation(tmp_path: Path) -> None:
    """0.94 % (a fraction that was called a percentage) is refused at the door."""
    plant = office(tmp_path, "cwpb")
    plant.year()
    with pytest.raises(Exception, match=r"current_efficiency|电流效率"):
        plant.enter(every_month("current_efficiency", 0.94, "%"))


def test_own_slope_is_tier_3_and_its_age_is_judged_by_each_rule(tmp_path: Path) -> None:
    """
    0.09 kg/t/min, F 0.05, of 2023-06-10: CF4 = 0.09 * 0.1 * 240 000 = 2160 kg. EU renews after 3
    years (2026-06-10 is within 2026: too old), US after 10.
    """
    own = "own_slope = { value = 0.09, c2f6_fraction = 0.05, measured = 2023-06-10, "
    plant = office(tmp_path, "pfpb_m", own + 'source = "T-2023-7", uncertainty_percent = 12 }')
    plant.year(0.1)
    content = plant.make()
    for rule in RULES:
        line = content.line(f"line1.cf4.{rule}.own_slope")
        assert float(line.value or 0) == pytest.approx(2160)
        assert line.method == "tier3_own_slope"
        assert "T-2023-7" in line.notes[0].en
        inputs = {given.ref for given in content.line(f"line1.total.{rule}").inputs}
        assert f"line1.pfc.{rule}.own_slope" in inputs
    assert any("3 years" in note.en for note in content.line("line1.pfc.eu.own_slope").notes)
    assert not any("years" in note.en for note in content.line("line1.pfc.us.own_slope").notes)


@pytest.mark.parametrize(("measured", "old"), [("2023-12-31", True), ("2024-01-01", False)])
def test_the_day_on_which_an_own_coefficient_grows_too_old(
    tmp_path: Path, measured: str, *, old: bool
) -> None:
    """Three years from 2023-12-31 end within 2026; from 2024-01-01 they end with it."""
    own = f"own_slope = {{ value = 0.09, c2f6_fraction = 0.05, measured = {measured}, "
    plant = office(tmp_path, "pfpb_m", own + 'source = "T", uncertainty_percent = 15 }')
    plant.year(0.1)
    notes = plant.make().line("line1.pfc.eu.own_slope").notes
    assert any("older than" in note.en for note in notes) is old
    assert not any("uncertainty" in note.en for note in notes)


def test_every_pair_comes_from_one_set_and_another_cannot_be_built() -> None:
    assembly = Assembly(Y2026, packs())
    sets = {rule: gwp_set(assembly, pack) for rule, pack in _PACKS.items()}
    for rule, found in sets.items():
        assert [found.cf4.number, found.c2f6.number] == list(GWP[rule])
    ar4, ar5 = sets["ipcc_2006"], sets["eu"]
    for name, cf4, c2f6 in (
        ("ar4", ar4.cf4, ar5.c2f6),
        ("ar5", ar4.cf4, ar5.c2f6),
        ("ar5", ar4.cf4, ar4.c2f6),
        ("ar5", ar5.c2f6, ar5.cf4),
    ):
        with pytest.raises(ValueError, match="are not its values"):
            GwpSet(name, cf4, c2f6)
    with pytest.raises(ValueError, match="are not its values"):
        replace(ar4, name="ar5")


_PACKS = {
    "ipcc_2006": "ipcc_2006_aluminium",
    "ipcc_2019": "ipcc_2019_aluminium",
    "eu": "eu_cbam_2025_2547",
    "us": "us_40cfr98_f",
}


def test_no_line_ever_uses_two_sets(tmp_path: Path) -> None:
    plant = office(tmp_path)
    plant.year(0.1)
    for line in plant.make().lines:
        used = {
            given.ref.partition("@")[0].removeprefix("gwp.").partition("_")[2]
            for given in line.inputs
            if given.ref.startswith("gwp.")
        }
        assert len(used) <= 1, line.id


# --- what moves, and what must not


def test_china_does_not_move_with_measured_anode_effects(tmp_path: Path) -> None:
    """Two books that differ in anode-effect minutes only give the same Chinese bytes."""
    months, years = [], []
    for minutes in (0.1, 0.5):
        plant = office(tmp_path / str(minutes))
        plant.year()
        plant.enter("".join(minute_row(month, minutes) for month in MONTHS))
        months.append(plant.make(carbon_monthly, MONTHS[2]))
        years.append(plant.make())
    china = [month.model_dump_json(exclude={"ledger"}) for month in months]
    assert china[0] == china[1]
    for rule in RULES:
        low, high = (number(year, f"line1.pfc.{rule}.slope") for year in years)
        assert high == pytest.approx(5 * low)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(minutes=st.floats(0, 5).map(lambda x: round(x, 3)))
def test_zero_gives_zero_and_twice_the_minutes_twice_the_pfc(
    tmp_path_factory: pytest.TempPathFactory, minutes: float
) -> None:
    once, twice = (office(tmp_path_factory.mktemp("site")) for _ in range(2))
    once.year(minutes)
    twice.year(round(2 * minutes, 3))
    first, second = once.make(), twice.make()
    for rule in RULES:
        one, two = (c.line(f"line1.pfc.{rule}.slope").value for c in (first, second))
        assert one is not None
        assert two == 2 * one
        assert (one == 0) is (minutes == 0)


# --- boundaries and words


def test_a_potline_without_technology_is_missing_everywhere_abroad(tmp_path: Path) -> None:
    plant = office(tmp_path)
    plant.write_site(lambda text: text.replace('cell = "pfpb_m"', ""))
    plant.year(0.1)
    content = plant.make()
    assert not content.complete
    for rule in RULES:
        assert "cell" in content.line(f"line1.total.{rule}").missing[0].en


def test_the_eu_rule_begins_with_2026(tmp_path: Path) -> None:
    plant = office(tmp_path)
    rows = "".join(
        month_rows(month, "line1", METAL, 9400) + minute_row(month, 0.1)
        for month in Period.year(2025).months
    )
    plant.enter(rows)
    names = {line.id for line in plant.make(year=Period.year(2025)).lines}
    assert "plant.total.us" in names
    assert "plant.total.eu" not in names


def test_an_unknown_technology_is_refused_with_the_place(tmp_path: Path, smelter: Smelter) -> None:
    plant = office(tmp_path, "pfpb_x")
    code, said = smelter(
        *("report", "international", "--site", str(plant.site_file), "--year", "2025"),
        *("--out", str(tmp_path / "out")),
    )
    assert code == 2
    assert "cell" in said


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_command_prints_both_languages(tmp_path: Path, smelter: Smelter, lang: str) -> None:
    plant = office(tmp_path)
    rows = "".join(
        month_rows(month, "line1", METAL, 9400) + minute_row(month, 0.1)
        for month in Period.year(2025).months
    )
    plant.enter(rows)
    code, said = smelter(
        *("report", "international", "--site", str(plant.site_file), "--year", "2025"),
        *("--out", str(tmp_path / "out"), "--lang", lang),
    )
    assert code == 0, said
    assert {path.suffix for path in (tmp_path / "out").iterdir()} == {".json", ".xlsx", ".pdf"}
