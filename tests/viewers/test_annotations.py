"""Annotations over HTTP: who may see and draw them, what is saved, refused and logged."""

from __future__ import annotations

import itertools
import struct
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from storage import annotations_import
from storage.annotations_import import Source
from storage.annotations_single import By
from storage.records import reading_events as reading
from storage.records import slide_events
from storage.records.milestones import Distance
from storage.tables import access_log
from tests.storage.lab import image
from tests.storage.test_annotations import cells
from tests.viewers.department import Department

SQUARE = [[[[100, 200], [150, 200], [150, 250], [100, 250]]]]
_NAMES = itertools.count(1)


@pytest.fixture(scope="module")
def department(tmp_path_factory: pytest.TempPathFactory) -> Department:
    return Department.found(tmp_path_factory.mktemp("department"))


@pytest.fixture
def slide(department: Department) -> str:
    """A slide of a case that pia reads and karl was asked about."""
    accession = department.case(assignee="pia", slides=1, readable=0)
    found = image(department.database, f"scan-{next(_NAMES)}")
    barcode = f"{accession}-A1-1"
    asked = reading.ConsultationRequested(accession, Distance.REGIONAL, "karl", "Invasion?")
    department.say(
        accession,
        slide_events.SlideStained(barcode),
        slide_events.ImageStored(barcode, found.slide_id),
        slide_events.ImageAvailable(barcode, found.slide_id),
        asked,
    )
    return found.slide_id


def address(slide: str, *more: object) -> str:
    return "/".join([f"/api/v1/slides/{slide}/annotations", *map(str, more)])


def listed(department: Department, slide: str, name: str = "pia") -> dict[str, Any]:
    answer = department.client(name).get(address(slide))
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def drawn(department: Department, slide: str, name: str = "pia", **more: object) -> dict[str, Any]:
    said = {"kind": "polygon", "parts": SQUARE, "label": "Tumor"} | more
    answer = department.client(name).post(address(slide), json=said)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def changed(at: dict[str, Any], **more: object) -> dict[str, Any]:
    names = ("kind", "parts", "label", "colour", "text", "measurements", "group", "locked")
    return {name: at[name] for name in (*names, "version")} | more


def test_one_is_drawn_changed_removed_and_restored(department: Department, slide: str) -> None:
    assert listed(department, slide)["annotations"] == []
    first = drawn(department, slide, colour="ff0000", text="rand")
    assert (first["author"], first["version"], first["colour"]) == ("pia", 1, "FF0000")
    assert first["origin"] == {"kind": "person", "name": "", "version": ""}
    before = listed(department, slide)
    assert (before["annotations"], before["people"]) == ([first], {"pia": "Pia Patolog"})
    one = address(slide, first["annotation_id"])
    karl = department.client("karl")
    second = karl.put(one, json=changed(first, text="ingen invasion")).json()
    assert (second["author"], second["changed_by"], second["version"]) == ("pia", "karl", 2)
    assert listed(department, slide)["revision"] > before["revision"]
    gone = karl.delete(one, params={"version": 2}).json()
    assert (gone["removed"], listed(department, slide)["annotations"]) == (True, [])
    back = karl.post(f"{one}/restore", json={"version": gone["version"]}).json()
    assert listed(department, slide)["annotations"] == [back]
    told = karl.get(f"{one}/history").json()
    assert [(at["kind"], at["by"], at["changed"]) for at in told["history"]] == [
        ("AnnotationDrawn", "pia", []), ("AnnotationChanged", "karl", ["text"]),
        ("AnnotationRemoved", "karl", []), ("AnnotationRestored", "karl", []),
    ]  # fmt: skip
    assert told["people"] == {"karl": "Karl Konsulent", "pia": "Pia Patolog"}


def test_a_lost_update_is_refused_with_the_reason(department: Department, slide: str) -> None:
    first = drawn(department, slide)
    one, client = address(slide, first["annotation_id"]), department.client("pia")
    assert client.put(one, json=changed(first, text="a")).status_code == 200
    for answer in (
        client.put(one, json=changed(first, text="b")),
        client.delete(one, params={"version": 1}),
    ):
        assert (answer.status_code, answer.json()["reason"]) == (409, "annotation_newer")
    assert client.post(f"{one}/restore", json={"version": 2}).json()["reason"] == "annotation_there"


def test_asking_twice_draws_once(department: Department, slide: str) -> None:
    once = {"annotation_id": "0123456789abcdef" * 2}
    assert drawn(department, slide, **once) == drawn(department, slide, **once)
    assert len(listed(department, slide)["annotations"]) == 1


