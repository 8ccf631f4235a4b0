"""What ``/metrics`` of a gateway says."""

from collections.abc import Callable, Iterable

from agent.edge.clock_state import ClockState
from agent.edge.desk import Desk
from agent.edge.outbox import Outbox
from agent.edge.publish import Publisher
from agent.edge.timekeeper import Timekeeper
from agent.evidence.notary import Notary
from agent.health import (
    Metrics,
    all_devices,
    count_metrics,
    process_metrics,
    uptime_metric,
)


def exposition(
    desk: Desk,
    publisher: Publisher,
    notary: Notary,
    time: Timekeeper,
    started_s: float,
    more: Iterable[Callable[[Metrics], None]] = (),
) -> str:
    """Devices, streams, broker and process; ``started_s`` is of the monotonic clock."""
    metrics = Metrics()
    uptime_metric(metrics, started_s)
    process_metrics(metrics)
    all_devices(metrics, desk.tallies.items())
    for outbox in (desk.record, desk.raw):
        _stream(metrics, outbox)
    _losses(metrics, desk)
    late = sum(pipeline.minutes.late for pipeline in desk.pipelines.values())
    metrics.add("late_samples_total", late, "counter", "samples after their minute was closed")
    _clock(metrics, time)
    metrics.add("broker_up", publisher.online, "gauge", "1 while connected")
    count_metrics(metrics, "publish", publisher.counts)
    count_metrics(metrics, "evidence", notary.counts)
    for stream, size in notary.cosigned_sizes().items():
        text = "batches under a checkpoint that the historian has cosigned"
        metrics.add("evidence_cosigned", size, "gauge", text, stream=stream)
    for add in more:
        add(metrics)
    return metrics.text()


def _losses(metrics: Metrics, desk: Desk) -> None:
    """What is not kept, and how near that is."""
    text = "worst share of the room for batches that is taken by what must be kept"
    metrics.add("log_room_share", desk.fullness.room.share, "gauge", text)
    text = "1 while over 70 % of that room is taken, until under 60 %"
    metrics.add("log_filling", desk.fullness.room.on, "gauge", text)
    for (stream, device), (values, reads) in sorted(desk.fullness.untaken().items()):
        where = {"stream": stream, "device": device}
        text = "values that found no room before a full log"
        metrics.add("untaken_values_total", values, "counter", text, **where)
        text = "reads of which these were"
        metrics.add("untaken_reads_total", reads, "counter", text, **where)


def _clock(metrics: Metrics, time: Timekeeper) -> None:
    ahead_s, kernel = time.clock.ahead_ns / 1e9, time.health.kernel
    metrics.add("clock_ahead_seconds", ahead_s, "gauge", "gateway time minus system clock")
    for state in ClockState:
        text = "1 for the state that the gateway's clock is in"
        metrics.add("clock_state", state is time.health.state, "gauge", text, state=state)
    if kernel.synced and kernel.offset_ns is not None:
        text = "what is still to be slewed"
        metrics.add("clock_offset_seconds", kernel.offset_ns / 1e9, "gauge", text)
    if kernel.maxerror_ns is not None:
        text = "how wrong the system clock may be"
        metrics.add("clock_maxerror_seconds", kernel.maxerror_ns / 1e9, "gauge", text)


def _stream(metrics: Metrics, outbox: Outbox) -> None:
    log, stream = outbox.log, outbox.log.stream
    gauges = (
        ("batches_unreceipted", log.newest - log.receipted, "batches without a receipt"),
        ("batch_newest", log.newest, "number of the newest batch"),
        ("batch_oldest", log.oldest, "number of the oldest batch still here"),
        ("log_level", log.level, "how full: 0 ok, then warn, shed, full"),
        ("waiting_bytes", outbox.waiting_bytes, "lines not yet in the log"),
    )
    for name, value, text in gauges:
        metrics.add(name, value, "gauge", text, stream=stream)
    text = "lines that found no room"
    metrics.add("dropped_lines_total", outbox.dropped, "counter", text, stream=stream)
    count_metrics(metrics, "log", log.counts, stream=stream)
