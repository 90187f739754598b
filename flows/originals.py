"""Taking a delivery over: copied or moved into `originals`, hashed on the way, all or nothing.

The fingerprint of one file is its SHA-256; of a series, the SHA-256 over the sorted SHA-256s
of its files, so that names and order do not matter.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
import stat
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from flows.regular_files import open_regular, refuse_writers
from storage.errors import ChangedWhileRead, NoSpace, SlideError, Transient
from storage.layout import Layout
from storage.pyramids import sync_folder

_PIECE = 4 * 2**20
_LONGEST_NAME = 180
_TRIES = 5
_NO_LINKS = (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EACCES)


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
    files = sorted(file for file in original.rglob("[!.]*") if file.is_file())
    return fingerprint_over([_hash(file)[0] for file in files])


def take_over(layout: Layout, bundle: Bundle, *, move: bool, share: bool = False) -> Original:
    """Bring a bundle into `originals`; the same bytes again change nothing.

    With `move` the files are linked instead of copied where the disk allows it; they stay where
    they are until `let_go`, so that a process killed at any moment loses none. With `share` they
    are our own and stay for good. Errors: ChangedWhileRead, NoSpace, SlideError (unreadable).
    """
    with _disk_errors():
        known = _taken_before(layout, bundle) if move else None
        if known is not None:
            return known
        with _staging(layout.staging) as staging:
            before = {file: _stamp(file) for file in bundle.files}
            digests, total = [], 0
            for file in bundle.files:
                target = _free(staging / _inside(bundle, file))
                target.parent.mkdir(parents=True, exist_ok=True)
                linked = (move or share) and _link(file, target, ours=share)
                digest, size = _hash(target) if linked else _copy(file, target)
                digests.append(digest)
                total += size
            if any(_stamp(file) != before[file] for file in bundle.files):
                raise ChangedWhileRead(f"{bundle.name} changed while it was read")
            fingerprint = fingerprint_over(digests)
            _settle(staging, layout.originals / fingerprint)
    return Original(fingerprint, total)


def let_go(bundle: Bundle) -> None:
    """Remove the files of a delivery that has been taken over and entered."""
    for file in bundle.files:
        with suppress(OSError):
            file.unlink()


def set_aside(layout: Layout, fingerprint: str) -> None:
    """Move an original to quarantine, unchanged."""
    source, target = layout.originals / fingerprint, layout.quarantine / fingerprint
    if source.is_dir():
        shutil.rmtree(target, ignore_errors=True)
        source.rename(target)


def take_back(layout: Layout, fingerprint: str) -> None:
    """Move an original out of quarantine for another try."""
    source, target = layout.quarantine / fingerprint, layout.originals / fingerprint
    if source.is_dir() and target.exists():  # delivered again meanwhile: once is enough
        shutil.rmtree(source, ignore_errors=True)
    elif source.is_dir():
        source.rename(target)


def remove_abandoned(staging: Path) -> None:
    """Remove what a killed process had half taken over; a living one holds the folder's lock."""
    with suppress(BlockingIOError, FileNotFoundError), locked(staging):
        shutil.rmtree(staging, ignore_errors=True)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder's lock, which the kernel lets go when this process dies.

    Errors: BlockingIOError when another has it, FileNotFoundError.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.stat(folder)  # it may have been removed between opening and locking
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _staging(root: Path) -> Iterator[Path]:
    """A locked folder to take over into; nothing is left of it when that fails."""
    with ExitStack() as stack:
        for _ in range(_TRIES):
            folder = root / f"{uuid.uuid4().hex}.original"
            folder.mkdir()
            with suppress(BlockingIOError, FileNotFoundError):  # tidied away before it was locked
                stack.enter_context(locked(folder))
                break
        try:
            yield folder
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise


def _taken_before(layout: Layout, bundle: Bundle) -> Original | None:
    """The original these files are links of, left by a process killed before it let go."""
    ours = [file.stat() for file in bundle.files]
    if any(known.st_nlink < 2 for known in ours):
        return None
    wanted = {(known.st_dev, known.st_ino) for known in ours}
    for folder in layout.originals.iterdir():
        files = [file.stat() for file in folder.rglob("*") if file.is_file()]
        if wanted <= {(known.st_dev, known.st_ino) for known in files}:
            return Original(folder.name, sum(known.st_size for known in files))
    return None


def _link(source: Path, target: Path, *, ours: bool) -> bool:
    """Give a file its second name; False where it has to be copied.

    A file with other names could be changed through them: it is copied, unless they are ours.
    """
    if not ours:
        if source.stat().st_nlink > 1:
            return False
        refuse_writers(source)
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError as error:
        if error.errno in _NO_LINKS:
            return False
        raise
    return True


def _free(target: Path) -> Path:
    """The path, or one beside it when two names became one by being made safe."""
    number, free = 1, target
    while free.exists():
        number, free = number + 1, target.with_name(f"{number}-{target.name}")
    return free


def _copy(source: Path, target: Path) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with open_regular(source) as reading, target.open("wb") as writing:
        while piece := reading.read(_PIECE):
            writing.write(piece)
            digest.update(piece)
            size += len(piece)
        writing.flush()
        os.fsync(writing.fileno())
    return digest.hexdigest(), size


def _hash(file: Path) -> tuple[str, int]:
    with open_regular(file) as reading:
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


def fingerprint_over(digests: list[str]) -> str:
    """The fingerprint of files with these SHA-256s."""
    if len(digests) == 1:
        return digests[0]
    return hashlib.sha256("".join(sorted(digests)).encode()).hexdigest()


def _inside(bundle: Bundle, file: Path) -> Path:
    """Where a file of the bundle goes, relative; every part made safe."""
    if len(bundle.files) == 1:
        return Path(safe_name(file.name))
    return Path(*(safe_name(part) for part in file.relative_to(bundle.base).parts))


def _stamp(file: Path) -> tuple[int, int]:
    known = file.lstat()
    if not stat.S_ISREG(known.st_mode):
        raise SlideError("it is not a regular file")
    return known.st_size, known.st_mtime_ns


@contextmanager
def _disk_errors() -> Iterator[None]:
    """The disk's words become ours."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoSpace("the disk is full; free some space and deliver again") from error
        raise SlideError(f"the file cannot be read: {error.strerror}") from error
