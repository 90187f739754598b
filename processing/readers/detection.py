"""Which reader may be meant: cheap questions to the probe, so that the others are never loaded.

A yes only means that the reader is asked; its `recognises` decides.
Sources: OpenSlide's vendor documentation (the tags by which it tells formats apart).
"""

from __future__ import annotations

from processing.readers.base import Probe

_HAMAMATSU, _XMP = 65420, 700
_FOREIGN_SOFTWARE = ("philips", "medscan")
_FOREIGN_WORDS = ("leica-microsystems", "aperio")


def may_be_dicom(probe: Probe) -> bool:
    """DICOM part 10."""
    return probe.is_dicom


def may_be_tiff(probe: Probe) -> bool:
    """Any TIFF. Errors: Damaged."""
    return probe.tiff is not None


def may_be_hamamatsu(probe: Probe) -> bool:
    """A TIFF with Hamamatsu's own tag. Errors: Damaged."""
    return probe.tiff is not None and _HAMAMATSU in probe.tiff.pages.first.tags


def may_be_foreign(probe: Probe) -> bool:
    """Anything but a TIFF in which no vendor has left a trace. Errors: Damaged."""
    if probe.tiff is None:
        return True
    tags = [page.tags for page in probe.tiff.pages if hasattr(page, "tags")]
    if any(_XMP in known or _HAMAMATSU in known for known in tags):
        return True
    first = probe.tiff.pages.first
    software = str(first.software or "").lower()
    words = str(first.description or "").lower()
    return software.startswith(_FOREIGN_SOFTWARE) or any(word in words for word in _FOREIGN_WORDS)
