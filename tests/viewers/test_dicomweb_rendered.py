"""Rendered: pictures of instances and frames, and thumbnails of everything."""

from __future__ import annotations

import io
import threading
import time
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from starlette.testclient import TestClient

from storage.errors import Transient
from tests.journeys.running import wait_for
from tests.viewers.archive import ROOT, SERIES, STUDY, Archive, parts_of, store
from tests.viewers.asgi import call
from tests.viewers.test_dicomweb_store import Ward
from viewers.dicomweb_rendered import ROOM


@pytest.fixture(scope="module")
def client(archive: Archive) -> TestClient:
    return archive.client()


def picture(answer: Any, kind: str = "JPEG") -> NDArray[np.uint8]:  # noqa: ANN401
    assert answer.status_code == 200, answer.text
    made = Image.open(io.BytesIO(answer.content))
    assert made.format == kind
    assert answer.headers["content-type"] == f"image/{kind.lower()}"
    return np.asarray(made)


def slide(archive: Archive, number: int) -> str:
    return f"{archive.slide_address}/instances/{archive.slide}.1.{number}"


def test_grey_through_its_window(client: TestClient, archive: Archive) -> None:
    """Values 1 to 991 through the window of the header, 0 to 1000."""
    png = {"Accept": "image/png"}
    seen = picture(client.get(archive.address(0) + "/rendered", headers=png), "PNG")
    values = np.arange(100).reshape(10, 10) * 10 + 1
    assert np.abs(seen.astype(int) - np.clip(values / 999 * 255, 0, 255)).max() <= 1
    same = picture(client.get(archive.address(1) + "/rendered", headers=png), "PNG")
    assert np.abs(seen.astype(int) - same).max() <= 1
    hard = client.get(archive.address(0) + "/rendered?window=500.5,1,linear", headers=png)
    assert set(np.unique(picture(hard, "PNG"))) == {0, 255}


def test_frames(client: TestClient, archive: Archive) -> None:
    one = picture(client.get(archive.address(2) + "/frames/2/rendered"))
    assert one.shape == (10, 10)
    answer = client.get(archive.address(2) + "/frames/1,2,3/rendered")
    parts = parts_of(answer)
    assert [kind for kind, _ in parts] == ["image/jpeg"] * 3
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(parts[1][1]))), one)


def test_who_hangs_up_wants_no_more_pictures(archive: Archive, client: TestClient) -> None:
    """Each is made when the one before has gone out, so others have their turn in between."""
    address = archive.address(2) + f"/frames/{','.join(['1'] * 100)}/rendered?viewport=4096,4096"
    token = str(client.headers["authorization"]).encode()
    headers = [(b"accept", b"image/png"), (b"authorization", token)]
    began = time.monotonic()
    come = call(client.app, address, headers, enough=lambda said: len(said) > 1000)
    assert come.status == 200
    assert b"image/png" in come.body
    assert time.monotonic() - began < 15


def test_a_queue_of_pictures_stops_nobody_else(client: TestClient, archive: Archive) -> None:
    """When all places are taken whoever asks for one more is told so at once."""
    done = threading.Event()

    def work() -> None:
        with ROOM.place():
            done.wait(30)

    address = archive.address(2) + "/rendered?quality=51"
    slow = [threading.Thread(target=work) for _ in range(16)]
    for at in slow:
        at.start()
    try:
        wait_for(lambda: client.get(address).status_code == 503, 10, "the door is full")
        assert client.get(address).json() == {"error": Transient.code}
        assert client.get("/api/v1/me").status_code == 200
    finally:
        done.set()
        for at in slow:
            at.join()
    assert client.get(address).status_code == 200


def test_of_a_slide_the_slide_is_seen(client: TestClient, archive: Archive) -> None:
    """Not a tile: whatever level is asked for, the same picture, as large as is asked."""
    (model,) = client.get(slide(archive, 0) + "/metadata").json()
    width, height = model["00480006"]["Value"][0], model["00480007"]["Value"][0]
    seen = [
        picture(client.get(f"{slide(archive, at)}/rendered?viewport=300,300")) for at in range(3)
    ]
    for at in seen:
        assert at.shape[1] == 300
        assert abs(at.shape[0] - 300 * height / width) <= 1
        assert np.abs(at.astype(int) - seen[0]).mean() < 3
    page = client.get("/api/v1/slides").json()["slides"][0]["slide_id"]
    top = (max(width, height) - 1).bit_length()
    tile = picture(client.get(f"/slides/{page}_files/{top}/1_1.jpeg"))
    part = client.get(f"{slide(archive, 0)}/rendered?viewport=256,256,256,256,256,256")
    assert np.abs(picture(part).astype(int) - tile).mean() < 4


