"""One DICOM instance as a level: where its frames lie, frames as bytes, regions as pixels.

Source: DICOM PS3.5 A.4 (encapsulated pixel data), PS3.3 C.7.6.17.3 (TILED_FULL order).
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import (
    JPEG2000,
    UID,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
)

from processing import jpeg
from processing.jpeg import Pixels
from processing.readers.base import (
    SourceLevel,
    check_grid,
    is_copyable_edge,
    plausible_size,
)
from processing.readers.codestream import check_codestream
from processing.readers.segment_cache import SegmentCache
from processing.readers.tiff_levels import as_rgb
from storage.errors import Damaged, Truncated, UnsupportedCompression, UnsupportedDicom
from storage.proof import Places
from storage.records.geometry import Region, TileBlock
from storage.records.slide import JpegEncoding
from storage.shards import Chunk

_ITEM, _DELIMITER = 0xE000FFFE, 0xE0DDFFFE
_UNDEFINED = 0xFFFFFFFF
_PIXEL_DATA = b"\xe0\x7f\x10\x00"
_JPEG2000 = frozenset({JPEG2000, JPEG2000Lossless})
_RAW = frozenset({ExplicitVRLittleEndian, ImplicitVRLittleEndian})


@dataclass(frozen=True, slots=True)
class Instance:
    """A DICOM file's header, and where in the file its pixel data element begins."""

    path: Path
    dataset: Dataset
    pixels_at: int

    @property
    def role(self) -> str:
        """ImageType value 3: VOLUME, LABEL, OVERVIEW, THUMBNAIL; VOLUME when it is not said."""
        values = self.dataset.get("ImageType") or []
        return str(values[2]) if len(values) > 2 else "VOLUME"


