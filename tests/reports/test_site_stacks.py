"""``[[stacks]]`` of the site file: what may be said, and every mistake."""

from datetime import date
from pathlib import Path

import pytest

from drivers.model import ConfigError
from reports.site import load_site
from tests.reports.emitted import SITE, STACK


def loaded(folder: Path, text: str) -> str:
    """What is wrong with a site; "" when nothing is."""
    path = folder / "site.toml"
    path.write_text(text, "utf-8")
    try:
        load_site(path)
    except ConfigError as error:
        return "\n".join(error.problems)
    return ""


def test_a_stack_says_what_its_permit_says(tmp_path: Path) -> None:
    assert not loaded(tmp_path, SITE + STACK)
    site = load_site(tmp_path / "site.toml")
    stack = site.stack("DA001")
    assert stack is site.stack("gtc1/stack1")
    assert stack is not None
    assert stack.pollutants == ("so2",)
    limit = stack.limit("so2", date(2026, 10, 5))
    assert limit is not None
    assert (float(limit.hour_mg_m3), limit.source) == (35.0, "排污许可证 表 5")
    assert stack.limit("so2", date(2019, 12, 31)) is None
    assert site.journal == tmp_path / "journal.jsonl"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("so2", "so3"), "so3"),
        (("from = 2020-01-01", "from = 2020-01-01\nuntil = 2019-01-01"), "until"),
        (("wet = true", 'wet = ["smoke"]'), "smoke"),
        (("wet = true", "wet = true\nreference_o2 = 15\ninitial_o2 = 14"), "initial_o2"),
        (("wet = true", "wet = true\nstopped = 2019-01-01"), "stopped 2019-01-01"),
        (("wet = true", 'wet = true\nproduction = "line1/series pot.smoke"'), "pot.smoke"),
        (("wet = true", 'wet = true\npotlines = ["line9"]'), "line9"),
        (('id = "DA001"', 'id = "line1"'), "'line1'"),
        (("area_m2 = 12.5", "area_m2 = 0"), "stacks.1.area_m2"),
        (("wet = true", "wet = true\nchimney = 1"), "stacks.1.chimney"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    assert said in loaded(tmp_path, SITE + STACK.replace(*change))


def test_limits_do_not_overlap_and_stacks_are_not_twice(tmp_path: Path) -> None:
    again = STACK[STACK.index("[[stacks.limits]]") :].replace("2020-01-01", "2024-01-01")
    assert "2024-01-01" in loaded(tmp_path, SITE + STACK + again)
    ended = STACK.replace("source", "until = 2023-12-31\nsource")
    assert not loaded(tmp_path, SITE + ended + again)
    assert "gtc1/stack1" in loaded(tmp_path, SITE + STACK + STACK)


def test_the_stacks_of_the_example_can_be_read(tmp_path: Path) -> None:
    example = (Path(__file__).parents[2] / "config" / "site.example.toml").read_text("utf-8")
    at = example.index("# [[stacks]]")
    stacks = "".join(line[2:] for line in example[at:].splitlines(keepends=True))
    assert not loaded(tmp_path, SITE + stacks)
