"""Hostile words: OME-XML and vendor descriptions that are more than they seem."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from processing import jpeg
from processing.readers import open_slide
from storage.records.slide import JpegEncoding
from tests.contracts.hostile import ReadingProcess
from tests.contracts.spoil import one_tile

_TILE = jpeg.encode(np.full((256, 256, 3), 200, np.uint8), JpegEncoding(80, "444"))
_OME = "http://www.openmicroscopy.org/Schemas/OME/2016-06"


def _described(text: str) -> bytes:
    return one_tile(_TILE, 7, extra={270: (2, text.encode() + b"\0")})


def _ome(attributes: str) -> str:
    return f'<OME xmlns="{_OME}"><Image><Pixels {attributes}/></Image></OME>'


_LAUGHS = '<!ENTITY l0 "ha">' + "".join(
    f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12)
)
_XML = {
    "laughs": (f'<!DOCTYPE x [{_LAUGHS}]><OME xmlns="{_OME}">&l11;</OME>', "Damaged"),
    "outside": (f'<!DOCTYPE x SYSTEM "file:///etc/passwd"><OME xmlns="{_OME}"/>', "Damaged"),
    "nested": (f'<OME xmlns="{_OME}">' + "<a>" * 500_000 + "</a>" * 500_000 + "</OME>", None),
    "wide": (f'<OME xmlns="{_OME}">' + "<a/>" * 1_000_000 + "</OME>", None),
    "unclosed": (f'<OME xmlns="{_OME}"><Image>', "Damaged"),
    "words": (_ome('SizeZ="many"'), "Damaged"),
    "planes": (_ome(f'SizeZ="{2**63}"'), "Unsupported"),
    "digits": (_ome(f'SizeZ="{"9" * 6000}"'), "Damaged"),
    "no-number": (_ome('PhysicalSizeX="nan" PhysicalSizeY="inf"'), "read"),
    "negative": (_ome('PhysicalSizeX="-1" PhysicalSizeY="1e400"'), "read"),
}  # fmt: skip


@pytest.mark.parametrize("name", _XML)
def test_ome_xml(name: str, tmp_path: Path, reading: ReadingProcess) -> None:
    text, outcome = _XML[name]
    path = tmp_path / f"{name}.ome.tif"
    path.write_bytes(_described(text))
    found = reading.read(path, name)
    assert outcome is None or found == outcome


@pytest.mark.parametrize(
    "value", ["nan", "inf", "1e999", "-4", "0", "1e-9", "", "4\00", "x" * 10**5]
)
def test_aperio_numbers(value: str, tmp_path: Path) -> None:
    path = tmp_path / "words.svs"
    path.write_bytes(_described(f"Aperio X\r\n1x1|MPP = {value}|AppMag = {value}"))
    with open_slide(path) as slide:
        assert slide.metadata.mpp is None
        assert slide.metadata.objective_power in (None, 4.0)


def test_a_barcode_is_short_and_printable(tmp_path: Path) -> None:
    path = tmp_path / "words.svs"
    path.write_bytes(_described("Aperio X\r\n1x1|Barcode = A\x1b[2J\u202eB" + "C" * 10**6))
    with open_slide(path) as slide:
        assert slide.metadata.barcode is not None
        assert slide.metadata.barcode.startswith("A[2JBC")
        assert len(slide.metadata.barcode) <= 200
