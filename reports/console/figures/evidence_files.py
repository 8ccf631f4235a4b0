"""
The archive as the evidence page reads it: versions of reports, their lines, one report or draft.

Files are named by what the archive itself holds; a name from an address never becomes a path
before it fits ``NAME``.
"""

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from drivers.language import language, say
from reports.console.archive_names import RENDERING, REPORT, named, version_of, versions
from reports.console.figures import drafts
from reports.console.office import Office
from reports.model import Content, Report
from reports.render.items import changed, shown
from reports.render.labels import HOW, reference_labels, rounded_text, unit_text
from reports.render.marks import marks
from reports.site import PLANT
from reports.versions import read_report

Node = dict[str, Any]
FOUND_MOST: Final = 60


@dataclass(frozen=True, slots=True)
class Asked:
    """Which report: a file, or a report and its period; version 0 is the draft, None the best."""

    report: str = ""
    period: str = ""
    version: int | None = None
    file: str = ""

    def names(self) -> Node:
        """As parameters of an address."""
        told = {"report": self.report, "period": self.period, "file": self.file}
        found: Node = {key: text for key, text in told.items() if text}
        return found if self.version is None else found | {"version": self.version}


@dataclass(frozen=True, slots=True)
class Source:
    """What a figure is looked up in; a draft has neither path nor version."""

    asked: Asked
    content: Content
    report: Report | None = None
    path: Path | None = None
    made: float | None = None  # of a draft, wall time in s
    newest: str = ""  # file of a newer version than this one

    def node(self) -> Node:
        """What a page says of it."""
        content, report = self.content, self.report
        return {
            "report": content.report,
            "period": content.period.name,
            "title": content.title.of(language()),
            "complete": content.complete,
            "draft": report is None,
            "made": self.made,
            "version": None if report is None else report.version,
            "file": "" if self.path is None else self.path.name,
            "content_sha256": "" if report is None else report.content_sha256,
            "written": None if report is None else report.written,
            "lodged": None if report is None else report.lodged,
            "newest": self.newest,
        }


class UnknownError(Exception):
    """There is no such report, line or input; the message is for the visitor."""


def source(office: Office, asked: Asked) -> Source:
    """The draft or version that was asked for. Raises UnknownError, ConfigError."""
    if asked.file:
        path = named(office.reports, asked.file, REPORT)
        if path is None:
            raise UnknownError(say(f"没有报告文件 {asked.file}", f"no report file {asked.file}"))
        return _written(office, asked, path)
    if asked.version in {None, 0}:
        content_path, state_path = drafts.place(office, asked.report, asked.period)
        if _is_name(asked) and content_path.is_file():
            made = json.loads(state_path.read_bytes()).get("made") if state_path.is_file() else None
            return Source(asked, _draft(content_path, content_path.stat().st_mtime_ns), made=made)
    for path in _versions(office, asked) if _is_name(asked) else ():
        if asked.version in {None, version_of(path.name)}:
            return _written(office, asked, path)
    name = f"{asked.report} {asked.period}" + (f" v{asked.version}" if asked.version else "")
    raise UnknownError(
        say(
            f"没有 {name} 的报告或试算；请先生成报告",
            f"no report or draft {name}; make the report first",
        )
    )


def _is_name(asked: Asked) -> bool:
    return bool(REPORT.fullmatch(f"{asked.report}-{asked.period}-v1.json"))


def _versions(office: Office, asked: Asked) -> list[Path]:
    """Newest first."""
    return versions(office.reports, asked.report, asked.period)


def archived(office: Office) -> list[Path]:
    """Every version of every report, by name."""
    if not office.reports.is_dir():
        return []
    return sorted(x for x in office.reports.iterdir() if REPORT.fullmatch(x.name) and x.is_file())


def _written(office: Office, asked: Asked, path: Path) -> Source:
    report = _report(path, path.stat().st_mtime_ns)
    content = report.content
    newest = _versions(office, Asked(content.report, content.period.name))[:1]
    newer = newest[0].name if newest and version_of(newest[0].name) > report.version else ""
    return Source(asked, content, report, path, newest=newer)


@lru_cache(maxsize=2)
def _report(path: Path, _changed_ns: int) -> Report:
    return read_report(path)


@lru_cache(maxsize=2)
def _draft(path: Path, _changed_ns: int) -> Content:
    return Content.model_validate_json(path.read_bytes())


def named_in(content: Content) -> dict[str, str]:
    """What each reference of a report or draft is called."""
    held: dict[str, Any] = {"content": content}
    return reference_labels(Report.model_construct(**held), language())


# --- the archive as a list


def reports(office: Office, *, kind: str = "") -> Node:
    """Reports with their versions, newest period first; ``kind`` chooses one report."""
    from reports.make import REPORTS

    groups: dict[tuple[str, str], list[Node]] = {}
    for path in archived(office):
        told = _told(path, path.stat().st_mtime_ns)
        groups.setdefault((told["report"], told["period"]), []).append(told)
    rows: list[Node] = []
    for (name, period), kept in groups.items():
        if kind in {"", name}:
            ordered = sorted(kept, key=lambda each: -each["version"])
            rows.append({"report": name, "period": period, "versions": [*map(_said, ordered)]})
    rows.sort(key=lambda row: row["period"], reverse=True)
    rows.sort(key=lambda row: row["report"])
    kinds = [{"name": key, "text": say(each.zh, each.en)} for key, each in REPORTS.items()]
    there = {name for name, _ in groups}
    return {"reports": rows, "kinds": [each for each in kinds if each["name"] in there]}


def _said(told: Node) -> Node:
    """In the visitor's language."""
    return told | {"title": told["title"][language()]}


