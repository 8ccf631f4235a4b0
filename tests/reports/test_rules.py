"""Rule packs: refused when careless, honest about confirmation, every parameter in use."""

import re
import tomllib
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from drivers.model import ConfigError
from reports.assembly import Assembly
from reports.carbon.auxiliary import _grid_factor
from reports.carbon.process import ANODE_QUALITY, ANODE_QUANTITY, GUIDE, PFC
from reports.periods import Period
from reports.rules.packs import Confirmed, RuleError, RuleUnit, load, packs
from tests.reports.conftest import Office

CASES = tomllib.loads((Path(__file__).parent.parent / "rules" / "packs.toml").read_text("utf-8"))
GOOD = """
title = "A text"
[sources.law]
title = "Law 1"
issuer = "Authority"
published = 2020-12-20
where = "journal 1"
[parameters.gwp]
what = "warming potential"
zh = "潜势"
unit = "t_co2e_per_t"
[[parameters.gwp.entries]]
applies_from = 2021-01-01
value = 6630.0
source = "law"
locator = "table 1"
confirmed = "official"
seen = "the text"
[[parameters.gwp.entries]]
applies_from = 2026-01-01
value = 7380
source = "law"
locator = "table 2"
confirmed = "secondary"
seen = "a note"
"""


@pytest.mark.parametrize("case", CASES["case"], ids=lambda c: f"{c['name']}@{c['day']}")
def test_what_a_rule_says_on_a_day(case: dict[str, Any]) -> None:
    pack = packs()[case["pack"]]
    if "value" not in case:
        with pytest.raises(RuleError, match=case["name"]):
            pack.at(case["name"], case["day"])
        return
    legal = pack.at(case["name"], case["day"])
    assert str(legal.value) == case["value"]
    assert legal.confirmed == case["confirmed"]


def test_latest_start_not_after_the_day_wins() -> None:
    pack = load("test", GOOD.encode())
    assert pack.at("gwp", date(2021, 1, 1)).number == Decimal("6630.0")
    assert pack.at("gwp", date(2025, 12, 31)).number == Decimal("6630.0")
    assert pack.at("gwp", date(2026, 1, 1)).number == 7380
    assert pack.at("gwp", date(2026, 1, 1)).source.title == "Law 1"
    for day in (date(2020, 12, 31), date(1999, 1, 1)):
        with pytest.raises(RuleError, match="no value on"):
            pack.at("gwp", day)
    with pytest.raises(RuleError, match="no parameter"):
        pack.at("gwp_cf4", date(2026, 1, 1))


def test_an_ended_rule_has_no_value() -> None:
    pack = load("t", GOOD.replace('unit = "t', 'ended = 2027-01-01\nunit = "t').encode())
    assert pack.at("gwp", date(2026, 12, 31)).number == 7380
    with pytest.raises(RuleError):
        pack.at("gwp", date(2027, 1, 1))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('locator = "table 1"', "", "locator"),
        ('seen = "the text"', "", "seen"),
        ('locator = "table 1"', 'locator = ""', "locator"),
        ('confirmed = "official"', "", "confirmed"),
        ('confirmed = "official"', 'confirmed = "sure"', "confirmed"),
        ('source = "law"', 'source = "other"', "unknown source 'other'"),
        ('unit = "t_co2e_per_t"', 'unit = "tonnes"', "unit"),
        ('unit = "t_co2e_per_t"', "", "unit"),
        ('unit = "t_co2e_per_t"', 'unit = "name"', "does not fit unit"),
        ("value = 6630.0", 'value = "much"', "does not fit unit"),
        ("value = 6630.0", "", "value"),
        ("value = 6630.0", "value = 6630.0\nvalu = 1", "valu"),
        ("2026-01-01", "2021-01-01", "must be later"),
        ("2026-01-01", "2020-01-01", "must be later"),
        ('what = "warming', 'wat = "warming', "wat"),
        ('title = "A text"', "", "title"),
        ("[parameters.gwp]", "[parameters.gwp", "test.toml"),
        ('zh = "潜势"', 'zh = "潜势"\nended = 2025-01-01', "ended"),
    ],
)
def test_a_careless_pack_does_not_load(old: str, new: str, says: str) -> None:
    assert old in GOOD
    with pytest.raises(ConfigError, match=re.escape(says)):
        load("test", GOOD.replace(old, new, 1).encode())


def test_names_and_percentages_are_not_mixed_up() -> None:
    guide = packs()[GUIDE]
    day = date(2026, 10, 1)
    assert guide.at("anode_loss_rate", day).fraction == Decimal("0.1518")
    with pytest.raises(RuleError, match="no percentage"):
        _ = guide.at("gwp_cf4", day).fraction
    with pytest.raises(RuleError, match="is a name"):
        _ = guide.at("pfc_method", day).number


def test_digest_is_of_the_bytes() -> None:
    assert load("t", GOOD.encode()).digest != load("t", (GOOD + "\n").encode()).digest


def test_nothing_of_the_unread_guide_looks_official() -> None:
    """Only its opening pages were available: no value of it may be called official."""
    for parameter in packs()[GUIDE].parameters.values():
        for entry in parameter.entries:
            if entry.source == "guide":
                assert entry.confirmed is not Confirmed.OFFICIAL, parameter.what


def test_every_value_says_where_it_was_read() -> None:
    for pack in packs().values():
        for name, parameter in pack.parameters.items():
            assert re.search(r"[\u4e00-\u9fff]|CF4|C2F6", parameter.zh), name
            for entry in parameter.entries:
                assert len(entry.seen) > 30, name
                assert re.search(r"第.章|附录|附件|要求", entry.locator), name


def test_every_method_the_law_names_is_built() -> None:
    day = date(2026, 10, 1)
    guide = packs()[GUIDE]
    built = {
        "anode_quality_method": ANODE_QUALITY,
        "anode_quantity_method": ANODE_QUANTITY,
        "pfc_method": PFC,
    }
    for name, parameter in guide.parameters.items():
        if parameter.unit is RuleUnit.NAME and name in built:
            assert guide.at(name, day).value in built[name]


def test_every_parameter_is_used_or_says_why_not(kept: Office) -> None:
    used = {legal.id.partition("@")[0] for legal in kept.content().legals}
    assembly = Assembly(Period.month(2026, 10), packs())
    grid = packs()["cn_grid_factors"]
    for name in grid.parameters:
        province = name.removeprefix("factor_")
        if _grid_factor(assembly, province) == name and not grid.parameters[name].unused:
            used.add(f"cn_grid_factors.{name}")
    for pack in packs().values():
        for name, parameter in pack.parameters.items():
            if parameter.unused:
                assert len(parameter.unused) > 20, name
            else:
                assert f"{pack.name}.{name}" in used, f"{pack.name}.{name} is not used"
