"""A trace as an indented text for people."""

from collections.abc import Iterator
from typing import Any, Final

from drivers.language import language, say
from reports.citations import OverlayUse
from reports.render.labels import unit_text
from reports.rules.listing import CONFIRMED_TEXT

Node = dict[str, Any]
HOUR_S: Final = 3600
TIMES: Final = {"h": "小时", "min": "分钟", "s": "秒", "d": "日"}


def trace_text(node: Node) -> str:
    """The whole tree."""
    return "\n".join(_line(node, 0))


def window_text(window: Node) -> str:
    """One window with its registers and batch."""
    return "\n".join(_register(window, say("窗口", "window"), ""))


def _value(node: Node) -> str:
    value = node.get("value")
    shown = say("缺数据", "missing") if value is None else f"{value:,.10g}"
    return f"{shown} {_unit(node.get('unit', ''))}".rstrip()


def _unit(unit: str) -> str:
    """As people write it; times in words where that is Chinese."""
    spelled = unit_text(unit, language())
    return say(TIMES.get(unit, spelled), spelled)


def _line(node: Node, depth: int) -> Iterator[str]:
    pad = "  " * depth
    label = node["label"]
    yield f"{pad}{say(label['zh'], label['en'])} = {_value(node)}   [{node['line']}]"
    if "formula" in node:
        good = {True: say("复算一致", "recomputed"), False: say("复算不符", "DIFFERS"), None: ""}
        name = f" [{node['formula']['name']}]" if node["formula"]["name"] else ""
        told = good[node.get("recomputed")]
        yield f"{pad}  {node['formula']['equation']}{name}   {told}".rstrip()
    for text in node.get("missing", ()):
        yield f"{pad}  ! {say(text['zh'], text['en'])}"
    for text in node.get("notes", ()):
        yield f"{pad}  {say(text['zh'], text['en'])}"
    for given in node["inputs"]:
        yield from _input(given, depth + 1)


def _input(given: Node, depth: int) -> Iterator[str]:
    pad = "  " * depth
    if "line" in given:
        yield from _line(given, depth)
    elif "entry" in given:
        yield from _entry(given["entry"], pad)
    elif "legal" in given:
        yield from _legal(given, pad)
    elif "meter" in given:
        yield from _meter(given["meter"], pad)
    else:
        yield f"{pad}{given['name']} = {_value(given)}   [{given.get('ref', '')}]"


def _entry(entry: Node, pad: str) -> Iterator[str]:
    label = entry["label"]
    yield (
        f"{pad}{say('录入第', 'entry')} {entry['number']} {say('条', '')} "
        f"{say(label['zh'], label['en'])} {entry['line']} {entry['period']} = "
        f"{entry['value']} {entry['unit']}"
    )
    yield f"{pad}  {entry['author']}  {entry['time']}  {entry['reason']}"
    for key in ("source", "document"):
        if key in entry:
            row = f" {say('第', 'row')} {entry['row']} {say('行', '')}" if key == "source" else ""
            yield f"{pad}  {entry[key]['name']}{row}  sha256 {entry[key]['sha256']}"


def _legal(given: Node, pad: str) -> Iterator[str]:
    legal = given["legal"]
    label = legal["label"]
    rule = legal["value"]  # a rule that is a name has no number to go into a formula
    shown = rule if isinstance(rule, str) else _value(given)
    confirmed = CONFIRMED_TEXT[legal["confirmed"]].of(language())
    yield f"{pad}{say(label['zh'], label['en'])} = {shown}   [{confirmed}]"
    yield f"{pad}  {legal['source']['title']}  {legal['locator']}"
    since = say(f"自 {legal['applies_from']} 起", f"from {legal['applies_from']} on")
    yield f"{pad}  {legal['pack']} {since}  sha256 {legal.get('pack_sha256', '')}"
    yield f"{pad}  {say(legal['seen_zh'] or legal['seen'], legal['seen'])}"
    if checked := legal.get("overlay"):
        text = OverlayUse.model_validate(checked).text
        yield f"{pad}  {say(text.zh, text.en)}"


