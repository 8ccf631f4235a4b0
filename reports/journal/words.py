"""Records of the journal as lines for a terminal."""

from collections.abc import Iterator

from drivers.language import plural, say
from reports.journal.forms import FORMS, As, word_name
from reports.journal.importing import Proposed
from reports.journal.journal import Journal
from reports.journal.record import MINUTE_NS, Evidence, Judgement, Kind, Record, minute_text

_SHORT = 12  # digits of a digest that are shown
_JUDGED = {
    Judgement.SUPPORTED: ("数据曲线支持", "the trace supports it"),
    Judgement.CONTRADICTED: (
        "与数据曲线矛盾，不作为豁免",
        "CONTRADICTED by the trace, excuses nothing",
    ),
    Judgement.NOT_TOLD: ("数据曲线无法判断", "the trace does not tell"),
}
_OWN_WORDS = "judgement"  # facts that begin so: the verdict has a line of its own
_RESULTS = {
    "pass": ("合格", "pass"),
    "fail": ("不合格", "fail"),
    "yes": ("是", "yes"),
    "no": ("否", "no"),
    "ra": ("相对准确度", "relative accuracy"),
    "re": ("相对误差", "relative error"),
    "error": ("平均误差", "mean difference"),
}
_COMPUTED = {
    "zero_drift": ("零点漂移 %FS", "zero drift % FS"),
    "span_drift": ("跨度漂移 %FS", "span drift % FS"),
    "out_of_control": ("失控", "out of control"),
    "no_trace": ("未附数据曲线", "no trace"),
    "mean_reference": ("参比均值", "mean of the reference"),
    "mean_cems": ("CEMS 均值", "mean of the CEMS"),
    "relative_accuracy": ("相对准确度 %", "relative accuracy %"),
    "relative_error": ("相对误差 %", "relative error %"),
    "measure": ("判定指标", "judged by"),
    "after": ("校后", "after adjusting"),
}


def moment_text(time_ns: int) -> str:
    """``2026-03-05 08:00`` of plant time."""
    return minute_text(time_ns)[:16].replace("T", " ")


def record_text(record: Record, journal: Journal | None = None) -> str:
    """One record on a line; of a mark the second line says what the trace shows."""
    number = f"{record.number:>5}" if record.number else "    +"
    parts = [f"{number}  {_head(record)}", record.reason, _people(record)]
    parts += [_evidence(each) for each in record.evidence]
    if record.withdraws is not None:
        parts.append(say(f"撤回第 {record.withdraws} 条", f"withdraws {record.withdraws}"))
    gone = None if journal is None else journal.withdrawn.get(record.number)
    if gone is not None:
        parts.append(
            say(
                f"已由第 {gone.number} 条撤回，不计入",
                f"withdrawn by {gone.number}, does not count",
            )
        )
    facts = say("，", ", ").join(_facts(record))
    more = f"\n       {facts}" if facts else ""
    return "  |  ".join([part for part in parts if part]) + more + _verdict(record)


def _head(record: Record) -> str:
    form, word = FORMS[record.kind], word_name(record.kind, record.what)
    lasting = say("至今", "still") if record.kind == "alert" else ""
    end = lasting if record.end_ns is None else moment_text(record.end_ns)
    parts = (
        say(form.name.zh, record.kind),
        say(word.zh, record.what),
        record.equipment,
        ",".join(record.pollutants),
        moment_text(record.start_ns) + (f" – {end}" if end else ""),
    )
    return "  ".join(part for part in parts if part)


def _people(record: Record) -> str:
    at = f"{record.at:%Y-%m-%d %H:%M}"
    second = record.confirmed_by
    return f"{record.author} {at}" + (
        say(f"，{second} 确认", f", confirmed by {second}") if second else ""
    )


def _facts(record: Record) -> Iterator[str]:
    """In the order of the form, then what was computed."""
    form = {fact.id: fact for fact in FORMS[record.kind].facts}
    for name in dict.fromkeys((*form, *record.facts)):
        text = record.facts.get(name, "")
        if not text or name.startswith(_OWN_WORDS):
            continue
        if name in form and form[name].how is As.MOMENT:
            text = text[:16].replace("T", " ")
        yield f"{fact_name(record.kind, name)} {fact_text(text)}"


def fact_name(kind: Kind, name: str) -> str:
    """What a fact of that kind is called, one that was typed or one that was computed."""
    for fact in FORMS[kind].facts:
        if fact.id == name:
            return say(fact.zh, fact.en)
    return say(*_COMPUTED.get(name, (name, name)))


def fact_text(text: str) -> str:
    """A fact as a person reads it: ``pass`` is 合格."""
    return say(*_RESULTS.get(text, (text, text)))


def _evidence(evidence: Evidence) -> str:
    short = evidence.sha256[:_SHORT]
    if evidence.kind == "document":
        return say(f"证据 {evidence.name} {short}", f"evidence {evidence.name} {short}")
    return say(f"数据曲线 {evidence.name} {short}", f"trace {evidence.name} {short}")


def _verdict(record: Record) -> str:
    if record.kind != "mark" or record.withdraws is not None:
        return ""
    says = say(record.facts.get("judgement_zh", ""), record.facts.get("judgement_en", ""))
    judged = say(*_JUDGED[record.judgement])
    return f"\n       → {judged}" + (say("：", ": ") + says if says else "") + _reach(record)


def _reach(record: Record) -> str:
    """What a mark does not excuse, though it is not contradicted."""
    if record.judgement is Judgement.CONTRADICTED:
        return ""
    if not record.excuses:
        return say(
            "；无另一人确认（--confirmed-by），不作为豁免",
            "; excuses nothing until a second person confirms it (--confirmed-by)",
        )
    minutes = sum(after - first for first, after in record.usual) // MINUTE_NS
    if not minutes:
        return ""
    return say(
        f"；其中运行正常的 {minutes} 分钟不作为豁免",
        f"; the {minutes} minutes that ran as usual are not excused",
    )


def proposed_text(proposed: Proposed) -> str:
    """What an import would add, and a count."""
    new, same = len(proposed.records), len(proposed.same)
    lines = [record_text(record) for record in proposed.records]
    lines.append(
        say(
            f"新增 {new} 条，已有 {same} 条",
            f"{new} new record{plural(new)}, {same} there already",
        )
    )
    wrong = [
        x for x in proposed.records if x.kind == "mark" and x.judgement is Judgement.CONTRADICTED
    ]
    if wrong:
        lines.append(
            say(
                f"其中 {len(wrong)} 条标记与数据曲线矛盾：将如实记录，但不作为豁免。"
                "虚假标记按篡改、伪造监测数据处理。",
                f"{len(wrong)} mark{plural(len(wrong))} contradicted by the trace: kept and shown, "
                "but no hour is excused. A false mark is treated as tampering.",
            )
        )
    return "\n".join(lines)
