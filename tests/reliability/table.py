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
from typing import Any

from tests.reliability.cases import CASES, Result

BEGIN, END = "<!-- results: written by `make reliability` -->", "<!-- end of results -->"
HEAD = (
    "| test | fault | procedure | pass mark | result | figure | size | seed | commit | date |\n"
    "|---|---|---|---|---|---|---|---|---|---|\n"
)
_NOT_RESULTS = (":!docs/reliability.*", ":!docs/security.*")
_PLACE = re.compile(
    r"/(?:root|home|tmp)/(?:[\w.+-]+/)*([\w.+-]+)"
)  # a path on this machine, in an error
_PLANT_TIME = timezone(timedelta(hours=8))


def page_of(name: str, where: Path) -> Path:
    """``where`` itself; of a folder of pages, the one that has this row."""
    if not where.is_dir():
        return where
    return where / ("security.md" if name.startswith("E") else "reliability.md")


def on_page(names: Iterable[str], page: Path) -> list[str]:
    """Rows that belong on this page; every one on a page of another name."""
    kinds = {"security.md": True, "reliability.md": False}
    wanted = kinds.get(page.name)
    return in_order(name for name in names if wanted in {None, name.startswith("E")})


def in_order(names: Iterable[str]) -> list[str]:
    """A2 before A10."""

    def key(name: str) -> tuple[str, int, str]:
        found = re.fullmatch(r"([A-Z]+)(\d+)(.*)", name)
        return (found[1], int(found[2]), found[3]) if found else (name, 0, "")

    return sorted(names, key=key)


def keep(page: Path, result: Result, code: str) -> None:
    """
    The newest result of each case and size, in ``<page>.jsonl``: a short run never takes the place
    of a longer one, a full one that of all before it. ``code``: ``commit()`` as it was before the
    run. One writer at a time.
    """
    path = page.with_suffix(".jsonl")
    row = asdict(result) | {
        "figure": _PLACE.sub(r"…/\1", result.figure),
        "date": datetime.now(_PLANT_TIME).date().isoformat(),
        "commit": code,
        "machine": machine(),
    }
    with path.open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        rows = {(each["id"], _share(each)): each for each in map(json.loads, file)}
        if _share(row) >= 1 and row["verdict"] == "pass":
            rows = {key: each for key, each in rows.items() if key[0] != result.id}
        rows[result.id, _share(row)] = row
        file.truncate(0)
        for name in in_order({each for each, _ in rows}):
            for key in sorted((key for key in rows if key[0] == name), reverse=True):
                file.write(json.dumps(rows[key], ensure_ascii=False) + "\n")


def _share(row: dict[str, Any]) -> float:
    """Of the full numbers; 0 for the cut."""
    return float(row.get("share", 1.0)) if row["full"] else 0.0


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
    rows = [row for row in map(json.loads, lines) if row["id"] in CASES]
    text = HEAD
    for name in on_page(CASES, page):
        about = CASES[name]
        mark = about.mark + (f" (**weaker than asked**: {about.weaker})" if about.weaker else "")
        kept = [_cells(row) for row in rows if row["id"] == name]
        for result in kept or [["**not run**", "no result was kept yet", "", "", "", ""]]:
            cells = [name, about.fault, about.procedure, mark, *result]
            text += "| " + " | ".join(each.replace("|", "\\|").replace("\n", " ") for each in cells)
            text += " |\n"
    machines = sorted({row["machine"] for row in rows})
    return text + "".join(f"\nMachine: {each}.\n" for each in machines)


def _cells(row: dict[str, Any]) -> list[str]:
    """A pass with less than the full numbers is never a bare *pass*."""
    share = _share(row)
    much = "cut" if not share else f"{share:.0%} of full" if share < 1 else "full"
    verdict = f"{row['verdict']} ({much})" if row["verdict"] == "pass" else f"**{row['verdict']}**"
    size = f"{much}, {row['seconds']:.0f} s"
    plain = "pass" if verdict == "pass (full)" else verdict
    return [plain, row["figure"], size, str(row["seed"]), row["commit"], row["date"]]


def machine() -> str:
    """In general terms."""
    release = ".".join(platform.release().split(".")[:2])
    cores, python = os.cpu_count(), platform.python_version()
    return f"{cores} cores, {platform.system()} {release} {platform.machine()}, Python {python}"


def commit() -> str:
    """Of the code that is about to run; "+changes" where it is not what was committed."""
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".", *_NOT_RESULTS)
    name = _git("rev-parse", "--short", "HEAD") or "none"
    return f"{name} +changes" if changed else name


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], capture_output=True, text=True, check=False)
    return done.stdout.strip()
