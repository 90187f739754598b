"""DICOM files of annotations: the part of `files` that needs the library."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pydicom

from processing.annotations.plane import Plane
from processing.annotations.reading import read
from processing.annotations.sheet import Form
from processing.annotations.slide import plane_for
from processing.annotations.writing import as_file, write
from processing.dicom.guard import inspect
from storage.annotations_sheet import Sheet
from storage.errors import Damaged, Illegal
from storage.records.annotation import Brought


def write_objects(
    form: str, sheets: Sequence[Sheet], planes: Sequence[Plane], root: str
) -> list[bytes]:
    """The objects as files, one for each author; of masks only where there are areas.

    Errors: Illegal.
    """
    made, without = list[bytes](), list[Illegal]()
    for sheet in sheets:
        try:
            made.append(as_file(write(Form[form.upper()], planes, sheet, root)))
        except Illegal as error:
            if error.reason != "no_areas":
                raise
            without.append(error)
    if not made:
        raise without[0]
    return made


def read_object(path: Path, planes: list[Plane]) -> Iterator[Brought]:
    """The annotations of a file, looked through before it is parsed.

    Errors: SlideError, Illegal (`of_another_image`).
    """
    inspect(path)
    try:
        dataset = pydicom.dcmread(path)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, EOFError) as error:
        raise Damaged(f"the object makes no sense ({type(error).__name__})") from error
    yield from read(dataset, plane_for(planes, dataset))
