"""DICOM files made for tests: any attributes, any pixels."""

from __future__ import annotations

from pathlib import Path

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import generate_frames
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    SecondaryCaptureImageStorage,
    generate_uid,
)

WSI = UID("1.2.840.10008.5.1.4.1.1.77.1.6")


def as_dicom(
    path: Path, pixels: bytes, syntax: UID = ExplicitVRLittleEndian, **attributes: object
) -> Dataset:
    """Write an image of 10x10 grey pixels a frame, unless `attributes` say otherwise."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    usual = {
        "SOPClassUID": SecondaryCaptureImageStorage,
        "SOPInstanceUID": generate_uid(),
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "Rows": 10,
        "Columns": 10,
        "BitsAllocated": 8,
    }
    for name, value in {**usual, **attributes}.items():
        setattr(dataset, name, value)
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.PixelData = pixels
    native = not syntax.is_encapsulated
    dataset["PixelData"].VR = "OW" if native and dataset.BitsAllocated > 8 else "OB"
    dataset.save_as(
        path,
        implicit_vr=syntax.is_implicit_VR,
        little_endian=syntax != ExplicitVRBigEndian,
        enforce_file_format=True,
    )
    return dataset


def frames_of(path: Path) -> list[bytes]:
    """Coded frames as pydicom cuts them."""
    dataset = pydicom.dcmread(path)
    count = int(dataset.get("NumberOfFrames") or 1)
    return list(generate_frames(dataset.PixelData, number_of_frames=count))
