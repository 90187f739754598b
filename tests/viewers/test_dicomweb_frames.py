"""Frames: as stored wherever the client lets us, decoded one by one for who wants samples."""

from __future__ import annotations

import asyncio
import io
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import generate_frames
from pydicom.uid import ExplicitVRLittleEndian
from starlette.testclient import TestClient

from processing.dicom.instance import Instance
from processing.dicom.opening import Opener
from storage.records.imaging import SeriesEntry
from storage.records.people import Role
from tests.contracts.dicom_codecs import by_program
from tests.contracts.dicom_files import frames_of
from tests.viewers.archive import Archive, image, parts_of, store
from tests.viewers.asgi import call
from tests.viewers.test_dicomweb_store import Ward
from viewers.app import create_app

JPEG = "1.2.840.10008.1.2.4.50"
PLAIN = 'multipart/related; type="application/octet-stream"'


@pytest.fixture(scope="module")
def client(archive: Archive) -> TestClient:
    return archive.client()


def level(archive: Archive, number: int) -> str:
    return f"{archive.slide_address}/instances/{archive.slide}.1.{number}"


def frames_in(client: TestClient, address: str) -> list[bytes]:
    """The frames of the whole object, as pydicom finds them."""
    whole = client.get(address, headers={"Accept": "application/dicom"}).content
    dataset = pydicom.dcmread(io.BytesIO(whole))
    return list(generate_frames(dataset.PixelData, number_of_frames=dataset.NumberOfFrames))


def test_every_frame_of_a_level_is_the_stored_tile(client: TestClient, archive: Archive) -> None:
    expected = frames_in(client, level(archive, 0))
    assert len(expected) > 20
    for number, frame in enumerate(expected, start=1):
        ((kind, data),) = parts_of(client.get(f"{level(archive, 0)}/frames/{number}"))
        assert kind == f"image/jpeg; transfer-syntax={JPEG}"
        assert data == frame.removesuffix(b"\0") or data == frame
    slide_id = client.get("/api/v1/slides").json()["slides"][0]["slide_id"]
    (model,) = client.get(f"{level(archive, 0)}/metadata").json()
    largest = max(model["00480006"]["Value"][0], model["00480007"]["Value"][0])
    tile = client.get(f"/slides/{slide_id}_files/{(largest - 1).bit_length()}/0_0.jpeg").content
    assert tile == parts_of(client.get(f"{level(archive, 0)}/frames/1"))[0][1]


def test_several_at_once_in_the_order_asked(client: TestClient, archive: Archive) -> None:
    expected = frames_in(client, level(archive, 0))
    numbers = [7, 1, 7, len(expected), 2]
    answer = client.get(f"{level(archive, 0)}/frames/{','.join(map(str, numbers))}")
    assert answer.headers["content-type"].startswith('multipart/related; type="image/jpeg"')
    got = [data for _, data in parts_of(answer)]
    assert [at.rstrip(b"\0") for at in got] == [
        expected[number - 1].rstrip(b"\0") for number in numbers
    ]
    all_of_them = ",".join(str(at) for at in range(1, len(expected) + 1))
    assert len(parts_of(client.get(f"{level(archive, 0)}/frames/{all_of_them}"))) == len(expected)


def test_a_frame_by_itself(client: TestClient, archive: Archive) -> None:
    for accept in ("image/jpeg", "image/*", "image/webp, image/jpeg;q=0.8"):
        answer = client.get(f"{level(archive, 0)}/frames/3", headers={"Accept": accept})
        assert answer.headers["content-type"] == f"image/jpeg; transfer-syntax={JPEG}"
        assert Image.open(io.BytesIO(answer.content)).size == (256, 256)
    several = client.get(f"{level(archive, 0)}/frames/3,4", headers={"Accept": "image/jpeg"})
    assert several.status_code == 406


