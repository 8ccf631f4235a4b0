"""A whole month at once: import file, truth and workbook, each recomputed from the other."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import openpyxl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from simulators.compare import deviations
from simulators.history import Month, simulate_month, trace_line, write_parquet
from simulators.months import last_month, month_span
from simulators.officer import entries, write_ladle_log, write_workbook
from simulators.plant import Plant, Scenario, Section
from simulators.points import meters
from simulators.truth import carbon, write

Floats = npt.NDArray[np.float64]
Columns = dict[tuple[str, str], Floats]

MONTH = "2026-02"  # the shortest


@pytest.fixture(scope="module")
def month() -> Month:
    return simulate_month(Scenario(0.0, 24, seed=11, lines=2), MONTH)


@pytest.fixture(scope="module")
def table(month: Month, tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("history") / "month.parquet"
    rows = write_parquet(path, month)
    found = pq.read_table(path)
    assert found.num_rows == rows
    return found


@pytest.fixture(scope="module")
def columns(table: Any) -> Columns:
    """The series of the file by equipment and quantity, however its rows are arranged."""
    names = [table[name].combine_chunks() for name in ("equipment", "quantity")]
    codes = [column.cast(pa.string()).dictionary_encode() for column in names]
    first, second = (code.indices.to_numpy() for code in codes)
    both = first.astype(np.int64) * len(codes[1].dictionary) + second
    order = np.argsort(both, kind="stable")
    values = table["value"].to_numpy()[order]
    starts = np.flatnonzero(np.diff(both[order], prepend=-1))
    found = {}
    for part, at in zip(np.split(values, starts[1:]), order[starts], strict=True):
        name = codes[0].dictionary[first[at]].as_py(), codes[1].dictionary[second[at]].as_py()
        found[name] = part
    return found


def test_file_is_one_row_a_minute_and_series(month: Month, table: Any) -> None:
    minutes = 28 * 1440
    assert table.num_rows == minutes * len(month.series) + len(month.before)
    times = table["time"].to_numpy().astype("datetime64[m]")
    assert times[0] == np.datetime64("2026-01-31T15:59")  # counters at the beginning
    assert times[len(month.before)] == np.datetime64("2026-01-31T16:00")  # midnight UTC+8
    assert times[-1] == np.datetime64("2026-02-28T15:59")
    assert (np.diff(times.astype(np.int64)) >= 0).all()
    assert not np.isnan(table["value"].to_numpy()).any()


def test_pots_line_and_meter_agree(month: Month, columns: Columns) -> None:
    """Independent recomputation from the file: ∫V·I dt is the DC meter, bus bars apart."""
    for line in ("line1", "line2"):
        current = columns[f"{line}/series", "potline.current"]
        pots = sum(columns[f"{line}/pot{k:03d}", "pot.voltage"] for k in range(1, 13))
        whole = columns[f"{line}/series", "potline.voltage"]
        assert np.abs(whole - pots).max() < 0.01 * 48
        truth = month.truth["lines"][line]
        dc = float((whole * current).sum()) / 60
        assert truth["electricity_kwh"]["dc"] == pytest.approx(dc, rel=1e-6)
        counter = columns[f"{line}/dc1", "meter.energy_import"]
        assert counter[-1] - counter[0] == pytest.approx(dc, abs=1.1)
        assert (np.diff(counter) >= 0).all()
        ac = sum(np.ptp(columns[f"{line}/ac{k}", "meter.energy_import"]) for k in (1, 2))
        assert truth["electricity_kwh"]["ac"] == pytest.approx(ac, abs=40)
        assert truth["rectifier_efficiency"] == pytest.approx(dc / ac, rel=1e-4)
        mean = float((pots * current).sum() / current.sum()) / 12
        assert truth["mean_pot_voltage_v"] == pytest.approx(mean, rel=1e-6)


def test_metal_by_faraday(month: Month, columns: Columns) -> None:
    for line in ("line1", "line2"):
        truth = month.truth["lines"][line]
        metal = truth["metal"]
        ka_h = float(columns[f"{line}/series", "potline.current"].sum()) / 60
        assert metal["faraday_t"] == pytest.approx(0.335573 * ka_h * 12 / 1000, rel=1e-5)
        assert 0.91 < metal["current_efficiency"] < 0.95
        stock = metal["in_pots_end_t"] - metal["in_pots_begin_t"]
        assert metal["produced_t"] - metal["tapped_t"] == pytest.approx(stock, abs=1e-6)
        assert sum(metal["tapped_by_day_t"].values()) == pytest.approx(metal["tapped_t"])
        assert len(metal["tapped_by_day_t"]) == 28
        dc = truth["electricity_kwh"]["dc"] / metal["produced_t"]
        assert 12_400 < dc < 13_000


def test_anode_effects_in_the_file_are_those_of_the_truth(month: Month, columns: Columns) -> None:
    for line in ("line1", "line2"):
        truth = month.truth["lines"][line]["anode_effects"]
        assert truth["count"] == len(truth["list"]) > 0
        seconds = starts = 0.0
        for k in range(1, 13):
            share = columns[f"{line}/pot{k:03d}", "pot.anode_effect"]
            volts = columns[f"{line}/pot{k:03d}", "pot.voltage"]
            assert volts[share > 0.99].size == 0 or volts[share > 0.99].min() > 13
            assert volts[share == 0].max() < 8
            seconds += share.sum() * 60
            starts += ((share[1:] > 0) & (share[:-1] == 0)).sum() + (share[0] > 0)
        assert starts == truth["count"]
        assert truth["minutes"] == pytest.approx(seconds / 60, rel=1e-3)
        lengths = sum(effect["duration_s"] for effect in truth["list"])
        assert truth["minutes"] * 60 <= lengths + 1


def test_carbon_of_the_guide() -> None:
    """1 t of anode is 3.035425 tCO2, 1 t of metal 0.144810 tCO2e; the sector's mean is near."""
    assert carbon(1, 0)["anode_co2_t"] == pytest.approx(3.035425, abs=1e-6)
    assert carbon(0, 1)["pfc_t_co2e"] == pytest.approx(0.14481, abs=1e-9)
    assert carbon(0, 0)["intensity_t_per_t"] is None
    assert carbon(0.46913, 1)["intensity_t_per_t"] == pytest.approx(1.569, abs=0.001)


