"""A DICOM file as an instance of a series: its header, what is said frame by frame, its role.

Sources: DICOM PS3.3 A.32.8 (WSI), C.8.12.4.1.1 (ImageType), C.8.12.8 (slide label).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.filereader import read_file_meta_info, read_partial
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian

from processing.dicom_frames import whole_number
from processing.readers.base import MOST_SEGMENTS
from processing.readers.dicom_per_frame import PER_FRAME, PIXELS, PerFrame, read_per_frame
from storage.errors import Damaged, TooLarge, UnsupportedCompression, UnsupportedDicom

WSI = "1.2.840.10008.5.1.4.1.1.77.1.6"
_MOST_DESCRIBED = 2_000_000
"""Frames that say one by one where they lie."""
_STUMBLES = (EOFError, OSError, AttributeError, NotImplementedError)


class Role(StrEnum):
    """What an instance shows; all but the volume by the names of associated images."""

    VOLUME = "volume"
    LABEL = "label"
    OVERVIEW = "overview"
    THUMBNAIL = "thumbnail"
    OTHER = "other"


_ROLES = {
    "VOLUME": Role.VOLUME,
    "LABEL": Role.LABEL,
    "OVERVIEW": Role.OVERVIEW,
    "LOCALIZER": Role.OVERVIEW,
    "THUMBNAIL": Role.THUMBNAIL,
}


@dataclass(frozen=True, slots=True)
class Instance:
    """A file's header, and where in the file its pixel data element begins."""

    path: Path
    header: Dataset
    pixels_at: int
    per_frame: PerFrame | None = None

    @property
    def syntax(self) -> UID:
        """Transfer syntax."""
        return UID(self.header.file_meta.TransferSyntaxUID)

    @property
    def frames(self) -> int:
        """Frames in this file. Errors: Damaged."""
        return whole_number(self.header, "NumberOfFrames", 1)

    @property
    def role(self) -> Role:
        """By ImageType; without it a picture of the label or the whole glass says so elsewhere."""
        words = self.image_type
        if len(words) > 2 and words[2]:
            return _ROLES.get(words[2], Role.OTHER)
        if "LabelText" in self.header or "BarcodeValue" in self.header:
            return Role.LABEL
        shows_label = self.header.get("SpecimenLabelInImage") == "YES"
        return Role.OVERVIEW if shows_label else Role.VOLUME

    @property
    def image_type(self) -> list[str]:
        """ImageType, value by value."""
        said = self.header.get("ImageType") or []
        return [said] if isinstance(said, str) else [str(word) for word in said]


def read_instance(path: Path) -> Instance:
    """All before the pixels.

    Errors: InvalidDicomError where it is no DICOM file, Damaged, UnsupportedCompression, TooLarge.
    """
    try:
        with path.open("rb") as file:
            meta = read_file_meta_info(path)
            if meta.get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian:
                # A deflated header is inflated whole, however large it comes out.
                raise UnsupportedCompression("a deflated DICOM file")
            header = read_partial(file, _at_frames_or_pixels)
            return _with_rest(path, header, file)
    except _STUMBLES as error:
        raise Damaged(f"a DICOM header cannot be read ({type(error).__name__})") from error


def read_series(files: tuple[Path, ...], most: int) -> list[Instance]:
    """Whole-slide instances among the files, all of one series. Errors: UnsupportedDicom."""
    if len(files) > most:
        raise UnsupportedDicom(f"{len(files)} files in one series")
    found = dict[str, Instance]()
    for path in files:
        try:
            instance = read_instance(path)
        except InvalidDicomError:
            continue  # a readme or DICOMDIR beside the images
        if instance.header.get("SOPClassUID") == WSI:
            # An instance that was copied twice is still one.
            found.setdefault(str(instance.header.get("SOPInstanceUID") or path), instance)
    if not found:
        raise UnsupportedDicom("not a whole-slide image (VL Whole Slide Microscopy)")
    if len({at.header.get("SeriesInstanceUID") for at in found.values()}) > 1:
        raise UnsupportedDicom("files of more than one series")
    return list(found.values())


def _at_frames_or_pixels(tag: int, kind: str | None, length: int) -> bool:
    return tag == PER_FRAME or tag in PIXELS


def _with_rest(path: Path, header: Dataset, file: BinaryIO) -> Instance:
    """The instance, its per-frame groups read where the header ended at them."""
    at = file.tell()
    if header.get("SOPClassUID") != WSI:
        return Instance(path, header, at)
    frames = whole_number(header, "NumberOfFrames", 1)
    if frames > MOST_SEGMENTS:
        raise TooLarge(f"{frames} frames in one file")
    rest = read_per_frame(file.fileno(), at, min(frames, _MOST_DESCRIBED))
    if rest is None:
        return Instance(path, header, at)
    if rest.extended_table is not None:
        header.ExtendedOffsetTable = rest.extended_table
    return Instance(path, header, rest.pixels_at, rest.per_frame)
