"""Give back what came in, byte for byte, or the slide as OME-Zarr or DICOM.

An original of one file becomes a file, one of many files a folder. Where only its skeleton is
kept, the original is put together from it and the pyramid's tiles; its SHA-256 is checked before
the output gets its name. DICOM is a folder of whole-slide instances, one a level, and label and
overview beside them; the tiles are the scanner's own bytes, nothing is encoded again.

examples:
  svartid export 66126c5b29721bf74129 --to original -o back.tif
  svartid export 66126c5b29721bf74129 --to ome-zarr -o slide.ome.zarr
  svartid export 66126c5b29721bf74129 --to dicom -o slide-dicom
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from flows.cold import write_form
from flows.commands.common import note_look, services_of
from flows.services import Services
from flows.skeletons import give_back
from storage.catalogue import get_slide
from storage.errors import Refused
from storage.on_demand import load
from storage.pyramids import sync_folder
from storage.records.slide import Slide, Tier

SUMMARY = "give back the original, or the slide as OME-Zarr or DICOM"

_WRITE_DICOM = "flows.dicom_export:write_dicom"


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("slide_id")
    parser.add_argument("--to", choices=("original", "ome-zarr", "dicom"), required=True)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="PATH")


def run(args: argparse.Namespace) -> int:
    """Copy; the output has its name only when it is whole."""
    target: Path = args.output
    if target.exists():
        raise Refused(f"{target} exists; nothing is written over, choose another name")
    services = services_of(args)
    slide = get_slide(services.database, args.slide_id)
    note_look(services.database, "export", slide.slide_id)
    part = target.with_name(target.name + ".part")
    try:
        if args.to == "original":
            give_back(services, slide, part)
        elif args.to == "dicom":
            load(_WRITE_DICOM)(services, slide.slide_id, part)
        else:
            _write_pyramid(services, slide, part)
        part.rename(target)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        part.unlink(missing_ok=True)
        raise
    sync_folder(target.absolute().parent)
    return 0


def _write_pyramid(services: Services, slide: Slide, target: Path) -> None:
    """As any reader of OME-Zarr takes it: a cold slide is thawed on the way."""
    source = services.pyramids.path(slide.slide_id)
    if services.pyramids.is_cold(source):
        target.mkdir()
        write_form(services, slide, Tier.WARM, target)
    else:
        shutil.copytree(source, target)
