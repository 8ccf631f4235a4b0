"""Proposals of rule values: what a page shows of them, and typing one; signing: the next file."""

import shutil
from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final

from drivers.audit import current_person
from drivers.language import language, say
from drivers.model import ConfigError
from reports.acts import record_act
from reports.console import proposals
from reports.console.figures.settings_rules import effects, named, rules
from reports.console.office import Office
from reports.console.proposals import REMOVAL, Proposal
from reports.entries.ledger import Document
from reports.periods import plant_now
from reports.rules.listing import in_force
from reports.rules.overlay import read_overlay, value_faults
from reports.rules.packs import Confirmed, Stretch, packs
from reports.rules.units import UNIT_TEXT, RuleUnit, value_text
from reports.site import SIGNED

TEXTS: Final = ("title", "issuer", "where", "locator", "seen")
DATES: Final = ("applies_from", "until", "published")
NOT_CHECKED: Final = "尚未核对 not checked"  # stands for the second person until there is one
MOST_TEXT: Final = 1000
SHOWN: Final = 200


def folder_of(office: Office) -> Path:
    """Where signed values lie; whoever reads the site reads them (reports/site.py)."""
    return office.site.entries.with_name(SIGNED)


def listed(office: Office, account: str = "") -> dict[str, Any]:
    """Open and decided proposals, and what is in force; an open value only to who typed it."""
    every = proposals.every(office)
    overlays: list[dict[str, Any]] = []
    problems: list[str] = []
    for path in office.site.overlays:
        read = read_overlay(path)
        problems += read.problems
        overlays += [_signed(office, path, stretch) for stretch in read.stretches]
    return {
        "open": [_shown(each, account) for each in every if each.state == proposals.OPEN],
        "decided": [_shown(each, account) for each in every if each.state != proposals.OPEN][
            :SHOWN
        ],
        "signed": overlays,
        "problems": problems,
    }


def _signed(office: Office, path: Path, stretch: Stretch) -> dict[str, Any]:
    legal, checked = stretch.legal, stretch.legal.overlay
    return {
        "id": legal.id,
        "parameter": f"{legal.pack}.{legal.name}",
        "name": {"zh": legal.zh, "en": legal.what},
        "value": value_text(legal.value, legal.unit, language()),
        "applies_from": legal.applies_from,
        "until": stretch.until,
        "file": path.name,
        "here": path.parent == folder_of(office),
        "entered_by": checked.entered_by if checked else "",
        "checked_by": checked.checked_by if checked else "",
        "checked_on": checked.checked_on if checked else None,
        "document": checked.document if checked else "",
        "title": legal.source.title,
        "locator": legal.locator,
    }


def _shown(each: Proposal, account: str) -> dict[str, Any]:
    parameter = _parameter(each.parameter)
    block = dict(each.block)
    hidden = each.state == proposals.OPEN and account != each.account
    if hidden:
        block["value"] = ""
    unit = block.get("unit", "")
    value = block.get("value", "")
    return {
        "id": each.id,
        "kind": each.kind,
        "parameter": each.parameter,
        "name": parameter,
        "block": block,
        "value": value_text(value_of(unit, value), unit, language()) if value else "",
        "document": each.document,
        "note": each.note,
        "person": each.person,
        "at": each.at,
        "state": each.state,
        "by": each.by,
        "decided": each.decided,
        "reason": each.reason,
        "own": account == each.account,
    }


def _parameter(identity: str) -> dict[str, str]:
    pack, _, name = identity.partition(".")
    found = packs().get(pack)
    known = found.parameters.get(name) if found else None
    return {"zh": known.zh, "en": known.what} if known else {"zh": identity, "en": identity}


def form(office: Office, parameter: str, on: str = "") -> dict[str, Any]:
    """What is known of a parameter, for the form; what changes when its value does."""
    pack, name = named(rules(office)[0], parameter)
    day = date.fromisoformat(on) if on else plant_now().date()
    wanted, own = pack.wanted(name), in_force(packs()[pack.name], name, day)
    shown = pack.parameters[name]
    return {
        "parameter": wanted.id,
        "name": {"zh": wanted.zh, "en": wanted.what},
        "unit": UNIT_TEXT[wanted.unit].of(language()) or str(wanted.unit),
        "is_date": wanted.unit is RuleUnit.DATE,
        "is_name": wanted.unit is RuleUnit.NAME,
        "yearly": wanted.yearly,
        "applies_from": date(day.year, 1, 1) if wanted.yearly else day,
        "title": wanted.source.title,
        "issuer": wanted.source.issuer,
        "published": wanted.source.published,
        "where": wanted.source.where,
        "locator": wanted.locator,
        "low": None if shown.low is None else str(shown.low),
        "high": None if shown.high is None else str(shown.high),
        "official": own is not None and own.confirmed is Confirmed.OFFICIAL,
        "now": None if own is None else value_text(own.value, own.unit, language()),
        "effects": effects(office, wanted.id, day),
    }


def value_of(unit: str, text: str) -> Decimal | date | str:
    """As the file would say it; what cannot be read stays a text, and is refused as one."""
    try:
        if unit == RuleUnit.DATE:
            return date.fromisoformat(text)
        if unit != RuleUnit.NAME:
            number = Decimal(text.replace(",", ""))
            return number if number.is_finite() else text
    except (ValueError, InvalidOperation):
        pass
    return text


def _table(block: Mapping[str, str], more: Mapping[str, Any]) -> dict[str, Any]:
    """The block as a parsed file has it."""
    table: dict[str, Any] = {key: text for key, text in block.items() if text}
    for key in DATES:
        if key in table:
            try:
                table[key] = date.fromisoformat(str(table[key]))
            except ValueError:
                continue  # refused by the reader in its own words
    if "value" in table:
        table["value"] = value_of(str(table.get("unit", "")), str(table["value"]))
    return table | dict(more)


