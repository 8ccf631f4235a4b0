"""Edits of an evidence package, from a flipped bit to a forger who holds keys of his own."""

import json
import random
import re
import shutil
import zipfile
import zlib
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from reports.package.archive import write_package
from reports.package.ring import Ring, open_ring
from reports.package.tiles import Tiles
from reports.package.verify import BLOCK, central_header, end_record, local_header
from tests.reports import proven
from tests.reports.proven import Ends

HEAD_BYTES = 68  # of a batch record


@dataclass(frozen=True)
class Original:
    """A true package and what a forger in the plant's own office would hold."""

    path: Path
    office_ring: Ring  # the plant's own report key
    ends: Ends
    folder: Path  # scratch

    @property
    def trusted(self) -> list[str]:
        """What the auditor was given otherwise."""
        return [self.office_ring.vkey, self.ends.trusted]


@dataclass(frozen=True)
class Edit:
    """What was done, the edited package, and words one of which a verdict must name."""

    kind: str
    path: Path
    places: tuple[str, ...]


def files_of(path: Path) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Contents of a package, its manifest apart."""
    with zipfile.ZipFile(path) as archive:
        found = {name: archive.read(name) for name in archive.namelist()}
    said = json.loads(found.pop("manifest.json"))
    found.pop("manifest.sig")
    return found, {key: said[key] for key in said if key not in {"form", "files"}}


def packed(original: Original, files: dict[str, bytes], said: dict[str, Any], ring: Ring) -> Path:
    target = original.folder / "forged.zip"
    target.unlink(missing_ok=True)
    files["keys/report.json"] = json.dumps(list(ring.notes), ensure_ascii=False, indent=1).encode()
    write_package(target, files, said, ring)
    return target


# by bytes


def _written(original: Original, data: bytes) -> Path:
    target = original.folder / "edited.zip"
    target.write_bytes(data)
    return target


def _place(path: Path, at: int) -> tuple[str, ...]:
    """Names by which the byte ``at`` of an archive may be told."""
    with zipfile.ZipFile(path) as archive:
        members = sorted(archive.infolist(), key=lambda each: each.header_offset)
        inside = [each.filename for each in members if each.header_offset <= at]
        begin = archive.start_dir
    return ("byte", "directory", "end record", "not whole") if at >= begin else (inside[-1],)


def flip(original: Original, chance: random.Random) -> Edit:
    data = bytearray(original.path.read_bytes())
    at = chance.randrange(len(data))
    data[at] ^= 1 << chance.randrange(8)
    return Edit("change", _written(original, bytes(data)), _place(original.path, at))


def delete(original: Original, chance: random.Random) -> Edit:
    data = original.path.read_bytes()
    at, count = chance.randrange(len(data) - 64), chance.randrange(1, 64)
    return Edit("delete", _written(original, data[:at] + data[at + count :]), ())


def insert(original: Original, chance: random.Random) -> Edit:
    data = original.path.read_bytes()
    at = chance.randrange(len(data) + 1)
    return Edit("insert", _written(original, data[:at] + chance.randbytes(8) + data[at:]), ())


def truncate(original: Original, chance: random.Random) -> Edit:
    data = original.path.read_bytes()
    return Edit("truncate", _written(original, data[: chance.randrange(len(data))]), ())


# by content, the manifest made anew, signed by somebody else or by the office itself


def foreign(original: Original) -> Ring:
    return open_ring(original.folder / "foreign" / "entries.jsonl", "demo")


def _signer(original: Original, chance: random.Random) -> tuple[Ring, str]:
    """The plant's own key, or one that nobody knows."""
    if chance.random() < 0.5:
        return original.office_ring, "office"
    return foreign(original), "foreign"


def content(original: Original, chance: random.Random) -> Edit:
    """Some bytes of a file, with a manifest that agrees, signed with a foreign key."""
    files, said = files_of(original.path)
    name = chance.choice(sorted(files))
    data = bytearray(files[name] or b"-")
    at = chance.randrange(len(data))
    data[at] ^= 1
    files[name] = bytes(data)
    return Edit("re-sign", packed(original, files, said, foreign(original)), ("keys", name))


