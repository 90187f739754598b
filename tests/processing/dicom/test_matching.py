"""Query keys against answers, by the words of PS3.4 C.2.2.2."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from processing.dicom.matching import matches, wanted_of

ANSWER = {
    "PatientName": "Åkerström^Søren",
    "PatientID": "0101901234",
    "StudyDate": "20261120",
    "StudyTime": "093015",
    "AccessionNumber": "P26-1",
    "ModalitiesInStudy": ["MG", "SM"],
    "StudyInstanceUID": "1.2.3",
    "SeriesNumber": 4,
    "BodyPartExamined": "",
    "StudyDescription": "Mamma [hø.]",
}


def dataset(values: dict[str, object]) -> Dataset:
    made = Dataset()
    for name, value in values.items():
        setattr(made, name, value)
    return made


@pytest.mark.parametrize(
    ("name", "wish", "fits"),
    [
        ("PatientName", "Åkerström^Søren", True),
        ("PatientName", "ÅKERSTRÖM*", True),
        ("PatientName", "*^S?ren", True),
        ("PatientName", "Åkerström", False),
        ("PatientName", "Åkerström^Søren^^", True),
        ("PatientName", "", True),
        ("PatientName", "*", True),
        ("PatientID", "010190-1234", True),
        ("PatientID", "0101901235", False),
        ("PatientID", "01019*", True),
        ("StudyDate", "20261120", True),
        ("StudyDate", "20261119-20261120", True),
        ("StudyDate", "-20261119", False),
        ("StudyDate", "20261121-", False),
        ("StudyDate", "20261120-", True),
        ("StudyTime", "0930", True),
        ("StudyTime", "0900-0929", False),
        ("StudyTime", "09-0930", True),
        ("AccessionNumber", "p26-1", False),
        ("AccessionNumber", "P26-?", True),
        ("ModalitiesInStudy", "SM", True),
        ("ModalitiesInStudy", ["CT", "MG"], True),
        ("ModalitiesInStudy", "CT", False),
        ("StudyInstanceUID", ["1.2.9", "1.2.3"], True),
        ("StudyInstanceUID", "1.2", False),
        ("SeriesNumber", 4, True),
        ("SeriesNumber", 5, False),
        ("BodyPartExamined", "BREAST", False),
        ("StudyDescription", "Mamma [hø.]", True),
        ("StudyDescription", "Mamma [a-z]*", False),
        ("OperatorsName", "Nobody", True),  # not told of a study: does not narrow
    ],
)
def test_one_key(name: str, wish: object, fits: bool) -> None:
    assert matches(dataset({name: wish}), dataset(dict(ANSWER))) is fits


def test_all_keys_have_to_fit() -> None:
    answer = dataset(dict(ANSWER))
    assert matches(dataset({"PatientName": "Åk*", "StudyDate": "20261120"}), answer)
    assert not matches(dataset({"PatientName": "Åk*", "StudyDate": "20261121"}), answer)


def test_an_item_of_a_sequence_has_to_fit_whole() -> None:
    def item(**values: object) -> Dataset:
        return dataset(values)

    answer, keys = Dataset(), Dataset()
    answer.SpecimenDescriptionSequence = Sequence(
        [
            item(SpecimenIdentifier="A1", SpecimenShortDescription="HE"),
            item(SpecimenIdentifier="A2", SpecimenShortDescription="PAS"),
        ]
    )
    for wish, fits in (("HE", True), ("PAS", False), ("", True)):
        keys.SpecimenDescriptionSequence = Sequence(
            [item(SpecimenIdentifier="A1", SpecimenShortDescription=wish)]
        )
        assert matches(keys, answer) is fits


def test_what_the_database_narrows_by() -> None:
    keys = dataset(
        {"StudyDate": "20261120", "PatientID": "010190-1234", "AccessionNumber": "P*"}
        | {"StudyInstanceUID": ["1.2", "1.3"]}
    )
    wanted = wanted_of(keys)
    assert wanted.study_uids == ("1.2", "1.3")
    assert wanted.identifier == "0101901234"
    assert wanted.accession is None
    assert wanted.since == datetime(2026, 11, 19, 23, tzinfo=UTC)
    assert wanted.until == datetime(2026, 11, 20, 23, tzinfo=UTC)


@given(
    st.text(st.characters(exclude_characters="\\*?^", exclude_categories=("C", "Z")), min_size=1)
)
def test_a_value_fits_itself_and_its_beginning_with_a_star(text: str) -> None:
    answer = dataset({"StudyDescription": text})
    assert matches(dataset({"StudyDescription": text}), answer)
    assert matches(dataset({"StudyDescription": text[: len(text) // 2] + "*"}), answer)
    assert not matches(dataset({"StudyDescription": text + "?"}), answer)


@given(st.dates(), st.dates(), st.dates())
def test_a_range_of_days(low: object, high: object, day: object) -> None:
    def da(at: object) -> str:
        return str(at).replace("-", "")

    keys = dataset({"StudyDate": f"{da(low)}-{da(high)}"})
    inside = da(low) <= da(day) <= da(high)
    assert matches(keys, dataset({"StudyDate": da(day)})) is inside


@pytest.mark.parametrize(
    "wish", ["*a" * 20 + "*b", "*" * 5000 + "b", "*a?" * 20 + "*b*", "*" + "?" * 60 + "*b"]
)
def test_a_wish_of_many_stars_keeps_nobody_busy(wish: str) -> None:
    began = time.process_time()
    assert not matches(dataset({"StudyDescription": wish}), dataset({"StudyDescription": "a" * 64}))
    assert matches(dataset({"StudyDescription": wish}), dataset({"StudyDescription": "ab" * 32}))
    assert time.process_time() - began < 1


@given(st.text("ab*?", max_size=8), st.text("ab", min_size=1, max_size=8))
def test_stars_and_marks_match_as_in_file_names(wish: str, value: str) -> None:
    found = matches(dataset({"StudyDescription": wish}), dataset({"StudyDescription": value}))
    assert found == (fnmatchcase(value, wish) or wish == "")
