"""What comes from outside is looked through: right files pass, wrong ones are named, none harms."""

from __future__ import annotations

import json
import random
import resource
import struct
import time
from pathlib import Path

import pydicom
import pytest

from processing.dicom import guard, walk
from processing.dicom.facts import best_charset, facts_of
from processing.dicom.guard import Reason, Unfit, inspect
from processing.dicom.json_model import to_model
from tests.processing.dicom.objects import (
    BIG,
    EXPLICIT,
    IMPLICIT,
    ITEM,
    JPEG,
    SEQUENCE_END,
    UNDEFINED,
    element,
    identity,
    implicit,
    nested,
    part10,
    real_files,
)

PIXELS = 0x7FE00010
TRUNCATED = "pydicom-MR_truncated.dcm"
NO_META = "pydicom-no_meta.dcm"


def judged(path: Path, data: bytes) -> Reason | None:
    """What becomes of a file with these bytes; whatever else is raised fails the test."""
    path.write_bytes(data)
    try:
        facts_of(inspect(path))
    except Unfit as error:
        return error.reason
    return None


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "object.dcm"


def test_real_files_are_read_as_pydicom_reads_them(slides_dir: Path) -> None:
    seen = 0
    for path in real_files(slides_dir):
        if path.name in (TRUNCATED, NO_META):
            continue
        seen += 1
        structure = inspect(path)
        whole = pydicom.dcmread(path)
        if "PixelData" in whole:
            tag = path.read_bytes()[structure.walked.pixels_at :][:4]
            big = structure.meta.transfer_syntax == BIG
            assert tag == (b"\x7f\xe0\x00\x10" if big else b"\xe0\x7f\x10\x00"), path.name
        else:
            assert structure.walked.pixels_at == 0, path.name
        if whole.file_meta.MediaStorageSOPInstanceUID != whole.SOPInstanceUID:
            with pytest.raises(Unfit, match="other object"):
                facts_of(structure)
            continue
        header = json.loads(facts_of(structure).header)
        assert header == json.loads(json.dumps(to_model(whole))), path.name
    assert seen > 30


def test_files_that_are_cut_off_or_no_dicom_are_named(slides_dir: Path, file: Path) -> None:
    radiology = slides_dir / "radiology"
    assert judged(file, (radiology / TRUNCATED).read_bytes()) is Reason.TRUNCATED
    assert judged(file, b"") is Reason.EMPTY
    assert judged(file, b"II*\0" + bytes(5000)) is Reason.NOT_DICOM
    assert judged(file, bytes(128) + b"DICM") is Reason.SYNTAX


def test_a_file_cut_at_any_byte_is_truncated_or_shorter_without_pixels(
    slides_dir: Path, file: Path
) -> None:
    data = (slides_dir / "radiology" / "pydicom-JPEG2000.dcm").read_bytes()
    whole = inspect(slides_dir / "radiology" / "pydicom-JPEG2000.dcm")
    assert judged(file, data) is None
    for end in range(len(data)):
        reason = judged(file, data[:end])
        if reason is None:  # exactly between two elements, and all that is asked for is there
            assert end <= whole.walked.pixels_at
            assert inspect(file).walked.pixels_at == 0


@pytest.mark.parametrize("defined", [True, False])
def test_depth_is_bounded(file: Path, *, defined: bool) -> None:
    begun, rest = identity()[:3], identity()[3:]
    deep = 10_000 if not defined else 3_000  # a defined length tells it at every level anew
    assert judged(file, part10([*begun, nested(40, defined=defined), *rest])) is None
    reason = judged(file, part10([*begun, nested(deep, defined=defined), *rest]))
    assert reason is Reason.TOO_DEEP


def test_lengths_are_held_against_what_is_there(file: Path) -> None:
    for lie in (0xFFFFFFFE, 2**31, 10**6, 3000):
        giant = element(0x00091001, "OB", b"x" * 100, lie)
        assert judged(file, part10([*identity()[:3], giant])) is Reason.TRUNCATED
    inside = element(0x00081115, "SQ", ITEM + struct.pack("<I", 60) + bytes(20))
    assert judged(file, part10([*identity()[:3], inside, *identity()[3:]])) is Reason.DAMAGED
    beyond = element(0x00081115, "SQ", ITEM + struct.pack("<I", 28) + nested(1, defined=True) * 2)
    assert judged(file, part10([*identity()[:3], beyond, *identity()[3:]])) is Reason.DAMAGED


