"""Requests read without trust, and answers reduced to what was asked for."""

from __future__ import annotations

from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_dataset
from pydicom.filewriter import write_dataset
from pydicom.sequence import Sequence

from processing.dicom.guard import EXPLICIT_BIG, EXPLICIT_LITTLE, IMPLICIT_LITTLE
from processing.dicom.identifier import asked_for, put_charset, read_identifier
from storage.errors import Malformed

SYNTAXES = (EXPLICIT_LITTLE, IMPLICIT_LITTLE, EXPLICIT_BIG)


def encoded(dataset: Dataset, syntax: str) -> bytes:
    out = DicomBytesIO()
    out.is_implicit_VR, out.is_little_endian = syntax == IMPLICIT_LITTLE, syntax != EXPLICIT_BIG
    write_dataset(out, dataset)
    return bytes(out.getvalue())


def question() -> Dataset:
    made, item = Dataset(), Dataset()
    made.SpecificCharacterSet = "ISO_IR 192"
    made.QueryRetrieveLevel = "STUDY"
    made.PatientName = "Žižek^Łucja*"
    item.SpecimenIdentifier = "P26-1-A1"
    made.SpecimenDescriptionSequence = Sequence([item])
    return made


def outcome(data: bytes, syntax: str) -> Dataset | str:
    """What is read, or what is said of it, which quotes nothing."""
    try:
        return read_identifier(data, syntax)
    except Malformed as error:
        words = str(error)
    assert words.isascii()
    assert words.startswith("the identifier")
    return words


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_a_question_is_read_in_every_syntax(syntax: str) -> None:
    found = read_identifier(encoded(question(), syntax), syntax)
    assert str(found.PatientName) == "Žižek^Łucja*"
    assert found.SpecimenDescriptionSequence[0].SpecimenIdentifier == "P26-1-A1"


@settings(max_examples=300, deadline=None)
@given(st.data(), st.sampled_from(SYNTAXES))
def test_spoilt_bytes_are_malformed_or_read(data: st.DataObject, syntax: str) -> None:
    plain = bytearray(encoded(question(), syntax))
    for _ in range(data.draw(st.integers(1, 6))):
        plain[data.draw(st.integers(0, len(plain) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(plain)))
    assert isinstance(outcome(bytes(plain[:cut]), syntax), Dataset | str)


@given(st.binary(max_size=200), st.sampled_from(SYNTAXES))
def test_any_bytes_are_malformed_or_read(plain: bytes, syntax: str) -> None:
    assert isinstance(outcome(plain, syntax), Dataset | str)


def test_what_is_too_long_is_not_even_looked_at() -> None:
    with pytest.raises(Malformed):
        read_identifier(bytes(2**20 + 2), EXPLICIT_LITTLE)


@given(st.text(max_size=30))
def test_answers_are_in_a_character_set_that_has_them(name: str) -> None:
    plain = "".join(letter for letter in name if letter.isprintable() and letter not in "\\=^")
    answer = Dataset()
    answer.PatientName = f"{plain.strip()}^Anna"
    put_charset(answer)
    latin = all(ord(letter) < 256 for letter in plain)
    assert answer.SpecificCharacterSet == ("ISO_IR 100" if latin else "ISO_IR 192")
    plain_bytes = BytesIO(encoded(answer, EXPLICIT_LITTLE))
    back = read_dataset(plain_bytes, is_implicit_VR=False, is_little_endian=True)
    assert str(back.PatientName) == str(answer.PatientName)


def test_an_empty_sequence_asks_for_its_items_whole() -> None:
    answer, keys, inner = question(), Dataset(), Dataset()
    answer.SpecimenDescriptionSequence[0].SpecimenUID = "1.2.3"
    keys.SpecimenDescriptionSequence = Sequence()
    (whole,) = asked_for(answer, keys).SpecimenDescriptionSequence
    assert {at.keyword for at in whole} == {"SpecimenIdentifier", "SpecimenUID"}
    inner.SpecimenUID = ""
    keys.SpecimenDescriptionSequence = Sequence([inner])
    (part,) = asked_for(answer, keys).SpecimenDescriptionSequence
    assert {at.keyword for at in part} == {"SpecimenUID"}
    assert encoded(asked_for(answer, keys), IMPLICIT_LITTLE)
