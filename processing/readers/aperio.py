"""Aperio SVS (Leica): tiles as JPEG in YCbCr or RGB, or JPEG 2000; label, macro, thumbnail.

Source: Aperio "Digital Slides and Third-Party Data Interchange" (MAN-0069); OpenSlide's notes.
"""

from __future__ import annotations

import tifffile

from processing.readers.base import (
    Probe,
    number,
    plausible_mpp,
    plausible_power,
    plausible_text,
)
from processing.readers.tiff_file import TiffFileReader, pyramid_of, real_pages
from processing.readers.tiff_levels import associated_from
from storage.errors import Damaged
from storage.records.slide import AssociatedImage, Mpp, MppOrigin, Notice, SlideMetadata

_JPEG2000_YCBCR = 33003
_LABEL, _MACRO = 1, 9
"""NewSubfileType; the GT450 names its label and macro by it alone."""


class AperioReader(TiffFileReader):
    """SVS files."""

    name = "aperio"

    @classmethod
    def recognises(cls, probe: Probe) -> bool:
        """The first description begins with Aperio; 33003 tiles are left to OpenSlide."""
        if probe.tiff is None:
            return False
        page = probe.tiff.pages.first
        begins = str(page.description).startswith("Aperio")
        return bool(begins and page.is_tiled and int(page.compression) != _JPEG2000_YCBCR)

    def __init__(self, probe: Probe) -> None:
        super().__init__(probe)
        words = _words(str(self.tiff.pages.first.description))
        mpp = plausible_mpp(number(words.get("MPP")))
        self.metadata = SlideMetadata(
            vendor=self.name,
            mpp=Mpp(mpp, mpp, MppOrigin.HEADER) if mpp else None,
            objective_power=plausible_power(words.get("AppMag")),
            scanner=plausible_text(words.get("ScanScope ID")),
            barcode=plausible_text(words.get("Barcode")),
            notices=self.notices() + (() if mpp else (Notice.MPP_UNKNOWN,)),
        )

    def level_pages(self) -> list[tifffile.TiffPage]:
        """Tiled pages that are the first one smaller."""
        pages = real_pages(self.tiff)
        if not pages[0].is_tiled:
            raise Damaged("the first directory of an SVS is not tiled")
        return pyramid_of(pages[0], (page for page in pages[1:] if _role(page) is None))

    def associated_images(self) -> tuple[AssociatedImage, ...]:
        """Label, overview (Aperio's macro) and thumbnail."""
        pages = real_pages(self.tiff)
        roles = {_role(page): page for page in pages[1:] if _role(page)}
        if len(pages) > 1 and not pages[1].is_tiled:
            roles.setdefault("thumbnail", pages[1])
        images = (associated_from(page, str(name), self.descriptor) for name, page in roles.items())
        return tuple(image for image in images if image is not None)


def _role(page: tifffile.TiffPage) -> str | None:
    """label, overview, or None for levels and thumbnails."""
    lines = str(page.description).splitlines()
    second = lines[1] if len(lines) > 1 else ""
    if second.startswith("label ") or (int(page.subfiletype) == _LABEL and not page.is_tiled):
        return "label"
    if second.startswith("macro ") or int(page.subfiletype) == _MACRO:
        return "overview"
    return None


def _words(description: str) -> dict[str, str]:
    """`key = value` pairs between the bars of an Aperio description."""
    pairs = (part.partition("=") for part in description.split("|")[1:])
    return {key.strip(): value.strip() for key, _, value in pairs}
