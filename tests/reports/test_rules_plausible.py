"""A rule's value in another unit is refused with what was meant; warming potentials stay sets."""

import tomllib
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from drivers.model import ConfigError
from reports.rules.gwp_sets import known_sets
from reports.rules.overlay import read_overlays
from reports.rules.packs import load, packs
from reports.rules.plausible import outside
from reports.rules.units import RuleUnit
from tests.reports.conftest import Office, Smelter
from tests.reports.test_rules_overlays import BALANCE, read, with_overlays, written

GUIDE, ALLOWANCE = "cn_ets_aluminium_2024", "cn_allowance_aluminium"
FILES = sorted((Path(__file__).parents[2] / "reports" / "rules").glob("*.toml"))


def block(identity: str, value: str, unit: str, day: str = "2024-01-01") -> str:
    text = BALANCE.replace("cn_allowance_aluminium.balance_value", identity)
    text = text.replace("value = 1.5702", f"value = {value}").replace("2025-01-01", day)
    return text.replace('"t_co2e_per_t"', f'"{unit}"')


SLIPS = [
    (f"{GUIDE}.anode_loss_rate", "0.1518", "%", "0.1518 % is 0.001518; for 15.18 % write 15.18"),
    (f"{GUIDE}.anode_sulphur", "0.02", "%", "for 2 % write 2"),
    (f"{GUIDE}.anode_ash", "0.004", "%", "for 0.4 % write 0.4"),
    (f"{GUIDE}.oxidation_diesel", "0.98", "%", "for 98 % write 98"),
    (f"{GUIDE}.ef_cf4", "20", "kg_per_t", "perhaps 0.02 is meant"),
    (f"{GUIDE}.gwp_cf4", "6.63", "t_co2e_per_t", "perhaps 6630 is meant"),
    (f"{GUIDE}.ncv_diesel", "42652", "gj_per_t", "perhaps 42.652 is meant"),
    (f"{GUIDE}.ncv_natural_gas", "38931", "gj_per_10k_nm3", "perhaps 389.31 is meant"),
    (f"{GUIDE}.carbon_diesel", "20.2", "tc_per_gj", "perhaps 0.0202 is meant"),
    (f"{ALLOWANCE}.x_clip", "0.2", "%", "for 20 % write 20"),
    (f"{ALLOWANCE}.cap", "0.03", "%", "for 3 % write 3"),
    (f"{ALLOWANCE}.balance_value", "1570", "t_co2e_per_t", "perhaps 1.57 is meant"),
    (f"{ALLOWANCE}.balance_value", "0.157", "t_co2e_per_t", "it lies in 1.2 – 5 tCO2e/t"),
    ("cn_grid_factors.factor_yunnan", "133.3", "kg_co2_per_kwh", "perhaps 0.1333 is meant"),
    ("eu_cbam_values.default_china", "3000", "t_co2e_per_t", "perhaps 3 is meant"),
    ("us_40cfr98_f.slope_cwpb", "143", "kg_per_t_per_min", "perhaps 0.143 is meant"),
]


@pytest.mark.parametrize(("identity", "value", "unit", "says"), SLIPS)
def test_an_overlay_in_another_unit_is_refused(
    tmp_path: Path, identity: str, value: str, unit: str, says: str
) -> None:
    problems = read(tmp_path, block(identity, value, unit)).problems
    told = [problem for problem in problems if ":4: values.1.value: " in problem]
    assert len(told) == 1
    assert says in told[0]
    assert "cannot be" in told[0]


