"""Parts of a split packet → the whole, with bounded memory and patience."""

from drivers.hj212.segment import Segment


class Joiner:
    """
    Give it every segment; parts come back as one segment when the last has arrived.

    ``now_s`` is any monotonic clock. At most ``most`` packets are pending; one that is not complete
    after ``patience_s`` is handed out by ``late``.
    """

    def __init__(self, *, patience_s: float = 60.0, most: int = 32) -> None:
        raise NotImplementedError

    def take(self, segment: Segment, now_s: float) -> Segment | None:
        """A segment that is whole: itself when it was not split, None while parts are missing."""
        raise NotImplementedError

    def late(self, now_s: float) -> list[tuple[Segment, tuple[int, ...]]]:
        """What waited too long: the joined parts there are, and the numbers of those missing."""
        raise NotImplementedError
