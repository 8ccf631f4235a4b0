"""Where a figure comes from: a line of a report or draft, and each thing that it stands on."""

from decimal import Decimal
from typing import Any, Final

from drivers.language import language, say
from drivers.quantities import quantities
from reports.citations import EntryUse, LegalUse, MeterUse
from reports.console.figures.evidence_files import Asked, Source, UnknownError, named_in, source
from reports.console.figures.evidence_formula import formula, symbols
from reports.console.office import Office
from reports.model import Input, Line
from reports.render.items import changed, legal_value, shown
from reports.render.labels import (
    CONFIRMED,
    EVENTS,
    HOW,
    REASONS,
    exact_text,
    item_text,
    label,
    more_text,
    rounded_text,
    unit_text,
)
from reports.render.marks import MEANING, marks
from reports.rules.places import place_text
from reports.words import number_text, short_text

Node = dict[str, Any]
STATES: Final = {"official": "good", "site": "good", "secondary": "warn", "unverified": "bad"}
USERS_MOST: Final = 40


def figure(office: Office, *, asked: Node, kind: str, ref: str) -> Node:
    """
    One thing of a report or draft: ``kind`` line, entry, legal, meter or site, and its id.

    ``unknown`` says that there is none. Raises ConfigError for a file that cannot be read.
    """
    try:
        found = source(office, Asked(**asked))
        node = _KINDS[kind](office, found, ref)
    except UnknownError as error:
        return {"unknown": str(error)}
    shared = {"kind": kind, "ref": ref, "source": found.node(), "asked": found.asked.names()}
    return shared | node


def _none(found: Source, what: str, ref: str) -> UnknownError:
    name = f"{found.content.report} {found.content.period.name}"
    return UnknownError(say(f"{name} 中没有{what} {ref}", f"{name} has no {what} {ref}"))


# --- a line


def _line(_: Office, found: Source, ref: str) -> Node:
    content, lang = found.content, language()
    try:
        line = content.line(ref)
    except KeyError:
        raise _none(found, say("这一行", "line"), ref) from None
    named, signs = named_in(found.content), marks(content)
    return {
        "title": named[line.id],
        "value": line.value,
        "shown": rounded_text(line),
        "exact": exact_text(line.value),
        "unit": unit_text(line.unit, lang),
        "how": {"code": line.how.value, "text": HOW[line.how].of(lang)},
        "signs": [{"sign": x, "text": MEANING[x].of(lang)} for x in signs[line.id]],
        "formula": formula(line),
        "inputs": _inputs(found, line, named),
        "coverage": None
        if line.coverage is None
        else {"share": line.coverage.share, "text": line.coverage.text.of(lang)},
        "substituted": line.substituted,
        "method": line.method,
        "missing": [text.of(lang) for text in line.missing],
        "notes": [text.of(lang) for text in line.notes],
        "doubts": [each.text.of(lang) for each in content.warnings if each.line == line.id],
        "sum_of_rounded": ""
        if line.sum_of_rounded is None
        else number_text(line.sum_of_rounded, line.decimals),
        "changes": _changes(found, line.id, named),
        "users": _users(found, "line", line.id, named),
    }


def _changes(found: Source, ref: str, named: dict[str, str]) -> list[Node]:
    """How this version's figure differs from the one before."""
    told = () if found.report is None else found.report.changes
    return [
        {
            "name": changed(each, named, language()),
            "before": shown(each.before, language()),
            "after": shown(each.after, language()),
            "why": "" if each.why is None else each.why.of(language()),
        }
        for each in told
        if each.ref == ref
    ]


def _inputs(found: Source, line: Line, named: dict[str, str]) -> list[Node]:
    legals = {each.id: each for each in found.content.legals}
    entries = {str(each.number): each for each in found.content.entries}
    meters = {each.id: each for each in found.content.meters}
    signs = symbols(line)
    return [_input(given, signs, named, legals, entries, meters) for given in line.inputs]


