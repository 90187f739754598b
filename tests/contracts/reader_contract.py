"""What every reader promises, as a test class that each reader's test inherits.

The judge of pixels is always another program than the reader's own decoder.
"""

from __future__ import annotations

import io
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from PIL import Image

from processing.jpeg import Pixels
from processing.readers import SlideReader, open_slide
from processing.tiling import plan_pyramid
from storage.records.geometry import Region, Size, TileBlock, tile_region

Judge = Callable[[int, Region], Pixels]
"""RGB of a region of a level; white outside."""
_SEED = 20261123


class ReaderContract(ABC):
    """Subclasses give the file, the judge, and what is known about the slide."""

    vendor: ClassVar[str]
    reader: ClassVar[str]
    sizes: ClassVar[tuple[tuple[int, int], ...]]
    mpp: ClassVar[float | None] = None
    objective_power: ClassVar[float | None] = None
    associated: ClassVar[frozenset[str]] = frozenset()
    copied_levels: ClassVar[int] = 0

    @pytest.fixture
    @abstractmethod
    def slide_path(self) -> Path:
        """The file or folder to open."""

    @pytest.fixture
    @abstractmethod
    def judge(self, slide_path: Path) -> Judge:
        """An independent program's pixels."""

    @pytest.fixture
    def slide(self, slide_path: Path) -> Iterator[SlideReader]:
        with open_slide(slide_path) as slide:
            yield slide

    def test_the_reader_and_its_levels(self, slide: SlideReader) -> None:
        assert slide.name == self.reader
        assert tuple((at.size.width, at.size.height) for at in slide.levels) == self.sizes
        for larger, smaller in pairwise(slide.levels):
            assert larger.size.width > smaller.size.width
            assert larger.size.height > smaller.size.height
        assert sum(at.jpeg is not None for at in slide.levels) == self.copied_levels

    def test_metadata(self, slide: SlideReader) -> None:
        metadata = slide.metadata
        assert metadata.vendor == self.vendor
        assert metadata.objective_power == self.objective_power
        assert (metadata.mpp.mean if metadata.mpp else None) == (
            pytest.approx(self.mpp, rel=1e-3) if self.mpp else None
        )
        assert slide.icc_profile is None or slide.icc_profile[36:40] == b"acsp"

    def test_pixels_are_those_of_the_judge(self, slide: SlideReader, judge: Judge) -> None:
        random = np.random.default_rng(_SEED)
        for number, level in enumerate(slide.levels):
            for region in (*_along_the_edges(level.size), *_anywhere(level.size, random)):
                found = slide.pixels(number, region)
                assert found.dtype == np.uint8
                assert np.array_equal(found, judge(number, region)), (number, region)

    def test_white_outside(self, slide: SlideReader) -> None:
        for number, level in enumerate(slide.levels):
            for x, y in ((-50, 0), (0, -50), (level.size.width, 0), (0, level.size.height)):
                assert (slide.pixels(number, Region(x, y, 50, 50)) == 255).all()

    def test_jpeg_tiles_decode_to_the_pixels(self, slide: SlideReader) -> None:
        random = np.random.default_rng(_SEED)
        for number, level in enumerate(slide.levels):
            if level.jpeg is None or level.tile_edge is None:
                continue
            edge, grid = level.tile_edge, level.size.in_tiles(level.tile_edge)
            places = {(0, 0), (grid.width - 1, grid.height - 1), (grid.width - 1, 0)}
            places |= {(int(random.integers(grid.width)), int(random.integers(grid.height)))}
            for x, y in places:
                (chunk,) = slide.jpeg_tiles(number, TileBlock(x, y, 1, 1))
                assert chunk is not None
                image = Image.open(io.BytesIO(b"".join(chunk)))
                assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (edge, edge))
                inside = tile_region(x, y, edge).clipped(level.size)
                assert inside is not None
                tile = np.asarray(image)[: inside.height, : inside.width]
                assert np.array_equal(tile, slide.pixels(number, inside))

    def test_a_block_is_its_tiles(self, slide: SlideReader) -> None:
        for number, level in enumerate(slide.levels):
            if level.jpeg is None or level.tile_edge is None:
                continue
            grid = level.size.in_tiles(level.tile_edge)
            columns, rows = min(grid.width, 5), min(grid.height, 3)
            for x, y in ((0, 0), (grid.width - columns, grid.height - rows)):
                block = TileBlock(x, y, columns, rows)
                together = slide.jpeg_tiles(number, block)
                single = [
                    slide.jpeg_tiles(number, TileBlock(column, row, 1, 1))[0]
                    for column, row in block.places()
                ]
                assert [b"".join(at or ()) for at in together] == [
                    b"".join(at or ()) for at in single
                ]

    def test_associated_images_decode(self, slide: SlideReader) -> None:
        images = slide.associated_images()
        assert {image.name for image in images} == self.associated
        for image in images:
            decoded = Image.open(io.BytesIO(image.data))
            decoded.load()
            assert Size(*decoded.size) == image.size
            assert decoded.get_format_mimetype() == image.media_type

    def test_a_plan_can_be_made(self, slide: SlideReader) -> None:
        sourced = plan_pyramid(slide.levels)
        assert sourced.source_of[0] == 0
        assert sourced.plan.size == slide.levels[0].size
        assert set(sourced.source_of.values()) <= set(range(len(slide.levels)))

    def test_threads_read_the_same(self, slide: SlideReader) -> None:
        last = len(slide.levels) - 1
        regions = list(_along_the_edges(slide.levels[last].size)) * 2
        with ThreadPoolExecutor(4) as pool:
            together = list(pool.map(lambda region: slide.pixels(last, region), regions))
        for region, pixels in zip(regions, together, strict=True):
            assert np.array_equal(pixels, slide.pixels(last, region))

    def test_close_gives_every_descriptor_back(self, slide_path: Path) -> None:
        before = _descriptors()
        for _ in range(3):
            with open_slide(slide_path) as slide:
                slide.pixels(0, Region(0, 0, 10, 10))
                slide.associated_images()
        assert _descriptors() <= before


def _along_the_edges(size: Size) -> Iterator[Region]:
    """Regions across each side and corner, partly outside."""
    wide, high = min(120, size.width), min(90, size.height)
    for x in (-wide // 2, size.width // 2, size.width - wide // 2):
        for y in (-high // 2, size.height // 2, size.height - high // 2):
            yield Region(x, y, wide, high)
    yield Region(size.width - 1, size.height - 1, 1, 1)


def _anywhere(size: Size, random: np.random.Generator) -> Iterator[Region]:
    for _ in range(5):
        width, height = (int(at) for at in random.integers(1, 400, 2))
        x = int(random.integers(-width, size.width))
        y = int(random.integers(-height, size.height))
        yield Region(x, y, width, height)


def _descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))