def test_thumbnails_at_every_level(client: TestClient, archive: Archive) -> None:
    addresses = [
        f"{ROOT}/studies/{STUDY}", f"{ROOT}/studies/{STUDY}/series/{SERIES}", archive.address(0),
        archive.address(2) + "/frames/3", f"{ROOT}/studies/{archive.slide}.5",
        archive.slide_address, slide(archive, 0), slide(archive, 0) + "/frames/2",
        f"{archive.slide_address}/instances/{archive.slide}.2.1",
    ]  # fmt: skip
    for address in addresses:
        assert max(picture(client.get(f"{address}/thumbnail")).shape[:2]) == 256, address
        small = picture(client.get(f"{address}/thumbnail?viewport=64,64"))
        assert max(small.shape[:2]) == 64


def test_quality(client: TestClient, archive: Archive) -> None:
    sizes = [
        len(client.get(f"{slide(archive, 0)}/rendered?quality={at}").content) for at in (20, 60, 95)
    ]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[2] / 2


def test_what_is_not_done_is_said(client: TestClient, archive: Archive) -> None:
    answer = client.get(archive.address(0) + "/rendered?annotation=patient")
    assert "annotation" in answer.headers["warning"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/rendered?window=x", 400),
        ("/rendered?viewport=0,0", 400),
        ("/rendered?viewport=10,10,500,500,10,10", 400),
        ("/rendered?quality=0", 400),
        ("/frames/4/rendered", 404),
        ("/frames/x/rendered", 400),
        ("/frames/0/thumbnail", 404),
        ("/frames/1,1,1,1/nonsense", 404),
        (f"/frames/{','.join(['1'] * 101)}/rendered", 400),
    ],
)
def test_questions_nobody_understands(
    path: str, status: int, client: TestClient, archive: Archive
) -> None:
    assert client.get(archive.address(2) + path).status_code == status


def test_only_pictures_are_made(client: TestClient, archive: Archive) -> None:
    for accept in ("application/dicom", "text/html", "video/mp4"):
        answer = client.get(archive.address(0) + "/rendered", headers={"Accept": accept})
        assert answer.status_code == 406
    browser = {"Accept": "image/avif,image/webp,image/*,*/*;q=0.8"}
    assert picture(client.get(archive.address(0) + "/rendered", headers=browser)).size


@pytest.fixture
def ward(tmp_path: Any) -> Ward:  # noqa: ANN401
    return Ward(tmp_path)


def test_what_has_no_pixels_or_broken_ones(ward: Ward) -> None:
    """406 and 422, and no error of the server's own."""
    report = ward.made(1)
    at = report.index(b"\xe0\x7f\x10\x00OW")
    cases = {
        "none": (report[:at], 406),
        "of no size": (ward.made(2, Rows=0), 422),
        "of another depth": (ward.made(3, BitsAllocated=64, BitsStored=64, HighBit=63), 422),
    }
    for name, (data, status) in cases.items():
        stored = store(ward.client, [data]).json()
        address = stored["00081199"]["Value"][0]["00081190"]["Value"][0]
        for path in ("/rendered", "/thumbnail", "/frames/1/rendered"):
            assert ward.client.get(address + path).status_code == status, (name, path)


def test_wado_uri(client: TestClient, archive: Archive) -> None:
    """For programs from before DICOMweb."""

    def ask(number: int, **more: object) -> Any:  # noqa: ANN401
        said = {"requestType": "WADO", "studyUID": STUDY, "seriesUID": SERIES,
                "objectUID": archive.address(number).rpartition("/")[2]}  # fmt: skip
        return client.get(f"{ROOT}/wado", params=said | more)

    whole = client.get(archive.address(0), headers={"Accept": "application/dicom"}).content
    file = ask(0, contentType="application/dicom")
    assert (file.status_code, file.content) == (200, whole)
    assert file.headers["content-type"].startswith("application/dicom")
    assert picture(ask(0)).shape == (10, 10)
    assert picture(ask(0, contentType="image/png"), "PNG").shape == (10, 10)
    assert picture(ask(2, frameNumber=3, rows=40, columns=40)).shape == (40, 40)
    hard = picture(ask(0, contentType="image/png", windowCenter="500.5", windowWidth=1), "PNG")
    assert set(np.unique(hard)) == {0, 255}
    bad: dict[int, tuple[dict[str, object], ...]] = {
        400: ({"requestType": "X"}, {"frameNumber": 0}, {"rows": 0}, {"windowCenter": "x"},
              {"seriesUID": ""}, {"imageQuality": 0}),
        404: ({"frameNumber": 9}, {"objectUID": "1.2"}, {"studyUID": "1.2"}),
        406: ({"contentType": "text/html"},
              {"contentType": "application/dicom", "transferSyntax": "1.2.840.10008.1.2.5"}),
    }  # fmt: skip
    for status, cases in bad.items():
        for more in cases:
            assert ask(2, **more).status_code == status, more
