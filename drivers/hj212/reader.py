"""A stream of bytes → frames: keeps at most one packet in memory and finds its way after noise."""

from drivers.hj212.frame import Frame

LENGTH_MOST = 9999  # four digits; the standard allows 1024, some devices send more


class FrameReader:
    """
    Feed it what a socket gives; it returns the frames that are complete.

    After some seconds of silence (2 s are plenty) and at the end call ``finish``: a packet with a too
    large length, or without its CR LF, would otherwise wait for the next one.
    """

    def __init__(self, *, key: bytes | None = None) -> None:
        self.key = key  # SM4; may be set anew at any time
        self.noise = 0  # bytes that belonged to no frame

    @property
    def pending(self) -> int:
        """Bytes of a packet that is not complete yet."""
        raise NotImplementedError

    def feed(self, data: bytes) -> list[Frame]:
        """Take some bytes."""
        raise NotImplementedError

    def finish(self) -> list[Frame]:
        """Nothing more will come for now: what is pending is judged as it is."""
        raise NotImplementedError
