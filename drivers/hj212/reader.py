"""A stream of bytes → frames: keeps at most one packet in memory and finds its way after noise."""

from drivers.hj212.cut import Nothing, find_cut
from drivers.hj212.frame import Frame, make_frame


class FrameReader:
    """
    Feed it what a socket gives; it returns the frames that are complete.

    After some seconds of silence (2 s are plenty) and at the end call ``finish``: a packet with too
    large a length, or without its CR LF, would otherwise wait for the next one. It keeps at most
    the bytes of one packet (10 kB) between two calls; feed it 8 kB at a time at
    most, so that even hostile bytes take less than 100 ms.
    """

    def __init__(self, *, key: bytes | None = None) -> None:
        self.key = key  # SM4; may be set anew at any time
        self.noise = 0  # bytes that belonged to no frame
        self._kept = bytearray()
        self._before = 0  # bytes of the stream before those kept

    @property
    def pending(self) -> int:
        """Bytes of a packet that is not complete yet."""
        return len(self._kept)

    def feed(self, data: bytes) -> list[Frame]:
        """Take some bytes."""
        self._kept += data
        return self._take(final=False)

    def finish(self) -> list[Frame]:
        """Nothing more will come for now: what is pending is judged as it is."""
        return self._take(final=True)

    def _take(self, *, final: bool) -> list[Frame]:
        frames: list[Frame] = []
        data, at = self._kept, 0
        while True:
            cut, following = find_cut(data, at, key=self.key, final=final)
            if isinstance(cut, Nothing):
                self.noise += following - at
                break
            self.noise += cut.start - at
            frames.append(make_frame(data, cut, self._before, key_given=self.key is not None))
            at = following
        self._before += following
        del data[:following]
        return frames
