"""The audit trail on disk: segments, their end, what is wrong in them, what is old enough to go."""

import gzip
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

from drivers.audit_act import NO_HASH, Act, Break, Recorded, line_hash, parse
from drivers.language import say

SEGMENT_BYTES = 32 << 20
PLANT = timezone(timedelta(hours=8))
ITSELF = "audit"  # the target of what the trail has to tell of itself
LEAST_NS = 183 * 86_400_000_000_000  # no act is pruned earlier, whatever is set
LOST = (
    "文件 head（末条记号）曾缺失：其后的记录可能已被截去",
    "the file head (the mark of the end) was missing: acts after this may have been cut off",
)


@dataclass(frozen=True, slots=True)
class Line:
    """A line as it was found; ``recorded`` is None when it is not the line of an act."""

    path: Path
    number: int
    text: str
    recorded: Recorded | None
    end: int = 0  # of a plain segment: where the next line begins


@dataclass(frozen=True, slots=True)
class Old:
    """A segment that may go, with the number and the hash of its last act."""

    path: Path
    n: int
    hash: str


def segments(folder: Path) -> list[Path]:
    """Oldest first. A closed one that is there twice (a crash while it was packed) counts once."""
    found: dict[str, Path] = {}
    for path in sorted(folder.glob("*.jsonl*")):
        name = path.name
        if name.endswith((".jsonl", ".jsonl.gz")):
            found[name.removesuffix(".gz")] = path  # the packed one sorts later
    return [found[name] for name in sorted(found)]


def first_of(path: Path) -> int:
    """The number of a segment's first act, by its name. 0: not our name."""
    head = path.name.partition("-")[0]
    return int(head) if head.isdecimal() else 0


def used_bytes(folder: Path) -> int:
    """What all segments take."""
    total = 0
    for path in folder.glob("*.jsonl*"):
        try:
            total += path.stat().st_size
        except FileNotFoundError:
            continue  # pruned in this moment
    return total


def lines(folder: Path, after: int = 0) -> Iterator[Line]:
    """Every line from the segment on that may hold the act after ``after``; no torn last line."""
    found = segments(folder)
    starts = [first_of(path) for path in found]
    for at, path in enumerate(found):
        if at + 1 < len(found) and 0 < starts[at + 1] <= after + 1:
            continue
        yield from _lines_of(path, last=at + 1 == len(found))


def _lines_of(path: Path, *, last: bool) -> Iterator[Line]:
    number = end = 0
    try:
        with path.open("rb") as plain:
            packed = path.suffix == ".gz"
            for number, raw in enumerate(gzip.GzipFile(fileobj=plain) if packed else plain, 1):
                if last and not raw.endswith(b"\n"):
                    return
                end += len(raw)
                yield _line(path, number, raw, 0 if packed else end)
    except FileNotFoundError:
        beside = path.with_name(f"{path.name}.gz")  # packed in this moment
        if path.suffix != ".gz" and beside.exists():
            yield from _lines_of(beside, last=False)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        yield Line(path, number + 1, "", None)


def _line(path: Path, number: int, raw: bytes, end: int) -> Line:
    try:
        text = raw.removesuffix(b"\n").decode()
        return Line(path, number, text, parse(text), end)
    except ValueError:
        return Line(path, number, raw.decode("utf-8", "replace"), None, end)


def lines_from(path: Path, start: int, most_bytes: int = 1 << 20) -> list[Line]:
    """Whole lines of a plain segment from byte ``start`` on; none when it is there no more."""
    try:
        with path.open("rb") as file:
            file.seek(start)
            whole, newline, _ = file.read(most_bytes).rpartition(b"\n")
    except FileNotFoundError:
        return []
    found = []
    for raw in whole.split(b"\n") if newline else ():
        start += len(raw) + 1
        found.append(_line(path, 0, raw + b"\n", start))
    return found


def first_break(folder: Path) -> Break | None:
    """Walk the chain. Costs about 15 µs an act."""
    known, head = read_head(folder)
    n, prev, last = 0, NO_HASH, Line(folder / "head", 0, "", None)
    headless = not head_there(folder)
    left: Recorded | None = None  # the first act that is left, after pruning
    stated: set[tuple[int, str]] = set()  # what the trail itself says it has pruned
    for line in lines(folder):
        recorded, last = line.recorded, line
        if n == 0 and recorded is not None and recorded.n > 1:
            left, n, prev = recorded, recorded.n - 1, recorded.prev
        if recorded is None or recorded.n != n + 1 or recorded.prev != prev:
            return _link_broken(line, n, at_end=n == known)
        n, prev = recorded.n, line_hash(line.text)
        if n == known and prev != head:
            return _break(line, n, "此行被改动", "this line was changed")
        if recorded.act.what == "retention.deleted" and recorded.act.target == ITSELF:
            stated.add(_stated(recorded.act))
        if recorded.act.what == "audit.repaired" and "lost" in recorded.act.details:
            return _break(line, n, *LOST)
    if headless and n:
        return _break(last, n, *LOST)
    if n < known:
        return _break(last, n + 1, f"应有 {known} 条", f"there were {known} acts")
    return _begin_broken(folder, left, stated)


