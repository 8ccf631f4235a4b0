"""Overlays: two persons, one document, never silent, never weaker than an official value."""

import hashlib
import json
import re
from datetime import date
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook
from pypdf import PdfReader

from drivers.model import ConfigError
from reports.assembly import legal_use
from reports.model import Report
from reports.render.pdf import render_pdf
from reports.render.xlsx import render_xlsx
from reports.rules.overlay import (
    Overlay,
    lay,
    load_packs,
    read_overlay,
    read_overlays,
    same_person,
)
from reports.rules.packs import RuleAbsentError, packs
from tests.reports.conftest import Office, Smelter

TODAY = date(2026, 11, 23)
DOCUMENT = b"screenshot of the platform"
DIGEST = hashlib.sha256(DOCUMENT).hexdigest()
BALANCE = f"""[[values]]
parameter = "cn_allowance_aluminium.balance_value"
applies_from = 2025-01-01
value = 1.5702
unit = "t_co2e_per_t"
title = "平台公布的平衡值"
issuer = "生态环境部"
published = 2026-09-18
where = "cets.org.cn"
locator = "企业账户"
seen = "登录平台查看"
document = "screen.png"
sha256 = "{DIGEST}"
entered_by = "张三"
checked_by = "李四"
checked_on = 2026-09-21
"""
LOSS = (
    BALANCE.replace("cn_allowance_aluminium.balance_value", "cn_ets_aluminium_2024.anode_loss_rate")
    .replace("1.5702", "16")
    .replace("t_co2e_per_t", "%")
)
LODGING = (
    BALANCE.replace("cn_allowance_aluminium.balance_value", "cn_ets_aluminium_2024.lodging_days")
    .replace("2025-01-01", "2026-06-01")
    .replace("1.5702", "45")
    .replace("t_co2e_per_t", "days")
)


def written(folder: Path, text: str, name: str = "a.toml") -> Path:
    (folder / "screen.png").write_bytes(DOCUMENT)
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def read(folder: Path, text: str) -> Overlay:
    return read_overlay(written(folder, text), TODAY)


def test_it_fills_what_is_absent_for_its_year_only(tmp_path: Path) -> None:
    overlay = read(tmp_path, BALANCE)
    assert overlay.problems == ()
    pack = lay([overlay])["cn_allowance_aluminium"]
    for day in (date(2025, 1, 1), date(2025, 12, 31)):
        legal = pack.at("balance_value", day)
        assert legal.number == Decimal("1.5702")
        assert legal.confirmed == "site"
        assert legal.source.published == date(2026, 9, 18)
        assert legal.overlay is not None
        assert (legal.overlay.entered_by, legal.overlay.checked_by) == ("张三", "李四")
        assert legal.overlay.sha256 == DIGEST
        assert legal.overlay.file == "a.toml"
    for day in (date(2024, 12, 31), date(2026, 1, 1)):
        with pytest.raises(RuleAbsentError):
            pack.at("balance_value", day)
    with pytest.raises(RuleAbsentError):
        packs()["cn_allowance_aluminium"].at("balance_value", date(2025, 6, 1))


def test_the_next_year_s_notice_fills_the_calendar(tmp_path: Path) -> None:
    text = BALANCE.replace("cn_allowance_aluminium.balance_value", "cn_calendar.report_due")
    text = text.replace("2025-01-01", "2026-01-01").replace("1.5702", "2027-03-31")
    overlay = read(tmp_path, text.replace("t_co2e_per_t", "date"))
    pack = lay([overlay])["cn_calendar"]
    assert pack.at("report_due", date(2025, 12, 31)).day == date(2026, 3, 31)
    assert pack.at("report_due", date(2026, 1, 1)).day == date(2027, 3, 31)
    assert pack.at("report_due", date(2026, 12, 31)).day == date(2027, 3, 31)
    with pytest.raises(RuleAbsentError):
        pack.at("report_due", date(2027, 1, 1))


