"""What a start finds lying about: work of the dead is given back, litter is removed."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Iterable
from pathlib import Path

import sqlalchemy as sa

from flows.liveness import Liveness
from flows.originals import is_abandoned
from flows.services import Services
from storage import intake
from storage.database import intake as intake_table
from storage.intake import Delivery
from storage.records.intake import Source

_LOG = logging.getLogger("svartid.dispatcher")
_STALE = 5.0
"""Seconds after which an original without a row has certainly been abandoned."""


def clean_up(services: Services, liveness: Liveness) -> None:
    """Before the first claim: nothing half-made stays, nothing whole is lost."""
    given = intake.release_abandoned(services.database, liveness.is_alive)
    if given:
        _LOG.info("%d slides of an earlier run go on", given)
    known = _known(services)
    for slide_id, folder in services.pyramids.leftovers():
        if folder.suffix == ".original":
            if is_abandoned(folder):
                shutil.rmtree(folder, ignore_errors=True)
        elif slide_id not in known["open"]:
            shutil.rmtree(folder, ignore_errors=True)
    for slide_id in known["complete"]:
        shutil.rmtree(services.layout.made / slide_id, ignore_errors=True)
    _enter_strays(services, known["fingerprints"])


def _known(services: Services) -> dict[str, set[str]]:
    query = sa.select(intake_table.c.slide_id, intake_table.c.fingerprint, intake_table.c.state)
    with services.database.reading() as connection:
        rows = connection.execute(query).all()
    ended = {"complete", "quarantined", "failed"}
    return {
        "open": {row.slide_id for row in rows if row.state not in ended},
        "complete": {row.slide_id for row in rows if row.state == "complete"},
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
