"""One level of a brightfield series: frames as bytes, regions as pixels."""

from __future__ import annotations

import numpy as np

from processing import jpeg
from processing.dicom_colour import disagrees, to_rgb
from processing.dicom_samples import JPEG_DCT, jpeg_head
from processing.jpeg import Pixels
from processing.readers.base import SourceLevel, is_copyable_edge
from processing.readers.dicom_opened import Opened
from processing.readers.dicom_tiles import Tiles, paste
from processing.readers.segment_cache import SegmentCache
from storage.errors import Damaged
from storage.proof import Places
from storage.records.geometry import Region, TileBlock
from storage.records.slide import JpegEncoding
from storage.shards import Chunk


class DicomLevel:
    """The frames of an image that are the tiles of one level."""

    def __init__(self, opened: Opened, tiles: Tiles) -> None:
        self._opened, self._tiles, self._coding = opened, tiles, opened.coding
        sample = opened.frame(tiles.sample)
        self.colour_disagrees = disagrees(sample, self._coding)
        self.loses_depth = self._coding.stored > 8 and opened.palette is None
        tile, encoding = self._coding.size, None
        self._head = b""
        """What goes in front of a JPEG frame without its first two bytes."""
        square = is_copyable_edge(tile.width, tile.height)
        if square and self._coding.syntax in JPEG_DCT and tiles.one_each is not None:
            encoding = self._copyable(sample)
        self.level = SourceLevel(opened.volume.size, tile.width if square else None, encoding)
        self.has_holes = tiles.has_holes
        self._frame = SegmentCache(self._decode)
        self._together = SegmentCache(self._compose)

    def _copyable(self, sample: bytes) -> JpegEncoding | None:
        header, tile = jpeg.read_header(sample), self._coding.size
        if (header.width, header.height) != (tile.width, tile.height):
            raise Damaged("the frames have another size than the header says")
        if not header.is_copyable:
            return None
        self._head = jpeg_head(header, self._coding)
        return JpegEncoding(jpeg.estimate_quality(sample), header.subsampling)

    def places(self) -> Places | None:
        """Where the frames lie; None when they cannot be copied, or lie in several files."""
        found = self._opened.places(self._tiles)
        if self.level.jpeg is None or found is None:
            return None
        file, offsets, lengths = found
        return Places(file, self._head, offsets, lengths)

    def jpeg_tiles(self, block: TileBlock) -> list[Chunk | None]:
        """Frames of a block as stand-alone streams; None for a hole."""
        return [self._chunk(column, row) for column, row in block.places()]

    def _chunk(self, column: int, row: int) -> Chunk | None:
        pieces, head = self._tiles.pieces(row * self._tiles.grid.width + column), self._head
        if not pieces:
            return None
        frame = memoryview(self._opened.frame(pieces[0][0]))
        size, tile = jpeg.frame_size(frame, baseline=True), self._coding.size
        if size != (tile.width, tile.height):
            raise Damaged("a frame has another size than the header says")
        return (head, frame[2:]) if head else (frame,)

    def pixels(self, region: Region) -> Pixels:
        """RGB of a region; white outside and in holes."""
        out = np.full((region.height, region.width, 3), 255, np.uint8)
        inside, grid, tile = region.clipped(self.level.size), self._tiles.grid, self._coding.size
        if inside is None:
            return out
        seen = out[: inside.bottom - region.y, : inside.right - region.x]
        for row in range(inside.y // tile.height, (inside.bottom - 1) // tile.height + 1):
            for column in range(inside.x // tile.width, (inside.right - 1) // tile.width + 1):
                corner = column * tile.width - region.x, row * tile.height - region.y
                pixels = self._of_tile(row * grid.width + column)
                if pixels is not None:
                    paste(seen, pixels, *corner)
        return out

    def _of_tile(self, number: int) -> Pixels | None:
        pieces = self._tiles.pieces(number)
        if len(pieces) == 1 and pieces[0][1:] == (0, 0):
            return self._frame(pieces[0][0])
        return self._together(number) if pieces else None

    def _compose(self, number: int) -> Pixels:
        out = np.full((*self._coding.shape[:2], 3), 255, np.uint8)
        for frame, left, top in self._tiles.pieces(number):
            paste(out, self._frame(frame), left, top)
        return out

    def _decode(self, frame: int) -> Pixels:
        return to_rgb(self._opened.frame(frame), self._coding, self._opened.palette)
