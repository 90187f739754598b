"""What the readers of the TIFF family share: an open file with levels on some of its pages."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

import tifffile

from processing.jpeg import Pixels
from processing.readers.base import Probe, SlideReader, SourceLevel, plausible_mpp
from processing.readers.tiff_levels import TiffLevel
from storage.errors import Damaged
from storage.proof import Places
from storage.records.geometry import Region, TileBlock
from storage.records.slide import Mpp, MppOrigin, Notice
from storage.shards import Chunk

_MICROMETRES = {2: 25_400.0, 3: 10_000.0}
_ICC_TAG = 34675


class TiffFileReader(SlideReader):
    """Base of the TIFF readers: they choose the pages and translate the vendor's words."""

    def __init__(self, probe: Probe) -> None:
        if probe.tiff is None:
            raise Damaged("not a TIFF file")
        self.tiff = probe.tiff
        self._file = probe.files[0]
        self.descriptor = os.open(self._file, os.O_RDONLY)
        self._tiff_levels = list[TiffLevel]()
        self.levels: Sequence[SourceLevel] = []
        try:
            self.open_levels()
        except BaseException:
            os.close(self.descriptor)
            raise
        profile = self.tiff.pages.first.tags.get(_ICC_TAG)
        if profile is not None and self.channels is None:
            self.icc_profile = bytes(profile.value)

    def open_levels(self) -> None:
        """Fill `levels`."""
        self._tiff_levels = [TiffLevel(page, self.descriptor) for page in self.level_pages()]
        self.levels = [at.level for at in self._tiff_levels]

    def level_pages(self) -> list[tifffile.TiffPage]:
        """Pages that are levels, largest first."""
        raise NotImplementedError

    def notices(self) -> tuple[Notice, ...]:
        """What the levels found worth saying."""
        said = any(at.colour_disagrees for at in self._tiff_levels)
        return (Notice.COLOUR_TAG_DISAGREES,) if said else ()

    def jpeg_tiles(self, level: int, block: TileBlock) -> list[Chunk | None]:
        """Stand-alone JPEG streams of a block."""
        return self._tiff_levels[level].jpeg_tiles(block)

    def tile_places(self, level: int) -> Places | None:
        """Where the JPEG tiles of a level lie."""
        return self._tiff_levels[level].places(self._file)

    def pixels(self, level: int, region: Region) -> Pixels:
        """RGB of a region of a level."""
        return self._tiff_levels[level].pixels(region)

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self.descriptor)


def real_pages(tiff: tifffile.TiffFile) -> list[tifffile.TiffPage]:
    """Every page as a full TiffPage, at most as many as a slide ever has. Errors: Damaged."""
    if len(tiff.pages) > 1000:
        raise Damaged(f"{len(tiff.pages)} directories in one file")
    return [page for page in tiff.pages if isinstance(page, tifffile.TiffPage)]


def pyramid_of(
    base: tifffile.TiffPage, others: Iterable[tifffile.TiffPage]
) -> list[tifffile.TiffPage]:
    """`base` and every other page that is the same picture smaller, largest first."""
    found = [base]
    for page in sorted(others, key=lambda at: -int(at.imagewidth)):
        if page.imagewidth < 1 or page.imagelength < 1:
            continue
        across, down = base.imagewidth / page.imagewidth, base.imagelength / page.imagelength
        smaller = page.imagewidth < found[-1].imagewidth
        slack = 1.5 / min(page.imagewidth, page.imagelength)
        if smaller and page.is_tiled and abs(across / down - 1) <= slack + 0.01:
            found.append(page)
    return found


def resolution_mpp(page: tifffile.TiffPage) -> Mpp | None:
    """Pixel size from the resolution tags, None when they hold a screen's or nothing."""
    unit, across, down = (
        page.tags.get(name) for name in ("ResolutionUnit", "XResolution", "YResolution")
    )
    per_unit = _MICROMETRES.get(int(unit.value)) if unit is not None else None
    if per_unit is None or across is None or down is None:
        return None
    x, y = (_micrometres(per_unit, tag.value) for tag in (across, down))
    return Mpp(x, y, MppOrigin.TIFF_RESOLUTION) if x and y else None


def _micrometres(per_unit: float, rational: tuple[int, int]) -> float | None:
    """Pixel size from pixels per unit as a rational number."""
    numerator, denominator = rational
    return plausible_mpp(per_unit * denominator / numerator if numerator else None)
