"""
Files that people write and hand over: gateway.toml, historian.toml, site.toml, device profiles,
rule packs of a province, the sheets of the journal, history to import.

Held for each input: it is read, or ConfigError says what is wrong; nothing else is raised.
"""

import atexit
import random
import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from agent.edge.config import load_gateway
from agent.historian.config import load_historian
from agent.history.file import read_history
from drivers.model import ConfigError
from drivers.profiles import read_head
from reports.journal.rows import COLUMNS, read_rows
from reports.rules.overlay import read_overlay
from reports.site import load_site
from tests.fuzz.mutants import mutated

ROOT = Path(__file__).resolve().parent.parent.parent
PIECES = (
    *(b'"', b"=", b"[", b"]", b"[[", b"\n", b"#", b"\xff", b"\0", b"true", b"-1", b"1e999", b"nan"),
    *(b"9" * 400, b"''", b"../../etc", b"2026-13-41", b"\xe7\x94\xb5", b"{}", b",", b"1.5", b"inf"),
)
VALUES = (
    *('""', "-1", "0", "1e308", "inf", "nan", "true", "[]", "{}", "[[1]]", '"' + "x" * 300 + '"'),
    *(
        '"电"',
        "2026-02-29",
        "99999999999999999999",
        "{ a = 1 }",
        '"\\u0000"',
        '["a", 1]',
        "12:00:00",
    ),
)
HISTORY = (
    b"time,equipment,quantity,value,reason,raw\n"
    b"2026-10-05T00:00:00+08:00,line1/pot001,pot.voltage,4.1,,\n"
    b"2026-10-05T00:01:00+08:00,line1/pot001,pot.voltage,4.2,,\n"
)
HISTORY_S = 60


def make() -> Callable[[random.Random], str]:
    """The target."""
    folder = Path(tempfile.mkdtemp(prefix="fuzz-", dir=_memory()))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    shutil.copytree(ROOT / "config", folder / "config")
    place = folder / "config"
    kinds: list[tuple[str, Path, bytes, Callable[[Path], object]]] = []
    configs: tuple[tuple[str, Callable[[Path], object]], ...] = (
        ("gateway.example.toml", load_gateway),
        ("historian.example.toml", load_historian),
        ("site.example.toml", load_site),
    )
    shelves: tuple[tuple[str, Callable[[Path], object]], ...] = (
        ("profiles/*.csv", read_head),
        ("overlays/*.toml", read_overlay),
    )
    for name, load in configs:
        kinds.append((name.partition(".")[0], place / name, (place / name).read_bytes(), load))
    for name, load in shelves:
        found = sorted(place.glob(name))[:4]
        kinds += [(name.partition("s/")[0], path, path.read_bytes(), load) for path in found]
    head = ",".join(column.header for column in list(COLUMNS.values())[:8]).encode()
    kinds.append(("journal", place / "journal.csv", head + b"\n1,2,3,4,5,6,7,8\n", read_rows))
    kinds.append(("history", place / "h.csv", HISTORY, lambda path: read_history(path, HISTORY_S)))

    def trial(chance: random.Random) -> str:
        name, path, good, load = chance.choice(kinds)
        toml = path.suffix == ".toml" and chance.random() < 0.7
        path.write_bytes(_revalued(good, chance) if toml else mutated(good, PIECES, chance, most=3))
        try:
            load(path)
        except ConfigError as error:
            return f"{name} refused" if error.problems else f"{name} refused without a word"
        return f"{name} read"

    return trial


def _memory() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - many small files


def _revalued(good: bytes, chance: random.Random) -> bytes:
    """One to three values of a whole file are others, so that what lies behind TOML is reached."""
    lines = good.decode().splitlines()
    places = [k for k, line in enumerate(lines) if re.match(r"#?\s*[\w.-]+\s*=\s*\S", line)]
    for at in chance.sample(places, min(len(places), chance.randrange(1, 4))):
        key = lines[at].lstrip("# ").partition("=")[0]
        lines[at] = f"{key}= {chance.choice(VALUES)}"
    return "\n".join(lines).encode()
