"""The allowance report: the official rule by hand, its boundaries, bands, positions, refusals."""

from decimal import Decimal
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.allowance.position import whole_shortfall, whole_surplus
from reports.chapters import Table
from reports.formulas import FORMULAS
from reports.model import Content, How
from tests.reports.conftest import Smelter
from tests.reports.plant import SITE
from tests.reports.quota import ONE_LINE, Quota, months, office, value
from tests.reports.test_rules_overlays import BALANCE, written

D = Decimal


@pytest.fixture
def desk(tmp_path: Path) -> Quota:
    return office(tmp_path)


def said(content: Content, line: str) -> str:
    return " ".join(text.en for text in content.line(line).missing)


@pytest.mark.parametrize(
    ("emission", "aluminium", "balance", "x", "alpha", "allowance"),
    [
        # I = 1.52, X = (1.9 - 1.52) / 1.9 = 0.2 exactly: 152000 * 1.03 = 156560
        ("152000", "100000", "1.9", "0.2", "0.03", "156560"),
        # a hair inside, I = 1.5201: X = 0.3799/1.9; 152010 * (1 + 0.15 * 0.19994737) = 156569.1
        ("152010", "100000", "1.9", None, None, "156569"),
        # beyond: X = 0.25 counts as 0.2
        ("150000", "100000", "2.0", "0.25", "0.03", "154500"),
        # the other border: I = 1.8, X = -0.2: 180000 * 0.97 = 174600
        ("180000", "100000", "1.5", "-0.2", "-0.03", "174600"),
        # in between: X = 0.05, alpha = 0.0075: 152000 * 1.0075 = 153140
        ("152000", "100000", "1.6", "0.05", "0.0075", "153140"),
        # as the sector: X = 0, and 156900.70 is cut down as the official 1789.70 is to 1789
        ("156900.70", "100000", "1.569007", "0", "0", "156900"),
    ],
)
def test_the_official_rule(
    desk: Quota, emission: str, aluminium: str, balance: str, x: str, alpha: str, allowance: str
) -> None:
    content = desk.verified(2025, emission, aluminium).balance(2025, balance).content(2025)
    assert content.complete
    if x is not None:
        assert (value(content, "line1.x"), value(content, "line1.alpha")) == (D(x), D(alpha))
    assert value(content, "line1.allowance") == D(allowance)
    assert value(content, "plant.position") == D(allowance) - D(emission)
    assert "plant.allowance_low" not in {line.id for line in content.lines}


def test_a_hair_inside_the_clip_is_not_clipped(desk: Quota) -> None:
    """I = 1.5201: X = 0.3799 / 1.9 = 0.19994737 < 0.2, alpha = 0.02999211 < 0.03."""
    content = desk.verified(2025, "152010", "100000").balance(2025, "1.9").content(2025)
    assert D("0.02999") < value(content, "line1.alpha") < D("0.03")


def test_the_official_example_of_the_floor() -> None:
    """1789.70 becomes 1789."""
    made = FORMULAS["allowance"](
        emission_t=D("1789.70"),
        aluminium_t=1000,
        balance_t_per_t=D("1.7897"),
        slope=D("0.15"),
        clip_fraction=D("0.2"),
    )
    assert made["allowance_t"] == 1789


@pytest.mark.parametrize(
    ("issued", "saleable", "shortfall"), [("120000", 20000, 0), ("80000", 0, 20000)]
)
def test_the_official_example_of_the_position(
    desk: Quota, issued: str, saleable: int, shortfall: int
) -> None:
    """Issued 120 and due 100: 20 to the firm. Issued 80: the firm must bring 20 (thousands)."""
    desk.verified(2025, "100000", "66000").enter(f"allowance_allocated,line1,2025,{issued},t,,")
    content = desk.content(2025)
    assert value(content, "plant.saleable") == saleable
    assert value(content, "plant.shortfall") == shortfall
    assert content.complete  # what was issued counts, though no balance value is known
    assert content.line("line1.allowance").how is How.NONE


def test_only_whole_tonnes_are_sold_or_brought() -> None:
    for position, surplus, shortfall in (("20.9", 20, 0), ("-20.1", 0, 21), ("0", 0, 0)):
        assert whole_surplus(D(position)) == surplus
        assert whole_shortfall(D(position)) == shortfall


