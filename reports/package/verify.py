#!/usr/bin/env python3
"""
Is an evidence package what was signed, and does its report stand on the originals in it?

One file, standard library only, no network, Python 3.8 or later:

    python3 verify.py PACKAGE.zip [--trusted-key VKEY] [--checkpoint FILE] [--earlier FILE]
                      [--ca FILE] [--without-originals] [--json]

It tells: intact (exit code 0), changed, and where (1), cannot be judged, and what is missing (2).
``--trusted-key``: a key you were given by another way than in the package; without one nobody
vouches for the keys in it, and the exit code is 2. With the office's key alone, or where no
originals are in the package, the figures are not traced to anything the office could not write
itself: exit code 2 as well, unless ``--without-originals`` says that this is all you ask for.
``--checkpoint``: one that you kept from earlier; a history that does not go on from it is refused.
``--earlier``: a package or report.json that you kept; ledger, journal, lodgings and checkpoints
must go on from it. ``--ca``: certificates of the time-stamp authority (needs openssl).
The formats are described in docs/package.md and docs/evidence.md of the program.

核验证据包：是否被改动、报告数字是否与其中的原始记录一致。只用 Python 标准库，不联网。
结论：未被改动（退出码 0）；已被改动及其位置（1）；无法判断及所缺材料，或密钥无人担保，
或数字未能追溯到有人担保的原始批次（2；仅核对报告和录入时用 --without-originals）。
--earlier：您以前保存的证据包或 report.json，台账、环保记录、存证登记和检查点须由其延续而来。
"""

# It must run on Python 3.8 and read as one text, hence older ways to write some things.
# ruff: noqa: B905, D103, FURB167, N818, PTH118, PTH119, PTH123, RUF005, UP017, UP031
from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib
from datetime import datetime, timedelta, timezone
from typing import Any

FORM = "smelter-package/1"
OFFICE = "smelter/reports/"
WITNESS = "smelter/historian/"
BLOCK = 4096  # bytes; the manifest has a short hash of each block, to name the place of a change
MOST_FILES = 60000
MOST_BYTES = 512 << 20  # of everything, unpacked
MOST_FILE = 256 << 20  # of one file, unpacked
MOST_RATIO = 100  # unpacked to packed, of files above 64 KiB
RATIO_FROM = 1 << 16
MOST_MANIFEST = 32 << 20
MOST_KEYS = 4 << 20
MOST_NOTE = 16384
MOST_LEAVES = 65536
MOST_SAID = 400  # letters of one sentence: much of it may be foreign text
MOST_SPAN = 10_000_000  # batches between the first and the last of a log

# What no verdict says, whatever it is.
UNCHECKED = (
    (
        "数字的计算是否正确（请用 smelter recompute 重算）",
        "whether the figures are calculated rightly (smelter recompute does that)",
    ),
    (
        "renderings/ 中的 PDF、XLSX、HTML 是否与 report.json 一致（只核对了其摘要）",
        "whether PDF, XLSX and HTML in renderings/ say what report.json says (only digests are)",
    ),
    (
        "包内没有的批次中有什么；--all 也只到报告所称的首末批次",
        "what is in batches that are not here; --all goes as far as the report says it read",
    ),
    (
        "报告密钥与网关、历史库密钥是否由同一人掌握",
        "whether one person holds the keys of the office and of gateways and historian",
    ),
    (
        "包内的 verify.py：它不能证明自己，请用您自己取得的那一份",
        "verify.py in the package: it proves nothing about itself; use a copy of your own",
    ),
)

UNANCHORED_ZH = (
    "办公室是否整体改写并重签了台账、环保记录和存证登记："
    "包内没有历史库对其的锚定，也未给出您以前保存的包或报告（--earlier）"
)
UNANCHORED_EN = (
    "whether the office rewrote ledger, journal and lodgings as a whole and signed them anew: no "
    "act under the historian's tree holds their heads, and no package or report that you kept "
    "was given (--earlier)"
)

# -- what was found ---------------------------------------------------------------------------


