"""Results as JSON lines beside the page, and the table of the page made from them."""

import fcntl
import json
import os
import platform
import re
import subprocess
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime, timedelta, timezone
from pathlib import Path

from tests.reliability.cases import CASES, Result

BEGIN, END = "<!-- results: written by `make reliability` -->", "<!-- end of results -->"
HEAD = (
    "| test | fault | procedure | pass mark | result | figure | size | seed | commit | date |\n"
    "|---|---|---|---|---|---|---|---|---|---|\n"
)
_PLANT_TIME = timezone(timedelta(hours=8))


def in_order(names: Iterable[str]) -> list[str]:
    """A2 before A10."""

    def key(name: str) -> tuple[str, int, str]:
        found = re.fullmatch(r"([A-Z]+)(\d+)(.*)", name)
        return (found[1], int(found[2]), found[3]) if found else (name, 0, "")

    return sorted(names, key=key)


def keep(page: Path, result: Result) -> None:
    """The newest result of each case, in ``<page>.jsonl``; one writer at a time."""
    path = page.with_suffix(".jsonl")
    row = asdict(result) | {
        "date": datetime.now(_PLANT_TIME).date().isoformat(),
        "commit": _commit(),
        "machine": machine(),
    }
    with path.open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        rows = {each["id"]: each for each in map(json.loads, file)}
        rows[result.id] = row
        file.truncate(0)
        for name in in_order(rows):
            file.write(json.dumps(rows[name], ensure_ascii=False) + "\n")


def rewrite(page: Path) -> None:
    """Puts the table of all kept results between the two markers of ``page``."""
    text = page.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    if not rest:
        raise ValueError(f"{page}: no line {BEGIN}")
    page.write_text(f"{before}{BEGIN}\n{table(page)}{END}{after}", "utf-8")


def table(page: Path) -> str:
    """Every registered case in order; one that was never run says so."""
    path = page.with_suffix(".jsonl")
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    rows = {row["id"]: row for row in map(json.loads, lines)}
    text = HEAD
    for name in in_order(CASES):
        about, row = CASES[name], rows.get(name)
        cells = [name, about.fault, about.procedure, about.mark]
        if row is None:
            cells += ["**not run**", "no result was kept yet", "", "", "", ""]
        else:
            verdict = row["verdict"] if row["verdict"] == "pass" else f"**{row['verdict']}**"
            share = row.get("share", 1.0)
            much = "full" if share >= 1 else f"{share:.0%} of full"
            size = f"{much if row['full'] else 'cut'}, {row['seconds']:.0f} s"
            cells += [verdict, row["figure"], size, str(row["seed"]), row["commit"], row["date"]]
        text += "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells)
        text += " |\n"
    machines = sorted({row["machine"] for row in rows.values()})
    return text + "".join(f"\nMachine: {each}.\n" for each in machines)


def machine() -> str:
    """In general terms."""
    release = ".".join(platform.release().split(".")[:2])
    cores, python = os.cpu_count(), platform.python_version()
    return f"{cores} cores, {platform.system()} {release} {platform.machine()}, Python {python}"


def _commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "none"
