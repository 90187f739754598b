"""One directory of an NDPI file as a level of tiles that are cut from its restart intervals."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import tifffile

from processing import jpeg
from processing.jpeg import Pixels
from processing.readers.base import MOST_SEGMENTS, SourceLevel, plausible_size
from processing.retiling.intervals import Intervals
from processing.retiling.scan import Scan, read_scan
from processing.retiling.tiles import Cut, joined, restart, tile_rows, white_row
from processing.retiling.walk import Integers
from storage.errors import Damaged, Truncated
from storage.records.geometry import Region, Size, TileBlock
from storage.records.slide import JpegEncoding
from storage.shards import Chunk

EDGE = 512
"""Of the tiles cut: what is encoded has the same."""
_MOST_MCUS = 1024
"""In a restart interval: scanners write 256 or a row; finding blocks takes time by the longest."""
_MOST_HEAD = 65536
_STRIP, _STRIP_BYTES, _MCU_STARTS, _JPEG, _RGB = 273, 279, 65426, 7, 2


def open_level(page: tifffile.TiffPage, descriptor: int) -> HamamatsuLevel | None:
    """The level of a directory; None where its JPEG cannot be cut. Errors: SlideError."""
    starts = page.tags.get(_MCU_STARTS)
    if starts is None or int(page.compression) != _JPEG or not np.size(starts.value):
        return None
    size = plausible_size(page.imagewidth, page.imagelength)
    head = int(np.ravel(starts.value)[0])
    if not 0 < head <= _MOST_HEAD:
        return None
    scan = read_scan(_read(descriptor, int(page.dataoffsets[0]) - head, head))
    if scan is None or scan.interval > _MOST_MCUS or EDGE % scan.mcu[0] or EDGE % scan.mcu[1]:
        return None
    columns, rows = -(-size.width // scan.mcu[0]), -(-size.height // scan.mcu[1])
    if columns % scan.interval or len(page.dataoffsets) != columns // scan.interval * rows:
        return None
    return HamamatsuLevel(page, descriptor, scan, size)


class HamamatsuLevel:
    """A level whose every row of MCUs is a whole number of restart intervals."""

    def __init__(self, page: tifffile.TiffPage, descriptor: int, scan: Scan, size: Size) -> None:
        self._descriptor, self._scan = descriptor, scan
        self._columns, self._rows = -(-size.width // scan.mcu[0]), -(-size.height // scan.mcu[1])
        """In MCUs."""
        self._per_row = self._columns // scan.interval
        self._across, self._down = EDGE // scan.mcu[0], EDGE // scan.mcu[1]
        """MCUs of a tile."""
        self._starts = _starts(page, os.fstat(descriptor).st_size)
        tagged_rgb, said = int(page.photometric) == _RGB, scan.header.says_rgb
        rgb = tagged_rgb if said is None else said
        self.colour_disagrees = said is not None and said != tagged_rgb
        self._mark = rgb and scan.header.adobe_transform is None
        self._head = scan.head(EDGE, EDGE, self._across, self._mark)
        self._white = white_row(scan, self._across, rgb)
        encoding = JpegEncoding(jpeg.estimate_quality(self._head), scan.header.subsampling)
        self.level = SourceLevel(size, EDGE, encoding)

    def jpeg_tiles(self, block: TileBlock) -> list[Chunk | None]:
        """Stand-alone JPEG streams of a block, coefficients as in the file."""
        columns = range(block.column * self._across, self._right(block.column + block.columns - 1))
        rows = range(block.row * self._down, min((block.row + block.rows) * self._down, self._rows))
        first, after = columns.start // self._scan.interval, -(-columns.stop // self._scan.interval)
        coded = [each for row in rows for each in self._coded(row, first, after)]
        wanted = np.minimum(
            columns.stop - np.arange(first, after) * self._scan.interval, self._scan.interval
        )
        intervals = Intervals(self._scan, coded, np.tile(wanted, len(rows)))
        lanes = np.arange(len(rows)) * (after - first)
        across = [
            self._column(intervals, lanes, column, first)
            for column in range(block.column, block.column + block.columns)
        ]
        return [
            (self._head, joined(self._filled(coded_rows[down : down + self._down])))
            for down in range(0, block.rows * self._down, self._down)
            for coded_rows in across
        ]

    def _right(self, column: int) -> int:
        """The MCU behind a column of tiles."""
        return min((column + 1) * self._across, self._columns)

    def _column(
        self, intervals: Intervals, lanes: Integers, column: int, first: int
    ) -> list[bytes]:
        """Coded rows of a column of tiles; `first` is the interval that the lanes begin with."""
        left, right = column * self._across, self._right(column)
        cuts = list(_cuts(left, right, self._scan.interval, first))
        return tile_rows(self._scan, intervals, lanes, cuts, self._across - (right - left))

    def _filled(self, rows: list[bytes]) -> list[bytes]:
        return rows + [self._white] * (self._down - len(rows))

    def _coded(self, row: int, first: int, after: int) -> Iterator[bytes]:
        """The intervals `first` to `after` of a row of MCUs, without their markers."""
        at = row * self._per_row
        starts = self._starts[at + first : at + after + 1].tolist()
        data = _read(self._descriptor, starts[0], starts[-1] - starts[0])
        for number, (start, end) in enumerate(pairwise(starts), at + first):
            interval = data[start - starts[0] : end - starts[0]]
            if number == self._rows * self._per_row - 1:
                marked = interval.rfind(b"\xff\xd9")
            else:
                marked = len(interval) - 2
                if interval[marked:] != restart(number):
                    raise Damaged("a restart marker is not where the directory says")
            if marked < 0:
                raise Damaged("the last restart interval has no end")
            yield interval[:marked]

    def pixels(self, region: Region) -> Pixels:
        """RGB of a region, decoded from the intervals as they are; white outside."""
        out = np.full((region.height, region.width, 3), 255, np.uint8)
        inside = region.clipped(self.level.size)
        if inside is None:
            return out
        width, height = self._scan.interval * self._scan.mcu[0], self._scan.mcu[1]
        # A row more on each side: decoders smooth colour across rows where it is subsampled.
        top = max(inside.y // height - 1, 0)
        rows = range(top, min(-(-inside.bottom // height) + 1, self._rows))
        for number in range(inside.x // width, -(-inside.right // width)):
            place = Region(number * width, top * height, width, len(rows) * height)
            _paste(out, region, inside, place, self._decoded(number, rows, place))
        return out

    def _decoded(self, number: int, rows: range, place: Region) -> Pixels:
        """An interval's column of pixels in some rows of MCUs."""
        head = self._scan.head(place.width, place.height, self._scan.interval, self._mark)
        coded = [each for row in rows for each in self._coded(row, number, number + 1)]
        return jpeg.decode(head + joined(coded))


