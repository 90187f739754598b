"""Files of others: what is a regular file and nothing else, and is not being written any more."""

from __future__ import annotations

import fcntl
import os
import stat
from io import BufferedReader
from pathlib import Path

from storage.errors import ChangedWhileRead, SlideError


def open_regular(file: Path) -> BufferedReader:
    """Open for reading what is a file and nothing else, whatever has taken its name meanwhile."""
    descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise SlideError("it is not a regular file")
    return open(descriptor, "rb")


def refuse_writers(file: Path) -> None:
    """A file that somebody has open for writing may still change under its new name.

    Asked by a read lease, which Linux gives only when nobody has (fcntl(2), F_SETLEASE); where
    the file system or the owner does not allow leases, size and time have to do.
    """
    with open_regular(file) as reading:
        try:
            fcntl.fcntl(reading, fcntl.F_SETLEASE, fcntl.F_RDLCK)
            fcntl.fcntl(reading, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        except BlockingIOError as error:
            raise ChangedWhileRead("it is still open for writing") from error
        except OSError:
            return
