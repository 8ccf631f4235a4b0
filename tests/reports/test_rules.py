"""Rule packs: refused when careless, every mistake at once, a value for each day and no other."""

import re
import tomllib
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.model import ConfigError
from reports.rules.packs import RuleAbsentError, RuleError, load, packs

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "reports" / "rules").glob("*.toml"))
CASES = tomllib.loads((ROOT / "tests" / "rules" / "packs.toml").read_text("utf-8"))
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
seen_zh = "原文"
[[parameters.gwp.entries]]
applies_from = 2026-01-01
value = 7380
source = "law"
locator = "table 2"
confirmed = "secondary"
seen = "a note"
seen_zh = "一篇文章"
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


@pytest.mark.parametrize(
    ("unit", "value"), [("decimals", "2.5"), ("days", "1.5"), ("year", "2025.5")]
)
def test_a_count_is_whole(unit: str, value: str) -> None:
    with pytest.raises(ConfigError, match="whole number"):
        load("test", GOOD.replace("t_co2e_per_t", unit).replace("6630.0", value).encode())


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
        ('seen_zh = "原文"', "", "seen_zh"),
        ('zh = "潜势"', "", "zh"),
        ('zh = "潜势"', 'zh = ""', "zh"),
        ('zh = "潜势"', 'zh = "潜势"\nunused = "for a reason"', "both languages"),
        ('confirmed = "official"', 'confirmed = "site"', "for overlays only"),
        ("value = 6630.0", "value = -1", "does not fit unit"),
        ("value = 6630.0", "value = true", "does not fit unit"),
        ("value = 6630.0", "value = nan", "does not fit unit"),
        ("value = 6630.0", "value = 2026-01-01", "does not fit unit"),
        ('unit = "t_co2e_per_t"', 'unit = "date"', "does not fit unit"),
        ('unit = "t_co2e_per_t"', 'unit = "%"', "at most 100"),
        ("value = 6630.0", "value = 0.5\nvalue = 1", "test.toml"),
        ("[[parameters.gwp.entries]]", "[parameters.gwp]\n[[parameters.gwp.entries]]", "test.toml"),
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


def test_digest_is_of_the_bytes() -> None:
    assert load("t", GOOD.encode()).digest != load("t", (GOOD + "\n").encode()).digest


def test_every_mistake_is_told_at_once_with_its_line() -> None:
    bad = GOOD.replace('source = "law"\nlocator = "table 2"', 'source = "lawful"')
    bad = bad.replace("value = 6630.0", 'value = "much"').replace('issuer = "Authority"\n', "")
    bad = bad.replace("2026-01-01", "2020-01-01")
    with pytest.raises(ConfigError) as refused:
        load("test", bad.encode())
    lines = bad.splitlines()
    told = refused.value.problems
    for key, line in (
        ("sources.law.issuer", "[sources.law]"),
        ("parameters.gwp.entries.1.value", 'value = "much"'),
        ("parameters.gwp.entries.2.locator", "[[parameters.gwp.entries]]"),
        ("parameters.gwp.entries.2.source", 'source = "lawful"'),
        ("parameters.gwp.entries.2.applies_from", "applies_from = 2020-01-01"),
    ):
        number = max(n for n, text in enumerate(lines, 1) if text == line)
        assert any(p.startswith(f"test.toml:{number}: {key}: ") for p in told), (key, told)
    assert len(told) == 5


def test_two_parameters_may_not_be_called_the_same() -> None:
    twin = GOOD + GOOD[GOOD.index("[parameters.gwp]") :].replace("parameters.gwp", "parameters.two")
    with pytest.raises(ConfigError, match="gwp is called the same"):
        load("test", twin.encode())


def blocks(path: Path) -> Iterator[tuple[str, str]]:
    """Each parameter of a shipped pack as a small pack of its own, with all sources."""
    text = path.read_text("utf-8")
    start = text.index("[parameters.")
    for part in re.split(r"\n(?=\[parameters\.)", text[start:]):
        yield part.split("]")[0].removeprefix("[parameters."), text[:start] + part + "\n"


# A value without a reason for `unused` is used.
MAY_BE_LEFT_OUT = {"published", "ended", "yearly", "data_year"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_shipped_parameter_loads_when_anything_is_taken_from_it(path: Path) -> None:
    """Every key of every parameter and source in turn: without it, the pack is refused."""
    tried = 0
    for name, text in blocks(path):
        assert load(path.stem, text.encode()).parameters.keys() == {name}
        lines = text.splitlines()
        first = 0 if tried == 0 else next(n for n, x in enumerate(lines) if x.startswith("[param"))
        for number, line in enumerate(lines):
            key, equals, _ = line.partition(" = ")
            if number < first or not equals or line.startswith("#") or key in MAY_BE_LEFT_OUT:
                continue
            if key == "absent" and "entries]]" in text:
                continue  # it says where other years stand; the values there stand without it
            without = "\n".join(lines[:number] + lines[number + 1 :])
            with pytest.raises(ConfigError) as refused:
                load(path.stem, without.encode())
            told = "".join(refused.value.problems)
            assert key.removesuffix("_zh") in told or "entries" in told, (name, key, told)
            tried += 1
    assert tried > 10


# Lines that the file cannot do without; one that stands twice is taken away twice.
REQUIRED = sorted(
    {line for line in GOOD.splitlines() if " = " in line and not line.startswith("publ")}
)


@given(st.sets(st.integers(0, len(REQUIRED) - 1), min_size=1))
def test_whatever_is_taken_away_is_asked_for(taken: set[int]) -> None:
    gone = {REQUIRED[number] for number in taken}
    left = [line for line in GOOD.splitlines() if line not in gone]
    with pytest.raises(ConfigError) as refused:
        load("test", "\n".join(left).encode())
    told = "".join(refused.value.problems)
    for line in gone:
        assert line.partition(" = ")[0] in told


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_day_before_of_and_after_each_change(path: Path) -> None:
    """Read here from the bare file: what stands before, from, and until each date."""
    pack = packs()[path.stem]
    for name, parameter in tomllib.loads(path.read_text("utf-8"))["parameters"].items():
        entries = parameter.get("entries", [])
        before: object = None
        for entry in entries:
            day: date = entry["applies_from"]
            says(pack.name, name, day - timedelta(days=1), before)
            says(pack.name, name, day, entry["value"])
            later = day + timedelta(days=1)
            if later not in [each["applies_from"] for each in entries]:
                says(pack.name, name, later, entry["value"])
            before = entry["value"]
        if "ended" in parameter:
            says(pack.name, name, parameter["ended"] - timedelta(days=1), before)
            says(pack.name, name, parameter["ended"], None)
        elif entries:
            says(pack.name, name, date(2099, 12, 31), before)
        if not entries:
            with pytest.raises(RuleAbsentError, match=name):
                pack.at(name, date(2026, 1, 1))


def says(pack: str, name: str, day: date, expected: object) -> None:
    if expected is None:
        with pytest.raises(RuleError, match=name):
            packs()[pack].at(name, day)
        return
    value = packs()[pack].at(name, day).value
    shown = value if isinstance(value, str | date) else float(value)
    assert shown == expected, (pack, name, day)
