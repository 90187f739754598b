"""The query of an address becomes keys, and says what an answer carries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from processing.dicom.json_model import to_model
from processing.dicom.matching import matches
from processing.dicom.query import MOST, USUAL, Level, parse_query, reduced
from storage.errors import Malformed


def answer() -> Dataset:
    specimen = Dataset()
    specimen.SpecimenIdentifier = "B26-1"
    specimen.SpecimenUID = "1.2.3"
    made = Dataset()
    made.PatientName = "Ærø^Åse"
    made.StudyDate = "20260302"
    made.StudyInstanceUID = "1.2"
    made.SeriesNumber = 3
    made.SpecimenDescriptionSequence = Sequence([specimen])
    return made


@pytest.mark.parametrize(
    ("items", "fits"),
    [
        ([], True),
        ([("PatientName", "ærø*")], True),
        ([("00100010", "Ærø^Å?e")], True),
        ([("PatientName", "Ærø")], False),
        ([("StudyDate", "20260301-20260303")], True),
        ([("StudyDate", "20260303-")], False),
        ([("StudyInstanceUID", "1.1,1.2")], True),
        ([("StudyInstanceUID", "1.1"), ("0020000D", "1.2")], True),
        ([("StudyInstanceUID", "1.1\\1.3")], False),
        ([("SeriesNumber", "3")], True),
        ([("SeriesNumber", "33")], False),
        ([("SpecimenDescriptionSequence.SpecimenIdentifier", "B26-1")], True),
        ([("00400560.00400551", "B26-2")], False),
        ([("PatientName", "")], True),
        ([("accept", "x"), ("limit", "3")], True),
    ],
)
def test_keys_match_as_the_standard_says(items: list[tuple[str, str]], fits: bool) -> None:
    assert matches(parse_query(items).keys, answer()) is fits


def test_what_is_carried() -> None:
    query = parse_query(
        [("includefield", "PatientName,00080020"), ("includefield", "00400560.00400551"),
         ("SeriesNumber", "3")]
    )  # fmt: skip
    carried = query.carried(Level.SERIES, Level.SERIES)
    assert set(reduced(to_model(answer()), carried)) == {
        "00080020", "00100010", "0020000D", "00200011", "00400560",
    }  # fmt: skip
    items = reduced(to_model(answer()), carried)["00400560"]["Value"]
    assert items == [{"00400551": {"vr": "LO", "Value": ["B26-1"]}}]


def test_a_search_from_above_carries_what_is_above() -> None:
    plain = parse_query([])
    assert ("00100010",) in plain.carried(Level.INSTANCE, Level.STUDY)
    assert ("00100010",) not in plain.carried(Level.INSTANCE, Level.SERIES)
    for level in Level:
        uids = {("0020000D",), ("0020000E",), ("00080018",)} & plain.carried(level, level)
        assert len(uids) == level


def test_pages() -> None:
    assert (parse_query([]).limit, parse_query([]).offset) == (USUAL, 0)
    query = parse_query([("limit", "10"), ("offset", "20")])
    assert (query.limit, query.offset) == (10, 20)
    assert parse_query([("limit", "999999")]).limit == MOST


def test_everything_and_fuzzy() -> None:
    query = parse_query([("includefield", "all"), ("fuzzymatching", "true")])
    assert query.everything
    assert query.fuzzy
    assert not parse_query([("fuzzymatching", "false")]).fuzzy


@pytest.mark.parametrize(
    "items",
    [
        ("Nonsense", "1"),
        ("0010001", "1"),
        ("includefield", "Nonsense"),
        ("limit", "-1"),
        ("limit", "x"),
        ("offset", "²"),
        ("fuzzymatching", "maybe"),
        ("PatientName.PatientID", "x"),
        ("SpecimenDescriptionSequence", "x"),
        (".".join(["00081115"] * 3000 + ["PatientID"]), "x"),
        ("includefield", ".".join(["00081115"] * 17)),
    ],
)
def test_what_nobody_understands_is_refused(items: tuple[str, str]) -> None:
    with pytest.raises(Malformed):
        parse_query([items])


@given(st.lists(st.tuples(st.sampled_from(["PatientName", "StudyDate", "0020000D", "SeriesNumber"]),
                          st.text(max_size=20))))  # fmt: skip
def test_any_value_is_a_key(items: list[tuple[str, str]]) -> None:
    matches(parse_query(items).keys, answer())