class Broken(Exception):
    """Something is not as it must be; zh and en say what."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en


def plain(text: object) -> str:
    """Foreign text to be shown: no line ends, no escapes, nothing that a terminal obeys."""
    letters = [c if c.isprintable() else "\\u%04x" % ord(c) for c in str(text)[: MOST_SAID + 1]]
    return "".join(letters[:MOST_SAID]) + ("…" if len(letters) > MOST_SAID else "")


class Verdict:
    """
    Collects findings; ``changed`` weighs more than ``unknown``.

    With neither it is intact, or ``unvouched`` when the auditor knew nothing of it before.
    """

    def __init__(self) -> None:
        self.changed: list[dict[str, str]] = []
        self.unknown: list[dict[str, str]] = []
        self.proved: list[dict[str, str]] = []
        self.notes: list[dict[str, str]] = []
        self.report = ""
        self.keys: dict[str, str] = {}
        self.checked: set[str] = set()  # owners of keys that the auditor knew before
        self.kept: dict[str, int] = {}  # by log: to which batch a checkpoint that he kept binds
        self.bound: set[str] = set()  # owners whose keys signed such a checkpoint
        self.readings = 0  # of the report that were found in original batches
        self.batches = 0  # that are under a cosigned checkpoint
        self.partly = False  # figures of points whose batches are not here
        self.waived = False  # the auditor asks for report and entries only
        self.anchored = 0  # heads of ledger, journal, lodgings that others hold, and that fit

    def change(self, where: str, zh: str, en: str) -> None:
        finding = {"where": plain(where), "zh": plain(zh), "en": plain(en)}
        if finding not in self.changed:
            self.changed.append(finding)

    def cannot(self, where: str, zh: str, en: str) -> None:
        self.unknown.append({"where": plain(where), "zh": plain(zh), "en": plain(en)})

    def stopped(self) -> None:
        self.note(
            "清单或其签名不成立：包内其余文件一概未解压、未核对",
            "manifest or signature do not hold: nothing else in the package was unpacked or read",
        )

    def good(self, zh: str, en: str) -> None:
        self.proved.append({"zh": plain(zh), "en": plain(en)})

    def note(self, zh: str, en: str) -> None:
        self.notes.append({"zh": plain(zh), "en": plain(en)})

    @property
    def keys_checked(self) -> bool:
        return bool(self.checked or self.kept)

    @property
    def traced(self) -> bool:
        """Figures stand on batches here, under keys or a checkpoint that the auditor knew."""
        return bool((self.readings or self.batches) and (self.ends or self.kept))

    @property
    def word(self) -> str:
        if self.changed or self.unknown:
            return "changed" if self.changed else "unknown"
        if not self.keys_checked:
            return "unvouched"
        return "intact" if self.traced or self.waived else "untraced"

    @property
    def code(self) -> int:
        return {"intact": 0, "changed": 1}.get(self.word, 2)

    @property
    def office_checked(self) -> bool:
        return any(owner.startswith(OFFICE) for owner in self.checked)

    @property
    def ends(self) -> set[str]:
        """Gateways and historians whose keys the auditor trusts."""
        return {owner for owner in self.checked if not owner.startswith(OFFICE)}


# -- hashes and signatures --------------------------------------------------------------------


def _rotated(x: int, n: int) -> int:
    n %= 32
    return ((x << n) | (x >> (32 - n))) & 0xFFFFFFFF


def _sm3_block(state: list[int], block: bytes) -> list[int]:
    w = list(struct.unpack(">16I", block))
    for j in range(16, 68):
        x = w[j - 16] ^ w[j - 9] ^ _rotated(w[j - 3], 15)
        x = x ^ _rotated(x, 15) ^ _rotated(x, 23)
        w.append(x ^ _rotated(w[j - 13], 7) ^ w[j - 6])
    a, b, c, d, e, f, g, h = state
    for j in range(64):
        t = 0x79CC4519 if j < 16 else 0x7A879D8A
        s1 = _rotated((_rotated(a, 12) + e + _rotated(t, j)) & 0xFFFFFFFF, 7)
        s2 = s1 ^ _rotated(a, 12)
        ff = a ^ b ^ c if j < 16 else (a & b) | (a & c) | (b & c)
        gg = e ^ f ^ g if j < 16 else (e & f) | (~e & g)
        t1 = (ff + d + s2 + (w[j] ^ w[j + 4])) & 0xFFFFFFFF
        t2 = (gg + h + s1 + w[j]) & 0xFFFFFFFF
        a, b, c, d = t1, a, _rotated(b, 9), c
        e, f, g, h = t2 ^ _rotated(t2, 9) ^ _rotated(t2, 17), e, _rotated(f, 19), g
    return [old ^ new for old, new in zip(state, (a, b, c, d, e, f, g, h))]


def sm3(data: bytes) -> bytes:
    """GB/T 32905-2016, in Python: for interpreters whose OpenSSL has none."""
    text = "7380166f 4914b2b9 172442d7 da8a0600 a96f30bc 163138aa e38dee4d b0fb0e4e"
    state = [int(word, 16) for word in text.split()]
    padded = data + b"\x80" + bytes(-(len(data) + 9) % 64) + struct.pack(">Q", 8 * len(data))
    for at in range(0, len(padded), 64):
        state = _sm3_block(state, padded[at : at + 64])
    return struct.pack(">8I", *state)


def hashed(name: str, data: bytes) -> bytes:
    if name == "sha256":
        return hashlib.sha256(data).digest()
    if name != "sm3":
        raise Broken("未知的哈希算法 " + name[:20], "unknown hash algorithm " + name[:20])
    try:
        return hashlib.new("sm3", data).digest()
    except ValueError:
        return sm3(data)


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


_P = 2**255 - 19
_L = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, _P - 2, _P) % _P
_BASE_Y = 4 * pow(5, _P - 2, _P) % _P


def _ed_x(y: int, sign: int) -> int | None:
    """RFC 8032 section 5.1.3; None when there is no such point."""
    if y >= _P:
        return None
    square = (y * y - 1) * pow(_D * y * y + 1, _P - 2, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * pow(2, (_P - 1) // 4, _P) % _P
    if (x * x - square) % _P or (x == 0 and sign):
        return None
    return _P - x if x & 1 != sign else x


def _ed_add(p: tuple[int, ...], q: tuple[int, ...]) -> tuple[int, ...]:
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % _P, (p[1] + p[0]) * (q[1] + q[0]) % _P
    c, d = 2 * p[3] * q[3] * _D % _P, 2 * p[2] * q[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _ed_times(scalar: int, point: tuple[int, ...]) -> tuple[int, ...]:
    found: tuple[int, ...] = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            found = _ed_add(found, point)
        point = _ed_add(point, point)
        scalar >>= 1
    return found


def _ed_point(data: bytes) -> tuple[int, ...] | None:
    number = int.from_bytes(data, "little")
    y = number & ((1 << 255) - 1)
    x = _ed_x(y, number >> 255)
    return None if x is None else (x, y, 1, x * y % _P)


def ed25519(key: bytes, message: bytes, signature: bytes) -> bool:
    """RFC 8032 section 5.1.7."""
    if len(key) != 32 or len(signature) != 64:
        return False
    a, r = _ed_point(key), _ed_point(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= _L:
        return False
    base_x = _ed_x(_BASE_Y, 0) or 0
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % _L
    left = _ed_times(s, (base_x, _BASE_Y, 1, base_x * _BASE_Y % _P))
    right = _ed_add(r, _ed_times(k, a))
    return not (
        (left[0] * right[2] - right[0] * left[2]) % _P
        or (left[1] * right[2] - right[1] * left[2]) % _P
    )


_SP = 2**256 - 2**224 - 2**96 + 2**64 - 1
_SA = _SP - 3
_SB = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
_SN = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
_SX = 0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7
_SY = 0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0


def _sm2_add(p: tuple[int, int] | None, q: tuple[int, int] | None) -> tuple[int, int] | None:
    if p is None or q is None:
        return p or q
    if p[0] == q[0]:
        if (p[1] + q[1]) % _SP == 0:
            return None
        slope = (3 * p[0] * p[0] + _SA) * pow(2 * p[1], _SP - 2, _SP) % _SP
    else:
        slope = (q[1] - p[1]) * pow(q[0] - p[0], _SP - 2, _SP) % _SP
    x = (slope * slope - p[0] - q[0]) % _SP
    return x, (slope * (p[0] - x) - p[1]) % _SP


def _sm2_times(scalar: int, point: tuple[int, int] | None) -> tuple[int, int] | None:
    found: tuple[int, int] | None = None
    while scalar:
        if scalar & 1:
            found = _sm2_add(found, point)
        point = _sm2_add(point, point)
        scalar >>= 1
    return found


def sm2(key: bytes, message: bytes, signature: bytes) -> bool:
    """GB/T 32918.2 with SM3 and the usual user id; the signature is DER."""
    numbers = re.match(rb"\x30(.)\x02(.)", signature, re.S)
    if numbers is None or len(key) != 65 or key[0] != 4:
        return False
    width = signature[3]
    r, rest = signature[4 : 4 + width], signature[4 + width :]
    if rest[:1] != b"\x02" or len(rest) != 2 + rest[1] or signature[1] != len(signature) - 2:
        return False
    one, two = int.from_bytes(r, "big"), int.from_bytes(rest[2:], "big")
    x, y = int.from_bytes(key[1:33], "big"), int.from_bytes(key[33:], "big")
    if not (0 < one < _SN and 0 < two < _SN) or (y * y - x**3 - _SA * x - _SB) % _SP:
        return False
    name = b"1234567812345678"
    parts = [number.to_bytes(32, "big") for number in (_SA, _SB, _SX, _SY, x, y)]
    who = hashed("sm3", struct.pack(">H", 8 * len(name)) + name + b"".join(parts))
    e = int.from_bytes(hashed("sm3", who + message), "big")
    t = (one + two) % _SN
    found = _sm2_add(_sm2_times(two, (_SX, _SY)), _sm2_times(t, (x, y)))
    return t != 0 and found is not None and (e + found[0]) % _SN == one


KINDS = {
    ("ed25519", "signs"): b"\x01",
    ("ed25519", "cosigns"): b"\x04",
    ("sm2", "signs"): b"\xffsm2",
    ("sm2", "cosigns"): b"\xffsm2-cosignature",
}
_CHECKS = {"ed25519": ed25519, "sm2": sm2}
_KEY_BYTES = {"ed25519": 32, "sm2": 65}


class Key:
    """A public key by its algorithm."""

    def __init__(self, algorithm: str, raw: bytes) -> None:
        if len(raw) != _KEY_BYTES.get(algorithm):
            raise Broken("未知的公钥", "no public key of a kind known here")
        self.algorithm, self.raw = algorithm, raw
        self._known: dict[tuple[bytes, bytes], bool] = {}

    def id_of(self, name: str, purpose: str = "signs") -> bytes:
        kind = KINDS[self.algorithm, purpose]
        return hashlib.sha256(name.encode() + b"\n" + kind + self.raw).digest()[:4]

    def vkey(self, name: str) -> str:
        packed = base64.b64encode(KINDS[self.algorithm, "signs"] + self.raw).decode()
        return "%s+%s+%s" % (name, self.id_of(name).hex(), packed)

    def verifies(self, message: bytes, signature: bytes) -> bool:
        asked = (message, signature)
        if asked not in self._known:
            self._known[asked] = _CHECKS[self.algorithm](self.raw, message, signature)
        return self._known[asked]


# -- signed notes -----------------------------------------------------------------------------


def unb64(text: str) -> bytes:
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if base64.b64encode(data).decode() != text:
        raise Broken("不是 base64：" + text[:40], "no base64: " + text[:40])
    return data


class Note:
    """Text and signature lines (name, key id, what follows)."""

    def __init__(self, whole: str) -> None:
        text, gap, lines = whole.rpartition("\n\n")
        if not gap or not text or not lines.endswith("\n") or len(whole) > MOST_NOTE:
            raise Broken("不是签名文本", "no signed note")
        self.text = text + "\n"
        self.signatures: list[tuple[str, bytes, bytes]] = []
        for line in lines[:-1].split("\n"):
            name, gap, packed = line[2:].partition(" ")
            data = unb64(packed)
            if line[:2] != "\u2014 " or not gap or len(data) < 5:
                raise Broken("签名行格式不对", "a signature line is not one")
            self.signatures.append((name, data[:4], data[4:]))

    def signed_by(self, name: str, key: Key) -> bool:
        found = [data for n, i, data in self.signatures if (n, i) == (name, key.id_of(name))]
        return bool(found) and all(key.verifies(self.text.encode(), data) for data in found)

    def cosigned_by(self, name: str, key: Key) -> int:
        """Seconds since 1970 at which the key cosigned; 0 when it did not."""
        for n, i, data in self.signatures:
            if (n, i) == (name, key.id_of(name, "cosigns")) and len(data) > 8:
                seconds = int.from_bytes(data[:8], "big")
                message = "cosignature/v1\ntime %d\n%s" % (seconds, self.text)
                if key.verifies(message.encode(), data[8:]):
                    return seconds
        return 0


class Head:
    """What a checkpoint says."""

    def __init__(self, note: Note) -> None:
        lines = note.text.split("\n")[:-1]
        if len(lines) not in (3, 4) or not re.match(r"(0|[1-9]\d{0,18})\Z", lines[1]):
            raise Broken("不是检查点", "no checkpoint")
        self.origin, self.size, self.root = lines[0], int(lines[1]), unb64(lines[2])
        self.hash, self.after = "sha256", 0
        if len(lines) == 4:
            said = re.match(r"hash (sm3) after (0|[1-9]\d{0,18})\Z", lines[3])
            if said is None:
                raise Broken("检查点第四行不认识", "the fourth line of a checkpoint is not known")
            self.hash, self.after = said.group(1), int(said.group(2))
        if len(self.root) != 32:
            raise Broken("检查点根哈希长度不对", "the root of a checkpoint is not 32 bytes")


class History:
    """The keys of one owner, each vouched for by the one before."""

    def __init__(self, notes: list[str]) -> None:
        if not isinstance(notes, list) or not 1 <= len(notes) <= 256:
            raise Broken("没有密钥", "no keys")
        self.owner = ""
        self.keys: list[Key] = []
        for number, whole in enumerate(notes, 1):
            self._add(number, Note(whole))

    def _add(self, number: int, note: Note) -> None:
        lines = note.text[:-1].split("\n")
        if len(lines) != 7 or lines[0] != "smelter-key/1":
            raise Broken("第 %d 个密钥格式不对" % number, "key %d is not one" % number)
        key = Key(lines[3], unb64(lines[4]))
        before = self.keys[-1] if self.keys else None
        owner = self.owner or lines[1]
        previous = before.vkey(owner) if before else "-"
        signers = [key, before] if before else [key]
        fits = lines[1] == owner and lines[2] == str(number) and lines[6] == previous
        if not fits or not all(note.signed_by(owner, signer) for signer in signers):
            raise Broken(
                "第 %d 个密钥没有前一密钥的签名" % number,
                "key %d is not vouched for by the one before" % number,
            )
        self.owner = owner
        self.keys.append(key)


# -- Merkle trees (RFC 6962) ------------------------------------------------------------------


def joined(name: str, left: bytes, right: bytes) -> bytes:
    return hashed(name, b"\1" + left + right)


def leaf_hash(name: str, after: int, log: str, seq: int, payload: bytes) -> bytes:
    """Of a batch by its plain payload; see docs/evidence.md, leaf and change of hash."""
    if name != "sha256" and seq <= after:
        said, digest = "leaf-sha256", leaf_hash("sha256", 0, log, seq, payload)
    else:
        said, digest = name, hashed(name, payload)
    leaf = "smelter-leaf/1\n%s\n%d\n%s:%s\n" % (log, seq, said, digest.hex())
    return hashed(name, b"\0" + leaf.encode())


def root_by_path(name: str, leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes | None:
    """RFC 9162 section 2.1.3.2; None when the path has the wrong length."""
    if not 0 <= index < size:
        return None
    at, last, found = index, size - 1, leaf
    for part in path:
        if last == 0:
            return None
        if at & 1 or at == last:
            found = joined(name, part, found)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            found = joined(name, found, part)
        at, last = at >> 1, last >> 1
    return None if last else found


def root_of(name: str, leaves: list[bytes]) -> bytes:
    if not leaves:
        return hashed(name, b"")
    row = leaves
    while len(row) > 1:
        pairs = [joined(name, row[i], row[i + 1]) for i in range(0, len(row) - 1, 2)]
        row = pairs + row[len(row) - len(row) % 2 :]
    return row[0]


def grew(
    name: str, old: int, old_root: bytes, new: int, new_root: bytes, path: list[bytes]
) -> bool:
    """RFC 9162 section 2.1.4.2, for 0 < old < new."""
    parts = [old_root] + path if old & (old - 1) == 0 else path
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    if not parts:
        return False
    first = second = parts[0]
    for part in parts[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            first, second = joined(name, part, first), joined(name, part, second)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            second = joined(name, second, part)
        at, last = at >> 1, last >> 1
    return last == 0 and first == old_root and second == new_root


# -- the archive ------------------------------------------------------------------------------

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_DATE = 0x21  # 1980-01-01
_MODE = 0o100644 << 16
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]*(/[A-Za-z0-9_][A-Za-z0-9_.\-]*)*\Z")


def local_header(name: str, method: int, crc: int, packed: int, size: int) -> bytes:
    head = _LOCAL.pack(b"PK\3\4", 20, 0, method, 0, _DATE, crc, packed, size, len(name), 0)
    return head + name.encode("ascii")


def central_header(name: str, method: int, crc: int, packed: int, size: int, offset: int) -> bytes:
    fixed = (b"PK\1\2", 0x314, 20, 0, method, 0, _DATE, crc, packed, size, len(name))
    return _CENTRAL.pack(*fixed, 0, 0, 0, 0, _MODE, offset) + name.encode("ascii")


def end_record(files: int, size: int, offset: int) -> bytes:
    return _END.pack(b"PK\5\6", 0, 0, files, files, size, offset, 0)


class Member:
    """One file of the archive."""

    def __init__(self, name: str, fields: tuple[int, ...]) -> None:
        self.name = name
        self.method, self.crc, self.packed, self.size, self.offset = fields


def unsafe(name: str, mode: int, flags: int, method: int) -> tuple[str, str] | None:
    """Why a file of an archive must not be touched."""
    shown = ascii(name)[1:-1][:60]
    parts = name.replace("\\", "/").split("/")
    if name.startswith(("/", "\\")) or ".." in parts or re.match(r"[A-Za-z]:", name):
        return "文件名指向包外：" + shown, "a name leads out of the package: " + shown
    if (mode >> 16) & 0o170000 == 0o120000:
        return "含符号链接：" + shown, "a symbolic link: " + shown
    if not _NAME.match(name) or len(name) > 200:
        return "文件名不允许：" + shown, "a name that is not allowed: " + shown
    if flags & 1 or method not in (0, 8):
        return "已加密或压缩方式不允许：" + shown, "encrypted, or packed in a strange way: " + shown
    return None


class Archive:
    """
    A ZIP as packages are written: every byte of it is prescribed or covered by the manifest.

    Nothing is ever written to disk. Raises Broken for what must not be read at all.
    """

    def __init__(self, path: str) -> None:
        self.file = open(path, "rb")  # noqa: SIM115 - closed with close()
        self.length = os.fstat(self.file.fileno()).st_size
        self.members: dict[str, Member] = {}
        self.odd: list[tuple[int, str, str]] = []
        self._lower: set[str] = set()
        self._begin = 0
        try:
            self._read_directory()
        except Broken:
            self.close()
            raise

    def close(self) -> None:
        self.file.close()

    def _at(self, offset: int, length: int) -> bytes:
        self.file.seek(offset)
        return self.file.read(length)

    def _read_directory(self) -> None:
        end = self._at(max(0, self.length - _END.size), _END.size)
        if len(end) < _END.size or not end.startswith(b"PK\5\6"):
            self._refuse_cut()
        _, _, _, _, files, size, begin, _ = _END.unpack(end)
        if begin + size + _END.size != self.length or files > MOST_FILES:
            raise Broken(
                "文件目录与文件长度不符（第 %d 字节起）" % min(begin, self.length),
                "the directory does not fit the file (from byte %d)" % min(begin, self.length),
            )
        if end != end_record(files, size, begin):
            raise Broken(
                "结尾记录被改动（第 %d 字节起）" % (self.length - _END.size),
                "the end record was changed (from byte %d)" % (self.length - _END.size),
            )
        directory, at = self._at(begin, size), 0
        for _ in range(files):
            at = self._add(directory, at, begin)
        if at != size:
            raise Broken(
                "目录中有多余字节（第 %d 字节起）" % (begin + at),
                "bytes too many in the directory (from byte %d)" % (begin + at),
            )
        self._begin = begin
        self._refuse_large()

    def _refuse_cut(self) -> None:
        if self._at(0, 4) != b"PK\3\4":
            raise Broken("不是证据包（不是 ZIP 文件）", "no evidence package (not a ZIP file)")
        at, last = 0, "-"
        while True:
            head = self._at(at, _LOCAL.size)
            if len(head) < _LOCAL.size or not head.startswith(b"PK\3\4"):
                break
            fields = _LOCAL.unpack(head)
            last = ascii(self._at(at + _LOCAL.size, fields[9]).decode("latin-1"))[1:-1][:60]
            at += _LOCAL.size + fields[7] + fields[9] + fields[10]
        raise Broken(
            "文件不完整：共 %d 字节，在 %s 处或之后截断" % (self.length, last),
            "the file is not whole: %d bytes, cut in or after %s" % (self.length, last),
        )

    def _add(self, directory: bytes, at: int, begin: int) -> int:
        place = begin + at
        head = directory[at : at + _CENTRAL.size]
        if len(head) < _CENTRAL.size or not head.startswith(b"PK\1\2"):
            raise Broken(
                "目录被改动（第 %d 字节）" % place, "the directory was changed (byte %d)" % place
            )
        fields = _CENTRAL.unpack(head)
        name = directory[at + _CENTRAL.size : at + _CENTRAL.size + fields[10]].decode("latin-1")
        bad = unsafe(name, fields[15], fields[3], fields[4])
        if bad is not None:
            raise Broken(bad[0], bad[1])
        if name.lower() in self._lower:
            raise Broken("文件名重复：" + name, "a name twice: " + name)
        self._lower.add(name.lower())
        member = Member(name, (fields[4], fields[7], fields[8], fields[9], fields[16]))
        whole = directory[at : at + _CENTRAL.size + sum(fields[10:13])]
        wanted = (name, member.method, member.crc, member.packed, member.size, member.offset)
        if whole != central_header(*wanted):
            self.odd.append((place, "目录项被改动：" + name, "directory entry changed: " + name))
        self.members[name] = member
        return at + len(whole)

    def _refuse_large(self) -> None:
        for m in self.members.values():
            bomb = m.size > RATIO_FROM and m.size > MOST_RATIO * max(1, m.packed)
            most = {"manifest.json": MOST_MANIFEST, "manifest.sig": MOST_NOTE}.get(m.name)
            most = MOST_KEYS if m.name.startswith("keys/") else most or MOST_FILE
            if bomb or m.size > most:
                said = "%s: %d / %d" % (m.name, m.packed, m.size)
                raise Broken("压缩比或大小异常（压缩炸弹）：" + said, "a zip bomb: " + said)
        whole = sum(m.size for m in self.members.values())
        if whole > MOST_BYTES:
            raise Broken(
                "解压后总量过大（压缩炸弹）：%d 字节，上限 %d" % (whole, MOST_BYTES),
                "a zip bomb: %d bytes when unpacked, %d at most" % (whole, MOST_BYTES),
            )

    def gaps(self) -> list[tuple[int, str, str]]:
        """Headers that are not as they are written, and bytes that belong to no file."""
        found, at = list(self.odd), 0
        for m in sorted(self.members.values(), key=lambda each: each.offset):
            head = local_header(m.name, m.method, m.crc, m.packed, m.size)
            if m.offset != at or self._at(at, len(head)) != head:
                found.append((at, "文件头被改动：" + m.name, "header changed: " + m.name))
            at = m.offset + len(head) + m.packed
        if at != self._begin:
            found.append((at, "文件之间有多余或缺少的字节", "bytes too many or too few"))
        return found

    def packed(self, name: str) -> bytes:
        m = self.members[name]
        return self._at(m.offset + _LOCAL.size + len(name), m.packed)

    def read(self, name: str) -> bytes:
        """Unpacked, at most as long as the directory says. Raises Broken."""
        data, wrong = self.unpacked(name)
        if wrong is not None:
            raise wrong
        return data

    def unpacked(self, name: str) -> tuple[bytes, Broken | None]:
        """As far as it can be unpacked, so that the place can be named; and what is wrong."""
        m, packed = self.members[name], self.packed(name)
        data = packed if m.method == 0 else b""
        if m.method == 8:
            machine, parts, left = zlib.decompressobj(-15), [], m.size + 1
            try:
                for at in range(0, len(packed), BLOCK):
                    part = packed[at : at + BLOCK]
                    while part and left:
                        parts.append(machine.decompress(part, left))
                        left -= len(parts[-1])
                        part = machine.unconsumed_tail
            except zlib.error as error:
                data = b"".join(parts)
                said = "%s (%s)" % (name, error)
                return data, Broken("无法解压：" + said, "cannot be unpacked: " + said)
            data = b"".join(parts)
        if len(data) != m.size or zlib.crc32(data) != m.crc:
            said = "%s (%d bytes, CRC %08x)" % (name, len(data), zlib.crc32(data))
            return data, Broken("长度或 CRC 不符：" + said, "length or CRC does not hold: " + said)
        return data, None


# -- batches ----------------------------------------------------------------------------------

_RECORD = struct.Struct("<4sIQqIBBH32sI")
_FIRST = re.compile(
    r'batch,plant=([^,]+),gateway=([^,]+),stream=([^ ,]+) log="([0-9a-f]{16})",seq=(\d+)i,'
    r'lines=(\d+)i,config="[0-9a-f]*",prev="([0-9a-f]{64})"[^ ]* (\d+)\Z'
)
_FIELD = re.compile(r'([A-Za-z0-9_]+)=("(?:[^"\\]|\\.)*"|[^,]+)')


class Batch:
    """One record of a batch log; ``offset`` is where it begins in its file."""

    def __init__(self, seq: int, offset: int, payload: bytes, prev: str, digest: str) -> None:
        self.seq, self.offset, self.payload = seq, offset, payload
        self.prev, self.digest = prev, digest

    def window(self, start: str, end: str) -> str | None:
        for line in self.payload.decode("utf-8", "replace").split("\n"):
            if line.startswith(start) and line.endswith(end):
                return line
        return None


def read_batches(verdict: Verdict, where: str, log: str, data: bytes) -> dict[int, Batch]:
    """Of a file of records; what does not hold is told with batch and byte."""
    found: dict[int, Batch] = {}
    at, last = 0, None
    while at < len(data):
        head = data[at : at + _RECORD.size]
        if len(head) < _RECORD.size or head[:4] != b"SMB1":
            verdict.change(
                "%s: byte %d" % (where, at),
                "第 %d 字节起不是批次记录" % at,
                "no batch record from byte %d on" % at,
            )
            return found
        _, length, seq, _, lines, codec, kind, zero, digest, crc = _RECORD.unpack(head)
        payload = data[at + _RECORD.size : at + _RECORD.size + length]
        place = "%s: batch %d, byte %d" % (where, seq, at)
        good = (codec, kind, zero) == (0, 1, 0) and hashlib.sha256(payload).digest() == digest
        if not good or zlib.crc32(payload, zlib.crc32(head[:64])) != crc:
            verdict.change(
                place,
                "批次 %d 的内容与其 SHA-256 或 CRC 不符" % seq,
                "batch %d is not what its SHA-256 and CRC say" % seq,
            )
        first = _FIRST.match(payload.partition(b"\n")[0].decode("utf-8", "replace"))
        named = (
            first
            and "/".join(first.group(1, 2, 3, 4)) == log
            and (int(first.group(5)), int(first.group(6))) == (seq, lines)
        )
        if first is None or not named or seq in found or (last is not None and seq <= last.seq):
            verdict.change(
                place,
                "批次首行与其日志、编号不符，或次序不对",
                "the first line does not fit the log and number, or the order is wrong",
            )
        batch = Batch(seq, at, payload, first.group(7) if first else "", digest.hex())
        if last is not None and last.seq + 1 == seq and batch.prev != last.digest:
            verdict.change(
                place,
                "哈希链断开：批次 %d 未指向批次 %d" % (seq, seq - 1),
                "the chain is broken: batch %d does not name batch %d" % (seq, seq - 1),
            )
        found[seq] = last = batch
        at += _RECORD.size + length
    return found


# -- windows that were moved to their true time --------------------------------------------------

_RETIMED = re.compile(
    r"retimed,plant=[^ ]+ end=(\d+)i,shift=(-?\d+)i,shift_end=(-?\d+)i[^ ]* (\d+)\Z"
)
_EDGE_NS = 60 * 10**9  # the minute in which a stretch began


class Shift:
    """What an unsynced gateway stamped from ``start`` to ``end``, and by how much it is wrong."""

    def __init__(self, start: int, end: int, shift: int, shift_end: int) -> None:
        self.start, self.end, self.shift, self.shift_end = start, end, shift, shift_end

    def at(self, stamp: int) -> int:
        width = max(1, self.end - self.start)
        return self.shift + (self.shift_end - self.shift) * (stamp - self.start) // width

    def fits(self, stamp: int, true_ns: int) -> bool:
        """Whether this stamp was moved to that time; reports name whole seconds."""
        inside = self.start - _EDGE_NS < stamp <= self.end
        return inside and abs(stamp + self.at(stamp) - true_ns) < 2 * 10**9

    def stamp_of(self, true_ns: int) -> int:
        """The other way round, within the crystal's error."""
        return true_ns - self.at(true_ns - self.shift)


