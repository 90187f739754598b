"""First light, end to end and from outside: the scanner's file to the pathologist's screen.

What is stored is read by zarr-python, ome-zarr-py and zarrita, and judged by OpenSlide, tifffile,
pydicom and Pillow. The screens are written down in `first_light_screens.py`. Killing it at any
moment is `test_killed.py`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import httpx
import numpy as np
import pytest
import zarr
from ome_zarr.io import parse_url
from ome_zarr.reader import Reader
from ome_zarr_models.v05 import Image as OmeImage
from playwright.sync_api import Browser

from tests.journeys import foreign
from tests.journeys.delivery import BROKEN, BY_UPLOAD, BY_WATCH_FOLDER, SLIDES, Delivered
from tests.journeys.first_light_screens import (  # noqa: F401 - collected here, after the rest
    test_a_deep_link_shows_a_colleague_the_same_field,
    test_a_pathologist_signs_in_reads_and_sees_what_arrives,
    test_an_upload_survives_a_broken_line,
    test_every_page_in_danish_and_english_small_and_wide,
    test_ops_release_and_retry_a_quarantined_file,
    test_prefects_own_screens_are_for_ops_only,
    test_right_and_bottom_edge_are_drawn_without_squeezing,
    test_the_microscope_moves_by_mouse_and_keys,
)
from tests.journeys.foreign import Foreign
from tests.journeys.running import Running
from tests.journeys.zarrita_reader import Zarrita

pytestmark = [pytest.mark.journey, pytest.mark.slides]

REGIONS = 200
SAME_PIXELS = ("giardia", "cmu-svs", "cmu-dicom", "camelyon", "ome-1", "ome-2", "ndpi")
"""Their JPEG tiles are copied: no pixel may differ."""
ENCODED = {"tcga": (1.5, 40.0), "strip": (0.3, 52.0)}
"""Encoded once (JPEG Q90 4:4:4). The bound: mean absolute difference in grey levels, PSNR in dB.
Measured: 1.18 and 41.5; 0.13 and 55.7."""
STREAMS = {
    "giardia": foreign.tiff_streams,
    "cmu-svs": foreign.tiff_streams,
    "ome-1": foreign.tiff_streams,
    "ome-2": foreign.tiff_streams,
    "cmu-dicom": foreign.dicom_streams,
    "camelyon": foreign.dicom_streams,
}


def judge(key: str, source: Path) -> AbstractContextManager[Foreign]:
    """OpenSlide where it opens the file and is right, tifffile for OME and strips; for CMU-1 as
    DICOM, whose tag says RGB over streams of YCbCr, the streams decoded each by itself."""
    if key in {"ome-1", "ome-2", "strip"}:
        return foreign.by_tifffile(source)
    if key == "cmu-dicom":
        return foreign.by_pydicom(source)
    return foreign.by_openslide(source)


def differences(slide: Delivered, other: Foreign, seed: int) -> Iterator[np.ndarray]:
    """Ours minus theirs of every region, as zarr-python reads ours."""
    level = zarr.open_group(slide.pyramid, mode="r")["0"]
    assert level.shape == (3, other.size[1], other.size[0])
    for x, y, width, height in foreign.random_boxes(other.size, REGIONS, seed):
        ours = level[:, y : y + height, x : x + width].transpose(1, 2, 0)
        yield ours.astype(np.int16) - other.read((x, y, width, height))


@pytest.mark.timeout(300)
def test_slides_come_in_by_command_watch_folder_and_upload(
    running: Running, delivered: dict[str, Delivered]
) -> None:
    assert running.seconds_to_viewer < running.seconds_to_ready < 60
    assert set(delivered) == set(SLIDES)
    listed = {line["slide_id"]: line for line in running.command("slides")}
    assert set(listed) >= {slide.slide_id for slide in delivered.values()}
    for key, slide in delivered.items():
        row = running.intake_of(slide.document["name"])
        assert row is not None
        way = "watch" if key in BY_WATCH_FOLDER else "upload" if key in BY_UPLOAD else "command"
        assert (row["state"], row["source"]) == ("complete", way)
    assert not any((running.data / "incoming").iterdir())


def test_each_slide_is_reported_by_a_flow_run(
    running: Running, delivered: dict[str, Delivered]
) -> None:
    runs = running.get("/api/v1/ops")["flow_runs"]
    reported = {run["slide_id"] for run in runs}
    assert reported >= {slide.slide_id for slide in delivered.values()}
    names = " ".join(run["name"] for run in runs)
    assert not any(Path(path).stem in names for path in SLIDES.values())


def test_ingesting_again_finds_the_slide_present(
    running: Running, delivered: dict[str, Delivered]
) -> None:
    slide = delivered["cmu-svs"]
    (line,) = running.command("ingest", slide.source)
    assert (line["status"], line["slide_id"]) == ("present", slide.slide_id)
    (told,) = running.command("ingest", slide.source.parent / Path(BROKEN).name, expect=1)
    assert told["status"] == "quarantined"
    assert "broken.svs" in told["path"]
    assert told["error"]


@pytest.mark.parametrize("key", SAME_PIXELS)
def test_copied_slides_have_the_scanners_pixels(key: str, delivered: dict[str, Delivered]) -> None:
    slide = delivered[key]
    with judge(key, slide.source) as other:
        unequal = [at for at in differences(slide, other, seed=1) if at.any()]
    assert unequal == []


@pytest.mark.parametrize("key", ENCODED)
def test_encoded_slides_stay_within_the_bound(key: str, delivered: dict[str, Delivered]) -> None:
    slide = delivered[key]
    assert "encoded_once" in slide.document["notices"]
    with judge(key, slide.source) as other:
        errors = np.concatenate([at.ravel() for at in differences(slide, other, seed=2)])
    mean = float(np.abs(errors).mean())
    psnr = 10 * math.log10(255**2 / float((errors.astype(np.float64) ** 2).mean()))
    most_mean, least_psnr = ENCODED[key]
    print(f"{key}: mean {mean:.3f}, PSNR {psnr:.1f} dB, most {np.abs(errors).max()}")
    assert mean <= most_mean
    assert psnr >= least_psnr


def test_the_dicom_slide_with_the_lying_tag_looks_like_the_svs(
    delivered: dict[str, Delivered],
) -> None:
    slide = delivered["cmu-dicom"]
    assert "colour_tag_disagrees" in slide.document["notices"]
    with foreign.by_openslide(delivered["cmu-svs"].source) as svs:
        apart = [np.abs(at).mean() for at in differences(slide, svs, seed=3) if at.size > 300]
    assert float(np.mean(apart)) < 5, "it was encoded anew from the SVS, so near and not equal"


@pytest.mark.parametrize("key", STREAMS)
def test_every_chunk_is_the_scanners_bytes(key: str, delivered: dict[str, Delivered]) -> None:
    slide = delivered[key]
    streams = STREAMS[key](slide.source)
    array = json.loads((slide.pyramid / "0" / "zarr.json").read_bytes())
    edge = array["codecs"][0]["configuration"]["chunk_shape"][2]
    per_shard = array["chunk_grid"]["configuration"]["chunk_shape"][2] // edge
    _, height, width = array["shape"]
    grid = -(-width // edge), -(-height // edge)
    chunks = list(foreign.stored_chunks(slide.pyramid / "0", *grid, per_shard))
    assert len(chunks) == len(streams)
    assert [
        at for at, pair in enumerate(zip(chunks, streams, strict=True)) if pair[0] != pair[1]
    ] == []


@pytest.mark.parametrize("key", SLIDES)
def test_ome_zarr_models_validates_and_ome_zarr_reads(
    key: str, delivered: dict[str, Delivered]
) -> None:
    slide = delivered[key]
    group = zarr.open_group(slide.pyramid, mode="r")
    image = OmeImage.from_zarr(group)
    datasets = image.ome_attributes.multiscales[0].datasets
    assert [at.path for at in datasets] == [str(at) for at in range(len(slide.document["levels"]))]
    (node,) = [at for at in Reader(parse_url(slide.pyramid))() if at.data]
    assert [at.shape for at in node.data] == [group[at.path].shape for at in datasets]
    for level, lazy in enumerate(node.data):
        corner = lazy[:, -64:, -64:].compute()
        assert np.array_equal(corner, group[str(level)][:, -64:, -64:])


@pytest.mark.timeout(120)
def test_zarrita_reads_equal_pixels(
    browser: Browser, running: Running, delivered: dict[str, Delivered]
) -> None:
    """0 difference: Chromium's JPEG decoder agrees with ours to the last bit."""
    reader = Zarrita(browser, running.data / "pyramids")
    try:
        giardia = zarr.open_group(delivered["giardia"].pyramid, mode="r")
        documented = reader.read_as_documented(delivered["giardia"].slide_id)
        assert np.array_equal(documented, giardia["0"][:, 4000:4512, 9000:9512])
        for key, slide in delivered.items():
            group = zarr.open_group(slide.pyramid, mode="r")
            levels = len(slide.document["levels"]) if key in {"cmu-svs", "tcga"} else 1
            for level in range(levels):
                _, height, width = group[str(level)].shape
                for x, y, wide, high in foreign.random_boxes((width, height), 8, seed=level)[3:5]:
                    theirs = reader.read(slide.slide_id, level, (x, y, wide, high))
                    ours = group[str(level)][:, y : y + high, x : x + wide]
                    assert np.array_equal(theirs, ours), f"{key} level {level}"
    finally:
        reader.close()


