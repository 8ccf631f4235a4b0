"""Alerts against the plan: load, pots, lines, the gate; kept, broken, unknown; the season."""

import hashlib
from decimal import Decimal
from pathlib import Path

import pytest

from drivers.model import ConfigError
from reports.grade.alert_plan import plan_on, read_alert_plan
from reports.grade.alerts import Alert, Done, Kept, alerts
from reports.grade.staggered import seasons
from reports.journal.record import Evidence
from reports.site import load_site
from tests.reports.graded import YEAR, GradeOffice, overlay_text

EXAMPLE = Path(__file__).parents[2] / "config" / "alert-plan.example.toml"
DIGEST = hashlib.sha256(b"TEST\n").hexdigest()
PLAN = f"""
[[plan]]
name = "TEST plan"
valid_from = 2026-01-01
valid_until = 2026-12-31
document = "table.txt"
sha256 = "{DIGEST}"
"""
MEASURE = """
[[plan.measures]]
id = "m{n}"
levels = ["orange"]
zh = "措施"
en = "measure"
"""
LINE2 = """
[[potline]]
id = "line{n}"
name = {{ zh = "{n}系列", en = "Potline {n}" }}
process = "{n}"
capacity_t_per_year = 250000
design_current_ka = 400
design_voltage_v = 4.0
pots = 240
rectifiers = 6
started = 2015-06-01
ac_meters = ["line{n}/ac1"]
"""


@pytest.fixture
def office(graded_lake: Path, tmp_path: Path) -> GradeOffice:
    """Line 2 cut by 34 % and 40 pots from 14 September 18:00 to the 17th; line 3 stood."""
    office = GradeOffice(tmp_path, graded_lake)
    office.write_site("# plant", 'alert_plan = "plan.toml"')
    with office.site_file.open("a", encoding="utf-8") as file:
        file.write(LINE2.format(n=2) + LINE2.format(n=3))
    return office


def order(
    office: GradeOffice, level: str = "orange", start: str = "2026-09-14T18:00",
    end: str = "2026-09-17T00:00",
) -> None:  # fmt: skip
    evidence = Evidence(kind="document", sha256=DIGEST, name="table.txt")
    office.record("alert", level, start, {"order": "No. 9", "issuer": "city"}, evidence, end=end)


def measures(office: GradeOffice, *bodies: str) -> list[Alert]:
    text = PLAN + "".join(
        MEASURE.format(n=n) + body.replace("; ", "\n") for n, body in enumerate(bodies)
    )
    (office.root / "plan.toml").write_text(text, "utf-8")
    site = load_site(office.site_file)
    for bench in office.bench():
        return alerts(bench, read_alert_plan(office.root / "plan.toml", site))
    raise AssertionError


def one(office: GradeOffice, body: str) -> Done:
    (alert,) = measures(office, body)
    (done,) = alert.done
    return done


def test_a_cut_of_load_is_proven_by_energy(office: GradeOffice) -> None:
    """33,000 against 50,000 kWh an hour: 34 % less."""
    order(office)
    body = 'mode = "load"; unit = "percent_load"; potlines = ["line2"]; amount = '
    done = one(office, body + "34")
    assert (done.kept, done.baseline, done.actual) == (Kept.KEPT, Decimal(50_000), Decimal(33_000))
    assert done.due == Decimal(33_000)
    done = one(office, body + "35")
    assert (done.kept, done.due, done.hours_off) == (Kept.BROKEN, Decimal(32_500), 54)
    assert "54 of 54 hours above the promised load" in done.text.en
    assert "54 小时中 54 小时高于承诺负荷" in done.text.zh
    other = one(office, body.replace("line2", "line1") + "5")
    assert (other.kept, other.actual) == (Kept.BROKEN, Decimal(50_000))


def test_an_alert_that_began_earlier_was_not_kept_in_all_its_hours(office: GradeOffice) -> None:
    """Ordered at 12:00, done at 18:00: 6 of 60 hours at 50,000, mean 34,700; 30.6 % less."""
    order(office, start="2026-09-14T12:00")
    body = 'mode = "load"; unit = "percent_load"; potlines = ["line2"]; amount = 34'
    done = one(office, body)
    assert (done.kept, done.hours_off, done.actual) == (Kept.BROKEN, 6, Decimal(34_700))
    assert one(office, body + "; within_hours = 6").kept is Kept.KEPT


def test_stated_daily_amounts_are_the_baseline_and_the_smallest_counts(
    office: GradeOffice,
) -> None:
    """960,000 kWh a day are 40,000 an hour; 33,000 is 17.5 % less."""
    order(office)
    base = "baseline = { eia_per_day = 1200000, permit_per_day = 960000 }"
    body = f'mode = "load"; unit = "percent_load"; potlines = ["line2"]; {base}; amount = '
    assert one(office, body + "17.5").kept is Kept.KEPT
    assert one(office, body + "17.6").kept is Kept.BROKEN


