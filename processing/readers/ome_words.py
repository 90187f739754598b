"""What OME-XML says about the first image of a file: pixel size, objective, channels.

Source: OME-TIFF specification 6.x, the OME schema 2016-06.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import dataclass

from processing.readers.base import number, plausible_mpp, plausible_power, plausible_text
from storage.errors import Damaged, Unsupported
from storage.records.channels import MOST_CHANNELS, Channel, Window, default_colors
from storage.records.slide import Mpp, MppOrigin

_MICROMETRES = {"µm": 1.0, "um": 1.0, "nm": 1e-3, "mm": 1e3, "cm": 1e4}
_NANOMETRES = {"nm": 1.0, "µm": 1e3, "um": 1e3, "Å": 0.1}
_LONGEST_WAVE_NM = 100_000
_MOST_XML = 20_000_000


@dataclass(frozen=True)
class OmeWords:
    """Of an image with one focal plane and one moment."""

    mpp: Mpp | None
    objective_power: float | None
    scanner: str | None
    channels: tuple[Channel, ...]
    """With windows of one grey level, since the depth is not known here; none of a colour image."""
    planes: tuple[int, ...]
    """The directory in the file's main chain that holds each channel."""
    significant_bits: int | None

    def channels_over(self, window: Window) -> tuple[Channel, ...]:
        """The channels, each shown with that window."""
        return tuple(
            Channel(at.name, at.color, window, at.emission_nm, at.excitation_nm)
            for at in self.channels
        )


def read_ome(description: str) -> OmeWords | None:
    """None where there is no OME-XML. Errors: Damaged, Unsupported (planes, several files)."""
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
    channels = _channels(pixels)
    bits = pixels.get("SignificantBits")
    return OmeWords(
        _mpp(pixels),
        plausible_power(objective.get("NominalMagnification")) if objective is not None else None,
        plausible_text(microscope.get("Model")) if microscope is not None else None,
        channels,
        _planes(pixels, len(channels)),
        int(bits) if bits is not None else None,
    )


def _mpp(pixels: ElementTree.Element) -> Mpp | None:
    sizes = []
    for axis in ("X", "Y"):
        value = number(pixels.get(f"PhysicalSize{axis}"))
        unit = _MICROMETRES.get(pixels.get(f"PhysicalSize{axis}Unit", "µm"))
        sizes.append(plausible_mpp(value * unit) if value and unit else None)
    if sizes[0] is None or sizes[1] is None:
        return None
    return Mpp(sizes[0], sizes[1], MppOrigin.HEADER)


def _channels(pixels: ElementTree.Element) -> tuple[Channel, ...]:
    """One for each plane; none where a channel has several samples, which is a colour image."""
    count, found = int(pixels.get("SizeC", "1")), pixels.findall("{*}Channel")
    if any(int(at.get("SamplesPerPixel", "1")) > 1 for at in found):
        return ()
    if not 1 <= count <= MOST_CHANNELS:
        raise Unsupported(f"an OME-TIFF with {count} channels")
    if found and len(found) != count:
        raise Damaged(f"{count} channels, {len(found)} of them described")
    colors = default_colors([_color(at) for at in found] or [None] * count)
    if not found:
        return tuple(Channel(f"{at + 1}", color, Window(0, 1)) for at, color in enumerate(colors))
    return tuple(
        Channel(
            plausible_text(at.get("Name")) or plausible_text(at.get("Fluor")) or f"{order + 1}",
            color,
            Window(0, 1),
            _wave(at, "EmissionWavelength"),
            _wave(at, "ExcitationWavelength"),
        )
        for order, (at, color) in enumerate(zip(found, colors, strict=True))
    )


def _color(channel: ElementTree.Element) -> str | None:
    """The schema's signed 32-bit RGBA, without its alpha."""
    said = channel.get("Color")
    return None if said is None else f"{(int(said) >> 8) & 0xFFFFFF:06X}"


def _wave(channel: ElementTree.Element, name: str) -> float | None:
    value, unit = number(channel.get(name)), _NANOMETRES.get(channel.get(f"{name}Unit", "nm"))
    wave = value * unit if value is not None and unit is not None else 0.0
    return wave if 0 < wave <= _LONGEST_WAVE_NM else None


def _planes(pixels: ElementTree.Element, count: int) -> tuple[int, ...]:
    """Directory of each channel: as TiffData says, else in order. Errors: Damaged, Unsupported."""
    if len({at.get("FileName") for at in pixels.findall("{*}TiffData/{*}UUID")}) > 1:
        raise Unsupported("an OME-TIFF in several files")
    told = dict(at for data in pixels.findall("{*}TiffData") for at in _told(data, count))
    planes = told or {channel: channel for channel in range(count)}
    if count and set(planes) != set(range(count)):
        raise Damaged("a channel is missing from the OME-XML's list of planes")
    return tuple(planes[channel] for channel in range(count))


def _told(data: ElementTree.Element, count: int) -> Iterator[tuple[int, int]]:
    """(channel, directory) of one TiffData."""
    first, directory = int(data.get("FirstC", "0")), int(data.get("IFD", "0"))
    alone = "1" if data.get("IFD") is not None else str(count)
    planes = min(int(data.get("PlaneCount", alone)), count)
    if first < 0 or directory < 0:
        raise Damaged("the OME-XML counts planes below zero")
    for at in range(planes):
        yield first + at, directory + at
