"""What the DICOM node and the web service really support, asked of the code that does it.

The statements are made of this; nothing is listed by hand that the code could tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime

from pydicom._uid_dict import UID_dictionary
from pydicom.dataset import Dataset
from pynetdicom import AllStoragePresentationContexts

from flows import dicom_node
from flows.dicom_context import Offer
from processing.dicom.answers import series_answer, study_answer
from processing.dicom.guard import is_supported
from processing.dicom.header import Coding, Picture, build_header
from storage.records.geometry import Size
from storage.records.imaging import Glass, SeriesEntry, Whose
from storage.records.slide import Mpp, MppOrigin, SlideMetadata

VERIFICATION = "1.2.840.10008.1.1"
_JPEG = "1.2.840.10008.1.2.4.50"
_NAMES = {uid: entry[0] for uid, entry in UID_dictionary.items()}


def offers() -> list[Offer]:
    """What callers may propose beside storage, and what they have to be let do for it."""
    parts = [offer for contexts, _ in dicom_node.PARTS for offer in contexts()]
    return [Offer(VERIFICATION), *parts]


def storage_classes() -> list[str]:
    """SOP class UIDs of storage that are known by name; others are taken as well."""
    return sorted({str(at.abstract_syntax) for at in AllStoragePresentationContexts})


def transfer_syntaxes() -> list[str]:
    """UIDs of the transfer syntaxes that are taken in and given out."""
    kinds = (uid for uid, entry in UID_dictionary.items() if entry[1] == "Transfer Syntax")
    return sorted((uid for uid in kinds if is_supported(uid)), key=_by_arcs)


def name_of(uid: str) -> str:
    """What the standard calls it."""
    return _NAMES.get(uid, uid)


def query_keys() -> Iterator[tuple[str, list[str]]]:
    """Level, and the attributes that may narrow and are answered on it."""
    entry = _sample()
    study = list(_names(study_answer([entry], 1)))
    series = [name for name in _names(series_answer(entry, 1)) if name not in study]
    yield "STUDY", study
    yield "SERIES", series


def made_attributes() -> list[tuple[str, str, str]]:
    """(tag, VR, name) of what a whole-slide instance made from a pyramid says."""
    metadata = SlideMetadata("aperio", Mpp(0.25, 0.25, MppOrigin.HEADER), 40, "GT450", "B1")
    picture = Picture(Size(4096, 4096), Size(256, 256), level=0)
    coding = Coding(_JPEG, "YBR_FULL_422", ratio=10)
    made = build_header(_sample(), metadata, picture, coding, Size(4096, 4096), None, None)
    return [(str(at.tag), at.VR, at.name) for at in made]


def _names(answer: Dataset) -> Iterable[str]:
    return (at.keyword for at in answer)


def _sample() -> SeriesEntry:
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    whose = Whose("0101901234", "Anna Andersen", date(1990, 1, 1), "female", "1")
    return SeriesEntry(
        "1.2", "1.2.3", "SM", whose, accession="A1", case="A1", study_at=at, series_at=at,
        series_description="A1 HE", slide_id="1", glass=Glass("B1", "A", "A1", "HE"),
    )  # fmt: skip


def _by_arcs(uid: str) -> tuple[int, ...]:
    return tuple(int(arc) for arc in uid.split("."))