def test_2024_is_the_verified_emission(desk: Quota) -> None:
    content = desk.verified(2024, "152000.37", "100000").content(2024)
    assert value(content, "line1.allowance") == D("152000.37")
    assert value(content, "plant.position") == 0
    assert content.line("line1.pre_allocation").how is How.NONE
    assert {duty.id: str(duty.due) for duty in content.duties}["surrender_due"] == "2025-12-31"


def test_2026_rests_on_a_draft_and_says_so(desk: Quota) -> None:
    content = desk.verified(2026, "152000", "100000").balance(2026, "1.6").content(2026)
    slope = next(x for x in content.legals if x.id.startswith("cn_allowance_aluminium.slope"))
    assert (str(slope.applies_from), slope.confirmed) == ("2026-01-01", "secondary")
    assert any("征求意见稿" in stamp.source.title for stamp in content.stamps)
    assert "cn_calendar.surrender_due" in {absent.id for absent in content.absent}


def test_a_year_without_a_rule_of_its_own_says_whose_it_borrows(desk: Quota) -> None:
    desk.verified(2026, "152000", "100000").balance(2026, "1.6")
    assert not any("reckoned by" in doubt.text.en for doubt in desk.content(2026).warnings)
    content = desk.content(2027, preliminary=True)
    assert any("reckoned by that of 2026" in doubt.text.en for doubt in content.warnings)


@pytest.mark.parametrize(("year", "share", "expected"), [(2025, 70, 106401), (2026, 50, 76000)])
def test_pre_allocation_is_a_share_of_last_year_cut_down(
    desk: Quota, year: int, share: int, expected: int
) -> None:
    """0.7 * 152001.99 = 106401.393; 0.5 * 152001.99 = 76000.995."""
    desk.verified(year - 1, "152001.99", "100000").verified(year, "152000", "100000")
    assert value(desk.content(year), "line1.pre_allocation") == expected
    desk.enter(f"allowance_pre_allocated,line1,{year},100000,t,,")
    assert value(desk.content(year), "plant.pre_allocation") == 100000  # what was issued counts


def test_no_verified_year_before_no_pre_allocation(desk: Quota) -> None:
    line = desk.verified(2025, "152000", "100000").content(2025).line("line1.pre_allocation")
    assert (line.value, line.how) == (None, How.NONE)
    assert "emission_verified" in line.notes[0].en


# --- dated rules


def started(day: str, stopped: str = "") -> str:
    text = ONE_LINE.replace("started = 2015-06-01", f"started = {day}")
    return text.replace("ac_meters", f"stopped = {stopped}\nac_meters") if stopped else text


@pytest.mark.parametrize(
    ("year", "day", "expected"),
    [
        (2025, "2024-12-31", "153140"),  # started before the year: X = 0.05
        (2025, "2025-01-01", "0"),  # new in 2025: none
        (2025, "2025-12-31", "0"),
        (2026, "2025-12-31", "153140"),
        (2026, "2026-01-01", "152000"),  # new in 2026: what it emitted (draft)
    ],
)
def test_a_new_process(tmp_path: Path, year: int, day: str, expected: str) -> None:
    desk = office(tmp_path, started(day)).verified(year, "152000", "100000")
    content = desk.balance(year, "1.6").content(year)
    assert value(content, "line1.allowance") == D(expected)
    warned = [doubt for doubt in content.warnings if doubt.line == "line1.position"]
    assert bool(warned) == (expected == "0")


@pytest.mark.parametrize(
    ("year", "stopped", "expected"),
    [
        (2025, "2026-09-19", "0"),  # closed the day before the province determines (20 September)
        (2025, "2026-09-20", "153140"),
        (2025, "2025-06-01", "0"),
        (2026, "2026-12-31", "152000"),  # no day published yet: closed within the year
        (2026, "2027-01-01", "153140"),
    ],
)
def test_a_closed_process(tmp_path: Path, year: int, stopped: str, expected: str) -> None:
    desk = office(tmp_path, started("2015-06-01", stopped)).verified(year, "152000", "100000")
    content = desk.balance(year, "1.6").content(year)
    assert value(content, "line1.allowance") == D(expected)


