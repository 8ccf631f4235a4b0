"""Which batches a package needs, and their records, payload unpacked, as one file of a log."""

import re
import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from drivers.language import say
from drivers.model import ConfigError
from reports.citations import MeterUse, RegisterUse
from reports.trace.originals import (
    Original,
    OriginalsError,
    find_in,
    find_line,
    log_folder,
    read_batch,
    read_batches,
)
from reports.trace.stamped import Shifts
from reports.values import Text

_HEADER: Final = struct.Struct("<4sIQqIBBH32s")
_LINES: Final = re.compile(rb",lines=(\d+)i,")
HOUR_NS: Final = 3_600_000_000_000
_STAMP: Final = re.compile(rb" (\d{19})$", re.MULTILINE)


@dataclass
class Needed:
    """Batch numbers by log (plant/gateway/stream/log)."""

    root: Path
    plant: str
    batches: dict[str, set[int]] = field(default_factory=dict)
    missing: dict[str, Text] = field(default_factory=dict)

    def add(self, gateway: str, log: str, seqs: Iterable[int]) -> None:
        self.batches.setdefault(f"{self.plant}/{gateway}/record/{log}", set()).update(seqs)


def cited(wanted: Needed, meters: Sequence[MeterUse]) -> None:
    """The batches of the registers at begin and end of each meter; searched if no store says."""
    shifts = Shifts()
    for meter in meters:
        for register in (meter.begin, meter.end):
            if register is None:
                continue
            if register.seq:
                wanted.add(register.gateway, register.log, [register.seq])
                _moved(wanted, meter, register, shifts)
                continue
            found = _searched(wanted, meter, register.window_ns)
            if found is not None:
                gateway, _, log = found.log
                wanted.add(gateway, log, [found.seq])


def _moved(wanted: Needed, meter: MeterUse, register: RegisterUse, shifts: Shifts) -> None:
    """The batch that says how a window was moved, where it does not stand at its true time."""
    folder = log_folder(wanted.root, wanted.plant, register.gateway, register.log)
    try:
        original = read_batch(folder, register.seq)
    except OriginalsError:
        return  # told as missing when the records are read
    area, _, unit = meter.equipment.partition("/")
    measurement, tags = meter.quantity.partition(".")[0], f"plant={wanted.plant},line={area},"
    for ending in ("1m", "1h"):
        start = f"{measurement}_{ending},{tags}unit={unit} "
        if find_in(original, start, f" {register.window_ns}") is not None:
            return
        found = shifts.line(original, start, register.window_ns)
        if found is not None:
            wanted.add(register.gateway, register.log, [found[1]])
            return


def _searched(wanted: Needed, meter: MeterUse, window_ns: int) -> Original | None:
    area, _, unit = meter.equipment.partition("/")
    measurement = meter.quantity.partition(".")[0]
    tags = f"plant={wanted.plant},line={area},unit={unit} "
    for folder in sorted((wanted.root / wanted.plant).glob("*/record/*/")):
        for ending in ("1m", "1h"):
            found = find_line(folder, f"{measurement}_{ending},{tags}", f" {window_ns}", window_ns)
            if found is not None:
                return found
    return None


def everything(wanted: Needed, meters: Sequence[MeterUse]) -> None:
    """From the first to the last batch of each log that any figure of a meter used."""
    for meter in meters:
        for use in meter.batches:
            if use.log:
                wanted.add(use.gateway, use.log, range(use.first_seq, use.last_seq + 1))


def in_hour(wanted: Needed, meters: Sequence[MeterUse], hour_ns: int) -> None:
    """Every batch with a line of that hour, among those that the report's meters used."""
    spans: dict[tuple[str, str], tuple[int, int]] = {}
    for use in (use for meter in meters for use in meter.batches if use.log):
        low, high = spans.get((use.gateway, use.log), (use.first_seq, use.last_seq))
        spans[use.gateway, use.log] = min(low, use.first_seq), max(high, use.last_seq)
    for (gateway, log), (first, last) in spans.items():
        folder = log_folder(wanted.root, wanted.plant, gateway, log)
        for original in read_batches(folder, range(first, last + 1)):
            lines = original.payload.partition(b"\n")[2]  # the first one tells when it was closed
            stamps = (int(stamp) for stamp in _STAMP.findall(lines))
            if any(hour_ns <= stamp < hour_ns + HOUR_NS for stamp in stamps):
                wanted.add(gateway, log, [original.seq])


def segment(
    root: Path, log: str, seqs: Iterable[int], most: int
) -> tuple[bytes, list[int], dict[str, Text]]:
    """
    The records, the numbers that are in them, and what could not be read.

    Raises ConfigError beyond ``most`` bytes.
    """
    wanted = sorted(seqs)
    parts, read, spent = [], [], 0
    for original in read_batches(root / log, wanted):
        parts.append(_record(original))
        read.append(original.seq)
        spent += len(parts[-1])
        if spent > most:
            raise ConfigError(
                [
                    say(
                        f"{log}：原始批次超过上限；请缩小范围或增大 --most-mb",
                        f"{log}: the original batches exceed the limit; take fewer, or raise "
                        "--most-mb",
                    )
                ]
            )
    lost = {
        f"{log}#{seq}": Text(zh="原始记录已清理或损坏", en="its record was pruned or is damaged")
        for seq in sorted(set(wanted) - set(read))
    }
    return b"".join(parts), read, lost


def _record(original: Original) -> bytes:
    """As in a segment, unpacked: the digest is of the plain payload, so nothing is lost."""
    payload = original.payload
    lines = _LINES.search(payload[:1000])
    if lines is None:
        raise OriginalsError(f"{original.path}: batch {original.seq} has no first line")
    digest = bytes.fromhex(original.digest)
    head = _HEADER.pack(
        b"SMB1", len(payload), original.seq, original.closed_ns, int(lines[1]), 0, 1, 0, digest
    )
    return head + struct.pack("<I", zlib.crc32(payload, zlib.crc32(head))) + payload