def test_emissions_and_heat_follow_from_the_file(month: Month, columns: Columns) -> None:
    for number in (1, 2):
        truth = month.truth["lines"][f"line{number}"]
        stack = {
            name: columns[f"gtc{number}/stack1", f"stack.{name}"]
            for name in ("so2", "velocity", "temperature", "pressure", "humidity")
        }
        state = columns[f"gtc{number}/stack1", "stack.instrument_state"]
        duct = month.plant.sections[number - 1].stack.duct_m2
        actual = stack["velocity"] * duct
        normal = (
            actual
            * 273.15
            / (273.15 + stack["temperature"])
            * (101_325 + stack["pressure"])
            / 101_325
            * (1 - stack["humidity"] / 100)
        )
        valid = state == 0
        mass = (stack["so2"] * actual * 60 / 1e6)[valid].sum() / valid.mean()
        assert truth["emissions_kg"]["so2"] == pytest.approx(mass, rel=0.005)
        assert truth["gas_nm3"] == pytest.approx(normal.sum() * 60, rel=1e-5)
        heat = columns[f"gtc{number}/hx1", "heat_recovery.heat_energy"]
        assert truth["heat_recovered_gj"] == pytest.approx(np.ptp(heat), abs=0.03)


def test_a_line_is_what_its_seed_number_and_size_make_it(month: Month) -> None:
    """Three days alone are the first three of the month beside another line."""
    begin_s, _ = month_span(MONTH)
    section = Section(1, 12, Scenario(begin_s, 12, seed=11))
    alone = trace_line(section, begin_s + 60.0 * np.arange(1, 3 * 1440 + 1, dtype=np.float64))
    for k in range(12):
        together = month.series[f"line1/pot{k + 1:03d} pot.voltage"][: 3 * 1440]
        assert np.array_equal(np.round(alone.voltage[:, k], 4), together)
    first, second = (month.truth["lines"][line]["metal"] for line in ("line1", "line2"))
    assert first["tapped_t"] != second["tapped_t"]


