"""A slide as annotations see it: the planes of its levels, made on the fly or received."""

from __future__ import annotations

from pydicom.dataset import Dataset

from processing.annotations.kinds import references
from processing.annotations.plane import Plane
from processing.dicom.opening import Opener
from storage.errors import Illegal, UnsupportedDicom
from storage.records.geometry import Size
from storage.records.imaging import WSI, SeriesEntry


def planes_of(opener: Opener, entry: SeriesEntry) -> list[Plane]:
    """The planes of a slide's levels, the finest first. Errors: NotFound, StoreDamaged."""
    headers = [at.header() for at in opener.instances(entry) if at.sop_class == WSI]
    levels = [at for at in headers if _is_level(at)]
    if not levels:
        raise UnsupportedDicom("the series has no level")
    levels.sort(key=lambda at: -int(at.TotalPixelMatrixColumns))
    finest = levels[0]
    size = Size(int(finest.TotalPixelMatrixColumns), int(finest.TotalPixelMatrixRows))
    return [Plane(at, size) for at in levels]


def plane_for(planes: list[Plane], dataset: Dataset) -> Plane:
    """Of the slide's planes the one that an object refers to.

    Errors: Illegal (`of_another_image`).
    """
    by_uid = {str(at.header.SOPInstanceUID): at for at in planes}
    frame = str(planes[0].header.get("FrameOfReferenceUID", "?"))
    for at in references(dataset):
        if at.sop_uid in by_uid:
            return by_uid[at.sop_uid]
    if str(dataset.get("FrameOfReferenceUID", "")) == frame:
        return planes[0]
    raise Illegal("of_another_image")


def _is_level(header: Dataset) -> bool:
    kind = list(header.get("ImageType", []))
    return "TotalPixelMatrixColumns" in header and (len(kind) < 3 or kind[2] == "VOLUME")
