"""
HJ 212 as the opponent speaks it: packets to bytes and back, by its own small code.

Written from the standard's text (HJ 212-2017, appendix A, tables 2-4; SM4 of 2025, 6.4), not from
the product's codec, so that one mistake is not made twice. Times are seconds UTC
(on the wire UTC+8).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, timezone

from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import SM4

BEIJING = timezone(timedelta(hours=8))
MOST_CP = 920  # the standard allows 950, but 1024 for the whole segment with its head
_BLOCK = 16
_HEAD = re.compile(
    rb"QN=(?P<qn>[^;]*);ST=(?P<st>[^;]*);CN=(?P<cn>[^;]*);PW=(?P<pw>[^;]*);MN=(?P<mn>[^;]*);"
    rb"Flag=(?P<flag>[^;]*);(?:PNUM=(?P<pnum>\d+);PNO=(?P<pno>\d+);)?(?:RF=(?P<rf>[^;]*);)?CP=&&"
)


def crc(segment: bytes) -> int:
    """Appendix A: the register is shifted by eight before each byte is mixed in."""
    register = 0xFFFF
    for byte in segment:
        register = (register >> 8) ^ byte
        for _ in range(8):
            odd = register & 1
            register >>= 1
            if odd:
                register ^= 0xA001
    return register


def modbus_crc(segment: bytes) -> int:
    """What many loggers send instead: the check of Modbus RTU."""
    register = 0xFFFF
    for byte in segment:
        register ^= byte
        for _ in range(8):
            register = (register >> 1) ^ (0xA001 if register & 1 else 0)
    return register


def wrapped(segment: bytes, length: int | None = None, check: str = "") -> bytes:
    """``##`` length segment CRC CR LF; ``check`` replaces the right CRC."""
    size = len(segment) if length is None else length
    return b"##%04d%s%s\r\n" % (size, segment, (check or f"{crc(segment):04X}").encode())


def stamp(time_s: float, *, milliseconds: bool = False) -> str:
    """14 digits of Beijing time, or 17 with milliseconds."""
    if not milliseconds:
        return datetime.fromtimestamp(time_s, BEIJING).strftime("%Y%m%d%H%M%S")
    whole, rest = divmod(round(time_s * 1000), 1000)
    return stamp(whole) + f"{rest:03d}"