@lru_cache(maxsize=512)
def _told(path: Path, _changed_ns: int) -> Node:
    """The head of a report file; what cannot be read is told as a problem, not raised."""
    stem, _, version = path.stem.rpartition("-v")
    found = re.fullmatch(r"(.+?)-(\d.*)", stem)
    assert found is not None  # noqa: S101 - NAME asks for a digit
    told: Node = {
        "report": found[1],
        "period": found[2],
        "version": int(version),
        "file": path.name,
        "title": {"zh": found[1], "en": found[1]},
        "renderings": sorted(
            x.name for x in path.parent.glob(f"{path.stem}.*.*") if RENDERING.fullmatch(x.name)
        ),
    }
    try:
        table = json.loads(path.read_bytes())
        content = table["content"]
        return told | {
            "title": content["title"],
            "complete": content["complete"],
            "written": table["written"],
            "content_sha256": table["content_sha256"],
            "changes": len(table["changes"]),
            "lines": len(content["lines"]),
            "lodged": table["lodged"],
            "problem": "",
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        blank = dict.fromkeys(("complete", "written", "lodged"))
        counted = {"content_sha256": "", "changes": 0, "lines": 0}
        return told | blank | counted | {"problem": f"{path.name}: {error}"}


def report(
    office: Office,
    *,
    asked: Node,
    find: str = "",
    after: int = 0,
    limit: int = 100,
) -> Node:
    """One report or draft: its head, versions, changes, and lines that ``find`` fits."""
    try:
        found = source(office, Asked(**asked))
    except UnknownError as error:
        return {"unknown": str(error)}
    content = found.content
    named = named_in(content)
    rows = [each for each in _lines(content, named) if _fits(each, find)]
    headline = {each["id"]: each for each in rows if each["id"] in content.headline}
    kept = [
        _said(_told(each, each.stat().st_mtime_ns))
        for each in _versions(office, Asked(content.report, content.period.name))
    ]
    return {
        "source": found.node(),
        "asked": found.asked.names(),
        "headline": [headline[key] for key in content.headline if key in headline],
        "lines": rows[after : after + limit],
        "found": len(rows),
        "all": len(content.lines),
        "versions": kept,
        "changes": _changes(found, named),
        "since_lodged": _since(found, named),
        "stamps": [each.model_dump(mode="json") for each in content.stamps],
        "missing": [each.of(language()) for each in content.reasons()],
        "packs": content.packs,
        "ledger": content.ledger.model_dump(),
    }


def _lines(content: Content, named: dict[str, str]) -> list[Node]:
    signs = marks(content)
    lang = language()
    return [
        {
            "id": each.id,
            "label": named[each.id],
            "value": each.rounded,
            "shown": rounded_text(each),
            "unit": unit_text(each.unit, lang),
            "how": HOW[each.how].of(lang),
            "marks": signs[each.id],
            "missing": "; ".join(text.of(lang) for text in each.missing),
        }
        for each in content.lines
    ]


def _fits(row: Node, find: str) -> bool:
    text = f"{row['id']} {row['label']}".casefold()
    return all(word in text for word in find.casefold().split())


def _changes(found: Source, named: dict[str, str]) -> list[Node]:
    told = () if found.report is None else found.report.changes
    return [_change(each, named) for each in told]


def _since(found: Source, named: dict[str, str]) -> list[Node]:
    told = () if found.report is None else found.report.since_lodged
    return [_change(each, named) for each in told]


def _change(change: Any, named: dict[str, str]) -> Node:
    lang = language()
    return {
        "what": change.what,
        "ref": change.ref,
        "name": changed(change, named, lang),
        "before": shown(change.before, lang),
        "after": shown(change.after, lang),
        "why": "" if change.why is None else change.why.of(lang),
    }


def find(office: Office, *, words: str) -> Node:
    """Lines of the newest version of each report whose id or name has every word."""
    newest: dict[str, Path] = {}
    for path in archived(office):
        stem = path.stem.rpartition("-v")[0]
        if stem not in newest or version_of(path.name) > version_of(newest[stem].name):
            newest[stem] = path
    found: list[Node] = []
    for path in newest.values():
        head = _said(_told(path, path.stat().st_mtime_ns))
        told = {key: head[key] for key in ("file", "title", "period", "version")}
        found += [
            told | {"line": line, "label": labels[language()]}
            for line, labels in _words(path, path.stat().st_mtime_ns)
            if _fits({"id": f"{line} {path.name}", "label": " ".join(labels.values())}, words)
        ]
    # The whole of a period before its months, the newest period first, reports side by side.
    found.sort(key=lambda each: "@" in each["line"])
    found.sort(key=lambda each: each["period"][:4], reverse=True)
    return {"found": found[:FOUND_MOST], "count": len(found), "most": FOUND_MOST}


@lru_cache(maxsize=64)
def _words(path: Path, _changed_ns: int) -> list[tuple[str, dict[str, str]]]:
    try:
        content = json.loads(path.read_bytes())["content"]
        places = {each["id"]: each["name"] for each in content["potlines"]} | {PLANT: _WHOLE}
        return [
            (each["id"], _placed(each, places.get(each["scope"], {}))) for each in content["lines"]
        ]
    except (OSError, ValueError, KeyError, TypeError):
        return []  # the list of reports says that it cannot be read


_WHOLE: Final = {"zh": "全厂", "en": "plant"}


def _placed(line: Node, place: dict[str, str]) -> dict[str, str]:
    """The name of a line with that of its potline and month."""
    month = line["id"].partition("@")[2]
    return {
        lang: f"{place.get(lang, line['scope'])} {line['label'][lang]} {month}".rstrip()
        for lang in ("zh", "en")
    }
