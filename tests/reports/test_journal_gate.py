"""The log of the gate: classes as people write them, every mistake at once, into the ledger."""

import json

import pytest

from reports.entries.ledger import read_ledger
from reports.journal.gate import vehicle_class
from tests.reports.conftest import Office, Smelter

LOG = """车牌号,燃料类型,排放阶段,进厂时间,出厂时间,载重(t),图片
豫A12345,柴油,国六,2026-10-01 00:00,2026-10-01 00:40,32.5,a.jpg
豫A12345,柴油,国六,2026-10-31 23:59,2026-11-01 00:40,30,b.jpg
豫A00001D,纯电动,,2026-10-05 08:00,2026-10-05 09:00,31,c.jpg
豫B7,柴油,国五,2026-10-05 08:10,,20,
豫C8,柴油,,2026-10-05 08:20,,10,e.jpg
豫A12345,柴油,国六,2026-11-01 00:00,,32,f.jpg
"""


@pytest.mark.parametrize(
    ("fuel", "stage", "expected"),
    [
        *(("柴油", text, "national_vi") for text in ("国六", "国六b", "国VI", "6", "China 6")),
        *(("柴油", text, "national_v") for text in ("国五", "国V", "V", "国5阶段")),
        *(("柴油", text, "lower") for text in ("国四", "国IV", "国三", "1")),
        *(("柴油", text, "unknown") for text in ("", "不详", "国七", "7")),
        ("纯电动", "", "electric"),
        ("电", "国六", "electric"),
        ("油电混合", "国六", "national_vi"),  # a hybrid burns
        ("氢燃料电池", "", "hydrogen"),
    ],
)
def test_classes_as_people_write_them(fuel: str, stage: str, expected: str) -> None:
    assert vehicle_class(fuel, stage) == expected


def test_a_month_of_the_gate_into_the_ledger(smelter: Smelter, office: Office) -> None:
    """Five trips begin in October: two China VI, one electric, one China V, one unknown."""
    log = office.root / "gate.csv"
    log.write_text(LOG, "utf-8")
    code, said = smelter("journal", "gate", str(log), "--month", "2026-10", "--json")
    assert code == 0, said
    made = json.loads(said)
    assert made["trips"] == {
        "electric": 1,
        "hydrogen": 0,
        "national_vi": 2,
        "national_v": 1,
        "lower": 0,
        "unknown": 1,
    }
    assert (made["without_picture"], made["without_load"]) == (1, 0)
    signed = ("--site", str(office.site_file), "--author", "王敏", "--reason", "门禁", "--yes")
    assert smelter("entries", "import", made["out"], *signed)[0] == 0
    current = read_ledger(office.site.entries).current().values()
    amounts = {(x.figure.kind.id, x.figure.item): x.figure.amount for x in current}
    assert amounts["gate_trips", "national_vi"] == 2
    assert amounts["transport_tonnage", "road_national_vi"] == 62.5
    assert amounts["transport_tonnage", "road_unknown"] == 10
    assert {x.figure.document and x.figure.document.name for x in current} == {"gate.csv"}
    assert smelter("entries", "check", "--site", str(office.site_file))[0] == 0
    again = smelter("journal", "gate", str(log), "--month", "2026-10")
    assert (again[0], "exists already" in again[1]) == (2, True)


def test_every_mistake_of_the_log(smelter: Smelter, office: Office) -> None:
    log = office.root / "gate.csv"
    rows = ("豫A1,柴油,国六,2026-10-01,,1,", ",柴油,国六,2026-10-01 08:00,2026-10-01 07:00,x,")
    twice = "豫A12345,柴油,国六,2026-10-01 00:00,,1,"
    log.write_text(LOG + "\n".join((*rows, twice)) + "\n", "utf-8")
    code, said = smelter("journal", "gate", str(log), "--month", "2026-10")
    assert code == 2
    for sentence in (
        "row 8: in '2026-10-01' must be a day and minute",
        "row 9: the plate is missing",
        "row 9: out '2026-10-01 07:00' is no later moment",
        "row 9: load 'x' is no number of tonnes",
        "row 10: the same trip as row 2",
    ):
        assert sentence in said
    log.write_text("a,b\n1,2\n", "utf-8")
    assert "no header line" in smelter("journal", "gate", str(log), "--month", "2026-10")[1]
    log.write_text(LOG, "utf-8")
    assert "no trip in 2026-09" in smelter("journal", "gate", str(log), "--month", "2026-09")[1]
    said = smelter("journal", "gate", str(log), "--month", "2026-11", "--lang", "zh")[1]
    assert "2026-11 共 1 车次" in said
