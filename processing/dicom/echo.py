"""Objects made here that come back: a PACS that was sent a slide may send it on to us again."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pydicom
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from processing.dicom.instance import Instance
from processing.dicom.opening import Opener
from processing.dicom_frames import locate_frames
from storage.errors import NotFound, SlideError
from storage.records.imaging import SeriesEntry

_NATIVE = {ExplicitVRLittleEndian, ImplicitVRLittleEndian}


class Ours:
    """Tells instances that are made here, by their UIDs; `entry_of` asks the catalogue."""

    def __init__(self, opener: Opener, entry_of: Callable[[str], SeriesEntry | None]) -> None:
        self._opener, self._entry_of = opener, entry_of

    def instance(self, sop_uid: str) -> Instance | None:
        """The instance that is made here under that UID; None when none is."""
        entry = self._entry_of(sop_uid)
        if entry is None:
            return None
        try:
            return self._opener.instance(entry, sop_uid)
        except NotFound:
            return None


def has_same_frames(path: Path, pixels_at: int, ours: Instance) -> bool:
    """True when a file shows what our instance shows, frame by frame as they are coded.

    Headers may differ: the case may have learnt more since the slide was sent.
    """
    try:
        header = pydicom.dcmread(path, stop_before_pixels=True)
        if not _is_alike(str(header.file_meta.TransferSyntaxUID), ours.transfer_syntax):
            return False
        places = locate_frames(path, header, pixels_at)
    except SlideError:
        return False
    if len(places) != ours.frames:
        return False
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return all(
            _unpadded(places.read(descriptor, at), ours.frame(at)) for at in range(len(places))
        )
    finally:
        os.close(descriptor)


def _is_alike(theirs: str, ours: str) -> bool:
    """The same syntax, or both leave pixels as they are: headers may be written in another way."""
    return theirs == ours or {theirs, ours} <= _NATIVE


def _unpadded(theirs: bytes, ours: bytes) -> bool:
    """Equal, but for the byte that makes an item's length even."""
    return theirs == ours or (len(theirs) == len(ours) + 1 and theirs == ours + b"\0")
