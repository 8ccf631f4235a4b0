"""CBAM by hand: what is attributed, per tonne of goods, beside the default and its certificates."""

from pathlib import Path

import pytest

from reports.abroad.cbam import cbam
from reports.chapters import Table
from reports.model import Content, How
from reports.periods import Period
from reports.rules.packs import RuleError
from reports.values import Text
from tests.reports.abroad import AbroadOffice, every_month, office
from tests.reports.conftest import Smelter
from tests.reports.test_international import number

ABROAD = "carbonates = []\nabroad = { bakes_anodes = false, precursors = [] }"
GAS_T = (
    1200 * 389.31 * 0.01532 * 0.99 * 44 / 12
)  # 100 万Nm3 a month by the Chinese guide's defaults
ELECTRODES = 96000 * 0.976 * 3.664  # 8000 t net a month
PFC = 2496 * 6.63 + 142.272 * 11.1  # PFPB-M, 0.1 min, 240 000 t
GOODS = 12 * 19500


@pytest.fixture
def plant(tmp_path: Path) -> AbroadOffice:
    """A year of one PFPB-M potline: anodes and butts, gas, ingots and alloys, no bought metal."""
    made = office(tmp_path)
    made.write_site(lambda text: text.replace("# more", ABROAD))
    made.year(0.1)
    made.enter(
        every_month("anode_butts", 1400, "t")
        + every_month("gas_consumed", 100, "万Nm3", "plant", "natural_gas")
        + every_month("product_saleable", 15000, "t", "plant", "76011010")
        + every_month("product_saleable", 4500, "t", "plant", "76012030")
    )
    return made


def table(content: Content, name: str) -> Table:
    (found,) = (
        block
        for chapter in content.chapters
        for block in chapter.blocks
        if isinstance(block, Table) and block.id == name
    )
    return found


def test_see_by_hand(plant: AbroadOffice) -> None:
    """SEE = (electrodes 343 302.144 + gas 26 035 + carbonates 0 + PFC 18 127.6992) / 234 000."""
    content = plant.make(cbam)
    attributed = ELECTRODES + GAS_T + PFC
    expected = {
        "plant.cbam_electrodes": ELECTRODES,
        "plant.fuel_co2": GAS_T,
        "plant.carbonate_co2": 0,
        "plant.cbam_pfc": PFC,
        "plant.cbam_attributed": attributed,
        "plant.cbam_precursors": 0,
        "plant.saleable": GOODS,
        "plant.cbam_see": attributed / GOODS,
    }
    assert {key: number(content, key) for key in expected} == pytest.approx(expected)
    assert content.complete


def test_certificates_and_cost_by_hand(plant: AbroadOffice) -> None:
    """
    China 2026: 3.000 * 1.10 = 3.300; free 1.423 * 0.975 = 1.387425; by default 1.912575 a tonne.

    At (70 + 90) / 2 = 80 EUR the default costs 153.006 EUR a tonne.
    """
    plant.enter(
        "certificate_price,plant,2026-01,,70,EUR/t,\ncertificate_price,plant,2026-07,,90,EUR/t,\n"
    )
    content = plant.make(cbam)
    assert number(content, "plant.cbam_default") == pytest.approx(3.3)
    assert number(content, "plant.certificates_per_t_default") == pytest.approx(1.912575)
    assert number(content, "plant.cost_per_t_default") == pytest.approx(153.006)
    see = (ELECTRODES + GAS_T + PFC) / GOODS
    assert number(content, "plant.certificates_per_t") == pytest.approx(see - 1.387425)
    assert number(content, "plant.cost_per_t") == pytest.approx((see - 1.387425) * 80)


def test_certificates_are_never_negative(plant: AbroadOffice) -> None:
    """Twice the goods out of the same emission: 0.83 t per t is below the free share of 1.387."""
    plant.enter(every_month("product_saleable", 19500, "t", "plant", "76012010"))
    content = plant.make(cbam)
    assert number(content, "plant.cbam_see") == pytest.approx(
        (ELECTRODES + GAS_T + PFC) / (2 * GOODS)
    )
    assert number(content, "plant.certificates_per_t") == 0


