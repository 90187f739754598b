"""To which series a DICOM file belongs, by its header alone."""

from __future__ import annotations

import struct
from pathlib import Path

from pydicom.errors import InvalidDicomError
from pydicom.filereader import read_file_meta_info, read_partial
from pydicom.uid import DeflatedExplicitVRLittleEndian

_SERIES_UID = 0x0020000E
_STUMBLES = (
    InvalidDicomError, OSError, ValueError, AttributeError, NotImplementedError, EOFError,
    TypeError, LookupError, RecursionError, struct.error,
)  # fmt: skip


def series_of(file: Path) -> str:
    """SeriesInstanceUID, or the file's own path when the header cannot be read.

    No further than that: what follows may describe every frame, and be as long as the pixels.
    """
    try:
        if read_file_meta_info(file).get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian:
            return str(file)  # it would be inflated whole
        with file.open("rb") as reading:
            header = read_partial(reading, _is_behind, specific_tags=[_SERIES_UID])
        return str(header.get("SeriesInstanceUID") or file)
    except _STUMBLES:
        return str(file)


def _is_behind(tag: int, kind: str | None, length: int) -> bool:
    return tag > _SERIES_UID
