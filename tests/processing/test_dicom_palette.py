"""Palettes, plain and in segments, as pydicom sees them; those that make no sense end soon."""

from __future__ import annotations

import struct
import time
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.pixels.processing import apply_color_lut
from pydicom.uid import ExplicitVRLittleEndian

from processing.dicom_palette import palette_of
from storage.errors import Damaged
from tests.contracts.dicom_codecs import by_program

_EVERY = np.arange(256, dtype=np.uint8).reshape(16, 16)


def header(entries: int, bits: int, data: bytes, name: str = "Segmented{}Palette") -> Dataset:
    """The same table for the three colours, from the sample 10 on."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.PixelRepresentation = 0
    for colour in ("Red", "Green", "Blue"):
        setattr(dataset, f"{colour}PaletteColorLookupTableDescriptor", [entries, 10, bits])
        setattr(dataset, f"{name.format(colour)}ColorLookupTableData", data)
    return dataset


def words(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}H", *values)


@pytest.mark.parametrize("entries", [200, 256])
@pytest.mark.parametrize("bits", [8, 16])
def test_a_plain_palette(bits: int, entries: int) -> None:
    table = np.random.default_rng(3).integers(0, 1 << bits, entries).astype(f"<u{bits // 8}")
    dataset = header(entries, bits, table.tobytes(), "{}Palette")
    theirs = apply_color_lut(_EVERY, dataset) >> bits - 8
    assert np.array_equal(palette_of(dataset)(_EVERY), theirs)


def test_a_palette_of_a_big_endian_file(slides_dir: Path, tmp_path: Path) -> None:
    """Turned round by dcmtk; pydicom leaves the words of a table as they lie in the file."""
    file = tmp_path / "at.dcm"
    file.write_bytes((slides_dir / "radiology/pydicom-examples_palette.dcm").read_bytes())
    before = palette_of(pydicom.dcmread(file))
    by_program("dcmconv", "+tb")(file)
    after = palette_of(pydicom.dcmread(file))
    assert after.first == before.first
    assert np.array_equal(after.colours, before.colours)


@pytest.mark.parametrize(
    ("entries", "bits", "data"),
    [
        (100, 8, bytes([0, 4, 9, 8, 7, 6, 1, 96, 200])),
        (100, 16, words(0, 2, 900, 60000, 1, 97, 100, 0, 1, 7)),
        (56, 8, bytes([0, 4, 9, 8, 7, 6, 1, 24, 200, 2, 2, 0, 0, 0, 0])),
    ],
)  # fmt: skip
def test_a_palette_in_segments(entries: int, bits: int, data: bytes) -> None:
    """Discrete, linear, and again what stood before (C.7.9.2)."""
    dataset = header(entries, bits, data)
    theirs = apply_color_lut(_EVERY, dataset) >> bits - 8
    assert np.array_equal(palette_of(dataset)(_EVERY), theirs)


def test_a_segment_of_words_that_stood_before() -> None:
    """The place is in bytes, of tables of words too."""
    before = words(0, 2, 0x1000, 0x2000, 1, 2, 0x4000)
    found = palette_of(header(6, 16, before + words(2, 1, 8, 0)))(np.array([[10, 12, 13, 14, 15]]))
    assert found[0, :, 0].tolist() == [0x10, 0x30, 0x40, 0x40, 0x40]


def test_bytes_in_words() -> None:
    """As a scanner writes them: from black to full."""
    found = palette_of(header(256, 8, words(0, 1, 0, 1, 255, 255)))
    assert np.array_equal(found.colours, np.arange(256, dtype=np.uint8)[:, None].repeat(3, axis=1))


@pytest.mark.parametrize(
    "data",
    [
        b"", bytes([0, 1, 1, 2]), bytes([1, 4, 9, 9]), bytes([0, 4, 9]), bytes([7, 4, 9, 9]),
        bytes([0, 0] * 30_000), bytes([2, 255, 0, 0, 0, 0]),
        bytes([0, 2, 1, 1, 2, 255, 4, 0, 0, 0]), bytes([2, 0, 0, 0, 0, 0]) * 10_000,
        bytes([0, 1, 1]) + bytes([2, 255, 3, 0, 0, 0]) * 10_000,
    ],
)  # fmt: skip
def test_segments_that_lead_nowhere(data: bytes) -> None:
    begun = time.process_time()
    with pytest.raises(Damaged):
        palette_of(header(0, 8, data))
    assert time.process_time() - begun < 0.5


@pytest.mark.parametrize(
    "change", [{"BluePaletteColorLookupTableDescriptor": [100, 10, 8]},
               {"BluePaletteColorLookupTableDescriptor": [256, 10, 12]},
               {"BluePaletteColorLookupTableData": None},
               {"BluePaletteColorLookupTableData": bytes(20)}],
)  # fmt: skip
def test_tables_that_contradict_each_other(change: dict[str, object]) -> None:
    dataset = header(256, 8, bytes(256), "{}Palette")
    for name, value in change.items():
        setattr(dataset, name, value)
    with pytest.raises(Damaged):
        palette_of(dataset)
