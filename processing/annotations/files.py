"""Annotations as files of any kind, out and in, for the API and the command alike.

What GeoJSON needs is light; the library that knows DICOM's objects is loaded when it is asked for.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from storage.annotations_gathering import annotations_in
from storage.annotations_sheet import Sheet
from storage.errors import Illegal, Malformed
from storage.exchange.geojson_reading import FileSource, annotation_of
from storage.exchange.geojson_stream import read_features, write_features
from storage.on_demand import load
from storage.records.annotation import Annotation, Brought

_WRITE: Final = "processing.annotations.dicom_files:write_objects"
_READ: Final = "processing.annotations.dicom_files:read_object"
_MARK, _MARK_AT = b"DICM", 128


class FileForm(StrEnum):
    """What annotations can be written as."""

    GEOJSON = "geojson"
    ANN = "ann"
    SR = "sr"
    SEG = "seg"


@dataclass(frozen=True, slots=True)
class Written:
    """A file: how it ends, what it is, and its bytes."""

    suffix: str
    media_type: str
    data: bytes


Planes = Callable[[], list[Any]]
"""Gives the planes (`plane.Plane`) of the slide's levels, the finest first."""


def geojson_of(sheets: Sequence[Sheet]) -> Iterator[bytes]:
    """All annotations of a slide as one FeatureCollection, in pieces."""
    return write_features(at for sheet in sheets for at in _members(sheet))


def objects_of(form: FileForm, sheets: Sequence[Sheet], planes: Planes, root: str) -> list[Written]:
    """All annotations of a slide as DICOM objects, one for each author; `root` is its UID.

    Errors: Illegal (`no_annotations`, `no_areas`, `too_many_for_a_report`, `too_many_for_masks`).
    """
    if not sheets:
        raise Illegal("no_annotations")
    made: list[bytes] = load(_WRITE)(form.value, sheets, planes(), root)
    return [Written("dcm", "application/dicom", at) for at in made]


def packed(files: Sequence[Written]) -> Written:
    """One file as it is, several in an archive."""
    if len(files) == 1:
        return files[0]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, at in enumerate(files, 1):
            archive.writestr(f"{number}.{at.suffix}", at.data)
    return Written("zip", "application/zip", out.getvalue())


def read_file(path: Path, name: str, planes: Planes, at: datetime) -> Iterator[Brought]:
    """The annotations in a file, one by one; `name` is what it is called, `at` when it came.

    Errors: Malformed (why, in a word), SlideError, Illegal (`of_another_image`).
    """
    with path.open("rb") as file:
        head = file.read(_MARK_AT + len(_MARK))
    if head[_MARK_AT:] == _MARK:
        yield from load(_READ)(path, planes())
        return
    if not head.strip():
        raise Malformed("empty")
    with path.open(encoding="utf-8-sig") as text:
        source = FileSource(name, at)
        for number, feature in enumerate(read_features(text), 1):
            try:
                brought = annotation_of(feature, source)
            except Malformed as error:
                raise Malformed(f"{error}@{number}") from error
            yield brought


def _members(sheet: Sheet) -> Iterator[Annotation]:
    yield from sheet.single
    for group, blocks in sheet.groups:
        for block in blocks():
            yield from annotations_in(group, block)
