"""DICOMweb from outside: the reference client's command, wsidicom, Slim's engine, Orthanc, curl."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser
from pydicom.uid import UID
from requests import Session
from wsidicom import WsiDicom, WsiDicomWebClient

from processing.tiles import Tiles
from storage.pyramids import Pyramids
from storage.records.geometry import Region, Size
from storage.tiles import OpenPyramid, TileStore
from tests.journeys.dicom_microscopy_viewer import Shown, files, served, show
from tests.journeys.running import Running
from tests.orthanc import Orthanc, an_orthanc

pytestmark = pytest.mark.journey
SLIDES = {
    "svs": "aperio/CMU-1-Small-Region.svs",
    "giardia": "pyramid-tiff/giardia-HE-20x.tif",
    "channels": "dicom-fluorescence/BPAEC",
}
SENT = "radiology/CT1_J2KI.dcm"
CLIENT = Path(sys.executable).with_name("dicomweb_client")


class OfBytes(WsiDicomWebClient):
    """dicomweb-client gives frames as bytearray, of which pydicom 3 makes a list: as bytes."""

    def get_frames(
        self,
        study_uid: UID,
        series_uid: UID,
        instance_uid: UID,
        frame_indices: list[int],
        transfer_syntax: UID,
    ) -> Iterator[bytes]:
        got: Iterable[bytes] = super().get_frames(
            study_uid, series_uid, instance_uid, frame_indices, transfer_syntax
        )
        return (bytes(frame) for frame in got)


@dataclass
class Web:
    """A svartid with three slides, and Orthanc beside it."""

    up: Running
    orthanc: Orthanc
    slides: dict[str, str]
    """Slide id by name."""
    series: dict[str, tuple[str, str]] = field(default_factory=dict)
    """StudyInstanceUID and SeriesInstanceUID of each."""

    @property
    def root(self) -> str:
        return f"{self.up.url}/dicom-web"

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.up.token('technician')}"}

    def get(self, path: str, **headers: str) -> httpx.Response:
        answer = httpx.get(self.root + path, headers=self.bearer | headers, timeout=60)
        return answer.raise_for_status()

    def instances(self, name: str) -> list[str]:
        """Addresses of a slide's instances."""
        study, series = self.series[name]
        found = self.get(f"/studies/{study}/series/{series}/instances").json()
        uids = [at["00080018"]["Value"][0] for at in found]
        return [f"/studies/{study}/series/{series}/instances/{uid}" for uid in uids]


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory, slides_dir: Path) -> Iterator[Web]:
    folder = tmp_path_factory.mktemp("web")
    with Running(folder) as up, an_orthanc(folder / "orthanc") as orthanc:
        lines = up.command("ingest", *(slides_dir / path for path in SLIDES.values()))
        ids = dict(zip(SLIDES, (str(line["slide_id"]) for line in lines), strict=True))
        made = Web(up, orthanc, ids)
        widths = {}
        for at in made.get("/instances?Modality=SM&includefield=00480006").json():
            pair = at["0020000D"]["Value"][0], at["0020000E"]["Value"][0]
            widths[pair] = max(widths.get(pair, 0), at["00480006"]["Value"][0])
        for name, slide_id in ids.items():
            width = up.get(f"/api/v1/slides/{slide_id}", "technician")["width"]
            (made.series[name],) = (pair for pair, known in widths.items() if known == width)
        server = {"Url": made.root + "/", "HttpHeaders": made.bearer, "ChunkedTransfers": True}
        httpx.put(f"{orthanc.web_url}/servers/svartid", json=server).raise_for_status()
        yield made


def test_the_reference_clients_command_finds_retrieves_and_stores(
    web: Web, slides_dir: Path, tmp_path: Path
) -> None:
    found = json.loads(_client(web, "search", "series", "--filter", "Modality=SM"))
    assert len(found) == len(SLIDES)
    study, series = web.series["svs"]
    of = ["--study", study, "--series", series]
    metadata = json.loads(_client(web, "retrieve", "series", *of, "metadata"))
    assert len(metadata) == len(web.instances("svs"))
    _client(web, "store", "instances", str(slides_dir / SENT))
    sent = pydicom.dcmread(slides_dir / SENT)
    names = ["--study", sent.StudyInstanceUID, "--series", sent.SeriesInstanceUID]
    _client(web, "retrieve", "instances", *names, "--instance", sent.SOPInstanceUID,
            "full", "--save", "--output-dir", str(tmp_path))  # fmt: skip
    (file,) = tmp_path.iterdir()
    assert pydicom.dcmread(file).PixelData == sent.PixelData


