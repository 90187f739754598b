"""Objects that make no sense: told so in our words, soon."""

from __future__ import annotations

import copy
import io
import random
import zlib
from contextlib import suppress

import pydicom
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from processing.annotations import own
from processing.annotations.plane import Plane
from processing.annotations.reading import read
from processing.annotations.sheet import Form
from processing.annotations.writing import as_file, write
from storage.errors import SlideError, UnsupportedDicom
from tests.processing.annotations.conftest import ROOT, sheet_of
from tests.processing.annotations.test_ann import every_kind
from tests.storage.test_annotations import cells

_SHARED = [HealthCheck.function_scoped_fixture]
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")


@pytest.fixture(scope="session")
def objects(planes: list[Plane]) -> list[Dataset]:
    sheet = sheet_of(*every_kind(), groups=list(cells(30)))
    made = [as_file(write(form, planes, sheet, ROOT)) for form in Form]
    return [pydicom.dcmread(io.BytesIO(at)) for at in made]


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50
)
@given(seed=st.integers(0, 10**9))
@example(seed=3367)
def test_what_lacks_something_or_has_it_otherwise(
    seed: int, objects: list[Dataset], plane: Plane
) -> None:
    chance = random.Random(seed)
    made = copy.deepcopy(chance.choice(objects))
    for _ in range(chance.randint(1, 3)):
        spoil(made, chance)
    try:
        for brought in read(made, plane):
            assert brought.annotation.annotation_id
    except SlideError:
        pass


def spoil(item: Dataset, chance: random.Random) -> None:
    """Take away, empty or exchange some element, at any depth."""
    while True:
        element = chance.choice(list(item))
        if element.VR == "SQ" and element.value and chance.random() < 0.8:
            item = chance.choice(element.value)
            continue
        break
    how = chance.randrange(3)
    if how == 0:
        del item[element.tag]
    elif how == 1:
        element.value = [] if element.VR == "SQ" else None
    elif element.VR in ("OB", "OW", "OD", "OF", "OL"):
        raw = bytes(element.value or b"")
        element.value = raw[: len(raw) // 3] if chance.random() < 0.5 else raw[::-1]
    elif element.VR in ("US", "UL", "SL", "IS", "DS", "FL", "FD"):
        element.value = chance.choice([0, 1, 65535])
    elif element.VR in ("CS", "SH", "LO", "UT", "LT", "ST"):
        element.value = chance.choice(["", "X", "POLYGON", "3D", "{}"])


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30
)
@example(seed=1051685)
@given(seed=st.integers(0, 10**9))
def test_bytes_that_were_turned(seed: int, objects: list[Dataset], plane: Plane) -> None:
    chance = random.Random(seed)
    raw = bytearray(as_file(chance.choice(objects)))
    for _ in range(chance.randint(1, 8)):
        raw[chance.randrange(400, len(raw))] = chance.randrange(256)
    try:
        made = pydicom.dcmread(io.BytesIO(bytes(raw)), force=True)
    except Exception:  # what pydicom makes of it is pydicom's
        return
    with suppress(SlideError):  # and nothing else, whatever it comes upon
        list(read(made, plane))


def test_a_bomb_in_our_own_columns_is_not_unpacked(objects: list[Dataset], plane: Plane) -> None:
    made = copy.deepcopy(objects[0])
    group = made.AnnotationGroupSequence[-1]
    count = group.NumberOfAnnotations
    before = len(list(read(copy.deepcopy(made), plane)))
    own.put(group, own.words_of(group) or {}, b"SVA1" + bomb())
    assert group.NumberOfAnnotations == count
    assert len(list(read(made, plane))) == before


def bomb() -> bytes:
    packing = zlib.compressobj(1)
    pieces = [packing.compress(bytes(2**24)) for _ in range(64)]
    return b"".join([*pieces, packing.flush()])


def test_no_object_of_annotations(planes: list[Plane]) -> None:
    with pytest.raises(UnsupportedDicom):
        list(read(planes[0].header, planes[0]))
