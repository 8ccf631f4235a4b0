"""What ``/metrics`` of a gateway says."""

from collections.abc import Callable, Iterable

from agent.edge.desk import Desk
from agent.edge.outbox import Outbox
from agent.edge.publish import Publisher
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
    ahead_ns: int,
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
    late = sum(pipeline.minutes.late for pipeline in desk.pipelines.values())
    metrics.add("late_samples_total", late, "counter", "samples after their minute was closed")
    metrics.add("clock_ahead_seconds", ahead_ns / 1e9, "gauge", "gateway time minus system clock")
    metrics.add("broker_up", publisher.online, "gauge", "1 while connected")
    count_metrics(metrics, "publish", publisher.counts)
    count_metrics(metrics, "evidence", notary.counts)
    for stream, size in notary.cosigned_sizes().items():
        text = "batches under a checkpoint that the historian has cosigned"
        metrics.add("evidence_cosigned", size, "gauge", text, stream=stream)
    for add in more:
        add(metrics)
    return metrics.text()


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
