"""Which of the codings of DICOM a slide may have."""

from __future__ import annotations

from pydicom.dataset import Dataset

from processing.dicom_colour import BY_STREAM, CHROMA
from processing.dicom_frames import whole_number
from processing.dicom_samples import JPEG2000_KINDS, JPEG_DCT, UNPACKED, Coding
from processing.readers.dicom_volume import Volume
from storage.errors import Damaged, UnsupportedCompression, UnsupportedDicom

_GREY = frozenset({"MONOCHROME1", "MONOCHROME2", "PALETTE COLOR"})
_COLOURS = frozenset({"RGB"}) | CHROMA | BY_STREAM


def coding_of(volume: Volume) -> Coding:
    """Read and checked. Errors: UnsupportedCompression, UnsupportedDicom, Damaged, TooLarge."""
    if volume.syntax not in UNPACKED:
        raise UnsupportedCompression(f"DICOM transfer syntax {volume.syntax.name}")
    coding = Coding.of(volume.header, volume.syntax)
    _check_bits(volume.header, coding)
    known = _COLOURS if coding.samples == 3 else _GREY
    told = coding.samples == 3 and coding.syntax in JPEG_DCT | JPEG2000_KINDS
    if coding.samples not in (1, 3) or not (told or coding.photometric in known):
        raise UnsupportedDicom(f"{coding.samples} samples a pixel as {coding.photometric}")
    return coding


def _check_bits(header: Dataset, coding: Coding) -> None:
    """Refuse what is not read, and what contradicts itself."""
    allocated = coding.allocated
    if allocated not in (8, 16):
        raise UnsupportedDicom(f"{allocated} bits a sample")
    stored = whole_number(header, "BitsStored", allocated)
    high = whole_number(header, "HighBit", stored - 1)
    if not 1 <= stored <= allocated or high != stored - 1:
        raise Damaged(f"{stored} of {allocated} bits, the highest being {high}")
    if coding.signed:
        raise UnsupportedDicom("samples that are signed")
