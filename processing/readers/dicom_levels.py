"""One DICOM instance as a level of a brightfield slide: frames as bytes, regions as pixels."""

from __future__ import annotations

import imagecodecs
import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import UID, JPEGBaseline8Bit

from processing import jpeg
from processing.jpeg import Pixels
from processing.readers.base import SourceLevel, is_copyable_edge
from processing.readers.codestream import check_codestream
from processing.readers.dicom_instance import (
    JPEG2000_KINDS,
    RAW,
    FrameFile,
    Instance,
    check_organisation,
)
from processing.readers.segment_cache import SegmentCache
from processing.readers.tiff_levels import as_rgb
from storage.errors import Damaged, UnsupportedCompression, UnsupportedDicom
from storage.proof import Places
from storage.records.geometry import Region, TileBlock
from storage.records.slide import JpegEncoding
from storage.shards import Chunk


class DicomLevel:
    """An instance whose frames are the tiles of one level, row by row."""

    def __init__(self, instance: Instance, *, part_of_pyramid: bool = True) -> None:
        dataset = instance.dataset
        _check_kind(dataset, part_of_pyramid)
        self._tagged_rgb = dataset.get("PhotometricInterpretation") == "RGB"
        self._grey = int(dataset.get("SamplesPerPixel", 3)) == 1
        self.colour_disagrees = False
        self._head = b""
        self._path = instance.path
        self._file = FrameFile(instance)
        size, tile = self._file.size, self._file.tile
        try:
            square = is_copyable_edge(tile.width, tile.height)
            baseline = self._file.syntax == JPEGBaseline8Bit
            encoding = self._copyable() if baseline and square else None
        except BaseException:
            self.close()
            raise
        self.level = SourceLevel(size, tile.width if square else None, encoding)
        self._decoded = SegmentCache(self._decode)

    def _copyable(self) -> JpegEncoding | None:
        sample = self._file.frame(0)
        header = jpeg.read_header(sample)
        if (header.width, header.height) != (self._file.tile.width, self._file.tile.height):
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
        places = self._file.places()
        if self.level.jpeg is None or places is None:
            return None
        return Places(str(self._path), self._head, *places)

    def jpeg_tiles(self, block: TileBlock) -> list[Chunk | None]:
        """Frames of a block as stand-alone streams."""
        chunks = list[Chunk | None]()
        for column, row in block.places():
            frame = memoryview(self._file.frame(row * self._file.columns + column))
            size = jpeg.frame_size(frame, baseline=True)
            if size != (self._file.tile.width, self._file.tile.height):
                raise Damaged("a frame has another size than the header says")
            chunks.append((self._head, frame[2:]) if self._head else (frame,))
        return chunks

    def pixels(self, region: Region) -> Pixels:
        """RGB of a region; white outside."""
        out = np.full((region.height, region.width, 3), 255, np.uint8)
        inside = region.clipped(self.level.size)
        if inside is None:
            return out
        wide, high = self._file.tile.width, self._file.tile.height
        for row in range(inside.y // high, (inside.bottom - 1) // high + 1):
            for column in range(inside.x // wide, (inside.right - 1) // wide + 1):
                tile = self._decoded(row * self._file.columns + column)
                x0, y0 = max(column * wide, inside.x), max(row * high, inside.y)
                x1 = min((column + 1) * wide, inside.right)
                y1 = min((row + 1) * high, inside.bottom)
                part = tile[y0 - row * high : y1 - row * high, x0 - column * wide :]
                target = out[y0 - region.y : y1 - region.y, x0 - region.x : x1 - region.x]
                target[:] = part[:, : x1 - x0]
        return out

    def _decode(self, index: int) -> Pixels:
        data = self._file.frame(index)
        shape = (self._file.tile.height, self._file.tile.width, 1 if self._grey else 3)
        if self._file.syntax in RAW:
            return as_rgb(np.frombuffer(data, np.uint8).reshape(shape))
        check_codestream(data, self._file.tile.width, self._file.tile.height)
        if self._file.syntax in JPEG2000_KINDS:
            try:
                pixels = as_rgb(imagecodecs.jpeg2k_decode(data))
            except (RuntimeError, ValueError) as error:
                raise Damaged("a JPEG 2000 frame cannot be decoded") from error
        else:
            pixels = jpeg.decode(self._head + data[2:] if self._head else data)
        if pixels.shape[:2] != shape[:2]:
            raise Damaged("a frame has another size than the header says")
        return pixels

    def close(self) -> None:
        """Give the descriptor back."""
        self._file.close()


def _check_kind(dataset: Dataset, part_of_pyramid: bool) -> None:
    syntax = UID(dataset.file_meta.TransferSyntaxUID)
    if syntax != JPEGBaseline8Bit and syntax not in JPEG2000_KINDS | RAW:
        raise UnsupportedCompression(f"DICOM transfer syntax {syntax.name}")
    if int(dataset.get("BitsAllocated", 8)) != 8:
        raise UnsupportedDicom(f"{dataset.BitsAllocated} bits a sample")
    if syntax in RAW and not _is_plain(dataset):
        raise UnsupportedDicom("uncompressed pixels that are not interleaved RGB or grey")
    if not part_of_pyramid:
        return
    check_organisation(dataset)
    if int(dataset.get("NumberOfOpticalPaths") or 1) > 1 or dataset.get("SamplesPerPixel") != 3:
        raise UnsupportedDicom("several optical paths in colour")


def _is_plain(dataset: Dataset) -> bool:
    colours = dataset.get("PhotometricInterpretation"), dataset.get("SamplesPerPixel")
    interleaved = not dataset.get("PlanarConfiguration")
    return colours == ("MONOCHROME2", 1) or (colours == ("RGB", 3) and interleaved)
