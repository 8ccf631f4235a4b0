"""Hex dumps back into bytes: plain digits, ``0x23,0x23``, ``xxd`` and ``hexdump -C``."""

import re

_PAIRS = re.compile(r"(?:0[xX])?((?:[0-9A-Fa-f]{2})+)\b")
_HEX = b"0123456789abcdefABCDEF"


def looks_like_hex(data: bytes) -> bool:
    """Whether some bytes are a dump: their first line is mostly digits, and they hold ``##``."""
    line = data.lstrip().split(b"\n", 1)[0][:200]
    if line.startswith(b"##") or 5 * sum(letter in _HEX for letter in line) < 2 * len(line):
        return False
    return b"##" in read_hex(line.decode("latin-1"))


def read_hex(line: str) -> bytes:
    """The bytes of one line of a dump; offsets and the column of letters are left out."""
    text = line.split("|", 1)[0].rstrip()  # hexdump -C: letters between bars
    offset = re.match(r"\s*[0-9A-Fa-f]{4,16}:\s", text)  # xxd
    if offset:
        text = re.split(r"\s{2,}", text[offset.end() :].strip(), maxsplit=1)[0]
    else:
        text = re.sub(r"^\s*[0-9A-Fa-f]{7,8}\s{2}", "", text)  # hexdump -C
        if re.fullmatch(r"\s*[0-9A-Fa-f]{7,8}\s*", line.rstrip("\n")) and not offset:
            return b""  # its last line: the length
    return b"".join(bytes.fromhex(pair) for pair in _PAIRS.findall(text))