def _paste(out: Pixels, region: Region, inside: Region, place: Region, pixels: Pixels) -> None:
    x0, y0 = max(place.x, inside.x), max(place.y, inside.y)
    x1, y1 = min(place.right, inside.right), min(place.bottom, inside.bottom)
    part = pixels[y0 - place.y : y1 - place.y, x0 - place.x : x1 - place.x]
    out[y0 - region.y : y1 - region.y, x0 - region.x : x1 - region.x] = part


def _cuts(left: int, right: int, interval: int, first: int) -> Iterator[Cut]:
    """Parts of intervals that cover the MCUs `left` to `right` of a row."""
    for number in range(left // interval, -(-right // interval)):
        begin = number * interval
        yield Cut(number - first, max(left - begin, 0), min(right - begin, interval))


def _starts(page: tifffile.TiffPage, file_size: int) -> Integers:
    """Where every interval begins in the file, and where the last one ends."""
    if len(page.dataoffsets) > MOST_SEGMENTS:
        raise Damaged(f"{len(page.dataoffsets)} restart intervals in one level")
    offsets = np.asarray(page.dataoffsets, np.int64)
    end = int(page.dataoffsets[-1]) + int(page.databytecounts[-1])
    starts = np.append(offsets, end)
    if (np.diff(starts) < 2).any() or starts[0] < 0:
        raise Damaged("restart intervals are out of order")
    if end > file_size:
        raise Truncated("restart intervals lie beyond the end of the file")
    return starts


def _read(descriptor: int, offset: int, count: int) -> bytes:
    if offset < 0:
        raise Damaged("a JPEG lies before the file")
    data = os.pread(descriptor, count, offset)
    if len(data) != count:
        raise Truncated("the file ends inside a level")
    return data
