"""The enterprise level: fuels by two ways, carbonates, what is declared, purchased energy."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.model import ConfigError
from reports.model import How
from reports.periods import Period
from reports.values import Text
from tests.reports.year import YearOffice, month_rows, usual_year

MARCH = Period.month(2026, 3)
BOTH = month_rows(MARCH, "line1", 20000, 9400, 270000) + month_rows(
    MARCH, "line2", 10000, 4700, 135000
)
LAB = "S-1,GB/T 213,河南省煤炭质检中心,CMA 1,2026-03-12"
LAB_HEAD = "kind,line,period,item,value,unit,sample,method,laboratory,accreditation,tested_on\n"


@pytest.fixture
def office(tmp_path: Path) -> YearOffice:
    made = YearOffice(tmp_path)
    made.enter(BOTH)
    return made


def lab(office: YearOffice, *rows: str) -> None:
    office.enter_table(LAB_HEAD + "".join(f"{row},{LAB}\n" for row in rows))


def test_fuels_by_heat_value_carbonates_and_the_sum_by_hand(office: YearOffice) -> None:
    """
    Natural gas 120.5 万Nm3: 120.5 x 389.31 x 0.01532 x 0.99 x 44/12.

    120.5 x 389.31 = 46911.855 GJ; x 0.01532 = 718.6896186 tC; x 0.99 = 711.502722414 tC;
    x 44/12 = 2608.843315518 tCO2. Diesel 31.2 t: 31.2 x 42.652 = 1330.7424 GJ; x 0.0202 =
    26.88099648 tC; x 0.98 = 26.3433765504; x 44/12 = 96.5923806848. Soda ash 40 t at 100 %:
    40 x 0.4149 = 16.596.
    """
    office.enter(
        "gas_consumed,plant,2026-03,natural_gas,120.5,万Nm3,\n"
        "fuel_consumed,plant,2026-03,diesel,31.2,t,\n"
        "carbonate_consumed,plant,2026-03,sodium_carbonate,40,t,\n"
    )
    content = office.content(MARCH)
    found = {
        name: float(content.line(f"plant.{name}").value or 0)
        for name in (
            "fuel_co2.natural_gas",
            "fuel_co2.diesel",
            "fuel_co2",
            "carbonate_co2.sodium_carbonate",
            "enterprise_emission",
        )
    }
    process = float(content.line("plant.emission").value or 0)
    assert found == pytest.approx(
        {
            "fuel_co2.natural_gas": 2608.843315518,
            "fuel_co2.diesel": 96.5923806848,
            "fuel_co2": 2705.4356962028,
            "carbonate_co2.sodium_carbonate": 16.596,
            "enterprise_emission": process + 2705.4356962028 + 16.596,
        },
        rel=1e-9,
    )
    assert content.complete
    assert content.line("plant.fuel_co2.diesel").how is How.DEFAULT
    assert content.line("plant.enterprise_emission").decimals == 0
    (table,) = [
        block
        for chapter in content.chapters
        for block in chapter.blocks
        if block.block == "table" and block.id == "fuels"
    ]
    assert [row[0].en for row in table.rows if isinstance(row[0], Text)] == [
        "diesel",
        "natural gas",
        "sodium carbonate (soda ash)",
    ]


def test_the_process_emission_does_not_move_with_fuel(office: YearOffice) -> None:
    before = office.content(MARCH).line("plant.emission").value
    office.enter("fuel_consumed,plant,2026-03,diesel,31.2,t,\n")
    assert office.content(MARCH).line("plant.emission").value == before


def test_nothing_entered_is_not_stated_and_not_zero(office: YearOffice) -> None:
    content = office.content(MARCH)
    fuel, whole = content.line("plant.fuel_co2"), content.line("plant.enterprise_emission")
    assert (fuel.how, fuel.value) == (How.NONE, None)
    assert whole.value == content.line("plant.emission").value
    assert "without CO2 from fossil fuels (not stated)" in [note.en for note in whole.notes]
    assert content.complete


def test_declared_fuel_is_required(office: YearOffice) -> None:
    declared = '# more\nfuels = ["natural_gas", "diesel"]\ncarbonates = []\n'
    office.write_site(lambda text: text.replace("# more\n", declared))
    office.enter("fuel_consumed,plant,2026-03,diesel,0,t,\n")
    content = office.content(MARCH)
    gas = content.line("plant.fuel_co2.natural_gas")
    assert gas.how is How.MISSING
    assert "天然气" in gas.missing[0].zh
    assert content.line("plant.fuel_co2.diesel").value == 0  # entered as 0: that is a figure
    assert content.line("plant.enterprise_emission").value is None
    assert content.line("plant.carbonate_co2").value == 0
    assert "declares that none" in content.line("plant.carbonate_co2").notes[0].en


def test_a_fuel_once_entered_is_required_from_then_on(office: YearOffice) -> None:
    office.enter("fuel_consumed,plant,2026-02,diesel,10,t,\n")
    line = office.content(MARCH).line("plant.fuel_consumed.diesel")
    assert line.how is How.MISSING
    january = Period.month(2026, 1)
    office.enter(month_rows(january, "line1", 20000, 9400, 1) + month_rows(january, "line2", 1, 1))
    assert office.content(january).line("plant.fuel_co2").how is How.NONE


def test_an_unknown_fuel_in_the_site_file_is_refused(office: YearOffice) -> None:
    office.write_site(lambda text: text.replace("# more\n", '# more\nfuels = ["methane"]\n'))
    with pytest.raises(ConfigError, match="methane"):
        office.content(MARCH)


def test_stock_ledger_and_both_compared(office: YearOffice) -> None:
    """12 + 30 - 2 - 9.5 = 30.5 t."""
    office.enter(
        "fuel_stock_begin,plant,2026-03,diesel,12,t,\nfuel_purchased,plant,2026-03,diesel,30,t,\n"
        "fuel_sold,plant,2026-03,diesel,2,t,\nfuel_stock_end,plant,2026-03,diesel,9.5,t,\n"
        "gas_purchased,plant,2026-03,natural_gas,121,万Nm3,\n"
        "gas_sold,plant,2026-03,natural_gas,1,万Nm3,\n"
    )
    content = office.content(MARCH)
    line = content.line("plant.fuel_consumed.diesel")
    assert (line.value, line.formula) == (Decimal("30.5"), "stock_consumed")
    assert content.line("plant.fuel_consumed.natural_gas").value == 120
    office.enter("fuel_consumed,plant,2026-03,diesel,31,t,\n")
    line = office.content(MARCH).line("plant.fuel_consumed.diesel")
    assert (line.value, line.how) == (Decimal(31), How.ENTERED)
    assert "gives 30.5 t, -0.5 t off" in line.notes[0].en


def test_stock_is_carried_over_the_month(office: YearOffice) -> None:
    """February ends with 12 t of diesel and 900 t of anode; March begins with 11 and 900."""
    office.enter(
        "fuel_stock_end,plant,2026-02,diesel,12,t,\nfuel_stock_begin,plant,2026-03,diesel,11,t,\n"
        "anode_stock_end,line1,2026-02,,900,t,\nanode_stock_begin,line1,2026-03,,900,t,\n"
    )
    doubts = [
        doubt for doubt in office.content(MARCH).warnings if "stock at begin" in doubt.text.en
    ]
    assert [doubt.line for doubt in doubts] == ["plant.fuel_consumed.diesel"]
    assert "期初库存 11 t 与上月期末库存 12 t 不一致" in doubts[0].text.zh


def test_a_ledger_without_one_of_its_figures_says_which(office: YearOffice) -> None:
    office.enter(
        "fuel_stock_begin,plant,2026-03,diesel,12,t,\nfuel_purchased,plant,2026-03,diesel,30,t,\n"
        "fuel_stock_end,plant,2026-03,diesel,9.5,t,\n"
    )
    line = office.content(MARCH).line("plant.fuel_consumed.diesel")
    assert line.how is How.MISSING
    assert "fuel sold" in line.missing[-1].en


def test_measured_carbon_goes_before_heat_value(office: YearOffice) -> None:
    """Coke 100 t of 0.85 tC/t: 100 x 0.85 x 0.98 x 44/12 = 305.4333 tCO2."""
    office.enter("fuel_consumed,plant,2026-03,coke,100,t,\n")
    lab(office, "fuel_carbon,plant,2026-03,coke,85,%", "fuel_ncv,plant,2026-03,coke,28.1,GJ/t")
    line = office.content(MARCH).line("plant.fuel_co2.coke")
    assert float(line.value or 0) == pytest.approx(100 * 0.85 * 0.98 * 44 / 12)
    assert line.method == "carbon_measured"


def test_measured_heat_value_and_never_back_to_default(office: YearOffice) -> None:
    """Gas 100 万Nm3 of 380 GJ: 100 x 380 x 0.01532 x 0.99 x 44/12 = 2113.2408 tCO2."""
    for month in ("2026-02", "2026-03"):
        office.enter(f"gas_consumed,plant,{month},natural_gas,100,万Nm3,\n")
    lab(office, "gas_ncv,plant,2026-02,natural_gas,380,GJ/万Nm3")
    february = office.content(Period.month(2026, 2))
    line = february.line("plant.fuel_co2.natural_gas")
    assert float(line.value or 0) == pytest.approx(2113.2408)
    assert line.method == "ncv_measured"
    assert not any("never back" in doubt.text.en for doubt in february.warnings)
    march = office.content(MARCH)
    (doubt,) = [doubt for doubt in march.warnings if "never back" in doubt.text.en]
    assert doubt.line == "plant.fuel_co2.natural_gas"
    assert "since 2026-02" in doubt.text.en


def test_the_year_weighs_heat_values_by_what_was_burned(tmp_path: Path) -> None:
    """Gas of 380 GJ x 100 and of 389.31 x 300: (38000 + 116793) / 400 = 386.9825 GJ/万Nm3."""
    office = YearOffice(tmp_path)
    office.enter(
        usual_year()
        + "gas_consumed,plant,2026-11,natural_gas,100,万Nm3,\n"
        + "gas_consumed,plant,2026-12,natural_gas,300,万Nm3,\n"
    )
    lab(office, "gas_ncv,plant,2026-11,natural_gas,380,GJ/万Nm3")
    content = office.content()
    line = content.line("plant.gas_ncv.natural_gas")
    assert line.value == Decimal("386.9825")
    gas = content.line("plant.fuel_co2.natural_gas")
    assert gas.value == sum(
        (content.line(f"plant.fuel_co2.natural_gas@2026-{m}").value or 0 for m in (11, 12)),
        Decimal(0),
    )
    assert "not counted in 2026-01, 2026-02" in gas.notes[0].en
    whole, process = (content.line(f"plant.{x}").value for x in ("enterprise_emission", "emission"))
    assert whole == (process or 0) + (gas.value or 0)


def test_measured_purity(office: YearOffice) -> None:
    """Dolomite 10 t of 95 %: 10 x 0.4773 x 0.95 = 4.53435 tCO2."""
    office.enter("carbonate_consumed,plant,2026-03,dolomite,10,t,\n")
    lab(office, "carbonate_purity,plant,2026-03,dolomite,95,%")
    line = office.content(MARCH).line("plant.carbonate_co2.dolomite")
    assert line.value == Decimal("4.53435")
    assert line.how is How.COMPUTED


def test_purchased_energy_names_the_year_of_its_factor(office: YearOffice) -> None:
    """400000 MWh x 0.5897 = 235880 tCO2 (Henan 2023); 1000 GJ x 0.11 = 110 tCO2."""
    office.enter(
        "electricity_purchased,plant,2026-03,,400000,MWh,\nheat_purchased,plant,2026-03,,1000,GJ,\n"
    )
    content = office.content(MARCH)
    power = content.line("plant.electricity_purchased_co2")
    assert power.value == 235880
    assert "factor of 2023" in power.notes[0].en
    assert "not that of 2026" in power.notes[0].en
    assert content.line("plant.heat_purchased_co2").value == 110
    assert content.line("plant.enterprise_emission").value == content.line("plant.emission").value


@settings(max_examples=15, deadline=None)
@given(less=st.integers(0, 10_000), more=st.integers(0, 10_000))
def test_more_fuel_never_means_less(
    tmp_path_factory: pytest.TempPathFactory, less: int, more: int
) -> None:
    totals = []
    for amount in (less, less + more):
        office = YearOffice(tmp_path_factory.mktemp("fuel"))
        office.enter(BOTH + f"fuel_consumed,plant,2026-03,diesel,{amount},t,\n")
        totals.append(office.content(MARCH).line("plant.enterprise_emission").value or Decimal(-1))
    assert 0 <= totals[0] <= totals[1]
