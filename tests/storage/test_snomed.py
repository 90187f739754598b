"""Danish SNOMED codes, however they are typed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.records.snomed import (
    Axis,
    Incomplete,
    NotACode,
    SnomedCode,
    complete,
    missing_axes,
    parse_code,
)

codes = st.builds(SnomedCode, st.sampled_from(Axis), st.from_regex(r"[0-9]{5}", fullmatch=True))


@given(codes, st.booleans(), st.booleans(), st.integers(0, 6))
def test_a_code_is_read_however_it_is_typed(
    code: SnomedCode, lower: bool, plain: bool, space: int
) -> None:
    text = str(code).replace("Æ", "AE") if plain else str(code)
    text = text.lower() if lower else text
    assert parse_code(f" {text[:space]} {text[space:]}\t") == code
    assert parse_code(str(code)) == code


@pytest.mark.parametrize(
    "text",
    ["", "T", "28000", "T2800", "T280000", "X28000", "TM8000", "AEAE0000", "A28000", "T٢٨٠٠٠"],
)
def test_anything_else_is_no_code(text: str) -> None:
    with pytest.raises(NotACode):
        parse_code(text)


@given(st.lists(codes, max_size=6))
def test_a_report_has_a_topography_and_a_morphology(given_codes: list[SnomedCode]) -> None:
    letters = {str(code)[0] for code in given_codes}
    missing = [letter for letter in "TM" if letter not in letters]
    assert [axis.value for axis in missing_axes(given_codes)] == missing
    if not missing:
        assert set(complete(given_codes)) == set(given_codes)
        assert len(complete(given_codes * 2)) == len(set(given_codes))
        return
    with pytest.raises(Incomplete) as refused:
        complete(given_codes)
    assert [axis.value for axis in refused.value.missing] == missing
    assert all(letter in str(refused.value) for letter in missing)
