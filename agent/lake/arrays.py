"""
Arrow arrays straight from buffers.

``pa.array`` imports pandas wherever that is installed: 50 MB and half a second for nothing here.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

Array = Any  # the stubs of pyarrow demand a type parameter that its classes do not take


def numbers(values: Any, absent: Any = None) -> Array:
    """An array of numpy's type; null where ``absent`` is true."""
    values = np.ascontiguousarray(values)
    valid = None if absent is None else _bits(~absent)
    kind = pa.from_numpy_dtype(values.dtype)
    return pa.Array.from_buffers(kind, len(values), [valid, pa.py_buffer(values)])


def mask(true: Any) -> Array:
    """A boolean array."""
    return pa.Array.from_buffers(pa.bool_(), len(true), [None, _bits(true)])


def texts(words: Sequence[str | None]) -> Array:
    """A string array; None is null."""
    absent = np.fromiter((word is None for word in words), bool, len(words))
    raw = [(word or "").encode() for word in words]
    ends = np.zeros(len(raw) + 1, np.int32)
    np.cumsum([len(each) for each in raw], out=ends[1:])
    buffers = [_bits(~absent) if absent.any() else None, pa.py_buffer(ends)]
    return pa.Array.from_buffers(pa.string(), len(raw), [*buffers, pa.py_buffer(b"".join(raw))])


def dictionary(codes: Any, words: Sequence[str], absent: Any = None) -> Array:
    """A dictionary array of strings."""
    return pa.DictionaryArray.from_arrays(numbers(codes, absent), texts(words))


def plain(array: Array, kind: Any) -> Any:
    """The numbers of a fixed-width array without nulls, as numpy's ``kind``; not copied."""
    if not len(array):
        return np.empty(0, kind)
    return np.frombuffer(array.buffers()[1], kind)[array.offset : array.offset + len(array)]


def _bits(true: Any) -> Any:
    return pa.py_buffer(np.packbits(true, bitorder="little"))
