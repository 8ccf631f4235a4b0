"""Batches of our contract, written by hand: tests of the views do not use wire's encoders."""

from collections.abc import Sequence

from agent.batches.batch import Batch
from agent.views import Source, StoredBatch

RAW = Source("demo", "gw1", "raw", "3f9a3f9a3f9a3f9a")
RECORD = Source("demo", "gw1", "record", "77aa77aa77aa77aa")
T0_NS = 1_790_000_000_000_000_000  # 2026-09-21 13:33:20 UTC


def batch(source: Source, seq: int, lines: Sequence[str], closed_ns: int = T0_NS) -> StoredBatch:
    """A stored batch with the header line that the contract asks for."""
    head = (
        f"batch,plant={source.plant},gateway={source.gateway},stream={source.stream} "
        f'log="{source.log}",seq={seq}i,lines={len(lines) + 1}i,config="9c1e9c1e9c1e9c1e",'
        f'prev="{"0" * 64}" {closed_ns}'
    )
    payload = "".join(f"{line}\n" for line in (head, *lines)).encode()
    return StoredBatch(source, Batch.of(seq, closed_ns, len(lines) + 1, payload))


def pots(second: int, count: int = 4, offset: float = 0.0) -> list[str]:
    """One frame: two values of each pot, all different and recognisable."""
    ns = T0_NS + second * 1_000_000_000
    return [
        f"pot,plant=demo,line=line1,unit=pot{pot:03d} "
        f"voltage={4 + pot / 64 + second / 1024 + offset},noise_hf={pot} {ns}"
        for pot in range(count)
    ]


def raw(seq: int, count: int = 4) -> StoredBatch:
    return batch(RAW, seq, pots(seq, count), T0_NS + seq * 1_000_000_000)
