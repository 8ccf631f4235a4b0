"""The head of a segment: ``QN=…;ST=…;…;Flag=…;`` read tolerantly, every deviation noted."""

import re

from drivers.hj212.codes import commands, systems
from drivers.hj212.defects import Defects
from drivers.hj212.segment import HEAD, VERSIONS, WITHOUT_MN, moment

_LOWER = {name.lower(): name for name in HEAD}
_MN = re.compile(r"[0-9A-Za-z]{24}")
_HEX_MN = re.compile(r"[0-9A-F]{24}")
PARTS_MOST = {2025: 9}  # PNUM has one digit in 2025, four before
PARTS_MOST_BEFORE = 9999

Head = dict[str, tuple[str, int]]  # name → text, byte in the frame


def read_head(text: str, at: int, defects: Defects) -> Head:
    """Fields by name; what does not belong there is noted and left out."""
    found: Head = {}
    last = -1
    ordered = True
    for piece in text.split(";"):
        parts = piece.split(",") if "," in piece else [piece]
        if len(parts) > 1:
            defects.add("head_comma", at + len(parts[0]))
        for part in parts:
            name = _take(part, at, found, defects) if part else ""
            if name:
                rank = HEAD.index(name)
                ordered = ordered and rank > last
                last = rank
            at += len(part) + 1
    if not ordered:
        defects.add("head_order", 6, text=" ".join(found))
    return found


def _take(part: str, at: int, found: Head, defects: Defects) -> str:
    name, equals, value = part.partition("=")
    if name != name.strip() or value != value.strip():
        defects.add("space", at, text=part)
        name, value = name.strip(), value.strip()
    right = name if name in HEAD else _LOWER.get(name.lower(), "")
    if not equals or not right:
        defects.add("head_unknown", at, text=part)
        return ""
    if right != name:
        defects.add("head_case", at, text=name, right=right)
    if right in found:
        defects.add("head_twice", at, text=part)
        return ""
    found[right] = (value, at)
    return right


def check_head(head: Head, defects: Defects) -> tuple[int | None, int | None, int | None]:
    """Notes what is wrong with the values; Flag, PNUM and PNO as numbers."""
    flag = _flag(head, defects)
    version = None if flag is None else VERSIONS.get(flag >> 2)
    _codes(head, version, defects)
    if "PW" not in head:
        defects.add("pw_missing", 6)
    elif len(head["PW"][0]) != 6:
        defects.add("pw_form", head["PW"][1], text=head["PW"][0])
    _mn(head, version, defects)
    if "RF" in head:
        text, at = head["RF"]
        if text != "1":
            defects.add("rf_form", at, text=text)
        elif version != 2025:
            defects.add("rf_version", at)
    pnum, pno = _numbers(head, flag, version, defects)
    return flag, pnum, pno


def _flag(head: Head, defects: Defects) -> int | None:
    if "Flag" not in head:
        defects.add("flag_missing", 6)
        return None
    text, at = head["Flag"]
    number = _whole(text)
    if number is None or number > 255 or str(number) != text:
        defects.add("flag_form", at, text=text)
        if number is None or number > 255:
            return None
    if number >> 2 == 0:
        defects.add("flag_2005", at, flag=number)
    elif number >> 2 not in VERSIONS:
        defects.add("flag_version", at, flag=number)
    return number


def _codes(head: Head, version: int | None, defects: Defects) -> None:
    if "QN" not in head:
        defects.add("qn_missing", 6)
    elif len(head["QN"][0]) != 17 or moment(head["QN"][0]) is None:
        defects.add("qn_form", head["QN"][1], text=head["QN"][0])
    if "ST" not in head:
        defects.add("st_missing", 6)
    elif head["ST"][0] not in systems():
        defects.add("st_unknown", head["ST"][1], text=head["ST"][0])
    if "CN" not in head:
        defects.add("cn_missing", 6)
        return
    text, at = head["CN"]
    command = commands().get(text)
    if command is None:
        defects.add("cn_unknown", at, text=text)
    elif version is not None and version < command.since and command.since > 2017:
        defects.add("cn_other_version", at, cn=text, since=command.since, version=version)


def _mn(head: Head, version: int | None, defects: Defects) -> None:
    text, at = head.get("MN", ("", 6))
    unnamed = version == 2025 and head.get("CN", ("", 0))[0] in WITHOUT_MN
    if "MN" not in head:
        defects.add("mn_missing", 6)
    elif not text and unnamed:
        return
    elif not _MN.fullmatch(text):
        defects.add("mn_form", at, text=text)
    elif version != 2025 and not _HEX_MN.fullmatch(text):
        defects.add("mn_not_hex", at, text=text)


def _numbers(
    head: Head, flag: int | None, version: int | None, defects: Defects
) -> tuple[int | None, int | None]:
    if "PNUM" not in head and "PNO" not in head:
        if flag is not None and flag & 2:
            defects.add("pno_missing", head["Flag"][1], flag=flag)
        return None, None
    if flag is not None and not flag & 2:
        defects.add("flag_not_numbered", head["Flag"][1], flag=flag)
    if "PNUM" not in head or "PNO" not in head:
        defects.add("pno_missing", 6, flag=flag)
    (pnum_text, at), (pno_text, _) = head.get("PNUM", ("", 6)), head.get("PNO", ("", 6))
    pnum, pno = _whole(pnum_text), _whole(pno_text)
    most = PARTS_MOST.get(version or 0, PARTS_MOST_BEFORE)
    good = pnum is not None and pno is not None and 1 <= pno <= pnum <= most
    written = (str(pnum), str(pno)) == (pnum_text, pno_text)
    if pnum_text and pno_text and not (good and written):
        defects.add("pno_form", at, most=most, pnum=pnum_text, pno=pno_text)
    return pnum, pno


def _whole(text: str) -> int | None:
    return int(text) if 0 < len(text) <= 4 and text.isascii() and text.isdigit() else None