def propose(office: Office, given: dict[str, str], path: str, account: str) -> dict[str, Any]:
    """A value with its document; it has no effect. Raises ConfigError with every mistake."""
    now, source = plant_now(), Path(path)
    pack, name = named(packs(), given.get("parameter", ""))
    keys = (*DATES, *TEXTS, "value", "replaces_official")
    block = {key: " ".join(given.get(key, "").split())[:MOST_TEXT] for key in keys}
    block |= {"parameter": f"{pack.name}.{name}", "unit": str(pack.parameters[name].unit)}
    document = Document.of(source)
    block |= {"document": f"{document.sha256[:12]}-{document.name}", "sha256": document.sha256}
    proposal = Proposal(
        id=proposals.new_id(now),
        kind="value",
        block=block,
        document=document.name,
        note=given.get("note", "").strip()[:MOST_TEXT],
        person=current_person(),
        account=account,
        at=now.isoformat(timespec="seconds"),
    )
    staged = source.with_name(block["document"])
    source.rename(staged)
    problems = [f"{_label(key)}: {what}" for key, what in _faults(proposal, staged.parent)]
    problems += _entered_elsewhere(office, block)
    if problems:
        raise ConfigError(problems)
    folder = proposals.folder_of(office, proposal.id)
    folder.mkdir(parents=True)
    shutil.copyfile(staged, folder / document.name)
    proposals.write(office, proposal)
    record(office, "rules.proposed", proposal)
    return {"id": proposal.id}


def _faults(proposal: Proposal, folder: Path) -> list[tuple[str, str]]:
    today = plant_now().date()
    more = {"entered_by": proposal.person, "checked_by": NOT_CHECKED, "checked_on": today}
    return value_faults(_table(proposal.block, more), folder, today)


def _entered_elsewhere(office: Office, block: Mapping[str, str]) -> list[str]:
    """A value of the same day that a file named in site.toml holds: two would clash."""
    identity = f"{block['parameter']}@{block['applies_from']}"
    return [
        say(
            f"{identity} 已在 {path} 中录入（site.toml 列出的文件）；请在该文件中修改",
            f"{identity} is entered in {path}, named in site.toml; change it there",
        )
        for path in office.site.overlays
        if path.parent != folder_of(office)
        and any(each.legal.id == identity for each in read_overlay(path).stretches)
    ]


def remove(office: Office, file: str, note: str, account: str) -> dict[str, Any]:
    """Propose that a value signed here counts no longer. Raises ConfigError."""
    if not note.strip():
        raise ConfigError([say("请写明理由", "say why")])
    there = {path.name: path for path in folder_of(office).glob("*.toml")}
    if file not in there:
        raise ConfigError([say("没有这个已签署的取值", "there is no such signed value")])
    read = read_overlay(there[file])
    legal = read.stretches[0].legal if read.stretches else None
    parameter = f"{legal.pack}.{legal.name}" if legal else file.removesuffix(".toml")
    starts = str(legal.applies_from) if legal else ""
    now = plant_now()
    proposal = Proposal(
        id=proposals.new_id(now),
        kind=REMOVAL,
        block={"parameter": parameter, "applies_from": starts},
        document="",
        note=note.strip()[:MOST_TEXT],
        person=current_person(),
        account=account,
        at=now.isoformat(timespec="seconds"),
        file=file,
    )
    proposals.write(office, proposal)
    record(office, "rules.proposed", proposal)
    return {"id": proposal.id}


def review(office: Office, identity: str, account: str) -> dict[str, Any]:
    """One proposal, and what it would change; whoever checks it reads the value himself."""
    proposal = proposals.read(office, identity)
    starts = proposal.block.get("applies_from", "")
    day = date.fromisoformat(starts) if starts else plant_now().date()
    unit = proposal.block.get("unit", "")
    return _shown(proposal, account) | {
        "opened": proposals.was_opened(office, proposal, account),
        "is_date": unit == RuleUnit.DATE,
        "unit_text": UNIT_TEXT[unit].of(language()) or unit if unit else "",
        "effects": effects(office, proposal.parameter, day),
    }


def record(office: Office, what: str, proposal: Proposal) -> None:
    """The act, by whoever it is that asks."""
    block = proposal.block
    details = {key: block[key] for key in ("value", "applies_from") if block.get(key)}
    details |= {"kind": proposal.kind, "entered_by": proposal.person}
    if "sha256" in block:
        details["document"] = block["sha256"]
    if proposal.file:
        details["file"] = proposal.file
        path = folder_of(office) / proposal.file
        if path.is_file():
            details["sha256"] = Document.of(path).sha256
    if proposal.state == "signed":
        details["checked"] = f"{proposal.person} / {proposal.by} {proposal.decided[:10]}"
    record_act(
        office.site,
        what,
        f"{proposal.parameter} {proposal.id}",
        reason=proposal.reason or proposal.note,
        details=details,
    )


def _label(key: str) -> str:
    known = LABELS.get(key)
    return say(*known) if known else key


LABELS: Final = {
    "value": ("取值", "value"),
    "applies_from": ("适用起始日", "applies from"),
    "until": ("终止日", "until"),
    "published": ("发布日期", "published"),
    "title": ("文件名称", "title"),
    "issuer": ("发布机关", "issuer"),
    "where": ("何处可得", "where it is found"),
    "locator": ("位置", "place in the text"),
    "seen": ("怎样看到的", "how it was read"),
    "parameter": ("参数", "parameter"),
    "replaces_official": ("取代官方值的理由", "why it replaces an official value"),
    "checked_on": ("核对日期", "day of the check"),
}