def test_fragments_are_followed_to_their_end(file: Path) -> None:
    def pixels(*items: bytes, end: bytes = SEQUENCE_END) -> bytes:
        return element(PIXELS, "OB", b"", UNDEFINED) + b"".join(items) + end

    table, frame = ITEM + bytes(4), ITEM + struct.pack("<I", 4) + b"\xff\xd8\xff\xd9"
    good = part10([*identity(), pixels(table, frame)], JPEG)
    assert judged(file, good) is None
    assert inspect(file).walked.pixels_at == len(part10(identity(), JPEG))
    assert judged(file, part10([*identity(), pixels(table, frame, end=b"")], JPEG)) is (
        Reason.TRUNCATED
    )
    giant = ITEM + struct.pack("<I", 2**31) + b"\xff\xd8"
    assert judged(file, part10([*identity(), pixels(table, giant)], JPEG)) is Reason.TRUNCATED
    other = pixels(table, b"\x08\x00\x00\xe0" + bytes(4))
    assert judged(file, part10([*identity(), other], JPEG)) is Reason.DAMAGED
    # Compressed where it says that it is not, and the other way round.
    assert judged(file, part10([*identity(), pixels(table, frame)], EXPLICIT)) is Reason.DAMAGED
    native = element(PIXELS, "OW", bytes(8))
    assert judged(file, part10([*identity(), native], JPEG)) is Reason.DAMAGED


def test_readers_could_not_differ_in_what_they_read(file: Path) -> None:
    """Two values of one tag, file meta inside the dataset, another syntax than stated."""
    twice = [*identity(), element(0x00100020, "LO", b"0202904321")]
    assert judged(file, part10(twice)) is Reason.DAMAGED
    hidden = [element(0x00020010, "UI", IMPLICIT.encode()), *identity()]
    assert judged(file, part10(hidden)) is Reason.DAMAGED
    later = [*identity(), element(0x00020010, "UI", IMPLICIT.encode())]
    assert judged(file, part10(later)) is Reason.DAMAGED
    assert judged(file, part10(identity(), IMPLICIT)) is Reason.DAMAGED
    plain = [implicit(0x00080016, b"1.2.840.10008.5.1.4.1.1.2"), implicit(0x00080060, b"CT")]
    assert judged(file, part10(plain, EXPLICIT)) is Reason.DAMAGED


def test_a_vr_that_is_wrong_or_none_loses_the_value_not_the_file(file: Path) -> None:
    odd = [
        element(0x00080020, "DA", b"yesterday"),
        element(0x00080030, "US", b"12:30"),
        element(0x00280010, "PN", b"\x02\x00"),
        element(0x00280011, "XX", b"\x02\x00"),
        element(0x00281050, "DS", b"4o\\x"),
    ]
    parts = sorted([*identity(), *odd], key=lambda one: struct.unpack("<HH", one[:4]))
    assert judged(file, part10(parts)) is None
    facts = facts_of(inspect(file))
    assert facts.series.patient_name == "Anna Hansen"
    assert facts.series.study_at is None


def test_zeros_after_the_dataset_are_padding(file: Path) -> None:
    assert judged(file, part10([*identity(), bytes(6)])) is None
    assert judged(file, part10([*identity(), bytes(600)])) is None
    assert judged(file, part10([*identity(), bytes(5) + b"x"])) is Reason.TRUNCATED


def test_what_is_no_object_with_an_identity_is_told(file: Path) -> None:
    for missing in (0x00080018, 0x0020000D, 0x0020000E):
        tag = struct.pack("<HH", missing >> 16, missing & 0xFFFF)
        some = [at for at in identity() if not at.startswith(tag)]
        assert judged(file, part10(some)) is Reason.IDENTITY
    evil = element(0x0020000E, "UI", b"../../etc/passwd")
    assert judged(file, part10([*identity()[:-1], evil])) is Reason.IDENTITY
    assert judged(file, part10(identity(number=2))) is Reason.OTHER_OBJECT
    assert judged(file, part10(identity(), "1.2.840.113619.5.2")) is Reason.SYNTAX
    assert judged(file, part10(identity(), "1.2.840.10008.1.2.4.94")) is Reason.SYNTAX


def test_counts_and_memory_are_bounded(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "MOST_ELEMENTS", 50_000)
    many = element(0x00081115, "SQ", (ITEM + bytes(4)) * 60_000)
    assert judged(file, part10([*identity()[:3], many, *identity()[3:]])) is Reason.TOO_LARGE
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    text = element(0x00091002, "UT", b"x" * 60_000)
    flood = b"".join(text.replace(b"\x02\x10", struct.pack("<H", 0x1002 + at)) for at in range(900))
    assert judged(file, part10([*identity()[:3], flood, *identity()[3:]])) is Reason.TOO_LARGE
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 400 * 1024, "KiB"


