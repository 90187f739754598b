"""Each reader on genuine and painted slides, held to the contract."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contracts.judges import openslide_judge, tifffile_judge
from tests.contracts.reader_contract import Judge, ReaderContract

_GLASS = frozenset({"label", "overview", "thumbnail"})
_PAINTED = ((1500, 1100), (375, 275), (93, 68))


class _ByOpenSlide(ReaderContract):
    @pytest.fixture
    def judge(self, slide_path: Path) -> Judge:
        return openslide_judge(slide_path)


class _ByTifffile(ReaderContract):
    pages: tuple[int, ...] = (0,)

    @pytest.fixture
    def judge(self, slide_path: Path) -> Judge:
        return tifffile_judge(slide_path, self.pages)


class TestAperioRgb(_ByOpenSlide):
    vendor = reader = "aperio"
    sizes = ((2220, 2967),)
    mpp, objective_power = 0.499, 20.0
    associated = _GLASS
    copied_levels = 1

    @pytest.fixture
    def slide_path(self, slides_dir: Path) -> Path:
        return slides_dir / "aperio/CMU-1-Small-Region.svs"


class TestAperioJpeg2000(_ByTifffile):
    vendor = reader = "aperio"
    sizes = ((4443, 3567), (2221, 1783))
    associated = frozenset({"thumbnail"})
    pages = (0, 2)

    @pytest.fixture
    def slide_path(self, slides_dir: Path) -> Path:
        return slides_dir / "aperio/TCGA-CR-7395-01A-01-TS1.svs"

    @pytest.fixture
    def judge(self, slide_path: Path) -> Judge:
        full, small = openslide_judge(slide_path), tifffile_judge(slide_path, (2,))
        return lambda level, region: small(0, region) if level else full(0, region)


class TestPyramidTiff(_ByOpenSlide):
    vendor, reader = "generic-tiff", "tiff"
    sizes = ((4096, 4096), (1024, 1024), (256, 256))
    mpp = 0.2528
    copied_levels = 3

    @pytest.fixture
    def slide_path(self, slides_dir: Path) -> Path:
        return slides_dir / "pyramid-tiff/BS25-HE-40x-crop.tif"


class TestUnevenPyramidTiff(_ByTifffile):
    vendor, reader = "generic-tiff", "tiff"
    sizes = ((4765, 8463), (1192, 2116), (298, 529))
    mpp = 1.0112
    copied_levels = 3
    pages = (0, 1, 2)

    @pytest.fixture
    def slide_path(self, slides_dir: Path) -> Path:
        return slides_dir / "pyramid-tiff/BS25-CHR-IHC-10x.tif"


class TestLargePyramidTiff(ReaderContract):
    vendor, reader = "generic-tiff", "tiff"
    sizes = ((39646, 15555), (9912, 3889), (2478, 973))
    mpp = 0.526036
    copied_levels = 3

    @pytest.fixture
    def slide_path(self, slides_dir: Path) -> Path:
        return slides_dir / "pyramid-tiff/giardia-HE-20x.tif"

    @pytest.fixture
    def judge(self, slide_path: Path) -> Judge:
        full, small = openslide_judge(slide_path), tifffile_judge(slide_path, (1, 2))
        return lambda level, region: small(level - 1, region) if level else full(0, region)


class TestOmeTiff(_ByTifffile):
    vendor, reader = "ome-tiff", "tiff"
    sizes = ((2202, 2202),)
    mpp = 0.2271
    copied_levels = 1

    @pytest.fixture
    def slide_path(self, slides_dir: Path) -> Path:
        return slides_dir / "ome-tiff/OS-2-ndpi.ome.tif"


class TestStripTiff(_ByTifffile):
    vendor, reader = "generic-tiff", "tiff"
    sizes = ((1493, 901),)

    @pytest.fixture
    def slide_path(self, slides_dir: Path) -> Path:
        return slides_dir / "generic-tiff/kidney-48-5.tif"


class TestHamamatsu(_ByOpenSlide):
    vendor = reader = "hamamatsu"
    sizes = ((3968, 4864), (1984, 2432), (992, 1216), (496, 608))
    mpp, objective_power = 0.228175, 40.0
    associated = frozenset({"overview"})
    copied_levels = 4

    @pytest.fixture
    def slide_path(self, slides_dir: Path) -> Path:
        return slides_dir / "hamamatsu/test3-DAPI-2-387.ndpi"


class TestPaintedHamamatsu(_ByOpenSlide):
    """Three intervals a row, of which none is a whole number of tiles wide."""

    vendor = reader = "hamamatsu"
    sizes = ((1440, 1088), (720, 544), (360, 272))
    mpp, objective_power = 0.25, 40.0
    copied_levels = 3

    @pytest.fixture
    def slide_path(self, painted_ndpi: Path) -> Path:
        return painted_ndpi


class TestPaintedYcbcr(_ByTifffile):
    vendor = reader = "aperio"
    sizes = _PAINTED
    mpp, objective_power = 0.499, 20.0
    associated = _GLASS
    copied_levels = 3
    pages = (0, 2, 3)

    @pytest.fixture
    def slide_path(self, painted_svs: Path) -> Path:
        return painted_svs


class TestPaintedRgb(TestPaintedYcbcr):
    @pytest.fixture
    def slide_path(self, painted_rgb: Path) -> Path:
        return painted_rgb
