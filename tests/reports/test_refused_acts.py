"""What an officer tried and was refused is an act of the office too, with what was wrong."""

from pathlib import Path

from drivers.audit import AuditTrail, Recorded
from reports.site import load_site
from tests.reports.conftest import Office, Smelter


def acts(office: Office) -> list[Recorded]:
    return list(AuditTrail(office.root / "audit").read())


def test_a_lodging_a_mark_and_a_revision_that_are_refused(kept: Office, smelter: Smelter) -> None:
    site = str(kept.site_file)
    made = "report", "carbon-monthly", "--site", site, "--month", "2026-10"
    smelter(*made, "--out", str(kept.root / "reports"), "--format", "json")
    report = str(kept.root / "reports" / "carbon-monthly-2026-10-v1.json")
    lodged = "lodge", report, "--receipt", "R", "--author", "王敏"
    assert smelter(*lodged, "--on", "2026-10-01")[0] == 2  # before its month was over
    assert smelter("entries", "revise", "999", "5", "--site", site, "--author", "李强",
                   "--reason", "错")[0] == 2  # fmt: skip
    mark = "journal", "add", "mark", "--site", site, "--what", "calibration"
    when = "--start", "2026-10-05 08:00", "--end", "2026-10-05 09:00"
    people = "--author", "王敏", "--reason", "校准"
    assert smelter(*mark, *when, *people, "--preview")[0] == 2
    assert smelter(*mark, *when, *people)[0] == 2
    told = [(each.act.what, each.act.result, each.act.who) for each in acts(kept)[1:]]
    assert told == [
        ("lodge.added", "refused", "王敏"),
        ("entry.revised", "refused", "李强"),
        ("mark.added", "refused", "王敏"),  # who only looks has tried nothing
    ]
    assert all(each.act.details["refused"] for each in acts(kept)[1:])
    assert acts(kept)[1].act.details["plant"] == "demo"


def test_quota_and_days_of_the_offices_trail_stand_in_its_site_file(
    kept: Office, tmp_path: Path, smelter: Smelter
) -> None:
    text = kept.site_file.read_text("utf-8")
    table = "\n[audit]\nquota_mb = 1\nkeep_days = 400\n"
    kept.site_file.write_text(text + table, "utf-8")
    found = load_site(kept.site_file).audit.trail(tmp_path / "audit")
    assert (found.quota_bytes, found.keep_days) == (1 << 20, 400)
    kept.site_file.write_text(text + table.replace("400", "90"), "utf-8")
    code, said = smelter("entries", "list", "--site", str(kept.site_file))
    assert code == 2
    assert "audit.keep_days" in said
