"""A slide's header to hang annotations on, and sheets of them."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset

from processing.annotations.plane import Plane
from storage.annotations_bulk import pack
from storage.annotations_codec import Block, decode
from storage.annotations_gathering import Gathering
from storage.annotations_sheet import Creator, Sheet
from storage.records.annotation import Annotation, Brought, Origin, OriginKind
from storage.records.geometry import Size

AT = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)
ROOT = "2.25.281821656492584880365678271074145532563"


@pytest.fixture(scope="session")
def headers(painted_dicom: Path) -> list[Dataset]:
    """Of the levels of a painted slide, the finest first."""
    read = [pydicom.dcmread(at, stop_before_pixels=True) for at in sorted(painted_dicom.iterdir())]
    volume = [at for at in read if "VOLUME" in at.ImageType]
    return sorted(volume, key=lambda at: -at.TotalPixelMatrixColumns)


@pytest.fixture(scope="session")
def header(headers: list[Dataset]) -> Dataset:
    return headers[0]


@pytest.fixture(scope="session")
def planes(headers: list[Dataset]) -> list[Plane]:
    width, height = headers[0].TotalPixelMatrixColumns, headers[0].TotalPixelMatrixRows
    return [Plane(at, Size(int(width), int(height))) for at in headers]


@pytest.fixture(scope="session")
def plane(planes: list[Plane]) -> Plane:
    return planes[0]


def sheet_of(*single: Annotation, groups: list[Brought] | None = None) -> Sheet:
    """As the store would put it together."""
    gathering = Gathering()
    for at in groups or []:
        gathering.add(at.annotation)
    packed = pack(gathering, "cells.geojson") if groups else []
    origin = single[0].origin if single else Origin(OriginKind.ALGORITHM, "StarDist", "0.9")
    creator = Creator("pia", "Pia Patolog", origin)
    rows = tuple((at.group, blocks_of([row["data"] for row in at.rows])) for at in packed)
    return Sheet(creator, 1, 77, AT, single, rows)


def blocks_of(rows: list[bytes]) -> Callable[[], Iterator[Block]]:
    return lambda: (decode(at) for at in rows)


def through_file(dataset: Dataset) -> Dataset:
    """Written and read again."""
    out = io.BytesIO()
    dataset.save_as(out, enforce_file_format=True)
    out.seek(0)
    return pydicom.dcmread(out)


KNOWN_ERRORS = (
    # Said of every object with two-dimensional coordinates, though the attribute is not there.
    "Error - Only valid for AnnotationCoordinateType of 3D - attribute <CommonZCoordinateValue>",
)


def errors(file: Path) -> list[str]:
    """What dciodvfy calls an error, but for what it is known to be wrong about."""
    program = shutil.which("dciodvfy")
    if program is None:
        if os.environ.get("SVARTID_REQUIRE_SLIDES") == "1":
            pytest.fail("dciodvfy is not here; tests/system-packages.sh installs it")
        pytest.skip("no dciodvfy here: tests/system-packages.sh installs it")
    done = subprocess.run([program, str(file)], capture_output=True, text=True, check=False)
    said = (done.stderr + done.stdout).splitlines()
    return [at for at in said if at.startswith("Error") and not at.startswith(KNOWN_ERRORS)]
