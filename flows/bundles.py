"""Which files belong together: a DICOM series, a MIRAX slide with its folder, or one file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from flows.originals import Bundle, safe_name
from storage.on_demand import load

SLIDE_SUFFIXES = frozenset(
    {".svs", ".tif", ".tiff", ".ndpi", ".vms", ".vmu", ".scn", ".mrxs", ".bif", ".svslide"}
    | {".czi", ".isyntax", ".dcm"}
)
_TIFF_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_DICOM_MAGIC = b"DICM"
_DICOM_SUFFIXES = frozenset({".dcm", ".dicom", ".ima", ""})
_IS_DIRECTORY = "flows.objects:is_directory"
_SERIES_OF = "processing.readers.dicom_series:series_of"


def bundles_at(path: Path) -> list[Bundle]:
    """The slides at a path: the file itself, or every slide in the folder, not following links.

    A file that is named is always delivered; in a folder only what looks like a slide.
    """
    path = path.resolve() if path.is_symlink() else path  # named by the user, so meant
    if not path.is_dir():
        return [Bundle(safe_name(path.name), path.parent, (path,))]
    return bundle_files(path, _walk(path))


def bundle_files(base: Path, files: Iterable[Path]) -> list[Bundle]:
    """Group files below `base` into slides; what does not look like one is left out."""
    series, singles = defaultdict[str, list[Path]](list), list[Path]()
    found = sorted(files)
    companions = {file for mirax in found for file in _mirax_companions(mirax)}
    for file in found:
        if file in companions:
            continue
        head = _head(file)
        if head[128:132] == _DICOM_MAGIC:
            if load(_IS_DIRECTORY)(file):
                continue  # it lists the files beside it, which are here themselves
            series[load(_SERIES_OF)(file)].append(file)
        elif head[:4] in _TIFF_MAGIC or file.suffix.lower() in SLIDE_SUFFIXES:
            singles.append(file)
    return [_single(file) for file in singles] + [
        _series(base, members) for members in series.values()
    ]


def is_dicom(file: Path) -> bool:
    """True for a DICOM file, which may be one of a series."""
    return _head(file)[128:132] == _DICOM_MAGIC


def may_be_objects(bundle: Bundle) -> bool:
    """False where a look at the first bytes, or the name, says that it is no DICOM."""
    first = bundle.files[0]
    head = _head(first)
    named = first.suffix.lower() in _DICOM_SUFFIXES
    return head[128:132] == _DICOM_MAGIC or (named and head[:4] not in _TIFF_MAGIC)


def _walk(folder: Path) -> Iterator[Path]:
    for entry in sorted(folder.iterdir()):
        if entry.is_symlink() or entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from _walk(entry)
        elif entry.is_file():
            yield entry


def _single(file: Path) -> Bundle:
    companions = _mirax_companions(file)
    return Bundle(safe_name(file.name), file.parent, (file, *companions))


def _series(base: Path, members: list[Path]) -> Bundle:
    if len(members) == 1:
        return Bundle(safe_name(members[0].name), members[0].parent, (members[0],))
    folder = members[0].parent
    while not all(member.is_relative_to(folder) for member in members):
        folder = folder.parent
    return Bundle(safe_name(folder.name or base.name), folder, tuple(members))


def _mirax_companions(file: Path) -> tuple[Path, ...]:
    folder = file.with_suffix("")
    if file.suffix.lower() != ".mrxs" or folder.is_symlink() or not folder.is_dir():
        return ()
    return tuple(_walk(folder))


def _head(file: Path) -> bytes:
    try:
        with file.open("rb") as reading:
            return reading.read(132)
    except OSError:
        return b""
