"""Parts are found whatever the pieces a body comes in, and nothing else is taken for one."""

from __future__ import annotations

from email import message_from_bytes
from email.policy import HTTP

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.dicom.multipart import END, LAST, Head, PartReader, part_head, related
from storage.errors import Malformed

BOUNDARY = "b0undary"


def written(parts: list[bytes], before: bytes = b"", after: bytes = b"") -> bytes:
    head = b"\r\n--b0undary\r\nContent-Type: application/dicom\r\n\r\n"
    body = before + b"".join(head + part for part in parts) + b"\r\n--b0undary--" + after
    return body if before else body.removeprefix(b"\r\n")


def read(body: bytes, lengths: list[int], boundary: str = BOUNDARY) -> list[tuple[Head, bytes]]:
    """The parts of a body that comes in pieces of such lengths, over and over."""
    reader, found, at, turn = PartReader(boundary), list[tuple[Head, bytes]](), 0, 0
    open_part = False
    while at < len(body):
        length = lengths[turn % len(lengths)]
        for event in reader.feed(body[at : at + length]):
            if event is END:
                assert open_part
                open_part = False
            elif isinstance(event, dict):
                assert not open_part
                found.append((event, b""))
                open_part = True
            else:
                assert open_part
                assert isinstance(event, bytes)
                found[-1] = found[-1][0], found[-1][1] + event
        at, turn = at + length, turn + 1
    reader.close()
    assert not open_part
    return found


PIECES = st.lists(st.integers(1, 40), min_size=1, max_size=8)
BODIES = st.lists(
    st.lists(
        st.sampled_from([b"\r", b"\n", b"-", b"--", b"--b0un", b"\r\n--b0undar", b"x", b"z" * 30])
    ).map(b"".join),
    max_size=4,
)  # fmt: skip


@given(BODIES, PIECES)
def test_every_part_comes_out_as_it_went_in(parts: list[bytes], lengths: list[int]) -> None:
    found = read(written(parts, before=b"preamble", after=b"\r\nepilogue"), lengths)
    assert [data for _, data in found] == parts
    assert all(head == {"content-type": "application/dicom"} for head, _ in found)


def test_the_first_boundary_may_be_the_beginning() -> None:
    assert [data for _, data in read(written([b"one", b""]), [1000])] == [b"one", b""]


def test_a_part_may_have_no_headers_and_boundaries_may_be_followed_by_blanks() -> None:
    body = b"--b0undary \t\r\n\r\nbytes\r\n--b0undary--"
    for lengths in ([1], [3], [100]):
        assert read(body, lengths) == [({}, b"bytes")]


def test_headers_over_two_lines_and_in_any_case() -> None:
    body = b"--b0undary\r\nCONTENT-TYPE: application/dicom;\r\n x=1\r\nA: b\r\n\r\n\r\n--b0undary--"
    assert read(body, [7]) == [({"content-type": "application/dicom; x=1", "a": "b"}, b"")]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nothing",
        b"--b0undary\r\n\r\nno end",
        b"--b0undary\r\n\r\nno end\r\n--b0undary",
        b"--b0undaryX\r\n\r\nanother boundary\r\n--b0undary--",
        b"--b0undary" + b" " * 5000,
        b"--b0undary\r\nno colon\r\n\r\n\r\n--b0undary--",
        b"--b0undary\r\n" + b"A: b\r\n" * 5000,
    ],
)
def test_a_body_that_is_none_is_refused(body: bytes) -> None:
    with pytest.raises(Malformed):
        read(body, [11])


@pytest.mark.parametrize("boundary", ["", "a" * 201, "a\r\n", "a ", 'a"b', "å"])
def test_a_boundary_that_is_none_is_refused(boundary: str) -> None:
    with pytest.raises(Malformed):
        PartReader(boundary)


def test_what_is_waited_for_is_never_more_than_a_boundary() -> None:
    """A part of any size passes through."""
    reader = PartReader(BOUNDARY)
    list(reader.feed(b"--b0undary\r\n\r\n"))
    for _ in range(100):
        came = sum(len(at) for at in reader.feed(b"\r" * 10_000) if isinstance(at, bytes))
        assert came >= 10_000 - 12


def test_the_standard_library_reads_what_is_written() -> None:
    parts = [b"\xff\xd8 one", b"", b"\r\n--"]
    heads = [part_head("image/jpeg", first=at == 0, location="/x") for at in range(3)]
    body = b"".join(head + part for head, part in zip(heads, parts, strict=True)) + LAST
    message = message_from_bytes(
        f"Content-Type: {related('image/jpeg')}\r\n\r\n".encode() + body, policy=HTTP
    )
    found = list(message.iter_parts())
    assert [part.get_content_type() for part in found] == ["image/jpeg"] * 3
    assert [part.get_payload(decode=True) for part in found] == parts