def test_it_stands_in_for_a_weaker_value_and_a_later_start_wins(tmp_path: Path) -> None:
    until = LOSS.replace("value = 16", "until = 2026-07-01\nvalue = 16")
    pack = lay([read(tmp_path, until)])["cn_ets_aluminium_2024"]
    assert pack.at("anode_loss_rate", date(2024, 12, 31)).number == Decimal("15.18")
    assert pack.at("anode_loss_rate", date(2025, 1, 1)).number == 16
    assert pack.at("anode_loss_rate", date(2026, 6, 30)).number == 16
    assert pack.at("anode_loss_rate", date(2026, 7, 1)).number == Decimal("15.18")
    same_start = lay([read(tmp_path, LOSS.replace("2025-01-01", "2024-01-01"))])
    legal = same_start["cn_ets_aluminium_2024"].at("anode_loss_rate", date(2024, 1, 1))
    assert legal.confirmed == "site"


def test_an_official_value_gives_way_to_a_reason_only(tmp_path: Path) -> None:
    problems = read(tmp_path, LODGING).problems
    assert len(problems) == 1
    assert "may not replace the official value 40" in problems[0]
    reason = LODGING + 'replaces_official = "省厅通知延长"\n'
    pack = lay([read(tmp_path, reason)])["cn_ets_aluminium_2024"]
    assert pack.at("lodging_days", date(2026, 5, 31)).confirmed == "official"
    legal = pack.at("lodging_days", date(2026, 6, 1))
    assert legal.confirmed == "site"
    use = legal_use(legal).overlay
    assert use is not None
    assert "取代官方值，理由：省厅通知延长" in use.text.zh
    needless = BALANCE + 'replaces_official = "because"\n'
    assert "no official value to replace" in read(tmp_path, needless).problems[0]
    # a later official value of the program is not covered by an earlier one of the plant
    early = LODGING.replace("2026-06-01", "2025-01-01")
    pack = lay([read(tmp_path, early)])["cn_ets_aluminium_2024"]
    assert pack.at("lodging_days", date(2025, 6, 30)).confirmed == "site"
    assert pack.at("lodging_days", date(2025, 7, 1)).confirmed == "official"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('entered_by = "张三"', 'entered_by = "李四"', ":15: values.1.checked_by: must be another"),
        ('entered_by = "张三"', 'entered_by = " 李 四"', "another person"),
        ('entered_by = "张三"', 'entered_by = "李四（环保科）"', "another person"),
        ('entered_by = "张三"', 'entered_by = "."', "another person"),
        ('checked_by = "李四"', "", "checked_by: is missing"),
        ('checked_by = "李四"', 'checked_by = ""', "checked_by: is missing"),
        ("checked_on = 2026-09-21", "checked_on = 2026-11-24", "is to come"),
        ("checked_on = 2026-09-21", "checked_on = 2026-09-17", "before the publication"),
        ("checked_on = 2026-09-21", 'checked_on = "soon"', "write a date"),
        ("balance_value", "balance_valu", "near: cn_allowance_aluminium.balance_value"),
        ('unit = "t_co2e_per_t"', 'unit = "%"', 'the parameter is in "t_co2e_per_t"'),
        ("value = 1.5702", 'value = "1.5702"', "does not fit unit"),
        ("value = 1.5702", "value = -1", "does not fit unit"),
        ("value = 1.5702", "", "values.1.value: is missing"),
        ("value = 1.5702", "value = 1.5702\nvalu = 1", ":5: values.1.valu: unknown key"),
        ("2025-01-01", "2025-02-01", "write 1 January"),
        ("value = 1.5702", "until = 2027-01-01\nvalue = 1.5702", "ends with its year"),
        ("value = 1.5702", "until = 2024-01-01\nvalue = 1.5702", "must be later than applies_from"),
        (DIGEST, "0" * 64, f"screen.png has {DIGEST}"),
        (DIGEST, "", f'write sha256 = "{DIGEST}"'),
        ("screen.png", "other.png", "other.png: No such file"),
        ("screen.png", "../screen.png", "name of a file beside this"),
        ("[[values]]", "[[value]]", "at least one [[values]]"),
        ("[[values]]", 'pack = "x"\n[[values]]', "write [[values]] only"),
        ("[[values]]", "[values", "a.toml: "),
        ('title = "平台公布的平衡值"', "", "title: is missing"),
        ('locator = "企业账户"', 'locator = ""', "locator: is missing"),
    ],
)
def test_every_refusal(tmp_path: Path, old: str, new: str, says: str) -> None:
    assert old in BALANCE
    overlay = read(tmp_path, BALANCE.replace(old, new, 1))
    assert overlay.stretches == ()
    assert any(says in problem for problem in overlay.problems), overlay.problems