class DicomLevel:
    """An instance whose frames are the tiles of one level, row by row."""

    def __init__(self, instance: Instance, *, part_of_pyramid: bool = True) -> None:
        dataset = instance.dataset
        _check_kind(dataset, part_of_pyramid)
        self._syntax = UID(dataset.file_meta.TransferSyntaxUID)
        self._tile_width, self._tile_height = int(dataset.Columns), int(dataset.Rows)
        size = plausible_size(
            int(dataset.get("TotalPixelMatrixColumns") or dataset.Columns),
            int(dataset.get("TotalPixelMatrixRows") or dataset.Rows),
        )
        self._columns, self._rows = check_grid(
            size, self._tile_width, self._tile_height, coded=self._syntax not in _RAW
        )
        self._tagged_rgb = dataset.get("PhotometricInterpretation") == "RGB"
        self._grey = int(dataset.get("SamplesPerPixel", 3)) == 1
        self.colour_disagrees = False
        self._head = b""
        frames = int(dataset.get("NumberOfFrames") or 1)
        if frames != self._columns * self._rows:
            raise UnsupportedDicom(f"{frames} frames where {self._columns * self._rows} are due")
        self._path = instance.path
        self._descriptor = os.open(self._path, os.O_RDONLY)
        try:
            self._offsets, self._counts = self._locate(instance.pixels_at, frames)
            square = is_copyable_edge(self._tile_width, self._tile_height)
            encoding = self._copyable() if self._syntax == JPEGBaseline8Bit and square else None
        except BaseException:
            os.close(self._descriptor)
            raise
        self.level = SourceLevel(size, self._tile_width if square else None, encoding)
        self._decoded = SegmentCache(self._decode)

    def _locate(self, pixels_at: int, frames: int) -> tuple[NDArray[np.int64], ...]:
        """Offsets and lengths of the frames in the file."""
        start, length = _pixel_data(self._descriptor, pixels_at)
        if self._syntax in _RAW:
            each = self._tile_width * self._tile_height * (1 if self._grey else 3)
            if start + each * frames > os.fstat(self._descriptor).st_size:
                raise Truncated("the file ends inside its pixel data")
            offsets = start + np.arange(frames, dtype=np.int64) * each
            return offsets, np.full(frames, each, np.int64)
        if length != _UNDEFINED:
            raise Damaged("compressed pixel data with a defined length")
        return _fragments(self._descriptor, start, frames)

    def _copyable(self) -> JpegEncoding | None:
        sample = self._frame(0)
        header = jpeg.read_header(sample)
        if (header.width, header.height) != (self._tile_width, self._tile_height):
            raise Damaged("the frames have another size than the header says")
        if not header.is_copyable:
            return None
        # PS3.5 8.2.1: RGB frames carry no colour transform; a stream that says otherwise wins.
        rgb = header.says_rgb if header.says_rgb is not None else self._tagged_rgb
        self.colour_disagrees = header.says_rgb is not None and header.says_rgb != self._tagged_rgb
        self._head = jpeg.splice_head(b"", True) if rgb and header.adobe_transform is None else b""
        return JpegEncoding(jpeg.estimate_quality(sample), header.subsampling)

    def places(self) -> Places | None:
        """Where the frames lie; None when they cannot be copied."""
        if self.level.jpeg is None:
            return None
        grid = self._rows, self._columns
        offsets, lengths = self._offsets.reshape(grid), self._counts.reshape(grid)
        return Places(str(self._path), self._head, offsets, lengths)

    def jpeg_tiles(self, block: TileBlock) -> list[Chunk | None]:
        """Frames of a block as stand-alone streams."""
        chunks = list[Chunk | None]()
        for column, row in block.places():
            frame = memoryview(self._frame(row * self._columns + column))
            size = jpeg.frame_size(frame, baseline=True)
            if size != (self._tile_width, self._tile_height):
                raise Damaged("a frame has another size than the header says")
            chunks.append((self._head, frame[2:]) if self._head else (frame,))
        return chunks

    def pixels(self, region: Region) -> Pixels:
        """RGB of a region; white outside."""
        out = np.full((region.height, region.width, 3), 255, np.uint8)
        inside = region.clipped(self.level.size)
        if inside is None:
            return out
        wide, high = self._tile_width, self._tile_height
        for row in range(inside.y // high, (inside.bottom - 1) // high + 1):
            for column in range(inside.x // wide, (inside.right - 1) // wide + 1):
                tile = self._decoded(row * self._columns + column)
                x0, y0 = max(column * wide, inside.x), max(row * high, inside.y)
                x1 = min((column + 1) * wide, inside.right)
                y1 = min((row + 1) * high, inside.bottom)
                part = tile[y0 - row * high : y1 - row * high, x0 - column * wide :]
                target = out[y0 - region.y : y1 - region.y, x0 - region.x : x1 - region.x]
                target[:] = part[:, : x1 - x0]
        return out

    def _decode(self, index: int) -> Pixels:
        data = self._frame(index)
        shape = (self._tile_height, self._tile_width, 1 if self._grey else 3)
        if self._syntax in _RAW:
            return as_rgb(np.frombuffer(data, np.uint8).reshape(shape))
        check_codestream(data, self._tile_width, self._tile_height)
        if self._syntax in _JPEG2000:
            try:
                pixels = as_rgb(imagecodecs.jpeg2k_decode(data))
            except (RuntimeError, ValueError) as error:
                raise Damaged("a JPEG 2000 frame cannot be decoded") from error
        else:
            pixels = jpeg.decode(self._head + data[2:] if self._head else data)
        if pixels.shape[:2] != shape[:2]:
            raise Damaged("a frame has another size than the header says")
        return pixels

    def _frame(self, index: int) -> bytes:
        count = int(self._counts[index])
        data = os.pread(self._descriptor, count, int(self._offsets[index]))
        if len(data) != count or not count:
            raise Truncated("the file ends inside a frame")
        return data

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self._descriptor)


def _check_kind(dataset: Dataset, part_of_pyramid: bool) -> None:
    syntax = UID(dataset.file_meta.TransferSyntaxUID)
    if syntax != JPEGBaseline8Bit and syntax not in _JPEG2000 | _RAW:
        raise UnsupportedCompression(f"DICOM transfer syntax {syntax.name}")
    if int(dataset.get("BitsAllocated", 8)) != 8:
        raise UnsupportedDicom(f"{dataset.BitsAllocated} bits a sample")
    if syntax in _RAW and not _is_plain(dataset):
        raise UnsupportedDicom("uncompressed pixels that are not interleaved RGB or grey")
    if not part_of_pyramid:
        return
    if "ConcatenationUID" in dataset:
        raise UnsupportedDicom("a concatenation of several parts")
    organisation = dataset.get("DimensionOrganizationType")
    if organisation != "TILED_FULL" and int(dataset.get("NumberOfFrames") or 1) > 1:
        raise UnsupportedDicom(f"tiles organised as {organisation or 'unknown'}")
    if int(dataset.get("TotalPixelMatrixFocalPlanes") or 1) > 1:
        raise UnsupportedDicom("several focal planes")
    if int(dataset.get("NumberOfOpticalPaths") or 1) > 1 or dataset.get("SamplesPerPixel") != 3:
        raise UnsupportedDicom("fluorescence or single-channel optical paths")


def _is_plain(dataset: Dataset) -> bool:
    colours = dataset.get("PhotometricInterpretation"), dataset.get("SamplesPerPixel")
    interleaved = not dataset.get("PlanarConfiguration")
    return colours == ("MONOCHROME2", 1) or (colours == ("RGB", 3) and interleaved)


def _pixel_data(descriptor: int, position: int) -> tuple[int, int]:
    """Where the value of (7FE0,0010) starts in the file, and its length field."""
    header = os.pread(descriptor, 12, position)
    if len(header) < 12 or header[:4] != _PIXEL_DATA:
        raise Truncated("the file ends before its pixel data")
    if header[4:6] in (b"OB", b"OW"):
        return position + 12, int(struct.unpack("<I", header[8:12])[0])
    return position + 8, int(struct.unpack("<I", header[4:8])[0])


def _fragments(
    descriptor: int, start: int, frames: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """One fragment a frame: offset and length of each, after the offset table item."""
    size = os.fstat(descriptor).st_size
    position, found = start, list[tuple[int, int]]()
    while position + 8 <= size and len(found) <= frames:
        tag, length = struct.unpack("<II", os.pread(descriptor, 8, position))
        if tag == _DELIMITER:
            break
        if tag != _ITEM:
            raise Damaged("the pixel data's items are out of step")
        if position + 8 + length > size:
            raise Truncated("the file ends inside a frame")
        found.append((position + 8, length))
        position += 8 + length
    if len(found) - 1 < frames:
        raise Truncated(f"{max(len(found) - 1, 0)} of {frames} frames are in the file")
    if len(found) - 1 > frames:
        raise UnsupportedDicom("frames in several fragments")
    table = np.asarray(found[1:], np.int64)
    return table[:, 0], table[:, 1]
