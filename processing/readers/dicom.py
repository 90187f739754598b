"""DICOM VL Whole Slide Microscopy: a series of images as the levels of one slide.

Source: DICOM PS3.3 A.32.8 and C.8.12.4 (whole-slide images).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress

from pydicom.dataset import Dataset

from processing.jpeg import Pixels
from processing.plane_codec import Plane
from processing.readers.base import (
    MOST_ASSOCIATED,
    Probe,
    SlideReader,
    plausible_power,
    plausible_text,
)
from processing.readers.dicom_arrangement import arranged, in_focus
from processing.readers.dicom_instance import Role, read_series
from processing.readers.dicom_levels import DicomLevel
from processing.readers.dicom_opened import Opened
from processing.readers.dicom_planes import DicomPlanes
from processing.readers.dicom_spacing import mpp_of
from processing.readers.dicom_stacks import stacks_of
from processing.readers.dicom_volume import Volume, volumes_of
from processing.readers.tiff_levels import png
from storage.errors import SlideError, TooLarge, UnsupportedDicom
from storage.proof import Places
from storage.records.geometry import Region, TileBlock
from storage.records.slide import AssociatedImage, Mpp, Notice, SlideMetadata
from storage.shards import Chunk

_MOST_FILES = 500
_ASSOCIATED = (Role.LABEL, Role.OVERVIEW, Role.THUMBNAIL)


class DicomReader(SlideReader):
    """A whole-slide series."""

    name = "dicom"

    @classmethod
    def recognises(cls, probe: Probe) -> bool:
        """The first file of the delivery is DICOM part 10."""
        return probe.is_dicom

    def __init__(self, probe: Probe) -> None:
        instances = read_series(probe.files, _MOST_FILES)
        chosen = [at for at in instances if at.role is Role.VOLUME]
        # Where no image says what it is, words about the label do not make all of them labels.
        volumes = volumes_of(chosen or [at for at in instances if not at.image_type])
        if not volumes:
            raise UnsupportedDicom("the series has no whole-slide volume image")
        self._others = [at for at in instances if chosen and at.role in _ASSOCIATED]
        grey = {at.header.get("SamplesPerPixel") == 1 and not _has_palette(at) for at in volumes}
        if len(grey) > 1:
            raise UnsupportedDicom("pictures in colour and single channels in one series")
        self._stacks = stacks_of(volumes)
        self._levels = list[DicomLevel]()
        self._planes: DicomPlanes | None = None
        self._closing = ExitStack()
        if grey.pop():
            self._planes = DicomPlanes(self._stacks)
            self._closing.callback(self._planes.close)
            self.levels, self.channels = self._planes.levels, self._planes.channels
        else:
            self._open_in_colour()
        first = next(iter(self._stacks.levels[0].held.values()))[0].volume
        mpp = mpp_of([next(iter(at.held.values()))[0].volume for at in self._stacks.levels])
        self.metadata = _metadata(first.header, mpp, tuple(self._notices(mpp)))

    def _open_in_colour(self) -> None:
        with ExitStack() as opening:
            path = next(iter(self._stacks.levels[0].held))
            for level in self._stacks.levels:
                held = level.nearest(path, self._stacks.z)
                opened = Opened(held.volume)
                opening.callback(opened.close)
                self._levels.append(DicomLevel(opened, held.tiles(self._stacks.z)))
                if not self.icc_profile:  # a channel's colour is chosen, no scanner measured it
                    self.icc_profile = _icc_profile(held.volume.header)
            self._closing = opening.pop_all()
        self.levels = [at.level for at in self._levels]

    def _notices(self, mpp: Mpp | None) -> Iterator[Notice]:
        base, stacks = self._levels[0] if self._levels else None, self._stacks
        if any(at.colour_disagrees for at in self._levels):
            yield Notice.COLOUR_TAG_DISAGREES
        if stacks.has_planes:
            yield Notice.FOCAL_PLANE_CHOSEN
        if base is not None and len(stacks.levels[0].held) > 1:
            yield Notice.OPTICAL_PATH_CHOSEN
        if base is not None and base.loses_depth:
            yield Notice.DEPTH_REDUCED
        if stacks.has_doubles:
            yield Notice.LEVEL_IGNORED
        # Of tiles that are copied, who copies them counts those that are not there.
        holes = self._planes.has_holes if self._planes else base and base.has_holes
        if holes and not (base and base.level.jpeg):
            yield Notice.MISSING_TILES
        if mpp is None:
            yield Notice.MPP_UNKNOWN

    def jpeg_tiles(self, level: int, block: TileBlock) -> list[Chunk | None]:
        """Frames of a block as they lie in the file."""
        return self._levels[level].jpeg_tiles(block)

    def tile_places(self, level: int) -> Places | None:
        """Where the frames of a level lie."""
        return self._levels[level].places()

    def pixels(self, level: int, region: Region) -> Pixels:
        """RGB of a region of a level."""
        return self._levels[level].pixels(region)

    def plane(self, level: int, channel: int, region: Region) -> Plane:
        """Samples of one optical path."""
        if self._planes is None:
            return super().plane(level, channel, region)
        return self._planes.plane(level, channel, region)

    def associated_images(self) -> tuple[AssociatedImage, ...]:
        """Label, overview and thumbnail of the series, of several the first that can be read."""
        images = dict[str, AssociatedImage]()
        for instance in self._others:
            if instance.role.value not in images:
                with suppress(SlideError):
                    (volume,) = volumes_of([instance])
                    images[instance.role.value] = png(instance.role.value, _whole(volume))
        return tuple(images.values())

    def close(self) -> None:
        """Give descriptors back."""
        self._closing.close()


def _whole(volume: Volume) -> Pixels:
    """All pixels of a small image. Errors: SlideError."""
    size, arrangement = volume.size, arranged(volume)
    if size.area > MOST_ASSOCIATED:
        raise TooLarge(f"a label or overview of {size.width}x{size.height} pixels")
    opened = Opened(volume)
    try:
        level = DicomLevel(opened, arrangement.tiles(0, in_focus(arrangement.planes)))
        return level.pixels(Region(0, 0, size.width, size.height))
    finally:
        opened.close()


def _has_palette(volume: Volume) -> bool:
    return bool(volume.header.get("PhotometricInterpretation") == "PALETTE COLOR")


def _metadata(header: Dataset, mpp: Mpp | None, notices: Sequence[Notice]) -> SlideMetadata:
    words = [header.get(name) for name in ("Manufacturer", "ManufacturerModelName")]
    path = (header.get("OpticalPathSequence") or [None])[0]
    power = path.get("ObjectiveLensPower") if path is not None else None
    barcode = header.get("BarcodeValue") or header.get("ContainerIdentifier")
    return SlideMetadata(
        vendor="dicom",
        mpp=mpp,
        objective_power=plausible_power(power),
        scanner=plausible_text(" ".join(str(word) for word in words if word)),
        barcode=plausible_text(barcode),
        notices=tuple(notices),
    )


def _icc_profile(header: Dataset) -> bytes | None:
    for about in (*(header.get("OpticalPathSequence") or []), header):
        if about.get("ICCProfile"):
            return bytes(about.ICCProfile)
    return None
