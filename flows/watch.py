"""The watch folder: what scanners and people drop is taken over once it is whole.

Whole means: renamed into place, or announced by a `<name>.done` file, or unchanged in size and
time for the settle time. A file that then does not open waits longer before it is judged.
`python -m flows.watch`, started by `svartid up`.
"""

from __future__ import annotations

import logging
import os
import stat
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import watchfiles

from flows.bundles import bundle_files, bundles_at, is_dicom, may_be_objects
from flows.isolation import ReadingProcess
from flows.originals import Bundle
from flows.parent import die_with_parent
from flows.receive import receive, remove_empty_folders
from flows.services import Services, open_services
from storage.errors import SvartidError
from storage.layout import ACTOR
from storage.logs import log_to_stderr
from storage.on_demand import load
from storage.records.intake import Source
from storage.settings import read_settings

_LOG = logging.getLogger("svartid.watch")
_ARE_OBJECTS, _KEEP = "flows.objects:are_objects", "flows.objects:keep"
_IS_DIRECTORY = "flows.objects:is_directory"
_UNFINISHED = (".part", ".tmp", ".partial", ".crdownload", ".filepart", ".writing")
_SIDECAR = ".done"
_MOST_AT_ONCE = 20
"""Files that look like no slide taken over in one look, which comes twice a second."""
_OPEN_LIMIT = 30.0
_HOLD = 15.0
_PATIENCE = 10
"""A file that stands still but does not open is judged after that many settle times."""


class Opener(Protocol):
    """Says whether a reader can open a file, whatever the file does to that reader."""

    def opens(self, path: Path, limit: float) -> bool:
        """True when it opens within `limit` seconds."""
        ...


@dataclass(slots=True)
class _Seen:
    size: int
    mtime: int
    since: float
    renamed: bool
    held_until: float = 0.0
    """After a take-over that failed: not tried again before that."""


