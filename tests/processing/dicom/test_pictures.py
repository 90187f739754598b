"""Pictures of frames: modality LUT, window, palette, and what part is shown."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut, apply_windowing
from pydicom.sequence import Sequence

from processing.dicom.rendering import (
    View,
    Window,
    encode_picture,
    parse_quality,
    parse_viewport,
    parse_window,
    picture_of,
    seen_through,
)
from storage.errors import Damaged, Malformed


def header(**more: object) -> Dataset:
    dataset = Dataset()
    usual = {
        "Rows": 1, "Columns": 5, "SamplesPerPixel": 1, "BitsAllocated": 16, "BitsStored": 16,
        "PhotometricInterpretation": "MONOCHROME2",
    }  # fmt: skip
    for name, value in {**usual, **more}.items():
        setattr(dataset, name, value)
    return dataset


VALUES = np.array([[0, 100, 200, 300, 400]], np.uint16)


def shown(window: Window | None = None, **more: object) -> list[int]:
    return [int(at) for at in picture_of(VALUES, header(**more), 0, window)[0]]


def test_without_a_word_from_the_darkest_to_the_brightest() -> None:
    assert shown() == [0, 64, 128, 191, 255]
    assert shown(PixelPaddingValue=0) == [0, 0, 85, 170, 255]


def test_windows_of_the_standard() -> None:
    """PS3.3 C.11.2.1.2: linear, linear exact, sigmoid."""
    assert shown(Window(200, 200)) == [0, 0, 128, 255, 255]
    assert shown(Window(200, 400, "linear-exact")) == [0, 64, 128, 191, 255]
    assert shown(Window(200, 100, "sigmoid")) == [0, 5, 128, 250, 255]
    assert shown(Window(100.5, 1)) == [0, 0, 255, 255, 255]


def test_what_the_header_says() -> None:
    assert shown(WindowCenter=["200", "50"], WindowWidth=["200", "10"]) == [0, 0, 128, 255, 255]
    assert shown(RescaleSlope="2", RescaleIntercept="-400", WindowCenter="0", WindowWidth="400")[
        2
    ] == 128  # fmt: skip
    assert shown(PhotometricInterpretation="MONOCHROME1") == [255, 191, 128, 64, 0]
    assert shown(PresentationLUTShape="INVERSE") == [255, 191, 128, 64, 0]
    both = {"PhotometricInterpretation": "MONOCHROME1", "PresentationLUTShape": "INVERSE"}
    assert shown(**both) == [255, 191, 128, 64, 0]


def test_a_table_in_place_of_a_window() -> None:
    table = Dataset()
    table.LUTDescriptor = [3, 100, 8]
    table.LUTData = [0, 51, 255]
    assert shown(VOILUTSequence=Sequence([table])) == [0, 0, 255, 255, 255]
    assert shown(ModalityLUTSequence=Sequence([table])) == [0, 0, 255, 255, 255]


def test_a_frame_of_its_own_goes_before_the_image() -> None:
    voi, frame, shared = Dataset(), Dataset(), Dataset()
    voi.WindowCenter, voi.WindowWidth = "200", "200"
    frame.FrameVOILUTSequence = Sequence([voi])
    about = {
        "PerFrameFunctionalGroupsSequence": Sequence([Dataset(), frame]),
        "SharedFunctionalGroupsSequence": Sequence([shared]),
        "WindowCenter": "200", "WindowWidth": "2",
    }  # fmt: skip
    assert list(picture_of(VALUES, header(**about), 1, None)[0]) == [0, 0, 128, 255, 255]
    assert list(picture_of(VALUES, header(**about), 0, None)[0]) == [0, 0, 255, 255, 255]


def test_real_images_are_as_pydicom_shows_them(slides_dir: Path) -> None:
    folder = slides_dir / "radiology"
    palette = pydicom.dcmread(folder / "pydicom-examples_palette.dcm")
    coloured = apply_color_lut(palette.pixel_array, palette) >> 8
    assert np.array_equal(picture_of(palette.pixel_array, palette, 0, None), coloured)
    for name in ("CT1_J2KI.dcm", "pydicom-MR_small.dcm", "pydicom-examples_overlay.dcm"):
        dataset = pydicom.dcmread(folder / name)
        values = apply_modality_lut(dataset.pixel_array, dataset)
        low, high = np.percentile(values, [20, 80])
        dataset.WindowCenter, dataset.WindowWidth = f"{(low + high) / 2}", f"{high - low}"
        expected = apply_windowing(values, dataset).astype(float)  # reaches both its ends
        expected = (expected - expected.min()) / (expected.max() - expected.min()) * 255
        ours = picture_of(dataset.pixel_array, dataset, 0, None)
        assert np.abs(ours - expected).max() <= 1, name


@pytest.mark.parametrize("about", [{"WindowCenter": "x"}, {"RescaleSlope": "x"}])
def test_a_header_that_makes_no_sense(about: dict[str, str]) -> None:
    with pytest.raises((Damaged, ValueError)):
        picture_of(VALUES, header(**about), 0, None)


def test_a_part_of_the_picture_scaled_to_fit() -> None:
    whole = np.zeros((100, 200, 3), np.uint8)
    whole[50:, 100:] = 200
    assert seen_through(whole, None) is whole
    assert seen_through(whole, View(50, 50)).shape == (25, 50, 3)
    assert seen_through(whole, View(400, 400)).shape == (200, 400, 3)
    part = seen_through(whole, View(30, 30, (100, 50, 100, 50)))
    assert part.shape == (15, 30, 3)
    assert (part == 200).all()
    with pytest.raises(Malformed):
        seen_through(whole, View(10, 10, (300, 0, 10, 10)))


def test_jpeg_and_png() -> None:
    for picture in (np.full((7, 9), 80, np.uint8), np.full((7, 9, 3), 80, np.uint8)):
        for kind, name in (("image/jpeg", "JPEG"), ("image/png", "PNG")):
            made = Image.open(io.BytesIO(encode_picture(picture, kind)))
            assert (made.format, made.size, made.mode) == (
                name, (9, 7), "L" if picture.ndim == 2 else "RGB",
            )  # fmt: skip
            assert abs(int(np.asarray(made).mean()) - 80) <= 1


def test_parameters() -> None:
    assert parse_window("40,400") == Window(40, 400)
    assert parse_window("40,400,LINEAR-EXACT") == Window(40, 400, "linear-exact")
    assert parse_viewport("100,200") == View(100, 200)
    assert parse_viewport("100,200,1,2,3,4") == View(100, 200, (1, 2, 3, 4))
    assert parse_quality("80") == 80


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        *((parse_window, text) for text in ("", "1", "1,0", "nan,1", "1,2,3", "1,2,linear,4")),
        *((parse_viewport, text) for text in ("", "1", "0,1", "1,5000", "1,1,1", "1,1,-1,0,1,1")),
        *((parse_quality, text) for text in ("", "0", "101", "x", "²")),
    ],
)
def test_parameters_nobody_understands_are_refused(parse: object, text: str) -> None:
    with pytest.raises(Malformed):
        parse(text)  # type: ignore[operator]
