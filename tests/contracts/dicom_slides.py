"""Whole-slide DICOM written from known pixels, in every organisation the standard has.

Pixels are native here; other programs (dcmtk, gdcm, pydicom) compress the files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence as Items
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, generate_uid

from tests.contracts.dicom_files import WSI

Image = NDArray[Any]
"""[path, plane, row, column] or, in colour, [path, plane, row, column, 3]."""
Place = tuple[int, int, int, int]
"""Path, plane, row and column of a tile's first pixel."""


@dataclass(frozen=True)
class Slide:
    """How an image is written."""

    tile: tuple[int, int] = (64, 64)
    """Width, height."""
    syntax: UID = ExplicitVRLittleEndian
    organisation: str | None = "TILED_FULL"
    places: Sequence[Place] | None = None
    """Of a sparse image: its frames in their order; None for all in the usual one."""
    photometric: str | None = None
    bits: int | None = None
    planar: int = 0
    kind: tuple[str, ...] = ("ORIGINAL", "PRIMARY", "VOLUME", "NONE")
    spacing: float | None = 0.0005
    """Millimetres."""
    heights: Sequence[float] | None = None
    """Of the focal planes, micrometres."""
    paths: Sequence[str] = ("DAPI", "FITC", "Cy5", "TRITC")
    identifiers: Sequence[str] = ("1", "2", "3", "4")
    origin: tuple[float, float] = (10.0, 20.0)
    series: UID = field(default_factory=generate_uid)
    recode: Callable[[NDArray[Any]], bytes] | None = None
    """Frame to bytes, where they are not simply its samples."""
    change: Callable[[Dataset], None] | None = None
    """Last of all, to the dataset."""


def picture(width: int, height: int, seed: int = 3) -> NDArray[np.uint8]:
    """[row, column, 3]: smooth enough for JPEG, no two places alike."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    random = np.random.default_rng(seed)
    waves = [
        np.sin(x / random.uniform(9, 40) + random.uniform(0, 6))
        + np.cos(y / random.uniform(9, 40) + random.uniform(0, 6))
        for _ in range(3)
    ]
    return ((np.stack(waves, -1) + 2) / 4 * 255).astype(np.uint8)


def stack(
    paths: int, planes: int, size: tuple[int, int], bits: int = 8, *, colour: bool = False
) -> Image:
    """[path, plane, row, column(, 3)], every path and plane another picture."""
    made = [[picture(*size, seed=7 * path + plane) for plane in range(planes)]
            for path in range(paths)]  # fmt: skip
    image = np.asarray(made)
    if colour:
        return image
    grey = image[..., 0].astype(np.uint16 if bits > 8 else np.uint8)
    return grey << (bits - 8) | grey >> (16 - bits) if bits > 8 else grey


def every_place(image: Image, tile: tuple[int, int]) -> list[Place]:
    """All tiles in the standard's order."""
    paths, planes, height, width = image.shape[:4]
    return [
        (path, plane, y, x)
        for path in range(paths)
        for plane in range(planes)
        for y in range(0, height, tile[1])
        for x in range(0, width, tile[0])
    ]


def write(file: Path, image: Image, slide: Slide) -> Path:
    """One instance; see `Slide`."""
    places = list(slide.places) if slide.places is not None else every_place(image, slide.tile)
    dataset = header(image, slide, len(places))
    if slide.organisation != "TILED_FULL" or slide.places is not None:
        dataset.PerFrameFunctionalGroupsSequence = Items(
            [_frame_groups(place, slide) for place in places]
        )
    _set_pixels(dataset, [_cut(image, place, slide.tile) for place in places], slide)
    if slide.change is not None:
        slide.change(dataset)
    save(dataset, file)
    return file


def save(dataset: Dataset, file: Path) -> None:
    """In the encoding of its transfer syntax."""
    syntax = dataset.file_meta.TransferSyntaxUID
    dataset.save_as(
        file,
        implicit_vr=syntax.is_implicit_VR,
        little_endian=syntax != ExplicitVRBigEndian,
        enforce_file_format=True,
        overwrite=True,
    )