def seconds(text: str) -> float:
    """The instant of 14 or 17 digits of Beijing time."""
    at = datetime.strptime(text[:14], "%Y%m%d%H%M%S").replace(tzinfo=BEIJING).astimezone(UTC)
    return at.timestamp() + int(text[14:17] or "0") / 1000


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet; ``cp`` is its data as text, ``flag`` the number as it is on the wire."""

    cn: str
    cp: str = ""
    qn: str = ""
    st: str = "31"
    pw: str = "123456"
    mn: str = "010000A8900016F000169DC0"
    flag: int = 4
    pnum: int = 0
    pno: int = 0
    rf: str = ""
    known: str = field(default="", compare=False)  # how its CRC was right: "" = it was not

    def segment(self) -> bytes:
        """The data segment in plain text."""
        parts = f"PNUM={self.pnum};PNO={self.pno};" if self.pnum else ""
        parts += f"RF={self.rf};" if self.rf else ""
        return (
            f"QN={self.qn};ST={self.st};CN={self.cn};PW={self.pw};MN={self.mn};Flag={self.flag};"
            f"{parts}CP=&&{self.cp}&&"
        ).encode()

    def encoded(self, key: bytes = b"") -> bytes:
        """On the wire; with a key the whole 16-byte blocks of the data are SM4."""
        segment = self.segment()
        sent = wrapped(segment)
        if not key or not _is_secret(self.cn):
            return sent
        head, body = segment[: segment.index(b"CP=&&") + 5], self.cp.encode()
        return b"##%04d" % len(segment) + head + sm4(body, key) + sent[4 + len(segment) :]

    def values(self) -> dict[str, str]:
        """``a21026-Avg`` -> text, of every group in the data."""
        found: dict[str, str] = {}
        for item in re.split("[;,]", self.cp):
            name, _, value = item.partition("=")
            if name:
                found[name] = value
        return found

    @property
    def version(self) -> int:
        return 2025 if self.flag >> 2 == 2 else 2017 if self.flag >> 2 == 1 else 2005

    @property
    def wants_answer(self) -> bool:
        """Bit 0 in 2017; the bits kept their places in 2025, their letters were exchanged."""
        return bool(self.flag & 1)


def sm4(data: bytes, key: bytes, *, decrypt: bool = False) -> bytes:
    """ECB of the whole blocks; a tail of less than 16 bytes stays as it is."""
    whole = len(data) - len(data) % _BLOCK
    cipher = Cipher(SM4(key), modes.ECB())  # noqa: S305 - the standard demands ECB
    turn = cipher.decryptor() if decrypt else cipher.encryptor()
    return turn.update(data[:whole]) + turn.finalize() + data[whole:]


def packets(buffer: bytearray, key: bytes = b"") -> Iterator[Packet]:
    """Takes whole packets out of ``buffer``; one with a wrong CRC has ``known == ""``."""
    while True:
        start = buffer.find(b"##")
        if start < 0:
            del buffer[:-1]
            return
        del buffer[:start]
        if len(buffer) < 6:
            return
        digits = bytes(buffer[2:6])
        if not digits.isdigit():
            del buffer[:2]
            continue
        size = int(digits)
        if len(buffer) < size + 12:
            return
        segment, check = bytes(buffer[6 : 6 + size]), bytes(buffer[6 + size : 10 + size])
        del buffer[: size + 12]
        found = parsed(segment, check.decode("ascii", "replace"), key)
        if found is not None:
            yield found


def _is_secret(cn: str) -> bool:
    """Which packets 2025 encrypts: data and what handles keys."""
    return cn in {"1014", "3020"} or (len(cn) == 4 and cn[0] == "2")


def parsed(segment: bytes, check: str, key: bytes = b"") -> Packet | None:
    """A packet from its segment; None when the head is not that of the standard."""
    head = _HEAD.match(segment)
    if head is None or not segment.endswith(b"&&"):
        return None
    body = segment[head.end() : -2]
    if key and _is_secret(head["cn"].decode("ascii", "replace")):
        body = sm4(body, key, decrypt=True)
    plain = segment[: head.end()] + body + b"&&"
    text = {
        name: (value or b"").decode("utf-8", "replace") for name, value in head.groupdict().items()
    }
    return Packet(
        cn=text["cn"],
        cp=body.decode("utf-8", "replace"),
        qn=text["qn"],
        st=text["st"],
        pw=text["pw"],
        mn=text["mn"],
        flag=int(text["flag"] or 0),
        pnum=int(text["pnum"] or 0),
        pno=int(text["pno"] or 0),
        rf=text["rf"],
        known="standard" if check.upper() == f"{crc(plain):04X}" else "",
    )


def parts(packet: Packet, most: int = MOST_CP) -> list[Packet]:
    """Split at ``;`` where the data are longer than a packet may be; DataTime stands in each."""
    if len(packet.cp.encode()) <= most:
        return [packet]
    first, *rest = packet.cp.split(";")
    bodies, now = [], first
    for item in rest:
        if len(f"{now};{item}".encode()) > most:
            bodies.append(now)
            now = first
        now += f";{item}"
    bodies.append(now)
    flag = packet.flag | 2
    base = seconds(packet.qn)
    return [
        replace(
            packet,
            cp=body,
            flag=flag,
            pnum=len(bodies),
            pno=number,
            qn=stamp(base + (number - 1) / 1000, milliseconds=True),
        )
        for number, body in enumerate(bodies, start=1)
    ]


def data(time_s: float, groups: Mapping[str, Mapping[str, str]]) -> str:
    """``DataTime=…;a21026-Avg=1.2,a21026-Flag=N;…``: factors between ``;``, their fields ``,``."""
    items = [
        ",".join(f"{code}-{name}={value}" for name, value in fields.items())
        for code, fields in groups.items()
    ]
    return ";".join([f"DataTime={stamp(time_s)}", *items])
