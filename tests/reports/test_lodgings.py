"""A lodged report is kept, its entries are sealed; a correction says who changed what and why."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from drivers.model import ConfigError
from reports.entries.kinds import KINDS
from reports.entries.ledger import Ledger, read_ledger
from reports.lodgings import Lodging, read_lodgings
from reports.periods import Period
from reports.render.blocks import pages_of
from reports.render.view import front_facts
from reports.versions import changes, read_report
from tests.reports.conftest import NOW, Office, Smelter

HEAD = "kind,line,period,value,unit\n"
WHO = ("--author", "李强", "--reason", "磅单更正")


def make(office: Office, smelter: Smelter, month: str = "2026-10") -> tuple[Path, dict[str, Any]]:
    out = office.root / "reports"
    code, said = smelter(
        *("report", "carbon-monthly", "--site", str(office.site_file), "--month", month),
        *("--out", str(out), "--format", "json", "--json"),
    )
    assert code in {0, 1}, said
    table = json.loads(said)
    return Path(table["report"]), table


def lodge(file: Path, smelter: Smelter, *more: str, receipt: str = "R-1") -> tuple[int, str]:
    given = {"--receipt": receipt, "--on": "2026-11-23", "--author": "王敏"}
    given |= dict(zip(more[::2], more[1::2], strict=True)) if more else {}
    return smelter("lodge", str(file), "--incomplete", *(x for pair in given.items() for x in pair))


@pytest.fixture
def lodged(kept: Office, smelter: Smelter) -> Office:
    """An office whose October is lodged, version 1, receipt R-1."""
    file, _ = make(kept, smelter)
    code, said = lodge(file, smelter)
    assert code == 0, said
    return kept


def test_a_lodging_is_recorded_with_a_copy_of_the_report(lodged: Office, smelter: Smelter) -> None:
    lodgings = read_lodgings(lodged.site.entries)
    (made,) = lodgings.lodgings
    file = lodged.root / "reports" / "carbon-monthly-2026-10-v1.json"
    assert (made.number, made.report, made.period, made.version) == (
        *(1, "carbon-monthly", "2026-10", 1),
    )
    assert (made.receipt, str(made.on), made.author) == ("R-1", "2026-11-23", "王敏")
    assert made.content_sha256 == read_report(file).content_sha256
    assert lodgings.copy(made).read_bytes() == file.read_bytes()
    code, said = smelter("lodge", "--list", "--site", str(lodged.site_file))
    assert code == 0
    assert "lodged on 2026-11-23, receipt R-1" in said
    code, said = smelter("lodge", "--list", "--site", str(lodged.site_file), "--json")
    assert json.loads(said)[0]["content_sha256"] == made.content_sha256


def test_sealed_figures_are_refused_with_who_lodged_them_and_what_to_do(
    lodged: Office, smelter: Smelter
) -> None:
    before = lodged.site.entries.read_bytes()
    where = ("--site", str(lodged.site_file), *WHO)
    new = lodged.root / "more.csv"
    new.write_text(f"{HEAD}heat_process,line1,2026-10,5,GJ\n")
    for arguments in (
        ("revise", "1", "21051"),
        ("revise", "1", "--withdraw"),
        ("import", str(new), "--yes"),
    ):
        code, said = smelter("entries", *arguments, *where)
        assert code == 2, arguments
        assert "version 1 was lodged on 2026-11-23 by 王敏 (receipt R-1) and is sealed" in said
        assert "--reissue" in said
        code, said = smelter("entries", *arguments, *where, "--lang", "zh")
        assert code == 2
        assert "第 1 版已由 王敏 于 2026-11-23 存证（回执 R-1），数据已封存" in said
    assert lodged.site.entries.read_bytes() == before


@pytest.mark.parametrize(
    "row",
    [
        "heat_process,line1,2026-09,5,GJ",  # the month before
        "anode_issued,line1,2026-10,9000,t",  # a second source: invoices and stores come later
        "anode_stock_begin,line1,2026-11,5,t",  # the month after
        "allowance_held,plant,2026,5,t,2026",
    ],
)
def test_what_did_not_go_into_the_report_stays_open(
    lodged: Office, smelter: Smelter, row: str
) -> None:
    path = lodged.root / "more.csv"
    path.write_text(f"{HEAD.strip()},item\n{row}{',' if row.count(',') == 4 else ''}\n")
    code, said = smelter(
        *("entries", "import", str(path), "--site", str(lodged.site_file), *WHO, "--yes")
    )
    assert code == 0, said


def test_a_day_of_a_lodged_month_and_a_month_of_a_lodged_year_are_sealed(lodged: Office) -> None:
    lodgings = read_lodgings(lodged.site.entries)
    tapped = KINDS["aluminium_tapped"]
    assert lodgings.seal(tapped, Period.parse("2026-10-31")) is not None
    assert lodgings.seal(tapped, Period.parse("2026-11-01")) is None
    assert lodgings.seal(tapped, Period.parse("2026-09-30")) is None
    assert lodgings.seal(tapped, Period.parse("2026")) is None


def test_a_correction_makes_a_new_version_that_tells_the_difference_and_who_made_it(
    lodged: Office, smelter: Smelter
) -> None:
    """The chain end to end: report, lodge, revise --reissue, report: v2, with reasons."""
    _, table = make(lodged, smelter)
    assert (table["version"], table["fresh"]) == (1, False)  # nothing changed: no new version
    code, said = smelter(
        *("entries", "revise", "1", "21051.25", "--site", str(lodged.site_file), *WHO, "--reissue")
    )
    assert code == 0, said
    assert "21050.25 t" in said  # old …
    assert "21051.25 t" in said  # … → new
    file, table = make(lodged, smelter)
    assert table["version"] == 2
    report = read_report(file)
    assert report.lodged is not None
    assert (report.lodged.version, report.lodged.receipt) == (1, "R-1")
    found = {(change.what, change.ref): change for change in report.since_lodged}
    metal = found["line", "plant.aluminium"]
    # 21050.25 + 10012.5 = 31062.75 t before, one tonne more after
    assert (metal.before, metal.after) == ("31,062.75 t", "31,063.75 t")
    entry = found["entry", "line1 aluminium_tapped 2026-10"]
    assert entry.before == "21050.25 t (#1)"
    assert entry.after == "21051.25 t (#8)"
    for change in (metal, entry, found["line", "line1.pfc"], found["line", "plant.emission"]):
        assert change.why is not None
        assert change.why.zh.startswith("第 8 条，李强 ")
        assert change.why.zh.endswith("：磅单更正（修订第 1 条）")
        assert change.why.en.startswith("entry 8, 李强 ")
    assert ("line", "line2.pfc") not in found
    _, table = make(lodged, smelter)
    assert (table["version"], table["fresh"]) == (2, False)
    code, said = lodge(file, smelter, receipt="R-2")
    assert code == 0, said
    assert [each.version for each in read_lodgings(lodged.site.entries).lodgings] == [1, 2]
    _, table = make(lodged, smelter)
    assert (table["version"], table["fresh"]) == (2, False)


def test_a_reissue_says_rounded_figures_and_when_the_month_was_lodged(
    lodged: Office, smelter: Smelter
) -> None:
    """Of a month lodged on 23 November, due on 10 December: in time, whenever this is made."""
    where = ("--site", str(lodged.site_file), *WHO, "--reissue")
    assert smelter("entries", "revise", "1", "21051.25", *where)[0] == 0
    file, _ = make(lodged, smelter)
    report = read_report(file).model_copy(update={"written": date(2028, 1, 2)})
    change = next(x for x in report.since_lodged if x.ref == "plant.emission")
    line = report.content.line("plant.emission")
    assert change.after == f"{line.rounded:,.2f} tCO2e"
    assert change.exact_after == line.value
    for lang, told in (
        ("zh", "2026-11-23 首次存证，按时"),
        ("en", "lodged on 2026-11-23, in time"),
    ):
        facts = " ".join(text for pair in front_facts(pages_of(report, lang)) for text in pair)
        assert told in facts
        assert "days late" not in facts
        assert "已过期" not in facts


def test_a_withdrawal_is_the_reason_of_what_is_missing_then(
    lodged: Office, smelter: Smelter
) -> None:
    where = ("--site", str(lodged.site_file), *WHO)
    code, _ = smelter("entries", "revise", "7", "--withdraw", "--reissue", *where)
    assert code == 0
    file, _ = make(lodged, smelter)
    found = {(change.what, change.ref): change for change in read_report(file).since_lodged}
    gone = found["entry", "plant electricity_purchased 2026-10"]
    assert gone.after is None
    assert gone.why is not None
    assert gone.why.zh.endswith("磅单更正（撤回第 7 条）")
    assert gone.why.en.endswith("磅单更正 (withdraws entry 7)")


def test_figures_of_another_month_make_no_new_version(lodged: Office, smelter: Smelter) -> None:
    lodged.enter(f"{HEAD}heat_process,line1,2026-09,5,GJ\n", "september.csv")
    _, table = make(lodged, smelter)
    assert (table["version"], table["fresh"]) == (1, False)


def test_an_older_version_is_not_lodged_after_a_newer_one(lodged: Office, smelter: Smelter) -> None:
    first = lodged.root / "reports" / "carbon-monthly-2026-10-v1.json"
    code, said = lodge(first, smelter, receipt="R-9")
    assert code == 2
    assert "this content was lodged on 2026-11-23 by 王敏 (receipt R-1)" in said
    where = ("--site", str(lodged.site_file), *WHO)
    for number, value in ((1, "21051"), (8, "21052")):
        smelter("entries", "revise", str(number), value, "--reissue", *where)
        make(lodged, smelter)
    second, third = (first.with_name(f"carbon-monthly-2026-10-v{n}.json") for n in (2, 3))
    code, said = lodge(third, smelter, receipt="R-3")
    assert code == 0, said
    code, said = lodge(second, smelter, receipt="R-2")
    assert code == 2
    assert "version 2 is not newer than version 3" in said
    code, said = smelter(
        *("lodge", str(second), "--receipt", "R-2", "--on", "2026-11-23", "--author", "王敏"),
        *("--incomplete", "--lang", "zh"),
    )
    assert "第 2 版不晚于已存证的第 3 版" in said
    assert len(read_lodgings(lodged.site.entries).lodgings) == 2


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (("--receipt", " "), "--receipt is required"),
        (("--author", ""), "--author is required"),
        (("--on", ""), "--on is required"),
        (("--on", "20/11/2026"), "write e.g. 2026-11-20"),
        (("--on", "2026-11-24"), "lies in the future, today is 2026-11-23"),
        (("--on", "2026-10-31"), "2026-10 was not over then"),
    ],
)
def test_lodge_refuses(kept: Office, smelter: Smelter, more: tuple[str, ...], says: str) -> None:
    file, _ = make(kept, smelter)
    code, said = lodge(file, smelter, *more)
    assert code == 2
    assert says in said
    assert not read_lodgings(kept.site.entries).lodgings


def test_the_day_after_the_month_is_the_first_to_lodge_it(kept: Office, smelter: Smelter) -> None:
    file, _ = make(kept, smelter)
    code, said = lodge(file, smelter, "--on", "2026-11-01", "--backdated", "补录平台回执")
    assert code == 0, said


def test_a_day_before_the_report_was_written_needs_a_reason_that_stays(
    kept: Office, smelter: Smelter
) -> None:
    file, _ = make(kept, smelter)
    code, said = lodge(file, smelter, "--on", "2026-11-22")
    assert code == 2
    assert "the report was written on 2026-11-23 and cannot have been lodged before" in said
    assert "--backdated" in said
    code, said = lodge(file, smelter, "--on", "2026-11-22", "--lang", "zh")
    assert code == 2
    assert "报告编制于 2026-11-23，此前不可能存证" in said
    code, said = lodge(file, smelter, "--on", "2026-11-22", "--backdated", "  ")
    assert code == 2
    assert not read_lodgings(kept.site.entries).lodgings
    code, said = lodge(
        file, smelter, "--on", "2026-11-22", "--backdated", "回执 22 日已收，今日登记"
    )
    assert code == 0, said
    (made,) = read_lodgings(kept.site.entries).lodgings
    assert made.backdated == "回执 22 日已收，今日登记"
    for lang, words in (
        ("zh", "补登于 2026-11-23：回执 22 日已收，今日登记"),
        ("en", "recorded later, on 2026-11-23: 回执 22 日已收，今日登记"),
    ):
        site = str(kept.site_file)
        code, said = smelter("lodge", "--list", "--site", site, "--lang", lang)
        assert (code, words in said) == (0, True)


def test_a_lodging_on_the_day_the_report_was_written_is_not_backdated(
    kept: Office, smelter: Smelter
) -> None:
    file, _ = make(kept, smelter)
    code, said = lodge(file, smelter, "--backdated", "补登")
    assert code == 2
    assert "2026-11-23 is not before it" in said


def test_an_incomplete_report_is_lodged_only_on_purpose(office: Office, smelter: Smelter) -> None:
    office.enter(f"{HEAD}aluminium_tapped,line1,2026-10,21050,t\n")
    file, table = make(office, smelter)
    assert not table["complete"]
    given = ("--receipt", "R", "--on", "2026-11-23", "--author", "王敏")
    code, said = smelter("lodge", str(file), *given)
    assert code == 2
    assert "the report is not complete (" in said
    assert "--incomplete" in said
    code, said = smelter("lodge", str(file), *given, "--lang", "zh")
    assert "报告不完整（" in said
    code, _ = smelter("lodge", str(file), *given, "--incomplete")
    assert code == 0


def test_a_report_that_was_changed_or_is_of_another_plant_is_not_lodged(
    kept: Office, smelter: Smelter
) -> None:
    file, _ = make(kept, smelter)
    whole = file.read_text("utf-8")
    file.write_text(whole.replace("示例铝业", "示例铜业", 1), "utf-8")
    code, said = lodge(file, smelter)
    assert code == 2
    assert "changed after it was written" in said
    file.write_text(whole, "utf-8")
    other = kept.root / "other.toml"
    other.write_text(kept.site_file.read_text("utf-8").replace('"demo"', '"elsewhere"', 1), "utf-8")
    code, said = lodge(file, smelter, "--site", str(other))
    assert code == 2
    assert "the report is of demo, the site file of elsewhere" in said
    code, said = smelter("lodge")
    assert code == 2
    assert "REPORT.json" in said
    code, said = smelter("lodge", "--list")
    assert code == 2
    assert "--list needs --site" in said


def test_a_lodged_copy_is_never_overwritten_and_its_change_is_found(
    lodged: Office, smelter: Smelter
) -> None:
    lodgings = read_lodgings(lodged.site.entries)
    copy = lodgings.copy(lodgings.lodgings[0])
    code, said = smelter(
        "entries", "check", "--site", str(lodged.site_file), "--beside", str(lodged.root)
    )
    assert code == 0, said
    copy.write_text(copy.read_text("utf-8").replace("21050.25", "21050.26", 1), "utf-8")
    code, said = smelter(
        "entries", "check", "--site", str(lodged.site_file), "--beside", str(lodged.root)
    )
    assert code == 1
    assert copy.name in said
    copy.unlink()
    code, said = smelter(
        "entries", "check", "--site", str(lodged.site_file), "--beside", str(lodged.root)
    )
    assert code == 1
    assert copy.name in said


def test_a_ledger_written_anew_is_found_by_what_was_lodged(
    lodged: Office, smelter: Smelter
) -> None:
    """A new chain that is whole in itself does not lead to the head the report saw."""
    site = lodged.site
    entries = read_ledger(site.entries).entries
    for name in ("entries.jsonl", "entries.jsonl.head"):
        (lodged.root / name).unlink()
    text = (lodged.root / "entries.csv").read_text("utf-8")
    lodged.enter(text.replace("21050.25", "21050.26"))
    assert len(read_ledger(site.entries).entries) == len(entries)
    code, said = smelter("entries", "check", "--site", str(lodged.site_file))
    assert code == 1
    assert "the ledger was changed" in said


def test_a_broken_chain_of_lodgings_stops_every_change(lodged: Office, smelter: Smelter) -> None:
    file = lodged.root / "lodgings.jsonl"
    file.write_text(file.read_text("utf-8").replace("R-1", "R-2"), "utf-8")
    with pytest.raises(ConfigError, match="chain is broken"):
        read_lodgings(lodged.site.entries)
    code, said = smelter(
        *("entries", "revise", "1", "5", "--site", str(lodged.site_file), *WHO, "--reissue")
    )
    assert code == 2
    assert "lodgings.jsonl:1" in said


@pytest.mark.parametrize(
    ("report", "period", "kind", "of", "sealed"),
    [
        ("carbon-annual", "2026", "aluminium_tapped", "2026-12-31", True),
        ("carbon-annual", "2026", "anode_consumed", "2026-01", True),
        ("carbon-annual", "2026", "anode_consumed", "2027-01", False),
        ("carbon-annual", "2026", "gas_ncv", "2026-06", True),
        ("carbon-annual", "2026", "gas_invoiced", "2026-06", False),
        ("verification", "2026", "gas_invoiced", "2026-06", True),
        ("international", "2026", "anode_effect_minutes", "2026-06", True),
        ("carbon-annual", "2026", "anode_effect_minutes", "2026-06", False),
        ("cbam", "2026", "product_saleable", "2026-06", True),
        ("allowance", "2026", "allowance_held", "2026", True),
        ("allowance", "2026", "aluminium_tapped", "2026-06", False),
        ("quality-plan", "2026", "aluminium_tapped", "2026-06", False),
        ("carbon-annual", "2026", "instrument_certificate", "2026-06-01", False),
    ],
)
def test_what_each_report_seals(
    report: str, period: str, kind: str, of: str, *, sealed: bool
) -> None:
    made = Lodging(
        number=1,
        report=report,
        period=period,
        version=1,
        content_sha256="0" * 64,
        file="x.json",
        receipt="R",
        on=date(2027, 3, 1),
        author="王敏",
        time=NOW,
    )
    assert made.seals(KINDS[kind], Period.parse(of)) is sealed


def test_a_changed_rule_or_meter_is_the_reason_of_what_it_changes(kept: Office) -> None:
    before = kept.content()
    line = before.line("line1.anode_co2")
    legal = next(given.ref for given in line.inputs if given.kind == "legal")
    legals = tuple(
        each.model_copy(update={"value": Decimal("0.5")}) if each.id == legal else each
        for each in before.legals
    )
    meters = tuple(
        each.model_copy(update={"total": Decimal(1)}) if each.equipment == "line1/ac1" else each
        for each in before.meters
    )
    moved = {"line1.anode_co2", "line1.electricity_ac", "line2.anode_co2"}
    lines = tuple(
        each.model_copy(update={"value": Decimal(7)}) if each.id in moved else each
        for each in before.lines
    )
    after = before.model_copy(update={"legals": legals, "meters": meters, "lines": lines})
    found = {change.ref: change.why for change in changes(before, after, Ledger())}
    for ref, zh, en in (
        ("line1.anode_co2", f"法规参数 {legal} 变化", f"legal value {legal} changed"),
        ("line1.electricity_ac", "计量数据 line1/ac1", "data of meter line1/ac1"),
    ):
        why = found[ref]
        assert why is not None
        assert zh in why.zh
        assert en in why.en