def _input(
    given: Input,
    signs: dict[str, str],
    named: dict[str, str],
    legals: dict[str, LegalUse],
    entries: dict[str, EntryUse],
    meters: dict[str, MeterUse],
) -> Node:
    lang = language()
    node: Node = {
        "name": given.name,
        "symbol": signs.get(given.name, ""),
        "label": named.get(given.ref, given.ref),
        "kind": given.kind,
        "ref": given.ref,
        "value": given.value,
        "shown": "—" if given.value is None else exact_text(given.value),
        "unit": unit_text(given.unit, lang),
        "state": "",
        "state_text": "",
        "there": given.kind in {"line", "site"},
    }
    if given.kind == "legal" and given.ref in legals:
        legal = legals[given.ref]
        state = {
            "state": STATES[legal.confirmed],
            "state_text": CONFIRMED[legal.confirmed].of(lang),
        }
        node |= state | {"shown": legal_value(legal, lang), "unit": "", "there": True}
    elif given.kind == "entry" and given.ref in entries:
        entry = entries[given.ref]
        node |= {"label": f"{entry.label.of(lang)} {entry.period} ({node['label']})", "there": True}
    elif given.kind == "meter" and given.ref in meters:
        node |= {"label": meter_name(meters[given.ref]), "there": True}
        if meters[given.ref].is_gauge and given.value is None:
            node["shown"] = say("逐分钟数据", "minute by minute")
    return node


def _users(found: Source, kind: str, ref: str, named: dict[str, str]) -> list[Node]:
    """The lines of this report that take it."""
    taking = [
        {"id": line.id, "label": named[line.id]}
        for line in found.content.lines
        if any(given.kind == kind and given.ref == ref for given in line.inputs)
    ]
    return taking[:USERS_MOST]


# --- what a line stands on


def _entry(_: Office, found: Source, ref: str) -> Node:
    lang = language()
    entry = next((x for x in found.content.entries if str(x.number) == ref), None)
    if entry is None:
        raise _none(found, say("录入", "entry"), ref)
    documents = [
        {"what": what, "name": each.name, "sha256": each.sha256}
        for what, each in (
            (say("导入的表格", "imported table"), entry.source),
            (say("凭证", "voucher"), entry.document),
        )
        if each is not None
    ]
    place = [each for each in (entry.sheet, say(f"第 {entry.row} 行", f"row {entry.row}")) if each]
    facts = [
        (say("录入编号", "entry"), str(entry.number)),
        (say("工序或范围", "line"), entry.line),
        (say("期间", "period"), entry.period),
        (say("项目", "item"), item_text(entry.kind, entry.item, lang) if entry.item else ""),
        (say("其他", "more"), more_text(entry.more, lang) if entry.more else ""),
        (say("录入人", "entered by"), entry.author),
        (say("时间", "time"), entry.time[:16].replace("T", " ")),
        (say("理由", "reason"), entry.reason),
        (say("凭证编号", "voucher no."), entry.voucher),
        (say("表中位置", "in the table"), " ".join(place) if entry.row else ""),
        (say("修订", "revises"), "" if entry.revises is None else str(entry.revises)),
    ]
    return {
        "title": entry.label.of(lang),
        "value": entry.value,
        "shown": exact_text(entry.value),
        "exact": exact_text(entry.value),
        "unit": unit_text(entry.unit, lang),
        "facts": [{"name": name, "text": text} for name, text in facts if text],
        "documents": documents,
        "hash": entry.hash,
        "revises": entry.revises,
        "users": _users(found, "entry", ref, named_in(found.content)),
    }


def _legal(_: Office, found: Source, ref: str) -> Node:
    lang = language()
    legal = next((each for each in found.content.legals if each.id == ref), None)
    if legal is None:
        raise _none(found, say("法规参数", "legal value"), ref)
    stamped = legal.confirmed in {"secondary", "unverified"}
    return {
        "title": legal.label.of(lang),
        "value": legal.value if isinstance(legal.value, Decimal) else None,
        "shown": legal_value(legal, lang),
        "exact": str(legal.value),
        "unit": "",
        "state": STATES[legal.confirmed],
        "state_text": CONFIRMED[legal.confirmed].of(lang),
        "confirmed": legal.confirmed,
        "document": legal.source.title,
        "issuer": legal.source.issuer,
        "published": legal.source.published,
        "where": place_text(legal.source.where, lang),
        "locator": place_text(legal.locator, lang),
        "applies_from": legal.applies_from,
        "seen": legal.read.of(lang),
        "stamp": say(
            "该取值未经官方文本核实：上报前须有人打开下列文件核对",
            "not confirmed in the official text: somebody must open the text below and check "
            "before lodging",
        )
        if stamped
        else "",
        "overlay": None if legal.overlay is None else legal.overlay.model_dump(mode="json"),
        "pack": legal.pack,
        "pack_sha256": found.content.packs.get(legal.pack, ""),
        "users": _users(found, "legal", ref, named_in(found.content)),
    }


