"""Objects are taken in once, as they came, whatever they are wrapped in; or set aside."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pydicom
import pytest
import sqlalchemy as sa

from processing.dicom import receiving
from processing.dicom.envelope import Unwrapping, head
from processing.dicom.guard import Reason
from processing.dicom.receiving import Outcome, Result, receive
from storage import dicom_objects
from storage.database import Database
from storage.dicom_files import Incoming, object_path, quarantine_path, remove_parts
from storage.dicom_objects import Objects
from storage.errors import Transient
from storage.layout import Layout
from tests.processing.dicom.objects import (
    CT,
    DEFLATED,
    EXPLICIT,
    element,
    identity,
    part10,
    real_files,
)

Taking = Callable[..., Outcome]


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "data").create()


@pytest.fixture
def taking(layout: Layout, database: Database) -> Taking:
    """Take a file's bytes in, in pieces."""

    def take(data: bytes, sender: str = "SCANNER1") -> Outcome:
        incoming = Incoming(layout)
        unwrapping = Unwrapping(incoming)
        for at in range(0, len(data), 777):
            unwrapping.write(data[at : at + 777])
        unwrapping.finish()
        return receive(incoming, Objects(database), sender)

    return take


def dataset_of(file: bytes) -> bytes:
    """The bytes after the file meta information, by its own length."""
    length = int.from_bytes(file[140:144], "little")
    return file[144 + length :]


def kept(layout: Layout) -> list[Path]:
    return sorted(layout.dicom.glob("??/*.dcm"))


def test_real_objects_are_kept_as_they_came(
    layout: Layout, database: Database, taking: Taking, slides_dir: Path
) -> None:
    """Byte for byte below the head; pydicom opens what is kept; twice is once."""
    taken = 0
    for path in real_files(slides_dir):
        data = path.read_bytes()
        outcome = taking(data)
        if outcome.result is Result.QUARANTINED:
            continue
        taken += 1
        found = dicom_objects.get(database, outcome.sop_uid)
        file = object_path(layout, found.sha256)
        assert dataset_of(file.read_bytes()) == dataset_of(data), path.name
        again = pydicom.dcmread(file)
        assert str(again.SOPInstanceUID) == outcome.sop_uid
        assert again.file_meta.MediaStorageSOPInstanceUID == outcome.sop_uid
        assert found.bytes == file.stat().st_size
        assert taking(data, "ANOTHER").result is Result.KNOWN
    assert taken >= 30
    assert len(kept(layout)) == taken
    reasons = {row["reason"] for row in dicom_objects.quarantined(database)}
    assert reasons == {"truncated", "not_dicom", "another_object"}
    assert not list(layout.dicom.glob("*.part"))


def test_the_same_object_in_another_wrapping_is_the_same(layout: Layout, taking: Taking) -> None:
    data = part10(identity())
    assert taking(data).result is Result.NEW
    other = bytearray(data)
    other[:4] = b"\x7fELF"  # a preamble of another's
    assert taking(bytes(other)).result is Result.KNOWN
    bare = dataset_of(data)
    assert taking(bare).result is Result.KNOWN  # neither preamble nor file meta information
    assert taking(data[132:]).result is Result.KNOWN  # no preamble
    assert len(kept(layout)) == 1


def test_another_object_under_a_known_uid_is_set_aside(
    layout: Layout, database: Database, taking: Taking
) -> None:
    assert taking(part10(identity())).result is Result.NEW
    changed = taking(part10([*identity(), element(0x00280010, "US", b"\1\0")]))
    assert (changed.result, changed.reason) == (Result.QUARANTINED, Reason.ANOTHER_OBJECT)
    (row,) = dicom_objects.quarantined(database)
    assert row["reason"] == "another_object"
    assert quarantine_path(layout, row["sha256"]).is_file()
    assert len(kept(layout)) == 1


def test_another_patients_object_does_not_join_a_series(layout: Layout, taking: Taking) -> None:
    assert taking(part10(identity(1), number=1)).result is Result.NEW
    someone = [
        element(0x00100020, "LO", b"020290-4321") if at.startswith(b"\x10\0\x20\0") else at
        for at in identity(2)
    ]
    outcome = taking(part10(someone, number=2))
    assert (outcome.result, outcome.reason) == (Result.QUARANTINED, Reason.ANOTHER_SERIES)
    assert len(kept(layout)) == 1


