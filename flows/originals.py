"""Taking a delivery over: copied or moved into `originals`, hashed on the way, all or nothing.

The fingerprint of one file is its SHA-256; of a series, the SHA-256 over the sorted SHA-256s
of its files, so that names and order do not matter.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from storage.errors import ChangedWhileRead, NoSpace, SlideError, Transient
from storage.layout import Layout
from storage.pyramids import sync_folder

_PIECE = 4 * 2**20
_LONGEST_NAME = 180


@dataclass(frozen=True, slots=True)
class Bundle:
    """The files of one slide as found: a single file, or a series with its common folder."""

    name: str
    """For people; the file's name or the folder's."""
    base: Path
    files: tuple[Path, ...]

    @property
    def size(self) -> int:
        """Bytes of all files now."""
        return sum(file.stat().st_size for file in self.files)


@dataclass(frozen=True, slots=True)
class Original:
    """A delivery in our hands."""

    fingerprint: str
    bytes: int


def safe_name(name: str) -> str:
    """A file name without separators, control characters or surprises, for disk and screen."""
    kept = "".join(
        letter if letter.isprintable() and letter not in "/\\" else "_" for letter in name
    )
    kept = kept.strip(". ") or "unnamed"
    stem, dot, suffix = kept.rpartition(".")
    if len(kept.encode()) > _LONGEST_NAME:
        tail = dot + suffix if len(suffix) <= 10 else ""
        kept = (stem or kept).encode()[: _LONGEST_NAME - len(tail)].decode(errors="ignore") + tail
    return kept


def original_path(layout: Layout, fingerprint: str) -> Path:
    """What a reader opens: the file itself when the original is one, else its folder."""
    for root in (layout.originals, layout.quarantine):
        folder = root / fingerprint
        if folder.is_dir():
            entries = [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
            single = len(entries) == 1 and entries[0].is_file()
            return entries[0] if single else folder
    raise Transient(f"the original of {fingerprint[:12]} is not in the store")


def fingerprint_of(original: Path) -> str:
    """The fingerprint of what lies in the store now, computed afresh."""
    if original.is_file():
        return _hash(original)[0]
    files = sorted(file for file in original.rglob("*") if file.is_file())
    return _fingerprint([_hash(file)[0] for file in files])


def take_over(layout: Layout, bundle: Bundle, *, move: bool) -> Original:
    """Bring a bundle into `originals`; the same bytes again change nothing.

    With `move` the source is gone afterwards, and never before the copy is safe.
    Errors: ChangedWhileRead, NoSpace, SlideError (unreadable).
    """
    staging = layout.staging / f"{uuid.uuid4().hex}.original"
    with _disk_errors(staging):
        staging.mkdir()
        before = {file: _stamp(file) for file in bundle.files}
        digests, total = [], 0
        for file in bundle.files:
            digest, size = _bring(file, staging / _inside(bundle, file), move=move)
            digests.append(digest)
            total += size
        if not move and any(_stamp(file) != before[file] for file in bundle.files):
            raise ChangedWhileRead(f"{bundle.name} changed while it was read")
        fingerprint = _fingerprint(digests)
        _settle(staging, layout.originals / fingerprint)
    return Original(fingerprint, total)


def set_aside(layout: Layout, fingerprint: str) -> None:
    """Move an original to quarantine, unchanged."""
    source, target = layout.originals / fingerprint, layout.quarantine / fingerprint
    if source.is_dir():
        shutil.rmtree(target, ignore_errors=True)
        source.rename(target)


def take_back(layout: Layout, fingerprint: str) -> None:
    """Move an original out of quarantine for another try."""
    source, target = layout.quarantine / fingerprint, layout.originals / fingerprint
    if source.is_dir() and not target.exists():
        source.rename(target)


def _bring(source: Path, target: Path, *, move: bool) -> tuple[str, int]:
    """Copy (or rename, on the same file system) one file and hash it; digest and bytes."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if move:
        try:
            source.rename(target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            digest = _copy(source, target)
            source.unlink()
            return digest
        return _hash(target)
    return _copy(source, target)


def _copy(source: Path, target: Path) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with source.open("rb") as reading, target.open("wb") as writing:
        while piece := reading.read(_PIECE):
            writing.write(piece)
            digest.update(piece)
            size += len(piece)
        writing.flush()
        os.fsync(writing.fileno())
    return digest.hexdigest(), size


def _hash(file: Path) -> tuple[str, int]:
    with file.open("rb") as reading:
        digest = hashlib.file_digest(reading, "sha256")
        os.fsync(reading.fileno())
        return digest.hexdigest(), reading.tell()


def _settle(staging: Path, target: Path) -> None:
    sync_folder(staging)
    try:
        staging.rename(target)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        shutil.rmtree(staging)  # the same bytes are there already
    sync_folder(target.parent)


def _fingerprint(digests: list[str]) -> str:
    if len(digests) == 1:
        return digests[0]
    return hashlib.sha256("".join(sorted(digests)).encode()).hexdigest()


def _inside(bundle: Bundle, file: Path) -> Path:
    """Where a file of the bundle goes, relative; every part made safe."""
    if len(bundle.files) == 1:
        return Path(safe_name(file.name))
    return Path(*(safe_name(part) for part in file.relative_to(bundle.base).parts))


def _stamp(file: Path) -> tuple[int, int]:
    known = file.stat()
    return known.st_size, known.st_mtime_ns


@contextmanager
def _disk_errors(staging: Path) -> Iterator[None]:
    """Nothing is left of a failed take-over, and the disk's words become ours."""
    try:
        yield
    except OSError as error:
        shutil.rmtree(staging, ignore_errors=True)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoSpace("the disk is full; free some space and deliver again") from error
        raise SlideError(f"the file cannot be read: {error.strerror}") from error
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
