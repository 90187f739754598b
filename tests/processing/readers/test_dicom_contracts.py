"""The DICOM reader on genuine, painted and generated series, held to the contract."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from pydicom.uid import generate_uid

from processing.readers import open_slide
from storage.records.geometry import Region
from storage.records.slide import Notice
from tests.contracts.dicom_codecs import by_program
from tests.contracts.dicom_slides import (
    Image,
    Slide,
    every_place,
    shuffled,
    stack,
    write,
    write_parts,
)
from tests.contracts.judges import array_judge, dicom_judge, native_dicom_judge, openslide_judge
from tests.contracts.reader_contract import Judge, ReaderContract


class _ByOpenSlide(ReaderContract):
    @pytest.fixture
    def judge(self, slide_path: Path) -> Judge:
        return openslide_judge(slide_path)


class TestDicomJpeg(_ByOpenSlide):
    vendor = reader = "dicom"
    sizes = ((1152, 700),)
    mpp = 28.969
    copied_levels = 1

    @pytest.fixture
    def slide_path(self, slides_dir: Path) -> Path:
        return slides_dir / "dicom-wsi/multi_frame_jpeg_camelyon_challenge_image.dcm"


class TestDicomJpeg2000(_ByOpenSlide):
    vendor = reader = "dicom"
    sizes = ((1696, 812),)
    mpp = 28.969

    @pytest.fixture
    def slide_path(self, slides_dir: Path) -> Path:
        return slides_dir / "dicom-wsi/multi_frame_jpeg2000_camelyon_challenge_image.dcm"


class TestDicomUncompressed(_ByOpenSlide):
    vendor = reader = "dicom"
    sizes = ((50, 50),)
    mpp = 0.499

    @pytest.fixture
    def slide_path(self, slides_dir: Path) -> Path:
        return slides_dir / "dicom-wsi/highdicom-sm_image.dcm"


class TestDicomJpegLs(ReaderContract):
    """OpenSlide knows no JPEG-LS: dcmtk unpacks it, pydicom lays the frames."""

    vendor = reader = "dicom"
    sizes = ((50, 50),)
    mpp = 0.499

    @pytest.fixture
    def slide_path(self, slides_dir: Path) -> Path:
        return slides_dir / "dicom-wsi/highdicom-sm_image_jpegls.dcm"

    @pytest.fixture
    def judge(self, slide_path: Path, tmp_path: Path) -> Judge:
        plain = tmp_path / "plain.dcm"
        subprocess.run(["dcmdjpls", slide_path, plain], check=True, capture_output=True)
        return native_dicom_judge(plain)


class TestSparseDicom(_ByOpenSlide):
    """Frames in any order, in a file that dcmtk compressed."""

    vendor = reader = "dicom"
    sizes = ((700, 500),)
    mpp = 0.5
    copied_levels = 1

    @pytest.fixture
    def slide_path(self, tmp_path: Path) -> Path:
        image = stack(1, 1, (700, 500), colour=True)
        places = shuffled(every_place(image, (64, 64)))
        slide = Slide(organisation="TILED_SPARSE", places=places)
        file = write(tmp_path / "sparse.dcm", image, slide)
        by_program("dcmcjpeg", "+eb", "+q", "90")(file)
        return file


class TestConcatenatedDicom(ReaderContract):
    """A pyramid of two levels, each in several files."""

    vendor = reader = "dicom"
    sizes = ((700, 500), (350, 250))
    mpp = 0.5

    @pytest.fixture
    def slide_path(self, tmp_path: Path) -> Path:
        series, folder = generate_uid(), tmp_path / "series"
        for level, counts in enumerate(((50, 38), (10, 5, 9))):
            (folder / f"{level}").mkdir(parents=True)
            image = self._image(level)
            slide = Slide(series=series, spacing=0.0005 * (level + 1))
            write_parts(folder / f"{level}", image, slide, counts)
        return folder

    @pytest.fixture
    def judge(self) -> Judge:
        return array_judge([self._image(level)[0, 0] for level in (0, 1)])

    def _image(self, level: int) -> Image:
        image = stack(1, 1, (700, 500), colour=True)
        return image[:, :, :: 1 << level, :: 1 << level]


class TestDicomSeriesWhoseTagLies(ReaderContract):
    """Says RGB, is coded as YCbCr: OpenSlide obeys the tag, we and Pillow the stream."""

    vendor = reader = "dicom"
    sizes = ((2220, 2967), (1110, 1483), (555, 741), (277, 370), (138, 185), (69, 92))
    mpp = 0.499
    copied_levels = 3

    @pytest.fixture
    def slide_path(self, slides_dir: Path) -> Path:
        return slides_dir / "dicom-wsi/cmu-1-small-region"

    @pytest.fixture
    def judge(self, slide_path: Path) -> Judge:
        return dicom_judge(tuple(sorted(slide_path.glob("*.dcm"))))


class TestPaintedDicom(ReaderContract):
    vendor = reader = "dicom"
    sizes = ((1500, 1100), (375, 275), (93, 68))
    mpp, objective_power = 0.499, 20.0
    associated = frozenset({"label", "overview"})
    copied_levels = 3

    @pytest.fixture
    def slide_path(self, painted_dicom: Path) -> Path:
        return painted_dicom

    @pytest.fixture
    def judge(self, slide_path: Path) -> Judge:
        return dicom_judge(tuple(slide_path / f"level-{at}.dcm" for at in range(3)))


def test_the_lying_series_looks_like_the_slide_it_was_made_from(slides_dir: Path) -> None:
    where = Region(600, 900, 800, 800)
    with (
        open_slide(slides_dir / "dicom-wsi/cmu-1-small-region") as series,
        open_slide(slides_dir / "aperio/CMU-1-Small-Region.svs") as svs,
    ):
        assert Notice.COLOUR_TAG_DISAGREES in series.metadata.notices
        apart = series.pixels(0, where).astype(int) - svs.pixels(0, where)
    assert abs(apart).mean() < 6