def meter_name(meter: MeterUse) -> str:
    """``line1/ac1 电能 2025-01``."""
    known = quantities().get(meter.quantity)
    what = meter.quantity if known is None else say(known.zh, known.en)
    return f"{meter.equipment} {what} {meter.id.partition('@')[2]}".rstrip()


def _meter(office: Office, found: Source, ref: str) -> Node:
    from reports.periods import Period, clock_text
    from reports.trace.certified import Certified

    meter = next((each for each in found.content.meters if each.id == ref), None)
    if meter is None:
        raise _none(found, say("计量点", "meter"), ref)
    period = Period.parse(meter.id.partition("@")[2] or found.content.period.name)
    known = meter.measured_s + meter.bridged_s
    gauge = meter.is_gauge
    return {
        "title": meter_name(meter),
        "value": None if gauge else meter.total,
        "shown": "—" if gauge else exact_text(meter.total),
        "exact": exact_text(meter.total),
        "unit": unit_text(meter.unit, language()),
        "point": f"{meter.equipment} {meter.quantity}",
        "gauge": gauge,
        "coverage": {"share": known / meter.period_s, "text": _covered(meter)},
        "windows": meter.windows,
        "doubles": meter.doubles,
        "conflicts": meter.conflicts,
        "registers": [
            {"end": end, "shown": exact_text(register.last), **register.model_dump(mode="json")}
            for end, register in (
                (say("期初表底", "register at begin"), meter.begin),
                (say("期末表底", "register at end"), meter.end),
            )
            if register is not None
        ],
        "gaps": [
            each.model_dump(mode="json")
            | {"why": _why(each.reason), "shown": exact_text(each.amount)}
            for each in meter.gaps
        ],
        "more_gaps": meter.more_gaps,
        "events": [
            each.model_dump(mode="json") | {"name": label(EVENTS, each.kind, language())}
            for each in meter.events
        ],
        "batches": [each.model_dump() for each in meter.batches],
        "certificates": Certified.of_site(office.site).behind(meter, period),
        "from_ns": period.start_ns,
        "from": clock_text(period.start_ns)[:16].replace(" ", "T"),
        "users": _users(found, "meter", ref, named_in(found.content)),
    }


def _covered(meter: MeterUse) -> str:
    parts = [
        (say("逐窗口计量", "by window"), meter.measured_s),
        (say("按表底补齐", "bridged by register"), meter.bridged_s),
        (say("未知", "unknown"), meter.unknown_s),
    ]
    whole = Decimal(meter.period_s)
    told = [f"{name} {short_text(round(x / whole * 100, 4))} %" for name, x in parts]
    return say("，", ", ").join(told)


def _why(reason: str) -> str:
    return label(REASONS, reason, language())


def _site(_: Office, found: Source, ref: str) -> Node:
    """A value of ``site.toml`` or of the journal: no source beyond what the report says of it."""
    given = next(
        (
            each
            for line in found.content.lines
            for each in line.inputs
            if each.kind == "site" and each.ref == ref
        ),
        None,
    )
    if given is None:
        raise _none(found, say("配置值", "value of the site"), ref)
    journal = ref.startswith("journal ")
    where = say("环保记录", "the journal") if journal else "site.toml"
    return {
        "title": given.name,
        "value": given.value,
        "shown": "—" if given.value is None else exact_text(given.value),
        "exact": exact_text(given.value),
        "unit": unit_text(given.unit, language()),
        "facts": [{"name": say("出处", "from"), "text": f"{where}: {ref}"}],
        "users": _users(found, "site", ref, named_in(found.content)),
    }


_KINDS: Final = {"line": _line, "entry": _entry, "legal": _legal, "meter": _meter, "site": _site}
