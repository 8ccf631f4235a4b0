"""``smelter simulate`` as a process: its files, its devices, its faults while it runs."""

import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
from pathlib import Path

import openpyxl
import pyarrow.parquet as pq

from tests.servers import wait_until

SMELTER = (sys.executable, "-c", "from drivers.cli import main; main()")


def test_serves_writes_files_takes_faults_and_ends(tmp_path: Path) -> None:
    folder = tmp_path / "plant"
    command = [*SMELTER, "simulate", "pots12", "--dir", str(folder), "--broker", "127.0.0.1:1883"]
    plant = subprocess.Popen(
        command, stdout=subprocess.PIPE, encoding="utf-8", env=os.environ | {"SMELTER_LANG": "en"}
    )
    assert plant.stdout is not None
    said = ""
    for line in plant.stdout:
        said += line
        if "Ctrl-C" in line:
            break
    assert "12 pots" in said
    for name in ("gateway.toml", "historian.toml", "site.toml", "points/dcs.csv"):
        assert (folder / name).exists()
        assert name.partition("/")[0] in said
    found = re.search(r"line1-plc1\s+127\.0\.0\.1:(\d+)", said)
    assert found
    port = int(found[1])

    def volts() -> float:
        with socket.create_connection(("127.0.0.1", port)) as line:
            line.sendall(struct.pack(">HHHBBHH", 1, 0, 6, 1, 3, 100, 2))
            return float(struct.unpack(">f", line.recv(64)[9:])[0])

    assert 3.5 < volts() < 45
    faults = folder / "faults.txt"
    faults.write_text("link_lost:line1/pot001\n", "utf-8")
    wait_until(lambda: volts() == 0, "lost link")
    faults.write_text("nonsense here\n", "utf-8")  # refused and said so, the old ones stay
    faults.write_text("", "utf-8")
    wait_until(lambda: volts() > 3, "link again")
    plant.send_signal(signal.SIGTERM)
    plant.communicate(timeout=20)
    assert plant.returncode == 0
    truth = json.loads((folder / "truth-live.json").read_text("utf-8"))
    assert truth["lines"]["line1"]["electricity_kwh"]["dc"] > 0


def test_history_only_and_wrong_use(tmp_path: Path) -> None:
    month = ("--history", "2026-02", "--no-serve", "--dir", str(tmp_path))
    subprocess.run([*SMELTER, "simulate", "--pots", "4", *month], check=True)
    truth = json.loads((tmp_path / "history" / "truth-2026-02.json").read_text("utf-8"))
    rows = pq.read_metadata(tmp_path / "history" / "2026-02.parquet").num_rows
    assert truth["history_rows"] == rows > 28 * 1440 * 30
    assert openpyxl.load_workbook(tmp_path / "entries" / "entries-2026-02.xlsx").sheetnames
    for wrong in (("pots13",), ("--pots", "3"), ("--fault", "explode"), ("--accelerate", "0")):
        ended = subprocess.run(
            [*SMELTER, "simulate", *wrong, "--dir", str(tmp_path / "none")],
            capture_output=True,
            check=False,
        )
        assert ended.returncode == 2, wrong
    assert not (tmp_path / "none").exists()