def _client(web: Web, *words: str) -> str:
    command = [CLIENT, "--url", web.root, "--bearer-token", web.up.token("technician"), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", ["svs", "giardia"])
def test_regions_by_wsidicom_have_the_hashes_of_ours(name: str, web: Web) -> None:
    tiles, pyramid = _ours(web, name)
    with _opened(web, name) as slide:
        sizes = [at.size for at in pyramid.record.plan.levels]
        assert [(at.size.width, at.size.height) for at in slide.levels] == [
            (at.width, at.height) for at in sizes
        ]
        for number, level in enumerate(slide.levels):
            for region in _some_regions(sizes[number], number):
                box = (region.x, region.y), level.level, (region.width, region.height)
                theirs = np.asarray(slide.read_region(*box).convert("RGB"))
                assert _hash(theirs) == _hash(tiles.region(pyramid, number, region)), (number, box)


def test_channels_by_wsidicom_are_the_samples_of_ours(web: Web) -> None:
    tiles, pyramid = _ours(web, "channels")
    size = pyramid.record.plan.size
    with _opened(web, "channels") as slide:
        for channel in range(pyramid.record.plan.planes):
            for region in _some_regions(size, channel):
                box = (region.x, region.y), 0, (region.width, region.height)
                theirs = np.asarray(slide.read_region(*box, path=str(channel + 1)))
                ours = tiles.plane(pyramid, 0, channel, region)
                assert _hash(theirs.astype(ours.dtype)) == _hash(ours)


def _opened(web: Web, name: str) -> WsiDicom:
    session = Session()
    session.headers.update(web.bearer)
    study, series = web.series[name]
    return WsiDicom.open_web(OfBytes.create_client(web.root, auth=session), study, series)


def _ours(web: Web, name: str) -> tuple[Tiles, OpenPyramid]:
    data = web.up.data
    tiles = Tiles(
        TileStore(Pyramids(data / "pyramids", data / "staging", data / "cold")), data / "made"
    )
    return tiles, tiles.pyramid(web.slides[name])


def _some_regions(size: Size, seed: int) -> Iterator[Region]:
    pick = np.random.default_rng(seed)
    width, height = min(size.width, 500), min(size.height, 400)
    for _ in range(3):
        x = int(pick.integers(0, size.width - width + 1))
        yield Region(x, int(pick.integers(0, size.height - height + 1)), width, height)


def _hash(pixels: NDArray[Any]) -> str:
    return hashlib.sha256(np.ascontiguousarray(pixels).tobytes()).hexdigest()


@pytest.mark.parametrize("name", SLIDES)
def test_slims_engine_shows_it_in_chromium(
    name: str, web: Web, browser: Browser, screenshots: Path
) -> None:
    files()
    page = browser.new_page(viewport={"width": 900, "height": 600})
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    with served(web.up.url, web.up.token("technician")) as address:
        shown = show(page, address, *web.series[name])
        page.screenshot(path=screenshots / f"dicom-microscopy-viewer-{name}.png")
    page.close()
    assert (shown.failed, errors) == ([], [])
    assert isinstance(shown, Shown)
    assert shown.loaded >= 2
    with Image.open(screenshots / f"dicom-microscopy-viewer-{name}.png") as picture:
        middle = np.asarray(picture.convert("RGB"))[150:450, 250:650]
    assert middle.std() > 10, "nothing has been drawn"


def test_orthanc_pulls_whole_slides_byte_for_byte(web: Web) -> None:
    for name in SLIDES:
        study, _ = web.series[name]
        body = {"Resources": [{"Study": study}], "Synchronous": True}
        address = f"{web.orthanc.web_url}/servers/svartid/retrieve"
        httpx.post(address, json=body, timeout=120).raise_for_status()
    kept = web.orthanc.instances()
    for name in SLIDES:
        for path in web.instances(name):
            ours = web.get(path, Accept="application/dicom").content
            theirs = web.orthanc.file(kept[path.rpartition("/")[2]])
            assert hashlib.sha256(ours).digest() == hashlib.sha256(theirs).digest(), path


def test_orthanc_stores_here(web: Web, slides_dir: Path) -> None:
    """In chunks, with a boundary longer than the standard allows."""
    file = slides_dir / "radiology" / "pydicom-examples_ybr_color.dcm"
    made = httpx.post(f"{web.orthanc.url}/instances", content=file.read_bytes()).json()
    body = {"Resources": [made["ID"]], "Synchronous": True}
    address = f"{web.orthanc.web_url}/servers/svartid/stow"
    answer = httpx.post(address, json=body, timeout=60).raise_for_status().json()
    assert int(answer["InstancesCount"]) == 1
    dataset = pydicom.dcmread(file)
    found = web.get(f"/studies/{dataset.StudyInstanceUID}/metadata").json()
    assert [at["00080018"]["Value"] for at in found] == [[dataset.SOPInstanceUID]]


def test_curl_goes_on_where_it_was_cut_off(web: Web, tmp_path: Path) -> None:
    path = max(web.instances("giardia"), key=lambda at: at.endswith(".1.0"))
    whole = web.get(path, Accept="application/dicom").content
    file = tmp_path / "level.dcm"
    file.write_bytes(whole[: len(whole) // 3])
    bearer = web.bearer["Authorization"]
    subprocess.run(
        ["curl", "-sf", "-C", "-", "-o", file, "-H", f"Authorization: {bearer}",
         "-H", "Accept: application/dicom", web.root + path],
        check=True, timeout=60,
    )  # fmt: skip
    assert file.read_bytes() == whole


def test_the_last_frame_is_as_quick_as_the_first(web: Web) -> None:
    """And neither opens what lies between: each is one read."""
    path = next(at for at in web.instances("giardia") if at.endswith(".1.0"))
    count = web.get(path + "/metadata").json()[0]["00280008"]["Value"][0]
    times = {1: [], count: []}
    with httpx.Client(base_url=web.root, headers=web.bearer) as client:
        client.get(f"{path}/frames/2")
        for _ in range(60):
            for number, spent in times.items():
                answer = client.get(f"{path}/frames/{number}")
                assert answer.status_code == 200
                spent.append(answer.elapsed.total_seconds())
    first, last = (float(np.median(at)) for at in times.values())
    assert last < 3 * first + 0.002


def test_no_name_of_a_patient_in_the_log(web: Web) -> None:
    text = web.up.log.read_text() + "".join(
        file.read_text() for file in (web.up.data / "logs").glob("*")
    )
    assert not re.search(r"Traceback|CompressedSamples", text)
