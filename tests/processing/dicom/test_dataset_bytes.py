"""Data sets as they go over an association: as stored, or with VRs said or left out."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset

from processing.dicom.dataset_bytes import rewritten_bytes, stored_bytes
from processing.dicom.guard import EXPLICIT_LITTLE, IMPLICIT_LITTLE, inspect
from processing.dicom.stored import StoredInstance
from storage.errors import StoreDamaged
from storage.records.imaging import StoredObject

FILES = ("pydicom-CT_small.dcm", "pydicom-rtplan.dcm", "pydicom-rtdose.dcm", "pydicom-test-SR.dcm",
         "MR-MONO2-8-16x-heart.dcm", "pydicom-examples_palette.dcm")  # fmt: skip


def kept(path: Path, pixels_at: int | None = None) -> StoredInstance:
    """A file as the index knows it."""
    structure = inspect(path)
    at = structure.walked.pixels_at if pixels_at is None else pixels_at
    meta = structure.meta
    found = StoredObject(
        meta.sop_uid, meta.sop_class, "1.2", "1.3", meta.transfer_syntax, "", path.stat().st_size,
        at, "{}", datetime.now(UTC), "test",
    )  # fmt: skip
    return StoredInstance(found, path)


def read(data: bytes, syntax: str) -> Dataset:
    return read_dataset(BytesIO(data), syntax == IMPLICIT_LITTLE, is_little_endian=True)


@pytest.mark.parametrize("name", FILES)
def test_rewritten_it_is_the_same_object(slides_dir: Path, tmp_path: Path, name: str) -> None:
    original = dcmread(slides_dir / "radiology" / name)
    original.DataSetTrailingPadding = bytes(12)
    path = tmp_path / name
    original.save_as(path, enforce_file_format=True)
    instance = kept(path)
    own = instance.transfer_syntax
    other = IMPLICIT_LITTLE if own == EXPLICIT_LITTLE else EXPLICIT_LITTLE
    assert read(b"".join(stored_bytes(instance)), own) == dcmread(path)
    made = read(b"".join(rewritten_bytes(instance, other)), other)
    assert [at.tag for at in made.iterall()] == [at.tag for at in dcmread(path).iterall()]
    for element in dcmread(path):
        if element.VR != "SQ":
            assert made[element.tag].value == element.value, element.keyword


def test_pixels_that_are_elsewhere_are_not_sent(slides_dir: Path) -> None:
    instance = kept(slides_dir / "radiology" / FILES[0], pixels_at=400)
    with pytest.raises(StoreDamaged):
        b"".join(rewritten_bytes(instance, IMPLICIT_LITTLE))
