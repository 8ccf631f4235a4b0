"""``smelter rules``: what a person is told about the law, in both languages."""

import hashlib
import json
import tomllib
from datetime import date
from pathlib import Path

import pytest

from reports.rules.block import block
from reports.rules.overlay import read_overlay
from reports.rules.packs import packs
from tests.reports.conftest import Office, Smelter
from tests.reports.test_rules_overlays import BALANCE, LODGING, with_overlays, written

EXAMPLE = Path(__file__).resolve().parents[2] / "config" / "overlays" / "balance-2025.example.toml"
ALL = [f"{pack.name}.{name}" for pack in packs().values() for name in pack.parameters]


def test_list_shows_every_parameter(smelter: Smelter) -> None:
    code, said = smelter("rules", "list", "--json")
    assert code == 0
    table = json.loads(said)
    assert [row["id"] for row in table] == ALL
    states = {row["state"] for row in table}
    assert states <= {"official", "secondary", "unverified", "absent", "none"}
    code, said = smelter("rules", "list", "--on", "2025-06-01", "--lang", "en")
    assert code == 0
    assert all(identity.partition(".")[2] in said for identity in ALL)


def test_list_of_a_pack_on_a_day(smelter: Smelter) -> None:
    arguments = ("rules", "list", "--pack", "cn_allowance_aluminium", "--on", "2025-06-01")
    code, said = smelter(*arguments, "--lang", "zh")
    assert code == 0
    share = next(line for line in said.splitlines() if "pre_allocation_share" in line)
    assert share.split() == [
        *("pre_allocation_share", "70", "%", "二手资料", "自", "2025-01-01", "配额预分配比例")
    ]
    assert "intensity（强度系数法）" in said
    assert "cn_calendar" not in said
    code, said = smelter(*arguments, "--lang", "en")
    assert "threshold_t              26000 tCO2e" in said
    assert "official" in said


def test_show_tells_value_source_confirmation_and_history(smelter: Smelter) -> None:
    code, said = smelter("rules", "show", "lodging_days", "--on", "2025-12-31", "--lang", "zh")
    assert code == 0
    assert "2025-12-31: 40 日" in said
    assert "环办气候函〔2025〕140号" in said
    assert "核实: 官方文本" in said
    assert "2026-01-01  40 日  [官方文本]" in said
    code, said = smelter("rules", "show", "cn_decree_775.shortfall_cut_rule@2024-05-01")
    assert "2024-05-01: equal_cut (cut by the same amount)" in said
    code, said = smelter("rules", "show", "cn_ets_aluminium_2024.carbon_bituminous", "--json")
    table = json.loads(said)
    assert (code, table["value"], table["confirmed"]) == (0, 0.02618, "unverified")
    assert "0.02308" in table["seen"]
    assert len(table["history"]) == 1


def test_show_of_what_nobody_could_read_is_a_no(smelter: Smelter) -> None:
    code, said = smelter("rules", "show", "balance_value", "--lang", "en")
    assert code == 1
    assert "cets.org.cn" in said
    assert "smelter rules template cn_allowance_aluminium.balance_value" in said
    code, said = smelter("rules", "show", "lodging_days", "--on", "2025-06-30")
    assert code == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("show", "balance_valu"), "near: balance_value"),
        (("show", "gwp_set"), "is in several packs: eu_cbam_2025_2547.gwp_set"),
        (("list", "--pack", "cn"), "no pack 'cn': cn_allowance_aluminium"),
        (("list", "--on", "June"), "--on June: 2026-10-05"),
        (("list", "--lang", "fr"), "zh | en"),
        (("check",), "give overlay files, or --site"),
        (("check", "nowhere.toml"), "nowhere.toml: No such file"),
        (("template", "nothing_like_it_at_all"), "no parameter"),
    ],
)
def test_wrong_use(smelter: Smelter, arguments: tuple[str, ...], says: str) -> None:
    code, said = smelter("rules", *arguments)
    assert code == 2
    assert says in said


def test_absent_names_each_text_once(smelter: Smelter) -> None:
    code, said = smelter("rules", "absent", "--on", "2026-06-01", "--json")
    assert code == 0
    ids = {row["id"] for row in json.loads(said)}
    wanted = {"cn_allowance_aluminium.balance_value", "eu_cbam_values.cscf", "cn_calendar.plan_due"}
    assert wanted <= ids
    assert "cn_allowance_aluminium.below_threshold_rule" not in ids
    code, said = smelter("rules", "absent", "--on", "2025-06-01", "--lang", "zh")
    assert "below_threshold_rule" in said
    assert "report_due" not in said
    texts = [line for line in said.splitlines() if line.startswith("请打开 ")]
    assert len(texts) == len(set(texts)) >= 5


