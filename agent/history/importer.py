"""
``smelter import FILE``: recorded history -> windows -> batches -> the historian's receipt.

The importer is a gateway of its own, named ``import``, with its own batch log. A file is known by
its SHA-256: what was imported is refused, what was broken off is taken up where it stopped.
"""

import asyncio
import hashlib
import logging
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Final, cast

import typer
from pydantic import Field, ValidationError

from agent.batches.log import BatchLog
from agent.edge.config import explain, read_toml
from agent.edge.evidence import Evidence, log_to_open
from agent.edge.publish import Publisher
from agent.evidence.settings import EvidenceConfig
from agent.history.file import History, read_history
from agent.history.ledger import Imported, Ledger, utc_now
from agent.history.windows import Block, CounterConfig, WindowWriter
from agent.mqtt import MqttConfig
from agent.toml_lines import line_numbers
from agent.wire.encode import BatchHead, batch_payload
from agent.wire.events import Happening
from drivers.cli import language
from drivers.config import NAME, Strict
from drivers.model import ConfigError

GATEWAY: Final = "import"
_BATCH_BYTES: Final = 256 << 10
_LOOK_S: Final = 0.05
_PERIODS_S: Final = range(1, 86401)


class ImportFile(Strict):
    """What ``import.toml`` may say."""

    plant: str = Field(pattern=NAME)
    data_dir: Path = Path("smelter-import")
    mqtt: MqttConfig
    counter: tuple[CounterConfig, ...] = ()


