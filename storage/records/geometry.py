"""Sizes and rectangles in pixels, and the arithmetic of levels and tiles.

Frames: every rectangle is in its own level's pixels, (x, y) from the top left corner.
Level k is level 0 halved k times, rounded up, as Deep Zoom and the scanners count.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Size:
    """Width and height in pixels (or in tiles, where said)."""

    width: int
    height: int

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise ValueError(f"a size is at least 1x1, not {self.width}x{self.height}")

    @property
    def area(self) -> int:
        """Pixels."""
        return self.width * self.height

    def at_level(self, level: int) -> Size:
        """This size halved `level` times, rounded up."""
        return Size(-(-self.width >> level), -(-self.height >> level)) if level else self

    def in_tiles(self, edge: int) -> Size:
        """Columns and rows of square tiles that cover this size."""
        return Size(-(-self.width // edge), -(-self.height // edge))


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle in its own level's pixels."""

    x: int
    y: int
    width: int
    height: int

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise ValueError(f"a region is at least 1x1, not {self.width}x{self.height}")

    @property
    def right(self) -> int:
        """First column outside."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """First row outside."""
        return self.y + self.height

    def clipped(self, size: Size) -> Region | None:
        """The part inside an image of `size`, None when there is none."""
        left, top = max(self.x, 0), max(self.y, 0)
        right, bottom = min(self.right, size.width), min(self.bottom, size.height)
        if right <= left or bottom <= top:
            return None
        return Region(left, top, right - left, bottom - top)


@dataclass(frozen=True, slots=True)
class TileBlock:
    """A rectangle of tiles: first column and row, and how many of each."""

    column: int
    row: int
    columns: int
    rows: int

    def places(self) -> Iterator[tuple[int, int]]:
        """(column, row) of every tile, row by row."""
        for row in range(self.row, self.row + self.rows):
            for column in range(self.column, self.column + self.columns):
                yield column, row


def tile_region(column: int, row: int, edge: int) -> Region:
    """The full square of one tile; at the right and bottom it reaches past the image."""
    return Region(column * edge, row * edge, edge, edge)


def level_count(size: Size, edge: int) -> int:
    """Levels from full size down to the first that fits in one tile."""
    longest, count = max(size.width, size.height), 1
    while longest > edge:
        longest, count = -(-longest // 2), count + 1
    return count


def deep_zoom_top(size: Size) -> int:
    """Deep Zoom's number of the full-size level, where level 0 is 1x1 pixel."""
    return (max(size.width, size.height) - 1).bit_length()
