"""The performance grade as the page shows it: from a draft of the report, or its newest version."""

import json
import re
from datetime import date, timedelta
from typing import Any, Final

from drivers.language import language, say
from drivers.model import ConfigError
from reports.console import archive_names as names
from reports.console.figures import drafts
from reports.console.office import Office
from reports.grade.findings import STATUS_TEXT
from reports.grade.ours import ours
from reports.journal.journal import read_journal
from reports.journal.record import Record
from reports.journal.words import moment_text
from reports.periods import plant_now
from reports.rules.listing import CONFIRMED_TEXT
from reports.rules.places import place_text

Node = dict[str, Any]
NAME: Final = "grade"
STATES: Final = tuple(status.value for status in STATUS_TEXT)
_LEVEL: Final = re.compile(r"grade_(?P<industry>[a-z_]+)\.(?P<generation>[\w-]+)_(?P<level>\w+)")
_STATUS_OF: Final = {text.zh: status.value for status, text in STATUS_TEXT.items()}
_CONFIRMED_OF: Final = {text.zh: key for key, text in CONFIRMED_TEXT.items()}
LOOSE: Final = ("grade_alerts",)


def found(office: Office, period: str) -> Node | None:
    """What is known of the twelve months to the end of a period; None: neither draft nor report."""
    content, version = content_of(office, period)
    if content is None:
        return None
    blocks = [block for chapter in content["chapters"] for block in chapter["blocks"]]
    tables = {block["id"]: block for block in blocks if block["block"] == "table"}
    industries = [made for key, table in tables.items() if (made := _level(key, table))]
    return {
        "period": period,
        "version": version,
        "until": (date.fromisoformat(content["period"]["end"][:10]) - timedelta(days=1)),
        "from": content["period"]["start"][:10],
        "verdicts": _table(tables["grade_verdict"]),
        "levels": industries,
        "counts": _counts(industries),
        "ways": [_table(each) for key, each in tables.items() if key.startswith("grade_way_")],
        "expires": _maybe(tables, "grade_expires"),
        "cases": _maybe(tables, "grade_cases"),
        "absent": [_absent(each) for each in content["absent"]],
        "alerts": [_table(x) for key, x in tables.items() if key.startswith("grade_alert")],
        "warn_days": ours().warn_days,
    }


def content_of(office: Office, period: str) -> tuple[Node | None, int]:
    """The draft (0), else the newest version in the archive with its number."""
    draft = drafts.content(office, NAME, period)
    if draft is not None:
        return draft, 0
    path = names.newest(office.reports, NAME, period)
    if path is None:
        return None, 0
    report: Node = json.loads(path.read_bytes())
    return report["content"], int(report["version"])


def _say(cell: object) -> Any:
    """A cell in the language of the visitor; a figure with its signs as the figure."""
    if isinstance(cell, dict):
        return cell[language()] if "zh" in cell else cell.get("value")
    return cell


def _table(block: Node) -> Node:
    return {
        "id": block["id"],
        "title": _say(block["title"]),
        "columns": [
            {"label": _say(x["label"]), "unit": x["unit"], "decimals": x["decimals"]}
            for x in block["columns"]
        ],
        "rows": [[_say(cell) for cell in row] for row in block["rows"]],
        "note": _say(block.get("note")),
    }


def _maybe(tables: dict[str, Node], key: str) -> Node | None:
    return _table(tables[key]) if key in tables else None


def _level(key: str, table: Node) -> Node | None:
    """A table of indicators: its rows with state and confirmation as words of ours."""
    match = _LEVEL.fullmatch(key)
    if match is None or key.startswith("grade_way_"):
        return None
    return {
        **match.groupdict(),
        "title": _say(table["title"]),
        "rows": [
            {
                "family": _say(family),
                "condition": _say(condition),
                "confirmed": _CONFIRMED_OF.get(confirmed["zh"], ""),
                "confirmed_text": _say(confirmed),
                "evidence": _say(evidence),
                "status": _STATUS_OF.get(status["zh"], "unknown"),
                "status_text": _say(status),
                "found": _say(result),
                "line": line or "",
                "absent": line is None,
            }
            for family, condition, confirmed, evidence, status, result, line in table["rows"]
        ],
    }