@pytest.mark.parametrize("identity", ALL)
def test_the_template_of_every_parameter_needs_only_what_a_person_knows(identity: str) -> None:
    pack, _, name = identity.partition(".")
    text = block(packs()[pack].wanted(name), date(2026, 6, 1))
    given = tomllib.loads(text)["values"][0]
    assert given["parameter"] == identity
    assert [key for key, value in given.items() if value == "" and key != "published"] == [
        *("value", "seen", "document", "sha256", "entered_by", "checked_by", "checked_on")
    ]


def test_a_template_is_filled_in_checked_and_used(
    office: Office, smelter: Smelter, tmp_path: Path
) -> None:
    out = tmp_path / "overlays" / "b.toml"
    arguments = ("rules", "template", "balance_value", "--on", "2025-06-01", "--out", str(out))
    assert smelter(*arguments) == (0, f"{out}\n")
    assert smelter(*arguments)[0] == 2  # never over what a person wrote
    code, said = smelter("rules", "check", str(out))
    assert code == 2
    asked = ("value", "seen", "document", "sha256", "entered_by", "checked_by", "checked_on")
    assert all(f"values.1.{key}: is missing" in said for key in asked)
    document = out.parent / "platform.png"
    document.write_bytes(b"picture")
    filled = out.read_text("utf-8")
    for key, value in (
        ("value", "1.57"),
        ("seen", '"登录平台"'),
        ("document", '"platform.png"'),
        ("entered_by", '"张三"'),
        ("checked_by", '"李四"'),
        ("checked_on", "2026-09-21"),
    ):
        filled = filled.replace(f'{key} = ""', f"{key} = {value}")
    out.write_text(filled, "utf-8")
    digest = hashlib.sha256(b"picture").hexdigest()
    code, said = smelter("rules", "check", str(out))
    assert (code, f'write sha256 = "{digest}"' in said) == (2, True)
    out.write_text(filled.replace('sha256 = ""', f'sha256 = "{digest}"'), "utf-8")
    code, said = smelter("rules", "check", str(out), "--lang", "zh")
    assert code == 0
    assert "balance_value@2025-01-01 = 1.57 tCO2e/t" in said
    assert "由本厂张三录入、李四核对于 2026-09-21" in said
    site = office.site_file
    site.write_text(f'overlays = ["overlays/b.toml"]\n{site.read_text("utf-8")}', "utf-8")
    show = ("rules", "show", "balance_value", "--site", str(site), "--on", "2025-06-01")
    code, said = smelter(*show, "--json")
    assert (code, json.loads(said)["overlay"]["checked_by"]) == (0, "李四")
    code, said = smelter("rules", "absent", "--site", str(site), "--on", "2025-06-01")
    assert "balance_value" not in said


def test_check_of_a_site_tells_what_each_value_replaces(office: Office, smelter: Smelter) -> None:
    assert smelter("rules", "check", "--site", str(office.site_file))[0] == 0
    with_overlays(office, BALANCE, LODGING + 'replaces_official = "省厅通知"\n')
    code, said = smelter("rules", "check", "--site", str(office.site_file), "--lang", "en")
    assert code == 0
    assert "lodging_days@2026-06-01 = 45 days" in said
    assert "was 40 days (official)" in said
    assert "replaces the official value: 省厅通知" in said
    written(office.root, BALANCE.replace("李四", "张三"), "0.toml")
    written(office.root, LODGING, "1.toml")
    code, said = smelter("rules", "check", "--site", str(office.site_file), "--lang", "zh")
    assert code == 2
    assert "0.toml:15: values.1.checked_by: 核对人须与录入人不同" in said
    assert "1.toml:2: values.1.parameter: 不得取代官方值 40" in said


def test_an_official_value_s_template_asks_for_the_reason(smelter: Smelter) -> None:
    code, said = smelter("rules", "template", "lodging_days", "--on", "2026-06-01")
    assert code == 0
    assert 'replaces_official = ""' in said


def test_the_example_overlay_is_good() -> None:
    overlay = read_overlay(EXAMPLE)
    assert overlay.problems == ()
    assert [x.legal.id for x in overlay.stretches] == [
        "cn_allowance_aluminium.balance_value@2025-01-01"
    ]


def test_the_page_of_the_rules_is_current(smelter: Smelter) -> None:
    page = (EXAMPLE.parents[2] / "docs" / "rules.md").read_text("utf-8")
    code, said = smelter("rules", "list", "--summary", "--lang", "en")
    assert code == 0
    told = page.partition("<!-- summary -->\n")[2].partition("<!-- /summary -->")[0]
    assert told == said, "put the output of `smelter rules list --summary` into docs/rules.md"
    block_of_the_page = page.partition("```toml\n")[2].partition("```")[0]
    assert block_of_the_page in EXAMPLE.read_text("utf-8") + "\n"
    for row in said.splitlines()[2:]:
        pack, *counts = [cell.strip(" `") for cell in row.strip("|").split("|")]
        entries = [x for p in packs()[pack].parameters.values() for x in p.entries]
        assert sum(map(int, counts[1:4])) == len(entries)