def _begin_broken(
    folder: Path, left: Recorded | None, stated: set[tuple[int, str]]
) -> Break | None:
    """``left``, the first act that is left, must follow one that was rightly pruned."""
    if left is None or (left.n - 1, left.prev) in stated:
        return None
    first = Line(segments(folder)[0], 1, "", None)
    return _break(first, left.n - 1, "此前的记录被删除", "the acts before were removed")


def _link_broken(line: Line, n: int, *, at_end: bool) -> Break:
    """Why ``line`` is not what comes after act ``n``."""
    recorded = line.recorded
    if recorded is None:
        return _break(line, n + 1, "此行被改动", "this line was changed")
    if recorded.n > n + 1:
        return _break(line, n + 1, f"缺第 {n + 1} 条", f"act {n + 1} is missing")
    if recorded.n <= n:
        return _break(line, n + 1, "此行是插入的", "this line was put in")
    if at_end:
        return _break(line, n + 1, "此行与所记末行不符", "this line does not follow the last known")
    return _break(line, max(n, 1), "前一条被改动", "the act before this one was changed")


def _stated(act: Act) -> tuple[int, str]:
    """What was pruned; nothing when it was younger than anybody may ask for (LEAST_NS)."""
    upto, file = act.details.get("upto", ""), act.details.get("file", "")
    if not upto.isdecimal() or _month_end_ns(Path(file)) > act.at_ns - LEAST_NS:
        return -1, ""
    return int(upto), act.details.get("hash", "")


def _break(line: Line, n: int, zh: str, en: str) -> Break:
    return Break(line.path.name, line.number, n, say(zh, en))


# --- the head


def head_there(folder: Path) -> bool:
    """It is written before the first act, so where it is missing somebody took it away."""
    try:
        count, _, head = (folder / "head").read_text("utf-8").strip().partition(" ")
    except (FileNotFoundError, ValueError):
        return False
    return count.isdecimal() and len(head) == len(NO_HASH)


def read_head(folder: Path) -> tuple[int, str]:
    """How many acts there were and the hash of the last; (0, zeros) when nobody noted it."""
    try:
        count, _, head = (folder / "head").read_text("utf-8").strip().partition(" ")
        return int(count), head
    except (FileNotFoundError, ValueError):
        return 0, NO_HASH


def write_head(folder: Path, n: int, head: str) -> None:
    """Wholly or not at all, and durable."""
    beside = folder / "head.new"
    _write(beside, f"{n} {head}\n".encode(), file_mode(folder))
    beside.replace(folder / "head")


# --- the end, to write on


