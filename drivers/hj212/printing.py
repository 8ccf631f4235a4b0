"""A frame as an engineer reads it: head, one line a factor with names and units, what is wrong."""

from collections import Counter

from rich.cells import cell_len

from drivers.hj212.codes import answers, commands, data_flags, results, systems
from drivers.hj212.factors import find_factor, suffixes
from drivers.hj212.frame import Frame
from drivers.hj212.segment import moment
from drivers.hj212.values import Value
from drivers.language import plural, say

_MARKS = {"broken": "✗", "form": "!", "remark": "·"}
_CODED = {"QnRtn": answers, "ExeRtn": results}


def frame_lines(frame: Frame, number: int) -> list[str]:
    """The lines of one frame."""
    return [_title(frame, number), *_head(frame), *_fields(frame), *_table(frame), *_defects(frame)]


def defect_lines(frame: Frame, number: int) -> list[str]:
    """Title and defects only."""
    return [_title(frame, number), *_defects(frame)]


def _title(frame: Frame, number: int) -> str:
    segment = frame.segment
    command = commands().get(segment.cn)
    name = say("未知命令", "unknown command") if command is None else command.name
    version = segment.version
    norm = {None: "HJ 212", 2005: "HJ/T 212-2005"}.get(version, f"HJ 212-{version}")
    verdict = say("正确", "good") if frame.ok else say("不可信", "not to be trusted")
    if frame.ok and not frame.clean:
        verdict = say("正确，格式有问题", "good, form is not")
    cipher = say("  SM4 加密", "  SM4") if frame.encrypted else ""
    place = say(f"第 {number} 帧  字节 {frame.at}", f"frame {number}  byte {frame.at}")
    return f"{place}  {segment.cn or '????'} {name}  {norm}{cipher}  {verdict}"


def _head(frame: Frame) -> list[str]:
    segment = frame.segment
    system = systems().get(segment.st)
    flags = []
    if segment.wants_answer:
        flags.append(say("需应答", "wants an answer"))
    if segment.pnum is not None:
        part = f"{segment.pno}/{segment.pnum}"
        flags.append(say(f"分包 {part}", f"part {part}"))
    if segment.rf:
        flags.append(say("补传", "backfilled"))
    pieces = [
        f"MN {segment.mn or '—'}",
        f"QN {_time(segment.qn)}",
        f"ST {segment.st or '—'}" + ("" if system is None else f" {system.name}"),
        f"PW {segment.pw or '—'}",
        f"Flag {'—' if segment.flag is None else segment.flag}"
        + (f" ({', '.join(flags)})" if flags else ""),
        f"CRC {frame.crc or '—'}",
    ]
    return ["  " + "  ".join(pieces)]


def _time(text: str) -> str:
    when = moment(text)
    if when is None:
        return text or "—"
    return f"{when:%Y-%m-%d %H:%M:%S}" + (f".{text[14:]}" if len(text) == 17 else "")


def _fields(frame: Frame) -> list[str]:
    lines = []
    for field in frame.segment.fields():
        if "-" in field.name or field.value is None or not field.name:
            continue
        value = _time(field.value) if field.name.endswith("Time") else field.value
        table = _CODED.get(field.name)
        meaning = None if table is None else table().get(field.value)
        lines.append(f"  {field.name} = {value}" + ("" if meaning is None else f" {meaning.name}"))
    return lines


def _table(frame: Frame) -> list[str]:
    rows: list[list[str]] = []
    of_factor: dict[str, list[Value]] = {}
    for value in frame.values:
        of_factor.setdefault(value.factor, []).append(value)
    for factor, values in of_factor.items():
        meaning = find_factor(factor)
        flag = values[0].flag
        flag_name = data_flags()[flag].name if flag in data_flags() else ""
        rows.append(
            [
                factor,
                "" if meaning is None else meaning.name,
                "  ".join(_shown(value) for value in values),
                f"{flag} {flag_name}".strip(),
            ]
        )
    widths = [max((cell_len(row[i]) for row in rows), default=0) for i in range(3)]
    return ["    " + _padded(row, widths) for row in rows]


def _shown(value: Value) -> str:
    """``Avg 12.30 mg/m3``; for a coded state its word."""
    factor, kind = find_factor(value.factor), suffixes().get(value.suffix)
    text = value.text or "—"
    if value.not_calculable:
        return f"{value.suffix} {say('无法计算', 'not calculable')} ({text})"
    states = None if factor is None else factor.states
    number = value.number
    if states and number is not None and number.is_integer() and int(number) in states:
        zh, en = states[int(number)]
        return f"{value.suffix} {text} {say(zh, en)}"
    unit = f" {value.unit}" if value.unit and kind is not None and value.text else ""
    return f"{value.suffix} {text}{unit}"


def _padded(row: list[str], widths: list[int]) -> str:
    cells = [
        cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=False)
    ]
    return "  ".join([*cells, *row[len(widths) :]]).rstrip()


def _defects(frame: Frame) -> list[str]:
    """Each kind once, with how many more of it there are: nine old codes are one finding."""
    byte = say("字节", "byte")
    counts = Counter(each.code for each in frame.defects)
    first = {each.code: each for each in reversed(frame.defects)}
    lines = []
    for each in frame.defects:
        if first[each.code] is not each:
            continue
        more = counts[each.code] - 1
        others = say(f"（另有 {more} 处同类）", f" ({more} more of this kind)") if more else ""
        lines.append(
            f"  {_MARKS[each.severity]} {each.text}{others}  [{each.code}, {byte} {each.at}]"
        )
    return lines


def summary(frames: int, bad: int, dirty: int, noise: int) -> str:
    """One line about a file."""
    good = frames - bad
    zh = f"共 {frames} 帧：正确 {good}（其中格式有问题 {dirty}），错误 {bad}；帧外字节 {noise}"
    en = (
        f"{frames} frame{plural(frames)}: {good} good ({dirty} of them against the form), "
        f"{bad} bad; {noise} byte{plural(noise)} outside of frames"
    )
    return say(zh, en)
