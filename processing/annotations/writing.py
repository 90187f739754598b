"""A slide's annotations as DICOM objects: which writer, and the object as the bytes of a file."""

from __future__ import annotations

import io
from collections.abc import Sequence

from pydicom.dataset import Dataset

from processing.annotations.ann_writing import write_ann
from processing.annotations.plane import Plane
from processing.annotations.seg_writing import write_seg
from processing.annotations.sheet import Form, numbers_of
from processing.annotations.sr_writing import write_sr
from storage.annotations_sheet import Sheet


def write(form: Form, planes: Sequence[Plane], sheet: Sheet, root: str) -> Dataset:
    """One object; `planes` are of the slide's levels, the finest first, `root` is its UID.

    Errors: Illegal (`too_many_for_a_report`, `too_many_for_masks`, `no_areas`), Refused.
    """
    numbers = numbers_of(sheet, root, form)
    if form is Form.ANN:
        return write_ann(planes[0].header, sheet, numbers)
    if form is Form.SR:
        return write_sr(planes[0], sheet, numbers)
    return write_seg(planes, sheet, numbers)


def as_file(dataset: Dataset) -> bytes:
    """The object as a Part 10 file."""
    out = io.BytesIO()
    dataset.save_as(out, enforce_file_format=True)
    return out.getvalue()
