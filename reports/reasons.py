"""Why a figure changed: the entries, legal values and meters behind it, and who changed them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from reports.citations import EntryUse
from reports.entries.ledger import Entry, Ledger
from reports.model import Change, Content
from reports.periods import PLANT_TIME
from reports.values import Text

NAMED = 5  # reasons given at one change


def entry_ref(entry: EntryUse) -> str:
    """What an entry is called in a list of changes; its revision is called the same."""
    return " ".join(part for part in (entry.line, entry.kind, entry.item, entry.period) if part)


def with_reasons(
    changes: Sequence[Change], before: Content, after: Content, ledger: Ledger
) -> tuple[Change, ...]:
    """The same changes, each with ``why`` where something behind it is known."""
    changed: set[tuple[str, str]] = {(change.what, change.ref) for change in changes}
    why = {ref: _entry_reason(ref, after, ledger) for what, ref in changed if what == "entry"}
    walks = (_Walk(before, changed), _Walk(after, changed))
    return tuple(
        change if change.why is not None else _reasoned(change, why, walks) for change in changes
    )


def _reasoned(change: Change, why: dict[str, Text | None], walks: "tuple[_Walk, _Walk]") -> Change:
    if change.what == "entry":
        return change.model_copy(update={"why": why[change.ref]})
    if change.what != "line":
        return change
    behind = dict.fromkeys(source for walk in walks for source in walk.behind(change.ref))
    texts = [text for source in behind if (text := _source_text(source, why)) is not None]
    if not texts:
        return change
    shown, more = texts[:NAMED], len(texts) - NAMED
    zh, en = "；".join(text.zh for text in shown), "; ".join(text.en for text in shown)
    if more > 0:
        zh, en = f"{zh}；另有 {more} 项", f"{en}; and {more} more"
    return change.model_copy(update={"why": Text(zh=zh, en=en)})


def _source_text(source: tuple[str, str], why: dict[str, Text | None]) -> Text | None:
    what, ref = source
    if what == "entry":
        return why[ref]
    if what == "legal":
        return Text(zh=f"法规参数 {ref} 变化", en=f"legal value {ref} changed")
    return Text(zh=f"计量数据 {ref} 变化", en=f"data of meter {ref} changed")


@dataclass(slots=True)
class _Walk:
    """What changed among the sources of a line of one version."""

    content: Content
    changed: set[tuple[str, str]]
    seen: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)

    def behind(self, identity: str) -> tuple[tuple[str, str], ...]:
        if identity not in self.seen:
            self.seen[identity] = ()  # a line never stands behind itself
            self.seen[identity] = tuple(dict.fromkeys(self._sources(identity)))
        return self.seen[identity]

    def _sources(self, identity: str) -> Iterator[tuple[str, str]]:
        line = next((line for line in self.content.lines if line.id == identity), None)
        entries = {str(entry.number): entry_ref(entry) for entry in self.content.entries}
        for given in () if line is None else line.inputs:
            if given.kind == "line":
                yield from self.behind(given.ref)
                continue
            ref = entries.get(given.ref, "") if given.kind == "entry" else given.ref
            if (given.kind, ref) in self.changed:
                yield given.kind, ref


def _entry_reason(ref: str, after: Content, ledger: Ledger) -> Text | None:
    """Who entered, revised or withdrew it, and why."""
    for entry in after.entries:
        if entry_ref(entry) == ref:
            moment = datetime.fromisoformat(entry.time)
            return _reason(entry.number, entry.author, entry.reason, moment, entry.revises, "")
    last = [entry for entry in ledger.entries if _ledger_ref(entry) == ref][-1:]
    for each in last:
        if each.figure.value is None:
            return _reason(
                each.number, each.author, each.reason, each.time, each.revises, "withdrawn"
            )
    return None


def _ledger_ref(entry: Entry) -> str:
    figure = entry.figure
    parts = (figure.line, figure.kind.id, figure.item, str(figure.period))
    return " ".join(part for part in parts if part)


def _reason(
    number: int, author: str, reason: str, time: datetime, revises: int | None, withdrawn: str
) -> Text:
    moment = f"{time.astimezone(PLANT_TIME):%Y-%m-%d %H:%M}"
    zh = f"第 {number} 条，{author} {moment}：{reason}"
    en = f"entry {number}, {author} {moment}: {reason}"
    if revises is not None:
        verb = ("撤回", "withdraws") if withdrawn else ("修订", "revises")
        zh, en = f"{zh}（{verb[0]}第 {revises} 条）", f"{en} ({verb[1]} entry {revises})"
    return Text(zh=zh, en=en)