def kept_signature(original: Original, chance: random.Random) -> Edit:
    """Some bytes of a file; the archive is rewritten, manifest and signature stay as they were."""
    files, said = files_of(original.path)
    with zipfile.ZipFile(original.path) as archive:
        true = {name: archive.read(name) for name in ("manifest.json", "manifest.sig")}
    name = chance.choice(
        sorted(name for name in files if files[name] and name != "keys/report.json")
    )
    data = files[name]
    at = chance.randrange(len(data))
    files[name] = data[:at] + bytes([data[at] ^ 0x20]) + data[at + 1 :]
    path = packed(original, files, said, original.office_ring)
    _put_back(path, true)
    block = at - at % BLOCK
    return Edit("change file", path, (f"{name}: bytes {block}-",))


def _put_back(path: Path, true: dict[str, bytes]) -> None:
    """The true manifest and signature in an archive that was written anew."""
    with zipfile.ZipFile(path) as archive:
        rows = [(info, archive.read(info.filename)) for info in archive.infolist()]
    raw = path.read_bytes()
    out, directory = b"", b""
    for info, data in rows:
        method, size = info.compress_type, info.compress_size
        begin = info.header_offset + 30 + len(info.filename)
        body = raw[begin : begin + size]
        if info.filename in true:
            method, body = 0, true[info.filename]
        plain = true.get(info.filename, data)
        facts = (info.filename, method, zlib.crc32(plain), len(body), len(plain))
        directory += central_header(*facts, len(out))
        out += local_header(*facts) + body
    path.write_bytes(out + directory + end_record(len(rows), len(directory), len(out)))


def records(data: bytes) -> list[bytes]:
    found, at = [], 0
    while at < len(data):
        end = at + HEAD_BYTES + int.from_bytes(data[at + 4 : at + 8], "little")
        found.append(data[at:end])
        at = end
    return found


def record_with(record: bytes, payload: bytes) -> bytes:
    """The record with another payload; length, digest and CRC are right again."""
    head = record[:4] + len(payload).to_bytes(4, "little") + record[8:32]
    head += sha256(payload).digest()
    return head + zlib.crc32(payload, zlib.crc32(head)).to_bytes(4, "little") + payload


def _batch_file(files: dict[str, bytes], chance: random.Random) -> str:
    return chance.choice(sorted(name for name in files if name.startswith("batches/")))


def batch(original: Original, chance: random.Random) -> Edit:
    """A figure inside a batch, everything else made to agree, signed by the office itself."""
    files, said = files_of(original.path)
    name = _batch_file(files, chance)
    found = records(files[name])
    number = chance.randrange(len(found))
    payload = bytearray(found[number][HEAD_BYTES:])
    digits = [at for at in range(200, len(payload)) if 0x30 <= payload[at] <= 0x38]
    at = chance.choice(digits)
    payload[at] += 1
    found[number] = record_with(found[number], bytes(payload))
    files[name] = b"".join(found)
    signer, who = _signer(original, chance)
    seq = int.from_bytes(found[number][8:16], "little")
    path = packed(original, files, said, signer)
    return Edit(f"change batch ({who})", path, (f"{name}: batch {seq},",))


def swap(original: Original, chance: random.Random) -> Edit:
    """Two batches in each other's place, numbers rewritten; or their order only."""
    files, said = files_of(original.path)
    name = max(sorted(n for n in files if n.startswith("batches/")), key=lambda n: len(files[n]))
    found = records(files[name])
    one, two = chance.sample(range(len(found)), 2)
    if chance.random() < 0.5:
        found[one], found[two] = found[two], found[one]
    else:
        payloads = found[one][HEAD_BYTES:], found[two][HEAD_BYTES:]
        found[one] = record_with(found[one], payloads[1])
        found[two] = record_with(found[two], payloads[0])
    files[name] = b"".join(found)
    signer, who = _signer(original, chance)
    return Edit(f"swap ({who})", packed(original, files, said, signer), (f"{name}: batch ",))


def take_out(original: Original, chance: random.Random) -> Edit:
    """A file out of the package, or a stray one into it, the manifest as it was."""
    files, said = files_of(original.path)
    with zipfile.ZipFile(original.path) as archive:
        true = {name: archive.read(name) for name in ("manifest.json", "manifest.sig")}
    name = chance.choice(sorted(name for name in files if name != "keys/report.json"))
    if chance.random() < 0.5:
        del files[name]
    else:
        name = f"documents/{chance.randbytes(8).hex()}.txt"
        files[name] = b"stray"
    path = packed(original, files, said, original.office_ring)
    _put_back(path, true)
    return Edit("add or remove file", path, (name,))


