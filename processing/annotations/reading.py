"""Annotations out of any DICOM object that holds such."""

from __future__ import annotations

import sqlite3
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Final

from pydicom.dataset import Dataset

from processing.annotations.ann_reading import read_ann
from processing.annotations.kinds import BULK, MASKS, REPORTS
from processing.annotations.plane import Plane
from processing.annotations.seg_reading import read_seg
from processing.annotations.sr_reading import read_sr
from storage.errors import Damaged, SlideError, UnsupportedDicom
from storage.records.annotation import Brought

READERS: Final[dict[str, Callable[[Dataset, Plane], Iterator[Brought]]]] = {
    BULK: read_ann,
    **dict.fromkeys(REPORTS, read_sr),
    **dict.fromkeys(MASKS, read_seg),
}
"""By SOP class."""
_STUMBLES: Final = (
    ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RuntimeError,
    AssertionError, EOFError, sqlite3.Error, struct.error, zlib.error,
)  # fmt: skip
"""What the libraries raise of an object; highdicom keeps its tables of frames in SQLite."""
_PARSERS: Final = frozenset({"pydicom", "highdicom"})
"""Libraries with exceptions of their own, all of them about the object."""


def read(dataset: Dataset, plane: Plane) -> Iterator[Brought]:
    """Every annotation of an object; `plane` is of the image it refers to, of any level.

    Errors: UnsupportedDicom for what is not understood, Damaged for what makes no sense.
    """
    try:  # pydicom reads an element when it is asked for, the very first one too
        reader = READERS.get(str(dataset.get("SOPClassUID", "")))
        if reader is None:
            raise UnsupportedDicom("no object that holds annotations")
        yield from reader(dataset, plane)
    except SlideError:
        raise
    except Exception as error:
        if isinstance(error, _STUMBLES) or type(error).__module__.partition(".")[0] in _PARSERS:
            raise Damaged(f"the object makes no sense ({type(error).__name__})") from error
        raise
