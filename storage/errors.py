"""Every error svartid raises on purpose, one line each."""


class SvartidError(Exception):
    """Root of the tree; `code` is stable and translated by the screens."""

    code = "internal"


class Transient(SvartidError):
    """The world was not ready (lock, network, disk busy); a flow may try again."""

    code = "busy"


class NoSpace(Transient):
    """The disk is full; nothing half-written is kept."""

    code = "no_space"


class SlideError(SvartidError):
    """The file, not the system, is the reason: it goes to quarantine with this code."""

    code = "unreadable"


class NotASlide(SlideError):
    """No reader knows the file."""

    code = "not_a_slide"


class EmptyFile(SlideError):
    """The file has no bytes."""

    code = "empty"


class Truncated(SlideError):
    """The file ends before what its own directory promises."""

    code = "truncated"


class Damaged(SlideError):
    """The structure contradicts itself or cannot be decoded."""

    code = "damaged"


class PartsMissing(SlideError):
    """A slide in several files of which one has not come."""

    code = "parts_missing"


class LevelsDisagree(SlideError):
    """A coarser level shows what a finer one does not: tiles are dead, blank or out of place."""

    code = "levels_disagree"


class TooLarge(SlideError):
    """Dimensions beyond what any scanner makes, or a decompression bomb."""

    code = "too_large"


class Unsupported(SlideError):
    """A genuine slide in a shape svartid does not read yet."""

    code = "unsupported_format"


class UnsupportedCompression(Unsupported):
    """The pixels are coded in a way svartid cannot decode."""

    code = "unsupported_compression"


class UnsupportedDicom(Unsupported):
    """A DICOM object that is not (yet) a readable whole-slide image."""

    code = "unsupported_dicom"


class ChangedWhileRead(SlideError):
    """The file was still being written."""

    code = "changed_while_read"


class ReaderCrashed(SlideError):
    """The decoding process died, repeatedly, on this file."""

    code = "reader_crashed"


class TookTooLong(SlideError):
    """Reading passed its time limit."""

    code = "took_too_long"


class NotFound(SvartidError):
    """Nothing is known under that id."""

    code = "not_found"


class Malformed(SvartidError):
    """What was asked for is not said in the way it has to be."""

    code = "invalid_request"


class Refused(SvartidError):
    """The state or the person does not allow it."""

    code = "refused"


class Illegal(Refused):
    """What is said to have happened contradicts what is known; `reason` is why, in a word."""

    code = "illegal"

    def __init__(self, reason: str) -> None:
        super().__init__(reason.replace("_", " "))
        self.reason = reason


class ProfileUnusable(Refused):
    """Colours cannot be corrected by the slide's ICC profile; the message is why, in a word."""

    code = "profile_unusable"


class StoreDamaged(SvartidError):
    """Something in our own store does not read back."""

    code = "store_damaged"


class SettingsError(SvartidError):
    """A setting is missing or contradicts another; the message says which and the remedy."""

    code = "settings"
