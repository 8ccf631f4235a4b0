"""The page of energy and heat: lines of the report, of the archive or a draft, with reasons."""

import csv
import io
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from drivers.language import speaking
from drivers.model import ConfigError
from reports.console.figures import energy, energy_periods, energy_pictures
from reports.console.office import Office
from reports.entries.ledger import read_ledger
from reports.lodgings import read_lodgings
from reports.versions import write_report
from tests.console.potroom_plant import MONTH, build
from tests.console.served import Served, people, serve
from tests.reports.energy import EnergyOffice

PERIOD = "2025-10"
HOURS = 744
# 3250 kWh x 744 h / 185 t; GB 21346: level 3 up to 13,350, level 2 up to 13,000 kWh/t
LIQUID_AC = round(3250 * HOURS / 185, 1)
DC = round(3200 * HOURS / 185, 1)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> EnergyOffice:
    return build(tmp_path_factory.mktemp("energy") / "plant")


@pytest.fixture(scope="module")
def archived(made: EnergyOffice, tmp_path_factory: pytest.TempPathFactory) -> Office:
    """Another site file beside the same lake, with the month in its archive."""
    folder = tmp_path_factory.mktemp("archived")
    text = made.site_file.read_text("utf-8")
    for name in ("lake", "entries.jsonl"):
        text = text.replace(f'"{name}"', f'"{made.root / name}"')
    site_file = folder / "site.toml"
    site_file.write_text(text + '\n[console]\ndata_dir = "console"\n', "utf-8")
    office = Office(site_file)
    site = office.site
    ledger, lodgings = read_ledger(site.entries), read_lodgings(site.entries)
    write_report(made.report(MONTH), office.reports, site_file, lodgings, ["json"], "zh", ledger)
    return office


@pytest.fixture(scope="module")
def served(made: EnergyOffice) -> Iterator[Served]:
    people(made.site_file)
    found = serve(made.site_file)
    yield found
    found.end()


@pytest.fixture(scope="module")
def viewer(served: Served) -> httpx.Client:
    """Of a console whose draft of the month is made."""
    client = served.client("viewer", "en")
    until = time.monotonic() + 300
    while client.get(f"/api/v1/energy/{PERIOD}").status_code == 503:
        assert time.monotonic() < until, "no draft"
        time.sleep(0.5)
    return client


def told_of(office: Office, lang: str = "en") -> dict[str, Any]:
    with speaking(lang):
        found = energy.report(office, PERIOD)
    assert found is not None
    return found


def figure(told: dict[str, Any], line: str) -> dict[str, Any]:
    """The figure with that id, wherever the page shows it."""
    found = [x for x in _figures(told) if x["line"] == line]
    assert found, line
    return found[0]


def _figures(node: object) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if {"line", "value", "why"} <= node.keys():
            yield node
        for each in node.values():
            yield from _figures(each)
    elif isinstance(node, (list, tuple)):
        for each in node:
            yield from _figures(each)


# --- figures


def test_figures_are_lines_of_the_report_with_its_numbers(archived: Office) -> None:
    told = told_of(archived)
    assert told["file"] == "energy-2025-10-v1.json"
    assert float(figure(told, "line1.liquid_ac")["value"]) == LIQUID_AC
    assert float(figure(told, "plant.dc_specific")["value"]) == DC
    report = json.loads((archived.reports / told["file"]).read_bytes())
    known = {line["id"] for line in report["content"]["lines"]}
    assert {x["line"] for x in _figures(told)} <= known


def test_levels_stand_on_their_scale_with_the_way_to_the_next(archived: Office) -> None:
    row = next(x for x in told_of(archived)["levels"] if x["figure"]["line"] == "line1.liquid_ac")
    assert int(row["level"]["value"]) == 3
    distance, mwh, cny = row["distance"]
    assert float(distance["value"]) == pytest.approx(LIQUID_AC - 13000, abs=0.06)
    assert float(mwh["value"]) == pytest.approx((3250 * HOURS / 185 - 13000) * 185 / 1000, abs=0.01)
    assert cny["value"] is not None
    limits = row["scale"]["limits"]
    assert [limit["grade"] for limit in limits] == [1, 2, 3]
    assert limits[1]["at"] < row["scale"]["at"] < limits[2]["at"]
    assert row["level"]["marks"] == "※"  # the standard was not read


def test_what_is_missing_is_a_dash_with_its_reason(archived: Office) -> None:
    told = told_of(archived)
    ingot = figure(told, "plant.ingot")
    assert ingot["value"] is None
    assert "not stated" in ingot["why"]
    assert "未填报" in figure(told_of(archived, "zh"), "plant.ingot")["why"]
    assert told["exchangers"] == []


def test_fractions_are_shown_in_per_cent(archived: Office) -> None:
    shown = figure(told_of(archived), "line1.rectifier_efficiency")
    assert shown["unit"] == "%"
    assert float(shown["value"]) == pytest.approx(3200 / 3250 * 100, abs=0.005)


def test_pictures_are_drawn_from_the_report(archived: Office) -> None:
    with speaking("en"):
        told = told_of(archived)
        assert [x["id"] for x in told["flow"]] == ["energy-flow"]
        wide = energy_pictures.drawn(archived, PERIOD, "", "energy-flow")
        narrow = energy_pictures.drawn(archived, PERIOD, "", "energy-flow", narrow=True)
        assert wide is not None
        assert narrow is not None
        assert wide.startswith("<?xml")
        assert " style=" not in wide
        assert len({wide, narrow}) == 2
        with pytest.raises(ConfigError, match="no picture"):
            energy_pictures.drawn(archived, PERIOD, "", "none")


