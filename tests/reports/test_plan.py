"""``plan.toml``: every mistake at once and with its place; patterns; which plan governs a day."""

import hashlib
import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.model import ConfigError
from reports.plan.certificates import months_later
from reports.plan.file import load_plan
from reports.plan.plan import ANY, Frequency, matches
from reports.site import load_site
from tests.reports import planned
from tests.reports.conftest import Office


def test_the_example_loads_with_the_example_site() -> None:
    folder = Path(__file__).parents[2] / "config"
    site = load_site(folder / "site.example.toml")
    plan = load_plan(folder / "plan.example.toml", site)
    assert plan.parameter_of("line1.aluminium") is not None
    assert [x.id for x in plan.instruments_for("line1.electricity_ac")] == ["em_ac1", "em_ac2"]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('figure = "*.aluminium"', 'figure = "铝液"', "parameter.1.figure: must look like"),
        ('figure = "*.anode_net"', 'figure = "*.aluminium"', "'\\*.aluminium' is there twice"),
        ('figure = "*.aluminium"', 'figure = "line9.aluminium"', "no potline 'line9'"),
        ('id = "truck1"', 'id = "ladle1"', "instrument.2: 'ladle1' is there twice"),
        ('instruments = ["ladle1"]', 'instruments = ["scale9"]', "no instrument 'scale9'"),
        ('instruments = ["ladle1"]\n', "", 'parameter.1: acquisition = "measured" needs'),
        ('department = "lab"', 'department = "laboratory"', "no department 'laboratory'"),
        ('entries = ["aluminium_tapped"]', 'entries = ["metal"]', "no kind of entry 'metal'"),
        ('acquisition = "default"', 'acquisition = "guessed"', "acquisition: must be"),
        ('recording = "monthly"', 'recording = "sometimes"', "recording: must be"),
        (
            'acquisition = "calculated"',
            'acquisition = "laboratory"',
            "needs \\[parameter.laboratory\\]",
        ),
        ("accuracy_class_percent = 0.5", "accuracy_class_percent = 0", "must be above 0"),
        ("interval_months = 12", "interval_months = 12.5", "interval_months: write a whole"),
        (
            'measures = ["line1/ac2", "line1.electricity_ac"]',
            'measures = ["line1/ac1"]',
            "line1/ac1 is em_ac1 and em_ac2 at the same time",
        ),
        (
            "since = 2015-06-01\n# removed",
            "since = 2015-06-01\nremoved = 2015-06-01\n# removed",
            "must be later",
        ),
        ('potline = "line1"', 'potline = "line7"', "facility.1.potline: no potline 'line7'"),
        ('file = "process.pdf"', 'file = "gone.pdf"', "drawing.2.file: gone.pdf"),
        (
            'file = "process.pdf"',
            f'file = "process.pdf"\nsha256 = "{"0" * 64}"',
            "drawing is another",
        ),
        ("difference_percent = 1.0", "", "difference_percent: is missing"),
        ("[archive]\nyears = 10", "[archive]\nyear = 10", "archive.year: unknown key"),
        ('code = "stock_balance"', 'code = "Stock balance"', "missing.code: must look like"),
        (
            'name = { zh = "汽车衡", en = "Truck scale" }',
            'name = { zh = "汽车衡", en = " " }',
            "both zh and en",
        ),
        ("[audit]", "[audit", "plan.toml"),
    ],
)
def test_mistakes_are_named(office: Office, old: str, new: str, says: str) -> None:
    assert old in planned.PLAN
    path = planned.plan(office, planned.PLAN.replace(old, new, 1))
    with pytest.raises(ConfigError, match=says):
        load_plan(path, office.site)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            'instruments = ["ladle1"]',
            'instruments = ["scale9"]',
            "没有计量器具 'scale9'；有：em_ac1",
        ),
        ('department = "lab"', 'department = "x"', "没有部门 'x'"),
        ('figure = "*.aluminium"', 'figure = "line9.aluminium"', "没有系列 'line9'"),
        ('acquisition = "default"', 'acquisition = "x"', "只能是"),
        ('file = "process.pdf"', 'file = "gone.pdf"', "文件不存在"),
        ('id = "truck1"', 'id = "ladle1"', "instrument.2：'ladle1' 重复"),
    ],
)
def test_mistakes_are_named_in_chinese(
    office: Office, monkeypatch: pytest.MonkeyPatch, old: str, new: str, says: str
) -> None:
    monkeypatch.setenv("SMELTER_LANG", "zh")
    path = planned.plan(office, planned.PLAN.replace(old, new, 1))
    with pytest.raises(ConfigError, match=says):
        load_plan(path, office.site)


def test_all_mistakes_at_once(office: Office) -> None:
    text = planned.PLAN.replace('department = "lab"', 'department = "x"')  # of two parameters
    text = text.replace('instruments = ["truck1"]', 'instruments = ["y"]')
    text = text.replace('file = "metering.pdf"', 'file = "z.pdf"')
    with pytest.raises(ConfigError) as refused:
        load_plan(planned.plan(office, text), office.site)
    assert len(refused.value.problems) == 4


def test_versions_are_in_order_of_time(office: Office) -> None:
    later = '\n[[version]]\nnumber = "1.1"\non = 2026-01-01\nauthor = { zh = "王", en = "W" }\n'
    text = planned.PLAN + later + 'reason = { zh = "改", en = "changed" }\n'
    with pytest.raises(ConfigError, match=r"version.2.on: 2026-01-01 is before"):
        load_plan(planned.plan(office, text), office.site)


