"""The SVS is what Aperio's own is to OpenSlide and to tifffile."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import openslide
import pytest
import tifffile
import zxingcpp

from processing.paint import Painting, write_svs


def test_openslide_sees_an_aperio_slide(svs: Path, painting: Painting) -> None:
    with openslide.OpenSlide(svs) as slide:
        assert slide.detect_format(svs) == "aperio"
        assert slide.level_dimensions == ((3000, 2300), (750, 575), (187, 143))
        assert float(slide.properties["openslide.mpp-x"]) == painting.mpp
        assert slide.properties["openslide.objective-power"] == "20"
        assert slide.properties["aperio.Barcode"] == painting.barcode
        assert set(slide.associated_images) == {"label", "macro", "thumbnail"}
        assert "openslide.icc-size" in slide.properties


@pytest.mark.parametrize("photometric", ["ycbcr", "rgb"])
def test_tiles_decode_to_what_was_painted(tmp_path: Path, photometric: str) -> None:
    painting, path = Painting(1500, 1200, seed=1), tmp_path / "x.svs"
    write_svs(painting, path, quality=90, photometric=photometric)  # type: ignore[arg-type]
    with openslide.OpenSlide(path) as slide:
        shown = np.asarray(slide.read_region((300, 200), 0, (900, 800)).convert("RGB"))
        coarse = np.asarray(slide.read_region((0, 0), 1, (375, 300)).convert("RGB"))
    painted = painting.region(300, 200, 900, 800)
    assert np.abs(shown.astype(int) - painted).mean() < 3.5
    whole = painting.region(0, 0, 1500, 1200).reshape(300, 4, 375, 4, 3).mean(axis=(1, 3))
    assert np.abs(coarse - whole).mean() < 4


def test_structure_is_aperios(svs: Path) -> None:
    with tifffile.TiffFile(svs) as tiff:
        assert tiff.is_bigtiff
        assert tiff.is_svs
        first, thumbnail, *_, label, macro = (page.aspage() for page in tiff.pages)
        assert first.tags[530].value == (2, 2)
        assert first.tags[262].value == 6
        assert first.jpegtables[:4] == b"\xff\xd8\xff\xdb"
        assert not thumbnail.is_tiled
        assert (label.tags[254].value, macro.tags[254].value) == (1, 9)
        assert label.description.splitlines()[1] == "label 576x576"
        assert macro.description.splitlines()[1] == "macro 1275x425"
        assert b"Adobe" not in svs.read_bytes()


@pytest.mark.parametrize("name", ["label", "macro"])
def test_barcode_is_read_from_the_picture(svs: Path, painting: Painting, name: str) -> None:
    with openslide.OpenSlide(svs) as slide:
        picture = np.asarray(slide.associated_images[name].convert("RGB"))
    assert [code.text for code in zxingcpp.read_barcodes(picture)] == [painting.barcode]


def test_same_arguments_same_bytes(svs: Path, painting: Painting, tmp_path: Path) -> None:
    again = tmp_path / "again.svs"
    write_svs(painting, again)
    digests = {hashlib.sha256(path.read_bytes()).digest() for path in (svs, again)}
    assert len(digests) == 1


def test_nothing_is_left_of_a_failure(painting: Painting, tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_svs(painting, tmp_path / "never.svs", progress=stop)
    assert list(tmp_path.iterdir()) == []
