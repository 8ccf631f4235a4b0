"""The second person: checks a proposal against its document; only then it is written and counts."""

import hashlib
import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

from drivers.audit import current_person
from drivers.language import say
from drivers.model import ConfigError
from reports.acts import refusals
from reports.chain import locked, write_whole
from reports.console import proposals
from reports.console.figures.settings_overlays import (
    DATES,
    MOST_TEXT,
    folder_of,
    record,
    value_of,
)
from reports.console.office import Office
from reports.console.proposals import REMOVAL, Proposal
from reports.periods import plant_now
from reports.rules.overlay import read_overlays, same_person
from reports.rules.units import RuleUnit


def confirm(office: Office, identity: str, value: str, account: str) -> dict[str, Any]:
    """
    The second person read the same value in the same document: from now on it counts.

    Raises ConfigError, recorded as a refused act: the same person, another value, a document that
    was not opened or changed, packs that do not fit together with it.
    """
    proposal = proposals.read(office, identity)
    target = f"{proposal.parameter} {proposal.id}"
    with refusals(office.site, "rules.signed", target), locked(folder_of(office) / "signing"):
        proposal = proposals.decided(
            proposals.read(office, identity),
            state="signed",
            by=current_person(),
            by_account=account,
            decided=plant_now().isoformat(timespec="seconds"),
        )
        _refuse_one_person(proposal)
        if proposal.kind == REMOVAL:
            _put_away(office, proposal.file)
        else:
            _refuse_unread(office, proposal, value)
            proposal = _sign(office, proposal)
        proposals.write(office, proposal)
    record(office, "rules.signed", proposal)
    return {"id": proposal.id, "file": proposal.file}


def _refuse_one_person(proposal: Proposal) -> None:
    if proposal.account == proposal.by_account or same_person(proposal.person, proposal.by):
        raise ConfigError(
            [
                say(
                    f"须由另一人核对：此值由{proposal.person}录入",
                    f"another person must check it: {proposal.person} entered it",
                )
            ]
        )


def _refuse_unread(office: Office, proposal: Proposal, value: str) -> None:
    if not proposals.was_opened(office, proposal, proposal.by_account):
        raise ConfigError(
            [say("请先打开依据文件，自己读出取值", "open the document first and read the value")]
        )
    unit = proposal.block["unit"]
    given = " ".join(value.split())
    if not given or value_of(unit, given) != value_of(unit, proposal.block["value"]):
        raise ConfigError(
            [
                say(
                    "您读到的取值与录入值不一致，未签署；请再核对依据文件，或注明理由退回",
                    "the value you read is not the one that was typed; nothing was signed: look "
                    "again, or refuse it and say why",
                )
            ]
        )


def _sign(office: Office, proposal: Proposal) -> Proposal:
    """Write the overlay, tried beside all others before it counts."""
    folder, source = folder_of(office), proposals.document_path(office, proposal)
    assert source is not None  # noqa: S101 - a value has one
    content = source.read_bytes()
    if hashlib.sha256(content).hexdigest() != proposal.block["sha256"]:
        raise ConfigError([say("依据文件在提议之后变了", "the document changed since")])
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / proposal.block["document"], content)
    name = f"{proposal.parameter}-{proposal.block['applies_from']}.toml"
    trial = folder / f"{name}.trial"
    write_whole(trial, _text(proposal).encode())
    try:
        read_overlays([*(path for path in office.site.overlays if path.name != name), trial])
    except ConfigError:
        trial.unlink()
        raise
    _put_away(office, name, missing_ok=True)
    trial.replace(folder / name)
    return replace(proposal, file=name)


def _put_away(office: Office, name: str, *, missing_ok: bool = False) -> None:
    """Kept under ``former/``, where nothing reads it."""
    path = folder_of(office) / name
    if not path.is_file():
        if missing_ok:
            return
        raise ConfigError([say("这个取值已不在", "that value is not there any more")])
    former = path.parent / "former"
    former.mkdir(exist_ok=True)
    count = sum(1 for _ in former.glob(f"{path.stem}.*.toml"))
    path.replace(former / f"{path.stem}.{count + 1}.toml")


def _text(proposal: Proposal) -> str:
    """The overlay file, in the order of docs/rules.md."""
    decided_on = proposal.decided[:10]
    people = {"entered_by": proposal.person, "checked_by": proposal.by, "checked_on": decided_on}
    block = dict(proposal.block) | people
    keys = (
        *("parameter", "applies_from", "until", "value", "unit", "title", "issuer", "published"),
        *("where", "locator", "seen", "document", "sha256", "entered_by", "checked_by"),
        *("checked_on", "replaces_official"),
    )
    lines = ["# 由控制台经两人签署 · signed by two persons in the console", "[[values]]"]
    unit = block["unit"]
    lines += [f"{key} = {_toml(key, block[key], unit)}" for key in keys if block.get(key)]
    return "\n".join(lines) + "\n"


def _toml(key: str, text: str, unit: str) -> str:
    if key in {*DATES, "checked_on"}:
        return text
    if key == "value" and unit != RuleUnit.NAME:
        found = value_of(unit, text)
        return format(found, "f") if isinstance(found, Decimal) else str(found)
    return json.dumps(text, ensure_ascii=False)


def refuse(office: Office, identity: str, reason: str, account: str) -> dict[str, Any]:
    """The second person sends it back, or who typed it takes it back; why is kept."""
    if not reason.strip():
        raise ConfigError([say("请写明理由", "say why")])
    with locked(folder_of(office) / "signing"):
        proposal = proposals.read(office, identity)
        own = proposal.account == account
        proposal = proposals.decided(
            proposal,
            state="withdrawn" if own else "refused",
            by=current_person(),
            by_account=account,
            decided=plant_now().isoformat(timespec="seconds"),
            reason=reason.strip()[:MOST_TEXT],
        )
        proposals.write(office, proposal)
    record(office, "rules.refused", proposal)
    return {"id": proposal.id, "state": proposal.state}