def test_a_drawing_is_known_by_its_bytes(office: Office) -> None:
    plan = load_plan(planned.plan(office), office.site)
    found = {x.kind: x.sha256 for x in plan.drawing}
    assert found["process"] == hashlib.sha256(b"process").hexdigest()


# --- patterns


@pytest.mark.parametrize(
    ("pattern", "figure", "fits"),
    [
        ("*.aluminium", "line1.aluminium", True),
        ("*.aluminium", "plant.aluminium", False),  # the plant's is a sum, not a potline's
        ("*.aluminium", "line1.anode_consumed", False),
        ("line1.aluminium", "line2.aluminium", False),
        ("plant.fuel_consumed.*", "plant.fuel_consumed.diesel", True),
        ("plant.fuel_consumed.*", "plant.fuel_consumed", False),
        ("*.fuel_consumed.diesel", "plant.fuel_consumed.diesel", False),
    ],
)
def test_what_a_pattern_fits(pattern: str, figure: str, *, fits: bool) -> None:
    assert matches(pattern, figure) is fits


_PART = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)


@given(st.lists(_PART, min_size=2, max_size=3), st.data())
def test_a_figure_fits_itself_and_each_star_in_it(parts: list[str], data: st.DataObject) -> None:
    figure = ".".join(parts)
    assert matches(figure, figure)
    at = data.draw(st.integers(0, len(parts) - 1))
    starred = ".".join(ANY if n == at else part for n, part in enumerate(parts))
    assert matches(starred, figure) is (at > 0 or parts[0] != "plant")
    assert not matches(starred, f"{figure}.more")


def test_an_exact_name_goes_before_a_pattern(office: Office) -> None:
    start = planned.PLAN.index('[[parameter]]\nfigure = "*.aluminium"')
    end = planned.PLAN.index("[[parameter]]", start + 1)
    exact = planned.PLAN[start:end].replace("*.aluminium", "line2.aluminium")
    exact = exact.replace("铝液产量", "二系列铝液产量", 1)
    plan = load_plan(planned.plan(office, planned.PLAN + "\n" + exact), office.site)
    named = plan.expanded(["line1", "line2"])
    assert named["line1.aluminium"].name.zh == "铝液产量"
    assert named["line2.aluminium"].name.zh == "二系列铝液产量"
    assert list(named).count("line2.aluminium") == 1
    assert "plant.aluminium" not in named


def test_an_instrument_that_names_its_figures_is_not_taken_for_others(office: Office) -> None:
    plan = load_plan(planned.plan(office), office.site)
    assert [x.id for x in plan.instruments_for("line2.electricity_ac")] == ["em_l2"]
    assert [x.id for x in plan.instruments_for("line2.aluminium")] == ["ladle1"]


def test_thresholds_of_a_parameter_and_of_the_plan(office: Office) -> None:
    plan = load_plan(planned.plan(office), office.site)
    assert str(plan.threshold_percent("line1.aluminium")) == "0.5"
    assert str(plan.threshold_percent("line1.anode_consumed")) == "1.0"


def test_a_replaced_meter_is_two_instruments(office: Office) -> None:
    """On 2026-06-18 the meter of line1/ac1 was replaced: the day belongs to the new one."""
    start = planned.PLAN.index('[[instrument]]\nid = "em_ac1"')
    end = planned.PLAN.index("[[instrument]]", start + 1)
    old = planned.PLAN[start:end]
    gone = old.replace("since = 2015-06-01\n", "since = 2015-06-01\nremoved = 2026-06-18\n", 1)
    new = old.replace("em_ac1", "em_ac1b").replace("E-1001", "E-1009")
    new = new.replace("since = 2015-06-01", "since = 2026-06-18")
    plan = load_plan(planned.plan(office, planned.PLAN.replace(old, gone + new)), office.site)
    meter = "line1/ac1 meter.energy_import"
    found = [plan.meter_of(meter, date(2026, 6, day)) for day in (17, 18)]
    assert [x.serial for x in found if x is not None] == ["E-1001", "E-1009"]


def test_frequencies_from_often_to_seldom() -> None:
    assert Frequency.MONTHLY.rarer_than(Frequency.DAILY)
    assert not Frequency.DAILY.rarer_than(Frequency.DAILY)
    assert not Frequency.MONTHLY.rarer_than(Frequency.BATCH)  # cannot be compared


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        (date(2026, 3, 10), 12, date(2027, 3, 10)),
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2027, 12, 31), 2, date(2028, 2, 29)),
        (date(2026, 11, 30), 3, date(2027, 2, 28)),
    ],
)
def test_the_same_day_of_a_later_month(day: date, months: int, later: date) -> None:
    assert months_later(day, months) == later


def test_every_key_that_the_site_example_only_shows_is_known(tmp_path: Path) -> None:
    """Each commented key, put to work; but InfluxDB, which stands instead of the lake."""
    text = (Path(__file__).parents[2] / "config" / "site.example.toml").read_text("utf-8")
    text = re.sub(r"(?ms)^# \[influxdb\].*?(?=^\n)", "", text)
    text = re.sub(r"(?m)^# credit_code = .*$", "", text)  # the one shown is no real one
    text = re.sub(r"(?m)^# (\[|[a-z_0-9]+ = )", r"\1", text)
    path = tmp_path / "site.toml"
    path.write_text(text, "utf-8")
    site = load_site(path)
    assert site.plan == tmp_path / "plan.toml"
    assert site.fuels == ("natural_gas", "diesel")
