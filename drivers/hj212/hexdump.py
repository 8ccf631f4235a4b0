"""Hex dumps back into bytes: plain digits, ``0x23,0x23``, ``xxd`` and ``hexdump -C``."""

import re

_LOOKS_HEX = re.compile(rb"[\s0-9A-Fa-fxX,;:{}\[\]|]*")
_PAIRS = re.compile(r"(?:0[xX])?((?:[0-9A-Fa-f]{2})+)\b")
_PROBED = 64  # bytes looked at


def looks_like_hex(data: bytes) -> bool:
    """Whether some bytes that hold no ``##`` are a dump of ones that do."""
    start = data[:_PROBED].lower().replace(b"0x", b"")
    joined = re.sub(rb"[\s,]", b"", start)
    return b"##" not in data and b"2323" in joined and _starts_hex(data)


def _starts_hex(data: bytes) -> bool:
    first = data.split(b"\n", 1)[0].strip()
    digits = sum(letter in b"0123456789abcdefABCDEF" for letter in first[:_PROBED])
    return digits * 2 >= len(first[:_PROBED])


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