def test_officer_states_the_truth(month: Month, tmp_path: Path) -> None:
    path = tmp_path / "entries.xlsx"
    write_workbook(path, entries(month))
    log = write_ladle_log(tmp_path, month)
    sheet: Any = openpyxl.load_workbook(path)["填报 Entries"]
    head, *rows = [[cell.value for cell in row] for row in sheet]
    head = [str(name).partition(" ")[2] for name in head]
    assert head[:6] == ["kind", "line", "item", "period", "value", "unit"]
    for line in ("line1", "line2"):
        truth = month.truth["lines"][line]
        tapped = [row[4] for row in rows if row[0] == "aluminium_tapped" and row[1] == line]
        assert len(tapped) == 28
        assert sum(tapped) == pytest.approx(truth["metal"]["tapped_t"], abs=1e-6)
        one = {row[0]: row[4] for row in rows if row[1] == line}
        balance = one["anode_stock_begin"] + one["anode_received"] - one["anode_stock_end"]
        assert one["anode_consumed"] == pytest.approx(truth["anode"]["gross_t"], abs=5e-4)
        assert balance == pytest.approx(one["anode_consumed"], abs=1e-6)
    assert {row[7] for row in rows if row[0] == "aluminium_tapped"} == {log.name}
    with log.open(encoding="utf-8-sig") as file:
        kg = sum(int(row[2]) for row in list(csv.reader(file))[1:])
    assert kg / 1000 == pytest.approx(month.truth["total"]["aluminium_tapped_t"], abs=0.1)


def test_comparison_finds_what_is_off(month: Month) -> None:
    def report(factor: float, *, drop: str = "") -> dict[str, Any]:
        exact = deviations({"content": {"lines": []}}, month.truth)
        return {
            "content": {
                "lines": [
                    {"id": figure.line, "value": figure.true * factor}
                    for figure in exact
                    if figure.line != drop
                ]
            }
        }

    assert all(figure.good for figure in deviations(report(1.0009), month.truth))
    assert not any(figure.good for figure in deviations(report(1.0011), month.truth))
    lost = deviations(report(1.0, drop="line2.pfc"), month.truth)
    assert [figure.line for figure in lost if not figure.good] == ["line2.pfc"]
    assert len(lost) == 24


def test_energy_meters_keep_their_registers(month: Month, table: Any) -> None:
    """Decoded by hand by the meters' point tables, each register is the value beside it."""
    plant = Plant(month.plant.scenario)
    plant.step(1.0)
    orders = {
        column.equipment: (column.order, column.scale)
        for device in meters(plant, plant.counter_steps)
        for column in device.columns
        if column.quantity == "meter.energy_import"
    }
    assert len(orders) > 6
    assert {order for order, _ in orders.values()} == {"ABCD", "CDAB"}
    kept = table.filter(pc.is_valid(table["raw"]))
    assert set(kept["equipment"].unique().to_pylist()) == orders.keys()
    assert kept["quantity"].unique().to_pylist() == ["meter.energy_import"]
    assert kept.num_rows == len(orders) * (28 * 1440 + 1)
    for row in kept.slice(0, 5000).to_pylist() + kept.slice(kept.num_rows - 100).to_pylist():
        order, scale = orders[row["equipment"]]
        first, second = row["raw"][:4], row["raw"][4:]
        words = first + second if order == "ABCD" else second + first
        assert int(words, 16) * scale == pytest.approx(row["value"], abs=1e-6)


def test_truth_is_json(month: Month, tmp_path: Path) -> None:
    write(tmp_path / "truth.json", month.truth)
    assert json.loads((tmp_path / "truth.json").read_text("utf-8")) == json.loads(
        json.dumps(month.truth)
    )


def test_months() -> None:
    begin, end = month_span("2026-12")
    assert end - begin == 31 * 86_400
    assert begin % 86_400 == 16 * 3600
    for wrong in ("2026-13", "26-01", "2026-1", ""):
        with pytest.raises(ValueError, match="2026-10"):
            month_span(wrong)
    assert len(last_month()) == 7
