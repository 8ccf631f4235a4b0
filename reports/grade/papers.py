"""Evidence on paper: documents and declarations of the journal, vehicle shares, ledgers kept."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final

from reports.assembly import Argument
from reports.entries.documents import kept_at
from reports.entries.kinds import KINDS
from reports.entries.ledger import Document as Kept
from reports.entries.ledger import Entry
from reports.grade.bench import Bench, figure
from reports.grade.evidence import (
    Declaration,
    Document,
    LedgerKept,
    NoPenalty,
    Share,
    word_text,
)
from reports.grade.findings import Expiry, Finding, Status, join, unknown
from reports.grade.ours import ours
from reports.journal.record import Record
from reports.model import Input
from reports.periods import PLANT_TIME, Period
from reports.values import Text

PENALTY: Final = "penalty"  # a document that serves this word is a penalty
NO_PENALTY: Final = "no_penalty"  # what a declaration of none serves
HUNDRED: Final = Decimal(100)
STANDING: Final = {"plant_vehicles", "nonroad_machines"}  # counted, not summed


def document(bench: Bench, indicator: str, asked: Document) -> Finding:
    """So many different files in the journal that serve this, unchanged and valid on the day."""
    return _papers(bench, "document", (indicator, asked.what), asked.count)


def declaration(bench: Bench, indicator: str, asked: Declaration) -> Finding:
    """A declaration in the journal that serves this, unchanged and valid on the day."""
    return _papers(bench, "declaration", (indicator, asked.what), 1)


def _papers(bench: Bench, what: str, words: tuple[str, str], count: int) -> Finding:
    records = [each for each in serving(bench, words) if each.what == what]
    name = (
        Text(zh="文件", en="document") if what == "document" else Text(zh="声明", en="declaration")
    )
    good = [each for each in records if not faults(bench, each)]
    files = {each.evidence[0].sha256: each for each in good}
    enough = len(files) >= count
    told = [_told(bench, each) for each in records]
    if not records:
        word = word_text(words[1])
        return unknown(
            f"环保记录中没有用于{word.zh}的{name.zh}",
            f"no {name.en} in the journal serves {word.en}",
            "record",
        )
    text = Text(
        zh=f"有效{name.zh} {len(files)}/{count}",
        en=f"valid {name.en}s {len(files)} of {count}",
    )
    changed = any(altered(bench, each) for each in records)
    status = Status.PROVEN if enough else Status.FAILED if changed else Status.UNKNOWN
    return Finding(
        status,
        join([text, *told]),
        Decimal(len(files)),
        "1",
        0,
        tuple(_input(each) for each in good),
        expires=tuple(_expiry(each) for each in good if each.facts.get("valid_until")),
        effort="" if enough else "record",
    )


def serving(bench: Bench, words: Iterable[str]) -> list[Record]:
    """Documents and declarations that name one of these in what they serve, oldest first."""
    wanted = {word.removeprefix("grade.") for word in words}
    return [each for each in bench.journal.of("document") if wanted & set(_serves(each))]


def _serves(record: Record) -> list[str]:
    named = re.split(r"[\s,;，；、]+", record.facts.get("serves", ""))
    return [each.removeprefix("grade.") for each in named if each]


def faults(bench: Bench, record: Record) -> list[Text]:
    """Why a document proves nothing on the day: file gone or changed, not valid, nobody behind."""
    found, first, last = altered(bench, record), _day(record.start_ns), until(record)
    if first > bench.day:
        found.append(Text(zh=f"自 {first} 起有效", en=f"valid from {first} only"))
    if last is not None and last < bench.day:
        found.append(Text(zh=f"已于 {last} 到期", en=f"expired on {last}"))
    return found + _nobody(record)


def altered(bench: Bench, record: Record) -> list[Text]:
    """Files of a record that are gone, or are not the ones that were kept."""
    found = []
    for each in record.evidence:
        path = kept_at(bench.basis.site.entries, Kept(each.name, each.sha256))
        try:
            same = hashlib.sha256(path.read_bytes()).hexdigest() == each.sha256
        except OSError:
            found.append(Text(zh=f"文件 {each.name} 缺失", en=f"file {each.name} is missing"))
            continue
        if not same:
            found.append(Text(zh=f"文件 {each.name} 已被改动", en=f"file {each.name} was changed"))
    return found


def _nobody(record: Record) -> list[Text]:
    found = []
    if not record.facts.get("person", "").strip():
        found.append(Text(zh="未写责任人", en="names no person"))
    if not record.evidence:
        found.append(Text(zh="没有附文件", en="has no file"))
    return found


def until(record: Record) -> date | None:
    """The last day on which a document is valid; None = no end."""
    stated = record.facts.get("valid_until", "")
    if stated:
        return date.fromisoformat(stated)
    return None if record.end_ns is None else _day(record.end_ns) - timedelta(days=1)


def _day(time_ns: int) -> date:
    return datetime.fromtimestamp(time_ns // 10**9, UTC).astimezone(PLANT_TIME).date()


def _told(bench: Bench, record: Record) -> Text:
    title, person = record.facts.get("title", ""), record.facts.get("person", "")
    wrong = faults(bench, record)
    digest = record.evidence[0].sha256[:12] if record.evidence else "—"
    head = f"#{record.number} {title} {person} {digest}"
    if not wrong:
        return Text(zh=f"{head} 有效", en=f"{head} valid")
    bad = join(wrong)
    return Text(zh=f"{head} {bad.zh}", en=f"{head} {bad.en}")


def _input(record: Record) -> Argument:
    return Argument(
        Input(
            name=record.facts.get("title", record.what),
            kind="site",
            ref=f"journal {record.number} {record.hash[:16]}",
            value=None,
            unit="",
        )
    )


def _expiry(record: Record) -> Expiry:
    last = until(record)
    assert last is not None  # noqa: S101 - asked only where one is stated
    title = record.facts.get("title", "")
    return Expiry(
        Text(zh=f"{title}（环保记录 {record.number}）", en=f"{title} (journal {record.number})"),
        last,
    )


def no_penalty(bench: Bench, indicator: str, _asked: NoPenalty) -> Finding:
    """Declared for the whole year by a person, and no penalty in the journal."""
    penalties = [
        each
        for each in serving(bench, [PENALTY])
        if each.touches(bench.period.start_ns, bench.period.end_ns)
        and each.start_ns >= bench.period.start_ns
    ]
    if penalties:
        told = [Text(zh=x.facts.get("title", ""), en=x.facts.get("title", "")) for x in penalties]
        named = join(told)
        return Finding(
            Status.FAILED,
            Text(zh=f"一年内有处罚：{named.zh}", en=f"penalties within the year: {named.en}"),
            Decimal(len(penalties)),
            inputs=tuple(_input(each) for each in penalties),
            effort="wait",
        )
    signed = [
        each for each in serving(bench, [NO_PENALTY, indicator]) if each.what == "declaration"
    ]
    late = [
        x for x in signed if _day(x.start_ns) >= bench.day - timedelta(days=ours().declared_days)
    ]
    good = [each for each in late if not _broken(bench, each)]
    if good:
        declared = _told_declared(good[-1])
        return Finding(
            Status.PROVEN, declared, Decimal(0), inputs=tuple(_input(each) for each in good)
        )
    if signed and not late:
        last = _day(signed[-1].start_ns)
        return unknown(
            f"无处罚声明签于 {last}，其后未覆盖",
            f"none declared on {last}; the days since are not covered",
            "record",
        )
    return unknown(
        "没有有效的一年内无处罚声明（no_penalty）",
        "no valid declaration serves no_penalty",
        "record",
    )


def _broken(bench: Bench, record: Record) -> list[Text]:
    """Faults but for the day it is valid from: a declaration about a year is signed at its end."""
    late = _day(record.start_ns) > bench.day
    return altered(bench, record) + _nobody(record) if late else faults(bench, record)


def _told_declared(record: Record) -> Text:
    person, day = record.facts.get("person", ""), _day(record.start_ns)
    return Text(
        zh=f"{person} 于 {day} 声明一年内无环境处罚（环保记录 {record.number}）",
        en=f"{person} declared on {day} that there was none (journal {record.number})",
    )


def share(bench: Bench, asked: Share) -> Finding:
    """Percent of trips, tonnes, vehicles or machines that are of these classes."""
    kind = KINDS[asked.of]
    found = _entries(bench, asked.of)
    months = {str(each.figure.period.whole_month) for each in found}
    missing = [str(month) for month in bench.period.months if str(month) not in months]
    if asked.of in STANDING and found:
        newest = max(each.figure.period for each in found)
        found, missing = [each for each in found if each.figure.period == newest], []
    total = sum((each.figure.amount for each in found), Decimal(0))
    if not found or total == 0:
        return unknown(f"没有录入{kind.zh}", f"no entries of {kind.en}", "record")
    mine = sum((x.figure.amount for x in found if x.figure.item in asked.classes), Decimal(0))
    percent = mine * HUNDRED / total
    met = percent >= asked.percent
    told_zh = f"{kind.zh}中占 {percent:.2f} %，要求 {asked.percent} %"
    told_en = f"{percent:.2f} % of {kind.en}, wanted {asked.percent} %"
    if missing:
        told_zh += f"；缺 {'、'.join(missing)}"
        told_en += f"; no entries in {', '.join(missing)}"
    status = Status.FAILED if not met else Status.UNKNOWN if missing else Status.PROVEN
    return Finding(
        status,
        Text(zh=told_zh, en=told_en),
        percent,
        "%",
        2,
        tuple(bench.assembly.entry(str(each.figure.period), each) for each in found),
        effort="" if status is Status.PROVEN else "record" if missing else "rebuild",
    )


def _entries(bench: Bench, kind: str) -> list[Entry]:
    """Entries of a kind within the year, oldest first."""
    period = bench.period
    return sorted(
        (
            each
            for each in bench.basis.ledger.current().values()
            if each.figure.kind.id == kind
            and period.first <= each.figure.period.first
            and each.figure.period.after <= period.after
        ),
        key=lambda each: (each.figure.period, each.figure.item),
    )


def ledger_kept(bench: Bench, asked: LedgerKept) -> Finding:
    """An entry of each kind in each month."""
    told: list[Text] = []
    lacking = 0
    for kind in asked.entries:
        there = {each.figure.period.whole_month for each in _entries(bench, kind)}
        missing = [month for month in bench.period.months if month not in there]
        lacking += len(missing)
        name = KINDS[kind].name
        have = len(bench.period.months) - len(missing)
        if missing:
            which = _months(missing)
            told.append(
                Text(
                    zh=f"{name.zh} {have}/12 个月" + (f"，缺 {which}" if have else ""),
                    en=f"{name.en}: {have} of 12 months" + (f", missing {which}" if have else ""),
                )
            )
        else:
            told.append(Text(zh=f"{name.zh}逐月齐全", en=f"{name.en}: every month"))
    names = [KINDS[kind].name for kind in asked.entries]
    label = Text(
        zh="台账缺月数：" + "、".join(each.zh for each in names),
        en="months without a ledger: " + ", ".join(each.en for each in names),
    )
    line = bench.line(
        figure("plant", "ledger_months_missing." + "_".join(asked.entries), label, "1", 0),
        Decimal(lacking),
    )
    proven = lacking == 0
    return Finding(
        Status.PROVEN if proven else Status.UNKNOWN,
        join(told),
        Decimal(lacking),
        "1",
        0,
        (line,),
        effort="" if proven else "record",
    )


def _months(missing: Sequence[Period]) -> str:
    return ", ".join(map(str, missing))
