"""``smelter journal add | import | template | list | withdraw | check | due``."""

import hashlib
import json
from pathlib import Path
from typing import Annotated

import typer

from drivers.language import plural, say
from drivers.model import ConfigError
from reports.chain import write_whole
from reports.entries.documents import kept_at
from reports.entries.ledger import Document
from reports.entries.options import AsJson, Lang, SiteFile, speak
from reports.journal.changing import add, import_table, record_table, withdraw
from reports.journal.control import AUTOMATIC
from reports.journal.due_command import due
from reports.journal.forms import FORMS, Form, find_form
from reports.journal.gate import gate
from reports.journal.journal import Journal, read_journal
from reports.journal.record import Evidence, Record
from reports.journal.seen import fault, in_folder, in_lodged, without_record
from reports.journal.template import csv_template, xlsx_template
from reports.journal.words import record_text
from reports.lodgings import read_lodgings
from reports.periods import Period
from reports.site import Site, load_site

journal_app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    help=say(
        "环保记录：标记、校准、校验、超标处置、预警、证明文件",
        "the journal: marks, checks, verifications, exceedances, alerts, documents",
    ),
)
journal_app.command(
    context_settings={"ignore_unknown_options": True},
    help=say(
        "添加一条记录；标记没有依据不予受理，数据曲线自动取得并留存",
        "add a record; a mark without evidence is refused, its trace is drawn and kept",
    ),
)(add)
journal_app.command(
    "import",
    help=say(
        "先显示，再导入填好的表格；有错则全部不导入",
        "show what is added, then import a table, wholly or not at all",
    ),
)(import_table)
journal_app.command(
    help=say("撤回一条记录；原记录仍可见", "withdraw a record; it stays visible"),
)(withdraw)
journal_app.command(
    help=say("应做的校准、校验和数据审核；有逾期则退出码为 1", "checks due; exit 1 when overdue")
)(due)
journal_app.command(
    help=say(
        "门禁台账按排放阶段计数，写成录入表",
        "count the gate's log by class into a table of entries",
    )
)(gate)


@journal_app.command(help=say("写出填报表", "write the table to fill in"))
def template(
    out: Annotated[Path, typer.Option(help="FILE.xlsx | FILE.csv")],
    site: Annotated[
        Path | None, typer.Option(help=say("厂区配置，列出排放口", "site.toml, for its stacks"))
    ] = None,
    kind: Annotated[list[str] | None, typer.Option(help=" | ".join(FORMS))] = None,
    lang: Lang = "",
) -> None:
    """The file must not exist yet."""
    speak(lang)
    if out.exists():
        raise ConfigError([f"{out}: " + say("已存在，不覆盖", "exists already, not overwritten")])
    if out.suffix.lower() not in {".xlsx", ".csv"}:
        raise ConfigError([f"--out {out}: " + say("须为 .xlsx 或 .csv", "write .xlsx or .csv")])
    forms = [_form(text) for text in kind or FORMS]
    plant = None if site is None else load_site(site)
    out.parent.mkdir(parents=True, exist_ok=True)
    as_csv = out.suffix.lower() == ".csv"
    write_whole(out, csv_template(forms) if as_csv else xlsx_template(forms, plant))
    typer.echo(f"{out}: {', '.join(form.sheet for form in forms)}")


def _form(text: str) -> Form:
    form = find_form(text)
    if form is None:
        raise ConfigError([f"--kind {text}: {' | '.join(FORMS)}"])
    return form