def test_goods_of_another_heading_are_no_unwrought_aluminium(plant: AbroadOffice) -> None:
    plant.enter(every_month("product_saleable", 900, "t", "plant", "76061110"))
    assert number(plant.make(cbam), "plant.saleable") == GOODS


def test_precursors_bring_their_emission_along(plant: AbroadOffice) -> None:
    """500 t a month of bought ingot at 9.5 t per t: 57 000 t more."""
    plant.enter(
        every_month("precursor_consumed", 500, "t", "plant", "外购铝锭")
        + every_month("precursor_see", 9.5, "tCO2e/t", "plant", "外购铝锭")
    )
    content = plant.make(cbam)
    assert number(content, "plant.cbam_precursors") == pytest.approx(57000)
    see = (ELECTRODES + GAS_T + PFC + 57000) / GOODS
    assert number(content, "plant.cbam_see") == pytest.approx(see)


def test_a_precursor_without_its_emission_is_missing(plant: AbroadOffice) -> None:
    plant.enter("precursor_consumed,plant,2026-03,外购铝锭,500,t,\n")
    content = plant.make(cbam)
    assert content.line("plant.cbam_see").value is None
    assert "precursor_see" in content.line("plant.precursor.外购铝锭@2026-03").missing[0].en


def test_scrap_is_reported_and_brings_no_emission(plant: AbroadOffice) -> None:
    """300 t of pre- and 90 t of post-consumer scrap a month over 19 500 t: 0.02 t/t, 300/390."""
    before = number(plant.make(cbam), "plant.cbam_see")
    plant.enter(
        every_month("scrap_consumed", 300, "t", "plant", "pre_consumer")
        + every_month("scrap_consumed", 90, "t", "plant", "post_consumer")
    )
    content = plant.make(cbam)
    assert number(content, "plant.scrap_per_t") == pytest.approx(0.02)
    assert number(content, "plant.pre_consumer") == pytest.approx(300 / 390)
    assert number(content, "plant.cbam_see") == before


@pytest.mark.parametrize(("percent", "report"), [("1", False), ("1.01", True)])
def test_elements_above_one_percent_must_be_reported(
    plant: AbroadOffice, percent: str, *, report: bool
) -> None:
    product = (
        '[[abroad.products]]\ncn = "76012030"\nname = { zh = "铸造合金", en = "foundry alloy" }\n'
        f"alloy_percent = {percent}\n"
    )
    spoken = "[abroad]\nbakes_anodes = false\nprecursors = []\n" + product
    plant.write_site(
        lambda text: text.replace(ABROAD, "carbonates = []").replace(
            "[[potline]]", spoken + "\n[[potline]]"
        )
    )
    rows = table(plant.make(cbam), "goods").rows
    (found,) = (row for row in rows if row[0] == Text(zh="76012030", en="76012030"))
    assert isinstance(found[4], Text)
    assert found[4].en == ("must be reported" if report else "need not")


# --- missing, and what is charged then


@pytest.mark.parametrize(
    ("change", "line", "says"),
    [
        ("carbonates", "plant.carbonate_co2", "carbonates = [] in site.toml"),
        ("precursors", "plant.cbam_precursors", "precursors = [] in site.toml"),
        ("cell", "plant.cbam_pfc", "(cell)"),
    ],
)
def test_what_nobody_declared_is_missing_and_the_default_is_charged(
    plant: AbroadOffice, change: str, line: str, says: str
) -> None:
    words = {
        "carbonates": ("carbonates = []\n", ""),
        "precursors": (", precursors = []", ""),
        "cell": ('cell = "pfpb_m"', ""),
    }
    plant.write_site(lambda text: text.replace(*words[change]))
    content = plant.make(cbam)
    assert content.line(line).how is How.MISSING
    assert says in content.line(line).missing[0].en
    assert content.line("plant.cbam_see").value is None
    assert content.line("plant.certificates_per_t").value is None
    assert number(content, "plant.certificates_per_t_default") == pytest.approx(1.912575)
    said = [
        block.text
        for chapter in content.chapters
        for block in chapter.blocks
        if block.block == "paragraph"
    ]
    assert any("importers are charged by default, 1.9126" in text.en for text in said)
    assert any("进口商将按默认值申报：每吨需 1.9126 张证书" in text.zh for text in said)


