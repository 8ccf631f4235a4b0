"""A month on its way from the first entry to the receipt: each step's state, and the checks."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Final

from drivers.language import language, say
from reports.carbon.lodging_day import lodging_due
from reports.chapters import days_left
from reports.console import archive_names as names
from reports.console.figures import archive, drafts, lodging, staged
from reports.console.office import Office
from reports.duties.duties import Office as DutyOffice
from reports.duties.duties import begins
from reports.entries.asked import Asked, asked
from reports.entries.kinds import Group
from reports.entries.ledger import Entry, Ledger, read_ledger
from reports.lodgings import Lodging, Lodgings, read_lodgings
from reports.periods import Period, plant_now
from reports.rules.overlay import load_packs
from reports.rules.packs import Legal, RulePack

Node = dict[str, Any]
REPORT: Final = "carbon-monthly"
GROUPS: Final = frozenset({Group.MONTHLY, Group.LABORATORY})  # what the month's figures stand on
STEPS: Final = ("need", "enter", "check", "report", "sign", "package", "lodge")


@dataclass(frozen=True)
class Books:
    """What the states of months are read from, once for all of them."""

    office: Office
    ledger: Ledger
    lodgings: Lodgings
    packs: Mapping[str, RulePack]
    today: date

    @classmethod
    def of(cls, office: Office) -> "Books":
        site = office.site
        ledger, lodgings = read_ledger(site.entries), read_lodgings(site.entries)
        return cls(office, ledger, lodgings, load_packs(site), plant_now().date())

    @cached_property
    def current(self) -> list[Entry]:
        return list(self.ledger.current().values())

    @cached_property
    def begins(self) -> date:
        """
        First day of the first month that was entered, at the latest of the month before this one.

        What was due before is not known here, and no duty either (see reports.duties).
        """
        known = DutyOffice(self.office.site, self.ledger, self.lodgings, self.packs, None)
        last = Period.month(self.today.year, self.today.month).first - timedelta(days=1)
        return min(begins(known, self.today).first, last.replace(day=1))

    def month(self, period: Period) -> "Month":
        return Month(self, period)


@dataclass(frozen=True)
class Month:
    """One month; every property is read from what is there, nothing is remembered."""

    books: Books
    period: Period

    @property
    def name(self) -> str:
        return str(self.period)

    @property
    def runs(self) -> bool:
        """Whether a potline ran in it."""
        lines = self.books.office.site.potline
        return any(line.runs_in(self.period.first, self.period.after) for line in lines)

    @property
    def phase(self) -> str:
        """``ahead``, ``running`` or ``over``."""
        today = self.books.today
        if today < self.period.first:
            return "ahead"
        return "running" if today < self.period.after else "over"

    @cached_property
    def due(self) -> tuple[date, Legal] | None:
        """The last day for the lodging, and the rule."""
        law = partial(_law, self.books.packs, self.period)
        return lodging_due(law, self.period)

    @cached_property
    def entries(self) -> list[Entry]:
        """Those that count and that the month's report stands on."""
        return [x for x in self.books.current if self._mine(x)]

    def _mine(self, entry: Entry) -> bool:
        figure = entry.figure
        inside = self.period.first <= figure.period.first < self.period.after
        return inside and figure.kind.group in GROUPS

    @cached_property
    def newest(self) -> Path | None:
        """The newest version of its report."""
        return names.newest(self.books.office.reports, REPORT, self.name)

    @cached_property
    def report(self) -> Node | None:
        """That version as JSON, without the lines: what the cards and steps say of it."""
        if self.newest is None:
            return None
        try:
            table = json.loads(self.newest.read_bytes())
            content = table["content"]
            lines = {line["id"]: line for line in content["lines"]}
            return {
                "file": self.newest.name,
                "version": table["version"],
                "written": table["written"],
                "complete": content["complete"],
                "content_sha256": table["content_sha256"],
                "ledger": content["ledger"]["entries"],
                "headline": [_headline(lines[each]) for each in content["headline"]],
                "missing": list(_reasons(content, lines)),
                "doubts": len(content["warnings"]),
            }
        except (OSError, ValueError, KeyError, TypeError):
            return None  # the archive page names a file that is not whole

    @property
    def stale(self) -> int:
        """Entries of the month that came after its newest report."""
        if self.report is None:
            return 0
        seen = self.report["ledger"]
        return sum(1 for x in self.books.ledger.entries if x.number > seen and self._mine(x))

    @cached_property
    def lodging(self) -> Lodging | None:
        return self.books.lodgings.latest(REPORT, self.name)

    @property
    def drafted(self) -> bool:
        """Whether a draft made after the last entry says that nothing is missing."""
        _, path = drafts.place(self.books.office, REPORT, self.name)
        try:
            told = json.loads(path.read_bytes())
        except (OSError, ValueError):
            return False
        last = max((x.time.timestamp() for x in self.entries), default=0.0)
        return bool(told.get("complete")) and told["made"] >= last

    @property
    def state(self) -> str:
        """One word: what the card says first."""
        if self.lodging is not None:
            newer = self.report is not None and self.report["version"] > self.lodging.version
            return "correcting" if self.stale or newer else "lodged"
        if self.phase == "ahead" or not self.runs:
            return self.phase if self.runs else "stopped"
        if self.report is not None:
            if self.stale:
                return "stale"
            return "reported" if self.report["complete"] else "incomplete"
        if self.entries:
            return "entered"
        return "before" if self.period.first < self.books.begins else "empty"

    def card(self) -> Node:
        """What the year's page shows of it."""
        due, lodged = self.due, self.lodging
        asked = due is not None and lodged is None and self.state != "before"
        left = days_left(due[0], self.books.today) if asked and due is not None else None
        last = self.entries[-1] if self.entries else None
        return {
            "month": self.name,
            "state": self.state,
            "phase": self.phase,
            "runs": self.runs,
            "due": None if due is None else due[0],
            "due_legal": None if due is None else due[1].id,
            "left": left if self.phase == "over" and self.runs else None,
            "overdue": left is not None and left < 0 and self.runs,
            "entries": len(self.entries),
            "entered_by": None if last is None else last.author,
            "entered_at": None if last is None else last.time.isoformat(timespec="seconds"),
            "report": self.report,
            "stale": self.stale,
            "lodging": None if lodged is None else lodging.node(lodged),
            "package": self.newest is not None and names.package_of(self.newest).is_file(),
        }


