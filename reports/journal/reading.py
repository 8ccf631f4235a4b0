"""One row as a record of this plant: everything that is wrong with it, at once."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

from drivers.language import say
from reports.entries.ledger import Document
from reports.entries.reading import RowError
from reports.journal.drift import judge_check
from reports.journal.forms import FACTS, FORMS, End, Form, find_form, find_word
from reports.journal.record import Evidence, Mark, Record, minute_text
from reports.journal.rows import Row
from reports.journal.supporting import Drawing, Marked
from reports.journal.verify import judge_verification
from reports.journal.written import midnight_ns, read_day, read_fact, read_moment
from reports.periods import PLANT_TIME
from reports.rules.overlay import same_person
from reports.rules.packs import RulePack
from reports.site import PLANT, Site
from reports.site_stacks import Stack

_PARAMETERS = ("o2", "velocity", "temperature", "pressure", "humidity", "flow", "no", "no2")
HOUR_NS = 3_600_000_000_000
_OF_INSTRUMENTS = ("check", "verification")


@dataclass(frozen=True, slots=True)
class Signed:
    """Who answers for a record, why, and who confirmed it."""

    author: str
    reason: str = ""  # where a row does not say
    confirmed_by: str = ""


@dataclass(slots=True)
class Reader:
    """Reads rows for one site; ``files`` collects the documents they name, by SHA-256."""

    site: Site
    packs: Mapping[str, RulePack]
    now: datetime
    signed: Signed
    folder: Path  # documents are named relative to it
    drawing: Drawing
    source: Evidence | None = None
    files: dict[str, Path] = field(default_factory=dict)

    def record(self, row: Row) -> Record:
        """
        Raises RowError with everything that is wrong with the row.

        The trace of a mark is drawn here. Raises SeriesError when the store cannot be read.
        """
        problems: list[str] = []
        cells = row.cells
        form = _form(cells, problems)
        if form is None:
            raise RowError(" | ".join(problems))
        facts = _facts(cells, form, problems)
        stack = self._stack(cells, form, problems)
        start_ns, end_ns = self._times(cells, form, facts, problems)
        pollutants = _pollutants(cells, form, stack, problems)
        evidence = self._evidence(cells, form, problems)
        people = self._people(cells, form, problems)
        what = _word(cells, form, problems)
        if stack is not None and start_ns and not stack.works_on(_day(start_ns)):
            problems.append(say(f"{stack.id} 当日未投用", f"{stack.id} does not work on that day"))
        if not problems:
            facts |= self._shown(form, facts, pollutants, _day(start_ns), problems)
            problems += _consistent(form, facts, start_ns, self.now)
            problems += _whole_hours(form, start_ns, end_ns)
        if not problems and form.kind == "mark" and stack is not None and end_ns is not None:
            marked = Marked(Mark(what), stack, pollutants, start_ns, end_ns)
            evidence, judged, refused = self.drawing.support(marked, evidence)
            facts |= judged
            problems += [refused] if refused else []
        if problems:
            raise RowError(" | ".join(problems))
        return Record(
            kind=form.kind,
            equipment="" if stack is None else stack.equipment,
            start_ns=start_ns,
            end_ns=end_ns,
            what=what,
            pollutants=pollutants,
            facts=facts,
            reason=people.reason,
            author=people.author,
            confirmed_by=people.confirmed_by,
            at=self.now,
            evidence=evidence,
            source=self.source,
            row=row.row,
        )

    def _shown(
        self,
        form: Form,
        facts: dict[str, str],
        pollutants: tuple[str, ...],
        day: date,
        problems: list[str],
    ) -> dict[str, str]:
        """What follows from the readings of a check or a verification."""
        if form.kind not in _OF_INSTRUMENTS:
            return {}
        judge = judge_check if form.kind == "check" else judge_verification
        shown = judge(facts, pollutants, self.packs, day)
        problems += shown.problems
        return shown.facts

    def _stack(self, cells: Mapping[str, str], form: Form, problems: list[str]) -> Stack | None:
        text = cells.get("equipment", "").split(" ", maxsplit=1)[0]
        if not form.of_stack and text in {"", PLANT, "全厂"}:
            return None
        stack = self.site.stack(text)
        if stack is None:
            known = ", ".join(f"{x.id} {x.equipment}" for x in self.site.stacks)
            problems.append(
                say(
                    f"没有排放口 {text!r}；site.toml 的 [[stacks]] 有：{known or '（无）'}",
                    f"unknown stack {text!r}; [[stacks]] of site.toml: {known or '(none)'}",
                )
            )
        return stack

    def _times(
        self, cells: Mapping[str, str], form: Form, facts: Mapping[str, str], problems: list[str]
    ) -> tuple[int, int | None]:
        start = _moment(cells, "start", form, problems)
        if form.end is End.FROM_FACT:
            until = facts.get("valid_until", "")
            end = midnight_ns(date.fromisoformat(until) + timedelta(days=1)) if until else None
            if cells.get("end"):
                problems.append(say("有效期请填“有效期至”一列", "write the end as 'valid until'"))
        else:
            needed = form.end is End.NEEDED or cells.get("end")
            end = _moment(cells, "end", form, problems) if needed else None
        now_ns = int(self.now.timestamp()) * 1_000_000_000
        ahead = form.kind in {"document", "alert"}
        late = [x for x in (start, end) if x is not None and x > now_ns]
        if late and not ahead:
            problems.append(
                say(f"{minute_text(late[0])} 在将来", f"{minute_text(late[0])} lies in the future")
            )
        if start is not None and end is not None and end <= start:
            problems.append(say("结束须晚于开始", "the end must be later than the start"))
        return start or 0, end

    def _evidence(
        self, cells: Mapping[str, str], form: Form, problems: list[str]
    ) -> tuple[Evidence, ...]:
        found = []
        for name in re.split(r"[;；\n]+", cells.get("evidence", "")):
            if not name.strip():
                continue
            path = self.folder / name.strip()
            try:
                document = Document.of(path)
            except OSError:
                problems.append(
                    say(
                        f"找不到证据文件 {name.strip()!r}；请放在表格旁边",
                        f"evidence {name.strip()!r} is not there; put it beside the table",
                    )
                )
                continue
            if not path.stat().st_size:
                problems.append(
                    say(f"证据文件 {name.strip()!r} 是空的", f"evidence {name.strip()!r} is empty")
                )
            self.files[document.sha256] = path
            found.append(Evidence(kind="document", sha256=document.sha256, name=document.name))
        if form.document and not found and not cells.get("evidence"):
            problems.append(
                say(
                    f"{form.name.zh}须附证据文件",
                    f"{form.kind}: its document is required as evidence",
                )
            )
        return tuple(found)

    def _people(self, cells: Mapping[str, str], form: Form, problems: list[str]) -> Signed:
        signed = self.signed
        made = Signed(
            author=signed.author.strip(),
            reason=(cells.get("reason") or signed.reason).strip(),
            confirmed_by=(cells.get("confirmed_by") or signed.confirmed_by).strip(),
        )
        problems += who_and_why(made, second=self.site.two_persons and form.kind == "mark")
        return made


def who_and_why(signed: Signed, *, second: bool) -> list[str]:
    """What is missing of author, reason and, where the site demands it, a second person."""
    problems = []
    if not signed.author:
        problems.append(say("缺少填报人（--author）", "the author is missing (--author)"))
    if not signed.reason:
        problems.append(say("缺少理由", "the reason is missing"))
    if signed.confirmed_by and same_person(signed.author, signed.confirmed_by):
        problems.append(
            say("确认人须为填报人以外的另一人", "somebody else than the author must confirm it")
        )
    if second and not signed.confirmed_by:
        problems.append(
            say(
                "本厂规定标记须由第二人确认（site.toml 的 two_persons）；请填确认人",
                "this site demands that a second person confirms marks (two_persons in "
                "site.toml); name who did",
            )
        )
    if not (signed.author + signed.reason + signed.confirmed_by).isprintable():
        problems.append(
            say(
                "填报人、理由或确认人含有无法显示的字符；请写一行 UTF-8 文字",
                "author, reason or confirmer has characters that cannot be shown; write one line "
                "of UTF-8",
            )
        )
    return problems


def _form(cells: Mapping[str, str], problems: list[str]) -> Form | None:
    form = find_form(cells.get("kind", ""))
    if form is None:
        known = ", ".join(f"{form.kind} {form.name.zh}" for form in FORMS.values())
        problems.append(
            say(
                f"没有类别 {cells.get('kind', '')!r}；可填：{known}",
                f"unknown kind {cells.get('kind', '')!r}; known: {known}",
            )
        )
    return form


def _word(cells: Mapping[str, str], form: Form, problems: list[str]) -> str:
    text = cells.get("what", "")
    word = find_word(form, text)
    if word is None:
        known = ", ".join(f"{word} {name.zh}" for word, name in form.words.items())
        problems.append(
            say(
                f"{form.name.zh}没有内容 {text!r}；可填：{known}",
                f"a {form.kind} cannot be {text!r}; write: {known}",
            )
        )
    return word or ""


def _facts(cells: Mapping[str, str], form: Form, problems: list[str]) -> dict[str, str]:
    own = {fact.id: fact for fact in form.facts}
    found: dict[str, str] = {}
    for name in FACTS:
        text = cells.get(name, "")
        if text and name not in own:
            fact = FACTS[name]
            problems.append(
                say(
                    f"{form.name.zh}没有“{fact.zh}”，请清空该格",
                    f"a {form.kind} has no {fact.en!r}; leave that cell empty",
                )
            )
        elif text:
            found[name], wrong = read_fact(own[name], text)
            problems += [wrong] if wrong else []
    missing = [fact for fact in form.facts if fact.needed and not cells.get(fact.id)]
    if missing:
        problems.append(
            say(
                f"缺少：{'、'.join(fact.zh for fact in missing)}",
                f"missing: {', '.join(fact.en for fact in missing)}",
            )
        )
    return found


def _pollutants(
    cells: Mapping[str, str], form: Form, stack: Stack | None, problems: list[str]
) -> tuple[str, ...]:
    text = cells.get("pollutants", "")
    names = tuple(dict.fromkeys(x for x in re.split(r"[\s,，;；、]+", text.lower()) if x))
    if names in {("all",), ("全部",)}:
        names = ()
    if form.one and len(names) != 1:
        problems.append(
            say(f"{form.name.zh}须写明一个污染物", f"a {form.kind} is of one pollutant; name it")
        )
    if stack is None:
        return names
    known = stack.pollutants + (_PARAMETERS if form.kind in _OF_INSTRUMENTS else ())
    wrong = [name for name in names if name not in known]
    if wrong:
        problems.append(
            say(
                f"{stack.id} 没有污染物 {'、'.join(wrong)}；有：{', '.join(known)}",
                f"{stack.id} has no pollutant {', '.join(wrong)}; it has: {', '.join(known)}",
            )
        )
    return names


def _moment(cells: Mapping[str, str], name: str, form: Form, problems: list[str]) -> int | None:
    text = cells.get(name, "")
    if form.kind == "document" and (day := read_day(text)) is not None:
        return midnight_ns(day)
    found = read_moment(text)
    if found is None:
        which = say({"start": "开始", "end": "结束"}[name], name)
        problems.append(
            say(
                f"{which}时间 {text!r} 须写到分钟，如 2026-03-05 08:00",
                f"{which} {text!r} must be a day and minute, e.g. 2026-03-05 08:00",
            )
        )
    return found


def _consistent(form: Form, facts: Mapping[str, str], start_ns: int, now: datetime) -> list[str]:
    """What does not fit together."""
    problems = []
    expiry = facts.get("gas_expiry", "")
    if expiry and date.fromisoformat(expiry) < _day(start_ns):
        problems.append(
            say(f"标气有效期至 {expiry}，校准时已过期", f"the gas was valid until {expiry} only")
        )
    if form.kind == "exceedance":
        problems += _reported(facts, start_ns, now)
    return problems


def _whole_hours(form: Form, start_ns: int, end_ns: int | None) -> list[str]:
    """An exceedance is of hourly means."""
    if form.kind != "exceedance" or not (start_ns % HOUR_NS or (end_ns or 0) % HOUR_NS):
        return []
    return [
        say(
            "超标按小时均值判定，开始和结束须为整点",
            "an exceedance is of hourly means: start and end are whole hours",
        )
    ]


def _reported(facts: Mapping[str, str], start_ns: int, now: datetime) -> list[str]:
    """To whom and when, or why not; and not before it happened."""
    told = {"reported_to", "reported_at"} & facts.keys()
    if "not_reported" not in facts and len(told) < 2:
        return [
            say(
                "须填报告对象和报告时间；未报告的填“未报告的理由”",
                "write to whom and when it was reported, or why it was not",
            )
        ]
    if "not_reported" in facts and told:
        return [
            say("既填了报告又填了未报告的理由", "it says both that it was reported and why not")
        ]
    at = facts.get("reported_at", "")
    if at and not start_ns <= _ns(at) <= int(now.timestamp()) * 1_000_000_000:
        return [
            say(
                f"报告时间 {at} 早于超标或在将来",
                f"reported at {at}: that is before it happened, or in the future",
            )
        ]
    return []


def _ns(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * 1_000_000_000


def _day(start_ns: int) -> date:
    return datetime.fromtimestamp(start_ns // 1_000_000_000, PLANT_TIME).date()
