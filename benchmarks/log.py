"""Bytes and syncs of the batch log, seen by the kernel, not by the log itself."""

import re
import shutil
import sys

from benchmarks.children import Child, run_and_measure
from benchmarks.plant import Setting
from benchmarks.table import Row, Section

BATCHES = 200
PAGES = "a sync writes whole pages of 4 KiB"
SYNC = re.compile(
    r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(fsync|fdatasync)$", re.MULTILINE
)


def run(setting: Setting) -> Section:
    """A child appends batches one after the other; /proc and strace watch it."""
    rows = []
    for values in (31_000, 1_000):
        folder = setting.folder / str(values)
        folder.mkdir()
        command = ("benchmarks.log_writer", folder, BATCHES, values)
        with Child(*command, log=setting.folder / "log.txt") as child:
            said = child.hello
        name = f"{values:,} values a batch"
        disk, stored, plain = said["disk_bytes"], said["stored_bytes"], said["plain_bytes"]
        rows += [
            Row(f"disk bytes per byte of payload, {name}", disk / plain, "", at_most=1.3),
            Row(f"disk bytes per zstd byte, {name}", disk / stored, "", note=PAGES),
            Row(f"disk bytes per value, {name}", disk / BATCHES / values, "bytes"),
        ]
    rows.append(_syncs(setting))
    return Section(
        "log",
        "Batch log: bytes and syncs",
        f"{BATCHES} batches appended one by one. Bytes are `write_bytes` of the process in /proc "
        "(whole pages, segment metadata included); syncs are counted by strace.",
        tuple(rows),
    )


def _syncs(setting: Setting) -> Row:
    if shutil.which("strace") is None:
        raise RuntimeError("strace is missing: sudo apt-get install -y strace")
    folder = setting.folder / "traced"
    folder.mkdir()
    counts = setting.folder / "strace.txt"
    calls = ("strace", "-f", "-c", "-o", str(counts), "-e", "trace=fsync,fdatasync")
    child = (sys.executable, "-m", "benchmarks.log_writer", str(folder), str(BATCHES), "1000")
    code, *_ = run_and_measure([*calls, *child], setting.folder / "log.txt")
    text = counts.read_text("utf-8")
    if code:
        raise RuntimeError(f"strace ended with {code}: {text}")
    syncs = {name: int(count) for count, name in SYNC.findall(text)}
    return Row(
        "syncs per batch",
        syncs.get("fdatasync", 0) / BATCHES,
        "",
        at_most=1.0,
        note=f"and {syncs.get('fsync', 0)} fsync of folders and receipt in all",
    )