def test_a_deflated_object_is_kept_inflated(
    layout: Layout, database: Database, taking: Taking
) -> None:
    plain = b"".join([*identity(), element(0x7FE00010, "OW", bytes(range(200)) * 50)])
    deflating = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    small = deflating.compress(plain) + deflating.flush()
    outcome = taking(part10(small, DEFLATED))
    assert outcome.result is Result.NEW
    found = dicom_objects.get(database, outcome.sop_uid)
    assert found.transfer_syntax == EXPLICIT
    data = object_path(layout, found.sha256).read_bytes()
    assert dataset_of(data) == plain
    assert data[found.pixels_at :][:4] == b"\xe0\x7f\x10\0"
    assert taking(part10(plain)).result is Result.KNOWN
    assert taking(part10(small[:-20], DEFLATED)).reason is Reason.TRUNCATED
    assert taking(part10(b"\x00" + small[1:], DEFLATED)).reason is Reason.DAMAGED


def test_a_deflate_bomb_is_set_aside_as_it_came(
    layout: Layout, database: Database, taking: Taking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "MOST_INFLATED", 8 * 2**20)
    deflating = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    bomb = b"".join(deflating.compress(bytes(2**20)) for _ in range(64)) + deflating.flush()
    data = part10(bomb, DEFLATED)
    assert taking(data).reason is Reason.TOO_LARGE
    (row,) = dicom_objects.quarantined(database)
    assert row["bytes"] < 2**17
    assert dataset_of(quarantine_path(layout, row["sha256"]).read_bytes()) == bomb
    assert not list(layout.dicom.glob("*.part"))


def test_what_is_no_dicom_is_set_aside_unchanged(layout: Layout, taking: Taking) -> None:
    outcome = taking(b"%PDF-1.7 nobody's DICOM" * 100)
    assert (outcome.result, outcome.reason) == (Result.QUARANTINED, Reason.NOT_DICOM)
    (file,) = (layout.quarantine / "dicom").iterdir()
    assert file.read_bytes() == b"%PDF-1.7 nobody's DICOM" * 100
    assert taking(b"").reason is Reason.EMPTY


def test_a_command_that_names_another_object_than_is_in_it(
    layout: Layout, database: Database
) -> None:
    incoming = Incoming(layout)
    incoming.write(head(CT, "1.2.826.0.1.9.999", EXPLICIT))
    incoming.write(b"".join(identity()))
    assert receive(incoming, Objects(database), "X").reason is Reason.OTHER_OBJECT


def test_while_the_database_is_away_nothing_is_taken(layout: Layout, tmp_path: Path) -> None:
    away = Objects(Database(f"sqlite:///{tmp_path / 'nowhere' / 'svartid.sqlite'}"))
    incoming = Incoming(layout)
    incoming.write(part10(identity()))
    with pytest.raises(Transient):
        receive(incoming, away, "X")
    assert not kept(layout)
    assert not list(layout.dicom.glob("*.part"))


def test_a_living_processes_half_object_is_not_tidied_away(layout: Layout) -> None:
    alive = Incoming(layout)
    alive.write(b"half")
    dead = layout.dicom / "0123.part"
    dead.write_bytes(b"of a process that is gone")
    remove_parts(layout)
    assert alive.path.exists()
    assert not dead.exists()
    alive.discard()


def test_the_index_says_what_the_object_says(
    layout: Layout, database: Database, taking: Taking
) -> None:
    more = [
        element(0x00080020, "DA", b"20261124"), element(0x00080030, "TM", b"101500.25"),
        element(0x00080050, "SH", b"P26-17"), element(0x0008103E, "LO", b"Thorax"),
        element(0x00100030, "DA", b"19900101"), element(0x00100040, "CS", b"F"),
        element(0x00200011, "IS", b"3"), element(0x00200013, "IS", b"12"),
    ]  # fmt: skip
    parts = sorted([*identity(), *more], key=lambda at: (at[1], at[0], at[3], at[2]))
    assert taking(part10(parts)).result is Result.NEW
    with database.reading() as connection:
        row = connection.execute(sa.select(dicom_objects.dicom_series)).one()
        number = connection.execute(sa.select(dicom_objects.dicom_object.c.number)).scalar_one()
    assert (row.identifier, row.patient_name, row.sex) == ("0101904321", "Anna Hansen", "F")
    assert (row.accession, row.description, row.number, number) == ("P26-17", "Thorax", 3, 12)
    assert row.study_at.astimezone(UTC) == datetime(2026, 11, 24, 9, 15, tzinfo=UTC)
    assert row.birth_date.isoformat() == "1990-01-01"
    assert not row.is_slide
