"""Fluorescence painted for the tests: cells in 12 or 16 bits, as OME-TIFF and as DICOM."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels.encoders.native import _encode_segment
from pydicom.sequence import Sequence as Items
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    RLELossless,
    generate_uid,
)

Planes = NDArray[np.uint16]
NAMES = ("DAPI", "FITC", "Cy5")
EMISSION = (461.0, 519.0, 670.0)
COLORS = ("0000FF", "00FF00", "FF0000")
_WSI = "1.2.840.10008.5.1.4.1.1.77.1.6"


def cells(size: tuple[int, int] = (1501, 1103), bits: int = 12, seed: int = 5) -> Planes:
    """[channel, row, column]: round cells on a dim, noisy ground, the brightest at full depth."""
    random, (width, height) = np.random.default_rng(seed), size
    ground = random.poisson(80, (len(NAMES), height, width)).astype(np.float64)
    y, x = np.mgrid[0:64, 0:64] - 32
    for plane in ground:
        for _ in range(width * height // 12_000):
            top, left = random.integers(0, height - 64), random.integers(0, width - 64)
            spread, light = random.uniform(6, 14), random.uniform(0.1, 1.0) * (1 << bits)
            plane[top : top + 64, left : left + 64] += light * np.exp(-(x**2 + y**2) / spread**2)
    return ground.clip(0, (1 << bits) - 1).astype(np.uint16)


def halved(planes: Planes) -> Planes:
    """The mean of four, halves rounded up, the last row and column twice where they are alone."""
    wide = np.pad(planes, ((0, 0), (0, planes.shape[1] % 2), (0, planes.shape[2] % 2)), "edge")
    rows = wide.astype(np.uint32)[:, 0::2] + wide[:, 1::2]
    return ((rows[:, :, 0::2] + rows[:, :, 1::2] + 2) // 4).astype(planes.dtype)


def write_ome_tiff(
    path: Path,
    planes: Planes,
    *,
    bits: int = 12,
    levels: int = 3,
    compression: str | None = "zlib",
    tile: int | None = 256,
) -> list[Planes]:
    """Pyramid in SubIFDs, one directory a channel; its levels as they were written."""
    written = [planes]
    for _ in range(levels - 1):
        written.append(halved(written[-1]))
    options = {
        "photometric": "minisblack",
        "compression": compression,
        "tile": (tile, tile) if tile else None,
    }
    metadata = {
        "axes": "CYX",
        "SignificantBits": bits,
        "PhysicalSizeX": 0.325,
        "PhysicalSizeY": 0.325,
        "Channel": {
            "Name": list(NAMES[: len(planes)]),
            "EmissionWavelength": list(EMISSION[: len(planes)]),
            "Color": [_rgba(color) for color in COLORS[: len(planes)]],
        },
    }
    with tifffile.TiffWriter(path, ome=True) as tiff:
        tiff.write(planes, subifds=levels - 1, metadata=metadata, **options)
        for smaller in written[1:]:
            tiff.write(smaller, subfiletype=1, **options)
    return written


def _rgba(color: str) -> int:
    value = int(color + "FF", 16)
    return value - 2**32 if value >= 2**31 else value


def write_dicom_level(
    path: Path,
    planes: NDArray[np.uint8] | Planes,
    paths: Sequence[int],
    *,
    series: str,
    syntax: UID = ExplicitVRLittleEndian,
    bits: int = 12,
    edge: int = 256,
) -> None:
    """One instance with the optical paths numbered in `paths`, TILED_FULL."""
    frames = [frame for at in paths for frame in _frames(planes[at], edge)]
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = _WSI
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = generate_uid()
    dataset.SeriesInstanceUID = series
    dataset.ImageType = ["DERIVED", "PRIMARY", "VOLUME", "NONE"]
    dataset.DimensionOrganizationType = "TILED_FULL"
    dataset.Rows = dataset.Columns = edge
    dataset.TotalPixelMatrixRows, dataset.TotalPixelMatrixColumns = planes.shape[1:]
    dataset.NumberOfFrames, dataset.NumberOfOpticalPaths = len(frames), len(paths)
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated = 8 * planes.itemsize
    dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = bits, bits - 1, 0
    dataset.OpticalPathSequence = Items([_path(at) for at in paths])
    if syntax == ExplicitVRLittleEndian:
        dataset.PixelData = b"".join(frame.tobytes() for frame in frames)
    else:
        dataset.PixelData = encapsulate([_coded(frame, syntax) for frame in frames])
    dataset["PixelData"].VR = "OW" if syntax == ExplicitVRLittleEndian else "OB"
    dataset.save_as(path, enforce_file_format=True)


def _path(number: int) -> Dataset:
    path = Dataset()
    path.OpticalPathIdentifier = f"{number + 1}"
    path.OpticalPathDescription = NAMES[number]
    path.IlluminationWaveLength = EMISSION[number] - 30
    return path


def _frames(plane: NDArray[np.uint8] | Planes, edge: int) -> list[NDArray[np.uint8] | Planes]:
    """Full squares, row by row, with rubbish beyond the image's right and bottom side."""
    height, width = plane.shape
    rows, columns = -(-height // edge), -(-width // edge)
    whole = np.ones((rows * edge, columns * edge), plane.dtype)
    whole[:height, :width] = plane
    return [
        np.ascontiguousarray(whole[y * edge : (y + 1) * edge, x * edge : (x + 1) * edge])
        for y in range(rows)
        for x in range(columns)
    ]


def _coded(frame: NDArray[np.uint8] | Planes, syntax: UID) -> bytes:
    """By other programs than those that read it in svartid: Pillow and pydicom."""
    if syntax == JPEG2000Lossless:
        stream = io.BytesIO()
        Image.fromarray(frame).save(stream, "JPEG2000", irreversible=False, no_jp2=True)
        return stream.getvalue()
    assert syntax == RLELossless
    raw, wide = frame.tobytes(), frame.itemsize
    segments = [bytes(_encode_segment(raw[at::wide], frame.shape[1])) for at in range(wide)][::-1]
    starts = [64 + sum(len(segment) for segment in segments[:at]) for at in range(wide)]
    header = struct.pack("<16I", wide, *starts, *([0] * (15 - wide)))
    return header + b"".join(segments)