def test_it_is_explained_in_chinese(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMELTER_LANG", "zh")
    told = read(tmp_path, block(f"{GUIDE}.anode_loss_rate", "0.1518", "%")).problems[0]
    assert "0.1518 % 不可能；应在 2 – 40 % 之间" in told
    assert "（0.1518 % 是 0.001518；15.18 % 请填 15.18）" in told
    told = read(tmp_path, block(f"{GUIDE}.ef_cf4", "20", "kg_per_t")).problems[0]
    assert "20 kg/t 不可能；应在 0.001 – 2 kg/t 之间（单位不同？是否应为 0.02）" in told


def test_a_value_at_either_end_is_accepted_and_one_beyond_is_not() -> None:
    low, high = Decimal("1.2"), Decimal(5)
    for value, bad in (("1.2", False), ("5", False), ("1.1999", True), ("5.0001", True)):
        assert bool(outside(Decimal(value), "t_co2e_per_t", low, high)) is bad
    assert outside(Decimal(0), "%", Decimal(1), Decimal(100))
    assert outside(Decimal(0), "%", Decimal(1), Decimal(100), or_zero=True) == ""


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_number_of_the_law_has_a_range_that_finds_slips(path: Path) -> None:
    """A hundredth of a percent figure, and a thousandth or a thousand times any other."""
    counts = {"decimals", "days", "months", "years", "year", "cny"}
    for name, parameter in packs()[path.stem].parameters.items():
        if parameter.unit in {RuleUnit.NAME, RuleUnit.DATE}:
            continue
        low, high = parameter.low, parameter.high
        assert low is not None, name
        assert high is not None, name
        for entry in parameter.entries:
            value = entry.value
            assert isinstance(value, Decimal)
            if value == 0 or parameter.unit in counts:
                continue
            if parameter.unit is RuleUnit.PERCENT:
                assert outside(value / 100, "%", low, high), (name, value)
            assert outside(value / 1000, parameter.unit, low, high), (name, value)


def test_a_pack_with_a_value_out_of_its_range_does_not_load() -> None:
    path = next(file for file in FILES if file.stem == GUIDE)
    text = path.read_text("utf-8")
    with pytest.raises(ConfigError, match=r"anode_loss_rate\.entries\.1\.value: 0\.1518 %"):
        load(GUIDE, text.replace("value = 15.18", "value = 0.1518", 1).encode())
    with pytest.raises(ConfigError, match=r"anode_loss_rate\.low: give low and high together"):
        load(GUIDE, text.replace("low = 2\nhigh = 40", "low = 40\nhigh = 2", 1).encode())
    with pytest.raises(ConfigError, match=r"anode_loss_rate\.low: give low and high together"):
        load(GUIDE, text.replace("low = 2\nhigh = 40", "low = 2", 1).encode())


# --- sets of warming potentials

CF4 = block(f"{GUIDE}.gwp_cf4", "7390", "t_co2e_per_t", "2026-01-01")
C2F6 = block(f"{GUIDE}.gwp_c2f6", "12200", "t_co2e_per_t", "2026-01-01")


def test_the_sets_are_those_of_the_pack() -> None:
    bare = tomllib.loads(next(f for f in FILES if f.stem == "gwp").read_text("utf-8"))["parameters"]
    names = [name.removeprefix("cf4_") for name in bare if name.startswith("cf4_")]
    sets = known_sets(packs(), date(2026, 1, 1))
    assert list(sets) == names
    assert sets["ar5"] == (Decimal(6630), Decimal(11100))
    assert "ar5" not in known_sets(packs(), date(2012, 12, 31))


def test_one_half_of_a_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        read_overlays([written(tmp_path, CF4)])
    told = str(refused.value)
    assert "gwp_cf4, gwp_c2f6 (2026-01-01): CF4 7390 and C2F6 11100 are no set" in told
    assert "ar4 7390 / 12200" in told


def test_a_whole_set_is_accepted_also_from_two_files(tmp_path: Path) -> None:
    assert len(read_overlays([written(tmp_path, CF4 + C2F6)])[0].stretches) == 2
    one, two = written(tmp_path, CF4, "1.toml"), written(tmp_path, C2F6, "2.toml")
    assert len(read_overlays([one, two])) == 2


def test_halves_that_begin_or_end_on_different_days_are_refused(tmp_path: Path) -> None:
    later = C2F6.replace("applies_from = 2026-01-01", "applies_from = 2026-01-02")
    with pytest.raises(ConfigError, match=r"\(2026-01-01\): CF4 7390 and C2F6 11100"):
        read_overlays([written(tmp_path, CF4 + later)])
    ends = C2F6.replace("value = ", "until = 2026-07-01\nvalue = ")
    with pytest.raises(ConfigError, match=r"\(2026-07-01\): CF4 7390 and C2F6 11100"):
        read_overlays([written(tmp_path, CF4 + ends)])


def test_a_pair_of_no_set_is_refused(tmp_path: Path) -> None:
    own = CF4.replace("7390", "7000") + C2F6.replace("12200", "12000")
    with pytest.raises(ConfigError, match="CF4 7000 and C2F6 12000 are no set"):
        read_overlays([written(tmp_path, own)])


def test_the_pack_of_sets_is_changed_by_whole_sets_only(tmp_path: Path) -> None:
    half = block("gwp.cf4_ar6", "7400", "t_co2e_per_t", "2026-01-01")
    with pytest.raises(ConfigError, match="enter cf4_ar6 and c2f6_ar6 together"):
        read_overlays([written(tmp_path, half)])
    whole = half + block("gwp.c2f6_ar6", "12500", "t_co2e_per_t", "2026-01-01")
    assert len(read_overlays([written(tmp_path, whole)])[0].stretches) == 2
    same = half.replace("7400", "7380")  # the plant read the same value in the report itself
    assert len(read_overlays([written(tmp_path, same)])[0].stretches) == 1


def test_a_report_is_not_made_with_a_mixed_pair(kept: Office, smelter: Smelter) -> None:
    with_overlays(kept, CF4)
    arguments = ("report", "carbon-monthly", "--site", str(kept.site_file), "--month", "2026-10")
    code, said = smelter(*arguments, "--out", str(kept.root / "out"), "--format", "json")
    assert code == 2
    assert "are no set of warming potentials" in said
    code, said = smelter("rules", "check", str(kept.root / "0.toml"), "--lang", "zh")
    assert code == 2
    assert "不属于同一套全球变暖潜势；不得混用" in said
