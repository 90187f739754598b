"""`open_slide` chooses the reader: one loop over one table, the vendor ends here."""

from __future__ import annotations

import logging
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
from pydicom.errors import BytesLengthException

from processing.readers.aperio import AperioReader
from processing.readers.base import Probe, SlideReader, SourceLevel
from processing.readers.dicom import DicomReader
from processing.readers.hamamatsu import HamamatsuReader
from processing.readers.openslide_formats import OpenSlideReader
from processing.readers.tiff import TiffReader
from storage.errors import Damaged, NotASlide, SlideError, TooLarge

READERS: tuple[type[SlideReader], ...] = (
    DicomReader,
    AperioReader,
    HamamatsuReader,
    OpenSlideReader,
    TiffReader,
)
"""The whole registry: the first that recognises the file reads it, the narrow ones first."""

for _library in ("tifffile", "pydicom"):
    # Without a handler of the application's, Python would print their warnings to the user.
    logging.getLogger(_library).addHandler(logging.NullHandler())
# pydicom's quote the values they complain of, which may be a patient's name.
logging.getLogger("pydicom").setLevel(logging.ERROR)
warnings.filterwarnings("ignore", module=r"(pydicom|tifffile)\.")

_STUMBLES = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RuntimeError,
    EOFError,
    BytesLengthException,
    struct.error,
    zlib.error,
    cv2.error,
)


@contextmanager
def open_slide(path: Path) -> Iterator[SlideReader]:
    """Open a file or folder with the reader that knows it.

    Errors: SlideError with a code the screens can explain; nothing of the vendor leaks out.
    """
    probe = Probe.at(path)
    if not probe.files:
        raise NotASlide("the folder is empty")
    try:
        opened = _opened(probe)
        try:
            yield opened
        finally:
            opened.close()
    except SlideError:
        raise
    except MemoryError as error:
        raise TooLarge("the file asks for more memory than a slide may take") from error
    except _STUMBLES as error:
        raise _nonsense(error) from error
    except OSError as error:
        if _from_the_disk(error):
            raise
        raise _nonsense(error) from error
    finally:
        probe.close()


def _opened(probe: Probe) -> SlideReader:
    """The first reader that recognises the file, having read its directory."""
    try:
        for reader in READERS:
            if reader.recognises(probe):
                return reader(probe)
    except (SlideError, MemoryError):
        raise
    except OSError as error:
        if _from_the_disk(error):
            raise
        raise _nonsense(error) from error
    except Exception as error:
        # Only the libraries' code has run so far; what they raise is about the file.
        raise _nonsense(error) from error
    raise NotASlide("no reader knows this kind of file")


def _from_the_disk(error: OSError) -> bool:
    """True where the system failed; parsers raise OSError too, without the system's number."""
    return error.errno is not None


def _nonsense(error: Exception) -> Damaged:
    """A parser met content nobody foresaw: the file's fault, in our words."""
    return Damaged(f"the file's structure makes no sense ({type(error).__name__})")


__all__ = ["READERS", "Probe", "SlideReader", "SourceLevel", "open_slide"]
