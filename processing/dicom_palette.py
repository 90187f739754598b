"""PALETTE COLOR: each sample is the number of a colour in tables of the file's own.

Sources: DICOM PS3.3 C.7.6.3.1.5 and C.7.6.3.1.6 (palette descriptor and data), C.7.9.2 (segments).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian

from processing.jpeg import Pixels
from storage.errors import Damaged

_DISCRETE, _LINEAR, _INDIRECT = 0, 1, 2


@dataclass(frozen=True)
class Palette:
    """RGB by number: `first` is the sample that has the first colour."""

    first: int
    colours: Pixels
    """[entry, 3]"""

    def __call__(self, samples: NDArray[Any]) -> Pixels:
        """RGB of samples [row, column]; beyond the table's ends its end colours."""
        numbers = samples.astype(np.int64) - self.first
        found: Pixels = self.colours[numbers.clip(0, len(self.colours) - 1)]
        return found


def palette_of(header: Dataset) -> Palette:
    """The tables of a header. Errors: Damaged."""
    tables, first = [], 0
    meta = getattr(header, "file_meta", None) or Dataset()
    big = meta.get("TransferSyntaxUID") == ExplicitVRBigEndian
    for name in ("Red", "Green", "Blue"):
        about = header.get(f"{name}PaletteColorLookupTableDescriptor")
        plain = header.get(f"{name}PaletteColorLookupTableData")
        segments = header.get(f"Segmented{name}PaletteColorLookupTableData")
        data = segments or plain
        if about is None or len(about) != 3 or not isinstance(data, bytes):
            raise Damaged("a palette that is not there")
        entries, first, bits = (int(value) for value in about)
        entries = entries % 65536 or 65536
        data = _turned(data) if big else data
        if bits not in (8, 16):
            raise Damaged(f"a palette of {bits} bits")
        table = _joined(data, entries, bits) if segments else _table(data, entries, bits)
        tables.append(table)
    if len({len(table) for table in tables}) != 1:
        raise Damaged("a palette whose tables differ in length")
    return Palette(first, np.stack(tables, axis=1).clip(0, 255).astype(np.uint8))


def _turned(data: bytes) -> bytes:
    """The words of a big-endian file, which nobody has turned yet."""
    return np.frombuffer(data[: len(data) // 2 * 2], ">u2").astype("<u2").tobytes()


def _table(data: bytes, entries: int, bits: int) -> NDArray[Any]:
    wide = len(data) >= 2 * entries
    if len(data) < entries:
        raise Damaged(f"a palette that lacks some of its {entries} colours")
    table = np.frombuffer(data, "<u2" if wide else np.uint8, count=entries)
    return table >> 8 if wide and bits == 16 else table


def _joined(data: bytes, entries: int, bits: int) -> NDArray[Any]:
    """A table out of its segments."""
    if bits == 16:
        return _expanded(data, entries, 2) >> 8
    try:
        return _expanded(data, entries, 1)
    except Damaged:
        return _expanded(data, entries, 2)  # some write bytes as words


def _expanded(data: bytes, entries: int, size: int) -> NDArray[Any]:
    """Out of segments whose numbers take `size` bytes each.

    Ends soon: each segment adds a colour, and those that stand elsewhere refer no further.
    """
    values = np.frombuffer(data[: len(data) // size * size], f"<u{size}").tolist()
    found, at = list[int](), 0
    while len(found) < entries:
        if values[at : at + 1] != [_INDIRECT]:
            at = _segment(values, at, found)
            continue
        count, words = sum(values[at + 1 : at + 2]), values[at + 2 : at + 2 + 4 // size]
        there = int.from_bytes(np.asarray(words, f"<u{size}").tobytes(), "little") // size
        at += 2 + 4 // size
        for _ in range(count):
            there = _segment(values, there, found)
            if len(found) >= entries:
                break
    return np.asarray(found[:entries])


def _segment(values: list[int], at: int, found: list[int]) -> int:
    """Add one segment's colours; where the next one begins. Errors: Damaged."""
    kind, count = [*values[at : at + 2], -1, -1][:2]
    rest = values[at + 2 : at + 2 + (count if kind == _DISCRETE else 1)]
    if kind == _DISCRETE and count > 0 and len(rest) == count:
        found += rest
    elif kind == _LINEAR and count > 0 and found and rest:
        steps = np.linspace(found[-1], rest[0], count + 1)[1:]
        found += np.rint(steps).astype(int).tolist()
    else:
        raise Damaged("a palette whose segments are out of step")
    return at + 2 + len(rest)
