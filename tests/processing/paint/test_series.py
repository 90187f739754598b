"""The DICOM series is whole-slide microscopy to pydicom and to OpenSlide."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openslide
import pydicom
import pytest
import zxingcpp
from pydicom.encaps import generate_frames
from pydicom.uid import JPEGBaseline8Bit, VLWholeSlideMicroscopyImageStorage

from processing.paint import Painting, write_dicom

NAMES = ["label.dcm", "level-0.dcm", "level-1.dcm", "level-2.dcm", "overview.dcm"]


def test_openslide_opens_the_series(series: Path, painting: Painting) -> None:
    with openslide.OpenSlide(series / "level-0.dcm") as slide:
        assert slide.properties["openslide.vendor"] == "dicom"
        assert slide.level_dimensions == ((3000, 2300), (750, 575), (187, 143))
        assert float(slide.properties["openslide.mpp-x"]) == pytest.approx(painting.mpp)
        assert set(slide.associated_images) == {"label", "macro"}
        shown = np.asarray(slide.read_region((1000, 700), 0, (800, 600)).convert("RGB"))
        label = np.asarray(slide.associated_images["label"].convert("RGB"))
    assert np.abs(shown.astype(int) - painting.region(1000, 700, 800, 600)).mean() < 4
    assert [code.text for code in zxingcpp.read_barcodes(label)] == [painting.barcode]


@pytest.mark.parametrize("name", NAMES)
def test_every_instance_is_sound(series: Path, painting: Painting, name: str) -> None:
    instance = pydicom.dcmread(series / name)
    assert instance.SOPClassUID == VLWholeSlideMicroscopyImageStorage
    assert instance.file_meta.TransferSyntaxUID == JPEGBaseline8Bit
    assert instance.ContainerIdentifier == painting.barcode
    assert instance.AccessionNumber == painting.accession
    assert instance.SOPInstanceUID.startswith("2.25.")
    assert instance.SOPInstanceUID.is_valid
    assert instance.OpticalPathSequence[0].ICCProfile[36:40] == b"acsp"
    extended = (instance.ExtendedOffsetTable, instance.ExtendedOffsetTableLengths)
    frames = list(generate_frames(instance.PixelData, extended_offsets=extended))
    assert len(frames) == instance.NumberOfFrames
    assert all(frame[:2] == b"\xff\xd8" and frame[-2:] == b"\xff\xd9" for frame in frames)


def test_identity_is_shared_and_distinct(series: Path) -> None:
    instances = [pydicom.dcmread(series / name, stop_before_pixels=True) for name in NAMES]
    assert len({i.SOPInstanceUID for i in instances}) == len(NAMES)
    assert len({i.SeriesInstanceUID for i in instances}) == 1
    assert [i.ImageType[2] for i in instances] == ["LABEL", *["VOLUME"] * 3, "OVERVIEW"]


def test_same_arguments_same_bytes(series: Path, painting: Painting, tmp_path: Path) -> None:
    write_dicom(painting, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == NAMES
    assert all((tmp_path / n).read_bytes() == (series / n).read_bytes() for n in NAMES)
