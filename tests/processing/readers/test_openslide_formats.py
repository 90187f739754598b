"""OpenSlide's formats: which files are left to it, and what it is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import tifffile
from openslide import OpenSlide

from processing.jpeg import Pixels
from processing.readers import open_slide
from storage.errors import NotASlide, Unsupported
from storage.records.geometry import Region

_WHOLE = Region(0, 0, 900, 600)


@pytest.fixture
def picture() -> Pixels:
    return np.random.default_rng(3).integers(0, 255, (600, 900, 3), np.uint8)


def _write(path: Path, picture: Pixels, **options: Any) -> Path:  # noqa: ANN401
    tifffile.imwrite(path, picture, tile=(256, 256), photometric="rgb", metadata=None, **options)
    return path


def _trestle(path: Path, picture: Pixels) -> Path:
    words = "Background Color=E6E6E6;White Balance=0;Objective Power=10;JPEG Quality=50;"
    return _write(path, picture, software="MedScan", description=words, resolution=(0.5, 0.5))


def test_a_vendor_only_openslide_knows(tmp_path: Path, picture: Pixels) -> None:
    with open_slide(_trestle(tmp_path / "a.tif", picture)) as slide:
        assert (slide.name, slide.metadata.vendor) == ("openslide", "trestle")
        assert slide.metadata.objective_power == 10
        assert slide.metadata.mpp is not None
        assert np.array_equal(slide.pixels(0, _WHOLE), picture)
        assert (slide.pixels(0, Region(900, 0, 20, 20)) == 255).all()


def test_aperio_33003_is_left_to_openslide(tmp_path: Path, picture: Pixels) -> None:
    words = "Aperio Image Library v11\r\n900x600|MPP = 0.5|AppMag = 20"
    path = _write(tmp_path / "a.svs", picture, compression=33003, description=words)
    with open_slide(path) as slide, OpenSlide(path) as judge:
        assert (slide.name, slide.metadata.vendor) == ("openslide", "aperio")
        assert slide.metadata.mpp is not None
        assert slide.metadata.mpp.mean == 0.5
        expected = np.asarray(judge.read_region((100, 50), 0, (300, 300)))[:, :, :3]
        assert np.array_equal(slide.pixels(0, Region(100, 50, 300, 300)), expected)


def test_plain_tiffs_are_not_left_to_openslide(tmp_path: Path, picture: Pixels) -> None:
    with open_slide(_write(tmp_path / "a.tif", picture)) as slide:
        assert slide.name == "tiff"


class _Layered:
    """Stands in for OpenSlide: a slide that is half scanned, on a grey background."""

    level_downsamples = (1.0, 2.0005, 4.0)
    level_dimensions = ((400, 200), (199, 100), (100, 50))
    properties: ClassVar = {"openslide.vendor": "mirax", "openslide.background-color": "C0C0C0"}
    color_profile = None
    asked: ClassVar[list[tuple[tuple[int, int], int, tuple[int, int]]]] = []

    def __init__(self, _path: Path) -> None:
        self.asked.clear()

    @staticmethod
    def detect_format(path: Path) -> str | None:
        return "mirax" if path.suffix == ".mrxs" and path.stat().st_size else None

    def read_region(
        self, corner: tuple[int, int], level: int, size: tuple[int, int]
    ) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        self.asked.append((corner, level, size))
        image = np.full((size[1], size[0], 4), (200, 0, 100, 255), np.uint8)
        image[:, size[0] // 2 :] = 0
        return image

    def close(self) -> None:
        pass


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A MIRAX delivery: the .mrxs beside the folder of its data."""
    monkeypatch.setattr("processing.readers.openslide_formats.OpenSlide", _Layered)
    (tmp_path / "case" / "case").mkdir(parents=True)
    (tmp_path / "case" / "case" / "Data0000.dat").write_bytes(b"data")
    (tmp_path / "case" / "case.mrxs").write_bytes(b"\xff\xd8")
    return tmp_path / "case"


def test_a_folder_is_opened_by_its_main_file(folder: Path) -> None:
    with open_slide(folder) as slide:
        assert slide.metadata.vendor == "mirax"
        # The level 2.0005 times smaller has no exact positions: it is derived instead.
        assert [(at.size.width, at.size.height) for at in slide.levels] == [(400, 200), (100, 50)]
        pixels = slide.pixels(1, Region(90, 10, 20, 20))
        assert _Layered.asked == [((360, 40), 2, (10, 20))]
    assert (pixels[:, :5] == (200, 0, 100)).all()
    assert (pixels[:, 5:10] == 0xC0).all()
    assert (pixels[:, 10:] == 255).all()


def test_two_slides_in_one_folder_are_refused(folder: Path) -> None:
    (folder / "other.mrxs").write_bytes(b"\xff\xd8")
    with pytest.raises(Unsupported, match="2 slides"), open_slide(folder):
        pass


def test_a_folder_of_something_else_is_no_slide(folder: Path) -> None:
    (folder / "case.mrxs").unlink()
    with pytest.raises(NotASlide), open_slide(folder):
        pass


def test_a_damaged_macro_does_not_hide_the_slide(slides_dir: Path, tmp_path: Path) -> None:
    """OpenSlide's handle refuses all work after one error, so the macro gets its own."""
    source = slides_dir / "hamamatsu/test3-DAPI-2-387.ndpi"
    with tifffile.TiffFile(source) as file:
        macro = next(page for page in file.pages if page.shape[:2] == (406, 1188))
        start, count = macro.dataoffsets[0], sum(macro.databytecounts)
        listed = file.pages.first.tags[65426].offset
    data = bytearray(source.read_bytes())
    # Under another number nobody looks for it: without the list the file is left to OpenSlide.
    data[listed : listed + 2] = (65430).to_bytes(2, "little")
    data[start + count // 2 : start + count] = bytes(count - count // 2)
    path = tmp_path / "macro.ndpi"
    path.write_bytes(data)
    with open_slide(path) as slide:
        assert slide.name == "openslide"
        slide.associated_images()
        assert slide.pixels(0, Region(0, 0, 64, 64)).shape == (64, 64, 3)
