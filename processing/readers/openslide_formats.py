"""Whatever else OpenSlide opens: Hamamatsu, MIRAX, Leica SCN, Ventana, Philips, Sakura, Trestle.

Tried on a genuine file: Hamamatsu NDPI only (one fluorescence slide). No genuine file was at hand
of MIRAX (.mrxs), Leica SCN, Ventana BIF, Hamamatsu VMS/VMU, Philips TIFF, Sakura, Trestle, Zeiss
and Aperio's 33003 compression: they rest on OpenSlide's own tests.
Source: OpenSlide C API, `openslide_read_region` (its location is in level-0 pixels).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import openslide
from numpy.typing import NDArray
from openslide import OpenSlide, OpenSlideError
from PIL import ImageCms

from processing.jpeg import Pixels
from processing.readers.base import (
    MOST_ASSOCIATED,
    Probe,
    SlideReader,
    SourceLevel,
    number,
    plausible_mpp,
    plausible_power,
    plausible_size,
    plausible_text,
)
from processing.readers.tiff_file import real_pages
from processing.readers.tiff_levels import png
from storage.errors import Damaged, NotASlide, Unsupported
from storage.records.geometry import Region
from storage.records.slide import AssociatedImage, Mpp, MppOrigin, Notice, SlideMetadata

_OURS = frozenset({"aperio", "dicom", "generic-tiff"})
"""Formats with a reader of their own, which copies tiles where OpenSlide only gives pixels."""
_JPEG2000_YCBCR = 33003
_MAIN_FILES = frozenset({".mrxs", ".vms", ".vmu"})
"""Of formats that come as a folder: the file that OpenSlide is given."""
_ROLES = {"label": "label", "macro": "overview", "thumbnail": "thumbnail"}
_SCANNERS = ("tiff.Model", "hamamatsu.Product", "leica.device-model")
_WHITE = (255, 255, 255)


class OpenSlideReader(SlideReader):
    """Pixels through OpenSlide; nothing to copy."""

    name = "openslide"

    @classmethod
    def recognises(cls, probe: Probe) -> bool:
        """OpenSlide names a vendor that no other reader here serves."""
        return _main_file(probe) is not None

    def __init__(self, probe: Probe) -> None:
        path = _main_file(probe)
        if path is None:
            raise NotASlide("OpenSlide does not know this file")
        self._path = path
        if probe.tiff is not None:
            # OpenSlide makes a list of all strips at once, as many as the directory claims.
            for page in real_pages(probe.tiff):
                plausible_size(page.imagewidth, page.imagelength)
        try:
            self._slide = OpenSlide(path)
        except (OpenSlideError, OSError) as error:
            raise Damaged(f"OpenSlide cannot open the file ({type(error).__name__})") from error
        try:
            self._describe()
        except OpenSlideError as error:
            self._slide.close()
            raise Damaged("OpenSlide cannot read the file's metadata") from error
        except BaseException:
            self._slide.close()
            raise

    def _describe(self) -> None:
        slide = self._slide
        self._sources = _exact_levels(slide.level_downsamples)
        sizes = [slide.level_dimensions[at] for at, _ in self._sources]
        self.levels = [SourceLevel(plausible_size(*size)) for size in sizes]
        self._background = _background(slide)
        self.metadata = _metadata(slide)
        self.icc_profile = _icc_profile(slide)

    def pixels(self, level: int, region: Region) -> Pixels:
        """RGB of a region of a level; what was not scanned has the slide's background colour."""
        out = np.full((region.height, region.width, 3), 255, np.uint8)
        inside = region.clipped(self.levels[level].size)
        if inside is None:
            return out
        source, downsample = self._sources[level]
        corner = inside.x * downsample, inside.y * downsample
        try:
            image = self._slide.read_region(corner, source, (inside.width, inside.height))
        except OpenSlideError as error:
            raise Damaged("OpenSlide cannot decode a region") from error
        rgba = np.asarray(image)
        y, x = inside.y - region.y, inside.x - region.x
        target = out[y : y + inside.height, x : x + inside.width]
        target[:] = _composited(rgba, self._background)
        return out

    def associated_images(self) -> tuple[AssociatedImage, ...]:
        """Label, overview (OpenSlide's macro) and thumbnail; damaged ones are left out."""
        found = list[AssociatedImage]()
        for theirs, ours in _ROLES.items():
            # OpenSlide refuses all work after an error: a damaged label gets its own handle, so
            # that the slide behind it can still be read.
            with suppress(OpenSlideError, OSError), OpenSlide(self._path) as slide:
                if _is_small(slide, theirs):
                    rgba = np.asarray(slide.associated_images[theirs])
                    found.append(png(ours, _composited(rgba, _WHITE)))
        return tuple(found)

    def close(self) -> None:
        """Give OpenSlide's handle back."""
        self._slide.close()


