"""Tables of what was above the limit, of marks, and of values that could not be judged."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from reports.chapters import Cell, Table
from reports.emissions.exceedances import EXACT
from reports.emissions.figures import column, label_of, maybe
from reports.emissions.made import StackYear
from reports.emissions.means import days_of
from reports.emissions.states import AUTOMATIC, Exceedance, Mark
from reports.emissions.words import AUTOMATIC as BY_ITSELF
from reports.emissions.words import MARKS, STATES, SUPPORT, UNEXPLAINED, both
from reports.journal.forms import FORMS
from reports.journal.record import Record
from reports.periods import clock_text
from reports.rules.listing import CONFIRMED_TEXT
from reports.rules.packs import Legal
from reports.values import Text
from reports.words import short_text

SHOWN_MIN: Final = 15  # automatic marks from that long on are listed one by one
LONG_MIN: Final = 60  # the same, where the period is longer than a month
A_MONTH: Final = 31
MINUTE_NS: Final = 60_000_000_000
_NOTHING: Final = Text(zh="无", en="none")


def _span(start_ns: int, end_ns: int) -> tuple[str, str]:
    return clock_text(start_ns)[:16], clock_text(end_ns)[:16]


_WHERE: Final = (
    column("排放口", "stack", width=10),
    column("污染物", "pollutant", width=12),
    column("开始", "from", width=16),
    column("结束", "to", width=16),
    column("小时数", "hours", "h", 0, 8),
)
_HOW_HIGH: Final = (
    column("限值", "limit", "mg/m3", 2, 9),
    column("最大", "highest", "mg/m3", 2, 9),
    column("平均", "mean", "mg/m3", 2, 9),
)


def _row(made: StackYear, each: Exceedance) -> tuple[Cell, ...]:
    return (
        made.stack.id,
        label_of(each.pollutant),
        *_span(each.start_ns, each.end_ns),
        maybe(each.hours),
        maybe(each.limit, 2),
        maybe(each.highest, 2),
        maybe(each.mean, 2),
    )


def above_table(stacks: Sequence[StackYear]) -> Table | None:
    """Hours above the limit, and what was said of each; None when there are none."""
    rows = [
        (*_row(made, each), _touching(each.marks), _handled(made, each))
        for made in stacks
        for each in made.above
        if each.judged
    ]
    if not rows:
        return None
    return Table(
        id="exceedances",
        title=Text(zh="超标时段", en="Hours above the limit"),
        columns=(
            *_WHERE,
            *_HOW_HIGH,
            column("涉及标记", "marks that touch it", width=10),
            column("原因与报告情况（环保记录）", "cause and report (journal)", width=34),
        ),
        rows=tuple(rows),
        note=Text(
            zh="以小时均值（许可证规定基准含氧量的为折算浓度，否则为标干浓度）对照排污许可证限值；"
            "相连小时合为一次。被数据否定的标记不豁免超标。",
            en="Hourly means (converted where the permit sets a reference O2, else dry) against "
            "the limit of the permit; hours in a row are one. A contradicted mark excuses nothing.",
        ),
    )


def hidden_table(stacks: Sequence[StackYear], excuse: Legal | None) -> Table | None:
    """Hours above the limit that are not judged, with what keeps them from it; see ``too_long``."""
    rows = [
        (
            *_row(made, each),
            STATES[each.why],
            _hinted(made, each, excuse),
            _verdicts(made, each),
            _handled(made, each),
        )
        for made in stacks
        for each in made.above
        if not each.judged
    ]
    if not rows:
        return None
    return Table(
        id="hidden",
        title=Text(zh="未参与判定但数值高于限值的小时", en="Above the limit, but not judged"),
        columns=(
            *_WHERE,
            *_HOW_HIGH,
            column("不判定的原因", "not judged because", width=14),
            column("标记", "mark", width=22),
            column("数据印证", "what the data say", width=14),
            column("环保记录记载", "journal", width=20),
        ),
        rows=tuple(rows),
        note=Text(
            zh="数值为该小时全部有读数分钟的均值，不论标记；原始数据保留，可逐分钟追溯。",
            en="Means over all minutes that have a reading, whatever a mark says; the originals "
            "are kept and can be traced minute by minute.",
        ),
    )


def days_above_table(stacks: Sequence[StackYear]) -> Table | None:
    """Valid day means above the day limit, where the permit sets one."""
    rows = [row for made in stacks for row in _days_above(made)]
    if not rows:
        return None
    return Table(
        id="days-above",
        title=Text(zh="日均值超标", en="Day means above the limit"),
        columns=(
            column("排放口", "stack", width=10),
            column("污染物", "pollutant", width=12),
            column("日期", "day", width=12),
            column("日均值限值", "limit of the day", "mg/m3", 2),
            column("日均值", "mean of the day", "mg/m3", 2),
        ),
        rows=tuple(rows),
    )


def _days_above(made: StackYear) -> Iterator[tuple[Cell, ...]]:
    for name in made.stack.pollutants:
        days = days_of(made.hours, name, made.rules)
        for n, day in enumerate(made.hours.days):
            limit = made.stack.limit(name, day)
            highest = None if limit is None else limit.day_mg_m3
            mean = float(days.converted[n])
            if highest is not None and days.valid[n] and mean > float(highest) * (1 + EXACT):
                yield made.stack.id, label_of(name), str(day), highest, maybe(mean, 2)


def too_long(each: Exceedance, excuse: Legal) -> bool:
    """True when a start-up or shut-down hides more hours than the rule lets pass without doubt."""
    return each.why == "exempt" and each.hours >= excuse.number


def _hinted(made: StackYear, each: Exceedance, excuse: Legal | None) -> Text | str:
    """The marks that hide it; of a long excess that a hint, and nothing else, follows from it."""
    reason = _reason(made, each)
    if excuse is None or not too_long(each, excuse) or isinstance(reason, str):
        return reason
    hours, sure = short_text(Decimal(excuse.number)), CONFIRMED_TEXT[excuse.confirmed.value]
    hint = Text(
        zh=f"提示：超标持续 {each.hours} 小时，不短于 {hours} 小时；若在稳定运行之后，"
        f"不得以启停为由（{sure.zh}，{excuse.source.title} {excuse.locator}）",
        en=f"hint: above for {each.hours} hours, {hours} or more; after stable running no start-up "
        f"or stop excuses that ({sure.en}, {excuse.source.title} {excuse.locator})",
    )
    return both([reason, hint])


def _reason(made: StackYear, each: Exceedance) -> Text | str:
    if each.hidden_by == AUTOMATIC:
        return BY_ITSELF
    known = {mark.number: mark for mark in made.hours.marks if mark.number > 0}
    marks = [known[n] for n in dict.fromkeys((each.hidden_by, *each.marks)) if n in known]
    return both([_mark_text(mark) for mark in marks]) if marks else "—"


def _verdicts(made: StackYear, each: Exceedance) -> Text | str:
    """What the data say of the mark that hides it; nothing where none of a person does."""
    found = [mark for mark in made.hours.marks if mark.number == each.hidden_by > 0]
    return _verdict(found[0]) if found else "—"


def _verdict(mark: Mark) -> Text:
    if mark.contradicted is not None:
        return both([SUPPORT["contradicted"], mark.contradicted])
    if mark.unconfirmed:
        return SUPPORT["unconfirmed"]
    return SUPPORT["supported" if mark.supported else "not_told"]


def _mark_text(mark: Mark) -> Text:
    kind = MARKS[mark.kind]
    return Text(
        zh=f"#{mark.number} {kind.zh}（{mark.author}：{mark.reason}）",
        en=f"#{mark.number} {kind.en} ({mark.author}: {mark.reason})",
    )


def _touching(numbers: Sequence[int]) -> str:
    return " ".join(f"#{number}" for number in numbers) or "—"


def _handled(made: StackYear, each: Exceedance) -> Text:
    said = [x for x in made.hours.said if x.number in each.handled]
    return both([_said(record) for record in said]) if said else UNEXPLAINED


def _said(record: Record) -> Text:
    """What the journal holds of an exceedance: word, reason, facts, person."""
    form = FORMS[record.kind]
    word = form.words.get(record.what, Text(zh=record.what, en=record.what))
    names = {fact.id: fact.name for fact in form.facts}
    facts = [(names.get(k, Text(zh=k, en=k)), v) for k, v in record.facts.items()]
    zh = "，".join([f"{word.zh}：{record.reason}", *(f"{n.zh} {v}" for n, v in facts)])
    en = ", ".join([f"{word.en}: {record.reason}", *(f"{n.en} {v}" for n, v in facts)])
    return Text(
        zh=f"#{record.number} {zh}（{record.author}）",
        en=f"#{record.number} {en} ({record.author})",
    )


def marks_table(made: StackYear) -> Table | None:
    """Marks of persons, and those of the instrument that lasted; with evidence and judgement."""
    shown_min = SHOWN_MIN if len(made.hours.days) <= A_MONTH else LONG_MIN
    listed = [
        mark
        for mark in made.hours.marks
        if mark.number != AUTOMATIC or mark.end_ns - mark.start_ns >= shown_min * MINUTE_NS
    ]
    rows = [_mark_row(mark) for mark in sorted(listed, key=lambda m: (m.start_ns, m.number))]
    rows += [_control_row(mark) for mark in made.hours.out_of_control]
    if not rows and not made.hours.marks:
        return None
    return Table(
        id=f"marks-{made.stack.id}",
        title=Text(zh=f"{made.stack.id} 标记与失控时段", en=f"{made.stack.id}: marks"),
        columns=(
            column("编号", "number", width=8),
            column("标记", "mark", width=12),
            column("开始", "from", width=16),
            column("结束", "to", width=16),
            column("分钟", "minutes", "min", 0, 8),
            column("污染物", "pollutants", width=12),
            column("标记人与原因", "by whom and why", width=26),
            column("依据", "evidence", width=20),
            column("数据印证", "what the data say", width=22),
        ),
        rows=tuple(rows),
        note=_short_marks(made, listed, shown_min),
    )


def _short_marks(made: StackYear, listed: Sequence[Mark], shown_min: int) -> Text:
    """How many marks of the instrument are not listed, by kind."""
    left = [m for m in made.hours.marks if m.number == AUTOMATIC and m not in listed]
    counts: dict[str, list[int]] = {}
    for mark in left:
        counts.setdefault(mark.kind, []).append((mark.end_ns - mark.start_ns) // MINUTE_NS)
    parts = [
        Text(
            zh=f"{MARKS[kind].zh} {len(minutes)} 段 {sum(minutes)} 分钟",
            en=f"{MARKS[kind].en} {len(minutes)} times, {sum(minutes)} min",
        )
        for kind, minutes in sorted(counts.items())
    ]
    told = both(parts) if parts else _NOTHING
    return Text(
        zh="人工标记优先于自动标记；原始数据不变。"
        f"不足 {shown_min} 分钟而未列出的自动标记：{told.zh}。",
        en="A person's mark goes before that of the instrument; the originals stay. Automatic "
        f"marks shorter than {shown_min} min, not listed: {told.en}.",
    )


def _mark_row(mark: Mark) -> tuple[Cell, ...]:
    automatic = mark.number == AUTOMATIC
    verdict: Text | str = "—" if automatic else _verdict(mark)
    return (
        "—" if automatic else f"#{mark.number}",
        MARKS.get(mark.kind, Text(zh=mark.kind, en=mark.kind)),
        *_span(mark.start_ns, mark.end_ns),
        maybe((mark.end_ns - mark.start_ns) // MINUTE_NS),
        _names(mark.pollutants),
        BY_ITSELF if automatic else _why(mark),
        "、".join(mark.evidence) or "—",
        verdict,
    )


def _why(mark: Mark) -> Text:
    return Text(zh=f"{mark.author}：{mark.reason}", en=f"{mark.author}: {mark.reason}")


def _control_row(mark: Mark) -> tuple[Cell, ...]:
    return (
        f"#{mark.number}" if mark.number else "—",
        MARKS["out_of_control"],
        *_span(mark.start_ns, mark.end_ns),
        maybe((mark.end_ns - mark.start_ns) // MINUTE_NS),
        _names(mark.pollutants),
        mark.says or "—",
        "—",
        "—",
    )


def _names(pollutants: Sequence[str]) -> Text:
    if not pollutants:
        return Text(zh="全部", en="all")
    return both([label_of(name) for name in pollutants])
