"""``[[stacks]]`` of site.toml and gateway.toml: slips of unit are refused in words."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from agent.stacks.settings import StackConfig
from drivers.signals.stack_slips import SLIPS
from reports.site_stacks import Stack
from tests.reports.conftest import Smelter
from tests.reports.emitted import SITE, STACK

WRONG = [
    ("reference_o2", 0.15, "15 % 写 15，不写 0.15"),
    ("initial_o2", 0.21, "空气写 21"),
    ("moisture_percent", 0.08, "8 % 写 8，不写 0.08"),
    ("area_m2", 0.00125, "平方米"),
    ("area_m2", 125_000, "平方米"),
    ("velocity_coefficient", 105, "1.05"),
    ("velocity_coefficient", 0.0105, "1.05"),
    ("ambient_pa", 101.325, "101.325 kPa"),
    ("ambient_pa", 1013.25, "hPa"),
    ("static_pa", -0.5, "-0.5 kPa 写 -500"),
    ("static_pa", 101_325, "相对大气压"),
]
RIGHT = [
    *(("reference_o2", x) for x in (0, 1, 15, 20.9)),
    *(("moisture_percent", x) for x in (0, 0.5, 8)),
    *(("area_m2", x) for x in (0.05, 12.57, 500)),
    *(("velocity_coefficient", x) for x in (0.84, 1, 2)),
    *(("ambient_pa", x) for x in (50_000, 101_325, 110_000)),
    *(("static_pa", x) for x in (-20_000, -1, 0, 30)),
]


def both(key: str, value: float) -> None:
    """Read by the report's model and by the gateway's."""
    least = {"equipment": "gtc1/stack1", "area_m2": 10, "wet": True} | {key: value}
    StackConfig.model_validate(least)
    named = {"id": "DA001", "name": {"zh": "一", "en": "one"}, "industry": "carbon"}
    Stack.model_validate(least | named)


@pytest.mark.parametrize(("key", "value", "hint"), WRONG)
def test_a_slip_of_unit_is_refused_with_the_way_to_write_it(
    key: str, value: float, hint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMELTER_LANG", "zh")
    least = {"equipment": "gtc1/stack1", "area_m2": 10, "wet": True} | {key: value}
    for model in (StackConfig, Stack):
        with pytest.raises(ValidationError) as refused:
            model.model_validate(least)
        told = [x["msg"] for x in refused.value.errors() if x["loc"] == (key,)]
        assert len(told) == 1
        assert hint in told[0]
        assert "不合理" in told[0]


@pytest.mark.parametrize(("key", "value"), RIGHT)
def test_what_a_stack_can_have_is_taken(key: str, value: float) -> None:
    assert key in SLIPS
    both(key, value)


def test_the_command_names_file_place_and_remedy(tmp_path: Path, smelter: Smelter) -> None:
    site = tmp_path / "site.toml"
    site.write_text(SITE + STACK.replace("wet = true", "wet = true\nreference_o2 = 0.15"), "utf-8")
    where = ("--site", str(site), "--out", str(tmp_path))
    code, said = smelter("report", "emissions", "--month", "2026-03", *where)
    assert code == 2
    assert "reference_o2" in said
    assert "for 15 % write 15, not 0.15" in said
