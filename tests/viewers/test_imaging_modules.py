"""The arithmetic of radiology in the browser: pydicom is the judge where there is one."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_modality_lut, apply_voi, apply_windowing

from tests.viewers.imaging_node import Model, Node, model, node_in, text_of


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Node:
    return node_in(tmp_path_factory.mktemp("node"))


@pytest.mark.parametrize("shape", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize("window", [(40.0, 400.0), (-600.0, 1500.0), (100.5, 3.0), (0.0, 2.0)])
def test_windows_are_those_of_the_standard(
    node: Node, shape: str, window: tuple[float, float]
) -> None:
    dataset = Dataset()
    dataset.WindowCenter, dataset.WindowWidth = window
    dataset.VOILUTFunction = shape
    dataset.BitsStored, dataset.PixelRepresentation = 16, 0
    dataset.PhotometricInterpretation = "MONOCHROME2"
    values = np.arange(-1500, 1500, 0.5)
    with np.errstate(over="ignore"):
        wanted = apply_windowing(values, dataset) / 65535 * 255
    found = node.run(
        "const grey = window.greyOf(given.window); return given.values.map(grey);",
        window={"center": window[0], "width": window[1], "shape": shape},
        values=values.tolist(),
    )
    np.testing.assert_allclose(found, wanted, atol=1e-9)


def test_a_window_of_one_is_a_step(node: Node) -> None:
    found = node.run(
        "return [39, 39.5, 39.6, 40, 41].map(window.greyOf(given.window));",
        window={"center": 40, "width": 1, "shape": "LINEAR"},
    )
    assert found == [0, 0, 255, 255, 255]


def test_the_whole_range_is_black_to_white(node: Node) -> None:
    for low, high in ((-1024, 3071), (0, 1), (7, 7), (0.25, 1.75)):
        ends = node.run(
            "return given.ends.map(window.greyOf(window.wholeWindow(...given.ends)));",
            ends=[low, high],
        )
        if low < high:
            assert ends == [0, 255]


def lut(first: int, entries: list[int], bits: int = 16) -> Model:
    item = {
        "00283002": {"vr": "US", "Value": [len(entries), first, bits]},
        "00283006": {"vr": "OW", "InlineBinary": text_of(np.array(entries, "<u2"))},
    }
    return {"vr": "SQ", "Value": [item]}


def test_tables_of_modality_and_window_are_pydicoms(node: Node) -> None:
    entries = [int(at) for at in np.random.default_rng(5).integers(0, 4096, 64)]
    values = np.arange(0, 120, dtype=np.uint16)
    dataset = Dataset()
    item = Dataset()
    item.LUTDescriptor, item.LUTData = [64, 20, 16], entries
    item["LUTDescriptor"].VR = item["LUTData"].VR = "US"
    dataset.ModalityLUTSequence = [item]
    dataset.VOILUTSequence = [item]
    dataset.BitsStored, dataset.PixelRepresentation = 16, 0
    dataset.PhotometricInterpretation = "MONOCHROME2"
    found = node.run(
        """const [table] = await pixels.lutsOf(given.dataset, "00283000", read);
        const grey = { slope: 1, intercept: 0, table };
        return given.values.map((at) => values.inUnits(grey, at));""",
        dataset={"00283000": lut(20, entries)},
        values=values.tolist(),
    )
    assert found == apply_modality_lut(values, dataset).tolist()
    assert found == apply_voi(values, dataset).tolist()


GREY = {
    "Rows": 2, "Columns": 3, "SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2",
    "BitsAllocated": 16, "BitsStored": 16, "PixelRepresentation": 0,
}  # fmt: skip


def pixels_of(node: Node, dataset: Model, values: list[int], kind: str = "Uint16Array") -> Model:
    found: Model = node.run(
        f"""const made = await pixels.pixelsOf(
          {{ pixelData: {kind}.from(given.values) }}, given.dataset, "1.2.840.10008.1.2.1", read);
        return {{ ...made, stored: list(made.stored), rgba: list(made.rgba) }};""",
        dataset=dataset,
        values=values,
    )
    return found


def test_padding_is_no_image(node: Node) -> None:
    signed = model(
        **GREY | {"PixelRepresentation": 1}, RescaleSlope=2, RescaleIntercept=-10, Modality="CT"
    )
    signed["00280120"] = {"vr": "SS", "Value": [-2000]}
    found = pixels_of(node, signed, [-2000, -3, 5, 40, -2000, 7], "Int16Array")
    assert (found["low"], found["high"], found["padding"]) == (-3, 40, [-2000, -2000])
    shown = node.run(
        """const grey = { ...given.grey, stored: Int16Array.from(given.grey.stored) };
        return [values.rangeOf(grey), values.valueAt(grey, 0, 0), values.valueAt(grey, 1, 0),
          values.valueAt(grey, 3, 0), given.grey.stored.map(values.painterOf(grey,
            window.wholeWindow(...values.rangeOf(grey)), false))];""",
        grey=found,
    )
    assert shown[:4] == [[-16, 70], None, -16, None]
    assert shown[4][0] == shown[4][4] == 0
    assert (shown[4][1], shown[4][3]) == (0, 255)


def test_bits_above_the_image_are_none_of_it(node: Node) -> None:
    dataset = model(**GREY | {"BitsStored": 12})
    found = pixels_of(node, dataset, [0x1005, 0x0FFF, 3, 0x8000, 0x8007, 9])
    assert found["stored"] == [5, 4095, 3, 0, 7, 9]
    assert (found["low"], found["high"]) == (0, 4095)


def test_a_picture_that_ends_early_is_an_error(node: Node) -> None:
    refused = node.run(
        """try { await pixels.pixelsOf({ pixelData: new Uint16Array(5) }, given.dataset,
            "1.2.840.10008.1.2.1", read); return "shown"; }
        catch (error) { return error.constructor.name; }""",
        dataset=model(**GREY),
    )
    assert refused == "RangeError"


@pytest.mark.parametrize(
    ("photometric", "planar", "values", "wanted"),
    [
        ("RGB", 0, [1, 2, 3, 4, 5, 6], [1, 2, 3, 255, 4, 5, 6, 255]),
        ("RGB", 1, [1, 4, 2, 5, 3, 6], [1, 2, 3, 255, 4, 5, 6, 255]),
        ("YBR_FULL", 0, [76, 85, 255, 150, 44, 21], [254, 0, 0, 255, 0, 255, 1, 255]),
        ("YBR_FULL_422", 0, [76, 76, 85, 255], [254, 0, 0, 255, 254, 0, 0, 255]),
    ],
)
def test_colours_however_they_lie(
    node: Node, photometric: str, planar: int, values: list[int], wanted: list[int]
) -> None:
    dataset = model(
        Rows=1, Columns=2, SamplesPerPixel=3, PhotometricInterpretation=photometric,
        PlanarConfiguration=planar, BitsAllocated=8, BitsStored=8, PixelRepresentation=0,
    )  # fmt: skip
    found = pixels_of(node, dataset, values, "Uint8Array")["rgba"]
    assert np.abs(np.array(found) - wanted).max() <= 1
