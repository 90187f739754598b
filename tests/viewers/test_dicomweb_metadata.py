"""WADO-RS: metadata as JSON and XML, and the bulk data it names."""

from __future__ import annotations

from email.utils import unquote
from xml.etree import ElementTree

import pytest
from starlette.testclient import TestClient

from tests.viewers.archive import (
    LARGE,
    ROOT,
    SERIES,
    SINGLE,
    STUDY,
    SYNTAXES,
    Archive,
    parts_of,
    sent,
)


@pytest.fixture(scope="module")
def client(archive: Archive) -> TestClient:
    return archive.client()


def test_metadata_says_what_the_objects_say(client: TestClient, archive: Archive) -> None:
    answer = client.get(f"{ROOT}/studies/{STUDY}/series/{SERIES}/metadata")
    assert answer.headers["content-type"] == "application/dicom+json"
    models = answer.json()
    for model, theirs, syntax in zip(models, sent(archive), SYNTAXES, strict=True):
        assert model["00100010"] == {"vr": "PN", "Value": [{"Alphabetic": "Ærø^Åse"}]}
        assert model["00083002"]["Value"] == [syntax]
        assert model["00280030"] == {"vr": "DS", "Value": [0.7, 0.7]}
        assert model["00080005"]["Value"] == ["ISO_IR 192"]
        assert "7FE00010" not in model
        assert {int(tag, 16) for tag in model} - {0x00083002} == set(theirs.keys()) - {0x7FE00010}
    study = client.get(f"{ROOT}/studies/{STUDY}/metadata").json()
    one = client.get(archive.address(1) + "/metadata").json()
    assert study == models
    assert one == [models[1]]


def test_metadata_of_what_was_received_opens_no_file(client: TestClient, archive: Archive) -> None:
    folder = archive.settings.layout.dicom
    folder.rename(folder.with_name("away"))
    try:
        answer = client.get(f"{ROOT}/studies/{STUDY}/metadata")
        gone = client.get(archive.address(0), headers=SINGLE)
    finally:
        folder.with_name("away").rename(folder)
    assert len(answer.json()) == 3
    assert gone.status_code in {200, 500}


def test_bulk_data_is_where_the_metadata_says(client: TestClient, archive: Archive) -> None:
    (model,) = client.get(archive.address(0) + "/metadata").json()
    address = unquote(model["00282000"]["BulkDataURI"])
    assert address == f"http://testserver{archive.address(0)}/bulkdata/00282000"
    assert parts_of(client.get(address)) == [("application/octet-stream", LARGE)]
    alone = client.get(address, headers={"Accept": "application/octet-stream"})
    assert (alone.headers["content-type"], alone.content) == ("application/octet-stream", LARGE)
    assert client.get(address, headers={"Accept": "image/jpeg"}).status_code == 406
    for nowhere in ("00100010", "00282001", "x", "00282000/0/00282000"):
        assert client.get(f"{archive.address(0)}/bulkdata/{nowhere}").status_code == 404


def test_metadata_is_packed_for_who_unpacks_it(archive: Archive) -> None:
    client = archive.client()
    plain = client.get(f"{ROOT}/studies/{STUDY}/metadata", headers={"Accept-Encoding": "identity"})
    packed = client.get(f"{ROOT}/studies/{STUDY}/metadata", headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < len(plain.content)
    assert packed.json() == plain.json()


def test_metadata_and_searches_as_xml(client: TestClient) -> None:
    """A part each (PS3.18 8.7.3); JSON where it is as welcome."""
    kind = 'multipart/related; type="application/dicom+xml"'
    for path, count in ((f"/studies/{STUDY}/metadata", 3), (f"/studies/{STUDY}/series", 1)):
        answer = client.get(ROOT + path, headers={"Accept": kind})
        parts = parts_of(answer)
        assert [of for of, _ in parts] == ["application/dicom+xml"] * count
        for _, data in parts:
            tags = [at.get("tag") for at in ElementTree.fromstring(data)]
            assert {"0020000D", "0020000E"} <= set(tags)
        both = client.get(ROOT + path, headers={"Accept": f"{kind}, application/dicom+json"})
        assert both.headers["content-type"] == "application/dicom+json"
