"""English reports: places of rules and our remarks about them are English, and so are units."""

import re

import pytest

from reports.render.labels import unit_text
from reports.rules.packs import RulePack, packs
from reports.rules.places import place_text

CHINESE = re.compile("[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
NUMBER = re.compile(r"[\u4e00-\u9fff]+〔\d{4}〕\d+号")  # of a document: its name, like a title


def places(pack: RulePack) -> set[str]:
    found = {source.where for source in pack.sources.values()}
    for parameter in pack.parameters.values():
        found |= {entry.locator for entry in parameter.entries}
        found |= {parameter.absent.locator} if parameter.absent else set()
    return found


@pytest.mark.parametrize("name", sorted(packs()))
def test_every_place_of_a_pack_can_be_read_in_english(name: str) -> None:
    for place in places(packs()[name]):
        english = place_text(place, "en")
        assert not CHINESE.search(NUMBER.sub("", english)), (place, english)
        assert place_text(place, "zh") == place


def test_places_in_words() -> None:
    assert place_text("附录 A（页码待核）", "en") == "annex A (page to be checked)"
    assert place_text("表2（4.2） 3级", "en") == "table 2 (4.2), level 3"
    assert place_text("ipcc.ch, 2013（只知年份）", "en") == "ipcc.ch, 2013 (only the year is known)"


@pytest.mark.parametrize(
    ("unit", "english"),
    [
        ("万Nm3", "10^4 Nm3"),
        ("GJ/t, GJ/万Nm3", "GJ/t, GJ/10^4 Nm3"),
        ("块", "pcs"),
        ("t", "t"),
        ("GJ/万Nm3", "GJ/10^4 Nm3"),
    ],
)
def test_units_in_words(unit: str, english: str) -> None:
    assert unit_text(unit, "en") == english
    assert unit_text(unit, "zh") == unit
