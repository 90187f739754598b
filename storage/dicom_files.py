"""Received DICOM objects on disk: whole and synced before they have a name, named by SHA-256."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from storage.errors import NoSpace, SvartidError
from storage.layout import PRIVATE, Layout
from storage.pyramids import sync_folder

_PIECE = 2**20


class Incoming:
    """One object on its way to the disk, through a `.part` file nobody else looks at.

    The file is locked as long as it has no name: what is not is a dead process's.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._digest, self._size, self._named = hashlib.sha256(), 0, False
        with _disk_errors():
            self.path, descriptor = _locked_part(layout)
        self._file = os.fdopen(descriptor, "wb", buffering=_PIECE)

    def write(self, piece: bytes) -> None:
        """Append. Errors: NoSpace."""
        with _disk_errors():
            self._file.write(piece)
        self._digest.update(piece)
        self._size += len(piece)

    @property
    def size(self) -> int:
        """Bytes written so far."""
        return self._size

    @property
    def sha256(self) -> str:
        """Fingerprint of the bytes written so far."""
        return self._digest.hexdigest()

    def another(self) -> Incoming:
        """A fresh one beside it: for what this one's bytes are made into."""
        return Incoming(self._layout)

    def settle(self) -> str:
        """To disk; the fingerprint. The file still has no name: `keep` or `set_aside` gives one."""
        if not self._file.closed:
            with _disk_errors():
                self._file.flush()
                os.fsync(self._file.fileno())
                self._file.close()
        return self.sha256

    def is_kept(self) -> bool:
        """True when these bytes have their name already."""
        return object_path(self._layout, self.sha256).is_file()

    def keep(self) -> Path:
        """Give the settled file its name; the same bytes again change nothing. Errors: NoSpace."""
        return self._name(object_path(self._layout, self._digest.hexdigest()))

    def set_aside(self) -> Path:
        """Put the settled file into quarantine, unchanged. Errors: NoSpace."""
        return self._name(quarantine_path(self._layout, self._digest.hexdigest()))

    def discard(self) -> None:
        """Leave nothing behind, unless it has been named."""
        if not self._named:
            self.path.unlink(missing_ok=True)
        with suppress(OSError):
            self._file.close()

    def _name(self, target: Path) -> Path:
        """The file may be named once more: what was kept can still be set aside."""
        with _disk_errors():
            fresh = not target.parent.exists()
            target.parent.mkdir(parents=True, exist_ok=True, mode=PRIVATE)
            try:
                self.path.replace(target)
            except FileNotFoundError:
                if not (self._named and target.exists()):
                    raise  # else another who was handed the same bytes has just set them aside
            self.path, self._named = target, True
            self._file.close()
            sync_folder(target.parent)
            if fresh:
                sync_folder(target.parent.parent)
        return target


def write_all(layout: Layout, pieces: Iterable[bytes]) -> Incoming:
    """A settled incoming object of these bytes. Errors: NoSpace."""
    incoming = Incoming(layout)
    try:
        for piece in pieces:
            incoming.write(piece)
        incoming.settle()
    except BaseException:
        incoming.discard()
        raise
    return incoming


def object_path(layout: Layout, sha256: str) -> Path:
    """Where an object with that fingerprint lies, or would."""
    return layout.dicom / sha256[:2] / f"{sha256}.dcm"


def is_intact(layout: Layout, sha256: str) -> bool:
    """Whether an object is there, byte for byte; all of it is read."""
    try:
        with object_path(layout, sha256).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except OSError:
        return False


def quarantine_path(layout: Layout, sha256: str) -> Path:
    """Where an object that could not be taken lies, or would."""
    return layout.quarantine / "dicom" / f"{sha256}.dcm"


def remove_parts(layout: Layout) -> None:
    """Remove what killed processes had half received; what is being received is locked."""
    for part in layout.dicom.glob("*.part"):
        with suppress(OSError):  # named or discarded meanwhile
            descriptor = os.open(part, os.O_RDWR)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                part.unlink()
            finally:
                os.close(descriptor)


def _locked_part(layout: Layout) -> tuple[Path, int]:
    while True:
        path = layout.dicom / f"{uuid.uuid4().hex}.part"
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if path.exists():  # else tidied away between opening and locking
            return path, descriptor
        os.close(descriptor)


@contextmanager
def _disk_errors() -> Iterator[None]:
    """The disk's words become ours."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoSpace("the disk is full") from error
        raise SvartidError(f"the object cannot be kept: {error.strerror}") from error
