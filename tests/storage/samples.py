"""Small records for the tests of the tables."""

from __future__ import annotations

import hashlib

from storage.intake import Completion, Delivery, slide_id_of
from storage.records.geometry import Size
from storage.records.intake import Source
from storage.records.slide import (
    JpegEncoding,
    LevelOrigin,
    PyramidPlan,
    PyramidRecord,
    SlideMetadata,
    StoredLevel,
)


def fingerprint(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def delivery(name: str, actor: str = "tester") -> Delivery:
    return Delivery(fingerprint(name), f"{name}.svs", 1000, Source.WATCH, actor)


DONE = Completion(root="a" * 64, proof="b" * 64, skeleton=None, stored_bytes=1000)


def pyramid(name: str, metadata: SlideMetadata | None = None) -> PyramidRecord:
    levels = (StoredLevel(0, Size(300, 200), LevelOrigin.COPIED, JpegEncoding()),)
    return PyramidRecord(
        slide_id=slide_id_of(fingerprint(name)),
        fingerprint=fingerprint(name),
        plan=PyramidPlan(256, 16, levels),
        metadata=metadata or SlideMetadata("test"),
    )
