"""Personal numbers: what they say, what is told of them, and what is never shown."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.records.cpr import (
    CprNotice,
    Fault,
    NotAPatientId,
    PatientIdKind,
    Sex,
    parse_cpr,
    parse_patient_id,
)

_CENTURIES = [  # born from, to, seventh digits: cpr.dk's own table, by century instead of digit
    (1900, 1999, "0123"),
    (1937, 1999, "49"),
    (2000, 2036, "49"),
    (2000, 2057, "5678"),
    (1858, 1899, "5678"),
]


@st.composite
def people(draw: st.DrawFn) -> tuple[date, str]:
    first, last, sevenths = draw(st.sampled_from(_CENTURIES))
    born = draw(st.dates(date(first, 1, 1), date(last, 12, 31)))
    serial = draw(st.integers(0, 999))
    return born, f"{born:%d%m%y}{draw(st.sampled_from(sevenths))}{serial:03}"


def fails_modulus_11(digits: str) -> bool:
    return (
        sum(int(d) * w for d, w in zip(digits, [4, 3, 2, 7, 6, 5, 4, 3, 2, 1], strict=True)) % 11
        > 0
    )


@given(people(), st.sampled_from(["", "-", " "]))
def test_any_number_issued_is_read(person: tuple[date, str], hyphen: str) -> None:
    born, digits = person
    cpr = parse_cpr(f" {digits[:6]}{hyphen}{digits[6:]}\n")
    assert cpr.born == born
    assert cpr.patient_id.value == digits
    assert cpr.patient_id.written == f"{digits[:6]}-{digits[6:]}"
    assert cpr.sex is (Sex.MALE if digits[-1] in "13579" else Sex.FEMALE)
    assert (cpr.notice is not None) == fails_modulus_11(digits)
    if cpr.notice:
        first = (born.day, born.month) == (1, 1)
        assert cpr.notice is (CprNotice.INFO if first else CprNotice.WARNING)


def test_the_number_in_the_textbook() -> None:
    """070761-4285 is the example of the CPR office; it passes modulus 11."""
    cpr = parse_cpr("070761-4285")
    assert (cpr.born, cpr.sex, cpr.notice) == (date(1961, 7, 7), Sex.MALE, None)
    assert parse_cpr("070761-4286").notice is CprNotice.WARNING


@given(people())
def test_the_serial_number_is_not_shown(person: tuple[date, str]) -> None:
    cpr = parse_cpr(person[1])
    assert cpr.patient_id.masked == f"{person[1][:6]}-****"
    for shown in (repr(cpr), str(cpr.patient_id), f"{cpr.patient_id!r}"):
        assert person[1] not in shown
        assert f"-{person[1][6:]}" not in shown


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", Fault.SHAPE),
        ("010190", Fault.SHAPE),
        ("010190-12345", Fault.SHAPE),
        ("010190--1234", Fault.SHAPE),
        ("01019O-1234", Fault.SHAPE),
        ("٠١٠١٩٠-١٢٣٤", Fault.SHAPE),
        ("310290-1234", Fault.DATE),
        ("001190-1234", Fault.DATE),
        ("290200-1234", Fault.DATE),  # 1900 had no leap day
    ],
)
def test_what_cannot_be_one_is_refused_with_the_reason(text: str, fault: Fault) -> None:
    with pytest.raises(NotAPatientId) as refused:
        parse_cpr(text)
    assert refused.value.fault is fault
    assert not text or text not in str(refused.value)


@pytest.mark.parametrize(
    ("digits", "year"),
    [
        ("0202993000", 1999),
        ("0202364000", 2036),
        ("0202374000", 1937),
        ("0202369000", 2036),
        ("0202379000", 1937),
        ("0202575000", 2057),
        ("0202585000", 1858),
        ("0202578000", 2057),
        ("0202588000", 1858),
    ],
)
def test_the_seventh_digit_says_the_century(digits: str, year: int) -> None:
    assert parse_cpr(digits).born == date(year, 2, 2)


def test_the_leap_day_of_2000_is_a_day() -> None:
    assert parse_cpr("290200-4003").born == date(2000, 2, 29)


@pytest.mark.parametrize("kind", [PatientIdKind.X_ECPR, PatientIdKind.D_ECPR])
def test_replacement_numbers_have_letters_and_at_most_ten_characters(kind: PatientIdKind) -> None:
    known = parse_patient_id(kind, "010190-ab1x")
    assert (known.value, known.masked, known.written) == ("010190AB1X", "010190****", "010190AB1X")
    assert parse_patient_id(kind, "A1").masked == "**"
    for text in ("", "01019000ABC", "010190_ABC", "010190 ABC"):
        with pytest.raises(NotAPatientId) as refused:
            parse_patient_id(kind, text)
        assert refused.value.fault is Fault.SHAPE
    assert parse_patient_id(PatientIdKind.CPR, "070761-4285") == parse_cpr("0707614285").patient_id