def test_plain_samples_of_one_frame(client: TestClient, archive: Archive) -> None:
    (coded,) = parts_of(client.get(f"{level(archive, 0)}/frames/2"))
    answer = client.get(f"{level(archive, 0)}/frames/2", headers={"Accept": PLAIN})
    ((kind, data),) = parts_of(answer)
    assert kind == "application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1"
    expected = np.asarray(Image.open(io.BytesIO(coded[1])))
    assert np.array_equal(np.frombuffer(data, np.uint8).reshape(256, 256, 3), expected)


def test_samples_are_what_the_metadata_says(tmp_path: Path) -> None:
    """Planes apart, luma and chroma: pydicom puts header and frame together."""
    ward, file = Ward(tmp_path), tmp_path / "at.dcm"
    raw = np.random.default_rng(2).integers(0, 256, 300, np.uint8).tobytes()
    image(file, 1, raw=raw, SamplesPerPixel=3, PhotometricInterpretation="YBR_FULL",
          PlanarConfiguration=1, BitsAllocated=8, BitsStored=8, HighBit=7)  # fmt: skip
    expected = np.asarray(pydicom.dcmread(file).pixel_array)
    by_program("dcmcrle")(file)
    stored = store(ward.client, [file.read_bytes()]).json()
    address = stored["00081199"]["Value"][0]["00081190"]["Value"][0]
    (model,) = ward.client.get(f"{address}/metadata").json()
    dataset = pydicom.Dataset.from_json(model)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    answer = ward.client.get(f"{address}/frames/1", headers={"Accept": PLAIN})
    dataset.PixelData = parts_of(answer)[0][1]
    assert np.array_equal(dataset.pixel_array, expected)


@pytest.mark.parametrize("number", range(3))
def test_received_frames_as_they_came_and_decoded(
    number: int, client: TestClient, archive: Archive
) -> None:
    dataset = pydicom.dcmread(archive.files[number])
    syntax, count = dataset.file_meta.TransferSyntaxUID, int(dataset.get("NumberOfFrames") or 1)
    coded = frames_of(archive.files[number]) if syntax.is_encapsulated else [dataset.PixelData]
    known = np.arange(100, dtype=np.uint16) * 10 + number + 1
    pixels = dataset.pixel_array.reshape(3, 10, 10) if number == 2 else known.reshape(1, 10, 10)
    for at in range(count):
        answer = client.get(f"{archive.address(number)}/frames/{at + 1}")
        ((kind, data),) = parts_of(answer)
        assert kind.endswith(f"transfer-syntax={syntax}")
        assert data.rstrip(b"\0") == coded[at].rstrip(b"\0")
        plain = client.get(f"{archive.address(number)}/frames/{at + 1}", headers={"Accept": PLAIN})
        assert parts_of(plain)[0][1] == pixels[at].astype(pixels.dtype.newbyteorder("<")).tobytes()


def test_octets_of_any_syntax_are_the_stored_bytes(client: TestClient, archive: Archive) -> None:
    """What OHIF, Slim and dicom-microscopy-viewer ask."""
    for address in (level(archive, 0), archive.address(1), archive.address(2)):
        stored = parts_of(client.get(f"{address}/frames/1"))[0]
        answer = client.get(
            f"{address}/frames/1", headers={"Accept": f"{PLAIN}; transfer-syntax=*"}
        )
        ((kind, data),) = parts_of(answer)
        assert kind == f"application/octet-stream; {stored[0].partition('; ')[2]}"
        assert data == stored[1]


def test_what_there_is_not_is_said(client: TestClient, archive: Archive) -> None:
    accept = 'multipart/related; type="image/jp2"'
    answer = client.get(f"{level(archive, 0)}/frames/1", headers={"Accept": accept})
    assert answer.status_code == 406
    assert answer.json() == {
        "error": "not_acceptable", "reason": f"what there is: image/jpeg; transfer-syntax={JPEG}",
    }  # fmt: skip
    malformed = client.get(f"{level(archive, 0)}/frames/1", headers={"Accept": "rubbish"})
    assert (malformed.status_code, malformed.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    ("frames", "status"),
    [("0", 404), ("99999", 404), ("1,99999", 404), ("x", 400), ("1,", 400), ("1,,2", 400),
     ("-1", 400), ("1;2", 400), ("1" * 12, 400)],
)  # fmt: skip
def test_frames_that_are_none(
    frames: str, status: int, client: TestClient, archive: Archive
) -> None:
    answer = client.get(f"{level(archive, 0)}/frames/{frames}")
    assert answer.status_code == status
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["reason"]


