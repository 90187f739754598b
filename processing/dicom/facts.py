"""What a received object says of itself: its identity, its series, its header as text.

Parsed is only the short copy that `guard` made; the character set is judged by the bytes, since
senders often state none or a wrong one and a name is worth reading right.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from pydicom.charset import python_encoding
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filereader import read_dataset
from pydicom.uid import UID

from processing.dicom.guard import EXPLICIT_BIG, Reason, Structure, Unfit
from processing.dicom.json_model import JsonModel, to_model, to_text
from processing.dicom.names import day_of, from_person_name, moment_of
from processing.dicom.quiet import silence
from storage.records.cpr import NotAPatientId, parse_cpr
from storage.records.imaging import WSI, SeriesFacts
from storage.records.slide import printable

silence()

_UID = re.compile(r"[0-9]+(?:\.[0-9]+)+")
_LONGEST_UID = 64
_LATIN, _UNICODE = "ISO_IR 100", "ISO_IR 192"
_SINGLE_BYTE = frozenset({_LATIN, "ISO_IR 101", "ISO_IR 109", "ISO_IR 110", "ISO_IR 148"})
"""Sets in which every byte is some letter: text in UTF-8 passes for them, wrongly read."""
_MOST_NUMBER = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Facts:
    """What goes into the index."""

    sop_class: str
    sop_uid: str
    number: int
    series: SeriesFacts
    header: str


def facts_of(structure: Structure) -> Facts:
    """Read the short copy. Errors: Unfit (no_identity, other_object, unreadable)."""
    try:
        dataset = _parse(structure)
        model = to_model(dataset)
        for address, vr in structure.walked.cuts:
            _put_address(model, address, vr)
        facts = _facts(dataset, to_text(dict(sorted(model.items()))))
    except Unfit:
        raise
    except Exception as error:
        # Whatever the parser raises is about the file; it may quote values, so nothing is told.
        raise Unfit(Reason.UNREADABLE) from error
    meta = structure.meta
    if (meta.sop_class, meta.sop_uid) != (facts.sop_class, facts.sop_uid):
        raise Unfit(Reason.OTHER_OBJECT)
    return facts


def identifier_of(text: str) -> str:
    """A patient's identifier as it is kept: a CPR without its hyphen, others as written."""
    with suppress(NotAPatientId):
        return parse_cpr(text).patient_id.value
    return printable(text)[:64]


def _parse(structure: Structure) -> Dataset:
    copy = bytes(_with_charset(structure))
    dataset = read_dataset(BytesIO(copy), is_implicit_VR=False, is_little_endian=structure.little)
    dataset.file_meta = FileMetaDataset()
    syntax = EXPLICIT_BIG if not structure.little else structure.meta.transfer_syntax
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    return dataset


def _with_charset(structure: Structure) -> bytearray:
    """The short copy, with the character set its texts are really in."""
    copy, place = structure.walked.copy, structure.walked.charset
    stated = copy[place[0] + 8 : place[1]].decode("ascii", "replace") if place else ""
    best = best_charset(stated.rstrip("\0 "), structure.walked.texts)
    if best == stated.rstrip("\0 "):
        return copy
    value = best.encode() + b" " * (len(best) & 1)
    order = "<" if structure.little else ">"
    element = struct.pack(f"{order}HH2sH", 8, 5, b"CS", len(value)) + value
    start, end = place or (0, 0)
    return copy[:start] + element + copy[end:]


def best_charset(stated: str, texts: list[bytes]) -> str:
    """The character set texts are read by: the one stated, unless their bytes speak against it."""
    sets = [at.strip() for at in stated.split("\\")]
    known = all(at in python_encoding for at in sets)
    if known and len(sets) > 1:
        return stated  # escape sequences say where which set begins
    if not texts:
        return stated if known else _LATIN
    is_unicode = all(_decodes(text) for text in texts)
    if stated == _UNICODE:
        return stated if is_unicode else _LATIN
    if not known or stated in ("", "ISO_IR 6") or stated in _SINGLE_BYTE:
        fallback = stated if stated in _SINGLE_BYTE else _LATIN
        return _UNICODE if is_unicode else fallback
    return stated


def _decodes(text: bytes) -> bool:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _facts(dataset: Dataset, header: str) -> Facts:
    sop_class, sop_uid = _uid(dataset, "SOPClassUID"), _uid(dataset, "SOPInstanceUID")
    series = SeriesFacts(
        series_uid=_uid(dataset, "SeriesInstanceUID"),
        study_uid=_uid(dataset, "StudyInstanceUID"),
        modality=_text(dataset, "Modality", 16),
        identifier=identifier_of(_text(dataset, "PatientID", 64)),
        patient_name=printable(from_person_name(_value(dataset, "PatientName")))[:300],
        accession=_text(dataset, "AccessionNumber", 64),
        number=_number(dataset, "SeriesNumber"),
        description=_text(dataset, "SeriesDescription", 300),
        body_part=_text(dataset, "BodyPartExamined", 64),
        series_at=moment_of(_value(dataset, "SeriesDate"), _value(dataset, "SeriesTime")),
        study_description=_text(dataset, "StudyDescription", 300),
        study_at=moment_of(_value(dataset, "StudyDate"), _value(dataset, "StudyTime")),
        birth_date=day_of(_value(dataset, "PatientBirthDate")),
        sex=_text(dataset, "PatientSex", 10),
        is_slide=sop_class == WSI,
    )
    return Facts(sop_class, sop_uid, _number(dataset, "InstanceNumber"), series, header)


def _uid(dataset: Dataset, keyword: str) -> str:
    value = str(_value(dataset, keyword) or "").strip("\0 ")
    if not _UID.fullmatch(value) or len(value) > _LONGEST_UID:
        raise Unfit(Reason.IDENTITY)
    return value


def _text(dataset: Dataset, keyword: str, longest: int) -> str:
    return printable(str(_value(dataset, keyword) or ""))[:longest]


def _number(dataset: Dataset, keyword: str) -> int:
    try:
        number = int(str(_value(dataset, keyword) or 0))
    except ValueError:
        return 0
    return number if abs(number) <= _MOST_NUMBER else 0


def _value(dataset: Dataset, keyword: str) -> object:
    """One value, or nothing where it cannot be read: an odd date loses nobody an image."""
    try:
        value: object = dataset.get(keyword)
    except Exception:
        return None
    if isinstance(value, (list, tuple)) or type(value).__name__ == "MultiValue":
        return next(iter(value), None)  # type: ignore[call-overload]
    return value


def _put_address(model: JsonModel, address: str, vr: str) -> None:
    """Say in the model where a value is that was left out of the copy."""
    *steps, last = address.split("/")
    here: Mapping[str, Any] = model
    for tag, number in zip(steps[::2], steps[1::2], strict=True):
        here = here[tag]["Value"][int(number)]
    here[last] = {"vr": vr, "BulkDataURI": f"bulkdata/{address}"}  # type: ignore[index]
