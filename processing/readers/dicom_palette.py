"""PALETTE COLOR: each sample is the number of a colour in tables of the file's own.

Source: DICOM PS3.3 C.7.6.3.1.5 and C.7.6.3.1.6 (palette descriptor and data).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from processing.jpeg import Pixels
from storage.errors import Damaged, UnsupportedDicom


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
    """The tables of a header. Errors: UnsupportedDicom, Damaged."""
    if "SegmentedRedPaletteColorLookupTableData" in header:
        raise UnsupportedDicom("a palette in segments")
    tables, first = [], 0
    for name in ("Red", "Green", "Blue"):
        about = header.get(f"{name}PaletteColorLookupTableDescriptor")
        data = header.get(f"{name}PaletteColorLookupTableData")
        if about is None or len(about) != 3 or not isinstance(data, bytes):
            raise Damaged("a palette that is not there")
        entries, first, bits = (int(value) for value in about)
        entries = entries % 65536 or 65536
        wide = len(data) >= 2 * entries
        if len(data) < entries or bits not in (8, 16):
            raise Damaged(f"a palette of {entries} colours of {bits} bits")
        table = np.frombuffer(data, "<u2" if wide else np.uint8, count=entries)
        tables.append(table >> 8 if wide and bits == 16 else table)
    if len({len(table) for table in tables}) != 1:
        raise Damaged("a palette whose tables differ in length")
    return Palette(first, np.stack(tables, axis=1).clip(0, 255).astype(np.uint8))