def test_the_archive_goes_before_the_draft_and_is_checked(archived: Office, tmp_path: Path) -> None:
    assert energy_periods.archive_file(archived, PERIOD, "") is not None
    assert energy_periods.archive_file(archived, PERIOD, "draft") is None
    assert energy_periods.archive_file(archived, "2099", "") is None  # not over
    assert energy.report(archived, PERIOD, "draft") is None  # nobody made one
    offered = energy_periods.offered(archived)
    assert offered["months"][0] == PERIOD
    assert offered["archived"] == [PERIOD]
    assert "2025-Q4" in offered["quarters"]
    forged = Office(tmp_path / "site.toml")
    forged.site_file.write_text(archived.site_file.read_text("utf-8"), "utf-8")
    forged.reports.mkdir()
    name = "energy-2025-10-v1.json"
    text = (archived.reports / name).read_text("utf-8")
    assert str(LIQUID_AC) in text
    (forged.reports / name).write_text(text.replace(str(LIQUID_AC), "12900.0"), "utf-8")
    with speaking("en"), pytest.raises(ConfigError, match="changed after it was written"):
        energy.report(forged, PERIOD)


def test_lines_are_paged(archived: Office) -> None:
    first = energy.lines(archived, PERIOD, "", "", 5)
    assert first is not None
    second = energy.lines(archived, PERIOD, "", first["next"], 5)
    assert second is not None
    ids = [x["id"] for x in (*first["lines"], *second["lines"])]
    assert len(set(ids)) == 10
    with pytest.raises(ConfigError):
        energy.lines(archived, PERIOD, "", "line1.none", 5)


def test_a_potline_gets_its_figures_from_the_same_report(archived: Office) -> None:
    told = energy.of_line(archived, "line1", PERIOD)
    assert told is not None
    shown = {x["line"]: x["value"] for x in told["figures"]}
    assert float(shown["line1.dc_specific"]) == DC
    every = energy.of_lines(archived, PERIOD)
    assert every is not None
    assert [x["line"] for x in every["lines"]["line1"]] == list(shown)


# --- pages and API


def test_a_page_shows_the_draft_with_every_figure_asking_for_its_evidence(
    viewer: httpx.Client,
) -> None:
    assert PERIOD in viewer.get("/energy").text  # the month of the newest data
    text = viewer.get(f"/energy/report?period={PERIOD}").text
    assert f"{LIQUID_AC:,}" in text
    assert "report=energy&amp;period=2025-10&amp;line=line1.liquid_ac" in text
    assert "draft, not in the archive" in text
    assert "/energy/picture?period=2025-10&amp;id=energy-flow" in text
    assert " style=" not in text
    picture = viewer.get("/energy/picture?period=2025-10&id=energy-flow")
    assert picture.headers["content-type"].startswith("image/svg+xml")


def test_the_page_is_called_back_when_its_draft_is_new(viewer: httpx.Client) -> None:
    answer = viewer.get(f"/energy/state?period={PERIOD}")
    assert answer.headers["HX-Trigger"] == "energy-made"
    again = viewer.get(f"/energy/state?period={PERIOD}&anew=1")
    assert "HX-Trigger" not in again.headers
    assert "Computing" in again.text


def test_the_api_says_the_same_and_gives_csv(viewer: httpx.Client) -> None:
    told = viewer.get(f"/api/v1/energy/{PERIOD}?limit=5000").json()
    values = {x["id"]: x["value"] for x in told["lines"]}
    assert values["plant.liquid_ac"] == LIQUID_AC
    assert values["plant.ingot"] is None
    page = viewer.get(f"/api/v1/energy/{PERIOD}?limit=2").json()
    assert len(page["lines"]) == 2
    more = viewer.get(f"/api/v1/energy/{PERIOD}?limit=2&after={page['next']}").json()
    assert more["lines"][0]["id"] not in {x["id"] for x in page["lines"]}
    text = viewer.get(f"/api/v1/energy/{PERIOD}?format=csv").content.decode("utf-8-sig")
    rows = {row[0]: row for row in csv.reader(io.StringIO(text))}
    assert float(rows["plant.liquid_ac"][2]) == LIQUID_AC
    assert rows["plant.ingot"][2] == ""
    assert viewer.get(f"/api/v1/exchangers?period={PERIOD}").json()["exchangers"] == []


@pytest.mark.parametrize(
    "path",
    [
        "/energy?period=2025-10-05",
        "/energy?period=yes",
        "/energy?period=2099",
        "/energy?period=2025-10&source=other",
        "/energy/picture?period=2025-10&id=none",
        "/energy/picture?period=2025-10",
        "/api/v1/energy/0001",
        "/api/v1/energy/2025-13",
        "/api/v1/energy/2025-10?after=line1.none",
        "/api/v1/energy/2025-10?limit=0",
        "/api/v1/energy/2025-10?format=xml",
        "/api/v1/exchangers?period=2025-01-01_2025-02-03",
    ],
)
def test_what_cannot_be_is_refused(viewer: httpx.Client, path: str) -> None:
    answer = viewer.get(path)
    assert answer.status_code == 422, answer.text[:500]