def test_pots_are_counted_each_hour(office: GradeOffice) -> None:
    order(office)
    body = 'mode = "units_stopped"; unit = "pots"; potlines = ["line2"]; amount = '
    assert one(office, body + "40").kept is Kept.KEPT
    assert one(office, body + "41").kept is Kept.BROKEN
    assert one(office, body.replace("line2", "line1") + "1").kept is Kept.BROKEN
    assert one(office, body.replace("line2", "line3") + "1").kept is Kept.UNKNOWN  # no counter


def test_a_line_is_stopped_when_it_draws_next_to_nothing(office: GradeOffice) -> None:
    """Line 3 draws 1,000 of 50,000 kWh, 2 %; line 2 runs on."""
    order(office)
    body = 'mode = "units_stopped"; unit = "lines"; amount = 1; potlines = '
    assert one(office, body + '["line3"]').kept is Kept.KEPT
    assert one(office, body + '["line2"]').kept is Kept.BROKEN
    assert one(office, body + '["line2", "line3"]').kept is Kept.KEPT


def test_the_gate_is_proven_day_by_day(office: GradeOffice) -> None:
    """Whole days of the alert: 15 and 16 September."""
    order(office)
    body = 'mode = "transport"; unit = "transport"; classes = ["lower"]'
    assert one(office, body).kept is Kept.UNKNOWN
    office.enter(("gate_trips", "2026-09-15", "electric", 20))
    assert one(office, body).kept is Kept.UNKNOWN
    office.enter(("gate_trips", "2026-09-16", "electric", 20))
    assert one(office, body).kept is Kept.KEPT
    office.enter(("gate_trips", "2026-09-16", "unknown", 1))
    assert one(office, body).kept is Kept.UNKNOWN
    office.enter(("gate_trips", "2026-09-15", "lower", 1))
    assert one(office, body).kept is Kept.BROKEN


def test_only_measures_of_the_level_are_due(office: GradeOffice) -> None:
    order(office, "yellow")
    body = 'mode = "transport"; unit = "transport"; classes = ["lower"]'
    (alert,) = measures(office, body)
    assert alert.done == ()


def test_an_alert_without_a_plan_of_its_day_says_so(office: GradeOffice) -> None:
    order(office, start="2025-12-20T00:00", end="2025-12-22T00:00")
    (alert,) = measures(office, 'mode = "transport"; unit = "transport"; classes = ["lower"]')
    assert alert.plan is None


def test_a_plan_names_every_mistake_at_once(
    office: GradeOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMELTER_LANG", "en")
    with pytest.raises(ConfigError) as error:
        measures(
            office,
            'mode = "load"; unit = "pots"; amount = 1',
            'mode = "transport"; unit = "transport"; classes = ["horse"]',
            'mode = "load"; unit = "percent_load"; amount = 120; potlines = ["line9"]',
            'mode = "units_stopped"; unit = "flame_systems"; amount = 1',
        )
    told = str(error.value)
    for part in (
        *("unit of load is percent_load", "no class horse", "at most 100 %"),
        *("no potline line9", "flame systems need points"),
    ):
        assert part in told, part


def test_a_changed_document_ends_the_plan(office: GradeOffice) -> None:
    (office.root / "table.txt").write_text("other\n", "utf-8")
    with pytest.raises(ConfigError, match="sha256"):
        measures(office, 'mode = "transport"; unit = "transport"; classes = ["lower"]')


def test_the_example_plan_is_good(office: GradeOffice) -> None:
    found = read_alert_plan(EXAMPLE, load_site(office.site_file))
    plan = plan_on(found, YEAR.days[-1])
    assert plan is not None
    assert [each.id for each in plan.measures] == ["load", "pots", "trucks"]
    assert plan_on(found, YEAR.days[0]) is None


def test_an_exemption_needs_its_limits(office: GradeOffice) -> None:
    days = "first = 2025-11-15\nlast = 2026-03-15"
    text = f'[[season]]\n{days}\ndocument = "table.txt"\nsha256 = "{DIGEST}"\n'
    (office.root / "plan.toml").write_text(text, "utf-8")
    plan = read_alert_plan(office.root / "plan.toml", load_site(office.site_file))

    def judged(*tables: str) -> tuple[bool, int, int]:
        from reports.grade.overlay import read_own_tables

        for bench in office.bench():
            overlays = read_own_tables([office.root / name for name in tables])
            season, mine, made = seasons(bench, plan, overlays)
            assert season is not None
            assert str(mine.period) == "2025-11-15_2026-03-15"
            counted = made[0].counted[0]
            return counted.met, counted.failed, counted.unknown
        raise AssertionError

    assert judged() == (False, 0, 2)
    evidence = {
        "so2": ("limits", '{ kind = "limits_met", pollutant = "so2", limit = 12 }'),
        "dust": ("fugitive", '{ kind = "document", what = "fugitive" }'),
    }
    typed = overlay_text("cn_staggered", evidence, ("limits", "fugitive")).replace(
        '"A"', '"exempt"'
    )
    (office.root / "exempt.toml").write_text(typed, "utf-8")
    office.checked()
    assert judged("exempt.toml") == (False, 0, 1)
    office.paper("fugitive")
    assert judged("exempt.toml") == (True, 0, 0)
    (office.root / "exempt.toml").write_text(typed.replace("limit = 12", "limit = 11"), "utf-8")
    assert judged("exempt.toml") == (False, 1, 0)