def write_parts(
    folder: Path, image: Image, slide: Slide, counts: Sequence[int], *, numbers: bool = True
) -> list[Path]:
    """A concatenation: the frames of an image in several files, `counts` frames in each."""
    places = list(slide.places) if slide.places is not None else every_place(image, slide.tile)
    assert sum(counts) == len(places)
    uid, start, files = generate_uid(), 0, []

    def part(number: int, start: int, dataset: Dataset) -> None:
        dataset.ConcatenationUID = uid
        dataset.ConcatenationFrameOffsetNumber = start
        if numbers:
            dataset.InConcatenationNumber = number + 1
            dataset.InConcatenationTotalNumber = len(counts)

    for number, count in enumerate(counts):
        own = places[start : start + count]
        dataset = header(image, slide, count)
        if slide.organisation != "TILED_FULL":
            dataset.PerFrameFunctionalGroupsSequence = Items(
                [_frame_groups(at, slide) for at in own]
            )
        _set_pixels(dataset, [_cut(image, at, slide.tile) for at in own], slide)
        part(number, start, dataset)
        if slide.change is not None:
            slide.change(dataset)
        files.append(folder / f"part-{number}.dcm")
        save(dataset, files[-1])
        start += count
    return files


def write_pyramid(folder: Path, image: Image, slide: Slide, levels: int = 3) -> list[Image]:
    """A series of levels, each half as large, an instance each; the levels' pixels."""
    folder.mkdir(exist_ok=True)
    written = []
    for level in range(levels):
        smaller = np.ascontiguousarray(image[:, :, :: 1 << level, :: 1 << level])
        kind = slide.kind if not level else ("DERIVED", "PRIMARY", "VOLUME", "RESAMPLED")
        spacing = slide.spacing * (1 << level) if slide.spacing else None
        write(folder / f"level-{level}.dcm", smaller, replace(slide, kind=kind, spacing=spacing))
        written.append(smaller)
    return written


def header(image: Image, slide: Slide, frames: int) -> Dataset:
    """All but the pixels and the frames' own groups."""
    paths, planes, height, width = image.shape[:4]
    colour = image.ndim == 5
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = slide.syntax
    dataset.SOPClassUID, dataset.SOPInstanceUID = WSI, generate_uid()
    dataset.file_meta.MediaStorageSOPClassUID = WSI
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.ImageType = list(slide.kind)
    dataset.Modality, dataset.InstanceNumber = "SM", 1
    dataset.PatientName = dataset.PatientID = dataset.StudyID = ""
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "2.25.77", slide.series
    dataset.FrameOfReferenceUID, dataset.ContainerIdentifier = "2.25.78", "S26-1-A"
    bits = slide.bits or 8 * image.itemsize
    dataset.SamplesPerPixel = 3 if colour else 1
    dataset.PhotometricInterpretation = slide.photometric or ("RGB" if colour else "MONOCHROME2")
    if colour:
        dataset.PlanarConfiguration = slide.planar
    dataset.BitsAllocated, dataset.BitsStored = 8 * image.itemsize, bits
    dataset.HighBit, dataset.PixelRepresentation = bits - 1, 0
    dataset.Columns, dataset.Rows, dataset.NumberOfFrames = *slide.tile, frames
    dataset.TotalPixelMatrixColumns, dataset.TotalPixelMatrixRows = width, height
    dataset.TotalPixelMatrixFocalPlanes, dataset.NumberOfOpticalPaths = planes, paths
    if slide.organisation:
        dataset.DimensionOrganizationType = slide.organisation
    _place_on_glass(dataset, slide)
    dataset.OpticalPathSequence = Items(
        [_optical_path(*at) for at in zip(slide.identifiers[:paths], slide.paths, strict=False)]
    )
    return dataset


