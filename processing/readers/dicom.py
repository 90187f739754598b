"""DICOM VL Whole Slide Microscopy: levels in one or several files, TILED_FULL.

Sources: DICOM PS3.3 A.32.8 and C.8.12.4 (WSI), PS3.5 A.4 (encapsulated frames).
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.filereader import read_file_meta_info
from pydicom.uid import DeflatedExplicitVRLittleEndian

from processing.jpeg import Pixels
from processing.plane_codec import Plane
from processing.readers.base import (
    MOST_ASSOCIATED,
    Probe,
    SlideReader,
    number,
    plausible_mpp,
    plausible_power,
    plausible_text,
)
from processing.readers.dicom_instance import Instance
from processing.readers.dicom_levels import DicomLevel
from processing.readers.dicom_planes import DicomPlanes, is_grey
from processing.readers.tiff_levels import png
from storage.errors import (
    Damaged,
    SlideError,
    TooLarge,
    UnsupportedCompression,
    UnsupportedDicom,
)
from storage.proof import Places
from storage.records.geometry import Region, TileBlock
from storage.records.slide import AssociatedImage, Mpp, MppOrigin, Notice, SlideMetadata
from storage.shards import Chunk

_WSI = "1.2.840.10008.5.1.4.1.1.77.1.6"
_MOST_FILES = 500
_HEADER_STUMBLES = (EOFError, OSError, AttributeError, NotImplementedError)
_ROLES = {"LABEL": "label", "OVERVIEW": "overview", "LOCALIZER": "overview"}


class DicomReader(SlideReader):
    """A whole-slide series."""

    name = "dicom"

    @classmethod
    def recognises(cls, probe: Probe) -> bool:
        """The first file of the delivery is DICOM part 10."""
        return probe.is_dicom

    def __init__(self, probe: Probe) -> None:
        instances = _read_series(probe.files)
        volumes = [at for at in instances if at.role == "VOLUME"]
        self._others = [at for at in instances if at.role in _ROLES]
        if not volumes:
            raise UnsupportedDicom("the series has no whole-slide volume image")
        volumes.sort(key=lambda at: -int(at.dataset.get("TotalPixelMatrixColumns") or 0))
        self._levels = list[DicomLevel]()
        self._planes = DicomPlanes(volumes) if all(is_grey(at) for at in volumes) else None
        if self._planes is None:
            self._open_in_colour(volumes)
        else:
            self.levels, self.channels = self._planes.levels, self._planes.channels
        self.metadata = _metadata(volumes[0].dataset, self._notices())

    def _open_in_colour(self, volumes: list[Instance]) -> None:
        if len({at.dataset.get("TotalPixelMatrixColumns") for at in volumes}) != len(volumes):
            raise UnsupportedDicom("several images of the same size (planes, paths, parts)")
        self._levels = [DicomLevel(at) for at in volumes]
        self.levels = [at.level for at in self._levels]
        if self._planes is None:  # a channel's colour is chosen, no scanner measured it
            self.icc_profile = _icc_profile(volumes[0].dataset)

    def _notices(self) -> tuple[Notice, ...]:
        said = any(at.colour_disagrees for at in self._levels)
        return (Notice.COLOUR_TAG_DISAGREES,) if said else ()

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
        """Label and overview instances of the series."""
        images = {}
        for instance in self._others:
            with suppress(SlideError):
                name = _ROLES[instance.role]
                images[name] = png(name, _whole(instance))
        return tuple(images.values())

    def close(self) -> None:
        """Give descriptors back."""
        for level in self._levels:
            level.close()
        if self._planes is not None:
            self._planes.close()


def _whole(instance: Instance) -> Pixels:
    """All pixels of a small instance. Errors: SlideError."""
    level = DicomLevel(instance, part_of_pyramid=False)
    try:
        size = level.level.size
        if size.area > MOST_ASSOCIATED:
            raise TooLarge(f"a label or overview of {size.width}x{size.height} pixels")
        return level.pixels(Region(0, 0, size.width, size.height))
    finally:
        level.close()


def _read_series(files: tuple[Path, ...]) -> list[Instance]:
    """Whole-slide instances among the files, all of one series. Errors: UnsupportedDicom."""
    if len(files) > _MOST_FILES:
        raise UnsupportedDicom(f"{len(files)} files in one series")
    found = []
    for path in files:
        try:
            instance = _read_header(path)
        except InvalidDicomError:
            continue  # a readme or DICOMDIR beside the images
        if instance.dataset.get("SOPClassUID") == _WSI:
            found.append(instance)
    if not found:
        raise UnsupportedDicom("not a whole-slide image (VL Whole Slide Microscopy)")
    if len({at.dataset.get("SeriesInstanceUID") for at in found}) > 1:
        raise UnsupportedDicom("files of more than one series")
    return found


def _read_header(path: Path) -> Instance:
    """All before the pixels. Errors: InvalidDicomError, Damaged, UnsupportedCompression."""
    try:
        with path.open("rb") as file:
            meta = read_file_meta_info(path)
            if meta.get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian:
                # A deflated header is inflated whole, however large it comes out.
                raise UnsupportedCompression("a deflated DICOM file")
            dataset = pydicom.dcmread(file, stop_before_pixels=True)
            return Instance(path, dataset, file.tell())
    except _HEADER_STUMBLES as error:
        raise Damaged(f"a DICOM header cannot be read ({type(error).__name__})") from error


def _metadata(dataset: Dataset, notices: tuple[Notice, ...]) -> SlideMetadata:
    mpp = _mpp(dataset)
    words = [dataset.get(name) for name in ("Manufacturer", "ManufacturerModelName")]
    path = (dataset.get("OpticalPathSequence") or [None])[0]
    power = path.get("ObjectiveLensPower") if path is not None else None
    barcode = dataset.get("BarcodeValue") or dataset.get("ContainerIdentifier")
    return SlideMetadata(
        vendor="dicom",
        mpp=mpp,
        objective_power=plausible_power(power),
        scanner=plausible_text(" ".join(str(word) for word in words if word)),
        barcode=plausible_text(barcode),
        notices=notices + (() if mpp else (Notice.MPP_UNKNOWN,)),
    )


def _mpp(dataset: Dataset) -> Mpp | None:
    """PixelSpacing is (row distance, column distance) in mm (PS3.3 10.7.1.3): y before x."""
    groups = dataset.get("SharedFunctionalGroupsSequence") or []
    measures = groups[0].get("PixelMeasuresSequence") if groups else None
    spacing = measures[0].get("PixelSpacing") if measures else None
    if not spacing or len(spacing) != 2:
        return None
    y, x = (plausible_mpp((number(value) or 0) * 1000) for value in spacing)
    return Mpp(x, y, MppOrigin.DICOM) if x and y else None


def _icc_profile(dataset: Dataset) -> bytes | None:
    for path in dataset.get("OpticalPathSequence") or []:
        if path.get("ICCProfile"):
            return bytes(path.ICCProfile)
    return None
