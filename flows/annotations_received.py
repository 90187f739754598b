"""Annotations that other systems send: what is in the objects is shown on the slide they are about.

An object is looked at once; it waits until its slide can be read, and is imported once. One that is
about several slides goes to the first it names.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass

from pydicom.dataset import Dataset

from flows.dicom_export import opener_of
from flows.services import Services
from processing.annotations.kinds import ANNOTATION_CLASSES, references
from storage import annotations_import, annotations_sources, dicom_objects, imaging
from storage.annotations_import import Source
from storage.annotations_single import By
from storage.dicom_files import object_path
from storage.errors import SvartidError, Transient
from storage.on_demand import load
from storage.records.imaging import StoredObject
from storage.records.people import SVARTID

_LOG = logging.getLogger("svartid.casework")


@dataclass(slots=True)
class ReceivedAnnotations:
    """Looks after objects of annotations that other nodes have sent."""

    services: Services

    def __call__(self) -> int:
        """One look; how many objects were imported."""
        database = self.services.database
        for sop_uid in annotations_sources.unseen(database, ANNOTATION_CLASSES):
            found = dicom_objects.get(database, sop_uid)
            series_uid = _series_of(found)
            reason = "" if series_uid else "of_no_image"
            annotations_sources.note(database, sop_uid, series_uid, reason)
        waiting = annotations_sources.ready(database)
        return sum(self._take(sop_uid, slide_id) for sop_uid, slide_id in waiting)

    def _take(self, sop_uid: str, slide_id: str) -> int:
        """Import one; what cannot be understood is noted, and asked no more."""
        database = self.services.database
        found = dicom_objects.get(database, sop_uid)
        source = Source(found.received_from, By(f"node:{found.received_from}", "dicom"), sop_uid)
        try:
            entry = imaging.of_slide(database, SVARTID, slide_id)
            planes = load("processing.annotations.slide:planes_of")(opener_of(self.services), entry)
            path = object_path(self.services.layout, found.sha256)
            brought = load("processing.annotations.dicom_files:read_object")(path, planes)
            taken = annotations_import.take(database, slide_id, brought, source)
        except Transient:
            raise
        except SvartidError as error:
            _LOG.warning("annotations received for slide %s are left: %s", slide_id, error.code)
            annotations_sources.note(database, sop_uid, "", error.code)
            return 0
        _LOG.info("slide %s: %d annotations received", slide_id, taken.drawn + taken.grouped)
        return 1


def _series_of(found: StoredObject) -> str:
    """The series of the first image that the object is about; empty when it names none."""
    try:
        about = references(Dataset.from_json(json.loads(found.header)))
    except (ValueError, TypeError, KeyError, AttributeError):
        return ""
    return next((at.series_uid for at in about if at.series_uid), "")