def _place_on_glass(dataset: Dataset, slide: Slide) -> None:
    origin, measures, shared = Dataset(), Dataset(), Dataset()
    origin.XOffsetInSlideCoordinateSystem, origin.YOffsetInSlideCoordinateSystem = slide.origin
    if slide.heights is not None and slide.organisation == "TILED_FULL":
        origin.ZOffsetInSlideCoordinateSystem = slide.heights[0]
        if len(slide.heights) > 1:
            measures.SpacingBetweenSlices = (slide.heights[1] - slide.heights[0]) / 1000
    dataset.TotalPixelMatrixOriginSequence = Items([origin])
    dataset.ImageOrientationSlide = [0, -1, 0, -1, 0, 0]
    dataset.ImagedVolumeWidth = dataset.ImagedVolumeHeight = dataset.ImagedVolumeDepth = 1.0
    if slide.spacing:
        measures.PixelSpacing = [slide.spacing, slide.spacing]
        measures.SliceThickness = 0.001
        shared.PixelMeasuresSequence = Items([measures])
    dataset.SharedFunctionalGroupsSequence = Items([shared])


def _optical_path(identifier: str, name: str) -> Dataset:
    path, light = Dataset(), Dataset()
    light.CodeValue, light.CodingSchemeDesignator, light.CodeMeaning = "414298005", "SCT", "Full"
    path.OpticalPathIdentifier, path.OpticalPathDescription = identifier, name
    path.IlluminationTypeCodeSequence = Items([light])
    return path


def _frame_groups(place: Place, slide: Slide) -> Dataset:
    path, plane, y, x = place
    groups, position, light, content = Dataset(), Dataset(), Dataset(), Dataset()
    heights = slide.heights or range(plane + 1)
    position.XOffsetInSlideCoordinateSystem, position.YOffsetInSlideCoordinateSystem = slide.origin
    position.ZOffsetInSlideCoordinateSystem = heights[plane]
    position.ColumnPositionInTotalImagePixelMatrix = x + 1
    position.RowPositionInTotalImagePixelMatrix = y + 1
    light.OpticalPathIdentifier = slide.identifiers[path]
    content.DimensionIndexValues = [1 + x // slide.tile[0], 1 + y // slide.tile[1], path + 1]
    groups.FrameContentSequence = Items([content])
    groups.PlanePositionSlideSequence = Items([position])
    groups.OpticalPathIdentificationSequence = Items([light])
    return groups


def _cut(image: Image, place: Place, tile: tuple[int, int]) -> NDArray[Any]:
    """A frame, with rubbish beyond the image's right and lower side."""
    path, plane, y, x = place
    part = image[path, plane, y : y + tile[1], x : x + tile[0]]
    frame = np.ones((tile[1], tile[0], *image.shape[4:]), image.dtype)
    frame[: part.shape[0], : part.shape[1]] = part
    return frame


def _set_pixels(dataset: Dataset, frames: Sequence[NDArray[Any]], slide: Slide) -> None:
    coded = [_native(frame, slide) for frame in frames]
    if slide.syntax.is_encapsulated:
        dataset.PixelData = encapsulate(coded)
    else:
        dataset.PixelData = b"".join(coded)
    if len(dataset.PixelData) % 2:
        dataset.PixelData += b"\0"
    words = dataset.BitsAllocated > 8 and not slide.syntax.is_encapsulated
    dataset["PixelData"].VR = "OW" if words else "OB"


def _native(frame: NDArray[Any], slide: Slide) -> bytes:
    if slide.recode is not None:
        return slide.recode(frame)
    planes = np.moveaxis(frame, -1, 0) if slide.planar and frame.ndim == 3 else frame
    big = slide.syntax == ExplicitVRBigEndian
    return planes.astype(planes.dtype.newbyteorder(">" if big else "<")).tobytes()


def shuffled(places: Sequence[Place], seed: int = 11) -> list[Place]:
    """The same places in any order."""
    order = np.random.default_rng(seed).permutation(len(places))
    return [places[at] for at in order]


def without(places: Sequence[Place], every: int) -> Iterator[Place]:
    """All places but every so many."""
    return (at for number, at in enumerate(places) if number % every)
