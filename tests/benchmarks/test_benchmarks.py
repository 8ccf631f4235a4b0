"""The benchmarks measure what they say: figures with known answers, a page that keeps rows."""

import os
import socket
import struct
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from benchmarks.__main__ import BENCHMARKS
from benchmarks.children import ROOT, Child, run_and_measure
from benchmarks.layout import BLOCK, POT, Bank, image, write_modbus_table
from benchmarks.measure import Watch, percentile, written_bytes
from benchmarks.plant import Metrics, plc, quantile_ms
from benchmarks.sink import Sink
from benchmarks.table import Row, Section, update
from drivers.config import DeviceConfig
from drivers.points import load_points


@pytest.mark.parametrize("place", BENCHMARKS.values())
def test_every_benchmark_can_be_named(place: str) -> None:
    module, _, function = place.partition(":")
    assert callable(getattr(import_module(f"benchmarks.{module}"), function))


def test_unknown_benchmark_is_wrong_use() -> None:
    command = [sys.executable, "-m", "benchmarks", "nosuch"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "points1000" in ended.stderr


@pytest.mark.parametrize(
    ("row", "met"),
    [
        (Row("a", 2.0, "s", at_most=2.0), "yes"),
        (Row("a", 2.001, "s", at_most=2.0), "**no**"),
        (Row("a", 1.9, "1/s", at_least=2.0), "**no**"),
        (Row("a", float("nan"), "s", at_most=2.0), "**no**"),
        (Row("a", 1.0, "s"), ""),
    ],
)
def test_a_goal_is_met_or_not(row: Row, met: str) -> None:
    assert row.met == met


def test_page_keeps_what_was_not_measured_again(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    old = [Section(name, name, "how", (Row("figure", 1.0, "s"),)) for name in ("one", "two")]
    update(page, "machine A", old)
    update(page, "machine B", [Section("two", "two", "how", (Row("figure", 7.0, "s"),))])
    text = page.read_text("utf-8")
    assert text.count("## one: one") == text.count("## two: two") == 1
    first, second = text.split("## two")
    assert "machine A" in first
    assert "| figure | 7 | s |" in second
    assert "machine A" not in second


def test_cpu_time_is_that_of_all_threads_of_the_other_process() -> None:
    burn = "import time; end = time.process_time() + 0.3\nwhile time.process_time() < end: pass\n"
    code = f"import sys\n{burn}print(1, flush=True)\nsys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        watch = Watch(child.pid)
        assert child.stdout is not None
        child.stdout.readline()
        usage = watch.usage()
        assert child.stdin is not None
        child.stdin.close()
    assert 0.29 < usage.cpu_s < 0.6
    assert usage.rss_mb > 3


def test_peak_memory_is_that_of_the_child(tmp_path: Path) -> None:
    ours = bytearray(os.urandom(1 << 20) * 400)  # must not be taken for the child's
    command = [sys.executable, "-c", "b = bytearray(300 << 20); import time; time.sleep(0.05)"]
    code, wall_s, _, peak = run_and_measure(command, tmp_path / "log")
    assert code == 0
    assert wall_s > 0.05
    assert 300 < peak < 360
    assert len(ours) == 400 << 20


def test_written_bytes_are_those_of_the_disk(tmp_path: Path) -> None:
    before = written_bytes(os.getpid())
    with (tmp_path / "file").open("wb") as file:
        file.write(os.urandom(1 << 20))
        file.flush()
        os.fsync(file.fileno())
    if written_bytes(os.getpid()) == before:
        pytest.fail("this file system is in memory; run with TMPDIR on a disk")
    assert written_bytes(os.getpid()) - before >= 1 << 20


def test_percentiles_are_of_the_ranks() -> None:
    values = [float(n) for n in range(1, 101)]
    assert percentile(values, 0.5) == 50
    assert percentile(values, 0.99) == 99
    assert percentile([3.0], 0.99) == 3.0


def test_quantile_of_what_came_between_two_expositions() -> None:
    def exposition(low: int, high: int) -> Metrics:
        return Metrics(
            f'smelter_x_bucket{{device="a",le="0.001"}} {low}\n'
            f'smelter_x_bucket{{device="a",le="0.01"}} {high}\n'
            f'smelter_x_bucket{{device="a",le="+Inf"}} {high}\n'
        )

    before, after = exposition(1000, 1000), exposition(1098, 1100)
    assert quantile_ms(before, after, "smelter_x", 0.5) == 1.0
    assert quantile_ms(before, after, "smelter_x", 0.99) == 10.0


@pytest.mark.parametrize("bank", [Bank("line1", "pot", 1, 3, POT, pad_to=40)])
def test_image_and_table_agree_and_values_are_plausible(tmp_path: Path, bank: Bank) -> None:
    write_modbus_table(tmp_path / "t.csv", bank)
    device = DeviceConfig(name="d", driver="modbus-tcp", address="h:1", points=tmp_path / "t.csv")
    registers = image(bank, 8, 1)
    for point in load_points(device, tmp_path):
        at = int(point.address.partition(":")[2])
        kind = {"float32": ">f4", "uint32": ">u4", "uint16": ">u2"}[point.type]
        width = np.dtype(kind).itemsize // 2
        for row in registers[:, at : at + width]:
            value = float(np.frombuffer(row.tobytes(), kind)[0])
            assert point.quantity.low <= value <= point.quantity.high, point.id


def test_plc_answers_what_its_image_holds_and_nothing_else(tmp_path: Path) -> None:
    registers = image(Bank("line1", "u", 1, 2, BLOCK), 4, 5)
    padded = np.pad(registers, ((0, 0), (0, 2)))
    with plc(tmp_path, [padded], 0.02, clock=(0, registers.shape[1])) as device:
        with socket.create_connection(("127.0.0.1", device.hello["ports"][0]), timeout=5) as line:
            expected = {struct.pack(">20H", *row[10:30]) for row in registers.tolist()}
            seen: set[bytes] = set()
            end = time.monotonic() + 5
            while seen != expected and time.monotonic() < end:
                seen.add(ask(line, 3, 10, 20))
            assert seen == expected
            clock_ms = struct.unpack(">I", ask(line, 3, registers.shape[1], 2))[0]
            epoch_ms = device.hello["epochs_ns"][0] / 1e6
            assert abs(epoch_ms + clock_ms - time.time() * 1e3) < 1000
            assert ask(line, 3, registers.shape[1], 3) == bytes([2])
            assert ask(line, 6, 0, 1) == bytes([1])
        assert device.finish()["requests"][0] >= 7


def ask(line: socket.socket, function: int, address: int, count: int) -> bytes:
    """Data of the reply, or its exception code."""
    line.sendall(struct.pack(">HHHBBHH", 7, 0, 6, 1, function, address, count))
    reply = line.recv(4096)
    return reply[9:] if reply[7] == function else reply[8:9]


def test_floor_counts_what_the_plc_served(tmp_path: Path) -> None:
    registers = image(Bank("line1", "u", 1, 2, BLOCK), 4, 5)
    with plc(tmp_path, [registers], 1.0) as device:
        port = device.hello["ports"][0]
        how = ("--ports", port, "--interval", 0.05, "--seconds", 1)
        with Child("benchmarks.floor", tmp_path, *how, log=tmp_path / "floor.log") as floor:
            said = floor.hello
        assert said["values"] == 62 * device.finish()["requests"][0]
    assert said["values"] >= 62 * 15


def test_sink_finds_a_missing_number() -> None:
    sink = Sink(check=True)
    head = b'batch,plant=p,gateway=g,stream=raw log="ab",seq=1i,lines=3i 1\n'
    lines = [b"meter,plant=p,line=l,unit=u voltage=%d,current=%d 1" % (n, n) for n in (4, 5, 7)]
    frame = b"frame,plant=p,gateway=g,device=d,interval=1 points=6i,bad=1i,lag_ms=1 1\n"
    sink.count("raw", head + frame + b"\n".join(lines))
    found = sink.summary()
    assert (found["lost"], found["seen"], found["series"]) == (2, 6, 2)
    assert (found["good"], found["bad"]) == (5, 1)
