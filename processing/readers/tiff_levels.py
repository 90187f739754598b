"""Levels of a TIFF file: where the segments lie, JPEG tiles as bytes, any segment as pixels.

Shared by the readers of the TIFF family. Source: TIFF 6.0, TIFF Technical Note 2.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import imagecodecs
import numpy as np
import tifffile
from numpy.typing import NDArray

from processing import jpeg
from processing.codestream import check_codestream
from processing.jpeg import Pixels
from processing.readers.base import (
    MOST_ASSOCIATED,
    SourceLevel,
    check_grid,
    is_copyable_edge,
    plausible_size,
)
from processing.readers.segment_cache import SegmentCache
from storage.errors import Damaged, SlideError, Truncated, Unsupported, UnsupportedCompression
from storage.proof import Places
from storage.records.geometry import Region, Size, TileBlock
from storage.records.slide import AssociatedImage, JpegEncoding
from storage.shards import Chunk

_JPEG = 7
_RGB, _GREY, _PALETTE, _YCBCR = 2, 1, 3, 6
KNOWN = frozenset({1, 5, 7, 8, 32773, 32946, 33003, 33005, 50000, 50001})


@dataclass(frozen=True, slots=True)
class Segments:
    """Byte ranges of the tiles or strips, in the order of the file's own tables."""

    offsets: NDArray[np.int64]
    counts: NDArray[np.int64]
    columns: int
    rows: int
    width: int
    height: int


