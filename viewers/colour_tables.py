"""What the ICC profiles of the slides do, each found out once and kept."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from pathlib import Path

from processing.colour_process import Measured, measure_apart
from processing.icc import LARGEST
from storage.errors import NotFound, ProfileUnusable
from storage.tiles import OpenPyramid

_MOST = 16
"""Profiles kept, one for each scanner; a table is at most 1.7 MB."""


class ColourTables:
    """By the profile's SHA-256: a laboratory's slides share a few. Thread-safe."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, Measured | ProfileUnusable] = OrderedDict()
        self._lock = threading.Lock()
        self._measuring = threading.Lock()

    def of(self, profile: bytes) -> Measured:
        """What it does. Errors: ProfileUnusable, remembered as well."""
        digest = hashlib.sha256(profile).hexdigest()
        known = self._look(digest)
        if known is None:
            with self._measuring:  # whoever comes meanwhile waits: one process at a time
                known = self._look(digest) or self._measure(digest, profile)
        if isinstance(known, ProfileUnusable):
            raise ProfileUnusable(str(known))
        return known

    def _look(self, digest: str) -> Measured | ProfileUnusable | None:
        with self._lock:
            known = self._known.get(digest)
            if known is not None:
                self._known.move_to_end(digest)
            return known

    def _measure(self, digest: str, profile: bytes) -> Measured | ProfileUnusable:
        found: Measured | ProfileUnusable
        try:
            found = measure_apart(profile)
        except ProfileUnusable as error:
            found = error
        with self._lock:
            self._known[digest] = found
            while len(self._known) > _MOST:
                self._known.popitem(last=False)
        return found


def profile_of(pyramid: OpenPyramid) -> bytes:
    """The slide's profile as it came. Errors: NotFound when it has none, ProfileUnusable."""
    if pyramid.record.icc_profile is None:
        raise NotFound("the slide has no colour profile")
    path: Path = pyramid.folder / pyramid.record.icc_profile
    if path.stat().st_size > LARGEST:
        raise ProfileUnusable("too_large")
    return path.read_bytes()