def _main_file(probe: Probe) -> Path | None:
    """The file that OpenSlide opens, None where another reader serves it or nobody does."""
    if not probe.path.is_dir():
        return probe.path if _is_foreign(probe, probe.path) else None
    near = [file for file in probe.files if file.suffix.lower() in _MAIN_FILES]
    found = [file for file in near if _is_foreign(probe, file)]
    if len(found) > 1:
        raise Unsupported(f"{len(found)} slides in one folder")
    return found[0] if found else None


def _is_foreign(probe: Probe, path: Path) -> bool:
    try:
        vendor = OpenSlide.detect_format(path)
    except OpenSlideError:
        return False
    if vendor == "aperio" and probe.tiff is not None:
        return int(probe.tiff.pages.first.compression) == _JPEG2000_YCBCR
    return vendor is not None and vendor not in _OURS


def _exact_levels(downsamples: Sequence[float]) -> list[tuple[int, int]]:
    """Levels whose every pixel has a whole level-0 pixel as its corner, with their downsample.

    OpenSlide takes level-0 positions; where a level is 2.0005 times smaller, most of its pixels
    lie between two, and OpenSlide would blur. Such levels are better derived from level 0.
    """
    whole = [(at, round(downsample)) for at, downsample in enumerate(downsamples)]
    exact = [(at, ratio) for at, ratio in whole if ratio == downsamples[at]]
    if not exact:
        raise Damaged("OpenSlide finds no level")
    return exact


def _is_small(slide: OpenSlide, name: str) -> bool:
    """An associated image of that name exists, and can be unpacked without thought."""
    sides = (
        slide.properties.get(f"openslide.associated.{name}.{side}") for side in ("width", "height")
    )
    width, height = (int(side or 0) for side in sides)
    return 0 < width * height <= MOST_ASSOCIATED


def _composited(rgba: NDArray[np.uint8], background: tuple[int, int, int]) -> Pixels:
    """RGBA over a colour. OpenSlide's alpha is 255 where something was scanned, else mostly 0."""
    alpha = rgba[:, :, 3:]
    if alpha.min() == 255:
        return np.ascontiguousarray(rgba[:, :, :3])
    opaque = alpha.astype(np.uint16)
    mixed = rgba[:, :, :3] * opaque + np.array(background, np.uint16) * (255 - opaque)
    return ((mixed + 127) // 255).astype(np.uint8)


def _background(slide: OpenSlide) -> tuple[int, int, int]:
    """The colour the vendor shows where nothing was scanned; white when none is said."""
    words = slide.properties.get(openslide.PROPERTY_NAME_BACKGROUND_COLOR, "")
    with suppress(ValueError):
        red, green, blue = bytes.fromhex(words)
        return red, green, blue
    return _WHITE


def _metadata(slide: OpenSlide) -> SlideMetadata:
    words = slide.properties
    x, y = (
        plausible_mpp(number(words.get(name)))
        for name in (openslide.PROPERTY_NAME_MPP_X, openslide.PROPERTY_NAME_MPP_Y)
    )
    mpp = Mpp(x, y, MppOrigin.HEADER) if x and y else None
    return SlideMetadata(
        vendor=words.get(openslide.PROPERTY_NAME_VENDOR, "unknown"),
        mpp=mpp,
        objective_power=plausible_power(words.get(openslide.PROPERTY_NAME_OBJECTIVE_POWER)),
        scanner=next(filter(None, (plausible_text(words.get(name)) for name in _SCANNERS)), None),
        barcode=plausible_text(words.get(openslide.PROPERTY_NAME_BARCODE)),
        notices=() if mpp else (Notice.MPP_UNKNOWN,),
    )


def _icc_profile(slide: OpenSlide) -> bytes | None:
    """The embedded profile; None when there is none or it cannot be parsed."""
    with suppress(OpenSlideError, OSError, ImageCms.PyCMSError):
        profile = slide.color_profile
        return bytes(profile.tobytes()) if profile is not None else None
    return None
