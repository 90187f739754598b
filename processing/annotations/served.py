"""A slide's own annotations as instances of a DICOM series, made when they are asked for.

The series of a slide with root UID R is `R.9.1` (bulk annotations) or `R.9.2` (reports); an author
has one instance in it, whose UID changes with what it says.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any

import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from processing.annotations.kinds import BULK, REPORTS
from storage.annotations_sheet import Sheet
from storage.errors import NotFound
from storage.on_demand import load

MODALITIES = {"ann": "ANN", "sr": "SR"}
_NUMBERS = {"ann": 1, "sr": 2}
_CLASSES = {"ann": BULK, "sr": REPORTS[-1]}
_SYNTAXES = {"ann": str(ExplicitVRLittleEndian), "sr": str(ImplicitVRLittleEndian)}
_PIECE = 2**20


def series_uid(root: str, form: str) -> str:
    """Of a slide's annotations in one form (`ann` or `sr`)."""
    return f"{root}.9.{_NUMBERS[form]}"


def instances(
    form: str, sheets: Sequence[Sheet], planes: Callable[[], list[Any]], root: str
) -> list[ServedAnnotations]:
    """The instances of that series; `planes` gives those of the slide's levels when needed."""
    return [ServedAnnotations(form, at, planes, root) for at in sheets]


class ServedAnnotations:
    """One author's annotations as an `Instance`; made once, when first looked into."""

    frames = 0

    def __init__(self, form: str, sheet: Sheet, planes: Callable[[], list[Any]], root: str) -> None:
        self._form, self._sheet, self._planes, self._root = form, sheet, planes, root
        self.sop_class = _CLASSES[form]
        self.transfer_syntax = _SYNTAXES[form]
        self.sop_uid = f"{series_uid(root, form)}.{sheet.number}.{sheet.revision}"

    def header(self) -> Dataset:
        """See `Instance`."""
        return pydicom.dcmread(io.BytesIO(self._file))

    def frame(self, number: int) -> bytes:
        """See `Instance`."""
        raise NotFound("the object has no frames")

    def size(self) -> int:
        """See `Instance`."""
        return len(self._file)

    def stream(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """See `Instance`."""
        part = self._file[start:stop]
        for begin in range(0, len(part), _PIECE):
            yield part[begin : begin + _PIECE]

    @cached_property
    def _file(self) -> bytes:
        write = load("processing.annotations.dicom_files:write_objects")
        (made,) = write(self._form, [self._sheet], self._planes(), self._root)
        return bytes(made)
