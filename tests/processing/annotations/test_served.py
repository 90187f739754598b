"""Annotations as instances of a series: what the catalogue and DICOMweb ask of any instance."""

from __future__ import annotations

import io

import pydicom
import pytest

from processing.annotations import served
from processing.annotations.plane import Plane
from processing.dicom.instance import Instance
from storage.errors import NotFound
from tests.processing.annotations.conftest import ROOT, sheet_of
from tests.processing.annotations.test_ann import every_kind


@pytest.mark.parametrize("form", ["ann", "sr"])
def test_an_author_is_an_instance(planes: list[Plane], form: str) -> None:
    made: list[Instance] = list(
        served.instances(form, [sheet_of(*every_kind())], lambda: planes, ROOT)
    )
    (one,) = made
    whole = b"".join(one.stream())
    assert one.size() == len(whole)
    assert b"".join(one.stream(100, 900)) == whole[100:900]
    read = pydicom.dcmread(io.BytesIO(whole))
    assert read.file_meta.TransferSyntaxUID == one.transfer_syntax
    assert (read.SOPInstanceUID, read.SOPClassUID) == (one.sop_uid, one.sop_class)
    assert read.SeriesInstanceUID == served.series_uid(ROOT, form)
    assert read.Modality == served.MODALITIES[form]
    assert one.header() == read
    assert one.frames == 0
    with pytest.raises(NotFound):
        one.frame(0)
