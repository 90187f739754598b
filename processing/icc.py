"""What an ICC profile says of itself. Nothing of it is believed before it has been looked at.

Source: ICC.1:2022, sections 7.2 (header), 7.3 (tag table), 10.15 (multiLocalizedUnicodeType), and
ICC.1:2001-04, section 6.5.17 (textDescriptionType).
"""

from __future__ import annotations

import struct

from storage.errors import ProfileUnusable

LARGEST = 16 * 2**20
"""Bytes; scanners' profiles have from half a kilobyte to two megabytes."""
_HEADER, _MOST_TAGS, _LONGEST_NAME = 128, 200, 80
_INPUT_KINDS = frozenset({b"scnr", b"mntr", b"spac"})


def checked(data: bytes) -> bytes:
    """The profile without what follows it. Errors: ProfileUnusable, saying why in a word.

    Only profiles that lead from RGB to colours are of use: a scanner's, a screen's, a space's.
    """
    if len(data) > LARGEST:
        raise ProfileUnusable("too_large")
    if len(data) < _HEADER + 4 or data[36:40] != b"acsp":
        raise ProfileUnusable("damaged")
    size = int.from_bytes(data[:4], "big")
    if not _HEADER + 4 <= size <= len(data):
        raise ProfileUnusable("damaged")
    if data[12:16] not in _INPUT_KINDS or data[16:20] != b"RGB ":
        raise ProfileUnusable("not_rgb")
    return data[:size]


def profile_name(profile: bytes) -> str:
    """Its description in one line of printable text; empty when it has none that can be read."""
    (count,) = struct.unpack_from(">I", profile, _HEADER)
    for entry in range(min(count, _MOST_TAGS)):
        place = _HEADER + 4 + 12 * entry
        if profile[place : place + 4] == b"desc" and place + 12 <= len(profile):
            at, size = struct.unpack_from(">II", profile, place + 4)
            return _plain(_text(profile[at : at + size]))
    return ""


def _text(tag: bytes) -> str:
    if tag[:4] == b"desc" and len(tag) >= 12:
        (length,) = struct.unpack_from(">I", tag, 8)
        return tag[12 : 12 + length].split(b"\0")[0].decode("latin-1")
    if tag[:4] == b"mluc" and len(tag) >= 28:
        length, at = struct.unpack_from(">II", tag, 20)
        return tag[at : at + length].decode("utf-16-be", "replace")
    return ""


def _plain(text: str) -> str:
    words = "".join(at if at.isprintable() else " " for at in text).split()
    return " ".join(words)[:_LONGEST_NAME]