def _meter(meter: Node, pad: str) -> Iterator[str]:
    total = say("未知", "unknown") if meter["total"] is None else f"{meter['total']:,.10g}"
    windows = say(f"{meter['windows']} 个窗口", f"{meter['windows']} windows")
    unit = _unit(meter["unit"])
    if meter["gauge"]:
        covered = say(f"覆盖 {meter['coverage']:.2%}", f"{meter['coverage']:.2%} covered")
        shown = f" [{unit}]" if unit else ""
        yield f"{pad}{meter['id']}{shown}  ({windows}{say('，', ', ')}{covered})"
    else:
        yield f"{pad}{meter['id']} = {total} {unit}  ({windows})"
    for gap in meter["gaps"]:
        amount = say("未知", "unknown") if gap["amount"] is None else f"{gap['amount']:,.10g}"
        yield f"{pad}  {say('缺口', 'gap')} {gap['start']} - {gap['end']} {gap['reason']}: {amount}"
    for event in meter["events"]:
        yield f"{pad}  {event['start']} {event['kind']}: {event['text']}"
    for batch in meter["batches"]:
        yield (
            f"{pad}  {say('批次', 'batches')} {batch['gateway']} {batch['log']} "
            f"{batch['first_seq']}-{batch['last_seq']} ({batch['batches']})"
        )
    yield from _certificates(meter, f"{pad}  ")
    for key, name in (("begin", say("期初表底", "begin")), ("end", say("期末表底", "end"))):
        if meter[key] is not None:
            yield from _register(meter[key], name, f"{pad}  ")
    if "window" in meter:
        if meter["window"].get("window_s") == HOUR_S:
            told = say(
                "库中为小时数据；所问时刻在这一小时内", "kept by the hour; the hour asked for"
            )
            yield f"{pad}  {told}"
        yield from _register(meter["window"], say("窗口", "window"), f"{pad}  ")


def _certificates(meter: Node, pad: str) -> Iterator[str]:
    known = meter.get("certificates")
    if known is not None and not known and not meter["gauge"]:  # those of a CEMS: the journal
        yield f"{pad}! {say('台账中没有覆盖该期间的检定/校准证书', 'no calibration certificate')}"
    for each in known or ():
        state = say("合格", "passed") if each["passed"] else say("不合格", "FAILED")
        yield (
            f"{pad}{say('检定/校准证书', 'certificate')} {each['number']} {each['body']} "
            f"{each['calibrated']} - {each['valid_until']} {state} "
            f"[{each['instrument']} {each['serial']}] {say('录入第', 'entry')} {each['entry']}"
        )


def inclusion_text(node: Node) -> str:
    """One line about the checkpoint a batch is under."""
    if node["holds"] is None:
        return say(f"检查点：{node['problem']}", f"checkpoint: {node['problem']}")
    if not node["holds"]:
        return say(f"检查点不符：{node['problem']}", f"checkpoint: NO: {node['problem']}")
    return say(
        f"包含于 {node['checkpoint']} 批次的检查点，{node['witness']} 于 {node['cosigned']} 会签",
        f"under the checkpoint of {node['checkpoint']} batches, cosigned {node['cosigned']} by "
        f"{node['witness']}",
    )


def _register(register: Node, name: str, pad: str) -> Iterator[str]:
    last = "-" if register["last"] is None else f"{register['last']:,.10g}"
    yield f"{pad}{name} {register['time']}  {last}"
    if "problem" in register:
        yield f"{pad}  ! {register['problem']}"
        return
    if "stamped" in register:
        told = say("网关未对时，原始时间", "the gateway's clock was not set; stamped")
        yield f"{pad}  {told} {register['stamped']}"
    words = " ".join(str(word) for word in register["registers"])
    raw = f"0x{register['raw']} = {words}" if register["raw"] else say("没有保存", "not kept")
    yield f"{pad}  {say('寄存器', 'registers')} {raw}"
    yield f"{pad}  {register['line_protocol']}"
    chain = {
        True: say("链完整", "chained"),
        False: say("链断", "BROKEN"),
        None: say("末批", "newest"),
    }
    good = say("一致", "verified") if register["verified"] else say("不一致", "DIFFERS")
    yield (
        f"{pad}  {register['gateway']} {register['log']} {say('批次', 'batch')} {register['seq']}  "
        f"sha256 {register['digest']}  {chain[register['chained']]}  {good}"
    )
    if register.get("inclusion") is not None:
        yield f"{pad}  {inclusion_text(register['inclusion'])}"
    yield f"{pad}  {register['file']} @{register['offset']}"
