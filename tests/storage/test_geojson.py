"""GeoJSON: what goes out comes back the same; QuPath's files are understood."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import Malformed
from storage.exchange.geojson import feature_of
from storage.exchange.geojson_reading import FileSource, annotation_of
from storage.exchange.geojson_stream import read_features, write_features
from storage.records.annotation import Annotation, Kind, Measurement, OriginKind
from tests.storage.drawings import AT, annotations

FILE = FileSource("tumor.geojson", AT)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
QUPATH = {
    "type": "Feature",
    "id": "6f1c64c5-4a55-4b0d-8ddf-9e3a3bdd86a4",
    "geometry": {
        "type": "Polygon",
        "coordinates": [
            [[10.5, 20], [60, 20], [60, 70], [10.5, 70], [10.5, 20]],
            [[20, 30], [30, 30], [30, 40], [20, 30]],
        ],
        "plane": {"c": -1, "z": 1, "t": 0},
    },
    "nucleusGeometry": {"type": "Point", "coordinates": [12, 30]},
    "properties": {
        "objectType": "annotation",
        "name": "Rand",
        "color": [10, 20, 30],
        "classification": {"names": ["Tumor", "Positive"], "color": [200, 0, 0]},
        "isLocked": True,
        "measurements": {"Area µm^2": 812.5, "Solidity": float("nan"), "Circularity": 0.5},
        "metadata": {"ANNOTATION_DESCRIPTION": "infiltrativ\nrand", "by": "QuPath"},
    },
}


def through_text(features: Any) -> list[Any]:  # noqa: ANN401
    return list(read_features(io.StringIO(json.dumps(features))))


@given(st.lists(annotations, max_size=4))
def test_what_goes_out_comes_back_the_same(drawn: list[Annotation]) -> None:
    text = b"".join(write_features(drawn)).decode("ascii")
    found = [annotation_of(at, FILE) for at in read_features(io.StringIO(text))]
    assert [at.annotation for at in found] == drawn
    assert all(at.whole for at in found)


def test_a_file_of_qupath_is_understood() -> None:
    found = annotation_of(QUPATH, FILE)
    made, content = found.annotation, found.annotation.content
    assert not found.whole
    assert made.annotation_id == "6f1c64c54a554b0d8ddf9e3a3bdd86a4"
    assert (made.origin.kind, made.origin.name, made.drawn_at) == (
        OriginKind.IMPORT, "tumor.geojson", AT,
    )  # fmt: skip
    assert (content.label, content.colour) == ("Tumor: Positive", "0A141E")
    assert (content.text, content.locked) == ("infiltrativ\nrand", True)
    assert content.measurements == (
        Measurement("Area µm^2", 812.5), Measurement("Circularity", 0.5),
    )  # fmt: skip
    ((outer, hole),) = content.geometry.parts
    assert outer == ((10.5, 20.0), (60.0, 20.0), (60.0, 70.0), (10.5, 70.0))
    assert hole == ((20.0, 30.0), (30.0, 30.0), (30.0, 40.0))


def test_what_is_not_understood_is_given_back() -> None:
    again = feature_of(annotation_of(QUPATH, FILE).annotation)
    assert again["nucleusGeometry"] == QUPATH["nucleusGeometry"]
    assert again["geometry"] == QUPATH["geometry"]
    assert again["properties"]["name"] == "Rand"
    assert again["properties"]["metadata"] == QUPATH["properties"]["metadata"]
    assert again["properties"]["color"] == [10, 20, 30]


@given(
    st.dictionaries(st.text(max_size=8), JSON, max_size=4),
    st.dictionaries(st.text(max_size=8), JSON, max_size=3),
    st.sampled_from(["annotation", "cell", "tile", "tmaCore", "PathCellObject", None, 5]),
)
def test_a_foreign_feature_comes_back_the_same(
    properties: dict[str, Any], beside: dict[str, Any], kind: object
) -> None:
    geometry = {"type": "Point", "coordinates": [1.5, 2]}
    said = {"objectType": kind} | properties
    feature = {**beside, "type": "Feature", "geometry": geometry, "properties": said}
    first = annotation_of(feature, FILE).annotation
    second = annotation_of(json.loads(json.dumps(feature_of(first))), FILE).annotation
    assert second == first


def test_the_dialect_is_the_one_qupath_reads() -> None:
    """GsonTools throws on a class without a colour, and packs three numbers from 0 to 255."""
    for drawn in (annotation_of(QUPATH, FILE).annotation, *examples()):
        feature = feature_of(drawn)
        said = feature["properties"]
        assert said["objectType"] in {"annotation", "detection"}
        for colour in (said.get("color"), said.get("classification", {"color": None})["color"]):
            assert colour is None or (len(colour) == 3 and all(0 <= at <= 255 for at in colour))
        for value in said.get("measurements", {}).values():
            assert isinstance(value, float)
        if feature["geometry"]["type"] == "Polygon":
            assert all(ring[0] == ring[-1] for ring in feature["geometry"]["coordinates"])


def examples() -> list[Annotation]:
    found = list[Annotation]()

    @given(annotations)
    def collect(at: Annotation) -> None:
        found.append(at)

    collect()
    return found


def test_an_ellipse_is_the_box_around_it() -> None:
    box = [[10, 20], [60, 20], [60, 40], [10, 40], [10, 20]]
    geometry = {"type": "Polygon", "coordinates": [box], "isEllipse": True}
    found = annotation_of({"type": "Feature", "geometry": geometry, "properties": {}}, FILE)
    shape = found.annotation.content.geometry
    assert shape.kind is Kind.ELLIPSE
    assert shape.parts == ((((10.0, 30.0), (60.0, 30.0), (35.0, 20.0), (35.0, 40.0)),),)
    again = feature_of(found.annotation)["geometry"]
    assert again["isEllipse"] is True
    xs, ys = zip(*again["coordinates"][0], strict=True)
    assert (min(xs), max(xs), min(ys), max(ys)) == (10, 60, 20, 40)


def test_a_shape_that_was_moved_elsewhere_is_believed() -> None:
    box = [[10, 20], [60, 20], [60, 40], [10, 40], [10, 20]]
    geometry = {"type": "Polygon", "coordinates": [box], "isEllipse": True}
    drawn = annotation_of({"type": "Feature", "geometry": geometry, "properties": {}}, FILE)
    feature = json.loads(json.dumps(feature_of(drawn.annotation)))
    feature["geometry"]["coordinates"] = [[[x + 100, y] for x, y in box]]
    moved = annotation_of(feature, FILE).annotation.content.geometry
    assert moved.bounds == (110.0, 20.0, 160.0, 40.0)


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"type": "FeatureCollection", "features": [QUPATH, QUPATH]}),
        json.dumps([QUPATH, QUPATH], indent=2),
        json.dumps({"features": [QUPATH, QUPATH], "type": "FeatureCollection", "crs": {"a": [1]}}),
    ],
)
def test_the_shapes_of_files(text: str) -> None:
    assert len(list(read_features(io.StringIO(text)))) == 2
    assert len(list(read_features(io.StringIO(json.dumps(QUPATH))))) == 1


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not_json"),
        ("nonsense", "not_geojson"),
        ('{"type": "FeatureCollection", "features": [{"type"', "not_json"),
        ('{"type": "FeatureCollection", "features": [] 5', "not_json"),
        ('{"type": "Polygon", "coordinates": []}', "not_geojson"),
        ('[{"type": "Feature", "geometry": null}]', "shape_malformed"),
        ('[{"type": "Feature", "geometry": {"type": "Blob", "coordinates": []}}]', "shape_unknown"),
        ('[{"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [[[1,2],[1,2]]]}}]',
         "shape_too_few_points"),
        ('[{"type": "Feature", "geometry": {"type": "Point", "coordinates": [1e400, 2]}}]',
         "shape_out_of_bounds"),
        ('[{"type": "Feature", "geometry": {"type": "Point", "coordinates": ["1", 2]}}]',
         "shape_malformed"),
        ("[" * 100_000, "not_json"),
        ("[5]", "feature_expected"),
    ],
)  # fmt: skip
def test_what_is_none_is_told_apart(text: str, why: str) -> None:
    with pytest.raises(Malformed, match=f"^{why}$"):
        [annotation_of(feature, FILE) for feature in read_features(io.StringIO(text))]


def test_a_long_file_is_read_in_pieces() -> None:
    feature = json.dumps(QUPATH | {"beside": "x" * 10_000})

    class Endless(io.StringIO):
        """Made while it is read: 20 MB."""

        def __init__(self) -> None:
            super().__init__('{"type":"FeatureCollection","features":[')
            self.left = 2000

        def read(self, size: int | None = -1) -> str:
            head = super().read(size)
            if head or not self.left:
                return head
            self.left -= 100
            return (feature + ",") * 99 + feature + ("," if self.left else "]}")

    assert sum(1 for _ in read_features(Endless())) == 2000