def test_large_values_are_left_out_by_their_address(file: Path) -> None:
    icc = element(0x00282000, "OB", b"p" * 5000)
    path = element(0x00480105, "SQ", ITEM + struct.pack("<I", len(icc)) + icc)
    small = element(0x00480106, "SQ", ITEM + struct.pack("<I", 0))
    assert judged(file, part10([*identity(), path, small])) is None
    header = json.loads(facts_of(inspect(file)).header)
    (inner,) = header["00480105"]["Value"]
    assert inner["00282000"] == {"vr": "OB", "BulkDataURI": "bulkdata/00480105/0/00282000"}


def test_per_frame_groups_beyond_reason_are_not_in_the_index(file: Path) -> None:
    inner = element(0x00280030, "DS", b"0.5\\0.5")
    item = ITEM + struct.pack("<I", len(inner)) + inner
    for count, kept in ((100, True), (40_000, False)):
        groups = element(0x52009230, "SQ", item * count)
        assert judged(file, part10([*identity(), groups, element(PIXELS, "OW", bytes(4))])) is None
        assert ("52009230" in json.loads(facts_of(inspect(file)).header)) is kept


@pytest.mark.parametrize("name", ["pydicom-test-SR.dcm", "pydicom-SC_rgb_jpeg_dcmtk.dcm",
                                  "pydicom-rtplan.dcm", "US-RGB-8-epicard.dcm"])  # fmt: skip
def test_noise_in_a_real_file_never_harms(name: str, slides_dir: Path, file: Path) -> None:
    data = (slides_dir / "radiology" / name).read_bytes()[:12_000]
    dice, began = random.Random(name), time.monotonic()
    for _ in range(400):
        noisy = bytearray(data)
        for _ in range(dice.choice((1, 2, 8, 40))):
            at = dice.randrange(guard.META_AT, len(noisy))
            noisy[at : at + dice.choice((1, 2, 4))] = dice.randbytes(dice.choice((1, 2, 4)))
        judged(file, bytes(noisy))
    assert time.monotonic() - began < 60


DANISH = "Søren Ærø Ågård"


@pytest.mark.parametrize(
    ("charset", "name", "read"),
    [
        ("ISO_IR 100", "Ågård^Søren Ærø".encode("latin-1"), DANISH),
        ("ISO_IR 192", "Ågård^Søren Ærø".encode(), DANISH),
        ("ISO 2022 IR 6\\ISO 2022 IR 100", b"\x1b-A" + "Ågård^Søren Ærø".encode("latin-1"), None),
        ("\\ISO 2022 IR 100", "\x1b-AÅgård^\x1b-ASøren Ærø".encode("latin-1"), DANISH),
        ("GB18030", "王^小东".encode("gb18030"), "小东 王"),
        ("ISO_IR 192", "王^小东=王^小东".encode(), "小东 王"),
        ("ISO_IR 144", "Люкceмбypг".encode("iso8859_5"), "Люкceмбypг"),
        # None stated, a wrong one, one nobody knows: the bytes say it.
        ("", "Ågård^Søren Ærø".encode("latin-1"), DANISH),
        ("", "Ågård^Søren Ærø".encode(), DANISH),
        ("ISO_IR 6", "Ågård^Søren Ærø".encode(), DANISH),
        ("ISO_IR 100", "Ågård^Søren Ærø".encode(), DANISH),
        ("ISO_IR 192", "Ågård^Søren Ærø".encode("latin-1"), DANISH),
        ("KLINGON", "Ågård^Søren Ærø".encode("latin-1"), DANISH),
        ("KLINGON", "Ågård^Søren Ærø".encode(), DANISH),
        ("ISO_IR 100\\KLINGON", "Ågård^Søren Ærø".encode("latin-1"), DANISH),
    ],
)
def test_names_are_read_right_in_every_character_set(
    charset: str, name: bytes, read: str | None, file: Path
) -> None:
    assert judged(file, part10(identity(charset=charset, name=name))) is None
    facts = facts_of(inspect(file))
    header = json.loads(facts.header)
    assert facts.series.identifier == "0101904321"
    if read is not None:
        assert facts.series.patient_name == read
        assert header.get("00080005", {"Value": ["ISO_IR 192"]})["Value"] == ["ISO_IR 192"]


def test_a_charset_that_fits_is_believed() -> None:
    assert best_charset("ISO_IR 144", ["Люк".encode("iso8859_5")]) == "ISO_IR 144"
    assert best_charset("ISO_IR 100", [b"\xc5g\xe5rd"]) == "ISO_IR 100"
    assert best_charset("ISO_IR 13", []) == "ISO_IR 13"
