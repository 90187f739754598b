"""What a start finds lying about: work of the dead is given back, litter is removed."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Iterable
from pathlib import Path

import sqlalchemy as sa

from flows.cold import settle
from flows.liveness import Liveness, remove_dead_locks
from flows.originals import remove_abandoned
from flows.services import Services
from flows.skeletons import let_whole_go, whole_files
from storage import intake, leases
from storage.dicom_files import remove_parts
from storage.intake import Delivery
from storage.records.intake import Source
from storage.tables import intake as intake_table
from storage.tables import slide

_LOG = logging.getLogger("svartid.dispatcher")
_STALE = 5.0
"""Seconds after which an original without a row has certainly been abandoned."""


def clean_up(services: Services, liveness: Liveness) -> None:
    """Before the first claim: nothing half-made stays, nothing whole is lost."""
    given = leases.release_abandoned(services.database, liveness.is_alive)
    if given:
        _LOG.info("%d slides of an earlier run go on", given)
    _enter_strays(services, remove_litter(services)["fingerprints"])


def remove_litter(services: Services) -> dict[str, set[str]]:
    """Remove what killed processes left half-made and nobody will take up; the known rows.

    Safe beside others at work: what they hold is locked, or named by an open row.
    """
    remove_dead_locks(services.layout.run)
    remove_parts(services.layout)
    leftovers = list(services.pyramids.leftovers())  # before the query: no draft precedes its row
    known = _known(services)
    for slide_id, folder in leftovers:
        if folder.suffix == ".original":
            remove_abandoned(folder)
        elif slide_id not in known["open"]:
            shutil.rmtree(folder, ignore_errors=True)
    for folder in services.layout.made.iterdir():
        if folder.name in known["complete"]:
            shutil.rmtree(folder, ignore_errors=True)
    for slide_id in known["quarantined"]:
        services.pyramids.remove(slide_id)
    for folder in services.layout.originals.iterdir():
        if folder.name in known["bare"] and whole_files(folder):
            let_whole_go(services, folder.name)
    settle(services)
    return known


def _known(services: Services) -> dict[str, set[str]]:
    query = sa.select(intake_table.c.slide_id, intake_table.c.fingerprint, intake_table.c.state)
    bare = sa.select(slide.c.fingerprint).where(slide.c.skeleton.is_not(None))
    with services.database.reading() as connection:
        rows = connection.execute(query).all()
        fingerprints = set(connection.execute(bare).scalars())
    ended = {"complete", "quarantined", "failed"}
    return {
        "open": {row.slide_id for row in rows if row.state not in ended},
        "complete": {row.slide_id for row in rows if row.state == "complete"},
        "quarantined": {row.slide_id for row in rows if row.state == "quarantined"},
        "bare": fingerprints,
        "fingerprints": {row.fingerprint for row in rows},
    }


def _enter_strays(services: Services, fingerprints: Iterable[str]) -> None:
    """Originals taken over by a process that died before it could enter them."""
    for folder in services.layout.originals.iterdir():
        if folder.name not in fingerprints and len(folder.name) == 64 and _is_stale(folder):
            files = [file for file in folder.rglob("*") if file.is_file()]
            if not files:
                continue
            size = sum(file.stat().st_size for file in files)
            name = files[0].name if len(files) == 1 else f"{len(files)} files"
            delivery = Delivery(folder.name, name, size, Source.WATCH, "housekeeping")
            intake.submit(services.database, delivery)


def _is_stale(folder: Path) -> bool:
    return time.time() - folder.stat().st_ctime > _STALE