def entry(original: Original, chance: random.Random) -> Edit:
    """A figure in the ledger, the chain after it made to agree, signed by the office itself."""
    files, said = files_of(original.path)
    name = "entries/entries.jsonl"
    rows = [json.loads(line) for line in files[name].decode().splitlines()]
    number = chance.randrange(len(rows))
    rows[number]["value"] = "1" + str(rows[number]["value"] or "0")
    prev, lines = "0" * 64, []
    for row in rows:
        row["prev"] = prev
        lines.append(json.dumps(row, ensure_ascii=False, sort_keys=True, separators=(",", ":")))
        prev = sha256(lines[-1].encode()).hexdigest()
    files[name] = "".join(f"{line}\n" for line in lines).encode()
    path = packed(original, files, said, original.office_ring)
    return Edit("change entry (office)", path, (name, f"entry {number + 1}"))


def figure(original: Original, chance: random.Random) -> Edit:
    """A register in report.json, every digest made to agree, signed by the office itself."""
    files, said = files_of(original.path)
    report = json.loads(files["report.json"])
    meter = chance.choice([m for m in report["content"]["meters"] if m["begin"]])
    end = chance.choice(["begin", "end"])
    meter[end]["last"] += 1000
    text = json.dumps(report["content"], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    report["content_sha256"] = said["content_sha256"] = sha256(text.encode()).hexdigest()
    files["report.json"] = json.dumps(report, ensure_ascii=False, sort_keys=True).encode()
    path = packed(original, files, said, original.office_ring)
    return Edit("change figure (office)", path, (f"report.json: {meter['id']} {end}",))


def fresh_tree(original: Original, chance: random.Random) -> Edit:
    """A changed batch under a tree of its own, with fresh keys of gateway and historian."""
    files, said = files_of(original.path)
    name = _batch_file(files, chance)
    log = name.removeprefix("batches/").removesuffix(".seg")
    found = records(files[name])
    payload = found[-1][HEAD_BYTES:].replace(b"_last=", b"_last=1", 1)
    found[-1] = record_with(found[-1], payload)
    files[name] = b"".join(found)
    folder = original.folder / "forger"
    shutil.rmtree(folder, ignore_errors=True)
    sender = "/".join(log.split("/")[:2])
    gateway = proven.ring(folder / "gateway", f"smelter/{sender}")
    witness = proven.ring(folder / "witness", original.ends.witness.owner)
    payloads = {int.from_bytes(each[8:16], "little"): each[HEAD_BYTES:] for each in found}
    whole = {n: payloads.get(n, b"batch %d" % n) for n in range(1, max(payloads) + 1)}
    note = witness.cosigned(proven.signed(folder / "log", log, whole, gateway), 1_795_000_000)
    files[f"checkpoints/{log}"] = note.whole.encode()
    files[f"keys/{sender}.json"] = json.dumps(gateway.notes).encode()
    files["keys/witness.json"] = json.dumps(witness.notes).encode()
    _prove_anew(files, folder / "log", log, sorted(payloads), max(payloads))
    path = packed(original, files, said, original.office_ring)
    return Edit("replace tree (office)", path, ("keys", "checkpoints/"))


def _prove_anew(
    files: dict[str, bytes], folder: Path, log: str, seqs: list[int], size: int
) -> None:
    tiles = Tiles(folder / "tree", "sha256")
    rows = [
        [str(s - 1), *(b64encode(p).decode() for p in tiles.inclusion(s - 1, size))] for s in seqs
    ]
    files[f"proofs/{log}.txt"] = "".join(" ".join(row) + "\n" for row in rows).encode()
    files[f"leaves/{log}.bin"] = b"".join(tiles.leaves(size))


def fresh_history(original: Original, chance: random.Random) -> Edit:
    """
    A register changed in report and batch, in a log of an invented gateway and historian.

    Keys, checkpoint and leaves of the true log stay in the package as decoys.
    """
    files, said = files_of(original.path)
    report = json.loads(files["report.json"])
    meter = chance.choice([m for m in report["content"]["meters"] if m["begin"]])
    begin, (area, unit) = meter["begin"], meter["equipment"].split("/")
    old = f"demo/{begin['gateway']}/record/{begin['log']}"
    sender = f"demo/{begin['gateway']}-new"
    log = f"{sender}/record/{begin['log']}"
    field = meter["quantity"].partition(".")[2].encode()
    line = re.compile(
        rb"(?m)^(\w+_1[mh],plant=demo,line=%b,unit=%b [^\n]*?\b%b_last=)[^, ]+([^\n]* %d)$"
        % (area.encode(), unit.encode(), field, begin["window_ns"])
    )
    last = begin["last"] + 1000
    out = b""
    prev: dict[int, bytes] = {}
    payloads: dict[int, bytes] = {}
    for each in records(files.pop(f"batches/{old}.seg")):
        seq = int.from_bytes(each[8:16], "little")
        payload = each[HEAD_BYTES:].replace(
            f"gateway={begin['gateway']},".encode(), f"gateway={begin['gateway']}-new,".encode(), 1
        )
        payload = line.sub(rb"\g<1>%b\g<2>" % repr(last).encode(), payload)
        if seq - 1 in prev:
            payload = re.sub(rb'prev="\w{64}"', b'prev="%b"' % prev[seq - 1], payload, count=1)
        payloads[seq], prev[seq] = payload, sha256(payload).hexdigest().encode()
        out += record_with(each, payload)
    files[f"batches/{log}.seg"] = out
    del files[f"proofs/{old}.txt"]
    if old in said.get("counts", {}):
        said["counts"][log] = said["counts"].pop(old)
    _cite_anew(report, meter, last)
    said["content_sha256"] = report["content_sha256"]
    files["report.json"] = json.dumps(report, ensure_ascii=False, sort_keys=True).encode()
    _invented_keys(original, files, log, payloads)
    path = packed(original, files, said, original.office_ring)
    return Edit("replace history (office)", path, (f"batches/{log}.seg",))


def _cite_anew(report: dict[str, Any], meter: dict[str, Any], last: float) -> None:
    """Every register of the log under its new name, the changed one with its new value."""
    gateway, log, window = (meter["begin"][key] for key in ("gateway", "log", "window_ns"))
    for each in report["content"]["meters"]:
        for register in (each["begin"], each["end"]):
            same = [each[key] == meter[key] for key in ("equipment", "quantity")]
            if register and all(same) and register["window_ns"] == window:
                register["last"] = last
        for use in (each["begin"], each["end"], *each["batches"]):
            if use and (use["gateway"], use["log"]) == (gateway, log):
                use["gateway"] = f"{gateway}-new"
    text = json.dumps(report["content"], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    report["content_sha256"] = sha256(text.encode()).hexdigest()


def _invented_keys(
    original: Original, files: dict[str, bytes], log: str, payloads: dict[int, bytes]
) -> None:
    """A tree over the payloads, signed and cosigned by keys that nobody knew before."""
    folder = original.folder / "inventor"
    shutil.rmtree(folder, ignore_errors=True)
    sender = log.partition("/record/")[0]
    gateway = proven.ring(folder / "gateway", f"smelter/{sender}")
    witness = proven.ring(folder / "witness", "smelter/historian/deadbeef")
    whole = {n: payloads.get(n, b"batch %d" % n) for n in range(1, max(payloads) + 1)}
    note = witness.cosigned(proven.signed(folder / "log", log, whole, gateway), 1_795_000_000)
    files[f"checkpoints/{log}"] = note.whole.encode()
    files[f"keys/{sender}.json"] = json.dumps(gateway.notes).encode()
    files["keys/witness-new.json"] = json.dumps(witness.notes).encode()
    _prove_anew(files, folder / "log", log, sorted(payloads), max(payloads))


EDITS: tuple[Callable[[Original, random.Random], Edit], ...] = (
    *(flip, delete, insert, truncate, content, kept_signature, batch, swap, take_out),
    *(entry, figure, fresh_tree, fresh_history),
)


def edited(original: Original, chance: random.Random, number: int) -> Edit:
    """The ``number``-th random edit; every kind comes as often."""
    made = EDITS[number % len(EDITS)](original, chance)
    return replace(made, kind=f"{number}: {made.kind}")
