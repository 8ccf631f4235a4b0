"""
The day's roots of all logs in one small file, stamped by an RFC 3161 authority when there is one.

``checkpoints/daily/<day>.txt`` is written when the day (UTC+8) is over; ``<day>.tsq`` and
``<day>.tsr`` are the request and the checked answer. What has no answer yet waits on disk.
"""

import asyncio
import logging
import secrets
import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from agent.batches.durable import make_folder, replace_text, sync
from agent.evidence.heads import day_of
from agent.evidence.note import NoteError, b64, read_head, read_note
from agent.evidence.rfc3161 import (
    MOST_BYTES,
    Stamp,
    StampError,
    UnknownSchemeError,
    check,
    imprint_of,
    request,
)
from drivers.config import Strict
from drivers.language import say

_log = logging.getLogger(__name__)

_GM = bytes.fromhex("2a811ccf5501")  # 1.2.156.10197.1: of SM2 and SM3
LOOK_S = 60.0
_ANSWER_S = 30.0
_PROGRAM_S = 30


class TimestampConfig(Strict):
    """``[timestamp]``: an authority; without it the days wait on disk and can be stamped later."""

    url: str
    ca: Path  # certificates that an answer's chain must lead to, PEM
    retry_s: float = Field(default=600.0, ge=0.1, le=3600)

    @field_validator("url")
    @classmethod
    def _http(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(
                say(
                    f"{url!r}：请写时间戳服务的地址 http://… 或 https://…",
                    f"{url!r}: write the authority's address, http://… or https://…",
                )
            )
        return url

    def problems(self) -> list[str]:
        """What would keep every answer from being believed."""
        try:
            _anchors(self.ca)
        except (OSError, ValueError) as error:
            return [f"timestamp.ca: {self.ca}: {error}"]
        return []


def _anchors(ca: Path) -> list[object]:
    from cryptography.x509 import load_pem_x509_certificates

    return list(load_pem_x509_certificates(ca.read_bytes()))


@dataclass(slots=True)
class StampCounts:
    """Since the start; for /metrics."""

    days: int = 0
    stamped: int = 0
    refused: int = 0  # answers that were not believed
    unreachable: int = 0


def day_text(checkpoints: Path, day: str) -> str | None:
    """The newest cosigned head of that day of every log, sorted; None when there is none."""
    rows = []
    for path in checkpoints.glob(f"*/*/*/**/days/{day}"):
        head = read_head(read_note(path.read_text("utf-8")).text)
        rows.append(f"{head.origin} {head.size} {b64(head.root)}\n")
    return f"smelter-day/1\n{day}\n{''.join(sorted(rows))}" if rows else None


def verify_day(folder: Path, day: str, ca: Path) -> Stamp:
    """The stamp of a day's file, checked anew. Raises StampError, OSError."""
    from cryptography.x509 import load_pem_x509_certificates

    text = (folder / f"{day}.txt").read_bytes()
    answer = (folder / f"{day}.tsr").read_bytes()
    query = folder / f"{day}.tsq"
    imprint = imprint_of(text)
    nonce = _nonce_of(query.read_bytes(), imprint)
    anchors = load_pem_x509_certificates(ca.read_bytes())
    try:
        return check(answer, imprint, nonce, anchors)
    except UnknownSchemeError as error:
        return _by_program(folder, day, ca, error)


def _nonce_of(query: bytes, imprint: bytes) -> int:
    """Our own request again: everything but the nonce is known."""
    for size in range(1, 10):
        start = len(query) - 3 - size
        nonce = int.from_bytes(query[start : start + size], "big")
        if start > 0 and query == request(imprint, nonce):
            return nonce
    raise StampError("the request is not ours, or is of other data")


def _by_program(folder: Path, day: str, ca: Path, why: UnknownSchemeError) -> Stamp:
    """SM2 only: the program overlooks changes in what is not signed."""
    if _GM not in (folder / f"{day}.tsr").read_bytes():
        raise why
    program = shutil.which("openssl")
    if program is None:
        raise StampError(f"{why}, and there is no openssl program to ask")
    files = ("-in", str(folder / f"{day}.tsr"), "-queryfile", str(folder / f"{day}.tsq"))
    call = [program, "ts", "-verify", *files, "-CAfile", str(ca)]
    done = subprocess.run(call, capture_output=True, check=False, timeout=_PROGRAM_S)
    if done.returncode:
        raise StampError(f"openssl ts -verify: {done.stderr.decode(errors='replace')[-200:]}")
    read = [program, "ts", "-reply", "-in", str(folder / f"{day}.tsr"), "-text"]
    said = subprocess.run(read, capture_output=True, check=False, timeout=_PROGRAM_S).stdout
    rows = dict(row.partition(": ")[::2] for row in said.decode(errors="replace").splitlines())
    return Stamp.by_program(rows.get("Time stamp", ""), rows.get("TSA", ""))


class DailyStamps:
    """``run`` until cancelled; what a crash leaves is done again."""

    def __init__(
        self,
        checkpoints: Path,
        config: TimestampConfig | None,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self.counts = StampCounts()
        self.trouble = ""
        self.folder = checkpoints / "daily"
        self._checkpoints = checkpoints
        self._config = config
        self._now_s = now_s
        self._next_s = 0.0

    async def run(self, tell: Callable[[str], Awaitable[None]]) -> None:
        """``tell`` is told of what must be looked at, once each time it begins."""
        while True:
            trouble = self.trouble
            try:
                await self.look()
            except (OSError, NoteError) as error:
                self.trouble = str(error)
            if self.trouble and self.trouble != trouble:
                _log.warning("time stamps: %s; the days wait on disk", self.trouble)
                await tell(self.trouble)
            await asyncio.sleep(min(LOOK_S, self._config.retry_s) if self._config else LOOK_S)

    async def look(self) -> None:
        """Days that are over get their file, files that have no stamp are sent."""
        await asyncio.to_thread(self._write_days)
        if self._config is None or time.monotonic() < self._next_s:
            return
        for day in self.waiting():
            if not await asyncio.to_thread(self._stamp, self._config, day):
                self._next_s = time.monotonic() + self._config.retry_s
                return
        self.trouble = ""

    def waiting(self) -> list[str]:
        """Days without a stamp, oldest first."""
        return [p.stem for p in sorted(self.folder.glob("*.txt")) if not self._answer(p).exists()]

    @staticmethod
    def _answer(path: Path) -> Path:
        return path.with_suffix(".tsr")

    def _write_days(self) -> None:
        today = day_of(self._now_s())
        days = {path.name for path in self._checkpoints.glob("*/*/*/**/days/*")}
        for day in sorted(days):
            path = self.folder / f"{day}.txt"
            if day >= today or not _is_day(day) or path.exists():
                continue
            text = day_text(self._checkpoints, day)
            if text:
                make_folder(self.folder)
                replace_text(path, text)
                self.counts.days += 1

    def _stamp(self, config: TimestampConfig, day: str) -> bool:
        """Asks, checks, keeps. False when the authority is away or says what cannot be believed."""
        imprint = imprint_of((self.folder / f"{day}.txt").read_bytes())
        query = request(imprint, secrets.randbits(63) | 1 << 62)
        try:
            answer = _ask(config.url, query)
        except (OSError, ValueError) as error:
            self.counts.unreachable += 1
            self.trouble = f"{config.url}: {error}"
            return False
        with tempfile.TemporaryDirectory(dir=self.folder, prefix="asked-") as place:
            trial = Path(place)
            for ending, data in (("tsq", query), ("tsr", answer)):
                (trial / f"{day}.{ending}").write_bytes(data)
                sync(trial / f"{day}.{ending}")
            shutil.copy(self.folder / f"{day}.txt", trial)
            try:
                stamp = verify_day(trial, day, config.ca)
            except (StampError, OSError, ValueError) as error:
                self.counts.refused += 1
                self.trouble = f"{config.url}: {day}: {error}"
                return False
            for ending in ("tsq", "tsr"):  # the answer last: its name says that all is there
                (trial / f"{day}.{ending}").replace(self.folder / f"{day}.{ending}")
            sync(self.folder)
        self.counts.stamped += 1
        _log.info("day %s stamped at %s by %s", day, stamp.at.isoformat(), stamp.signer)
        return True


def _is_day(name: str) -> bool:
    return len(name) == 10 and name.replace("-", "").isdigit()


def _ask(url: str, query: bytes) -> bytes:
    asked = urllib.request.Request(  # noqa: S310 - the config takes http and https only
        url, query, {"Content-Type": "application/timestamp-query"}
    )
    with urllib.request.urlopen(asked, timeout=_ANSWER_S) as answer:  # noqa: S310 - see above
        data: bytes = answer.read(MOST_BYTES + 1)
    return data