@pytest.mark.parametrize(
    ("emission", "expected"), [("25999", "25999"), ("25999.99", "25999.99"), ("26000", "26172")]
)
def test_an_entity_below_the_threshold(desk: Quota, emission: str, expected: str) -> None:
    """
    From 26 000 t on the usual rule, below it as much as was emitted.

    I = 26000 / 17000 = 1.529412, X = 0.0441176, 26000 * (1 + 0.15 X) = 26172.06.
    """
    content = desk.verified(2026, emission, "17000").balance(2026, "1.6").content(2026)
    assert value(content, "line1.allowance") == D(expected)
    assert any("threshold" in d.text.en for d in content.warnings) == (emission != "26000")


def test_a_rule_nobody_read_leaves_the_allowance_open(desk: Quota) -> None:
    content = desk.verified(2025, "25999", "17000").content(2025)
    assert content.line("line1.allowance").how is How.MISSING
    assert "below_threshold_rule" in said(content, "line1.allowance")
    assert "cn_allowance_aluminium.below_threshold_rule" in {x.id for x in content.absent}


# --- the balance value


def test_an_unknown_balance_value_gives_a_band_and_no_point(desk: Quota) -> None:
    """
    Floor 0.33386 t C * 44/12 + 0.14481 = 1.36899; ceiling 0.56 * 3.0354251 + 0.14481 = 1.84465.

    I = 1.52: alpha from 0.15 * (1 - 1.52/1.36899) = -0.016546 to 0.15 * (1 - 1.52/1.84465) =
    +0.026399; 152000 * (1 + alpha) = 149485.01 to 156012.7.
    """
    content = desk.verified(2025, "152000", "100000").content(2025)
    assert not content.complete
    assert content.line("plant.allowance").value is None
    assert "balance_value" in said(content, "line1.allowance")
    assert value(content, "plant.allowance_low") == 149485
    assert value(content, "plant.allowance_high") == 156012
    assert value(content, "plant.position_low") == 149485 - 152000
    assert "plant.allowance_low" in content.headline
    absent = {found.id: found for found in content.absent}
    assert "cets.org.cn" in absent["cn_allowance_aluminium.balance_value"].source.where


@cache
def _band() -> tuple[Content, Decimal, Decimal]:
    with TemporaryDirectory() as folder:
        content = office(Path(folder)).verified(2025, "156900.37", "100000").content(2025)
    return content, value(content, "plant.balance_low"), value(content, "plant.balance_high")


@settings(max_examples=60, deadline=None)
@given(st.decimals(min_value=0, max_value=1, places=6))
def test_the_band_holds_the_point_of_every_balance_value_in_range(part: Decimal) -> None:
    content, low, high = _band()
    made = FORMULAS["allowance"](
        emission_t=D("156900.37"),
        aluminium_t=100000,
        balance_t_per_t=low + part * (high - low),
        slope=D("0.15"),
        clip_fraction=D("0.2"),
    )
    for name, key in (("allowance", "allowance_t"), ("position", "position_t")):
        ends = value(content, f"line1.{name}_low"), value(content, f"line1.{name}_high")
        assert ends[0] <= made[key] <= ends[1]


def test_a_balance_value_says_who_read_it_when_and_where(desk: Quota) -> None:
    content = desk.verified(2025, "152000", "100000").balance(2025, "1.6").content(2025)
    note = content.line("plant.balance_value").notes[0]
    assert "王敏" in note.zh
    assert "2027-06-23" in note.zh
    assert "platform.png" in note.en


def test_a_balance_value_as_an_overlay_names_who_checked_it(desk: Quota) -> None:
    """The overlay is of 2025 and 1.5702; an entry of the year goes before it."""
    written(desk.root, BALANCE)
    site = (desk.root / "site.toml").read_text("utf-8")
    (desk.root / "site.toml").write_text(f'overlays = ["a.toml"]\n{site}', "utf-8")
    line = desk.verified(2025, "152000", "100000").content(2025).line("plant.balance_value")
    assert line.value == D("1.5702")
    assert "李四" in line.notes[0].zh
    entered = desk.balance(2025, "1.6").content(2025)
    assert value(entered, "plant.balance_value") == D("1.6")


