"""
Judging a package that somebody dropped in: the stand-alone verifier, in a process of its own.

Nothing of the package is read by the console or by its children: ``verify.py`` runs isolated, with
limits of time and memory, and what it says is all that comes back.
"""

import asyncio
import contextlib
import json
import os
import resource
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from drivers.language import language, say
from drivers.model import ConfigError
from reports.console.office import Office

Node = dict[str, Any]
LIMIT_S: Final = 120
MEMORY_BYTES: Final = 1536 << 20
AT_ONCE: Final = 2  # of the whole console
SAID_BYTES: Final = 16 << 20  # of a verdict
SHOWN_MOST: Final = 200  # findings of a kind on a page


@dataclass(frozen=True, slots=True)
class Dropped:
    """A package, and what it is to be compared with; all files lie in a folder that goes."""

    package: Path
    keys: Sequence[str] = ()
    checkpoints: Sequence[Path] = ()
    earlier: Sequence[Path] = ()
    ca: Path | None = None
    without_originals: bool = False

    def call(self) -> list[str]:
        """Arguments of the verifier; a value never becomes an option."""
        found = [str(self.package), "--json"]
        found += [f"--trusted-key={each}" for each in self.keys]
        found += [f"--checkpoint={each}" for each in self.checkpoints]
        found += [f"--earlier={each}" for each in self.earlier]
        found += [f"--ca={self.ca}"] if self.ca else []
        return found + (["--without-originals"] if self.without_originals else [])


@dataclass(slots=True)
class Verifying:
    """So many at once; more wait."""

    turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def judge(self, dropped: Dropped) -> Node:
        """What ``smelter verify --json`` says. Raises ConfigError when there is no verdict."""
        async with self.turns:
            out, err, code = await _run(dropped)
        try:
            found: Node = json.loads(out)
        except ValueError:
            raise ConfigError([_no_verdict(err, code)]) from None
        return found | {"exit_code": code}


async def _run(dropped: Dropped) -> tuple[bytes, bytes, int | None]:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", str(verifier()), *dropped.call()),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=dropped.package.parent,
        env={
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "TMPDIR": str(dropped.package.parent),
        },
        preexec_fn=_bounded,
    )
    assert child.stdout is not None  # noqa: S101 - both were asked for
    assert child.stderr is not None  # noqa: S101
    try:
        async with asyncio.timeout(LIMIT_S):
            out, err = await asyncio.gather(_most(child.stdout), _most(child.stderr))
            return out, err, await child.wait()
    except TimeoutError:
        told = f"用时超过 {LIMIT_S} 秒，已中止", f"it took more than {LIMIT_S} s and was ended"
        raise ConfigError([say(*told)]) from None
    finally:
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        await child.wait()


async def _most(stream: asyncio.StreamReader) -> bytes:
    found = b""
    while part := await stream.read(1 << 16):
        found = (found + part)[:SAID_BYTES]
    return found


def _bounded() -> None:
    """Before the verifier begins: memory, time, size of what it may write."""
    os.nice(5)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (LIMIT_S, LIMIT_S))
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 20, 64 << 20))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _no_verdict(err: bytes, code: int | None) -> str:
    last = err.decode("utf-8", "replace").strip().splitlines()[-1:] or [f"exit code {code}"]
    told = last[0][:300]
    return say(
        f"无法判断：核验程序未给出结论（{told}）",
        f"cannot be judged: the verifier gave no verdict ({told})",
    )


def verifier() -> Path:
    """The program that lies in every package too."""
    return Path(str(files("reports.package").joinpath("verify.py")))


# --- keys that this installation holds


def known_keys(office: Office) -> list[Node]:
    """Public keys of office and historian as they lie here; none where there are none."""
    from reports.package.tiles import Heads
    from reports.package.verify import Broken, History

    site = office.site
    folder = site.entries.parent / "report-keys"
    notes = [x.read_text("utf-8") for x in sorted(folder.glob("[0-9]*.pub"))]
    witness = None if site.originals is None else Heads(site.originals).keys("")
    found = []
    for what, history in (
        (say("本厂报告密钥", "report key of this plant"), notes),
        (say("历史库密钥", "key of the historian"), json.loads(witness) if witness else []),
    ):
        try:
            known = History(history)
        except (Broken, ValueError):
            continue  # doctor tells
        key = known.keys[-1].vkey(known.owner)
        found.append({"what": what, "key": key, "name": known.owner})
    return found


WORDS: Final = {
    "intact": ("good", "未被改动", "Intact"),
    "changed": ("bad", "已被改动", "Changed"),
    "unknown": ("warn", "无法完全判断", "Cannot be judged wholly"),
    "untraced": ("warn", "无法完全判断", "Cannot be judged wholly"),
    "unvouched": (
        "warn",
        "无法判断：密钥无人担保",
        "Cannot be judged: nobody vouches for the keys",
    ),
}


def shown(verdict: Node) -> Node:
    """For a page, in the visitor's language; every finding with its place, a great many are cut."""
    lang = language()
    state, zh, en = WORDS[verdict["verdict"]]
    groups = [
        {
            "name": name,
            "state": colour,
            "count": len(verdict[key]),
            "items": [
                {"where": each.get("where", ""), "text": each[lang]}
                for each in verdict[key][:SHOWN_MOST]
            ],
        }
        for key, colour, name in (
            ("changed", "bad", say("改动及其位置", "Changes, and where")),
            ("unknown", "warn", say("无法核对", "Cannot be judged")),
            ("notes", "warn", say("提示", "Mind")),
            ("proved", "good", say("已证明", "Proven")),
            ("unchecked", "unknown", say("本次未核对", "Not checked by this verdict")),
        )
        if verdict[key]
    ]
    told = {"state": state, "word": say(zh, en), "headline": verdict["headline"][lang]}
    keys = [{"owner": owner, "key": key} for owner, key in sorted(verdict["keys"].items())]
    return told | {"report": verdict["report"], "groups": groups, "keys": keys}
