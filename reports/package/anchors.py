"""Where the historian's own log holds the heads of ledger, journal and lodgings."""

from collections.abc import Iterable

from reports.package.tiles import Heads, TreeError
from reports.package.verify import OWN, anchors
from reports.site import Site
from reports.trace.originals import Original, OriginalsError, read_batches

MOST_BYTES = 32 << 20  # of its log in a package


def anchoring(site: Site) -> dict[str, set[int]]:
    """
    By log (plant/gateway/stream/log), the batches from the first anchor to the cosigned head.

    All of them, so that a verifier sees that none was kept back; of a long log the newest. Nothing
    where the historian follows no trail of the site or has cosigned none of it yet.
    """
    root = site.originals
    if root is None:
        return {}
    found: dict[str, set[int]] = {}
    for folder in sorted(root.glob(f"*/{OWN}/record/*/")):
        log = folder.relative_to(root).as_posix()  # under ``_`` or the historian's first plant
        try:
            head = Heads(root).of(log)
            size = head.head.size if head is not None else 0
            seqs = _kept(read_batches(folder, range(1, size + 1)), site.plant)
        except (TreeError, OriginalsError):
            continue  # a verifier says that nothing anchors the chains
        if seqs:
            found[log] = seqs
    return found


def _kept(batches: Iterable[Original], plant: str) -> set[int]:
    sizes: dict[int, int] = {}
    for batch in batches:
        if sizes or anchors(batch.payload, plant):
            sizes[batch.seq] = len(batch.payload)
    kept: set[int] = set()
    spent = 0
    for seq in sorted(sizes, reverse=True):
        spent += sizes[seq]
        if spent > MOST_BYTES:
            break
        kept.add(seq)
    return kept
