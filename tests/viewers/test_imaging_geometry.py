"""Where things lie in radiology: spacing, stacks, sides of the patient, views, rates, overlays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset

from tests.viewers.imaging_node import Model, Node, model, node_in, text_of

AXIAL, CORONAL = [1, 0, 0, 0, 1, 0], [1, 0, 0, 0, 0, -1]
OBLIQUE = [0.8, 0.6, 0, 0, 0, -1]


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Node:
    return node_in(tmp_path_factory.mktemp("node"))


SPACINGS: tuple[tuple[Model, Any], ...] = (
    ({"Modality": "CT", "PixelSpacing": [0.7, 0.5]}, (0.7, 0.5, "patient")),
    ({"Modality": "DX", "ImagerPixelSpacing": [0.2, 0.1]}, (0.2, 0.1, "detector")),
    (
        {"Modality": "DX", "ImagerPixelSpacing": [0.2, 0.1], "PixelSpacing": [0.2, 0.1]},
        (0.2, 0.1, "detector"),
    ),
    (
        {"Modality": "CR", "ImagerPixelSpacing": [0.2, 0.2], "PixelSpacing": [0.15, 0.15]},
        (0.15, 0.15, "calibrated"),
    ),
    (
        {"Modality": "CR", "PixelSpacing": [0.15, 0.15], "PixelSpacingCalibrationType": "FIDUCIAL"},
        (0.15, 0.15, "calibrated"),
    ),
    (
        {
            "Modality": "MG", "ImagerPixelSpacing": [0.1, 0.1],
            "EstimatedRadiographicMagnificationFactor": 1.25,
        },
        (0.08, 0.08, "estimated"),
    ),
    ({"Modality": "OT", "NominalScannedPixelSpacing": [0.1, 0.1]}, (0.1, 0.1, "film")),
    ({"Modality": "MR"}, None),
    ({"Modality": "CT", "PixelSpacing": [0, 0]}, None),
)  # fmt: skip


@pytest.mark.parametrize(("told", "wanted"), SPACINGS)
def test_spacing_says_where_it_is_measured(node: Node, told: Model, wanted: Any) -> None:  # noqa: ANN401
    found = node.run("return spacing.spacingOf(given.dataset);", dataset=model(**told))
    if wanted is None:
        assert found is None
        return
    row, column, origin = wanted
    assert found == {"row": pytest.approx(row), "column": pytest.approx(column), "origin": origin}
    across = node.run(
        "return spacing.distance({x: 1, y: 1}, {x: 4, y: 5}, given.spacing);", spacing=found
    )
    assert across["pixels"] == 5
    assert across["mm"] == pytest.approx(np.hypot(3 * column, 4 * row))


def test_ultrasound_measures_only_inside_one_region(node: Node) -> None:
    region = Dataset()
    region.RegionLocationMinX0, region.RegionLocationMinY0 = 10, 10
    region.RegionLocationMaxX1, region.RegionLocationMaxY1 = 100, 80
    region.PhysicalUnitsXDirection = region.PhysicalUnitsYDirection = 3
    region.PhysicalDeltaX, region.PhysicalDeltaY = 0.02, -0.03
    dataset = model(Modality="US", SequenceOfUltrasoundRegions=[region])
    within, across = node.run(
        """const at = (x, y) => ({ x, y });
        return [spacing.spacingBetween(given.dataset, at(20, 20), at(90, 70)),
          spacing.spacingBetween(given.dataset, at(20, 20), at(150, 70))];""",
        dataset=dataset,
    )
    assert within == {
        "row": pytest.approx(0.3), "column": pytest.approx(0.2), "origin": "ultrasound",
    }  # fmt: skip
    assert across is None


def test_frames_have_the_attributes_of_their_groups(node: Node) -> None:
    def macro(**keywords: Any) -> Dataset:  # noqa: ANN401
        item = Dataset()
        for keyword, value in keywords.items():
            setattr(item, keyword, value)
        return item

    shared, own = Dataset(), [Dataset(), Dataset()]
    shared.PixelMeasuresSequence = [macro(PixelSpacing=[0.4, 0.3])]
    for number, item in enumerate(own):
        item.FrameVOILUTSequence = [macro(WindowCenter=10 + number, WindowWidth=100)]
    dataset = model(
        Rows=2, Columns=2, SOPInstanceUID="1.2", NumberOfFrames=2, WindowCenter=1, WindowWidth=2,
        SharedFunctionalGroupsSequence=[shared], PerFrameFunctionalGroupsSequence=own,
    )  # fmt: skip
    found = node.run(
        """return stack.stackOf([given.dataset]).map((frame) => [
          frame.number, frame.of, spacing.spacingOf(frame.dataset),
          window.fileWindows(frame.dataset)[0].window.center]);""",
        dataset=dataset,
    )
    spacing = {"row": 0.4, "column": 0.3, "origin": "patient"}
    assert found == [[1, 2, spacing, 10], [2, 2, spacing, 11]]


def test_stacks_are_in_order(node: Node) -> None:
    def slice_of(name: str, number: int | None, z: float) -> Model:
        made = model(
            Rows=1, Columns=1, SOPInstanceUID=name, ImagePositionPatient=[0, 0, z],
            ImageOrientationPatient=AXIAL,
        )  # fmt: skip
        if number is not None:
            made["00200013"] = {"vr": "IS", "Value": [number]}
        return made

    names = "return stack.stackOf(given.all).map((frame) => frame.sop);"
    by_number = [slice_of("1.2", 2, 9), slice_of("1.1", 1, 5), slice_of("1.3", 3, 7)]
    assert node.run(names, all=by_number) == ["1.1", "1.2", "1.3"]
    by_place = [slice_of("1.9", 1, 9), slice_of("1.5", 1, 5), slice_of("1.7", 1, 7)]
    assert node.run(names, all=by_place) == ["1.5", "1.7", "1.9"]
    report = model(SOPInstanceUID="1.4", Modality="SR")
    assert node.run(names, all=[report, *by_number]) == ["1.1", "1.2", "1.3"]


@pytest.mark.parametrize(
    ("cosines", "wanted"),
    [(AXIAL, "A L P R"), (CORONAL, "H L F R"), (OBLIQUE, "H LP F RA")],
)
def test_edges_name_the_sides(node: Node, cosines: list[float], wanted: str) -> None:
    script = """const { top, right, bottom, left } = orientation.edgesOf(given.dataset, given.view);
      return [top, right, bottom, left].join(" ");"""
    dataset = model(ImageOrientationPatient=cosines)
    plain = {"turns": 0, "flipped": False}
    assert node.run(script, dataset=dataset, view=plain) == wanted
    letters = model(PatientOrientation=["P", "FR"])
    assert node.run(script, dataset=letters, view=plain) == "HL P FR A"
    of_animals = model(PatientOrientation=["CR", "D"])
    assert node.run(script, dataset=of_animals, view=plain).strip() == ""


def test_turning_and_mirroring_keep_what_is_seen(node: Node) -> None:
    """Every step, done to the view, moves points as it would move them on the screen."""
    found = node.run(
        """const size = { columns: 60, rows: 40, aspect: 1.5 }, stage = { width: 200, height: 160 };
        const start = { scale: 2, x: 12, y: -8, turns: 3, flipped: true };
        const at = (v) => view.toStage(view.matrixOf(v, size, stage), { x: 7, y: 31 });
        const back = view.toImage(view.matrixOf(start, size, stage), at(start));
        return { start: at(start), turned: at(view.turned(start, 1)), back,
          mirrored: at(view.mirrored(start)), upside: at(view.mirrored(start, true)),
          zoomed: at(view.zoomed(start, 2, { x: 0, y: 0 }, size)) };"""
    )
    x, y = found["start"]["x"] - 100, found["start"]["y"] - 80
    wanted = {
        "turned": (-y, x), "mirrored": (-x, y), "upside": (x, -y), "zoomed": (2 * x, 2 * y),
    }  # fmt: skip
    for name, (across, down) in wanted.items():
        assert found[name]["x"] - 100 == pytest.approx(across, abs=1.01), name
        assert found[name]["y"] - 80 == pytest.approx(down, abs=1.01), name
    assert found["back"] == {"x": pytest.approx(7), "y": pytest.approx(31)}


@pytest.mark.parametrize(
    ("told", "rate"),
    [
        ({"FrameTime": 40}, 25), ({"CineRate": 15, "FrameTime": 40}, 15),
        ({"RecommendedDisplayFrameRate": 30, "CineRate": 15}, 30),
        ({"FrameTimeVector": [0, 50, 50, 50]}, 20), ({}, 10), ({"FrameTime": 1}, 60),
    ],
)  # fmt: skip
def test_cine_has_the_rate_of_the_file(node: Node, told: Model, rate: float) -> None:
    found = node.run("return cine.rateOf(given.dataset);", dataset=model(**told))
    assert found == {"rate": rate, "told": bool(told)}


def test_overlays_of_several_frames_find_theirs(node: Node) -> None:
    bits = np.packbits(np.array([1, 0, 0, 0, 0, 1, 0, 0], np.uint8), bitorder="little")
    dataset = {
        "60020010": {"vr": "US", "Value": [2]}, "60020011": {"vr": "US", "Value": [2]},
        "60020015": {"vr": "IS", "Value": [2]}, "60020051": {"vr": "US", "Value": [3]},
        "60020050": {"vr": "SS", "Value": [2, 5]},
        "60023000": {"vr": "OW", "InlineBinary": text_of(bits)},
    }  # fmt: skip
    found = node.run(
        """const of = async (number) => {
          const found = await overlay.overlaysOf({ dataset: given.dataset, number }, read);
          return found.map((at) => [list(at.bits).slice(0, 4), at.left, at.top]);
        };
        return [await of(2), await of(3), await of(4), await of(5)];""",
        dataset=dataset,
    )
    assert found == [[], [[[1, 0, 0, 0], 4, 1]], [[[0, 1, 0, 0], 4, 1]], []]
