"""Received series become whole, and those of whole-slide images become slides.

A series is whole when its sender has ended the association, or when nothing has come for a while.
Whole-slide series have to be quiet in any case: some scanners send each level over an association
of its own. They go to the intake as one bundle of links to the kept files.

A level that comes later makes the series arrive again: once it is quiet, all of it is a new
bundle and so a new slide. Of two images of one glass the newer is shown and the older stays as
replaced, as with a rescan.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from datetime import timedelta

from flows.originals import Bundle, safe_name
from flows.receive import receive
from flows.services import Services
from storage import dicom_objects
from storage.dicom_files import object_path
from storage.errors import SvartidError, Transient
from storage.intake import slide_id_of
from storage.records.imaging import WSI, StoredObject
from storage.records.intake import Source

_LOG = logging.getLogger("svartid.casework")
_CONTAINER = "00400512"


@dataclass(slots=True)
class ReceivedSeries:
    """Looks after series that other nodes have sent."""

    services: Services

    def __call__(self) -> int:
        """One look; how many series were handed to the intake."""
        database = self.services.database
        quiet = timedelta(seconds=self.services.settings.dicom_settle_seconds)
        dicom_objects.end_quiet(database, quiet)
        return sum(self._take(uid) for uid in dicom_objects.slides_to_take(database, quiet))

    def _take(self, series_uid: str) -> int:
        """Hand one over; what cannot be taken now is left for the next look."""
        database = self.services.database
        objects = dicom_objects.of_series(database, series_uid)
        images = [at for at in objects if at.sop_class == WSI]
        try:
            row, new = receive(
                self.services,
                self._bundle(series_uid, images),
                Source.DICOM,
                f"node:{images[0].received_from}",
                share=True,
            )
        except Transient:
            raise
        except SvartidError as error:
            _LOG.warning("a received series waits: %s", error.code)
            return 0
        dicom_objects.mark_taken(database, series_uid, slide_id_of(row.fingerprint))
        _LOG.info("slide %s %s over DICOM", row.slide_id, "received" if new else "was here already")
        return 1

    def _bundle(self, series_uid: str, images: list[StoredObject]) -> Bundle:
        layout = self.services.layout
        files = tuple(sorted({object_path(layout, at.sha256) for at in images}))
        name = safe_name(_container(images[0]) or series_uid)
        return Bundle(name, files[0].parent if len(files) == 1 else layout.dicom, files)


def _container(image: StoredObject) -> str:
    """What is written on the glass, if the object says it."""
    values = json.loads(image.header).get(_CONTAINER, {}).get("Value") or [""]
    return str(values[0] or "")
