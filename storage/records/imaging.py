"""What is known of images as DICOM tells them: whose, which study and series, from where."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

WSI = "1.2.840.10008.5.1.4.1.1.77.1.6"
"""VL Whole Slide Microscopy Image Storage."""
ASSOCIATED = ("label", "overview", "thumbnail")
"""Images beside the levels, in the order of their numbers below the series' UID."""


class PeerMay(StrEnum):
    """What another DICOM node is let do; nothing unless it is said."""

    STORE = "store"
    QUERY = "query"
    RETRIEVE = "retrieve"
    WORKLIST = "worklist"
    """Ask for scans to do, and say how they went."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Another DICOM node: a scanner, a PACS, an archive, a hospital."""

    name: str
    """Also the name of the person-row its token and access lines go by."""
    ae_title: str
    host: str = ""
    """Where it listens, and whence it may call; empty: it is never called, and may not call."""
    port: int = 0
    tls: bool = False
    url: str = ""
    """Root of its DICOMweb service; preferred when forwarding."""
    unit: str = ""
    """The unit whose cases it may see; empty: all."""
    may: frozenset[PeerMay] = frozenset()


class SeriesState(StrEnum):
    """How far a received series is."""

    ARRIVING = "arriving"
    """More objects may come."""
    WHOLE = "whole"
    """Quiet or released."""
    TAKEN = "taken"
    """A whole-slide series that has been handed to the intake: it is a slide as well."""


@dataclass(frozen=True, slots=True)
class Whose:
    """The patient as far as known; empty where nothing is."""

    identifier: str = ""
    name: str = ""
    """As people write it, given names first."""
    birth_date: date | None = None
    sex: str = ""
    patient_id: str | None = None
    """Our own id when the patient is known here."""


@dataclass(frozen=True, slots=True)
class Glass:
    """What a slide's image is of; empty where it has found no case."""

    barcode: str = ""
    part: str = ""
    block: str = ""
    stain: str = ""


@dataclass(frozen=True, slots=True)
class SeriesEntry:
    """One series: a slide made into DICOM on the fly, or one that was received."""

    study_uid: str
    series_uid: str
    modality: str
    whose: Whose
    accession: str = ""
    """As the images say, or their case does; a sender's word may be any."""
    case: str = ""
    """Accession of the case here that they belong to; empty when to none."""
    study_at: datetime | None = None
    study_description: str = ""
    series_at: datetime | None = None
    series_description: str = ""
    series_number: int = 1
    body_part: str = ""
    slide_id: str | None = None
    """Set when the series is made from a pyramid, or when it became one."""
    received: bool = False
    """Objects as they came; else made on the fly."""
    glass: Glass = Glass()


@dataclass(frozen=True, slots=True)
class StoredObject:
    """A received DICOM object as indexed; its bytes lie by their SHA-256."""

    sop_uid: str
    sop_class: str
    study_uid: str
    series_uid: str
    transfer_syntax: str
    sha256: str
    bytes: int
    pixels_at: int
    """Offset of the pixel data element in the file; 0 without such."""
    header: str
    """All attributes but bulk ones, as the DICOM JSON model (PS3.18 F), UTF-8 text."""
    received_at: datetime
    received_from: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the database can narrow a search by; None or empty is anything."""

    study_uids: tuple[str, ...] = ()
    series_uids: tuple[str, ...] = ()
    accession: str | None = None
    identifier: str | None = None
    """Of the patient, exactly."""
    patient_id: str | None = None
    """Our own."""
    since: datetime | None = None
    until: datetime | None = None
    slide_id: str | None = None
    name_parts: tuple[str, ...] = ()
    """Small ASCII letters that the patient's name has in it somewhere."""


@dataclass(frozen=True, slots=True)
class SeriesFacts:
    """What an object says of the series it is in."""

    series_uid: str
    study_uid: str
    modality: str
    identifier: str
    patient_name: str
    accession: str
    number: int = 0
    description: str = ""
    body_part: str = ""
    series_at: datetime | None = None
    study_description: str = ""
    study_at: datetime | None = None
    birth_date: date | None = None
    sex: str = ""
    is_slide: bool = False
    """Whole-slide images: they go to the intake as well."""


class Entered(StrEnum):
    """What became of an object that was handed in."""

    NEW = "new"
    KNOWN = "known"
