"""`open_slide` chooses the reader: one loop over one table, the vendor ends here.

The table names readers as text: pydicom or OpenSlide is loaded when a file may need it, which
is most of what a command that reads a TIFF would else wait for.
"""

from __future__ import annotations

import logging
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from processing.readers.base import Probe, SlideReader, SourceLevel
from processing.readers.detection import may_be_dicom, may_be_foreign, may_be_hamamatsu, may_be_tiff
from storage.errors import Damaged, NotASlide, SlideError, TooLarge
from storage.on_demand import load

READERS: tuple[tuple[Callable[[Probe], bool], str], ...] = (
    (may_be_dicom, "processing.readers.dicom:DicomReader"),
    (may_be_tiff, "processing.readers.aperio:AperioReader"),
    (may_be_hamamatsu, "processing.readers.hamamatsu:HamamatsuReader"),
    (may_be_foreign, "processing.readers.openslide_formats:OpenSlideReader"),
    (may_be_tiff, "processing.readers.tiff:TiffReader"),
)
"""The whole registry: the first that recognises the file reads it, the narrow ones first."""

for _library in ("tifffile", "pydicom"):
    # Without a handler of the application's, Python would print their warnings to the user.
    logging.getLogger(_library).addHandler(logging.NullHandler())
# pydicom quotes the values it complains of, which may be a patient's name; a level set here would
# be reset when it is loaded.
logging.getLogger("pydicom").propagate = False
warnings.filterwarnings("ignore", module=r"(pydicom|tifffile)\.")

_STUMBLES = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RuntimeError,
    EOFError,
    struct.error,
    zlib.error,
)
_PARSERS = frozenset({"pydicom", "tifffile", "imagecodecs", "cv2"})
"""Libraries with exceptions of their own, all of them about the file."""


def load_readers() -> None:
    """Load every reader now, in a process that will need them and has time."""
    for _, name in READERS:
        load(name)


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
    except OSError as error:
        if _from_the_disk(error):
            raise
        raise _nonsense(error) from error
    except Exception as error:
        if isinstance(error, _STUMBLES) or _is_of_a_parser(error):
            raise _nonsense(error) from error
        raise
    finally:
        probe.close()


def _opened(probe: Probe) -> SlideReader:
    """The first reader that recognises the file, having read its directory."""
    try:
        for may_be, name in READERS:
            if may_be(probe):
                reader: type[SlideReader] = load(name)
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


def _is_of_a_parser(error: Exception) -> bool:
    return type(error).__module__.partition(".")[0] in _PARSERS


def _from_the_disk(error: OSError) -> bool:
    """True where the system failed; parsers raise OSError too, without the system's number."""
    return error.errno is not None


def _nonsense(error: Exception) -> Damaged:
    """A parser met content nobody foresaw: the file's fault, in our words."""
    return Damaged(f"the file's structure makes no sense ({type(error).__name__})")


__all__ = ["READERS", "Probe", "SlideReader", "SourceLevel", "load_readers", "open_slide"]