def shifts_of(payload: bytes) -> list[Shift]:
    """The ``retimed`` lines of a batch."""
    if b"\nretimed," not in payload:
        return []
    lines = payload.decode("utf-8", "replace").split("\n")
    told = [m for m in map(_RETIMED.match, lines) if m]
    return [Shift(int(m[4]), int(m[1]), int(m[2]), int(m[3])) for m in told]


# -- what others hold of ledger, journal and lodgings -----------------------------------------

OWN = "historian"  # the historian's own logs stand under this name, signed by its own key
CHAINS = ("entries.jsonl", "journal.jsonl", "lodgings.jsonl")
_ACT = re.compile(
    r"audit,plant=[^ ,=]+,gateway=[^ ,=]+,what=([a-z_.]{1,60}) n=(\d{1,18})i((?:,[a-z]+="
    r'"(?:[^"\\]|\\.)*")+) (\d{1,19})\Z'
)
_SAID = re.compile(r',([a-z]+)="((?:[^"\\]|\\.)*)"')
_ANCHOR = re.compile(r"(\d{1,9}) ([0-9a-f]{64})\Z")
_MOST_DETAILS = 1 << 16


def anchors(payload: bytes, plant: str) -> list[tuple[str, int, str, str]]:
    """
    Chain, number of lines, hash of the last and the act, as lines ``audit`` of a batch tell.

    Whose chains they are stands in the act itself: the plant of the line is that of the historian's
    log, ``_`` before it knew any, and one historian may follow the offices of several plants.
    """
    found: list[tuple[str, int, str, str]] = []
    if b"\naudit," not in payload:
        return found
    for line in payload.decode("utf-8", "replace").split("\n"):
        act = _ACT.match(line) if line.startswith("audit,") else None
        details = _details(act[3]) if act else {}
        if not act or details.get("plant") != plant:
            continue
        name = "%s #%s %s" % (act[1], act[2], clock(int(act[4]) // 10**9))
        for chain in CHAINS:
            told = _ANCHOR.match(str(details.get(chain)))
            if told:
                found.append((chain, int(told[1]), told[2], name))
    return found


def _details(fields: str) -> dict[str, Any]:
    """The field ``details`` of an act's line: JSON in a quoted text; {} where it is none."""
    said = {m[1]: m[2] for m in _SAID.finditer(fields)}.get("details", "")
    try:
        found = json.loads(re.sub(r"\\(.)", r"\1", said)) if len(said) <= _MOST_DETAILS else {}
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


class Kept:
    """Of a package or report that an auditor kept."""

    def __init__(self) -> None:
        self.chains: list[tuple[str, int, str]] = []
        self.checkpoints: list[tuple[str, str]] = []


def _kept(path: str) -> tuple[Kept, dict[str, Any]]:
    """Raises Broken and errors of a structure that is none; OSError where there is no file."""
    kept = Kept()
    with open(path, "rb") as file:
        zipped = file.read(2) == b"PK"
    if not zipped:
        with open(path, "rb") as file:
            table = json.loads(file.read(MOST_FILE))
        content = table["content"]
        if sha(canonical(content)) != table["content_sha256"]:
            raise Broken("内容与 content_sha256 不符", "its content_sha256 does not hold")
        for key, name in (("ledger", "entries.jsonl"), ("journal", "journal.jsonl")):
            seen = content.get(key)
            if seen:
                kept.chains.append((name, int(seen["entries"]), str(seen["head"])))
        named = (content["report"], content["period"]["name"], table["version"])
        said = {"name": "%s-%s-v%s" % named, "plant": content["plant"]["id"]}
        return kept, dict(said, content_sha256=table["content_sha256"])
    archive = Archive(path)
    try:
        old = Package(archive, Verdict())
        if not old.check_seal():
            raise Broken("清单或签名不成立", "its manifest or signature does not hold")
        for name in CHAINS:
            lines = old.check_chain("entries/" + name)
            if lines:
                kept.chains.append((name, len(lines), sha(lines[-1].encode())))
        kept.checkpoints = [
            (n[len("checkpoints/") :], old.text(n)) for n in old.under("checkpoints")
        ]
        old.check_files()
        if old.verdict.changed:
            first = old.verdict.changed[0]
            raise Broken(first["where"] + " " + first["zh"], first["where"] + " " + first["en"])
        said = {key: old.manifest.get(key) for key in ("plant", "content_sha256")}
        return kept, dict(said, name=old.manifest.get("report"))
    finally:
        archive.close()


# -- the checks, one by one -------------------------------------------------------------------


class Package:
    """What is in an archive, and all that can be checked about it."""

    def __init__(self, archive: Archive, verdict: Verdict) -> None:
        self.archive, self.verdict = archive, verdict
        self.cache: dict[str, bytes] = {}
        self.manifest: dict[str, Any] = {}
        self.report: dict[str, Any] = {}
        self.histories: dict[str, History] = {}
        self.heads: dict[str, tuple[Head, Note]] = {}  # by plant/gateway/stream/log
        self.batches: dict[str, dict[int, Batch]] = {}
        self.chains: dict[str, list[str]] = {}  # lines by name in entries/
        self.lodged: dict[str, Any] = {}

    def has(self, name: str) -> bool:
        return name in self.archive.members

    def read(self, name: str) -> bytes:
        """Of a file; empty, and told, when it cannot be had."""
        if name not in self.cache:
            try:
                self.cache[name] = self.archive.read(name)
            except (Broken, KeyError) as error:
                zh, en = getattr(error, "zh", "缺少文件"), getattr(error, "en", "is not there")
                self.verdict.change(name, zh, en)
                self.cache[name] = b""
        return self.cache[name]

    def text(self, name: str) -> str:
        try:
            return self.read(name).decode("utf-8")
        except UnicodeDecodeError as error:
            self.verdict.change("%s: byte %d" % (name, error.start), "不是 UTF-8", "no UTF-8")
            return ""

    def json(self, name: str) -> object:
        try:
            return json.loads(self.text(name) or "null")
        except ValueError as error:
            self.verdict.change(name, "不是 JSON：%s" % error, "no JSON: %s" % error)
            return None

    def under(self, folder: str) -> list[str]:
        return sorted(n for n in self.archive.members if n.startswith(folder + "/"))

    # files

    def check_seal(self) -> bool:
        """
        Manifest and signature, before anything else is unpacked; False: there is nothing to go by.

        Only these and the office's keys are read here, and the directory has bounded their size.
        """
        for place, zh, en in self.archive.gaps():
            self.verdict.change("byte %d" % place, zh, en)
        for name in ("manifest.json", "manifest.sig"):
            if self.has(name) and self.archive.members[name].method != 0:
                self.verdict.change(name, "不应压缩", "must not be packed")
                return False
        found = self.json("manifest.json") if self.has("manifest.json") else None
        if not isinstance(found, dict) or found.get("form") != FORM:
            self.verdict.change(
                "manifest.json", "清单缺失或格式不对", "no manifest of a known form"
            )
            found = {}
        self.manifest = found
        if self.has("keys/report.json"):
            self._read_keys("keys/report.json")
        return self._signed() and bool(found)

    def check_files(self) -> None:
        """The manifest against the files, both ways; where a file differs, which block of it."""
        stated = self.manifest.get("files")
        stated = stated if isinstance(stated, dict) else {}
        own = {"manifest.json", "manifest.sig"}
        for name in sorted(set(self.archive.members) - set(stated) - own):
            self.verdict.change(name, "清单中没有的文件（被加入）", "a file that was added")
        for name in sorted(set(stated) - set(self.archive.members)):
            self.verdict.change(name, "清单中的文件不在包内（被删除）", "a file was taken out")
        real: dict[str, object] = {}
        for name in sorted(set(stated) & set(self.archive.members)):
            real[name] = self._check_file(name, stated[name])
        self._check_manifest(dict(stated, **real))

    def _check_file(self, name: str, stated: object) -> object:
        data, wrong = self.archive.unpacked(name)
        self.cache[name] = data
        m = self.archive.members[name]
        real = described(data, self.archive.packed(name), m.method)
        if real == stated:
            if wrong is not None:
                self.verdict.change(name, wrong.zh, wrong.en)
            return real
        said = stated if isinstance(stated, dict) else {}
        if said.get("sha256") == real["sha256"]:
            self.verdict.change(name, "压缩后的字节被改动", "its packed bytes were changed")
            return real
        at = first_difference(data, str(said.get("blocks", "")))
        line = data[:at].count(b"\n") + 1
        size, last = said.get("size", "-"), min(at + BLOCK, len(data)) - 1
        zh = "第 %d–%d 字节（第 %d 行起）" % (at, last, line)
        en = "bytes %d-%d, line %d ff." % (at, last, line)
        if last < at:  # it ends where the difference would begin
            zh, en = "第 %d 字节起缺失" % at, "byte %d: it ends there" % at
        self.verdict.change(
            "%s: %s" % (name, en),
            "与签名的清单不符：%s，现长 %d，原长 %s" % (zh, len(data), size)
            + ("；" + wrong.zh if wrong else ""),
            "differs from the signed manifest: %s; %d bytes long, was %s" % (en, len(data), size)
            + ("; " + wrong.en if wrong else ""),
        )
        return real

    def _check_manifest(self, real: dict[str, Any]) -> None:
        """Written in one way only; where it disagrees with the files, the place is told."""
        wanted = manifest_bytes(dict(self.manifest, files=real))
        given = self.read("manifest.json")
        if wanted == given:
            return
        pairs = enumerate(zip(wanted, given))
        at = next((i for i, (a, b) in pairs if a != b), min(len(wanted), len(given)))
        line = given[:at].count(b"\n") + 1
        self.verdict.change(
            "manifest.json: byte %d, line %d" % (at, line),
            "清单与文件不符（第 %d 行）" % line,
            "the manifest does not fit the files (line %d)" % line,
        )

    # signatures

    def _read_keys(self, name: str) -> None:
        notes = self.json(name)
        try:
            history = History(notes if isinstance(notes, list) else [])
        except Broken as error:
            self.verdict.change(name, error.zh, error.en)
            return
        if history.owner in self.histories:
            self.verdict.change(
                name,
                "%s 的密钥出现两次" % history.owner,
                "keys of %s a second time" % history.owner,
            )
            return
        self.histories[history.owner] = history
        self.verdict.keys[plain(history.owner)] = plain(history.keys[-1].vkey(history.owner))

    def check_keys(self, trusted: list[str]) -> None:
        for name in self.under("keys"):
            if name != "keys/report.json":  # read with the signature
                self._read_keys(name)
        for vkey in trusted:
            owner = vkey.partition("+")[0]
            known = self.histories.get(owner)
            if known is None:
                self.verdict.change(
                    "keys",
                    "包内没有您信任的密钥主体 %s：被改动，或由他人密钥重新签名" % owner,
                    "no key of %s, which you trust: changed, or signed again by a foreign key"
                    % owner,
                )
            elif vkey not in [key.vkey(owner) for key in known.keys]:
                self.verdict.change(
                    "keys",
                    "%s 的密钥不是您信任的那一个：已被他人密钥重新签名" % owner,
                    "the keys of %s are not the one you trust: signed again by a foreign key"
                    % owner,
                )
            else:
                self.verdict.checked.add(owner)
                self.verdict.good(
                    "%s 的密钥与您信任的一致" % owner, "%s: the key that you trust" % owner
                )

    def _signed(self) -> bool:
        """The manifest's digest is what the report key signed."""
        name = "manifest.sig"
        if not self.has(name):
            self.verdict.change(name, "没有签名", "there is no signature")
            return False
        written = self.read("manifest.json") if self.has("manifest.json") else b""
        if "\nsha256:%s\n" % sha(written) not in self.text(name):
            self.verdict.change(
                "manifest.json",
                "清单不是被签名的那一份",
                "the manifest is not the one that was signed",
            )
        try:
            note = Note(self.text(name))
        except Broken as error:
            self.verdict.change(name, error.zh, error.en)
            return False
        owner = OFFICE + str(self.manifest.get("plant", ""))
        history = self.histories.get(owner)
        if history is None or len(note.signatures) != 1:
            self.verdict.change(
                name, "没有 %s 的公钥或签名" % owner, "no public key or signature of %s" % owner
            )
        elif not any(note.signed_by(owner, key) for key in history.keys):
            self.verdict.change(
                name,
                "清单签名不成立：清单被改动，或由别的密钥签名",
                "the signature does not hold: changed, or signed with another key",
            )
        elif note.text != signed_text(self.manifest, written):
            self.verdict.change(
                "manifest.json",
                "清单不是被签名的那一份",
                "the manifest is not the one that was signed",
            )
        else:
            self.verdict.good("清单由 %s 签名" % owner, "the manifest is signed by %s" % owner)
            return True
        return False

    def check_heads(self, latest_s: float) -> None:
        """Each checkpoint is signed by its gateway and cosigned by the historian."""
        for name in self.under("checkpoints"):
            try:
                note = Note(self.text(name))
                head = Head(note)
            except Broken as error:
                self.verdict.change(name, error.zh, error.en)
                continue
            log = head.origin[len("smelter/") :]
            log = log[: -len("/sm3")] if head.hash == "sm3" else log
            if "checkpoints/%s" % log != name or not head.origin.startswith("smelter/"):
                self.verdict.change(name, "检查点不属于该日志", "a checkpoint of another log")
                continue
            if not any(note.signed_by(head.origin, key) for key in self._senders(log)):
                self.verdict.change(name, "网关签名不成立", "the gateway's signature does not hold")
                continue
            self.heads[log] = (head, note)
            self._check_cosignature(name, note, latest_s)

    def _senders(self, log: str) -> list[Key]:
        """Who signs a log's heads: its gateway; of the historian's own logs the historian."""
        plant, name = log.split("/")[:2]
        return [
            key
            for owner, history in self.histories.items()
            for key in history.keys
            if owner == "smelter/%s/%s" % (plant, name)
            or (name == OWN and owner.startswith(WITNESS))
        ]

    def _check_cosignature(self, name: str, note: Note, latest_s: float) -> None:
        times = [
            note.cosigned_by(owner, key)
            for owner, history in self.histories.items()
            if owner.startswith(WITNESS)
            for key in history.keys
        ]
        at_s = max(times or [0])
        if not at_s:
            self.verdict.change(
                name, "历史库会签不成立", "the historian's cosignature does not hold"
            )
        elif at_s > latest_s:
            self.verdict.change(name, "会签时间在将来", "cosigned in the future")
        else:
            self.verdict.good(
                "检查点 %s 由历史库于 %s 会签" % (name[12:], clock(at_s)),
                "checkpoint %s cosigned at %s" % (name[12:], clock(at_s)),
            )

    # the report and what people entered

    def check_report(self) -> None:
        table = self.json("report.json")
        content = table.get("content") if isinstance(table, dict) else None
        if isinstance(table, dict) and isinstance(table.get("lodged"), dict):
            self.lodged = table["lodged"]
        if not isinstance(table, dict) or not isinstance(content, dict):
            self.verdict.change("report.json", "不是报告", "no report")
            return
        self.report = content
        if sha(canonical(content)) != table.get("content_sha256"):
            self.verdict.change(
                "report.json", "内容与 content_sha256 不符", "content_sha256 does not hold"
            )
        names = [content.get("report"), (content.get("period") or {}).get("name")]
        name = "%s-%s-v%s" % (names[0], names[1], table.get("version"))
        self.verdict.report = plain(name)
        plant = (content.get("plant") or {}).get("id")
        said = [self.manifest.get(key) for key in ("report", "content_sha256", "plant")]
        if said != [name, table.get("content_sha256"), plant]:
            self.verdict.change(
                "manifest.json", "清单不是这份报告的", "the manifest is of another report"
            )

    def check_chain(self, name: str) -> list[str]:
        """Lines of an append-only file, each with the hash of the one before."""
        if not self.has(name):
            return []
        lines = self.text(name).split("\n")
        if lines.pop():
            self.verdict.change(name, "末行不完整", "the last line is not whole")
        prev = "0" * 64
        for number, line in enumerate(lines, 1):
            try:
                table = json.loads(line)
                fits = isinstance(table, dict) and (table["n"], table["prev"]) == (number, prev)
            except (ValueError, KeyError):
                fits = False
            if not fits:
                self.verdict.change(
                    "%s: line %d" % (name, number),
                    "哈希链断开：第 %d 行或其前一行被改动、插入或删除" % number,
                    "the chain is broken: line %d or the one before was changed, put in or "
                    "taken out" % number,
                )
                return lines
            prev = sha(line.encode())
        return lines

    def check_entries(self) -> None:
        self.chains = {name: self.check_chain("entries/" + name) for name in CHAINS}
        self._check_journal(self.report.get("journal") or {})
        self._check_lodged()
        lines = self.chains["entries.jsonl"]
        ledger = self.report.get("ledger") or {}
        head = sha(lines[-1].encode()) if lines else "0" * 64
        if (ledger.get("entries"), ledger.get("head")) != (len(lines), head):
            self.verdict.change(
                "entries/entries.jsonl: line %d" % len(lines),
                "台账与报告所记不符（%s 条）" % ledger.get("entries"),
                "not the ledger that the report read (%s entries)" % ledger.get("entries"),
            )
        bad = 0
        for entry in self.report.get("entries") or []:
            number = entry.get("number", 0)
            line = lines[number - 1] if 0 < number <= len(lines) else ""
            if sha(line.encode()) != entry.get("hash"):
                bad += 1
                self.verdict.change(
                    "report.json: entry %s" % number,
                    "报告所引第 %s 条录入与台账不符" % number,
                    "entry %s of the report is not the one in the ledger" % number,
                )
        if not bad:
            self.verdict.good(
                "录入台账 %d 条，链完整" % len(lines), "%d entries, chain whole" % len(lines)
            )

    def _check_journal(self, seen: dict[str, Any]) -> None:
        """The journal goes on from the one that the report stood on."""
        count, lines = seen.get("entries", 0), self.chains["journal.jsonl"]
        if not count:
            return
        if len(lines) < count or sha(lines[count - 1].encode()) != seen.get("head"):
            self.verdict.change(
                "entries/journal.jsonl: line %d" % min(count, len(lines)),
                "环保记录不再延续报告所用的 %d 条（现 %d 条）：被截断、替换或改写"
                % (count, len(lines)),
                "the journal does not go on from the %d records that the report stood on (%d "
                "here): it was cut, replaced or rewritten" % (count, len(lines)),
            )
        else:
            self.verdict.good("环保记录 %d 条，链完整" % len(lines), "%d records" % len(lines))

    def _check_lodged(self) -> None:
        """What the report says was lodged stands among the lodgings."""
        lodged = self.lodged
        rows = [json.loads(line) for line in self.chains["lodgings.jsonl"] if line[:1] == "{"]
        if lodged and lodged.get("content_sha256") not in [r.get("content_sha256") for r in rows]:
            self.verdict.change(
                "entries/lodgings.jsonl: line %d" % len(rows),
                "报告所称的存证（回执 %s）不在存证登记中" % lodged.get("receipt"),
                "what the report says was lodged (receipt %s) is not among the lodgings"
                % lodged.get("receipt"),
            )

    def _check_seen(self, name: str, count: int, head: object, where: str) -> bool | None:
        """Somebody saw ``count`` lines with this head; None: more than the package shows."""
        lines = self.chains.get(name, [])
        if count > len(lines) and name == "entries.jsonl":
            return None  # the package has the ledger as far as the report read it
        if count <= len(lines) and (count == 0 or sha(lines[count - 1].encode()) == head):
            self.verdict.anchored += count > 0
            return True
        self.verdict.change(
            "entries/%s: line %d" % (name, min(count, len(lines))),
            "不再延续 %s 所见的 %d 条（包内 %d 条）：被截断、替换或整体改写"
            % (where, count, len(lines)),
            "does not go on from the %d lines that %s holds (%d here): cut, replaced or "
            "rewritten together" % (count, where, len(lines)),
        )
        return False

    def check_anchors(self) -> None:
        """Acts in the historian's own log tell the heads: its tree is not the office's."""
        plant = str((self.report.get("plant") or {}).get("id"))
        told, good = 0, 0
        for log, found in sorted(self.batches.items()):
            if log.split("/")[1:3] != [OWN, "record"]:
                continue
            size = self.heads[log][0].size if log in self.heads else 0
            if found and (max(found), len(found)) != (size, size + 1 - min(found)):
                self.verdict.note(
                    "历史库自身日志 %s 不完整，可能缺少对台账和环保记录的锚定" % log,
                    "the historian's own log %s is not whole here: anchors may be missing" % log,
                )
            for batch in found.values():
                for name, count, head, act in anchors(batch.payload, plant):
                    where = "%s (batches/%s.seg: batch %d)" % (act, log, batch.seq)
                    told += 1
                    good += self._check_seen(name, count, head, where) is not False
        if told and told == good:
            self.verdict.good(
                "台账、环保记录与历史库日志中 %d 处锚定一致" % told,
                "ledger, journal and lodgings fit %d anchors in the historian's own log" % told,
            )

    def check_earlier(self, path: str) -> None:
        """What the auditor kept, a package or a report: chains and checkpoints go on from it."""
        name = os.path.basename(path)
        try:
            seen, report = _kept(path)
        except (Broken, ValueError, KeyError, TypeError, AttributeError) as error:
            zh, en = getattr(error, "zh", "无法读取"), getattr(error, "en", "cannot be read")
            self.verdict.cannot(name, "您保存的文件：" + zh, "the file that you kept: " + en)
            return
        before = len(self.verdict.changed)
        for chain, count, head in seen.chains:
            self._check_seen(chain, count, head, plain(name))
        same = [report.get(key) for key in ("name", "plant")] == [
            self.manifest.get(key) for key in ("report", "plant")
        ]
        if same and report.get("content_sha256") != self.manifest.get("content_sha256"):
            self.verdict.change(
                "report.json",
                "同一版本的报告与您保存的 %s 内容不同" % plain(name),
                "the same version says something else in %s, which you kept" % plain(name),
            )
        for log, text in seen.checkpoints:
            if log in self.heads:
                self.check_known("%s: %s" % (name, log), text)
        if len(self.verdict.changed) == before:
            self.verdict.good("由您保存的 %s 延续而来" % name, "goes on from %s, as kept" % name)

    def check_documents(self) -> None:
        names = self.under("documents")
        for name in names:
            if sha(self.read(name)) != name.split("/")[1].partition(".")[0]:
                self.verdict.change(
                    name, "文件内容与其 SHA-256 不符", "not the document of that SHA-256"
                )
        here = {name.split("/")[1].partition(".")[0] for name in names}
        for entry in self.report.get("entries") or []:
            for key in ("document", "source"):
                used = entry.get(key)
                if used and used["sha256"] not in here:
                    where = "report.json: entry %s" % entry.get("number")
                    self._left_out(where, used["sha256"], "凭证文件 " + used["name"], used["name"])

    def check_rules(self) -> None:
        overlays = {name: sha(self.read(name)) for name in self.under("overlays")}
        for pack, digest in sorted((self.report.get("packs") or {}).items()):
            name = "rules/%s.toml" % pack
            if not self.has(name):
                self._left_out(name, name, "规则 " + pack, "rule pack " + pack)
                continue
            real = sha(self.read(name))
            for text in self.manifest.get("overlays", {}).get(pack, []):
                real = sha(("%s\n%s\n" % (real, overlays.get(text, ""))).encode())
            if real != digest:
                self.verdict.change(
                    name, "不是报告所用的规则文本", "not the rules that the report used"
                )

    def _left_out(self, where: str, key: str, zh: str, en: str) -> None:
        told = self.manifest.get("left_out", {}).get(key)
        why = told if isinstance(told, dict) else {"zh": "不在包内", "en": "not in the package"}
        self.verdict.cannot(where, zh + "：" + why["zh"], en + ": " + why["en"])

    # originals

    def check_batches(self) -> None:
        count = 0
        for name in self.under("batches"):
            log = name[len("batches/") : -len(".seg")]
            found = read_batches(self.verdict, name, log, self.read(name))
            self.batches[log] = found
            paths = self._paths("proofs/%s.txt" % log)
            leaves = self._leaves(log)
            for batch in found.values():
                count += self._check_leaf(name, log, batch, paths, leaves)
        self.verdict.batches = count
        if count:
            self.verdict.good(
                "%d 个原始批次包含于会签的检查点" % count,
                "%d original batches are under a cosigned checkpoint" % count,
            )

    def check_counts(self) -> None:
        """As many batches as the manifest says; with ``all`` each one that the report names."""
        stated = self.manifest.get("counts")
        if isinstance(stated, dict):
            real = {log: [min(b), max(b), len(b)] for log, b in self.batches.items() if b}
            for log in sorted(set(stated) | set(real)):
                if stated.get(log) != real.get(log):
                    both = (stated.get(log), real.get(log))
                    self.verdict.change(
                        "batches/%s.seg" % log,
                        "批次的首号、末号、数量：清单称 %s，实为 %s" % both,
                        "first, last and number of batches: the manifest says %s, here are %s"
                        % both,
                    )
        if self.manifest.get("batches") == "all":
            plant = (self.report.get("plant") or {}).get("id")
            uses = [u for m in self.report.get("meters") or [] for u in m.get("batches") or []]
            wanted: dict[str, set[tuple[int, int]]] = {}
            for use in uses:
                log = "%s/%s/record/%s" % (plant, use.get("gateway"), use.get("log"))
                if use.get("log"):
                    wanted.setdefault(log, set()).add((use["first_seq"], use["last_seq"]))
            for log, spans in sorted(wanted.items()):
                self._check_whole(log, spans)

    def _check_whole(self, log: str, spans: set[tuple[int, int]]) -> None:
        where = "batches/%s.seg" % log
        if max(last for _, last in spans) - min(first for first, _ in spans) > MOST_SPAN:
            self.verdict.cannot(where, "批次过多，无法逐一核对", "too many batches to go through")
            return
        here, told = self.batches.get(log, {}), self.manifest.get("left_out", {})
        named = {seq for first, last in spans for seq in range(first, last + 1)}
        missing = sorted(named - set(here))
        silent = [seq for seq in missing if "%s#%d" % (log, seq) not in told]
        if silent:
            self.verdict.change(
                "%s: batch %d" % (where, silent[0]),
                "清单称附全部批次（all），但缺 %d 个，自批次 %d 起" % (len(silent), silent[0]),
                "the manifest says all, but %d batches are missing, from batch %d on"
                % (len(silent), silent[0]),
            )
        elif missing:
            self.verdict.cannot(
                "%s: batch %d" % (where, missing[0]),
                "缺 %d 个批次，企业已说明" % len(missing),
                "%d batches are missing, as the plant says" % len(missing),
            )

    def check_vouched(self, kept: bool) -> None:
        """Batches count under heads of keys, or of a history, that the auditor knew before."""
        ends = self.verdict.ends
        for log, found in sorted(self.batches.items()):
            bound = self.verdict.kept.get(log, 0)
            beyond = [seq for seq in sorted(found) if seq > bound]
            if not beyond or log not in self.heads or self._vouched(log, ends | self.verdict.bound):
                continue
            where = "batches/%s.seg: batch %d" % (log, beyond[0])
            if any(owner.startswith(WITNESS) for owner in ends):  # it cosigns every log
                self.verdict.change(
                    where,
                    "日志 %s 的检查点没有您信任的网关或历史库签名：原始批次被替换，或由他人签名"
                    % log,
                    "no gateway or historian that you trust signed the checkpoint of log %s: its "
                    "originals were replaced, or signed by a foreign key" % log,
                )
            elif ends or kept:
                self.verdict.cannot(
                    where,
                    "您给出的公钥或检查点不能担保日志 %s 自批次 %d 起的内容；请给出历史库公钥"
                    % (log, beyond[0]),
                    "no key or checkpoint that you gave vouches for log %s from batch %d on; give "
                    "the key of the historian" % (log, beyond[0]),
                )

    def _vouched(self, log: str, owners: set[str]) -> bool:
        head, note = self.heads[log]
        gateway = "smelter/" + "/".join(log.split("/")[:2])
        for owner in owners & set(self.histories):
            keys = self.histories[owner].keys
            if owner == gateway and any(note.signed_by(head.origin, key) for key in keys):
                return True
            if owner.startswith(WITNESS) and any(note.cosigned_by(owner, key) for key in keys):
                return True
        return False

    def _paths(self, name: str) -> dict[int, list[bytes]]:
        found: dict[int, list[bytes]] = {}
        if not self.has(name):
            return found
        for number, line in enumerate(self.text(name).split("\n")[:-1], 1):
            try:
                words = line.split(" ")
                found[int(words[0])] = [unb64(word) for word in words[1:]]
            except (Broken, ValueError):
                self.verdict.change("%s: line %d" % (name, number), "不是证明", "no proof")
        return found

    def _leaves(self, log: str) -> list[bytes]:
        name = "leaves/%s.bin" % log
        if not self.has(name) or log not in self.heads:
            return []
        head, data = self.heads[log][0], self.read(name)
        leaves = [data[at : at + 32] for at in range(0, len(data), 32)]
        if len(leaves) != head.size or root_of(head.hash, leaves) != head.root:
            self.verdict.change(
                name, "叶子与检查点的根不符", "the leaves do not give the checkpoint's root"
            )
        return leaves

    def _check_leaf(
        self,
        name: str,
        log: str,
        batch: Batch,
        paths: dict[int, list[bytes]],
        leaves: list[bytes],
    ) -> int:
        where = "%s: batch %d, byte %d" % (name, batch.seq, batch.offset)
        key = "%s#%d" % (log, batch.seq)
        if log not in self.heads or batch.seq - 1 not in paths:
            self._left_out(where, key, "批次 %d 没有包含证明" % batch.seq, "no inclusion proof")
            return 0
        head = self.heads[log][0]
        leaf = leaf_hash(head.hash, head.after, log, batch.seq, batch.payload)
        path = paths[batch.seq - 1]
        good = root_by_path(head.hash, leaf, batch.seq - 1, head.size, path) == head.root
        if not good or (leaves and leaves[batch.seq - 1 : batch.seq] != [leaf]):
            self.verdict.change(
                where,
                "批次 %d 不在会签的检查点之下：被改动、插入或换树" % batch.seq,
                "batch %d is not under the cosigned checkpoint: changed, put in, or another tree"
                % batch.seq,
            )
            return 0
        return 1

    def check_registers(self) -> None:
        """Each meter reading that the report cites stands so in its batch."""
        good, elsewhere = 0, 0
        plant = (self.report.get("plant") or {}).get("id")
        for meter in self.report.get("meters") or []:
            elsewhere += meter.get("begin") is None and meter.get("windows", 0) > 0
            for end in ("begin", "end"):
                register = meter.get(end)
                if register is not None:
                    good += self._check_register(plant, meter, end, register)
        self.verdict.readings = good
        if good:
            self.verdict.good(
                "报告所引 %d 个表底读数与原始批次一致" % good,
                "%d meter readings of the report stand in their batches" % good,
            )
        if elsewhere and self.manifest.get("batches") != "all":
            self.verdict.partly = True
            self.verdict.note(
                "%d 个测点的逐分钟读数不在包内（可要求以 --all 或 --at 打包）" % elsewhere,
                "the readings of %d points are not in the package (ask for --all or --at)"
                % elsewhere,
            )

    def _check_register(
        self, plant: object, meter: dict[str, Any], end: str, register: dict[str, Any]
    ) -> int:
        where = "report.json: %s %s" % (meter["id"], end)
        log = "%s/%s/record/%s" % (plant, register.get("gateway"), register.get("log"))
        batch = self.batches.get(log, {}).get(register.get("seq", 0))
        area, _, unit = meter["equipment"].partition("/")
        measurement, _, field = meter["quantity"].partition(".")
        starts = [
            "%s_%s,plant=%s,line=%s,unit=%s " % (measurement, ending, plant, area, unit)
            for ending in ("1m", "1h")
        ]
        stop = " %d" % register.get("window_ns", 0)
        if not register.get("log"):  # the report's store did not say which batch it was
            every = (b for found in self.batches.values() for b in found.values())
            batch = next((b for b in every if any(b.window(s, stop) for s in starts)), None)
        if batch is None:
            key = "%s#%s" % (log, register.get("seq"))
            self._left_out(where, key, "没有其原始批次", "its original batch is missing")
            return 0
        line = batch.window(starts[0], stop) or batch.window(starts[1], stop)
        line = line or self._moved(log, batch, starts, register.get("window_ns", 0))
        body = (line or "").partition(" ")[2].rpartition(" ")[0]
        fields = {key: text.strip('"') for key, text in _FIELD.findall(body)}
        try:
            written = fields[field + "_last"]
            stated, real = float(register["last"]), float(written)
            exact = field + "_raw" in fields or not re.search("[.eE]", written)
            same = stated == real if exact else abs(stated - real) <= 1e-6 * max(1.0, abs(real))
        except (KeyError, TypeError, ValueError):
            same, real = False, float("nan")
        if not same or register.get("raw", "") != fields.get(field + "_raw", ""):
            self.verdict.change(
                where,
                "报告所写读数 %s 与批次 %d 中的 %s 不符" % (register.get("last"), batch.seq, real),
                "the report says %s, batch %d says %s" % (register.get("last"), batch.seq, real),
            )
            return 0
        return 1

    def _moved(self, log: str, batch: Batch, starts: list[str], true_ns: int) -> str | None:
        """The window under its old stamp, where a line of the same log says that it was moved."""
        shifts = [s for b in self.batches.get(log, {}).values() for s in shifts_of(b.payload)]
        for line in batch.payload.decode("utf-8", "replace").split("\n") if shifts else ():
            stamp = re.search(r" (\d+)\Z", line) if line.startswith(tuple(starts)) else None
            if stamp and any(shift.fits(int(stamp.group(1)), true_ns) for shift in shifts):
                return line
        return None

    # what the auditor brings

    def check_known(self, name: str, text: str) -> None:
        """A checkpoint that was kept from earlier: this history must go on from it."""
        try:
            note = Note(text)
            known = Head(note)
        except Broken as error:
            self.verdict.cannot(name, error.zh, error.en)
            return
        log = known.origin[len("smelter/") :]
        log = log[: -len("/sm3")] if known.hash == "sm3" else log
        if log not in self.heads:
            self.verdict.cannot(
                name, "包内没有日志 %s 的检查点" % log, "the package has no checkpoint of " + log
            )
            return
        head = self.heads[log][0]
        where = "checkpoints/%s" % log
        if head.hash == known.hash and head.size < known.size:
            self.verdict.change(
                where,
                "检查点（%d 批次）早于您已知的（%d 批次），拒绝" % (head.size, known.size),
                "the checkpoint (%d batches) is older than the one you know (%d): refused"
                % (head.size, known.size),
            )
            return
        good = self._goes_on(log, known, head)
        if good is None:
            self.verdict.cannot(
                where,
                "缺少与已知检查点的一致性证明；请对方用 --since 该文件重新打包",
                "no proof that it goes on from the one you know; ask for a package made with "
                "--since that file",
            )
        elif good:
            self.verdict.kept[log] = known.size
            self.verdict.bound |= self._signers(log, known, note)
            self.verdict.good("与您已知的检查点一致", "goes on from the checkpoint that you know")
        else:
            self.verdict.change(
                where,
                "与您已知的检查点矛盾：历史被改写（换树或分叉）",
                "contradicts the checkpoint that you know: the history was rewritten",
            )

    def _signers(self, log: str, known: Head, note: Note) -> set[str]:
        """Gateway and historian that signed the kept one with keys that are here: known before."""
        gateway = "smelter/" + "/".join(log.split("/")[:2])
        found = set()
        for owner, history in self.histories.items():
            signs = owner == gateway and any(
                note.signed_by(known.origin, key) for key in history.keys
            )
            witnessed = owner.startswith(WITNESS) and any(
                note.cosigned_by(owner, key) for key in history.keys
            )
            if signs or witnessed:
                found.add(owner)
        return found

    def _goes_on(self, log: str, known: Head, head: Head) -> bool | None:
        if known.hash != head.hash:
            return None
        if known.size == head.size:
            return known.root == head.root
        if known.size == 0:
            return True
        leaves = self._leaves(log)
        if leaves:
            return root_of(head.hash, leaves[: known.size]) == known.root
        path = self._paths("consistency/%s.txt" % log).get(known.size)
        if path is None:
            return None
        return grew(head.hash, known.size, known.root, head.size, head.root, path)

    def check_stamps(self, ca: str) -> None:
        """The day's file names a root of this history, and the answer is over that file."""
        for name in self.under("stamps"):
            if not name.endswith(".txt"):
                continue
            data, answer = self.read(name), name[:-4] + ".tsr"
            for line in data.decode("utf-8", "replace").split("\n")[2:-1]:
                self._check_day_line(name, line)
            if self.has(answer):
                self._check_answer(name, answer, ca)

    def _check_day_line(self, name: str, line: str) -> None:
        try:
            known = Head(Note("%s\n\n\u2014 x AAAAAAA=\n" % line.replace(" ", "\n")))
        except Broken:
            return
        log = known.origin[len("smelter/") :]
        head = self.heads[log][0] if log in self.heads else None
        if head and known.size <= head.size and self._goes_on(log, known, head) is False:
            self.verdict.change(
                name, "当日根哈希与检查点矛盾", "a root of that day contradicts the checkpoint"
            )

    def _check_answer(self, name: str, answer: str, ca: str) -> None:
        digest = hashlib.sha256(self.read(name)).digest()
        program = shutil.which("openssl")
        if digest not in self.read(answer):
            self.verdict.change(answer, "时间戳不是该文件的", "the time stamp is of another file")
        elif not ca or program is None:
            self.verdict.note(
                "时间戳 %s 未核对签名（请用 --ca 给出证书，需要 openssl）" % answer,
                "%s: signature not checked (give --ca; needs openssl)" % answer,
            )
        elif stamped(program, self.read(name), self.read(answer), ca):
            self.verdict.good("时间戳 %s 成立" % answer, "time stamp %s holds" % answer)
        else:
            self.verdict.change(answer, "时间戳不成立", "the time stamp does not hold")


def stamped(program: str, data: bytes, answer: bytes, ca: str) -> bool:
    """Whether ``openssl ts`` accepts the answer for the data."""
    with tempfile.TemporaryDirectory(prefix="verify-") as folder:
        for name, content in (("data", data), ("tsr", answer)):
            with open(os.path.join(folder, name), "wb") as file:
                file.write(content)
        call = [program, "ts", "-verify", "-data", os.path.join(folder, "data")]
        call += ["-in", os.path.join(folder, "tsr"), "-CAfile", ca]
        done = subprocess.run(call, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return done.returncode == 0


# -- shared with the program that writes packages ---------------------------------------------


def canonical(table: object) -> bytes:
    """JSON as reports are hashed."""
    text = json.dumps(table, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode("utf-8")


def manifest_bytes(manifest: dict[str, Any]) -> bytes:
    text = json.dumps(manifest, ensure_ascii=False, sort_keys=True, indent=1)
    return (text + "\n").encode("utf-8")


def described(data: bytes, packed: bytes, method: int) -> dict[str, Any]:
    """What the manifest says of a file."""
    blocks = (sha(data[at : at + BLOCK])[:16] for at in range(0, len(data), BLOCK))
    return {
        "size": len(data),
        "sha256": sha(data),
        "method": method,
        "packed": len(packed),
        "packed_sha256": sha(packed),
        "blocks": "".join(blocks),
    }


def first_difference(data: bytes, blocks: str) -> int:
    """Byte at which the first block begins that is not as the manifest says."""
    for at in range(0, len(data), BLOCK):
        if sha(data[at : at + BLOCK])[:16] != blocks[at // BLOCK * 16 :][:16]:
            return at
    return len(data) - len(data) % BLOCK


def signed_text(manifest: dict[str, Any], written: bytes) -> str:
    """What the report key signs."""
    said = [str(manifest.get(key, "")) for key in ("form", "plant", "report", "content_sha256")]
    return "\n".join(said + ["sha256:" + sha(written)]) + "\n"


def clock(seconds: int) -> str:
    zone = timezone(timedelta(hours=8))
    return datetime.fromtimestamp(seconds, zone).strftime("%Y-%m-%d %H:%M:%S +08:00")


# -- the verdict ------------------------------------------------------------------------------


def verify(
    path: str,
    trusted: list[str],
    known: list[str],
    ca: str = "",
    latest_s: float = 1e12,
    earlier: list[str] | None = None,
    waived: bool = False,
) -> Verdict:
    """Never raises for what is in the file; OSError when there is none."""
    verdict = Verdict()
    verdict.waived = waived
    try:
        archive = Archive(path)
    except Broken as error:
        verdict.change(os.path.basename(path), error.zh, error.en)
        return verdict
    except MemoryError:
        verdict.cannot(os.path.basename(path), "内存不足", "not enough memory")
        return verdict
    try:
        package = Package(archive, verdict)
        try:
            _check(package, trusted, known, ca, latest_s, earlier or [])
        except OSError:
            raise
        except (MemoryError, RecursionError) as error:
            said = type(error).__name__
            verdict.cannot(
                os.path.basename(path),
                "文件过大或嵌套过深，本机未能读完（%s）；其余未核对" % said,
                "too large or too deep to be read here (%s); the rest was not checked" % said,
            )
        except Exception as error:  # noqa: BLE001 - of foreign content, whatever it is, a verdict
            where = "report.json" if package.manifest else "manifest.json"
            verdict.change(where, "结构被改动：%r" % error, "its structure was changed: %r" % error)
    finally:
        archive.close()
    if not verdict.changed:
        _say_unchecked(verdict)
    return verdict


def _say_unchecked(verdict: Verdict) -> None:
    """Which keys nobody compared with anything: a forger may have made them."""
    if not verdict.keys_checked:
        verdict.note(
            "未给出可信公钥：只核对了包自身；请将下列公钥与您从他处得到的公钥比对（--trusted-key）",
            "no trusted key was given: the package was compared with itself only; compare the "
            "keys below with those you were given otherwise (--trusted-key)",
        )
    elif not verdict.office_checked:
        verdict.note(
            "报告和录入的签名公钥（smelter/reports/…）未与可信公钥比对",
            "the key that signs report and entries (smelter/reports/...) was not compared",
        )
    elif not verdict.ends and not verdict.kept:
        verdict.note(
            "网关和历史库的公钥未与可信公钥或已知检查点比对：原始批次可能被整体替换",
            "no key of gateway or historian, and no checkpoint, was compared: all originals may "
            "have been replaced together",
        )


def _check(
    package: Package,
    trusted: list[str],
    known: list[str],
    ca: str,
    latest_s: float,
    earlier: list[str],
) -> None:
    if not package.check_seal():  # nothing is unpacked that nobody signed
        package.verdict.stopped()
        return
    package.check_files()
    package.check_keys(trusted)
    package.check_heads(latest_s)
    package.check_report()
    package.check_entries()
    package.check_documents()
    package.check_rules()
    package.check_batches()
    package.check_counts()
    package.check_registers()
    package.check_stamps(ca)
    package.check_anchors()
    for name in earlier:
        package.check_earlier(name)
    for name in known:
        with open(name, encoding="utf-8", errors="replace") as file:
            package.check_known(name, file.read(MOST_NOTE))
    package.check_vouched(bool(known))


WORDS = {
    "intact": ("未被改动", "intact"),
    "changed": ("已被改动，或由他人密钥签名", "changed, or signed by a foreign key"),
    "unknown": ("无法完全判断", "cannot be judged wholly"),
    "untraced": (
        "无法完全判断：数字未能追溯到有人担保的原始批次",
        "cannot be judged wholly: its figures are not traced to originals that anyone vouches for",
    ),
    "unvouched": (
        "无法判断：自洽，但密钥无人担保",
        "cannot be judged: agrees with itself; nobody vouches for the keys",
    ),
}
MOST_SHOWN = 40


def headline(verdict: Verdict) -> tuple[str, str]:
    """The verdict with what narrows it; none of it is foreign text."""
    said = [WORDS[verdict.word]]
    found = verdict.readings or verdict.batches
    if verdict.word in ("intact", "untraced", "unvouched") and not found:
        said.append(("包内没有支撑其数字的原始批次", "no originals behind its figures are here"))
    if verdict.word == "intact" and not verdict.office_checked:
        said.append(("报告密钥未比对", "the key of the report was not compared"))
    if verdict.word in ("intact", "untraced") and not verdict.ends and not verdict.kept:
        said.append(("网关和历史库密钥未比对", "no key of gateway or historian was compared"))
    if verdict.word == "intact" and verdict.partly:
        said.append(("部分测点的原始批次不在包内", "originals of some points are not here"))
    return "；".join(zh for zh, _ in said), "; ".join(en for _, en in said)


def unchecked(verdict: Verdict) -> list[tuple[str, str]]:
    """What this verdict does not say."""
    found = list(UNCHECKED)
    if not verdict.anchored:
        found.insert(0, (UNANCHORED_ZH, UNANCHORED_EN))
    return found


def table(verdict: Verdict) -> dict[str, Any]:
    """For a machine."""
    return {
        "verdict": verdict.word,
        "headline": dict(zip(("zh", "en"), headline(verdict))),
        "report": verdict.report,
        "keys_checked": verdict.keys_checked,
        "changed": verdict.changed,
        "unknown": verdict.unknown,
        "proved": verdict.proved,
        "notes": verdict.notes,
        "unchecked": [{"zh": zh, "en": en} for zh, en in unchecked(verdict)],
        "keys": verdict.keys,
    }


def text(verdict: Verdict, lang: str) -> str:
    """For a person."""
    lines = ["%s / %s" % headline(verdict), "  " + (verdict.report or "?")]
    for sign, found in (("x", verdict.changed), ("?", verdict.unknown)):
        lines += ["%s %s  %s" % (sign, f["where"], f[lang]) for f in found[:MOST_SHOWN]]
        if len(found) > MOST_SHOWN:
            lines.append("%s … +%d" % (sign, len(found) - MOST_SHOWN))
    lines += ["+ " + f[lang] for f in verdict.proved]
    lines += ["! " + f[lang] for f in verdict.notes]
    lines += [
        "- " + ("未核对：%s" % zh if lang == "zh" else "not checked: %s" % en)
        for zh, en in unchecked(verdict)
    ]
    lines += ["  " + vkey for _, vkey in sorted(verdict.keys.items())]
    return "\n".join(lines) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """The program; its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_Plain)
    parser.add_argument("package")
    parser.add_argument("--trusted-key", "--key", action="append", default=[], metavar="VKEY")
    parser.add_argument("--checkpoint", action="append", default=[], metavar="FILE")
    parser.add_argument("--earlier", action="append", default=[], metavar="FILE")
    parser.add_argument("--ca", default="", metavar="FILE")
    parser.add_argument("--without-originals", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--lang", choices=("zh", "en"), default=_language())
    given = parser.parse_args(arguments)
    try:
        now_s = datetime.now(timezone.utc).timestamp() + 86400
        lists = given.trusted_key, given.checkpoint
        more = given.earlier, given.without_originals
        found = verify(given.package, *lists, given.ca, now_s, *more)
    except OSError as error:
        sys.stderr.write("%s\n" % error)
        return 2
    said = json.dumps(table(found), ensure_ascii=False, indent=1) + "\n"
    sys.stdout.buffer.write((said if given.json else text(found, given.lang)).encode("utf-8"))
    return found.code


class _Plain(argparse.RawDescriptionHelpFormatter):
    pass


def _language() -> str:
    said = [os.environ.get(n, "") for n in ("SMELTER_LANG", "LC_ALL", "LC_MESSAGES", "LANG")]
    return "zh" if next((s for s in said if s), "").lower().startswith("zh") else "en"


if __name__ == "__main__":
    sys.exit(main())
