"""Bytes of a plain data segment → Segment and values; tolerant, never raises."""

from drivers.hj212.body import read_body
from drivers.hj212.defects import Defects
from drivers.hj212.head import Head, check_head, read_head
from drivers.hj212.segment import Field, Item, Segment, parse_body
from drivers.hj212.values import Value

SEGMENT_AT = 6  # bytes of ## and length before it
SEGMENT_MOST = 1024
BODY_MOST = 950
_OPEN, _CLOSE = "CP=&&", "&&"
_CONTROLS = dict.fromkeys((*range(32), 127))


def read_segment(
    plain: bytes, defects: Defects, *, opaque: bool = False
) -> tuple[Segment, tuple[Value, ...]]:
    """What the segment says. ``opaque``: its body is cipher text that nobody could read."""
    text = plain.decode("latin-1")  # one letter a byte, so that positions are bytes
    head_text, body, body_at = _halves(text, defects)
    encoding = "ascii" if plain.isascii() else _encoding(plain, defects, opaque=opaque)
    if not opaque and len(text.translate(_CONTROLS)) != len(text):
        defects.add("not_text", SEGMENT_AT)
    head = read_head(head_text, SEGMENT_AT, defects)
    flag, pnum, pno = check_head(head, defects)
    if len(plain) > SEGMENT_MOST:
        defects.add("segment_too_long", 2, length=len(plain))
    if len(body) > BODY_MOST:
        defects.add("cp_too_long", body_at, length=len(body))
    items = () if opaque else parse_body(body, body_at)
    if encoding != "ascii":
        items = tuple(_recoded(item, encoding) for item in items)
    segment = Segment(
        qn=_text(head, "QN"),
        st=_text(head, "ST"),
        cn=_text(head, "CN"),
        pw=_text(head, "PW"),
        mn=_text(head, "MN"),
        flag=flag,
        cp=items,
        pnum=pnum,
        pno=pno,
        rf=_text(head, "RF") == "1",
    )
    return segment, read_body(segment, defects)


def _text(head: Head, name: str) -> str:
    return head.get(name, ("", 0))[0]


def _halves(text: str, defects: Defects) -> tuple[str, str, int]:
    """Head, body, and at which byte of the frame the body begins."""
    start = text.find(_OPEN)
    if start < 0:
        start = text.find("CP=")
        if start < 0:
            defects.add("cp_missing", SEGMENT_AT + len(text))
            return _without_end(text, defects), "", SEGMENT_AT + len(text)
        defects.add("cp_form", SEGMENT_AT + start)
        rest = text[start + 3 :]
        body = rest.lstrip("&")
        at = start + 3 + len(rest) - len(body)
        return _without_end(text[:start], defects), body.rstrip("&"), SEGMENT_AT + at
    at = start + len(_OPEN)
    end = text.rfind(_CLOSE)
    if end < at:
        defects.add("cp_form", SEGMENT_AT + len(text))
        end = len(text)
    elif end + len(_CLOSE) != len(text):
        defects.add("cp_form", SEGMENT_AT + end)
    return _without_end(text[:start], defects), text[at:end], SEGMENT_AT + at


def _without_end(head: str, defects: Defects) -> str:
    """The head without its last semicolon."""
    if head.endswith(";"):
        return head[:-1]
    if head:
        defects.add("head_comma" if head.endswith(",") else "cp_form", SEGMENT_AT + len(head) - 1)
    return head.removesuffix(",")


def _encoding(plain: bytes, defects: Defects, *, opaque: bool) -> str:
    if opaque:
        return "latin-1"
    for encoding in ("utf-8", "gb18030"):
        try:
            plain.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding != "utf-8":
            defects.add("not_utf8", SEGMENT_AT, encoding=encoding)
        return encoding
    defects.add("not_text", SEGMENT_AT)
    return "latin-1"


def _recoded(item: Item, encoding: str) -> Item:
    """Texts in their own letters; a cut inside a letter gives a replacement character."""

    def letters(text: str) -> str:
        return text if text.isascii() else text.encode("latin-1").decode(encoding, "replace")

    return tuple(
        Field(letters(each.name), None if each.value is None else letters(each.value), each.at)
        for each in item
    )