@journal_app.command(
    "list",
    help=say(
        "列出有效记录；--all 包括已撤回的和合格的自动校准",
        "list what counts; --all: withdrawn ones and automatic checks that passed too",
    ),
)
def list_records(
    site: SiteFile,
    kind: Annotated[str, typer.Option(help=" | ".join(FORMS))] = "",
    stack: Annotated[str, typer.Option(help=say("排放口", "stack"))] = "",
    period: Annotated[str, typer.Option(help="2026 | 2026-03 | 2026-03-05")] = "",
    *,
    every: Annotated[bool, typer.Option("--all", help=say("全部", "all of them"))] = False,
    as_json: AsJson = False,
    lang: Lang = "",
) -> None:
    """In the order of the journal."""
    speak(lang)
    plant = load_site(site)
    journal = read_journal(plant.journal)
    wanted = None if not kind else _form(kind).kind
    found = plant.stack(stack)
    if stack and found is None:
        raise ConfigError([f"--stack {stack}: " + ", ".join(x.id for x in plant.stacks)])
    within = _period(period)
    shown = [
        each
        for each in (journal.all if every else journal.records)
        if (every or as_json or not _by_itself(each))
        and wanted in {None, each.kind}
        and (found is None or each.equipment == found.equipment)
        and (within is None or each.touches(within.start_ns, within.end_ns))
    ]
    if as_json:
        rows = [record_table(each, journal) for each in shown]
        typer.echo(json.dumps({"head": journal.head, "records": rows}, ensure_ascii=False))
        return
    for each in shown:
        typer.echo(record_text(each, journal))
    if not every and wanted in {None, "check"}:
        hidden = sum(_by_itself(each) for each in journal.records)
        if hidden:
            typer.echo(
                say(
                    f"另有 {hidden} 条合格的自动校准未列出（--all 列出）",
                    f"{hidden} automatic calibrations that passed are not listed (--all: they are)",
                )
            )


def _by_itself(record: Record) -> bool:
    """A check that the instrument made alone and passed: hundreds a year, and nothing to see."""
    passed = record.facts.get("result") == "pass" and record.facts.get("out_of_control") != "yes"
    return record.what == AUTOMATIC and passed


def _period(text: str) -> Period | None:
    try:
        return Period.parse(text) if text else None
    except ValueError as error:
        raise ConfigError([f"--period {error}"]) from None


@journal_app.command(
    help=say(
        "核验哈希链和所有证据文件；有问题时退出码为 1",
        "check the chain and every piece of evidence; exit 1 when not whole",
    )
)
def check(
    site: SiteFile,
    beside: Annotated[
        Path | None,
        typer.Option(
            help=say(
                "报告文件夹，核对报告所记的记录数和末条摘要；默认 site.toml 旁的 reports",
                "folder of reports, whose count and head of the journal are compared; usual: "
                "reports beside site.toml",
            )
        ),
    ] = None,
    *,
    as_json: AsJson = False,
    lang: Lang = "",
) -> None:
    """A changed or missing file is named, and whatever shows that records were taken out."""
    speak(lang)
    plant = load_site(site)
    file = plant.journal
    if beside is not None and not beside.is_dir():
        raise ConfigError([f"--beside {beside}: " + say("没有该文件夹", "there is no such folder")])
    try:
        journal, faults = read_journal(file), []
    except ConfigError as error:
        journal, faults = Journal(), list(error.problems)
    named: dict[Evidence, list[int]] = {}
    for record in journal.all:
        for each in (*record.evidence, *([record.source] if record.source else [])):
            named.setdefault(each, []).append(record.number)
    for evidence, numbers in named.items():
        wrong = _fault(kept_at(file, Document(evidence.name, evidence.sha256)), evidence.sha256)
        listed = ", ".join(map(str, numbers))
        if wrong:
            faults.append(say(f"第 {listed} 条：{wrong}", f"record {listed}: {wrong}"))
    if not faults or journal.all:  # of a broken chain nothing more can be said
        faults += _cut(plant, journal, beside or site.parent / "reports")
    count = len(journal.all)
    if as_json:
        table = {"records": count, "head": journal.head, "files": len(named), "faults": faults}
        typer.echo(json.dumps(table, ensure_ascii=False))
    else:
        for text in faults:
            typer.echo(text)
        typer.echo(
            say(
                f"记录 {count} 条，末条 {journal.head[:16]}；证据文件 {len(named)} 个；"
                f"问题 {len(faults)} 个",
                f"{count} record{plural(count)}, head {journal.head[:16]}; {len(named)} files of "
                f"evidence; {len(faults)} faults",
            )
        )
    if faults:
        raise typer.Exit(1)


def _cut(plant: Site, journal: Journal, reports: Path) -> list[str]:
    """What shows that records are gone: reports that saw more, traces that no record names."""
    seen = [*in_lodged(read_lodgings(plant.entries)), *in_folder(reports)]
    found = [text for each in seen if (text := fault(journal, each))]
    return found + without_record(journal, plant.journal.parent / "documents")


def _fault(kept: Path, sha256: str) -> str:
    try:
        content = kept.read_bytes()
    except OSError:
        return say(f"没有文件 {kept}", f"{kept} is not there")
    if hashlib.sha256(content).hexdigest() != sha256:
        return say(f"{kept} 已被改动", f"{kept} was changed")
    return ""
