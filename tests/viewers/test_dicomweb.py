"""WADO-RS: instances as stored, in parts or by themselves, in ranges; who may see them."""

from __future__ import annotations

import io
import json
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from starlette.testclient import TestClient

from storage.records.people import Role
from tests.viewers.archive import ROOT, SERIES, SINGLE, STUDY, SYNTAXES, Archive, parts_of, sent
from viewers.app import _context, build_api


@pytest.fixture(scope="module")
def client(archive: Archive) -> TestClient:
    return archive.client()


def read(data: bytes) -> Dataset:
    return pydicom.dcmread(io.BytesIO(data))


def without_meta(dataset: Dataset) -> Dataset:
    return Dataset(dataset)


@pytest.mark.parametrize("address", [f"/studies/{STUDY}", f"/studies/{STUDY}/series/{SERIES}"])
def test_everything_comes_back_as_it_was_sent(
    address: str, client: TestClient, archive: Archive
) -> None:
    answer = client.get(ROOT + address)
    assert answer.status_code == 200
    parts = parts_of(answer)
    assert [kind for kind, _ in parts] == [
        f"application/dicom; transfer-syntax={syntax}" for syntax in SYNTAXES
    ]
    got = [read(data) for _, data in parts]
    assert [at.file_meta.TransferSyntaxUID for at in got] == SYNTAXES
    for ours, theirs in zip(got, sent(archive), strict=True):
        assert without_meta(ours) == without_meta(theirs)
        assert str(ours.PatientName) == "Ærø^Åse"


def test_one_instance_in_a_part_or_by_itself(client: TestClient, archive: Archive) -> None:
    for number in range(3):
        ((kind, data),) = parts_of(client.get(archive.address(number)))
        alone = client.get(archive.address(number), headers=SINGLE)
        assert alone.headers["content-type"] == kind
        assert alone.headers["accept-ranges"] == "bytes"
        assert int(alone.headers["content-length"]) == len(data)
        assert alone.content == data


@pytest.mark.parametrize("number", range(3))
def test_an_instance_is_never_transcoded(number: int, client: TestClient, archive: Archive) -> None:
    for syntax in SYNTAXES:
        accept = f'multipart/related; type="application/dicom"; transfer-syntax={syntax}'
        answer = client.get(archive.address(number), headers={"Accept": accept})
        if syntax == SYNTAXES[number]:
            assert answer.status_code == 200
        else:
            assert answer.status_code == 406
            assert SYNTAXES[number] in answer.json()["reason"]


def test_what_a_client_does_not_take_is_left_out_of_a_series(client: TestClient) -> None:
    """206 (PS3.18 table 10.4.3-2), and 406 when nothing is left."""
    address, kind = f"{ROOT}/studies/{STUDY}", 'multipart/related; type="application/dicom"'
    answer = client.get(address, headers={"Accept": f"{kind}; transfer-syntax={SYNTAXES[1]}"})
    assert answer.status_code == 206
    assert len(parts_of(answer)) == 1
    none = client.get(address, headers={"Accept": f"{kind}; transfer-syntax=1.2.840.10008.1.2.5"})
    assert none.status_code == 406
    assert all(syntax in none.json()["reason"] for syntax in SYNTAXES)


def test_the_parameter_goes_before_the_header(client: TestClient, archive: Archive) -> None:
    address = archive.address(0) + "?accept=application/dicom"
    assert client.get(address).headers["content-type"].startswith("application/dicom;")
    metadata = archive.address(0) + "/metadata?accept=application/dicom+json"
    answer = client.get(metadata, headers={"Accept": "image/png"})
    assert answer.headers["content-type"] == "application/dicom+json"


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [("bytes=0-0", 0, 1), ("bytes=100-199", 100, 200), ("bytes=1000-", 1000, None),
     ("bytes=-50", -50, None), ("bytes=5-9999999", 5, None)],
)  # fmt: skip
def test_ranges(
    asked: str, start: int, stop: int | None, client: TestClient, archive: Archive
) -> None:
    for address in (archive.address(2), archive.slide_address + f"/instances/{archive.slide}.1.0"):
        whole = client.get(address, headers=SINGLE)
        part = client.get(address, headers=SINGLE | {"Range": asked})
        assert part.status_code == 206
        assert part.content == whole.content[start:stop]
        first = start % len(whole.content)
        span = f"bytes {first}-{first + len(part.content) - 1}/{len(whole.content)}"
        assert part.headers["content-range"] == span
        assert part.headers["etag"] == whole.headers["etag"]


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.integers(0, 200_000), max_size=6))  # fmt: skip
def test_a_level_put_together_from_ranges_is_the_level(
    client: TestClient, archive: Archive, cuts: list[int]
) -> None:
    """Ranges of what is made on the fly: wherever they are cut."""
    address = archive.slide_address + f"/instances/{archive.slide}.1.1"
    whole = client.get(address, headers=SINGLE).content
    places = sorted({0, len(whole), *(at for at in cuts if at < len(whole))})
    pieces = [
        client.get(address, headers=SINGLE | {"Range": f"bytes={a}-{b - 1}"}).content
        for a, b in pairwise(places)
    ]
    assert b"".join(pieces) == whole