@dataclass(frozen=True, slots=True)
class Job:
    """One import that can be run: everything but the file itself was checked."""

    file: Path
    plant: str
    period_s: int
    data_dir: Path
    mqtt: MqttConfig
    counters: tuple[CounterConfig, ...]
    config: str  # first 16 hex digits of the SHA-256 of what was asked for


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is; ``stored`` and ``receipted`` are batches, ``batches`` None while unknown."""

    rows: int
    rows_done: int
    stored: int
    receipted: int
    batches: int | None


Show = Callable[[Progress], None]


def _say(zh: str, en: str) -> str:
    return zh if language() == "zh" else en


def job_of(
    file: Path,
    config: Path | None = None,
    mqtt: str = "",
    plant: str = "",
    period_s: int = 60,
    data_dir: Path | None = None,
) -> Job:
    """
    The job from config file and options; options win.

    Raises ConfigError with every mistake.
    """
    parsed: dict[str, object] = {}
    base, text = Path(), ""
    if config is not None:
        parsed, text = read_toml(config)
        base = config.parent
    if plant:
        parsed["plant"] = plant
    if mqtt:
        parsed["mqtt"] = {"url": mqtt}
    try:
        made = ImportFile.model_validate(parsed)
    except ValidationError as error:
        where = config or Path("smelter import")
        hint = _say(
            "请给出 --config import.toml，或 --mqtt 与 --plant",
            "give --config import.toml, or --mqtt and --plant",
        )
        problems = explain(where, error, line_numbers(text), ImportFile)
        raise ConfigError([*problems, hint]) from None
    broker = cast("MqttConfig", made.mqtt.below(base))
    problems = broker.problems()
    if period_s not in _PERIODS_S or 86400 % period_s:
        problems.append(
            _say(
                f"--period {period_s}：应为能整除一天的秒数，例如 60 或 3600",
                f"--period {period_s}: seconds that divide a day, e.g. 60 or 3600",
            )
        )
    if problems:
        raise ConfigError(problems)
    asked = f"{made!r} {period_s}".encode()
    return Job(
        file=file,
        plant=made.plant,
        period_s=period_s,
        data_dir=data_dir or base / made.data_dir,
        mqtt=broker,
        counters=made.counter,
        config=hashlib.sha256(asked).hexdigest()[:16],
    )


async def run_import(job: Job, show: Show = lambda _: None) -> tuple[Imported, History | None]:
    """
    Bring the file in; returns when the historian has receipted every batch of it.

    The History is None when an earlier run had stored it all already. Raises ConfigError when the
    file is wrong or was imported before; then nothing was sent.
    """
    sha256 = await asyncio.to_thread(_digest, job.file)
    ledger = Ledger(job.data_dir)
    known = ledger.find(sha256)
    _refuse_again(job, known, ledger.unfinished())
    history = None
    name = await log_to_open(job.data_dir, "record")
    async with BatchLog(job.data_dir, stream="record", log=name) as log:
        publisher = Publisher(job.mqtt, job.plant, GATEWAY, {"record": log}, beside=False)
        evidence = Evidence(job.data_dir, job.plant, GATEWAY, EvidenceConfig(), _warn)
        await evidence.open({"record": log})
        evidence.attach(publisher)
        async with asyncio.TaskGroup() as tasks:
            if known is None or known.batches is None:
                history = await asyncio.to_thread(read_history, job.file, job.period_s)
                entry = known or ledger.note(_entry(job, sha256, len(history), log))
            else:
                entry = known
            sending = tasks.create_task(publisher.run(), name="publisher")
            hearing = tasks.create_task(evidence.run(), name="evidence")
            if history is not None:
                count = await _store(job, entry, history, log, show)
                entry = ledger.note(replace(entry, batches=count))
            await _receipted(entry, log, show)
            await evidence.close()
            hearing.cancel()
            sending.cancel()
        await log.save_receipt()
        return ledger.finish(entry), history


def _warn(kind: Happening, text: str) -> None:
    logging.getLogger(__name__).warning("%s: %s", kind, text)


def _entry(job: Job, sha256: str, rows: int, log: BatchLog) -> Imported:
    return Imported(
        sha256=sha256,
        file=job.file.name,
        plant=job.plant,
        period_s=job.period_s,
        rows=rows,
        log=log.log_id,
        first=log.newest + 1,
        started=utc_now(),
    )


def _digest(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        what = _say("无法读取", "cannot read it")
        raise ConfigError([f"{file}: {what}: {error.strerror}"]) from None


def _refuse_again(job: Job, known: Imported | None, unfinished: Imported | None) -> None:
    if known is not None and known.done:
        span = f"{known.first}-{known.last}"
        raise ConfigError(
            [
                _say(
                    f"{job.file.name}：内容相同的文件（{known.file}）已于 {known.done} 导入，"
                    f"批次 {span}，日志 {known.log}；无需再次导入",
                    f"{job.file.name}: the same content ({known.file}) was imported {known.done} "
                    f"as batches {span} of log {known.log}; nothing is to be done",
                )
            ]
        )
    if known is not None and (known.plant, known.period_s) != (job.plant, job.period_s):
        raise ConfigError(
            [
                _say(
                    f"{job.file.name}：此文件的导入中断时为 --plant {known.plant} "
                    f"--period {known.period_s}，请用同样的选项继续",
                    f"{job.file.name}: it was broken off with --plant {known.plant} "
                    f"--period {known.period_s}; go on with the same",
                )
            ]
        )
    if unfinished is not None and unfinished != known:
        raise ConfigError(
            [
                _say(
                    f"上一个导入（{unfinished.file}）尚未完成，请先重新运行它",
                    f"the import of {unfinished.file} was broken off: run that again first",
                )
            ]
        )


async def _store(job: Job, entry: Imported, history: History, log: BatchLog, show: Show) -> int:
    """Append what is not in the log yet; returns how many batches the file has."""
    head = BatchHead(
        plant=job.plant,
        gateway=GATEWAY,
        stream="record",
        config=job.config,
        more=(("source", entry.file), ("source_sha256", entry.sha256)),
    )
    writer = WindowWriter(history, job.plant, GATEWAY, job.period_s, job.counters)
    groups = _groups(writer.blocks())
    there = log.newest - entry.first + 1  # from a run that was broken off
    count = rows = 0
    while group := await asyncio.to_thread(next, groups, None):
        count += 1
        rows += sum(block.rows for block in group)
        if count > there:
            parts = [block.text for block in group]
            closed_ns = time.time_ns()

            def make(
                seq: int, prev: str, parts: list[bytes] = parts, closed_ns: int = closed_ns
            ) -> tuple[bytes, int]:
                return batch_payload(
                    head, parts, log=log.log_id, seq=seq, prev=prev, closed_ns=closed_ns
                )

            await log.append(make, closed_ns=closed_ns)
        show(Progress(len(history), rows, count, max(0, log.receipted - entry.first + 1), None))
    return count


def _groups(blocks: Iterator[Block]) -> Iterator[list[Block]]:
    """Blocks of one batch each. The cut depends on the file only, so a later run cuts alike."""
    group: list[Block] = []
    size = 0
    for block in blocks:
        group.append(block)
        size += len(block.text)
        if size >= _BATCH_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


async def _receipted(entry: Imported, log: BatchLog, show: Show) -> None:
    count = entry.batches or 0
    while log.receipted < entry.last:
        arrived = max(0, log.receipted - entry.first + 1)
        show(Progress(entry.rows, entry.rows, count, arrived, count))
        await asyncio.sleep(_LOOK_S)  # receipts come by the network; there is no event to await
    show(Progress(entry.rows, entry.rows, count, count, count))


def import_history(
    file: Annotated[
        Path,
        typer.Argument(
            help=_say(
                "Parquet 或 CSV：time, equipment, quantity, value；可有 quality, raw",
                "Parquet or CSV: time, equipment, quantity, value; quality, raw may be there",
            )
        ),
    ],
    config: Annotated[Path | None, typer.Option(help="import.toml")] = None,
    mqtt: Annotated[str, typer.Option(help="mqtt://host:1883")] = "",
    plant: Annotated[str, typer.Option(help=_say("工厂名", "name of the plant"))] = "",
    period: Annotated[
        int, typer.Option(help=_say("每行代表的秒数", "seconds that a row stands for"))
    ] = 60,
    data_dir: Annotated[
        Path | None,
        typer.Option(
            help=_say("批次日志与导入记录的目录", "where batch log and list of imports are kept")
        ),
    ] = None,
) -> None:
    """Bring in recorded history, flagged as imported."""
    job = job_of(file, config, mqtt, plant, period, data_dir)
    bar = _Bar()
    try:
        entry, history = asyncio.run(run_import(job, bar.show))
    except* ConfigError as group:
        raise group.exceptions[0] from None
    finally:
        bar.close()
    print(_summary(entry, history))  # noqa: T201 - this is the program's answer


def _summary(entry: Imported, history: History | None) -> str:
    lines = [
        _say(
            f"{entry.file}：已导入 {entry.rows} 行，批次 {entry.first}–{entry.last}，"
            f"日志 {entry.log}，历史库已确认",
            f"{entry.file}: {entry.rows} rows imported as batches {entry.first}-{entry.last} of "
            f"log {entry.log}, receipted by the historian",
        )
    ]
    if history is not None and history.out_of_range:
        lines.append(
            _say(
                f"其中 {history.out_of_range} 行超出合理范围，不作为有效值",
                f"{history.out_of_range} of them are out of range and do not count as good",
            )
        )
    return "\n".join(lines)


class _Bar:
    """A line of progress on a terminal; silent in a pipe."""

    def __init__(self) -> None:
        self._on = sys.stderr.isatty()
        self._shown_at = 0.0

    def show(self, progress: Progress) -> None:
        now = time.monotonic()
        if not self._on or now - self._shown_at < 0.2:
            return
        self._shown_at = now
        share = progress.rows_done / max(1, progress.rows)
        total = "…" if progress.batches is None else str(progress.batches)
        text = _say(
            f"转换 {share:.0%}，历史库已确认 {progress.receipted}/{total} 批",
            f"converted {share:.0%}, receipted {progress.receipted}/{total} batches",
        )
        sys.stderr.write(f"\r\x1b[K{text}")
        sys.stderr.flush()

    def close(self) -> None:
        if self._on:
            sys.stderr.write("\r\x1b[K")