class TiffLevel:
    """One page as a level."""

    def __init__(self, page: tifffile.TiffPage, descriptor: int) -> None:
        self._page, self._descriptor = page, descriptor
        size = plausible_size(page.imagewidth, page.imagelength)
        _check_shape(page)
        self._segments = segments_of(page, size, os.fstat(descriptor).st_size)
        self.colour_disagrees = False
        self._head = b""
        square = page.is_tiled and is_copyable_edge(page.tilewidth, page.tilelength)
        encoding = self._copyable(size) if square and int(page.compression) == _JPEG else None
        edge = page.tilewidth if square else None
        self.level = SourceLevel(size, edge, encoding)
        self._segment = SegmentCache(self._decode)

    def _copyable(self, size: Size) -> JpegEncoding | None:
        """Encoding of the JPEG tiles when they can be stored as they are."""
        segments = self._segments
        present = np.flatnonzero(segments.counts)
        if present.size == 0:
            raise Damaged("every tile of a level is missing")
        sample = self._read(int(present[0]))
        header = jpeg.read_header(sample)
        if (header.width, header.height) != (segments.width, segments.height):
            raise Damaged("the JPEG tiles have another size than the directory says")
        if not header.is_copyable:
            return None
        tagged_rgb = int(self._page.photometric) == _RGB
        rgb = header.says_rgb if header.says_rgb is not None else tagged_rgb
        self.colour_disagrees = header.says_rgb is not None and header.says_rgb != tagged_rgb
        tables = self._page.jpegtables or b""
        mark = rgb and header.adobe_transform is None
        self._head = jpeg.splice_head(tables, mark) if tables or mark else b""
        spliced = b"".join(self._chunk(memoryview(sample)))
        if jpeg.frame_size(spliced, baseline=True) != (header.width, header.height):
            raise Damaged("the JPEG tables hold more than tables")
        return JpegEncoding(jpeg.estimate_quality(spliced), header.subsampling)

    def places(self, file: Path) -> Places | None:
        """Where the tiles lie; None when they cannot be copied."""
        if self.level.jpeg is None:
            return None
        grid = self._segments.rows, self._segments.columns
        offsets, lengths = self._segments.offsets.reshape(grid), self._segments.counts.reshape(grid)
        return Places(str(file), self._head, offsets, lengths)

    def jpeg_tiles(self, block: TileBlock) -> list[Chunk | None]:
        """Stand-alone JPEG streams of a block; one read for each run of neighbours."""
        segments, chunks = self._segments, list[Chunk | None]()
        for row in range(block.row, block.row + block.rows):
            first = row * segments.columns + block.column
            run = slice(first, first + block.columns)
            chunks += self._row_of_tiles(segments.offsets[run], segments.counts[run])
        return chunks

    def _row_of_tiles(
        self, offsets: NDArray[np.int64], counts: NDArray[np.int64]
    ) -> list[Chunk | None]:
        start, end = int(offsets.min()), int((offsets + counts).max())
        if (counts == 0).any() or end - start > 2 * int(counts.sum()):
            return [
                self._chunk(memoryview(self._pread(int(count), int(offset)))) if count else None
                for offset, count in zip(offsets, counts, strict=True)
            ]
        span = memoryview(self._pread(end - start, start))
        relative = (offsets - start).tolist()
        return [
            self._chunk(span[at : at + count])
            for at, count in zip(relative, counts.tolist(), strict=True)
        ]

    def _chunk(self, tile: memoryview) -> Chunk:
        if jpeg.frame_size(tile, baseline=True) != (self._segments.width, self._segments.height):
            raise Damaged("a tile has another size than the directory says")
        return (self._head, tile[2:]) if self._head else (tile,)

    def pixels(self, region: Region) -> Pixels:
        """RGB of a region; white where the file has nothing."""
        out = np.full((region.height, region.width, 3), 255, np.uint8)
        inside = region.clipped(self.level.size)
        if inside is None:
            return out
        segments = self._segments
        for row in range(inside.y // segments.height, (inside.bottom - 1) // segments.height + 1):
            first, last = inside.x // segments.width, (inside.right - 1) // segments.width
            for column in range(first, last + 1):
                self._paste(out, region, inside, column, row)
        return out

    def _paste(self, out: Pixels, region: Region, inside: Region, column: int, row: int) -> None:
        segments = self._segments
        index = row * segments.columns + column
        if segments.counts[index] == 0:
            return
        tile = self._segment(index)
        left, top = column * segments.width, row * segments.height
        place = Region(left, top, tile.shape[1], tile.shape[0])
        x0, y0 = max(place.x, inside.x), max(place.y, inside.y)
        x1, y1 = min(place.right, inside.right), min(place.bottom, inside.bottom)
        if x1 > x0 and y1 > y0:
            part = tile[y0 - top : y1 - top, x0 - left : x1 - left]
            out[y0 - region.y : y1 - region.y, x0 - region.x : x1 - region.x] = part

    def _decode(self, index: int) -> Pixels:
        data = self._read(index)
        if self.level.jpeg is not None:
            return jpeg.decode(b"".join(self._chunk(memoryview(data))))
        check_codestream(data, self._segments.width, self._segments.height)
        try:
            decoded, _, shape = self._page.decode(data, index, jpegtables=self._page.jpegtables)
        except (RuntimeError, ValueError, TypeError, OSError) as error:
            raise Damaged(f"a tile or strip cannot be decoded ({type(error).__name__})") from error
        if decoded is None:
            raise Damaged("a tile or strip holds no pixels")
        return as_rgb(decoded[0, : shape[1], : shape[2]])

    def _read(self, index: int) -> bytes:
        return self._pread(int(self._segments.counts[index]), int(self._segments.offsets[index]))

    def _pread(self, count: int, offset: int) -> bytes:
        data = os.pread(self._descriptor, count, offset)
        if len(data) != count:
            raise Truncated("the file ends inside a tile")
        return data


def as_rgb(pixels: NDArray[np.uint8]) -> Pixels:
    """RGB from grey, RGB or RGBA [row, column, channel], uint8."""
    if pixels.dtype != np.uint8:
        raise Unsupported("only 8 bits a channel are read")
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    if pixels.ndim not in (2, 3) or channels not in (1, 3, 4):
        raise Unsupported(f"{channels} channels")
    if channels == 1:
        return np.repeat(pixels.reshape(*pixels.shape[:2], 1), 3, axis=2)
    return np.ascontiguousarray(pixels[:, :, :3])


def associated_from(page: tifffile.TiffPage, name: str, descriptor: int) -> AssociatedImage | None:
    """A small page as PNG, pixels unchanged; None when it is implausibly large or unreadable."""
    if page.imagewidth * page.imagelength > MOST_ASSOCIATED:
        return None
    try:
        whole = Region(0, 0, page.imagewidth, page.imagelength)
        return png(name, TiffLevel(page, descriptor).pixels(whole))
    except (SlideError, ValueError, RuntimeError, TypeError, LookupError):
        return None


def png(name: str, pixels: Pixels) -> AssociatedImage:
    """An associated image from RGB pixels, lossless and quickly packed."""
    data = bytes(imagecodecs.png_encode(np.ascontiguousarray(pixels), level=1))
    return AssociatedImage(name, "image/png", data, Size(pixels.shape[1], pixels.shape[0]))


def _check_shape(page: tifffile.TiffPage) -> None:
    if int(page.compression) not in KNOWN:
        raise UnsupportedCompression(f"TIFF compression {int(page.compression)} is not read")
    if page.imagedepth != 1:
        raise Unsupported(f"{page.imagedepth} planes in one page")
    if page.bitspersample != 8 or page.samplesperpixel not in (1, 3, 4):
        raise Unsupported(f"{page.samplesperpixel} channels of {page.bitspersample} bits")
    if page.samplesperpixel > 1 and int(page.planarconfig) != 1:
        raise Unsupported("channels stored apart (planar configuration 2)")
    if int(page.photometric) not in (_RGB, _GREY, _YCBCR):
        raise Unsupported(f"photometric interpretation {int(page.photometric)}")


def segments_of(page: tifffile.TiffPage, size: Size, file_size: int) -> Segments:
    """Where the tiles or strips of a page lie. Errors: Damaged, Truncated, TooLarge."""
    width = page.tilewidth if page.is_tiled else size.width
    height = page.tilelength if page.is_tiled else min(page.rowsperstrip, size.height)
    columns, rows = check_grid(size, width, height, coded=int(page.compression) != 1)
    offsets = np.asarray(page.dataoffsets, dtype=np.float64)
    counts = np.asarray(page.databytecounts, dtype=np.float64)
    if len(offsets) < columns * rows or len(counts) < columns * rows:
        raise Damaged(f"{columns * rows} tiles are promised, {len(offsets)} are listed")
    if ((offsets < 0) | (counts < 0)).any():
        raise Damaged("a tile lies before the file")
    if (offsets + counts)[counts > 0].max(initial=0) > file_size:
        raise Truncated("tiles lie beyond the end of the file")
    if counts.sum() > 4 * file_size:
        raise Damaged("tiles overlap many times over")
    used = columns * rows
    as_int = offsets[:used].astype(np.int64), counts[:used].astype(np.int64)
    return Segments(*as_int, columns, rows, width, height)