def test_sensitivity_tables(desk: Quota) -> None:
    """
    At BP 1.5 and I 1.52: alpha = 0.15 * (-0.02 / 1.5) = -0.002, 152000 * 0.998 = 151696.

    1 kg of anode is 0.001 * 0.8482 * 0.976 * 44/12 = 0.0030354 t per t, of 100000 t 303.54 t; the
    position E * 0.15 * (1 - E / (P * BP)) with BP = I gains 0.15 * 303.54 * (1 - 303.54/152000).
    """
    content = desk.verified(2025, "152000", "100000").content(2025)
    tables = {
        block.id: block
        for chapter in content.chapters
        for block in chapter.blocks
        if block.block == "table"
    }
    first = tables["balance"].rows[0]
    assert first[0] == D("1.5")
    assert first[2:4] == (D(151696), D(-304))
    assert any("analyst" in getattr(row[5], "en", "") for row in tables["balance"].rows)
    saved, gained = tables["anode"].rows[0][2:4]
    assert isinstance(saved, Decimal)
    assert isinstance(gained, Decimal)
    assert float(saved) == pytest.approx(303.5425, abs=1e-3)
    assert float(gained) == pytest.approx(0.15 * 303.5425 * (1 - 303.5425 / 152000), rel=1e-6)


# --- figures that cannot be


def test_below_faradays_floor_is_refused_below_the_practical_one_warned(desk: Quota) -> None:
    """1.36899 at a current efficiency of 100 %, 1.22418/0.95 + 0.14481 = 1.43342 at 95 %."""
    desk.verified(2025, "136890", "100000").balance(2025, "1.6")
    content = desk.content(2025)
    assert content.line("line1.allowance").how is How.MISSING
    assert "Faraday" in said(content, "line1.allowance")
    desk = desk.enter("emission_verified,line1,2024,143330,tCO2e,,")
    content = desk.verified(2026, "143330", "100000").balance(2026, "1.6").content(2026)
    assert content.line("line1.allowance").value is not None
    assert any("practical floor" in doubt.text.en for doubt in content.warnings)


def test_a_missing_month_of_a_year_that_is_over_is_missing_not_forecast(desk: Quota) -> None:
    given_months = {month: ("20000", "9400") for month in range(1, 13) if month != 11}
    content = desk.enter(*months(2025, "line1", given_months)).balance(2025, "1.6").content(2025)
    assert content.line("plant.emission").how is How.MISSING
    assert "2025-11" in said(content, "plant.emission")
    assert content.line("plant.allowance").value is None


def test_own_months_stand_in_until_the_year_is_verified(desk: Quota) -> None:
    """12 * (9400 * 3.0354250667 + 20000 * 0.14481) = 377150.35 t."""
    desk.enter(*months(2025, "line1", dict.fromkeys(range(1, 13), ("20000", "9400"))))
    desk.balance(2025, "1.6")
    content = desk.content(2025)
    assert float(value(content, "line1.emission")) == pytest.approx(377150.3475, abs=1e-3)
    desk.verified(2025, "377000", "240000")
    line = desk.content(2025).line("line1.emission")
    assert (line.value, line.how) == (D(377000), How.ENTERED)
    assert "-150.35" in line.notes[0].en


# --- holdings and money


def test_old_vintages_do_not_count_and_are_named(desk: Quota) -> None:
    desk.verified(2025, "152000", "100000").balance(2025, "1.6")  # allowance 153140, +1140
    desk.enter(
        "allowance_held,plant,2025,500,t,2024,",
        "allowance_held,plant,2025,300,t,2025,",
        "allowance_bought,plant,2025,200,t,2025,",
        "allowance_sold,plant,2025,100,t,2025,",
    )
    content = desk.content(2025)
    assert value(content, "plant.net_position") == 1140 + 300 + 200 - 100
    assert any("vintage 2024" in doubt.text.en for doubt in content.warnings)


def test_money_only_at_a_price_that_was_entered(desk: Quota) -> None:
    desk.verified(2025, "152000", "100000").balance(2025, "1.6")
    assert desk.content(2025).line("plant.saleable_cny").how is How.NONE
    desk.enter(
        "allowance_price,plant,2026-09,80,CNY/t,,", "allowance_price,plant,2026-10,97.8,CNY/t,,"
    )
    content = desk.content(2025)
    assert value(content, "plant.saleable_cny") == 1140 * D("97.8")  # the newest month
    assert value(content, "plant.offset_max") == 7600  # 5 % of 152000
    front = content.chapters[0].blocks[0]
    assert front.block == "paragraph"
    assert "111,492" in front.text.zh
    assert "盈余" in front.text.zh
    assert "surplus" in front.text.en