def test_no_level_no_object_no_frames(client: TestClient, archive: Archive) -> None:
    assert client.get(f"{level(archive, 99)}/frames/1").status_code == 404
    assert client.get(f"{archive.slide_address}/instances/1.2.3/frames/1").status_code == 404


def test_caching_is_the_clients_alone_and_for_good(client: TestClient, archive: Archive) -> None:
    seen = set()
    for accept in ("*/*", "image/jpeg", PLAIN):
        for frames in ("1", "2"):
            address, headers = f"{level(archive, 0)}/frames/{frames}", {"Accept": accept}
            answer = client.get(address, headers=headers)
            assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
            assert answer.headers["vary"] == "Accept"
            known = headers | {"If-None-Match": answer.headers["etag"]}
            assert client.get(address, headers=known).status_code == 304
            seen.add(answer.headers["etag"])
    assert len(seen) == 6


def test_head(client: TestClient, archive: Archive) -> None:
    got = client.get(f"{level(archive, 0)}/frames/1")
    head = client.head(f"{level(archive, 0)}/frames/1")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == got.headers["content-length"]
    assert client.head(f"{level(archive, 0)}/frames/1,2").content == b""


def test_other_methods_and_other_people(archive: Archive) -> None:
    address = f"{level(archive, 0)}/frames/1"
    assert archive.client().post(address).status_code == 405
    for role, status in ((None, 401), (Role.GUEST, 403), (Role.PATHOLOGIST, 200)):
        assert archive.client(role).get(address).status_code == status


def test_a_line_in_the_log_before_the_first_frame_and_one_for_all(archive: Archive) -> None:
    client, before = archive.client(Role.PATHOLOGIST), len(archive.lines())
    for number in (0, 1, 1):
        for frame in range(1, 5):
            assert client.get(f"{level(archive, number)}/frames/{frame}").status_code == 200
    assert archive.lines()[before:] == [("view", "pathologist")]


def test_ways_out_of_the_store(archive: Archive) -> None:
    token = f"Bearer {archive.tokens[Role.TECHNICIAN]}".encode()
    for path in ("/dicom-web/studies/../series/1/instances/1/frames/1",
                 "/dicom-web/studies/1/series/1/instances/%2e%2e/frames/1",
                 "/dicom-web/studies/1/series/1/instances/1/frames/../../x"):  # fmt: skip
        answer = call(create_app(archive.settings), path, [(b"authorization", token)])
        assert answer.status in {400, 404}, path


def test_many_who_ask_at_once_open_an_object_once(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or everybody would wait for everybody's going through a large object."""
    opened, really = list[str](), Opener.instance

    def slowly(opener: Opener, entry: SeriesEntry, sop_uid: str) -> Instance:
        opened.append(sop_uid)
        time.sleep(0.2)
        return really(opener, entry, sop_uid)

    monkeypatch.setattr(Opener, "instance", slowly)
    app = create_app(archive.settings)
    headers = {"Authorization": f"Bearer {archive.tokens[Role.TECHNICIAN]}"}

    async def ask_all() -> list[int]:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://testserver", headers=headers
        ) as client:
            addresses = (f"{archive.address(2)}/frames/{at % 3 + 1}" for at in range(20))
            answers = await asyncio.gather(*map(client.get, addresses))
        return [answer.status_code for answer in answers]

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(asyncio.run, ask_all()).result() == [200] * 20
    assert len(opened) == 1
