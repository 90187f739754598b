"""The DICOM JSON model, judged by pydicom's own reader of it and by the standard's examples."""

from __future__ import annotations

import base64
import json
import math
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRBigEndian

from processing.dicom.json_model import (
    MOST_INLINE,
    absolute,
    bulk_paths,
    bulk_value,
    to_model,
    to_text,
)
from storage.errors import NotFound

LARGE = bytes(range(256)) * 8


def nested(value: bytes) -> Dataset:
    path = Dataset()
    path.OpticalPathIdentifier = "1"
    path.ICCProfile = value
    dataset = Dataset()
    dataset.OpticalPathSequence = Sequence([Dataset(), path])
    return dataset


def test_the_standards_shapes() -> None:
    """PS3.18 F.2: names in groups, numbers as numbers, empty ones without a value."""
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 100"
    dataset.PatientName = "Yamada^Tarou=山田^太郎=やまだ^たろう"
    dataset.ReferringPhysicianName = "=山田"
    dataset.PatientID = ""
    dataset.ModalitiesInStudy = ["SM", "", "CT"]
    dataset.PixelSpacing = ["0.25", "1e-3"]
    dataset.SeriesNumber = "7"
    dataset.FrameIncrementPointer = pydicom.tag.Tag("FrameTime")
    dataset.AcquisitionContextSequence = Sequence()
    dataset.SharedFunctionalGroupsSequence = Sequence([Dataset()])
    assert to_model(dataset) == {
        "00080005": {"vr": "CS", "Value": ["ISO_IR 192"]},
        "00080061": {"vr": "CS", "Value": ["SM", None, "CT"]},
        "00080090": {"vr": "PN", "Value": [{"Ideographic": "山田"}]},
        "00100010": {
            "vr": "PN",
            "Value": [
                {
                    "Alphabetic": "Yamada^Tarou",
                    "Ideographic": "山田^太郎",
                    "Phonetic": "やまだ^たろう",
                }
            ],
        },
        "00100020": {"vr": "LO"},
        "00200011": {"vr": "IS", "Value": [7]},
        "00280009": {"vr": "AT", "Value": ["00181063"]},
        "00280030": {"vr": "DS", "Value": [0.25, 0.001]},
        "00400555": {"vr": "SQ"},
        "52009229": {"vr": "SQ", "Value": [{}]},
    }  # fmt: skip


def test_what_json_has_no_number_for_is_text() -> None:
    dataset = Dataset()
    dataset.RecommendedDisplayFrameRateInFloat = math.nan
    dataset.ImagedVolumeWidth = math.inf
    dataset.ExtendedOffsetTable = b""
    dataset.add_new(0x00431001, "UV", 2**63)
    dataset.add_new(0x00431002, "SV", -5)
    model = to_model(dataset)
    assert model["00089459"]["Value"] == ["NaN"]
    assert model["00480001"]["Value"] == ["inf"]
    assert model["00431001"]["Value"] == [str(2**63)]
    assert model["00431002"]["Value"] == [-5]
    assert json.loads(to_text(model)) == model


def test_no_pixels_no_file_meta_and_no_group_lengths() -> None:
    dataset = nested(b"")
    dataset.PixelData = LARGE
    dataset.add_new(0x00080000, "UL", 4)
    dataset.file_meta = FileMetaDataset()
    assert list(to_model(dataset)) == ["00480105"]


@pytest.mark.parametrize("length", [0, 1, MOST_INLINE])
def test_small_values_stand_in_the_model(length: int) -> None:
    item = to_model(nested(LARGE[:length]))["00480105"]["Value"][1]
    assert base64.b64decode(item["00282000"].get("InlineBinary", "")) == LARGE[:length]
    assert "BulkDataURI" not in item["00282000"]


def test_large_values_are_found_at_their_address() -> None:
    dataset = nested(LARGE)
    dataset.add_new(0x00431029, "OB", LARGE[:1026])
    model = to_model(dataset)
    assert model["00431029"] == {"vr": "OB", "BulkDataURI": "bulkdata/00431029"}
    assert bulk_paths(model) == ["00431029", "00480105/1/00282000"]
    assert bulk_value(dataset, "00480105/1/00282000") == LARGE
    text = absolute(to_text(model), "https://x/instances/1.2")
    assert (
        json.loads(text)["00431029"]["BulkDataURI"] == "https://x/instances/1.2/bulkdata/00431029"
    )


def test_a_value_that_looks_like_an_address_is_left_alone() -> None:
    dataset = Dataset()
    dataset.StudyDescription = '"BulkDataURI": "bulkdata/x'
    text = absolute(to_text(to_model(dataset)), "https://x")
    assert json.loads(text)["00081030"]["Value"] == ['"BulkDataURI": "bulkdata/x']


@pytest.mark.parametrize(
    "path",
    ["", "x", "00480105", "00480105/0/00282000", "00480105/2/00282000", "00480105/1/00282001",
     "00480105/1/00480106", "00480105/1", "00480105/-1/00282000", "7FE00010", "../etc/passwd"],
)  # fmt: skip
def test_no_other_address_leads_anywhere(path: str) -> None:
    dataset = nested(LARGE)
    dataset.PixelData = LARGE
    with pytest.raises(NotFound):
        bulk_value(dataset, path)


def test_words_of_a_big_endian_file_are_turned() -> None:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    dataset.add_new(0x00431001, "OW", b"\x01\x02" * 600)
    dataset.add_new(0x00431002, "OB", b"\x01\x02")
    assert bulk_value(dataset, "00431001") == b"\x02\x01" * 600
    assert bulk_value(dataset, "00431002") == b"\x01\x02"


def test_pydicom_reads_every_real_header_back(slides_dir: Path) -> None:
    """Element by element; what cannot be read in the file is there as bytes."""
    files = [*(slides_dir / "radiology").glob("*.dcm"), *(slides_dir / "dicom-wsi").glob("*.dcm")]
    assert len(files) > 20
    for file in files:
        dataset = pydicom.dcmread(file, force=True, stop_before_pixels=True)
        model = to_model(dataset)
        back = Dataset.from_json(
            to_text(model),
            bulk_data_uri_handler=lambda uri: bulk_value(dataset, uri.removeprefix("bulkdata/")),  # noqa: B023
        )
        for tag, element in model.items():
            if "Value" not in element or tag == "00080005" or element["vr"] == "SQ":
                continue
            if element["vr"] == "FL":
                assert np.allclose(back[tag].value, dataset[tag].value, rtol=1e-7), tag
            elif element["vr"] != "DS":
                assert str(back[tag].value) == str(dataset[tag].value), tag
        assert set(back.keys()) == {int(tag, 16) for tag in model}
        for path in bulk_paths(model):
            assert len(bulk_value(dataset, path)) > MOST_INLINE