# --- the command


def test_the_command_and_its_exit_codes(desk: Quota, smelter: Smelter) -> None:
    desk.verified(2025, "152000", "100000")
    run = ("report", "allowance", "--site", str(desk.root / "site.toml"), "--out", str(desk.root))
    code, text = smelter(*run, "--year", "2025", "--format", "json")
    assert code == 1
    assert "national platform" in text
    desk.balance(2025, "1.6")
    code, text = smelter(*run, "--year", "2025", "--format", "json,pdf,xlsx", "--lang", "en")
    assert (code, "153,140 t" in text) == (0, True)
    assert list(desk.root.glob("allowance-2025-v2.en.pdf"))
    assert list(desk.root.glob("allowance-2025-v2.en.xlsx"))
    code, text = smelter(*run, "--year", "2026", "--format", "json")
    assert (code, "--preliminary" in text) == (2, True)


@settings(max_examples=40, deadline=None)
@given(
    anode=st.decimals(min_value="0.42", max_value="0.54", places=4),
    more=st.decimals(min_value="0.0001", max_value="0.02", places=4),
)
def test_more_anode_never_betters_the_rate(anode: Decimal, more: Decimal) -> None:
    def alpha(rate: Decimal) -> Decimal:
        return FORMULAS["allowance"](
            emission_t=100000 * (rate * D("3.0354250667") + D("0.14481")),
            aluminium_t=100000,
            balance_t_per_t=D("1.57"),
            slope=D("0.15"),
            clip_fraction=D("0.2"),
        )["alpha"]

    assert alpha(anode + more) < alpha(anode)


def test_the_plant_is_the_sum_of_its_processes(tmp_path: Path) -> None:
    """Each is cut down to whole tonnes before they are added, as the rule says."""
    desk = office(tmp_path, SITE).verified(2025, "152000.9", "100000")
    desk.verified(2025, "78000.9", "50000", line="line2")
    content = desk.balance(2025, "1.57").content(2025)
    for name in ("allowance", "emission", "position"):
        parts = sum((value(content, f"{line}.{name}") for line in ("line1", "line2")), D(0))
        assert value(content, f"plant.{name}") == parts
    assert value(content, "line1.allowance") % 1 == 0
    assert [duty.id for duty in content.duties] == ["report_due", "surrender_due"]


def test_money_of_a_balance_value_is_the_same_on_every_page(desk: Quota) -> None:
    """
    X below -0.2, so 180000.37 * 0.97 = 174600.36 -> 174600; 5400.37 t short: 5401 whole ones.

    5401 t * 80 CNY = 432080 on the first page and in the table.
    """
    desk.verified(2025, "180000.37", "100000").balance(2025, "1.5")
    content = desk.enter("allowance_price,plant,2026-09,80,CNY/t,,").content(2025)
    assert value(content, "plant.shortfall") == 5401
    assert value(content, "plant.shortfall_cny") == 432080
    (table,) = [
        b for c in content.chapters for b in c.blocks if isinstance(b, Table) and b.id == "balance"
    ]
    (row,) = [row for row in table.rows if row[0] == D("1.5")]
    assert row[3:5] == (D(-5401), D(-432080))


@pytest.mark.parametrize(("ahead", "back"), [("153140", None), ("160000", "6860")])
def test_what_was_issued_ahead_beyond_the_allowance_is_taken_back(
    desk: Quota, ahead: str, back: str | None
) -> None:
    """153140 t due (X = 0.05); of 160000 t issued ahead 6860 t go back."""
    desk.verified(2025, "152000", "100000").balance(2025, "1.6")
    content = desk.enter(f"allowance_pre_allocated,line1,2025,{ahead},t,,").content(2025)
    texts = [b.text for b in content.chapters[0].blocks if b.block == "paragraph"]
    told = [text for text in texts if "taken back" in text.en]
    if back is None:
        assert "plant.take_back" not in {line.id for line in content.lines}
        assert not told
        return
    assert value(content, "plant.take_back") == D(back)
    assert "6,860 t will be taken back" in told[0].en
    assert "多发的 6,860 t 将被收回" in told[0].zh
