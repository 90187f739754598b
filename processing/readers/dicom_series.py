"""To which series a DICOM file belongs, by its header alone."""

from __future__ import annotations

from pathlib import Path

import pydicom
from pydicom.errors import InvalidDicomError

_SERIES_UID = 0x0020000E


def series_of(file: Path) -> str:
    """SeriesInstanceUID, or the file's own path when the header cannot be read."""
    try:
        header = pydicom.dcmread(file, specific_tags=[_SERIES_UID], stop_before_pixels=True)
        return str(header.get("SeriesInstanceUID") or file)
    except (InvalidDicomError, OSError, ValueError, AttributeError, NotImplementedError, EOFError):
        return str(file)
