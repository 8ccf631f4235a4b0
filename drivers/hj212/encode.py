"""Segment → bytes, strictly: what would be reported on receipt is refused on sending."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

from drivers.hj212.crc import crc16, crc_text
from drivers.hj212.frame import decode_frame
from drivers.hj212.head import PARTS_MOST, PARTS_MOST_BEFORE
from drivers.hj212.parse import BODY_MOST, SEGMENT_MOST
from drivers.hj212.segment import (
    NUMBERED,
    Field,
    Item,
    Segment,
    body_text,
    flag_of,
    moment,
    qn_of,
)
from drivers.hj212.sm4 import encrypt_body
from drivers.language import say

# Defects that an answer may repeat: it must call the device what the device calls itself.
ECHOED = frozenset({"qn_form", "qn_missing", "pw_form", "pw_missing", "mn_form", "mn_missing"})


class EncodeError(ValueError):
    """A segment that may not be sent; ``problems``: every reason."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def encode(
    segment: Segment, *, key: bytes | None = None, tolerate: Collection[str] = frozenset()
) -> bytes:
    """
    The packet, from ``##`` to CR LF; with a key the body is encrypted (2025).

    Raises EncodeError, unless every defect is one of ``tolerate`` (``ECHOED`` for answers).
    """
    plain = segment.text.encode("utf-8", "replace")
    problems = _problems(segment, plain, tolerate)
    if key is not None and segment.version != 2025:
        problems.append(
            say("只有 2025 版（Flag 8~11）才可加密", "only 2025 (Flag 8 to 11) can be encrypted")
        )
    if problems:
        raise EncodeError(problems)
    return packet(plain, key=key)


def packet(plain: bytes, *, key: bytes | None = None) -> bytes:
    """Length, sum and CR LF around a data segment, nothing being checked."""
    if len(plain) > 9999:
        told = say("数据段超过 9999 字节", "a segment of more than 9999 bytes")
        raise EncodeError([told])
    wire = plain
    if key is not None and (start := plain.find(b"CP=&&") + 5) >= 5:
        wire = plain[:start] + encrypt_body(plain[start:-2], key) + plain[-2:]
    return b"##%04d%b%b\r\n" % (len(plain), wire, crc_text(crc16(plain)).encode())


def _problems(segment: Segment, plain: bytes, tolerate: Collection[str]) -> list[str]:
    if len(plain) > 9999:
        return [say("数据段超过 9999 字节", "a segment of more than 9999 bytes")]
    frame = decode_frame(packet(plain))
    found = [
        each.text
        for each in frame.defects
        if each.severity != "remark" and each.code not in tolerate
    ]
    if not found and frame.segment != segment:
        found.append(
            say(
                "字段名或内容含有分隔符（; , = &&），对方会读成别的内容",
                "a name or value holds a separator (; , = &&): it would be read otherwise",
            )
        )
    return found


def answer(
    to: Segment, cn: str, *, qn_rtn: int | None = None, exe_rtn: int | None = None
) -> Segment:
    """
    9011 (QnRtn), 9012 (ExeRtn), 9013, 9014 to a message: its QN, PW, MN; ST=91, no answer wanted.

    Send it with ``encode(…, tolerate=ECHOED)``.
    """
    items: list[Item] = []
    if qn_rtn is not None:
        items.append((Field("QnRtn", str(qn_rtn)),))
    if exe_rtn is not None:
        items.append((Field("ExeRtn", str(exe_rtn)),))
    flag = flag_of(2025 if to.version == 2025 else 2017)
    return Segment(to.qn, "91", cn, to.pw, to.mn, flag, tuple(items))


def split(segment: Segment, qn: datetime | None = None) -> list[Segment]:
    """
    The segment in parts that fit (body 950, segment 1024), items kept whole, DataTime in each.

    Each part has its own QN: ``qn`` (default: the segment's), and one ms more each. What fits comes
    back as it is. Raises EncodeError when one item alone is too long, or for more than 9 parts
    (2025: PNUM has one digit).
    """
    text = segment.text.encode()
    if len(text) <= SEGMENT_MOST and len(segment.cp_text.encode()) <= BODY_MOST:
        return [segment]
    most = PARTS_MOST.get(segment.version or 0, PARTS_MOST_BEFORE)
    head = len(replace(segment, cp=(), pnum=most, pno=most).text.encode())
    groups = _groups(segment.cp, min(BODY_MOST, SEGMENT_MOST - head))
    if len(groups) > most:
        raise EncodeError(
            [
                say(
                    f"需要 {len(groups)} 个分包，最多 {most} 个；请减少因子",
                    f"{len(groups)} parts are needed, {most} are allowed: send fewer factors",
                )
            ]
        )
    first = qn or moment(segment.qn)
    if first is None:
        raise EncodeError([say(f"QN 不是时间：{segment.qn}", f"QN is no time: {segment.qn}")])
    return [
        replace(
            segment,
            qn=qn_of(first + timedelta(milliseconds=number)),
            flag=(segment.flag or 0) | NUMBERED,
            pnum=len(groups),
            pno=number + 1,
            cp=tuple(items),
        )
        for number, items in enumerate(groups)
    ]


def _groups(items: tuple[Item, ...], room: int) -> list[list[Item]]:
    times = [item for item in items if item[0].name == "DataTime"]
    start = len(body_text(tuple(times)).encode())
    groups: list[list[Item]] = []
    used = room + 1
    for item in items:
        if item in times:
            continue
        size = len(body_text((item,)).encode()) + 1  # with its semicolon
        if start + size > room + (0 if times else 1):
            name = item[0].name
            raise EncodeError(
                [say(f"项目 {name} 太长，无法分包", f"item {name} is too long for any packet")]
            )
        if used + size > room:
            groups.append(list(times))
            used = start - (0 if times else 1)
        groups[-1].append(item)
        used += size
    return groups
