"""Annotations as files over HTTP: GeoJSON and DICOM, out, in, and out again."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from typing import Any

import pydicom
import pytest
from starlette.testclient import TestClient

from tests.viewers.conftest import Ask, Shop
from tests.viewers.test_annotations import SQUARE, address

HOLE = [[[[400, 400], [500, 400], [500, 500], [400, 500]], [[440, 440], [460, 440], [460, 460]]]]


@pytest.fixture
def client(ask: Ask, shop: Shop) -> Iterator[TestClient]:
    """A pathologist; what the test leaves on the slide is removed."""
    client = ask("pathologist")
    yield client
    for at in client.get(address(shop.svs)).json()["annotations"]:
        one = address(shop.svs, at["annotation_id"])
        client.delete(one, params={"version": at["version"]})
    for at in client.get(address(shop.svs)).json()["groups"]:
        client.delete(address(shop.svs, "groups", at["group_id"]))


@pytest.fixture
def drawn(client: TestClient, shop: Shop) -> list[dict[str, Any]]:
    said = [
        {"kind": "polygon", "parts": HOLE, "label": "Tumor", "colour": "C00000", "text": "æøå\n2"},
        {"kind": "rectangle", "parts": SQUARE, "label": "Stroma", "group": "G"},
        {"kind": "text", "parts": [[[[10.125, 20]]]], "text": "her"},
        {"kind": "point", "parts": [[[[30, 40]]]], "label": "Mitosis",
         "measurements": [{"name": "Areal", "value": 2.5, "unit": "um2"}]},
    ]  # fmt: skip
    return [client.post(address(shop.svs), json=at).json() for at in said]


def exported(client: TestClient, slide: str, form: str) -> bytes:
    answer = client.get(address(slide, "export"), params={"format": form})
    assert answer.status_code == 200, answer.text
    return answer.content


def imported(client: TestClient, slide: str, data: bytes, name: str = "a") -> dict[str, Any]:
    answer = client.post(address(slide, "import"), params={"name": name}, content=data)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


@pytest.mark.parametrize("form", ["geojson", "ann", "sr"])
def test_out_and_in_again_changes_nothing(
    client: TestClient, shop: Shop, drawn: list[dict[str, Any]], form: str
) -> None:
    data = exported(client, shop.svs, form)
    before = client.get(address(shop.svs)).json()
    assert imported(client, shop.svs, data)["known"] == 4
    assert client.get(address(shop.svs)).json() == before
    assert before["annotations"] == drawn


@pytest.mark.parametrize("form", ["geojson", "ann", "sr"])
def test_what_was_removed_comes_back_on_another_slide_as_imported(
    client: TestClient, shop: Shop, drawn: list[dict[str, Any]], form: str
) -> None:
    data = exported(client, shop.svs, form)
    if form != "geojson":  # another image's UIDs
        answer = client.post(address(shop.dicom, "import"), content=data)
        assert (answer.status_code, answer.json()["reason"]) == (409, "of_another_image")
        return
    assert imported(client, shop.dicom, data, "export.geojson")["drawn"] == 4
    copies = client.get(address(shop.dicom)).json()["annotations"]
    same = ("kind", "parts", "label", "colour", "text", "measurements", "group", "author")
    for copy, at in zip(copies, drawn, strict=True):
        assert {name: copy[name] for name in same} == {name: at[name] for name in same}
        assert copy["origin"] == {"kind": "import", "name": "export.geojson", "version": ""}
        one = address(shop.dicom, copy["annotation_id"])
        client.delete(one, params={"version": 1})


def test_masks_are_of_areas(client: TestClient, shop: Shop, drawn: list[dict[str, Any]]) -> None:
    made = pydicom.dcmread(io.BytesIO(exported(client, shop.svs, "seg")))
    assert [at.SegmentLabel for at in made.SegmentSequence] == ["Tumor", "Stroma"]
    assert made.SOPInstanceUID.startswith("2.25.")
    assert imported(client, shop.svs, exported(client, shop.svs, "seg"))["drawn"] == 2


def test_everybody_has_an_object_of_their_own(
    client: TestClient, ask: Ask, shop: Shop, drawn: list[dict[str, Any]]
) -> None:
    ask("consultant").post(address(shop.svs), json={"kind": "point", "parts": [[[[1, 2]]]]})
    with zipfile.ZipFile(io.BytesIO(exported(client, shop.svs, "ann"))) as archive:
        made = [pydicom.dcmread(io.BytesIO(archive.read(name))) for name in archive.namelist()]
    assert [str(at.ContentCreatorName) for at in made] == ["pathologist", "consultant"]
    series = {at.SeriesInstanceUID for at in made}
    (root,) = {uid.removesuffix(".9.1") for uid in series}
    uids = [str(at.SOPInstanceUID) for at in made]
    assert all(uid.startswith(f"{root}.9.1.") for uid in uids)
    again = zipfile.ZipFile(io.BytesIO(exported(client, shop.svs, "ann")))
    first = pydicom.dcmread(io.BytesIO(again.read("1.dcm")))
    assert first.SOPInstanceUID == uids[0]
    (reference,) = first.ReferencedImageSequence
    assert reference.ReferencedSOPInstanceUID == f"{root}.1.0"
    one = drawn[0]
    said = {"kind": "polygon", "parts": HOLE, "label": "Stroma", "version": 1}
    assert client.put(address(shop.svs, one["annotation_id"]), json=said).status_code == 200
    changed = zipfile.ZipFile(io.BytesIO(exported(client, shop.svs, "ann")))
    new = [
        str(pydicom.dcmread(io.BytesIO(changed.read(at))).SOPInstanceUID)
        for at in changed.namelist()
    ]
    assert new[1] == uids[1]
    assert new[0] != uids[0]
    assert new[0].rpartition(".")[0] == uids[0].rpartition(".")[0]


def test_many_come_as_a_group_and_go_out_as_one(client: TestClient, shop: Shop) -> None:
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Polygon", "coordinates": [[[x, 5], [x + 4, 5], [x, 9], [x, 5]]]},
            "properties": {"objectType": "detection", "classification": {"name": "Tumor"}},
        }
        for x in range(1200)
    ]
    data = json.dumps({"type": "FeatureCollection", "features": features}).encode()
    told = imported(client, shop.svs, data, "cells.geojson")
    assert (told["grouped"], len(told["groups"])) == (1200, 1)
    assert imported(client, shop.svs, data)["known"] == 1200
    (group,) = client.get(address(shop.svs)).json()["groups"]
    assert (group["origin"]["kind"], group["source"]) == ("algorithm", "cells.geojson")
    out = exported(client, shop.svs, "geojson")
    assert len(json.loads(out)["features"]) == 1200
    assert imported(client, shop.svs, out)["known"] == 1200
    assert imported(client, shop.svs, exported(client, shop.svs, "ann"))["known"] == 1200
    answer = client.get(address(shop.svs, "export"), params={"format": "sr"})
    assert answer.status_code == 200  # below two thousand


@pytest.mark.parametrize(
    ("data", "status", "reason"),
    [
        (b"", 422, "empty"),
        (b"nonsense", 422, "not_geojson"),
        (b'[{"type": "Feature", "geometry": {"type": "Point", "coordinates": [1, 2]}}, 5]', 422,
         "feature_expected@2"),
        (b"\xff\xfe\xff", 422, "not_json"),
        (bytes(128) + b"DICM" + bytes(200), 422, "unsupported_dicom"),
    ],
)  # fmt: skip
def test_what_is_none_is_told(
    client: TestClient, shop: Shop, data: bytes, status: int, reason: str
) -> None:
    answer = client.post(address(shop.svs, "import"), content=data)
    assert (answer.status_code, answer.json().get("reason")) == (status, reason)
    assert client.get(address(shop.svs)).json()["annotations"] == []


def test_nothing_to_send_is_told(client: TestClient, shop: Shop) -> None:
    answer = client.get(address(shop.svs, "export"), params={"format": "ann"})
    assert (answer.status_code, answer.json()["reason"]) == (409, "no_annotations")
    assert json.loads(exported(client, shop.svs, "geojson")) == {
        "type": "FeatureCollection", "features": [],
    }  # fmt: skip
    assert client.get(address(shop.svs, "export"), params={"format": "x"}).status_code == 422


def test_who_may(ask: Ask, shop: Shop) -> None:
    feature = b'[{"type": "Feature", "geometry": {"type": "Point", "coordinates": [1, 2]}}]'
    technician = ask("technician")
    assert (
        technician.get(address(shop.svs, "export"), params={"format": "geojson"}).status_code == 200
    )
    assert technician.post(address(shop.svs, "import"), content=feature).status_code == 403
    assert (
        ask("guest").get(address(shop.svs, "export"), params={"format": "ann"}).status_code == 403
    )


def test_the_library_is_not_loaded_at_start() -> None:
    code = "import sys, viewers.app; print('highdicom' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