def test_every_mistake_of_every_block_at_once(tmp_path: Path) -> None:
    bad = BALANCE.replace("李四", "张三").replace("1.5702", '"x"') + LOSS.replace(DIGEST, "")
    problems = read(tmp_path, bad).problems
    assert len(problems) == 3
    assert [re.sub(r".*a\.toml:(\d+): ([\w.]+): .*", r"\1 \2", each) for each in problems] == [
        "4 values.1.value",
        "15 values.1.checked_by",
        "29 values.2.sha256",
    ]


REQUIRED = [line for line in BALANCE.splitlines()[1:] if not line.startswith("published")]


@given(st.sets(st.integers(0, len(REQUIRED) - 1), min_size=1))
def test_whatever_is_left_out_is_asked_for(
    tmp_path_factory: pytest.TempPathFactory, taken: set[int]
) -> None:
    gone = {REQUIRED[number] for number in taken}
    text = "\n".join(line for line in BALANCE.splitlines() if line not in gone)
    problems = read(tmp_path_factory.getbasetemp(), text).problems
    for line in gone:
        key = line.partition(" = ")[0]
        assert any(f"values.1.{key}: " in problem for problem in problems), key


def test_mistakes_are_told_in_chinese(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMELTER_LANG", "zh")
    bad = BALANCE.replace("李四", "张三").replace(DIGEST, "").replace('seen = "登录平台查看"\n', "")
    told = "\n".join(read(tmp_path, bad).problems)
    assert "核对人须与录入人不同" not in told  # the shape is told first
    assert "values.1.seen: 缺少此项，请填写" in told
    assert f'请写 sha256 = "{DIGEST}"' in told
    told = "\n".join(read(tmp_path, LODGING.replace("李四", "张三")).problems)
    assert "核对人须与录入人不同" in told
    assert "不得取代官方值 40" in told


def with_overlays(office: Office, *texts: str) -> Office:
    names = []
    for number, text in enumerate(texts):
        names.append(f"{number}.toml")
        written(office.root, text, names[-1])
    site = office.site_file.read_text("utf-8")
    office.site_file.write_text(f"overlays = {json.dumps(names)}\n{site}", "utf-8")
    return office


def test_the_digest_of_a_pack_covers_what_was_laid_on_it(office: Office) -> None:
    plain = {name: pack.digest for name, pack in load_packs(office.site).items()}
    assert plain == {name: pack.digest for name, pack in packs().items()}
    with_overlays(office, BALANCE)
    laid = {name: pack.digest for name, pack in load_packs(office.site).items()}
    assert {name for name in plain if plain[name] != laid[name]} == {"cn_allowance_aluminium"}
    written(office.root, BALANCE + "# a word more\n", "0.toml")
    assert load_packs(office.site)["cn_allowance_aluminium"].digest not in {
        laid["cn_allowance_aluminium"],
        plain["cn_allowance_aluminium"],
    }


def test_the_same_value_twice_and_a_file_that_is_not_there(office: Office) -> None:
    with_overlays(office, BALANCE, LOSS + BALANCE)
    with pytest.raises(ConfigError, match=r"balance_value@2025-01-01 is entered in .*0\.toml"):
        load_packs(office.site)
    with pytest.raises(ConfigError, match=r"1\.toml: .*entered in .*1\.toml already"):
        read_overlays([written(office.root, BALANCE + BALANCE, "1.toml")])
    (office.root / "0.toml").unlink()
    with pytest.raises(ConfigError, match="No such file"):
        load_packs(office.site)


def test_overlays_are_a_list_of_files(office: Office) -> None:
    site = office.site_file.read_text("utf-8")
    office.site_file.write_text(f'overlays = "0.toml"\n{site}', "utf-8")
    with pytest.raises(ConfigError, match="overlays: write a list"):
        load_packs(office.site)


def test_a_document_that_changes_after_the_check_stops_the_report(
    kept: Office, smelter: Smelter
) -> None:
    with_overlays(kept, LOSS)
    (kept.root / "screen.png").write_bytes(b"another picture")
    arguments = ("report", "carbon-monthly", "--site", str(kept.site_file), "--month", "2026-10")
    code, said = smelter(*arguments, "--out", str(kept.root / "out"), "--format", "json")
    assert code == 2
    assert "a changed file is checked anew" in said


def test_a_report_says_who_of_the_plant_checked_a_rule(kept: Office, smelter: Smelter) -> None:
    """
    Loss rate 16 % instead of 15.18 %: 9876.40 t of line 1 leave 9876.40 * 0.84 = 8296.176 t net.
    """
    with_overlays(kept, LOSS)
    out = kept.root / "out"
    arguments = ("report", "carbon-monthly", "--site", str(kept.site_file), "--month", "2026-10")
    code, said = smelter(*arguments, "--out", str(out), "--format", "json", "--json")
    assert code == 0, said
    answer = json.loads(said)
    content = json.loads(Path(answer["report"]).read_text("utf-8"))["content"]
    net = next(line for line in content["lines"] if line["id"] == "line1.anode_net")
    assert net["value"] == pytest.approx(8296.176)
    legal = next(x for x in content["legals"] if "anode_loss_rate" in x["id"])
    assert legal["confirmed"] == "site"
    assert legal["overlay"]["entered_by"] == "张三"
    assert legal["overlay"]["document"] == {"name": "screen.png", "sha256": DIGEST}
    assert all("阳极损失率" not in str(stamp["parameters"]) for stamp in content["stamps"])
    digest = load_packs(kept.site)["cn_ets_aluminium_2024"].digest
    assert content["packs"]["cn_ets_aluminium_2024"] == digest
    code, said = smelter(*arguments, "--out", str(out), "--format", "json")
    assert "entered by 张三 and checked by 李四 of the plant on 2026-09-21" in said
    report = Report.model_validate_json(Path(answer["report"]).read_text("utf-8"))
    for lang, words in (
        ("zh", "由本厂张三录入、李四核对于"),
        ("en", "checked by 李四 of the plant"),
    ):
        book = load_workbook(BytesIO(render_xlsx(report, lang)))
        sheets = [
            "\n".join(str(cell) for row in sheet.iter_rows(values_only=True) for cell in row)
            for sheet in book.worksheets
        ]
        assert words in sheets[0]
        assert sum(words in sheet for sheet in sheets) == 2  # and at the rule
        first = PdfReader(BytesIO(render_pdf(report, lang))).pages[0].extract_text()
        assert words.replace(" ", "") in re.sub(r"\s", "", first)
    code, said = smelter("trace", answer["report"], "line1.anode_net", "--lang", "zh")
    assert "由本厂张三录入、李四核对于 2026-09-21，依据 screen.png" in said


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Zhang San", "zhang san.", True),
        ("Zhang San", "San, Zhang", True),
        ("张三", "张 三 [班长]", True),
        ("x", "Li Si", True),  # a letter is no name
        ("张三", "三张", False),
        ("Zhang San", "Zhang Shan", False),
    ],
)
def test_two_names_that_do_not_tell_two_persons_apart(one: str, other: str, same: bool) -> None:
    assert same_person(one, other) is same
    assert same_person(other, one) is same