def test_who_may_see_and_who_may_draw(department: Department, slide: str) -> None:
    first = drawn(department, slide)
    said = {"kind": "polygon", "parts": SQUARE}
    may = {"pia": (200, 201), "poul": (200, 201), "karl": (200, 201), "tina": (200, 403)}
    for name in ("stranger", "sara", "lis", "ops", "administrator", "guest"):
        may[name] = (403, 403)
    for name, (sees, draws) in may.items():
        client = department.client(name)
        answer = client.get(address(slide))
        assert answer.status_code == sees, name
        if sees == 200:
            assert answer.json()["may"] == {"annotate": draws == 201}, name
        assert client.post(address(slide), json=said).status_code == draws, name
        one = address(slide, first["annotation_id"])
        assert client.get(f"{one}/history").status_code == sees, name
    assert department.client(None).get(address(slide)).status_code == 401


def test_every_look_and_every_act_leaves_a_line(department: Department, slide: str) -> None:
    drawn(department, slide, "karl")
    listed(department, slide, "poul")
    query = sa.select(access_log).where(access_log.c.slide_id == slide)
    with department.database.reading() as connection:
        lines = [(at.name, at.action, at.basis) for at in connection.execute(query)]
    assert ("karl", "annotate", "consulted") in lines
    assert ("poul", "annotations", "unit") in lines


@pytest.mark.parametrize(
    ("said", "status", "reason"),
    [
        ({"kind": "polygon", "parts": [[[[0, 0], [1, 1]]]]}, 422, "shape_too_few_points"),
        ({"kind": "polygon", "parts": []}, 422, "shape_empty"),
        ({"kind": "text", "parts": [[[[0, 0]]]]}, 422, "text_missing"),
        ({"kind": "point", "parts": [[[[1e300, 0]]]]}, 422, "shape_out_of_bounds"),
        ({"kind": "point", "parts": [[[[0, 0]]]], "colour": "<svg>"}, 422, "colour_malformed"),
        ({"kind": "point", "parts": [[[[0, 0]]]], "text": "a\u0000"}, 422, "text_unusable"),
        ({"kind": "point", "parts": [[[[0, 0]]]], "author": "poul"}, 422, None),
        ({"kind": "blob", "parts": [[[[0, 0]]]]}, 422, None),
        ({"kind": "point"}, 422, None),
        ([], 422, None),
    ],
)
def test_what_cannot_be_kept_is_told(
    department: Department, slide: str, said: object, status: int, reason: str | None
) -> None:
    answer = department.client("pia").post(address(slide), json=said)
    assert (answer.status_code, answer.json().get("reason")) == (status, reason)


def test_what_is_not_there(department: Department, slide: str) -> None:
    client, nothing = department.client("pia"), "0" * 32
    first = drawn(department, slide)
    for answer in (
        client.get(address("0" * 20)),
        client.get(address(slide, nothing, "history")),
        client.put(address(slide, nothing), json=changed(first)),
        client.delete(address(slide, nothing), params={"version": 1}),
        client.get(address(slide, "groups", nothing, "middles")),
        client.get(address(slide, "groups", nothing, "blocks", 0)),
        client.delete(address(slide, "groups", nothing)),
    ):
        assert (answer.status_code, answer.json()) == (404, {"error": "not_found"})


def test_a_group_is_sent_as_numbers(department: Department, slide: str) -> None:
    source = Source("cells.geojson", By("pia", "test"))
    annotations_import.take(department.database, slide, cells(1500), source)
    first, other = listed(department, slide)["groups"]
    assert (first["label"], first["count"], other["count"]) == ("Stroma", 500, 1000)
    assert first["origin"] == {"kind": "algorithm", "name": "StarDist", "version": "0.9"}
    client = department.client("pia")
    group = address(slide, "groups", other["group_id"])
    middles = np.frombuffer(client.get(f"{group}/middles").content, "<f4").reshape(-1, 2)
    assert len(middles) == 1000
    answer = client.get(f"{group}/blocks/0")
    assert "immutable" in answer.headers["cache-control"]
    count, rings, points, left, top = struct.unpack_from("<III4xdd", answer.content)
    assert (count, rings, points) == (500, 500, 2500)
    assert [left, top] == other["blocks"][0][1:3]
    places = np.frombuffer(answer.content, "<f4", 2 * points, 32 + 8 * count).reshape(-1, 5, 2)
    assert np.allclose(places.mean(axis=1) + np.array([left, top]), middles[:500], atol=0.01)
    assert client.get(f"{group}/blocks/2").status_code == 404
    assert client.delete(group).status_code == 200
    assert [at["label"] for at in listed(department, slide)["groups"]] == ["Stroma"]
    assert client.delete(group).json()["reason"] == "annotation_removed"
    assert client.post(f"{group}/restore").json() == other
