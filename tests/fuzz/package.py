"""
Evidence packages in the hands of somebody who sends anything: the verifier that auditors run.

Held for each input: the verifier ends with a verdict, whatever lies inside (broken archives, bombs,
names that lead out, JSON of other shapes, batches of junk), and calls nothing intact that is not
the package as it was written. A package of a real report is edited in tests/reports; this one is
small, so that a million inputs can be tried.
"""

import atexit
import json
import os
import random
import shutil
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path

from agent.batches.batch import Batch
from reports.package.archive import write_package
from reports.package.ring import open_ring
from reports.package.verify import (
    central_header,
    described,
    end_record,
    local_header,
    manifest_bytes,
    verify,
)
from tests.fuzz.mutants import mutated

LOG = "demo/gw1/record/00112233445566ff"
PIECES = (
    *(
        b"PK\1\2",
        b"PK\3\4",
        b"PK\5\6",
        b"../",
        b"\0",
        b"\xff" * 4,
        b"{",
        b"[",
        b"null",
        b'"',
        b"1e999",
    ),
    *(b"-1", b"\xe6\x97\xa0", b"9" * 30, b"[" * 3000, b"SMB1", b"\n", b"NaN", b"true", b"\\ud800"),
)
LINE = (
    'batch,plant=demo,gateway=gw1,stream=record log="00112233445566ff",seq={},lines=2i,'
    'config="0",prev="{}" 1790000000000000000\nmeter_1m,plant=demo,line=line1,unit=ac1 '
    'energy_import_inc=1,energy_import_last=2,energy_import_n=60i,energy_import_raw="0002" 1'
)
REPORT = {
    "schema": "smelter.report/2",
    "version": 1,
    "content_sha256": "0" * 64,
    "content": {
        "plant": "demo",
        "lines": [{"id": "line1.x", "value": 1.5, "inputs": []}],
        "meters": [{"equipment": "line1/ac1", "quantity": "meter.energy_import", "batches": []}],
        "entries": [],
        "legals": [],
    },
}


def make() -> Callable[[random.Random], str]:
    """The target."""
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    ring = open_ring(folder / "entries.jsonl", "demo")
    files = _files(json.dumps(list(ring.notes)).encode())
    write_package(folder / "good.zip", files, {"plant": "demo", "report": "x-v1"}, ring)
    good = (folder / "good.zip").read_bytes()
    shared = os.memfd_create("package")
    path = f"/proc/self/fd/{shared}"

    def trial(chance: random.Random) -> str:
        forged = chance.random() < 0.6
        data = _forged(files, chance) if forged else mutated(good, PIECES, chance)
        os.ftruncate(shared, 0)
        os.pwrite(shared, data, 0)
        verdict = verify(path, [ring.vkey], [])
        assert verdict.word != "intact" or data == good, "called intact"
        return f"{verdict.word}, {'packed anew' if forged else 'edited'}"

    return trial


def _files(keys: bytes) -> dict[str, bytes]:
    records, prev = b"", "0" * 64
    for seq in (1, 2):
        payload = LINE.format(f"{seq}i", prev).encode()
        batch = Batch.of(seq, 1_790_000_000_000_000_000, 2, payload)
        records, prev = records + batch.record(), batch.digest.hex()
    report = json.dumps(REPORT).encode()
    return {
        "report.json": report,
        "entries/entries.jsonl": b'{"number":1,"prev":"","hash":"00"}\n',
        f"batches/{LOG}.seg": records,
        f"checkpoints/{LOG}": b"smelter/demo/gw1/record/00112233445566ff\n2\naGk=\n\n- x aGk=\n",
        f"proofs/{LOG}.txt": b"1 aGk=\n",
        f"leaves/{LOG}.bin": bytes(64),
        "keys/demo/gw1.json": b'["smelter-key/1"]',
        "keys/report.json": keys,
    }


def _forged(files: dict[str, bytes], chance: random.Random) -> bytes:
    """One file changed, taken out or added, the manifest made to fit; nobody's signature."""
    made = dict(files)
    name = chance.choice(list(made))
    made[name] = mutated(made[name], PIECES, chance)
    if chance.random() < 0.2:
        made[chance.choice(("../x", "a/b", "report.json ", "x" * 300, "batches/a.seg"))] = b"x"
    if chance.random() < 0.1:
        del made[chance.choice(list(made))]
    said = {each: described(data, data, 0) for each, data in made.items()}
    manifest = manifest_bytes({"form": "smelter-package/1", "plant": "demo", "files": said})
    made["manifest.json"] = mutated(manifest, PIECES, chance) if chance.random() < 0.3 else manifest
    made["manifest.sig"] = mutated(b"text\n\n- demo aGk=\n", PIECES, chance)
    body, directory = b"", b""
    for each, data in made.items():
        facts = (each, 0, zlib.crc32(data), len(data), len(data))
        directory += central_header(*facts, len(body))
        body += local_header(*facts) + data
    return body + directory + end_record(len(made), len(directory), len(body))