class Tail:
    """The end of the chain; only under the lock."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        found = segments(folder)
        self._path = found[-1] if found else None
        self._month = self._path.name.partition("-")[2].partition(".")[0] if self._path else ""
        self.n, self.head = read_head(folder)
        self.headless = self._path is not None and not head_there(folder)
        last = self._last_line()
        if last is not None and last.n > self.n:  # a crash before the head was written
            self.n, self.head = last.n, last.hash

    def _last_line(self) -> Recorded | None:
        """The last whole line that is one of ours."""
        found = None
        for path in reversed(segments(self._folder)):
            size = path.stat().st_size
            with path.open("rb") as file:
                if path.suffix == ".gz":
                    whole = gzip.GzipFile(fileobj=file).read()
                else:
                    file.seek(max(0, size - (1 << 17)))
                    whole, _, _ = file.read().rpartition(b"\n")
            for raw in reversed(whole.split(b"\n")):
                try:
                    found = parse(raw.decode())
                except ValueError:
                    continue
                return found
        return found

    def repair(self) -> str | None:
        """Cut a torn last line off; what was cut, as text. None: the end is whole."""
        if self._path is None or self._path.suffix == ".gz":
            return None
        with self._path.open("r+b") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - (1 << 17)))
            start = file.tell()
            rest = file.read()
            torn = rest[rest.rfind(b"\n") + 1 :] if b"\n" in rest or start == 0 else rest
            if not torn:
                return None
            file.truncate(size - len(torn))
            os.fsync(file.fileno())
        return torn.decode("utf-8", "replace")

    def write(self, acts: list[Act]) -> list[Recorded]:
        """Chain them and sync; a new segment with each month and when one is full."""
        if self._path is None and not head_there(self._folder):
            write_head(self._folder, 0, NO_HASH)
        made: list[Recorded] = []
        for act in acts:
            recorded = Recorded(self.n + 1, self.head, act)
            self.n, self.head = recorded.n, recorded.hash
            made.append(recorded)
        at = 0
        while at < len(made):
            at += self._append(made[at:])
        if made:
            write_head(self._folder, self.n, self.head)
        return made

    def _append(self, made: list[Recorded]) -> int:
        """As many as belong into one segment."""
        month = f"{datetime.fromtimestamp(made[0].act.at_ns // 10**9, UTC).astimezone(PLANT):%Y-%m}"
        path = self._segment(month, made[0].n)
        room = SEGMENT_BYTES - (path.stat().st_size if path.exists() else 0)
        lines: list[bytes] = []
        for recorded in made:
            of = datetime.fromtimestamp(recorded.act.at_ns // 10**9, UTC).astimezone(PLANT)
            if f"{of:%Y-%m}" != month or (lines and room <= 0):
                break
            lines.append(f"{recorded.line}\n".encode())
            room -= len(lines[-1])
        _append_lines(path, b"".join(lines), file_mode(self._folder))
        return len(lines)

    def _segment(self, month: str, n: int) -> Path:
        path = self._path
        if (
            path is not None
            and path.suffix != ".gz"
            and month == self._month
            and path.stat().st_size < SEGMENT_BYTES
        ):
            return path
        if path is not None and path.suffix != ".gz":
            pack(path)
        self._path, self._month = self._folder / f"{n:012}-{month}.jsonl", month
        return self._path


def pack(path: Path) -> None:
    """A closed segment as gzip; the plain one goes when the packed one is durable."""
    packed = gzip.compress(path.read_bytes(), 6, mtime=0)
    beside = path.with_name(f"{path.name}.new")
    _write(beside, packed, file_mode(path.parent))
    beside.replace(path.with_name(f"{path.name}.gz"))
    sync_folder(path.parent)
    path.unlink()


def prunable(folder: Path, now_ns: int, keep_ns: int) -> Old | None:
    """
    The oldest segment when its month ended longer ago than that, with what it ends with.

    A clock that jumps ahead deletes nothing: time is also measured by the last closed segment.
    """
    found = segments(folder)
    if len(found) < 3:
        return None
    now_ns = min(now_ns, _month_end_ns(found[-2]))
    if _month_end_ns(found[0]) >= now_ns - keep_ns:
        return None
    after = next((x.recorded for x in _lines_of(found[1], last=False)), None)
    return None if after is None else Old(found[0], after.n - 1, after.prev)


def _month_end_ns(path: Path) -> int:
    """When the month of a segment's name was over; far ahead when the name tells none."""
    try:
        begin = datetime.strptime(path.name.split("-", 1)[1][:7], "%Y-%m").replace(tzinfo=PLANT)
    except (ValueError, IndexError):
        return 1 << 62
    return int((begin + timedelta(days=32)).replace(day=1).timestamp()) * 10**9


# --- bytes and modes


def make_folder(folder: Path) -> None:
    """Owner's, and the group's as far as the folder above lets it in; never for others."""
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        folder.chmod(0o700 | (folder.parent.stat().st_mode & 0o070))


def file_mode(folder: Path) -> int:
    """0600, and the group's rights of the folder: 0640 or 0660."""
    return 0o600 | (folder.stat().st_mode & 0o060)


def _write(path: Path, content: bytes, mode: int) -> None:
    path.unlink(missing_ok=True)
    _append_lines(path, content, mode)


def _append_lines(path: Path, content: bytes, mode: int) -> None:
    """Durable, or as it was before: OSError."""
    fresh = not path.exists()
    if fresh:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, mode))
        path.chmod(mode)  # whatever the umask says
    with path.open("ab", buffering=0) as file:
        number = file.fileno()
        size = os.fstat(number).st_size
        try:
            rest = memoryview(content)
            while rest:
                rest = rest[file.write(rest) or 0 :]
            os.fsync(number)
        except OSError:
            os.ftruncate(number, size)
            raise
    if fresh:
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """New names are durable as well."""
    file = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
