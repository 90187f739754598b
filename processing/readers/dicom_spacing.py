"""The size of a pixel, wherever a DICOM image says it.

Sources: DICOM PS3.3 C.7.6.16.2.1 (pixel measures), 10.7.1.3 (PixelSpacing: rows first), C.8.12.4
(imaged volume, in mm).
"""

from __future__ import annotations

from collections.abc import Sequence

from processing.readers.base import number, plausible_mpp
from processing.readers.dicom_arrangement import shared_group
from processing.readers.dicom_volume import Volume
from storage.records.slide import Mpp, MppOrigin


def mpp_of(levels: Sequence[Volume]) -> Mpp | None:
    """Of the first and largest level; by a smaller one where it says nothing itself."""
    base = levels[0].size
    for volume in levels:
        spacing = spacing_of(volume)
        if spacing is not None:
            x = plausible_mpp(spacing[0] * volume.size.width / base.width)
            y = plausible_mpp(spacing[1] * volume.size.height / base.height)
            return Mpp(x, y, MppOrigin.DICOM) if x and y else None
    return None


def spacing_of(volume: Volume) -> tuple[float, float] | None:
    """Micrometres per pixel (x, y), from the first place that says something plausible."""
    header = volume.header
    measures = shared_group(header, "PixelMeasuresSequence")
    told = volume.parts[0].per_frame
    places: tuple[Sequence[object] | None, ...] = (
        measures.get("PixelSpacing") if measures is not None else None,
        told.spacing if told is not None else None,
        header.get("PixelSpacing"),
        header.get("ImagerPixelSpacing"),
        _by_extent(volume),
    )
    for pair in places:
        found = _in_micrometres(pair)
        if found is not None:
            return found
    return None


def _in_micrometres(pair: Sequence[object] | None) -> tuple[float, float] | None:
    if pair is None or isinstance(pair, str) or len(pair) != 2:
        return None
    y, x = (plausible_mpp((number(value) or 0) * 1000) for value in pair)
    return (x, y) if x and y else None


def _by_extent(volume: Volume) -> tuple[float, float] | None:
    """(row distance, column distance) in mm, from what was imaged."""
    told = [number(volume.header.get(f"ImagedVolume{side}")) for side in ("Height", "Width")]
    if told[0] is None or told[1] is None:
        return None
    return told[0] / volume.size.height, told[1] / volume.size.width
