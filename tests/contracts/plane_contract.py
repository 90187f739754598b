"""What every reader of channels promises, as a test class that each such test inherits."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from processing.channels_seen import channels_seen
from processing.plane_codec import Plane
from processing.readers import SlideReader, open_slide
from processing.tiling import plan_pyramid
from storage.records.geometry import Region
from storage.records.slide import LevelOrigin, PlaneEncoding

Samples = Callable[[int], Plane]
"""[channel, row, column] of a whole level, by another program than the reader's own."""


class PlaneContract(ABC):
    """Subclasses give the file, the judge, and what is known about the channels."""

    reader: ClassVar[str]
    sizes: ClassVar[tuple[tuple[int, int], ...]]
    names: ClassVar[tuple[str, ...]]
    colors: ClassVar[tuple[str, ...]]
    depth: ClassVar[tuple[str, int]]
    emission: ClassVar[tuple[float | None, ...]] = (None, None, None)
    excitation: ClassVar[tuple[float | None, ...]] = (None, None, None)
    mpp: ClassVar[float | None] = None

    @pytest.fixture
    @abstractmethod
    def slide_path(self) -> Path:
        """The file or folder to open."""

    @pytest.fixture
    @abstractmethod
    def judge(self, slide_path: Path) -> Samples:
        """An independent program's samples."""

    @pytest.fixture
    def slide(self, slide_path: Path) -> Iterator[SlideReader]:
        with open_slide(slide_path) as slide:
            yield slide

    def test_channels(self, slide: SlideReader) -> None:
        channels = slide.channels
        assert slide.name == self.reader
        assert tuple((at.size.width, at.size.height) for at in slide.levels) == self.sizes
        assert channels is not None
        assert (channels.dtype, channels.bits) == self.depth
        assert tuple(at.name for at in channels.channels) == self.names
        assert tuple(at.color for at in channels.channels) == self.colors
        assert tuple(at.emission_nm for at in channels.channels) == self.emission[: len(self.names)]
        assert (
            tuple(at.excitation_nm for at in channels.channels)
            == self.excitation[: len(self.names)]
        )
        mpp = slide.metadata.mpp
        assert (mpp.mean if mpp else None) == (pytest.approx(self.mpp) if self.mpp else None)

    def test_every_sample_of_every_level_is_the_judges(
        self, slide: SlideReader, judge: Samples
    ) -> None:
        for level, (width, height) in enumerate(self.sizes):
            theirs = judge(level)
            assert theirs.shape == (len(self.names), height, width)
            for channel, plane in enumerate(theirs):
                ours = slide.plane(level, channel, Region(0, 0, width, height))
                assert ours.dtype == np.dtype(self.depth[0])
                assert np.array_equal(ours, plane), (level, channel)

    def test_zero_outside_and_regions_across_the_edge(
        self, slide: SlideReader, judge: Samples
    ) -> None:
        (width, height), theirs = self.sizes[0], judge(0)
        for channel, plane in enumerate(theirs):
            beyond = slide.plane(0, channel, Region(width - 30, height - 20, 50, 50))
            assert np.array_equal(beyond[:20, :30], plane[-20:, -30:])
            assert not beyond[20:].any()
            assert not beyond[:, 30:].any()
            assert not slide.plane(0, channel, Region(-50, 0, 50, 50)).any()

    def test_windows_lie_in_the_depth_and_are_the_same_again(self, slide: SlideReader) -> None:
        channels = channels_seen(slide)
        assert channels is not None
        assert channels == channels_seen(slide)
        for channel in channels.channels:
            assert 0 <= channel.window.low < channel.window.high <= channels.most

    def test_the_plan_is_lossless(self, slide: SlideReader) -> None:
        plan = plan_pyramid(slide.levels, channels=slide.channels).plan
        assert plan.planes == len(self.names)
        for at in plan.levels:
            assert at.encoding == PlaneEncoding(self.depth[0])
            assert at.origin is not LevelOrigin.COPIED

    def test_threads_read_the_same(self, slide: SlideReader, judge: Samples) -> None:
        last, regions = len(self.sizes) - 1, [Region(at, at, 40, 30) for at in range(12)]
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda region: slide.plane(last, 0, region), regions))
        for region, plane in zip(regions, found, strict=True):
            inside = region.clipped(slide.levels[last].size)
            if inside is not None:
                part = judge(last)[0, inside.y : inside.bottom, inside.x : inside.right]
                assert np.array_equal(plane[: inside.height, : inside.width], part)

    def test_close_gives_every_descriptor_back(self, slide_path: Path) -> None:
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(3):
            with open_slide(slide_path) as slide:
                slide.plane(0, 0, Region(0, 0, 10, 10))
        assert len(os.listdir("/proc/self/fd")) <= before
