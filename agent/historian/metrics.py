"""What the historian says about itself: /metrics and /healthz."""

import time

from agent.batches.log import Level
from agent.health import Metrics, count_metrics, process_metrics, uptime_metric
from agent.historian.process import Historian
from agent.influx.view import InfluxView
from agent.views import View


def exposition(historian: Historian, started_s: float) -> str:
    """Prometheus text; ``started_s`` by the monotonic clock."""
    metrics = Metrics()
    add = metrics.add
    add("broker_up", historian.receiver.online, "gauge", "1 while connected to the broker")
    count_metrics(metrics, "received", historian.receiver.counts)
    count_metrics(metrics, "witness", historian.witness.counts)
    count_metrics(metrics, "stamp", historian.stamps.counts)
    if historian.own is not None:
        historian.own.auditor.metrics(metrics)
        add("own_checkpoints_total", historian.own.signed, "counter", "heads of our own log")
    for sender, watch in historian.late.watches.items():
        whose = {"plant": sender.plant, "gateway": sender.gateway}
        text = "seconds that received batches have waited for a cosignature"
        add("cosignature_age_seconds", watch.age_s, "gauge", text, **whose)
    for source, log in historian.originals.logs.items():
        where = {
            "plant": source.plant,
            "gateway": source.gateway,
            "stream": source.stream,
            "log": source.log,
        }
        add("log_newest", log.newest, "gauge", "number of the newest batch", **where)
        add("log_level", log.level, "gauge", "0 ok, 1 warn, 2 shed, 3 full", **where)
        add("log_damaged_places", log.damaged_places, "gauge", "unreadable places found", **where)
        count_metrics(metrics, "log", log.counts, **where)
    for runner in historian.runners:
        name = runner.view.name
        add("view_behind", runner.behind(), "gauge", "batches a view lacks", view=name)
        count_metrics(metrics, "view", runner.counts, view=name)
    historian.peers.metrics(metrics)
    process_metrics(metrics)
    uptime_metric(metrics, started_s)
    return metrics.text()


def healthy(historian: Historian, stuck: str = "") -> tuple[bool, str]:
    """Not healthy only when data are not being made durable; a dead view is said, and harmless."""
    problems = [stuck] if stuck else []
    if not historian.receiver.online:
        problems.append("broker not connected")
    if any(log.level >= Level.FULL for log in historian.originals.logs.values()):
        problems.append("disk full: batches are not taken, gateways keep them")
    troubles = {
        runner.view.name: runner.failing or _trouble(runner.view) for runner in historian.runners
    }
    cosigns = [f"nothing is cosigned: {historian.witness.trouble}"]
    remarks = cosigns if historian.witness.trouble else []
    remarks += historian.late.remarks
    if historian.own is not None:
        remarks += [x for x in (historian.own.trouble, historian.own.auditor.trouble) if x]
    remarks += [f"view {name}: {trouble}" for name, trouble in troubles.items() if trouble]
    text = "; ".join([*problems, *remarks]) or "ok"
    return not problems, f"{text} ({time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())})"


def _trouble(view: View) -> str:
    """An InfluxDB view tries again by itself and says why it stands still."""
    return view.trouble if isinstance(view, InfluxView) else ""