def test_a_month_without_goods_is_missing(tmp_path: Path) -> None:
    plant = office(tmp_path)
    plant.write_site(lambda text: text.replace("# more", "fuels = []\n" + ABROAD))
    plant.year(0.1)
    rows = every_month("product_saleable", 19000, "t", "plant", "76011010").splitlines()[:11]
    plant.enter("\n".join(rows) + "\n")
    content = plant.make(cbam)
    assert "2026-12" in content.line("plant.saleable").missing[0].en
    assert content.line("plant.cbam_see").value is None


def test_a_gap_of_minutes_is_filled_conservatively_and_does_not_stop_the_report(
    tmp_path: Path,
) -> None:
    """June has no minutes; December's 0.12 is the highest month and stands in."""
    plant = office(tmp_path)
    plant.write_site(lambda text: text.replace("# more", "fuels = []\n" + ABROAD))
    plant.year({m: m / 100 for m in range(1, 13) if m != 6})
    plant.enter(every_month("product_saleable", 19000, "t", "plant", "76011010"))
    content = plant.make(cbam)
    assert content.complete
    assert number(content, "line1.ae_minutes.eu@2026-06") == pytest.approx(0.12)
    state = table(content, "charge").rows[0][7]
    assert isinstance(state, Text)
    assert state.en == "with substituted data"


def test_no_price_no_cost(plant: AbroadOffice) -> None:
    content = plant.make(cbam)
    assert content.line("plant.cost_per_t").how is How.NONE
    assert "certificate_price" in content.line("plant.cost_per_t").notes[0].en


def test_what_is_not_known_is_flagged(plant: AbroadOffice) -> None:
    content = plant.make(cbam)
    assert "eu_cbam_values.cscf" in {absent.id for absent in content.absent}
    assert any("CSCF" in doubt.text.zh for doubt in content.warnings)
    scope = next(x for x in content.legals if x.id.startswith("eu_cbam_values.indirect_scope"))
    assert (scope.value, scope.confirmed) == ("not_counted", "secondary")
    assert not any("electricity" in line.id for line in content.lines)


# --- years


def test_the_outlook_follows_the_years(plant: AbroadOffice) -> None:
    """Mark-up 10, 20, 30 %; free share 97.5 … 0 %: in 2034 nothing is free."""
    content = plant.make(cbam)
    see = number(content, "plant.cbam_see")
    rows = {row[0].zh: row for row in table(content, "outlook").rows if isinstance(row[0], Text)}
    expected = {"2026": (97.5, 10, 3.3), "2027": (95, 20, 3.6), "2028": (90, 30, 3.9)}
    expected["2034"] = (0, 30, 3.9)
    for year, (share, mark_up, default) in expected.items():
        _, free, up, base, actual, by_default, _ = rows[year]
        assert [float(str(x)) for x in (free, up, base)] == pytest.approx([share, mark_up, default])
        free_t = 1.423 * share / 100
        assert float(str(actual)) == pytest.approx(max(0, see - free_t))
        assert float(str(by_default)) == pytest.approx(default - free_t)


def test_a_year_before_the_rule_is_refused(plant: AbroadOffice) -> None:
    with pytest.raises(RuleError, match="no value on 2025-01-01"):
        plant.make(cbam, Period.year(2025))


@pytest.mark.parametrize(("country", "base"), [("india", 1.87), ("iceland", 2.203)])
def test_the_default_of_the_country_or_of_all_others(
    plant: AbroadOffice, country: str, base: float
) -> None:
    plant.write_site(lambda text: text.replace("bakes_anodes = false", f'country = "{country}"'))
    assert number(plant.make(cbam), "plant.cbam_default") == pytest.approx(base * 1.1)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_command_in_both_languages(plant: AbroadOffice, smelter: Smelter, lang: str) -> None:
    code, said = smelter(
        *("report", "cbam", "--site", str(plant.site_file), "--year", "2026", "--preliminary"),
        *("--out", str(plant.root / "out"), "--lang", lang),
    )
    assert code == 0, said
    names = {path.name for path in (plant.root / "out").iterdir()}
    assert names == {
        "cbam-2026-v1.json",
        *(f"cbam-2026-v1.{lang}.{end}" for end in ("pdf", "xlsx")),
    }
