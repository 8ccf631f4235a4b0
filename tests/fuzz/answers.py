"""
Answers of servers that are asked: time stamps (RFC 3161), InfluxDB, a device's identification,
signed notes of other gateways, lines of an audit trail, backups that somebody brings.

Held for each input: it is read, or refused by the one error its reader names; a time stamp that was
altered is never believed.
"""

import atexit
import io
import json
import os
import random
import shutil
import tarfile
import tempfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from cryptography import x509

from agent.evidence.note import NoteError, read_head, read_note
from agent.evidence.rfc3161 import StampError, check, request
from drivers.audit import Act, AuditTrail
from drivers.identify import _read
from drivers.model import ConfigError, NonsenseError
from drivers.restore import opened
from reports.series.influx_answers import rows_of
from reports.series.store import SeriesError
from tests.agent.stamp_authority import StampAuthority
from tests.fuzz.mutants import mutated

DER = (b"\x30\x80", b"\x30\x84\xff\xff\xff\xff", b"\x02\x01\0", b"\xa0\x82", b"\x04\x00", b"\x30")
JSON = (
    *(b"{", b"}", b"[", b"]", b"null", b'"', b":", b",", b"1e999", b"-1", b"true", b"\xff", b"NaN"),
    *(b"[" * 3000, b'"error":', b'"values":[[1]]', b'"columns":null', b"\\ud800", b"9" * 5000),
)
MODBUS = (b"\0", b"\xff", b"\x0e", b"\1\1", b"\xff\xff", "电".encode("gbk"))
NOTE = (b"\n", b"\n\n", b"\xe2\x80\x94 ", b"+", b"aGk=", b"=", b"9" * 30, b"\0", b"\xff", b"-1")
TAR = (b"ustar", b"\0" * 512, b"../", b"/etc/x", b"7777777", b"\xff" * 12, b"{", b'"files":')
ROWS = (
    b'{"results":[{"statement_id":0,"series":[{"name":"m","tags":{"line":"l"},'
    b'"columns":["time","v"],"values":[[1790000000000000000,4.1],[2,null]]}],"partial":true}]}'
)
INFLUX = (
    ROWS,
    b'{"error":"database not found"}',
    b'{"results":[{"statement_id":0,"error":"timeout"}]}',
)
DEVICE = bytes((14, 1, 0x81, 0, 0, 3)) + b"\0\7Example\1\2E1\2\4V1.0"
HEAD = "smelter/demo/gw1/record/00112233445566ff\n17\n" + "A" * 43 + "=\n"
SIGNED = HEAD + "\n\u2014 smelter/demo/gw1 " + "A" * 92 + "\n"

Maker = Callable[[random.Random], str]


def make() -> Callable[[random.Random], str]:
    """The target."""
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    makers: tuple[Maker, ...] = (
        *(_stamps(folder / "tsa"), _influx, _identity, _note, _audit(folder), _backup()),
    )

    def trial(chance: random.Random) -> str:
        return chance.choice(makers)(chance)

    return trial


def _stamps(folder: Path) -> Maker:
    imprint = sha256(b"head").digest()
    authority = StampAuthority(folder)
    good = authority.answer(request(imprint, 77))
    anchors = [x509.load_pem_x509_certificate(authority.ca.read_bytes())]
    assert check(good, imprint, 77, anchors).serial >= 0

    def stamp(chance: random.Random) -> str:
        data = mutated(good, DER, chance, most=2)
        try:
            check(data, imprint, 77, anchors)
        except StampError:
            return "stamp refused"
        return "stamp believed" if data == good else _unsigned(data, good)

    return stamp


def _unsigned(data: bytes, good: bytes) -> str:
    """Outside what is signed (certificates nobody asked for, their order) a byte may differ."""
    token = good.index(sha256(b"head").digest())
    assert sha256(b"head").digest() in data, "another imprint was believed"
    assert data[token - 60 : token + 60] == good[token - 60 : token + 60] or len(data) != len(good)
    return "stamp believed, altered outside the signature"


def _influx(chance: random.Random) -> str:
    try:
        rows = rows_of("http://127.0.0.1:1", mutated(chance.choice(INFLUX), JSON, chance))
    except SeriesError:
        return "influx refused"
    assert all(isinstance(row, dict) for row in rows)
    return "influx read"


def _identity(chance: random.Random) -> str:
    try:
        _, further, texts = _read(mutated(DEVICE, MODBUS, chance)[1:])
    except NonsenseError:
        return "identity refused"
    assert 0 <= further < 256
    assert all(text.isprintable() for text in texts.values())
    return "identity read"


def _note(chance: random.Random) -> str:
    text = mutated(SIGNED.encode(), NOTE, chance).decode("utf-8", "replace")
    try:
        note = read_note(text)
        read_head(note.text)
    except NoteError:
        return "note refused"
    return "note read"


def _audit(folder: Path) -> Maker:
    trail = AuditTrail(folder / "audit")
    trail.add_all(
        [Act(1_790_000_000_000_000_000 + n, "王敏", "entry.added", f"#{n}") for n in range(9)]
    )
    [path] = trail.folder.glob("*.jsonl")
    good, whole = path.read_bytes(), [each.act for each in trail.read()]

    def audit(chance: random.Random) -> str:
        data = mutated(good, (*JSON, b"\n", b"\r"), chance, most=3)
        path.write_bytes(data)
        acts = [each.act for each in trail.read()]
        broken = trail.check()
        assert broken is not None or acts == whole, "a change was not seen"
        assert len(acts) <= data.count(b"\n") + 1
        return "trail whole" if broken is None else "trail broken"

    return audit


def _backup() -> Maker:
    stream = io.BytesIO()
    manifest = {"files": [], "parts": {}, "form": "smelter.backup/1"}
    with tarfile.open(fileobj=stream, mode="w:") as tar:
        for name, content in (("a/etc/x", b"x"), ("manifest.json", json.dumps(manifest).encode())):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    good = stream.getvalue()[:2560]
    shared = os.memfd_create("backup")
    path = Path(f"/proc/self/fd/{shared}")

    def backup(chance: random.Random) -> str:
        data = mutated(good, (*TAR, *JSON[:13]), chance)
        os.ftruncate(shared, 0)
        os.pwrite(shared, data, 0)
        try:
            with opened(path) as found:
                return f"backup of {min(len(found.manifest.files), 1)} files"
        except ConfigError as error:
            return "backup refused" if error.problems else "backup refused without a word"

    return backup
