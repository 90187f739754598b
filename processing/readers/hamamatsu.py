"""Hamamatsu NDPI: one JPEG a level, cut into tiles without decoding it.

Files whose JPEGs cannot be cut are left to OpenSlide. Tried on a genuine file: one fluorescence
slide; real tissue was tried in this layout, written by `processing.paint`.
Sources: openslide.org/formats/hamamatsu; tifffile's notes on NDPI.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace

import tifffile

from processing.jpeg import Pixels
from processing.readers.base import (
    Probe,
    SlideReader,
    number,
    plausible_power,
    plausible_text,
)
from processing.readers.hamamatsu_levels import HamamatsuLevel, open_level
from processing.readers.tiff_file import real_pages, resolution_mpp
from processing.readers.tiff_levels import associated_from
from storage.errors import Damaged, SlideError
from storage.records.geometry import Region, TileBlock
from storage.records.slide import AssociatedImage, MppOrigin, Notice, SlideMetadata
from storage.shards import Chunk

_MODEL, _ICC = 272, 34675
_LENS, _FOCAL_PLANE, _BARCODE = 65421, 65424, 65468
_MACRO = -1
"""In place of a lens: the directory holds a photograph of the glass."""


class HamamatsuReader(SlideReader):
    """NDPI files with restart intervals."""

    name = "hamamatsu"

    @classmethod
    def recognises(cls, probe: Probe) -> bool:
        """The largest level can be cut into tiles."""
        if probe.tiff is None or not probe.tiff.is_ndpi:
            return False
        descriptor = os.open(probe.files[0], os.O_RDONLY)
        try:
            return open_level(probe.tiff.pages.first, descriptor) is not None
        except SlideError:
            return False
        finally:
            os.close(descriptor)

    def __init__(self, probe: Probe) -> None:
        if probe.tiff is None:
            raise Damaged("not a TIFF file")
        self._tiff = probe.tiff
        self._descriptor = os.open(probe.files[0], os.O_RDONLY)
        try:
            self._levels = list(self._open_levels())
            if not self._levels:
                raise Damaged("an NDPI file without a level")
            self.levels = [at.level for at in self._levels]
            self.metadata = self._describe()
        except BaseException:
            os.close(self._descriptor)
            raise
        profile = self._tiff.pages.first.tags.get(_ICC)
        self.icc_profile = bytes(profile.value) if profile is not None else None

    def _open_levels(self) -> Iterator[HamamatsuLevel]:
        """The first directory and what is smaller than it, of the same lens and focal plane."""
        narrowest = None
        for page in real_pages(self._tiff):
            if _lens(page) <= 0 or _value(page, _FOCAL_PLANE) not in (None, 0):
                continue
            if narrowest is not None and page.imagewidth >= narrowest:
                continue
            level = open_level(page, self._descriptor)
            if level is not None:
                narrowest = page.imagewidth
                yield level

    def _describe(self) -> SlideMetadata:
        first = self._tiff.pages.first
        mpp = resolution_mpp(first)
        notices = [Notice.COLOUR_TAG_DISAGREES] * any(at.colour_disagrees for at in self._levels)
        notices += [Notice.MPP_UNKNOWN] * (mpp is None)
        return SlideMetadata(
            vendor=self.name,
            mpp=replace(mpp, origin=MppOrigin.HEADER) if mpp else None,
            objective_power=plausible_power(_lens(first)),
            scanner=plausible_text(_value(first, _MODEL)),
            barcode=plausible_text(_value(first, _BARCODE)),
            notices=tuple(notices),
        )

    def jpeg_tiles(self, level: int, block: TileBlock) -> list[Chunk | None]:
        """Stand-alone JPEG streams of a block."""
        return self._levels[level].jpeg_tiles(block)

    def pixels(self, level: int, region: Region) -> Pixels:
        """RGB of a region of a level, decoded from its tiles."""
        return self._levels[level].pixels(region)

    def associated_images(self) -> tuple[AssociatedImage, ...]:
        """The overview; the label is a part of it."""
        macros = (page for page in real_pages(self._tiff) if _lens(page) == _MACRO)
        images = (associated_from(page, "overview", self._descriptor) for page in macros)
        return tuple(image for image in images if image is not None)[:1]

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self._descriptor)


def _value(page: tifffile.TiffPage, code: int) -> object:
    tag = page.tags.get(code)
    return None if tag is None else tag.value


def _lens(page: tifffile.TiffPage) -> float:
    """Power of the lens a directory was made with, negative for what is no level."""
    return number(_value(page, _LENS)) or 0.0
