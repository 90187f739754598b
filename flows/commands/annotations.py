"""Annotations of a slide: write all of them to a file, or take in those of a file.

GeoJSON is QuPath's dialect. DICOM is an object for each author: bulk annotations (ann), a
measurement report (sr), or the areas as masks (seg); where there are several they go into a folder.
What comes in is GeoJSON or DICOM of these kinds; all of a file or nothing.

examples:
  svartid annotations 66126c5b29721bf74129 --to geojson -o tumor.geojson
  svartid annotations 66126c5b29721bf74129 --to ann -o annotations.dcm
  svartid annotations 66126c5b29721bf74129 --import cells.geojson

exit code: 0 done, 1 there are none, or the file cannot be understood
"""

from __future__ import annotations

import argparse
import getpass
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from flows.commands.common import note_look, print_json, services_of
from flows.dicom_export import opener_of
from flows.services import Services
from processing.annotations.files import FileForm, geojson_of, objects_of, read_file
from storage import annotations_authors, annotations_import, imaging
from storage.annotations_import import Source
from storage.annotations_single import By
from storage.catalogue import get_slide
from storage.database import now
from storage.dicom_uids import SLIDE, known_root
from storage.errors import Malformed, Refused
from storage.on_demand import load
from storage.records.people import SVARTID

SUMMARY = "annotations of a slide: as a file, or out of one"


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("slide_id")
    way = parser.add_mutually_exclusive_group(required=True)
    way.add_argument("--to", choices=[at.value for at in FileForm])
    way.add_argument("--import", dest="source", type=Path, metavar="FILE")
    parser.add_argument("-o", "--output", type=Path, metavar="PATH")
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(args: argparse.Namespace) -> int:
    """Out or in."""
    services = services_of(args)
    slide = get_slide(services.database, args.slide_id)
    if args.source is not None:
        return _take(services, slide.slide_id, args.source, as_json=args.json)
    if args.output is None:
        raise Refused("say where to: -o PATH")
    if args.output.exists():
        raise Refused(f"{args.output} exists; nothing is written over, choose another name")
    note_look(services.database, "export annotations", slide.slide_id)
    written = _write(services, slide.slide_id, FileForm(args.to), args.output)
    if args.json:
        print_json({"files": [str(at) for at in written]})
    return 0


def _write(services: Services, slide_id: str, form: FileForm, target: Path) -> list[Path]:
    sheets = annotations_authors.sheets(services.database, slide_id)
    if form is FileForm.GEOJSON:
        _put(target, geojson_of(sheets))
        return [target]
    root = known_root(services.database, SLIDE, slide_id)
    made = objects_of(form, sheets, lambda: _planes(services, slide_id), root)
    if len(made) == 1:
        _put(target, [made[0].data])
        return [target]
    target.mkdir()
    files = [target / f"{number}.{at.suffix}" for number, at in enumerate(made, 1)]
    for file, at in zip(files, made, strict=True):
        _put(file, [at.data])
    return files


def _take(services: Services, slide_id: str, file: Path, *, as_json: bool) -> int:
    if not file.is_file():
        raise Refused(f"{file} is no file")
    note_look(services.database, "import annotations", slide_id)
    by = By(getpass.getuser(), "command")
    brought = read_file(file, file.name, lambda: _planes(services, slide_id), now())
    try:
        taken = annotations_import.take(services.database, slide_id, brought, Source(file.name, by))
    except Malformed as error:
        what, _, number = str(error).partition("@")
        where = f"feature {number}: " if number else ""
        raise Malformed(f"{file.name}: {where}{what.replace('_', ' ')}") from error
    if as_json:
        told = ("drawn", "changed", "known", "newer_here", "grouped")
        print_json({name: getattr(taken, name) for name in told})
        return 0
    words = f"{taken.drawn} drawn, {taken.grouped} in groups, {taken.changed} changed"
    print(f"{words}, {taken.known} known, {taken.newer_here} newer here")
    return 0


def _planes(services: Services, slide_id: str) -> list[Any]:
    entry = imaging.of_slide(services.database, SVARTID, slide_id)
    planes: list[Any] = load("processing.annotations.slide:planes_of")(opener_of(services), entry)
    return planes


def _put(target: Path, pieces: Iterable[bytes]) -> None:
    """The file has its name only when it is whole."""
    part = target.with_name(target.name + ".part")
    try:
        with part.open("wb") as file:
            file.writelines(pieces)
            file.flush()
            os.fsync(file.fileno())
        part.rename(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