def test_the_browsers_tiles_are_the_stored_bytes(
    running: Running, delivered: dict[str, Delivered]
) -> None:
    slide = delivered["cmu-svs"]
    columns, rows, edge = 10, 13, slide.document["tile_size"]
    top = (max(slide.document["width"], slide.document["height"]) - 1).bit_length()
    chunks = list(foreign.stored_chunks(slide.pyramid / "0", columns, rows, 3840 // edge))
    with running.client("pathologist") as client:
        for at, chunk in enumerate(chunks):
            tile = client.get(_tile(slide, top, at % columns, at // columns))
            assert (tile.status_code, tile.content) == (200, chunk)
        assert client.get(_tile(slide, top, columns, 0)).status_code == 404
    assert httpx.get(running.url + _tile(slide, top, 0, 0)).status_code == 401


def _tile(slide: Delivered, level: int, column: int, row: int) -> str:
    return f"/slides/{slide.slide_id}_files/{level}/{column}_{row}.jpeg"


def test_originals_come_back_and_verify_is_clean(
    running: Running, delivered: dict[str, Delivered], tmp_path: Path
) -> None:
    slide, series = delivered["cmu-svs"], delivered["cmu-dicom"]
    running.run("export", slide.slide_id, "--to", "original", "-o", tmp_path / "back.svs")
    assert (tmp_path / "back.svs").read_bytes() == slide.source.read_bytes()
    running.run("export", series.slide_id, "--to", "original", "-o", tmp_path / "back")
    assert sorted(file.read_bytes() for file in (tmp_path / "back").iterdir()) == sorted(
        file.read_bytes() for file in series.source.iterdir()
    )
    running.run("export", slide.slide_id, "--to", "ome-zarr", "-o", tmp_path / "copy.ome.zarr")
    copy = zarr.open_group(tmp_path / "copy.ome.zarr", mode="r")
    ours = zarr.open_group(slide.pyramid, mode="r")
    assert np.array_equal(copy["2"][:], ours["2"][:])
    lines = running.command("verify")
    assert {line["slide_id"] for line in lines} >= {at.slide_id for at in delivered.values()}
    assert {line["status"] for line in lines} == {"ok"}
    region = ("--level", "0", "--x", "2000", "--y", "2700", "--width", "220", "--height", "267")
    done = running.run("region", slide.slide_id, *region, "-o", tmp_path / "corner.png")
    assert done.returncode == 0, done.stderr
    with foreign.by_openslide(slide.source) as other:
        corner = foreign.decode((tmp_path / "corner.png").read_bytes())
        assert np.array_equal(corner, other.read((2000, 2700, 220, 267)))