def test_ranges_that_are_none(client: TestClient, archive: Archive) -> None:
    address = archive.address(0)
    size = len(client.get(address, headers=SINGLE).content)
    beyond = client.get(address, headers=SINGLE | {"Range": f"bytes={size}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{size}")
    for odd in ("bytes=3-1", "bytes=-", "lines=1-2", "bytes=0-1,3-4", "bytes=x-y"):
        assert client.get(address, headers=SINGLE | {"Range": odd}).status_code == 200
    other = {"Range": "bytes=0-1", "If-Range": '"another"'}
    assert client.get(address, headers=SINGLE | other).status_code == 200


@pytest.mark.parametrize("path", ["", "/metadata", "/bulkdata/00282000", "/rendered", "/thumbnail"])
def test_what_the_client_has_is_not_sent_again(
    path: str, client: TestClient, archive: Archive
) -> None:
    first = client.get(archive.address(0) + path)
    assert first.status_code == 200
    assert "private" in first.headers["cache-control"]
    assert "Accept" in first.headers["vary"]
    again = client.get(archive.address(0) + path, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = client.get(archive.address(0) + path, headers={"If-None-Match": '"another"'})
    assert other.status_code == 200


def test_head_says_what_get_would(client: TestClient, archive: Archive) -> None:
    for accept in (SINGLE, {}):
        got = client.get(archive.address(0), headers=accept)
        head = client.head(archive.address(0), headers=accept)
        assert (head.status_code, head.content) == (200, b"")
        for name in ("content-type", "etag"):
            assert (
                head.headers[name].partition("boundary")[0]
                == (got.headers[name].partition("boundary")[0])
            )
    assert head.status_code == 200


@pytest.mark.parametrize(
    ("address", "status"),
    [
        (f"/studies/1.2/series/{SERIES}", 404),
        (f"/studies/{STUDY}/series/1.2/metadata", 404),
        (f"/studies/{STUDY}/series/{SERIES}/instances/1.2", 404),
        (f"/studies/{STUDY}/series/{SERIES}/instances/1.2/metadata", 404),
        ("/studies/nonsense", 400),
        (f"/studies/{STUDY}/series/x/metadata", 400),
        ("/nothing", 404),
        (f"/studies/{STUDY}/nothing", 404),
    ],
)
def test_what_is_not_there(address: str, status: int, client: TestClient) -> None:
    for accept in ("*/*", "text/html,*/*;q=0.8"):
        answer = client.get(ROOT + address, headers={"Accept": accept})
        assert answer.status_code == status
        assert set(answer.json()) <= {"error", "reason"}


def test_other_methods(client: TestClient, archive: Archive) -> None:
    for method in ("PUT", "PATCH", "DELETE"):
        answer = client.request(method, archive.address(0))
        assert (answer.status_code, answer.json()) == (405, {"error": "method_not_allowed"})


def test_nobody_sees_what_is_not_theirs(archive: Archive) -> None:
    """An image of nobody known here is for those who find out whose it is."""
    paths = ["", "/metadata", "/frames/1", "/rendered", "/thumbnail", "/bulkdata/00282000"]
    seen = {Role.TECHNICIAN: 200, Role.NODE: 404, Role.PATHOLOGIST: 404, Role.DEVICE: 403,
            Role.GUEST: 403, None: 401}  # fmt: skip
    for role, status in seen.items():
        client = archive.client(role)
        got = {client.get(archive.address(0) + path).status_code for path in paths}
        assert got == {status}, role
        found = client.get(f"{ROOT}/studies?StudyInstanceUID={STUDY}").status_code
        assert found == (204 if status == 404 else status), role


def test_every_look_leaves_a_line(archive: Archive) -> None:
    client, before = archive.client(), len(archive.lines())
    for path in ("/metadata", "", "/frames/1", "/thumbnail"):
        assert client.get(f"{archive.slide_address}/instances/{archive.slide}.1.0{path}").content
    client.get(f"{ROOT}/studies")
    lines = [action for action, _ in archive.lines()[before:]]
    assert lines == ["metadata", "retrieve", "view", "thumbnail", "search"]


def test_a_level_is_a_file_that_pydicom_reads(client: TestClient, archive: Archive) -> None:
    address = f"{archive.slide_address}/instances/{archive.slide}.1.0"
    dataset = read(client.get(address, headers=SINGLE).content)
    assert dataset.SOPInstanceUID == f"{archive.slide}.1.0"
    assert dataset.file_meta.TransferSyntaxUID == SYNTAXES[2]
    (model,) = client.get(address + "/metadata").json()
    back = Dataset.from_json(json.dumps(model))
    for element in back:
        if element.VR == "FL":
            assert np.float32(element.value) == np.float32(dataset[element.tag].value)
        elif element.VR != "SQ" and element.tag not in (0x00080005, 0x00083002):
            assert str(element.value) == str(dataset[element.tag].value), element.tag


def test_the_document_tells_every_address(archive: Archive) -> None:
    text = (Path(__file__).parents[2] / "docs" / "dicomweb.md").read_text("utf-8")
    told = set(re.findall(r"`(?:GET |POST )?(/[^`…?]*)`", text)) - {"/dicom-web"}
    document = build_api(_context(archive.settings)).openapi()
    there = {
        path.removeprefix(ROOT)
        for path, methods in document["paths"].items()
        if path.startswith(ROOT) and any(at["tags"] == ["dicomweb"] for at in methods.values())
    }
    assert told == {path for path in there if not path.startswith("/workitems")}


def test_a_node_has_no_business_outside_dicomweb(archive: Archive) -> None:
    """Its peer's row says what it may there; nothing says what it might elsewhere."""
    node = archive.client(Role.NODE)
    assert node.get("/dicom-web/studies").status_code in (200, 204)
    for path in ("/api/v1/slides", "/api/v1/me", "/", f"/slides/{'0' * 20}_files/9/0_0.jpeg"):
        assert node.get(path, follow_redirects=False).status_code in (401, 303), path
