"""Gate, transport, treatment units and reagents as entries: what is asked, read and refused."""

from decimal import Decimal

import pytest

from drivers.model import ConfigError
from reports.entries.asked import asked
from reports.entries.kinds import KINDS, Group
from reports.entries.ledger import Ledger
from reports.periods import Period
from tests.reports.conftest import NOW, Office
from tests.reports.noted import WORKS

TABLE = """项目,品种,期间,数值,单位,凭证编号,凭证文件
进出厂运输车次,国六,2026-10,812,车次,MJ-10,weighing.txt
进出厂运输车次,纯电动,2026-10,188,车次,,
进出厂运输车次,国五,2026-10,0,车次,,
大宗货物运输量,铁路,2026-10,4.2,万t,,
大宗货物运输量,公路（国六）,2026-10,9000,t,,
非道路移动机械数,国三,2026-11,12,台,,
治理设施运行时间,gtc1/scrubber1,2026-10-05,23.5,小时,,
更换滤袋数,gtc1/scrubber1,2026-10,120,条,,
药剂耗材使用量,石灰,2026-10-05,1500,kg,,
危险废物产生量,大修渣 321-023-48,2026-10,36.4,t,,
视频监控保存天数,1号门禁,2026-10,190,天,,
"""


def test_a_month_of_transport_and_treatment(office: Office) -> None:
    ledger = office.enter(with_line(TABLE))
    amounts = {(key[0], key[3]): entry.figure.amount for key, entry in ledger.current().items()}
    assert amounts["gate_trips", "national_vi"] == 812
    assert amounts["gate_trips", "national_v"] == 0  # nought was counted: not missing
    assert ("gate_trips", "lower") not in amounts
    assert amounts["transport_tonnage", "rail"] == 42_000
    assert amounts["consumable_used", "lime"] == Decimal("1.5")
    assert amounts["control_hours", "gtc1/scrubber1"] == Decimal("23.5")
    assert amounts["hazardous_generated", "大修渣 321-023-48"] == Decimal("36.4")
    trips = sum(value for key, value in amounts.items() if key[0] == "gate_trips")
    assert amounts["gate_trips", "electric"] / trips == Decimal("0.188")  # 188 of 1,000


def with_line(table: str) -> str:
    """The same with the column that every table has."""
    head, *rows = table.splitlines()
    return "\n".join(["工序," + head, *(f"plant,{row}" for row in rows)]) + "\n"


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("进出厂运输车次,国三,2026-10,5,车次", "unknown item '国三'"),
        ("进出厂运输车次,,2026-10,5,车次", "needs an item"),
        ("进出厂运输车次,国六,2026-10,5,辆", "wrong unit '辆'"),
        ("治理设施运行时间,gtc1/scrubber1,2026-10,745,h", "impossible"),
        ("大宗货物运输量,铁路,2026-10,9000,万t", "impossible"),  # 90 million t: written in t
        ("更换滤袋数,gtc1/scrubber1,2026-10,-3,条", "negative"),
    ],
)
def test_what_is_refused(
    office: Office, row: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMELTER_LANG", "en")
    with pytest.raises(ConfigError) as refused:
        office.enter(with_line(f"项目,品种,期间,数值,单位\n{row}\n"))
    assert sentence in str(refused.value)


def test_the_template_asks_for_every_class_and_unit(office: Office) -> None:
    text = office.site_file.read_text("utf-8") + WORKS
    office.site_file.write_text(text, "utf-8")
    sheets = asked(office.site, Ledger(), Period.month(2026, 10), "grade", NOW)
    assert [sheet.group for sheet in sheets] == [Group.TRANSPORT, Group.TREATMENT]
    rows = [row for sheet in sheets for row in sheet.rows]
    classes = [row.item for row in rows if row.kind.id == "gate_trips"]
    items = KINDS["gate_trips"].items
    assert items is not None
    assert len(classes) == len(items.names)
    assert "纯电动 [electric]" in classes
    assert {row.item for row in rows if row.kind.id == "control_hours"} == {"gtc1/scrubber1"}
