"""Pixel data as bytes: the element's head, offset table, items. Source: PS3.5 A.4, 7.1.2."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

ITEM, END = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0\x00\x00\x00\x00"
ITEM_HEAD = 8
_UNDEFINED = 0xFFFFFFFF
_MOST_BASIC = 2**32 - 2**24
"""Above this many bytes of items the 32-bit table does not reach: the extended one is written."""


def native_head(length: int, *, words: bool) -> bytes:
    """Head of an uncompressed pixel data element of `length` bytes (even, below 4 GiB)."""
    return b"\xe0\x7f\x10\x00" + (b"OW" if words else b"OB") + b"\0\0" + struct.pack("<I", length)


def encapsulated_head(lengths: NDArray[np.int64] | None) -> bytes:
    """Offset tables and head of an encapsulated element, up to the first frame's item.

    `lengths` are the frames' own, before padding; None leaves the table out.
    """
    if lengths is None:
        return _element() + ITEM + bytes(4)
    spans = padded(lengths) + ITEM_HEAD
    offsets = np.concatenate([[0], np.cumsum(spans)[:-1]])
    if int(spans.sum()) < _MOST_BASIC:
        return _element() + ITEM + struct.pack("<I", 4 * len(lengths)) + _packed(offsets, "<u4")
    tables = _extended(b"\x01\x00", offsets) + _extended(b"\x02\x00", lengths)
    return tables + _element() + ITEM + bytes(4)


def padded(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Lengths made even, as items have to be."""
    return lengths + (lengths & 1)


def item(frame: bytes) -> tuple[bytes, bytes, bytes]:
    """A frame as an item: head, bytes, padding."""
    odd = len(frame) & 1
    return ITEM + struct.pack("<I", len(frame) + odd), frame, b"\0" * odd


def _element() -> bytes:
    return b"\xe0\x7f\x10\x00OB\0\0" + struct.pack("<I", _UNDEFINED)


def _extended(element: bytes, values: NDArray[np.int64]) -> bytes:
    data = _packed(values, "<u8")
    return b"\xe0\x7f" + element + b"OV\0\0" + struct.pack("<I", len(data)) + data


def _packed(values: NDArray[np.int64] | Sequence[int], kind: str) -> bytes:
    return np.asarray(values).astype(kind).tobytes()
