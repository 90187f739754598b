"""What can happen to one expected glass and its scans; the kinds are told in `case_events`."""

from __future__ import annotations

from dataclasses import dataclass

from storage.records.case_words import RescanReason


@dataclass(frozen=True, slots=True)
class SlideExpected:
    """A glass will come; its barcode names it everywhere."""

    barcode: str
    part: str = ""
    block: str = ""
    stain: str = ""
    order_id: str = ""
    """The additional order it fulfils."""


@dataclass(frozen=True, slots=True)
class SlideCancelled:
    """A glass will not come after all."""

    barcode: str
    reason: str


@dataclass(frozen=True, slots=True)
class SlidePrinted:
    """Its label has been printed."""

    barcode: str


@dataclass(frozen=True, slots=True)
class SlideSectioned:
    """The section lies on the glass."""

    barcode: str


@dataclass(frozen=True, slots=True)
class SlideStained:
    """Stained and coverslipped: the glass can be scanned."""

    barcode: str


@dataclass(frozen=True, slots=True)
class ScanQueued:
    """A scan is asked for; the work item carries it to the scanner."""

    barcode: str
    item_id: str


@dataclass(frozen=True, slots=True)
class ScanWithdrawn:
    """A scan that waited is not wanted any more."""

    barcode: str
    item_id: str


@dataclass(frozen=True, slots=True)
class ScanStarted:
    """A scanner has the glass."""

    barcode: str
    scanner: str
    item_id: str = ""


@dataclass(frozen=True, slots=True)
class ScanCompleted:
    """The scanner is done; the file is on its way."""

    barcode: str
    item_id: str = ""


@dataclass(frozen=True, slots=True)
class ScanFailed:
    """The scanner gave up."""

    barcode: str
    reason: str
    item_id: str = ""


@dataclass(frozen=True, slots=True)
class ImageStored:
    """The file has been read in and matched to the glass."""

    barcode: str
    slide_id: str
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class ImageCommitted:
    """Every tile is proven: the scan's Merkle root."""

    barcode: str
    slide_id: str
    root: str


@dataclass(frozen=True, slots=True)
class QualityPassed:
    """Checks found nothing that stands in the way."""

    barcode: str
    slide_id: str


@dataclass(frozen=True, slots=True)
class QualityFlagged:
    """The checks ask for a look; an image nobody has been shown yet is held back until then."""

    barcode: str
    slide_id: str
    finding: str


@dataclass(frozen=True, slots=True)
class QualityReleased:
    """A person has looked, and says why it is good enough."""

    barcode: str
    slide_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class ImageAvailable:
    """The image can be read; an older one of the same glass is replaced, never deleted."""

    barcode: str
    slide_id: str


@dataclass(frozen=True, slots=True)
class ImageArchived:
    """Moved to a slower store; it can be recalled."""

    barcode: str
    slide_id: str


@dataclass(frozen=True, slots=True)
class ImageRecalled:
    """Back from the slower store."""

    barcode: str
    slide_id: str


@dataclass(frozen=True, slots=True)
class ImageWithdrawn:
    """Taken out of sight: it shows the wrong patient or the wrong glass."""

    barcode: str
    slide_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class RescanRequested:
    """Scan it again; the region is in the fraction of the glass (left, top, width, height)."""

    barcode: str
    reason: RescanReason
    note: str = ""
    region: tuple[float, float, float, float] | None = None


@dataclass(frozen=True, slots=True)
class SlideGlassOnly:
    """It is read under the light microscope: a legitimate state, with a reason."""

    barcode: str
    reason: str
