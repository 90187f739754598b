"""What a client accepts decides what it gets; the stored syntax wherever it lets us."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.dicom.media_types import (
    DICOM,
    OCTETS,
    Representation,
    choose_frames,
    choose_instance,
    choose_plain,
    frame_type,
    parse_accept,
    parse_content_type,
)
from storage.errors import Malformed

JPEG, J2K, JLS, RLE = (f"1.2.840.10008.1.2.{n}" for n in ("4.50", "4.90", "4.80", "5"))
EXPLICIT, IMPLICIT, BIG = (f"1.2.840.10008.1.2{n}" for n in (".1", "", ".2"))
AS_JPEG = Representation("image/jpeg", JPEG)
PLAIN = Representation(OCTETS, EXPLICIT, decoded=True)
FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "way"),
    [
        ("", AS_JPEG),
        ("*/*", AS_JPEG),
        (FIREFOX, AS_JPEG),
        ("multipart/related", AS_JPEG),
        ('multipart/related; type="image/jpeg"', AS_JPEG),
        (f'multipart/related; type="image/jpeg"; transfer-syntax={JPEG}', AS_JPEG),
        ('multipart/related; type="image/jpeg"; transfer-syntax=*', AS_JPEG),
        ('multipart/related; type="image/*"', AS_JPEG),
        (f'MULTIPART/RELATED;TYPE="IMAGE/JPEG";Transfer-Syntax="{JPEG}"', AS_JPEG),
        (f"multipart/related; type=image/jpeg; transfer-syntax={JPEG}", AS_JPEG),
        (
            'multipart/related; type="application/octet-stream"; transfer-syntax=*',
            Representation(OCTETS, JPEG),
        ),
        ('multipart/related; type="application/octet-stream"', PLAIN),
        (f"multipart/related; type={OCTETS}; transfer-syntax={EXPLICIT}", PLAIN),
        ("image/jpeg", Representation("image/jpeg", JPEG, multipart=False)),
        ("image/*", Representation("image/jpeg", JPEG, multipart=False)),
        (OCTETS, Representation(OCTETS, EXPLICIT, multipart=False, decoded=True)),
        ('multipart/related; type="image/jp2", */*;q=0.1', AS_JPEG),
        (f'multipart/related; type="image/jpeg";q=0.4, multipart/related; type="{OCTETS}"', PLAIN),
        (f'multipart/related; type="{OCTETS}";q=0, multipart/related; type="image/jpeg"', AS_JPEG),
        (
            'multipart/related; type="image/jpeg"; q=0, */*',
            Representation("image/jpeg", JPEG, multipart=False),
        ),
        ('multipart/related; type="image/*"; q=0, image/*; q=0, */*', PLAIN),
        ('multipart/related; type="image/jp2"', None),
        (f'multipart/related; type="image/jpeg"; transfer-syntax={J2K}', None),
        ("text/html", None),
        ("*/*;q=0", None),
    ],
)  # fmt: skip
def test_a_frame_stored_as_jpeg(accept: str, way: Representation | None) -> None:
    assert choose_frames(accept, JPEG, single=True) == way


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, f"{EXPLICIT}.99"])
@pytest.mark.parametrize("more", ["", "; transfer-syntax=*", f"; transfer-syntax={EXPLICIT}"])
def test_plain_samples_are_octets_and_nothing_is_decoded(syntax: str, more: str) -> None:
    plain = Representation(OCTETS, EXPLICIT)
    assert choose_frames(f'multipart/related; type="{OCTETS}"{more}', syntax, single=True) == plain
    assert choose_frames("", syntax, single=True) == plain
    assert choose_frames('multipart/related; type="image/jpeg"', syntax, single=True) is None


def test_big_endian_has_no_media_type_and_is_turned() -> None:
    assert choose_frames("*/*", BIG, single=True) == PLAIN


def test_several_frames_are_always_parts() -> None:
    assert choose_frames("image/jpeg", JPEG, single=False) is None
    assert choose_frames("image/jpeg, */*;q=0.1", JPEG, single=False) == AS_JPEG


@pytest.mark.parametrize(
    ("syntax", "kind"),
    [
        (JPEG, "image/jpeg"),
        ("1.2.840.10008.1.2.4.70", "image/jpeg"),
        (JLS, "image/jls"),
        (J2K, "image/jp2"),
        ("1.2.840.10008.1.2.4.92", "image/jpx"),
        ("1.2.840.10008.1.2.4.201", "image/jphc"),
        (RLE, "image/dicom-rle"),
        ("1.2.840.10008.1.2.4.103", "video/mp4"),
        ("1.2.3", OCTETS),
    ],
)
def test_media_types_of_the_standard(syntax: str, kind: str) -> None:
    """PS3.18 table 8.7.3-2."""
    assert frame_type(syntax) == kind
    assert choose_frames("*/*", syntax, single=True) == Representation(kind, syntax)


@pytest.mark.parametrize(("older", "syntax"), [("image/x-jls", JLS), ("image/x-dicom-rle", RLE)])
def test_names_of_former_editions_are_understood(older: str, syntax: str) -> None:
    way = choose_frames(f'multipart/related; type="{older}"', syntax, single=True)
    assert way == Representation(frame_type(syntax), syntax)


@pytest.mark.parametrize(
    ("accept", "multipart"),
    [
        ("*/*", True),
        ('multipart/related; type="application/dicom"', True),
        ('multipart/related; type="application/dicom"; transfer-syntax=*', True),
        (f'multipart/related; type="application/dicom"; transfer-syntax={JPEG}', True),
        ('multipart/related; type="application/dicom; transfer-syntax=*"', True),
        ("application/dicom", False),
        (f"application/dicom; transfer-syntax={JPEG}", False),
    ],
)
def test_an_instance_goes_as_stored(accept: str, multipart: bool) -> None:
    expected = Representation(DICOM, JPEG, multipart)
    assert choose_instance(accept, JPEG, single=True) == expected


def test_an_instance_is_never_transcoded() -> None:
    for accept in (f"application/dicom; transfer-syntax={EXPLICIT}", "image/jpeg", OCTETS):
        assert choose_instance(accept, JPEG, single=True) is None


@pytest.mark.parametrize(
    "text",
    ["nonsense", "a/b; q=2", "a/b; q=0.1234", "a/b; q=x", "a/b; =x", "a/b c/d", "x" * 5000,
     'multipart/related; type="nonsense"'],
)  # fmt: skip
def test_what_is_no_list_of_media_types_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        parse_accept(text)


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", "x/first"),
        ("*/*", "x/first"),
        ("x/second", "x/second"),
        ("x/second, x/first", "x/first"),
        ("x/first;q=0.5, x/second", "x/second"),
        ("x/first;q=0, x/*", "x/second"),
        ("multipart/related; type=x/first", None),
        ("y/*", None),
    ],
)
def test_the_one_with_the_highest_quality(accept: str, kind: str | None) -> None:
    assert choose_plain(accept, ("x/first", "x/second")) == kind


def test_a_content_type_with_its_parameters() -> None:
    text = 'Multipart/Related; type="application/dicom"; boundary="a;b\\"c"'
    expected = "multipart/related", {"type": DICOM, "boundary": 'a;b"c'}
    assert parse_content_type(text) == expected
    for wrong in ("", "x", "a/b, c/d"):
        with pytest.raises(Malformed):
            parse_content_type(wrong)


@given(st.text(max_size=60))
def test_whatever_is_said_is_understood_or_refused(text: str) -> None:
    try:
        ranges = parse_accept(text)
    except Malformed:
        return
    assert ranges
    assert all(0 <= at.q <= 1 and "/" in at.kind for at in ranges)