def _counts(levels: list[Node]) -> dict[str, int]:
    rows = [row for level in levels for row in level["rows"]]
    return {state: sum(row["status"] == state for row in rows) for state in STATES}


def _absent(each: Node) -> Node:
    return {
        "id": each["id"],
        "table": each["id"].removeprefix("grade."),
        "label": _say(each["label"]),
        "title": each["source"]["title"],
        "issuer": each["source"]["issuer"],
        "where": place_text(each["source"]["where"], language()),
        "locator": place_text(each["locator"], language()),
    }


def indicator(office: Office, period: str, line: str) -> Node:
    """What stands behind one indicator: findings, figures, stretches, documents. ConfigError."""
    content, _ = content_of(office, period)
    told = ConfigError([say(f"没有指标 {line}", f"there is no indicator {line}")])
    if content is None:
        raise told
    pattern = re.compile(re.escape(line) + r"(\.\d+)?")
    lines = [each for each in content["lines"] if pattern.fullmatch(each["id"])]
    if not lines:
        raise told
    whole = found(office, period)
    assert whole is not None  # noqa: S101 - there is content
    row = next((x for level in whole["levels"] for x in level["rows"] if x["line"] == line), None)
    industry, _, identity = line.removeprefix("plant.").partition(".")
    condition = row["condition"] if row else _say(lines[0]["notes"][0])
    words = {identity, identity.rpartition(".")[2], *_words(row["evidence"] if row else "")}
    return {
        "line": line,
        "period": period,
        "industry": industry,
        "indicator": identity,
        "row": row,
        "condition": condition,
        "findings": [_finding(each) for each in lines],
        "cases": _cases(whole, condition),
        "documents": [
            x for x in documents(office, str(whole["until"])) if words & set(x["serves"])
        ],
        "serves": _serves(row["evidence"] if row else "", identity),
    }


def _words(evidence: str) -> set[str]:
    """Words in brackets that a document must serve: 门禁验收文件（gate_acceptance）."""
    return set(re.findall(r"[（(]([a-z][a-z0-9_]+)[）)]", evidence))


def _serves(evidence: str, identity: str) -> str:
    named = sorted(_words(evidence))
    return named[0] if named else identity


def _finding(line: Node) -> Node:
    notes = line["notes"]
    return {
        "line": line["id"],
        "label": _say(line["label"]),
        "value": line["rounded"],
        "unit": line["unit"],
        "decimals": line["decimals"],
        "text": _say(notes[1]) if len(notes) > 1 else "",
        "inputs": [
            {"name": each["name"], "ref": each["ref"], "kind": each["kind"]}
            for each in line["inputs"]
        ],
    }


def _cases(whole: Node, condition: str) -> list[list[Any]]:
    """Stretches that fail or are missing, of the indicator with those words."""
    table = whole["cases"]
    return [row for row in table["rows"] if row[-1] == condition] if table else []


def documents(office: Office, on: str = "") -> list[Node]:
    """Documents and declarations of the journal with how long they are valid, soonest first."""
    today = date.fromisoformat(on) if on else plant_now().date()
    records = read_journal(office.site.journal).of("document")
    rows = [_document(each, today) for each in records]
    return sorted(
        rows, key=lambda row: (row["until"] is None, row["until"] or today, row["number"])
    )


def _document(record: Record, today: date) -> Node:
    until = record.facts.get("valid_until", "")
    last = date.fromisoformat(until) if until else None
    left = None if last is None else (last - today).days
    if left is not None and left < 0:
        state = "expired"
    elif left is not None and left <= ours().warn_days:
        state = "soon"
    else:
        state = "valid"
    return {
        "number": record.number,
        "what": record.what,
        "title": record.facts.get("title", ""),
        "serves": re.split(r"[\s,;，；、]+", record.facts.get("serves", "").replace("grade.", "")),
        "person": record.facts.get("person", ""),
        "stack": record.equipment,
        "start": moment_text(record.start_ns)[:10],
        "until": last,
        "days_left": left,
        "state": state,
        "files": [{"name": each.name, "sha256": each.sha256} for each in record.evidence],
    }
