"""What a query says, read without trust, and its answers: what was asked for, in a fitting charset.

Source: PS3.4 C.2.2, C.4.1 (what answers carry), PS3.5 6.1 (character sets), PS3.7 9.3.2.
"""

from __future__ import annotations

import struct
from io import BytesIO

from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pydicom.sequence import Sequence

from processing.dicom.facts import best_charset
from processing.dicom.guard import EXPLICIT_BIG, IMPLICIT_LITTLE
from processing.dicom.quiet import silence
from processing.dicom.short_copy import Broken, Walked
from processing.dicom.walk import Encoding, walk
from storage.errors import Malformed

silence()

_LATIN, _UNICODE = "ISO_IR 100", "ISO_IR 192"
_CHARSET, _ZONE = 0x00080005, 0x00080201
_MOST_BYTES = 2**20


def read_identifier(data: bytes, syntax: str) -> Dataset:
    """The data set of a request, in one of the uncompressed syntaxes. Errors: Malformed."""
    if len(data) > _MOST_BYTES:
        raise Malformed("the identifier is too long")
    little = syntax != EXPLICIT_BIG
    try:
        walked = walk(data, 0, Encoding(syntax == IMPLICIT_LITTLE, little, encapsulated=False))
        copy = _with_charset(walked, little=little)
        found = read_dataset(BytesIO(copy), is_implicit_VR=False, is_little_endian=little)
        for _ in found.iterall():
            pass  # every value is read now, not where it is used
    except Broken as error:
        raise Malformed(f"the identifier is {error.why.replace('_', ' ')}") from None
    except Exception:
        # Whatever the parser raises is about what was sent, and may quote it.
        raise Malformed("the identifier cannot be read") from None
    return found


def asked_for(answer: Dataset, keys: Dataset) -> Dataset:
    """Of an answer the attributes that the keys name; an empty sequence asks for its items whole.

    What an answer has not is not answered (PS3.4 C.2.2.1.3).
    """
    made = Dataset()
    for key in keys:
        if key.tag.element == 0 or key.tag not in answer:
            continue
        found = answer[key.tag]
        inner = key.value[0] if key.VR == "SQ" and key.value else None
        if found.VR != "SQ" or not inner:
            made[key.tag] = found
        else:
            made.add_new(key.tag, "SQ", Sequence([asked_for(item, inner) for item in found.value]))
    if _ZONE in answer and any(at.VR in ("DA", "TM", "DT") for at in made):
        made[_ZONE] = answer[_ZONE]
    return made


def put_charset(answer: Dataset) -> None:
    """Latin-1 where that has every letter, for old equipment; else UTF-8."""
    try:
        for element in answer.iterall():
            if element.VR != "SQ" and not isinstance(element.value, bytes):
                str(element.value).encode("latin-1")
        answer.SpecificCharacterSet = _LATIN
    except UnicodeEncodeError:
        answer.SpecificCharacterSet = _UNICODE


def _with_charset(walked: Walked, *, little: bool) -> bytes:
    """The copy, with the character set its texts are really in."""
    copy, place = bytes(walked.copy), walked.charset
    said = copy[place[0] + 8 : place[1]].decode("ascii", "replace") if place else ""
    best = best_charset(said.rstrip("\0 "), walked.texts)
    value = best.encode() + b" " * (len(best) & 1)
    order = "<" if little else ">"
    element = struct.pack(f"{order}HH2sH", 8, 5, b"CS", len(value)) + value
    start, end = place or (0, 0)
    return copy[:start] + element + copy[end:]
