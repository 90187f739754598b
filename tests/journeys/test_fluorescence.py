"""Fluorescence, end to end: a DICOM series and a 12-bit OME-TIFF to the channel panel and back."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pydicom
import pytest
import tifffile
import zarr
from ome_zarr_models.v05 import Image as OmeImage
from playwright.sync_api import Browser

from tests.contracts.fluorescence import Planes, cells, write_ome_tiff
from tests.journeys.running import Running, wait_for
from tests.journeys.screens import Screen, signed_in
from tests.journeys.zarrita_reader import Zarrita

pytestmark = pytest.mark.journey

_ROWS = "#channels .channel"


@pytest.fixture(scope="module")
def planes() -> Planes:
    return cells((2503, 1999))


@pytest.fixture(scope="module")
def painted(running: Running, planes: Planes, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A 12-bit OME-TIFF of three channels without smaller copies, read in."""
    path = tmp_path_factory.mktemp("cells") / "cells.ome.tif"
    write_ome_tiff(path, planes, levels=1)
    return _ingested(running, path)


def _ingested(running: Running, path: Path) -> str:
    (line,) = running.command("ingest", path)
    running.wait_for_state(path.name, "complete")
    return str(line["slide_id"])


@pytest.mark.slides
def test_the_genuine_series_is_kept_sample_for_sample(running: Running, slides_dir: Path) -> None:
    source = slides_dir / "dicom-fluorescence/BPAEC"
    slide_id = _ingested(running, source)
    group = zarr.open_group(running.pyramid(slide_id), mode="r")
    assert OmeImage.from_zarr(group).ome_attributes.multiscales[0].axes[0].name == "c"
    for level, name in ((0, "5_0"), (1, "6_0"), (2, "7_0"), (3, "8_0")):
        dataset = pydicom.dcmread(source / name)
        stored = group[str(level)][:]
        _, height, width = stored.shape
        columns, rows = -(-width // 1024), -(-height // 1024)
        frames = dataset.pixel_array.reshape(3, rows, columns, 1024, 1024)
        whole = frames.transpose(0, 1, 3, 2, 4).reshape(3, rows * 1024, columns * 1024)
        assert np.array_equal(stored, whole[:, :height, :width])
    document = running.get(f"/api/v1/slides/{slide_id}", "pathologist")
    assert [at["name"] for at in document["channels"]["list"]] == ["Green", "Blue", "Red"]
    (line,) = running.command("verify", slide_id)
    assert line["status"] == "ok"


def test_zarr_reads_twelve_bits_and_the_command_writes_them(
    running: Running, painted: str, planes: Planes, tmp_path: Path
) -> None:
    group = zarr.open_group(running.pyramid(painted), mode="r")
    assert np.array_equal(group["0"][:], planes)
    omero = json.loads((running.pyramid(painted) / "zarr.json").read_bytes())
    windows = [at["window"] for at in omero["attributes"]["ome"]["omero"]["channels"]]
    assert [at["max"] for at in windows] == [4095] * 3
    place = ("--x", "700", "--y", "900", "--width", "301", "--height", "203")
    for form, read in (
        ("tiff", tifffile.imread),
        ("npy", np.load),
        ("png16", lambda path: cv2.imread(str(path), cv2.IMREAD_UNCHANGED)),
    ):
        out = tmp_path / f"part.{form}"
        done = running.run("region", painted, *place, "--channel", "1", "--format", form, "-o", out)
        assert done.returncode == 0, done.stderr
        assert np.array_equal(read(out), planes[1, 900:1103, 700:1001])
    wrong = running.run(
        "region", painted, *place, "--channels", "9:0-1:FFFFFF", "-o", tmp_path / "x.png"
    )
    assert wrong.returncode != 0
    assert "Traceback" not in wrong.stderr


def test_zarrita_needs_nothing_of_ours(
    browser: Browser, running: Running, painted: str, planes: Planes
) -> None:
    reader = Zarrita(browser, running.data / "pyramids")
    try:
        box = (400, 300, 700, 500)
        found = reader.read(painted, 0, box)
        assert found.dtype == np.uint16
        assert np.array_equal(found, planes[:, 300:800, 400:1100])
    finally:
        reader.close()


def test_a_pathologist_chooses_what_is_seen(
    browser: Browser, running: Running, painted: str, screenshots: Path
) -> None:
    with signed_in(browser, running, screenshots) as screen:
        page = screen.page
        screen.open(f"/slides/{painted}")
        screen.settle()
        assert screen.texts("#channels h2") == ["Kanaler"]
        assert [text.split("\n")[0] for text in screen.texts(_ROWS)] == ["DAPI", "FITC", "Cy5"]
        assert "461 nm" in screen.texts(_ROWS)[0]
        assert min(_light(screen)) > 3
        screen.shoot("fluorescence")

        page.locator(f"{_ROWS} input[type=checkbox]").nth(0).uncheck()
        page.locator(f"{_ROWS} input[type=checkbox]").nth(2).uncheck()
        # JPEG lets a trace of a colour into the others.
        wait_for(lambda: max(_light(screen)[::2]) < 0.2 * _light(screen)[1], 10, "green alone")
        wait_for(lambda: "&c=1:" in _address(screen), 10, "the address says so")

        brighter = page.locator(f"{_ROWS} input[type=number]").nth(3)
        green = _light(screen)[1]
        brighter.fill("700")
        brighter.press("Tab")
        wait_for(lambda: _light(screen)[1] > 1.3 * green, 10, "a narrower window is brighter")
        slider = page.locator(f"{_ROWS} input[type=range]").nth(3)
        assert slider.get_attribute("aria-valuetext") == "gråtone 700 af 4.095"
        slider.focus()
        page.keyboard.press("ArrowLeft")
        assert brighter.input_value() == "699"
        wait_for(lambda: "-699:00FF00" in _address(screen), 10, "the address says so")
        screen.shoot("fluorescence-green")
        shown, address = _light(screen), _address(screen)

        page.locator("#channels footer button").nth(0).click()
        wait_for(lambda: brighter.input_value() != "699", 10, "windows from the field")
        page.locator("#channels footer button").nth(1).click()
        wait_for(lambda: "&c=" not in _address(screen), 10, "as the slide came")
        page.locator("#canvas").focus()
        page.keyboard.press("c")
        assert not page.locator("#channels").is_visible()

        page.goto(f"{running.url}/")
        page.goto(address)
        screen.settle()
        wait_for(lambda: np.allclose(_light(screen), shown, atol=0.5), 10, "a colleague sees it")


def test_english_and_no_panel_for_brightfield(
    browser: Browser, running: Running, painted: str, painted_svs: Path, screenshots: Path
) -> None:
    brightfield = _ingested(running, painted_svs)
    with signed_in(browser, running, screenshots, locale="en-GB") as screen:
        screen.open(f"/slides/{painted}")
        screen.settle()
        assert screen.texts("#channels h2") == ["Channels"]
        assert "12 bit, grey levels 0 to 4,095" in screen.texts("#channels header")[0]
        assert "Black up to" in screen.texts(_ROWS)[0]
        screen.shoot("fluorescence-en")
        screen.open(f"/slides/{brightfield}")
        screen.settle()
        for selector in ("#channels", "#channels-toggle"):
            assert not screen.page.locator(selector).is_visible()
        screen.page.locator("#canvas").focus()
        screen.page.keyboard.press("c")
        assert not screen.page.locator("#channels").is_visible()


def _light(screen: Screen) -> tuple[float, float, float]:
    """Mean red, green and blue of the slide's middle as it is on the screen."""
    red, green, blue = screen.pixels()[300:600, 350:750].mean(axis=(0, 1))
    return float(red), float(green), float(blue)


def _address(screen: Screen) -> str:
    return str(screen.ask("() => location.href"))
