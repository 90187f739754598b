"""TIFF without a vendor: tiled pyramids, OME-TIFF, and plain strips.

Sources: TIFF 6.0; OME-TIFF specification 6.x (levels in SubIFDs, OME-XML in the description).
"""

from __future__ import annotations

from collections.abc import Sequence

import tifffile

from processing.plane_codec import Plane
from processing.readers.base import Probe, plausible_text
from processing.readers.ome_words import read_ome
from processing.readers.tiff_file import TiffFileReader, pyramid_of, real_pages, resolution_mpp
from processing.readers.tiff_levels import associated_from
from processing.readers.tiff_planes import TiffPlanes, is_deep
from storage.errors import Damaged, Unsupported
from storage.records.channels import Channel, Channels, Window
from storage.records.geometry import Region
from storage.records.slide import AssociatedImage, Notice, SlideMetadata


class TiffReader(TiffFileReader):
    """Any other TIFF whose pages are one picture at several sizes."""

    name = "tiff"

    @classmethod
    def recognises(cls, probe: Probe) -> bool:
        """Whatever is a TIFF and nobody else's."""
        return probe.tiff is not None

    def __init__(self, probe: Probe) -> None:
        self._planes: TiffPlanes | None = None
        super().__init__(probe)
        first, ome = self.tiff.pages.first, self._ome
        mpp = (ome.mpp if ome else None) or resolution_mpp(first)
        self.metadata = SlideMetadata(
            vendor="ome-tiff" if ome else "generic-tiff",
            mpp=mpp,
            objective_power=ome.objective_power if ome else None,
            scanner=ome.scanner if ome else _scanner(first),
            notices=self.notices() + (() if mpp else (Notice.MPP_UNKNOWN,)),
        )

    def open_levels(self) -> None:
        """Channels where the file has such, else RGB."""
        first = self.tiff.pages.first
        self._ome = ome = read_ome(str(first.description))
        named = ome if ome and ome.channels and first.samplesperpixel == 1 else None
        if named is None and not is_deep(first):
            super().open_levels()
            return
        bits = ome.significant_bits if ome else None
        pages = self._channel_pages(named.planes if named else (0,))
        self._planes = TiffPlanes(pages, self.descriptor, bits)
        self.levels, depth = self._planes.levels, self._planes.depth
        full = Window(0, (1 << depth.bits) - 1)
        found = named.channels_over(full) if named else (Channel("1", "FFFFFF", full),)
        self.channels = Channels(depth.bits, depth.dtype, found)

    def _channel_pages(self, planes: Sequence[int]) -> list[list[tifffile.TiffPage]]:
        """For each channel its page and all smaller copies of it. Errors: Damaged."""
        pages = real_pages(self.tiff)
        if max(planes) >= len(pages):
            raise Damaged(f"a channel in directory {max(planes)} of {len(pages)}")
        others = pages[1:] if len(planes) == 1 else []
        if any(page.shape == pages[0].shape for page in others):
            # Channels, focal planes or moments: without OME-XML (or with it cut off) who knows.
            raise Unsupported("several grey pages of one size, and nothing says what they are")
        return [pyramid_of(pages[at], [*others, *_sub_pages(pages[at])]) for at in planes]

    def plane(self, level: int, channel: int, region: Region) -> Plane:
        """Samples of one channel."""
        if self._planes is None:
            return super().plane(level, channel, region)
        return self._planes.plane(level, channel, region)

    def level_pages(self) -> list[tifffile.TiffPage]:
        """The first page and all smaller copies of it, in the main chain or in SubIFDs."""
        pages = real_pages(self.tiff)
        return pyramid_of(pages[0], [*pages[1:], *_sub_pages(pages[0])])

    def associated_images(self) -> tuple[AssociatedImage, ...]:
        """Pages whose description is the name of one."""
        found = []
        for page in real_pages(self.tiff)[1:]:
            words = {"label": "label", "macro": "overview", "overview": "overview"}
            name = words.get(str(page.description).strip().lower()[:8])
            image = associated_from(page, name, self.descriptor) if name else None
            if image is not None:
                found.append(image)
        return tuple(found)


def _sub_pages(page: tifffile.TiffPage) -> list[tifffile.TiffPage]:
    if not page.subifds:
        return []
    return [sub for sub in page.pages or () if isinstance(sub, tifffile.TiffPage)]


def _scanner(page: tifffile.TiffPage) -> str | None:
    tag = page.tags.get("Model")
    return plausible_text(tag.value) if tag is not None else None
