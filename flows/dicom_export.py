"""A slide as DICOM files in a folder: a file an instance, streamed, nothing encoded again."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from flows.services import Services
from processing.dicom.echo import Ours
from processing.dicom.instance import Instance
from processing.dicom.opening import Opener
from storage import imaging
from storage.dicom_objects import Objects
from storage.pyramids import sync_folder
from storage.records.people import SVARTID
from storage.records.uids import parse_instance
from storage.tiles import TileStore


def opener_of(services: Services) -> Opener:
    """What opens instances, once a process."""
    return Opener(TileStore(services.pyramids), services.layout, Objects(services.database))


def ours_of(services: Services) -> Ours:
    """What tells instances that are made here, should they come back."""
    return Ours(opener_of(services), partial(imaging.made_here, services.database))


def write_dicom(services: Services, slide_id: str, folder: Path) -> None:
    """Every instance of a slide into a new folder. Errors: NotFound, OSError, StoreDamaged."""
    entry = imaging.of_slide(services.database, SVARTID, slide_id)
    folder.mkdir(parents=True)
    for number, instance in enumerate(opener_of(services).instances(entry)):
        with (folder / _name(instance, number)).open("wb") as file:
            for piece in instance.stream():
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
    sync_folder(folder)


def _name(instance: Instance, number: int) -> str:
    key = parse_instance(instance.sop_uid)
    if key is None:  # it came as DICOM, and keeps its own UIDs
        return f"{number:04}.dcm"
    return f"{key.associated or f'level-{key.level}'}.dcm"
