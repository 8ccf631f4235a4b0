"""Entries and previews of an import as lines for a terminal."""

from collections.abc import Iterator

from drivers.language import plural, say
from reports.entries.importing import Preview, Proposal, Status
from reports.entries.kinds import find_kind
from reports.entries.ledger import Entry, Figure
from reports.entries.table import TableRow, place
from reports.periods import PLANT_TIME

_SIGNS = {Status.NEW: "+", Status.SAME: "=", Status.DIFFERS: "~", Status.AGAIN: "^"}
_UNFILLED_NAMED = 8


def entry_text(entry: Entry, *, counts: bool) -> str:
    """One entry on a line."""
    figure = entry.figure
    parts = [
        f"{entry.number:>5}  {_what(figure)}  {_value(figure)}",
        f"{entry.author} {entry.time.astimezone(PLANT_TIME):%Y-%m-%d %H:%M}",
        entry.reason,
    ]
    if figure.voucher:
        parts.append(say(f"凭证 {figure.voucher}", f"voucher {figure.voucher}"))
    if figure.document is not None:
        name, short = figure.document.name, figure.document.sha256[:12]
        parts.append(say(f"文件 {name} {short}", f"document {name} {short}"))
    parts += [f"{_fact(figure, name)} {text}" for name, text in figure.more]
    if entry.revises:
        parts.append(say(f"修订第 {entry.revises} 条", f"revises {entry.revises}"))
    if not counts:
        parts.append(say("不计入", "does not count"))
    return "  |  ".join(parts)


def _what(figure: Figure) -> str:
    kind = figure.kind
    item = kind.item_name(figure.item)
    return "  ".join(
        part
        for part in (
            str(figure.period),
            figure.line,
            say(kind.zh, kind.id),
            say(item.zh, figure.item),
        )
        if part
    )


def _fact(figure: Figure, name: str) -> str:
    fact = next((fact for fact in figure.kind.facts if fact.id == name), None)
    return name if fact is None else say(fact.zh, fact.en)


def _value(figure: Figure) -> str:
    if figure.value is None:
        return say("撤回", "withdrawn")
    return f"{figure.value:f} {figure.unit}"


def preview_text(preview: Preview) -> str:
    """What an import would do, row by row, and a count of each."""
    lines = [
        say(
            f"{preview.source.name}：+ 新增  = 不变  ~ 与台账不同（修订）  ^ 撤回后重新录入",
            f"{preview.source.name}: + new  = there already  ~ differs (revision)  "
            "^ again after a withdrawal",
        ),
        *(_row(each) for each in preview.proposals),
        *_left_out(preview),
        _counts(preview),
    ]
    return "\n".join(lines)


def _row(proposal: Proposal) -> str:
    figure, entry = proposal.figure, proposal.entry
    value = _value(figure)
    if proposal.status is Status.DIFFERS and entry is not None:
        number = say(f"第 {entry.number} 条", f"entry {entry.number}")
        value = f"{_value(entry.figure)} ({number}) → {value}"
        beside = [
            f"{name}: {old or '—'} → {new}"
            for name, old, new in _beside(entry.figure, figure)
            if new and new != old
        ]
        value = "  ".join((value, *beside))
    where = place(figure.sheet, figure.row)
    return f"  {_SIGNS[proposal.status]}  {_what(figure)}  {value}  [{where}]"


def _beside(old: Figure, new: Figure) -> Iterator[tuple[str, str, str]]:
    yield say("凭证编号", "voucher"), old.voucher, new.voucher
    yield say("说明", "note"), old.note, new.note
    documents = ["" if each.document is None else each.document.name for each in (old, new)]
    yield say("凭证文件", "document"), documents[0], documents[1]
    for fact in new.kind.facts:
        yield say(fact.zh, fact.en), old.fact(fact.id), new.fact(fact.id)


def _left_out(preview: Preview) -> Iterator[str]:
    if preview.unfilled:
        named = "; ".join(_asked(row) for row in preview.unfilled[:_UNFILLED_NAMED])
        more = " …" if len(preview.unfilled) > _UNFILLED_NAMED else ""
        count = len(preview.unfilled)
        yield say(
            f"模板中 {count} 行未填，不导入（空白不等于零）：{named}{more}",
            f"{count} row{plural(count)} of the template not filled in, left out (empty is not "
            f"zero): {named}{more}",
        )
    if preview.ignored:
        names = ", ".join(preview.ignored)
        yield say(f"未读取的工作表（没有表头）：{names}", f"sheets left out, no header: {names}")


def _asked(row: TableRow) -> str:
    """What the row asked for."""
    kind = find_kind(row.cells.get("kind", ""))
    texts = [row.cells.get(name, "") for name in ("line", "item", "period")]
    name = row.where if kind is None else say(kind.zh, kind.id)
    return " ".join(text for text in (name, *texts) if text)


def _counts(preview: Preview) -> str:
    new, same, differs, again = (len(preview.of(status)) for status in Status)
    return say(
        f"新增 {new}，不变 {same}，修订 {differs}，撤回后重填 {again}",
        f"new {new}, there already {same}, revisions {differs}, again {again}",
    )