def _law(packs: Mapping[str, RulePack], month: Period, pack: str, name: str) -> Legal:
    return packs[pack].at(name, month.first)


def _headline(line: Node) -> Node:
    return {
        "id": line["id"],
        "label": line["label"][language()],
        "value": line["rounded"],
        "decimals": line["decimals"],
        "unit": line["unit"],
    }


def _reasons(content: Node, lines: Mapping[str, Node]) -> Iterator[str]:
    found: dict[str, None] = {}
    for identity in content["missing"]:
        for text in lines[identity]["missing"]:
            found[text[language()]] = None
    yield from found


def state(office: Office, month: str) -> Node:
    """The month's card and the seven steps with their states; quick."""
    found = Books.of(office).month(Period.parse(month))
    sheets = asked(
        office.site, found.books.ledger, found.period, REPORT, plant_now()
    ) if found.runs and found.phase != "ahead" else ()  # fmt: skip
    rows = [row for sheet in sheets if sheet.group in GROUPS for row in sheet.rows]
    empty = [row for row in rows if not row.before]
    tables = staged.waiting(office, month)
    signed = [] if found.newest is None else archive.signatures(found.newest)
    card = found.card()
    return {
        "card": card,
        "asked": len(rows),
        "empty": [_row(row) for row in empty],
        "staged": [
            {"id": x.id, "name": x.name, "person": x.person, "made": x.made} for x in tables
        ],
        "signatures": signed,
        "steps": [
            {"id": step, "name": _name(step), "state": told[0], "text": told[1]}
            for step, told in _steps(found, card, len(empty), len(tables), signed).items()
        ],
    }


def _row(row: Asked) -> str:
    return " ".join(x for x in (row.line, say(row.kind.zh, row.kind.en), row.item) if x)


def _name(step: str) -> str:
    return {
        "need": say("缺什么", "What is missing"),
        "enter": say("录入数据", "Enter figures"),
        "check": say("核对差异", "Check differences"),
        "report": say("生成报告", "Make the report"),
        "sign": say("签字", "Sign"),
        "package": say("证据包", "Evidence package"),
        "lodge": say("存证登记", "Record the lodging"),
    }[step]


def _steps(
    month: Month, card: Node, empty: int, tables: int, signed: list[Node]
) -> dict[str, tuple[str, str]]:
    """Step -> (done, warn, todo or wait; a few words)."""
    report, lodged = month.report, month.lodging
    fresh = report is not None and not month.stale
    whole = fresh and report is not None and bool(report["complete"])
    version = "" if report is None else f"v{report['version']}"
    done = "done", say("已完成", "done")
    todo = "todo", say("待办", "to do")
    wait = "wait", say("未到", "not yet")
    found: dict[str, tuple[str, str]] = {}
    rows = say(f"{empty} 行未填", f"{empty} rows empty")
    found["need"] = (
        done
        if whole or month.drafted
        else ("warn" if empty else "done", rows if empty else done[1])
    )
    if tables:
        found["enter"] = "warn", say(f"{tables} 份待确认", f"{tables} to confirm")
    elif month.entries:
        count = len(month.entries)
        found["enter"] = "done", say(f"已录入 {count} 条", f"{count} entries")
    else:
        found["enter"] = todo
    found["check"] = done if whole else todo if month.entries else wait
    if month.stale:
        found["report"] = "warn", say("数据已变，须重新生成", "figures changed: make it anew")
    elif report is not None:
        text = version if whole else say(f"{version} 不完整", f"{version} incomplete")
        found["report"] = "done" if whole else "warn", text
    else:
        found["report"] = todo if month.entries and month.phase == "over" else wait
    names_ = "、".join(each["person"] for each in signed)
    after = fresh and report is not None
    found["sign"] = ("done", names_) if signed and fresh else todo if after else wait
    found["package"] = done if card["package"] and fresh else todo if after else wait
    if lodged is not None and (report is None or report["version"] <= lodged.version) and fresh:
        found["lodge"] = "done", f"{lodged.on}"
    elif lodged is not None:
        text = say(f"v{lodged.version} 已存证，更正未存证", f"v{lodged.version} lodged, not this")
        found["lodge"] = "warn", text
    else:
        found["lodge"] = todo if after else wait
    return found
