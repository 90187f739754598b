"""DICOM files that are no whole-slide images: kept as received objects, as if they had been sent.

A CT, a structured report, a segmentation that lies in the watch folder or is named to `svartid
ingest` is no slide and nothing wrong with it. Files without preamble or file meta information are
known by how they begin.
"""

from __future__ import annotations

from pathlib import Path

from flows.dicom_export import ours_of
from flows.originals import Bundle
from flows.regular_files import open_regular
from flows.services import Services
from processing.dicom.envelope import Unwrapping, identify
from processing.dicom.receiving import Outcome, receive
from storage.dicom_files import Incoming
from storage.dicom_objects import Objects
from storage.errors import SlideError
from storage.records.imaging import WSI

_DIRECTORY = "1.2.840.10008.1.3.10"
"""DICOMDIR: a list of the files beside it."""
_HEAD, _PIECE = 2**16, 2**20


def sop_class_of(file: Path) -> str:
    """What kind of object a file is by its first bytes; empty where it is none."""
    try:
        with file.open("rb") as reading:
            known = identify(reading.read(_HEAD))
    except OSError:
        return ""
    return known.sop_class if known else ""


def is_directory(file: Path) -> bool:
    """True for a DICOMDIR."""
    return sop_class_of(file) == _DIRECTORY


def are_objects(bundle: Bundle) -> bool:
    """True when all of it is DICOM and nothing of it is a whole-slide image."""
    return all(found not in ("", WSI, _DIRECTORY) for found in map(sop_class_of, bundle.files))


def keep(services: Services, file: Path, received_from: str) -> Outcome:
    """Keep a file as a received object; it stays where it is. Errors: Transient, SlideError."""
    incoming = Incoming(services.layout)
    try:
        unwrapping = Unwrapping(incoming)
        with open_regular(file) as reading:
            while piece := reading.read(_PIECE):
                unwrapping.write(piece)
        unwrapping.finish()
    except OSError as error:
        incoming.discard()
        raise SlideError(f"the file cannot be read: {error.strerror}") from error
    except BaseException:
        incoming.discard()
        raise
    return receive(incoming, Objects(services.database), received_from[:80], ours_of(services))
