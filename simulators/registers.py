"""Register banks of simulated devices, and the simulator's own encoding of values into words."""

import numpy as np
import numpy.typing as npt

AREAS = ("holding", "input", "coil", "discrete")
WIDTHS = {
    "uint16": 1,
    "int16": 1,
    "uint32": 2,
    "int32": 2,
    "float32": 2,
    "uint64": 4,
    "int64": 4,
    "float64": 4,
    "bool": 0,
}
_DTYPES = {
    "uint16": ">u2",
    "int16": ">i2",
    "uint32": ">u4",
    "int32": ">i4",
    "float32": ">f4",
    "uint64": ">u8",
    "int64": ">i8",
    "float64": ">f8",
}

Bytes = npt.NDArray[np.uint8]


def byte_order(order: str, width_bytes: int) -> list[int]:
    """
    Where each transmitted byte comes from in the big-endian value, for ``ABCD`` and its kin.

    >>> byte_order("CDAB", 4)
    [2, 3, 0, 1]
    """
    words = [[2 * k, 2 * k + 1] for k in range(width_bytes // 2)]
    if order in {"CDAB", "DCBA"}:
        words.reverse()
    if order in {"BADC", "DCBA"}:
        words = [[low, high] for high, low in words]
    return [at for word in words for at in word]


def encode(values: npt.ArrayLike, kind: str, order: str = "ABCD") -> Bytes:
    """
    Values as rows of register bytes in transmission order, shape ``(n, 2 * registers)``.

    Integers are rounded and wrap around at their width as a device's counter does; a NaN in an
    integer type becomes the most negative number (signed) or all ones (unsigned).
    """
    array = np.atleast_1d(np.asarray(values, dtype=np.float64))
    dtype = np.dtype(_DTYPES[kind])
    raw = array.astype(dtype) if dtype.kind == "f" else _integers(array, dtype)
    return raw.view(np.uint8).reshape(len(array), dtype.itemsize)[
        :, byte_order(order, dtype.itemsize)
    ]


def _integers(array: npt.NDArray[np.float64], dtype: np.dtype[np.generic]) -> npt.NDArray[np.int64]:
    bits = dtype.itemsize * 8
    missing = np.isnan(array)
    whole = np.rint(np.where(missing, 0.0, array))
    if bits < 64:
        whole = np.mod(whole, 2.0**bits)
    unsigned = whole.astype(np.int64).astype(np.uint64)
    unsigned[missing] = 2 ** (bits - 1) if dtype.kind == "i" else 2**bits - 1
    return unsigned.astype(f">u{dtype.itemsize}").view(dtype)


class Bank:
    """
    The four register areas of one Modbus unit.

    Reading past an area's end, or touching one of its ``holes`` (``(area, address)``), is answered
    with exception 2 as a real device does.
    """

    def __init__(
        self,
        *,
        holding: int = 0,
        input: int = 0,  # noqa: A002 - the area's name in every manual
        coil: int = 0,
        discrete: int = 0,
        holes: frozenset[tuple[str, int]] = frozenset(),
        identity: tuple[str, str, str] = ("Simulated", "SIM-1", "1.0"),
    ) -> None:
        self.size = {"holding": holding, "input": input, "coil": coil, "discrete": discrete}
        self.holes = holes
        self.identity = identity  # vendor, product code, revision: function 43/14
        self.torn = False  # serve second words of the tick before: a device without snapshots
        self._now = {area: self._blank(area) for area in AREAS}
        self._before = {area: self._blank(area) for area in AREAS}

    def _blank(self, area: str) -> Bytes:
        each = 2 if area in {"holding", "input"} else 1
        return np.zeros(self.size[area] * each, dtype=np.uint8)

    def put(self, area: str, address: int, data: bytes | Bytes) -> None:
        """Bytes in transmission order from ``address`` on (bits: one byte each)."""
        at = address * 2 if area in {"holding", "input"} else address
        self._now[area][at : at + len(data)] = np.frombuffer(bytes(data), dtype=np.uint8)

    def put_column(self, area: str, address: int, stride: int, rows: Bytes) -> None:
        """Row ``k`` (see ``encode``) at ``address + k * stride``; one write for all pots."""
        width = rows.shape[1]
        if area in {"holding", "input"}:
            address, stride = address * 2, stride * 2
        end = address + stride * (len(rows) - 1) + width
        if end > len(self._now[area]):
            raise ValueError(f"{area}:{address} does not fit the bank of {self.size[area]}")
        view = np.lib.stride_tricks.as_strided(
            self._now[area][address:], shape=(len(rows), width), strides=(max(stride, width), 1)
        )
        view[:] = rows

    def put_value(
        self, area: str, address: int, value: float, kind: str, order: str = "ABCD"
    ) -> None:
        """One value; ``kind`` bool goes to coils and discretes."""
        if kind == "bool":
            self._now[area][address] = 1 if value else 0
        else:
            self.put(area, address, encode(value, kind, order)[0].tobytes())

    def tick(self) -> None:
        """Call before a new set of values is put: keeps the old words for the torn fault."""
        for area in AREAS:
            self._before[area][:] = self._now[area]

    def allows(self, area: str, address: int, count: int) -> bool:
        """True when all of it may be read."""
        end = address + count
        if end > self.size[area]:
            return False
        return not self.holes or not any((area, at) in self.holes for at in range(address, end))

    def registers(self, area: str, address: int, count: int) -> bytes:
        """Register bytes as they go into a reply."""
        now = self._now[area][address * 2 : (address + count) * 2]
        if not self.torn:
            return now.tobytes()
        mixed = now.copy().reshape(-1, 2)
        before = self._before[area][address * 2 : (address + count) * 2].reshape(-1, 2)
        odd = (address + np.arange(count)) % 2 == 1
        mixed[odd] = before[odd]
        return mixed.tobytes()

    def bits(self, area: str, address: int, count: int) -> bytes:
        """Bits packed least significant first, as they go into a reply."""
        part = self._now[area][address : address + count]
        return np.packbits(part != 0, bitorder="little").tobytes()
