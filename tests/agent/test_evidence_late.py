"""A historian that takes batches and cosigns none: said at both ends, not borne in silence."""

import time
from pathlib import Path

import pytest

from agent.evidence.waiting import CosignatureWatch, Turn
from agent.health import Metrics
from agent.historian.late import LateCosignatures
from agent.wire.events import Happening
from tests import servers
from tests.agent.ends import broker_at, historian_end, until
from tests.agent.evidence_ends import Edge, edge_end, witness_end


async def receipted(edge: Edge, count: int) -> None:
    size = edge.logs["record"].newest + count
    await edge.add(count)
    await until(lambda: edge.logs["record"].receipted == size, "receipted")


async def test_a_stalled_cosignature_is_told_by_gateway_and_historian(
    tmp_path: Path, mosquitto: servers.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.edge.evidence.LOOK_S", 3600.0)  # looks of its own: one at the start
    zero_s = time.monotonic()
    broker = broker_at(mosquitto.port)
    told: list[tuple[str, str, str]] = []

    async def tell(plant: str, kind: Happening, text: str) -> None:
        told.append((plant, str(kind), text))

    async with edge_end(tmp_path / "g", broker) as edge:
        evidence = edge.evidence
        evidence.watch.late_s = 600.0
        async with witness_end(tmp_path / "h", broker):
            await receipted(edge, 2)
            await edge.until_cosigned(2)
            evidence.look(zero_s)
        async with historian_end(tmp_path / "h", broker) as (originals, _):  # it only receipts
            late = LateCosignatures(tmp_path / "h" / "checkpoints", originals, tell)
            for now_s in (0.0, 10.0, 300.0, 598.0):
                await receipted(edge, 1)
                evidence.look(zero_s + now_s)
                await late.look(now_s, "keys gone")
                assert (edge.told, told, evidence.remark) == ([], [], "")
            for now_s in (611.0, 640.0, 700.0):  # told once
                await receipted(edge, 1)
                evidence.look(zero_s + now_s)
                await late.look(now_s, "keys gone")
        metrics = Metrics()
        evidence.metrics(metrics)
        assert "smelter_cosignature_age_seconds 700" in metrics.text()
        [(kind, text)] = edge.told
        assert kind is Happening.EVIDENCE_STOPPED
        assert "已 10 分钟未会签" in text
        assert "look at the historian's /healthz" in text
        assert evidence.remark
        [(plant, kind_at_historian, said)] = told
        assert (plant, kind_at_historian) == ("demo", "evidence_stopped")
        assert "gw1：已 10 分钟没有可会签的检查点（keys gone）" in said
        assert "while its batches come" in said
        assert late.remarks == ["demo/gw1: nothing cosigned for 12 minutes"]

        async with witness_end(tmp_path / "h", broker) as witness:
            await receipted(edge, 1)
            await edge.until_cosigned(edge.logs["record"].newest)
            evidence.look(zero_s + 760.0)
            late = LateCosignatures(tmp_path / "h" / "checkpoints", witness._originals, tell)
            await late.look(760.0)
        assert [each[0] for each in edge.told] == [Happening.EVIDENCE_STOPPED] * 2
        assert "cosignatures come again" in edge.told[1][1]
        assert evidence.remark == ""
        assert late.remarks == []


def test_what_is_no_stall() -> None:
    """Nothing new to cosign; a link that is down; cosignatures that come late but come."""
    idle, cut, slow = (CosignatureWatch(600.0) for _ in range(3))
    for minute in range(120):
        now_s = 60.0 * minute
        assert idle.look({"record": (5, 5)}, now_s) is None
        assert cut.look({"record": (9, 5)}, now_s) is None, "no batches come: the link is down"
        assert slow.look({"record": (minute + 9, minute)}, now_s) is None
    assert (idle.age_s, cut.age_s, slow.age_s) == (0.0, 119 * 60.0, 0.0)


def test_one_stream_of_two_is_enough_and_a_gone_log_is_forgotten() -> None:
    watch = CosignatureWatch(600.0)
    turns = [watch.look({"record": (n, n), "raw": (n, 3)}, 60.0 * n) for n in range(4, 20)]
    assert turns.count(Turn.LATE) == 1
    assert turns.index(Turn.LATE) == 10
    assert watch.look({"record": (20, 20)}, 1300.0) is Turn.AGAIN
