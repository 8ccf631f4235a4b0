"""``site.toml``: every mistake at once, nothing guessed."""

from pathlib import Path

import pytest

from drivers.model import ConfigError
from reports.site import load_site
from tests.reports.plant import SITE


def site_file(folder: Path, text: str) -> Path:
    path = folder / "site.toml"
    path.write_text(text, "utf-8")
    return path


def test_example_loads_and_paths_are_relative_to_it() -> None:
    path = Path(__file__).parents[2] / "config" / "site.example.toml"
    site = load_site(path)
    assert site.lake is not None
    assert site.lake.resolve() == path.parents[1] / "data" / "historian" / "lake"
    assert [str(meter) for meter in site.potline[0].ac_meters] == [
        "line1/ac1 meter.energy_import",
        "line1/ac2 meter.energy_import",
    ]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('plant = "demo"', 'plant = "de mo"', "plant"),
        ('province = "henan"', 'province = "河南"', "province"),
        ('lake = "lake"', "", "one source"),
        ('lake = "lake"', 'lake = "lake"\nlaek = "x"', "laek"),
        ('entries = "entries.jsonl"', "", "entries"),
        ('id = "line2"', 'id = "line1"', "potline id 'line1' is given twice"),
        ('id = "line2"', 'id = "plant"', "is the word for the whole plant"),
        ('process = "2"', 'process = "1"', "process number '1' is given twice"),
        ('"line2/ac1"', '"line1/ac1"', "'line1/ac1 meter.energy_import' is given twice"),
        ('"line2/ac1"', '"line2"', "write area/unit"),
        ('"line2/ac1"', '"line2/ac1 meter.active_power"', "is no counter in kWh"),
        ('"line2/ac1"', '"line2/ac1 meter.nonsense"', "is no counter in kWh"),
        ("pots = 150", "pots = 0", "potline.2.pots"),
        ("capacity_t_per_year = 120000", 'capacity_t_per_year = "big"', "capacity_t_per_year"),
        ("started = 2010-01-01", "started = 2010-01-01\nstopped = 2009-01-01", "must be later"),
        ("started = 2010-01-01", "started = 2010-01-01\nsold = 2010-01-01", "sold 2010-01-01"),
        (
            "started = 2010-01-01",
            "started = 2010-01-01\npauses = [{ stopped = 2026-02-02, restarted = 2026-02-02 }]",
            "restarted 2026-02-02 must be later",
        ),
        ('province = "henan"', 'province = "henan"\ncredit_code = "91410000000000000X"', "credit"),
        ("pots = 150", "pots = = 150", "site.toml"),
        (SITE[SITE.index("[[potline]]") :], "", "at least one"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, old: str, new: str, says: str) -> None:
    assert old in SITE
    with pytest.raises(ConfigError, match=says):
        load_site(site_file(tmp_path, SITE.replace(old, new, 1)))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('id = "line2"', 'id = "line1"', "系列 id 'line1' 重复"),
        ('"line2/ac1"', '"line1/ac1"', "计量表 'line1/ac1 meter.energy_import' 重复"),
        ("started = 2010-01-01", "started = 2010-01-01\nstopped = 2009-01-01", "须晚于"),
        ('province = "henan"', 'province = "henan"\ncredit_code = "X"', "统一社会信用代码"),
        ('lake = "lake"', "", "一个数据来源"),
    ],
)
def test_mistakes_are_named_in_chinese(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str, says: str
) -> None:
    monkeypatch.setenv("SMELTER_LANG", "zh")
    with pytest.raises(ConfigError, match=says):
        load_site(site_file(tmp_path, SITE.replace(old, new, 1)))


def test_all_mistakes_at_once(tmp_path: Path) -> None:
    text = SITE.replace("pots = 150", "pots = 0").replace("rectifiers = 6", "rectifiers = 99")
    with pytest.raises(ConfigError) as refused:
        load_site(site_file(tmp_path, text.replace('province = "henan"', 'province = "?"')))
    assert len(refused.value.problems) == 3


def test_a_real_credit_code_is_accepted(tmp_path: Path) -> None:
    """91350100M000100Y43 is the worked example of GB 32100-2015."""
    text = SITE.replace(
        'province = "henan"', 'province = "henan"\ncredit_code = "91350100M000100Y43"'
    )
    assert load_site(site_file(tmp_path, text)).credit_code


def test_heat_meters_may_name_another_counter(tmp_path: Path) -> None:
    text = SITE.replace(
        'aux_meters = ["line1/aux1"]', 'heat_meters = ["line1/hx1 heat_recovery.heat_energy"]'
    )
    line = load_site(site_file(tmp_path, text)).potline[0]
    assert [str(meter) for meter in line.heat_meters] == ["line1/hx1 heat_recovery.heat_energy"]


def test_missing_file_is_a_config_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml"):
        load_site(tmp_path / "nowhere.toml")
