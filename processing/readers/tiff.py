"""TIFF without a vendor: tiled pyramids, OME-TIFF, and plain strips.

Sources: TIFF 6.0; OME-TIFF specification 6.x (levels in SubIFDs, OME-XML in the description).
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass

import tifffile

from processing.readers.base import (
    Probe,
    number,
    plausible_mpp,
    plausible_power,
    plausible_text,
)
from processing.readers.tiff_file import TiffFileReader, pyramid_of, real_pages, resolution_mpp
from processing.readers.tiff_levels import associated_from
from storage.errors import Damaged, Unsupported
from storage.records.slide import AssociatedImage, Mpp, MppOrigin, Notice, SlideMetadata

_MICROMETRES = {"µm": 1.0, "um": 1.0, "nm": 1e-3, "mm": 1e3, "cm": 1e4}
_MOST_XML = 20_000_000


class TiffReader(TiffFileReader):
    """Any other TIFF whose pages are one picture at several sizes."""

    name = "tiff"

    @classmethod
    def recognises(cls, probe: Probe) -> bool:
        """Whatever is a TIFF and nobody else's."""
        return probe.tiff is not None

    def __init__(self, probe: Probe) -> None:
        super().__init__(probe)
        first = self.tiff.pages.first
        ome = _read_ome(str(first.description))
        mpp = (ome.mpp if ome else None) or resolution_mpp(first)
        self.metadata = SlideMetadata(
            vendor="ome-tiff" if ome else "generic-tiff",
            mpp=mpp,
            objective_power=ome.objective_power if ome else None,
            scanner=ome.scanner if ome else _scanner(first),
            notices=self.notices() + (() if mpp else (Notice.MPP_UNKNOWN,)),
        )

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


@dataclass(frozen=True)
class _Ome:
    mpp: Mpp | None
    objective_power: float | None
    scanner: str | None


def _read_ome(description: str) -> _Ome | None:
    """What OME-XML says about the first image; Unsupported when it has several planes."""
    if "openmicroscopy.org/Schemas/OME" not in description[:4000] or len(description) > _MOST_XML:
        return None
    if "<!DOCTYPE" in description or "<!ENTITY" in description:
        raise Damaged("the OME-XML declares entities")
    try:
        root = ElementTree.fromstring(description)  # noqa: S314 - no entities, checked above
    except ElementTree.ParseError as error:
        raise Damaged("the OME-XML cannot be parsed") from error
    pixels = root.find(".//{*}Image/{*}Pixels")
    if pixels is None:
        return None
    planes = int(pixels.get("SizeZ", "1")) * int(pixels.get("SizeT", "1"))
    if planes > 1:
        raise Unsupported(f"an OME-TIFF with {planes} planes")
    objective = root.find(".//{*}Objective")
    microscope = root.find(".//{*}Microscope")
    return _Ome(
        _ome_mpp(pixels),
        plausible_power(objective.get("NominalMagnification")) if objective is not None else None,
        plausible_text(microscope.get("Model")) if microscope is not None else None,
    )


def _ome_mpp(pixels: ElementTree.Element) -> Mpp | None:
    sizes = []
    for axis in ("X", "Y"):
        value = number(pixels.get(f"PhysicalSize{axis}"))
        unit = _MICROMETRES.get(pixels.get(f"PhysicalSize{axis}Unit", "µm"))
        sizes.append(plausible_mpp(value * unit) if value and unit else None)
    if sizes[0] is None or sizes[1] is None:
        return None
    return Mpp(sizes[0], sizes[1], MppOrigin.HEADER)


def _sub_pages(page: tifffile.TiffPage) -> list[tifffile.TiffPage]:
    if not page.subifds:
        return []
    return [sub for sub in page.pages or () if isinstance(sub, tifffile.TiffPage)]


def _scanner(page: tifffile.TiffPage) -> str | None:
    tag = page.tags.get("Model")
    return plausible_text(tag.value) if tag is not None else None
