"""Simulated stacks brought through broker and historian into a lake, and reported, by commands."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulators.compare import read_json
from tests.servers import mosquitto, wait_until

SMELTER = (sys.executable, "-c", "from drivers.cli import main; main()")
OFFICER = ("--author", "王敏（仿真）", "--reason", "全年记录", "--yes")


def smelter(*arguments: str, good: tuple[int, ...] = (0,)) -> str:
    """What a command said; it ended with one of ``good``."""
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "LANG": "C"}
    ended = subprocess.run(
        [*SMELTER, *arguments],
        capture_output=True,
        encoding="utf-8",
        env=environment | {"SMELTER_LANG": "en"},
        timeout=300,
        check=False,
    )
    assert ended.returncode in good, ended.stdout[-2000:] + ended.stderr
    return ended.stdout + ended.stderr


@dataclass(frozen=True)
class Plant:
    """Where the plant is, and its truth."""

    root: Path
    truth: dict[str, Any]

    @property
    def site(self) -> tuple[str, str]:
        return "--site", str(self.root / "site.toml")

    def report(self, *period: str, out: str = "reports") -> dict[str, Any]:
        """The newest version of the emissions report of a period."""
        folder = self.root / out
        made = ("--out", str(folder), "--format", "json")
        smelter("report", "emissions", *self.site, *period, *made, good=(0, 1))
        newest = max(folder.glob(f"emissions-{period[1]}-v*.json"))
        return read_json(newest)


def brought_in(root: Path, name: str) -> tuple[Plant, str]:
    """
    ``smoke-<name>`` of a folder imported with receipts, and the officer's journal imported over it.

    Returns the plant, and what the import of the journal said.
    """
    broker = mosquitto(root).start()
    url = f"mqtt://127.0.0.1:{broker.port}"
    (root / "historian.toml").write_text(
        f'plants = ["demo"]\ndata_dir = "data/historian"\n[mqtt]\nurl = "{url}"\n'
        "[lake]\nflush_s = 1.0\n",
        "utf-8",
    )
    log = (root / "historian.log").open("wb")
    command = [*SMELTER, "historian", "run", str(root / "historian.toml")]
    historian = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        history = str(root / "history" / f"smoke-{name}.parquet")
        data = ("--data-dir", str(root / "import"))
        smelter("import", history, "--mqtt", url, "--plant", "demo", *data)
        wait_until(lambda: in_lake(root), "the lake", 60)
    finally:
        historian.terminate()
        historian.wait(20)
        log.close()
        broker.end()
    made = Plant(root, read_json(root / "history" / f"truth-smoke-{name}.json"))
    (table,) = (root / "journal").glob("journal-*.csv")
    return made, smelter("journal", "import", str(table), *made.site, *OFFICER)


def in_lake(root: Path) -> bool:
    """True when the lake holds every batch of the import."""
    cursor = root / "data" / "historian" / "views" / "lake" / "cursor.json"
    if not cursor.exists():
        return False
    status = smelter("historian", "status", str(root / "historian.toml"), "--json")
    logs = json.loads(status)["logs"]
    done = read_json(cursor)["done"]
    return bool(logs) and all(done.get(name, 0) >= log["newest"] for name, log in logs.items())