@dataclass(slots=True)
class WatchFolder:
    """Remembers what it saw of each file; `look` takes over what has become whole."""

    services: Services
    folder: Path
    source: Source
    opener: Opener = field(default_factory=ReadingProcess)
    _seen: dict[Path, _Seen] = field(default_factory=dict)
    _unfinished: set[int] = field(default_factory=set)
    """Inodes of unfinished files at the last look: one that has another name now is whole."""

    def look(self) -> int:
        """One pass; how many slides were taken over. An unreadable file stops nobody else."""
        unfinished = set[int]()
        seen = {file: self._note(file, known) for file, known in self._files(unfinished)}
        self._seen, self._unfinished = seen, unfinished
        try:
            whole = self._whole()
        except FileNotFoundError:  # a folder was taken away under our eyes: look again
            return 0
        return sum(self._take(bundle) for bundle in whole)

    def _whole(self) -> list[Bundle]:
        present = [file for file in self._seen if file.suffix != _SIDECAR]
        groups = bundle_files(self.folder, present)
        known = {file for bundle in groups for file in bundle.files}
        strangers = [file for file in present if file not in known]
        whole = [bundle for bundle in groups if self._is_whole(bundle)]
        # What looks like no slide comes last and little by little: it must not starve the others.
        newest = self._newest_beside() if strangers else {}
        for file in strangers:
            for one in bundles_at(file):
                if len(whole) < _MOST_AT_ONCE and self._is_whole(one, newest[self._top(file)]):
                    whole.append(one)
        return whole

    def _files(self, unfinished: set[int]) -> Iterator[tuple[Path, os.stat_result]]:
        """Files to take and how they stand now; what vanishes meanwhile was never there."""
        folders = [self.folder]
        while folders:
            for entry in _entries(folders.pop()):
                try:
                    known = entry.lstat()
                    if stat.S_ISLNK(known.st_mode):
                        self._refuse(entry)
                    elif entry.name.startswith("."):
                        continue
                    elif stat.S_ISDIR(known.st_mode):
                        folders.append(entry)
                    elif entry.suffix.lower() in _UNFINISHED:
                        unfinished.add(known.st_ino)
                    elif stat.S_ISREG(known.st_mode):
                        yield entry, known
                except OSError:
                    continue

    def _refuse(self, link: Path) -> None:
        """A link may point anywhere on the machine: it is removed, never followed."""
        _LOG.warning("a symbolic link in %s is removed; deliver the file itself", self.folder.name)
        link.unlink(missing_ok=True)

    def _note(self, file: Path, known: os.stat_result) -> _Seen:
        """Remember since when a file has stood still."""
        seen = self._seen.get(file)
        if seen is not None and (seen.size, seen.mtime) == (known.st_size, known.st_mtime_ns):
            return seen
        renamed = known.st_ino in self._unfinished
        settled = known.st_ctime - known.st_mtime > self.services.settings.settle_seconds
        return _Seen(known.st_size, known.st_mtime_ns, time.time(), renamed or settled)

    def _newest_beside(self) -> dict[str, float]:
        """Since when all that was delivered in the same folder has stood still, by folder."""
        newest = dict[str, float]()
        for file, seen in self._seen.items():
            top = self._top(file)
            newest[top] = max(newest.get(top, 0.0), seen.since)
        return newest

    def _top(self, file: Path) -> str:
        """The folder (or file) right below the watched one."""
        return file.relative_to(self.folder).parts[0]

    def _is_whole(self, bundle: Bundle, beside: float = 0.0) -> bool:
        """`beside`: when something last changed next to it; a file nobody knows may be part."""
        files, settle, now = bundle.files, self.services.settings.settle_seconds, time.time()
        if any(file not in self._seen for file in files):  # it came, or came back, just now
            return False
        seen = [self._seen[file] for file in files]
        if now < max(at.held_until for at in seen):
            return False
        still = now - max(beside, *(at.since for at in seen))
        if len(files) > 1 or is_dicom(files[0]):  # more of them may come, however whole each is
            return still >= settle
        if (
            files[0].with_name(files[0].name + _SIDECAR) in self._seen
            or still >= settle * _PATIENCE
        ):
            return True
        return (still >= settle or seen[0].renamed) and self.opener.opens(files[0], _OPEN_LIMIT)

    def _take(self, bundle: Bundle) -> int:
        try:
            if may_be_objects(bundle) and load(_ARE_OBJECTS)(bundle):
                self._keep(bundle)
            elif may_be_objects(bundle) and load(_IS_DIRECTORY)(bundle.files[0]):
                bundle.files[0].unlink(missing_ok=True)  # it only lists what lies beside it
            else:
                self._receive(bundle)
        except SvartidError as error:
            _LOG.warning("a delivery waits in %s: %s", self.folder.name, error.code)
            for file in bundle.files:
                self._seen[file].held_until = time.time() + _HOLD
            return 0
        for file in bundle.files:
            file.with_name(file.name + _SIDECAR).unlink(missing_ok=True)
            file.with_name(ACTOR).unlink(missing_ok=True)
            remove_empty_folders(self.folder, file.parent)
        return 1

    def _receive(self, bundle: Bundle) -> None:
        row, new = receive(self.services, bundle, self.source, self._actor(bundle), move=True)
        _LOG.info("slide %s %s", row.slide_id, "received" if new else "was here already")

    def _keep(self, bundle: Bundle) -> None:
        """DICOM that is no slide: each file is gone as soon as it is kept, or in quarantine."""
        results, actor = Counter[str](), self._actor(bundle)
        for file in bundle.files:
            results[load(_KEEP)(self.services, file, actor).result.value] += 1
            file.unlink(missing_ok=True)
        told = ", ".join(f"{count} {word}" for word, count in sorted(results.items()))
        _LOG.info("objects from %s: %s", self.folder.name, told)

    def _actor(self, bundle: Bundle) -> str:
        """Who uploaded it, by name; what lies in the watch folder came from the folder."""
        if self.source is Source.UPLOAD:
            with suppress(OSError):
                return bundle.files[0].with_name(ACTOR).read_text("utf-8")
        return f"folder:{self.folder.name}"


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def main() -> int:
    """Watch until terminated: at every change, and every few seconds for network shares."""
    die_with_parent()
    log_to_stderr()
    logging.getLogger("watchfiles").setLevel(logging.CRITICAL)
    services = open_services(read_settings())
    layout = services.layout
    uploads = layout.uploads / "done"
    uploads.mkdir(exist_ok=True)
    opener = ReadingProcess()
    folders = [
        WatchFolder(services, layout.incoming, Source.WATCH, opener),
        WatchFolder(services, uploads, Source.UPLOAD, opener),
    ]
    stop = threading.Event()
    _LOG.info("ready")
    opener.warm_up()
    changes = watchfiles.watch(
        layout.incoming, uploads, stop_event=stop, rust_timeout=500, yield_on_timeout=True,
        debounce=100, step=50,
    )  # fmt: skip
    for _ in changes:
        for folder in folders:
            try:
                folder.look()
            except OSError as error:
                _LOG.warning("%s cannot be read: %s", folder.folder.name, error.strerror)
            except SvartidError as error:
                _LOG.warning("deliveries wait: %s", error)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
