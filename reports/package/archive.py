"""Writing the ZIP: sorted names, fixed dates, one way to write it, so that every byte is judged."""

import json
import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from drivers.language import say, why
from drivers.model import ConfigError
from reports.package.ring import Ring
from reports.package.verify import (
    FORM,
    MOST_BYTES,
    MOST_FILE,
    MOST_FILES,
    MOST_MANIFEST,
    MOST_RATIO,
    RATIO_FROM,
    central_header,
    described,
    end_record,
    local_header,
    manifest_bytes,
    signed_text,
)

_STORED: Final = (".pdf", ".xlsx", ".bin", ".png")  # packed already, or hashes


def write_package(
    target: Path, files: Mapping[str, bytes], said: Mapping[str, Any], ring: Ring
) -> None:
    """
    ``files`` with manifest and signature as one new file.

    The same files and key give the same bytes. Raises ConfigError: it exists, the disk refuses.
    """
    if target.exists():
        raise ConfigError([f"{target}: {say('已存在，不覆盖', 'exists, not overwritten')}"])
    sizes = [len(data) for data in files.values()]
    many = len(files) > MOST_FILES - 2 or sum(sizes) > MOST_BYTES - MOST_MANIFEST
    if many or max(sizes, default=0) > MOST_FILE:
        raise ConfigError([say("证据包过大，请缩小范围", "too large; take fewer batches")])
    packed = {name: _packed(name, data) for name, data in files.items()}
    manifest: dict[str, Any] = {
        "form": FORM,
        **said,
        "files": {
            name: described(data, packed[name][1], packed[name][0]) for name, data in files.items()
        },
    }
    written = manifest_bytes(json.loads(json.dumps(manifest)))
    signature = ring.signed(signed_text(manifest, written)).encode()
    whole = dict(sorted(files.items()))
    whole |= {"manifest.json": written, "manifest.sig": signature}
    packed |= {"manifest.json": (0, written), "manifest.sig": (0, signature)}
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as file:
            directory = b""
            for name, data in whole.items():
                method, body = packed[name]
                facts = (name, method, zlib.crc32(data), len(body), len(data))
                directory += central_header(*facts, file.tell())
                file.write(local_header(*facts) + body)
            begin = file.tell()
            file.write(directory + end_record(len(whole), len(directory), begin))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(target)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise ConfigError([f"{target}: {why(error)}"]) from None


def _packed(name: str, data: bytes) -> tuple[int, bytes]:
    """ZIP method and bytes; deflated where that is shorter."""
    if name.endswith(_STORED):
        return 0, data
    machine = zlib.compressobj(6, zlib.DEFLATED, -15)
    body = machine.compress(data) + machine.flush()
    if len(data) > RATIO_FROM and len(data) > MOST_RATIO * len(body):
        return 0, data  # a verifier would take it for a bomb
    return (8, body) if len(body) < len(data) else (0, data)
