"""The watch folder: what scanners and people drop is taken over once it is whole.

Whole means: renamed into place, or announced by a `<name>.done` file, or unchanged in size and
time for the settle time. A file that then does not open waits longer before it is judged.
`python -m flows.watch`, started by `svartid up`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import watchfiles

from flows.bundles import bundle_files, bundles_at
from flows.originals import Bundle
from flows.parent import die_with_parent
from flows.receive import receive, remove_empty_folders
from flows.services import Services, open_services
from processing.readers import open_slide
from storage.errors import SlideError, SvartidError
from storage.logs import log_to_stderr
from storage.records.intake import Source
from storage.settings import read_settings

_LOG = logging.getLogger("svartid.watch")
_UNFINISHED = (".part", ".tmp", ".partial", ".crdownload", ".filepart", ".writing")
_SIDECAR = ".done"
_PATIENCE = 10
"""A file that stands still but does not open is judged after that many settle times."""


@dataclass(slots=True)
class _Seen:
    size: int
    mtime: int
    since: float
    renamed: bool


@dataclass(slots=True)
class WatchFolder:
    """Remembers what it saw of each file; `look` takes over what has become whole."""

    services: Services
    folder: Path
    source: Source
    _seen: dict[Path, _Seen] = field(default_factory=dict)
    _unfinished: dict[int, float] = field(default_factory=dict)

    def look(self) -> int:
        """One pass; how many slides were taken over. An unreadable file stops nobody else."""
        present = list(self._files(self.folder))
        self._seen = {file: seen for file, seen in self._seen.items() if file in set(present)}
        for file in present:
            self._note(file)
        groups = bundle_files(self.folder, [file for file in present if file.suffix != _SIDECAR])
        known = {file for bundle in groups for file in bundle.files}
        strangers = [file for file in present if file not in known and file.suffix != _SIDECAR]
        groups += [bundle for file in strangers for bundle in bundles_at(file)]
        return sum(self._take(bundle) for bundle in groups if self._is_whole(bundle))

    def _files(self, folder: Path) -> Iterator[Path]:
        for entry in sorted(folder.iterdir()):
            if entry.is_symlink():
                self._refuse(entry)
            elif entry.name.startswith("."):
                continue
            elif entry.is_dir():
                yield from self._files(entry)
            elif entry.suffix.lower() in _UNFINISHED:
                self._unfinished[entry.stat().st_ino] = time.time()
            elif entry.is_file():
                yield entry

    def _refuse(self, link: Path) -> None:
        """A link may point anywhere on the machine: it is removed, never followed."""
        _LOG.warning("a symbolic link in %s is removed; deliver the file itself", self.folder.name)
        link.unlink(missing_ok=True)

    def _note(self, file: Path) -> None:
        """Remember since when a file has stood still."""
        known, seen = file.stat(), self._seen.get(file)
        if seen is None or (seen.size, seen.mtime) != (known.st_size, known.st_mtime_ns):
            renamed = known.st_ino in self._unfinished
            settled = known.st_ctime - known.st_mtime > self.services.settings.settle_seconds
            now = time.time()
            self._seen[file] = _Seen(known.st_size, known.st_mtime_ns, now, renamed or settled)

    def _is_whole(self, bundle: Bundle) -> bool:
        files, settle = bundle.files, self.services.settings.settle_seconds
        if all(file.with_name(file.name + _SIDECAR).exists() for file in files):
            return True
        seen = [self._seen[file] for file in files]
        still = time.time() - max(at.since for at in seen)
        if still < settle and not all(at.renamed for at in seen):
            return False
        return len(files) > 1 or still >= settle * _PATIENCE or self._opens(files[0])

    def _opens(self, file: Path) -> bool:
        try:
            with open_slide(file):
                return True
        except (SlideError, OSError):
            return False

    def _take(self, bundle: Bundle) -> int:
        try:
            row, new = receive(
                self.services, bundle, self.source, f"folder:{self.folder.name}", move=True
            )
        except SvartidError as error:
            _LOG.warning("a delivery waits in %s: %s", self.folder.name, error.code)
            return 0
        for file in bundle.files:
            file.with_name(file.name + _SIDECAR).unlink(missing_ok=True)
            remove_empty_folders(self.folder, file.parent)
        _LOG.info("slide %s %s", row.slide_id, "received" if new else "was here already")
        return 1


def main() -> int:
    """Watch until terminated: at every change, and every few seconds for network shares."""
    die_with_parent()
    log_to_stderr()
    logging.getLogger("watchfiles").setLevel(logging.CRITICAL)
    services = open_services(read_settings())
    layout = services.layout
    uploads = layout.uploads / "done"
    uploads.mkdir(exist_ok=True)
    folders = [
        WatchFolder(services, layout.incoming, Source.WATCH),
        WatchFolder(services, uploads, Source.UPLOAD),
    ]
    stop = threading.Event()
    _LOG.info("ready")
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
